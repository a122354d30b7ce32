//! Returns the length to pass with the address of this path, or nothing if the path is empty or
//! does not fit. Do not use `UnixAddr`.

use sunpath::sys::{SUN_PATH_CAPACITY, SUN_PATH_OFFSET};

/// The answer to the exercise.
pub(crate) fn address_length(path: &[u8]) -> Option<usize> {
    let size = path.len() + 1;
    let fits = size > 1 && size <= SUN_PATH_CAPACITY;
    fits.then_some(SUN_PATH_OFFSET + size)
}
