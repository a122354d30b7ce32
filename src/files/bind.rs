//! Binds with options for the file: its mode and owner, its removal, and what happens to a file
//! that exists already.

// rustdoc shows the methods in the order of these lines, so this one comes first.
mod options;

mod access;
mod addr;
mod adopt;
mod bound;
mod errors;
mod file;
mod holder;
mod make;
mod parts;
mod private;
mod remove;
mod returned;
mod sample;
mod stale;
#[cfg(feature = "std")]
mod sweep;
mod turn;

use core::ffi::c_int;

use crate::socket::{Connected, Datagram, Kind, Listener, Socket, UnixDatagram};

use self::access::Access;
pub use self::bound::Bound;
pub use self::holder::holder;
pub use self::parts::SocketFile;
pub use self::returned::ReturnedError;
pub use self::stale::{Liveness, probe};
#[cfg(feature = "std")]
pub use self::sweep::{StaleFile, StaleFiles, stale_in};

/// The policy for a file that exists at the path.
///
/// The page `docs/socket-files.md` of the repository lists every system call of the three policies,
/// and what a crash at each of these calls leaves behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Existing {
    /// Bind fails with `EADDRINUSE`, exactly as in C.
    #[default]
    Refuse,
    /// Bind replaces a socket file that is proved dead, and no other file. This policy is for a
    /// daemon that runs once and may have been killed.
    ///
    /// If several processes start at once, exactly one succeeds, and the others get `EADDRINUSE`.
    /// The processes compete for a lock file of mode 0600 beside the socket, by flock(2). The lock
    /// is held as long as the socket is open, in forked children too, and the kernel releases it
    /// when the last of them dies, so the lock is never stale. The lock file is removed with the
    /// socket file, and stays if the process was killed, or if another program made it.
    /// [`BindOptions::lock`] can turn the lock off. The lock file's name is `<name>.lock`. If the
    /// name has over 250 bytes, `.lock` does not fit after it, and the lock file's name is
    /// `.sunpath-`, a hash of the name in 16 hexadecimal digits, and `.lock`.
    ///
    /// The lock keeps out only processes that ask for it. The proof protects every server, whatever
    /// library it uses. This process connects a datagram socket to the file. If any process holds a
    /// stream or seqpacket socket that is bound to the file, the answer is `EPROTOTYPE`, even
    /// before listen(2) and with a full backlog, and the server does not notice the test. Only
    /// `ECONNREFUSED` proves that the file is dead, and only on a kernel that answers differently
    /// for a live socket. Before a file is removed, this process therefore binds its own stream
    /// socket beside the file, under a temporary name, and makes the same test with that socket. If
    /// that live socket looks dead too, nothing is proved, and bind fails with `EADDRINUSE`.
    ///
    /// The following files are never touched: a file that is not a socket; a symbolic link and its
    /// target; a file without write permission for this process, because the process may not test
    /// that file (`EACCES`).
    ///
    /// A kernel knows only its own processes. On a file system that is shared by several machines,
    /// or by a guest and its host, a server on the other side looks dead. Through another layer of
    /// an overlay file system a live server looks dead too.
    ReplaceStale,
    /// Bind takes the path over from the process that has it, without an instant in which nobody
    /// listens. This policy is for a new version of a running server, for example.
    ///
    /// The socket is bound to a temporary name beside the path, `.sunpath-` and 16 hexadecimal
    /// digits, and listens. The file of the new socket is then swapped with the socket file at the
    /// path, which may be live or dead. The old file is removed. Clients that connected before stay
    /// in the old server's queue. Clients that look the path up afterwards reach the new server. No
    /// client is ever refused because the socket does not listen yet. The old server, if it uses
    /// this crate, leaves the new file alone when it ends. If the file at the path is not a socket,
    /// or is a symbolic link, bind fails with `EADDRINUSE`, and the file stays. (Where a file
    /// system cannot swap files, and on systems other than Linux and macOS, rename(2) is called
    /// instead. A file that another program puts there between the check and the rename is lost.)
    ///
    /// The old server should keep accepting for a moment, until no client waits, before it closes
    /// its listener. connect(2) first looks the path up and then takes its place in the queue. If
    /// the listener is closed when a client is between these two steps, the client is refused
    /// (`ECONNREFUSED`). A client that waits in the queue at that moment is reset. No call reports
    /// that the last client has connected. Tens of milliseconds are plenty unless the machine is
    /// stalled.
    ///
    /// getsockname(2), getpeername(2) of the clients and `/proc/net/unix` report the temporary name and
    /// not the path: [`Bound::addr`] has the path. A program that removes the sockets in `/tmp` whose
    /// path is not in `/proc/net/unix` therefore removes this one; `ReplaceStale` binds the path itself.
    /// Nothing is locked: if two processes take over at once, the last one has the path.
    Takeover,
}

/// The lock that [`Existing::ReplaceStale`] takes, so that exactly one of several processes that
/// start at once succeeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lock {
    /// The file `<name>.lock` beside the socket file, for as long as the socket is open.
    ///
    /// The lock file has mode 0600 and the sticky bit, by which every process of this crate
    /// recognizes it. A lock file without that bit belongs to another program. The other program's
    /// file is locked, but neither changed nor removed, because the other program may wait for the
    /// lock of this very file. (Where the sticky bit is not kept, the process that made the file
    /// removes it.)
    #[default]
    Beside,
    /// Nothing is locked. Use this if the program holds a lock of its own, must not have another
    /// file in the directory, or may not make regular files there.
    ///
    /// Two protections remain: the proof that a file is dead, which is made twice, and turns: while
    /// a process of this crate replaces a file, it holds a lock on the directory. As long as each
    /// process can get its turn, exactly one of several that start at once succeeds. A process
    /// cannot get its turn if it may not read the directory, or if another process keeps the
    /// directory locked for over 50 ms. Then a server that has just bound can lose its file: a
    /// second process moves the file aside to look at it, and a third one binds in that instant.
    None,
}

/// Options for binding a socket to a path. The socket file has the right mode from the beginning,
/// is removed at the end, and does not prevent the next start.
///
/// # Examples
///
/// A daemon to which only its user may connect. The following daemon starts again after a crash,
/// cannot be started twice, and removes its file:
///
/// ```
/// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sunpath::{BindOptions, UnixStream};
///
/// # let dir = std::path::PathBuf::from(format!("/tmp/sunpath-bind-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// # let path = dir.join("app.sock");
/// let options = BindOptions::singleton();
/// let listener = options.listen(&path)?;
///
/// let client = UnixStream::connect(&path)?;
/// let (server, _) = listener.accept()?;
/// assert!(options.listen(&path).unwrap_err().in_use().is_some()); // one is running
///
/// listener.close_and_unlink()?; // dropping it does the same, in silence
/// assert!(!path.exists());
/// # std::fs::remove_dir(&dir)?;
/// # Ok(()) }
/// # #[cfg(not(feature = "std"))] fn main() {}
/// ```
///
/// # Fork and exec
///
/// Only the process that bound the socket removes the file. A child that continues as the daemon
/// calls [`Bound::adopt`], and the parent must then end by `_exit`: if the parent returns from
/// `main`, its own [`Bound`] is dropped and removes the file that the child still serves. A program
/// that is executed inherits the socket without a [`Bound`], and [`adopt`](Self::adopt) takes the
/// file over.
#[derive(Clone, Copy, Debug)]
pub struct BindOptions {
    access: Access,
    backlog: c_int,
    unlink_on_drop: bool,
    existing: Existing,
    lock: Lock,
    reachable: bool,
    pass_credentials: bool,
}

impl Default for BindOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// The types that [`BindOptions::bind_at`] makes: a [`UnixListener`](crate::UnixListener), [`UnixSeqpacketListener`](crate::UnixSeqpacketListener) or
/// [`UnixDatagram`].
pub trait Bindable: sealed::Sealed + Sized {
    /// The socket's kind.
    #[doc(hidden)]
    type Kind: Kind;
    /// `true` if the socket listens.
    #[doc(hidden)]
    const LISTENS: bool;
    /// Wraps a socket that is bound, and that listens if `LISTENS` is true.
    #[doc(hidden)]
    fn from_socket(socket: Socket<Self::Kind>) -> Self;
}

impl<T: Connected> Bindable for Listener<T> {
    type Kind = T;
    const LISTENS: bool = true;

    fn from_socket(socket: Socket<T>) -> Self {
        Self::from_listening(socket)
    }
}

impl Bindable for UnixDatagram {
    type Kind = Datagram;
    const LISTENS: bool = false;

    fn from_socket(socket: Self) -> Self {
        socket
    }
}

mod sealed {
    use super::{Connected, Listener, UnixDatagram};

    /// Implemented only here, because the kernel decides which kinds of socket exist.
    pub trait Sealed {}

    impl<T: Connected> Sealed for Listener<T> {}
    impl Sealed for UnixDatagram {}
}
