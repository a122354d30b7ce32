//! Tests sunpath's sockets in mio's poll and in a ring of io_uring, and the conversions with nix, rustix,
//! socket2 and uds.

mod program;

use std::io::{IoSlice, IoSliceMut, Read, Result, Write};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};

use program::skip;
use sunpath::{SocketRef, Stream, UnixAddr, UnixDatagram, UnixListener, UnixSeqpacket, UnixStream};

#[test]
fn mio_reports_that_a_descriptor_has_come() -> Result<()> {
    use mio::unix::SourceFd;
    use mio::{Events, Interest, Poll, Token};

    let (ours, theirs) = UnixStream::pair_nonblocking()?;
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(8));
    let source = &theirs.as_raw_fd();
    poll.registry()
        .register(&mut SourceFd(source), Token(7), Interest::READABLE)?;
    assert!(theirs.recv_fd().unwrap_err().is_would_block());
    ours.send_fd(&ours)?;
    poll.poll(&mut events, None)?;
    let event = events.iter().next().expect("an event");
    assert_eq!((event.token(), event.is_readable()), (Token(7), true));
    let received = UnixStream::try_from(theirs.recv_fd()?)?;
    assert_eq!(received.peer_cred()?.uid(), ours.peer_cred()?.uid());
    poll.registry().deregister(&mut SourceFd(source))?;
    Ok(())
}

#[test]
fn mio_listener_accepts_until_none_waits() -> Result<()> {
    use mio::unix::SourceFd;
    use mio::{Events, Interest, Poll, Token};

    let dir = tempfile::tempdir_in("/tmp")?;
    let path = dir.path().join("a.sock");
    let listener = UnixListener::bind(&path)?;
    listener.set_nonblocking(true)?;
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(8));
    let source = &listener.as_raw_fd();
    poll.registry()
        .register(&mut SourceFd(source), Token(0), Interest::READABLE)?;
    let _clients = [UnixStream::connect(&path)?, UnixStream::connect(&path)?];
    poll.poll(&mut events, None)?;
    let mut accepted = 0;
    // mio reports a change alone, so a loop accepts until no client waits.
    while let Ok((client, _)) = listener.accept_nonblocking() {
        assert!(client.nonblocking()?);
        accepted += 1;
    }
    assert_eq!(accepted, 2);
    Ok(())
}

#[test]
fn io_uring_receives_into_a_buffer_while_sunpath_passes_descriptors() -> Result<()> {
    use io_uring::{IoUring, opcode, types};

    let mut ring = match IoUring::new(4) {
        Ok(ring) => ring,
        Err(error) => {
            skip::skip(&format!("io_uring, which many containers forbid: {error}"));
            return Ok(());
        }
    };
    let (ours, theirs) = UnixStream::pair()?;
    let mut buf = [0_u8; 64];
    let receive = opcode::Recv::new(types::Fd(theirs.as_raw_fd()), buf.as_mut_ptr(), 64);
    let entry = receive.build().user_data(7);
    // SAFETY: the buffer and the socket live until the completion has been taken below.
    unsafe { ring.submission().push(&entry) }.expect("the ring has space");
    ours.write_all(b"hello")?;
    ring.submit_and_wait(1)?;
    let completion = ring.completion().next().expect("a completion");
    assert_eq!((completion.user_data(), completion.result()), (7, 5));
    assert_eq!(&buf[..5], b"hello");

    // Waiting is left to the ring, and receiving, with the ownership of descriptors, to sunpath.
    let poll = opcode::PollAdd::new(types::Fd(theirs.as_raw_fd()), libc::POLLIN as u32);
    // SAFETY: a poll needs no buffer, and the socket lives until its completion.
    unsafe { ring.submission().push(&poll.build()) }.expect("the ring has space");
    ours.send_fd(&ours)?;
    ring.submit_and_wait(1)?;
    assert!(ring.completion().next().expect("a completion").result() > 0);
    let received = theirs.recv_fd()?;
    drop(received);
    Ok(())
}

#[test]
fn nix_and_sunpath_use_the_same_socket_and_address() -> Result<()> {
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr as NixAddr, socketpair};

    let flags = SockFlag::SOCK_CLOEXEC;
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
    let ours = UnixSeqpacket::try_from(ours)?; // the kind is checked
    let theirs = UnixSeqpacket::try_from(theirs)?;
    ours.send(b"hello")?;
    let mut buf = [0; 64];
    assert_eq!(nix::unistd::read(&theirs, &mut buf)?, 5); // nix takes any `AsFd`

    let addr = UnixAddr::from_pathname("/run/app.sock").unwrap();
    let nix = NixAddr::new("/run/app.sock")?;
    assert_eq!(nix.path().unwrap().to_str(), Some("/run/app.sock"));
    assert_eq!(nix.path_len(), addr.to_string().len());
    Ok(())
}

#[test]
fn rustix_and_sunpath_use_the_same_socket() -> Result<()> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    let flags = SocketFlags::CLOEXEC;
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    SocketRef::<Stream>::from(&ours).send_fd(&theirs)?; // borrowed: rustix's owner keeps it
    let theirs = UnixStream::try_from(theirs)?;
    drop(theirs.recv_fd()?);
    rustix::io::write(&ours, b"hello")?;
    assert_eq!(theirs.read(&mut [0; 64])?, 5);
    let back: OwnedFd = theirs.into();
    rustix::io::write(&back, b"back")?;
    assert_eq!(SocketRef::<Stream>::from(&ours).read(&mut [0; 64])?, 4);
    Ok(())
}

#[test]
fn socket2_sets_up_a_socket_that_sunpath_uses() -> Result<()> {
    use socket2::{Domain, SockAddr, Socket, Type};

    let dir = tempfile::tempdir_in("/tmp")?;
    let path = dir.path().join("a.sock");
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    listener.bind(&SockAddr::unix(&path)?)?;
    listener.listen(8)?;
    let listener = UnixListener::try_from(OwnedFd::from(listener))?; // it must listen, or this fails
    let mut client = Socket::from(OwnedFd::from(UnixStream::connect(&path)?));
    let (server, _) = listener.accept()?;
    client.write_all(b"hello")?;
    assert_eq!(server.read(&mut [0; 64])?, 5);
    server.write(b"back")?;
    assert_eq!(client.read(&mut [0; 64])?, 4);
    Ok(())
}

#[test]
fn uds_and_sunpath_use_the_same_socket() -> Result<()> {
    let (ours, theirs) = uds::UnixSeqpacketConn::pair()?;
    // SAFETY: the number was given away by its owner in this very line.
    let theirs = unsafe { OwnedFd::from_raw_fd(theirs.into_raw_fd()) };
    let theirs = UnixSeqpacket::try_from(theirs)?; // the kind is checked
    ours.send(b"hello")?;
    let (mut buf, control) = ([0; 64], sunpath::ancillary::ControlBuffer::<()>::new());
    let message = theirs.recvmsg(&mut [IoSliceMut::new(&mut buf)], control)?;
    assert_eq!(message.len(), 5);
    theirs.send_vectored(&[IoSlice::new(b"back")])?;
    assert_eq!(ours.recv(&mut buf)?, 4);
    let (datagram, _) = UnixDatagram::pair()?;
    assert!(UnixStream::try_from(OwnedFd::from(datagram)).is_err());
    Ok(())
}
