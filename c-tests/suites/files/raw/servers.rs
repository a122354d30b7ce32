//! Cases of servers that follow each other at the same path.

use sunpath_sys::SOCK_STREAM;

use crate::file::{ask_names, try_rename, try_unlink};
use crate::line::step;
use crate::process;
use crate::socket::{
    ask_peername, ask_poll, close, listening, new_socket, try_accept, try_close, try_connect,
    try_recv, try_send,
};

// 1. Take the path of another server, which keeps its clients and is not informed.

pub(crate) fn rebound() {
    let (s, c) = (listening('s', "x"), new_socket('c', SOCK_STREAM));
    let d = new_socket('d', SOCK_STREAM);
    try_connect(c, "x");
    let a = try_accept(s, 'a');
    try_unlink("x");
    let t = listening('t', "x");
    try_connect(d, "x");
    ask_poll(s);
    let b = try_accept(t, 'b');
    try_send(c);
    try_recv(a);
    close(&[s, t, c, d, a, b]);
}

// 2. Replace a server so that there is a listener at every instant.

pub(crate) fn renamed_over() {
    let (s, c) = (listening('s', "x"), new_socket('c', SOCK_STREAM));
    let d = new_socket('d', SOCK_STREAM);
    try_connect(c, "x");
    let t = listening('t', "tmp");
    try_rename("tmp", "x");
    try_connect(d, "x");
    ask_peername(d);
    let b = try_accept(t, 'b');
    let a = try_accept(s, 'a');
    ask_names();
    close(&[s, t, c, d, a, b]);
}

// 3. Close a socket: it lives until its last descriptor in any process is closed.

pub(crate) fn forked() {
    let (s, c) = (listening('s', "x"), new_socket('c', SOCK_STREAM));
    let d = new_socket('d', SOCK_STREAM);
    let gate = process::gate_make();
    let child = process::fork();
    if child == 0 {
        process::gate_wait(gate);
        process::end(0);
    }
    try_close(s);
    try_connect(c, "x");
    process::gate_open(&gate);
    process::join(child);
    step!("child: exit");
    try_connect(d, "x");
    close(&[c, d]);
}
