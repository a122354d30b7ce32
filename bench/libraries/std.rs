//! The workloads with std (`std::os::unix::net`). std reads only addresses that its own calls
//! returned.

use std::io::{Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::path::Path;

use sunpath_bench::{
    Address, Batch, Bench, ByAddress, DATAGRAM, Kind, Messages, Seen, Stream, as_path, escape, seen,
};

struct Peer;

impl Address for Peer {
    type Addr = SocketAddr;

    #[inline(always)]
    fn path(path: &[u8], ready: impl FnOnce(&SocketAddr)) {
        ready(&SocketAddr::from_pathname(as_path(path)).unwrap());
    }

    #[inline(always)]
    fn abstract_name(name: &[u8], ready: impl FnOnce(&SocketAddr)) {
        ready(&SocketAddr::from_abstract_name(name).unwrap());
    }
}

fn view(addr: &SocketAddr) -> Seen {
    if let Some(path) = addr.as_pathname() {
        seen(Kind::Pathname, Path::as_os_str(path).as_bytes())
    } else if let Some(name) = addr.as_abstract_name() {
        seen(Kind::Abstract, name)
    } else {
        seen(Kind::Unnamed, b"")
    }
}

impl Stream for Peer {
    type Listener = UnixListener;
    type Socket = UnixStream;

    fn listen(path: &[u8]) -> UnixListener {
        UnixListener::bind(as_path(path)).unwrap()
    }

    fn connect(path: &[u8]) -> UnixStream {
        UnixStream::connect(as_path(path)).unwrap()
    }

    fn accept(listener: &UnixListener) -> UnixStream {
        let (socket, from) = listener.accept().unwrap();
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
    type Socket = UnixDatagram;

    fn pair() -> (UnixDatagram, UnixDatagram) {
        UnixDatagram::pair().unwrap()
    }

    fn send(socket: &UnixDatagram, bytes: &[u8]) -> usize {
        socket.send(bytes).unwrap()
    }

    fn recv(socket: &UnixDatagram, buf: &mut [u8]) -> usize {
        socket.recv(buf).unwrap()
    }
}

impl ByAddress for Peer {
    type Socket = UnixDatagram;

    fn bind(path: &[u8]) -> UnixDatagram {
        UnixDatagram::bind(as_path(path)).unwrap()
    }

    fn send_to(socket: &UnixDatagram, bytes: &[u8], to: &[u8]) -> usize {
        socket.send_to(bytes, as_path(to)).unwrap()
    }

    fn recv_from(socket: &UnixDatagram, buf: &mut [u8]) -> (usize, Seen) {
        let (count, from) = socket.recv_from(buf).unwrap();
        (count, view(&from))
    }
}

/// Makes a call for each message, however large the batch is.
impl Batch for Peer {
    type Socket = UnixDatagram;
    type Tx = ();
    type Rx = ();

    fn pair() -> (UnixDatagram, UnixDatagram) {
        UnixDatagram::pair().unwrap()
    }

    fn tx(_: usize) {}

    fn rx(_: usize) {}

    fn send(socket: &UnixDatagram, (): &mut (), data: &[[u8; DATAGRAM]]) -> usize {
        for message in data {
            assert!(socket.send(message).unwrap() == DATAGRAM);
        }
        data.len()
    }

    fn recv(socket: &UnixDatagram, (): &mut ()) -> usize {
        assert!(socket.recv(&mut [0; DATAGRAM]).unwrap() == DATAGRAM);
        1
    }
}

fn main() {
    Bench::from_args()
        .address::<Peer>()
        .stream::<Peer>()
        .messages::<Peer>("datagram")
        .one_way::<Peer>()
        .by_address::<Peer>()
        .batch::<Peer>()
        .finish();
}
