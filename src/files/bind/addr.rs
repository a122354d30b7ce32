//! Binds to an address of any form, and takes sockets that other code bound.

use core::ffi::c_int;

use crate::addr::UnixAddr;
use crate::error::{Call, Cause, Errno, Error, InUse};
use crate::fd::{AsFd, CWD, OwnedFd};
use crate::socket::{Kind, Socket, SocketRef, Stream};
use crate::syscall;

use sunpath_sys::SunPath;

use super::bound::Bound;
use super::{BindOptions, Bindable};

impl BindOptions {
    /// `bind(fd, addr, len)`, `listen(fd, backlog)` — makes a socket of the type that the caller names,
    /// bound to an address: a path or an abstract name, as a configuration file may have either.
    ///
    /// A path is bound as [`listen`](Self::listen) binds it. An abstract name has no file, and the
    /// options have these meanings for it:
    ///
    /// - [`mode`](Self::mode), [`owner`](Self::owner), [`group`](Self::group): bind fails with
    ///   `EINVAL`, because every process of the network namespace can connect to an abstract name.
    ///   [`accept_if`](crate::Listener::accept_if) checks each client instead.
    /// - [`existing`](Self::existing): the three policies are the same, because an abstract name is
    ///   never stale and cannot be taken over. If a socket has the name, bind fails with
    ///   `EADDRINUSE`.
    /// - [`unlink_on_drop`](Self::unlink_on_drop): there is nothing to remove. The name is free when
    ///   the last descriptor of the socket is closed.
    /// - [`backlog`](Self::backlog): the backlog applies as it does for a path.
    ///
    /// # Errors
    ///
    /// On failure no descriptor stays open, and every file that this call made is removed, except
    /// for an empty lock file.
    ///
    /// - `EINVAL`: the address is unnamed; or it is an abstract name, and a mode, an owner or a group was
    ///   asked for ([`Cause::NoFile`]).
    /// - `EADDRINUSE`: a socket has the abstract name.
    /// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`Socket::new`].
    /// - For a path, `EADDRINUSE`, `EACCES` and others: as for [`listen`](Self::listen).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sunpath::{BindOptions, Bound, UnixAddr, UnixListener};
    ///
    /// # if !sunpath::sys::HAVE_ABSTRACT { return Ok(()) }
    /// # let configured = format!("@sunpath-addr-{}", std::process::id());
    /// let addr: UnixAddr = configured.parse()?; // "@app", or "/run/app.sock"
    /// let listener: Bound<UnixListener> = BindOptions::new().bind_addr(&addr)?;
    /// assert_eq!(listener.addr(), Some(&addr));
    /// # Ok(()) }
    /// # #[cfg(not(feature = "std"))] fn main() {}
    /// ```
    ///
    /// See bind(2), listen(2), unix(7).
    #[doc(alias = "bind")]
    pub fn bind_addr<S: Bindable>(&self, addr: &UnixAddr) -> Result<Bound<S>, Error> {
        let bound = self.bind_address(S::Kind::TYPE, S::LISTENS, addr)?;
        Ok(bound.map(|fd| S::from_socket(Socket::from_fd(fd))))
    }

    /// Does what [`bind_addr`](Self::bind_addr) does, for a socket of any type, so that the compiler
    /// makes this code once.
    pub(crate) fn bind_address(
        &self,
        kind: c_int,
        listens: bool,
        addr: &UnixAddr,
    ) -> Result<Bound<OwnedFd>, Error> {
        if let SunPath::Pathname(path) = addr.name() {
            return self.bind_path(kind, listens, CWD, path);
        }
        if self.access.is_asked() && !addr.is_unnamed() {
            let cause = Cause::NoFile;
            return Err(Error::with_cause(Call::Bind, Errno::EINVAL, cause));
        }
        let socket = self.socket(kind)?;
        // The type makes no difference to this call.
        let bound = SocketRef::<Stream>::from(&socket).bind_to(addr);
        bound.map_err(|error| match error.errno() {
            // Only a socket can have an abstract name, so the holder of the name is a server.
            Errno::EADDRINUSE => error.because(Cause::InUse(InUse::Server)),
            _ => error,
        })?;
        if listens {
            syscall::listen(socket.as_fd(), self.backlog)?;
        }
        Ok(Bound::new(socket, None, Some(*addr)))
    }
}

/// Takes a socket that other code bound, for example a service manager. The socket file is not
/// removed.
impl<S: Bindable> From<S> for Bound<S> {
    fn from(socket: S) -> Self {
        Self::new(socket, None, None)
    }
}
