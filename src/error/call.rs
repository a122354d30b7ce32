//! The calls that can fail, by their names in C.

use core::fmt;

/// The call of the system that failed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Call {
    /// accept(2) or accept4(2).
    Accept,
    /// bind(2).
    Bind,
    /// connect(2).
    Connect,
    /// fchmod(2).
    Fchmod,
    /// fchmodat(2).
    Fchmodat,
    /// fchownat(2).
    Fchownat,
    /// fcntl(2).
    Fcntl,
    /// flock(2).
    Flock,
    /// fstat(2).
    Fstat,
    /// fstatat(2).
    Fstatat,
    /// getcwd(3).
    Getcwd,
    /// getpeername(2).
    Getpeername,
    /// getrandom(2).
    Getrandom,
    /// getsockname(2).
    Getsockname,
    /// getsockopt(2), or what the system has in its place.
    Getsockopt,
    /// ioctl(2).
    Ioctl,
    /// linkat(2).
    Linkat,
    /// listen(2).
    Listen,
    /// mkdirat(2).
    Mkdirat,
    /// openat(2).
    Openat,
    /// poll(2).
    Poll,
    /// readlinkat(2), or what the system has in its place.
    Readlinkat,
    /// readv(2).
    Readv,
    /// recv(2).
    Recv,
    /// recvfrom(2).
    Recvfrom,
    /// recvmmsg(2).
    Recvmmsg,
    /// recvmsg(2).
    Recvmsg,
    /// renameat(2) or renameat2(2).
    Renameat,
    /// send(2).
    Send,
    /// sendmmsg(2).
    Sendmmsg,
    /// sendmsg(2).
    Sendmsg,
    /// sendto(2).
    Sendto,
    /// setsockopt(2).
    Setsockopt,
    /// shutdown(2).
    Shutdown,
    /// None yet: the making of a `struct sockaddr_un`.
    SockaddrUn,
    /// socket(2).
    Socket,
    /// socketpair(2).
    Socketpair,
    /// symlinkat(2).
    Symlinkat,
    /// unlinkat(2).
    Unlinkat,
}

impl Call {
    /// The name of the call in C.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Bind => "bind",
            Self::Connect => "connect",
            Self::Fchmod => "fchmod",
            Self::Fchmodat => "fchmodat",
            Self::Fchownat => "fchownat",
            Self::Fcntl => "fcntl",
            Self::Flock => "flock",
            Self::Fstat => "fstat",
            Self::Fstatat => "fstatat",
            Self::Getcwd => "getcwd",
            Self::Getpeername => "getpeername",
            Self::Getrandom => "getrandom",
            Self::Getsockname => "getsockname",
            Self::Getsockopt => "getsockopt",
            Self::Ioctl => "ioctl",
            Self::Linkat => "linkat",
            Self::Listen => "listen",
            Self::Mkdirat => "mkdirat",
            Self::Openat => "openat",
            Self::Poll => "poll",
            Self::Readlinkat => "readlinkat",
            Self::Readv => "readv",
            Self::Recv => "recv",
            Self::Recvfrom => "recvfrom",
            Self::Recvmmsg => "recvmmsg",
            Self::Recvmsg => "recvmsg",
            Self::Renameat => "renameat",
            Self::Send => "send",
            Self::Sendmmsg => "sendmmsg",
            Self::Sendmsg => "sendmsg",
            Self::Sendto => "sendto",
            Self::Setsockopt => "setsockopt",
            Self::Shutdown => "shutdown",
            Self::SockaddrUn => "sockaddr_un",
            Self::Socket => "socket",
            Self::Socketpair => "socketpair",
            Self::Symlinkat => "symlinkat",
            Self::Unlinkat => "unlinkat",
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name in C too: a second table of names would be in every program.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::string::String;
    use std::vec::Vec;

    /// By the text of this file: the name of a call is that of its variant, in small letters.
    #[test]
    fn error_names_each_call_as_c_does() {
        let arms: Vec<(&str, &str)> = include_str!("call.rs")
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Self::")?.split_once(" => \""))
            .collect();
        assert!(arms.len() >= 38, "{arms:?}");
        for (variant, name) in arms {
            let (name, _) = name.split_once('"').unwrap();
            let plain: String = name.chars().filter(|c| *c != '_').collect();
            assert_eq!(plain, variant.to_ascii_lowercase());
        }
    }
}
