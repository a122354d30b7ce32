//! Cases of `SCM_RIGHTS` at the sender: what a message may carry.

use std::ffi::CStr;
use std::ptr;

use libc::c_int;
use sunpath_sys as sys;
use sys::{CMSG_LEN, CMSG_SPACE, SCM_RIGHTS, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM, SOL_SOCKET};

use super::control::{ANY_FD, Control, message_over};
use super::line::{self, part, step};
use super::message::{
    at_most, close_fds, close_pair, counted, new_pair, piece, receive, receive_fd, receive_with,
    send_control, send_fd, send_rights,
};
use super::{PATH, address, bound, close, new_socket};
use crate::process::check;

// 1. Send no, one and many descriptors, on all types of sockets.

fn on_every_type(count: usize) {
    let types = [
        ("stream", SOCK_STREAM),
        ("datagram", SOCK_DGRAM),
        ("seqpacket", SOCK_SEQPACKET),
    ];
    for (name, kind) in types {
        let s = new_pair(kind);
        part(name);
        send_rights(s.p, "x", count);
        receive(s.q, 64);
        close_pair(s);
    }
}

pub(crate) fn one() {
    on_every_type(1);
}

pub(crate) fn most() {
    on_every_type(sys::SCM_MAX_FD);
}

pub(crate) fn too_many() {
    on_every_type(sys::SCM_MAX_FD + 1);
}

fn sends(control: Control, words: &str) {
    let s = new_pair(SOCK_STREAM);
    send_control(s.p, "x", control, words);
    receive(s.q, 64);
    close_pair(s);
}

// 2. Send bad descriptors: the kernel passes all or none.

pub(crate) fn closed() {
    let (s, mut control) = (new_pair(SOCK_STREAM), Control::default());
    // SAFETY: dup takes an integer, no pointer.
    let closed = check("dup", unsafe { sys::dup(ANY_FD) });
    close(closed);
    control.put_fds(&[ANY_FD, closed, ANY_FD]);
    send_control(s.p, "x", control, "RIGHTS(good, closed, good)");
    receive(s.q, 64);
    close_pair(s);
}

pub(crate) fn negative() {
    let mut control = Control::default();
    control.put_fds(&[-1]);
    sends(control, "RIGHTS(-1)");
}

pub(crate) fn twice() {
    let s = new_pair(SOCK_STREAM);
    send_rights(s.p, "x", 2);
    let fds = receive_with(s.q, &at_most(64));
    match fds[..] {
        [a, b] if a != b => step!("two numbers"),
        _ => step!("one number"),
    }
    close_fds(&fds);
    close_pair(s);
}

// 3. Send bad headers.

fn wrong(cmsg_len: usize, level: c_int, kind: c_int, controllen: usize, words: &str) {
    let mut control = Control::default();
    control.put_wrong(cmsg_len, level, kind);
    control.0.truncate(controllen);
    sends(control, words);
}

fn of_length(cmsg_len: usize, controllen: usize, words: &str) {
    wrong(cmsg_len, SOL_SOCKET, SCM_RIGHTS, controllen, words);
}

pub(crate) fn header_short() {
    of_length(CMSG_LEN(0) - 1, CMSG_SPACE(8), "cmsg_len CMSG_LEN(0) - 1");
}

pub(crate) fn past_end() {
    of_length(CMSG_LEN(8), CMSG_LEN(8) - 1, "cmsg_len msg_controllen + 1");
}

pub(crate) fn one_and_a_half() {
    of_length(CMSG_LEN(6), CMSG_SPACE(8), "cmsg_len CMSG_LEN(6)");
}

pub(crate) fn unknown_type() {
    wrong(CMSG_LEN(8), SOL_SOCKET, 77, CMSG_SPACE(8), "type 77");
}

pub(crate) fn unknown_level() {
    wrong(CMSG_LEN(8), 12345, SCM_RIGHTS, CMSG_SPACE(8), "level 12345");
}

// 4. Pass descriptors of all types, over sockets of all types.

fn open(path: &CStr, flags: c_int) -> c_int {
    // SAFETY: the path is a live string with a NUL.
    check("open", unsafe {
        sys::openat(sys::AT_FDCWD, path.as_ptr(), flags)
    })
}

pub(crate) fn path() {
    let s = new_pair(SOCK_STREAM);
    let fd = open(c".", sys::O_PATH | sys::O_CLOEXEC);
    send_fd(s.p, "x", fd);
    let received = receive_fd(s.q);
    // SAFETY: F_GETFL reads the flags of the descriptor.
    let flags = check("fcntl", unsafe { sys::fcntl(received, sys::F_GETFL) });
    let is = if flags & sys::O_PATH != 0 {
        "yes"
    } else {
        "no"
    };
    step!("fcntl(F_GETFL) & O_PATH = {is}");
    close(received);
    close(fd);
    close_pair(s);
}

pub(crate) fn io_uring() {
    let s = new_pair(SOCK_STREAM);
    let mut params = [0u32; 30]; // This array stands for a struct io_uring_params.
    // SAFETY: `params` has space for the struct, and its zeroes ask for no feature.
    let fd = unsafe { libc::syscall(libc::SYS_io_uring_setup, 1, params.as_mut_ptr()) };
    if fd < 0 {
        print!("not run: needs io_uring");
    } else {
        send_fd(s.p, "x", fd as c_int);
        receive(s.q, 64);
        close(fd as c_int);
    }
    close_pair(s);
}

pub(crate) fn unconnected() {
    let (mut addr, len) = address();
    let (q, p) = (bound(SOCK_DGRAM), new_socket(SOCK_DGRAM));
    let mut control = Control::default();
    control.put_rights(1);
    let mut iov = [piece(b"x")];
    let mut message = message_over(&mut iov, &mut control.0);
    message.msg_name = ptr::from_mut(&mut addr).cast();
    message.msg_namelen = len;
    // SAFETY: the message points to live memory, which sendmsg only reads.
    let sent = counted(unsafe { sys::sendmsg(p, &message, sys::MSG_NOSIGNAL) });
    step!("sendmsg(p, \"{PATH}\", \"x\", RIGHTS(1))");
    line::result(sent);
    receive(q, 64);
    close(p);
    close(q);
}
