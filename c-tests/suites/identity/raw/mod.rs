//! Runs the cases of the peer of a socket over `sunpath-sys`. Each file makes the same calls as the
//! file in `../c`, and prints the same lines.

mod cred;
mod options;
mod signals;
mod stream;

use std::mem::size_of;
use std::ptr;

use crate::cases;
use crate::process::{self, check, name_of};
use libc::c_int;
use sunpath_sys as sys;
use sys::{sockaddr_un, socklen_t, ucred};

// 1. Make sockets: a listener at a path, and a client.

/// The path of every listener of a case, in the current directory.
const PATH: &str = "s";

fn address() -> sockaddr_un {
    // SAFETY: a sockaddr_un consists of integers, which may be zero.
    let mut addr: sockaddr_un = unsafe { std::mem::zeroed() };
    addr.sun_family = sys::AF_UNIX as sys::sa_family_t;
    for (to, from) in addr.sun_path.iter_mut().zip(PATH.bytes()) {
        *to = from as _;
    }
    addr
}

fn new_socket(kind: c_int) -> c_int {
    // SAFETY: socket takes integers, no pointers.
    let fd = unsafe { sys::socket(sys::AF_UNIX, kind | sys::SOCK_CLOEXEC, 0) };
    check("socket", fd)
}

fn new_pair(kind: c_int) -> [c_int; 2] {
    let mut pair = [-1; 2];
    let kind = kind | sys::SOCK_CLOEXEC;
    // SAFETY: `pair` has space for two descriptors.
    let result = unsafe { sys::socketpair(sys::AF_UNIX, kind, 0, pair.as_mut_ptr()) };
    check("socketpair", result);
    pair
}

fn bound(kind: c_int) -> c_int {
    let addr = address();
    let fd = new_socket(kind);
    let size = size_of::<sockaddr_un>() as socklen_t;
    // SAFETY: the address is live, and `size` is its size.
    let result = unsafe { sys::bind(fd, ptr::from_ref(&addr).cast(), size) };
    check("bind", result);
    fd
}

fn start_listening(fd: c_int, backlog: c_int) {
    // SAFETY: listen takes integers, no pointers.
    check("listen", unsafe { sys::listen(fd, backlog) });
}

fn listening(kind: c_int, backlog: c_int) -> c_int {
    let fd = bound(kind);
    start_listening(fd, backlog);
    fd
}

fn try_connect(fd: c_int) -> c_int {
    let addr = address();
    let size = size_of::<sockaddr_un>() as socklen_t;
    // SAFETY: the address is live, and `size` is its size.
    unsafe { sys::connect(fd, ptr::from_ref(&addr).cast(), size) }
}

fn connected(kind: c_int) -> c_int {
    let fd = new_socket(kind);
    check("connect", try_connect(fd));
    fd
}

fn try_accept(listener: c_int) -> c_int {
    let (addr, len) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: both pointers for the address are null.
    unsafe { sys::accept4(listener, addr, len, sys::SOCK_CLOEXEC) }
}

fn accepted(listener: c_int) -> c_int {
    check("accept4", try_accept(listener))
}

fn close(fd: c_int) {
    // SAFETY: a case closes each of its descriptors once, and does not use it afterwards.
    check("close", unsafe { sys::close(fd) });
}

fn close_both(a: c_int, b: c_int) {
    close(a);
    close(b);
}

// 2. Ask about a socket: print the call and its answer, with the name that the socket has in the
//    case.

fn cred_of(fd: c_int) -> Option<ucred> {
    let mut cred = ucred {
        pid: 0,
        uid: 0,
        gid: 0,
    };
    let mut len = size_of::<ucred>() as socklen_t;
    let to = ptr::from_mut(&mut cred).cast();
    // SAFETY: `to` is a live ucred, and `len` is its size.
    let result = unsafe { sys::getsockopt(fd, sys::SOL_SOCKET, sys::SO_PEERCRED, to, &mut len) };
    (result == 0).then_some(cred)
}

fn ask_cred(name: &str, fd: c_int) {
    print!("getsockopt({name}, SO_PEERCRED) = ");
    match cred_of(fd) {
        Some(cred) => process::print_ids(cred.pid, cred.uid, cred.gid),
        None => print!("{}", name_of(sys::errno())),
    }
}

fn read_byte(fd: c_int) -> isize {
    let mut byte = [0u8];
    // SAFETY: pointer and length come from one live array.
    unsafe { sys::read(fd, byte.as_mut_ptr().cast(), byte.len()) }
}

fn ask_byte(name: &str, fd: c_int) {
    match read_byte(fd) {
        -1 => print!("read({name}) = {}; ", name_of(sys::errno())),
        count => print!("read({name}) = {count}; "),
    }
}

fn send(fd: c_int, bytes: &[u8], flags: c_int) -> isize {
    // SAFETY: pointer and length come from one live slice.
    unsafe { sys::send(fd, bytes.as_ptr().cast(), bytes.len(), flags) }
}

fn tell_byte(fd: c_int) {
    check("send", send(fd, b"x", sys::MSG_NOSIGNAL) as c_int);
}

// 3. Run the cases: each prints one line, or "not run: ..." if this system does not allow it.

/// The result of a case.
type Outcome = ();

include!(concat!(env!("OUT_DIR"), "/identity_cases.rs"));

pub(crate) fn main() -> Outcome {
    cases::run(CASES)
}
