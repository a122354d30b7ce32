//! Datagram sockets: binding, and messages with addresses.

use std::io::{self, IoSlice};
use std::os::fd::AsFd;
use std::time::Duration;

use sunpath::ancillary::{Control, Expected, SendBatch};
use sunpath::files::{AsPathname, SocketFile};
use sunpath::{Bound, Datagram, Error, Received, UnixAddr};
use tokio::{task, time};

use crate::register::for_readiness;
use crate::socket::{READ, Socket, WRITE};

/// A datagram socket: messages to and from any address, or one peer.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use sunpath::BindOptions;
/// use sunpath_tokio::UnixDatagram;
///
/// # let dir = std::path::PathBuf::from(format!("/tmp/sunpath-tokio-dg-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// # let path = dir.join("log.sock");
/// let server = UnixDatagram::from_bound(BindOptions::singleton().bind_datagram(&path)?)?;
/// let client = UnixDatagram::unbound()?;
/// client.send_to(b"hello", &server.local_addr()?).await?;
/// let mut buf = [0; 64];
/// let (received, from) = server.recv_from(&mut buf).await?;
/// assert_eq!(&buf[..received.len()], b"hello");
/// assert!(from.is_unnamed());
/// server.close_and_unlink().await?;
/// # std::fs::remove_dir(&dir)?;
/// # Ok(()) }
/// ```
pub type UnixDatagram = Socket<Datagram>;

/// The first pause of a send whose receiver's queue is full, and the longest one.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// Methods of datagram sockets alone.
impl Socket<Datagram> {
    /// `bind(fd, addr, len)` — makes a datagram socket that is bound to a path, whose file nothing
    /// removes. [`from_bound`](Self::from_bound) takes one whose file has a mode and is removed.
    ///
    /// # Errors
    ///
    /// - `ENOENT`, `EINVAL`, `ENAMETOOLONG`, `EADDRINUSE`, `EACCES`, `EMFILE` and others: as for
    ///   [`sunpath::UnixDatagram::bind`].
    /// - `ENOSPC`: the runtime cannot watch one more socket.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime, or in one without `enable_io`.
    pub fn bind(path: impl AsPathname) -> io::Result<Self> {
        Self::new(sunpath::UnixDatagram::bind(path)?)
    }

    /// `bind(fd, addr, len)` — makes a datagram socket that is bound to an address.
    ///
    /// # Errors
    ///
    /// - `EADDRINUSE`, `EINVAL`, `ENOENT`, `EACCES`, `EMFILE` and others: as for
    ///   [`sunpath::UnixDatagram::bind_addr`].
    /// - `ENOSPC`: the runtime cannot watch one more socket.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime, or in one without `enable_io`.
    pub fn bind_addr(addr: &UnixAddr) -> io::Result<Self> {
        Self::new(sunpath::UnixDatagram::bind_addr(addr)?)
    }

    /// `bindat(dir, fd, addr, len)` — makes a datagram socket that is bound to a path, which begins at an
    /// open directory or at [`CWD`](sunpath::CWD).
    ///
    /// # Errors
    ///
    /// - `ENAMETOOLONG`, `EADDRINUSE`, `ENOENT`, `EACCES`, `EMFILE` and others: as for
    ///   [`sunpath::UnixDatagram::bind_at`].
    /// - `ENOSPC`: the runtime cannot watch one more socket.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime, or in one without `enable_io`.
    pub fn bind_at(dir: impl AsFd, path: impl AsPathname) -> io::Result<Self> {
        Self::new(sunpath::UnixDatagram::bind_at(dir, path)?)
    }

    /// Makes a datagram socket from one that [`BindOptions`](sunpath::BindOptions) bound. Its file is
    /// removed when the socket is dropped.
    ///
    /// # Errors
    ///
    /// The socket is closed, and its file is removed.
    ///
    /// - `EMFILE`, `ENFILE`: no descriptor is free to hold the file.
    /// - `ENOSPC`, `ENOMEM`: the runtime cannot watch one more socket.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime, or in one without `enable_io`.
    pub fn from_bound(bound: Bound<sunpath::UnixDatagram>) -> io::Result<Self> {
        let (socket, file) = bound.into_parts()?;
        let mut socket = Self::new(socket)?;
        socket.file = Some(Box::new(file));
        Ok(socket)
    }

    /// `socket(AF_UNIX, SOCK_DGRAM, 0)` — makes a datagram socket without an address, as std's
    /// `unbound` does.
    ///
    /// # Errors
    ///
    /// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`sunpath::Socket::new`].
    /// - `ENOSPC`: the runtime cannot watch one more socket.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime, or in one without `enable_io`.
    pub fn unbound() -> io::Result<Self> {
        Self::connected(sunpath::UnixDatagram::new_nonblocking()?)
    }

    /// `connect(fd, addr, len)` — sets the peer to the socket at a path. It does not wait.
    ///
    /// # Errors
    ///
    /// - `ENOENT`, `ECONNREFUSED`, `EACCES`, `EPROTOTYPE`, `EPERM` and others: as for
    ///   [`sunpath::UnixDatagram::connect`].
    pub fn connect(&self, path: impl AsPathname) -> io::Result<()> {
        Ok(self.as_socket().connect(path)?)
    }

    /// `connect(fd, addr, len)` — sets the peer to the socket at an address. It does not wait.
    ///
    /// # Errors
    ///
    /// - `ENOENT`, `ECONNREFUSED`, `EACCES`, `EPROTOTYPE`, `EPERM` and others: as for
    ///   [`sunpath::Socket::connect_to`].
    pub fn connect_to(&self, addr: &UnixAddr) -> io::Result<()> {
        Ok(self.as_socket().connect_to(addr)?)
    }

    /// `connectat(dir, fd, addr, len)` — sets the peer to the socket at a path of any length, which
    /// begins at an open directory or at [`CWD`](sunpath::CWD). It does not wait.
    ///
    /// # Errors
    ///
    /// - `ENOENT`, `ECONNREFUSED`, `EACCES`, `EPROTOTYPE`, `EPERM` and others: as for
    ///   [`sunpath::Socket::connect_to_at`].
    pub fn connect_to_at(&self, dir: impl AsFd, path: impl AsPathname) -> io::Result<()> {
        Ok(self.as_socket().connect_to_at(dir, path)?)
    }

    /// Returns the file of a socket that [`from_bound`](Self::from_bound) made.
    #[must_use]
    pub fn file(&self) -> Option<&SocketFile> {
        self.file.as_deref()
    }

    /// Removes the socket file and closes the socket, and reports a failure that dropping it would
    /// hide. The calls of the file system are made in a thread that may block.
    ///
    /// # Errors
    ///
    /// - `EACCES`, `EPERM`, `EROFS`, `EIO` and others: as for [`SocketFile::unlink`].
    ///
    /// If it is cancelled, the file is removed nevertheless.
    pub async fn close_and_unlink(self) -> io::Result<()> {
        let Self { file, io, .. } = self;
        match file {
            Some(file) => {
                let socket = io.into_inner();
                crate::blocking(move || {
                    let unlinked = file.unlink();
                    drop(socket); // after its file
                    unlinked
                })
                .await
            }
            None => Ok(()),
        }
    }

    /// `sendto(fd, buf, n, MSG_NOSIGNAL, addr, len)` — sends one message to an address. Cancelling it
    /// sends nothing.
    ///
    /// The kernel does not report when another socket's queue has space. It reports the sender as
    /// writable each time that a send has failed, so a loop that waited for that would spin. If the
    /// queue is full, this call therefore tries again after pauses, which grow from 1 to 50
    /// milliseconds. [`send`](Self::send) of a connected socket is woken by the kernel.
    ///
    /// # Errors
    ///
    /// - `EMSGSIZE`, `ENOENT`, `ECONNREFUSED`, `EACCES`, `EPERM`, `EPROTOTYPE`, `EINVAL`, `ENOBUFS`,
    ///   `ENOMEM`, `ENOTDIR`, `ELOOP`, `EPIPE`: as for [`sunpath::UnixDatagram::send_to`].
    ///
    /// # Panics
    ///
    /// Panics if it has to wait in a runtime without `enable_time`.
    ///
    /// See sendto(2).
    #[doc(alias = "sendto")]
    pub async fn send_to(&self, message: &[u8], to: &UnixAddr) -> io::Result<()> {
        self.with_pauses(|socket| socket.send_to(message, to)).await
    }

    /// `sendmsg(fd, msg, MSG_NOSIGNAL)` — sends several slices as one message to an address, and control
    /// messages such as descriptors with them. It waits as [`send_to`](Self::send_to) does. Cancelling
    /// it sends nothing.
    ///
    /// # Errors
    ///
    /// - `EINVAL`, `EPERM`, `ESRCH`, `ETOOMANYREFS`, `EOPNOTSUPP`, `ENOMEM`, `ENOENT`, `ENOTDIR`,
    ///   `ELOOP`, `ECONNREFUSED`, `EACCES`, `EPROTOTYPE`, `EPIPE`, `EMSGSIZE`, `ENOBUFS`: as for
    ///   [`sunpath::UnixDatagram::sendmsg_to`].
    ///
    /// # Panics
    ///
    /// Panics if it has to wait in a runtime without `enable_time`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use std::io::IoSlice;
    /// use std::os::fd::AsFd;
    /// use sunpath::ancillary::Control;
    /// use sunpath_tokio::UnixDatagram;
    ///
    /// # let path = format!("/tmp/sunpath-tokio-sendmsg-{}.sock", std::process::id());
    /// # let server = UnixDatagram::from_bound(sunpath::BindOptions::new().bind_datagram(&path)?)?;
    /// # let addr = server.local_addr()?;
    /// let client = UnixDatagram::unbound()?;
    /// let file = std::fs::File::open("/dev/null")?;
    /// let control = [Control::Rights(&[file.as_fd()])];
    /// client.sendmsg_to(&[IoSlice::new(b"a file")], &control, &addr).await?;
    /// # let (received, fds) = server.recv_fds_up_to::<1>(&mut [0; 8]).await?;
    /// # assert_eq!((received.len(), fds.len()), (6, 1));
    /// # Ok(()) }
    /// ```
    ///
    /// See sendmsg(2), unix(7).
    #[doc(alias = "SCM_RIGHTS")]
    pub async fn sendmsg_to(
        &self,
        bufs: &[IoSlice<'_>],
        control: &[Control<'_>],
        to: &UnixAddr,
    ) -> io::Result<()> {
        self.with_pauses(|socket| socket.sendmsg_to(bufs, control, to))
            .await
    }

    /// Makes a call that sends to an address, again and again with pauses while it would have to wait.
    async fn with_pauses(
        &self,
        call: impl Fn(&sunpath::UnixDatagram) -> Result<(), Error>,
    ) -> io::Result<()> {
        // A loop of calls that need not wait lets other tasks run.
        task::consume_budget().await;
        let mut pause = PAUSES.0;
        loop {
            match call(self.as_socket()) {
                Err(error) if error.is_would_block() => {}
                sent => return Ok(sent?),
            }
            time::sleep(pause).await;
            pause = PAUSES.1.min(pause * 2);
        }
    }

    /// Sends a batch. The kernel reports when the peer's queue has space, but it reports the same for
    /// the queue of another address although it is full. After two calls in a row that sent nothing,
    /// the next one is therefore made after a pause.
    pub(crate) async fn send_batch<E: Expected>(
        &self,
        batch: &mut SendBatch<'_, E>,
    ) -> io::Result<()> {
        // How many messages were left after the last call that would have had to wait.
        let mut left = None;
        let mut pause = PAUSES.0;
        loop {
            let before = batch.len();
            let send = |socket: &sunpath::UnixDatagram| match socket.sendmmsg(batch) {
                Err(error) if error.is_would_block() => {
                    match left.replace(batch.len()) == Some(batch.len()) {
                        true => Ok(false),
                        false => Err(error),
                    }
                }
                sent => sent.map(|()| true),
            };
            if self.when(WRITE, send).await? {
                return Ok(());
            }
            if batch.len() < before {
                pause = PAUSES.0;
            }
            time::sleep(pause).await;
            pause = PAUSES.1.min(pause * 2);
        }
    }

    /// `recvfrom(fd, buf, n, MSG_TRUNC, addr, len)` — receives one message and the address of its
    /// sender. Cancelling it loses nothing.
    ///
    /// # Errors
    ///
    /// - `ECONNRESET`, `ENOBUFS`, `ENOMEM`: as for [`recv`](Self::recv).
    ///
    /// See recvfrom(2).
    #[doc(alias = "recvfrom")]
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(Received, UnixAddr)> {
        self.when(READ, |socket| socket.recv_from(buf)).await
    }

    /// `recvfrom(fd, buf, n, MSG_PEEK | MSG_TRUNC, addr, len)` — receives one message and leaves it in
    /// the queue.
    ///
    /// # Errors
    ///
    /// - `ECONNRESET`, `ENOBUFS`, `ENOMEM`: as for [`recv`](Self::recv).
    ///
    /// See recvfrom(2).
    #[doc(alias = "MSG_PEEK")]
    pub async fn peek_from(&self, buf: &mut [u8]) -> io::Result<(Received, UnixAddr)> {
        self.when(READ, |socket| socket.peek_from(buf)).await
    }

    /// Sends as [`send_to`](Self::send_to) does, or fails if it would have to wait.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`: the receiver's queue is full.
    /// - `EMSGSIZE`, `ENOENT`, `ECONNREFUSED`, `EACCES`, `EPERM`, `EPROTOTYPE`, `EINVAL`, `ENOBUFS`,
    ///   `ENOMEM`, `ENOTDIR`, `ELOOP`, `EPIPE`: as for [`send_to`](Self::send_to).
    pub fn try_send_to(&self, message: &[u8], to: &UnixAddr) -> io::Result<()> {
        let sent = self.as_socket().send_to(message, to);
        sent.map_err(for_readiness)
    }

    /// Sends as [`sendmsg_to`](Self::sendmsg_to) does, or fails if it would have to wait.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`: the receiver's queue is full.
    /// - Others: as for [`sendmsg_to`](Self::sendmsg_to).
    pub fn try_sendmsg_to(
        &self,
        bufs: &[IoSlice<'_>],
        control: &[Control<'_>],
        to: &UnixAddr,
    ) -> io::Result<()> {
        let sent = self.as_socket().sendmsg_to(bufs, control, to);
        sent.map_err(for_readiness)
    }

    /// Receives as [`recv_from`](Self::recv_from) does, or fails if it would have to wait.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`: no message has come, or the runtime has not reported it yet.
    /// - `ECONNRESET`, `ENOBUFS`, `ENOMEM`: as for [`recv`](Self::recv).
    pub fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(Received, UnixAddr)> {
        self.try_when(READ, |socket| socket.recv_from(buf))
    }

    /// Receives as [`peek_from`](Self::peek_from) does, or fails if it would have to wait.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`: no message has come, or the runtime has not reported it yet.
    /// - `ECONNRESET`, `ENOBUFS`, `ENOMEM`: as for [`recv`](Self::recv).
    pub fn try_peek_from(&self, buf: &mut [u8]) -> io::Result<(Received, UnixAddr)> {
        self.try_when(READ, |socket| socket.peek_from(buf))
    }
}

impl TryFrom<Bound<sunpath::UnixDatagram>> for Socket<Datagram> {
    type Error = io::Error;

    fn try_from(bound: Bound<sunpath::UnixDatagram>) -> io::Result<Self> {
        Self::from_bound(bound)
    }
}
