//! Sockets that are made in one call: what fails leaves nothing open, and no file.

use sunpath::{Error, UnixDatagram, UnixListener, UnixStream};

use crate::descriptors::open_descriptors;
use crate::file::ask_names;
use crate::line::step;
use crate::socket::{listening, outcome};
use crate::words;

/// The call, and how many descriptors the process has more than before.
fn make<S>(name: &str, construct: fn(&str) -> Result<S, Error>, path: &str) {
    let before = open_descriptors();
    let made = construct(path);
    let opened = open_descriptors() - before;
    step!("{name}({})", words::path(path));
    outcome(&made);
    print!(", opened {opened}");
}

fn make_all<S>(name: &str, construct: fn(&str) -> Result<S, Error>) {
    make(name, construct, "");
    make(name, construct, &"n".repeat(108));
    make(name, construct, "missing/x");
    make(name, construct, "x");
    make(name, construct, "x");
    ask_names();
}

pub(crate) fn listener() -> Result<(), Error> {
    make_all("listener", |path| UnixListener::bind(path));
    Ok(())
}

pub(crate) fn datagram() -> Result<(), Error> {
    make_all("datagram", |path| UnixDatagram::bind(path));
    Ok(())
}

/// The last time with a listener there.
pub(crate) fn stream() -> Result<(), Error> {
    make_all("stream", |path| UnixStream::connect(path));
    let _s = listening('s', "x")?;
    make("stream", |path| UnixStream::connect(path), "x");
    Ok(())
}
