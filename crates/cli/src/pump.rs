//! Joins standard input and output with a socket, so that nothing is lost at the end of either.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream as Notice;
use std::sync::Arc;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use sunpath::error::Errno;
use sunpath::{Datagram, Error, Seqpacket, Shutdown, Socket, Stream};

use crate::output::{Failure, Status};
use crate::target::Target;

/// The bytes that one read takes.
const CHUNK: usize = 64 * 1024;

/// A socket of any kind, as far as standard input and output need it.
pub(crate) trait Carrier: AsFd + Send + Sync + 'static {
    /// Reads what is to be sent at once: some bytes, or a line, because each line is a message. An
    /// empty result is the end.
    fn read_input(input: &mut BufReader<impl Read>, piece: &mut Vec<u8>) -> io::Result<()>;

    /// Sends all of the bytes.
    fn send_piece(&self, piece: &[u8]) -> Result<(), Error>;

    /// Receives bytes or a message, of any length. `false` is the end.
    fn receive_piece(&self, piece: &mut Vec<u8>) -> Result<bool, Error>;

    /// Tells the peer that nothing more comes.
    fn finish(&self) -> Result<(), Error>;
}

impl Carrier for Socket<Stream> {
    fn read_input(input: &mut BufReader<impl Read>, piece: &mut Vec<u8>) -> io::Result<()> {
        let len = {
            let bytes = input.fill_buf()?;
            piece.extend_from_slice(bytes);
            bytes.len()
        };
        input.consume(len);
        Ok(())
    }

    fn send_piece(&self, piece: &[u8]) -> Result<(), Error> {
        self.write_all(piece)
    }

    fn receive_piece(&self, piece: &mut Vec<u8>) -> Result<bool, Error> {
        piece.resize(CHUNK, 0);
        let len = self.read(piece)?;
        piece.truncate(len);
        Ok(len > 0)
    }

    fn finish(&self) -> Result<(), Error> {
        self.shutdown(Shutdown::Write)
    }
}

/// Implements the trait for a kind whose messages keep their boundaries.
macro_rules! messages {
    ($kind:ty, $is_end:expr, $finish:expr) => {
        impl Carrier for Socket<$kind> {
            fn read_input(input: &mut BufReader<impl Read>, piece: &mut Vec<u8>) -> io::Result<()> {
                input.read_until(b'\n', piece).map(drop)
            }

            fn send_piece(&self, piece: &[u8]) -> Result<(), Error> {
                self.send(piece)
            }

            fn receive_piece(&self, piece: &mut Vec<u8>) -> Result<bool, Error> {
                // The length is asked for first, so that a message of any length fits.
                let len = self.peek(&mut [])?.true_len().unwrap_or(CHUNK);
                piece.resize(len, 0);
                let len = self.recv(piece)?.len();
                piece.truncate(len);
                Ok(len > 0 || !$is_end(self)?)
            }

            fn finish(&self) -> Result<(), Error> {
                $finish(self)
            }
        }
    };
}

messages!(Seqpacket, ends_here, |socket: &Self| socket
    .shutdown(Shutdown::Write));
messages!(
    Datagram,
    |_: &Self| Ok::<_, Error>(false),
    |_: &Self| Ok(())
);

/// Returns whether an empty message was the end of the connection: nothing more can be read, and the peer
/// sends nothing more.
pub(crate) fn ends_here(socket: &Socket<Seqpacket>) -> Result<bool, Error> {
    let mut fds = [PollFd::new(socket, PollFlags::RDHUP)];
    let _ = poll(
        &mut fds,
        Some(&rustix::event::Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        }),
    );
    let is_shut = fds[0]
        .revents()
        .intersects(PollFlags::RDHUP | PollFlags::HUP);
    Ok(is_shut && socket.readable_bytes()? == 0)
}

/// Sends standard input and prints what is received, until both ends have nothing more, or the peer
/// is closed. `half_close` tells the peer when standard input ends.
pub(crate) fn join<C: Carrier>(
    socket: C,
    target: &Target,
    half_close: bool,
) -> Result<Status, Failure> {
    let socket = Arc::new(socket);
    let (notice, sender_notice) = Notice::pair()?;
    let sender = thread::spawn({
        let socket = Arc::clone(&socket);
        move || {
            let sent = send_input(&*socket, io::stdin(), half_close);
            drop(sender_notice); // wakes the other thread
            sent
        }
    });
    let received = print_received(&*socket, &mut io::stdout().lock());
    if received.is_ok() {
        // The peer may still read. It does not if the socket is hung up, and then a thread that waits for
        // standard input would wait for nothing.
        let mut fds = [
            PollFd::new(&notice, PollFlags::IN),
            PollFd::new(&*socket, PollFlags::empty()),
        ];
        while let Err(rustix::io::Errno::INTR) = poll(&mut fds, None) {}
    }
    let sent = if sender.is_finished() || is_noticed(&notice) {
        sender.join().ok()
    } else {
        None
    };
    received.map_err(|problem| problem.report(target))?;
    match sent {
        Some(Err(problem)) => Err(problem.report(target)),
        _ => Ok(Status::Done),
    }
}

fn is_noticed(notice: &Notice) -> bool {
    let mut fds = [PollFd::new(notice, PollFlags::IN)];
    let now = rustix::event::Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0)
}

/// Why one direction ended early.
#[derive(Debug)]
pub(crate) enum Problem {
    Socket(Error),
    Standard(io::Error),
}

impl Problem {
    pub(crate) fn report(self, target: &Target) -> Failure {
        match self {
            Self::Socket(error) if error.errno() == Errno::EPIPE => Failure::failed(format!(
                "{}: the peer closed before everything was sent",
                target.text()
            )),
            Self::Socket(error) if error.errno() == Errno::ECONNRESET => Failure::failed(format!(
                "{}: the peer closed before it read everything",
                target.text()
            )),
            Self::Socket(error) => Failure::not(target, &error),
            Self::Standard(error) => error.into(),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Socket(error)
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Standard(error)
    }
}

/// Sends everything that can be read, and then tells the peer.
pub(crate) fn send_input<C: Carrier>(
    socket: &C,
    input: impl Read,
    half_close: bool,
) -> Result<(), Problem> {
    let mut input = BufReader::with_capacity(CHUNK, input);
    let mut piece = Vec::new();
    loop {
        piece.clear();
        C::read_input(&mut input, &mut piece)?;
        if piece.is_empty() {
            break;
        }
        socket.send_piece(&piece)?;
    }
    if half_close {
        // A peer that is closed already needs no notice.
        let _ = socket.finish();
    }
    Ok(())
}

/// Prints everything that is received.
pub(crate) fn print_received<C: Carrier>(socket: &C, out: &mut impl Write) -> Result<(), Problem> {
    let mut piece = Vec::new();
    while socket.receive_piece(&mut piece)? {
        out.write_all(&piece)?;
        out.flush()?;
    }
    Ok(())
}
