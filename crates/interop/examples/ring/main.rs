//! An echo server whose accepts, receives and sends are made by io_uring, and a comparison of its
//! processor time with that of ordinary calls.
//!
//! ```sh
//! cargo run -p sunpath-interop --example ring -- serve /tmp/app.sock      # until it is killed
//! cargo run -p sunpath-interop --example ring -- serve /tmp/app.sock 3    # until 3 clients have left
//! cargo run -p sunpath-interop --example ring -- zero-copy
//! cargo run --release -p sunpath-interop --example ring -- measure
//! ```
//!
//! The sockets are those of sunpath: `BindOptions` replaces a stale file, the ring accepts for a
//! `UnixListener`, and each accepted descriptor becomes a `UnixStream`, which is closed once and knows
//! its peer. One request accepts all connections, and one request for each connection receives all of
//! its messages. A turn of the server is one system call, `io_uring_enter`, which submits all sends and
//! waits for the next completions.
//!
//! Three things differ from ordinary calls:
//!
//! - The kernel uses a buffer until the completion of the request. `server.rs` owns all buffers, and
//!   ends all requests before it frees them.
//! - Two sends of one connection can overtake each other, so only one is in flight.
//! - The ring cannot replace each call. For descriptors, wait by the ring and receive by `recv_fd`, as
//!   `tests/elsewhere.rs` does. A send without a copy (`IORING_OP_SEND_ZC`) does not exist for Unix
//!   sockets: the kernel reports `EOPNOTSUPP`.
//!
//! The server needs Linux 6.1. Many containers forbid io_uring; then the program ends with status 77.

mod buffers;
mod measure;
mod server;

use std::env;
use std::error::Error;
use std::io;
use std::os::fd::AsRawFd;
use std::process::ExitCode;

use io_uring::{IoUring, opcode, types};
use sunpath::{BindOptions, Existing, UnixStream};

use server::Server;

/// The exit status if the system does not let this process use io_uring, as many containers do.
const NO_RING: u8 = 77;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    if let Err(error) = server::ring(1) {
        eprintln!("ring: no io_uring: {error}");
        return Ok(ExitCode::from(NO_RING));
    }
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", path] => serve(path, usize::MAX)?,
        ["serve", path, clients] => serve(path, clients.parse()?)?,
        ["zero-copy"] => zero_copy()?,
        ["measure"] => measure::run(measure::ROUNDS)?,
        ["measure", rounds] => measure::run(rounds.parse()?)?,
        ["clients", path] => measure::clients(path)?,
        _ => return Err("usage: ring serve PATH [CLIENTS] | zero-copy | measure [ROUNDS]".into()),
    }
    Ok(ExitCode::SUCCESS)
}

fn serve(path: &str, clients: usize) -> Result<(), Box<dyn Error>> {
    let options = BindOptions::new().existing(Existing::ReplaceStale);
    let bound = options.listen(path)?;
    let mut server = Server::new(&bound)?;
    while server.ended < clients {
        server.turn()?;
    }
    Ok(())
}

/// Asks for a send without a copy, which a Unix socket does not have, and prints the answer.
fn zero_copy() -> io::Result<()> {
    let mut ring = IoUring::new(1)?;
    let (ours, _theirs) = UnixStream::pair()?;
    let send = opcode::SendZc::new(types::Fd(ours.as_raw_fd()), b"hello".as_ptr(), 5);
    // SAFETY: the bytes and the socket live until the completion below.
    unsafe { ring.submission().push(&send.build()) }.map_err(io::Error::other)?;
    ring.submit_and_wait(1)?;
    let result = ring.completion().next().map_or(0, |done| done.result());
    match result {
        0.. => println!("sent {result} bytes"),
        errno => println!("{}", io::Error::from_raw_os_error(-errno)),
    }
    Ok(())
}
