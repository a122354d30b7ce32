//! Carries what comes on one socket to another.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};
use sunpath::{Seqpacket, Socket, Stream};

use crate::pump::ends_here;

/// The bytes that one call carries at most.
const CHUNK: usize = 256 * 1024;

/// The most descriptors that the kernel takes with one message.
const FDS: usize = 253;

/// A socket from which everything can be carried to another of its kind.
pub(crate) trait Carry: Send + Sync {
    /// Carries everything until the end, and reports the bytes.
    fn carry(&self, to: &Self, fds: bool, report: &dyn Fn(usize)) -> io::Result<()>;
}

impl Carry for Socket<Stream> {
    fn carry(&self, to: &Self, fds: bool, report: &dyn Fn(usize)) -> io::Result<()> {
        if fds {
            return copy_with_fds(self, to, report);
        }
        match Pipe::new() {
            Ok(pipe) => pipe.carry(self, to, report),
            // No descriptor is free for a pipe: the bytes are copied through memory.
            Err(_) => copy(self, to, report),
        }
    }
}

/// A pipe, through which the kernel moves bytes without copying them to this process.
struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
}

impl Pipe {
    fn new() -> io::Result<Self> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
        // A user may have reached the limit for the memory of pipes; then it stays at 64 KiB.
        let _ = fcntl_setpipe_size(&write, CHUNK);
        Ok(Self { read, write })
    }

    fn carry(&self, from: impl AsFd, to: impl AsFd, report: &dyn Fn(usize)) -> io::Result<()> {
        loop {
            let mut len = move_once(from.as_fd(), self.write.as_fd(), CHUNK)?;
            if len == 0 {
                return Ok(());
            }
            report(len);
            while len > 0 {
                len -= move_once(self.read.as_fd(), to.as_fd(), len)?;
            }
        }
    }
}

fn move_once(from: impl AsFd, to: impl AsFd, len: usize) -> io::Result<usize> {
    loop {
        match splice(&from, None, &to, None, len, SpliceFlags::MOVE) {
            Err(Errno::INTR) => {}
            result => return Ok(result?),
        }
    }
}

fn copy(from: &Socket<Stream>, to: &Socket<Stream>, report: &dyn Fn(usize)) -> io::Result<()> {
    let mut buf = vec![0; CHUNK];
    loop {
        let len = from.read(&mut buf)?;
        if len == 0 {
            return Ok(());
        }
        report(len);
        to.write_all(&buf[..len])?;
    }
}

/// Copies bytes and the descriptors that come with them.
fn copy_with_fds(
    from: &Socket<Stream>,
    to: &Socket<Stream>,
    report: &dyn Fn(usize),
) -> io::Result<()> {
    let mut buf = vec![0; CHUNK];
    loop {
        let (received, fds) = from.recv_fds_up_to::<FDS>(&mut buf)?;
        let fds: Vec<OwnedFd> = fds.collect();
        let bytes = &buf[..received.len()];
        if bytes.is_empty() {
            return Ok(());
        }
        report(bytes.len());
        match fds.is_empty() {
            true => to.write_all(bytes)?,
            false => to.send_fds(bytes, &fds)?,
        }
    }
}

impl Carry for Socket<Seqpacket> {
    fn carry(&self, to: &Self, fds: bool, report: &dyn Fn(usize)) -> io::Result<()> {
        let mut buf = Vec::new();
        loop {
            // The length is asked for first, so that a message of any length fits.
            let len = self.peek(&mut [])?.true_len().unwrap_or(CHUNK);
            buf.resize(len, 0);
            let (received, passed) = self.recv_fds_up_to::<FDS>(&mut buf)?;
            let passed: Vec<OwnedFd> = passed.filter(|_| fds).collect();
            let bytes = &buf[..received.len()];
            if bytes.is_empty() && passed.is_empty() && ends_here(self)? {
                return Ok(());
            }
            report(bytes.len());
            match passed.is_empty() {
                true => to.send(bytes)?,
                false => to.send_fds(bytes, &passed)?,
            }
        }
    }
}
