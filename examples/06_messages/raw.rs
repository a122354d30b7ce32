//! Where does one message end and the next begin?
#![expect(unsafe_op_in_unsafe_fn)]

use std::{ffi::c_int, mem};
use sunpath_sys::*;

/// Prints a call and its result, an errno by its name.
fn show(call: &str, result: c_int) -> c_int {
    let name = errno_name(errno()).unwrap_or("?");
    let name = if result == -1 { name } else { "ok" };
    println!("{call} = {name}");
    result
}

/// Receives at most size bytes, and prints what arrived.
unsafe fn receive(call: &str, sock: c_int, size: usize) {
    let mut buf = [0; 16];
    let iov_base = buf.as_mut_ptr().cast();
    let mut iov = iovec {
        iov_base,
        iov_len: size,
    };
    let mut msg: msghdr = mem::zeroed();
    (msg.msg_iov, msg.msg_iovlen) = (&mut iov, 1);
    let n = recvmsg(sock, &mut msg, 0);
    let lost = msg.msg_flags & MSG_TRUNC != 0;
    let end = if lost { ", the rest is lost" } else { "" };
    let text = String::from_utf8_lossy(&buf[..n as usize]);
    println!("{call} = {n}, {text:?}{end}");
}

unsafe fn put(sock: c_int, text: &str) -> c_int {
    let (buf, n) = (text.as_ptr().cast(), text.len());
    send(sock, buf, n, MSG_NOSIGNAL) as c_int
}

/// Makes a pair of a type, and sends two messages.
unsafe fn send_two(call: &str, kind: c_int) -> [c_int; 2] {
    let mut p = [-1; 2];
    let made = socketpair(AF_UNIX, kind, 0, p.as_mut_ptr());
    assert_eq!(show(call, made), 0);
    put(p[0], "one");
    put(p[0], "second");
    p
}

fn main() {
    // SAFETY: every buffer has the length that it is said to.
    unsafe { lesson() }
}

unsafe fn lesson() {
    // 1. Stream: bytes, and no messages.
    let p = send_two("socketpair(STREAM)", SOCK_STREAM);
    receive("recv(16)", p[1], 16);

    // 2. Its end: 0 bytes.
    close(p[0]);
    receive("recv(16)", p[1], 16);
    show("send()", put(p[1], "x"));

    // 3. Datagram: a message is kept whole, or truncated.
    let p = send_two("socketpair(DGRAM)", SOCK_DGRAM);
    receive("recv(16)", p[1], 16);
    receive("recv(3)", p[1], 3);

    // 4. Empty message: 0 bytes, which are not the end.
    put(p[0], "");
    receive("recv(16)", p[1], 16);
    close(p[0]);
    show("send()", put(p[1], "x"));

    // 5. Seqpacket: whole messages, and an end.
    let p = send_two("socketpair(SEQPACKET)", SOCK_SEQPACKET);
    receive("recv(16)", p[1], 16);
    close(p[0]);
    receive("recv(16)", p[1], 16);
    receive("recv(16)", p[1], 16);
}
