//! Checks whether the sockets of a directory fit into `sun_path`, before anything is made.

use core::error;
use core::fmt;

use crate::error::Errno;
use crate::pathname::AsPathname;
use crate::search::len_without_slashes;

/// Returns how many bytes a name may have in a directory whose path has `dir_len` bytes, if the
/// path of a socket may have `max` bytes: the bytes that the directory and a slash leave. The
/// result is 0 if they leave none.
///
/// `max` is [`SUN_PATH_MAX`](crate::sys::SUN_PATH_MAX) for this system, and
/// [`SUN_PATH_MAX_PORTABLE`](crate::sys::SUN_PATH_MAX_PORTABLE) for every system.
///
/// # Examples
///
/// ```
/// use sunpath::files::space_in;
/// use sunpath::sys::SUN_PATH_MAX_PORTABLE;
///
/// const SPACE: usize = space_in("/run/user/4294967294/app".len(), SUN_PATH_MAX_PORTABLE);
/// const { assert!("control.sock".len() <= SPACE) };
/// ```
#[must_use]
pub const fn space_in(dir_len: usize, max: usize) -> usize {
    max.saturating_sub(dir_len).saturating_sub(1)
}

/// Checks that the paths of all sockets that a directory will hold have at most `max` bytes. No call is
/// made.
///
/// `max` is [`SUN_PATH_MAX`](crate::sys::SUN_PATH_MAX) for this system, and
/// [`SUN_PATH_MAX_PORTABLE`](crate::sys::SUN_PATH_MAX_PORTABLE) for every system. The `_at` forms
/// and [`BindOptions`](crate::BindOptions) bind longer paths, but clients that use other libraries
/// cannot connect to them.
///
/// # Errors
///
/// - [`DoesNotFit`] (`ENAMETOOLONG`): a path is too long. The error has the longest name, and the
///   greatest length that the path of the directory may have for this name.
///
/// # Examples
///
/// ```
/// use sunpath::files::fits_in;
/// use sunpath::sys::SUN_PATH_MAX_PORTABLE;
///
/// let names = ["control.sock", "log.sock"];
/// fits_in("/run/app", &names, SUN_PATH_MAX_PORTABLE)?;
///
/// let deep = "/home/somebody".repeat(8);
/// let error = fits_in(&*deep, &names, SUN_PATH_MAX_PORTABLE).unwrap_err();
/// assert_eq!((error.longest(), error.dir_len(), error.dir_max()), ("control.sock", 112, 90));
/// # Ok::<(), sunpath::files::DoesNotFit<'_>>(())
/// ```
pub fn fits_in<'n>(
    dir: impl AsPathname,
    names: &[&'n str],
    max: usize,
) -> Result<(), DoesNotFit<'n>> {
    let dir = dir.as_pathname();
    let error = DoesNotFit {
        longest: names
            .iter()
            .copied()
            .max_by_key(|name| name.len())
            .unwrap_or(""),
        dir_len: len_without_slashes(dir),
        max,
    };
    // A name in the working directory needs no slash.
    let len = error.longest.len() + if dir.is_empty() { 0 } else { error.dir_len + 1 };
    match len <= max {
        true => Ok(()),
        false => Err(error),
    }
}

/// The error that the sockets of a directory do not fit, because its path is too long for the
/// longest of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoesNotFit<'n> {
    longest: &'n str,
    dir_len: usize,
    max: usize,
}

impl<'n> DoesNotFit<'n> {
    /// Returns the longest of the names.
    #[must_use]
    pub const fn longest(self) -> &'n str {
        self.longest
    }

    /// Returns how many bytes the path of the directory has, without slashes at its end.
    #[must_use]
    pub const fn dir_len(self) -> usize {
        self.dir_len
    }

    /// Returns how many bytes the path of the directory may have. The result is 0 if the name is
    /// too long in every directory.
    #[must_use]
    pub const fn dir_max(self) -> usize {
        space_in(self.longest.len(), self.max)
    }

    /// Returns the errno of a path that is too long, `ENAMETOOLONG`.
    #[must_use]
    pub const fn errno(self) -> Errno {
        Errno::ENAMETOOLONG
    }
}

impl fmt::Display for DoesNotFit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dir_len, dir_max, name) = (self.dir_len, self.dir_max(), self.longest);
        write!(
            f,
            "the path of the directory has {dir_len} bytes, and may have at most {dir_max} for the \
             socket {name:?} in it"
        )
    }
}

impl error::Error for DoesNotFit<'_> {}
