//! The workloads with sunpath.

use std::os::fd::RawFd;

use sunpath::ancillary::{
    ControlBuffer, Outgoing, RecvBatch, RecvSlots, Rights, SendBatch, SendSlots,
};
use sunpath::fd::{IoSlice, IoSliceMut};
use sunpath::{SunPath, UnixAddr, UnixDatagram, UnixListener, UnixStream, addr};
use sunpath_bench::{
    BATCHES, Batch, Bench, ByAddress, DATAGRAM, Descriptors, Kind, MOST_FDS, Messages, Parse, Seen,
    Stream, borrowed, escape, libc, name, opaque_slice, repeat, seen,
};

struct Peer;

/// Writes each name into the same address, as a program can that keeps one.
fn addresses(bench: Bench) -> Bench {
    let paths = [("address.path20", 20), ("address.path107", 107)];
    let bench = paths.into_iter().fold(bench, |bench, (key, len)| {
        bench.work(key, |count| {
            let (path, mut addr) = (name(len), UnixAddr::unnamed());
            repeat(count, || {
                addr.set_pathname(opaque_slice(&path)).unwrap();
                escape(&addr);
            });
        })
    });
    bench
        .work("address.abstract20", |count| {
            let (name, mut addr) = (name(20), UnixAddr::unnamed());
            repeat(count, || {
                addr.set_abstract(opaque_slice(&name)).unwrap();
                escape(&addr);
            });
        })
        .work("address.constant", |count| {
            const ADDR: UnixAddr = addr!("/run/app/control.sock");
            repeat(count, || escape(&ADDR));
        })
}

#[inline(always)]
fn view(name: SunPath<'_>) -> Seen {
    match name {
        SunPath::Pathname(path) => seen(Kind::Pathname, path),
        SunPath::Abstract(name) => seen(Kind::Abstract, name),
        _ => seen(Kind::Unnamed, b""),
    }
}

impl Parse for Peer {
    fn parse(addr: &libc::sockaddr_un, len: libc::socklen_t) -> Seen {
        view(sunpath::sys::sun_path_counted(addr, len))
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
        listener.incoming().next().unwrap().unwrap()
    }

    fn pair() -> (UnixStream, UnixStream) {
        UnixStream::pair().unwrap()
    }

    fn send(socket: &UnixStream, bytes: &[u8]) -> usize {
        socket.write(bytes).unwrap()
    }

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

/// Implements `Messages` for datagrams and for sequenced packets, which have the same calls here.
struct MessagesOf<T>(T);

impl<T: sunpath::socket::Messages> Messages for MessagesOf<T> {
    type Socket = sunpath::Socket<T>;

    fn pair() -> (Self::Socket, Self::Socket) {
        sunpath::Socket::pair().unwrap()
    }

    fn send(socket: &Self::Socket, bytes: &[u8]) -> usize {
        socket.send(bytes).unwrap();
        bytes.len()
    }

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
        let mut addr = UnixAddr::unnamed();
        addr.set_pathname(to).unwrap();
        socket.send_to(bytes, &addr).unwrap();
        bytes.len()
    }

    #[inline(always)]
    fn recv_from(socket: &UnixDatagram, buf: &mut [u8]) -> (usize, Seen) {
        let mut from = UnixAddr::unnamed();
        let received = socket.recv_from_into(buf, &mut from).unwrap();
        (received.len(), view(from.name()))
    }
}

const LARGEST: usize = BATCHES[BATCHES.len() - 1];

impl Batch for Peer {
    type Socket = UnixDatagram;
    type Tx = SendBatch<'static>;
    type Rx = RecvBatch<'static, DATAGRAM>;

    fn pair() -> (UnixDatagram, UnixDatagram) {
        UnixDatagram::pair().unwrap()
    }

    fn tx(count: usize) -> Self::Tx {
        let mut batch = SendBatch::new(Box::leak(Box::new(SendSlots::<LARGEST>::new())));
        for data in Vec::leak(vec![[IoSlice::new(&[7; DATAGRAM])]; count]) {
            batch.push(Outgoing::new(data)).unwrap();
        }
        batch
    }

    fn rx(count: usize) -> Self::Rx {
        let room = Box::leak(Box::new(RecvSlots::<LARGEST>::new()));
        RecvBatch::new(room, Vec::leak(vec![[0; DATAGRAM]; count]))
    }

    #[inline(always)]
    fn send(socket: &UnixDatagram, tx: &mut Self::Tx) -> usize {
        tx.rewind();
        let count = tx.len();
        socket.sendmmsg(tx).unwrap();
        count
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
        if most == 1 {
            drop(socket.recv_fd().unwrap());
            return 1;
        }
        let mut room = ControlBuffer::<Rights<MOST_FDS>>::new();
        let mut byte = [0];
        let message = socket
            .recvmsg(&mut [IoSliceMut::new(&mut byte)], &mut room)
            .unwrap();
        let mut control = message.into_control().unwrap();
        control.rights().len()
    }
}

fn main() {
    addresses(Bench::from_args())
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
