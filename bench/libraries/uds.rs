//! The workloads with uds. The datagram sockets of this library are those of std.

use std::io::{Read, Write};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

use sunpath_bench::{
    Address, Bench, ByAddress, Descriptors, Kind, MOST_FDS, Messages, Parse, Seen, Stream, as_path,
    escape, libc, seen,
};
use uds::{
    AddrName, UnixDatagramExt, UnixListenerExt, UnixSeqpacketConn, UnixSocketAddr, UnixStreamExt,
};

struct Peer;

impl Address for Peer {
    type Addr = UnixSocketAddr;

    #[inline(always)]
    fn path(path: &[u8], ready: impl FnOnce(&UnixSocketAddr)) {
        ready(&UnixSocketAddr::from_path(as_path(path)).unwrap());
    }

    #[inline(always)]
    fn abstract_name(name: &[u8], ready: impl FnOnce(&UnixSocketAddr)) {
        ready(&UnixSocketAddr::from_abstract(name).unwrap());
    }
}

fn view(addr: &UnixSocketAddr) -> Seen {
    match addr.name() {
        AddrName::Path(path) => seen(Kind::Pathname, path.as_os_str().as_bytes()),
        AddrName::Abstract(name) => seen(Kind::Abstract, name),
        AddrName::Unnamed => seen(Kind::Unnamed, b""),
    }
}

impl Parse for Peer {
    fn parse(addr: &libc::sockaddr_un, len: libc::socklen_t) -> Seen {
        let addr = std::ptr::from_ref(addr).cast();
        // SAFETY: the address is live, and has as many bytes as the length says.
        view(&unsafe { UnixSocketAddr::from_raw(addr, len) }.unwrap())
    }
}

fn addr(path: &[u8]) -> UnixSocketAddr {
    UnixSocketAddr::from_path(as_path(path)).unwrap()
}

impl Stream for Peer {
    type Listener = UnixListener;
    type Socket = UnixStream;

    fn listen(path: &[u8]) -> UnixListener {
        UnixListener::bind_unix_addr(&addr(path)).unwrap()
    }

    fn connect(path: &[u8]) -> UnixStream {
        UnixStream::connect_to_unix_addr(&addr(path)).unwrap()
    }

    fn accept(listener: &UnixListener) -> UnixStream {
        let (socket, from) = listener.accept_unix_addr().unwrap();
        escape(&from);
        socket
    }

    fn pair() -> (UnixStream, UnixStream) {
        UnixStream::pair().unwrap()
    }

    fn send(mut socket: &UnixStream, bytes: &[u8]) -> usize {
        socket.write(bytes).unwrap()
    }

    fn recv(mut socket: &UnixStream, buf: &mut [u8]) -> usize {
        socket.read(buf).unwrap()
    }

    #[inline(always)]
    fn send_all(mut socket: &UnixStream, bytes: &[u8]) {
        socket.write_all(bytes).unwrap();
    }

    #[inline(always)]
    fn recv_all(mut socket: &UnixStream, buf: &mut [u8]) {
        socket.read_exact(buf).unwrap();
    }
}

impl Messages for Peer {
    type Socket = UnixSeqpacketConn;

    fn pair() -> (UnixSeqpacketConn, UnixSeqpacketConn) {
        UnixSeqpacketConn::pair().unwrap()
    }

    fn send(socket: &UnixSeqpacketConn, bytes: &[u8]) -> usize {
        socket.send(bytes).unwrap()
    }

    fn recv(socket: &UnixSeqpacketConn, buf: &mut [u8]) -> usize {
        socket.recv(buf).unwrap()
    }
}

impl ByAddress for Peer {
    type Socket = UnixDatagram;

    fn bind(path: &[u8]) -> UnixDatagram {
        UnixDatagram::bind_unix_addr(&addr(path)).unwrap()
    }

    fn send_to(socket: &UnixDatagram, bytes: &[u8], to: &[u8]) -> usize {
        socket.send_to_unix_addr(bytes, &addr(to)).unwrap()
    }

    fn recv_from(socket: &UnixDatagram, buf: &mut [u8]) -> (usize, Seen) {
        let (count, from) = socket.recv_from_unix_addr(buf).unwrap();
        (count, view(&from))
    }
}

impl Descriptors for Peer {
    type Socket = UnixStream;

    fn pair() -> (UnixStream, UnixStream) {
        UnixStream::pair().unwrap()
    }

    fn send(socket: &UnixStream, fds: &[RawFd]) {
        assert!(socket.send_fds(b"x", fds).unwrap() == 1);
    }

    fn recv_and_close(socket: &UnixStream, most: usize) -> usize {
        let (mut byte, mut fds) = ([0], [0; MOST_FDS]);
        let (bytes, count) = socket.recv_fds(&mut byte, &mut fds[..most]).unwrap();
        assert!(bytes == 1);
        for fd in &fds[..count] {
            // SAFETY: the descriptor has just arrived, and nothing else owns it.
            drop(unsafe { OwnedFd::from_raw_fd(*fd) });
        }
        count
    }
}

fn main() {
    Bench::from_args()
        .address::<Peer>()
        .parse::<Peer>()
        .stream::<Peer>()
        .messages::<Peer>("seqpacket")
        .by_address::<Peer>()
        .descriptors::<Peer>()
        .finish();
}
