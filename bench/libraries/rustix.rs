//! The workloads with rustix (`rustix::net`), which makes its own system calls instead of those of
//! the C library. rustix has `sendmmsg` but not `recvmmsg`, so this file makes a call for each
//! received message.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

use rustix::cmsg_space;
use rustix::net::{
    AddressFamily, MMsgHdr, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrAny, SocketAddrUnix,
    SocketFlags, SocketType, accept_with, bind, connect, listen, recv, recvfrom, recvmsg, send,
    sendmmsg, sendmsg, sendto, socket_with, socketpair,
};
use sunpath_bench::{
    Address, Batch, Bench, ByAddress, DATAGRAM, Descriptors, Kind, MOST_FDS, Messages, Parse, Seen,
    Stream, borrowed, libc, seen,
};

struct Peer;

impl Address for Peer {
    type Addr = SocketAddrUnix;

    #[inline(always)]
    fn path(path: &[u8], ready: impl FnOnce(&SocketAddrUnix)) {
        ready(&SocketAddrUnix::new(path).unwrap());
    }

    #[inline(always)]
    fn abstract_name(name: &[u8], ready: impl FnOnce(&SocketAddrUnix)) {
        ready(&SocketAddrUnix::new_abstract_name(name).unwrap());
    }
}

fn view(addr: SocketAddrAny) -> Seen {
    let addr = SocketAddrUnix::try_from(addr).unwrap();
    if let Some(path) = addr.path_bytes() {
        seen(Kind::Pathname, path)
    } else if let Some(name) = addr.abstract_name() {
        seen(Kind::Abstract, name)
    } else {
        seen(Kind::Unnamed, b"")
    }
}

impl Parse for Peer {
    fn parse(addr: &libc::sockaddr_un, len: libc::socklen_t) -> Seen {
        let addr = std::ptr::from_ref(addr).cast();
        // SAFETY: the address is live, and has as many bytes as the length says.
        view(unsafe { SocketAddrAny::read(addr, len) })
    }
}

fn new(kind: SocketType) -> OwnedFd {
    socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None).unwrap()
}

fn pair(kind: SocketType) -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None).unwrap()
}

fn bound(kind: SocketType, path: &[u8]) -> OwnedFd {
    let socket = new(kind);
    bind(&socket, &SocketAddrUnix::new(path).unwrap()).unwrap();
    socket
}

fn send_to_peer(socket: &OwnedFd, bytes: &[u8]) -> usize {
    send(socket, bytes, SendFlags::NOSIGNAL).unwrap()
}

fn recv_from_peer(socket: &OwnedFd, buf: &mut [u8]) -> usize {
    recv(socket, buf, RecvFlags::empty()).unwrap().0
}

impl Stream for Peer {
    type Listener = OwnedFd;
    type Socket = OwnedFd;

    fn listen(path: &[u8]) -> OwnedFd {
        let socket = bound(SocketType::STREAM, path);
        listen(&socket, 4096).unwrap();
        socket
    }

    fn connect(path: &[u8]) -> OwnedFd {
        let addr = SocketAddrUnix::new(path).unwrap();
        let socket = new(SocketType::STREAM);
        connect(&socket, &addr).unwrap();
        socket
    }

    fn accept(listener: &OwnedFd) -> OwnedFd {
        accept_with(listener, SocketFlags::CLOEXEC).unwrap()
    }

    fn pair() -> (OwnedFd, OwnedFd) {
        pair(SocketType::STREAM)
    }

    fn send(socket: &OwnedFd, bytes: &[u8]) -> usize {
        send_to_peer(socket, bytes)
    }

    fn recv(socket: &OwnedFd, buf: &mut [u8]) -> usize {
        recv_from_peer(socket, buf)
    }
}

struct Datagrams;
struct Seqpackets;

impl Messages for Datagrams {
    type Socket = OwnedFd;

    fn pair() -> (OwnedFd, OwnedFd) {
        pair(SocketType::DGRAM)
    }

    fn send(socket: &OwnedFd, bytes: &[u8]) -> usize {
        send_to_peer(socket, bytes)
    }

    fn recv(socket: &OwnedFd, buf: &mut [u8]) -> usize {
        recv_from_peer(socket, buf)
    }
}

impl Messages for Seqpackets {
    type Socket = OwnedFd;

    fn pair() -> (OwnedFd, OwnedFd) {
        pair(SocketType::SEQPACKET)
    }

    fn send(socket: &OwnedFd, bytes: &[u8]) -> usize {
        send_to_peer(socket, bytes)
    }

    fn recv(socket: &OwnedFd, buf: &mut [u8]) -> usize {
        recv_from_peer(socket, buf)
    }
}

impl ByAddress for Peer {
    type Socket = OwnedFd;

    fn bind(path: &[u8]) -> OwnedFd {
        bound(SocketType::DGRAM, path)
    }

    fn send_to(socket: &OwnedFd, bytes: &[u8], to: &[u8]) -> usize {
        let to = SocketAddrUnix::new(to).unwrap();
        sendto(socket, bytes, SendFlags::NOSIGNAL, &to).unwrap()
    }

    fn recv_from(socket: &OwnedFd, buf: &mut [u8]) -> (usize, Seen) {
        let (count, _, from) = recvfrom(socket, buf, RecvFlags::empty()).unwrap();
        (count, view(from.unwrap()))
    }
}

impl Batch for Peer {
    type Socket = OwnedFd;
    type Tx = ();
    type Rx = ();

    fn pair() -> (OwnedFd, OwnedFd) {
        pair(SocketType::DGRAM)
    }

    fn tx(_: usize) {}

    fn rx(_: usize) {}

    fn send(socket: &OwnedFd, (): &mut (), data: &[[u8; DATAGRAM]]) -> usize {
        let pieces: Vec<_> = data.iter().map(|buf| [IoSlice::new(buf)]).collect();
        let mut control: Vec<_> = data
            .iter()
            .map(|_| SendAncillaryBuffer::default())
            .collect();
        let headers = pieces.iter().zip(&mut control);
        let mut headers: Vec<_> = headers
            .map(|(piece, room)| MMsgHdr::new(piece, room))
            .collect();
        sendmmsg(socket, &mut headers, SendFlags::NOSIGNAL).unwrap()
    }

    fn recv(socket: &OwnedFd, (): &mut ()) -> usize {
        assert!(recv_from_peer(socket, &mut [0; DATAGRAM]) == DATAGRAM);
        1
    }
}

impl Descriptors for Peer {
    type Socket = OwnedFd;

    fn pair() -> (OwnedFd, OwnedFd) {
        pair(SocketType::STREAM)
    }

    fn send(socket: &OwnedFd, fds: &[RawFd]) {
        let fds = borrowed(fds);
        match fds {
            [_] => send_with(
                socket,
                fds,
                &mut [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))],
            ),
            _ => {
                let mut room = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MOST_FDS))];
                send_with(socket, fds, &mut room);
            }
        }
    }

    fn recv_and_close(socket: &OwnedFd, most: usize) -> usize {
        if most == 1 {
            recv_with(
                socket,
                &mut [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))],
            )
        } else {
            recv_with(
                socket,
                &mut [MaybeUninit::uninit(); cmsg_space!(ScmRights(MOST_FDS))],
            )
        }
    }
}

fn send_with(socket: &OwnedFd, fds: &[BorrowedFd<'_>], room: &mut [MaybeUninit<u8>]) {
    let mut control = SendAncillaryBuffer::new(room);
    assert!(control.push(SendAncillaryMessage::ScmRights(fds)));
    let piece = [IoSlice::new(b"x")];
    let sent = sendmsg(socket, &piece, &mut control, SendFlags::NOSIGNAL).unwrap();
    assert!(sent == 1);
}

fn recv_with(socket: &OwnedFd, room: &mut [MaybeUninit<u8>]) -> usize {
    let mut control = RecvAncillaryBuffer::new(room);
    let mut byte = [0];
    let mut piece = [IoSliceMut::new(&mut byte)];
    let message = recvmsg(socket, &mut piece, &mut control, RecvFlags::CMSG_CLOEXEC).unwrap();
    assert!(message.bytes == 1 && !message.flags.contains(ReturnFlags::CTRUNC));
    let mut count = 0;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(fds) = message {
            for fd in fds {
                drop(fd);
                count += 1;
            }
        }
    }
    count
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
        .descriptors::<Peer>()
        .finish();
}
