//! Cases of bind: it fails if any file is at the path, and a socket has one name.

use sunpath::{Error, Stream, UnixStream};

use crate::file::{ask_kind, ask_names, try_create, try_mkdir, try_mkfifo, try_symlink};
use crate::line::step;
use crate::socket::{
    Named, ask_peername, ask_sockname, bound, leave_stale, listening, new_socket, try_accept,
    try_bind, try_connect,
};

// 1. Bind over a file, which stays as it is.

fn bind_over(path: &str) -> Result<(), Error> {
    let _t = bound::<Stream>('t', path)?;
    ask_kind(path);
    Ok(())
}

pub(crate) fn live() -> Result<(), Error> {
    let (_s, c) = (listening('s', "x")?, new_socket::<Stream>('c')?);
    bind_over("x")?;
    try_connect(&c, "x");
    Ok(())
}

pub(crate) fn stale() -> Result<(), Error> {
    leave_stale::<Stream>("x")?;
    bind_over("x")
}

pub(crate) fn file() -> Result<(), Error> {
    try_create("x");
    bind_over("x")
}

pub(crate) fn directory() -> Result<(), Error> {
    try_mkdir("x");
    bind_over("x")
}

pub(crate) fn fifo() -> Result<(), Error> {
    try_mkfifo("x");
    bind_over("x")
}

pub(crate) fn dangling() -> Result<(), Error> {
    try_symlink("target", "x");
    bind_over("x")?;
    ask_kind("target");
    Ok(())
}

pub(crate) fn dot() -> Result<(), Error> {
    bind_over(".")
}

/// The library has no method that sets SO_REUSEADDR, and the line says so.
pub(crate) fn reuseaddr() -> Result<(), Error> {
    let t = new_socket::<Stream>('t')?;
    leave_stale::<Stream>("x")?;
    step!("no SO_REUSEADDR to set");
    try_bind(&t, "x");
    Ok(())
}

// 2. Bind where no file can be made.

fn bind_nowhere(path: &str) -> Result<(), Error> {
    let s = bound::<Stream>('s', path)?;
    ask_sockname(&s);
    ask_names();
    Ok(())
}

pub(crate) fn missing() -> Result<(), Error> {
    bind_nowhere("missing/x")
}

pub(crate) fn slash() -> Result<(), Error> {
    bind_nowhere("new/")
}

pub(crate) fn through_file() -> Result<(), Error> {
    try_create("file");
    bind_nowhere("file/x")
}

pub(crate) fn link_loop() -> Result<(), Error> {
    try_symlink("loop", "loop");
    bind_nowhere("loop/x")
}

// 3. Bind a socket that has a name or a peer already.

pub(crate) fn two_names() -> Result<(), Error> {
    let s = bound::<Stream>('s', "x")?;
    try_bind(&s, "y");
    ask_sockname(&s);
    ask_names();
    Ok(())
}

pub(crate) fn twice() -> Result<(), Error> {
    let s = bound::<Stream>('s', "x")?;
    try_bind(&s, "x");
    Ok(())
}

pub(crate) fn client() -> Result<(), Error> {
    let (s, c) = (listening('s', "x")?, new_socket::<Stream>('c')?);
    try_connect(&c, "x");
    let a = try_accept(&s, 'a').expect("it is connected");
    ask_peername(&a);
    try_bind(&c, "late");
    ask_peername(&a);
    Ok(())
}

pub(crate) fn pair() -> Result<(), Error> {
    let (p, q) = UnixStream::pair()?;
    let [p, q] = [('p', p), ('q', q)].map(|(name, socket)| Named { name, socket });
    try_bind(&p, "late");
    ask_peername(&q);
    Ok(())
}

pub(crate) fn accepted() -> Result<(), Error> {
    let (s, c) = (listening('s', "x")?, new_socket::<Stream>('c')?);
    try_connect(&c, "x");
    let a = try_accept(&s, 'a').expect("it is connected");
    ask_sockname(&a);
    try_bind(&a, "late");
    ask_names();
    Ok(())
}
