//! Why does accept not tell me who has connected?
#![expect(clippy::multiple_unsafe_ops_per_block)]

use std::{env, ffi::CStr, ffi::CString, ffi::c_int};
use std::{io, mem, process, ptr};
use sunpath_sys::*;

fn path() -> String {
    env::args().nth(1).unwrap_or("a.sock".into())
}

/// Prints a call. An error ends the program.
fn check(call: &str, result: c_int) {
    let error = io::Error::last_os_error();
    let name = errno_name(errno()).unwrap_or("?");
    let name = if result == -1 { name } else { "ok" };
    println!("{call} = {name}");
    if result == -1 {
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
    let file = CString::new(path).unwrap();

    // SAFETY: the addresses and cred are live, of the lengths
    // that are passed, and a NUL ends the name of the file.
    unsafe {
        // 2. Connect: the client is not bound to any name.
        let listener = socket(AF_UNIX, SOCK_STREAM, 0);
        check("socket()", listener);
        check("bind(listener)", bind(listener, sa, len));
        check("listen(listener)", listen(listener, SOMAXCONN));
        let client = socket(AF_UNIX, SOCK_STREAM, 0);
        check("socket()", client);
        check("connect(client)", connect(client, sa, len));

        // 3. Accept: the address is the family alone.
        let (mut addr, _) = sockaddr_un_unnamed();
        let sa = ptr::from_mut(&mut addr).cast::<sockaddr>();
        let mut len = size_of::<sockaddr_un>() as socklen_t;
        let server = accept(listener, sa, &mut len);
        check("accept(listener)", server);
        println!("name of the client: {len} bytes");

        // 4. Ask the other way: the server has a name.
        len = size_of::<sockaddr_un>() as socklen_t;
        let named = getpeername(client, sa, &mut len);
        check("getpeername(client)", named);
        let name = sa.byte_add(SUN_PATH_OFFSET).cast();
        let name = CStr::from_ptr(name);
        println!("name of the server: {name:?}");

        // 5. Credentials: the kernel knows who connected.
        let mut cred: ucred = mem::zeroed();
        len = size_of::<ucred>() as socklen_t;
        let to = ptr::from_mut(&mut cred).cast();
        let (sol, so) = (SOL_SOCKET, SO_PEERCRED);
        let got = getsockopt(server, sol, so, to, &mut len);
        check("getsockopt(server, SO_PEERCRED)", got);
        let ours = cred.uid == geteuid();
        let ours = if ours { "ours" } else { "not ours" };
        println!("uid of client: {ours}");

        // 6. Clean up: only unlink removes the file.
        check("unlink(path)", unlink(file.as_ptr()));
    }
}
