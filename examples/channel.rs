//! A channel between two processes: each message carries up to four files.
//!
//! ```text
//! channel FILE...      counts the bytes of four files at a time, in a second process
//! ```

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::process::Command;

use sunpath::{Seqpacket, SocketRef, UnixSeqpacket};

/// The most files in a message. Both processes rely on this limit.
const FILES: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    match args.as_slice() {
        [] => Err("usage: channel FILE...".into()),
        [worker] if worker == "--worker" => count(),
        paths => ask(paths),
    }
}

/// Runs in the first process. Starts the second process, whose standard input is its end of the
/// channel, and asks it to count.
fn ask(paths: &[OsString]) -> Result<(), Box<dyn Error>> {
    let (ours, theirs) = UnixSeqpacket::pair()?;
    let mut worker = Command::new(env::current_exe()?)
        .arg("--worker")
        .stdin(OwnedFd::from(theirs))
        .spawn()?;
    for paths in paths.chunks(FILES) {
        let files = paths
            .iter()
            .map(File::open)
            .collect::<Result<Vec<_>, _>>()?;
        ours.send_fds(b"count", &files)?;
        let mut answer = [0; 64];
        let len = ours.recv(&mut answer)?.len();
        println!("{}", String::from_utf8_lossy(&answer[..len]));
    }
    drop(ours);
    worker.wait()?;
    Ok(())
}

/// Runs in the second process, until the first process closes the channel.
fn count() -> Result<(), Box<dyn Error>> {
    let stdin = io::stdin();
    let channel = SocketRef::<Seqpacket>::from(&stdin);
    let mut request = [0; 64];
    loop {
        let (received, files) = channel.recv_fds_up_to::<FILES>(&mut request)?;
        if received.len() == 0 {
            return Ok(());
        }
        let (count, mut bytes) = (files.len(), 0);
        for file in files {
            bytes += io::copy(&mut File::from(file), &mut io::sink())?;
        }
        channel.send(format!("{count} files, {bytes} bytes").as_bytes())?;
    }
}
