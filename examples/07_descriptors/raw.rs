//! How does an open file travel through a socket?
#![expect(unsafe_op_in_unsafe_fn)]

use std::{ffi::c_int, io, mem};
use sunpath_sys::*;

fn check(call: &str, result: isize) {
    let error = io::Error::last_os_error();
    assert_ne!(result, -1, "{call}: {error}");
    println!("{call} = ok");
}

// 1. Control: aligned, with space for one descriptor.
const SPACE: usize = CMSG_SPACE(size_of::<c_int>());
const CONTROL: [u64; SPACE / 8] = [0; SPACE / 8];

// 2. Send: one byte, and the descriptor with it.
unsafe fn send_fd(sock: c_int, fd: c_int) {
    let (mut ctrl, mut byte) = (CONTROL, *b"x");
    let (iov_base, iov_len) = (byte.as_mut_ptr().cast(), 1);
    let mut iov = iovec { iov_base, iov_len };
    let mut msg: msghdr = mem::zeroed();
    (msg.msg_iov, msg.msg_iovlen) = (&mut iov, 1);
    msg.msg_control = ctrl.as_mut_ptr().cast();
    msg.msg_controllen = SPACE as _;
    let cmsg = &mut *CMSG_FIRSTHDR(&msg);
    cmsg.cmsg_level = SOL_SOCKET;
    cmsg.cmsg_type = SCM_RIGHTS;
    cmsg.cmsg_len = CMSG_LEN(size_of::<c_int>()) as _;
    CMSG_DATA(cmsg).cast::<c_int>().write_unaligned(fd);
    check("sendmsg()", sendmsg(sock, &msg, MSG_NOSIGNAL));
}

// 3. Receive: a new number for the same open file.
unsafe fn recv_fd(sock: c_int) -> c_int {
    let (mut ctrl, mut byte) = (CONTROL, [0_u8]);
    let (iov_base, iov_len) = (byte.as_mut_ptr().cast(), 1);
    let mut iov = iovec { iov_base, iov_len };
    let mut msg: msghdr = mem::zeroed();
    (msg.msg_iov, msg.msg_iovlen) = (&mut iov, 1);
    msg.msg_control = ctrl.as_mut_ptr().cast();
    msg.msg_controllen = SPACE as _;
    let n = recvmsg(sock, &mut msg, MSG_CMSG_CLOEXEC);
    check("recvmsg()", n);
    let cmsg = CMSG_FIRSTHDR(&msg).as_ref().expect("no fd");
    assert_eq!(cmsg.cmsg_type, SCM_RIGHTS);
    CMSG_DATA(cmsg).cast::<c_int>().read_unaligned()
}

unsafe fn lesson() {
    // 4. Pass: one end of another pair.
    let (mut p, mut ends, kind) = ([0; 2], [0; 2], SOCK_STREAM);
    let made = socketpair(AF_UNIX, kind, 0, p.as_mut_ptr());
    check("socketpair(p)", made as isize);
    let made = socketpair(AF_UNIX, kind, 0, ends.as_mut_ptr());
    check("socketpair(ends)", made as isize);
    send_fd(p[0], ends[1]);
    let received = recv_fd(p[1]);
    println!("close-on-exec: {}", fcntl(received, F_GETFD));

    // 5. Use: it stays open when the sender closes its own.
    let (mut buf, hello) = ([0_u8; 16], c"hello".as_ptr());
    let to = buf.as_mut_ptr().cast();
    close(ends[1]);
    check("write(received)", write(received, hello.cast(), 5));
    let n = read(ends[0], to, 15);
    let text = String::from_utf8_lossy(&buf[..n as usize]);
    println!("read(ends[0]) = {n}, {text:?}");

    // 6. Lost: recv takes the byte, and not the descriptor.
    send_fd(p[0], received);
    close(received);
    check("recv(p[1])", recv(p[1], to, 1, 0));
    println!("read(ends[0]) = {}", read(ends[0], to, 16));
}

fn main() {
    // SAFETY: every buffer has the length that it is said to.
    unsafe { lesson() }
}
