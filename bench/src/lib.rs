//! The workloads, written once for all libraries in Rust. `c/bench.c` has the same loops under the
//! same keys.
//!
//! A library is one file in `libraries/`: it implements the traits below for its own types, as far as
//! it can do the work, and its `main` names them:
//!
//! ```ignore
//! fn main() {
//!     Bench::from_args().address::<Peer>().stream::<Peer>().finish()
//! }
//! ```
//!
//! `PROGRAM list` prints its keys. `PROGRAM run KEY N` does one workload N times and prints the
//! nanoseconds that it took. The difference of two runs with different N is the cost of the workload
//! alone, because the rest of the process costs the same in both.

#![allow(missing_docs)]

mod opaque;

use std::ffi::{CString, OsStr};
use std::os::fd::{BorrowedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Instant;

pub use libc;

pub use opaque::{escape, escape_number, opaque, opaque_number, opaque_slice};

/// The sizes of batches, in messages.
pub const BATCHES: [usize; 3] = [8, 32, 128];
/// The offsets in a page at which a receive buffer is measured. An allocation of 128 KiB or more by
/// glibc begins at 16.
pub const STARTS: [usize; 8] = [0, 1, 16, 31, 32, 64, 2048, 4080];
/// The size of a datagram in batches and by address, in bytes.
pub const DATAGRAM: usize = 64;
/// The size of the buffer that a round trip receives into, in bytes.
pub const BUFFER: usize = 4096;
/// The size of a request that a server echoes, in bytes.
pub const REQUEST: usize = 64;
/// The size of a bulk transfer, in bytes.
pub const BULK: usize = 65536;
/// The most descriptors in a message.
pub const MOST_FDS: usize = 253;

/// Converts a path or a name to the library's address type, as its calls take it. `ready` borrows the
/// address, so that a library which builds it in place need not move it.
pub trait Address {
    type Addr;
    fn path(path: &[u8], ready: impl FnOnce(&Self::Addr));
    fn abstract_name(name: &[u8], ready: impl FnOnce(&Self::Addr));
}

/// Reads an address that the kernel wrote.
pub trait Parse {
    fn parse(addr: &libc::sockaddr_un, len: libc::socklen_t) -> Seen;
}

/// The workloads of stream sockets.
pub trait Stream {
    type Listener;
    type Socket;
    fn listen(path: &[u8]) -> Self::Listener;
    fn connect(path: &[u8]) -> Self::Socket;
    fn accept(listener: &Self::Listener) -> Self::Socket;
    fn pair() -> (Self::Socket, Self::Socket);
    fn send(socket: &Self::Socket, bytes: &[u8]) -> usize;
    fn recv(socket: &Self::Socket, buf: &mut [u8]) -> usize;

    /// Sends all bytes. The default is the loop that a user has to write. A library that has a call
    /// for this overrides it.
    #[inline(always)]
    fn send_all(socket: &Self::Socket, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = &bytes[Self::send(socket, bytes)..];
        }
    }

    #[inline(always)]
    fn recv_all(socket: &Self::Socket, mut buf: &mut [u8]) {
        while !buf.is_empty() {
            let received = Self::recv(socket, buf);
            buf = &mut buf[received..];
        }
    }
}

/// The workloads of connected sockets for messages: datagrams or sequenced packets.
pub trait Messages {
    type Socket;
    fn pair() -> (Self::Socket, Self::Socket);
    fn send(socket: &Self::Socket, bytes: &[u8]) -> usize;
    fn recv(socket: &Self::Socket, buf: &mut [u8]) -> usize;
}

/// The workload of datagrams that are sent to an address. Each send makes the address from its path, and
/// each receive reads the address of the sender.
pub trait ByAddress {
    type Socket;
    fn bind(path: &[u8]) -> Self::Socket;
    fn send_to(socket: &Self::Socket, bytes: &[u8], to: &[u8]) -> usize;
    fn recv_from(socket: &Self::Socket, buf: &mut [u8]) -> (usize, Seen);
}

/// Sends and receives several datagrams, with one call if the library has a call for several
/// datagrams. Each side reuses its storage in every call, and the data is new in each call.
pub trait Batch {
    type Socket;
    type Tx;
    type Rx;
    fn pair() -> (Self::Socket, Self::Socket);
    fn tx(count: usize) -> Self::Tx;
    fn rx(count: usize) -> Self::Rx;
    /// Sends, and returns how many were sent.
    fn send(socket: &Self::Socket, tx: &mut Self::Tx, data: &[[u8; DATAGRAM]]) -> usize;
    /// Waits for one datagram, receives all that are there, and returns how many there were.
    fn recv(socket: &Self::Socket, rx: &mut Self::Rx) -> usize;
}

/// Passes descriptors. The receiver takes ownership of all of them, and then closes them.
pub trait Descriptors {
    const MOST: usize = MOST_FDS;
    type Socket;
    fn pair() -> (Self::Socket, Self::Socket);
    fn send(socket: &Self::Socket, fds: &[RawFd]);
    fn recv_and_close(socket: &Self::Socket, most: usize) -> usize;
}

/// The kind of the address that a library read, and the length of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub kind: Kind,
    pub len: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum Kind {
    Unnamed,
    Pathname,
    Abstract,
}

/// Returns what was read, and keeps the optimizer from removing the work.
#[inline(always)]
pub fn seen(kind: Kind, name: &[u8]) -> Seen {
    escape(name.as_ptr());
    escape_number(name.len());
    Seen {
        kind,
        len: name.len(),
    }
}

/// A program's `main`: runs the workload that the command line names.
pub struct Bench {
    wanted: Option<(String, u64)>,
    found: bool,
}

impl Bench {
    pub fn from_args() -> Self {
        let args: Vec<String> = std::env::args().collect();
        let wanted = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [_, "list"] => None,
            [_, "run", key, count] => Some((key.to_owned(), count.parse().expect("a number"))),
            _ => panic!("usage: PEER list | run KEY N"),
        };
        Self {
            wanted,
            found: false,
        }
    }

    /// Returns how often to run the workload with this key, or `None` if the command line names
    /// another key. For `list`, prints the key.
    fn count(&mut self, key: &str) -> Option<u64> {
        match &self.wanted {
            None => println!("{key}"),
            Some((wanted, count)) if wanted == key => {
                self.found = true;
                return Some(*count);
            }
            Some(_) => {}
        }
        None
    }

    pub fn finish(self) {
        if let (Some((key, _)), false) = (self.wanted, self.found) {
            panic!("no workload {key} here");
        }
    }

    /// Runs `work` if the command line names this key.
    pub fn work(mut self, key: &str, work: impl FnOnce(u64)) -> Self {
        if let Some(count) = self.count(key) {
            work(count);
        }
        self
    }

    pub fn address<P: Address>(self) -> Self {
        let path = |mut bench: Self, len: usize| {
            if let Some(count) = bench.count(&format!("address.path{len}")) {
                let path = name(len);
                repeat(count, || P::path(opaque_slice(&path), |addr| escape(addr)));
            }
            bench
        };
        path(path(self, 20), 107).work("address.abstract20", |count| {
            let name = name(20);
            repeat(count, || {
                P::abstract_name(opaque_slice(&name), |addr| escape(addr));
            });
        })
    }

    pub fn parse<P: Parse>(mut self) -> Self {
        for (key, kind, len) in [
            ("path20", Kind::Pathname, 20),
            ("path107", Kind::Pathname, 107),
            ("abstract20", Kind::Abstract, 20),
            ("unnamed", Kind::Unnamed, 0),
        ] {
            if let Some(count) = self.count(&format!("parse.{key}")) {
                let (addr, addr_len) = filled(kind, len);
                // The length, and unnamed addresses, are tested elsewhere, because not every
                // library reads an unnamed address correctly.
                assert!(len == 0 || P::parse(&addr, addr_len).kind == kind);
                repeat(count, || {
                    let len = opaque_number(addr_len as usize) as libc::socklen_t;
                    let seen = P::parse(opaque(&addr), len);
                    escape_number(seen.kind as usize);
                    escape_number(seen.len);
                });
            }
        }
        self
    }

    pub fn stream<P: Stream>(self) -> Self {
        self.work("connect", |count| {
            let path = socket_path("connect");
            let listener = P::listen(&path);
            repeat(count, || {
                let client = P::connect(opaque_slice(&path));
                let server = P::accept(&listener);
                drop(server);
                drop(client);
            });
            unlink(&path);
        })
        .work("roundtrip.stream", |count| {
            let (a, b) = P::pair();
            round_trip(count, &a, &b, P::send, P::recv);
        })
        .work("echo", |count| {
            let (client, server) = P::pair();
            let (tx, mut rx, mut buf) = ([7; REQUEST], [0; REQUEST], [0; BUFFER]);
            repeat(count, || {
                P::send_all(&client, opaque_slice(&tx));
                assert!(echo::<P>(&server, &mut buf));
                P::recv_all(&client, &mut rx);
                escape(&rx);
            });
        })
        .work("bulk", |count| {
            let (a, b) = P::pair();
            let (tx, rx) = (pages(BULK), pages(BULK));
            repeat(count, || {
                P::send_all(&a, opaque_slice(tx));
                P::recv_all(&b, rx);
                escape(rx);
            });
        })
    }

    pub fn messages<P: Messages>(self, kind: &str) -> Self {
        self.work(&format!("roundtrip.{kind}"), |count| {
            let (a, b) = P::pair();
            round_trip(count, &a, &b, P::send, P::recv);
        })
    }

    /// Sends one datagram with each call. The batches are compared with this.
    pub fn one_way<P: Messages>(self) -> Self {
        self.work("oneway.datagram", |count| {
            let (a, b) = P::pair();
            let (tx, mut rx) = ([7; DATAGRAM], [0; DATAGRAM]);
            repeat(count, || {
                assert!(P::send(&a, &tx) == DATAGRAM);
                assert!(P::recv(&b, &mut rx) == DATAGRAM);
            });
        })
    }

    pub fn by_address<P: ByAddress>(self) -> Self {
        self.work("sendto", |count| {
            let paths = (socket_path("from"), socket_path("to"));
            let (a, b) = (P::bind(&paths.0), P::bind(&paths.1));
            let (tx, mut rx) = ([7; DATAGRAM], [0; DATAGRAM]);
            repeat(count, || {
                let sent = P::send_to(&a, opaque_slice(&tx), opaque_slice(&paths.1));
                assert!(sent == DATAGRAM);
                let (received, from) = P::recv_from(&b, &mut rx);
                assert!(received == DATAGRAM && from.kind == Kind::Pathname);
            });
            unlink(&paths.0);
            unlink(&paths.1);
        })
    }

    /// Sends and receives batches, until `count` messages were sent.
    pub fn batch<P: Batch>(mut self) -> Self {
        for size in BATCHES {
            if let Some(count) = self.count(&format!("batch.{size}")) {
                let (a, b) = P::pair();
                let (mut tx, mut rx) = (P::tx(size), P::rx(size));
                let data = vec![[7; DATAGRAM]; size];
                timed(|| {
                    let mut done = 0;
                    while done < count {
                        let sent = P::send(&a, &mut tx, opaque_slice(&data));
                        let mut received = 0;
                        while received < sent {
                            received += P::recv(&b, &mut rx);
                        }
                        done += sent as u64;
                    }
                });
            }
        }
        self
    }

    pub fn descriptors<P: Descriptors>(mut self) -> Self {
        for number in [1, 4, MOST_FDS] {
            if number > P::MOST {
                continue;
            }
            if let Some(count) = self.count(&format!("fd.{number}")) {
                let fds = open_fds(number);
                let (a, b) = P::pair();
                repeat(count, || {
                    P::send(&a, opaque_slice(&fds));
                    assert!(P::recv_and_close(&b, number) == number);
                });
            }
        }
        self
    }
}

/// Does the work `count` times, and prints how many nanoseconds that took.
#[inline(always)]
pub fn repeat(count: u64, mut work: impl FnMut()) {
    timed(|| {
        for _ in 0..count {
            work();
        }
    });
}

/// Does the work once, and prints how many nanoseconds it took.
pub fn timed(work: impl FnOnce()) {
    let clock = Clock::start();
    work();
    clock.stop();
}

/// Measures time. Work that is a future uses it directly, because `timed` takes a function.
pub struct Clock(Instant);

impl Clock {
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn stop(self) {
        println!("{}", self.0.elapsed().as_nanos());
    }
}

/// Runs a future to its end, on a tokio runtime of one thread.
#[cfg(feature = "libraries")]
pub fn block_on(work: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_io().build().unwrap().block_on(work);
}

/// Receives what a client has sent, and sends it back. Returns `false` if the client has closed. A
/// program has such a function for each client, and the compiler does not see its caller.
#[inline(never)]
fn echo<P: Stream>(client: &P::Socket, buf: &mut [u8; BUFFER]) -> bool {
    let received = P::recv(client, buf);
    if received == 0 {
        return false;
    }
    P::send_all(client, &buf[..received]);
    true
}

/// Sends one byte from `a` to `b` and back, `count` times.
#[inline(always)]
fn round_trip<S>(
    count: u64,
    a: &S,
    b: &S,
    send: impl Fn(&S, &[u8]) -> usize,
    recv: impl Fn(&S, &mut [u8]) -> usize,
) {
    let (mut there, mut back) = ([7; BUFFER], [0; BUFFER]);
    repeat(count, || {
        let bytes = opaque_slice(&back[..1]);
        assert!(send(a, bytes) == bytes.len());
        assert!(recv(b, &mut there) == 1);
        let bytes = opaque_slice(&there[..1]);
        assert!(send(b, bytes) == bytes.len());
        assert!(recv(a, &mut back) == 1);
    });
}

/// Returns a name of `len` bytes.
pub fn name(len: usize) -> Vec<u8> {
    let mut name = b"/run/app/x".to_vec();
    name.extend((b'a'..=b'z').cycle().take(len - name.len()));
    name
}

/// Makes an address as the kernel does: the length of a path includes its NUL.
pub fn filled(kind: Kind, len: usize) -> (libc::sockaddr_un, libc::socklen_t) {
    // SAFETY: all zeroes is a valid sockaddr_un.
    let mut addr: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    addr.sun_family = libc::AF_UNIX as libc::sa_family_t;
    if kind == Kind::Unnamed {
        return (addr, 2);
    }
    let start = usize::from(kind == Kind::Abstract);
    for (to, from) in addr.sun_path[start..].iter_mut().zip(name(len)) {
        *to = from as libc::c_char;
    }
    (addr, (2 + len + 1) as libc::socklen_t)
}

/// Returns a path for a socket of this process, in the current directory. The path always has 20
/// bytes.
pub fn socket_path(tag: &str) -> Vec<u8> {
    format!("{:07}-{tag:_<12}", std::process::id()).into_bytes()
}

/// Returns bytes as a path.
pub fn as_path(bytes: &[u8]) -> &Path {
    OsStr::from_bytes(bytes).as_ref()
}

/// Converts the descriptors of [`open_fds`] to the type that most libraries take.
pub fn borrowed(fds: &[RawFd]) -> &[BorrowedFd<'_>] {
    // SAFETY: a BorrowedFd has the layout of a RawFd, and the descriptors stay open.
    unsafe { std::slice::from_raw_parts(fds.as_ptr().cast(), fds.len()) }
}

pub fn unlink(path: &[u8]) {
    let path = CString::new(path).expect("a path without NUL");
    // SAFETY: the path is live.
    unsafe { libc::unlink(path.as_ptr()) };
}

/// Returns a buffer at the start of a page. Every library gets the same start, because the position
/// of a buffer in its page can double the cost of a receive.
pub fn pages(len: usize) -> &'static mut [u8] {
    let layout = std::alloc::Layout::from_size_align(len, 4096).expect("whole pages");
    // SAFETY: the size of the layout is not zero, because every caller asks for a page or more.
    let start = unsafe { std::alloc::alloc_zeroed(layout) };
    assert!(!start.is_null());
    // SAFETY: `len` bytes were allocated and zeroed, and are never freed.
    unsafe { std::slice::from_raw_parts_mut(start, len) }
}

/// Opens descriptors to pass.
pub fn open_fds(number: usize) -> Vec<RawFd> {
    let flags = libc::O_RDWR | libc::O_CLOEXEC;
    // SAFETY: the path is live.
    let open = |_| unsafe { libc::open(c"/dev/null".as_ptr(), flags) };
    let fds: Vec<RawFd> = (0..number).map(open).collect();
    assert!(fds.iter().all(|fd| *fd >= 0));
    fds
}
