//! Runs the cases of `cases.txt` over `sunpath-sys`. This program makes the same calls as
//! `../c/sockets.c`, and prints the same lines. The program reads the table from standard input,
//! and works in the current directory. The calls that send and receive are in `data.rs`.

mod data;
#[path = "../rust/step.rs"]
mod step;

use std::ffi::c_int;
use std::io;
use std::mem::size_of;

use sunpath_c_tests::notation::Bytes;
use sunpath_sys as sys;
use sys::{sockaddr, sockaddr_un, socklen_t};

use crate::calls::{self, failure, ok};
use step::{Lane, Step};

const BIRTH: c_int = sys::SOCK_CLOEXEC | sys::SOCK_NONBLOCK;

// 1. Print the answer of a call.

fn count(result: isize) -> String {
    if result < 0 {
        failure()
    } else {
        result.to_string()
    }
}

// 2. Make sockets: one for each letter.

struct Raw {
    sockets: [c_int; 26],
}

impl Default for Raw {
    fn default() -> Self {
        Self { sockets: [-1; 26] }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        for fd in self.sockets.into_iter().filter(|fd| *fd >= 0) {
            // SAFETY: the slot owned `fd`, and nothing uses it after the end of the lane.
            unsafe { sys::close(fd) };
        }
    }
}

fn type_of(name: &str) -> c_int {
    match name {
        "stream" => sys::SOCK_STREAM,
        "dgram" => sys::SOCK_DGRAM,
        "seqpacket" => sys::SOCK_SEQPACKET,
        "rdm" => libc::SOCK_RDM,
        "raw" => libc::SOCK_RAW,
        number => number.parse().expect("a type has a name or a number"),
    }
}

fn type_at(step: &Step, at: usize) -> c_int {
    type_of(step.word(at).expect("the call has a type")) | BIRTH
}

impl Raw {
    fn born(&mut self, slot: usize, fd: c_int) -> String {
        self.sockets[slot] = fd;
        ok(fd)
    }

    fn socket(&mut self, step: &Step) -> String {
        let protocol = step.number(2).unwrap_or(0);
        // SAFETY: socket takes integers, no pointers.
        let fd = unsafe { sys::socket(sys::AF_UNIX, type_at(step, 1), protocol) };
        self.born(step.slot(0), fd)
    }

    fn pair(&mut self, step: &Step) -> String {
        let mut pair = [-1; 2];
        // SAFETY: `pair` has space for two descriptors.
        let result =
            unsafe { sys::socketpair(sys::AF_UNIX, type_at(step, 0), 0, pair.as_mut_ptr()) };
        self.sockets[step.slot(1)] = pair[0];
        self.sockets[step.slot(2)] = pair[1];
        ok(result)
    }

    fn accept(&mut self, fd: c_int, step: &Step) -> String {
        let (addr, len) = (std::ptr::null_mut(), std::ptr::null_mut());
        let flags = step.number(2).unwrap_or(BIRTH);
        // SAFETY: both pointers for the address are null.
        let accepted = unsafe { sys::accept4(fd, addr, len, flags) };
        self.born(step.slot(1), accepted)
    }

    fn close(&mut self, fd: c_int, step: &Step) -> String {
        self.sockets[step.slot(0)] = -1;
        // SAFETY: the slot owned `fd`, and no longer has it.
        ok(unsafe { sys::close(fd) })
    }
}

// 3. Make addresses of exactly the bytes, without a NUL after a pathname, because the kernel adds
//    the NUL.

const OFFSET: usize = sys::SUN_PATH_OFFSET;

fn unspec() -> sockaddr_un {
    sockaddr_un {
        sun_family: sys::AF_UNSPEC as _,
        sun_path: [0; sys::SUN_PATH_CAPACITY],
    }
}

/// Returns the address of exactly these bytes, or `AF_UNSPEC` alone if the argument is not bytes.
fn address_at(step: &Step, at: usize) -> (sockaddr_un, socklen_t) {
    let mut addr = unspec();
    let Some(bytes) = step.bytes(at) else {
        return (addr, OFFSET as socklen_t);
    };
    addr.sun_family = sys::AF_UNIX as _;
    assert!(bytes.len() <= addr.sun_path.len(), "the path fits");
    for (to, from) in addr.sun_path.iter_mut().zip(bytes) {
        *to = *from as _;
    }
    (addr, (OFFSET + bytes.len()) as socklen_t)
}

/// Returns a buffer for an address, and its size.
fn address_buffer() -> (sockaddr_un, socklen_t) {
    (unspec(), size_of::<sockaddr_un>() as socklen_t)
}

/// Returns the name in an address that the kernel wrote, and "autobound" for a name that the kernel
/// chose.
fn name(addr: &sockaddr_un, len: socklen_t) -> String {
    if len as usize <= OFFSET {
        return "unnamed".to_owned();
    }
    if addr.sun_path[0] == 0 {
        return "autobound".to_owned();
    }
    let path = addr.sun_path.iter().take_while(|byte| **byte != 0);
    Bytes(&path.map(|byte| *byte as u8).collect::<Vec<_>>()).to_string()
}

fn as_any(addr: &sockaddr_un) -> *const sockaddr {
    std::ptr::from_ref(addr).cast()
}

fn bind(fd: c_int, step: &Step) -> String {
    let (addr, len) = address_at(step, 1);
    // SAFETY: `addr` is live and has at least `len` bytes.
    ok(unsafe { sys::bind(fd, as_any(&addr), len) })
}

fn connect(fd: c_int, step: &Step) -> String {
    let (addr, len) = address_at(step, 1);
    // SAFETY: `addr` is live and has at least `len` bytes.
    ok(unsafe { sys::connect(fd, as_any(&addr), len) })
}

fn getpeername(fd: c_int) -> String {
    let (mut addr, mut len) = address_buffer();
    // SAFETY: `addr` has space for `len` bytes.
    let result = unsafe { sys::getpeername(fd, (&raw mut addr).cast(), &mut len) };
    if result < 0 {
        failure()
    } else {
        name(&addr, len)
    }
}

// 4. Use connections: accept, and shut down.

fn listen(fd: c_int, step: &Step) -> String {
    let backlog = step.number(1).expect("listen has a backlog");
    // SAFETY: listen takes integers, no pointers.
    ok(unsafe { sys::listen(fd, backlog) })
}

fn fill_backlog(step: &Step) -> String {
    let (addr, len) = address_at(step, 1);
    let mut clients = Vec::new();
    let refused = loop {
        // SAFETY: socket takes integers, no pointers.
        let fd = unsafe { sys::socket(sys::AF_UNIX, type_at(step, 0), 0) };
        assert!(fd >= 0, "socket: {}", failure());
        clients.push(fd);
        // SAFETY: `addr` is live and has at least `len` bytes.
        if unsafe { sys::connect(fd, as_any(&addr), len) } < 0 {
            break failure();
        }
    };
    for fd in &clients {
        // SAFETY: `fd` was made above and is not used afterwards.
        unsafe { sys::close(*fd) };
    }
    format!("{}, then {refused}", clients.len() - 1)
}

fn shutdown(fd: c_int, step: &Step) -> String {
    let how = match step.word(1) {
        Some("RD") => sys::SHUT_RD,
        Some("WR") => sys::SHUT_WR,
        _ => sys::SHUT_RDWR,
    };
    // SAFETY: shutdown takes integers, no pointers.
    ok(unsafe { sys::shutdown(fd, how) })
}

// 5. Set options and flags.

/// Returns the level and the constant of an option.
fn option_at(step: &Step) -> (c_int, c_int) {
    let option = match step.word(1).expect("the call has an option") {
        "SO_ACCEPTCONN" => sys::SO_ACCEPTCONN,
        "SO_DOMAIN" => sys::SO_DOMAIN,
        "SO_ERROR" => sys::SO_ERROR,
        "SO_PASSCRED" => sys::SO_PASSCRED,
        "SO_PEEK_OFF" => sys::SO_PEEK_OFF,
        "SO_PROTOCOL" => sys::SO_PROTOCOL,
        "SO_RCVBUF" => sys::SO_RCVBUF,
        "SO_REUSEPORT" => libc::SO_REUSEPORT,
        "SO_SNDBUF" => sys::SO_SNDBUF,
        "SO_TYPE" => sys::SO_TYPE,
        "TCP_NODELAY" => return (libc::IPPROTO_TCP, libc::TCP_NODELAY),
        unknown => panic!("{unknown}: not an option of the table"),
    };
    (sys::SOL_SOCKET, option)
}

const SIZE_OF_INT: socklen_t = size_of::<c_int>() as socklen_t;

fn getsockopt(fd: c_int, step: &Step) -> String {
    let (level, option) = option_at(step);
    let (mut value, mut len): (c_int, _) = (0, SIZE_OF_INT);
    // SAFETY: `value` has space for `len` bytes.
    let result = unsafe { sys::getsockopt(fd, level, option, (&raw mut value).cast(), &mut len) };
    match (step.word(1), value) {
        _ if result < 0 => failure(),
        (Some("SO_TYPE"), sys::SOCK_STREAM) => "SOCK_STREAM".to_owned(),
        (Some("SO_TYPE"), sys::SOCK_DGRAM) => "SOCK_DGRAM".to_owned(),
        (Some("SO_TYPE"), sys::SOCK_SEQPACKET) => "SOCK_SEQPACKET".to_owned(),
        (Some("SO_DOMAIN"), sys::AF_UNIX) => "AF_UNIX".to_owned(),
        (Some("SO_ERROR"), 1..) => sys::errno_name(value).unwrap_or("E?").to_owned(),
        _ => value.to_string(),
    }
}

fn setsockopt(fd: c_int, step: &Step) -> String {
    let (level, option) = option_at(step);
    let value = step.number(2).expect("the option has a value");
    let len = step.number(3).map_or(SIZE_OF_INT, |len| len as socklen_t);
    assert!(len <= SIZE_OF_INT, "the value is an int");
    // SAFETY: `value` has at least `len` bytes.
    ok(unsafe { sys::setsockopt(fd, level, option, (&raw const value).cast(), len) })
}

fn timeout(fd: c_int, step: &Step) -> String {
    let option = match step.word(1) {
        Some("SO_SNDTIMEO") => sys::SO_SNDTIMEO,
        _ => sys::SO_RCVTIMEO,
    };
    let millis = step.number(2).expect("a timeout has milliseconds");
    let value = sys::timeval {
        tv_sec: 0,
        tv_usec: (millis * 1000).into(),
    };
    let (level, len) = (sys::SOL_SOCKET, size_of::<sys::timeval>() as socklen_t);
    // SAFETY: `value` has `len` bytes.
    ok(unsafe { sys::setsockopt(fd, level, option, (&raw const value).cast(), len) })
}

fn flags_of(fd: c_int) -> c_int {
    // SAFETY: F_GETFL takes nothing.
    unsafe { sys::fcntl(fd, sys::F_GETFL) }
}

fn nonblock(fd: c_int, step: &Step) -> String {
    let flags = match step.number(1) {
        Some(0) => flags_of(fd) & !sys::O_NONBLOCK,
        _ => flags_of(fd) | sys::O_NONBLOCK,
    };
    // SAFETY: F_SETFL takes an int.
    ok(unsafe { sys::fcntl(fd, sys::F_SETFL, flags) })
}

fn nonblocking(fd: c_int) -> String {
    match flags_of(fd) {
        ..0 => failure(),
        flags => c_int::from(flags & sys::O_NONBLOCK != 0).to_string(),
    }
}

fn fionread(fd: c_int) -> String {
    let mut value: c_int = 0;
    // SAFETY: FIONREAD takes a pointer to an int.
    match unsafe { sys::ioctl(fd, sys::FIONREAD, &raw mut value) } {
        ..0 => failure(),
        _ => value.to_string(),
    }
}

fn siocatmark(fd: c_int) -> String {
    let mut value: c_int = 0;
    // SAFETY: SIOCATMARK takes a pointer to an int.
    match unsafe { sys::ioctl(fd, sys::SIOCATMARK, &raw mut value) } {
        ..0 => failure(),
        _ => value.to_string(),
    }
}

fn siocoutq(fd: c_int) -> String {
    let mut value: c_int = 0;
    // SAFETY: SIOCOUTQ takes a pointer to an int.
    match unsafe { sys::ioctl(fd, sys::SIOCOUTQ, &raw mut value) } {
        ..0 => failure(),
        _ if value > 0 => "some".to_owned(),
        _ => value.to_string(),
    }
}

// 6. Find a call by its name.

impl Lane for Raw {
    fn answer(&mut self, step: &Step) -> String {
        match &*step.call {
            "fill_backlog" => return fill_backlog(step),
            "fds" => return calls::fds(step.word(0).expect("none or free")),
            "pair" => return self.pair(step),
            "socket" => return self.socket(step),
            _ => {}
        }
        let fd = self.sockets[step.slot(0)];
        match &*step.call {
            "accept" => self.accept(fd, step),
            "bind" => bind(fd, step),
            "cloexec" => calls::cloexec(fd),
            "close" => self.close(fd, step),
            "connect" => connect(fd, step),
            // SAFETY: dup takes an integer, no pointer.
            "dup" => self.born(step.slot(1), unsafe { sys::dup(fd) }),
            "fionread" => fionread(fd),
            "getpeername" => getpeername(fd),
            "getsockopt" => getsockopt(fd, step),
            "listen" => listen(fd, step),
            "nonblock" => nonblock(fd, step),
            "nonblocking" => nonblocking(fd),
            "poll" => calls::poll(fd),
            "setsockopt" => setsockopt(fd, step),
            "shutdown" => shutdown(fd, step),
            "siocatmark" => siocatmark(fd),
            "siocoutq" => siocoutq(fd),
            "timeout" => timeout(fd, step),
            _ => data::answer(fd, step),
        }
    }
}

pub(crate) fn main() -> io::Result<()> {
    step::run::<Raw>()
}
