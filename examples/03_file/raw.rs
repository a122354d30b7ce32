//! The daemon was killed. Why can it not start again?
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

fn main() {
    // 1. Address: the path must fit, with its NUL.
    let path = path();
    let address = sockaddr_un_pathname(path.as_bytes());
    let (addr, len) = address.unwrap_or_else(|error| {
        eprintln!("{path}: {error}");
        process::exit(1);
    });
    let sa = ptr::from_ref(&addr).cast::<sockaddr>();
    let name = CString::new(path).unwrap();

    // SAFETY: sa points to len bytes of a live address, and a
    // NUL ends the name.
    unsafe {
        let client = socket(AF_UNIX, SOCK_STREAM, 0);
        check("socket()", client);
        let probe = socket(AF_UNIX, SOCK_DGRAM, 0);
        check("socket()", probe);

        // 2. Live: a connect of the wrong type proves it.
        let first = socket(AF_UNIX, SOCK_STREAM, 0);
        check("socket()", first);
        check("bind(first)", bind(first, sa, len));
        check("listen(first)", listen(first, SOMAXCONN));
        show("connect(probe)", connect(probe, sa, len));

        // 3. Killed: the socket is closed, and the file stays.
        check("close(first)", close(first));
        show("connect(client)", connect(client, sa, len));

        // 4. Start again: the file is in the way.
        let second = socket(AF_UNIX, SOCK_STREAM, 0);
        check("socket()", second);
        show("bind(second)", bind(second, sa, len));

        // 5. Replace: only a file that is proved dead.
        let connected = connect(probe, sa, len);
        let dead = show("connect(probe)", connected);
        if dead == -1 && errno() == ECONNREFUSED {
            check("unlink(path)", unlink(name.as_ptr()));
        }
        show("connect(client)", connect(client, sa, len));
        check("bind(second)", bind(second, sa, len));

        // 6. Clean up: nobody else removes the file.
        close(second);
        check("unlink(path)", unlink(name.as_ptr()));
    }
}
