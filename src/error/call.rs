//! The calls that can fail, with their names in C.

use core::fmt;

/// The calls with their names.
macro_rules! calls {
    ($(#[doc = $man:literal] $call:ident $name:literal)*) => {
        /// A system call, or another function of the C library, that failed.
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Call {
            $(#[doc = $man] $call,)*
        }

        impl Call {
            /// All values, in the order of their discriminants.
            pub(super) const ALL: &[Self] = &[$(Self::$call,)*];

            /// Returns the name of the call in C.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$call => $name,)*
                }
            }
        }
    };
}

calls! {
    /// accept(2) or accept4(2).
    Accept "accept"
    /// The call bind(2).
    Bind "bind"
    /// The call connect(2).
    Connect "connect"
    /// The call dup2(2).
    Dup2 "dup2"
    /// The call fchmod(2).
    Fchmod "fchmod"
    /// The call fchmodat(2).
    Fchmodat "fchmodat"
    /// The call fchownat(2).
    Fchownat "fchownat"
    /// The call fcntl(2).
    Fcntl "fcntl"
    /// The call flock(2).
    Flock "flock"
    /// The call fstat(2).
    Fstat "fstat"
    /// The call fstatat(2).
    Fstatat "fstatat"
    /// The call getcwd(3).
    Getcwd "getcwd"
    /// The call getpeername(2).
    Getpeername "getpeername"
    /// The call getrandom(2).
    Getrandom "getrandom"
    /// The call getsockname(2).
    Getsockname "getsockname"
    /// getsockopt(2), or what the system has in its place.
    Getsockopt "getsockopt"
    /// The call ioctl(2).
    Ioctl "ioctl"
    /// The call linkat(2).
    Linkat "linkat"
    /// The call listen(2).
    Listen "listen"
    /// The call mkdirat(2).
    Mkdirat "mkdirat"
    /// The call openat(2).
    Openat "openat"
    /// The call poll(2).
    Poll "poll"
    /// The call readdir(3).
    Readdir "readdir"
    /// readlinkat(2), or what the system has in its place.
    Readlinkat "readlinkat"
    /// The call readv(2).
    Readv "readv"
    /// The call recv(2).
    Recv "recv"
    /// The call recvfrom(2).
    Recvfrom "recvfrom"
    /// The call recvmmsg(2).
    Recvmmsg "recvmmsg"
    /// The call recvmsg(2).
    Recvmsg "recvmsg"
    /// renameat(2) or renameat2(2).
    Renameat "renameat"
    /// The call send(2).
    Send "send"
    /// The call sendmmsg(2).
    Sendmmsg "sendmmsg"
    /// The call sendmsg(2).
    Sendmsg "sendmsg"
    /// The call sendto(2).
    Sendto "sendto"
    /// The call setsockopt(2).
    Setsockopt "setsockopt"
    /// The call shutdown(2).
    Shutdown "shutdown"
    /// The kernel's answer to a query about sockets, sock_diag(7).
    SockDiag "sock_diag"
    /// No call: a `struct sockaddr_un` was being made.
    SockaddrUn "sockaddr_un"
    /// The call socket(2).
    Socket "socket"
    /// The call socketpair(2).
    Socketpair "socketpair"
    /// The call symlinkat(2).
    Symlinkat "symlinkat"
    /// The call unlinkat(2).
    Unlinkat "unlinkat"
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Returns the name in C, as `Display` prints it.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;
    use std::vec::Vec;

    /// Reads the text of this file, and compares the name of each call with that of its variant, in
    /// small letters.
    #[test]
    fn error_names_each_call_as_c_does() {
        let lines = include_str!("call.rs").lines();
        let calls: Vec<(&str, &str)> = lines
            .filter_map(|line| {
                line.strip_prefix("    ")?
                    .strip_suffix('"')?
                    .split_once(" \"")
            })
            .collect();
        assert!(calls.len() >= 38, "{calls:?}");
        for (variant, name) in calls {
            let plain: String = name.chars().filter(|c| *c != '_').collect();
            assert_eq!(plain, variant.to_ascii_lowercase());
        }
    }

    #[test]
    fn error_finds_the_name_of_each_call() {
        let names = [Call::Accept, Call::Bind, Call::SockaddrUn, Call::Unlinkat].map(Call::name);
        assert_eq!(names, ["accept", "bind", "sockaddr_un", "unlinkat"]);
    }
}
