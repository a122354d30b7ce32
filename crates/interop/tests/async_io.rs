//! Tests sunpath's sockets in async-io's reactor, and sunpath's calls on sockets that async-io owns.

use std::io::{Read, Result, Write};
use std::os::fd::AsFd;
use std::os::unix::net;
use std::sync::mpsc;
use std::thread;

use async_io::{Async, block_on};
use sunpath::ancillary::{ControlBuffer, Rights};
use sunpath::fd::IoSliceMut;
use sunpath::{SocketRef, Stream, UnixStream};

/// async-io accepts any value that has a descriptor, and makes its socket nonblocking.
#[test]
fn async_io_waits_for_a_descriptor_on_our_stream() -> Result<()> {
    let (ours, theirs) = UnixStream::pair()?;
    let (kept, given) = UnixStream::pair()?;
    let theirs = Async::new(theirs)?;
    let sender = thread::spawn(move || ours.send_fd(&given));
    let received = block_on(theirs.read_with(|stream| Ok(stream.recv_fd()?)))?;
    sender.join().unwrap()?;
    UnixStream::try_from(received)?.write(b"hello")?;
    assert_eq!(kept.read(&mut [0; 8])?, 5);
    Ok(())
}

/// The message owns its control buffer. It can therefore leave the closure, which async-io calls again
/// each time that the socket is ready.
#[test]
fn async_io_gives_a_message_out_of_its_readiness_loop() -> Result<()> {
    let (ours, theirs) = UnixStream::pair()?;
    let theirs = Async::new(theirs)?;
    let (waits, told) = mpsc::channel();
    let sender = thread::spawn(move || {
        told.recv().expect("the first receive has to wait");
        ours.send_fds(b"two", &[ours.as_fd(), ours.as_fd()])
    });

    let mut buf = [0; 8];
    let message = block_on(theirs.read_with(|stream| {
        let control = ControlBuffer::<Rights<2>>::new();
        let received = stream.recvmsg(&mut [IoSliceMut::new(&mut buf)], control);
        if received.as_ref().is_err_and(|error| error.is_would_block()) {
            let _ = waits.send(());
        }
        Ok(received?)
    }))?;
    sender.join().unwrap()?;
    let len = message.len();
    let fds = message.into_control()?.into_rights();
    assert_eq!((&buf[..len], fds.count()), (&b"two"[..], 2));
    Ok(())
}

#[test]
fn async_io_keeps_the_stream_over_which_a_descriptor_went() -> Result<()> {
    let (ours, theirs) = Async::<net::UnixStream>::pair()?;
    let (kept, given) = UnixStream::pair()?;
    block_on(ours.write_with(|stream| Ok(SocketRef::<Stream>::from(stream).send_fd(&given)?)))?;
    let receive = |stream: &net::UnixStream| Ok(SocketRef::<Stream>::from(stream).recv_fd()?);
    let received = block_on(theirs.read_with(receive))?;
    drop(given);
    UnixStream::try_from(received)?.write(b"hello")?;
    assert_eq!(kept.read(&mut [0; 8])?, 5);
    block_on(ours.write_with(|mut stream| stream.write(b"still")))?;
    let len = block_on(theirs.read_with(|mut stream| stream.read(&mut [0; 8])))?;
    assert_eq!(len, 5);
    Ok(())
}
