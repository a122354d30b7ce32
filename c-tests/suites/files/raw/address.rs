//! Cases of addresses: how they are made, and what a reported length means.

use std::mem::{align_of, offset_of, size_of};
use std::os::fd::AsRawFd as _;
use std::ptr;

use libc::c_int;
use sunpath_c_tests::notation::Bytes;
use sunpath_sys as sys;
use sys::{SOCK_DGRAM, SOCK_STREAM, SunPath, SunPathError, sa_family_t, sockaddr_un, socklen_t};

use crate::file::{ask_kind, try_create, try_open};
use crate::line::{self, step};
use crate::socket::{
    ask_sockname, bound, close, make_bind, new_socket, outcome, returned, try_connect, try_send,
};
use crate::words;

// 1. Print the sizes of the struct.

pub(crate) fn sizes() {
    let (addr, _) = sys::sockaddr_un_unnamed();
    step!("sizeof(struct sockaddr_un) = {}", size_of::<sockaddr_un>());
    step!(
        "alignof(struct sockaddr_un) = {}",
        align_of::<sockaddr_un>()
    );
    let offset = offset_of!(sockaddr_un, sun_path);
    step!("offsetof(struct sockaddr_un, sun_path) = {offset}");
    step!("sizeof(sun_path) = {}", size_of_val(&addr.sun_path));
    step!("sizeof(sa_family_t) = {}", size_of::<sa_family_t>());
    step!("sizeof(socklen_t) = {}", size_of::<socklen_t>());
}

// 2. Make addresses: print the length of the address, or the reason why none is made. No system
//    call is made, because the addresses are made at compile time.

type Made = Result<(sockaddr_un, socklen_t), SunPathError>;

const PATH: [u8; 4096] = [b'n'; 4096];

const fn of_length(size: usize) -> (usize, Made) {
    (size, sys::sockaddr_un_pathname(PATH.split_at(size).0))
}

const MADE: [(usize, Made); 5] = [
    of_length(106),
    of_length(107),
    of_length(108),
    of_length(109),
    of_length(4096),
];

const MADE_OF_NOTHING: (usize, Made) = of_length(0);

fn tell((size, made): (usize, Made)) {
    step!("address({})", words::path(&PATH[..size]));
    line::result(made.map(|(_, len)| len).map_err(|error| error.errno()));
}

pub(crate) fn lengths() {
    MADE.into_iter().for_each(tell);
}

pub(crate) fn empty() {
    tell(MADE_OF_NOTHING);
}

// 3. Pass wrong arguments.

pub(crate) fn null() {
    let s = new_socket('s', SOCK_STREAM);
    // SAFETY: the pointer is null, and the kernel refuses an address that it cannot read.
    let bound = returned(unsafe { sys::bind(s.fd, ptr::null(), 10) });
    step!("bind(s, NULL, 10)");
    outcome(bound);
    ask_sockname(s);
    close(&[s]);
}

fn bind_fd(name: &str, fd: c_int) {
    let bound = make_bind(fd, b"x");
    step!("bind({name}, \"x\")");
    outcome(bound);
    ask_kind("x");
}

pub(crate) fn closed() {
    bind_fd("-1", -1);
}

pub(crate) fn file() {
    try_create("file");
    let file = try_open("file", sys::O_RDWR, "O_RDWR");
    let file = file.expect("it was made");
    bind_fd("file", file.as_raw_fd());
}

// 4. Receive from a sender without a name: the length is 0, and no address is written.

pub(crate) fn datagram() {
    let (s, c) = (bound('s', SOCK_DGRAM, "x"), new_socket('c', SOCK_DGRAM));
    try_connect(c, "x");
    try_send(c);
    let [_, mut addr] = filled(0);
    let (before, mut len) = (addr, size_of::<sockaddr_un>() as socklen_t);
    let (mut byte, from) = ([0u8], ptr::from_mut(&mut addr).cast());
    // SAFETY: `byte` has space for one byte, from a live address, and `len` is its size.
    let count = unsafe { sys::recvfrom(s.fd, byte.as_mut_ptr().cast(), 1, 0, from, &mut len) };
    let received = returned(count as c_int);
    let same = (addr.sun_family, addr.sun_path) == (before.sun_family, before.sun_path);
    step!("recvfrom(s)");
    line::result(received);
    print!(
        ", from {len}, {}",
        if same { "untouched" } else { "written" }
    );
    close(&[s, c]);
}

// 5. Read one struct with each length that the kernel may report. The bytes after the struct are
//    "!".

fn read_with_every_length(addr: &sockaddr_un) {
    for len in [0, 1, 2, 3, 109, 110, 111, 112] {
        match sys::sun_path(addr, len) {
            SunPath::Unnamed => step!("read({len}) = unnamed"),
            SunPath::Pathname(path) => step!("read({len}) = pathname {}", Bytes(path)),
            SunPath::Abstract(name) => step!("read({len}) = abstract {}", Bytes(name)),
        }
    }
}

fn filled(byte: u8) -> [sockaddr_un; 2] {
    let (mut addr, _) = sys::sockaddr_un_unnamed();
    let mut behind = addr;
    addr.sun_path.fill(byte as _);
    behind.sun_family = sa_family_t::from_ne_bytes([b'!'; 2]);
    behind.sun_path.fill(b'!' as _);
    [addr, behind]
}

pub(crate) fn pathname() {
    let addr = filled(b'f');
    read_with_every_length(&addr[0]);
}

pub(crate) fn abstract_name() {
    let mut addr = filled(b'a');
    addr[0].sun_path[0] = 0;
    read_with_every_length(&addr[0]);
}
