//! The workloads with sunpath's sockets over tokio's `AsyncFd`, on a runtime of one thread.

use std::io;
use std::os::fd::AsRawFd;

use sunpath::socket::{Kind as SocketKind, Messages};
use sunpath::{Error, Socket, Stream, SunPath, UnixAddr, UnixDatagram, UnixListener, UnixStream};
use sunpath_bench::{
    BULK, Bench, Clock, DATAGRAM, Kind, block_on, borrowed, opaque_slice, open_fds, pages, seen,
    socket_path, unlink,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Registers a nonblocking socket with the runtime, which can then wait until the socket is ready.
fn registered<T: AsRawFd>(socket: T) -> AsyncFd<T> {
    // SAFETY: the sockets of sunpath own one descriptor, and keep it for as long as they live.
    unsafe { AsyncFd::register(socket) }.unwrap()
}

fn waiting<T: SocketKind>(socket: Socket<T>) -> AsyncFd<Socket<T>> {
    socket.set_nonblocking(true).unwrap();
    registered(socket)
}

fn pair<T: SocketKind>() -> (AsyncFd<Socket<T>>, AsyncFd<Socket<T>>) {
    let (a, b) = Socket::pair().unwrap();
    (waiting(a), waiting(b))
}

/// Makes a call as soon as the socket is ready for it.
async fn when<T: AsRawFd, R>(
    interest: Interest,
    socket: &AsyncFd<T>,
    mut call: impl FnMut(&T) -> Result<R, Error>,
) -> R {
    // Only the errno is kept, because AsyncFd drops the error of a call that would have to wait.
    let call = |socket: &T| call(socket).map_err(|error| io::Error::from(error.errno()));
    socket.async_io(interest, call).await.unwrap()
}

const READ: Interest = Interest::READABLE;
const WRITE: Interest = Interest::WRITABLE;

async fn connect(count: u64) {
    let path = socket_path("connect");
    let listener = UnixListener::bind(&path[..]).unwrap();
    listener.set_nonblocking(true).unwrap();
    let listener = registered(listener);
    let clock = Clock::start();
    for _ in 0..count {
        let client = waiting(UnixStream::connect(opaque_slice(&path)).unwrap());
        let (server, _) = when(READ, &listener, UnixListener::accept).await;
        drop(waiting(server));
        drop(client);
    }
    clock.stop();
    unlink(&path);
}

async fn round_trip_of_streams(count: u64) {
    let (a, b) = pair::<Stream>();
    let (mut there, mut back) = ([7], [0]);
    let clock = Clock::start();
    for _ in 0..count {
        assert!(when(WRITE, &a, |a| a.write(opaque_slice(&back))).await == 1);
        assert!(when(READ, &b, |b| b.read(&mut there)).await == 1);
        assert!(when(WRITE, &b, |b| b.write(opaque_slice(&there))).await == 1);
        assert!(when(READ, &a, |a| a.read(&mut back)).await == 1);
    }
    clock.stop();
}

async fn round_trip_of_messages<T: Messages>(count: u64) {
    let (a, b) = pair::<T>();
    let (mut there, mut back) = ([7], [0]);
    let clock = Clock::start();
    for _ in 0..count {
        when(WRITE, &a, |a| a.send(opaque_slice(&back))).await;
        assert!(when(READ, &b, |b| b.recv(&mut there)).await.len() == 1);
        when(WRITE, &b, |b| b.send(opaque_slice(&there))).await;
        assert!(when(READ, &a, |a| a.recv(&mut back)).await.len() == 1);
    }
    clock.stop();
}

async fn bulk(count: u64) {
    let (a, b) = pair::<Stream>();
    let (tx, rx) = (pages(BULK), pages(BULK));
    let clock = Clock::start();
    for _ in 0..count {
        let mut done = 0;
        while done < BULK {
            done += when(WRITE, &a, |a| a.write(opaque_slice(&tx[done..]))).await;
        }
        done = 0;
        while done < BULK {
            done += when(READ, &b, |b| b.read(&mut rx[done..])).await;
        }
    }
    clock.stop();
}

async fn datagrams_by_address(count: u64) {
    let paths = (socket_path("from"), socket_path("to"));
    let a = waiting(UnixDatagram::bind(&paths.0[..]).unwrap());
    let b = waiting(UnixDatagram::bind(&paths.1[..]).unwrap());
    let (tx, mut rx) = ([7; DATAGRAM], [0; DATAGRAM]);
    let clock = Clock::start();
    for _ in 0..count {
        let to = UnixAddr::from_pathname(opaque_slice(&paths.1)).unwrap();
        when(WRITE, &a, |a| a.send_to(opaque_slice(&tx), &to)).await;
        let (received, from) = when(READ, &b, |b| b.recv_from(&mut rx)).await;
        assert!(received.len() == DATAGRAM);
        match from.name() {
            SunPath::Pathname(path) => seen(Kind::Pathname, path),
            other => panic!("a sender without a path: {other:?}"),
        };
    }
    clock.stop();
    unlink(&paths.0);
    unlink(&paths.1);
}

async fn datagrams(count: u64) {
    let (a, b) = pair::<sunpath::Datagram>();
    let clock = Clock::start();
    for _ in 0..count {
        when(WRITE, &a, |a| a.send(&[7; DATAGRAM])).await;
        let received = when(READ, &b, |b| b.recv(&mut [0; DATAGRAM])).await;
        assert!(received.len() == DATAGRAM);
    }
    clock.stop();
}

async fn descriptor(count: u64) {
    let (a, b) = pair::<Stream>();
    let fds = open_fds(1);
    let clock = Clock::start();
    for _ in 0..count {
        let fd = &borrowed(opaque_slice(&fds))[0];
        when(WRITE, &a, |a| a.send_fd(fd)).await;
        drop(when(READ, &b, UnixStream::recv_fd).await);
    }
    clock.stop();
}

fn main() {
    Bench::from_args()
        .work("connect", |count| block_on(connect(count)))
        .work("roundtrip.stream", |count| {
            block_on(round_trip_of_streams(count));
        })
        .work("roundtrip.datagram", |count| {
            block_on(round_trip_of_messages::<sunpath::Datagram>(count));
        })
        .work("roundtrip.seqpacket", |count| {
            block_on(round_trip_of_messages::<sunpath::Seqpacket>(count));
        })
        .work("bulk", |count| block_on(bulk(count)))
        .work("sendto", |count| block_on(datagrams_by_address(count)))
        .work("oneway.datagram", |count| block_on(datagrams(count)))
        .work("fd.1", |count| block_on(descriptor(count)))
        .finish();
}
