//! `sockaddr_un` and the socket calls as C has them, and the overflow check that C leaves to you.
//!
//! This crate is for programs that use the C API of Unix domain sockets itself, in Rust: without
//! `std`, without an allocator, with `libc` as its only dependency. Names are C's, and types are
//! libc's. Where C has macros, or needs care, there are `const` functions with a result. A function's
//! page begins with its C signature.
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
//! # Modules
//!
//! | module | header | what is in it |
//! |---|---|---|
//! | [`un`] | `<sys/un.h>` | `sockaddr_un`, made and read with every length checked |
//! | [`socket`](mod@socket) | `<sys/socket.h>`, `<sys/uio.h>`, `<poll.h>` | the calls, structs and constants |
//! | [`cmsg`] | `<sys/socket.h>` | `CMSG_LEN` and its like over `usize`, and a loop that stays inside |
//! | [`file`](mod@file) | `<fcntl.h>`, `<unistd.h>`, `<sys/stat.h>` | the path calls around a socket file |
//! | [`errno`](mod@errno) | `<errno.h>` | `errno`, and the names of its values |
//! | [`linux`] | `<linux/...>` | what libc lacks, from Linux's own headers |
//!
//! All items are at the crate's root too, as in C.
//!
//! # Where the constants come from
//!
//! Constants that libc has are libc's. Those that it lacks come from the systems' own headers by
//! `bindgen`. Its output is part of the source, so a build needs neither a C compiler nor libclang.
//! On every build `const` assertions compare libc's structs and constants with those headers, and a
//! difference stops the build and names the item. Feature `bindgen` reads the headers of this
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
