//! Tests the sockets of every kind: that they have what the blocking ones have, and wait for it.

mod datagram;
#[path = "../../../../tests/skip/mod.rs"]
mod skip;

use std::fs;
use std::future::Future;
use std::io::{ErrorKind, IoSlice, IoSliceMut, Result};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use sunpath::ancillary::{
    Control, Credentials, Outgoing, RecvBatch, RecvSlots, Rights, SendBatch, SendSlots,
};
use sunpath::{BindOptions, CWD, ConnectOptions, Errno, Existing, SocketRef, UnixAddr};
use sunpath_tokio::{
    Listener, Seqpacket, Socket, SocketExt, Stream, UnixDatagram, UnixListener, UnixSeqpacket,
    UnixSeqpacketListener, UnixStream,
};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::{join, task, try_join};

fn fresh() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let path = dir.path().join("a.sock");
    (dir, path)
}

/// Checks that the last descriptor of a pair's end, which was sent, is `received`.
async fn assert_is_other_end(received: OwnedFd, kept: &UnixStream) -> Result<()> {
    UnixStream::try_from(received)?.write(b"hello").await?;
    let mut buf = [0; 8];
    assert_eq!(kept.read(&mut buf).await?, 5);
    assert_eq!(kept.read(&mut buf).await?, 0, "it was the last descriptor");
    Ok(())
}

#[tokio::test]
async fn stream_carries_bytes_by_the_traits_of_tokio() -> Result<()> {
    let (mut ours, mut theirs) = UnixStream::pair()?;
    let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| n as u8).collect();
    let send = async {
        ours.write_all(&bytes).await?;
        ours.shutdown().await
    };
    let mut received = Vec::new();
    let (sent, read) = join!(send, theirs.read_to_end(&mut received));
    sent?;
    assert_eq!((read?, &received), (bytes.len(), &bytes));

    let slices = [IoSlice::new(b"head"), IoSlice::new(b"body")];
    assert!(tokio::io::AsyncWrite::is_write_vectored(&theirs));
    assert_eq!(
        AsyncWriteExt::write_vectored(&mut theirs, &slices).await?,
        8
    );
    let (mut head, mut body) = ([0; 4], [0; 8]);
    let mut slices = [IoSliceMut::new(&mut head), IoSliceMut::new(&mut body)];
    assert_eq!(ours.read_vectored(&mut slices).await?, 8);
    assert_eq!((&head, &body[..4]), (b"head", &b"body"[..]));
    Ok(())
}

#[tokio::test]
async fn stream_halves_serve_two_tasks_and_are_reunited() -> Result<()> {
    let (mut ours, theirs) = UnixStream::pair()?;
    let (mut reader, mut writer) = theirs.into_split();
    let echo = task::spawn(async move {
        let mut buf = [0; 64];
        loop {
            match reader.read(&mut buf).await? {
                0 => return Ok::<_, std::io::Error>((reader, writer)),
                n => writer.write_all(&buf[..n]).await?,
            }
        }
    });
    {
        let (mut reader, mut writer) = ours.split();
        let mut buf = [0; 5];
        let (sent, received) = join!(writer.write_all(b"hello"), reader.read_exact(&mut buf));
        sent?;
        received?;
        assert_eq!(&buf, b"hello");
    }
    AsyncWriteExt::shutdown(&mut ours).await?;
    let (reader, writer) = echo.await.unwrap()?;
    let (_, foreign) = UnixStream::pair()?.0.into_split();
    let (reader, foreign) = reader.reunite(foreign).expect_err("another stream's half");
    drop(foreign);
    let theirs = reader.reunite(writer).expect("the halves of one stream");
    theirs.write(b"still").await?; // the direction has not ended
    assert_eq!(ours.read(&mut [0; 8]).await?, 5);
    let (reader, writer) = theirs.into_split();
    drop(writer);
    assert_eq!(
        ours.read(&mut [0; 8]).await?,
        0,
        "the half ended its direction"
    );
    drop(reader);
    Ok(())
}

/// A read that is short because it met a descriptor does not show that the stream is empty. If the next
/// read waited for the runtime, it would wait forever, because nothing more comes.
#[tokio::test]
async fn stream_read_that_met_a_control_message_does_not_wait_for_more() -> Result<()> {
    let (ours, mut theirs) = UnixStream::pair()?;
    theirs.readable_after(&ours).await?;
    ours.send_fds(b"one", &[ours.as_fd()]).await?;
    ours.write(b"two").await?;
    turns().await; // the runtime has seen both, and reports nothing more
    let mut buf = [0; 64];
    assert_eq!(AsyncReadExt::read(&mut theirs, &mut buf).await?, 3);
    assert_eq!(AsyncReadExt::read(&mut theirs, &mut buf).await?, 3);
    Ok(())
}

/// Yields several times, so that the runtime can check its sockets each time.
async fn turns() {
    for _ in 0..8 {
        task::yield_now().await;
    }
}

/// Lets the runtime see a socket as readable, and empties it again.
trait ReadableAfter {
    fn readable_after(&self, peer: &UnixStream) -> impl Future<Output = Result<()>>;
}

impl ReadableAfter for UnixStream {
    async fn readable_after(&self, peer: &UnixStream) -> Result<()> {
        peer.write(b"x").await?;
        self.readable().await?;
        self.read(&mut [0; 8]).await.map(drop)
    }
}

#[tokio::test]
async fn stream_passes_descriptors_and_credentials() -> Result<()> {
    let (ours, theirs) = UnixStream::pair()?;
    let (kept, given) = UnixStream::pair()?;
    let (received, sent) = join!(theirs.recv_fd(), ours.send_fd(&given));
    sent?;
    drop(given);
    assert_is_other_end(received?, &kept).await?;

    let (kept, given) = UnixStream::pair()?;
    assert_eq!(ours.send_fds(b"two", &[&given, &kept]).await?, 3);
    let mut buf = [0; 8];
    let (received, [first, second]) = theirs.recv_fds(&mut buf).await?;
    assert_eq!(&buf[..received.len()], b"two");
    drop((given, second));
    assert_is_other_end(first, &kept).await?;

    theirs.as_socket().set_pass_credentials(true)?;
    ours.send_with_credentials(b"me", Credentials::own())
        .await?;
    let (received, credentials) = theirs.recv_with_credentials(&mut buf).await?;
    assert_eq!((received.len(), credentials), (2, Some(Credentials::own())));

    let fds = [ours.as_fd()];
    let control = [
        Control::Rights(&fds),
        Control::Credentials(Credentials::own()),
    ];
    ours.sendmsg(&[IoSlice::new(b"both")], &control).await?;
    let mut bufs = [IoSliceMut::new(&mut buf)];
    let message = theirs
        .recvmsg::<(Rights<1>, Credentials)>(&mut bufs)
        .await?;
    let mut control = message.into_control()?;
    assert_eq!(control.rights().count(), 1);
    assert_eq!(control.credentials(), Some(Credentials::own()));
    Ok(())
}

#[tokio::test]
async fn stream_try_twins_report_would_block_and_then_succeed() -> Result<()> {
    let (ours, theirs) = UnixStream::pair()?;
    let mut buf = [0; 64];
    let blocked = |error: std::io::Error| error.kind() == ErrorKind::WouldBlock;
    assert!(blocked(theirs.try_read(&mut buf).unwrap_err()));
    assert!(blocked(theirs.try_recv_fd().unwrap_err()));
    assert!(blocked(theirs.try_recv_fds::<1>(&mut buf).unwrap_err()));
    assert_eq!(ours.try_write(b"one")?, 3);
    theirs.readable().await?;
    assert_eq!(theirs.try_read(&mut buf)?, 3);

    ours.writable().await?;
    ours.try_send_fd(&ours)?;
    assert_eq!(ours.try_send_fds(b"12", &[&ours, &theirs])?, 2);
    assert_eq!(ours.try_sendmsg(&[IoSlice::new(b"123")], &[])?, 3);
    theirs.readable().await?;
    drop(theirs.try_recv_fd()?);
    assert_eq!(theirs.try_recv_fds_up_to::<4>(&mut buf)?.1.len(), 2);
    let mut bufs = [IoSliceMut::new(&mut buf)];
    assert_eq!(theirs.try_recvmsg::<Rights<1>>(&mut bufs)?.len(), 3);
    assert!(blocked(theirs.try_recvmsg::<()>(&mut bufs).unwrap_err()));

    let full = loop {
        if let Err(error) = ours.try_write_vectored(&[IoSlice::new(&[0; 4096])]) {
            break error;
        }
    };
    assert!(blocked(full));
    let marked = theirs.async_io(Interest::READABLE, |socket| socket.at_mark());
    let _ = marked.await; // a kernel may be built without it; the call itself is made
    Ok(())
}

/// Those of streams and of all kinds that the test above does not call.
#[tokio::test]
async fn try_twins_have_what_the_futures_have() -> Result<()> {
    let blocked = |error: std::io::Error| error.kind() == ErrorKind::WouldBlock;
    let mut buf = [0; 8];
    let (ours, theirs) = UnixStream::pair()?;
    assert!(blocked(theirs.try_peek(&mut buf).unwrap_err()));
    theirs.as_socket().set_pass_credentials(true)?;
    let own = Credentials::own();
    assert_eq!(ours.try_send_with_credentials(b"me", own)?, 2);
    theirs.readable().await?;
    assert_eq!(theirs.try_peek(&mut buf)?, 2);
    let (received, credentials) = theirs.try_recv_with_credentials(&mut buf)?;
    assert_eq!((received.len(), credentials), (2, Some(own)));

    let (ours, theirs) = UnixSeqpacket::pair()?;
    assert!(blocked(theirs.try_peek(&mut buf).unwrap_err()));
    ours.try_send_vectored(&[IoSlice::new(b"t"), IoSlice::new(b"wo")])?;
    theirs.readable().await?;
    assert_eq!(theirs.try_peek(&mut buf)?.len(), 3);
    let (head, tail) = buf.split_at_mut(1);
    let mut bufs = [IoSliceMut::new(head), IoSliceMut::new(tail)];
    assert_eq!(theirs.try_recv_vectored(&mut bufs)?.len(), 3);
    assert!(blocked(theirs.try_recv_vectored(&mut bufs).unwrap_err()));
    assert_eq!(&buf[..3], b"two");

    // The messages that find no space stay in the batch.
    let bytes: Vec<[u8; 1000]> = (0..200).map(|number| [number; 1000]).collect();
    ours.as_socket().set_send_buffer_size(16384)?;
    let mut slots = SendSlots::<200>::new();
    let mut batch = SendBatch::new(&mut slots);
    batch.push_all(bytes.iter().map(|bytes| Outgoing::from_bytes(bytes)))?;
    ours.writable().await?;
    assert!(blocked(ours.try_sendmmsg(&mut batch).unwrap_err()));
    let sent = bytes.len() - batch.len();
    assert!(0 < sent && sent < bytes.len(), "{sent}");
    theirs.readable().await?;
    let (mut slots, mut bufs) = (RecvSlots::<200>::new(), [[0; 1000]; 200]);
    let mut arrived = RecvBatch::new(&mut slots, &mut bufs);
    assert_eq!(theirs.try_recvmmsg(&mut arrived)?, sent);
    for (number, message) in arrived.arrivals().enumerate() {
        assert_eq!(message.bytes(), [number as u8; 1000]);
    }
    assert!(blocked(theirs.try_recvmmsg(&mut arrived).unwrap_err()));
    Ok(())
}

#[tokio::test]
async fn seqpacket_keeps_its_records_in_single_calls_and_batches() -> Result<()> {
    let (_dir, path) = fresh();
    let bound = BindOptions::new().listen_seqpacket(&path)?;
    let listener = UnixSeqpacketListener::new(bound)?;
    let ours = UnixSeqpacket::connect(&path).await?;
    let (theirs, _) = listener.accept().await?;
    ours.send(b"one").await?;
    ours.send_vectored(&[IoSlice::new(b"t"), IoSlice::new(b"wo")])
        .await?;
    let mut buf = [0; 2];
    assert!(theirs.peek(&mut buf).await?.is_truncated());
    assert!(theirs.recv(&mut buf).await?.is_truncated());
    assert_eq!(theirs.recv(&mut [0; 64]).await?.len(), 3);
    assert!(theirs.try_recv(&mut buf).is_err());

    let messages = [
        [IoSlice::new(b"a")],
        [IoSlice::new(b"bb")],
        [IoSlice::new(b"ccc")],
    ];
    let fds = [ours.as_fd()];
    let control = [Control::Rights(&fds)];
    let mut slots = SendSlots::<4, Rights<1>>::new();
    let mut batch = SendBatch::new(&mut slots);
    for message in &messages {
        batch.push(Outgoing::new(message).control(&control))?;
    }
    let (mut slots, mut bufs) = (RecvSlots::<4, Rights<1>>::new(), [[0; 8]; 4]);
    let mut arrived = RecvBatch::new(&mut slots, &mut bufs);
    let (count, sent) = join!(theirs.recvmmsg(&mut arrived), ours.sendmmsg(&mut batch));
    sent?;
    assert_eq!(count?, 3);
    let lengths = arrived.arrivals().map(|message| {
        let (bytes, message) = message.into_message();
        (
            bytes.len(),
            message.into_control().unwrap().into_rights().count(),
        )
    });
    assert_eq!(lengths.collect::<Vec<_>>(), [(1, 1), (2, 1), (3, 1)]);
    Ok(())
}

/// The kernel reports such a socket as readable forever, and a nonblocking receive as one that would have
/// to wait.
/// The same on a socket that tokio owns.
/// The kernel reports a sender as writable each time that it has failed at a full queue of another
/// socket. The clock is paused and moves on only when nothing can run, so a send that spins would never
/// let the ten seconds pass.
/// The same for a batch whose messages have addresses. What was sent of it before the queue was full is
/// not sent again.
/// A datagram socket gets an error if its peer connects elsewhere without having received everything. The
/// runtime reports it as closed from then on, although it can be connected again.
/// The peer sends nothing any more, which must not end a call that waits to send.
#[tokio::test]
async fn stream_call_that_waits_for_both_directions_survives_the_end_of_one() -> Result<()> {
    let (ours, theirs) = UnixStream::pair()?;
    theirs.as_socket().shutdown(sunpath::Shutdown::Write)?;
    while ours.as_socket().write(&[0; 4096]).is_ok() {}
    turns().await; // the runtime sees the end
    let mut calls = 0;
    let write = ours.async_io(Interest::READABLE | Interest::WRITABLE, |socket| {
        calls += 1;
        assert!(calls < 1000, "the call is made again and again");
        socket.write(b"last")
    });
    let read = async {
        loop {
            let mut buf = [7; 4096];
            let n = theirs.read(&mut buf).await?;
            if buf[..n].ends_with(b"last") {
                return Result::Ok(());
            }
        }
    };
    assert_eq!(try_join!(write, read)?.0, 4);
    Ok(())
}

/// A read ends before an out-of-band byte, so a short read does not show that the stream is empty.
#[tokio::test]
async fn stream_read_goes_on_after_an_out_of_band_byte() -> Result<()> {
    let (ours, theirs) = UnixStream::pair()?;
    theirs.readable_after(&ours).await?;
    ours.write(b"one").await?;
    if ours.as_socket().send_oob(b"!").is_err() {
        skip::skip("a kernel with out-of-band bytes");
        return Ok(());
    }
    ours.write(b"three").await?;
    turns().await; // the runtime has seen all of it, and reports nothing more
    let mut buf = [0; 64];
    assert_eq!(theirs.read(&mut buf).await?, 3);
    assert_eq!(theirs.read(&mut buf).await?, 5);
    Ok(())
}

#[tokio::test]
async fn listener_has_mode_long_path_and_filter_and_removes_its_file() -> Result<()> {
    let (dir, _) = fresh();
    let deep = dir.path().join("d".repeat(200));
    fs::create_dir(&deep)?;
    let path = deep.join("a.sock");
    let listener = UnixListener::new(BindOptions::singleton().listen(&path)?)?;
    assert_eq!(fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
    let again = BindOptions::singleton().listen(&path).unwrap_err();
    assert_eq!(again.errno(), Errno::EADDRINUSE);

    let refused = UnixStream::connect(&path).await?;
    let admitted = UnixStream::connect_at(CWD, &path).await?;
    let mut first = true;
    let allowed = |_| !std::mem::replace(&mut first, false);
    let (server, _) = listener.accept_if(allowed).await?;
    assert_eq!(
        refused.read(&mut [0; 8]).await?,
        0,
        "the first one was disconnected"
    );
    server.write(b"hello").await?;
    assert_eq!(admitted.read(&mut [0; 8]).await?, 5);
    assert!(server.peer_cred()?.is_own_user());
    let mut groups = vec![0; server.as_socket().peer_group_count()?];
    server.peer_groups(&mut groups)?;
    if let Err(error) = server.peer_pidfd() {
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
    let others = ConnectOptions::new().require_peer(server.peer_cred()?.uid() + 1);
    let refused = UnixStream::connect_with(&others, &path).await.unwrap_err();
    assert_eq!(Errno::from_io_error(&refused), Some(Errno::EPERM));
    listener.close_and_unlink().await?;
    assert!(fs::read_dir(&deep)?.next().is_none(), "no file is left");
    Ok(())
}

#[tokio::test]
async fn listener_is_taken_over_and_the_old_one_leaves_the_file() -> Result<()> {
    let (_dir, path) = fresh();
    let old = UnixListener::new(BindOptions::new().listen(&path)?)?;
    let queued = UnixStream::connect(&path).await?;
    let options = BindOptions::new().existing(Existing::Takeover);
    let new = UnixListener::new(options.listen(&path)?)?;
    assert!(!old.as_listener().is_in_place()?);
    let client = UnixStream::connect(&path).await?;
    old.accept().await?.0.write(b"old").await?;
    new.accept().await?.0.write(b"new").await?;
    drop(old);
    let mut buf = [0; 8];
    assert_eq!(queued.read(&mut buf).await?, 3);
    assert_eq!(&buf[..3], b"old");
    assert_eq!(client.read(&mut buf).await?, 3);
    assert_eq!(&buf[..3], b"new");
    assert!(path.exists());
    Ok(())
}

#[tokio::test]
async fn conversions_keep_the_socket() -> Result<()> {
    let (ours, mut theirs) = tokio::net::UnixStream::pair()?;
    let ours = UnixStream::try_from(ours)?;
    ours.write(b"1").await?;
    let mut ours = tokio::net::UnixStream::try_from(ours)?;
    ours.write_all(b"2").await?;
    let ours = UnixStream::try_from(std::os::unix::net::UnixStream::from(UnixStream::try_from(
        ours,
    )?))?;
    ours.write(b"3").await?;
    let ours = UnixStream::try_from(OwnedFd::from(ours))?;
    ours.write(b"4").await?;
    let ours = sunpath::UnixStream::from(ours);
    assert!(ours.nonblocking()?);
    let ours = UnixStream::new(ours)?;
    ours.write(b"5").await?;
    drop(ours);
    let mut text = String::new();
    theirs.read_to_string(&mut text).await?;
    assert_eq!(text, "12345");

    let (datagram, _) = tokio::net::UnixDatagram::pair()?;
    let datagram = UnixDatagram::try_from(datagram)?;
    let wrong = UnixStream::try_from(OwnedFd::from(datagram)).unwrap_err();
    assert_eq!(Errno::from_io_error(&wrong), Some(Errno::EPROTOTYPE));

    let (_dir, path) = fresh();
    let listener = UnixListener::try_from(tokio::net::UnixListener::bind(&path)?)?;
    let client = UnixStream::connect(&path).await?;
    listener.accept().await?;
    let (listener, file) = listener.into_tokio()?;
    let (_, addr) = {
        let _second = UnixStream::connect(&path).await?;
        listener.accept().await?
    };
    assert!(sunpath_tokio::addr(addr).is_unnamed());
    drop((client, file));
    assert!(path.exists(), "tokio made the file, so it stays");
    let wrong = Listener::<Seqpacket>::try_from(OwnedFd::from(listener.into_std()?));
    assert_eq!(
        Errno::from_io_error(&wrong.unwrap_err()),
        Some(Errno::EPROTOTYPE)
    );
    Ok(())
}

#[tokio::test]
async fn tokio_sockets_have_the_extension() -> Result<()> {
    let (ours, theirs) = tokio::net::UnixStream::pair()?;
    let (kept, given) = UnixStream::pair()?;
    let (received, sent) = join!(theirs.recv_fd(), ours.send_fd(&given));
    sent?;
    drop(given);
    assert_is_other_end(received?, &kept).await?;
    let mut buf = [0; 8];
    assert_eq!(ours.send_fds(b"two", &[&ours, &theirs]).await?, 3);
    let (received, [_, _]) = theirs.recv_fds(&mut buf).await?;
    assert_eq!(received.len(), 3);
    ours.send_fds(b"one", &[&ours]).await?;
    assert_eq!(theirs.recv_fds_up_to::<8>(&mut buf).await?.1.len(), 1);
    ours.sendmsg(&[IoSlice::new(b"none")], &[]).await?;
    let mut bufs = [IoSliceMut::new(&mut buf)];
    assert_eq!(theirs.recvmsg::<Rights<1>>(&mut bufs).await?.len(), 4);
    let expected = SocketRef::<Stream>::from(&ours).peer_group_count()?;
    let mut groups = vec![0; expected + 1];
    assert_eq!(ours.peer_groups(&mut groups)?.len(), expected);
    assert_eq!(
        ours.as_sunpath().peer_cred()?.uid(),
        kept.peer_cred()?.uid()
    );

    let (ours, theirs) = tokio::net::UnixDatagram::pair()?;
    ours.send_fd(&kept).await?;
    theirs.recv_fd().await?;
    Ok(())
}

/// Every future can move to another thread, as `tokio::spawn` demands.
#[test]
fn futures_are_send() {
    fn send<F: Future + Send>(_: impl Fn(&'static Socket<Stream>) -> F) {}
    fn send_datagram<F: Future + Send>(_: impl Fn(&'static UnixDatagram) -> F) {}
    fn send_listener<F: Future + Send>(_: impl Fn(&'static UnixListener) -> F) {}
    fn is_send<F: Future + Send>(_: impl Fn() -> F) {}
    send(|socket| socket.read(&mut []));
    send(|socket| socket.send_fd(socket));
    send(|socket| socket.recv_fd());
    send(|socket| async {
        socket
            .recvmsg::<(Rights<8>, Credentials)>(&mut [])
            .await
            .map(drop)
    });
    send_datagram(|socket| async { socket.send_to(b"", &UnixAddr::unnamed()).await });
    send_datagram(|socket| async {
        socket
            .recvmmsg(&mut RecvBatch::<8, ()>::new(
                &mut RecvSlots::<1>::new(),
                &mut [],
            ))
            .await
    });
    send_listener(|listener| listener.accept());
    send_listener(|listener| async { listener.incoming(drop).next().await.map(drop) });
    is_send(|| async { UnixStream::connect("a.sock").await.map(drop) });
    is_send(|| async {
        let (a, _) = tokio::net::UnixStream::pair()?;
        a.send_fds(b"", &[&a]).await?;
        a.recv_fds::<1>(&mut []).await.map(drop)
    });
}
