//! Conversions between `sockaddr_un` and the address type of `std`.

use std::ffi::OsStr;
use std::io;
#[cfg(target_os = "android")]
use std::os::android::net::SocketAddrExt;
#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr;

use super::{
    SUN_PATH_CAPACITY, SunPath, blank, path_bytes_mut, set_length, sockaddr_un,
    sockaddr_un_unnamed, socklen_t, sun_path,
};

/// Makes a `sockaddr_un` and its length from an address of `std`.
///
/// A path from the kernel that fills `sun_path` and has no NUL is accepted, too, because
/// `std::os::unix::net::SocketAddr` can hold this path.
///
/// # Examples
///
/// ```
/// use std::os::unix::net::SocketAddr;
/// use sunpath_sys::{SunPath, sockaddr_un_from_std, sun_path};
///
/// let addr = SocketAddr::from_pathname("/run/app.sock")?;
/// let (addr, len) = sockaddr_un_from_std(&addr);
/// assert_eq!(sun_path(&addr, len), SunPath::Pathname(b"/run/app.sock"));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// See unix(7).
#[must_use]
pub fn sockaddr_un_from_std(addr: &SocketAddr) -> (sockaddr_un, socklen_t) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(made) = addr
        .as_abstract_name()
        .and_then(|name| super::sockaddr_un_abstract(name).ok())
    {
        return made;
    }
    let Some(path) = addr.as_pathname() else {
        return sockaddr_un_unnamed();
    };
    let path = path.as_os_str().as_bytes();
    let mut raw = blank();
    for (to, from) in path_bytes_mut(&mut raw).iter_mut().zip(path) {
        *to = *from;
    }
    let len = set_length(&mut raw, SUN_PATH_CAPACITY.min(path.len() + 1));
    (raw, len)
}

/// Makes an address of `std` from a `sockaddr_un` and any length.
///
/// # Errors
///
/// - `EINVAL` (kind `InvalidInput`): the path fills `sun_path` and leaves no byte for a NUL, or an
///   abstract name does not fit. `std` does not have these addresses.
/// - Kind `Unsupported`: the name is abstract, and the system has no abstract names.
///
/// See unix(7).
pub fn sockaddr_un_to_std(addr: &sockaddr_un, len: socklen_t) -> io::Result<SocketAddr> {
    match sun_path(addr, len) {
        // std makes the unnamed address from an empty path.
        SunPath::Unnamed => SocketAddr::from_pathname(""),
        SunPath::Pathname(path) => SocketAddr::from_pathname(OsStr::from_bytes(path)),
        #[cfg(any(target_os = "linux", target_os = "android"))]
        SunPath::Abstract(name) => SocketAddr::from_abstract_name(name),
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        SunPath::Abstract(_) => Err(io::ErrorKind::Unsupported.into()),
    }
}
