//! The workloads with the forms of sunpath that take the fewest instructions. All of them are documented.

use std::os::fd::RawFd;

use sunpath::ancillary::{ControlBuffer, Rights};
use sunpath::fd::IoSliceMut;
use sunpath::{UnixAddr, UnixDatagram, UnixListener, UnixStream, addr};
use sunpath_bench::{
    Bench, ByAddress, Descriptors, MOST_FDS, Parse, Seen, Stream, borrowed, escape, libc, name,
    opaque_slice, repeat,
};

// A round trip and a batch have no cheaper form than the ordinary one.
#[path = "sunpath.rs"]
#[allow(
    dead_code,
    reason = "it is the ordinary program, of which parts are taken"
)]
mod ordinary;

use ordinary::{MessagesOf, Peer as Ordinary, view};

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

impl Parse for Peer {
    #[inline(always)]
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
        if most == 4 {
            let (_, fds) = socket.recv_fds::<4>(&mut [0]).unwrap();
            return fds.len();
        }
        let mut room = ControlBuffer::<Rights<MOST_FDS>>::new();
        let mut byte = [0];
        let message = socket
            .recvmsg(&mut [IoSliceMut::new(&mut byte)], &mut room)
            .unwrap();
        let fds = message.into_control().unwrap().take_rights::<MOST_FDS>();
        fds.len()
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
        .batch::<Ordinary>()
        .descriptors::<Peer>()
        .finish();
}
