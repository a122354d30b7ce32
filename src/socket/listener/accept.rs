//! Accepts connections.

use core::time::Duration;

use super::Listener;
use crate::addr::UnixAddr;
use crate::deadline::Deadline;
use crate::error::{Call, Cause, Errno, Error};
use crate::fd::AsFd;
use crate::socket::{Connected, PeerCred, Socket};
use crate::syscall;

/// Methods that accept connections.
impl<T: Connected> Listener<T> {
    /// `accept4(fd, addr, len, SOCK_CLOEXEC)` — takes the next connection, with the address of the
    /// client, which is nearly always unnamed.
    ///
    /// The new socket is blocking, even if the listener is nonblocking.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`: no connection waits, and the listener is nonblocking or its read timeout passed.
    ///   On macOS and FreeBSD accept(2) ignores the read timeout and waits forever;
    ///   [`accept_timeout`](Self::accept_timeout) works on every system.
    /// - `EMFILE`, `ENFILE`: no descriptor is free in the process or the system. The connection
    ///   stays in the queue.
    /// - `EINVAL`: the listener was [shut down](Self::as_socket) and the queue is empty
    ///   ([`Cause::ShutDown`]). For a nonblocking listener Linux reports `EAGAIN` instead, while
    ///   poll(2) reports `POLLIN` and `POLLRDHUP`: stop at `POLLRDHUP`, or call
    ///   [`accept_timeout`](Self::accept_timeout), which reports `EINVAL`.
    /// - `ECONNABORTED`: the client has closed already. Linux does not report this error, and
    ///   accepts the connection.
    /// - `ENOBUFS`, `ENOMEM`: no memory.
    /// - `EAFNOSUPPORT`: a listener of another family was taken over unchecked. The connection is
    ///   closed.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::{UnixListener, UnixStream};
    /// # if !sunpath::sys::HAVE_ABSTRACT { return Ok(()) }
    /// # let listener = UnixListener::autobind()?;
    /// # let client = UnixStream::connect_addr(&listener.local_addr()?)?;
    /// let (server, addr) = listener.accept()?;
    /// println!("{addr} connected, of user {}", server.peer_cred()?.uid());
    /// # drop(client);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See accept(2).
    #[doc(alias = "accept4")]
    #[inline(always)] // because each function that returns an address moves all of it
    pub fn accept(&self) -> Result<(Socket<T>, UnixAddr), Error> {
        let mut peer = UnixAddr::unnamed();
        let fd = syscall::accept(self.as_fd(), Some(&mut peer), false)?;
        Ok((Socket::from_fd(fd), peer.copied()))
    }

    /// `accept4(fd, addr, len, SOCK_CLOEXEC | SOCK_NONBLOCK)` — takes the next connection as a
    /// nonblocking socket, which saves [`Socket::set_nonblocking`]. The listener decides whether
    /// this call waits.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`, `EMFILE`, `ENFILE`, `EINVAL`, `ECONNABORTED`, `ENOBUFS`, `ENOMEM`, `EAFNOSUPPORT`: as
    ///   for [`accept`](Self::accept).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::{UnixListener, UnixStream};
    /// # if !sunpath::sys::HAVE_ABSTRACT { return Ok(()) }
    /// # let listener = UnixListener::autobind()?;
    /// # let client = UnixStream::connect_addr(&listener.local_addr()?)?;
    /// let (server, _) = listener.accept_nonblocking()?;
    /// let error = server.read(&mut [0; 16]).unwrap_err();
    /// assert!(error.is_would_block()); // nothing has arrived
    /// # drop(client);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See accept(2).
    #[doc(alias = "accept4")]
    #[doc(alias = "SOCK_NONBLOCK")]
    pub fn accept_nonblocking(&self) -> Result<(Socket<T>, UnixAddr), Error> {
        let mut peer = UnixAddr::unnamed();
        let fd = syscall::accept(self.as_fd(), Some(&mut peer), true)?;
        Ok((Socket::from_fd(fd), peer.copied()))
    }

    /// poll(2) and accept4(2) — takes the next connection if one arrives within `timeout`.
    ///
    /// If several threads or processes accept from one queue, make the listener
    /// [nonblocking](Self::set_nonblocking). Otherwise the call can wait for longer than `timeout`,
    /// because another thread or process can take the connection that poll(2) announced.
    ///
    /// # Errors
    ///
    /// - `ETIMEDOUT`: no client connected.
    /// - `EMFILE`, `ENFILE`: no descriptor is free in the process or the system. The call does not
    ///   wait for a free descriptor. A loop around this method must pause, because the connection
    ///   stays in the queue and the next call fails at once, too.
    /// - `EINVAL`: the listener was [shut down](Self::as_socket) and the queue is empty. The error
    ///   is reported at once, even for a nonblocking listener.
    /// - `ECONNABORTED`, `ENOBUFS`, `ENOMEM`: as for [`accept`](Self::accept).
    ///
    /// # Examples
    ///
    /// A loop that tests a flag twice a second. A signal handler may set the flag:
    ///
    /// ```no_run
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// use std::time::Duration;
    /// use sunpath::{Errno, UnixListener};
    ///
    /// static STOP: AtomicBool = AtomicBool::new(false);
    ///
    /// let listener = UnixListener::bind("/run/app.sock")?;
    /// while !STOP.load(Ordering::Relaxed) {
    ///     match listener.accept_timeout(Duration::from_millis(500)) {
    ///         Ok((client, _)) => drop(client.write(b"hello\n")),
    ///         Err(error) if error.errno() == Errno::ETIMEDOUT => {}
    ///         Err(error) => return Err(error),
    ///     }
    /// }
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See poll(2), accept(2).
    #[doc(alias = "poll")]
    pub fn accept_timeout(&self, timeout: Duration) -> Result<(Socket<T>, UnixAddr), Error> {
        let deadline = Deadline::after(timeout);
        loop {
            // poll(2) is called at least once, even if the time is zero.
            let ready = match syscall::poll_in(self.as_fd(), deadline.left_milliseconds()) {
                Err(error) if error.errno() == Errno::EINTR => None,
                ready => ready?,
            };
            if let Some(ready) = ready {
                match self.accept() {
                    // No connection arrives after the shutdown, and those before it have been
                    // accepted.
                    Err(error) if error.errno() == Errno::EAGAIN && ready.shut_down => {
                        return Err(Error::with_cause(
                            Call::Accept,
                            Errno::EINVAL,
                            Cause::ShutDown,
                        ));
                    }
                    Err(error) if error.errno() == Errno::EAGAIN => {}
                    accepted => return accepted,
                }
            }
            if deadline.left().is_none() {
                return Err(Error::new(Call::Accept, Errno::ETIMEDOUT));
            }
        }
    }

    /// Takes the next connection whose peer is permitted. Other connections are closed, and so are
    /// connections whose peer is not known. On some systems the peer is not known if the client has
    /// closed already.
    ///
    /// The modes of the file and of its directory decide who can connect at all. This function
    /// decides by the credentials of each client that did connect.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`, `EMFILE`, `ENFILE`, `EINVAL`, `ECONNABORTED`, `ENOBUFS`, `ENOMEM`: as for
    ///   [`accept`](Self::accept).
    ///
    /// # Examples
    ///
    /// Accept only clients of this process's own user:
    ///
    /// ```no_run
    /// use sunpath::{PeerCred, UnixListener};
    ///
    /// let listener = UnixListener::bind("/run/app.sock")?;
    /// let (client, _) = listener.accept_if(PeerCred::is_own_user)?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See accept(2), unix(7) "SO_PEERCRED".
    #[doc(alias = "SO_PEERCRED")]
    pub fn accept_if(
        &self,
        mut allowed: impl FnMut(PeerCred) -> bool,
    ) -> Result<(Socket<T>, UnixAddr), Error> {
        loop {
            let (socket, addr) = self.accept()?;
            if socket.peer_cred().is_ok_and(&mut allowed) {
                return Ok((socket, addr));
            }
        }
    }
}
