//! The workloads with nix (`nix::sys::socket`).

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;

use nix::cmsg_space;
use nix::sys::socket::{
    AddressFamily, Backlog, ControlMessage, ControlMessageOwned, MsgFlags, MultiHeaders, SockFlag,
    SockType, SockaddrLike, UnixAddr, accept4, bind, connect, listen, recv, recvfrom, recvmmsg,
    recvmsg, send, sendmmsg, sendmsg, sendto, socket, socketpair,
};
use sunpath_bench::{
    Address, Batch, Bench, ByAddress, DATAGRAM, Descriptors, Kind, MOST_FDS, Messages, Parse, Seen,
    Stream, libc, seen,
};

struct Peer;

impl Address for Peer {
    type Addr = UnixAddr;

    #[inline(always)]
    fn path(path: &[u8], ready: impl FnOnce(&UnixAddr)) {
        ready(&UnixAddr::new(path).unwrap());
    }

    #[inline(always)]
    fn abstract_name(name: &[u8], ready: impl FnOnce(&UnixAddr)) {
        ready(&UnixAddr::new_abstract(name).unwrap());
    }
}

fn view(addr: &UnixAddr) -> Seen {
    if let Some(path) = addr.path() {
        seen(Kind::Pathname, path.as_os_str().as_bytes())
    } else if let Some(name) = addr.as_abstract() {
        seen(Kind::Abstract, name)
    } else {
        seen(Kind::Unnamed, b"")
    }
}

impl Parse for Peer {
    fn parse(addr: &libc::sockaddr_un, len: libc::socklen_t) -> Seen {
        let addr = std::ptr::from_ref(addr).cast();
        // SAFETY: the address is live, and has as many bytes as the length says.
        view(&unsafe { UnixAddr::from_raw(addr, Some(len)) }.unwrap())
    }
}

fn new(kind: SockType) -> OwnedFd {
    socket(AddressFamily::Unix, kind, SockFlag::SOCK_CLOEXEC, None).unwrap()
}

fn pair(kind: SockType) -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::Unix, kind, None, SockFlag::SOCK_CLOEXEC).unwrap()
}

fn send_to_peer(socket: &OwnedFd, bytes: &[u8]) -> usize {
    send(socket.as_raw_fd(), bytes, MsgFlags::MSG_NOSIGNAL).unwrap()
}

fn recv_from_peer(socket: &OwnedFd, buf: &mut [u8]) -> usize {
    recv(socket.as_raw_fd(), buf, MsgFlags::empty()).unwrap()
}

impl Stream for Peer {
    type Listener = OwnedFd;
    type Socket = OwnedFd;

    fn listen(path: &[u8]) -> OwnedFd {
        let socket = bound(SockType::Stream, path);
        listen(&socket, Backlog::new(4096).unwrap()).unwrap();
        socket
    }

    fn connect(path: &[u8]) -> OwnedFd {
        let addr = UnixAddr::new(path).unwrap();
        let socket = new(SockType::Stream);
        connect(socket.as_raw_fd(), &addr).unwrap();
        socket
    }

    fn accept(listener: &OwnedFd) -> OwnedFd {
        let fd = accept4(listener.as_raw_fd(), SockFlag::SOCK_CLOEXEC).unwrap();
        // SAFETY: the kernel has just made the descriptor, and nothing else owns it.
        unsafe { OwnedFd::from_raw_fd(fd) }
    }

    fn pair() -> (OwnedFd, OwnedFd) {
        pair(SockType::Stream)
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
        pair(SockType::Datagram)
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
        pair(SockType::SeqPacket)
    }

    fn send(socket: &OwnedFd, bytes: &[u8]) -> usize {
        send_to_peer(socket, bytes)
    }

    fn recv(socket: &OwnedFd, buf: &mut [u8]) -> usize {
        recv_from_peer(socket, buf)
    }
}

fn bound(kind: SockType, path: &[u8]) -> OwnedFd {
    let socket = new(kind);
    bind(socket.as_raw_fd(), &UnixAddr::new(path).unwrap()).unwrap();
    socket
}

impl ByAddress for Peer {
    type Socket = OwnedFd;

    fn bind(path: &[u8]) -> OwnedFd {
        bound(SockType::Datagram, path)
    }

    fn send_to(socket: &OwnedFd, bytes: &[u8], to: &[u8]) -> usize {
        let to = UnixAddr::new(to).unwrap();
        sendto(socket.as_raw_fd(), bytes, &to, MsgFlags::MSG_NOSIGNAL).unwrap()
    }

    fn recv_from(socket: &OwnedFd, buf: &mut [u8]) -> (usize, Seen) {
        let (count, from) = recvfrom::<UnixAddr>(socket.as_raw_fd(), buf).unwrap();
        (count, view(&from.unwrap()))
    }
}

struct Storage {
    headers: MultiHeaders<UnixAddr>,
    bufs: Vec<[u8; DATAGRAM]>,
}

impl Storage {
    fn new(count: usize) -> Self {
        Self {
            headers: MultiHeaders::preallocate(count, None),
            bufs: vec![[7; DATAGRAM]; count],
        }
    }
}

impl Batch for Peer {
    type Socket = OwnedFd;
    type Tx = Storage;
    type Rx = Storage;

    fn pair() -> (OwnedFd, OwnedFd) {
        pair(SockType::Datagram)
    }

    fn tx(count: usize) -> Storage {
        Storage::new(count)
    }

    fn rx(count: usize) -> Storage {
        Storage::new(count)
    }

    fn send(socket: &OwnedFd, tx: &mut Storage, data: &[[u8; DATAGRAM]]) -> usize {
        let pieces: Vec<_> = data.iter().map(|buf| [IoSlice::new(buf)]).collect();
        let (fd, to) = (socket.as_raw_fd(), vec![None; pieces.len()]);
        let flags = MsgFlags::MSG_NOSIGNAL;
        sendmmsg(fd, &mut tx.headers, &pieces, to, [], flags)
            .unwrap()
            .count()
    }

    fn recv(socket: &OwnedFd, rx: &mut Storage) -> usize {
        let mut pieces: Vec<_> = rx
            .bufs
            .iter_mut()
            .map(|buf| [IoSliceMut::new(buf)])
            .collect();
        let (fd, flags) = (socket.as_raw_fd(), MsgFlags::MSG_WAITFORONE);
        let received = recvmmsg(fd, &mut rx.headers, pieces.iter_mut(), flags, None).unwrap();
        received
            .inspect(|message| assert!(message.bytes == DATAGRAM))
            .count()
    }
}

impl Descriptors for Peer {
    type Socket = OwnedFd;

    fn pair() -> (OwnedFd, OwnedFd) {
        pair(SockType::Stream)
    }

    fn send(socket: &OwnedFd, fds: &[RawFd]) {
        let (piece, control) = ([IoSlice::new(b"x")], [ControlMessage::ScmRights(fds)]);
        let flags = MsgFlags::MSG_NOSIGNAL;
        let sent = sendmsg::<()>(socket.as_raw_fd(), &piece, &control, flags, None).unwrap();
        assert!(sent == 1);
    }

    fn recv_and_close(socket: &OwnedFd, most: usize) -> usize {
        let mut byte = [0];
        let mut piece = [IoSliceMut::new(&mut byte)];
        let mut room = match most {
            1 => cmsg_space!(RawFd),
            _ => cmsg_space!([RawFd; MOST_FDS]),
        };
        let (fd, flags) = (socket.as_raw_fd(), MsgFlags::MSG_CMSG_CLOEXEC);
        let message = recvmsg::<()>(fd, &mut piece, Some(&mut room), flags).unwrap();
        assert!(message.bytes == 1 && !message.flags.contains(MsgFlags::MSG_CTRUNC));
        let mut count = 0;
        for control in message.cmsgs().unwrap() {
            if let ControlMessageOwned::ScmRights(fds) = control {
                for fd in fds {
                    // SAFETY: the descriptor has just arrived, and nothing else owns it.
                    drop(unsafe { OwnedFd::from_raw_fd(fd) });
                    count += 1;
                }
            }
        }
        count
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
        .descriptors::<Peer>()
        .finish();
}
