//! Datagrams: messages that are sent to an address.

use core::mem::MaybeUninit;

use sunpath_sys as sys;

use super::message::Received;
use super::{Datagram, Socket};
use crate::addr::UnixAddr;
use crate::error::{Call, Error};
use crate::fd::{AsFd, IoSlice, IoSliceMut};
use crate::pathname::AsPathname;
use crate::syscall;

/// A datagram socket.
///
/// A datagram socket needs no connection: [`send_to`](Socket::send_to) names the receiver each
/// time, and [`recv_from`](Socket::recv_from) returns the address of the sender, which is unnamed
/// unless the sender bound its socket.
///
/// | to do this | methods |
/// |---|---|
/// | make a socket | [`bind`](UnixDatagram::bind), [`bind_addr`](UnixDatagram::bind_addr), [`bind_at`](UnixDatagram::bind_at), [`unbound`](UnixDatagram::unbound), [`pair`](UnixDatagram::pair) |
/// | send to an address | [`send_to`](UnixDatagram::send_to), [`try_send_to`](UnixDatagram::try_send_to), [`send_vectored_to`](UnixDatagram::send_vectored_to) |
/// | receive with the sender | [`recv_from`](UnixDatagram::recv_from), [`try_recv_from`](UnixDatagram::try_recv_from), [`recv_from_into`](UnixDatagram::recv_from_into), [`recv_vectored_from`](UnixDatagram::recv_vectored_from), [`recv_from_uninit`](UnixDatagram::recv_from_uninit), [`peek_from`](UnixDatagram::peek_from) |
/// | choose a peer | [`connect`](UnixDatagram::connect), [`connect_to`](UnixDatagram::connect_to), [`connect_to_at`](UnixDatagram::connect_to_at), [`disconnect`](UnixDatagram::disconnect) |
/// | send to the peer | [`send`](UnixDatagram::send), [`try_send`](UnixDatagram::try_send), [`send_vectored`](UnixDatagram::send_vectored) |
/// | receive from the peer | [`recv`](UnixDatagram::recv), [`try_recv`](UnixDatagram::try_recv), [`recv_vectored`](UnixDatagram::recv_vectored), [`recv_uninit`](UnixDatagram::recv_uninit), [`peek`](UnixDatagram::peek) |
/// | pass descriptors | [`send_fd`](UnixDatagram::send_fd), [`recv_fd`](UnixDatagram::recv_fd), [`send_fds`](UnixDatagram::send_fds), [`recv_fds`](UnixDatagram::recv_fds) |
/// | pass any control message | [`sendmsg`](UnixDatagram::sendmsg), [`sendmsg_to`](UnixDatagram::sendmsg_to), [`recvmsg`](UnixDatagram::recvmsg) |
/// | send or receive many at once | [`sendmmsg`](UnixDatagram::sendmmsg), [`recvmmsg`](UnixDatagram::recvmmsg) |
/// | wait | [`wait_readable`](UnixDatagram::wait_readable), [`wait_writable`](UnixDatagram::wait_writable), [`set_read_timeout`](UnixDatagram::set_read_timeout), [`set_write_timeout`](UnixDatagram::set_write_timeout), [`set_nonblocking`](UnixDatagram::set_nonblocking) |
/// | set options | [`set_mode`](UnixDatagram::set_mode), [`set_send_buffer_size`](UnixDatagram::set_send_buffer_size), [`set_cloexec`](UnixDatagram::set_cloexec), [`getsockopt`](UnixDatagram::getsockopt), [`setsockopt`](UnixDatagram::setsockopt) |
///
/// # Examples
///
/// The following code sends a request and its answer:
///
/// ```
/// use sunpath::{UnixAddr, UnixDatagram};
///
/// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = std::path::PathBuf::from(format!("/tmp/sunpath-datagram-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// let server = UnixDatagram::bind(dir.join("server.sock"))?;
/// let client = UnixDatagram::bind(dir.join("client.sock"))?; // a name to answer to
///
/// client.send_to(b"time?", &server.local_addr()?)?;
///
/// let mut buf = [0; 64];
/// let (received, from) = server.recv_from(&mut buf)?;
/// assert_eq!(&buf[..received.len()], b"time?");
/// server.send_to(b"now", &from)?;
/// # assert_eq!(client.recv(&mut buf)?.len(), 3);
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok(()) }
/// # #[cfg(not(feature = "std"))] fn main() {}
/// ```
pub type UnixDatagram = Socket<Datagram>;

impl Socket<Datagram> {
    /// `bind(fd, addr, len)` — makes a datagram socket that is bound to a path.
    ///
    /// # Errors
    ///
    /// On failure no descriptor stays open, and every file that this call made is removed.
    ///
    /// - `ENOENT`, `EINVAL`, `ENAMETOOLONG`: the path is empty, has a NUL, or is too long. No call
    ///   was made, and [`Error::sun_path`] has the offset or the lengths. For a longer path, see
    ///   the example of [`CWD`](crate::CWD#a-path-of-any-length).
    /// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`new`](Self::new).
    /// - `EADDRINUSE`: the path exists. `ENOENT`, `ENOTDIR`, `ELOOP`, `EACCES`, `EROFS`, `ENOSPC`,
    ///   `EDQUOT`, `EPERM`: as for [`bind_to`](Self::bind_to).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::UnixDatagram;
    ///
    /// let socket = UnixDatagram::bind("/run/log.sock")?;
    /// let mut buf = [0; 4096];
    /// let received = socket.recv(&mut buf)?;
    /// println!("{}", buf[..received.len()].escape_ascii());
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See bind(2), unix(7).
    pub fn bind(path: impl AsPathname) -> Result<Self, Error> {
        Self::bind_addr(&UnixAddr::for_call(Call::Bind, path.as_pathname())?)
    }

    /// `bind(fd, addr, len)` — makes a datagram socket that is bound to an address.
    ///
    /// # Errors
    ///
    /// On failure no descriptor stays open, and every file that this call made is removed.
    ///
    /// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`new`](Self::new).
    /// - `EADDRINUSE`: the address is taken. `EINVAL`: the address is unnamed. `ENOENT`, `ENOTDIR`,
    ///   `ELOOP`, `EACCES`, `EROFS`, `ENOSPC`, `EDQUOT`, `EPERM`: as for
    ///   [`bind_to`](Self::bind_to).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::{UnixAddr, UnixDatagram};
    ///
    /// let addr = UnixAddr::from_abstract("app")?; // or a path: from_pathname
    /// let socket = UnixDatagram::bind_addr(&addr)?;
    /// # drop(socket);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See bind(2), unix(7).
    #[doc(alias = "bind")]
    pub fn bind_addr(addr: &UnixAddr) -> Result<Self, Error> {
        let socket = Self::new()?;
        socket.bind_to(addr)?;
        Ok(socket)
    }

    /// `socket(AF_UNIX, SOCK_DGRAM, 0)` — makes a datagram socket that is not bound, as
    /// [`new`](Self::new) does. The method has the name that `std` uses.
    ///
    /// # Errors
    ///
    /// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`new`](Self::new).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::{UnixAddr, UnixDatagram};
    ///
    /// let socket = UnixDatagram::unbound()?;
    /// socket.send_to(b"READY=1", &UnixAddr::from_pathname("/run/notify")?)?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See socket(2).
    #[doc(alias = "socket")]
    pub fn unbound() -> Result<Self, Error> {
        Self::new()
    }

    /// `connect(fd, addr, len)` — sets the peer: [`send`](Self::send) sends to the peer, and only
    /// the peer's messages are received.
    ///
    /// # Errors
    ///
    /// - `ENOENT`, `EINVAL`, `ENAMETOOLONG`: the path is empty, has a NUL, or is too long. No call
    ///   was made, and [`Error::sun_path`] has the offset or the lengths. For a longer path, see
    ///   the example of [`CWD`](crate::CWD#a-path-of-any-length).
    /// - `ENOENT`, `ECONNREFUSED`, `EACCES`, `EPROTOTYPE`, `ENOTDIR`, `ELOOP`: as for
    ///   [`connect_to`](Self::connect_to).
    /// - `EPERM`: the receiver is connected to another socket.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::UnixDatagram;
    ///
    /// let socket = UnixDatagram::unbound()?;
    /// socket.connect("/dev/log")?;
    /// socket.send(b"<14>app: started")?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See connect(2), unix(7).
    pub fn connect(&self, path: impl AsPathname) -> Result<(), Error> {
        self.connect_to(&UnixAddr::for_call(Call::Connect, path.as_pathname())?)
    }

    /// `connect(fd, {AF_UNSPEC}, 2)` — dissolves the connection, if there is one.
    ///
    /// # Errors
    ///
    /// - `EAFNOSUPPORT`: macOS and FreeBSD report this error although the connection was dissolved.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::{Errno, UnixDatagram};
    /// let (ours, _theirs) = UnixDatagram::pair()?;
    /// ours.send(b"hello")?;
    /// if let Err(error) = ours.disconnect() {
    ///     assert_eq!(error.errno(), Errno::EAFNOSUPPORT); // dissolved all the same
    /// }
    /// assert_eq!(ours.send(b"hello").unwrap_err().errno(), Errno::ENOTCONN);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See connect(2).
    #[doc(alias = "AF_UNSPEC")]
    pub fn disconnect(&self) -> Result<(), Error> {
        syscall::disconnect(self.as_fd())
    }

    /// `sendto(fd, buf, n, MSG_NOSIGNAL, addr, len)` — sends one message to an address, whether or
    /// not the socket is connected. The message is sent as a whole or not at all. The datagram may
    /// be empty.
    ///
    /// # Errors
    ///
    /// - `ENOENT`, `ENOTDIR`, `ELOOP`: the path does not exist.
    /// - `ECONNREFUSED`: nobody has that address any more, or the file is not a socket.
    /// - `EACCES`: no write permission on the socket file, or no search permission above it.
    /// - `EPROTOTYPE`: a socket of another kind is bound there.
    /// - `EPERM`: the receiver is connected to another socket.
    /// - `EPIPE`: the receiver was shut down for reading, or this socket for writing.
    /// - `EMSGSIZE`: the message is longer than the limit, as for [`send`](Self::send).
    /// - `EAGAIN`: the receiver's queue is full (`net.unix.max_dgram_qlen`), and the socket is
    ///   nonblocking or its write timeout passed.
    /// - `EINVAL`: the address is unnamed, or is below `/proc/self` or `/proc/thread-self`. A
    ///   sender that bound its socket through a descriptor has an address below `/proc/self`. In
    ///   this process that address leads to another file, so no call is made.
    /// - `ENOBUFS`, `ENOMEM`: no memory.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::UnixDatagram;
    ///
    /// # if !sunpath::sys::HAVE_ABSTRACT { return Ok(()) }
    /// let server = UnixDatagram::new()?;
    /// server.autobind()?;
    /// let client = UnixDatagram::unbound()?;
    /// client.send_to(b"hello", &server.local_addr()?)?;
    /// assert_eq!(server.recv(&mut [0; 16])?.len(), 5);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See send(2).
    #[doc(alias = "sendto")]
    #[inline(always)]
    pub fn send_to(&self, message: &[u8], to: &UnixAddr) -> Result<(), Error> {
        syscall::sendto(self.as_fd(), message, to, 0).map(drop)
    }

    /// `sendto(fd, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL, addr, len)` — sends one message to an
    /// address, or fails if it would have to wait, as [`send_to`](Self::send_to) does on a
    /// nonblocking socket. The socket stays blocking for every process that shares it.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`: the receiver's queue is full.
    /// - `ENOENT`, `ENOTDIR`, `ELOOP`, `ECONNREFUSED`, `EACCES`, `EPROTOTYPE`, `EPERM`, `EPIPE`,
    ///   `EMSGSIZE`, `EINVAL`, `ENOBUFS`, `ENOMEM`: as for [`send_to`](Self::send_to).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixDatagram;
    /// # if !sunpath::sys::HAVE_ABSTRACT { return Ok(()) }
    /// let server = UnixDatagram::new()?;
    /// server.autobind()?;
    /// let client = UnixDatagram::new()?;
    /// if let Err(error) = client.try_send_to(b"status", &server.local_addr()?) {
    ///     assert!(error.is_would_block()); // it is busy, and this one is dropped
    /// }
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See send(2).
    #[doc(alias = "MSG_DONTWAIT")]
    #[inline(always)]
    pub fn try_send_to(&self, message: &[u8], to: &UnixAddr) -> Result<(), Error> {
        syscall::sendto(self.as_fd(), message, to, sys::MSG_DONTWAIT).map(drop)
    }

    /// `sendmsg(fd, msg, MSG_NOSIGNAL)` — sends several slices as one message to an address.
    ///
    /// # Errors
    ///
    /// - `EMSGSIZE`: as for [`send_to`](Self::send_to), or more than 1024 slices.
    /// - `ENOENT`, `ENOTDIR`, `ELOOP`, `ECONNREFUSED`, `EACCES`, `EPROTOTYPE`, `EPERM`, `EPIPE`,
    ///   `EAGAIN`, `EINVAL`, `ENOBUFS`, `ENOMEM`: as for [`send_to`](Self::send_to).
    ///
    /// See sendmsg(2).
    #[doc(alias = "sendmsg")]
    pub fn send_vectored_to(&self, message: &[IoSlice<'_>], to: &UnixAddr) -> Result<(), Error> {
        syscall::sendmsg(self.as_fd(), message, Some(to), &[], 0).map(drop)
    }

    /// `recvfrom(fd, buf, n, MSG_TRUNC, addr, len)` — receives one message and the address of its
    /// sender. A sender that bound its socket can be answered at this address, even if its path
    /// fills `sun_path`. There are two exceptions: a relative path is resolved from the working
    /// directory of this process and not of the sender, and [`send_to`](Self::send_to) rejects an
    /// address below `/proc/self`, to which a sender that does not use this crate may be bound.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`, `ECONNRESET`, `ENOBUFS`, `ENOMEM`: as for [`recv`](Self::recv).
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::UnixDatagram;
    ///
    /// # if !sunpath::sys::HAVE_ABSTRACT { return Ok(()) }
    /// # let (server, client) = (UnixDatagram::new()?, UnixDatagram::new()?);
    /// # server.autobind()?;
    /// # client.autobind()?;
    /// # client.send_to(b"time?", &server.local_addr()?)?;
    /// let mut buf = [0; 64];
    /// let (received, sender) = server.recv_from(&mut buf)?;
    /// assert_eq!(&buf[..received.len()], b"time?");
    /// server.send_to(b"now", &sender)?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See recv(2).
    #[doc(alias = "recvfrom")]
    #[inline(always)]
    pub fn recv_from(&self, buf: &mut [u8]) -> Result<(Received, UnixAddr), Error> {
        let mut from = UnixAddr::unnamed();
        let received = self.recv_from_into(buf, &mut from)?;
        Ok((received, from.copied()))
    }

    /// `recvfrom(fd, buf, n, MSG_DONTWAIT | MSG_TRUNC, addr, len)` — receives one message and the
    /// address of its sender, or fails if it would have to wait, as [`recv_from`](Self::recv_from)
    /// does on a nonblocking socket. The socket stays blocking for every process that shares it.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`: no message has come.
    /// - `ECONNRESET`, `ENOBUFS`, `ENOMEM`: as for [`recv`](Self::recv).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixDatagram;
    /// # if !sunpath::sys::HAVE_ABSTRACT { return Ok(()) }
    /// let server = UnixDatagram::new()?;
    /// server.autobind()?;
    /// let mut buf = [0; 64];
    /// assert!(server.try_recv_from(&mut buf).unwrap_err().is_would_block());
    /// # let client = UnixDatagram::new()?;
    /// # client.autobind()?;
    /// # client.send_to(b"hello", &server.local_addr()?)?;
    /// let (received, sender) = server.try_recv_from(&mut buf)?;
    /// assert_eq!((received.len(), sender), (5, client.local_addr()?));
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See recv(2).
    #[doc(alias = "MSG_DONTWAIT")]
    #[inline(always)]
    pub fn try_recv_from(&self, buf: &mut [u8]) -> Result<(Received, UnixAddr), Error> {
        let mut from = UnixAddr::unnamed();
        let flags = sys::MSG_DONTWAIT;
        let length = syscall::recv_message_from(self.as_fd(), buf, &mut from, flags)?;
        Ok((Received::new(length, buf.len()), from))
    }

    /// Does what [`recv_from`](Self::recv_from) does, but writes the address into `ret_from`, so
    /// that the address need not be moved.
    ///
    /// # Errors
    ///
    /// On failure the address is not changed.
    ///
    /// - `EAGAIN`, `ECONNRESET`, `ENOBUFS`, `ENOMEM`: as for [`recv`](Self::recv).
    ///
    /// See recv(2).
    #[doc(alias = "recvfrom")]
    #[inline(always)]
    pub fn recv_from_into(
        &self,
        buf: &mut [u8],
        ret_from: &mut UnixAddr,
    ) -> Result<Received, Error> {
        let length = syscall::recv_message_from(self.as_fd(), buf, ret_from, 0)?;
        Ok(Received::new(length, buf.len()))
    }

    /// `recvmsg(fd, msg, 0)` — receives one message into several slices, and the address of its
    /// sender.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`, `ECONNRESET`, `ENOBUFS`, `ENOMEM`: as for [`recv`](Self::recv).
    ///
    /// See recv(2).
    #[doc(alias = "recvmsg")]
    pub fn recv_vectored_from(
        &self,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Result<(Received, UnixAddr), Error> {
        let mut from = UnixAddr::unnamed();
        let received = self.receive_vectored(bufs, Some(&mut from))?;
        Ok((received, from.copied()))
    }

    /// `recvmsg(fd, msg, 0)` — receives one message into bytes that need not be initialised, and
    /// returns the bytes that were filled, with the address of the sender. A message that was
    /// truncated has no [`true_len`](Received::true_len), as for
    /// [`recv_uninit`](Self::recv_uninit).
    ///
    /// # Errors
    ///
    /// - `EAGAIN`, `ECONNRESET`, `ENOBUFS`, `ENOMEM`: as for [`recv`](Self::recv).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::mem::MaybeUninit;
    /// # use sunpath::UnixDatagram;
    ///
    /// let (ours, theirs) = UnixDatagram::pair()?;
    /// ours.send(b"hello")?;
    /// let mut buf = [MaybeUninit::uninit(); 64];
    /// let (bytes, _, from) = theirs.recv_from_uninit(&mut buf)?;
    /// assert_eq!(bytes, b"hello");
    /// assert!(from.is_unnamed());
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See recv(2).
    #[doc(alias = "recvmsg")]
    pub fn recv_from_uninit<'b>(
        &self,
        buf: &'b mut [MaybeUninit<u8>],
    ) -> Result<(&'b mut [u8], Received, UnixAddr), Error> {
        let (size, mut from) = (buf.len(), UnixAddr::unnamed());
        let (filled, length) = syscall::recvmsg_uninit(self.as_fd(), buf, Some(&mut from))?;
        Ok((filled, Received::new(length, size), from))
    }

    /// `recvfrom(fd, buf, n, MSG_PEEK | MSG_TRUNC, addr, len)` — receives one message and the
    /// address of its sender, and leaves the message in the queue.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`, `ECONNRESET`, `ENOBUFS`, `ENOMEM`: as for [`recv`](Self::recv).
    ///
    /// See recv(2).
    #[doc(alias = "MSG_PEEK")]
    pub fn peek_from(&self, buf: &mut [u8]) -> Result<(Received, UnixAddr), Error> {
        let mut from = UnixAddr::unnamed();
        let length = syscall::recv_message_from(self.as_fd(), buf, &mut from, sys::MSG_PEEK)?;
        Ok((Received::new(length, buf.len()), from))
    }
}
