//! Cases of servers that follow each other at the same path.

use sunpath::{Error, Stream};

use crate::file::{ask_names, try_rename, try_unlink};
use crate::line::step;
use crate::process;
use crate::socket::{
    ask_peername, ask_poll, listening, new_socket, try_accept, try_close, try_connect, try_recv,
    try_send,
};

// 1. Take the path of another server, which keeps its clients and is not informed.

pub(crate) fn rebound() -> Result<(), Error> {
    let (s, c) = (listening('s', "x")?, new_socket('c')?);
    let d = new_socket::<Stream>('d')?;
    try_connect(&c, "x");
    let a = try_accept(&s, 'a').expect("it is connected");
    try_unlink("x");
    let t = listening('t', "x")?;
    try_connect(&d, "x");
    ask_poll(&s);
    let _b = try_accept(&t, 'b');
    try_send(&c);
    try_recv(&a);
    Ok(())
}

// 2. Replace a server so that there is a listener at every instant.

pub(crate) fn renamed_over() -> Result<(), Error> {
    let (s, c) = (listening('s', "x")?, new_socket::<Stream>('c')?);
    let d = new_socket('d')?;
    try_connect(&c, "x");
    let t = listening('t', "tmp")?;
    try_rename("tmp", "x");
    try_connect(&d, "x");
    ask_peername(&d);
    let _b = try_accept(&t, 'b');
    let _a = try_accept(&s, 'a');
    ask_names();
    Ok(())
}

// 3. Close a socket: it lives until its last descriptor in any process is closed.

pub(crate) fn forked() -> Result<(), Error> {
    let (s, c) = (listening('s', "x")?, new_socket::<Stream>('c')?);
    let d = new_socket::<Stream>('d')?;
    let gate = process::gate_make();
    let child = process::fork();
    if child == 0 {
        process::gate_wait(gate);
        process::end(0);
    }
    try_close(s);
    try_connect(&c, "x");
    process::gate_open(&gate);
    process::join(child);
    step!("child: exit");
    try_connect(&d, "x");
    Ok(())
}
