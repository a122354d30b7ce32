//! Who is on the other end. A peer nearly always has no name; what it has is credentials.

use crate::error::Error;
use crate::fd::{AsFd, BorrowedFd};
use crate::socket::{Connected, Socket};
use crate::syscall;

/// The credentials of the process at the other end of a connection, as they were when it was made.
///
/// See [`Socket::peer_cred`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "ucred")]
#[doc(alias = "xucred")]
pub struct PeerCred {
    uid: u32,
    gid: u32,
    pid: Option<i32>,
}

impl PeerCred {
    /// The effective user.
    #[must_use]
    pub const fn uid(self) -> u32 {
        self.uid
    }

    /// The effective group.
    #[must_use]
    pub const fn gid(self) -> u32 {
        self.gid
    }

    /// The process; `None` where it has no number that is visible here (it lives in another pid
    /// namespace), or where the system does not say.
    ///
    /// A number outlives its process and can be given to another: it is good for a log, not for a
    /// decision.
    #[must_use]
    pub const fn pid(self) -> Option<i32> {
        self.pid
    }
}

impl<T: Connected> Socket<T> {
    /// `getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ...)` — the credentials of the peer.
    ///
    /// They are those of the process that called connect(2), or listen(2), or socketpair(2), at
    /// that time, and do not change afterwards: not when it drops its privileges, not when another
    /// process inherits its descriptor and writes. The system vouches for them. Effective ids, in
    /// terms of the caller's user namespace.
    ///
    /// # Errors
    ///
    /// - `ENOTCONN`: there is no peer. Linux itself answers with uid and gid -1, which is nobody.
    /// - `EOPNOTSUPP`, `ENOPROTOOPT`: the system has no such option.
    ///
    /// # Examples
    ///
    /// The peer of a pair is the process itself:
    ///
    /// ```
    /// # use sunpath::UnixStream;
    /// let (a, b) = UnixStream::pair()?;
    /// assert_eq!(a.peer_cred()?, b.peer_cred()?);
    /// # #[cfg(target_os = "linux")]
    /// assert_eq!(a.peer_cred()?.pid(), Some(std::process::id() as i32));
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See unix(7), "SO_PEERCRED".
    #[doc(alias = "SO_PEERCRED")]
    #[doc(alias = "LOCAL_PEERCRED")]
    #[doc(alias = "getpeereid")]
    pub fn peer_cred(&self) -> Result<PeerCred, Error> {
        peer_cred(self.as_fd())
    }
}

#[cfg(have_so_peercred)]
fn peer_cred(fd: BorrowedFd<'_>) -> Result<PeerCred, Error> {
    use crate::error::{Call, Errno};
    use sunpath_sys::{SO_PEERCRED, ucred};

    let ucred { pid, uid, gid } = syscall::getsockopt(fd, SO_PEERCRED)?;
    if uid == u32::MAX && gid == u32::MAX {
        return Err(Error::new(Call::Getsockopt, Errno::ENOTCONN));
    }
    Ok(PeerCred {
        uid,
        gid,
        pid: (pid != 0).then_some(pid),
    })
}

#[cfg(not(have_so_peercred))]
fn peer_cred(fd: BorrowedFd<'_>) -> Result<PeerCred, Error> {
    let (uid, gid) = syscall::getpeereid(fd)?;
    #[cfg(have_local_peerpid)]
    let pid = {
        use sunpath_sys::{LOCAL_PEERPID, SOL_LOCAL};
        syscall::getsockopt_at(fd, SOL_LOCAL, LOCAL_PEERPID)?
    };
    #[cfg(not(have_local_peerpid))]
    let pid = 0;
    Ok(PeerCred {
        uid,
        gid,
        pid: (pid != 0).then_some(pid),
    })
}
