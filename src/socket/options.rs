//! Options and flags of a socket, each named after its C name.
//!
//! An option that the system or its kernel lacks fails with an errno for which
//! [`Error::is_unsupported`] is true. The kernel itself is asked, because its version does not tell
//! what it supports.

use core::ffi::c_int;
use core::time::Duration;

use sunpath_sys as sys;

use super::{Kind, Socket, Stream};
use crate::error::{Call, Cause, Errno, Error};
use crate::fd::AsFd;
use crate::syscall;

/// The numbers of the options that Linux alone has.
#[cfg(have_so_passcred)]
pub(crate) use sys::{
    SO_DOMAIN, SO_INQ, SO_PASSCRED, SO_PASSPIDFD, SO_PASSRIGHTS, SO_PASSSEC, SO_PEEK_OFF,
    SO_PEERGROUPS, SO_PEERPIDFD, SO_PEERSEC,
};

/// A number that no option has. It replaces those that the system lacks, because every kernel
/// answers it with `ENOPROTOOPT`.
#[cfg(not(have_so_passcred))]
mod absent {
    macro_rules! absent {
        ($($name:ident)+) => { $(pub(crate) const $name: core::ffi::c_int = -1;)+ };
    }
    absent! {
        SO_DOMAIN SO_INQ SO_PASSCRED SO_PASSPIDFD SO_PASSRIGHTS SO_PASSSEC SO_PEEK_OFF
        SO_PEERGROUPS SO_PEERPIDFD SO_PEERSEC
    }
}
#[cfg(not(have_so_passcred))]
pub(crate) use absent::*;

/// The option that asks for time stamps.
#[cfg(have_so_timestampns)]
const SO_TIME: c_int = sys::SO_TIMESTAMPNS;
#[cfg(all(have_so_timestamp, not(have_so_timestampns)))]
const SO_TIME: c_int = sys::SO_TIMESTAMP;
#[cfg(not(have_so_timestamp))]
const SO_TIME: c_int = -1; // a number that no option has

/// Methods for flags and options of the descriptor and the socket.
impl<T: Kind> Socket<T> {
    /// `ioctl(fd, FIONBIO, &on)` — sets whether calls that would wait fail with `EAGAIN` instead,
    /// for every descriptor of this socket.
    ///
    /// # Errors
    ///
    /// - `EBADF`: only if the descriptor was closed elsewhere while the socket owned it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixStream;
    /// let (ours, _theirs) = UnixStream::pair()?;
    /// ours.set_nonblocking(true)?;
    /// assert!(ours.read(&mut [0; 16]).unwrap_err().is_would_block());
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See fcntl(2), "O_NONBLOCK".
    #[doc(alias = "FIONBIO")]
    #[doc(alias = "O_NONBLOCK")]
    pub fn set_nonblocking(&self, nonblocking: bool) -> Result<(), Error> {
        syscall::set_nonblocking(self.as_fd(), nonblocking)
    }

    /// `fcntl(fd, F_SETFD, FD_CLOEXEC)` — sets whether execve(2) closes this descriptor, which it
    /// does by default.
    ///
    /// `false` passes the socket to a program that this process executes. In a process with several
    /// threads, a program that another thread starts meanwhile inherits the socket, too.
    ///
    /// # Errors
    ///
    /// - `EBADF`: only if the descriptor was closed elsewhere while the socket owned it.
    ///
    /// See fcntl(2), "File descriptor flags".
    #[doc(alias = "FD_CLOEXEC")]
    #[doc(alias = "F_SETFD")]
    pub fn set_cloexec(&self, cloexec: bool) -> Result<(), Error> {
        syscall::set_cloexec(self.as_fd(), cloexec)
    }

    /// `fcntl(fd, F_GETFL) & O_NONBLOCK` — returns whether the socket is nonblocking.
    ///
    /// # Errors
    ///
    /// - `EBADF`: only if the descriptor was closed elsewhere while the socket owned it.
    ///
    /// See fcntl(2).
    #[doc(alias = "F_GETFL")]
    pub fn nonblocking(&self) -> Result<bool, Error> {
        syscall::nonblocking(self.as_fd())
    }

    /// `setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, ...)` — sets how long receiving waits before it
    /// fails with `EAGAIN`; `None` means forever.
    ///
    /// On macOS and FreeBSD the timeout of a listener has no effect: call
    /// [`accept_timeout`](super::Listener::accept_timeout).
    ///
    /// The kernel counts in clock ticks (1 to 10 ms) and rounds up. If it cannot count that many
    /// seconds, it waits forever and the timeout is read as `None`. A `time_t` of 32 bits counts 68
    /// years. Signals, however many arrive, do not make it wait for longer than three times the
    /// timeout.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: zero, which in C would mean to wait forever.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// # use sunpath::UnixStream;
    ///
    /// let (ours, _theirs) = UnixStream::pair()?;
    /// ours.set_read_timeout(Some(Duration::from_millis(10)))?;
    /// assert!(ours.read(&mut [0; 16]).unwrap_err().is_would_block());
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See socket(7).
    #[doc(alias = "SO_RCVTIMEO")]
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> Result<(), Error> {
        self.set_timeout(sys::SO_RCVTIMEO, timeout)
    }

    /// `setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, ...)` — sets how long sending, and connecting to a
    /// full queue, waits before it fails with `EAGAIN`; `None` means forever.
    ///
    /// Rounding and signals have the effects that [`set_read_timeout`](Self::set_read_timeout)
    /// describes.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: zero, which in C would mean to wait forever.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use sunpath::UnixStream;
    /// let (ours, _theirs) = UnixStream::pair()?;
    /// ours.set_write_timeout(Some(Duration::from_millis(20)))?;
    /// let full = ours.write_all(&[0; 1 << 20]).unwrap_err(); // nobody reads
    /// assert!(full.is_would_block());
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See socket(7).
    #[doc(alias = "SO_SNDTIMEO")]
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> Result<(), Error> {
        self.set_timeout(sys::SO_SNDTIMEO, timeout)
    }

    /// `getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, ...)` — returns how long receiving waits; `None`
    /// means forever.
    ///
    /// # Errors
    ///
    /// - `EBADF`: only if the descriptor was closed elsewhere while the socket owned it.
    ///
    /// See socket(7).
    #[doc(alias = "SO_RCVTIMEO")]
    pub fn read_timeout(&self) -> Result<Option<Duration>, Error> {
        syscall::timeout(self.as_fd(), sys::SO_RCVTIMEO)
    }

    /// `getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, ...)` — returns how long sending waits; `None`
    /// means forever.
    ///
    /// # Errors
    ///
    /// - `EBADF`: only if the descriptor was closed elsewhere while the socket owned it.
    ///
    /// See socket(7).
    #[doc(alias = "SO_SNDTIMEO")]
    pub fn write_timeout(&self) -> Result<Option<Duration>, Error> {
        syscall::timeout(self.as_fd(), sys::SO_SNDTIMEO)
    }

    /// `getsockopt(fd, SOL_SOCKET, SO_ERROR, ...)` — returns the pending error, and clears it:
    /// `ECONNRESET` if the peer closed with data of ours unread.
    ///
    /// # Errors
    ///
    /// - `EBADF`: only if the descriptor was closed elsewhere while the socket owned it.
    ///
    /// See socket(7).
    #[doc(alias = "SO_ERROR")]
    pub fn take_error(&self) -> Result<Option<Errno>, Error> {
        let number: c_int = syscall::getsockopt(self.as_fd(), sys::SO_ERROR)?;
        Ok((number != 0).then(|| Errno::from_raw(number)))
    }

    /// `getsockopt(fd, SOL_SOCKET, SO_SNDBUF, ...)` — returns how many bytes of kernel memory the
    /// data that this socket sent may take until it is received. Linux doubles the value that is
    /// set, for its own overhead.
    ///
    /// # Errors
    ///
    /// - `EBADF`: only if the descriptor was closed elsewhere while the socket owned it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixDatagram;
    /// let (ours, _theirs) = UnixDatagram::pair()?;
    /// println!("a message may have about {} bytes", ours.send_buffer_size()?);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See socket(7).
    #[doc(alias = "SO_SNDBUF")]
    pub fn send_buffer_size(&self) -> Result<usize, Error> {
        self.number(sys::SO_SNDBUF)
    }

    /// `setsockopt(fd, SOL_SOCKET, SO_SNDBUF, ...)` — sets [`send_buffer_size`].
    ///
    /// Linux doubles the size, and keeps it between 4608 bytes and twice `net.core.wmem_max`
    /// without an error: [`send_buffer_size`] returns the actual size.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: over `i32::MAX`.
    /// - `ENOBUFS`: more than the system allows; not on Linux.
    ///
    /// See socket(7).
    ///
    /// [`send_buffer_size`]: Self::send_buffer_size
    #[doc(alias = "SO_SNDBUF")]
    pub fn set_send_buffer_size(&self, size: usize) -> Result<(), Error> {
        self.set_number(sys::SO_SNDBUF, size)
    }

    /// `getsockopt(fd, SOL_SOCKET, SO_RCVBUF, ...)` — returns a size that Linux stores and does not
    /// use here: data that is sent to this socket counts against the sender's [`send_buffer_size`].
    ///
    /// # Errors
    ///
    /// - `EBADF`: only if the descriptor was closed elsewhere while the socket owned it.
    ///
    /// See socket(7).
    ///
    /// [`send_buffer_size`]: Self::send_buffer_size
    #[doc(alias = "SO_RCVBUF")]
    pub fn receive_buffer_size(&self) -> Result<usize, Error> {
        self.number(sys::SO_RCVBUF)
    }

    /// `setsockopt(fd, SOL_SOCKET, SO_RCVBUF, ...)` — sets
    /// [`receive_buffer_size`](Self::receive_buffer_size).
    ///
    /// # Errors
    ///
    /// - `EINVAL`: over `i32::MAX`.
    /// - `ENOBUFS`: more than the system allows; not on Linux.
    ///
    /// See socket(7).
    #[doc(alias = "SO_RCVBUF")]
    pub fn set_receive_buffer_size(&self, size: usize) -> Result<(), Error> {
        self.set_number(sys::SO_RCVBUF, size)
    }

    /// `getsockopt(fd, SOL_SOCKET, SO_TYPE, ...)` — returns the type as a number of C, which is
    /// that of the kind.
    ///
    /// # Errors
    ///
    /// - `EBADF`: only if the descriptor was closed elsewhere while the socket owned it.
    ///
    /// See socket(7).
    #[doc(alias = "SO_TYPE")]
    pub fn socket_type(&self) -> Result<i32, Error> {
        syscall::getsockopt(self.as_fd(), sys::SO_TYPE)
    }

    /// `getsockopt(fd, SOL_SOCKET, SO_DOMAIN, ...)` — returns the family as a number of C, which is
    /// `AF_UNIX`.
    ///
    /// # Errors
    ///
    /// - `ENOPROTOOPT`: the system has no such option.
    ///
    /// See socket(7).
    #[doc(alias = "SO_DOMAIN")]
    pub fn domain(&self) -> Result<i32, Error> {
        syscall::getsockopt(self.as_fd(), SO_DOMAIN)
    }

    /// `getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, ...)` — returns whether the socket listens.
    ///
    /// # Errors
    ///
    /// - `EBADF`: only if the descriptor was closed elsewhere while the socket owned it.
    ///
    /// See socket(7).
    #[doc(alias = "SO_ACCEPTCONN")]
    pub fn is_listening(&self) -> Result<bool, Error> {
        self.flag(sys::SO_ACCEPTCONN)
    }

    /// `getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, ...)` — returns how far into the queue the next
    /// peek looks; `None` means always at the front.
    ///
    /// # Errors
    ///
    /// - `ENOPROTOOPT`: the system has no such option.
    ///
    /// See unix(7).
    #[doc(alias = "SO_PEEK_OFF")]
    pub fn peek_offset(&self) -> Result<Option<usize>, Error> {
        let offset: c_int = syscall::getsockopt(self.as_fd(), SO_PEEK_OFF)?;
        Ok(usize::try_from(offset).ok())
    }

    /// `setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, ...)` — makes each peek look further than the one
    /// before, beginning `offset` bytes into the queue; `None` means always at the front.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: over `i32::MAX`.
    /// - `ENOPROTOOPT`: the system has no such option.
    ///
    /// See unix(7).
    #[doc(alias = "SO_PEEK_OFF")]
    pub fn set_peek_offset(&self, offset: Option<usize>) -> Result<(), Error> {
        match offset {
            Some(offset) => self.set_number(SO_PEEK_OFF, offset),
            None => syscall::setsockopt(self.as_fd(), SO_PEEK_OFF, &-1),
        }
    }

    /// `ioctl(fd, FIONREAD, &n)` — returns how many bytes can be received: all that are queued for
    /// a stream and for sequenced packets, those of the first datagram for datagrams.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: the socket listens.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixStream;
    /// let (ours, theirs) = UnixStream::pair()?;
    /// ours.write_all(b"hello")?;
    /// assert_eq!(theirs.readable_bytes()?, 5);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See unix(7), "SIOCINQ".
    #[doc(alias = "FIONREAD")]
    #[doc(alias = "SIOCINQ")]
    pub fn readable_bytes(&self) -> Result<usize, Error> {
        syscall::readable_bytes(self.as_fd())
    }

    /// `ioctl(fd, SIOCOUTQ, &n)` — returns how many bytes of kernel memory the data takes that was
    /// sent and not yet received, which is more than the bytes themselves.
    ///
    /// # Errors
    ///
    /// - `ENOTTY`: the system has no such request.
    ///
    /// See unix(7), tcp(7) "SIOCOUTQ".
    #[doc(alias = "SIOCOUTQ")]
    pub fn unreceived_bytes(&self) -> Result<usize, Error> {
        syscall::unreceived_bytes(self.as_fd())
    }
}

/// Declares options that are on or off, each with a getter and a setter.
macro_rules! flags {
    ($($option:ident $name:literal $getter:ident $setter:ident $what:literal $see:literal)+) => {
        /// Options that turn on data which arrives with each message.
        impl<T: Kind> Socket<T> {$(
            #[doc = concat!("`getsockopt(fd, SOL_SOCKET, ", $name, ", ...)` — whether ", $what)]
            ///
            /// # Errors
            ///
            /// - `ENOPROTOOPT`: the kernel, or the system, has no such option.
            ///
            #[doc = concat!("See ", $see, ".")]
            #[doc(alias = $name)]
            pub fn $getter(&self) -> Result<bool, Error> {
                self.flag($option)
            }

            #[doc = concat!("`setsockopt(fd, SOL_SOCKET, ", $name, ", ...)` — sets whether ", $what)]
            ///
            /// # Errors
            ///
            /// - `ENOPROTOOPT`: the kernel, or the system, has no such option.
            ///
            #[doc = concat!("See ", $see, ".")]
            #[doc(alias = $name)]
            pub fn $setter(&self, on: bool) -> Result<(), Error> {
                self.set_flag($option, on)
            }
        )+}
    };
}

flags! {
    SO_PASSCRED "SO_PASSCRED" pass_credentials set_pass_credentials
        "the sender's credentials come with each message. Setting it lets Linux autobind the \
         socket at its next connect or send."
        "unix(7)"
    SO_PASSSEC "SO_PASSSEC" pass_security set_pass_security
        "the sender's security label comes with each message."
        "unix(7)"
    SO_PASSPIDFD "SO_PASSPIDFD" pass_pidfd set_pass_pidfd
        "a pidfd of the sender comes with each message. Since Linux 6.5."
        "unix(7)"
    SO_TIME "SO_TIMESTAMP" pass_timestamps set_pass_timestamps
        "the time at which it was sent comes with each datagram or record, to the nanosecond on \
         Linux (`SO_TIMESTAMPNS`)."
        "socket(7)"
    SO_PASSRIGHTS "SO_PASSRIGHTS" pass_rights set_pass_rights
        "descriptors may be sent to this socket: on unless it is set to off, when sending any \
         fails with `EPERM`. Since Linux 6.16."
        "unix(7)"
}

impl Socket<Stream> {
    /// `setsockopt(fd, SOL_SOCKET, SO_INQ, ...)` — sets whether the number of bytes left in the
    /// queue comes with each receive. The option cannot be read. Linux has had it since 6.17.
    ///
    /// # Errors
    ///
    /// - `ENOPROTOOPT`: the kernel, or the system, has no such option.
    ///
    /// See `<asm/socket.h>`.
    #[doc(alias = "SO_INQ")]
    pub fn set_pass_queue_length(&self, on: bool) -> Result<(), Error> {
        self.set_flag(SO_INQ, on)
    }
}

/// Methods that read and set options by the type of their value.
impl<T: Kind> Socket<T> {
    fn flag(&self, option: c_int) -> Result<bool, Error> {
        let value: c_int = syscall::getsockopt(self.as_fd(), option)?;
        Ok(value != 0)
    }

    fn set_flag(&self, option: c_int, on: bool) -> Result<(), Error> {
        syscall::setsockopt(self.as_fd(), option, &c_int::from(on))
    }

    /// Returns the number that an option has, which the kernel never reports as negative.
    fn number(&self, option: c_int) -> Result<usize, Error> {
        let value: c_int = syscall::getsockopt(self.as_fd(), option)?;
        Ok(usize::try_from(value).unwrap_or(0))
    }

    fn set_number(&self, option: c_int, value: usize) -> Result<(), Error> {
        let max = c_int::MAX as u32;
        let value = c_int::try_from(value).map_err(|_| refused(Cause::NumberTooLarge { max }))?;
        syscall::setsockopt(self.as_fd(), option, &value)
    }

    fn set_timeout(&self, option: c_int, timeout: Option<Duration>) -> Result<(), Error> {
        if timeout == Some(Duration::ZERO) {
            return Err(refused(Cause::ZeroTimeout));
        }
        let timeval = timeval_from(timeout.unwrap_or_default());
        syscall::setsockopt(self.as_fd(), option, &timeval)
    }
}

/// Makes the error for an option that cannot be set.
fn refused(cause: Cause) -> Error {
    Error::with_cause(Call::Setsockopt, Errno::EINVAL, cause)
}

/// Returns the time in the form of the socket options. Less than a microsecond becomes one, because
/// zero means forever. If the seconds do not fit, the greatest number that fits is used.
fn timeval_from(timeout: Duration) -> sys::timeval {
    let micros = timeout.subsec_nanos().div_ceil(1000);
    let (carry, micros) = (micros / 1_000_000, micros % 1_000_000);
    let seconds = timeout.as_secs().saturating_add(u64::from(carry));
    // The first number that fits is used, because time_t has 64 or 32 bits.
    let fitting = [seconds, i64::MAX as u64, i32::MAX as u64];
    sys::timeval {
        tv_sec: fitting
            .into_iter()
            .find_map(|fits| fits.try_into().ok())
            .unwrap_or_default(),
        tv_usec: micros as _,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn socket_timeout_of_a_nanosecond_is_a_microsecond() {
        let timeval = timeval_from(Duration::from_nanos(1));
        assert_eq!((timeval.tv_sec, timeval.tv_usec), (0, 1));
    }

    #[test]
    fn socket_timeout_just_under_a_second_carries() {
        let timeval = timeval_from(Duration::from_nanos(999_999_001));
        assert_eq!((timeval.tv_sec, timeval.tv_usec), (1, 0));
        let timeval = timeval_from(Duration::from_micros(999_999));
        assert_eq!((timeval.tv_sec, timeval.tv_usec), (0, 999_999));
    }

    #[test]
    fn socket_timeout_of_all_time_fits() {
        let timeval = timeval_from(Duration::MAX);
        assert_eq!((timeval.tv_sec.checked_add(1), timeval.tv_usec), (None, 0));
    }
}
