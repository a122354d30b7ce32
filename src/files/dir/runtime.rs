//! The directory in which a program of a user keeps its sockets while it runs.

use std::env;
use std::ffi::OsStr;
use std::format;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::verify::{PRIVATE, Wanted, verified};
use super::{Dir, DirError, Refusal};
use crate::error::Errno;
use crate::syscall;

impl Dir {
    /// Makes or verifies the runtime directory of a program, and opens it: a private directory, as by
    /// [`private`](Self::private), that goes away with the session or the boot.
    ///
    /// It is the first of these that can be had:
    ///
    /// 1. `$XDG_RUNTIME_DIR/<app>`, if the variable is set to an absolute path and all of it verifies. It
    ///    does not after `su` or `sudo`, which leave the variable of another user.
    /// 2. `/run/<app>` if this process is root.
    /// 3. `/tmp/<app>-<euid>` for every other user. Nobody else can enter it, but anybody can have made
    ///    something else of that name first, which is refused.
    ///
    /// [`find_runtime`](Self::find_runtime) finds the same directory from a client that has the same
    /// `XDG_RUNTIME_DIR`.
    ///
    /// # Errors
    ///
    /// On failure, the directories that this call made are removed.
    ///
    /// - [`DirError`]: [`Refusal::App`] if `app` is not a name; otherwise what is wrong with the last
    ///   directory that was tried, which is `/run/<app>` or `/tmp/<app>-<euid>`.
    ///
    /// # Examples
    ///
    /// A server, and its client:
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
    pub fn runtime(app: &str) -> Result<Self, DirError> {
        first_verified(app, &PRIVATE)
    }

    /// Opens the runtime directory of a program that [`runtime`](Self::runtime) has made, and makes
    /// nothing: for its clients.
    ///
    /// It is the first of the same directories that exists and verifies.
    ///
    /// # Errors
    ///
    /// - [`DirError`]: [`Refusal::App`] if `app` is not a name; otherwise what is wrong with the last
    ///   directory that was tried. Its errno is `ENOENT` if there is none.
    ///
    /// See also the examples of [`runtime`](Self::runtime).
    #[doc(alias = "XDG_RUNTIME_DIR")]
    pub fn find_runtime(app: &str) -> Result<Self, DirError> {
        let existing = Wanted {
            make: false,
            ..PRIVATE
        };
        first_verified(app, &existing)
    }
}

fn first_verified(app: &str, wanted: &Wanted) -> Result<Dir, DirError> {
    if matches!(app, "" | "." | "..") || app.contains(['/', '\0']) {
        return Err(DirError {
            prefix_len: 0,
            refusal: Refusal::App,
        });
    }
    let verified_at = |path: PathBuf| verified(path.as_os_str().as_bytes(), wanted);
    let session = env::var_os("XDG_RUNTIME_DIR");
    if let Some(dir) = session
        .as_deref()
        .map(Path::new)
        .filter(|dir| dir.is_absolute())
    {
        match verified_at(dir.join(app)) {
            Err(error) if may_be_elsewhere(error) => {}
            verified => return verified,
        }
    }
    verified_at(match syscall::geteuid() {
        0 => Path::new("/run").join(OsStr::new(app)),
        uid => Path::new("/tmp").join(format!("{app}-{uid}")),
    })
}

/// Returns whether the next directory is tried. Not if this process lacks what others have, because
/// they would look in the first one.
fn may_be_elsewhere(error: DirError) -> bool {
    !matches!(error.errno(), Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM)
}
