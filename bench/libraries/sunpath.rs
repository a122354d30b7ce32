//! The workloads with sunpath, as an ordinary program is written. `sunpath_best.rs` has the forms that
//! take the fewest instructions.

use std::os::fd::RawFd;

use sunpath::ancillary::{
    ControlBuffer, Outgoing, RecvBatch, RecvSlots, Rights, SendBatch, SendSlots,
};
use sunpath::fd::{IoSliceMut, OwnedFd};
use sunpath::{SunPath, UnixAddr, UnixDatagram, UnixListener, UnixStream, addr};
use sunpath_bench::{
    Address, BATCHES, Batch, Bench, ByAddress, DATAGRAM, Descriptors, Kind, MOST_FDS, Messages,
    Parse, Seen, Stream, borrowed, escape, libc, repeat, seen,
};

pub(crate) struct Peer;

impl Address for Peer {
    type Addr = UnixAddr;

    #[inline(always)]
    fn path(path: &[u8], ready: impl FnOnce(&UnixAddr)) {
        ready(&UnixAddr::from_pathname(path).unwrap());
    }

    #[inline(always)]
    fn abstract_name(name: &[u8], ready: impl FnOnce(&UnixAddr)) {
        ready(&UnixAddr::from_abstract(name).unwrap());
    }
}

#[inline(always)]
pub(crate) fn view(name: SunPath<'_>) -> Seen {
    match name {
        SunPath::Pathname(path) => seen(Kind::Pathname, path),
        SunPath::Abstract(name) => seen(Kind::Abstract, name),
        _ => seen(Kind::Unnamed, b""),
    }
}

impl Parse for Peer {
    #[inline(always)]
    fn parse(addr: &libc::sockaddr_un, len: libc::socklen_t) -> Seen {
        view(UnixAddr::name_in(addr, len).unwrap())
    }
}

impl Stream for Peer {
    type Listener = UnixListener;
    type Socket = UnixStream;

    fn listen(path: &[u8]) -> UnixListener {
        UnixListener::bind(path).unwrap()
    }

    #[inline(always)]
    fn connect(path: &[u8]) -> UnixStream {
        UnixStream::connect(path).unwrap()
    }

    #[inline(always)]
    fn accept(listener: &UnixListener) -> UnixStream {
        let (socket, from) = listener.accept().unwrap();
        escape(&from);
        socket
    }

    fn pair() -> (UnixStream, UnixStream) {
        UnixStream::pair().unwrap()
    }

    #[inline(always)]
    fn send(socket: &UnixStream, bytes: &[u8]) -> usize {
        socket.write(bytes).unwrap()
    }

    #[inline(always)]
    fn recv(socket: &UnixStream, buf: &mut [u8]) -> usize {
        socket.read(buf).unwrap()
    }

    #[inline(always)]
    fn send_all(socket: &UnixStream, bytes: &[u8]) {
        socket.write_all(bytes).unwrap();
    }

    #[inline(always)]
    fn recv_all(socket: &UnixStream, buf: &mut [u8]) {
        socket.read_exact(buf).unwrap();
    }
}

/// Implements `Messages` for datagrams and for sequenced packets, which have the same methods.
pub(crate) struct MessagesOf<T>(T);

impl<T: sunpath::socket::Messages> Messages for MessagesOf<T> {
    type Socket = sunpath::Socket<T>;

    fn pair() -> (Self::Socket, Self::Socket) {
        sunpath::Socket::pair().unwrap()
    }

    #[inline(always)]
    fn send(socket: &Self::Socket, bytes: &[u8]) -> usize {
        socket.send(bytes).unwrap();
        bytes.len()
    }

    #[inline(always)]
    fn recv(socket: &Self::Socket, buf: &mut [u8]) -> usize {
        socket.recv(buf).unwrap().len()
    }
}

impl ByAddress for Peer {
    type Socket = UnixDatagram;

    fn bind(path: &[u8]) -> UnixDatagram {
        UnixDatagram::bind(path).unwrap()
    }

    #[inline(always)]
    fn send_to(socket: &UnixDatagram, bytes: &[u8], to: &[u8]) -> usize {
        let to = UnixAddr::from_pathname(to).unwrap();
        socket.send_to(bytes, &to).unwrap();
        bytes.len()
    }

    #[inline(always)]
    fn recv_from(socket: &UnixDatagram, buf: &mut [u8]) -> (usize, Seen) {
        let (received, from) = socket.recv_from(buf).unwrap();
        (received.len(), view(from.name()))
    }
}

const LARGEST: usize = BATCHES[BATCHES.len() - 1];

impl Batch for Peer {
    type Socket = UnixDatagram;
    type Tx = SendSlots<LARGEST>;
    type Rx = RecvBatch<'static, DATAGRAM>;

    fn pair() -> (UnixDatagram, UnixDatagram) {
        UnixDatagram::pair().unwrap()
    }

    fn tx(_: usize) -> Self::Tx {
        SendSlots::new()
    }

    fn rx(count: usize) -> Self::Rx {
        let room = Box::leak(Box::new(RecvSlots::<LARGEST>::new()));
        RecvBatch::new(room, Vec::leak(vec![[0; DATAGRAM]; count]))
    }

    #[inline(always)]
    fn send(socket: &UnixDatagram, slots: &mut Self::Tx, data: &[[u8; DATAGRAM]]) -> usize {
        let mut batch = SendBatch::new(slots);
        let messages = data.iter().map(|bytes| Outgoing::from_bytes(bytes));
        batch.push_all(messages).unwrap();
        socket.sendmmsg(&mut batch).unwrap();
        data.len()
    }

    #[inline(always)]
    fn recv(socket: &UnixDatagram, rx: &mut Self::Rx) -> usize {
        let count = socket.recvmmsg(rx).unwrap();
        for message in rx.arrivals() {
            assert!(message.bytes().len() == DATAGRAM);
        }
        count
    }
}

impl Descriptors for Peer {
    type Socket = UnixStream;

    fn pair() -> (UnixStream, UnixStream) {
        UnixStream::pair().unwrap()
    }

    #[inline(always)]
    fn send(socket: &UnixStream, fds: &[RawFd]) {
        let fds = borrowed(fds);
        match fds {
            [fd] => socket.send_fd(fd).unwrap(),
            fds => socket.send_fds(b"x", fds).unwrap(),
        }
    }

    #[inline(always)]
    fn recv_and_close(socket: &UnixStream, most: usize) -> usize {
        match most {
            1 => {
                drop(socket.recv_fd().unwrap());
                1
            }
            4 => received::<4>(socket).len(),
            _ => received::<MOST_FDS>(socket).len(),
        }
    }
}

#[inline(always)]
fn received<const MOST: usize>(socket: &UnixStream) -> Vec<OwnedFd> {
    let mut control = ControlBuffer::<Rights<MOST>>::new();
    let mut byte = [0];
    let message = socket
        .recvmsg(&mut [IoSliceMut::new(&mut byte)], &mut control)
        .unwrap();
    message.into_control().unwrap().rights().collect()
}

fn main() {
    Bench::from_args()
        .address::<Peer>()
        .work("address.constant", |count| {
            const ADDR: UnixAddr = addr!("/run/app/control.sock");
            repeat(count, || escape(&ADDR));
        })
        .parse::<Peer>()
        .stream::<Peer>()
        .messages::<MessagesOf<sunpath::Datagram>>("datagram")
        .one_way::<MessagesOf<sunpath::Datagram>>()
        .messages::<MessagesOf<sunpath::Seqpacket>>("seqpacket")
        .by_address::<Peer>()
        .batch::<Peer>()
        .descriptors::<Peer>()
        .finish();
}
