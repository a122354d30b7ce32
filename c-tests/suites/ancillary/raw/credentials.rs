//! Cases of `SCM_CREDENTIALS`: the ids that arrive with a message.

use std::mem::size_of;
use std::ptr;

use libc::c_int;
use sunpath_sys as sys;
use sys::{SOCK_STREAM, socklen_t, ucred};

use super::control::Control;
use super::line::{part, step};
use super::message::{Pair, close_pair, new_pair, option, receive, send_control, send_text, set};
use super::{accepted, as_nobody, close, connected, listening};
use crate::process::{self, check};

fn passing(kind: c_int) -> Pair {
    let s = new_pair(kind);
    set("q", s.q, option!(SO_PASSCRED), 1);
    s
}

// 1. Receive the credentials that the kernel adds: those that the writing process has when it
//    writes.

pub(crate) fn real() {
    let s = passing(SOCK_STREAM);
    let child = process::fork();
    if child == 0 {
        process::lower_privileges();
        part("child");
        step!("seteuid(65534)");
        send_text(s.p, "x");
        process::end(0);
    }
    process::join(child);
    receive(s.q, 64);
    close_pair(s);
}

fn passes_credentials(fd: c_int) -> c_int {
    let mut value: c_int = -1;
    let mut len = size_of::<c_int>() as socklen_t;
    let at = ptr::from_mut(&mut value).cast();
    // SAFETY: `at` is a live int, and `len` is its size.
    let result = unsafe { sys::getsockopt(fd, sys::SOL_SOCKET, sys::SO_PASSCRED, at, &mut len) };
    check("getsockopt", result);
    value
}

pub(crate) fn inherited() {
    let listener = listening(SOCK_STREAM);
    set("listener", listener, option!(SO_PASSCRED), 1);
    let p = connected(SOCK_STREAM);
    send_text(p, "x");
    let q = accepted(listener);
    step!("getsockopt(q, SO_PASSCRED) = {}", passes_credentials(q));
    receive(q, 64);
    close_pair(Pair { p, q });
    close(listener);
}

// 2. Send credentials, which the kernel checks.

fn sends(cred: ucred, words: &str) {
    let s = passing(SOCK_STREAM);
    let mut control = Control::default();
    control.put_cred(cred);
    send_control(s.p, "x", control, words);
    receive(s.q, 64);
    close_pair(s);
}

fn own() -> ucred {
    ucred {
        // SAFETY: getpid takes nothing and cannot fail.
        pid: unsafe { libc::getpid() },
        // SAFETY: the call takes no argument and cannot fail.
        uid: unsafe { libc::getuid() },
        // SAFETY: the call takes no argument and cannot fail.
        gid: unsafe { libc::getgid() },
    }
}

fn sends_own() {
    sends(own(), "CREDENTIALS(own)");
}

fn sends_roots() {
    let cred = ucred {
        uid: 0,
        gid: 0,
        ..own()
    };
    sends(cred, "CREDENTIALS(pid own, uid 0, gid 0)");
}

fn sends_parents() {
    // SAFETY: getppid takes nothing and cannot fail.
    let pid = unsafe { libc::getppid() };
    let cred = ucred { pid, ..own() };
    sends(cred, "CREDENTIALS(pid parent, uid own, gid own)");
}

pub(crate) fn truth() {
    sends_own();
}

pub(crate) fn root_forges() {
    let cred = ucred {
        pid: 1,
        uid: 12345,
        gid: 54321,
    };
    sends(cred, "CREDENTIALS(pid 1, uid 12345, gid 54321)");
}

pub(crate) fn root_invents() {
    let cred = ucred {
        pid: libc::pid_t::MAX,
        uid: 0,
        gid: 0,
    };
    sends(cred, "CREDENTIALS(pid INT_MAX, uid 0, gid 0)");
}

pub(crate) fn user_forges() {
    as_nobody(sends_roots);
}

pub(crate) fn user_forges_pid() {
    as_nobody(sends_parents);
}

pub(crate) fn user_truth() {
    as_nobody(sends_own);
}
