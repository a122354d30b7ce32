//! Joins standard input and output with a socket, so that nothing is lost at the end of either.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
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
    /// Whether the socket has a peer that can close the connection.
    const HAS_CONNECTION: bool;

    /// Returns how many of the bytes that were read are sent at once, or `None` if more are needed.
    fn piece_len(bytes: &[u8]) -> Option<usize>;

    /// Sends all of the bytes.
    fn send_piece(&self, piece: &[u8]) -> Result<(), Error>;

    /// Receives bytes or a message, of any length. `false` is the end.
    fn receive_piece(&self, piece: &mut Vec<u8>) -> Result<bool, Error>;

    /// Tells the peer that nothing more comes.
    fn finish(&self) -> Result<(), Error>;
}

impl Carrier for Socket<Stream> {
    const HAS_CONNECTION: bool = true;

    fn piece_len(bytes: &[u8]) -> Option<usize> {
        Some(bytes.len())
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

/// Implements the trait for a kind whose messages keep their boundaries. Each line is a message.
macro_rules! messages {
    ($kind:ty, $has_connection:literal, $is_end:expr, $finish:expr) => {
        impl Carrier for Socket<$kind> {
            const HAS_CONNECTION: bool = $has_connection;

            fn piece_len(bytes: &[u8]) -> Option<usize> {
                bytes
                    .iter()
                    .position(|byte| *byte == b'\n')
                    .map(|at| at + 1)
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

messages!(Seqpacket, true, ends_here, |socket: &Self| socket
    .shutdown(Shutdown::Write));
messages!(
    Datagram,
    false,
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
    let sender = thread::spawn({
        let socket = Arc::clone(&socket);
        move || send_input(&*socket, io::stdin(), half_close)
    });
    let received = print_received(&*socket, &mut io::stdout().lock());
    received.map_err(|problem| problem.report(target))?;
    // The peer may still read. If it is closed, the sender ends as soon as no input is left.
    match sender.join() {
        Ok(Err(problem)) => Err(problem.report(target)),
        _ => Ok(Status::Done),
    }
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
            Self::Standard(error) => Failure::carried(error),
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

/// Sends everything that can be read, and then tells the peer. If the peer closes while there is nothing to
/// read, that is the end.
pub(crate) fn send_input<C: Carrier>(
    socket: &C,
    input: impl Read + AsFd,
    half_close: bool,
) -> Result<(), Problem> {
    let mut input = BufReader::with_capacity(CHUNK, input);
    let mut piece = Vec::new();
    loop {
        piece.clear();
        read_piece(socket, &mut input, &mut piece)?;
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

/// Reads what is to be sent at once. An empty result is the end.
fn read_piece<C: Carrier>(
    socket: &C,
    input: &mut BufReader<impl Read + AsFd>,
    piece: &mut Vec<u8>,
) -> io::Result<()> {
    loop {
        if input.buffer().is_empty() && !wait_for_input(socket, input.get_ref())? {
            return Ok(());
        }
        let bytes = input.fill_buf()?;
        let len = C::piece_len(bytes);
        let is_whole = len.is_some() || bytes.is_empty();
        let len = len.unwrap_or(bytes.len());
        piece.extend_from_slice(&bytes[..len]);
        input.consume(len);
        if is_whole {
            return Ok(());
        }
    }
}

/// Waits until the input can be read, or has ended. Returns `false` if the peer closes before that.
fn wait_for_input<C: Carrier>(socket: &C, input: &impl AsFd) -> io::Result<bool> {
    let input = PollFd::new(input, PollFlags::IN);
    let peer = PollFd::new(socket, PollFlags::empty()); // reports the end all the same
    let mut fds = [input, peer];
    let watched = if C::HAS_CONNECTION { 2 } else { 1 };
    while let Err(error) = poll(&mut fds[..watched], None) {
        if error != rustix::io::Errno::INTR {
            return Err(error.into());
        }
    }
    Ok(!fds[0].revents().is_empty())
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
