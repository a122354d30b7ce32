//! A client that exchanges lines of text with its server, as clients of D-Bus begin, and then
//! messages with descriptors. The socket of the client is nonblocking.
//!
//! ```text
//! handshake SOCKET FILE     passes an open file, and prints the files that come back
//! ```

use std::env;
use std::error::Error;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use sunpath::ancillary::{Control, Credentials};
use sunpath::fd::IoSlice;
use sunpath::{Error as SocketError, UnixStream};

/// The longest time to wait for the server in one step.
const LIMIT: Duration = Duration::from_secs(30);

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<_> = env::args_os().skip(1).collect();
    let [path, file] = args.as_slice() else {
        return Err("usage: handshake SOCKET FILE".into());
    };
    let socket = UnixStream::connect(path)?;
    socket.set_nonblocking(true)?;
    let bus = Bus { socket };

    // 1. Tell the server our uid, which it compares with what the kernel reports. The protocol wants
    //    its decimal digits as characters in hexadecimal.
    let user = Credentials::own().uid().to_string();
    let user: String = user.bytes().map(|digit| format!("{digit:02x}")).collect();
    bus.ask(&format!("\0AUTH EXTERNAL {user}\r\n"), "OK ")?;
    bus.ask("NEGOTIATE_UNIX_FD\r\n", "AGREE_UNIX_FD\r\n")?;
    bus.send(b"BEGIN\r\n", &[])?;

    // 2. Send a message with a descriptor, and receive the answer with up to four descriptors.
    let file = File::open(file)?;
    bus.send(b"a file", &[file.as_fd()])?;
    let mut answer = [0; 256];
    let receive = |socket: &UnixStream| socket.recv_fds_up_to::<4>(&mut answer);
    let (received, files) = bus.until_ready(UnixStream::wait_readable, receive)?;
    println!("{}", String::from_utf8_lossy(&answer[..received.len()]));
    for file in files {
        io::copy(&mut File::from(file), &mut io::stdout())?;
    }
    Ok(())
}

struct Bus {
    socket: UnixStream,
}

impl Bus {
    /// Sends a line, and reads the line that answers it. The server sends nothing unasked.
    /// Therefore no byte of a later message is read here, and no descriptor of a later message is
    /// lost.
    fn ask(&self, line: &str, expected: &str) -> Result<(), Box<dyn Error>> {
        self.send(line.as_bytes(), &[])?;
        let (mut answer, mut len) = ([0; 256], 0);
        while !answer[..len].ends_with(b"\r\n") {
            let read = |socket: &UnixStream| socket.read(&mut answer[len..]);
            match self.until_ready(UnixStream::wait_readable, read)? {
                0 => return Err("the server ended the handshake".into()),
                n => len += n,
            }
        }
        match answer.starts_with(expected.as_bytes()) {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&answer[..len]).into()),
        }
    }

    /// Sends all of the bytes, and the descriptors together with the first of the bytes.
    fn send(&self, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), SocketError> {
        let (bufs, control) = ([IoSlice::new(bytes)], [Control::Rights(fds)]);
        let first = |socket: &UnixStream| socket.sendmsg(&bufs, &control);
        let mut sent = self.until_ready(UnixStream::wait_writable, first)?;
        while sent < bytes.len() {
            let more = |socket: &UnixStream| socket.write(&bytes[sent..]);
            sent += self.until_ready(UnixStream::wait_writable, more)?;
        }
        Ok(())
    }

    /// Makes a call that does not block. If the call would have to wait, waits until the socket is
    /// ready, and repeats the call.
    fn until_ready<R>(
        &self,
        wait: fn(&UnixStream, Option<Duration>) -> Result<bool, SocketError>,
        mut call: impl FnMut(&UnixStream) -> Result<R, SocketError>,
    ) -> Result<R, SocketError> {
        loop {
            match call(&self.socket) {
                Err(error) if error.is_would_block() => {
                    if !wait(&self.socket, Some(LIMIT))? {
                        return Err(error);
                    }
                }
                done => return done,
            }
        }
    }
}
