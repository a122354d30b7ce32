//! Cases of taking a path over from any server, without an instant in which nobody listens.

use sunpath::{BindOptions, Error, Existing, Stream, UnixListener};

use crate::file::{ask_kind, ask_names, try_create, try_mkdir, try_symlink};
use crate::line::step;
use crate::socket::{
    Named, ask_poll, leave_stale, listening, new_socket, outcome, try_accept, try_connect,
};

// 1. Use the library: it listens under a temporary name, and swaps its file with the socket file at
//    the path.

/// Takes the path over, as a step. As in C, the file is not removed at the end.
fn take_over(path: &str) -> Result<Named<UnixListener>, Error> {
    let options = BindOptions::new().existing(Existing::Takeover);
    let taken = options.listen(path);
    step!("take_over(t, \"{path}\")");
    outcome(&taken);
    let socket = taken?.leak();
    socket.set_nonblocking(true)?;
    Ok(Named { name: 't', socket })
}

// 2. Find which server a client reaches after a takeover.

fn reached() -> Result<(), Error> {
    let (t, c) = (take_over("x")?, new_socket::<Stream>('c')?);
    try_connect(&c, "x");
    let _a = try_accept(&t, 'a');
    ask_names();
    Ok(())
}

pub(crate) fn absent() -> Result<(), Error> {
    reached()
}

pub(crate) fn live() -> Result<(), Error> {
    let (s, d) = (listening('s', "x")?, new_socket::<Stream>('d')?);
    try_connect(&d, "x");
    reached()?;
    ask_poll(&s);
    let _b = try_accept(&s, 'b');
    Ok(())
}

pub(crate) fn stale() -> Result<(), Error> {
    leave_stale::<Stream>("x")?;
    reached()
}

// 3. Try paths that are not taken over.

fn not_taken() {
    let _t = take_over("x");
    ask_kind("x");
    ask_names();
}

pub(crate) fn file() -> Result<(), Error> {
    try_create("x");
    not_taken();
    Ok(())
}

pub(crate) fn directory() -> Result<(), Error> {
    try_mkdir("x");
    not_taken();
    Ok(())
}

pub(crate) fn to_live() -> Result<(), Error> {
    let (s, c) = (listening('s', "y")?, new_socket::<Stream>('c')?);
    try_symlink("y", "x");
    not_taken();
    try_connect(&c, "x");
    let _a = try_accept(&s, 'a');
    Ok(())
}
