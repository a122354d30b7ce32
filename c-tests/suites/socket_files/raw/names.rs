//! Cases of abstract names: which processes may connect, and how the kernel chooses a name for a
//! socket.

use std::ptr;

use sunpath_sys as sys;
use sys::{SOCK_DGRAM, SOCK_STREAM, SunPath, sockaddr_un, socklen_t};

use super::system::leave_network;
use super::{as_another, ask_connect};
use crate::line::{self, step};
use crate::process::{self, check};
use crate::socket::{
    Sock, bound, close, make_bind, new_socket, outcome, returned, try_connect, try_listen,
};

// 1. Bind to an abstract name.

fn name() -> (sockaddr_un, socklen_t) {
    sys::sockaddr_un_abstract(b"life").expect("the name fits")
}

fn make_bind_name(s: Sock) -> Result<libc::c_int, libc::c_int> {
    let (addr, len) = name();
    // SAFETY: the address is live and `len` is its length.
    returned(unsafe { sys::bind(s.fd, ptr::from_ref(&addr).cast(), len) })
}

fn bind_name(s: Sock) {
    let bound = make_bind_name(s);
    step!("bind({}, \"\\0life\")", s.name);
    outcome(bound);
}

fn connect_name() {
    let ((addr, len), c) = (name(), new_socket('c', SOCK_STREAM));
    // SAFETY: the address is live and `len` is its length.
    let connected = returned(unsafe { sys::connect(c.fd, ptr::from_ref(&addr).cast(), len) });
    step!("connect(c, \"\\0life\")");
    outcome(connected);
    close(&[c]);
}

// 2. Let the kernel choose a name.

fn is_given(name: &[u8]) -> bool {
    let digits = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    name.len() == 5 && name.iter().all(digits)
}

fn ask_given(s: Sock) {
    let (mut addr, _) = sys::sockaddr_un_unnamed();
    let mut len = size_of::<sockaddr_un>() as socklen_t;
    // SAFETY: the address is live and `len` is its length.
    check("getsockname", unsafe {
        sys::getsockname(s.fd, ptr::from_mut(&mut addr).cast(), &mut len)
    });
    let name = match sys::sun_path(&addr, len) {
        SunPath::Unnamed => "unnamed",
        SunPath::Abstract(name) if is_given(name) => "\"\\0\" + 5 hex digits",
        _ => "another name",
    };
    step!("getsockname({}) = {len}, {name}", s.name);
}

pub(crate) fn passcred() {
    let (d, s) = (bound('d', SOCK_DGRAM, "x"), new_socket('s', SOCK_DGRAM));
    let one: libc::c_int = 1;
    let (at, size) = (ptr::from_ref(&one).cast(), size_of_val(&one) as socklen_t);
    // SAFETY: `at` is a live int, and `size` is its size.
    let set = unsafe { sys::setsockopt(s.fd, sys::SOL_SOCKET, sys::SO_PASSCRED, at, size) };
    step!("setsockopt(s, SO_PASSCRED, 1)");
    line::result(returned(set).map(|_| "ok"));
    ask_given(s);
    try_connect(s, "x");
    ask_given(s);
    close(&[s, d]);
}

// 3. Connect as another user.

pub(crate) fn another_user() {
    let s = new_socket('s', SOCK_STREAM);
    // SAFETY: fchmod takes integers, no pointers.
    let changed = returned(unsafe { sys::fchmod(s.fd, 0) });
    step!("fchmod(s, 0000)");
    outcome(changed);
    bind_name(s);
    try_listen(s);
    as_another(connect_name);
    close(&[s]);
}

// 4. Connect from another network namespace.

fn from_another_network(run: fn()) {
    let child = process::fork();
    if child == 0 {
        if leave_network() {
            run();
        }
        process::end(0);
    }
    process::join(child);
}

fn listen(s: Sock) {
    // SAFETY: listen takes integers, no pointers.
    check("listen", unsafe { sys::listen(s.fd, 8) });
}

pub(crate) fn abstract_name() {
    let s = new_socket('s', SOCK_STREAM);
    make_bind_name(s).expect("the name is free");
    listen(s);
    from_another_network(connect_name);
    close(&[s]);
}

pub(crate) fn pathname() {
    let s = new_socket('s', SOCK_STREAM);
    make_bind(s.fd, b"x").expect("the directory is empty");
    listen(s);
    from_another_network(|| ask_connect('c', SOCK_STREAM, "x"));
    close(&[s]);
}
