//! Binds sockets, and keeps the file that belongs to each.

use core::ffi::{c_char, c_int};
use core::mem::ManuallyDrop;
use core::ptr;

use sunpath_rs::error::Call;
use sunpath_rs::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use sunpath_rs::sys::{sockaddr_un, socklen_t};
use sunpath_rs::{BindOptions, Bound, Errno, Error, SocketRef, Stream, libsunpath};

use crate::addr::written;
use crate::argument::{Number, Type, address, directory, required, text};
use crate::failure::{Failure, returned};
use crate::options::{read, sunpath_bind_options};

/// A bound socket with its socket file. C sees only a pointer to it.
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct sunpath_server {
    bound: Server,
    /// `true` if the file stays when the server is closed.
    keeps_file: bool,
}

/// A socket of any type, with its file. Most calls are the same for all types.
type Server = Bound<OwnedFd>;

/// Binds to a path.
///
/// # Safety
///
/// - As the header says: `path` is NULL or a string, and each other pointer is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_bind(
    type_: c_int,
    path: *const c_char,
    options: *const sunpath_bind_options,
    ret_server: *mut *mut sunpath_server,
    ret_error: *mut u64,
) -> c_int {
    // SAFETY: the caller guarantees the pointers.
    unsafe {
        bind_below(
            libc::AT_FDCWD,
            type_,
            path,
            options,
            ret_server,
            ret_error,
            1,
        )
    }
}

/// Binds to a path that begins at a directory.
///
/// # Safety
///
/// - As the header says: `path` is NULL or a string, and each other pointer is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_bind_at(
    dirfd: c_int,
    type_: c_int,
    path: *const c_char,
    options: *const sunpath_bind_options,
    ret_server: *mut *mut sunpath_server,
    ret_error: *mut u64,
) -> c_int {
    // SAFETY: the caller guarantees the pointers.
    unsafe { bind_below(dirfd, type_, path, options, ret_server, ret_error, 2) }
}

/// Binds to an address.
///
/// # Safety
///
/// - As the header says: `len` bytes of `addr` can be read, and each pointer is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_bind_addr(
    type_: c_int,
    addr: *const sockaddr_un,
    len: socklen_t,
    options: *const sunpath_bind_options,
    ret_server: *mut *mut sunpath_server,
    ret_error: *mut u64,
) -> c_int {
    let bind = || {
        let kind = Type::new(type_, 1)?;
        // SAFETY: the caller guarantees the bytes.
        let addr = unsafe { address(addr, len, 2) }?;
        let by_addr = |options: &BindOptions| {
            libsunpath::bind_addr(options, kind.number(), kind.listens(), &addr)
        };
        // SAFETY: the caller guarantees the options and the place.
        unsafe { make(options, 4, ret_server, 5, &by_addr) }
    };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(bind(), ret_error) }
}

/// Takes over the file of a socket that is bound.
///
/// # Safety
///
/// - As the header says: `path` is NULL or a string, each other pointer is NULL or valid, and nothing
///   else closes `fd`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_server_from_fd(
    fd: c_int,
    path: *const c_char,
    options: *const sunpath_bind_options,
    ret_server: *mut *mut sunpath_server,
    ret_error: *mut u64,
) -> c_int {
    let adopt = || {
        let number = Number::new(fd, 1)?;
        // SAFETY: the caller guarantees the string.
        let path = unsafe { text(path, 2) }?;
        let kind = Type::of(number, 1)?;
        let by_fd = |options: &BindOptions| {
            // SAFETY: the descriptor is open, because the kernel told its type, and the caller gives it
            // up. On failure the caller keeps it, because `into_raw_fd` below does not close it.
            let owned = unsafe { OwnedFd::from_raw_fd(fd) };
            let (kind, listens) = (kind.number(), kind.listens());
            libsunpath::adopt(options, kind, listens, owned, path).map_err(|(error, owned)| {
                let _ = owned.into_raw_fd();
                error
            })
        };
        // SAFETY: the caller guarantees the options and the place.
        unsafe { make(options, 3, ret_server, 4, &by_fd) }
    };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(adopt(), ret_error) }
}

/// Returns the descriptor, which the server keeps.
///
/// # Safety
///
/// - `server` is NULL, or a server of this library that is not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_server_fd(server: *const sunpath_server) -> c_int {
    let number = || {
        required(server, 1)?;
        // SAFETY: it is not NULL, and the caller guarantees the rest.
        let server = unsafe { &(*server).bound };
        Ok(server.as_raw_fd())
    };
    // SAFETY: `ret_error` is NULL, because the C function has no such parameter.
    unsafe { returned(number(), ptr::null_mut()) }
}

/// Returns the address at which clients connect.
///
/// # Safety
///
/// - `server` is NULL, or a server of this library that is not closed. Each other pointer is NULL or
///   valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_server_addr(
    server: *const sunpath_server,
    ret_addr: *mut sockaddr_un,
    ret_len: *mut socklen_t,
    ret_error: *mut u64,
) -> c_int {
    let addr = || {
        required(server, 1)?;
        // SAFETY: it is not NULL, and the caller guarantees the rest.
        let server = unsafe { &(*server).bound };
        Ok(match server.addr() {
            Some(addr) => *addr,
            None => SocketRef::<Stream>::from(server).local_addr()?,
        })
    };
    // SAFETY: the caller guarantees the pointers.
    let result = unsafe { written(addr(), ret_addr, ret_len, 2) };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(result, ret_error) }
}

/// Makes this process the one that removes the file.
///
/// # Safety
///
/// - `server` is NULL, or a server of this library that is not closed, and nothing else uses it
///   meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_server_adopt(server: *mut sunpath_server) -> c_int {
    let adopt = || {
        required(server, 1)?;
        // SAFETY: it is not NULL, and the caller guarantees the rest.
        let server = unsafe { &mut (*server).bound };
        server.adopt();
        Ok(0)
    };
    // SAFETY: `ret_error` is NULL, because the C function has no such parameter.
    unsafe { returned(adopt(), ptr::null_mut()) }
}

/// Gives up the file and the lock, and returns the descriptor, which the caller then owns.
///
/// # Safety
///
/// - `server` is NULL, or a server of this library that is not closed, and nothing uses it from now on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_server_release(server: *mut sunpath_server) -> c_int {
    // SAFETY: the caller guarantees the server.
    let released = unsafe { taken(server) }.map(|server| server.bound.leak().into_raw_fd());
    // SAFETY: `ret_error` is NULL, because the C function has no such parameter.
    unsafe { returned(released, ptr::null_mut()) }
}

/// Removes the file and closes the socket.
///
/// # Safety
///
/// - `server` is NULL, or a server of this library that is not closed, and nothing uses it from now on.
/// - `ret_error` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_server_close(
    server: *mut sunpath_server,
    ret_error: *mut u64,
) -> c_int {
    // SAFETY: the caller guarantees the server.
    let closed = unsafe { taken(server) }.and_then(|server| {
        match server.keeps_file {
            true => drop(server.bound.leak()),
            false => server.bound.close_and_unlink()?,
        }
        Ok(0)
    });
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(closed, ret_error) }
}

/// Moves a server out of its memory, and frees the memory.
///
/// # Safety
///
/// - `server` is NULL, or a server of this library that is not closed, and nothing uses it from now on.
unsafe fn taken(server: *mut sunpath_server) -> Result<sunpath_server, Failure> {
    required(server, 1)?;
    // SAFETY: it is not NULL, it holds a server, and nothing reads it again.
    let value = unsafe { server.read() };
    // SAFETY: `make` got the memory from malloc, and it is freed once.
    unsafe { libc::free(server.cast()) };
    Ok(value)
}

/// Memory for a server. It is freed when this is dropped, unless `fill` has put a server into it.
struct Memory(*mut sunpath_server);

impl Memory {
    fn new() -> Result<Self, Failure> {
        const { assert!(align_of::<sunpath_server>() <= align_of::<libc::max_align_t>()) };
        // SAFETY: malloc has no conditions.
        let memory = unsafe { libc::malloc(size_of::<sunpath_server>()) };
        match memory.is_null() {
            true => Err(Failure::Call(no_memory())),
            false => Ok(Self(memory.cast())),
        }
    }

    fn fill(self, server: sunpath_server) -> *mut sunpath_server {
        let memory = ManuallyDrop::new(self).0;
        // SAFETY: malloc returned it with the size of a server, and memory of malloc is aligned for it.
        unsafe { memory.write(server) };
        memory
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: malloc returned the memory, and nothing else refers to it.
        unsafe { libc::free(self.0.cast()) };
    }
}

fn no_memory() -> Error {
    libsunpath::error(Call::Bind, Errno::ENOMEM)
}

/// Reads the options, makes a server by `bind`, and writes a pointer to it to `*ret_server`.
///
/// The memory is allocated first, because a failure after `bind` would have to remove the file again.
///
/// # Safety
///
/// - `options` meets the condition of `read`, and `ret_server` is NULL or valid for a write.
unsafe fn make(
    options: *const sunpath_bind_options,
    options_parameter: u8,
    ret_server: *mut *mut sunpath_server,
    parameter: u8,
    bind: &dyn Fn(&BindOptions) -> Result<Server, Error>,
) -> Result<c_int, Failure> {
    // SAFETY: the caller guarantees the options.
    let options = unsafe { read(options, options_parameter) }?;
    required(ret_server, parameter)?;
    let memory = Memory::new()?;
    let bound = bind(&options.to_options(options_parameter)?)?;
    if options.nonblocking() {
        SocketRef::<Stream>::from(&bound).set_nonblocking(true)?;
    }
    let keeps_file = options.keeps_file();
    let server = sunpath_server { bound, keeps_file };
    // SAFETY: it is not NULL, and the caller guarantees it.
    unsafe { ret_server.write(memory.fill(server)) };
    Ok(0)
}

/// Binds to a path. `parameter` is the place of the type among the parameters.
///
/// # Safety
///
/// - As for `sunpath_bind_at`.
unsafe fn bind_below(
    dirfd: c_int,
    type_: c_int,
    path: *const c_char,
    options: *const sunpath_bind_options,
    ret_server: *mut *mut sunpath_server,
    ret_error: *mut u64,
    parameter: u8,
) -> c_int {
    let bind = || {
        let dir = directory(dirfd, 1)?;
        let kind = Type::new(type_, parameter)?;
        // SAFETY: the caller guarantees the string.
        let path = unsafe { text(path, parameter + 1) }?;
        let below = |options: &BindOptions| {
            libsunpath::bind_at(options, kind.number(), kind.listens(), dir, path)
        };
        // SAFETY: the caller guarantees the options and the place.
        unsafe { make(options, parameter + 2, ret_server, parameter + 3, &below) }
    };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(bind(), ret_error) }
}
