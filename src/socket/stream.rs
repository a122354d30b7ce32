//! Stream sockets: reading and writing.

#[cfg(feature = "std")]
mod std_traits;

use core::mem::MaybeUninit;

use sunpath_sys as sys;

use super::{Socket, Stream};
use crate::error::{Call, Cause, Errno, Error};
use crate::fd::{AsFd, IoSlice, IoSliceMut};
use crate::syscall;

/// A stream socket: a connection that carries bytes in order, as a pipe in both directions does.
///
/// ```
/// # use sunpath::UnixStream;
/// // Or one end: UnixStream::connect("/run/app.sock")?
/// let (ours, theirs) = UnixStream::pair()?;
/// ours.write_all(b"hello")?;
/// let mut buf = [0; 5];
/// theirs.read_exact(&mut buf)?;
/// # assert_eq!(&buf, b"hello");
/// # Ok::<(), sunpath::Error>(())
/// ```
///
/// | to do this | methods |
/// |---|---|
/// | make a connection | [`connect`](UnixStream::connect), [`connect_addr`](UnixStream::connect_addr), [`connect_at`](UnixStream::connect_at), [`pair`](UnixStream::pair) |
/// | make a socket in steps | [`new`](UnixStream::new), [`new_nonblocking`](UnixStream::new_nonblocking), [`set_mode`](UnixStream::set_mode), [`bind_to`](UnixStream::bind_to), [`bind_to_at`](UnixStream::bind_to_at), [`connect_to`](UnixStream::connect_to), [`connect_to_at`](UnixStream::connect_to_at), [`listen`](UnixStream::listen) |
/// | read | [`read`](UnixStream::read), [`read_exact`](UnixStream::read_exact), [`read_vectored`](UnixStream::read_vectored), [`peek`](UnixStream::peek), [`try_read`](UnixStream::try_read) |
/// | write | [`write`](UnixStream::write), [`write_all`](UnixStream::write_all), [`write_vectored`](UnixStream::write_vectored), [`try_write`](UnixStream::try_write) |
/// | end one direction | [`shutdown`](UnixStream::shutdown) |
/// | ask who the peer is | [`peer_cred`](UnixStream::peer_cred), [`peer_groups`](UnixStream::peer_groups), [`peer_pidfd`](UnixStream::peer_pidfd), [`peer_security`](UnixStream::peer_security), [`peer_addr`](UnixStream::peer_addr), [`local_addr`](UnixStream::local_addr) |
/// | pass descriptors | [`send_fd`](UnixStream::send_fd), [`recv_fd`](UnixStream::recv_fd), [`send_fds`](UnixStream::send_fds), [`recv_fds`](UnixStream::recv_fds), [`recv_fds_up_to`](UnixStream::recv_fds_up_to), [`recv_exact_fds`](UnixStream::recv_exact_fds) |
/// | pass any control message | [`sendmsg`](UnixStream::sendmsg), [`recvmsg`](UnixStream::recvmsg), [`send_all`](UnixStream::send_all), [`send_all_vectored`](UnixStream::send_all_vectored) |
/// | wait | [`wait_readable`](UnixStream::wait_readable), [`wait_writable`](UnixStream::wait_writable), [`set_read_timeout`](UnixStream::set_read_timeout), [`set_write_timeout`](UnixStream::set_write_timeout), [`set_nonblocking`](UnixStream::set_nonblocking) |
/// | set options | [`set_send_buffer_size`](UnixStream::set_send_buffer_size), [`set_cloexec`](UnixStream::set_cloexec), [`getsockopt`](UnixStream::getsockopt), [`setsockopt`](UnixStream::setsockopt), [`take_error`](UnixStream::take_error) |
///
/// With `std`, `UnixStream` and `&UnixStream` implement `Read` and `Write`. `Read` and `Write`
/// report errors as std's stream does: `raw_os_error` returns the errno, and nothing is allocated.
pub type UnixStream = Socket<Stream>;

/// Methods that read and write a stream.
impl Socket<Stream> {
    /// `recv(fd, buf, n, 0)` — receives up to `buf.len()` bytes; 0 is the end of the stream. With
    /// an empty `buf` the call waits, too, and returns 0 when there is something to receive.
    ///
    /// A read stops before an out-of-band byte, and the next read discards that byte unless
    /// [`recv_oob`](Self::recv_oob) took it.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`: nothing has arrived, and the socket is nonblocking or its read timeout passed.
    /// - `ECONNRESET`: the peer closed before it had read all of our data, or a listener died
    ///   before it accepted. The error is reported once, and later reads return 0.
    /// - `EINVAL`: the socket is not connected (on Linux; other systems report `ENOTCONN`).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixStream;
    /// let (ours, theirs) = UnixStream::pair()?;
    /// ours.write_all(b"hello")?;
    /// drop(ours);
    /// let mut buf = [0; 16];
    /// assert_eq!(theirs.read(&mut buf)?, 5);
    /// assert_eq!(theirs.read(&mut buf)?, 0); // the end
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See recv(2).
    #[inline(always)]
    #[doc(alias = "recv")]
    pub fn read(&self, buf: &mut [u8]) -> Result<usize, Error> {
        syscall::recv(self.as_fd(), buf, 0)
    }

    /// `readv(fd, iov, n)` — receives into several slices, one after the other. At most 1024 slices
    /// are filled.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`, `ECONNRESET`, `EINVAL`: as for [`read`](Self::read).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::{UnixStream, fd::IoSliceMut};
    /// let (ours, theirs) = UnixStream::pair()?;
    /// ours.write_all(b"headbody")?;
    /// let (mut head, mut body) = ([0; 4], [0; 16]);
    /// let mut slices = [IoSliceMut::new(&mut head), IoSliceMut::new(&mut body)];
    /// assert_eq!(theirs.read_vectored(&mut slices)?, 8);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See readv(2).
    #[inline]
    #[doc(alias = "readv")]
    pub fn read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> Result<usize, Error> {
        syscall::readv(self.as_fd(), bufs)
    }

    /// `recvmsg(fd, msg, 0)` — receives into bytes that need not be initialised, and returns the
    /// bytes that were filled. An empty slice means the end of the stream.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`, `ECONNRESET`, `EINVAL`: as for [`read`](Self::read).
    ///
    /// See recv(2).
    #[doc(alias = "recvmsg")]
    pub fn read_uninit<'b>(&self, buf: &'b mut [MaybeUninit<u8>]) -> Result<&'b mut [u8], Error> {
        syscall::recvmsg_uninit(self.as_fd(), buf, None).map(|(filled, _)| filled)
    }

    /// `recv(fd, buf, n, MSG_DONTWAIT)` — receives, or fails if it would have to wait, as
    /// [`read`](Self::read) does on a nonblocking socket. The socket stays blocking for every
    /// process that shares it.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`: nothing has come.
    /// - `ECONNRESET`, `EINVAL`: as for [`read`](Self::read).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixStream;
    /// let (ours, theirs) = UnixStream::pair()?;
    /// let mut buf = [0; 64];
    /// assert!(theirs.try_read(&mut buf).unwrap_err().is_would_block());
    /// ours.try_write(b"hello")?;
    /// assert_eq!(theirs.try_read(&mut buf)?, 5);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See recv(2).
    #[inline(always)]
    #[doc(alias = "MSG_DONTWAIT")]
    pub fn try_read(&self, buf: &mut [u8]) -> Result<usize, Error> {
        syscall::recv(self.as_fd(), buf, sys::MSG_DONTWAIT)
    }

    /// `recv(fd, buf, n, MSG_PEEK)` — receives bytes and leaves them in the queue.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`, `ECONNRESET`, `EINVAL`: as for [`read`](Self::read).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixStream;
    /// let (ours, theirs) = UnixStream::pair()?;
    /// ours.write_all(b"hello")?;
    /// assert_eq!(theirs.peek(&mut [0; 2])?, 2);
    /// theirs.read_exact(&mut [0; 5])?; // all of it is still there
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See recv(2).
    #[inline]
    #[doc(alias = "MSG_PEEK")]
    pub fn peek(&self, buf: &mut [u8]) -> Result<usize, Error> {
        syscall::recv(self.as_fd(), buf, sys::MSG_PEEK)
    }

    /// `send(fd, buf, n, MSG_OOB | MSG_NOSIGNAL)` — sends bytes, the last byte out of band. Linux
    /// has had this since 5.15, if the kernel was built with it.
    ///
    /// # Errors
    ///
    /// - `EOPNOTSUPP`: `buf` is empty, or the kernel or the system has no out-of-band byte for Unix
    ///   domain sockets.
    /// - `EPIPE`, `ECONNRESET`, `EAGAIN`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`: as for [`write`](Self::write).
    ///
    /// See send(2).
    #[doc(alias = "MSG_OOB")]
    pub fn send_oob(&self, buf: &[u8]) -> Result<usize, Error> {
        syscall::send(self.as_fd(), buf, sys::MSG_OOB)
    }

    /// `recv(fd, buf, 1, MSG_OOB)` — receives the out-of-band byte, even if there are bytes before
    /// it that were not read yet.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: there is no out-of-band byte, or it was received already.
    /// - `EOPNOTSUPP`: the kernel or the system has no out-of-band byte for Unix domain sockets.
    ///
    /// See recv(2).
    #[doc(alias = "MSG_OOB")]
    pub fn recv_oob(&self) -> Result<u8, Error> {
        let mut byte = [0];
        match syscall::recv(self.as_fd(), &mut byte, sys::MSG_OOB)? {
            0 => Err(Error::new(Call::Recv, Errno::EINVAL)),
            _ => Ok(byte[0]),
        }
    }

    /// `ioctl(fd, SIOCATMARK, &n)` — returns whether the next byte to read is the out-of-band byte.
    ///
    /// # Errors
    ///
    /// - `ENOTTY`, `EOPNOTSUPP`: the kernel or the system has no out-of-band byte for Unix domain
    ///   sockets.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixStream;
    /// let (ours, theirs) = UnixStream::pair()?;
    /// # if ours.send_oob(b"x").is_err() { return Ok(()) }
    /// # theirs.recv_oob()?;
    /// ours.send_oob(b"ab!")?;
    /// assert_eq!(theirs.read(&mut [0; 8])?, 2); // a read stops before the byte
    /// assert!(theirs.at_mark()?);
    /// assert_eq!(theirs.recv_oob()?, b'!');
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See sockatmark(3).
    #[doc(alias = "SIOCATMARK")]
    #[doc(alias = "sockatmark")]
    pub fn at_mark(&self) -> Result<bool, Error> {
        syscall::at_mark(self.as_fd())
    }

    /// `send(fd, buf, n, MSG_NOSIGNAL)` — sends bytes and returns how many were sent. `SIGPIPE` is
    /// never raised.
    ///
    /// # Errors
    ///
    /// - `EPIPE`: the peer closed or reads no more, or this end was shut down for writing.
    /// - `ECONNRESET`: while this call waited for space, the peer closed before it had read all of
    ///   our data. The error is reported once.
    /// - `EAGAIN`: there is no space, and the socket is nonblocking or its write timeout passed.
    /// - `ENOTCONN`: the socket is not connected.
    /// - `ENOBUFS`, `ENOMEM`: no memory.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::{Errno, UnixStream};
    /// let (ours, theirs) = UnixStream::pair()?;
    /// assert_eq!(ours.write(b"hello")?, 5);
    /// drop(theirs);
    /// let error = ours.write(b"hello").unwrap_err(); // no SIGPIPE
    /// assert_eq!(error.errno(), Errno::EPIPE);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See send(2).
    #[inline(always)]
    #[doc(alias = "send")]
    pub fn write(&self, buf: &[u8]) -> Result<usize, Error> {
        syscall::send(self.as_fd(), buf, 0)
    }

    /// `send(fd, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL)` — sends as many bytes as it can without
    /// waiting, as [`write`](Self::write) does on a nonblocking socket. The socket stays blocking
    /// for every process that shares it.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`: there is no space.
    /// - `EPIPE`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`: as for [`write`](Self::write).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixStream;
    /// let (ours, theirs) = UnixStream::pair()?;
    /// while ours.try_write(&[0; 4096]).is_ok() {} // until there is no space
    /// assert!(ours.try_write(b"more").unwrap_err().is_would_block());
    /// # drop(theirs);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See send(2).
    #[inline(always)]
    #[doc(alias = "MSG_DONTWAIT")]
    pub fn try_write(&self, buf: &[u8]) -> Result<usize, Error> {
        syscall::send(self.as_fd(), buf, sys::MSG_DONTWAIT)
    }

    /// `sendmsg(fd, msg, MSG_NOSIGNAL)` — sends from several slices, one after the other, and at
    /// most from the first 1024 slices. Unlike writev(2), this method never raises `SIGPIPE`.
    ///
    /// # Errors
    ///
    /// - `EPIPE`, `EAGAIN`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`: as for [`write`](Self::write).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::{UnixStream, fd::IoSlice};
    /// let (ours, theirs) = UnixStream::pair()?;
    /// ours.write_vectored(&[IoSlice::new(b"head"), IoSlice::new(b"body")])?;
    /// theirs.read_exact(&mut [0; 8])?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See sendmsg(2).
    #[inline]
    #[doc(alias = "writev")]
    #[doc(alias = "sendmsg")]
    pub fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> Result<usize, Error> {
        let bufs = bufs.get(..syscall::IOV_MAX).unwrap_or(bufs);
        syscall::sendmsg(self.as_fd(), bufs, None, &[], 0)
    }

    /// `send(fd, buf, n, MSG_NOSIGNAL)`, as often as needed — sends all of the bytes.
    ///
    /// # Errors
    ///
    /// On failure, some of the bytes may have been sent. Call [`write`](Self::write) instead to
    /// know how many.
    ///
    /// - `EPIPE`, `ECONNRESET`, `EAGAIN`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`: as for [`write`](Self::write).
    /// - `EIO`: the kernel sent no byte and reported no error, which no kernel is known to do.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixStream;
    /// let (ours, theirs) = UnixStream::pair()?;
    /// ours.write_all(b"hello")?;
    /// let mut buf = [0; 5];
    /// theirs.read_exact(&mut buf)?;
    /// assert_eq!(&buf, b"hello");
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See send(2).
    #[inline]
    #[doc(alias = "send")]
    pub fn write_all(&self, buf: &[u8]) -> Result<(), Error> {
        if buf.is_empty() {
            return Ok(());
        }
        match self.write(buf)? {
            count if count == buf.len() => Ok(()),
            count => self.write_rest(buf.get(count..).unwrap_or_default()),
        }
    }

    /// `recv(fd, buf, n, 0)`, as often as needed — receives exactly as many bytes as `buf` has.
    ///
    /// # Errors
    ///
    /// On failure, some of the bytes may have been received. Call [`read`](Self::read) instead to
    /// know how many.
    ///
    /// - `EPIPE`: the stream ended too early, which an `io::Error` reports as `UnexpectedEof`.
    /// - `EAGAIN`, `ECONNRESET`, `EINVAL`: as for [`read`](Self::read).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::{Errno, UnixStream};
    /// let (ours, theirs) = UnixStream::pair()?;
    /// ours.write_all(b"hell")?;
    /// drop(ours);
    /// let error = theirs.read_exact(&mut [0; 5]).unwrap_err();
    /// assert_eq!(error.errno(), Errno::EPIPE); // the stream ended before
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See recv(2).
    #[inline]
    #[doc(alias = "recv")]
    pub fn read_exact(&self, buf: &mut [u8]) -> Result<(), Error> {
        if buf.is_empty() {
            return Ok(());
        }
        match self.read(buf)? {
            count if count == buf.len() => Ok(()),
            count => self.read_rest(buf.get_mut(count..).unwrap_or_default()),
        }
    }

    /// Sends the rest of the bytes after a call that has sent only a part.
    #[cold]
    fn write_rest(&self, mut rest: &[u8]) -> Result<(), Error> {
        while !rest.is_empty() {
            match self.write(rest)? {
                0 => return Err(Error::new(Call::Send, Errno::EIO)),
                count => rest = rest.get(count..).unwrap_or_default(),
            }
        }
        Ok(())
    }

    /// Receives the rest of the bytes after a call that has received only a part.
    #[cold]
    fn read_rest(&self, mut rest: &mut [u8]) -> Result<(), Error> {
        while !rest.is_empty() {
            match self.read(rest)? {
                0 => {
                    let cause = Cause::StreamEnded;
                    return Err(Error::with_cause(Call::Recv, Errno::EPIPE, cause));
                }
                count => rest = rest.get_mut(count..).unwrap_or_default(),
            }
        }
        Ok(())
    }
}
