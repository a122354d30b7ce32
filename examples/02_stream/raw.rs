//! Why does connect return before anyone has accepted?
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

    // SAFETY: sa points to len bytes of a live address, buf has
    // the length that is passed, and strings end with a NUL.
    unsafe {
        // 2. Listen: from here on the kernel takes connections.
        let listener = socket(AF_UNIX, SOCK_STREAM, 0);
        check("socket()", listener);
        check("bind(listener)", bind(listener, sa, len));
        check("listen(listener)", listen(listener, SOMAXCONN));

        // 3. Connect: the connection waits in the queue.
        let client = socket(AF_UNIX, SOCK_STREAM, 0);
        check("socket()", client);
        check("connect(client)", connect(client, sa, len));
        let hello = c"hello".as_ptr().cast();
        let n = send(client, hello, 5, MSG_NOSIGNAL);
        println!("send(client, \"hello\") = {n}");

        // 4. Accept: a new socket, and the bytes are in it.
        let null = ptr::null_mut();
        let server = accept(listener, null, null.cast());
        check("accept(listener)", server);
        let mut buf = [0_u8; 16];
        let to = buf.as_mut_ptr().cast();
        let n = recv(server, to, buf.len() - 1, 0);
        let text = String::from_utf8_lossy(&buf[..n as usize]);
        println!("recv(server) = {n}, {text:?}");

        // 5. Close: the other end reads 0 bytes.
        check("close(client)", close(client));
        let n = recv(server, to, buf.len() - 1, 0);
        println!("recv(server) = {n}");

        // 6. Clean up: only unlink removes the file.
        close(server);
        close(listener);
        let name = CString::new(path).unwrap();
        check("unlink(path)", unlink(name.as_ptr()));
    }
}
