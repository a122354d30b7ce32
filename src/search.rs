//! Searches for one byte in a path. These functions are not generic and take no closures, so that the
//! code of the iterators is compiled once and not for each caller.

/// Returns how many bytes come before the first `byte`, or the length if there is none.
pub(crate) fn len_before(bytes: &[u8], byte: u8) -> usize {
    let at = bytes.iter().position(|other| *other == byte);
    at.unwrap_or(bytes.len())
}

/// Returns how many slashes a path begins with.
pub(crate) fn leading_slashes(path: &[u8]) -> usize {
    let at = path.iter().position(|byte| *byte != b'/');
    at.unwrap_or(path.len())
}

/// Returns the length of a path without the slashes at its end.
pub(crate) fn len_without_slashes(path: &[u8]) -> usize {
    let last = path.iter().rposition(|byte| *byte != b'/');
    last.map_or(0, |last| last + 1)
}

/// Returns the position of the last slash in the first `len` bytes.
pub(crate) fn last_slash(path: &[u8], len: usize) -> Option<usize> {
    path.get(..len)?.iter().rposition(|byte| *byte == b'/')
}
