//! The C API of Unix domain sockets: `sockaddr_un` with the length check that C leaves to you, and the
//! socket calls as C has them.
//!
//! This crate is for Rust programs that use the C API itself. It needs neither `std` nor an allocator,
//! and `libc` is its only dependency. Names are C's, and types are libc's. Where C has macros, or needs
//! care, there are `const` functions that return a result. A function's page begins with its C
//! signature.
//!
//! # A server in C's words
//!
//! A C program that copies a path with `strncpy` does not learn that it was truncated, and serves at
//! another path. Here a path that does not fit is an error, and for a fixed path a compile error.
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
//! // SAFETY: sa points to len bytes of a live address, and accept is given no buffer.
//! unsafe {
//!     // 2. Listen: bind makes the file, which must not exist before.
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
//! Each module below has the items of one header of C, or of several. All items are at the crate's
//! root as well, because a C program does not name the header of an item either.
//!
//! # Where the constants come from
//!
//! Constants that libc has are libc's. Those that it lacks come from the systems' own headers by
//! `bindgen`. Its output is part of the source, so a build needs neither a C compiler nor libclang.
//! On every build `const` assertions compare libc's structs and constants with those headers. A
//! difference stops the build with a message that names the item. Feature `bindgen` reads the headers of this
//! machine instead.

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "std", test))]
extern crate std;

pub mod cmsg;
pub mod errno;
#[cfg(have_facts)]
mod facts;
pub mod file;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub mod linux;
#[cfg(all(target_os = "linux", target_env = "musl", target_pointer_width = "64"))]
mod musl;
pub mod socket;
pub mod un;

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
