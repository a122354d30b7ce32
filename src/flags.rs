//! The flags of one send or receive.

use core::ffi::c_int;
use core::fmt;
use core::ops::{BitOr, BitOrAssign};

use sunpath_sys as sys;

/// `MSG_...` — the flags of one send or receive, and the flags that a receive returned in
/// `msg_flags`.
///
/// The flags apply to one call and do not change the socket for other processes that share it.
/// `MSG_NOSIGNAL` for sends and `MSG_CMSG_CLOEXEC` for receives are always added.
///
/// # Examples
///
/// ```
/// use sunpath::UnixStream;
/// use sunpath::ancillary::MsgFlags;
/// use sunpath::fd::IoSliceMut;
///
/// let (ours, theirs) = UnixStream::pair()?;
/// ours.write(b"hello")?;
/// let (mut buf, flags) = ([0; 64], MsgFlags::PEEK | MsgFlags::DONTWAIT);
/// let bufs = &mut [IoSliceMut::new(&mut buf)];
/// assert_eq!(theirs.recvmsg_with(bufs, &mut [], flags)?.len(), 5);
/// assert_eq!(theirs.read(&mut buf)?, 5); // still in the queue
/// # Ok::<(), sunpath::Error>(())
/// ```
///
/// See recv(2), send(2).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct MsgFlags(c_int);

/// Declares the named flags. Each flag is a constant, and `Debug` prints its name.
macro_rules! flags {
    ($($(#[doc = $doc:literal])+ $name:ident = $value:ident $alias:literal;)+) => {
        impl MsgFlags {
            $(
                $(#[doc = $doc])+
                #[doc(alias = $alias)]
                pub const $name: Self = Self(sys::$value);
            )+
        }

        const NAMES: &[(&str, MsgFlags)] = &[$((stringify!($name), MsgFlags::$name),)+];
    };
}

flags! {
    /// `MSG_DONTWAIT` — the call fails with `EAGAIN` if it would have to wait.
    DONTWAIT = MSG_DONTWAIT "MSG_DONTWAIT";
    /// `MSG_PEEK` — receives data and leaves it in the queue. Each peek at a message with
    /// descriptors makes new descriptors.
    PEEK = MSG_PEEK "MSG_PEEK";
    /// `MSG_WAITALL` — receives from a stream until the slices are full. Fewer bytes are received at
    /// the end of the stream, after an error or a signal, and where descriptors or another sender's
    /// credentials begin.
    WAITALL = MSG_WAITALL "MSG_WAITALL";
    /// `MSG_OOB` — sends the last byte of a stream out of band, or receives that byte. A receive
    /// returns this flag if it received an out-of-band byte.
    OOB = MSG_OOB "MSG_OOB";
    /// `MSG_EOR` — ends a record. Linux accepts the flag and does not deliver it, because every
    /// send of a sequenced-packet socket is a record.
    EOR = MSG_EOR "MSG_EOR";
    /// `MSG_TRUNC` — a receive returns this flag if the message was longer than the slices.
    TRUNC = MSG_TRUNC "MSG_TRUNC";
    /// `MSG_CTRUNC` — a receive returns this flag if control messages did not fit.
    CTRUNC = MSG_CTRUNC "MSG_CTRUNC";
}

impl MsgFlags {
    /// Returns the value without any flag.
    #[must_use]
    pub const fn empty() -> Self {
        Self(0)
    }

    /// Makes flags from their bits in C, including bits that have no name here.
    #[must_use]
    pub const fn from_bits(bits: i32) -> Self {
        Self(bits)
    }

    /// Returns the flags as the bits that C has.
    #[must_use]
    pub const fn bits(self) -> i32 {
        self.0
    }

    /// Returns whether all of these flags are set.
    #[must_use]
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }
}

impl BitOr for MsgFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for MsgFlags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// Prints the names of the flags, and bits without a name as an integer.
impl fmt::Debug for MsgFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut rest, mut separator) = (self.0, "");
        f.write_str("MsgFlags(")?;
        for (name, flag) in NAMES.iter().filter(|(_, flag)| self.contains(*flag)) {
            write!(f, "{separator}{name}")?;
            (rest, separator) = (rest & !flag.0, " | ");
        }
        if rest != 0 {
            write!(f, "{separator}{rest:#x}")?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_print_their_names_and_the_rest_as_a_number() {
        let rest = MsgFlags::from_bits(1 << 30);
        let all = [
            (MsgFlags::empty(), "MsgFlags()"),
            (MsgFlags::PEEK, "MsgFlags(PEEK)"),
            (MsgFlags::PEEK | MsgFlags::EOR, "MsgFlags(PEEK | EOR)"),
            (rest, "MsgFlags(0x40000000)"),
            (rest | MsgFlags::OOB, "MsgFlags(OOB | 0x40000000)"),
        ];
        for (flags, text) in all {
            assert_eq!(std::format!("{flags:?}"), text);
        }
    }

    #[test]
    fn flags_contain_all_that_are_asked_for() {
        let mut both = MsgFlags::PEEK;
        both |= MsgFlags::DONTWAIT;
        assert!(both.contains(MsgFlags::PEEK | MsgFlags::DONTWAIT));
        assert!(!MsgFlags::PEEK.contains(both));
        assert_eq!(both.bits(), sys::MSG_PEEK | sys::MSG_DONTWAIT);
    }
}
