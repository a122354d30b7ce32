//! Tests of datagram sockets.

use std::fs;
use std::future::{Future, poll_fn};
use std::io::{ErrorKind, IoSlice, IoSliceMut, Result};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::pin::pin;
use std::time::Duration;

use crate::{assert_is_other_end, fresh, turns};
use sunpath::ancillary::{Control, Outgoing, SendBatch, SendSlots};
use sunpath::{BindOptions, Dir, Errno, UnixAddr};
use sunpath_tokio::{SocketExt, UnixDatagram, UnixSeqpacket, UnixStream};
use tokio::io::{AsyncReadExt, Interest};
use tokio::{select, task, try_join};

#[tokio::test]
async fn datagram_carries_descriptors_to_an_address() -> Result<()> {
    let (dir, path) = fresh();
    let server = UnixDatagram::try_from(BindOptions::new().bind_datagram(&path)?)?;
    assert!(server.file().is_some());
    let (addr, client) = (server.local_addr()?, UnixDatagram::unbound()?);
    let (kept, given) = UnixStream::pair()?;
    let fds = [given.as_fd()];
    let control = [Control::Rights(&fds)];
    let slices = [IoSlice::new(b"a "), IoSlice::new(b"stream")];
    client.sendmsg_to(&slices, &control, &addr).await?;
    client.try_sendmsg_to(&slices, &[], &addr)?;
    drop(given);
    let mut buf = [0; 8];
    let (received, [fd]) = server.recv_fds(&mut buf).await?;
    assert_eq!((received.len(), &buf), (8, b"a stream"));
    assert_is_other_end(fd, &kept).await?;
    server.readable().await?;
    assert_eq!(server.try_peek_from(&mut buf)?.0.len(), 8);
    assert_eq!(server.try_recv_from(&mut buf)?.0.len(), 8);
    let full = loop {
        if let Err(error) = client.try_sendmsg_to(&slices, &[], &addr) {
            break error;
        }
    };
    assert_eq!(full.kind(), ErrorKind::WouldBlock);

    let open = Dir::open(dir.path())?;
    let other = UnixDatagram::bind_at(&open, "b.sock")?;
    assert!(dir.path().join("b.sock").exists());
    other.connect_to(&addr)?;
    assert_eq!(other.peer_addr()?, addr);
    Ok(())
}

#[tokio::test]
async fn datagram_is_bound_with_options_and_removes_its_file() -> Result<()> {
    let (dir, path) = fresh();
    let server = UnixDatagram::from_bound(BindOptions::new().mode(0o620).bind_datagram(&path)?)?;
    assert_eq!(fs::metadata(&path)?.permissions().mode() & 0o777, 0o620);
    assert!(
        server
            .file()
            .is_some_and(|file| file.is_in_place().unwrap())
    );
    let client = UnixDatagram::bind(dir.path().join("b.sock"))?;
    client
        .send_to(b"to", &UnixAddr::from_pathname(&path).unwrap())
        .await?;
    let mut buf = [0; 8];
    let (received, from) = server.recv_from(&mut buf).await?;
    assert_eq!((received.len(), from), (2, client.local_addr()?));
    client.connect(&path)?;
    client.send(b"connected").await?;
    assert!(server.peek(&mut buf).await?.is_truncated());
    assert_eq!(server.try_recv_from(&mut buf)?.0.true_len(), Some(9));
    server.close_and_unlink().await?;
    assert!(!path.exists());
    let dropped = UnixDatagram::from_bound(BindOptions::new().bind_datagram(&path)?)?;
    drop(dropped);
    assert!(!path.exists());
    Ok(())
}

#[tokio::test]
async fn datagram_that_was_shut_down_for_receiving_reports_the_end_and_does_not_spin() -> Result<()>
{
    let (ours, theirs) = UnixDatagram::pair()?;
    ours.send(b"last").await?;
    theirs.as_socket().shutdown(sunpath::Shutdown::Read)?;
    assert_eq!(theirs.recv(&mut [0; 8]).await?.len(), 4);
    let ended = theirs.recv(&mut [0; 8]).await.unwrap_err();
    assert_eq!(ended.kind(), ErrorKind::UnexpectedEof);
    let ended = theirs.recv_fd().await.unwrap_err();
    assert_eq!(ended.kind(), ErrorKind::UnexpectedEof);

    let (ours, mut theirs) = UnixStream::pair()?;
    theirs.as_socket().shutdown(sunpath::Shutdown::Both)?;
    assert_eq!(AsyncReadExt::read(&mut theirs, &mut [0; 8]).await?, 0);
    assert_eq!(ours.read(&mut [0; 8]).await?, 0);
    let (ours, theirs) = UnixSeqpacket::pair()?;
    drop(ours);
    assert_eq!(theirs.recv(&mut [0; 8]).await?.len(), 0);
    Ok(())
}

#[tokio::test]
async fn tokio_datagram_that_was_shut_down_for_receiving_reports_the_end_and_does_not_spin()
-> Result<()> {
    let (ours, theirs) = tokio::net::UnixDatagram::pair()?;
    ours.send_fd(&ours).await?;
    theirs.shutdown(std::net::Shutdown::Read)?;
    theirs.recv_fd().await?;
    let ended = at_most(1000, theirs.recv_fd()).await.unwrap_err();
    assert_eq!(ended.kind(), ErrorKind::UnexpectedEof);
    let mut buf = [0; 8];
    let ended = at_most(1000, theirs.recvmsg::<()>(&mut [IoSliceMut::new(&mut buf)])).await;
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn datagram_send_to_a_receiver_that_others_have_filled_waits_and_does_not_spin() -> Result<()>
{
    let (_dir, path) = fresh();
    let server = UnixDatagram::bind(&path)?;
    let addr = server.local_addr()?;
    let (other, late) = (UnixDatagram::unbound()?, UnixDatagram::unbound()?);
    let mut filled = 0;
    while other.try_send_to(b"other", &addr).is_ok() {
        filled += 1;
    }
    assert!(filled > 0);
    let mut send = pin!(at_most(1000, late.send_to(b"late", &addr)));
    select! { biased;
        _ = send.as_mut() => panic!("the queue is full"),
        () = tokio::time::sleep(Duration::from_secs(10)) => {}
    }
    for _ in 0..filled {
        assert_eq!(server.recv(&mut [0; 8]).await?.len(), 5);
    }
    send.await?;
    assert_eq!(server.recv(&mut [0; 8]).await?.len(), 4);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn datagram_batch_to_a_receiver_that_is_full_waits_and_does_not_spin() -> Result<()> {
    let (_dir, path) = fresh();
    let server = UnixDatagram::bind(&path)?;
    let (addr, client) = (server.local_addr()?, UnixDatagram::unbound()?);
    let other = UnixDatagram::unbound()?;
    let mut filled = 0;
    while other.try_send_to(b"other", &addr).is_ok() {
        filled += 1;
    }
    let bytes: Vec<[u8; 2]> = (0..1000_u16).map(u16::to_le_bytes).collect();
    let mut slots = SendSlots::<1000>::new();
    let mut batch = SendBatch::new(&mut slots);
    batch.push_all(bytes.iter().map(|b| Outgoing::from_bytes(b).to(&addr)))?;
    let mut send = pin!(at_most(1000, client.sendmmsg(&mut batch)));
    select! { biased;
        _ = send.as_mut() => panic!("the queue is full"),
        () = tokio::time::sleep(Duration::from_secs(10)) => {}
    }
    let receive = async {
        let mut buf = [0; 8];
        for _ in 0..filled {
            assert_eq!(server.recv(&mut buf).await?.len(), 5);
        }
        for expected in &bytes {
            assert_eq!(server.recv(&mut buf).await?.len(), 2);
            assert_eq!(&buf[..2], expected);
        }
        Result::Ok(())
    };
    try_join!(send, receive)?;
    Ok(())
}

/// Polls a future, and panics if that takes more than this many polls.
async fn at_most<F: Future>(polls: usize, future: F) -> F::Output {
    let (mut future, mut left) = (pin!(future), polls);
    poll_fn(|cx| {
        left = left.checked_sub(1).expect("the future spins");
        future.as_mut().poll(cx)
    })
    .await
}

#[tokio::test]
async fn datagram_send_to_in_a_loop_lets_other_tasks_run() -> Result<()> {
    let (_dir, path) = fresh();
    let server = UnixDatagram::bind(&path)?;
    let (addr, client) = (server.local_addr()?, UnixDatagram::unbound()?);
    let other = task::spawn(async {});
    for _ in 0..1000 {
        client.send_to(b"hello", &addr).await?;
        assert_eq!(server.as_socket().recv(&mut [0; 8])?.len(), 5);
    }
    assert!(other.is_finished());
    Ok(())
}

#[tokio::test]
async fn datagram_that_was_left_by_its_peer_waits_for_another_one() -> Result<()> {
    let (_dir, path) = fresh();
    let server = UnixDatagram::bind(&path)?;
    let (ours, theirs) = UnixDatagram::pair()?;
    ours.send(b"lost").await?;
    theirs.connect(&path)?;
    turns().await; // the runtime sees the error
    assert_eq!(ours.as_socket().take_error()?, Some(Errno::ECONNRESET));
    ours.connect(&path)?;
    while ours.as_socket().send(b"early").is_ok() {}
    let mut calls = 0;
    let send = ours.async_io(Interest::WRITABLE, |socket| {
        calls += 1;
        assert!(calls < 1000, "the call is made again and again");
        socket.send(b"late")
    });
    let receive = async {
        loop {
            if server.recv(&mut [0; 8]).await?.len() == 4 {
                return Result::Ok(());
            }
        }
    };
    try_join!(send, receive)?;
    Ok(())
}
