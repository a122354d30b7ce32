//! Cases of descriptors in flight: what they share, what closes them, and how many there may be.

use libc::c_int;
use sunpath_sys as sys;
use sys::{MSG_CMSG_CLOEXEC, O_NONBLOCK, SOCK_STREAM};

use super::control::Control;
use super::line::{self, step};
use super::message::{
    Pair, Words, ask_close_on_exec, close_fds, close_pair, counted, lacks, named, new_pair, option,
    receive, receive_fd, receive_with, send_fd, send_rights, set, try_send, with_flags,
};
use super::{accepted, as_nobody, close, connected, listening};
use crate::descriptors::{allow, allow_usual};
use crate::process::{check, name_of};

// 1. Make pipes, because one end of a pipe shows whether the other end is open.

fn new_pipe(flags: c_int) -> [c_int; 2] {
    let mut fds = [-1; 2];
    // SAFETY: fds has space for two descriptors.
    check("pipe2", unsafe {
        libc::pipe2(fds.as_mut_ptr(), sys::O_CLOEXEC | flags)
    });
    fds
}

fn ask_pipe(fd: c_int) {
    let mut byte = [0u8];
    // SAFETY: pointer and length come from one live array.
    let count = counted(unsafe { sys::read(fd, byte.as_mut_ptr().cast(), byte.len()) });
    step!("read(pipe)");
    line::result(count);
}

// 2. Examine a received descriptor: its flag and its file.

fn close_on_exec(flags: (c_int, Words)) {
    let s = new_pair(SOCK_STREAM);
    send_fd(s.p, "x", s.p);
    let fds = receive_with(s.q, &with_flags(64, flags));
    if let [fd] = fds[..] {
        ask_close_on_exec(fd);
    }
    close_fds(&fds);
    close_pair(s);
}

pub(crate) fn plain() {
    close_on_exec(named!(0));
}

pub(crate) fn cloexec() {
    close_on_exec(named!(MSG_CMSG_CLOEXEC));
}

fn seek(fd: c_int, offset: libc::off_t, from: c_int) -> libc::off_t {
    // SAFETY: lseek takes integers, no pointers.
    unsafe { libc::lseek(fd, offset, from) }
}

pub(crate) fn offset() {
    let s = new_pair(SOCK_STREAM);
    let flags = sys::O_RDWR | sys::O_CREAT | sys::O_EXCL | sys::O_CLOEXEC;
    // SAFETY: the path is a live string with a NUL.
    let fd = check("open", unsafe {
        sys::openat(sys::AT_FDCWD, c"f".as_ptr(), flags, 0o600)
    });
    // SAFETY: the path is a live string with its NUL.
    check("unlink", unsafe { sys::unlink(c"f".as_ptr()) });
    send_fd(s.p, "x", fd);
    let received = receive_fd(s.q);
    step!(
        "lseek(received, 5, SEEK_SET) = {}",
        seek(received, 5, libc::SEEK_SET)
    );
    step!("lseek(sent, 0, SEEK_CUR) = {}", seek(fd, 0, libc::SEEK_CUR));
    close(received);
    close(fd);
    close_pair(s);
}

pub(crate) fn closed() {
    let s = new_pair(SOCK_STREAM);
    let [from, to] = new_pipe(O_NONBLOCK);
    send_fd(s.p, "x", to);
    close(to);
    let received = receive_fd(s.q);
    // SAFETY: pointer and length come from one live array.
    let count = unsafe { sys::write(received, b"y".as_ptr().cast(), 1) };
    step!("write(received) = {count}");
    ask_pipe(from);
    close(received);
    close(from);
    close_pair(s);
}

// 3. Leave descriptors in a queue: a pipe ends only when its last write end is closed.

pub(crate) fn receiver_closes() {
    let s = new_pair(SOCK_STREAM);
    let [from, to] = new_pipe(O_NONBLOCK);
    send_fd(s.p, "x", to);
    close(to);
    ask_pipe(from);
    step!("close(q)");
    close(s.q);
    ask_pipe(from);
    close(from);
    close(s.p);
}

pub(crate) fn sender_closes() {
    let s = new_pair(SOCK_STREAM);
    let [from, to] = new_pipe(O_NONBLOCK);
    send_fd(s.p, "x", to);
    close(to);
    step!("close(p)");
    close(s.p);
    receive(s.q, 64);
    ask_pipe(from);
    close(from);
    close(s.q);
}

pub(crate) fn never_accepted() {
    let (listener, p) = (listening(SOCK_STREAM), connected(SOCK_STREAM));
    let [from, to] = new_pipe(O_NONBLOCK);
    send_fd(p, "x", to);
    close(to);
    ask_pipe(from);
    step!("close(listener)");
    close(listener);
    ask_pipe(from);
    close(from);
    close(p);
}

/// The kernel frees sockets that are in flight in their own queues, but only some time later. The
/// read of the pipe waits until the kernel has done that.
pub(crate) fn itself() {
    let [from, to] = new_pipe(0);
    for _ in 0..100 {
        let s = new_pair(SOCK_STREAM);
        let mut control = Control::default();
        control.put_fds(&[s.q, to]);
        assert_eq!(try_send(s.p, "x", &mut control), Ok(1));
        close_pair(s);
    }
    close(to);
    step!("a hundred queues that hold their own socket and a pipe");
    ask_pipe(from);
    close(from);
}

// 4. Count descriptors in flight: each counts for the user who sent it.

/// Sends messages under a limit of 32 descriptors until the kernel refuses a message. The last
/// message may exceed the limit, because the kernel compares the count before it adds the
/// descriptors of a message.
fn until_refused(rights: usize) {
    let s = new_pair(SOCK_STREAM);
    let mut control = Control::default();
    control.put_rights(rights);
    allow(32);
    let mut count = 0;
    let errno = loop {
        match try_send(s.p, "x", &mut control) {
            Ok(_) => count += 1,
            Err(errno) => break errno,
        }
    };
    let refused = name_of(errno);
    step!("sendmsg(p, \"x\", RIGHTS({rights})) = 1, {count} times, then {refused}");
    allow_usual();
    receive(s.q, 64);
    allow(32);
    send_rights(s.p, "x", 1);
    allow_usual();
    close_pair(s);
}

pub(crate) fn too_many() {
    as_nobody(|| until_refused(1));
}

pub(crate) fn too_many_at_once() {
    as_nobody(|| until_refused(40));
}

// 5. Send to receivers that take no descriptors.

pub(crate) fn by_listener() {
    if lacks(option!(SO_PASSRIGHTS)) {
        return;
    }
    let listener = listening(SOCK_STREAM);
    set("listener", listener, option!(SO_PASSRIGHTS), 0);
    let p = connected(SOCK_STREAM);
    send_rights(p, "x", 1);
    let q = accepted(listener);
    receive(q, 64);
    close_pair(Pair { p, q });
    close(listener);
}
