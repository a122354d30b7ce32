//! The calls that a case makes on sockets, over `sunpath`. Each call is a step of the line, with
//! its result. `socket.c` does the same in C.

use std::fmt::Display;
use std::ops::Deref;
use std::os::fd::AsRawFd;

use libc::c_int;
use sunpath::socket::{Connected, Kind};
use sunpath::{CWD, Error, Listener, Socket, Stream, UnixAddr, UnixListener, UnixStream};

use crate::calls;
use crate::line::{self, step};
use crate::words;

/// A socket, and the letter by which the line names it.
pub(crate) struct Named<S> {
    pub(crate) name: char,
    pub(crate) socket: S,
}

impl<S> Deref for Named<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.socket
    }
}

// 1. Make and close sockets.

/// Makes a nonblocking socket.
pub(crate) fn new_socket<T: Kind>(name: char) -> Result<Named<Socket<T>>, Error> {
    let socket = Socket::new()?;
    socket.set_nonblocking(true)?;
    Ok(Named { name, socket })
}

/// Prints the result of a step: what the call returned, or an errno.
pub(crate) fn result<T: Display>(result: Result<T, Error>) {
    line::result(result.map_err(|error| error.errno().raw()));
}

/// Prints the result of a step: "ok", or an errno.
pub(crate) fn outcome<T>(done: &Result<T, Error>) {
    result(done.as_ref().map(|_| "ok").map_err(|error| *error));
}

fn address_of(path: &str) -> Result<UnixAddr, c_int> {
    UnixAddr::from_pathname(path).map_err(|error| error.errno())
}

// 2. Make calls, and print them.

pub(crate) fn try_bind<T: Kind>(s: &Named<Socket<T>>, path: &str) {
    let bound =
        address_of(path).and_then(|addr| s.bind_to(&addr).map_err(|error| error.errno().raw()));
    step!("bind({}, {})", s.name, words::path(path));
    line::result(bound.map(|()| "ok"));
}

pub(crate) fn try_connect<T: Kind>(c: &Named<Socket<T>>, path: &str) {
    let connected =
        address_of(path).and_then(|addr| c.connect_to(&addr).map_err(|error| error.errno().raw()));
    step!("connect({}, {})", c.name, words::path(path));
    line::result(connected.map(|()| "ok"));
}

/// Binds to a path of any length, as a step.
pub(crate) fn try_bind_at<T: Kind>(s: &Named<Socket<T>>, path: &str) {
    let bound = s.bind_to_at(CWD, path);
    step!("bind_at({}, CWD, {})", s.name, words::path(path));
    outcome(&bound);
}

pub(crate) fn try_connect_at<T: Kind>(c: &Named<Socket<T>>, path: &str) {
    let connected = c.connect_to_at(CWD, path);
    step!("connect_at({}, CWD, {})", c.name, words::path(path));
    outcome(&connected);
}

pub(crate) fn try_listen<T: Connected>(s: Named<Socket<T>>) -> Result<Named<Listener<T>>, Error> {
    let Named { name, socket } = s;
    let listens = socket.listen(8).map_err(Error::from);
    step!("listen({name})");
    outcome(&listens);
    let socket = listens?;
    Ok(Named { name, socket })
}

pub(crate) fn try_accept(s: &Named<UnixListener>, name: char) -> Option<Named<UnixStream>> {
    let accepted = s.accept();
    step!("accept({})", s.name);
    outcome(&accepted);
    let (socket, _) = accepted.ok()?;
    Some(Named { name, socket })
}

pub(crate) fn try_close<S>(s: Named<S>) {
    step!("close({})", s.name);
    drop(s);
}

pub(crate) fn try_send(c: &Named<UnixStream>) {
    let sent = c.write(b"x");
    step!("send({}, \"x\")", c.name);
    result(sent);
}

pub(crate) fn try_recv(a: &Named<UnixStream>) {
    let received = a.read(&mut [0; 8]);
    step!("recv({}, 8)", a.name);
    result(received);
}

// 3. Ask about sockets.

/// A socket or a listener.
pub(crate) trait Local {
    fn local(&self) -> Result<UnixAddr, Error>;
}

impl<T: Kind> Local for Socket<T> {
    fn local(&self) -> Result<UnixAddr, Error> {
        self.local_addr()
    }
}

impl<T: Connected> Local for Listener<T> {
    fn local(&self) -> Result<UnixAddr, Error> {
        self.local_addr()
    }
}

fn address(addr: Result<UnixAddr, Error>) {
    result(addr.map(|addr| words::address(addr.as_sockaddr_un(), addr.len())));
}

pub(crate) fn ask_sockname(s: &Named<impl Local>) {
    step!("getsockname({})", s.name);
    address(s.local());
}

pub(crate) fn ask_peername(c: &Named<UnixStream>) {
    step!("getpeername({})", c.name);
    address(c.peer_addr());
}

pub(crate) fn ask_poll(s: &Named<impl AsRawFd>) {
    step!("poll({}) = {}", s.name, calls::poll(s.as_raw_fd()));
}

// 4. Set up the sockets of a case.

/// Makes a socket that is bound.
pub(crate) fn bound<T: Kind>(name: char, path: &str) -> Result<Named<Socket<T>>, Error> {
    let s = new_socket(name)?;
    try_bind(&s, path);
    Ok(s)
}

/// Makes a stream socket that is bound and listens.
pub(crate) fn listening(name: char, path: &str) -> Result<Named<UnixListener>, Error> {
    try_listen(bound::<Stream>(name, path)?)
}

/// Makes the file of a socket that is closed.
pub(crate) fn leave_stale<T: Kind>(path: &str) -> Result<(), Error> {
    try_close(bound::<T>('s', path)?);
    Ok(())
}
