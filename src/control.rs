//! Ancillary data as bytes: this module reads the control messages that the kernel wrote, and lays
//! out those to send. A descriptor is only an integer in this module, and `syscall` makes it an
//! owned descriptor.

use core::ffi::c_int;
use core::iter::FusedIterator;
use core::mem::{self, offset_of};
use core::ops::Range;

use sunpath_sys as sys;
use sunpath_sys::{CMSG_ALIGN, CMSG_LEN, CMSG_SPACE, cmsghdr};

use crate::error::{Call, Error};

/// The types of the control messages that Linux alone has.
#[cfg(have_so_passcred)]
pub(crate) use sys::{SCM_CREDENTIALS, SCM_INQ, SCM_PIDFD, SCM_SECURITY};

/// Values that no control message has, in place of the types that the system lacks.
#[cfg(not(have_so_passcred))]
mod absent {
    use core::ffi::c_int;

    pub(crate) const SCM_CREDENTIALS: c_int = -1;
    pub(crate) const SCM_SECURITY: c_int = -2;
    pub(crate) const SCM_PIDFD: c_int = -3;
    pub(crate) const SCM_INQ: c_int = -4;
}
#[cfg(not(have_so_passcred))]
pub(crate) use absent::*;

/// The type of the control message with a time stamp, and the unit of its second integer in
/// nanoseconds.
#[cfg(have_so_timestampns)]
pub(crate) const SCM_TIME: (c_int, u32) = (sys::SCM_TIMESTAMPNS, 1);
#[cfg(all(have_so_timestamp, not(have_so_timestampns)))]
pub(crate) const SCM_TIME: (c_int, u32) = (sys::SCM_TIMESTAMP, 1000);
#[cfg(not(have_so_timestamp))]
pub(crate) const SCM_TIME: (c_int, u32) = (-5, 1); // No control message has this type.

pub(crate) const INT: usize = size_of::<c_int>();

/// `struct cmsghdr` and the data after it — a control message in a control buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "cmsghdr")]
pub struct ControlMessage<'a> {
    level: c_int,
    cmsg_type: c_int,
    data: &'a [u8],
    truncated: bool,
}

impl<'a> ControlMessage<'a> {
    /// Returns `cmsg_level`, which is `SOL_SOCKET` for everything that Unix domain sockets send.
    #[must_use]
    pub const fn level(&self) -> i32 {
        self.level
    }

    /// Returns `cmsg_type`, for example `SCM_RIGHTS`.
    #[must_use]
    pub const fn cmsg_type(&self) -> i32 {
        self.cmsg_type
    }

    /// Returns the data, or the part of it that is inside the buffer.
    #[must_use]
    #[doc(alias = "CMSG_DATA")]
    pub const fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Returns whether `cmsg_len` exceeds what the buffer holds. Linux lowers `cmsg_len` when it
    /// truncates a message, so this stays false, and
    /// [`Ancillary::is_truncated`](crate::ancillary::Ancillary::is_truncated) reports the
    /// truncation.
    #[must_use]
    pub const fn is_truncated(&self) -> bool {
        self.truncated
    }
}

/// `CMSG_FIRSTHDR`, `CMSG_NXTHDR` — iterates over the control messages in arbitrary bytes.
///
/// The bytes need not be aligned. The iterator ends at a header whose `cmsg_len` is less than a
/// header, and if no further header fits. Whatever `cmsg_len` holds, nothing outside the bytes is
/// read.
///
/// # Examples
///
/// ```
/// use sunpath::ancillary::ControlMessages;
///
/// assert_eq!(ControlMessages::new(&[0xff; 40]).count(), 1); // a cmsg_len of 2^64 - 1
/// assert_eq!(ControlMessages::new(&[0; 40]).count(), 0); // a cmsg_len of 0
/// ```
///
/// See cmsg(3).
#[derive(Clone, Debug)]
#[doc(alias = "CMSG_FIRSTHDR")]
#[doc(alias = "CMSG_NXTHDR")]
pub struct ControlMessages<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> ControlMessages<'a> {
    /// Iterates over the control messages in these bytes. The length of the written bytes is
    /// `msg_controllen`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }
}

impl<'a> Iterator for ControlMessages<'a> {
    type Item = ControlMessage<'a>;

    fn next(&mut self) -> Option<ControlMessage<'a>> {
        let extent = Extent::at(self.bytes, self.at)?;
        self.at = extent.next;
        Some(ControlMessage {
            level: extent.level,
            cmsg_type: extent.cmsg_type,
            data: self.bytes.get(extent.data)?,
            truncated: extent.truncated,
        })
    }
}

impl FusedIterator for ControlMessages<'_> {}

/// The place of one control message in its bytes.
struct Extent {
    level: c_int,
    cmsg_type: c_int,
    /// The place of the data, inside the bytes.
    data: Range<usize>,
    truncated: bool,
    /// The place of the next header.
    next: usize,
}

impl Extent {
    /// Returns the message whose header begins at `at`, if there is one.
    #[inline]
    fn at(bytes: &[u8], at: usize) -> Option<Self> {
        let left = bytes.len().checked_sub(at)?;
        let header = bytes.get(at..)?.get(..CMSG_LEN(0))?;
        let len = Self::len(header)?;
        if len < CMSG_LEN(0) {
            return None;
        }
        Some(Self {
            level: int_at(header, offset_of!(cmsghdr, cmsg_level))?,
            cmsg_type: int_at(header, offset_of!(cmsghdr, cmsg_type))?,
            data: at + CMSG_LEN(0)..at + len.min(left),
            truncated: len > left,
            // No message follows the last one, so `next` need not be exact there.
            next: at + CMSG_ALIGN(len.min(left)),
        })
    }

    /// Reads `cmsg_len`, which has 4 bytes or the size of a `size_t`.
    #[inline]
    fn len(header: &[u8]) -> Option<usize> {
        let field = header.get(offset_of!(cmsghdr, cmsg_len)..)?;
        if CMSG_LEN_SIZE == size_of::<u32>() {
            usize::try_from(u32::from_ne_bytes(*field.first_chunk()?)).ok()
        } else {
            Some(usize::from_ne_bytes(*field.first_chunk()?))
        }
    }
}

/// `sizeof cmsg_len`.
const CMSG_LEN_SIZE: usize = size_of_field(|header| &header.cmsg_len);

const fn size_of_field<F>(_: fn(&cmsghdr) -> &F) -> usize {
    size_of::<F>()
}

/// Returns the `int` at a place, if the bytes have one there.
#[inline]
pub(crate) fn int_at(bytes: &[u8], at: usize) -> Option<c_int> {
    Some(c_int::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Returns the data of a control message of level `SOL_SOCKET` with this type and `count` `int`s,
/// if the bytes hold that message and nothing else.
#[inline]
pub(crate) fn only_message(cmsg_type: c_int, count: usize, bytes: &[u8]) -> Option<&[u8]> {
    let len = CMSG_LEN(count * INT);
    let (header, data) = bytes.get(..len)?.split_at_checked(CMSG_LEN(0))?;
    let alone = bytes.len() == CMSG_SPACE(count * INT)
        && Extent::len(header)? == len
        && int_at(header, offset_of!(cmsghdr, cmsg_level))? == sys::SOL_SOCKET
        && int_at(header, offset_of!(cmsghdr, cmsg_type))? == cmsg_type;
    alone.then_some(data)
}

/// Iterates over the messages of level `SOL_SOCKET`: their types, and the places of their data,
/// which has whole `int`s only. The iterator borrows nothing, so the caller can change data between
/// two steps. The headers must not change.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    next: usize,
}

impl Places {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self { next: 0 }
    }

    /// Returns the next message of any type.
    #[inline]
    pub(crate) fn next(&mut self, bytes: &[u8]) -> Option<(c_int, Range<usize>)> {
        loop {
            let extent = Extent::at(bytes, self.next)?;
            self.next = extent.next;
            if extent.level == sys::SOL_SOCKET {
                let Range { start, end } = extent.data;
                return Some((extent.cmsg_type, start..end - (end - start) % INT));
            }
        }
    }

    /// Returns the place of the data of the first message, if it has this type and no message
    /// follows it.
    #[inline]
    pub(crate) fn only(cmsg_type: c_int, bytes: &[u8]) -> Option<Range<usize>> {
        let extent = Extent::at(bytes, 0)?;
        let alone = extent.level == sys::SOL_SOCKET
            && extent.cmsg_type == cmsg_type
            && extent.next >= bytes.len();
        let Range { start, end } = extent.data;
        alone.then_some(start..end - (end - start) % INT)
    }

    /// Returns the next message of one type.
    #[inline]
    pub(crate) fn next_of(&mut self, cmsg_type: c_int, bytes: &[u8]) -> Option<Range<usize>> {
        loop {
            match self.next(bytes)? {
                (found, place) if found == cmsg_type => return Some(place),
                _ => {}
            }
        }
    }
}

/// Lays control messages out, one after the other, in a buffer of zeroes.
#[derive(Debug)]
pub(crate) struct Writer<'b> {
    space: &'b mut [u8],
}

impl<'b> Writer<'b> {
    #[inline]
    pub(crate) const fn new(buf: &'b mut [u8]) -> Self {
        Self { space: buf }
    }

    /// Adds a message of level `SOL_SOCKET`. The caller writes its data, `count` `int`s, into the
    /// bytes that are returned.
    ///
    /// Fails with `EMSGSIZE` if the buffer is too small, which cannot happen if its size is the sum
    /// of `CMSG_SPACE` of all messages.
    #[inline]
    pub(crate) fn push(&mut self, cmsg_type: c_int, count: usize) -> Result<&'b mut [u8], Error> {
        self.push_bytes(sys::SOL_SOCKET, cmsg_type, count * INT)
    }

    /// Adds a message of any level with `size` bytes of data, which the caller writes, as for
    /// [`push`](Self::push).
    #[inline]
    pub(crate) fn push_bytes(
        &mut self,
        level: c_int,
        cmsg_type: c_int,
        size: usize,
    ) -> Result<&'b mut [u8], Error> {
        let space = mem::take(&mut self.space);
        let (needed, len) = (CMSG_SPACE(size), space.len());
        let message = space
            .split_at_mut_checked(needed)
            .and_then(|(message, rest)| {
                self.space = rest;
                message_of(message, level, cmsg_type, size)
            });
        message.ok_or_else(|| Error::control_space(Call::Sendmsg, needed, len))
    }
}

/// Writes the header of a message, and returns the space for its data.
#[inline]
fn message_of(
    message: &mut [u8],
    level: c_int,
    cmsg_type: c_int,
    size: usize,
) -> Option<&mut [u8]> {
    let (header, data) = message.split_at_mut_checked(CMSG_LEN(0))?;
    let (len, at) = (CMSG_LEN(size), offset_of!(cmsghdr, cmsg_len));
    match CMSG_LEN_SIZE == size_of::<u32>() {
        true => put(header, at, (len as u32).to_ne_bytes())?,
        false => put(header, at, len.to_ne_bytes())?,
    }
    let fields = [
        (offset_of!(cmsghdr, cmsg_level), level),
        (offset_of!(cmsghdr, cmsg_type), cmsg_type),
    ];
    for (at, value) in fields {
        put(header, at, value.to_ne_bytes())?;
    }
    data.get_mut(..size)
}

/// Writes bytes at a place, if the buffer is long enough.
#[inline]
fn put<const N: usize>(bytes: &mut [u8], at: usize, value: [u8; N]) -> Option<()> {
    *bytes.get_mut(at..)?.first_chunk_mut()? = value;
    Some(())
}

/// `struct ucred` in a message — the process, user and group that sent it.
///
/// The kernel has checked them: a sender without privileges can only send its own. If the sender
/// adds none, the kernel adds (with [`Socket::set_pass_credentials`]) the *real* ids of the process
/// that sent, while [`Socket::peer_cred`] returns the effective ids of the process that connected.
///
/// If neither end had asked for credentials when a message was sent, the message has none: the pid
/// is `None`, and uid and gid are 65534 (`/proc/sys/kernel/overflowuid`).
///
/// See unix(7), "SCM_CREDENTIALS".
///
/// [`Socket::set_pass_credentials`]: crate::Socket::set_pass_credentials
/// [`Socket::peer_cred`]: crate::Socket::peer_cred
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "ucred")]
#[doc(alias = "SCM_CREDENTIALS")]
pub struct Credentials {
    pid: i32,
    uid: u32,
    gid: u32,
}

#[cfg(have_so_passcred)]
const _: () = {
    assert!(size_of::<sys::ucred>() == 3 * INT);
    assert!(offset_of!(sys::ucred, pid) == 0);
    assert!(offset_of!(sys::ucred, uid) == INT);
    assert!(offset_of!(sys::ucred, gid) == 2 * INT);
};

impl Credentials {
    /// Makes credentials to send. No id is refused here, because the kernel checks all of them when
    /// they are sent. If the sender is not privileged, the kernel refuses credentials of another
    /// process with `EPERM`. The kernel refuses the pid of a process that does not exist, including
    /// 0 and negative pids, with `ESRCH`, and the uid or gid -1 with `EINVAL`.
    #[must_use]
    pub const fn new(pid: i32, uid: u32, gid: u32) -> Self {
        Self { pid, uid, gid }
    }

    /// Returns the pid, or `None` if the sender has no pid in the pid namespace of this process.
    #[must_use]
    pub const fn pid(self) -> Option<i32> {
        match self.pid {
            0 => None,
            pid => Some(pid),
        }
    }

    /// Returns the user.
    #[must_use]
    pub const fn uid(self) -> u32 {
        self.uid
    }

    /// Returns the group.
    #[must_use]
    pub const fn gid(self) -> u32 {
        self.gid
    }

    /// Returns the three `int`s that a message contains.
    pub(crate) const fn to_ints(self) -> [c_int; 3] {
        [self.pid, self.uid as c_int, self.gid as c_int]
    }

    /// Reads credentials from the data of a control message. Returns `None` if the data was
    /// truncated.
    #[inline]
    pub(crate) fn from_data(data: &[u8]) -> Option<Self> {
        Some(Self {
            pid: int_at(data, 0)?,
            uid: int_at(data, INT)? as u32,
            gid: int_at(data, 2 * INT)? as u32,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    /// Lays out control messages one after the other. The data of each message is `int`s with the
    /// value 1.
    fn laid_out(messages: &[(c_int, usize)]) -> Vec<u8> {
        let space = |(_, count): &(c_int, usize)| CMSG_SPACE(count * INT);
        let mut bytes = vec![0; messages.iter().map(space).sum()];
        let mut writer = Writer::new(&mut bytes);
        for (cmsg_type, count) in messages {
            let data = writer.push(*cmsg_type, *count).unwrap();
            data.copy_from_slice(&1_i32.to_ne_bytes().repeat(*count));
        }
        bytes
    }

    #[test]
    fn control_message_alone_is_told_from_everything_else() {
        let (rights, pidfd) = (sys::SCM_RIGHTS, SCM_PIDFD);
        for count in 1..=5 {
            let bytes = laid_out(&[(rights, count)]);
            let data = 1_i32.to_ne_bytes().repeat(count);
            assert_eq!(only_message(rights, count, &bytes), Some(&data[..]));
            // One `int` more or fewer can give the same number of bytes, because messages are
            // padded.
            for other in [count - 1, count + 1] {
                assert_eq!(
                    only_message(rights, other, &bytes),
                    None,
                    "{other} of {count}"
                );
            }
            assert_eq!(only_message(pidfd, count, &bytes), None);
            assert_eq!(only_message(rights, count, &bytes[..bytes.len() - 1]), None);
            let followed = laid_out(&[(rights, count), (pidfd, 1)]);
            assert_eq!(only_message(rights, count, &followed), None);
            for field in [
                offset_of!(cmsghdr, cmsg_len),
                offset_of!(cmsghdr, cmsg_level),
                offset_of!(cmsghdr, cmsg_type),
            ] {
                let mut changed = bytes.clone();
                changed[field] ^= 1;
                assert_eq!(only_message(rights, count, &changed), None, "{field}");
            }
        }
        assert_eq!(only_message(rights, 1, &[]), None);
    }

    #[test]
    fn control_data_of_a_place_is_a_whole_number_of_ints() {
        let bytes = laid_out(&[(sys::SCM_RIGHTS, 2)]);
        for (len, ints) in [(0, 0), (3, 0), (4, 1), (5, 1), (7, 1), (8, 2)] {
            let place = Places::new().next_of(sys::SCM_RIGHTS, &bytes[..CMSG_LEN(len)]);
            assert_eq!(place, Some(CMSG_LEN(0)..CMSG_LEN(ints * INT)), "{len}");
        }
    }

    #[test]
    fn control_credentials_are_the_three_numbers_of_their_message() {
        let message = [7_i32, -2, -3].map(i32::to_ne_bytes).concat();
        let credentials = Credentials::from_data(&message).unwrap();
        let (uid, gid) = (u32::MAX - 1, u32::MAX - 2);
        assert_eq!(credentials, Credentials::new(7, uid, gid));
        let ids = (credentials.pid(), credentials.uid(), credentials.gid());
        assert_eq!(ids, (Some(7), uid, gid));
        assert_eq!(credentials.to_ints(), [7, -2, -3]);
        assert_eq!(Credentials::new(0, uid, gid).pid(), None);
        assert_eq!(Credentials::from_data(&message[..message.len() - 1]), None);
    }
}
