//! Options for a directory that is made or changed.

use super::verify::{PRIVATE, Wanted, verified};
use super::{Dir, DirError};
use crate::pathname::AsPathname;

/// Options to make or verify a private directory where [`Dir::private`] would refuse it.
///
/// # Examples
///
/// A directory for state in a user's home, which other users may read at first:
///
/// ```
/// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sunpath::files::DirOptions;
///
/// # let home = std::env::temp_dir().join(format!("sunpath-options-{}", std::process::id()));
/// # std::fs::create_dir(&home)?;
/// let state = home.join(".local/state/app");
/// let dir = DirOptions::new().parents(true).narrow(true).private(&state)?;
/// # std::fs::remove_dir_all(&home)?;
/// # Ok(()) }
/// # #[cfg(not(feature = "std"))] fn main() {}
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct DirOptions {
    parents: bool,
    narrow: bool,
}

impl DirOptions {
    /// Makes options that do what [`Dir::private`] does.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            parents: false,
            narrow: false,
        }
    }

    /// Sets whether missing directories above the directory are made too, with mode 0700 under
    /// every umask. Directories that exist are verified as always.
    #[must_use]
    #[doc(alias = "mkdir -p")]
    pub const fn parents(mut self, on: bool) -> Self {
        self.parents = on;
        self
    }

    /// Sets whether group and others lose search and read permission, if the directory exists and
    /// belongs to our user: mode 0755 becomes 0700.
    ///
    /// The following directories are refused all the same:
    ///
    /// - a directory that group or others may write to, because they may have put files there;
    /// - a directory with the sticky bit, a directory on which a file system is mounted, and a
    ///   directory directly below the root, because `/run`, `/tmp` and similar directories are for
    ///   others too, and root owns them.
    #[must_use]
    #[doc(alias = "chmod")]
    pub const fn narrow(mut self, on: bool) -> Self {
        self.narrow = on;
        self
    }

    /// Makes or verifies a directory that nobody else can enter, and opens it: see [`Dir::private`].
    ///
    /// # Errors
    ///
    /// On failure, the directories that this call made are removed, including the parents.
    ///
    /// - [`DirError`]: the path was refused, and the error has the component of the path and the
    ///   reason.
    ///
    /// See mkdirat(2), chmod(2).
    #[doc(alias = "mkdirat")]
    pub fn private(&self, path: impl AsPathname) -> Result<Dir, DirError> {
        let wanted = Wanted {
            parents: self.parents,
            narrow: self.narrow,
            ..PRIVATE
        };
        verified(path.as_pathname(), &wanted)
    }
}
