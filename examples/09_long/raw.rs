//! My path does not fit into sun_path. What now?
#![expect(clippy::multiple_unsafe_ops_per_block)]

use std::ptr;
use std::{ffi::CStr, ffi::CString, ffi::c_int, io, process};
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
    // 1. Address: the path has 157 bytes, 107 fit.
    let dir = "d".repeat(150);
    let path = format!("{dir}/a.sock");
    let address = sockaddr_un_pathname(path.as_bytes());
    // No call fails here: the program compares lengths.
    set_errno(ENAMETOOLONG);
    let fits = address.is_ok();
    show("address(path)", if fits { 0 } else { -1 });
    let dir = CString::new(dir).unwrap();
    let dir = dir.as_ptr();

    // SAFETY: sa points to a live struct of len bytes or more,
    // and NULs end the names.
    unsafe {
        // 2. Directory: a descriptor stands for the long part.
        check("mkdir(dir)", mkdirat(AT_FDCWD, dir, 0o755));
        let flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
        let fd = openat(AT_FDCWD, dir, flags);
        check("open(dir)", fd);

        // 3. Alias: a short path to the same file.
        let path = format!("/proc/self/fd/{fd}/a.sock");
        let address = sockaddr_un_pathname(path.as_bytes());
        let (mut addr, mut len) = address.unwrap();
        let sa = ptr::from_mut(&mut addr).cast::<sockaddr>();

        // 4. Bind and connect: the file is in the directory.
        let listener = socket(AF_UNIX, SOCK_STREAM, 0);
        check("socket()", listener);
        check("bind(listener)", bind(listener, sa, len));
        check("listen(listener)", listen(listener, SOMAXCONN));
        let client = socket(AF_UNIX, SOCK_STREAM, 0);
        check("socket()", client);
        check("connect(client)", connect(client, sa, len));

        // 5. The trap: the peer sees the alias of this process.
        len = size_of::<sockaddr_un>() as socklen_t;
        let named = getpeername(client, sa, &mut len);
        check("getpeername(client)", named);
        let name = sa.byte_add(SUN_PATH_OFFSET).cast();
        let name = CStr::from_ptr(name).to_bytes();
        let same = name == path.as_bytes();
        let which = if same { "alias" } else { "other" };
        println!("name of server: {which}");

        // 6. Clean up: the file, and then the directory.
        let file = c"a.sock".as_ptr();
        check("unlink(path)", unlinkat(fd, file, 0));
        let removed = unlinkat(AT_FDCWD, dir, AT_REMOVEDIR);
        check("rmdir(dir)", removed);
    }
}
