//! Executes a program in a child that has given descriptors in fixed positions: 3, 4 and so on.

use core::ffi::{c_char, c_int};
use core::iter::repeat_n;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};
use std::ffi::CString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::vec;
use std::vec::Vec;

use sunpath_sys as sys;

use super::Process;
use crate::error::{Call, Errno, Error};
use crate::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use crate::syscall::{getpid, retry, set_cloexec};

/// A program as execve(2) takes it.
pub(crate) struct Program {
    /// The paths at which the program may be, in the order in which they are tried.
    pub(crate) paths: Vec<CString>,
    /// The name of the program and its arguments.
    pub(crate) arguments: Vec<CString>,
    pub(crate) environment: Vec<CString>,
    /// The name of the variable of the environment that gets the pid of the new process.
    pub(crate) pid_variable: &'static str,
}

/// The steps of a child between fork(2) and execve(2). The child does not allocate, and takes no
/// lock.
struct Placing {
    parent: Process,
    first: RawFd,
    /// INVARIANT: these descriptors are greater than all positions that they get in the child.
    fds: Vec<OwnedFd>,
    /// Copies of the descriptors that were open in these positions before.
    saved: Vec<Option<OwnedFd>>,
    program: Program,
    /// INVARIANT: each pointer is null, or points to a string of `program`, or to `pid` once the
    /// child has written the pid. The last pointer is null.
    arguments: Vec<AtomicPtr<c_char>>,
    environment: Vec<AtomicPtr<c_char>>,
    pid: Vec<u8>,
}

/// The greatest number of digits of a pid, and the NUL after them.
const DIGITS: usize = 11;

/// Makes every process that the command starts execute the program, with these descriptors from
/// `first` on, in this order. The command owns close-on-exec copies of the descriptors.
pub(crate) fn place_in_child<F: AsFd>(
    command: &mut Command,
    program: Program,
    first: RawFd,
    fds: impl ExactSizeIterator<Item = F>,
) -> Result<(), Error> {
    let count = c_int::try_from(fds.len()).unwrap_or(c_int::MAX);
    let end = first.saturating_add(count);
    let fds: Vec<_> = fds
        .map(|fd| duplicate_from(fd.as_fd(), end))
        .collect::<Result<_, _>>()?;
    let pid = vec![0; program.pid_variable.len() + "=".len() + DIGITS];
    // Null pointers end the arrays. In the environment another null pointer is replaced by `pid`.
    let pointers = |strings: &[CString], nulls| {
        let strings = strings.iter().map(|string| string.as_ptr().cast_mut());
        let all = strings.chain(repeat_n(ptr::null_mut(), nulls));
        all.map(AtomicPtr::new).collect()
    };
    let mut placing = Placing {
        parent: Process::current(),
        first,
        saved: fds.iter().map(|_| None).collect(),
        fds,
        arguments: pointers(&program.arguments, 1),
        environment: pointers(&program.environment, 2),
        program,
        pid,
    };
    // SAFETY: between fork and exec the closure makes system calls, and reads and writes what it
    // owns. It does not allocate, and takes no lock.
    unsafe { command.pre_exec(move || Err(placing.execute().into())) };
    Ok(())
}

impl Placing {
    /// Places the descriptors and executes the program. Returns only if that fails.
    fn execute(&mut self) -> Errno {
        // `exec` of std runs this in the process itself, where other parts of the program own the
        // descriptors in these positions.
        if self.parent.is_current() {
            return Errno::EPERM;
        }
        // The buffer has space for the digits of every pid, and for the NUL.
        let _ = write!(
            &mut *self.pid,
            "{}={}\0",
            self.program.pid_variable,
            getpid()
        );
        if let Some(place) = self.environment.iter().nth_back(1) {
            place.store(self.pid.as_mut_ptr().cast(), Ordering::Relaxed);
        }
        let failed = self.place().err().unwrap_or_else(|| self.execute_one());
        // std reports the failure through a descriptor that may have been in one of these
        // positions, so the former descriptors are put back.
        for (number, saved) in (self.first..).zip(&mut self.saved) {
            if let Some(saved) = saved.take() {
                // Even if this fails, the position is open: it still has the descriptor that was
                // placed, or the former one.
                let _ = duplicate_to(&saved, number);
                // SAFETY: the descriptor is open in this child, in which nothing else runs.
                let _ = set_cloexec(unsafe { BorrowedFd::borrow_raw(number) }, true);
            }
        }
        failed
    }

    fn place(&mut self) -> Result<(), Errno> {
        let end = self.first + self.fds.len() as c_int;
        for (number, saved) in (self.first..).zip(&mut self.saved) {
            // SAFETY: the borrowed descriptor is passed to fcntl(2) alone, which reports EBADF if
            // it is not open.
            let fd = unsafe { BorrowedFd::borrow_raw(number) };
            match duplicate_from(fd, end).map_err(Error::errno) {
                Ok(copy) => *saved = Some(copy),
                Err(Errno::EBADF) => {}
                Err(errno) => return Err(errno),
            }
        }
        for (number, fd) in (self.first..).zip(&self.fds) {
            duplicate_to(fd, number)?;
        }
        Ok(())
    }

    /// Executes the program at the first path where that is possible.
    fn execute_one(&self) -> Errno {
        let mut failed = Errno::ENOENT;
        let strings = |pointers: &[AtomicPtr<c_char>]| pointers.as_ptr().cast();
        for path in &self.program.paths {
            let path = path.as_ptr();
            // SAFETY: the strings end with a NUL and the arrays with a null pointer, as `Placing`
            // says. An AtomicPtr has the layout of a pointer. Nothing changes the strings during
            // the call.
            unsafe { sys::execve(path, strings(&self.arguments), strings(&self.environment)) };
            match Errno::from_raw(sys::errno()) {
                Errno::ENOENT | Errno::ENOTDIR => {}
                Errno::EACCES => failed = Errno::EACCES,
                errno => return errno,
            }
        }
        failed
    }
}

/// Makes `number` a descriptor of the same file, by dup2(2). The new descriptor is not
/// close-on-exec.
fn duplicate_to(fd: &OwnedFd, number: RawFd) -> Result<(), Errno> {
    let placed = retry(Call::Dup2, || {
        // SAFETY: the arguments are integers. This child is about to execute another program. Only
        // std's report of a failure still uses the descriptor that dup2 replaces, and the
        // descriptor is put back before that report.
        unsafe { sys::dup2(fd.as_raw_fd(), number) as isize }
    });
    placed.map(drop).map_err(Error::errno)
}

/// Makes a close-on-exec copy of a descriptor, which is the lowest free one from `lowest` on, by
/// `fcntl(F_DUPFD_CLOEXEC)`.
fn duplicate_from(fd: BorrowedFd<'_>, lowest: RawFd) -> Result<OwnedFd, Error> {
    let copy = retry(Call::Fcntl, || {
        // SAFETY: F_DUPFD_CLOEXEC takes an int.
        unsafe { sys::fcntl(fd.as_raw_fd(), sys::F_DUPFD_CLOEXEC, lowest) as isize }
    })?;
    // SAFETY: the kernel has just made this descriptor for us, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy as c_int) })
}
