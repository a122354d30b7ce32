//! How long may a path be, and what becomes of a longer one?
#![expect(clippy::multiple_unsafe_ops_per_block)]

use std::{env, ffi::CString, ffi::c_int, io, process, ptr};
use sunpath_sys::*;

fn path() -> String {
    env::args().nth(1).unwrap_or("a.sock".into())
}

/// Prints a call and its result, an errno by its name.
fn show(call: &str, result: c_int) -> c_int {
    let name = errno_name(errno()).unwrap_or("?");
    let name = if result == -1 { name } else { "ok" };
    println!("{call} = {name}");
    result
}

/// Does the same, and ends the program if it failed.
fn check(call: &str, result: c_int) {
    let error = io::Error::last_os_error();
    if show(call, result) == -1 {
        eprintln!("{}: {error}", path());
        process::exit(1);
    }
}

/// Prints what the kernel says that a socket is bound to.
fn show_name(call: &str, sock: c_int) {
    let (mut addr, _) = sockaddr_un_unnamed();
    let mut len = size_of::<sockaddr_un>() as socklen_t;
    let sa = ptr::from_mut(&mut addr).cast();
    // SAFETY: the kernel writes at most len bytes to addr.
    unsafe { getsockname(sock, sa, &mut len) };
    println!("{call} = {len}");
}

fn main() {
    // 1. Address: a family, 108 bytes, and a length.
    let path = path();
    let (mut addr, _) = sockaddr_un_unnamed();
    println!("offsetof(sun_path) = {SUN_PATH_OFFSET}");
    println!("sizeof(sun_path) = {SUN_PATH_CAPACITY}");

    // 2. Check: the path and its NUL must fit.
    let bytes = path.as_bytes();
    let set = sockaddr_un_set_pathname(&mut addr, bytes);
    let Ok(len) = set else {
        eprintln!("{path}: empty or too long");
        process::exit(1);
    };
    let sa = ptr::from_mut(&mut addr).cast::<sockaddr>();

    // SAFETY: sa points to a live address of len bytes or more;
    // the strings are live and end with a NUL.
    unsafe {
        // 3. Bind: the length is that of the whole address.
        let sock = socket(AF_UNIX, SOCK_STREAM, 0);
        check("socket()", sock);
        check("bind(sock)", bind(sock, sa, len));
        show_name("getsockname(sock)", sock);

        // 4. The trap: a path of 200 bytes, where 107 fit.
        let long_path = CString::new("x".repeat(200)).unwrap();
        let from = long_path.as_ptr();
        let sun_path = sa.byte_add(SUN_PATH_OFFSET).cast();
        ptr::copy(from, sun_path, SUN_PATH_CAPACITY);
        let size = size_of::<sockaddr_un>() as socklen_t;
        let trap = socket(AF_UNIX, SOCK_STREAM, 0);
        check("socket()", trap);
        check("bind(trap, long_path)", bind(trap, sa, size));
        show_name("getsockname(trap)", trap);

        // 5. Clean up: is there a file that nobody asked for?
        let name = CString::new(path).unwrap();
        check("unlink(path)", unlink(name.as_ptr()));
        let short = CString::new("x".repeat(108)).unwrap();
        show("unlink(<108 bytes>)", unlink(short.as_ptr()));
    }
}
