//! The calls that a case makes on sockets, over `sunpath-sys`. Each call is a step of the line,
//! with its result. `socket.c` does the same in C.

use std::mem::size_of;
use std::ptr;

use libc::c_int;
use sunpath_sys as sys;
use sys::{SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM, sockaddr, sockaddr_un, socklen_t};

use crate::calls;
use crate::line::{self, step};
use crate::process::check;
use crate::words;

/// A socket, and the letter by which the line names it.
#[derive(Clone, Copy)]
pub(crate) struct Sock {
    pub(crate) name: char,
    pub(crate) fd: c_int,
}

// 1. Make and close sockets.

/// Makes a socket that is nonblocking and close-on-exec, and prints no step.
pub(crate) fn make_socket(kind: c_int) -> Result<c_int, c_int> {
    // SAFETY: socket takes integers, no pointers.
    returned(unsafe { sys::socket(sys::AF_UNIX, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) })
}

pub(crate) fn new_socket(name: char, kind: c_int) -> Sock {
    let fd = make_socket(kind).expect("a socket can be made");
    Sock { name, fd }
}

pub(crate) fn new_pair() -> [Sock; 2] {
    let mut fds = [-1; 2];
    let kind = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
    // SAFETY: fds has space for two descriptors.
    let made = unsafe { sys::socketpair(sys::AF_UNIX, kind, 0, fds.as_mut_ptr()) };
    check("socketpair", made);
    let [p, q] = fds;
    [Sock { name: 'p', fd: p }, Sock { name: 'q', fd: q }]
}

/// Closes each socket, and prints no step.
pub(crate) fn close(sockets: &[Sock]) {
    for s in sockets.iter().filter(|s| s.fd >= 0) {
        // SAFETY: a case closes each of its descriptors once, and does not use it afterwards.
        check("close", unsafe { sys::close(s.fd) });
    }
}

pub(crate) fn returned(result: c_int) -> Result<c_int, c_int> {
    if result < 0 {
        Err(sys::errno())
    } else {
        Ok(result)
    }
}

/// Prints the result of a step: "ok", or an errno.
pub(crate) fn outcome(result: Result<c_int, c_int>) {
    line::result(result.map(|_| "ok"));
}

/// Calls bind(2), and prints no step.
pub(crate) fn make_bind(fd: c_int, path: &[u8]) -> Result<c_int, c_int> {
    let (addr, len) = sys::sockaddr_un_pathname(path).map_err(|error| error.errno())?;
    // SAFETY: the address is live and `len` is its length.
    returned(unsafe { sys::bind(fd, ptr::from_ref(&addr).cast(), len) })
}

pub(crate) fn make_connect(fd: c_int, path: &[u8]) -> Result<c_int, c_int> {
    let (addr, len) = sys::sockaddr_un_pathname(path).map_err(|error| error.errno())?;
    // SAFETY: the address is live and `len` is its length.
    returned(unsafe { sys::connect(fd, ptr::from_ref(&addr).cast(), len) })
}

// 2. Make calls, and print them.

pub(crate) fn try_bind(s: Sock, path: &str) {
    let bound = make_bind(s.fd, path.as_bytes());
    step!("bind({}, {})", s.name, words::path(path));
    outcome(bound);
}

/// Binds to an address as strncpy(3) makes it, which is a trap: a path that is too long is
/// truncated, and no NUL follows it.
pub(crate) fn try_bind_cut(s: Sock, path: &str) {
    let (mut addr, _) = sys::sockaddr_un_unnamed();
    for (to, from) in addr.sun_path.iter_mut().zip(path.bytes()) {
        *to = from as _;
    }
    let len = size_of::<sockaddr_un>() as socklen_t;
    // SAFETY: the address is live and `len` is its size.
    let bound = returned(unsafe { sys::bind(s.fd, ptr::from_ref(&addr).cast(), len) });
    let name = addr.sun_path.map(|byte| byte as u8);
    step!("strncpy(sun_path, {}, {})", words::path(path), name.len());
    step!("bind({}, {}, {len})", s.name, words::path(name));
    outcome(bound);
}

pub(crate) fn try_connect(c: Sock, path: &str) {
    let connected = make_connect(c.fd, path.as_bytes());
    step!("connect({}, {})", c.name, words::path(path));
    outcome(connected);
}

pub(crate) fn try_listen(s: Sock) {
    // SAFETY: listen takes integers, no pointers.
    let listens = returned(unsafe { sys::listen(s.fd, 8) });
    step!("listen({})", s.name);
    outcome(listens);
}

pub(crate) fn try_accept(s: Sock, name: char) -> Sock {
    let (addr, len) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: both pointers for the address are null.
    let fd = unsafe { sys::accept4(s.fd, addr, len, SOCK_CLOEXEC | SOCK_NONBLOCK) };
    let accepted = returned(fd);
    step!("accept({})", s.name);
    outcome(accepted);
    Sock { name, fd }
}

pub(crate) fn try_close(s: Sock) {
    close(&[s]);
    step!("close({})", s.name);
}

pub(crate) fn try_send(c: Sock) {
    // SAFETY: pointer and length are those of one live array.
    let count = unsafe { sys::send(c.fd, b"x".as_ptr().cast(), 1, sys::MSG_NOSIGNAL) };
    let sent = returned(count as c_int);
    step!("send({}, \"x\")", c.name);
    line::result(sent);
}

pub(crate) fn try_recv(a: Sock) {
    let mut bytes = [0u8; 8];
    // SAFETY: pointer and length are those of one live array.
    let count = unsafe { sys::recv(a.fd, bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    let received = returned(count as c_int);
    step!("recv({}, 8)", a.name);
    line::result(received);
}

// 3. Ask about sockets.

type Ask = unsafe extern "C" fn(c_int, *mut sockaddr, *mut socklen_t) -> c_int;

fn ask_address(call: &str, s: Sock, ask: Ask) {
    let (mut addr, _) = sys::sockaddr_un_unnamed();
    let mut len = size_of::<sockaddr_un>() as socklen_t;
    // SAFETY: the address is live and `len` is its size; `ask` is getsockname or getpeername.
    let asked = returned(unsafe { ask(s.fd, ptr::from_mut(&mut addr).cast(), &mut len) });
    step!("{call}({})", s.name);
    line::result(asked.map(|_| words::address(&addr, len)));
}

pub(crate) fn ask_sockname(s: Sock) {
    ask_address("getsockname", s, sys::getsockname);
}

pub(crate) fn ask_peername(c: Sock) {
    ask_address("getpeername", c, sys::getpeername);
}

pub(crate) fn ask_poll(s: Sock) {
    step!("poll({}) = {}", s.name, calls::poll(s.fd));
}

// 4. Set up the sockets of a case.

/// Makes a socket that is bound.
pub(crate) fn bound(name: char, kind: c_int, path: &str) -> Sock {
    let s = new_socket(name, kind);
    try_bind(s, path);
    s
}

/// Makes a stream socket that is bound and listens.
pub(crate) fn listening(name: char, path: &str) -> Sock {
    let s = bound(name, SOCK_STREAM, path);
    try_listen(s);
    s
}

/// Makes the file of a socket that is closed.
pub(crate) fn leave_stale(kind: c_int, path: &str) {
    try_close(bound('s', kind, path));
}
