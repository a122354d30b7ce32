//! Returns paths and addresses as a line of the output shows them, for the Rust lanes. `file.c` and
//! `socket.c` print the same in C.

use sunpath_c_tests::notation::Bytes;
use sunpath_sys::{SUN_PATH_OFFSET, sockaddr_un, socklen_t};

/// The length of the longest path that is printed. For a longer one only its length is printed.
const SHOWN: usize = 300;

const FD_DIRECTORY: &[u8] = b"/proc/self/fd/";
const TEMPORARY: &[u8] = b".sunpath-";

/// Returns a path in quotes. A path of more than 300 bytes is returned as its length, for example
/// `<4000 bytes>`. A descriptor in a path is N, and the digits of a temporary name are X, because
/// these may change.
pub(crate) fn path(path: impl AsRef<[u8]>) -> String {
    let path = path.as_ref();
    if path.len() > SHOWN {
        return format!("<{} bytes>", path.len());
    }
    let path = with_letter(path, FD_DIRECTORY, b"N");
    Bytes(&with_letter(&path, TEMPORARY, b"X")).to_string()
}

/// Returns the path with a letter in place of the digits after these bytes.
fn with_letter(path: &[u8], behind: &[u8], letter: &[u8]) -> Vec<u8> {
    let found = path.windows(behind.len()).position(|part| part == behind);
    let Some(end) = found.map(|at| at + behind.len()) else {
        return path.to_vec();
    };
    let digits = path[end..]
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit());
    let rest = end + digits.count();
    [&path[..end], letter, &path[rest..]].concat()
}

/// Returns in words the address that getsockname(2) wrote. The length of the address is left out if
/// it counts the digits of a descriptor.
pub(crate) fn address(addr: &sockaddr_un, len: socklen_t) -> String {
    let size = size_of::<sockaddr_un>().min(len as usize);
    if size <= SUN_PATH_OFFSET {
        return format!("{len}, unnamed");
    }
    let name = addr.sun_path.map(|byte| byte as u8);
    let name = &name[..size - SUN_PATH_OFFSET];
    if name.starts_with(FD_DIRECTORY) {
        path(name)
    } else {
        format!("{len}, {}", path(name))
    }
}
