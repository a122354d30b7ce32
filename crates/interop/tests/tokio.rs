//! Tests that sunpath passes descriptors over sockets that tokio owns, and that tokio can still use them.

use std::io::{self, Result};
use std::os::fd::{AsFd, OwnedFd};

use sunpath::{SocketRef, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::UnixStream;

async fn send_fd(stream: &UnixStream, fd: impl AsFd) -> Result<()> {
    let send = || Ok(SocketRef::<Stream>::from(stream).send_fd(fd.as_fd())?);
    stream.async_io(Interest::WRITABLE, send).await
}

async fn recv_fd(stream: &UnixStream) -> Result<OwnedFd> {
    let receive = || Ok(SocketRef::<Stream>::from(stream).recv_fd()?);
    stream.async_io(Interest::READABLE, receive).await
}

/// `join!` polls the receive first, so that it has to wait for the send.
#[tokio::test]
async fn tokio_stream_passes_a_descriptor_and_stays_open() -> Result<()> {
    let (mut ours, mut theirs) = UnixStream::pair()?;
    let (kept, given) = sunpath::UnixStream::pair()?;

    let (received, sent) = tokio::join!(recv_fd(&theirs), send_fd(&ours, &given));
    sent?;
    drop(given);
    let received = sunpath::UnixStream::try_from(received?)?;
    received.write(b"hello")?;
    assert_eq!(kept.read(&mut [0; 8])?, 5);

    ours.write_all(b"still").await?;
    let mut bytes = [0; 5];
    theirs.read_exact(&mut bytes).await?;
    assert_eq!(&bytes, b"still");
    Ok(())
}

/// tokio sees the error of a full queue as WouldBlock, waits, and calls again. The descriptor is not
/// lost, and does not arrive twice.
#[tokio::test]
async fn tokio_stream_with_a_full_queue_waits_to_send_a_descriptor() -> Result<()> {
    let (ours, theirs) = UnixStream::pair()?;
    let (kept, given) = sunpath::UnixStream::pair()?;
    let mut filled = 0;
    loop {
        match ours.try_write(&[0; 4096]) {
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }

    let drain_and_receive = async {
        let mut left = filled;
        while left > 0 {
            theirs.readable().await?;
            match theirs.try_read(&mut [0; 4096][..left.min(4096)]) {
                Ok(n) => left -= n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        recv_fd(&theirs).await
    };
    let (sent, received) = tokio::join!(send_fd(&ours, &given), drain_and_receive);
    sent?;
    drop(given);
    drop(received?);
    assert_eq!(
        kept.read(&mut [0])?,
        0,
        "the one descriptor that came was the last"
    );
    Ok(())
}
