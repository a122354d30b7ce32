//! Cases of sending to a closed peer and of waiting for space, in a program that does not handle
//! signals.

use std::mem::size_of;
use std::ptr;
use std::time::Instant;

use libc::{c_int, timeval};
use sunpath_sys as sys;
use sys::{SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM, socklen_t};

use super::{close, connected, listening, new_pair, new_socket, send, try_connect};
use crate::process;

// 1. Make sockets to send on: a socket whose peer has closed, and a socket that was shut down for
//    sending.

fn orphan(kind: c_int) -> c_int {
    let [p, q] = new_pair(kind);
    close(q);
    p
}

// 2. Raise SIGPIPE: each send is made in a child, which the default action kills.

fn in_child(call: &str, fd: c_int, send_it: fn(c_int) -> isize) {
    print!("{call}");
    let child = process::fork();
    if child == 0 {
        process::default_sigpipe();
        process::end(if send_it(fd) < 0 { sys::errno() } else { 0 });
    }
    process::wait_and_print(child);
    close(fd);
}

fn send_byte(fd: c_int) -> isize {
    send(fd, b"x", 0)
}

fn send_byte_nosignal(fd: c_int) -> isize {
    send(fd, b"x", sys::MSG_NOSIGNAL)
}

fn send_nothing(fd: c_int) -> isize {
    send(fd, b"", 0)
}

fn write_byte(fd: c_int) -> isize {
    let byte = b"x";
    // SAFETY: pointer and length come from one live array.
    unsafe { sys::write(fd, byte.as_ptr().cast(), byte.len()) }
}

fn writev_byte(fd: c_int) -> isize {
    let mut byte = *b"x";
    let piece = sys::iovec {
        iov_base: byte.as_mut_ptr().cast(),
        iov_len: byte.len(),
    };
    // SAFETY: `piece` is one live iovec that points to a live array.
    unsafe { sys::writev(fd, &piece, 1) }
}

fn send_after_shutdown(kind: c_int) {
    let [p, other] = new_pair(kind);
    // SAFETY: shutdown takes integers, no pointers.
    process::check("shutdown", unsafe { sys::shutdown(p, sys::SHUT_WR) });
    in_child("send(p, \"x\", 0)", p, send_byte);
    close(other);
}

pub(crate) fn stream_send() {
    in_child("send(p, \"x\", 0)", orphan(SOCK_STREAM), send_byte);
}

pub(crate) fn stream_send_nosignal() {
    let call = "send(p, \"x\", MSG_NOSIGNAL)";
    in_child(call, orphan(SOCK_STREAM), send_byte_nosignal);
}

pub(crate) fn stream_send_nothing() {
    in_child("send(p, \"\", 0)", orphan(SOCK_STREAM), send_nothing);
}

pub(crate) fn stream_write() {
    in_child("write(p, \"x\")", orphan(SOCK_STREAM), write_byte);
}

pub(crate) fn stream_writev() {
    in_child("writev(p, \"x\")", orphan(SOCK_STREAM), writev_byte);
}

pub(crate) fn stream_shut() {
    send_after_shutdown(SOCK_STREAM);
}

pub(crate) fn stream_unconnected() {
    in_child("send(s, \"x\", 0)", new_socket(SOCK_STREAM), send_byte);
}

pub(crate) fn seqpacket_send() {
    in_child("send(p, \"x\", 0)", orphan(SOCK_SEQPACKET), send_byte);
}

pub(crate) fn seqpacket_shut() {
    send_after_shutdown(SOCK_SEQPACKET);
}

pub(crate) fn datagram_send() {
    in_child("send(p, \"x\", 0)", orphan(SOCK_DGRAM), send_byte);
}

pub(crate) fn datagram_shut() {
    send_after_shutdown(SOCK_DGRAM);
}

// 3. Wait at a full queue: connect(2) waits for at most the send timeout. The case runs in a child
//    process, because it needs a timer of its own.

fn set_patience(fd: c_int, milliseconds: i64) {
    let patience = timeval {
        tv_sec: (milliseconds / 1000) as _,
        tv_usec: (milliseconds % 1000 * 1000) as _,
    };
    let (at, size) = (ptr::from_ref(&patience).cast(), size_of::<timeval>());
    let (level, option) = (sys::SOL_SOCKET, sys::SO_SNDTIMEO);
    // SAFETY: `at` is a live timeval, and `size` is its size.
    let result = unsafe { sys::setsockopt(fd, level, option, at, size as socklen_t) };
    process::check("setsockopt", result);
}

fn result_of(result: c_int) -> Result<(), c_int> {
    if result < 0 {
        Err(sys::errno())
    } else {
        Ok(())
    }
}

fn connect_patiently(fd: c_int) -> Result<(), c_int> {
    set_patience(fd, 400);
    result_of(try_connect(fd))
}

fn connect_impatiently(fd: c_int) -> Result<(), c_int> {
    set_patience(fd, 50);
    result_of(try_connect(fd))
}

/// Connects within this many milliseconds, however often it is interrupted.
fn connect_within(fd: c_int, milliseconds: i64) -> Result<(), c_int> {
    let begin = Instant::now();
    loop {
        let left = milliseconds - begin.elapsed().as_millis() as i64;
        if left <= 0 {
            return Err(sys::ETIMEDOUT);
        }
        set_patience(fd, left);
        match result_of(try_connect(fd)) {
            Err(sys::EINTR) => {}
            Err(sys::EAGAIN) => return Err(sys::ETIMEDOUT),
            result => return result,
        }
    }
}

fn connect_in_time(fd: c_int) -> Result<(), c_int> {
    let result = connect_within(fd, 150);
    assert!(process::is_interrupted(), "the time was up earlier");
    result
}

fn wait_for_space(interrupt: bool, connect_it: fn(c_int) -> Result<(), c_int>) {
    let s = listening(SOCK_STREAM, 0);
    let (first, second) = (connected(SOCK_STREAM), new_socket(SOCK_STREAM));
    print!("connect(c)");
    let child = process::fork();
    if child == 0 {
        if interrupt {
            process::interrupt();
        }
        process::end(connect_it(second).map_or_else(|errno| errno, |()| 0));
    }
    process::wait_and_print(child);
    close(s);
    close(first);
    close(second);
}

pub(crate) fn connect_timeout() {
    wait_for_space(false, connect_impatiently);
}

pub(crate) fn connect_interrupted() {
    wait_for_space(true, connect_patiently);
}

pub(crate) fn connect_deadline() {
    wait_for_space(true, connect_in_time);
}
