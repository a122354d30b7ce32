// This program calls those methods of std's types that program.rs does not call and that sunpath's
// types have too, with the same names, arguments and effects.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

pub(crate) fn every_method(dir: &Path) -> io::Result<()> {
    let path = dir.join("a.sock");
    let address = SocketAddr::from_pathname(&path).map_err(io::Error::other)?;
    assert!(!address.is_unnamed());
    assert_eq!(address.as_pathname(), Some(path.as_path()));

    let listener = UnixListener::bind_addr(&address)?;
    let client = UnixStream::connect_addr(&address)?;
    let server = listener.incoming().next().unwrap()?;
    assert_eq!(client.peer_addr()?.as_pathname(), Some(path.as_path()));
    assert_eq!(server.local_addr()?.as_pathname(), Some(path.as_path()));
    let _second = UnixStream::connect(&path)?;
    assert_eq!(
        (&listener.try_clone()?)
            .into_iter()
            .flatten()
            .take(1)
            .count(),
        1
    );
    listener.set_nonblocking(true)?;
    assert_eq!(
        listener.accept().map(drop).unwrap_err().kind(),
        io::ErrorKind::WouldBlock
    );
    assert!(listener.take_error()?.is_none());

    stream_methods(client, server)?;
    datagram_methods(dir)
}

fn stream_methods(mut client: UnixStream, mut server: UnixStream) -> io::Result<()> {
    let limit = Some(Duration::from_secs(60));
    client.set_read_timeout(limit)?;
    client.set_write_timeout(limit)?;
    assert_eq!(
        (client.read_timeout()?, client.write_timeout()?),
        (limit, limit)
    );
    let zero = client.set_read_timeout(Some(Duration::ZERO)).map(drop);
    assert_eq!(zero.unwrap_err().kind(), io::ErrorKind::InvalidInput);
    assert!(client.take_error()?.is_none());

    let sent = client.write_vectored(&[IoSlice::new(b"a"), IoSlice::new(b"b")])?;
    assert_eq!(sent, 2);
    write!(&mut client, "c")?;
    (&client).flush()?;
    let mut clone = server.try_clone()?;
    let mut a = [0];
    clone.read_exact(&mut a)?;
    assert_eq!(&a, b"a");
    let (mut b, mut c) = ([0], [0]);
    let received = server.read_vectored(&mut [IoSliceMut::new(&mut b), IoSliceMut::new(&mut c)])?;
    assert_eq!(received, 2);
    assert_eq!((b, c), (*b"b", *b"c"));
    clone.set_nonblocking(true)?;
    assert_eq!(
        server.peer_addr()?.is_unnamed(),
        client.local_addr()?.is_unnamed()
    );

    assert_eq!(server.as_fd().as_raw_fd(), server.as_raw_fd());
    let fd: OwnedFd = server.into();
    drop(fd);
    // SAFETY: into_raw_fd has just given the descriptor up, so nothing else owns it.
    let clone = unsafe { UnixStream::from_raw_fd(clone.into_raw_fd()) };
    clone.shutdown(Shutdown::Both)?;
    assert_eq!(client.read(&mut [0; 8])?, 0);
    assert_eq!(
        client.write(b"x").unwrap_err().kind(),
        io::ErrorKind::BrokenPipe
    );
    let (one, mut other) = UnixStream::pair()?;
    drop(one);
    assert_eq!(other.read(&mut [0])?, 0);
    Ok(())
}

fn datagram_methods(dir: &Path) -> io::Result<()> {
    let path = dir.join("b.sock");
    let address = SocketAddr::from_pathname(&path).map_err(io::Error::other)?;
    let receiver = UnixDatagram::bind_addr(&address)?;
    let sender = UnixDatagram::unbound()?;
    sender.connect(&path)?;
    assert_eq!(sender.peer_addr()?.as_pathname(), Some(path.as_path()));
    assert!(sender.local_addr()?.is_unnamed());
    let limit = Some(Duration::from_secs(60));
    receiver.set_read_timeout(limit)?;
    receiver.set_write_timeout(limit)?;
    assert_eq!(
        (receiver.read_timeout()?, receiver.write_timeout()?),
        (limit, limit)
    );
    sender.try_clone()?.send(b"x")?;
    let (_, from) = receiver.recv_from(&mut [0; 8])?;
    assert!(from.is_unnamed());
    assert!(receiver.take_error()?.is_none());
    receiver.set_nonblocking(true)?;
    sender.shutdown(Shutdown::Write)?;
    assert_eq!(
        sender.send(b"x").map(drop).unwrap_err().kind(),
        io::ErrorKind::BrokenPipe
    );
    let (one, other) = UnixDatagram::pair()?;
    one.send(b"x")?;
    let _ = other.recv(&mut [0; 8])?;
    Ok(())
}
