//! Placing descriptors under fixed numbers in a child.

use core::ffi::c_int;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::vec::Vec;

use sunpath_sys as sys;

use super::{Identity, Process, fstat};
use crate::addr::UnixAddr;
use crate::error::{Call, Errno, Error};
use crate::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use crate::syscall::{getpeername, getsockname, retry};

/// What a child of this process does between fork(2) and execve(2).
struct Placing {
    first: RawFd,
    /// INVARIANT: their numbers are greater than all that they get in the child.
    fds: Vec<OwnedFd>,
    /// They hold the numbers that were free, so that nothing that std opens for the child gets one.
    _held: Vec<OwnedFd>,
    /// What had the numbers when they were held.
    before: Vec<Option<Identity>>,
    parent: Process,
}

/// Makes every process that the command starts have these descriptors from a number on, in this order.
/// The command owns close-on-exec copies of them.
pub(crate) fn place_in_child<F: AsFd>(
    command: &mut Command,
    first: RawFd,
    fds: impl ExactSizeIterator<Item = F>,
) -> Result<(), Error> {
    let end = c_int::try_from(fds.len()).unwrap_or(c_int::MAX);
    let end = first.saturating_add(end);
    let fds: Vec<_> = fds
        .map(|fd| duplicate_from(fd.as_fd(), end))
        .collect::<Result<_, _>>()?;
    let mut held = Vec::new();
    if let Some(fd) = fds.first() {
        loop {
            let free = duplicate_from(fd.as_fd(), first)?;
            if free.as_raw_fd() >= end {
                break;
            }
            held.push(free);
        }
    }
    let placing = Placing {
        first,
        fds,
        _held: held,
        before: (first..end).map(identity_of).collect(),
        parent: Process::current(),
    };
    // SAFETY: between fork and exec the closure makes system calls and reads what it owns. It does not
    // allocate, and takes no lock.
    unsafe { command.pre_exec(move || placing.place()) };
    Ok(())
}

impl Placing {
    /// Fails before it changes anything, unless dup2(2) fails.
    fn place(&self) -> io::Result<()> {
        // exec of std runs this in the process itself, where the numbers belong to others.
        if self.parent.is_current() {
            return Err(Errno::EPERM.into());
        }
        // std reports a failure of execve(2) through a pipe or a socket, and would report it to what
        // replaced that. It can have such a number only if something that had it before was closed.
        if (self.first..).zip(&self.before).any(is_new_channel) {
            return Err(Errno::EBUSY.into());
        }
        for (number, fd) in (self.first..).zip(&self.fds) {
            let placed = retry(Call::Dup2, || {
                // SAFETY: the call takes only numbers. In this process, which is about to execute another
                // program, nothing uses what had the number.
                unsafe { sys::dup2(fd.as_raw_fd(), number) as isize }
            });
            placed.map_err(Error::errno)?;
        }
        Ok(())
    }
}

/// Returns whether the number is that of a pipe, or of a socket as socketpair(2) makes it, which did not have
/// it before.
fn is_new_channel((number, before): (RawFd, &Option<Identity>)) -> bool {
    let is_unnamed = |addr: UnixAddr| addr.is_unnamed();
    // SAFETY: only system calls see the number, and report EBADF if it is not open.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    let Ok(status) = fstat(fd) else { return false };
    let is_channel = match status.is_socket() {
        true => getsockname(fd).is_ok_and(is_unnamed) && getpeername(fd).is_ok_and(is_unnamed),
        false => status.is_pipe(),
    };
    is_channel && Some(status.identity()) != *before
}

/// Returns the identity of an open file; `None` if the number is not open.
fn identity_of(number: RawFd) -> Option<Identity> {
    // SAFETY: only fstat(2) sees the number, and reports EBADF if it is not open.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    fstat(fd).ok().map(|status| status.identity())
}

/// `fcntl(F_DUPFD_CLOEXEC)`, with the lowest number that is free from this one on.
fn duplicate_from(fd: BorrowedFd<'_>, lowest: RawFd) -> Result<OwnedFd, Error> {
    let copy = retry(Call::Fcntl, || {
        // SAFETY: F_DUPFD_CLOEXEC takes an int.
        unsafe { sys::fcntl(fd.as_raw_fd(), sys::F_DUPFD_CLOEXEC, lowest) as isize }
    })?;
    // SAFETY: the kernel has just made this descriptor for us, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy as c_int) })
}
