//! What does a daemon's socket need, all told?
#![expect(unsafe_op_in_unsafe_fn)]

use std::ffi::{CString, c_int};
use std::{env, io, mem, process, ptr};
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

fn check(call: &str, result: c_int) -> c_int {
    let error = io::Error::last_os_error();
    if show(call, result) == -1 {
        eprintln!("{}: {error}", path());
        process::exit(1);
    }
    result
}

fn name(suffix: &str) -> CString {
    CString::new(path() + suffix).unwrap()
}

/// The address of the socket file.
fn address() -> (sockaddr_un, socklen_t) {
    let address = sockaddr_un_pathname(path().as_bytes());
    address.unwrap_or_else(|error| {
        eprintln!("{}: {error}", path());
        process::exit(1);
    })
}

/// Closes two descriptors, and fails with an errno.
unsafe fn fail(a: c_int, b: c_int, error: c_int) -> c_int {
    close(a);
    close(b);
    set_errno(error);
    -1
}

// 1. Lock: one daemon at a time, until it dies.
unsafe fn take_lock() -> c_int {
    let path = name(".lock");
    loop {
        let how = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
        let lock = openat(AT_FDCWD, path.as_ptr(), how, 0o600);
        if lock == -1 {
            return -1;
        }
        if flock(lock, LOCK_EX | LOCK_NB) == -1 {
            return fail(lock, -1, EADDRINUSE);
        }
        // If the locked file was unlinked, try again.
        let (mut ours, mut there): (stat, stat) = mem::zeroed();
        if fstat(lock, &mut ours) == 0
            && stat(path.as_ptr(), &mut there) == 0
            && ours.st_dev == there.st_dev
            && ours.st_ino == there.st_ino
        {
            return lock;
        }
        close(lock);
    }
}

// 2. Probe: a file is removed only if it is proved dead.
unsafe fn remove_dead() -> c_int {
    let (path, (addr, len)) = (name(""), address());
    let sa = (&raw const addr).cast();
    let mut st: stat = mem::zeroed();
    if lstat(path.as_ptr(), &mut st) == -1 {
        return if errno() == ENOENT { 0 } else { -1 };
    }
    let probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if probe == -1 {
        return -1;
    }
    let is_socket = st.st_mode & S_IFMT == S_IFSOCK;
    let connected = connect(probe, sa, len) == 0;
    if !is_socket || connected || errno() != ECONNREFUSED {
        return fail(probe, -1, EADDRINUSE);
    }
    close(probe);
    unlink(path.as_ptr())
}

// 3. Listen: with its mode from the beginning.
unsafe fn start(ret_lock: &mut c_int) -> c_int {
    let lock = take_lock();
    if lock == -1 {
        return -1;
    }
    let (addr, len) = address();
    let kind = SOCK_STREAM | SOCK_CLOEXEC;
    let listener = socket(AF_UNIX, kind, 0);
    if listener == -1
        || remove_dead() == -1
        || fchmod(listener, 0o600) == -1
        || bind(listener, (&raw const addr).cast(), len) == -1
        || listen(listener, SOMAXCONN) == -1
    {
        return fail(listener, lock, errno());
    }
    *ret_lock = lock;
    listener
}

fn main() {
    // SAFETY: all that is passed is live, and as long as said.
    unsafe { lesson() }
}

unsafe fn lesson() {
    // 4. Crash: a daemon was killed, and its file is left.
    let (addr, len) = address();
    let sa = (&raw const addr).cast();
    let (path, lock_path) = (name(""), name(".lock"));
    let kind = SOCK_STREAM;
    let killed = check("socket()", socket(AF_UNIX, kind, 0));
    check("bind(killed)", bind(killed, sa, len));
    check("close(killed)", close(killed));

    // 5. Start: the first daemon runs, a second does not.
    let (mut lock, mut other) = (-1, -1);
    let listener = check("start(daemon)", start(&mut lock));
    let mut st: stat = mem::zeroed();
    check("stat(path)", stat(path.as_ptr(), &mut st));
    println!("mode: {:04o}", st.st_mode & 0o7777);
    show("start(second)", start(&mut other));

    // 6. Serve: a client that has gone does not kill us.
    let client = check("socket()", socket(AF_UNIX, kind, 0));
    check("connect(client)", connect(client, sa, len));
    let (a, b) = (ptr::null_mut(), ptr::null_mut());
    let server = accept4(listener, a, b, SOCK_CLOEXEC);
    check("accept(daemon)", server);
    let hello = c"hello\n".as_ptr().cast();
    send(server, hello, 6, MSG_NOSIGNAL);
    let mut buf = [0_u8; 16];
    let n = recv(client, buf.as_mut_ptr().cast(), 15, 0);
    println!("recv(client) = {n}");
    close(client);
    let n = send(server, hello, 1, MSG_NOSIGNAL);
    show("send()", n as c_int);

    // 7. Stop: unlink the file, then release the lock.
    check("unlink(path)", unlink(path.as_ptr()));
    close(listener);
    unlink(lock_path.as_ptr());
    close(lock);
}
