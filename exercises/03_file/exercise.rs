//! Returns whether there is a socket file at this path that no process holds any more. A live
//! server must not notice. Do not use `probe`.

use std::path::Path;

/// The answer to the exercise.
pub(crate) fn is_dead(path: &Path) -> bool {
    path.exists()
}
