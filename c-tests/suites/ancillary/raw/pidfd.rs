//! Cases of `SCM_PIDFD` (which is a descriptor, too), of `SCM_INQ`, of the order of control
//! messages, and of a control message of another address family.

use libc::c_int;
use sunpath_sys as sys;
use sys::{MSG_PEEK, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM};

use super::line::{part, step};
use super::message::{
    Pair, ask_close_on_exec, close_fds, close_pair, lacks, named, new_pair, option, receive,
    receive_closing, receive_fd, receive_with, send_rights, send_text, set, with_flags,
};
use super::{accepted, close, connected, listening};
use crate::descriptors::{allow_more, allow_usual};
use crate::process;

fn passing(kind: c_int) -> Pair {
    let s = new_pair(kind);
    set("q", s.q, option!(SO_PASSPIDFD), 1);
    s
}

// 1. Receive a pidfd with a message.

/// The option was set on the listener. A receiver therefore finds a pidfd in every message without
/// asking for pidfds.
pub(crate) fn inherited() {
    if lacks(option!(SO_PASSPIDFD)) {
        return;
    }
    let listener = listening(SOCK_STREAM);
    set("listener", listener, option!(SO_PASSPIDFD), 1);
    let p = connected(SOCK_STREAM);
    let q = accepted(listener);
    send_text(p, "x");
    let how = with_flags(64, named!(0));
    let fds = receive_with(q, &how);
    if let [fd] = fds[..] {
        ask_close_on_exec(fd);
    }
    close_fds(&fds);
    close_pair(Pair { p, q });
    close(listener);
}

pub(crate) fn peek() {
    if lacks(option!(SO_PASSPIDFD)) {
        return;
    }
    let s = passing(SOCK_STREAM);
    send_text(s.p, "x");
    let peek = with_flags(64, named!(MSG_PEEK));
    receive_closing(s.q, &peek);
    receive_closing(s.q, &peek);
    receive(s.q, 64);
    close_pair(s);
}

pub(crate) fn dead() {
    if lacks(option!(SO_PASSPIDFD)) {
        return;
    }
    let s = passing(SOCK_STREAM);
    let child = process::fork();
    if child == 0 {
        part("child");
        send_text(s.p, "x");
        process::end(0);
    }
    process::join(child);
    let pidfd = receive_fd(s.q);
    step!("pidfd_send_signal(0) = {}", process::probe(pidfd));
    close(pidfd);
    close_pair(s);
}

// 2. Receive without a pidfd.

pub(crate) fn limit() {
    if lacks(option!(SO_PASSPIDFD)) {
        return;
    }
    let s = passing(SOCK_STREAM);
    send_text(s.p, "x");
    allow_more(0);
    receive(s.q, 64);
    allow_usual();
    close_pair(s);
}

fn at_the_end(name: &str, kind: c_int) {
    part(name);
    let s = passing(kind);
    set("q", s.q, option!(SO_PASSCRED), 1);
    step!("close(p)");
    close(s.p);
    receive(s.q, 64);
    close(s.q);
}

pub(crate) fn end() {
    if lacks(option!(SO_PASSPIDFD)) {
        return;
    }
    at_the_end("stream", SOCK_STREAM);
    at_the_end("seqpacket", SOCK_SEQPACKET);
}

// 3. Receive the length of the queue.

pub(crate) fn no_stream() {
    if lacks(option!(SO_INQ)) {
        return;
    }
    for (name, kind) in [("datagram", SOCK_DGRAM), ("seqpacket", SOCK_SEQPACKET)] {
        let s = new_pair(kind);
        part(name);
        set("q", s.q, option!(SO_INQ), 1);
        close_pair(s);
    }
}

// 4. Receive a control message of another address family.

pub(crate) fn timestamp() {
    let s = new_pair(SOCK_DGRAM);
    set("q", s.q, (libc::SO_TIMESTAMP, "SO_TIMESTAMP"), 1);
    send_rights(s.p, "x", 1);
    receive(s.q, 64);
    close_pair(s);
}
