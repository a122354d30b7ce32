//! Can a socket have a name without a file?
#![expect(clippy::multiple_unsafe_ops_per_block)]

use std::{ffi::CString, ffi::c_int, io, process, ptr};
use sunpath_sys::*;

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
        eprintln!("{call}: {error}");
        process::exit(1);
    }
}

fn main() {
    // 1. Address: a NUL, the name, and no NUL after it.
    let name = format!("lesson-{}", process::id());
    let address = sockaddr_un_abstract(name.as_bytes());
    let (mut addr, mut len) = address.unwrap();
    let sa = ptr::from_mut(&mut addr).cast::<sockaddr>();
    let name = CString::new(name).unwrap();
    let size = size_of::<sockaddr_un>() as socklen_t;
    let offset = SUN_PATH_OFFSET as socklen_t;

    // SAFETY: sa points to a live struct, longer than each
    // length here, and a NUL ends the name.
    unsafe {
        // 2. Listen: there is no file, and no permission.
        let listener = socket(AF_UNIX, SOCK_STREAM, 0);
        check("socket()", listener);
        check("bind(listener)", bind(listener, sa, len));
        check("listen(listener)", listen(listener, SOMAXCONN));
        let file = libc::access(name.as_ptr(), libc::F_OK);
        show("access(name)", file);

        // 3. Connect: with exactly the bytes that were bound.
        let client = socket(AF_UNIX, SOCK_STREAM, 0);
        check("socket()", client);
        check("connect(client)", connect(client, sa, len));

        // 4. The trap: the NULs after it make another name.
        let wrong = socket(AF_UNIX, SOCK_STREAM, 0);
        check("socket()", wrong);
        show("connect(wrong)", connect(wrong, sa, size));

        // 5. Close: the name is free at once.
        check("close(listener)", close(listener));
        let again = socket(AF_UNIX, SOCK_STREAM, 0);
        check("socket()", again);
        check("bind(again)", bind(again, sa, len));

        // 6. Autobind: the kernel makes up a name that is free.
        let sock = socket(AF_UNIX, SOCK_STREAM, 0);
        check("socket()", sock);
        check("bind(sock)", bind(sock, sa, offset));
        len = size;
        let got = getsockname(sock, sa, &mut len);
        check("getsockname(sock)", got);
        let first = *sa.byte_add(SUN_PATH_OFFSET).cast::<u8>();
        println!("length: {len}, first byte: {first}");
    }
}
