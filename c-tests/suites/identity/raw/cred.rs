//! Cases of `SO_PEERCRED`: the ids that it reports, the time at which the kernel records them, and
//! their use in programs.

use std::fs::{self, Permissions};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;

use libc::c_int;
use sunpath_sys as sys;
use sys::{SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM, socklen_t};

use super::{
    PATH, accepted, ask_byte, ask_cred, bound, close, close_both, connected, cred_of, listening,
    new_pair, new_socket, read_byte, start_listening, tell_byte, try_accept,
};
use crate::process::{self, name_of};

// 1. Ask sockets without a peer: the kernel answers with ids that no user has.

pub(crate) fn fresh() {
    let s = new_socket(SOCK_STREAM);
    ask_cred("s", s);
    close(s);
}

pub(crate) fn bound_only() {
    let s = bound(SOCK_STREAM);
    ask_cred("s", s);
    close(s);
}

pub(crate) fn datagram_connected() {
    let (s, c) = (bound(SOCK_DGRAM), connected(SOCK_DGRAM));
    ask_cred("c", c);
    close_both(s, c);
}

pub(crate) fn internet() {
    let s = process::internet_socket();
    ask_cred("s", s.as_raw_fd());
}

// 2. Connect, and ask both sides: before accept(2), and after the other side has closed.

pub(crate) fn listener() {
    let s = listening(SOCK_STREAM, 8);
    ask_cred("s", s);
    close(s);
}

pub(crate) fn before_accept() {
    let (s, c) = (listening(SOCK_STREAM, 8), connected(SOCK_STREAM));
    ask_cred("c", c);
    close_both(s, c);
}

pub(crate) fn after_close() {
    let (s, c) = (listening(SOCK_STREAM, 8), connected(SOCK_STREAM));
    let a = accepted(s);
    ask_cred("a", a);
    print!("; close(c); ");
    close(c);
    ask_cred("a", a);
    close_both(s, a);
}

pub(crate) fn two_processes() {
    let s = listening(SOCK_SEQPACKET, 8);
    let child = process::fork();
    if child == 0 {
        let c = connected(SOCK_SEQPACKET);
        print!("child: ");
        ask_cred("c", c);
        process::end(0);
    }
    process::join(child);
    let a = accepted(s);
    print!("; ");
    ask_cred("a", a);
    close_both(s, a);
}

fn pair_of(kind: c_int) {
    let [p, q] = new_pair(kind);
    ask_cred("p", p);
    close_both(p, q);
}

pub(crate) fn pair_stream() {
    pair_of(SOCK_STREAM);
}

pub(crate) fn pair_datagram() {
    pair_of(SOCK_DGRAM);
}

pub(crate) fn pair_seqpacket() {
    pair_of(SOCK_SEQPACKET);
}

// 3. Compare the times: the client's ids are recorded at connect(2), and the server's at listen(2).

/// Lets every user connect to the listener of the case.
fn admit_everybody() {
    for (path, mode) in [(".", 0o711), (PATH, 0o666)] {
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("the path is ours");
    }
}

pub(crate) fn client_effective() {
    let s = listening(SOCK_STREAM, 8);
    admit_everybody();
    let child = process::fork();
    if child == 0 {
        process::lower_privileges();
        connected(SOCK_STREAM);
        process::end(0);
    }
    process::join(child);
    let a = accepted(s);
    ask_cred("a", a);
    close_both(s, a);
}

pub(crate) fn client_drops() {
    let s = listening(SOCK_STREAM, 8);
    let child = process::fork();
    if child == 0 {
        let c = connected(SOCK_STREAM);
        process::drop_privileges();
        tell_byte(c);
        process::end(0);
    }
    process::join(child);
    let a = accepted(s);
    ask_byte("a", a);
    ask_cred("a", a);
    close_both(s, a);
}

#[derive(PartialEq)]
enum Order {
    ListenDrop,
    DropListen,
    ListenDropListen,
}

fn server_drops(order: Order) {
    let gate = process::gate_make();
    let child = process::fork();
    if child == 0 {
        let s = bound(SOCK_STREAM);
        if order != Order::DropListen {
            start_listening(s, 8);
        }
        process::drop_privileges();
        if order != Order::ListenDrop {
            start_listening(s, 8);
        }
        process::gate_open(&gate);
        // The child lives until its credentials have been read.
        process::end(c_int::from(read_byte(accepted(s)) != 0));
    }
    process::gate_wait(gate);
    let c = connected(SOCK_STREAM);
    ask_cred("c", c);
    close(c);
    process::join(child);
}

pub(crate) fn listens_then_drops() {
    server_drops(Order::ListenDrop);
}

pub(crate) fn drops_then_listens() {
    server_drops(Order::DropListen);
}

pub(crate) fn listens_again() {
    server_drops(Order::ListenDropListen);
}

// 4. Inherit a connection: the peer is the process that made the connection, and not a process that
//    inherited it.

pub(crate) fn writer_inherits() {
    let (s, c) = (listening(SOCK_STREAM, 8), connected(SOCK_STREAM));
    let a = accepted(s);
    let child = process::fork();
    if child == 0 {
        print!("child: ");
        ask_cred("c", c);
        tell_byte(c);
        process::end(0);
    }
    process::join(child);
    print!("; ");
    ask_byte("a", a);
    ask_cred("a", a);
    close_both(a, c);
    close(s);
}

pub(crate) fn accepter_inherits() {
    let (s, c) = (listening(SOCK_STREAM, 8), connected(SOCK_STREAM));
    let child = process::fork();
    if child == 0 {
        tell_byte(accepted(s));
        process::end(0);
    }
    process::join(child);
    ask_byte("c", c);
    ask_cred("c", c);
    close_both(s, c);
}

// 5. Pass lengths: the kernel truncates its answer to the size that it gets.

fn length_of(size: socklen_t) {
    let mut answer = [0u8; 64];
    assert!(size as usize <= size_of_val(&answer));
    let mut len = size;
    let [p, q] = new_pair(SOCK_STREAM);
    print!("getsockopt(p, SO_PEERCRED, {size}) = ");
    let at = answer.as_mut_ptr().cast();
    // SAFETY: answer has space for the `len` bytes that the kernel may write.
    match unsafe { sys::getsockopt(p, sys::SOL_SOCKET, sys::SO_PEERCRED, at, &mut len) } {
        0 => print!("ok, {len}"),
        _ => print!("{}", name_of(sys::errno())),
    }
    close_both(p, q);
}

pub(crate) fn length_short() {
    length_of(4);
}

pub(crate) fn length_long() {
    length_of(64);
}

// 6. Make decisions by the ids, as programs do.

/// Accepts the next client of this user, and closes the connections of others.
fn accept_if(listener: c_int, uid: u32) -> c_int {
    loop {
        let fd = try_accept(listener);
        if fd < 0 || cred_of(fd).is_some_and(|cred| cred.uid == uid) {
            return fd;
        }
        close(fd);
    }
}

pub(crate) fn accepts_one_user() {
    let s = listening(SOCK_STREAM, 8);
    admit_everybody();
    let gate = process::gate_make();
    let child = process::fork();
    if child == 0 {
        process::drop_privileges();
        let c = connected(SOCK_STREAM);
        process::gate_open(&gate);
        print!("child: ");
        ask_byte("c", c);
        process::end(0);
    }
    process::gate_wait(gate);
    let c = connected(SOCK_STREAM);
    let a = process::check("accept_if", accept_if(s, process::own_uid()));
    process::join(child);
    print!("accept_if(self): ");
    ask_cred("a", a);
    close_both(a, c);
    close(s);
}

/// Connects if this user runs the server, and otherwise returns `EPERM`.
fn connect_if(uid: u32) -> Result<c_int, c_int> {
    let fd = connected(SOCK_STREAM);
    if cred_of(fd).is_some_and(|cred| cred.uid == uid) {
        return Ok(fd);
    }
    close(fd);
    Err(libc::EPERM)
}

pub(crate) fn connects_to_one_user() {
    let s = listening(SOCK_STREAM, 8);
    let refused = connect_if(process::own_uid() + 1).map_or_else(name_of, |_| "ok");
    print!("connect_if(another) = {refused}; ");
    let a = accepted(s);
    ask_byte("a", a);
    let c = connect_if(process::own_uid());
    print!("connect_if(self) = {}", c.map_or_else(name_of, |_| "ok"));
    if let Ok(c) = c {
        close(c);
    }
    close_both(a, s);
}
