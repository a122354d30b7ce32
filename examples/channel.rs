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
use std::os::fd::{AsFd, OwnedFd};
use std::process::Command;

use sunpath::ancillary::{ControlBuffer, Rights};
use sunpath::fd::IoSliceMut;
use sunpath::{Seqpacket, SocketRef, UnixSeqpacket};

/// The most files in a message. Both sides know it.
const FILES: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    match args.as_slice() {
        [] => Err("usage: channel FILE...".into()),
        [worker] if worker == "--worker" => count(),
        paths => ask(paths),
    }
}

/// The first process, which gives the second one its end of the channel as standard input.
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
        let fds = files.iter().map(AsFd::as_fd).collect::<Vec<_>>();
        ours.send_fds(b"count", &fds)?;
        let mut answer = [0; 64];
        let len = ours.recv(&mut answer)?.len();
        println!("{}", String::from_utf8_lossy(&answer[..len]));
    }
    drop(ours);
    worker.wait()?;
    Ok(())
}

/// The second process, which runs until the first one closes the channel.
fn count() -> Result<(), Box<dyn Error>> {
    let stdin = io::stdin();
    let channel = SocketRef::<Seqpacket>::from(&stdin);
    let mut request = [0; 64];
    let mut control = ControlBuffer::<Rights<FILES>>::new();
    loop {
        let message = channel.recvmsg(&mut [IoSliceMut::new(&mut request)], &mut control)?;
        if message.is_end() {
            return Ok(());
        }
        let (mut count, mut bytes) = (0, 0);
        for file in message.into_control()?.rights() {
            bytes += io::copy(&mut File::from(file), &mut io::sink())?;
            count += 1;
        }
        channel.send(format!("{count} files, {bytes} bytes").as_bytes())?;
    }
}
