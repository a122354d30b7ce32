//! The API of sunpath, whose sockets are those of sunpath-tokio: each call that may wait is a future of
//! sunpath-tokio, for which the thread waits. All other methods are those of
//! [`as_socket`](sunpath_tokio::Socket::as_socket).

use std::fs::File;
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut};
use std::ops::Deref;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use real::ancillary::{
    Control, ControlBuffer, ControlStorage, Credentials, Expected, Fds, Message, MsgFlags,
    RecvBatch, SendBatch,
};
use real::socket::{FromFdError, Kind, Messages};
use tokio::io::Interest;
use tokio::runtime::{Builder, Runtime};

pub use real::*;

/// One runtime for all tests of the process. Its descriptors are 512 and more, because the suite counts
/// those below.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let _below: Vec<_> = (0..512).map(|_| File::open("/dev/null").unwrap()).collect();
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().unwrap()
});

/// A socket of sunpath-tokio, with the blocking methods of sunpath.
#[derive(Debug)]
pub struct Socket<T: Kind> {
    socket: sunpath_tokio::Socket<T>,
    /// Whether calls fail instead of waiting. The socket itself is always nonblocking.
    nonblocking: AtomicBool,
}

/// A stream socket.
pub type UnixStream = Socket<Stream>;

/// A datagram socket.
pub type UnixDatagram = Socket<real::Datagram>;

/// A sequenced-packet socket.
pub type UnixSeqpacket = Socket<Seqpacket>;

/// Returns the error of a call out of that of tokio.
fn original(error: io::Error) -> Error {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>())
    {
        Some(error) => *error,
        None => panic!("this error has no cause of sunpath: {error}"),
    }
}

fn wait<R>(future: impl Future<Output = io::Result<R>>) -> Result<R, Error> {
    RUNTIME.block_on(future).map_err(original)
}

#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    reason = "these are the methods of sunpath"
)]
impl<T: Kind> Socket<T> {
    fn adopt(socket: sunpath_tokio::Socket<T>) -> Self {
        Self {
            socket,
            nonblocking: AtomicBool::new(false),
        }
    }

    fn is_nonblocking(&self) -> bool {
        self.nonblocking.load(Ordering::SeqCst)
    }

    /// Makes a call that waits, by sunpath-tokio, or one that does not, by sunpath.
    fn call<R>(
        &self,
        interest: Interest,
        call: impl FnMut(&real::Socket<T>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let mut call = call;
        match self.is_nonblocking() {
            true => call(self.socket.as_socket()),
            false => wait(self.socket.async_io(interest, call)),
        }
    }

    pub fn new() -> Result<Self, Error> {
        let _entered = RUNTIME.enter();
        let socket = sunpath_tokio::Socket::new(real::Socket::new()?);
        socket.map(Self::adopt).map_err(original)
    }

    pub fn pair() -> Result<(Self, Self), Error> {
        let _entered = RUNTIME.enter();
        let (a, b) = sunpath_tokio::Socket::pair().map_err(original)?;
        Ok((Self::adopt(a), Self::adopt(b)))
    }

    pub fn pair_nonblocking() -> Result<(Self, Self), Error> {
        let (a, b) = Self::pair()?;
        a.set_nonblocking(true)?;
        b.set_nonblocking(true)?;
        Ok((a, b))
    }

    pub fn set_nonblocking(&self, nonblocking: bool) -> Result<(), Error> {
        self.nonblocking.store(nonblocking, Ordering::SeqCst);
        Ok(())
    }

    pub fn send_fd(&self, fd: impl AsFd) -> Result<(), Error> {
        match self.is_nonblocking() {
            true => self.socket.as_socket().send_fd(fd),
            false => wait(self.socket.send_fd(fd)),
        }
    }

    pub fn recv_fd(&self) -> Result<OwnedFd, Error> {
        match self.is_nonblocking() {
            true => self.socket.as_socket().recv_fd(),
            false => wait(self.socket.recv_fd()),
        }
    }

    pub fn send_fds<F: AsFd>(&self, bytes: &[u8], fds: &[F]) -> Result<(), Error> {
        if self.is_nonblocking() {
            return self.socket.as_socket().send_fds(bytes, fds);
        }
        let mut sent = wait(self.socket.send_fds(bytes, fds))?;
        while sent < bytes.len() {
            sent += wait(self.socket.sendmsg(&[IoSlice::new(&bytes[sent..])], &[]))?;
        }
        Ok(())
    }

    pub fn recv_fds<const N: usize>(
        &self,
        buf: &mut [u8],
    ) -> Result<(Received, [OwnedFd; N]), Error> {
        match self.is_nonblocking() {
            true => self.socket.as_socket().recv_fds(buf),
            false => wait(self.socket.recv_fds(buf)),
        }
    }

    pub fn recv_fds_up_to<const N: usize>(
        &self,
        buf: &mut [u8],
    ) -> Result<(Received, Fds<N>), Error> {
        match self.is_nonblocking() {
            true => self.socket.as_socket().recv_fds_up_to(buf),
            false => wait(self.socket.recv_fds_up_to(buf)),
        }
    }

    pub fn sendmsg(&self, bufs: &[IoSlice<'_>], control: &[Control<'_>]) -> Result<usize, Error> {
        match self.is_nonblocking() {
            true => self.socket.as_socket().sendmsg(bufs, control),
            false => wait(self.socket.sendmsg(bufs, control)),
        }
    }

    pub fn send_all(&self, bytes: &[u8], control: &[Control<'_>]) -> Result<(), Error> {
        let mut sent = self.sendmsg(&[IoSlice::new(bytes)], control)?;
        while sent < bytes.len() {
            sent += self.sendmsg(&[IoSlice::new(&bytes[sent..])], &[])?;
        }
        Ok(())
    }

    pub fn send_with_credentials(
        &self,
        bytes: &[u8],
        credentials: Credentials,
    ) -> Result<(), Error> {
        self.send_all(bytes, &[Control::Credentials(credentials)])
    }

    pub fn recv_with_credentials(
        &self,
        buf: &mut [u8],
    ) -> Result<(Received, Option<Credentials>), Error> {
        match self.is_nonblocking() {
            true => self.socket.as_socket().recv_with_credentials(buf),
            false => wait(self.socket.recv_with_credentials(buf)),
        }
    }

    pub fn recvmsg<C: ControlStorage>(
        &self,
        bufs: &mut [IoSliceMut<'_>],
        control: C,
    ) -> Result<Message<C>, Error> {
        self.recvmsg_with(bufs, control, MsgFlags::empty())
    }

    pub fn recvmsg_with<C: ControlStorage>(
        &self,
        bufs: &mut [IoSliceMut<'_>],
        control: C,
        flags: MsgFlags,
    ) -> Result<Message<C>, Error> {
        let as_it_is = self.is_nonblocking() || flags.contains(MsgFlags::DONTWAIT);
        if !as_it_is {
            // A buffer of any type serves one call alone, so this waits until that will not wait.
            self.call(Interest::READABLE, |socket| {
                match socket.wait_readable(Some(std::time::Duration::ZERO))? {
                    true => Ok(()),
                    // This peek fails with the error for which the future waits.
                    false => {
                        let flags = MsgFlags::PEEK | MsgFlags::DONTWAIT;
                        let mut control = ControlBuffer::<()>::new();
                        let mut byte = [0];
                        let bufs = &mut [IoSliceMut::new(&mut byte)];
                        socket.recvmsg_with(bufs, &mut control, flags).map(drop)
                    }
                }
            })?;
        }
        self.socket.as_socket().recvmsg_with(bufs, control, flags)
    }
}

#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    reason = "these are the methods of sunpath"
)]
impl<T: Messages> Socket<T> {
    pub fn send(&self, message: &[u8]) -> Result<(), Error> {
        self.call(Interest::WRITABLE, |socket| socket.send(message))
    }

    pub fn recv(&self, buf: &mut [u8]) -> Result<Received, Error> {
        self.call(Interest::READABLE, |socket| socket.recv(buf))
    }

    pub fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> Result<Received, Error> {
        self.call(Interest::READABLE, |socket| socket.recv_vectored(bufs))
    }

    pub fn sendmmsg<E: Expected>(&self, batch: &mut SendBatch<'_, E>) -> Result<(), Error> {
        self.call(Interest::WRITABLE, |socket| socket.sendmmsg(batch))
    }

    pub fn recvmmsg<const SIZE: usize, E: Expected>(
        &self,
        batch: &mut RecvBatch<'_, SIZE, E>,
    ) -> Result<usize, Error> {
        self.call(Interest::READABLE, |socket| socket.recvmmsg(batch))
    }
}

#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    reason = "these are the methods of sunpath"
)]
impl Socket<Stream> {
    pub fn read(&self, buf: &mut [u8]) -> Result<usize, Error> {
        match self.is_nonblocking() {
            true => self.socket.as_socket().read(buf),
            false => wait(self.socket.read(buf)),
        }
    }

    pub fn write(&self, buf: &[u8]) -> Result<usize, Error> {
        match self.is_nonblocking() {
            true => self.socket.as_socket().write(buf),
            false => wait(self.socket.write(buf)),
        }
    }

    pub fn read_exact(&self, buf: &mut [u8]) -> Result<(), Error> {
        let mut filled = 0;
        while filled < buf.len() {
            match self.read(&mut buf[filled..])? {
                0 => panic!("the stream has ended"),
                count => filled += count,
            }
        }
        Ok(())
    }
}

impl<T: Kind> Deref for Socket<T> {
    type Target = real::Socket<T>;

    fn deref(&self) -> &real::Socket<T> {
        self.socket.as_socket()
    }
}

impl<T: Kind> TryFrom<OwnedFd> for Socket<T> {
    type Error = FromFdError;

    fn try_from(fd: OwnedFd) -> Result<Self, FromFdError> {
        let socket = real::Socket::try_from(fd)?;
        let _entered = RUNTIME.enter();
        Ok(Self::adopt(
            sunpath_tokio::Socket::new(socket).expect("the runtime watches it"),
        ))
    }
}

impl<T: Kind> AsFd for Socket<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl<T: Kind> AsRawFd for Socket<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}
