//! Finds the process that holds the lock of a socket file.

use crate::error::{Call, Errno, Error};
use crate::fd::{AsFd, CWD};
use crate::files::name::lock_name;
use crate::files::path::SplitPath;
use crate::pathname::AsPathname;
use crate::syscall;

use super::remove::status_of;

/// Returns the process that took the lock of [`ReplaceStale`](crate::Existing::ReplaceStale) for
/// this path, according to `/proc/locks`. A daemon can print the pid when it finds that another
/// instance is running.
///
/// The result is `None` if nobody holds the lock, and also if the system does not report the
/// holder: on systems without `/proc/locks`, for a process in another pid namespace, and on a file
/// system whose device numbers differ there (Btrfs, overlay). The process can have ended since,
/// while a child that it forked still holds the lock. Send no signal to this pid, because by then
/// it can belong to another process.
///
/// # Errors
///
/// - `ENOENT`, `EINVAL`: the path is empty, or has a NUL; no call was made.
/// - `ENOENT`, `ENOTDIR`, `ELOOP`, `EACCES`: the directory does not exist, is a file, or is a loop
///   of links; or there is no search permission.
/// - `ENAMETOOLONG`: a component has more than 255 bytes (`NAME_MAX`).
/// - `EMFILE`, `ENFILE`, `ENOMEM`: no descriptor is free in the process or the system; no memory.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sunpath::BindOptions;
/// use sunpath::files::holder;
///
/// # let path = std::env::temp_dir().join(format!("sunpath-holder-{}", std::process::id()));
/// let _first = BindOptions::singleton().listen(&path)?;
/// if let Err(error) = BindOptions::singleton().listen(&path) {
///     match holder(&path)? {
///         Some(pid) => println!("{error}; process {pid} holds it"),
///         None => println!("{error}"),
///     }
/// }
/// # Ok(()) }
/// # #[cfg(not(feature = "std"))] fn main() {}
/// ```
///
/// See proc_locks(5), flock(2).
#[doc(alias = "flock")]
pub fn holder(path: impl AsPathname) -> Result<Option<i32>, Error> {
    let path = SplitPath::new(Call::Bind, CWD, path.as_pathname())?;
    let dir = path.open_parent()?;
    match status_of(dir.as_fd(), lock_name(path.last)?.as_bytes()) {
        Ok(lock) => Ok(syscall::lock_holder(&lock)),
        Err(error) if error.errno() == Errno::ENOENT => Ok(None),
        Err(error) => Err(error),
    }
}
