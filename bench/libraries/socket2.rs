//! The workloads with socket2. socket2 has neither batches nor control messages.

use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;

use socket2::{Domain, SockAddr, Socket, Type};
use sunpath_bench::{
    Address, Batch, Bench, ByAddress, DATAGRAM, Kind, Messages, Parse, Seen, Stream, as_path,
    escape, libc, seen,
};

struct Peer;

impl Address for Peer {
    type Addr = SockAddr;

    #[inline(always)]
    fn path(path: &[u8], ready: impl FnOnce(&SockAddr)) {
        ready(&SockAddr::unix(as_path(path)).unwrap());
    }

    /// socket2 takes an abstract name as a path that begins with a NUL.
    #[inline(always)]
    fn abstract_name(name: &[u8], ready: impl FnOnce(&SockAddr)) {
        let mut path = [0; 108];
        path[1..=name.len()].copy_from_slice(name);
        ready(&SockAddr::unix(as_path(&path[..=name.len()])).unwrap());
    }
}

fn view(addr: &SockAddr) -> Seen {
    if let Some(path) = addr.as_pathname() {
        seen(Kind::Pathname, path.as_os_str().as_bytes())
    } else if let Some(name) = addr.as_abstract_namespace() {
        seen(Kind::Abstract, name)
    } else {
        seen(Kind::Unnamed, b"")
    }
}

impl Parse for Peer {
    fn parse(addr: &libc::sockaddr_un, len: libc::socklen_t) -> Seen {
        let copy = |to: *mut socket2::SockAddrStorage, to_len: *mut libc::socklen_t| {
            let from = std::ptr::from_ref(addr).cast::<u8>();
            // SAFETY: the address has as many bytes as the length says, and the buffer has space
            // for any address.
            unsafe { from.copy_to_nonoverlapping(to.cast(), len as usize) };
            // SAFETY: the field has space for a length.
            unsafe { *to_len = len };
            Ok(())
        };
        // SAFETY: the address and its length are written.
        let ((), addr) = unsafe { SockAddr::try_init(copy) }.unwrap();
        view(&addr)
    }
}

fn bound(kind: Type, path: &[u8]) -> Socket {
    let socket = Socket::new(Domain::UNIX, kind, None).unwrap();
    socket
        .bind(&SockAddr::unix(as_path(path)).unwrap())
        .unwrap();
    socket
}

fn send(socket: &Socket, bytes: &[u8]) -> usize {
    socket.send_with_flags(bytes, libc::MSG_NOSIGNAL).unwrap()
}

fn recv(socket: &Socket, buf: &mut [u8]) -> usize {
    socket.recv(uninit(buf)).unwrap()
}

fn uninit(buf: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    let start = buf.as_mut_ptr().cast();
    // SAFETY: `start` and the length are those of a slice, and nothing uninitialised is written
    // into it.
    unsafe { std::slice::from_raw_parts_mut(start, buf.len()) }
}

impl Stream for Peer {
    type Listener = Socket;
    type Socket = Socket;

    fn listen(path: &[u8]) -> Socket {
        let socket = bound(Type::STREAM, path);
        socket.listen(4096).unwrap();
        socket
    }

    fn connect(path: &[u8]) -> Socket {
        let addr = SockAddr::unix(as_path(path)).unwrap();
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        socket.connect(&addr).unwrap();
        socket
    }

    fn accept(listener: &Socket) -> Socket {
        let (socket, from) = listener.accept().unwrap();
        escape(&from);
        socket
    }

    fn pair() -> (Socket, Socket) {
        Socket::pair(Domain::UNIX, Type::STREAM, None).unwrap()
    }

    fn send(socket: &Socket, bytes: &[u8]) -> usize {
        send(socket, bytes)
    }

    fn recv(socket: &Socket, buf: &mut [u8]) -> usize {
        recv(socket, buf)
    }
}

struct Datagrams;
struct Seqpackets;

impl Messages for Datagrams {
    type Socket = Socket;

    fn pair() -> (Socket, Socket) {
        Socket::pair(Domain::UNIX, Type::DGRAM, None).unwrap()
    }

    fn send(socket: &Socket, bytes: &[u8]) -> usize {
        send(socket, bytes)
    }

    fn recv(socket: &Socket, buf: &mut [u8]) -> usize {
        recv(socket, buf)
    }
}

impl Messages for Seqpackets {
    type Socket = Socket;

    fn pair() -> (Socket, Socket) {
        Socket::pair(Domain::UNIX, Type::SEQPACKET, None).unwrap()
    }

    fn send(socket: &Socket, bytes: &[u8]) -> usize {
        send(socket, bytes)
    }

    fn recv(socket: &Socket, buf: &mut [u8]) -> usize {
        recv(socket, buf)
    }
}

impl ByAddress for Peer {
    type Socket = Socket;

    fn bind(path: &[u8]) -> Socket {
        bound(Type::DGRAM, path)
    }

    fn send_to(socket: &Socket, bytes: &[u8], to: &[u8]) -> usize {
        let to = SockAddr::unix(as_path(to)).unwrap();
        socket
            .send_to_with_flags(bytes, &to, libc::MSG_NOSIGNAL)
            .unwrap()
    }

    fn recv_from(socket: &Socket, buf: &mut [u8]) -> (usize, Seen) {
        let (count, from) = socket.recv_from(uninit(buf)).unwrap();
        (count, view(&from))
    }
}

/// Makes a call for each message, however large the batch is.
impl Batch for Peer {
    type Socket = Socket;
    type Tx = ();
    type Rx = ();

    fn pair() -> (Socket, Socket) {
        Socket::pair(Domain::UNIX, Type::DGRAM, None).unwrap()
    }

    fn tx(_: usize) {}

    fn rx(_: usize) {}

    fn send(socket: &Socket, (): &mut (), data: &[[u8; DATAGRAM]]) -> usize {
        for message in data {
            assert!(send(socket, message) == DATAGRAM);
        }
        data.len()
    }

    fn recv(socket: &Socket, (): &mut ()) -> usize {
        assert!(recv(socket, &mut [0; DATAGRAM]) == DATAGRAM);
        1
    }
}

fn main() {
    Bench::from_args()
        .address::<Peer>()
        .parse::<Peer>()
        .stream::<Peer>()
        .messages::<Datagrams>("datagram")
        .one_way::<Datagrams>()
        .messages::<Seqpackets>("seqpacket")
        .by_address::<Peer>()
        .batch::<Peer>()
        .finish();
}
