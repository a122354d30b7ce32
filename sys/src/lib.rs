//! The C API of Unix domain sockets: `sockaddr_un` with the length check that C leaves to you, and the
//! socket calls as C has them.
//!
//! This crate is for Rust programs that use the C API itself. The crate needs neither `std` nor an
//! allocator, and `libc` is its only dependency. Names are C's, and types are libc's. Where C has
//! macros, or needs care, there are `const` functions that return a result. A function's page
//! begins with its C signature.
//!
//! # A server in C's words
//!
//! A C program that copies a path with `strncpy` does not learn that the path was truncated, and
//! serves at another path. Here a path that does not fit is an error, and for a fixed path a
//! compile error.
//!
//! ```
//! use std::{io, ptr};
//! use sunpath_sys as sys;
//!
//! fn check(result: i32) -> io::Result<i32> {
//!     match result {
//!         -1 => Err(io::Error::from_raw_os_error(sys::errno())),
//!         result => Ok(result),
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = format!("/tmp/sunpath-sys-{}.sock", std::process::id());
//! // 1. Address: the path is copied only if it fits, with its NUL.
//! let (addr, len) = sys::sockaddr_un_pathname(path.as_bytes())?;
//! let sa = ptr::from_ref(&addr).cast();
//!
//! // SAFETY: `sa` points to `len` bytes of a live address, and `accept` gets null pointers.
//! unsafe {
//!     // 2. Listen: bind makes the file, which must not exist yet.
//!     let listener = check(sys::socket(sys::AF_UNIX, sys::SOCK_STREAM, 0))?;
//!     check(sys::bind(listener, sa, len))?;
//!     check(sys::listen(listener, sys::SOMAXCONN))?;
//!
//!     // 3. Accept: the kernel returns a new descriptor for each connection.
//! #     let client = check(sys::socket(sys::AF_UNIX, sys::SOCK_STREAM, 0))?;
//! #     check(sys::connect(client, sa, len))?;
//!     let server = check(sys::accept(listener, ptr::null_mut(), ptr::null_mut()))?;
//!     sys::close(server);
//!     sys::close(listener);
//! #     sys::close(client);
//! }
//! # std::fs::remove_file(path)?;
//! # Ok(()) }
//! ```
//!
//! # Where an item is
//!
//! Each module below has the items of one C header, or of several. All items are at the crate's
//! root as well, because a C program does not name the header when it uses an item.
//!
//! # Where the constants come from
//!
//! Constants that libc has are libc's. The other constants come from the systems' own headers by
//! `bindgen`. The output of `bindgen` is part of the source, so a build needs neither a C compiler
//! nor libclang. On every build `const` assertions compare libc's structs and constants with those
//! headers. A difference stops the build with a message that names the item. Feature `bindgen`
//! reads the headers of this machine instead.
//!
//! # System calls without the C library
//!
//! With the feature `inline-syscalls`, which is off by default, the functions for sockets, and
//! `read`, `write`, `readv`, `writev`, `close` and `poll`, are the system calls themselves: the compiler
//! puts the instruction into the caller. A call then takes fewer instructions, and on some processors
//! less time. The [page of the measurements] has the numbers. `errno` is set after a failure, as by the
//! C library, and never after a success.
//!
//! The feature changes what other code can see of a call:
//!
//! - A library that is loaded by `LD_PRELOAD`, or a function of the same name in the program, does not
//!   receive the calls. Programs that redirect or count sockets in this way have no effect.
//! - The calls are not cancellation points: pthread_cancel(3) does not end a thread that waits in one.
//! - Debuggers stop at a system call (`catch syscall`), but not at the function's name. strace(1),
//!   seccomp(2) and valgrind see every call as before.
//!
//! The feature has an effect on Linux with glibc or musl, on x86_64 and aarch64 with 64-bit pointers.
//! On every other target, under Miri and with a sanitizer it does nothing, because features add up
//! over a whole program, and a dependency must not break the build of another system.
//! [`INLINE_SYSCALLS`] is `true` if it has an effect. `fcntl`, `ioctl` and the functions for files
//! remain those of the C library. With musl, `sendmsg` with up to 1,024 bytes of control messages
//! also remains that of the C library. musl adapts the layout of these messages to the kernel's.
//!
//! [page of the measurements]: https://github.com/sunpath/sunpath/blob/main/docs/performance.md#without-the-c-library

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "std", test))]
extern crate std;

pub mod cmsg;
pub mod errno;
#[cfg(have_facts)]
mod facts;
pub mod file;
#[cfg(have_inline_syscalls)]
// The functions are documented where they are re-exported. With musl some are not re-exported.
#[allow(missing_docs, unreachable_pub, clippy::missing_safety_doc)]
mod inline;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub mod linux;
#[cfg(all(target_os = "linux", target_env = "musl", target_pointer_width = "64"))]
mod musl;
pub mod socket;
pub mod un;

/// Whether the functions for sockets are the system calls themselves, and not the functions of the C
/// library. That is so if the feature `inline-syscalls` is on and has an effect on this target.
///
/// # Examples
///
/// A program that depends on it stops the build where the feature has no effect:
///
/// ```
/// # #[cfg(all(feature = "inline-syscalls", target_os = "linux", target_arch = "x86_64"))]
/// const _: () = assert!(sunpath_sys::INLINE_SYSCALLS);
/// ```
pub const INLINE_SYSCALLS: bool = cfg!(have_inline_syscalls);

/// The functions that the feature `inline-syscalls` replaces.
#[cfg(have_inline_syscalls)]
use inline as calls;
#[cfg(not(have_inline_syscalls))]
use libc as calls;

pub use cmsg::*;
pub use errno::*;
pub use file::*;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub use linux::*;
pub use socket::*;
pub use un::*;

/// The README's program, which the tests compile and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
