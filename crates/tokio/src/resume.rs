//! Transfers that take several calls, as values that can be resumed.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use sunpath::{Errno, Stream};

use crate::ancillary::send_with_fds;
use crate::socket::{READ, Socket, WRITE};

/// Bytes of any number and descriptors, which are sent over a stream by as many calls as it takes.
///
/// A future that sends them could not be cancelled safely: the descriptors may have been sent and must
/// not be sent again, and nobody would know how many bytes are left. This value knows both. Its
/// [`run`](Self::run) can be cancelled at any point, and called again.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use std::time::Duration;
/// use sunpath_tokio::{SendAll, UnixStream};
/// use tokio::time::timeout;
///
/// let (ours, theirs) = UnixStream::pair()?;
/// let (bytes, fds) = (vec![7; 1 << 20], [std::fs::File::open("/dev/null")?]);
/// let mut message = SendAll::new(&bytes, &fds);
/// // Nobody reads yet, so this is cancelled after a part.
/// assert!(timeout(Duration::from_millis(5), message.run(&ours)).await.is_err());
/// assert!(0 < message.sent() && message.sent() < bytes.len());
///
/// let mut buf = vec![0; 1 << 20];
/// let mut received = sunpath_tokio::RecvExact::<1>::new(&mut buf);
/// let (sent, received) = tokio::join!(message.run(&ours), received.run(&theirs));
/// sent?;
/// let [file] = received?; // it came once
/// # drop(file);
/// # assert_eq!(buf, bytes);
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "nothing is sent until it runs"]
pub struct SendAll<'a> {
    bytes: &'a [u8],
    fds: Vec<BorrowedFd<'a>>,
    sent: usize,
}

impl<'a> SendAll<'a> {
    /// Makes a message of bytes and descriptors. Nothing is sent yet.
    pub fn new<F: AsFd>(bytes: &'a [u8], fds: &'a [F]) -> Self {
        Self {
            bytes,
            fds: fds.iter().map(AsFd::as_fd).collect(),
            sent: 0,
        }
    }

    /// `sendmsg(fd, msg, MSG_NOSIGNAL)`, as often as needed — sends what has not been sent yet. The
    /// descriptors go with the first byte. After it has returned `Ok`, it has nothing to do.
    ///
    /// # Errors
    ///
    /// It can be called again after an error, too.
    ///
    /// - `EINVAL`: more than 253 descriptors, or descriptors without a byte.
    /// - `EPERM`, `ETOOMANYREFS`, `EPIPE`, `ECONNRESET`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`: as for
    ///   [`sunpath::Socket::sendmsg`].
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: [`sent`](Self::sent) counts the bytes, and the next `run` sends the rest.
    pub async fn run(&mut self, stream: &Socket<Stream>) -> io::Result<()> {
        if self.bytes.is_empty() && self.fds.is_empty() {
            return Ok(());
        }
        loop {
            let rest = self.bytes.get(self.sent..).unwrap_or_default();
            if rest.is_empty() && !self.bytes.is_empty() {
                return Ok(());
            }
            let fds = match self.sent {
                0 => &self.fds[..],
                _ => &[],
            };
            let send = |socket: &sunpath::Socket<Stream>| send_with_fds(socket, rest, fds);
            // The count is added in the same poll in which the call was made.
            self.sent += stream.when(WRITE, send).await?;
        }
    }

    /// Returns how many bytes have been sent. If it is more than 0, the descriptors have been sent.
    #[must_use]
    pub const fn sent(&self) -> usize {
        self.sent
    }

    /// Returns whether everything has been sent.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.sent == self.bytes.len()
    }
}

/// A buffer that is filled from a stream by as many calls as it takes, and exactly `N` descriptors that
/// come with its bytes: the counterpart of [`SendAll`].
///
/// Its [`run`](Self::run) can be cancelled at any point, and called again. Descriptors that have come
/// belong to this value.
#[derive(Debug)]
#[must_use = "nothing is received until it runs"]
pub struct RecvExact<'b, const N: usize> {
    buf: &'b mut [u8],
    filled: usize,
    fds: [Option<OwnedFd>; N],
    count: usize,
}

impl<'b, const N: usize> RecvExact<'b, N> {
    /// Makes a receive of as many bytes as the buffer has. Nothing is received yet.
    pub const fn new(buf: &'b mut [u8]) -> Self {
        Self {
            buf,
            filled: 0,
            fds: [const { None }; N],
            count: 0,
        }
    }

    /// `recvmsg(fd, msg, MSG_CMSG_CLOEXEC)`, as often as needed — fills the rest of the buffer, and
    /// returns the descriptors.
    ///
    /// # Errors
    ///
    /// After the first two, all descriptors are closed, and the value cannot be run again.
    ///
    /// - `ENOMSG`: fewer than `N` descriptors came with the bytes.
    /// - `EMSGSIZE`: more came, or this process had too few free (`RLIMIT_NOFILE`).
    /// - `UnexpectedEof`: the stream ended too early.
    /// - `ECONNRESET`, `EINVAL`, `ENOBUFS`, `ENOMEM`: as for [`sunpath::Socket::recvmsg`].
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: [`filled`](Self::filled) counts the bytes, and the next `run` fills the rest.
    pub async fn run(&mut self, stream: &Socket<Stream>) -> io::Result<[OwnedFd; N]> {
        while self.filled < self.buf.len() {
            let rest = &mut self.buf[self.filled..];
            let receive = |socket: &sunpath::Socket<Stream>| socket.recv_fds_up_to::<N>(rest);
            let (received, fds) = match stream.when(READ, receive).await {
                Ok(received) => received,
                Err(error) => {
                    if Errno::from_io_error(&error) == Some(Errno::EMSGSIZE) {
                        self.close();
                    }
                    return Err(error);
                }
            };
            if received.len() == 0 {
                let text = "the stream ended before all of the bytes arrived";
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
            }
            self.filled += received.len();
            if fds.len() > N - self.count {
                self.close();
                return Err(Errno::EMSGSIZE.into());
            }
            for fd in fds {
                self.fds[self.count] = Some(fd);
                self.count += 1;
            }
        }
        if self.count == N {
            let fds: Option<Vec<OwnedFd>> = self.fds.iter_mut().map(Option::take).collect();
            if let Some(Ok(fds)) = fds.map(<[OwnedFd; N]>::try_from) {
                self.count = 0;
                return Ok(fds);
            }
        }
        self.close();
        Err(Errno::ENOMSG.into())
    }

    fn close(&mut self) {
        self.fds = [const { None }; N];
        self.count = 0;
    }

    /// Returns how many bytes have been received.
    #[must_use]
    pub const fn filled(&self) -> usize {
        self.filled
    }
}
