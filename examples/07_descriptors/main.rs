//! How does an open file travel through a socket?

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use sunpath::{Error, UnixStream, sys};

/// Prints a call that has to succeed.
fn check<T, E>(call: &str, made: Result<T, E>) -> Result<T, E> {
    if made.is_ok() {
        println!("{call} = ok");
    }
    made
}

fn is_close_on_exec(fd: impl AsFd) -> bool {
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: F_GETFD takes no argument; fd is open.
    unsafe { sys::fcntl(fd, sys::F_GETFD) == sys::FD_CLOEXEC }
}

type Sent = Result<(), Error>;

// 1. Control: aligned, with space for one descriptor.

// 2. Send: one byte, and the descriptor with it.
fn send_fd(sock: &UnixStream, fd: &UnixStream) -> Sent {
    check("sendmsg()", sock.send_fd(fd))
}

// 3. Receive: a new number for the same open file.
fn recv_fd(sock: &UnixStream) -> Result<OwnedFd, Error> {
    check("recvmsg()", sock.recv_fd())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // 4. Pass: one end of another pair.
    let (p0, p1) = check("socketpair(p)", UnixStream::pair())?;
    let ends = check("socketpair(ends)", UnixStream::pair())?;
    send_fd(&p0, &ends.1)?;
    let received = recv_fd(&p1)?;
    let flag = is_close_on_exec(&received);
    println!("close-on-exec: {}", i32::from(flag));

    // 5. Use: it stays open when the sender closes its own.
    let mut buf = [0; 16];
    drop(ends.1);
    let received = UnixStream::try_from(received)?;
    check("write(received)", received.write(b"hello"))?;
    let n = ends.0.read(&mut buf)?;
    let text = String::from_utf8_lossy(&buf[..n]);
    println!("read(ends[0]) = {n}, {text:?}");

    // 6. Lost: recv takes the byte, and not the descriptor.
    send_fd(&p0, &received)?;
    drop(received);
    check("recv(p[1])", p1.read(&mut buf[..1]))?;
    let n = ends.0.read(&mut buf)?;
    println!("read(ends[0]) = {n}");
    Ok(())
}
