//! Cases of the mode of a socket file: the mode that the umask leaves, the mode that fchmod(2)
//! sets, and a mode that is exactly the requested one.

use std::ffi::CString;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use libc::c_int;
use sunpath_sys as sys;
use sys::{SOCK_STREAM, mode_t};

use super::system::{USUAL_UMASK, ask_mode, mode_of, set_umask, try_umask};
use crate::file::{alias_of, open_path};
use crate::line::step;
use crate::process;
use crate::socket::{Sock, bound, close, make_bind, new_socket, outcome, returned, try_bind};

fn unlink(path: &str) {
    fs::remove_file(path).expect("the file is there");
}

fn try_fchmod(s: Sock, mode: mode_t) {
    // SAFETY: fchmod takes integers, no pointers.
    let changed = returned(unsafe { sys::fchmod(s.fd, mode) });
    step!("fchmod({}, {mode:04o})", s.name);
    outcome(changed);
}

// 1. Set the mode by the umask and by fchmod(2).

pub(crate) fn umask() {
    for mask in [0, 0o022, 0o077, 0o177, 0o777] {
        try_umask(mask);
        let s = bound('s', SOCK_STREAM, "x");
        ask_mode("x");
        close(&[s]);
        unlink("x");
    }
    set_umask(USUAL_UMASK);
}

pub(crate) fn before() {
    for mode in [0o600, 0o666] {
        let s = new_socket('s', SOCK_STREAM);
        try_fchmod(s, mode);
        try_bind(s, "x");
        ask_mode("x");
        close(&[s]);
        unlink("x");
    }
}

pub(crate) fn after() {
    let s = bound('s', SOCK_STREAM, "x");
    try_fchmod(s, 0o600);
    ask_mode("x");
    close(&[s]);
}

// 2. Give a thread its own umask.

/// Binds under a umask of this thread alone, and returns whether the system allows that.
fn bind_alone() -> bool {
    if !process::unshare(libc::CLONE_FS) {
        return false;
    }
    let a = new_socket('a', SOCK_STREAM);
    set_umask(0o777);
    make_bind(a.fd, b"x").expect("the directory is empty");
    close(&[a]);
    true
}

pub(crate) fn thread() {
    if !thread::spawn(bind_alone).join().expect("it binds") {
        print!("not run: needs unshare(2)");
        return;
    }
    step!("thread: unshare(CLONE_FS), umask(0777), bind(a, \"x\")");
    ask_mode("x");
    let b = bound('b', SOCK_STREAM, "y");
    ask_mode("y");
    close(&[b]);
}

// 3. Set exactly the requested mode. It is never wider, because the socket gets the mode before
//    bind. It is not narrower, because chmod(2) by a descriptor of the file restores the bits that
//    the umask removed.

fn make_bind_with(fd: c_int, path: &str, mode: mode_t) -> Result<c_int, c_int> {
    // SAFETY: fchmod takes integers, no pointers.
    returned(unsafe { sys::fchmod(fd, mode) })?;
    make_bind(fd, path.as_bytes())?;
    let file = open_path(path);
    let alias = CString::new(alias_of(&file)).expect("a path has no NUL");
    // SAFETY: the path is a live string with a NUL.
    returned(unsafe { sys::chmod(alias.as_ptr(), mode) })
}

pub(crate) fn exact() {
    for mask in [0, 0o022, 0o077, 0o777] {
        let s = new_socket('s', SOCK_STREAM);
        try_umask(mask);
        let bound = make_bind_with(s.fd, "x", 0o660);
        step!("bind_with_mode(s, \"x\", 0660)");
        outcome(bound);
        ask_mode("x");
        close(&[s]);
        unlink("x");
    }
    set_umask(USUAL_UMASK);
}

const TIMES: usize = 100;

/// Binds many times, and returns how often the file had exactly the mode.
fn bind_again_and_again(path: &str, mode: mode_t) -> usize {
    let is_exact = |_: &usize| {
        let s = new_socket('s', SOCK_STREAM);
        make_bind_with(s.fd, path, mode).expect("the path is free");
        let is_exact = mode_of(path) == mode;
        unlink(path);
        close(&[s]);
        is_exact
    };
    (0..TIMES).filter(is_exact).count()
}

pub(crate) fn threads() {
    let running = AtomicUsize::new(2);
    thread::scope(|scope| {
        let binders = [("x", 0o600), ("y", 0o666)].map(|(path, mode)| {
            let running = &running;
            let binder = scope.spawn(move || {
                let exact = bind_again_and_again(path, mode);
                running.fetch_sub(1, SeqCst);
                exact
            });
            (path, mode, binder)
        });
        for mask in [0, 0o022, 0o077, 0o777].into_iter().cycle() {
            if running.load(SeqCst) == 0 {
                break;
            }
            set_umask(mask);
        }
        set_umask(USUAL_UMASK);
        for (path, mode, binder) in binders {
            let exact = binder.join().expect("it binds");
            step!("mode(\"{path}\") = {mode:04o}, {exact} times of {TIMES}");
        }
    });
}
