//! A listener and its file. The code does by hand what the library does in `../safe`: the server
//! asks whether a process holds the path, is the only one of many that binds it, takes a path over,
//! and removes only its own file.

use std::ffi::CString;
use std::mem::MaybeUninit;

use libc::{c_int, pid_t};
use sunpath_sys as sys;
use sys::{
    AT_FDCWD, AT_SYMLINK_NOFOLLOW, EADDRINUSE, ECONNREFUSED, ENOENT, EPERM, EPROTOTYPE, O_CLOEXEC,
    SOCK_DGRAM, SOCK_STREAM,
};

use crate::line::step;
use crate::process::check;
use crate::socket::{Sock, close, make_bind, make_connect, new_socket, outcome, returned};

fn c_path(path: &str) -> CString {
    CString::new(path).expect("a path has no NUL")
}

fn status_of(dir: c_int, path: &str, flags: c_int) -> Result<sys::stat, c_int> {
    let (path, mut status) = (c_path(path), MaybeUninit::uninit());
    // SAFETY: the path is a live string with a NUL, and `status` has space for an int.
    returned(unsafe { sys::fstatat(dir, path.as_ptr(), status.as_mut_ptr(), flags) })?;
    // SAFETY: fstatat has written the whole struct.
    Ok(unsafe { status.assume_init() })
}

fn is_socket(status: &sys::stat) -> bool {
    status.st_mode & sys::S_IFMT == sys::S_IFSOCK
}

fn unlink(dir: c_int, path: &str) -> Result<c_int, c_int> {
    let path = c_path(path);
    // SAFETY: the path is a live string with a NUL.
    returned(unsafe { sys::unlinkat(dir, path.as_ptr(), 0) })
}

fn open(path: &str, flags: c_int) -> Result<c_int, c_int> {
    let path = c_path(path);
    // SAFETY: the path is a live string with a NUL.
    returned(unsafe { sys::openat(AT_FDCWD, path.as_ptr(), flags | O_CLOEXEC, 0o600) })
}

fn close_fd(fd: c_int) {
    close(&[Sock { name: 's', fd }]);
}

// 1. Ask whether a process holds the socket: as long as one holds a stream or seqpacket socket, a
//    datagram socket that connects gets the error for the wrong type, and the server notices
//    nothing.

pub(crate) enum Liveness {
    Absent,
    Dead,
    Live,
    NotSocket,
}

/// Returns whether a process holds the socket file at a path.
pub(crate) fn probe(path: &str) -> Result<Liveness, c_int> {
    let d = new_socket('d', SOCK_DGRAM);
    let connected = make_connect(d.fd, path.as_bytes());
    close(&[d]);
    match connected {
        // EPERM: a datagram socket is bound there, and connected to a third.
        Ok(_) | Err(EPROTOTYPE | EPERM) => Ok(Liveness::Live),
        Err(ENOENT) => Ok(Liveness::Absent),
        Err(ECONNREFUSED) => match is_socket(&status_of(AT_FDCWD, path, 0)?) {
            true => Ok(Liveness::Dead),
            false => Ok(Liveness::NotSocket),
        },
        Err(errno) => Err(errno),
    }
}

/// Fails with EADDRINUSE if a file that is not a socket is at the path, for example a symbolic
/// link.
fn refuse_what_is_no_socket(file: &str) -> Result<(), c_int> {
    match status_of(AT_FDCWD, file, AT_SYMLINK_NOFOLLOW) {
        Ok(status) if !is_socket(&status) => Err(EADDRINUSE),
        Ok(_) | Err(ENOENT) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Removes a dead socket file, and fails if the path is in use. Among the processes that want to
/// replace the file, only the one with the lock calls this.
fn make_room(file: &str) -> Result<(), c_int> {
    refuse_what_is_no_socket(file)?;
    match probe(file)? {
        Liveness::Absent => Ok(()),
        Liveness::Dead => unlink(AT_FDCWD, file).map(drop),
        Liveness::Live | Liveness::NotSocket => Err(EADDRINUSE),
    }
}

// 2. Take the lock, which is on a file beside the socket file. The holder of the lock removes the
//    lock file. A process that opened the lock file just before then locks a file without a name,
//    and that lock proves nothing. The kernel releases the lock when its holder dies.

fn lock_name(file: &str) -> String {
    format!("{file}.lock")
}

fn is_named(fd: c_int, name: &str) -> bool {
    let mut held = MaybeUninit::uninit();
    // SAFETY: `held` is a live struct flock.
    check("fstat", unsafe { sys::fstat(fd, held.as_mut_ptr()) });
    // SAFETY: fstat has written it.
    let held: sys::stat = unsafe { held.assume_init() };
    let named = status_of(AT_FDCWD, name, AT_SYMLINK_NOFOLLOW);
    named.is_ok_and(|named| (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino))
}

fn take_lock(file: &str) -> Result<c_int, c_int> {
    let name = lock_name(file);
    loop {
        let fd = open(&name, sys::O_RDWR | sys::O_CREAT | sys::O_NOFOLLOW)?;
        // SAFETY: flock takes integers, no pointers.
        if unsafe { sys::flock(fd, sys::LOCK_EX | sys::LOCK_NB) } < 0 {
            close_fd(fd);
            return Err(EADDRINUSE);
        }
        if is_named(fd, &name) {
            return Ok(fd);
        }
        close_fd(fd);
    }
}

// 3. Make a server at a file's name.

/// A listener, the file that it is bound to, and the directory that the file is in.
pub(crate) struct Server {
    pub(crate) fd: c_int,
    dir: c_int,
    lock: Option<c_int>,
    file: String,
    identity: (sys::dev_t, sys::ino_t),
    process: pid_t,
}

fn own_pid() -> pid_t {
    // SAFETY: getpid takes nothing and cannot fail.
    unsafe { sys::getpid() }
}

impl Server {
    fn begin(file: &str) -> Self {
        Self {
            fd: new_socket('s', SOCK_STREAM).fd,
            dir: open(".", sys::O_PATH | sys::O_DIRECTORY).expect("it may be entered"),
            lock: None,
            file: file.to_owned(),
            identity: (0, 0),
            process: own_pid(),
        }
    }

    /// Returns the server if the call succeeded. Otherwise closes what was opened.
    fn end(self, done: Result<(), c_int>) -> Result<Self, c_int> {
        match done {
            Ok(()) => Ok(self),
            Err(errno) => {
                self.forget();
                Err(errno)
            }
        }
    }

    fn bind_and_listen(&mut self) -> Result<(), c_int> {
        make_bind(self.fd, self.file.as_bytes())?;
        let status = status_of(AT_FDCWD, &self.file, AT_SYMLINK_NOFOLLOW)?;
        self.identity = (status.st_dev, status.st_ino);
        // SAFETY: listen takes integers, no pointers.
        check("listen", unsafe { sys::listen(self.fd, 8) });
        Ok(())
    }

    /// Binds as plain C does, and fails if any file is at the path.
    pub(crate) fn serve(file: &str) -> Result<Self, c_int> {
        let mut s = Self::begin(file);
        let bound = s.bind_and_listen();
        s.end(bound)
    }

    /// Binds as one of many servers: a lock decides which one succeeds, and a dead socket is
    /// replaced.
    pub(crate) fn replace(file: &str) -> Result<Self, c_int> {
        let mut s = Self::begin(file);
        let locked = take_lock(file).map(|lock| s.lock = Some(lock));
        let bound = locked
            .and_then(|()| make_room(file))
            .and_then(|()| s.bind_and_listen());
        s.end(bound)
    }

    /// Binds in place of another server, without an instant in which nobody listens.
    pub(crate) fn take_over(file: &str) -> Result<Self, c_int> {
        let aside = format!(".{file}.new");
        let mut s = Self::begin(&aside);
        let bound = refuse_what_is_no_socket(file).and_then(|()| s.bind_and_listen());
        let mut s = s.end(bound)?;
        let (from, to) = (c_path(&aside), c_path(file));
        // SAFETY: both paths are live strings with a NUL.
        let renamed = returned(unsafe { sys::rename(from.as_ptr(), to.as_ptr()) });
        if let Err(errno) = renamed {
            s.release();
            return Err(errno);
        }
        s.file = file.to_owned();
        Ok(s)
    }

    // 4. Remove the file, which is known by its device and inode. As long as the socket is open, no
    //    other file has the same.

    fn is_own(&self) -> bool {
        let status = status_of(self.dir, &self.file, AT_SYMLINK_NOFOLLOW);
        self.process == own_pid()
            && status.is_ok_and(|status| (status.st_dev, status.st_ino) == self.identity)
    }

    /// Closes the listener. The process that bound the file also removes the file, unless another
    /// file has taken its name.
    pub(crate) fn release(self) {
        if self.is_own() {
            unlink(self.dir, &self.file).expect("it is there");
        }
        self.forget();
    }

    /// Closes the listener, and leaves the file.
    pub(crate) fn forget(self) {
        if let Some(lock) = self.lock {
            if self.process == own_pid() {
                unlink(self.dir, &lock_name(&self.file)).expect("it is there");
            }
            close_fd(lock);
        }
        close_fd(self.fd);
        close_fd(self.dir);
    }

    /// Returns the listener for a call, with its letter in the line.
    pub(crate) fn sock(&self, name: char) -> Sock {
        Sock { name, fd: self.fd }
    }
}

// 5. Print the steps of the line.

fn told(call: &str, name: char, done: Result<Server, c_int>) -> Option<Server> {
    step!("{call}({name}, \"x\")");
    outcome(done.as_ref().map(|_| 0).map_err(|errno| *errno));
    done.ok()
}

pub(crate) fn try_serve(name: char) -> Server {
    told("serve", name, Server::serve("x")).expect("the path is free")
}

pub(crate) fn try_replace(name: char) -> Option<Server> {
    told("replace", name, Server::replace("x"))
}

pub(crate) fn try_release(name: char, s: Server) {
    s.release();
    step!("release({name})");
}
