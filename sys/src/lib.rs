//! `sockaddr_un` and the socket calls as C has them, and the overflow check that C leaves to you.
//!
//! This crate is for programs that want the C API of Unix domain sockets itself, in Rust: without
//! `std`, without an allocator, with `libc` as its only dependency. Names are C's, types are
//! libc's. What C does with macros and with care is here as `const fn` with a result:
//!
//! | module | header | what is in it |
//! |---|---|---|
//! | [`un`] | `<sys/un.h>` | `sockaddr_un`, made and read with every length checked |
//! | [`socket`](mod@socket) | `<sys/socket.h>`, `<sys/uio.h>`, `<poll.h>` | the calls, structs and constants |
//! | [`cmsg`] | `<sys/socket.h>` | `CMSG_LEN` and its like over `usize`, and a walk that stays inside |
//! | [`file`](mod@file) | `<fcntl.h>`, `<unistd.h>`, `<sys/stat.h>` | the path calls around a socket file |
//! | [`errno`](mod@errno) | `<errno.h>` | `errno`, and the names of its values |
//! | [`linux`] | `<linux/...>` | what libc lacks, from Linux's own headers |
//!
//! Everything is at the crate's root too, as it is in C.
//!
//! # The careful C program, in Rust
//!
//! A C program that copies a path with `strncpy` never learns that it was cut, and serves on another
//! path. Here a path that does not fit is a value, and with a fixed path it is a compile error:
//!
//! ```
//! use std::ptr;
//! use sunpath_sys as sys;
//!
//! # let dir = std::path::PathBuf::from(format!("/tmp/sunpath-sys-{}", std::process::id()));
//! # std::fs::create_dir_all(&dir)?;
//! # let path = dir.join("a.sock");
//! # let path = std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str());
//! // 1. Address: the path goes in only if it fits, with its NUL.
//! let (addr, len) = sys::sockaddr_un_pathname(path)?;
//!
//! // 2. Socket: family and type given explicitly.
//! // SAFETY: socket takes no pointer.
//! let fd = unsafe { sys::socket(sys::AF_UNIX, sys::SOCK_STREAM, 0) };
//! assert!(fd >= 0, "socket: {:?}", sys::errno_name(sys::errno()));
//!
//! // 3. Bind: the path must not exist yet.
//! // SAFETY: addr is a live sockaddr_un, and len is not more than its size.
//! let bound = unsafe { sys::bind(fd, ptr::from_ref(&addr).cast(), len) };
//! assert_eq!(bound, 0, "bind: {:?}", sys::errno_name(sys::errno()));
//! # unsafe { sys::close(fd) };
//! # std::fs::remove_dir_all(&dir)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where the constants come from
//!
//! libc's constants are libc's. Those that it lacks come from the systems' own headers by
//! `bindgen`; the output is part of the source, so that a build needs neither a compiler for C nor
//! libclang. On every build `const` assertions hold libc's structs and constants against those
//! headers; a difference stops the build and names the item. Feature `bindgen` reads the headers
//! of the machine at hand instead.

#![no_std]

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

/// The README's program, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
