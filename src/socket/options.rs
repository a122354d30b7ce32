//! Options and flags of a socket, each named after its C name.
//!
//! An option that the system or its kernel lacks fails with an errno for which
//! [`Error::is_unsupported`] is true. Each call asks the kernel, because the version of a kernel
//! does not show what it supports.

use core::ffi::c_int;

use sunpath_sys as sys;

use super::{Kind, Socket, Stream};
use crate::error::{Call, Cause, Errno, Error};
use crate::fd::AsFd;
use crate::syscall;

/// The options that Linux alone has.
#[cfg(have_so_passcred)]
pub(crate) use sys::{
    SO_DOMAIN, SO_INQ, SO_PASSCRED, SO_PASSPIDFD, SO_PASSRIGHTS, SO_PASSSEC, SO_PEEK_OFF,
    SO_PEERGROUPS, SO_PEERPIDFD, SO_PEERSEC,
};

/// A value that no option has, in place of the options that the system lacks. Every kernel answers
/// it with `ENOPROTOOPT`.
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
const SO_TIME: c_int = -1; // No option has this value.

/// Methods for flags and options of the descriptor and the socket.
impl<T: Kind> Socket<T> {
    /// `fcntl(fd, F_SETFD, FD_CLOEXEC)` — sets whether execve(2) closes this descriptor. The
    /// default is `true`.
    ///
    /// `false` passes the socket to a program that this process executes. In a process with several
    /// threads, a program that another thread starts at the same time inherits the socket, too.
    ///
    /// # Errors
    ///
    /// - `EBADF`: only if the descriptor was closed elsewhere while the socket owned it.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::UnixStream;
    ///
    /// let (_ours, theirs) = UnixStream::pair()?;
    /// theirs.set_cloexec(false)?; // the next program that this process executes has it
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See fcntl(2), "File descriptor flags".
    #[doc(alias = "FD_CLOEXEC")]
    #[doc(alias = "F_SETFD")]
    pub fn set_cloexec(&self, cloexec: bool) -> Result<(), Error> {
        syscall::set_cloexec(self.as_fd(), cloexec)
    }

    /// `getsockopt(fd, SOL_SOCKET, SO_ERROR, ...)` — returns the pending error, and clears it:
    /// `ECONNRESET` if the peer closed before it had read all of our data.
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
    /// - `EINVAL`: the value is over `i32::MAX`.
    /// - `ENOBUFS`: the size is more than the system allows. Linux does not report this error.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::UnixDatagram;
    ///
    /// let (ours, _theirs) = UnixDatagram::pair()?;
    /// ours.set_send_buffer_size(1 << 20)?; // for larger messages
    /// println!("the system allows {} bytes", ours.send_buffer_size()?);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See socket(7).
    ///
    /// [`send_buffer_size`]: Self::send_buffer_size
    #[doc(alias = "SO_SNDBUF")]
    pub fn set_send_buffer_size(&self, size: usize) -> Result<(), Error> {
        self.set_number(sys::SO_SNDBUF, size)
    }

    /// `getsockopt(fd, SOL_SOCKET, SO_RCVBUF, ...)` — returns a size that Linux stores, but does
    /// not use for Unix domain sockets: data that is sent to this socket counts against the
    /// sender's [`send_buffer_size`].
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
    /// - `EINVAL`: the value is over `i32::MAX`.
    /// - `ENOBUFS`: the size is more than the system allows. Linux does not report this error.
    ///
    /// See socket(7).
    #[doc(alias = "SO_RCVBUF")]
    pub fn set_receive_buffer_size(&self, size: usize) -> Result<(), Error> {
        self.set_number(sys::SO_RCVBUF, size)
    }

    /// `getsockopt(fd, SOL_SOCKET, SO_TYPE, ...)` — returns the type of the socket as C has it,
    /// such as `SOCK_STREAM`.
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

    /// `getsockopt(fd, SOL_SOCKET, SO_DOMAIN, ...)` — returns the family of the socket as C has it,
    /// which is `AF_UNIX`.
    ///
    /// # Errors
    ///
    /// - `ENOPROTOOPT`: the system does not have the option.
    ///
    /// See socket(7).
    #[doc(alias = "SO_DOMAIN")]
    pub fn domain(&self) -> Result<i32, Error> {
        syscall::getsockopt(self.as_fd(), SO_DOMAIN)
    }

    /// `getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, ...)` — returns whether the socket listens.
    /// gVisor answers that no Unix domain socket does.
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

    /// `getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, ...)` — returns how many bytes into the queue the
    /// next peek begins. `None` means that each peek begins at the front.
    ///
    /// # Errors
    ///
    /// - `ENOPROTOOPT`: the system does not have the option.
    ///
    /// See unix(7).
    #[doc(alias = "SO_PEEK_OFF")]
    pub fn peek_offset(&self) -> Result<Option<usize>, Error> {
        let offset: c_int = syscall::getsockopt(self.as_fd(), SO_PEEK_OFF)?;
        Ok(usize::try_from(offset).ok())
    }

    /// `setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, ...)` — makes each peek continue where the previous
    /// peek ended. The next peek begins `offset` bytes into the queue. With `None` each peek begins
    /// at the front.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: the value is over `i32::MAX`.
    /// - `ENOPROTOOPT`: the system does not have the option.
    ///
    /// See unix(7).
    #[doc(alias = "SO_PEEK_OFF")]
    pub fn set_peek_offset(&self, offset: Option<usize>) -> Result<(), Error> {
        match offset {
            Some(offset) => self.set_number(SO_PEEK_OFF, offset),
            None => syscall::setsockopt(self.as_fd(), SO_PEEK_OFF, &-1),
        }
    }

    /// `ioctl(fd, FIONREAD, &n)` — returns how many bytes can be received: for a stream and for
    /// sequenced packets all bytes in the queue, and for datagrams the bytes of the first datagram.
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

    /// `ioctl(fd, SIOCOUTQ, &n)` — returns how many bytes of kernel memory are taken by data that
    /// was sent and not yet received. The amount is more than the size of the data.
    ///
    /// # Errors
    ///
    /// - `ENOTTY`: the system does not have the request.
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
        /// Options that make additional data arrive with each message.
        impl<T: Kind> Socket<T> {$(
            #[doc = concat!("`getsockopt(fd, SOL_SOCKET, ", $name, ", ...)` — whether ", $what)]
            ///
            /// # Errors
            ///
            /// - `ENOPROTOOPT`: the kernel, or the system, does not have the option.
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
            /// - `ENOPROTOOPT`: the kernel, or the system, does not have the option.
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
         socket at its next connect or send, and reports a message that was sent before as one of \
         the process 0 of the user 65534. \
         [`BindOptions::pass_credentials`](crate::BindOptions::pass_credentials) sets it before bind(2)."
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
    /// `setsockopt(fd, SOL_SOCKET, SO_INQ, ...)` — sets whether each receive also reports how many
    /// bytes are left in the queue. The option can be set, but not read. Linux has had it since
    /// 6.17.
    ///
    /// # Errors
    ///
    /// - `ENOPROTOOPT`: the kernel, or the system, does not have the option.
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

    /// Returns the value of an option that is a count. The kernel never reports a negative count.
    fn number(&self, option: c_int) -> Result<usize, Error> {
        let value: c_int = syscall::getsockopt(self.as_fd(), option)?;
        Ok(usize::try_from(value).unwrap_or(0))
    }

    fn set_number(&self, option: c_int, value: usize) -> Result<(), Error> {
        let max = c_int::MAX as u32;
        let value = c_int::try_from(value).map_err(|_| refused(Cause::NumberTooLarge { max }))?;
        syscall::setsockopt(self.as_fd(), option, &value)
    }
}

/// Makes the error for an option that cannot be set.
fn refused(cause: Cause) -> Error {
    Error::with_cause(Call::Setsockopt, Errno::EINVAL, cause)
}
