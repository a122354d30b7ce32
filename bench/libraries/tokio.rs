//! The workloads with tokio (`tokio::net`), on a runtime of one thread. tokio reads only addresses
//! that its own calls returned, and makes no addresses.

use std::os::unix::ffi::OsStrExt;

use sunpath_bench::{
    BULK, Bench, Clock, DATAGRAM, Kind, as_path, block_on, opaque_slice, pages, seen, socket_path,
    unlink,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixDatagram, UnixListener, UnixStream};

async fn connect(count: u64) {
    let path = socket_path("connect");
    let listener = UnixListener::bind(as_path(&path)).unwrap();
    let clock = Clock::start();
    for _ in 0..count {
        let client = UnixStream::connect(as_path(opaque_slice(&path)))
            .await
            .unwrap();
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

async fn round_trip_of_datagrams(count: u64) {
    let (a, b) = UnixDatagram::pair().unwrap();
    let (mut there, mut back) = ([7], [0]);
    let clock = Clock::start();
    for _ in 0..count {
        a.send(opaque_slice(&back)).await.unwrap();
        b.recv(&mut there).await.unwrap();
        b.send(opaque_slice(&there)).await.unwrap();
        a.recv(&mut back).await.unwrap();
    }
    clock.stop();
}

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
    let a = UnixDatagram::bind(as_path(&paths.0)).unwrap();
    let b = UnixDatagram::bind(as_path(&paths.1)).unwrap();
    let (tx, mut rx) = ([7; DATAGRAM], [0; DATAGRAM]);
    let clock = Clock::start();
    for _ in 0..count {
        let to = as_path(opaque_slice(&paths.1));
        assert!(a.send_to(opaque_slice(&tx), to).await.unwrap() == DATAGRAM);
        let (received, from) = b.recv_from(&mut rx).await.unwrap();
        assert!(received == DATAGRAM);
        seen(
            Kind::Pathname,
            from.as_pathname().unwrap().as_os_str().as_bytes(),
        );
    }
    clock.stop();
    unlink(&paths.0);
    unlink(&paths.1);
}

async fn datagrams(count: u64) {
    let (a, b) = UnixDatagram::pair().unwrap();
    let clock = Clock::start();
    for _ in 0..count {
        assert!(a.send(&[7; DATAGRAM]).await.unwrap() == DATAGRAM);
        assert!(b.recv(&mut [0; DATAGRAM]).await.unwrap() == DATAGRAM);
    }
    clock.stop();
}

fn main() {
    Bench::from_args()
        .work("connect", |count| block_on(connect(count)))
        .work("roundtrip.stream", |count| {
            block_on(round_trip_of_streams(count))
        })
        .work("roundtrip.datagram", |count| {
            block_on(round_trip_of_datagrams(count))
        })
        .work("bulk", |count| block_on(bulk(count)))
        .work("sendto", |count| block_on(datagrams_by_address(count)))
        .work("oneway.datagram", |count| block_on(datagrams(count)))
        .finish();
}
