//! The identity of the peer. A connected peer rarely has a name, but always has credentials.

use core::ffi::c_int;

use super::options::{SO_PEERGROUPS, SO_PEERPIDFD, SO_PEERSEC};
use super::{Kind, Socket};
use crate::error::Error;
use crate::error::{Call, Errno};
use crate::fd::{AsFd, OwnedFd};
use crate::syscall;

/// The credentials of the process at the other end of a connection, recorded when the connection
/// was made.
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
    /// Returns the effective user. In a user namespace, one uid stands for all users that are not
    /// mapped there: 65534, or the uid in `/proc/sys/kernel/overflowuid`. That uid does not prove
    /// who the peer is.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::UnixStream;
    ///
    /// let (server, _client) = UnixStream::pair()?;
    /// let peer = server.peer_cred()?;
    /// println!("user {}, group {}, process {:?}", peer.uid(), peer.gid(), peer.pid());
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    #[must_use]
    pub const fn uid(self) -> u32 {
        self.uid
    }

    /// Returns whether the peer runs as this process's own user, which is the effective user that
    /// this process has now.
    ///
    /// [`Credentials::own`](crate::ancillary::Credentials::own) has the real user, which differs
    /// from the effective user in a set-user-ID program. Do not compare the peer with the real
    /// user.
    ///
    /// In a user namespace that does not map every user, one uid stands for all users that are not mapped.
    /// A peer with that uid is not known to be our own user, even if our own user is not mapped either.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixStream;
    /// let (ours, _theirs) = UnixStream::pair()?;
    /// # if ours.peer_cred()?.uid() == 65534 { return Ok(()) }
    /// assert!(ours.peer_cred()?.is_own_user());
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See geteuid(2), user_namespaces(7).
    #[must_use]
    #[doc(alias = "geteuid")]
    pub fn is_own_user(self) -> bool {
        self.uid == syscall::geteuid() && syscall::stands_for_unmapped(self.uid) == Some(false)
    }

    /// Returns the effective group.
    #[must_use]
    pub const fn gid(self) -> u32 {
        self.gid
    }

    /// Returns the pid of the process. The result is `None` if the process is in another pid
    /// namespace and has no pid in this one, or if the system does not report the pid. FreeBSD
    /// before 13 and DragonFly never report it, and macOS does not after the peer has closed its
    /// socket. macOS reports the process that used the other end last, which need not be the
    /// process that connected.
    ///
    /// Use the pid for a log and not for a decision, because another process can get the same pid
    /// after the peer has ended. The descriptor of [`Socket::peer_pidfd`] always stands for the
    /// same process.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixStream;
    /// let (ours, _theirs) = UnixStream::pair()?;
    /// match ours.peer_cred()?.pid() {
    ///     Some(pid) => println!("process {pid} connected"),
    ///     None => println!("a process that has no pid here connected"),
    /// }
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    #[must_use]
    pub const fn pid(self) -> Option<i32> {
        self.pid
    }
}

/// The peer's identity, as the system reports it.
///
/// The kernel recorded the identity when the connection was made, and does not change it
/// afterwards. A server sees its client as of connect(2), a client sees its server as of the last
/// listen(2), and both ends of a pair see each other as of socketpair(2). The identity therefore
/// does not show which process writes *now*. A process may have dropped its privileges since then,
/// or passed its descriptor to another process.
///
/// A connected datagram socket has no identity of the peer, unless `pair` made it.
impl<T: Kind> Socket<T> {
    /// `getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ...)` — returns the credentials of the peer. The
    /// uid and gid are the effective ids, as this process's user namespace maps them.
    ///
    /// # Errors
    ///
    /// - `ENOTCONN`: there is no peer. Linux itself answers with uid and gid -1, which belong to no
    ///   user, and other systems answer `EINVAL` for a datagram socket.
    ///
    /// # Examples
    ///
    /// The peer of a pair is the process itself:
    ///
    /// ```
    /// # use sunpath::UnixStream;
    /// let (a, _b) = UnixStream::pair()?;
    /// let peer = a.peer_cred()?;
    /// println!("user {}, group {}", peer.uid(), peer.gid());
    /// assert!(peer.is_own_user());
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See unix(7), "SO_PEERCRED".
    #[doc(alias = "SO_PEERCRED")]
    #[doc(alias = "LOCAL_PEERCRED")]
    #[doc(alias = "getpeereid")]
    pub fn peer_cred(&self) -> Result<PeerCred, Error> {
        let (uid, gid, pid) = syscall::peer_ids(self.as_fd()).map_err(no_peer)?;
        match is_nobody(uid, gid) {
            true => Err(Error::new(Call::Getsockopt, Errno::ENOTCONN)),
            false => Ok(PeerCred {
                uid,
                gid,
                pid: visible_pid(pid),
            }),
        }
    }

    /// `getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, ...)` — returns the supplementary groups of the
    /// peer, written into `buf`.
    ///
    /// # Errors
    ///
    /// - `ERANGE`: `buf` has space for fewer groups than the peer has;
    ///   [`peer_group_count`](Self::peer_group_count) returns how many there are.
    /// - `ENOTCONN`: there is no peer.
    /// - `ENOPROTOOPT`: the system does not have the option.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixStream;
    /// let (server, _client) = UnixStream::pair()?;
    /// let mut groups = [0; 64];
    /// match server.peer_groups(&mut groups) {
    ///     Ok(groups) => println!("groups {groups:?}"),
    ///     Err(error) if error.is_unsupported() => println!("this system does not report them"),
    ///     Err(error) => println!("{error}"), // more than 64
    /// }
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See socket(7), "SO_PEERGROUPS".
    #[doc(alias = "SO_PEERGROUPS")]
    pub fn peer_groups<'r>(&self, buf: &'r mut [u32]) -> Result<&'r mut [u32], Error> {
        let filled = syscall::getsockopt_groups(self.as_fd(), SO_PEERGROUPS, buf);
        let filled = filled.map_err(no_peer)?;
        let too_many = Error::new(Call::Getsockopt, Errno::ERANGE);
        buf.get_mut(..filled).ok_or(too_many)
    }

    /// Returns how many supplementary groups the peer has.
    ///
    /// # Errors
    ///
    /// - `ENOTCONN`: there is no peer.
    /// - `ENOPROTOOPT`: the system does not have the option.
    ///
    /// See socket(7), "SO_PEERGROUPS".
    #[doc(alias = "SO_PEERGROUPS")]
    pub fn peer_group_count(&self) -> Result<usize, Error> {
        syscall::getsockopt_size(self.as_fd(), SO_PEERGROUPS)
            .map(|bytes| bytes / size_of::<u32>())
            .map_err(no_peer)
    }

    /// `getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, ...)` — returns a descriptor of the peer's
    /// process.
    ///
    /// The descriptor stands for that process even after the pid was given to another process.
    /// Linux has had the option since 6.5, and since 6.16 also for a peer that was reaped already.
    /// The descriptor is close-on-exec, and becomes readable when the process ends. A process in an
    /// outer pid namespace has a pidfd, too, but cannot be signalled through it.
    ///
    /// # Errors
    ///
    /// - `ENOTCONN`: there is no peer. Linux itself reports `ENODATA`.
    /// - `ESRCH`, `EINVAL`: the process has ended, and this kernel makes no pidfd for a process
    ///   that has ended.
    /// - `EMFILE`, `ENFILE`: no descriptor is free.
    /// - `ENOPROTOOPT`: the system does not have the option.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::UnixListener;
    ///
    /// let listener = UnixListener::bind("/run/app.sock")?;
    /// let (client, _) = listener.accept()?;
    /// let process = client.peer_pidfd()?; // poll(2) reports when the process ends
    /// # drop(process);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See pidfd_open(2), unix(7).
    #[doc(alias = "SO_PEERPIDFD")]
    pub fn peer_pidfd(&self) -> Result<OwnedFd, Error> {
        syscall::getsockopt_fd(self.as_fd(), SO_PEERPIDFD).map_err(no_peer)
    }

    /// `getsockopt(fd, SOL_SOCKET, SO_PEERSEC, ...)` — returns the peer's security label (an
    /// SELinux context, an AppArmor profile), written into `buf` without a NUL at its end.
    ///
    /// # Errors
    ///
    /// - `ERANGE`: the label is longer than `buf`.
    /// - `ENOPROTOOPT`: no security module labels sockets, or the system does not have the option.
    ///
    /// See unix(7), "SO_PEERSEC".
    #[doc(alias = "SO_PEERSEC")]
    pub fn peer_security<'r>(&self, buf: &'r mut [u8]) -> Result<&'r mut [u8], Error> {
        let filled = syscall::getsockopt_bytes(self.as_fd(), SO_PEERSEC, buf)?;
        let too_long = Error::new(Call::Getsockopt, Errno::ERANGE);
        match buf.get_mut(..filled).ok_or(too_long)? {
            [rest @ .., 0] => Ok(rest),
            label => Ok(label),
        }
    }
}

/// The errno by which an option about the peer reports that there is no peer, on systems where that
/// errno is not `ENOTCONN`. The BSDs and macOS report `EINVAL` for a socket that is not of type
/// `SOCK_STREAM`.
#[cfg(have_so_peercred)]
const NO_PEER: c_int = sunpath_sys::ENODATA;
#[cfg(not(have_so_peercred))]
const NO_PEER: c_int = sunpath_sys::EINVAL;

/// Translates the kernel's answer for a socket without a peer into the errno that every other call
/// reports.
fn no_peer(error: Error) -> Error {
    no_peer_if(NO_PEER, error)
}

fn no_peer_if(errno: c_int, error: Error) -> Error {
    match error.errno().raw() == errno {
        true => Error::new(error.call(), Errno::ENOTCONN),
        false => error,
    }
}

/// Returns whether both ids are -1, which Linux reports where there is no peer.
const fn is_nobody(uid: u32, gid: u32) -> bool {
    uid == u32::MAX && gid == u32::MAX
}

/// Returns the pid, or `None` if it is 0, which means that the process has no pid in this pid
/// namespace.
fn visible_pid(pid: c_int) -> Option<i32> {
    (pid != 0).then_some(pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peer_that_is_absent_is_enotconn_on_every_system() {
        let asked = |errno| Error::new(Call::Getsockopt, errno);
        let (absent, denied) = (asked(Errno::ENOTCONN), asked(Errno::EPERM));
        for errno in [Errno::EINVAL, Errno::ENOMSG] {
            assert_eq!(no_peer_if(errno.raw(), asked(errno)), absent);
            assert_eq!(no_peer_if(errno.raw(), absent), absent);
            assert_eq!(no_peer_if(errno.raw(), denied), denied);
        }
    }

    #[test]
    fn peer_is_nobody_where_both_numbers_are_minus_one() {
        assert!(is_nobody(u32::MAX, u32::MAX));
        for (uid, gid) in [(u32::MAX, 0), (0, u32::MAX), (0, 0)] {
            assert!(!is_nobody(uid, gid));
        }
    }
}
