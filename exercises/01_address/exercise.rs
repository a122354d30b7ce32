//! Returns the length to pass with the address of this path, or nothing if the path is empty or
//! does not fit. Do not use `UnixAddr`.

/// The answer to the exercise.
pub(crate) fn address_length(path: &[u8]) -> Option<usize> {
    Some(path.len())
}
