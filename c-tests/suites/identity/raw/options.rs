//! Cases of options about a peer: its groups, its process and its label, asked from this namespace
//! and from others.

use std::mem::{size_of, size_of_val};
use std::ptr;

use libc::c_int;
use sunpath_sys as sys;
use sys::{SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM, socklen_t};

use super::{accepted, ask_cred, close, close_both, connected, listening, new_pair, new_socket};
use crate::process::{self, name_of};

// 1. Ask for groups: the length tells how many groups there are, even if they do not fit.

fn ask_groups(name: &str, fd: c_int, size: socklen_t) {
    let mut groups = [0u32; 8];
    assert!(size as usize <= size_of_val(&groups));
    let mut len = size;
    print!("getsockopt({name}, SO_PEERGROUPS, {size}) = ");
    let at = groups.as_mut_ptr().cast();
    // SAFETY: groups has space for the `len` bytes that the kernel may write.
    if unsafe { sys::getsockopt(fd, sys::SOL_SOCKET, sys::SO_PEERGROUPS, at, &mut len) } < 0 {
        match sys::errno() {
            sys::ERANGE => print!("ERANGE, {len}"),
            errno => print!("{}", name_of(errno)),
        }
        return;
    }
    print!("ok, {len}");
    for (i, group) in groups[..len as usize / size_of::<u32>()].iter().enumerate() {
        print!("{} {group}", if i == 0 { ":" } else { "" });
    }
}

fn groups_of(groups: &[u32], size: socklen_t) {
    let child = process::fork();
    if child == 0 {
        process::take_groups(groups);
        let [p, _q] = new_pair(SOCK_STREAM);
        // This changes nothing, because the kernel has recorded the groups.
        process::take_groups(&[]);
        ask_groups("p", p, size);
        process::end(0);
    }
    process::join(child);
}

const GROUPS: [u32; 3] = [30, 10, 20];

pub(crate) fn groups_too_many() {
    groups_of(&GROUPS, 4);
}

pub(crate) fn groups_exact() {
    groups_of(&GROUPS, 12);
}

pub(crate) fn groups_roomy() {
    groups_of(&GROUPS, 16);
}

pub(crate) fn groups_none() {
    groups_of(&[], 12);
}

pub(crate) fn groups_of_nobody() {
    let s = new_socket(SOCK_STREAM);
    ask_groups("s", s, 12);
    close(s);
}

// 2. Ask for a pidfd: it always means the same process, while another process can get the same pid.

fn ask_pidfd(name: &str, fd: c_int) {
    let mut pidfd: c_int = -1;
    let mut len = size_of::<c_int>() as socklen_t;
    print!("getsockopt({name}, SO_PEERPIDFD) = ");
    let at = ptr::from_mut(&mut pidfd).cast();
    // SAFETY: `at` is a live int, and `len` is its size.
    if unsafe { sys::getsockopt(fd, sys::SOL_SOCKET, sys::SO_PEERPIDFD, at, &mut len) } < 0 {
        print!("{}", name_of(sys::errno()));
        return;
    }
    let flag = process::close_on_exec(pidfd);
    print!(
        "ok, {flag}; pidfd_send_signal(0) = {}",
        process::probe(pidfd)
    );
    close(pidfd);
}

pub(crate) fn pidfd_of_pair() {
    let [p, q] = new_pair(SOCK_DGRAM);
    ask_pidfd("p", p);
    close_both(p, q);
}

/// Asks with a buffer that is too small. The kernel truncates the integer, but still makes the
/// descriptor.
pub(crate) fn pidfd_short() {
    let mut number = [0u8; 2];
    let mut len = number.len() as socklen_t;
    let [p, q] = new_pair(SOCK_STREAM);
    // SAFETY: dup takes an integer, no pointer.
    let next = process::check("dup", unsafe { sys::dup(p) });
    close(next); // The next new descriptor will be this integer.
    let at = number.as_mut_ptr().cast();
    // SAFETY: `number` has space for the `len` bytes that the kernel may write.
    let result =
        match unsafe { sys::getsockopt(p, sys::SOL_SOCKET, sys::SO_PEERPIDFD, at, &mut len) } {
            0 => "ok",
            _ => name_of(sys::errno()),
        };
    // SAFETY: nothing else owns `next`: it is free, or is the descriptor that the option made.
    let more = match unsafe { sys::close(next) } {
        0 => "a descriptor more",
        _ => "no descriptor more",
    };
    print!("getsockopt(p, SO_PEERPIDFD, 2) = {result}, {len}; {more}");
    close_both(p, q);
}

pub(crate) fn pidfd_of_nobody() {
    let s = new_socket(SOCK_SEQPACKET);
    ask_pidfd("s", s);
    close(s);
}

pub(crate) fn peer_dead() {
    let s = listening(SOCK_STREAM, 8);
    let child = process::fork();
    if child == 0 {
        connected(SOCK_STREAM);
        process::end(0);
    }
    process::join(child);
    let a = accepted(s);
    ask_cred("a", a);
    print!("; ");
    ask_pidfd("a", a);
    close_both(s, a);
}

// 3. Ask for a label: only a security module that labels sockets provides one.

pub(crate) fn label() {
    let mut text = [0u8; 256];
    let mut len = size_of_val(&text) as socklen_t;
    let [p, q] = new_pair(SOCK_STREAM);
    let at = text.as_mut_ptr().cast();
    // SAFETY: `at` points to a live array, and `len` is the size of the array.
    match unsafe { sys::getsockopt(p, sys::SOL_SOCKET, sys::SO_PEERSEC, at, &mut len) } {
        0 => print!("not run: this system labels sockets"),
        _ => print!("getsockopt(p, SO_PEERSEC) = {}", name_of(sys::errno())),
    }
    close_both(p, q);
}

// 4. Ask across namespaces: the peer's id can be one that is not mapped in this namespace.

pub(crate) fn in_user_namespace() {
    let child = process::fork();
    if child == 0 {
        if !process::unshare(libc::CLONE_NEWUSER) {
            print!("not run: needs a namespace");
            process::end(0);
        }
        process::forget_own_ids();
        let [p, _q] = new_pair(SOCK_STREAM);
        print!("geteuid() = {}; ", process::user_name(process::own_uid()));
        ask_cred("p", p);
        process::end(0);
    }
    process::join(child);
}

/// Runs in a child of the program: a server in the pid namespace of the program, and a client in
/// its own pid namespace.
fn across_pid_namespaces() -> ! {
    let s = listening(SOCK_STREAM, 8);
    if !process::unshare(libc::CLONE_NEWPID) {
        print!("not run: needs a namespace");
        process::end(0);
    }
    let child = process::fork();
    if child == 0 {
        let c = connected(SOCK_STREAM);
        print!("inside: ");
        ask_cred("c", c);
        print!("; ");
        ask_pidfd("c", c);
        process::end(0);
    }
    process::join(child);
    print!("; outside: ");
    ask_cred("a", accepted(s));
    process::end(0);
}

pub(crate) fn in_pid_namespace() {
    let child = process::fork();
    if child == 0 {
        across_pid_namespaces();
    }
    process::join(child);
}
