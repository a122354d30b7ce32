//! Finds stale socket files in a directory: files whose socket no process holds any more.

use std::ffi::OsStr;
use std::fs::ReadDir;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use crate::error::{Call, Errno, Error};
use crate::fd::CWD;
use crate::files::path::SplitPath;
use crate::pathname::AsPathname;

use super::file::BoundFile;
use super::stale::{Liveness, probe};

/// Returns the stale socket files of a directory, each with the proof that [`probe`] makes: no
/// process holds its socket. A file for which nothing can be proved is left out, for example a file
/// to which this process may not write. Directories below are not searched.
///
/// # Errors
///
/// - `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`: the directory does not exist, is a file, may not be
///   read, or is a loop of links.
/// - `EMFILE`, `ENFILE`, `ENOMEM`: no descriptor is free in the process or the system; no memory.
///
/// # Examples
///
/// ```no_run
/// use sunpath::files::stale_in;
///
/// for stale in stale_in("/run/app")? {
///     let stale = stale?;
///     println!("{}", stale.path().display());
///     stale.remove()?;
/// }
/// # Ok::<(), sunpath::Error>(())
/// ```
///
/// See readdir(3), unix(7).
#[doc(alias = "readdir")]
pub fn stale_in(dir: impl AsPathname) -> Result<StaleFiles, Error> {
    let dir = Path::new(OsStr::from_bytes(dir.as_pathname()));
    let entries = dir.read_dir().map_err(from_io)?;
    Ok(StaleFiles { entries })
}

/// An iterator over the stale socket files of a directory, made by [`stale_in`].
#[derive(Debug)]
pub struct StaleFiles {
    entries: ReadDir,
}

/// A socket file that no process held when [`stale_in`] found it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StaleFile {
    path: PathBuf,
}

impl Iterator for StaleFiles {
    /// An item that is an error is an error of readdir(3).
    type Item = Result<StaleFile, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let entry = match self.entries.next()? {
                Ok(entry) => entry,
                Err(error) => return Some(Err(from_io(error))),
            };
            // A file that has been removed by now is not stale either.
            if !entry.file_type().is_ok_and(|kind| kind.is_socket()) {
                continue;
            }
            let path = entry.path();
            if probe(&path) == Ok(Liveness::Dead) {
                return Some(Ok(StaleFile { path }));
            }
        }
    }
}

impl StaleFile {
    /// Returns the path of the file: the path of the directory, followed by the name.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the file if it is still stale, as [`ReplaceStale`](crate::Existing::ReplaceStale)
    /// does, with the proof made twice. Returns whether the file was there.
    ///
    /// # Errors
    ///
    /// On failure the file stays.
    ///
    /// - `EADDRINUSE`: a server has bound there since, or the file is not a socket any more. The
    ///   [`in_use`](Error::in_use) of the error tells which.
    /// - `EACCES`, `EPERM`, `EROFS`: this process may not remove it; a read-only file system.
    /// - `EBUSY`: something is mounted on it.
    /// - `EMFILE`, `ENFILE`, `ENOMEM`: no descriptor is free in the process or the system; no memory.
    ///
    /// See unlink(2).
    #[doc(alias = "unlink")]
    pub fn remove(self) -> Result<bool, Error> {
        let path = SplitPath::new(Call::Bind, CWD, self.path.as_os_str().as_bytes())?;
        BoundFile::at(&path)?.clear_stale(path.last, &path)
    }
}

/// Converts an error of `std` from reading a directory. Such an error always has an errno.
fn from_io(error: std::io::Error) -> Error {
    let errno = Errno::from_io_error(&error).unwrap_or(Errno::EIO);
    Error::new(Call::Readdir, errno)
}
