//! Who may connect to my socket?
#![expect(clippy::multiple_unsafe_ops_per_block)]

use std::{env, ffi::CString, ffi::c_int, io, mem};
use std::{process, ptr};
use sunpath_sys::*;

fn path() -> String {
    env::args().nth(1).unwrap_or("a.sock".into())
}

fn show(call: &str, result: c_int) -> c_int {
    let name = errno_name(errno()).unwrap_or("?");
    let name = if result == -1 { name } else { "ok" };
    println!("{call} = {name}");
    result
}

fn check(call: &str, result: c_int) -> c_int {
    let error = io::Error::last_os_error();
    if show(call, result) == -1 {
        eprintln!("{}: {error}", path());
        process::exit(1);
    }
    result
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
    let (path, dir) = (name.as_ptr(), c"dir".as_ptr());

    // SAFETY: sa points to len bytes of a live address, st is a
    // struct of integers, and a NUL ends each name.
    unsafe {
        // 2. Umask: the file gets 0777 less the umask.
        umask(0o022);
        let kind = SOCK_STREAM;
        let sock = check("socket()", socket(AF_UNIX, kind, 0));
        check("bind(sock)", bind(sock, sa, len));
        check("listen(sock)", listen(sock, SOMAXCONN));
        let mut st: stat = mem::zeroed();
        check("stat(path)", stat(path, &mut st));
        println!("mode: {:04o}", st.st_mode & 0o7777);

        // 3. Chmod: too late for those who were faster.
        let early = check("socket()", socket(AF_UNIX, kind, 0));
        check("connect(early)", connect(early, sa, len));
        check("chmod(path, 0)", chmod(path, 0));
        let late = check("socket()", socket(AF_UNIX, kind, 0));
        // Root may connect to all, so it becomes another user.
        let own = getuid();
        let other = if own == 0 { 65534 } else { own };
        check("seteuid()", libc::seteuid(other));
        show("connect(late)", connect(late, sa, len));
        check("seteuid()", libc::seteuid(own));
        let null = ptr::null_mut();
        check("accept(sock)", accept(sock, null, null.cast()));
        check("unlink(path)", unlink(path));

        // 4. Fchmod: before bind, so that it is never wider.
        let sock = check("socket()", socket(AF_UNIX, kind, 0));
        check("fchmod(sock, 0600)", fchmod(sock, 0o600));
        check("bind(sock)", bind(sock, sa, len));
        check("stat(path)", stat(path, &mut st));
        println!("mode: {:04o}", st.st_mode & 0o7777);
        check("unlink(path)", unlink(path));

        // 5. Directory: nobody else can even look up the file.
        check("mkdir(dir, 0700)", libc::mkdir(dir, 0o700));
        check("rmdir(dir)", libc::rmdir(dir));
    }
}
