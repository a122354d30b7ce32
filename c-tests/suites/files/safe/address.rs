//! Cases of addresses: how they are made, and what a reported length means.

use std::mem::{align_of, offset_of, size_of};

use sunpath::sys::{self, sa_family_t, sockaddr_un, socklen_t};
use sunpath::{Datagram, Error, SunPath, SunPathError, UnixAddr, UnixStream};
use sunpath_c_tests::notation::Bytes;

use crate::file::{ask_kind, try_create, try_open};
use crate::line::step;
use crate::socket::{bound, new_socket, outcome, result, try_connect};
use crate::words;

// 1. Print the sizes of the struct.

pub(crate) fn sizes() -> Result<(), Error> {
    let addr = UnixAddr::unnamed();
    let path = &addr.as_sockaddr_un().sun_path;
    step!("sizeof(struct sockaddr_un) = {}", size_of::<sockaddr_un>());
    step!(
        "alignof(struct sockaddr_un) = {}",
        align_of::<sockaddr_un>()
    );
    let offset = offset_of!(sockaddr_un, sun_path);
    step!("offsetof(struct sockaddr_un, sun_path) = {offset}");
    step!("sizeof(sun_path) = {}", size_of_val(path));
    step!("sizeof(sa_family_t) = {}", size_of::<sa_family_t>());
    step!("sizeof(socklen_t) = {}", size_of::<socklen_t>());
    Ok(())
}

// 2. Make addresses: print the length of the address, or the reason why none is made. No system
//    call is made, because the addresses are made at compile time.

type Made = Result<UnixAddr, SunPathError>;

const PATH: [u8; 4096] = [b'n'; 4096];

const fn of_length(size: usize) -> (usize, Made) {
    (size, UnixAddr::from_pathname_bytes(PATH.split_at(size).0))
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
    step!("address({}) = ", words::path(&PATH[..size]));
    match made {
        Ok(addr) => print!("{}", addr.len()),
        Err(SunPathError::Empty) => print!("refused, empty"),
        Err(SunPathError::TooLong { len, max }) => print!("refused, {len} bytes of at most {max}"),
        Err(error) => print!("refused, {error}"),
    }
}

pub(crate) fn lengths() -> Result<(), Error> {
    MADE.into_iter().for_each(tell);
    Ok(())
}

pub(crate) fn empty() -> Result<(), Error> {
    tell(MADE_OF_NOTHING);
    Ok(())
}

// 3. Pass wrong arguments.

pub(crate) fn null() -> Result<(), Error> {
    print!("no pointer to leave out");
    Ok(())
}

pub(crate) fn closed() -> Result<(), Error> {
    print!("-1 is not an OwnedFd");
    Ok(())
}

pub(crate) fn file() -> Result<(), Error> {
    try_create("file");
    let file = try_open("file", sys::O_RDWR, "O_RDWR").expect("it was made");
    let socket = UnixStream::try_from(file).map_err(|error| error.error());
    step!("UnixStream::try_from(file)");
    outcome(&socket);
    ask_kind("x");
    Ok(())
}

// 4. Receive from a sender without a name.

pub(crate) fn datagram() -> Result<(), Error> {
    let (s, c) = (bound::<Datagram>('s', "x")?, new_socket::<Datagram>('c')?);
    try_connect(&c, "x");
    let sent = c.send(b"x");
    step!("send(c, \"x\")");
    result(sent.map(|()| 1));
    let (received, from) = s.recv_from(&mut [0])?;
    let from = words::address(from.as_sockaddr_un(), from.len());
    step!("recvfrom(s) = {}, from {from}", received.len());
    Ok(())
}

// 5. Read one struct with each length that the kernel may report.

fn read_with_every_length(addr: sockaddr_un) {
    for len in [0, 1, 2, 3, 109, 110, 111, 112] {
        let read = UnixAddr::from_raw(addr, len);
        match read.as_ref().map(UnixAddr::name) {
            Ok(SunPath::Unnamed) => step!("read({len}) = unnamed"),
            Ok(SunPath::Pathname(path)) => step!("read({len}) = pathname {}", Bytes(path)),
            Ok(SunPath::Abstract(name)) => step!("read({len}) = abstract {}", Bytes(name)),
            Err(error) => step!("read({len}) = {}", error.errno().name().unwrap_or("E?")),
        }
    }
}

fn filled(byte: u8) -> sockaddr_un {
    let mut addr = *UnixAddr::unnamed().as_sockaddr_un();
    addr.sun_path.fill(byte as _);
    addr
}

pub(crate) fn pathname() -> Result<(), Error> {
    read_with_every_length(filled(b'f'));
    Ok(())
}

pub(crate) fn abstract_name() -> Result<(), Error> {
    let mut addr = filled(b'a');
    addr.sun_path[0] = 0;
    read_with_every_length(addr);
    Ok(())
}
