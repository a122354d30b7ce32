//! The stream: reading, writing, and the traits of `std`.

use crate::error::Error;
use crate::fd::AsFd;
use crate::socket::{Socket, Stream};
use crate::syscall::{self, IoSlice, IoSliceMut};

/// A stream socket.
///
/// With `std` it is `Read` and `Write`, on the value and on a reference.
pub type UnixStream = Socket<Stream>;

/// Reading and writing a stream.
impl Socket<Stream> {
    /// `recv(fd, buf, n, 0)` — receives up to `buf.len()` bytes; 0 is the end of the stream, or an
    /// empty `buf`.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`: nothing has come, and the socket is nonblocking or its read timeout passed.
    /// - `ECONNRESET`: the peer closed with data of ours unread, or a listener died before it
    ///   accepted. Said once; then 0.
    /// - `EINVAL`: not connected (Linux; `ENOTCONN` elsewhere).
    ///
    /// See recv(2).
    #[doc(alias = "recv")]
    pub fn read(&self, buf: &mut [u8]) -> Result<usize, Error> {
        syscall::recv(self.as_fd(), buf)
    }

    /// `readv(fd, iov, n)` — receives into several slices, one after the other; the first 1024 of
    /// them.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`, `ECONNRESET`, `EINVAL`: as for [`read`](Self::read).
    ///
    /// See readv(2).
    #[doc(alias = "readv")]
    pub fn read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> Result<usize, Error> {
        syscall::readv(self.as_fd(), bufs)
    }

    /// `send(fd, buf, n, MSG_NOSIGNAL)` — sends, and says how many bytes went. `SIGPIPE` is never
    /// raised.
    ///
    /// # Errors
    ///
    /// - `EPIPE`: the peer closed or reads no more, or this end was shut down for writing.
    /// - `EAGAIN`: no room, and the socket is nonblocking or its write timeout passed.
    /// - `ENOTCONN`: not connected.
    /// - `ENOBUFS`, `ENOMEM`: no memory.
    ///
    /// See send(2).
    #[doc(alias = "send")]
    pub fn write(&self, buf: &[u8]) -> Result<usize, Error> {
        syscall::send(self.as_fd(), buf)
    }

    /// `sendmsg(fd, msg, MSG_NOSIGNAL)` — sends from several slices, one after the other; the first
    /// 1024 of them. `SIGPIPE` is never raised, as writev(2) would.
    ///
    /// # Errors
    ///
    /// - `EPIPE`, `EAGAIN`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`: as for [`write`](Self::write).
    ///
    /// See sendmsg(2).
    #[doc(alias = "writev")]
    #[doc(alias = "sendmsg")]
    pub fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> Result<usize, Error> {
        syscall::sendmsg(self.as_fd(), bufs)
    }
}

/// The stream as `std::io` and `std::os::unix::net` have it.
#[cfg(feature = "std")]
mod std_stream {
    use super::UnixStream;
    use std::io::{self, IoSlice, IoSliceMut, Read, Write};
    use std::os::fd::OwnedFd;
    use std::os::unix::net;

    impl Read for &UnixStream {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            Ok(UnixStream::read(self, buf)?)
        }

        fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
            Ok(UnixStream::read_vectored(self, bufs)?)
        }
    }

    impl Write for &UnixStream {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            Ok(UnixStream::write(self, buf)?)
        }

        fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
            Ok(UnixStream::write_vectored(self, bufs)?)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Read for UnixStream {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            Read::read(&mut &*self, buf)
        }

        fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
            Read::read_vectored(&mut &*self, bufs)
        }
    }

    impl Write for UnixStream {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            Write::write(&mut &*self, buf)
        }

        fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
            Write::write_vectored(&mut &*self, bufs)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl From<net::UnixStream> for UnixStream {
        fn from(stream: net::UnixStream) -> Self {
            Self::from_fd(OwnedFd::from(stream))
        }
    }

    impl From<UnixStream> for net::UnixStream {
        fn from(stream: UnixStream) -> Self {
            OwnedFd::from(stream).into()
        }
    }
}
