//! Stream sockets: reading, writing, and the traits of tokio.

use std::io::{self, IoSlice, IoSliceMut};
use std::pin::Pin;
use std::task::{Context, Poll};

use sunpath::ancillary::ControlBuffer;
use sunpath::{Error, Shutdown, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::register::{as_in_std, for_readiness};
use crate::socket::{READ, Socket, WRITE};
use crate::split::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf};

/// A stream socket: a connection that carries bytes in order.
///
/// It implements [`AsyncRead`] and [`AsyncWrite`], so the methods of tokio's `AsyncReadExt` and
/// `AsyncWriteExt` work on it, and so does every library over these traits.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use sunpath_tokio::UnixStream;
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// // Or one end: UnixStream::connect("/run/app.sock").await?
/// let (mut ours, mut theirs) = UnixStream::pair()?;
/// ours.write_all(b"hello").await?;
/// let mut buf = [0; 5];
/// theirs.read_exact(&mut buf).await?;
/// assert_eq!(&buf, b"hello");
/// # Ok(()) }
/// ```
///
/// A read closes the descriptors that came with its bytes. [`recv_fds`](Socket::recv_fds) and others
/// return them.
///
/// If [`AsyncRead`] gets fewer bytes than it has space for, the stream is empty, so the next read waits
/// until the runtime reports more. The exception is a read that met a control message, such as
/// descriptors or credentials: the kernel never joins the bytes before and after one, so more bytes can
/// be there, and the next read is tried at once. A read also stops before an out-of-band byte, which
/// the kernel does not report. A program whose peer sends those calls [`read`](UnixStream::read), which
/// draws no conclusion from the number of bytes.
pub type UnixStream = Socket<Stream>;

/// Methods that read and write a stream. Several tasks can call them at the same time.
impl Socket<Stream> {
    /// `recv(fd, buf, n, 0)` — receives up to `buf.len()` bytes; 0 is the end of the stream.
    /// Cancelling it loses nothing.
    ///
    /// # Errors
    ///
    /// - `ECONNRESET`: the peer closed with data of ours unread, or a listener died before it accepted.
    ///   It is reported once; later reads return 0.
    /// - `EINVAL`: not connected (Linux; `ENOTCONN` elsewhere).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// # let (ours, theirs) = sunpath_tokio::UnixStream::pair()?;
    /// ours.write(b"hello").await?;
    /// let mut buf = [0; 64];
    /// assert_eq!(theirs.read(&mut buf).await?, 5);
    /// # Ok(()) }
    /// ```
    ///
    /// See recv(2).
    #[doc(alias = "recv")]
    pub async fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.when(READ, |socket| socket.read(buf)).await
    }

    /// `readv(fd, iov, n)` — receives into several slices, one after the other. Cancelling it loses
    /// nothing.
    ///
    /// # Errors
    ///
    /// - `ECONNRESET`, `EINVAL`: as for [`read`](Self::read).
    ///
    /// See readv(2).
    #[doc(alias = "readv")]
    pub async fn read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.when(READ, |socket| socket.read_vectored(bufs)).await
    }

    /// `recv(fd, buf, n, MSG_PEEK)` — receives bytes and leaves them in the queue.
    ///
    /// # Errors
    ///
    /// - `ECONNRESET`, `EINVAL`: as for [`read`](Self::read).
    ///
    /// See recv(2).
    #[doc(alias = "MSG_PEEK")]
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.when(READ, |socket| socket.peek(buf)).await
    }

    /// `send(fd, buf, n, MSG_NOSIGNAL)` — sends bytes and returns how many were sent. Cancelling it
    /// sends nothing.
    ///
    /// # Errors
    ///
    /// - `EPIPE`: the peer closed or reads no more, or this end was shut down for writing.
    /// - `ENOTCONN`: not connected.
    /// - `ENOBUFS`, `ENOMEM`: no memory.
    ///
    /// See send(2).
    #[doc(alias = "send")]
    pub async fn write(&self, buf: &[u8]) -> io::Result<usize> {
        self.when(WRITE, |socket| socket.write(buf)).await
    }

    /// `sendmsg(fd, msg, MSG_NOSIGNAL)` — sends from several slices, one after the other. Cancelling it
    /// sends nothing.
    ///
    /// # Errors
    ///
    /// - `EPIPE`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`: as for [`write`](Self::write).
    ///
    /// See sendmsg(2).
    #[doc(alias = "writev")]
    pub async fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.when(WRITE, |socket| socket.write_vectored(bufs)).await
    }

    /// Receives as [`read`](Self::read) does, or fails if it would have to wait.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`: nothing has come, or the runtime has not reported it yet:
    ///   [`readable`](Self::readable) waits for that.
    /// - `ECONNRESET`, `EINVAL`: as for [`read`](Self::read).
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.try_when(READ, |socket| socket.read(buf))
    }

    /// Receives as [`read_vectored`](Self::read_vectored) does, or fails if it would have to wait.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`, `ECONNRESET`, `EINVAL`: as for [`try_read`](Self::try_read).
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.try_when(READ, |socket| socket.read_vectored(bufs))
    }

    /// Receives as [`peek`](Self::peek) does, or fails if it would have to wait.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`, `ECONNRESET`, `EINVAL`: as for [`try_read`](Self::try_read).
    pub fn try_peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.try_when(READ, |socket| socket.peek(buf))
    }

    /// Sends as [`write`](Self::write) does, or fails if it would have to wait.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`: there is no space, or the runtime has not reported it yet:
    ///   [`writable`](Self::writable) waits for that.
    /// - `EPIPE`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`: as for [`write`](Self::write).
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.try_when(WRITE, |socket| socket.write(buf))
    }

    /// Sends as [`write_vectored`](Self::write_vectored) does, or fails if it would have to wait.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`, `EPIPE`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`: as for [`try_write`](Self::try_write).
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.try_when(WRITE, |socket| socket.write_vectored(bufs))
    }

    /// Borrows the stream as two halves, one that reads and one that writes, for two futures of one
    /// task.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// # let (mut stream, _peer) = sunpath_tokio::UnixStream::pair()?;
    /// let (mut reader, mut writer) = stream.split();
    /// # drop((reader, writer));
    /// # Ok(()) }
    /// ```
    pub const fn split(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        (ReadHalf::new(self), WriteHalf::new(self))
    }

    /// Splits the stream into two halves, for two tasks.
    ///
    /// When the half that writes is dropped, the peer reads the end of the stream.
    #[must_use]
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        crate::split::owned(self)
    }

    /// Reads for [`AsyncRead`], which several types implement with it.
    #[inline]
    pub(crate) fn poll_read_into(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // The bytes are initialised here, at most once for a buffer, because the safe way to fill
        // uninitialised ones is not stable yet.
        let space = buf.initialize_unfilled();
        let read = |socket: &sunpath::Socket<Stream>| read_once(socket, space);
        self.poll_when(READ, cx, read, as_in_std)
            .map_ok(|count| buf.advance(count))
    }

    /// Writes for [`AsyncWrite`], which several types implement with it.
    #[inline]
    pub(crate) fn poll_write_from(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let write = |socket: &sunpath::Socket<Stream>| {
            let count = socket.write(buf)?;
            Ok((count, count < buf.len()))
        };
        self.poll_when(WRITE, cx, write, as_in_std)
    }

    /// Writes several slices for [`AsyncWrite`], which several types implement with it.
    pub(crate) fn poll_write_slices(
        &self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let write = |socket: &sunpath::Socket<Stream>| {
            let count = socket.write_vectored(bufs)?;
            // With more slices than one call takes, a part is no sign of a full queue. The next call
            // finds that out.
            Ok((count, false))
        };
        self.poll_when(WRITE, cx, write, as_in_std)
    }

    /// Ends the direction of writing for [`AsyncWrite`].
    pub(crate) fn end_writing(&self) -> Poll<io::Result<()>> {
        let ended = self.as_socket().shutdown(Shutdown::Write);
        Poll::Ready(ended.map_err(for_readiness))
    }
}

/// Reads once, and returns whether that shows that the stream is empty.
#[inline]
fn read_once(socket: &sunpath::Socket<Stream>, buf: &mut [u8]) -> Result<(usize, bool), Error> {
    let size = buf.len();
    let mut control = ControlBuffer::<()>::new();
    // recvmsg(2), because read(2) does not report that it met a control message.
    let message = socket.recvmsg(&mut [IoSliceMut::new(buf)], &mut control)?;
    let received = message.received();
    let is_empty = (1..size).contains(&received.len()) && !received.is_control_truncated();
    Ok((received.len(), is_empty))
}

impl AsyncRead for Socket<Stream> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_read_into(cx, buf)
    }
}

/// Shutting it down ends the direction of writing: the peer reads the end of the stream.
impl AsyncWrite for Socket<Stream> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_from(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_slices(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end_writing()
    }
}
