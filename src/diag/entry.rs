//! What the kernel reports about one socket.

use core::ffi::c_int;

use sunpath_sys as sys;

use crate::addr::UnixAddr;
use crate::socket::Shutdown;

/// The kind of a socket, as `SO_TYPE` reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SocketKind {
    /// `SOCK_STREAM`
    Stream,
    /// `SOCK_DGRAM`
    Datagram,
    /// `SOCK_SEQPACKET`
    Seqpacket,
    /// A number that this version does not know.
    Other(u8),
}

impl SocketKind {
    pub(super) const fn from_raw(number: u8) -> Self {
        match number as c_int {
            sys::SOCK_STREAM => Self::Stream,
            sys::SOCK_DGRAM => Self::Datagram,
            sys::SOCK_SEQPACKET => Self::Seqpacket,
            _ => Self::Other(number),
        }
    }
}

/// The state of a socket. The kernel reports it as the number of one of TCP's states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// `TCP_CLOSE`: the socket has no peer, and does not listen. It may be bound: a stream socket
    /// before listen(2), or a datagram socket that receives from everybody.
    Unconnected,
    /// `TCP_LISTEN`: the socket listens. It stays in this state if it is shut down.
    Listening,
    /// `TCP_ESTABLISHED`: the socket has or had a peer. It stays in this state if the peer is closed.
    /// A datagram socket is also in this state, without a peer, since another one connected to it.
    Connected,
    /// A number that this version does not know.
    Other(u8),
}

impl State {
    const ESTABLISHED: u8 = 1;
    const CLOSE: u8 = 7;
    const LISTEN: u8 = 10;

    pub(super) const fn from_raw(number: u8) -> Self {
        match number {
            Self::ESTABLISHED => Self::Connected,
            Self::CLOSE => Self::Unconnected,
            Self::LISTEN => Self::Listening,
            _ => Self::Other(number),
        }
    }

    /// Returns the bit of this state in a request. The result is 0 if the state's number has no
    /// bit.
    pub(super) const fn bit(self) -> u32 {
        let number = match self {
            Self::Connected => Self::ESTABLISHED,
            Self::Unconnected => Self::CLOSE,
            Self::Listening => Self::LISTEN,
            Self::Other(number) => number,
        };
        match 1_u32.checked_shl(number as u32) {
            Some(bit) => bit,
            None => 0,
        }
    }
}

/// The peer of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// The socket has no peer.
    None,
    /// The peer has this inode, by which its own entry is found.
    Inode(u32),
    /// The peer has no inode. Either the server has not accepted this connection yet, and then
    /// [`waiting`](crate::diag::waiting()) of the listener has this socket's inode, or the peer is
    /// closed. If the peer of a stream or seqpacket socket is closed, [`Entry::shutdown`] is
    /// [`Both`](Shutdown::Both).
    NoInode,
}

/// The queue of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Queue {
    /// The clients of a listener.
    Clients {
        /// The number of clients that wait to be accepted.
        waiting: u32,
        /// The backlog that listen(2) was called with, or `net.core.somaxconn` if that is less. The
        /// queue is full when more than this many clients wait.
        backlog: u32,
    },
    /// The bytes of a socket that does not listen.
    Bytes {
        /// The number of bytes that can be read at once, as `SIOCINQ` reports it: all that arrived
        /// on a stream or seqpacket socket, and the next message alone on a datagram socket.
        unread: u32,
        /// The memory, in bytes, of what was sent and not received yet, as `SIOCOUTQ` reports it. It
        /// is more than was sent: 3 bytes take 768 on a 64-bit system.
        unsent: u32,
    },
}

/// The identity of the file that a socket is bound to.
///
/// The kernel reports the identity that the file had when the socket was bound, even after the file
/// was renamed, removed or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "unix_diag_vfs")]
pub struct FileId {
    /// The kernel's own form: 12 bits of major number, 20 bits of minor number.
    pub(super) device: u32,
    pub(super) inode: u32,
}

impl FileId {
    /// Returns the device in the form of stat(2), as `st_dev`. On Btrfs, and on file systems that
    /// consist of layers, stat(2) reports another device than this one.
    #[must_use]
    #[doc(alias = "makedev")]
    pub const fn device(self) -> u64 {
        let (major, minor) = (self.device >> 20, self.device & 0xf_ffff);
        // The C libraries of Linux agree on this form for numbers of these sizes.
        ((major << 8) | (minor & 0xff) | ((minor & !0xff) << 12)) as u64
    }

    /// Returns the lower 32 bits of the inode's number, because the kernel reports no more.
    #[must_use]
    pub const fn inode(self) -> u32 {
        self.inode
    }

    /// Returns whether these are the device and the inode that stat(2) reports for the file. Only
    /// the lower 32 bits of the inode are compared.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::os::unix::fs::MetadataExt;
    /// use sunpath::diag;
    ///
    /// # let path = std::env::temp_dir().join(format!("sunpath-file-id-{}", std::process::id()));
    /// let listener = sunpath::UnixListener::bind(&path)?;
    /// let file = std::fs::metadata(&path)?;
    /// let mut buf = [0; diag::BUFFER];
    /// # match diag::list(&mut buf) { Err(error) if error.is_unsupported() => return Ok(()), _ => {} }
    /// for socket in diag::list(&mut buf)? {
    ///     if socket?.file().is_some_and(|id| id.matches(file.dev(), file.ino())) {
    ///         println!("a process of this network namespace holds the file's socket");
    ///     }
    /// }
    /// # std::fs::remove_file(&path)?;
    /// # Ok(()) }
    /// # #[cfg(not(feature = "std"))] fn main() {}
    /// ```
    #[must_use]
    pub const fn matches(self, device: u64, inode: u64) -> bool {
        self.device() == device && self.inode == inode as u32
    }
}

/// `struct unix_diag_msg` with its attributes — a socket in the list of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "unix_diag_msg")]
pub struct Entry {
    pub(super) addr: UnixAddr,
    pub(super) kind: SocketKind,
    pub(super) state: State,
    pub(super) inode: u32,
    pub(super) cookie: u64,
    pub(super) peer: Peer,
    pub(super) file: Option<FileId>,
    pub(super) queue: Queue,
    pub(super) uid: Option<u32>,
    pub(super) shutdown: Option<Shutdown>,
}

impl Entry {
    /// Returns the address that the socket is bound to, as getsockname(2) reports it. A path may
    /// lead to another file by now, and a relative path begins at a directory that is not known.
    #[must_use]
    #[doc(alias = "UNIX_DIAG_NAME")]
    pub const fn addr(&self) -> UnixAddr {
        self.addr
    }

    /// Returns the kind.
    #[must_use]
    pub const fn kind(&self) -> SocketKind {
        self.kind
    }

    /// Returns the state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Returns the inode of the socket itself, which differs from the inode of its file. fstat(2)
    /// of a descriptor reports it, and the links in `/proc/<pid>/fd` have it: `socket:[<inode>]`.
    #[must_use]
    #[doc(alias = "udiag_ino")]
    pub const fn inode(&self) -> u32 {
        self.inode
    }

    /// Returns a number that no other socket gets until the next boot. (An inode's number is used
    /// again.)
    #[must_use]
    #[doc(alias = "udiag_cookie")]
    pub const fn cookie(&self) -> u64 {
        self.cookie
    }

    /// Returns the peer.
    #[must_use]
    #[doc(alias = "UNIX_DIAG_PEER")]
    pub const fn peer(&self) -> Peer {
        self.peer
    }

    /// Returns the identity of the file that the socket is bound to. It is `None` for an abstract
    /// name, and for a socket without a name. An accepted socket has the file of its listener.
    #[must_use]
    #[doc(alias = "UNIX_DIAG_VFS")]
    pub const fn file(&self) -> Option<FileId> {
        self.file
    }

    /// Returns the length of the queue: clients for a listener, and bytes for every other socket.
    #[must_use]
    #[doc(alias = "UNIX_DIAG_RQLEN")]
    pub const fn queue(&self) -> Queue {
        self.queue
    }

    /// Returns the user that owns the socket, who is the effective user of the process at socket(2)
    /// or, for an accepted socket, at accept(2). It is `None` before Linux 5.3. A user that is not
    /// mapped in this user namespace is reported as 65534.
    #[must_use]
    #[doc(alias = "UNIX_DIAG_UID")]
    pub const fn uid(&self) -> Option<u32> {
        self.uid
    }

    /// Returns which directions of the socket are shut down, by this end or by the other one. It is
    /// `None` if neither is.
    #[must_use]
    #[doc(alias = "UNIX_DIAG_SHUTDOWN")]
    pub const fn shutdown(&self) -> Option<Shutdown> {
        self.shutdown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diag_device_is_that_of_stat() {
        for (major, minor) in [
            (0, 0),
            (8, 1),
            (254, 255),
            (255, 256),
            (4095, 0xf_ffff),
            (1, 0x1234),
        ] {
            let device = (major << 20) | minor;
            let id = FileId { device, inode: 7 };
            #[cfg(have_sock_diag)]
            assert_eq!(id.device(), libc::makedev(major, minor));
            assert!(id.matches(id.device(), 7));
            assert!(
                id.matches(id.device(), 7 + (5 << 32)),
                "32 bits of the inode"
            );
            assert!(!id.matches(id.device(), 8));
            assert!(!id.matches(id.device() + 1, 7));
        }
    }

    #[test]
    fn diag_state_has_the_bit_of_its_number() {
        for number in 0..=u8::MAX {
            let bit = 1_u64 << (number % 64);
            let expected = if number < 32 { bit as u32 } else { 0 };
            assert_eq!(State::from_raw(number).bit(), expected, "{number}");
        }
        assert_eq!(State::Listening.bit(), 1 << 10);
    }
}
