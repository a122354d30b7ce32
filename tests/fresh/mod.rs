//! A fresh directory for each test.

use std::env;
use std::path::PathBuf;
use std::sync::Once;

use tempfile::TempDir;

/// Makes a fresh directory whose path is short enough for names of 40 bytes. The directory is in
/// /tmp if the path of the directory for temporary files is too long. Sets the umask to 022, so
/// files that are made in it have the usual modes, whatever the umask was before.
pub(crate) fn dir() -> TempDir {
    static USUAL_UMASK: Once = Once::new();
    USUAL_UMASK.call_once(|| {
        // SAFETY: umask takes an integer and cannot fail.
        unsafe { libc::umask(0o022) };
    });
    let temp = Some(env::temp_dir()).filter(|temp| temp.as_os_str().len() <= 50);
    tempfile::tempdir_in(temp.unwrap_or(PathBuf::from("/tmp"))).unwrap()
}
