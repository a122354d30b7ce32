//! Uses a socket over `sunpath` in one of the usual ways, for example `faults stream`. Prints "ok"
//! or the errno, and whether a descriptor leaked. raw/mod.rs and faults.c do the same.

use std::env;
use std::fs;
use std::io;
use std::mem;
use std::os::fd::AsFd as _;
use std::process::ExitCode;

use sunpath::ancillary::{Credentials, Outgoing, RecvBatch, RecvSlots, SendBatch, SendSlots};
use sunpath::fd::IoSlice;
use sunpath::socket::Kind;
use sunpath::{
    CWD, Datagram, Errno, Seqpacket, Shutdown, Socket, Stream, UnixAddr, UnixDatagram,
    UnixListener, UnixSeqpacket, UnixStream,
};

// 1. Clean up: the path is removed at the end, even after an error.

const PATH: &str = "s";

/// Returns a path in a directory whose name is longer than sun_path. `main` makes the directory
/// before the way begins.
fn deep() -> String {
    format!("{}/{PATH}", "d".repeat(150))
}

struct File(String);

impl File {
    fn remove(mut self) -> io::Result<()> {
        fs::remove_file(mem::take(&mut self.0))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if !self.0.is_empty() {
            let _ = fs::remove_file(&self.0);
        }
    }
}

// 2. Use sockets in the usual ways.

/// Makes a listener, connects to it, exchanges bytes, and closes the connection.
fn stream() -> io::Result<()> {
    let listener = UnixListener::bind(PATH)?;
    let file = File(PATH.to_owned());
    let client = UnixStream::connect(PATH)?;
    let (server, _) = listener.accept()?;
    let mut buf = [0; 8];
    assert_eq!(client.write(b"hello")?, 5);
    assert_eq!(server.read(&mut buf)?, 5);
    client.shutdown(Shutdown::Write)?;
    assert_eq!(server.read(&mut buf)?, 0);
    file.remove()
}

fn datagram() -> io::Result<()> {
    let server = UnixDatagram::bind(PATH)?;
    let file = File(PATH.to_owned());
    let client = UnixDatagram::new()?;
    client.send_to(b"hello", &sunpath::addr!("s"))?;
    let (received, _) = server.recv_from(&mut [0; 8])?;
    assert_eq!(received.len(), 5);
    file.remove()
}

fn seqpacket() -> io::Result<()> {
    let server = bound::<Seqpacket>()?;
    let file = File(PATH.to_owned());
    let listener = server.listen(8)?;
    let client = UnixSeqpacket::connect(PATH)?;
    let (server, _) = listener.accept()?;
    client.send(b"hello")?;
    assert_eq!(server.recv(&mut [0; 8])?.len(), 5);
    file.remove()
}

fn bound<T: Kind>() -> io::Result<Socket<T>> {
    let socket = Socket::new()?;
    socket.bind_to(&sunpath::addr!("s"))?;
    Ok(socket)
}

/// Passes a descriptor through a socket, and uses it.
fn descriptor() -> io::Result<()> {
    let (ours, theirs) = UnixStream::pair()?;
    let (kept, given) = UnixStream::pair()?;
    ours.send_fd(given.as_fd())?;
    let received = UnixStream::try_from(theirs.recv_fd()?).map_err(|refused| refused.error())?;
    assert_eq!(received.write(b"hello")?, 5);
    assert_eq!(kept.read(&mut [0; 8])?, 5);
    Ok(())
}

/// Sends two messages with one call, and receives two.
fn batch() -> io::Result<()> {
    let (ours, theirs) = Socket::<Datagram>::pair()?;
    let pieces = [b"one", b"two"].map(|text| [IoSlice::new(text)]);
    let mut slots = SendSlots::<2>::new();
    let mut batch = SendBatch::new(&mut slots);
    for piece in &pieces {
        batch.push(Outgoing::new(piece))?;
    }
    ours.sendmmsg(&mut batch)?;
    let (mut slots, mut bufs) = (RecvSlots::<2>::new(), [[0; 8]; 2]);
    let mut batch = RecvBatch::new(&mut slots, &mut bufs);
    assert_eq!(theirs.recvmmsg(&mut batch)?, 2);
    Ok(())
}

/// Asks for the peer's credentials, by option and by message.
fn identity() -> io::Result<()> {
    let (ours, theirs) = UnixStream::pair()?;
    theirs.set_pass_credentials(true)?;
    ours.send_with_credentials(b"hello", Credentials::own())?;
    let (_, sender) = theirs.recv_with_credentials(&mut [0; 8])?;
    assert_eq!(sender, Some(Credentials::own()));
    assert!(theirs.peer_cred()?.pid().is_some());
    Ok(())
}

/// Asks for the peer's pidfd.
fn peer_pidfd() -> io::Result<()> {
    let (_ours, theirs) = UnixStream::pair()?;
    theirs.peer_pidfd()?;
    Ok(())
}

/// Lets the kernel choose a name, and connects to that name.
fn autobind() -> io::Result<()> {
    let listener = UnixListener::autobind()?;
    let addr = listener.local_addr()?;
    let client = UnixStream::connect_addr(&addr)?;
    let (_, peer) = listener.accept()?;
    assert_eq!(peer, UnixAddr::unnamed());
    assert_eq!(client.peer_addr()?, addr);
    Ok(())
}

/// Binds and connects to a path that does not fit.
fn at() -> io::Result<()> {
    let server = Socket::<Stream>::new()?;
    server.bind_to_at(CWD, deep())?;
    let file = File(deep());
    let listener = server.listen(8)?;
    let client = Socket::<Stream>::new()?;
    client.connect_to_at(CWD, deep())?;
    listener.accept()?;
    file.remove()
}

// 3. Run one way: two calls of dup(-1) mark its beginning and its end in a trace.

type Way = fn() -> io::Result<()>;

const WAYS: [(&str, Way); 9] = [
    ("stream", stream),
    ("datagram", datagram),
    ("seqpacket", seqpacket),
    ("descriptor", descriptor),
    ("batch", batch),
    ("identity", identity),
    ("pidfd", peer_pidfd),
    ("autobind", autobind),
    ("at", at),
];

fn mark() {
    // SAFETY: dup takes an int; -1 is not a descriptor, so nothing is duplicated.
    unsafe { libc::dup(-1) };
}

/// Returns how many descriptors are open. The function asks by fcntl(2), because no fault is
/// injected into it.
fn open_descriptors() -> usize {
    // SAFETY: F_GETFD has no argument, and reports EBADF if the descriptor is not open.
    let is_open = |fd: &i32| unsafe { libc::fcntl(*fd, libc::F_GETFD) } != -1;
    (0..64).filter(is_open).count()
}

pub(crate) fn main() -> ExitCode {
    let name = env::args().nth(2).unwrap_or_default();
    let way = WAYS.iter().find(|(known, _)| *known == name);
    let (_, way) = way.expect("the argument is a way");
    let dir = "d".repeat(150);
    fs::create_dir(&dir).expect("the current directory is fresh");
    let before = open_descriptors();

    mark();
    let result = way();
    mark();

    let leaked = open_descriptors() - before;
    let _ = fs::remove_dir(dir);
    match &result {
        Ok(()) => print!("ok"),
        Err(error) => {
            let errno = Errno::from_io_error(error).and_then(Errno::name);
            print!("{}", errno.unwrap_or("E?"));
        }
    }
    println!(", leaked {leaked}");
    ExitCode::from(u8::from(result.is_err()))
}
