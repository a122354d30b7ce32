//! A listener and its file, which the library makes and removes.

use sunpath::{BindOptions, Bound, Error, Existing, UnixListener};

use crate::line::step;
use crate::socket::{Named, outcome, try_accept};

pub(crate) type Server = Bound<UnixListener>;

// 1. Bind: as C does, as one of many servers, and in the place of another server.

fn bind(existing: Existing) -> Result<Server, Error> {
    let options = BindOptions::new().backlog(8).existing(existing);
    options.listen("x")
}

pub(crate) fn serve() -> Result<Server, Error> {
    bind(Existing::Refuse)
}

pub(crate) fn replace() -> Result<Server, Error> {
    bind(Existing::ReplaceStale)
}

pub(crate) fn take_over() -> Result<Server, Error> {
    bind(Existing::Takeover)
}

// 2. Print the steps of the line.

fn told(call: &str, name: char, done: Result<Server, Error>) -> Result<Server, Error> {
    step!("{call}({name}, \"x\")");
    outcome(&done);
    done
}

pub(crate) fn try_serve(name: char) -> Result<Server, Error> {
    told("serve", name, serve())
}

pub(crate) fn try_replace(name: char) -> Result<Server, Error> {
    told("replace", name, replace())
}

pub(crate) fn try_release(name: char, s: Server) {
    drop(s);
    step!("release({name})");
}

/// Accepts a connection, as a step, and then closes the connection.
pub(crate) fn ask_accept(name: char, s: &Server) -> Result<(), Error> {
    let socket = s.try_clone()?;
    socket.set_nonblocking(true)?;
    let _ = try_accept(&Named { name, socket }, 'd');
    Ok(())
}
