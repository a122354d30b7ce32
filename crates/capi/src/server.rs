//! Binds sockets, and keeps the file that belongs to each.

use core::ffi::{c_char, c_int};
use core::mem::ManuallyDrop;
use core::ptr;

use sunpath_rs::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use sunpath_rs::sys::{sockaddr_un, socklen_t};
use sunpath_rs::{
    BindOptions, Bound, Errno, Error, UnixAddr, UnixDatagram, UnixListener, UnixSeqpacketListener,
};

use crate::addr::written;
use crate::argument::{Number, Type, address, directory, required, text};
use crate::failure::{Failure, returned};
use crate::options::{read, sunpath_bind_options};

/// A bound socket with its socket file. C sees only a pointer to it.
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct sunpath_server(Server);

enum Server {
    Stream(Bound<UnixListener>),
    Seqpacket(Bound<UnixSeqpacketListener>),
    Datagram(Bound<UnixDatagram>),
}

/// Evaluates the same expression for a server of any type, with its `Bound` under the given name.
macro_rules! with_bound {
    ($server:expr, $bound:ident => $result:expr) => {
        match $server {
            Server::Stream($bound) => $result,
            Server::Seqpacket($bound) => $result,
            Server::Datagram($bound) => $result,
        }
    };
}

impl Server {
    fn set_nonblocking(&self) -> Result<(), Error> {
        match self {
            Self::Stream(bound) => bound.set_nonblocking(true),
            Self::Seqpacket(bound) => bound.set_nonblocking(true),
            Self::Datagram(bound) => bound.set_nonblocking(true),
        }
    }

    fn addr(&self) -> Result<UnixAddr, Error> {
        with_bound!(self, bound => match bound.addr() {
            Some(addr) => Ok(*addr),
            None => bound.local_addr(),
        })
    }
}

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
            Ok(match kind {
                Type::Stream => Server::Stream(options.bind_addr(&addr)?),
                Type::Seqpacket => Server::Seqpacket(options.bind_addr(&addr)?),
                Type::Datagram => Server::Datagram(options.bind_addr(&addr)?),
            })
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
pub unsafe extern "C" fn sunpath_adopt(
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
            /// Returns the server from the closure, or evaluates to the error and the descriptor.
            macro_rules! adopted {
                ($kind:ident, $socket:ty) => {
                    match <$socket>::try_from(owned) {
                        Err(error) => (error.error(), error.into_fd()),
                        Ok(socket) => match options.adopt(socket, path) {
                            Ok(bound) => return Ok(Server::$kind(bound)),
                            Err(error) => (error.error(), OwnedFd::from(error.into_inner())),
                        },
                    }
                };
            }
            let (error, owned) = match kind {
                Type::Stream => adopted!(Stream, UnixListener),
                Type::Seqpacket => adopted!(Seqpacket, UnixSeqpacketListener),
                Type::Datagram => adopted!(Datagram, UnixDatagram),
            };
            let _ = owned.into_raw_fd();
            Err(error)
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
        let server = unsafe { &(*server).0 };
        Ok(with_bound!(server, bound => bound.as_raw_fd()))
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
        let server = unsafe { &(*server).0 };
        Ok(server.addr()?)
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
        let server = unsafe { &mut (*server).0 };
        with_bound!(server, bound => bound.adopt());
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
    let released =
        unsafe { taken(server) }.map(|server| with_bound!(server, bound => bound.into_raw_fd()));
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
        with_bound!(server, bound => bound.close_and_unlink())?;
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
unsafe fn taken(server: *mut sunpath_server) -> Result<Server, Failure> {
    required(server, 1)?;
    // SAFETY: it is not NULL, it holds a server, and nothing reads it again.
    let sunpath_server(value) = unsafe { server.read() };
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

    fn fill(self, server: Server) -> *mut sunpath_server {
        let memory = ManuallyDrop::new(self).0;
        // SAFETY: malloc returned it with the size of a server, and memory of malloc is aligned for it.
        unsafe { memory.write(sunpath_server(server)) };
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
    Error::new(sunpath_rs::error::Call::Bind, Errno::ENOMEM)
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
    let server = bind(&options.to_options(options_parameter)?)?;
    if options.nonblocking() {
        server.set_nonblocking()?;
    }
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
            Ok(match kind {
                Type::Stream => Server::Stream(options.bind_at(dir, path)?),
                Type::Seqpacket => Server::Seqpacket(options.bind_at(dir, path)?),
                Type::Datagram => Server::Datagram(options.bind_at(dir, path)?),
            })
        };
        // SAFETY: the caller guarantees the options and the place.
        unsafe { make(options, parameter + 2, ret_server, parameter + 3, &below) }
    };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(bind(), ret_error) }
}
