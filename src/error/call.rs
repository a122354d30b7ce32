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
            /// All of them, in the order of their numbers.
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
    /// bind(2).
    Bind "bind"
    /// connect(2).
    Connect "connect"
    /// dup2(2).
    Dup2 "dup2"
    /// fchmod(2).
    Fchmod "fchmod"
    /// fchmodat(2).
    Fchmodat "fchmodat"
    /// fchownat(2).
    Fchownat "fchownat"
    /// fcntl(2).
    Fcntl "fcntl"
    /// flock(2).
    Flock "flock"
    /// fstat(2).
    Fstat "fstat"
    /// fstatat(2).
    Fstatat "fstatat"
    /// getcwd(3).
    Getcwd "getcwd"
    /// getpeername(2).
    Getpeername "getpeername"
    /// getrandom(2).
    Getrandom "getrandom"
    /// getsockname(2).
    Getsockname "getsockname"
    /// getsockopt(2), or what the system has in its place.
    Getsockopt "getsockopt"
    /// ioctl(2).
    Ioctl "ioctl"
    /// linkat(2).
    Linkat "linkat"
    /// listen(2).
    Listen "listen"
    /// mkdirat(2).
    Mkdirat "mkdirat"
    /// openat(2).
    Openat "openat"
    /// poll(2).
    Poll "poll"
    /// readdir(3).
    Readdir "readdir"
    /// readlinkat(2), or what the system has in its place.
    Readlinkat "readlinkat"
    /// readv(2).
    Readv "readv"
    /// recv(2).
    Recv "recv"
    /// recvfrom(2).
    Recvfrom "recvfrom"
    /// recvmmsg(2).
    Recvmmsg "recvmmsg"
    /// recvmsg(2).
    Recvmsg "recvmsg"
    /// renameat(2) or renameat2(2).
    Renameat "renameat"
    /// send(2).
    Send "send"
    /// sendmmsg(2).
    Sendmmsg "sendmmsg"
    /// sendmsg(2).
    Sendmsg "sendmsg"
    /// sendto(2).
    Sendto "sendto"
    /// setsockopt(2).
    Setsockopt "setsockopt"
    /// shutdown(2).
    Shutdown "shutdown"
    /// No call: a `struct sockaddr_un` was being made.
    SockaddrUn "sockaddr_un"
    /// socket(2).
    Socket "socket"
    /// socketpair(2).
    Socketpair "socketpair"
    /// symlinkat(2).
    Symlinkat "symlinkat"
    /// unlinkat(2).
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

    /// Reads the text of this file: the name of a call is that of its variant, in small letters.
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
