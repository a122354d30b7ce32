//! Cases of sockets that are made in one call: a failure leaves no descriptor open, and no file.

use sunpath::{
    BindOptions, Bound, ConnectOptions, Error, Stream, UnixDatagram, UnixListener, UnixStream,
};

use crate::descriptors::{allow_more, allow_usual, open_descriptors};
use crate::file::{ask_names, try_mkdir};
use crate::line::step;
use crate::socket::{listening, new_socket, outcome, try_accept, try_connect};
use crate::words;

/// Prints the call, and how many more descriptors the process has afterwards.
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

/// The first calls fail. Only the last call finds a listener at the path.
pub(crate) fn stream() -> Result<(), Error> {
    make_all("stream", |path| UnixStream::connect(path));
    let _s = listening('s', "x")?;
    make("stream", |path| UnixStream::connect(path), "x");
    Ok(())
}

// 3. Reach the limit of descriptors.

pub(crate) fn at_limit() -> Result<(), Error> {
    allow_more(0);
    make("listener", |path| UnixListener::bind(path), "x");
    make("datagram", |path| UnixDatagram::bind(path), "x");
    make("stream", |path| UnixStream::connect(path), "x");
    allow_usual();
    ask_names();
    Ok(())
}

fn report<S>(call: &str, made: &Result<S, Error>, before: usize) {
    let opened = open_descriptors() - before;
    step!("{call}");
    outcome(made);
    print!(", opened {opened}");
}

/// A pair needs two free descriptors. If one is free, no socket is made.
pub(crate) fn from_sockets() -> Result<(), Error> {
    let (s, c) = (listening('s', "x")?, new_socket('c')?);
    try_connect::<Stream>(&c, "x");
    let before = open_descriptors();
    allow_more(1);
    report("socketpair()", &UnixStream::pair(), before);
    allow_more(0);
    report("accept(s)", &s.accept(), before);
    report("dup(s)", &s.try_clone(), before);
    allow_usual();
    let _a = try_accept(&s, 'a');
    Ok(())
}

// 4. Use paths of any length, which the library takes as they are.

/// The `Bound` that would remove the file is given up, because C has nothing like it.
fn new_listener(path: &str) -> Result<UnixListener, Error> {
    BindOptions::new().listen(path).map(Bound::leak)
}

fn new_stream(path: &str) -> Result<UnixStream, Error> {
    ConnectOptions::new().connect(path)
}

fn make_both(path: &str) {
    make("listener", new_listener, path);
    make("stream", new_stream, path);
}

/// Two descriptors are needed, for the directory and for the socket. If one is free, no socket is
/// made.
pub(crate) fn long_path() -> Result<(), Error> {
    let long = "d".repeat(120);
    let path = format!("{long}/x");
    try_mkdir(&long);
    make_both(&format!("missing/{path}"));
    make_both(&path);
    make("listener", new_listener, &path);
    for free in 0..2 {
        allow_more(free);
        make_both(&path);
    }
    allow_usual();
    ask_names();
    Ok(())
}
