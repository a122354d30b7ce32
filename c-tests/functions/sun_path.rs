//! Checks that C's `sun_path.c`, `sunpath-sys` and `sunpath` treat any bytes in the same way, as a
//! path, as an abstract name and as an address: all three produce the same struct, length, errno
//! and name. `tests/convert.rs` and `fuzz/` use it.

use std::ffi::{c_char, c_int};
use std::ptr;
use std::slice;

use sunpath::sys::{self, SunPath, SunPathError, sa_family_t, sockaddr_un, socklen_t};
use sunpath::{Errno, UnixAddr};

type Maker = unsafe extern "C" fn(*const c_char, usize, *mut sockaddr_un, *mut socklen_t) -> c_int;

#[link(name = "sunpath_c", kind = "static")]
unsafe extern "C" {
    fn sun_path_pathname(
        path: *const c_char,
        size: usize,
        ret_addr: *mut sockaddr_un,
        ret_len: *mut socklen_t,
    ) -> c_int;
    fn sun_path_abstract(
        name: *const c_char,
        size: usize,
        ret_addr: *mut sockaddr_un,
        ret_len: *mut socklen_t,
    ) -> c_int;
    fn sun_path_read(
        addr: *const sockaddr_un,
        len: socklen_t,
        ret_name: *mut *const c_char,
        ret_size: *mut usize,
    ) -> c_int;
}

const SIZE: usize = size_of::<sockaddr_un>();
const FAMILY: usize = size_of::<sa_family_t>();

/// Returns every byte of the struct.
fn bytes_of(addr: &sockaddr_un) -> [u8; SIZE] {
    const { assert!(SIZE == sys::SUN_PATH_OFFSET + sys::SUN_PATH_CAPACITY && FAMILY == 2) };
    // SAFETY: the struct is live and consists of integers. The assertion above shows that there is
    // no padding.
    unsafe { *ptr::from_ref(addr).cast() }
}

/// Makes the struct with these bytes. The rest of it is zero.
fn with_bytes(bytes: &[u8]) -> sockaddr_un {
    let mut all = [0; SIZE];
    let count = bytes.len().min(SIZE);
    all[..count].copy_from_slice(&bytes[..count]);
    // SAFETY: a sockaddr_un consists of integers, so any bytes are valid.
    unsafe { ptr::from_ref(&all).cast::<sockaddr_un>().read_unaligned() }
}

type Made = Result<([u8; SIZE], socklen_t), c_int>;

fn made_by_c(maker: Maker, bytes: &[u8]) -> Made {
    let untouched = with_bytes(&[0xaa; SIZE]);
    let (mut addr, mut len) = (untouched, socklen_t::MAX);
    // SAFETY: `bytes` are live for their length, and there is space for the address and its length.
    let result = unsafe { maker(bytes.as_ptr().cast(), bytes.len(), &mut addr, &mut len) };
    if result == 0 {
        return Ok((bytes_of(&addr), len));
    }
    let errno = sys::errno();
    assert_eq!(
        (bytes_of(&addr), len),
        (bytes_of(&untouched), socklen_t::MAX)
    );
    Err(errno)
}

fn check_made(
    bytes: &[u8],
    c: Made,
    raw: Result<(sockaddr_un, socklen_t), SunPathError>,
    safe: Result<UnixAddr, SunPathError>,
) {
    let error = raw.err();
    let safe = safe.map(|addr| (bytes_of(addr.as_sockaddr_un()), addr.len()));
    let raw = raw.map(|(addr, len)| (bytes_of(&addr), len));
    assert_eq!(raw, safe, "raw and safe of {bytes:?}");
    assert_eq!(
        raw.map_err(SunPathError::errno),
        c,
        "raw and C of {bytes:?}"
    );
    match error {
        None | Some(SunPathError::Empty) => {}
        Some(SunPathError::InteriorNul { at }) => {
            assert_eq!(bytes.iter().position(|byte| *byte == 0), Some(at));
        }
        Some(SunPathError::TooLong { len, max }) => {
            assert_eq!((len, max), (bytes.len(), sys::SUN_PATH_MAX));
        }
        Some(error) => panic!("{error} of {bytes:?}"),
    }
}

fn read_by_c(addr: &sockaddr_un, len: socklen_t) -> SunPath<'_> {
    let (mut name, mut size) = (ptr::null(), 0);
    // SAFETY: the address is live, and the function reads no byte outside of it, whatever the
    // length is.
    let kind = unsafe { sun_path_read(addr, len, &mut name, &mut size) };
    // SAFETY: `name` points into the address, which is live, and `size` bytes from there on are
    // inside it.
    let name = unsafe { slice::from_raw_parts(name.cast(), size) };
    match kind {
        0 => SunPath::Unnamed,
        1 => SunPath::Pathname(name),
        _ => SunPath::Abstract(name),
    }
}

/// Panics if the three read an address with these bytes and this length differently.
pub(crate) fn check_read(bytes: &[u8], len: socklen_t) {
    let addr = with_bytes(bytes);
    let c = read_by_c(&addr, len);
    assert_eq!(
        sys::sun_path(&addr, len),
        c,
        "raw and C in {bytes:?} of {len}"
    );
    let has_family = len as usize >= FAMILY;
    match UnixAddr::from_raw(addr, len) {
        Ok(safe) => {
            assert!(len as usize <= SIZE + 1);
            assert_eq!(safe.name(), c, "safe and C in {bytes:?} of {len}");
            // For a path, the length counts only the NUL right after it.
            let most = match c {
                SunPath::Pathname(path) => sys::SUN_PATH_OFFSET + path.len() + 1,
                _ => SIZE,
            };
            let sent = (len as usize).clamp(sys::SUN_PATH_OFFSET, SIZE.min(most));
            assert_eq!(safe.len() as usize, sent);
            assert!(!has_family || bytes_of(safe.as_sockaddr_un()) == bytes_of(&addr));
        }
        Err(error) if error.errno() == Errno::EAFNOSUPPORT => {
            assert!(has_family && addr.sun_family != sys::AF_UNIX as sa_family_t);
        }
        Err(error) => {
            assert_eq!(error.errno(), Errno::EINVAL);
            let full = matches!(c, SunPath::Pathname(path) if path.len() == sys::SUN_PATH_CAPACITY);
            assert!(len as usize > SIZE + usize::from(full));
        }
    }
}

/// Panics if the three make different addresses of these bytes.
pub(crate) fn check_make(bytes: &[u8]) {
    let c = made_by_c(sun_path_pathname, bytes);
    let (raw, safe) = (
        sys::sockaddr_un_pathname(bytes),
        UnixAddr::from_pathname(bytes),
    );
    check_made(bytes, c, raw, safe);
    if let Ok((addr, len)) = c {
        assert_eq!(read_by_c(&with_bytes(&addr), len), SunPath::Pathname(bytes));
    }
    let c = made_by_c(sun_path_abstract, bytes);
    let (raw, safe) = (
        sys::sockaddr_un_abstract(bytes),
        UnixAddr::from_abstract(bytes),
    );
    check_made(bytes, c, raw, safe);
    if let Ok((addr, len)) = c {
        assert_eq!(read_by_c(&with_bytes(&addr), len), SunPath::Abstract(bytes));
    }
}
