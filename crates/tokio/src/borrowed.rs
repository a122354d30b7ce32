//! The same calls on sockets of tokio's own types.

use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use sunpath::ancillary::{Control, ControlBuffer, Expected, Fds, Message};
use sunpath::socket::Kind;
use sunpath::{Datagram, Error, Received, SocketRef, Stream};
use tokio::io::{Interest, Ready};
use tokio::net::{UnixDatagram, UnixStream};
use tokio::task;

use crate::ancillary::send_with_fds;
use crate::register::{for_readiness, still_open};

/// Descriptors and credentials over tokio's own [`UnixStream`] and [`UnixDatagram`], for programs that
/// keep these types.
///
/// Each call makes one system call when the socket is ready, so cancelling it sends nothing and loses
/// nothing. A receive on a datagram socket that was shut down for receiving fails with `UnexpectedEof`
/// when no message is left. [`as_sunpath`](Self::as_sunpath) has all other methods.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use sunpath_tokio::SocketExt;
/// use tokio::net::UnixStream;
///
/// let (ours, theirs) = UnixStream::pair()?;
/// ours.send_fd(&std::fs::File::open("/dev/null")?).await?;
/// let file = std::fs::File::from(theirs.recv_fd().await?);
///
/// let mut groups = [0; 64];
/// println!("the peer is in groups {:?}", ours.peer_groups(&mut groups)?);
/// # drop(file);
/// # Ok(()) }
/// ```
pub trait SocketExt: sealed::Sealed {
    /// The socket's kind.
    type Kind: Kind;

    /// Returns the socket as one of `sunpath`, which borrows it. It is nonblocking. To wait for a call,
    /// make it in tokio's `async_io`, or the runtime does not learn that the call would have to wait.
    fn as_sunpath(&self) -> SocketRef<'_, Self::Kind>;

    /// Sends one descriptor, as [`Socket::send_fd`](crate::Socket::send_fd).
    ///
    /// # Errors
    ///
    /// - Those of [`sunpath::Socket::send_fd`], except for `EAGAIN`.
    fn send_fd<F: AsFd + Send + Sync>(&self, fd: F) -> impl Future<Output = io::Result<()>> + Send;

    /// Receives one descriptor, as [`Socket::recv_fd`](crate::Socket::recv_fd).
    ///
    /// # Errors
    ///
    /// - Those of [`sunpath::Socket::recv_fd`], except for `EAGAIN`.
    fn recv_fd(&self) -> impl Future<Output = io::Result<OwnedFd>> + Send;

    /// Sends bytes and descriptors by one call, as [`Socket::send_fds`](crate::Socket::send_fds), and
    /// returns how many bytes were sent.
    ///
    /// # Errors
    ///
    /// - Those of [`sunpath::Socket::sendmsg`], except for `EAGAIN`.
    fn send_fds<F: AsFd + Sync>(
        &self,
        bytes: &[u8],
        fds: &[F],
    ) -> impl Future<Output = io::Result<usize>> + Send;

    /// Receives bytes and exactly `N` descriptors, as [`Socket::recv_fds`](crate::Socket::recv_fds).
    ///
    /// # Errors
    ///
    /// - Those of [`sunpath::Socket::recv_fds`], except for `EAGAIN`.
    fn recv_fds<const N: usize>(
        &self,
        buf: &mut [u8],
    ) -> impl Future<Output = io::Result<(Received, [OwnedFd; N])>> + Send;

    /// Receives bytes and at most `N` descriptors, as
    /// [`Socket::recv_fds_up_to`](crate::Socket::recv_fds_up_to).
    ///
    /// # Errors
    ///
    /// - Those of [`sunpath::Socket::recv_fds_up_to`], except for `EAGAIN`.
    fn recv_fds_up_to<const N: usize>(
        &self,
        buf: &mut [u8],
    ) -> impl Future<Output = io::Result<(Received, Fds<N>)>> + Send;

    /// Sends several slices and control messages, as [`Socket::sendmsg`](crate::Socket::sendmsg).
    ///
    /// # Errors
    ///
    /// - Those of [`sunpath::Socket::sendmsg`], except for `EAGAIN`.
    fn sendmsg(
        &self,
        bufs: &[IoSlice<'_>],
        control: &[Control<'_>],
    ) -> impl Future<Output = io::Result<usize>> + Send;

    /// Receives into several slices, with control messages, as
    /// [`Socket::recvmsg`](crate::Socket::recvmsg).
    ///
    /// # Errors
    ///
    /// - Those of [`sunpath::Socket::recvmsg`], except for `EAGAIN`.
    fn recvmsg<E: Expected>(
        &self,
        bufs: &mut [IoSliceMut<'_>],
    ) -> impl Future<Output = io::Result<Message<ControlBuffer<E>>>> + Send;

    /// `SO_PEERGROUPS` — returns the supplementary groups of the peer.
    ///
    /// # Errors
    ///
    /// - Those of [`sunpath::Socket::peer_groups`].
    #[doc(alias = "SO_PEERGROUPS")]
    fn peer_groups<'r>(&self, buf: &'r mut [u32]) -> io::Result<&'r mut [u32]> {
        Ok(self.as_sunpath().peer_groups(buf)?)
    }

    /// `SO_PEERPIDFD` — returns a descriptor of the peer's process.
    ///
    /// # Errors
    ///
    /// - Those of [`sunpath::Socket::peer_pidfd`].
    #[doc(alias = "SO_PEERPIDFD")]
    fn peer_pidfd(&self) -> io::Result<OwnedFd> {
        Ok(self.as_sunpath().peer_pidfd()?)
    }
}

macro_rules! extend {
    ($($socket:ident: $kind:ident),+) => {$(
        impl sealed::Sealed for $socket {
            async fn wait(&self, interest: Interest) -> io::Result<Ready> {
                self.ready(interest).await
            }

            fn call<R>(
                &self,
                interest: Interest,
                call: impl FnOnce() -> io::Result<R>,
            ) -> io::Result<R> {
                self.try_io(interest, call)
            }
        }

        impl SocketExt for $socket {
            type Kind = $kind;

            fn as_sunpath(&self) -> SocketRef<'_, $kind> {
                SocketRef::from(self)
            }

            async fn send_fd<F: AsFd + Send + Sync>(&self, fd: F) -> io::Result<()> {
                let call = || self.as_sunpath().send_fd(&fd);
                when_ready(self, Interest::WRITABLE, call).await
            }

            async fn recv_fd(&self) -> io::Result<OwnedFd> {
                let call = || self.as_sunpath().recv_fd();
                when_ready(self, Interest::READABLE, call).await
            }

            async fn send_fds<F: AsFd + Sync>(&self, bytes: &[u8], fds: &[F]) -> io::Result<usize> {
                let fds: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
                let call = || send_with_fds(&self.as_sunpath(), bytes, &fds);
                when_ready(self, Interest::WRITABLE, call).await
            }

            async fn recv_fds<const N: usize>(
                &self,
                buf: &mut [u8],
            ) -> io::Result<(Received, [OwnedFd; N])> {
                let call = || self.as_sunpath().recv_fds(buf);
                when_ready(self, Interest::READABLE, call).await
            }

            async fn recv_fds_up_to<const N: usize>(
                &self,
                buf: &mut [u8],
            ) -> io::Result<(Received, Fds<N>)> {
                let call = || self.as_sunpath().recv_fds_up_to(buf);
                when_ready(self, Interest::READABLE, call).await
            }

            async fn sendmsg(
                &self,
                bufs: &[IoSlice<'_>],
                control: &[Control<'_>],
            ) -> io::Result<usize> {
                let call = || self.as_sunpath().sendmsg(bufs, control);
                when_ready(self, Interest::WRITABLE, call).await
            }

            async fn recvmsg<E: Expected>(
                &self,
                bufs: &mut [IoSliceMut<'_>],
            ) -> io::Result<Message<ControlBuffer<E>>> {
                let call = || self.as_sunpath().recvmsg(bufs, ControlBuffer::new());
                when_ready(self, Interest::READABLE, call).await
            }
        }
    )+};
}

extend!(UnixStream: Stream, UnixDatagram: Datagram);

/// Makes a call as soon as the socket is ready, and again each time that it would have to wait.
async fn when_ready<S: sealed::Sealed, R>(
    socket: &S,
    mut interest: Interest,
    mut call: impl FnMut() -> Result<R, Error>,
) -> io::Result<R> {
    // A loop of calls that need not wait lets other tasks run.
    task::consume_budget().await;
    loop {
        let ready = socket.wait(interest).await?;
        match socket.call(interest, || call().map_err(for_readiness)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return done,
        }
        interest = still_open(ready, interest).await?;
    }
}

mod sealed {
    use std::future::Future;
    use std::io;

    use tokio::io::{Interest, Ready};

    /// The methods by which tokio's own types wait. It is implemented only for these.
    pub trait Sealed {
        /// Waits until the socket is ready.
        fn wait(&self, interest: Interest) -> impl Future<Output = io::Result<Ready>> + Send;

        /// Makes a call if the socket is ready. If it would have to wait, the socket is not ready any
        /// more.
        fn call<R>(
            &self,
            interest: Interest,
            call: impl FnOnce() -> io::Result<R>,
        ) -> io::Result<R>;
    }
}
