//! Takes over the descriptors that were passed, once.

use core::fmt;
use core::iter::FusedIterator;

use super::{ActivationError, FIRST, NAME_MAX, NotPassed, Variables, name_at};
use crate::error::{Call, Cause, Errno, Error};
use crate::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use crate::socket::FromFdError;
use crate::socket::Listener;
use crate::socket::{Connected, Kind, Socket};
use crate::syscall::{self, Inherited, NotInherited};

/// The descriptors that the service manager passed to this process, in the order in which it passed
/// them, each with its name.
///
/// A process takes its descriptors over once, all of them together. From then on the descriptors
/// are close-on-exec, and dropping this value closes the descriptors that were not taken out. The
/// manager keeps its own copies. The environment is only read. A child that inherits the
/// environment is not misled, because the variables name this process.
///
/// # Examples
///
/// This server is started by a manager, which passes the socket, or by hand. In the second case the
/// server makes the socket itself. If descriptors were passed to another process, or the socket
/// that this server needs is not among them, the server does not bind the path, because the manager
/// may hold the path:
///
/// ```no_run
/// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sunpath::UnixListener;
/// use sunpath::activation::{Activation, NotPassed};
///
/// // SAFETY: this is the beginning of main, and nothing was opened yet.
/// let mut passed = unsafe { Activation::take() }?;
/// let listener = match passed.find(|passed| passed.name() == b"control") {
///     Some(passed) => passed.into_listener()?,
///     None => match passed.not_passed() {
///         Some(NotPassed::NoDescriptors) => UnixListener::bind("/run/app.sock")?,
///         Some(reason) => return Err(reason.into()),
///         None => return Err("no socket has the name \"control\"".into()),
///     },
/// };
/// # Ok(()) }
/// # #[cfg(not(feature = "std"))] fn main() {}
/// ```
///
/// # Executing a new version
///
/// A process that executes a new version of its program, by execve(2) without fork(2), passes its
/// descriptors on by making them not close-on-exec. Across exec the descriptors keep their
/// integers, and the process keeps its pid. The variables therefore still describe them, and the
/// new version takes them over as the old one did. All descriptors that `LISTEN_FDS` counts must
/// then be open. A version that closed one has to change the variables. A process that took the
/// descriptors by [`take_from`](Self::take_from), because `LISTEN_PID` names another process, sets
/// that variable as well.
///
/// ```no_run
/// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use sunpath::UnixListener;
/// # use sunpath::activation::Activation;
/// use std::os::unix::process::CommandExt;
/// use std::process::{self, Command};
///
/// # let listener: UnixListener = unsafe { Activation::take() }?.next().unwrap().into_listener()?;
/// listener.set_cloexec(false)?;
/// let error = Command::new("/usr/bin/app")
///     .env("LISTEN_PID", process::id().to_string()) // needed only after `take_from`
///     .env_remove("LISTEN_PIDFDID")
///     .exec();
/// listener.set_cloexec(true)?; // it failed: this version goes on
/// # Err(error.into()) }
/// # #[cfg(not(feature = "std"))] fn main() {}
/// ```
///
/// See sd_listen_fds(3), systemd.socket(5).
#[derive(Debug)]
#[doc(alias = "sd_listen_fds")]
#[doc(alias = "LISTEN_FDS")]
#[must_use = "dropping it closes the descriptors that were passed"]
pub struct Activation<'e> {
    fds: Result<Inherited, NotPassed>,
    /// The value of `LISTEN_FDNAMES`, and where the next name begins in it.
    names: Names<'e>,
    next_name: usize,
}

#[derive(Debug)]
enum Names<'e> {
    Given(&'e [u8]),
    /// The value that was read from the environment.
    #[cfg(feature = "std")]
    Read(std::vec::Vec<u8>),
}

impl Names<'_> {
    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Given(names) => names,
            #[cfg(feature = "std")]
            Self::Read(names) => names,
        }
    }
}

impl Activation<'static> {
    /// `sd_listen_fds(0)` — takes over the descriptors that were passed to this process, as its
    /// environment says.
    ///
    /// The result has no descriptors if the variables are not set or name another process, and
    /// [`not_passed`](Self::not_passed) returns which of the two is the case. After descriptors
    /// were taken over, a second call is an error, because finding none would be a wrong answer.
    ///
    /// # Errors
    ///
    /// On failure nothing is taken over.
    ///
    /// - `EINVAL`: [`ActivationError::Variable`], [`ActivationError::NameTooLong`].
    /// - `EALREADY`: [`ActivationError::Taken`].
    /// - `EBADF`, `EBUSY`: [`ActivationError::Descriptor`].
    ///
    /// # Safety
    ///
    /// - Those descriptors from 3 on that `LISTEN_FDS` counts and that are not close-on-exec have
    ///   no owner in this process, and get one only by this call.
    ///
    /// The promise holds at the beginning of `main`. Later the promise holds if every descriptor
    /// that was opened meanwhile is close-on-exec. Descriptors of Rust's standard library and of
    /// this crate are close-on-exec, while C libraries and dup(2) may open others. The caller has
    /// to promise it, because no system call distinguishes an inherited descriptor from a
    /// descriptor that was opened since.
    ///
    /// See sd_listen_fds(3).
    #[cfg(feature = "std")]
    pub unsafe fn take() -> Result<Self, ActivationError> {
        use std::os::unix::ffi::OsStringExt;

        let get = |name: &str| std::env::var_os(name).map(OsStringExt::into_vec);
        let (pid, pidfd_id) = (get("LISTEN_PID"), get("LISTEN_PIDFDID"));
        let (fds, names) = (get("LISTEN_FDS"), get("LISTEN_FDNAMES"));
        let variables = Variables {
            pid: pid.as_deref(),
            pidfd_id: pidfd_id.as_deref(),
            fds: fds.as_deref(),
            names: names.as_deref(),
        };
        // SAFETY: the caller guarantees the descriptors that the variables count.
        let fds = unsafe { Activation::take_from(variables) }?.fds;
        Ok(Self {
            fds,
            names: Names::Read(names.unwrap_or_default()),
            next_name: 0,
        })
    }
}

impl<'e> Activation<'e> {
    /// `sd_listen_fds(0)`, with these variables — takes over the descriptors that they describe.
    /// Use it in a program without `std`, or if the variables do not come from the environment.
    ///
    /// # Errors
    ///
    /// On failure nothing is taken over.
    ///
    /// - `EINVAL`: [`ActivationError::Variable`], [`ActivationError::NameTooLong`].
    /// - `EALREADY`: [`ActivationError::Taken`].
    /// - `EBADF`, `EBUSY`: [`ActivationError::Descriptor`].
    ///
    /// # Safety
    ///
    /// - Those descriptors from 3 on that `variables.fds` counts and that are not close-on-exec
    ///   have no owner in this process, and get one only by this call. The promise holds at the
    ///   beginning of `main`.
    ///
    /// See sd_listen_fds(3).
    pub unsafe fn take_from(variables: Variables<'e>) -> Result<Self, ActivationError> {
        let fds = match variables.count()? {
            // SAFETY: the caller guarantees the descriptors that the variables count.
            Ok(count) => Ok(unsafe { syscall::inherit(FIRST, FIRST + count) }?),
            Err(reason) => Err(reason),
        };
        Ok(Self {
            fds,
            names: Names::Given(variables.names.unwrap_or_default()),
            next_name: 0,
        })
    }

    /// Returns why nothing was passed to this process; `None` if something was.
    #[must_use]
    pub fn not_passed(&self) -> Option<NotPassed> {
        self.fds.as_ref().err().copied()
    }
}

impl Iterator for Activation<'_> {
    type Item = Passed;

    fn next(&mut self) -> Option<Passed> {
        let fd = self.fds.as_mut().ok()?.next()?;
        let name = name_at(self.names.as_bytes(), &mut self.next_name);
        Some(Passed {
            fd,
            name: Name::new(name),
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let fds = self.fds.as_ref();
        fds.map_or((0, Some(0)), Iterator::size_hint)
    }
}

impl ExactSizeIterator for Activation<'_> {}
impl FusedIterator for Activation<'_> {}

/// A descriptor that was passed. The manager decides what it is: a listening socket, a connected
/// socket, a pipe or a file.
#[derive(Debug)]
pub struct Passed {
    fd: OwnedFd,
    name: Name,
}

struct Name {
    bytes: [u8; NAME_MAX],
    /// INVARIANT: the length is at most `NAME_MAX`.
    len: u8,
}

impl Name {
    /// Copies a name, which has at most `NAME_MAX` bytes, because `Variables` checks all names.
    fn new(name: &[u8]) -> Self {
        let mut bytes = [0; NAME_MAX];
        for (to, from) in bytes.iter_mut().zip(name) {
            *to = *from;
        }
        let len = name.len().min(NAME_MAX) as u8;
        Self { bytes, len }
    }

    fn as_bytes(&self) -> &[u8] {
        let name = self.bytes.get(..usize::from(self.len));
        name.unwrap_or_default()
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

impl Passed {
    /// Returns the name of the descriptor, of at most 255 bytes: the name of the socket unit,
    /// unless `FileDescriptorName=` sets another. Other descriptors can have the same name. The
    /// name is empty if the manager passed fewer names than descriptors.
    #[must_use]
    #[doc(alias = "LISTEN_FDNAMES")]
    pub fn name(&self) -> &[u8] {
        self.name.as_bytes()
    }

    /// Returns the descriptor as a listener of one kind.
    ///
    /// # Errors
    ///
    /// On failure the descriptor is returned in the error.
    ///
    /// - `ENOTSOCK`, `EAFNOSUPPORT`, `EPROTOTYPE`: it is not a socket, or one of another family, or
    ///   of another type. `EINVAL`: it does not listen, or the kernel is gVisor, which never reports
    ///   that a Unix domain socket listens.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sunpath::{UnixListener, activation::Activation};
    ///
    /// // SAFETY: this is the beginning of main, and nothing was opened yet.
    /// for passed in unsafe { Activation::take() }? {
    ///     let listener: UnixListener = passed.into_listener()?;
    ///     println!("listening at {}", listener.local_addr()?);
    /// }
    /// # Ok(()) }
    /// # #[cfg(not(feature = "std"))] fn main() {}
    /// ```
    pub fn into_listener<T: Connected>(self) -> Result<Listener<T>, FromFdError> {
        self.fd.try_into()
    }

    /// Returns the descriptor as a socket of one kind that does not listen: a bound datagram
    /// socket, or a connection that the manager accepted (`Accept=yes`).
    ///
    /// # Errors
    ///
    /// On failure the descriptor is returned in the error.
    ///
    /// - `ENOTSOCK`, `EAFNOSUPPORT`, `EPROTOTYPE`: it is not a socket, or one of another family, or
    ///   of another type. `EINVAL`: it listens.
    pub fn into_socket<T: Kind>(self) -> Result<Socket<T>, FromFdError> {
        let socket = Socket::<T>::try_from(self.fd)?;
        let error = match socket.is_listening() {
            Ok(false) => return Ok(socket),
            Ok(true) => Error::with_cause(Call::Getsockopt, Errno::EINVAL, Cause::Listening),
            Err(error) => error,
        };
        Err(FromFdError::new(error, socket.into()))
    }

    /// `fcntl(fd, F_SETFD, FD_CLOEXEC)` — sets whether execve(2) closes the descriptor. It has been
    /// `true` since this process took the descriptor over. `false` passes the descriptor on: see
    /// [`Activation`](crate::activation::Activation#executing-a-new-version).
    ///
    /// # Errors
    ///
    /// - `EBADF`: only if the descriptor was closed elsewhere while this value owned it.
    ///
    /// See fcntl(2), "File descriptor flags".
    #[doc(alias = "FD_CLOEXEC")]
    #[doc(alias = "F_SETFD")]
    pub fn set_cloexec(&self, cloexec: bool) -> Result<(), Error> {
        syscall::set_cloexec(self.fd.as_fd(), cloexec)
    }

    /// Returns the descriptor without checking its type.
    #[must_use]
    pub fn into_fd(self) -> OwnedFd {
        self.fd
    }
}

impl From<Passed> for OwnedFd {
    fn from(passed: Passed) -> Self {
        passed.fd
    }
}

impl AsFd for Passed {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Passed {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

impl From<NotInherited> for ActivationError {
    fn from(error: NotInherited) -> Self {
        match error {
            NotInherited::Taken => Self::Taken,
            NotInherited::Descriptor(fd, error) => Self::Descriptor { fd, error },
        }
    }
}
