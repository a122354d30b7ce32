//! The runtime directory, in which a program of a user keeps its sockets while it runs.

use core::error;
use core::fmt;
use std::env;
use std::ffi::OsStr;
use std::format;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::string::ToString;
use std::vec::Vec;

use super::verify::{PRIVATE, Wanted, verified};
use super::{Dir, DirError};
use crate::error::Errno;
use crate::syscall;
use crate::text;

impl Dir {
    /// Makes or verifies the runtime directory of a program, and opens it: a private directory, as
    /// by [`private`](Self::private), that exists until the session or the boot ends.
    ///
    /// The result is the first directory of this list that can be made or verified:
    ///
    /// 1. `$XDG_RUNTIME_DIR/<app>`, if the variable is set to an absolute path and every directory
    ///    of that path passes the checks. After `su` or `sudo` the path does not pass, because
    ///    these keep the variable of the other user.
    /// 2. `/run/<app>` if this process is root.
    /// 3. `/tmp/<app>-<euid>` for every other user. No other user can enter it. Any user can make a
    ///    file of that name first, and then this directory is refused.
    ///
    /// [`find_runtime`](Self::find_runtime) finds the same directory from a client that has the same
    /// `XDG_RUNTIME_DIR`.
    ///
    /// # Errors
    ///
    /// On failure, the directories that this call made are removed.
    ///
    /// - [`RuntimeError`]: no directory can be used, and the error has each directory that was
    ///   tried and what is wrong with it; or `app` is not a name.
    ///
    /// # Examples
    ///
    /// The following code is a server and its client:
    ///
    /// ```
    /// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sunpath::{BindOptions, ConnectOptions, Dir, UnixListener, UnixStream, Bound};
    ///
    /// # let app = &format!("sunpath-doc-{}", std::process::id());
    /// let dir = Dir::runtime(app)?;
    /// let listener: Bound<UnixListener> = BindOptions::singleton().bind_at(&dir, "control.sock")?;
    ///
    /// let dir = Dir::find_runtime(app)?;
    /// let options = ConnectOptions::new().require_own_user();
    /// let stream: UnixStream = options.connect_at(&dir, "control.sock")?;
    /// # drop(listener);
    /// # let mut buf = [0; 4096];
    /// # let path = std::str::from_utf8(dir.path(&mut buf)?)?;
    /// # std::fs::remove_dir(path)?;
    /// # Ok(()) }
    /// # #[cfg(not(feature = "std"))] fn main() {}
    /// ```
    #[doc(alias = "XDG_RUNTIME_DIR")]
    pub fn runtime(app: &str) -> Result<Self, RuntimeError> {
        first_verified(app, &PRIVATE)
    }

    /// Opens the runtime directory of a program, which [`runtime`](Self::runtime) has made. This
    /// function is for the program's clients, and makes nothing.
    ///
    /// The page of [`runtime`](Self::runtime) lists directories. This function opens the first of
    /// them that exists and passes the checks.
    ///
    /// # Errors
    ///
    /// - [`RuntimeError`]: no directory can be used, and the error has each directory that was
    ///   tried and what is wrong with it; or `app` is not a name. The errno is `ENOENT` if
    ///   [`runtime`](Self::runtime) has made no directory.
    ///
    /// The examples of [`runtime`](Self::runtime) show a client.
    #[doc(alias = "XDG_RUNTIME_DIR")]
    pub fn find_runtime(app: &str) -> Result<Self, RuntimeError> {
        let existing = Wanted {
            make: false,
            ..PRIVATE
        };
        first_verified(app, &existing)
    }
}

/// The reason why [`Dir::runtime`] or [`Dir::find_runtime`] opened no directory: each directory that was
/// tried, and what is wrong with it.
///
/// # Examples
///
/// ```no_run
/// use sunpath::{Dir, Errno};
///
/// match Dir::find_runtime("app") {
///     Ok(dir) => drop(dir),
///     Err(error) if error.errno() == Errno::ENOENT => eprintln!("the daemon was not started"),
///     // "/run/user/1000 belongs to user 1000; /run/app has the wrong mode 0755 and ..."
///     Err(error) => eprintln!("{error}"),
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeError {
    tried: Vec<(PathBuf, DirError)>,
}

impl RuntimeError {
    /// Returns the directories that were tried, in this order, each with what is wrong with it.
    /// There are none if `app` is not a name in a directory: it is empty, `.` or `..`, or has a
    /// slash or a NUL.
    pub fn tried(&self) -> impl ExactSizeIterator<Item = (&Path, DirError)> {
        self.tried
            .iter()
            .map(|(path, error)| (path.as_path(), *error))
    }

    /// Returns the errno for the directory that was tried last, because a server makes that
    /// directory if it can make no other. Returns `EINVAL` if `app` is not a name.
    #[must_use]
    pub fn errno(&self) -> Errno {
        let last = self.tried.last();
        last.map_or(Errno::EINVAL, |(_, error)| error.errno())
    }
}

impl fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tried.is_empty() {
            return f.write_str("the name of the program is not a name in a directory");
        }
        for (i, (path, error)) in self.tried.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { "; " })?;
            let path = path.as_os_str().as_bytes();
            let at_fault = path.get(..error.prefix_len()).unwrap_or(path);
            let dir = Path::new(OsStr::from_bytes(at_fault)).display().to_string();
            text::print(f, |out| error.write_about(&|out| out(&dir), out))?;
        }
        Ok(())
    }
}

impl error::Error for RuntimeError {}

/// The `io::Error` has the kind of the errno, and this error as its inner error.
impl From<RuntimeError> for io::Error {
    fn from(error: RuntimeError) -> Self {
        Self::new(error.errno().kind(), error)
    }
}

fn first_verified(app: &str, wanted: &Wanted) -> Result<Dir, RuntimeError> {
    let mut tried = Vec::new();
    if matches!(app, "" | "." | "..") || app.contains(['/', '\0']) {
        return Err(RuntimeError { tried });
    }
    let session = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let session = session.filter(|dir| dir.is_absolute());
    let outside = match syscall::geteuid() {
        0 => Path::new("/run").join(app),
        uid => Path::new("/tmp").join(format!("{app}-{uid}")),
    };
    for path in session
        .map(|dir| dir.join(app))
        .into_iter()
        .chain([outside])
    {
        match verified(path.as_os_str().as_bytes(), wanted) {
            Ok(dir) => return Ok(dir),
            Err(error) => tried.push((path, error)),
        }
        if tried
            .last()
            .is_some_and(|(_, error)| !may_be_elsewhere(*error))
        {
            break;
        }
    }
    Err(RuntimeError { tried })
}

/// Returns whether the next directory is tried after this error. The next directory is not tried if
/// only this process lacks something, such as a descriptor, because other processes would use the
/// first directory.
fn may_be_elsewhere(error: DirError) -> bool {
    !matches!(error.errno(), Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM)
}
