//! The workloads with sunpath-tokio (`crates/tokio`), on a runtime of one thread.

use std::os::fd::OwnedFd;

use sunpath_bench::{
    BULK, Bench, Clock, DATAGRAM, Kind, block_on, borrowed, opaque_slice, open_fds, pages, seen,
    socket_path, unlink,
};
use sunpath_tokio::sunpath::{SunPath, UnixAddr};
use sunpath_tokio::{UnixDatagram, UnixListener, UnixSeqpacket, UnixStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn connect(count: u64) {
    let path = socket_path("connect");
    let listener = UnixListener::bind(&path[..]).unwrap();
    let clock = Clock::start();
    for _ in 0..count {
        let client = UnixStream::connect(opaque_slice(&path)).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        drop(server);
        drop(client);
    }
    clock.stop();
    unlink(&path);
}

async fn round_trip_of_streams(count: u64) {
    let (mut a, mut b) = UnixStream::pair().unwrap();
    let (mut there, mut back) = ([7], [0]);
    let clock = Clock::start();
    for _ in 0..count {
        a.write_all(opaque_slice(&back)).await.unwrap();
        b.read_exact(&mut there).await.unwrap();
        b.write_all(opaque_slice(&there)).await.unwrap();
        a.read_exact(&mut back).await.unwrap();
    }
    clock.stop();
}

macro_rules! round_trip_of_messages {
    ($name:ident, $Socket:ident) => {
        async fn $name(count: u64) {
            let (a, b) = $Socket::pair().unwrap();
            let (mut there, mut back) = ([7], [0]);
            let clock = Clock::start();
            for _ in 0..count {
                a.send(opaque_slice(&back)).await.unwrap();
                assert!(b.recv(&mut there).await.unwrap().len() == 1);
                b.send(opaque_slice(&there)).await.unwrap();
                assert!(a.recv(&mut back).await.unwrap().len() == 1);
            }
            clock.stop();
        }
    };
}

round_trip_of_messages!(round_trip_of_datagrams, UnixDatagram);
round_trip_of_messages!(round_trip_of_records, UnixSeqpacket);

async fn bulk(count: u64) {
    let (mut a, mut b) = UnixStream::pair().unwrap();
    let (tx, rx) = (pages(BULK), pages(BULK));
    let clock = Clock::start();
    for _ in 0..count {
        a.write_all(opaque_slice(tx)).await.unwrap();
        b.read_exact(rx).await.unwrap();
    }
    clock.stop();
}

async fn datagrams_by_address(count: u64) {
    let paths = (socket_path("from"), socket_path("to"));
    let a = UnixDatagram::bind(&paths.0[..]).unwrap();
    let b = UnixDatagram::bind(&paths.1[..]).unwrap();
    let (tx, mut rx) = ([7; DATAGRAM], [0; DATAGRAM]);
    let clock = Clock::start();
    for _ in 0..count {
        let to = UnixAddr::from_pathname(opaque_slice(&paths.1)).unwrap();
        a.send_to(opaque_slice(&tx), &to).await.unwrap();
        let (received, from) = b.recv_from(&mut rx).await.unwrap();
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
    let (a, b) = UnixDatagram::pair().unwrap();
    let clock = Clock::start();
    for _ in 0..count {
        a.send(&[7; DATAGRAM]).await.unwrap();
        let received = b.recv(&mut [0; DATAGRAM]).await.unwrap();
        assert!(received.len() == DATAGRAM);
    }
    clock.stop();
}

async fn descriptor(count: u64) {
    let (a, b) = UnixStream::pair().unwrap();
    let fds = open_fds(1);
    let clock = Clock::start();
    for _ in 0..count {
        let fd = &borrowed(opaque_slice(&fds))[0];
        a.send_fd(fd).await.unwrap();
        drop(b.recv_fd().await.unwrap());
    }
    clock.stop();
}

async fn four_descriptors(count: u64) {
    let (a, b) = UnixStream::pair().unwrap();
    let fds = open_fds(4);
    let mut buf = [0];
    let clock = Clock::start();
    for _ in 0..count {
        let fds = borrowed(opaque_slice(&fds));
        assert!(a.send_fds(&[7], fds).await.unwrap() == 1);
        let (_, received): (_, [OwnedFd; 4]) = b.recv_fds(&mut buf).await.unwrap();
        drop(received);
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
            block_on(round_trip_of_datagrams(count));
        })
        .work("roundtrip.seqpacket", |count| {
            block_on(round_trip_of_records(count));
        })
        .work("bulk", |count| block_on(bulk(count)))
        .work("sendto", |count| block_on(datagrams_by_address(count)))
        .work("oneway.datagram", |count| block_on(datagrams(count)))
        .work("fd.1", |count| block_on(descriptor(count)))
        .work("fd.4", |count| block_on(four_descriptors(count)))
        .finish();
}
