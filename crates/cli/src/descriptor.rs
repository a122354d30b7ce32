//! Descriptors that the shell opened for this command, and those that are passed over a socket.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::process::{ExitStatus, Stdio};

use clap::Args;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use sunpath::{Socket, Stream};

use crate::binding::program;
use crate::output::{Failure, Status};
use crate::target::Target;

/// Passes a descriptor instead of standard input and output.
#[derive(Args, Debug)]
pub(crate) struct Passing {
    /// Sends the descriptor N, as in --send-fd 3 3<FILE, and ends.
    #[arg(long, value_name = "N", conflicts_with = "recv_fd")]
    pub(crate) send_fd: Option<i32>,
    /// Receives a descriptor: the standard input of PROGRAM, or printed to its end.
    #[arg(long)]
    pub(crate) recv_fd: bool,
}

impl Passing {
    /// Sends or receives a descriptor. Returns `None` if neither was asked for.
    pub(crate) fn run(
        &self,
        socket: &Socket<Stream>,
        target: &Target,
        words: &[OsString],
    ) -> Result<Option<Status>, Failure> {
        if let Some(number) = self.send_fd {
            let fd = inherited(number)?;
            socket
                .send_fd(&fd)
                .map_err(|error| Failure::not(target, &error))?;
            return Ok(Some(Status::Done));
        }
        if !self.recv_fd {
            return Ok(None);
        }
        let fd = socket
            .recv_fd()
            .map_err(|error| Failure::not(target, &error))?;
        use_received(fd, words).map(Some)
    }
}

/// Returns a copy of the descriptor with this number, which this process was started with. The copy
/// is made by pidfd_getfd(2), because no other safe function takes a number that is possibly not
/// open.
fn inherited(number: i32) -> Result<OwnedFd, Failure> {
    let own = pidfd_open(getpid(), PidfdFlags::empty()).map_err(io::Error::from)?;
    pidfd_getfd(own, number, PidfdGetfdFlags::empty())
        .map_err(|error| Failure::usage(format!("descriptor {number}: {}", io::Error::from(error))))
}

/// Runs a program with the descriptor as its standard input, or prints what can be read from it.
fn use_received(fd: OwnedFd, words: &[OsString]) -> Result<Status, Failure> {
    let Some(mut command) = program(words) else {
        io::copy(&mut File::from(fd), &mut io::stdout()).map_err(Failure::carried)?;
        return Ok(Status::Done);
    };
    status_of(command.stdin(Stdio::from(fd)).status(), words)
}

/// Returns the status that this command ends with after the program.
pub(crate) fn status_of(
    ran: io::Result<ExitStatus>,
    words: &[OsString],
) -> Result<Status, Failure> {
    let name = words
        .first()
        .map(|word| crate::escape::escape(word.as_encoded_bytes()));
    match ran {
        Ok(status) if status.success() => Ok(Status::Done),
        Ok(status) => Err(Failure::failed(format!(
            "{}: {status}",
            name.unwrap_or_default()
        ))),
        Err(error) => Err(Failure::failed(format!(
            "{}: {error}",
            name.unwrap_or_default()
        ))),
    }
}
