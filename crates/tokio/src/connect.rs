//! Connects, and waits for a place in a full queue.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use sunpath::error::{Errno, Error};
use sunpath::files::AsPathname;
use sunpath::socket::Connected;
use sunpath::{CWD, ConnectOptions, Seqpacket, Stream, UnixAddr};
use tokio::task::{self, AbortHandle};
use tokio::time::{self, Instant};

use crate::joined;
use crate::socket::Socket;

/// How long one call of connect(2) waits for a place in a full queue.
const SLICE: Duration = Duration::from_millis(20);

/// The first pause between two tries when there is no server, and the longest one.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(100));

/// Declares methods for each kind that connects, because rustdoc shows all methods of a generic impl on
/// the page of every alias.
macro_rules! connects {
    ($($kind:ident)+) => {$(
        /// Methods that connect.
        ///
        /// The first attempt does not block, and nearly always succeeds. If the listener's queue is full
        /// (`EAGAIN`), there is nothing that a runtime could poll for, because a nonblocking connect(2) has then
        /// begun nothing. The attempts that follow are therefore made in a thread that may block, each for at
        /// most 20 milliseconds, and the kernel wakes those who wait in their order. What is returned is always
        /// connected.
        ///
        /// Cancelling it ends within 20 milliseconds. If the thread connects in that time, the server accepts a
        /// client that has closed already.
        impl Socket<$kind> {
            /// `connect(fd, addr, len)` — makes a socket that is connected to the one that listens at a path of
            /// any length. It waits for a place in a full queue.
            ///
            /// # Errors
            ///
            /// - `ENOENT`, `EINVAL`, `ENAMETOOLONG`: the path is empty, has a NUL, or has a component of over 255
            ///   bytes.
            /// - `ENOENT`, `ENOTDIR`, `ELOOP`: no such path.
            /// - `ECONNREFUSED`: nobody listens there.
            /// - `EACCES`, `EPROTOTYPE`, `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for
            ///   [`ConnectOptions::connect`].
            /// - `ENOSPC`: the runtime cannot watch one more socket.
            ///
            /// # Panics
            ///
            /// Panics in a runtime without `enable_io`.
            ///
            /// # Examples
            ///
            /// ```no_run
            /// # #[tokio::main(flavor = "current_thread")]
            /// # async fn main() -> std::io::Result<()> {
            /// use sunpath_tokio::UnixStream;
            ///
            /// let stream = UnixStream::connect("/run/app.sock").await?;
            /// println!("a server of user {}", stream.peer_cred()?.uid());
            /// # Ok(()) }
            /// ```
            ///
            /// See connect(2), unix(7).
            pub async fn connect(path: impl AsPathname) -> io::Result<Self> {
                Self::connect_with(&ConnectOptions::new(), path).await
            }

            /// `connect(fd, addr, len)` — makes a socket that is connected to the one that listens at an
            /// address.
            ///
            /// # Errors
            ///
            /// - `ENOENT`, `ECONNREFUSED`, `EACCES` and others: as for [`connect`](Self::connect).
            pub async fn connect_addr(addr: &UnixAddr) -> io::Result<Self> {
                Self::connect_addr_with(&ConnectOptions::new(), addr).await
            }

            /// `connectat(dir, fd, addr, len)` — makes a socket that is connected to the one that listens at a
            /// path, which begins at an open directory.
            ///
            /// # Errors
            ///
            /// - `ENOENT`, `ECONNREFUSED`, `EACCES` and others: as for [`connect`](Self::connect).
            pub async fn connect_at(dir: impl AsFd, path: impl AsPathname) -> io::Result<Self> {
                Self::connect_at_with(&ConnectOptions::new(), dir, path).await
            }

            /// Connects to a path under conditions: within a time limit, to one user's server alone, or to a
            /// server that has not started yet.
            ///
            /// # Errors
            ///
            /// - `ETIMEDOUT`: the queue was full until the timeout had passed.
            /// - `EPERM`: another user runs the server.
            /// - `EINVAL`: the uid that is required stands for several users here.
            /// - `ENOENT`, `ECONNREFUSED`, `EACCES` and others: as for [`connect`](Self::connect).
            ///
            /// # Panics
            ///
            /// Panics in a runtime without `enable_io`, and if it has to wait for a server in one without
            /// `enable_time`.
            ///
            /// # Examples
            ///
            /// ```no_run
            /// # #[tokio::main(flavor = "current_thread")]
            /// # async fn main() -> std::io::Result<()> {
            /// use std::time::Duration;
            /// use sunpath::ConnectOptions;
            /// use sunpath_tokio::UnixStream;
            ///
            /// let options = ConnectOptions::new()
            ///     .timeout(Duration::from_secs(5))
            ///     .wait_for_server(true)
            ///     .require_own_user();
            /// let stream = UnixStream::connect_with(&options, "/run/app.sock").await?;
            /// # drop(stream);
            /// # Ok(()) }
            /// ```
            pub async fn connect_with(options: &ConnectOptions, path: impl AsPathname) -> io::Result<Self> {
                Self::connect_at_with(options, CWD, path).await
            }

            /// Connects under conditions to a path that begins at an open directory.
            ///
            /// # Errors
            ///
            /// - `ETIMEDOUT`, `EPERM`, `EINVAL`, `ENOENT`, `ECONNREFUSED`, `EACCES` and others: as for
            ///   [`connect_with`](Self::connect_with).
            pub async fn connect_at_with(
                options: &ConnectOptions,
                dir: impl AsFd,
                path: impl AsPathname,
            ) -> io::Result<Self> {
                let to = Target::Path(dir.as_fd(), path.as_pathname());
                connect(options, to).await
            }

            /// Connects under conditions to an address.
            ///
            /// # Errors
            ///
            /// - `ETIMEDOUT`, `EPERM`, `EINVAL`, `ENOENT`, `ECONNREFUSED`, `EACCES` and others: as for
            ///   [`connect_with`](Self::connect_with).
            pub async fn connect_addr_with(options: &ConnectOptions, addr: &UnixAddr) -> io::Result<Self> {
                connect(options, Target::Addr(addr)).await
            }
        }
    )+};
}

connects!(Stream Seqpacket);

/// The place to connect to.
#[derive(Clone, Copy)]
enum Target<'a> {
    Path(BorrowedFd<'a>, &'a [u8]),
    Addr(&'a UnixAddr),
}

/// The place to connect to, for another thread. The working directory is `None`.
#[derive(Debug)]
enum OwnedTarget {
    Path(Option<OwnedFd>, Vec<u8>),
    Addr(UnixAddr),
}

impl Target<'_> {
    fn to_owned(self) -> io::Result<OwnedTarget> {
        Ok(match self {
            Self::Addr(addr) => OwnedTarget::Addr(*addr),
            Self::Path(dir, path) => {
                let is_cwd = dir.as_raw_fd() == CWD.as_raw_fd();
                let dir = (!is_cwd).then(|| dir.try_clone_to_owned()).transpose()?;
                OwnedTarget::Path(dir, path.to_vec())
            }
        })
    }
}

async fn connect<T: Connected>(options: &ConnectOptions, to: Target<'_>) -> io::Result<Socket<T>> {
    let limit = options.time_limit();
    // A limit that is too long for the clock is none.
    let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    if limit == Some(Duration::ZERO) {
        return Err(Errno::ETIMEDOUT.into());
    }
    let mut pause = PAUSES.0;
    loop {
        let attempt = match to {
            Target::Path(dir, path) => options.try_connect_at::<T>(dir, path),
            Target::Addr(addr) => options.try_connect_addr::<T>(addr),
        };
        let error = match attempt {
            Ok(socket) => return Socket::connected(socket),
            Err(error) if error.is_would_block() => {
                match wait_for_a_place(options, to, deadline).await? {
                    Ok(socket) => {
                        socket.set_nonblocking(true)?;
                        return Socket::connected(socket);
                    }
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
        if !options.waits_for_server() || !is_absent(error) || left == Some(Duration::ZERO) {
            return Err(error.into());
        }
        // A pause lasts at most half of the time that is left, so the last attempt is made just before
        // the end.
        let half = left.map_or(pause, |left| (left / 2).max(PAUSES.0));
        time::sleep(pause.min(half)).await;
        pause = PAUSES.1.min(pause * 2);
    }
}

/// Connects in a thread that may block, slice after slice, until it is connected, has failed or is late.
async fn wait_for_a_place<T: Connected>(
    options: &ConnectOptions,
    to: Target<'_>,
    deadline: Option<Instant>,
) -> io::Result<Result<sunpath::Socket<T>, Error>> {
    loop {
        let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
        let slice = left.map_or(SLICE, |left| left.min(SLICE));
        let once = options.timeout(slice).wait_for_server(false);
        let to = to.to_owned()?;
        let attempt = task::spawn_blocking(move || match to {
            OwnedTarget::Addr(addr) => once.connect_addr(&addr),
            OwnedTarget::Path(None, path) => once.connect_at(CWD, &path[..]),
            OwnedTarget::Path(Some(dir), path) => once.connect_at(dir, &path[..]),
        });
        let _cancelled = Cancelled(attempt.abort_handle());
        match joined(attempt).await? {
            Err(error)
                if error.errno() == Errno::ETIMEDOUT && left.is_none_or(|left| left > SLICE) => {}
            done => return Ok(done),
        }
    }
}

/// When it is dropped, a call whose thread has not begun is not made any more.
struct Cancelled(AbortHandle);

impl Drop for Cancelled {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Returns whether there is no server: no socket file, or no process that listens. An empty path does
/// not mean that, although its errno is `ENOENT`.
fn is_absent(error: Error) -> bool {
    error.sun_path().is_none() && matches!(error.errno(), Errno::ENOENT | Errno::ECONNREFUSED)
}
