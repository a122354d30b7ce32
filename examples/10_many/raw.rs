//! How can one thread serve many, and what if nobody accepts?
#![expect(unsafe_op_in_unsafe_fn)]

use std::{ffi::c_int, io, mem, process, ptr};
use sunpath_sys::*;

/// Prints a call. Every error but EAGAIN ends the program.
fn check(call: &str, result: c_int) -> c_int {
    let error = io::Error::last_os_error();
    let name = errno_name(errno()).unwrap_or("?");
    let name = if result == -1 { name } else { "ok" };
    println!("{call} = {name}");
    if result == -1 && name != "EAGAIN" {
        eprintln!("{call}: {error}");
        process::exit(1);
    }
    result
}

fn main() {
    // SAFETY: the lengths are those of live values.
    unsafe { lesson() }
}

unsafe fn lesson() {
    // 1. Address: this path fits.
    let (addr, len) = sockaddr_un_pathname(b"a.sock").unwrap();
    let sa = ptr::from_ref(&addr).cast::<sockaddr>();

    // 2. Listen: a queue with space for two connections.
    let kind = SOCK_STREAM;
    let sock = check("socket()", socket(AF_UNIX, kind, 0));
    fcntl(sock, F_SETFL, O_NONBLOCK);
    check("bind(sock)", bind(sock, sa, len));
    check("listen(sock, 1)", listen(sock, 1));

    // 3. Full: a nonblocking connect does not wait.
    for word in [c"work", c"stop", c"late"] {
        let fd = check("socket()", socket(AF_UNIX, kind, 0));
        fcntl(fd, F_SETFL, O_NONBLOCK);
        if check("connect()", connect(fd, sa, len)) == 0 {
            send(fd, word.as_ptr().cast(), 4, MSG_NOSIGNAL);
        }
    }

    // 4. Serve: one call waits for the listener and for all.
    let mut fds: [pollfd; 8] = mem::zeroed();
    (fds[0].fd, fds[0].events) = (sock, POLLIN);
    let (mut n, mut stop, done) = (1, false, c"done".as_ptr());
    while !stop {
        let ready = poll(fds.as_mut_ptr(), n as nfds_t, -1);
        println!("poll() = {ready}");
        if fds[0].revents != 0 && n < 8 {
            let (a, b) = (ptr::null_mut(), ptr::null_mut());
            let fd = check("accept()", accept(sock, a, b));
            fcntl(fd, F_SETFL, O_NONBLOCK);
            (fds[n].fd, fds[n].events) = (fd, POLLIN);
            n += 1;
        }
        for item in &mut fds[1..n] {
            if item.revents != 0 {
                let mut buf = [0_u8; 16];
                let to = buf.as_mut_ptr().cast();
                let got = recv(item.fd, to, 15, 0);
                let text = buf[..got as usize].escape_ascii();
                println!("recv() = {got}, \"{text}\"");
                stop = stop || buf.starts_with(b"stop");
                if got > 0 {
                    send(item.fd, done.cast(), 4, MSG_NOSIGNAL);
                } else {
                    close(item.fd);
                    item.fd = -1;
                }
            }
        }
    }

    // 5. Stop: only unlink removes the file.
    check("unlink(path)", unlink(c"a.sock".as_ptr()));
}
