//! Taking over what was passed, once.

use core::fmt;
use core::iter::FusedIterator;
use std::os::unix::ffi::OsStringExt;
use std::vec::Vec;

use super::{ActivationError, FIRST, NAME_MAX, Variables, name_at};
use crate::error::{Call, Errno, Error};
use crate::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use crate::socket::FromFdError;
use crate::socket::Listener;
use crate::socket::{Connected, Kind, Socket};
use crate::syscall::{self, Inherited, NotInherited};

/// The descriptors that the service manager passed to this process, in the order in which it passed
/// them, each with its name.
///
/// They are taken over once in a process, all together. From then on they are close-on-exec, and
/// dropping this value closes those that were not taken out. The manager keeps its own copies. The
/// environment is only read; a child that inherits it is not misled, because the variables name this
/// process.
///
/// # Examples
///
/// A server that is started with its socket, or makes it itself:
///
/// ```no_run
/// use sunpath::UnixListener;
/// use sunpath::activation::Activation;
///
/// // SAFETY: this is the beginning of main, and nothing was opened yet.
/// let mut passed = unsafe { Activation::take() }?;
/// let listener = match passed.find(|passed| passed.name() == b"control") {
///     Some(passed) => passed.into_listener()?,
///     None => UnixListener::bind("/run/app.sock")?,
/// };
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// See sd_listen_fds(3), systemd.socket(5).
#[derive(Debug)]
#[doc(alias = "sd_listen_fds")]
#[doc(alias = "LISTEN_FDS")]
pub struct Activation {
    /// `None` if nothing was passed.
    fds: Option<Inherited>,
    /// `LISTEN_FDNAMES`, and where the next name begins in it.
    names: Vec<u8>,
    next_name: usize,
}

impl Activation {
    /// `sd_listen_fds(0)` — takes over the descriptors that were passed to this process, as its
    /// environment says.
    ///
    /// There are none if the variables are not set or name another process. Once descriptors were
    /// taken over, a second call is an error, because finding none would be a wrong answer.
    ///
    /// # Errors
    ///
    /// Nothing is taken over.
    ///
    /// - `EINVAL`: [`ActivationError::Variable`], [`ActivationError::NameTooLong`].
    /// - `EALREADY`: [`ActivationError::Taken`].
    /// - `EBADF`, `EBUSY`: [`ActivationError::Descriptor`].
    ///
    /// # Safety
    ///
    /// - No descriptor that `LISTEN_FDS` counts, from 3 on, and that is not close-on-exec, has an
    ///   owner in this process, or gets one by another way than this call.
    ///
    /// This holds at the beginning of `main`. It holds later if every descriptor that was opened
    /// meanwhile is close-on-exec, as those of Rust's standard library and of this crate are; C
    /// libraries and dup(2) may open others. The caller has to vouch for it because no system call
    /// tells an inherited descriptor from one that was opened since.
    ///
    /// See sd_listen_fds(3).
    pub unsafe fn take() -> Result<Self, ActivationError> {
        let get = |name: &str| std::env::var_os(name).map(OsStringExt::into_vec);
        let (pid, pidfd_id) = (get("LISTEN_PID"), get("LISTEN_PIDFDID"));
        let (fds, names) = (get("LISTEN_FDS"), get("LISTEN_FDNAMES"));
        let variables = Variables {
            pid: pid.as_deref(),
            pidfd_id: pidfd_id.as_deref(),
            fds: fds.as_deref(),
            names: names.as_deref(),
        };
        let fds = match variables.listen_fds()? {
            0 => None,
            count => {
                // SAFETY: the caller vouches for the descriptors that the variables count.
                Some(unsafe { syscall::inherit(FIRST, FIRST + count) }?)
            }
        };
        Ok(Self {
            fds,
            names: names.unwrap_or_default(),
            next_name: 0,
        })
    }
}

impl Iterator for Activation {
    type Item = Passed;

    fn next(&mut self) -> Option<Passed> {
        let fd = self.fds.as_mut()?.next()?;
        let name = name_at(&self.names, &mut self.next_name);
        Some(Passed {
            fd,
            name: Name::new(name),
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.fds.as_ref().map_or((0, Some(0)), Iterator::size_hint)
    }
}

impl ExactSizeIterator for Activation {}
impl FusedIterator for Activation {}

/// A descriptor that was passed. It is whatever the manager was told to pass: a socket that listens,
/// one that is connected, a pipe, a file.
#[derive(Debug)]
pub struct Passed {
    fd: OwnedFd,
    name: Name,
}

struct Name {
    bytes: [u8; NAME_MAX],
    /// INVARIANT: at most `NAME_MAX`.
    len: u8,
}

impl Name {
    /// INVARIANT: `name` has at most `NAME_MAX` bytes, for `Variables` were looked through.
    fn new(name: &[u8]) -> Self {
        let mut bytes = [0; NAME_MAX];
        bytes[..name.len()].copy_from_slice(name);
        let len = name.len() as u8;
        Self { bytes, len }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

impl Passed {
    /// Its name, of at most 255 bytes: that of the socket unit unless `FileDescriptorName=` gave
    /// another, and not necessarily its alone. Empty where fewer names came than descriptors.
    #[must_use]
    #[doc(alias = "LISTEN_FDNAMES")]
    pub fn name(&self) -> &[u8] {
        self.name.as_bytes()
    }

    /// The listener that it is, of a kind.
    ///
    /// # Errors
    ///
    /// The descriptor is given back.
    ///
    /// - `ENOTSOCK`, `EAFNOSUPPORT`, `EPROTOTYPE`: it is no socket, one of another family, of another
    ///   type. `EINVAL`: it does not listen.
    pub fn into_listener<T: Connected>(self) -> Result<Listener<T>, FromFdError> {
        self.fd.try_into()
    }

    /// The socket that it is, of a kind, and which does not listen: bound datagram sockets, and
    /// connections that the manager accepted (`Accept=yes`).
    ///
    /// # Errors
    ///
    /// The descriptor is given back.
    ///
    /// - `ENOTSOCK`, `EAFNOSUPPORT`, `EPROTOTYPE`: it is no socket, one of another family, of another
    ///   type. `EINVAL`: it listens.
    pub fn into_socket<T: Kind>(self) -> Result<Socket<T>, FromFdError> {
        let socket = Socket::<T>::try_from(self.fd)?;
        let error = match socket.is_listening() {
            Ok(false) => return Ok(socket),
            Ok(true) => Error::new(Call::Getsockopt, Errno::EINVAL),
            Err(error) => error,
        };
        Err(FromFdError::new(error, socket.into()))
    }

    /// The descriptor, whatever it is.
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
