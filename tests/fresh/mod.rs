//! A fresh directory.

use std::env;
use std::path::PathBuf;

use tempfile::TempDir;

/// A fresh directory whose path leaves `sun_path` room for names of 40 bytes: in /tmp where that of
/// the temporary files is too long.
pub(crate) fn dir() -> TempDir {
    let temp = Some(env::temp_dir()).filter(|temp| temp.as_os_str().len() <= 50);
    tempfile::tempdir_in(temp.unwrap_or(PathBuf::from("/tmp"))).unwrap()
}
