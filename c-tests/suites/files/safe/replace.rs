//! Cases of binding where a dead server may have left its file.

use sunpath::{BindOptions, Bound, Datagram, Error, Existing, Stream, UnixListener};

use crate::file::{ask_kind, try_create, try_mkdir, try_symlink};
use crate::line::step;
use crate::socket::{
    ask_poll, bound, leave_stale, listening, new_socket, outcome, try_accept, try_connect,
    try_listen,
};

// 1. Use the library: it makes the same proof, and has a lock against other programs that do the
//    same.

fn replace(path: &str) -> Result<Bound<UnixListener>, Error> {
    let options = BindOptions::new().existing(Existing::ReplaceStale);
    let bound = options.listen(path);
    step!("replace(t, \"{path}\")");
    outcome(&bound);
    bound
}

// 2. Bind in each situation, and show whether the file is still there afterwards.

fn replace_there() {
    let _t = replace("x");
    ask_kind("x");
}

pub(crate) fn absent() -> Result<(), Error> {
    replace_there();
    Ok(())
}

pub(crate) fn stale() -> Result<(), Error> {
    leave_stale::<Stream>("x")?;
    replace_there();
    Ok(())
}

pub(crate) fn stale_datagram() -> Result<(), Error> {
    leave_stale::<Datagram>("x")?;
    replace_there();
    Ok(())
}

pub(crate) fn live() -> Result<(), Error> {
    let (s, c) = (listening('s', "x")?, new_socket::<Stream>('c')?);
    replace_there();
    ask_poll(&s);
    try_connect(&c, "x");
    let _a = try_accept(&s, 'a');
    Ok(())
}

pub(crate) fn full() -> Result<(), Error> {
    let (s, c) = (bound::<Stream>('s', "x")?, new_socket::<Stream>('c')?);
    let d = new_socket::<Stream>('d')?;
    let _s = s.socket.listen(0)?;
    step!("listen(s, 0) = ok");
    try_connect(&c, "x");
    try_connect(&d, "x");
    replace_there();
    Ok(())
}

pub(crate) fn before_listen() -> Result<(), Error> {
    let (s, c) = (bound::<Stream>('s', "x")?, new_socket::<Stream>('c')?);
    replace_there();
    let _s = try_listen(s)?;
    try_connect(&c, "x");
    Ok(())
}

pub(crate) fn file() -> Result<(), Error> {
    try_create("x");
    replace_there();
    Ok(())
}

pub(crate) fn directory() -> Result<(), Error> {
    try_mkdir("x");
    replace_there();
    Ok(())
}

pub(crate) fn to_stale() -> Result<(), Error> {
    leave_stale::<Stream>("y")?;
    try_symlink("y", "x");
    replace_there();
    ask_kind("y");
    Ok(())
}
