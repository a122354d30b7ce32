//! The steps from a path to a socket that is bound to it.

use core::ffi::c_int;

use crate::error::{Call, Errno, Error};
use crate::fd::{AsFd, BorrowedFd};
use crate::files::alias::proc_alias;
use crate::files::at::{bind_in_parent, bind_to_temporary, is_too_long};
use crate::files::name::{Name, join_name};
use crate::files::path::SplitPath;
use crate::socket::{Kind, Socket};
use crate::syscall::{self, Status};

use super::access::Access;
use super::file::SocketFile;
use super::private::Private;
use super::remove::{in_use, remove_if, status_of};
use super::turn::Turn;
use super::{BindOptions, Existing};

impl BindOptions {
    /// A socket that is bound, and listens if it shall, and its file. What fails drops the file
    /// before the socket.
    pub(super) fn make<T: Kind>(
        &self,
        path: &SplitPath<'_>,
        listens: bool,
    ) -> Result<(Socket<T>, SocketFile), Error> {
        let file = SocketFile::at(path)?;
        self.access.check()?;
        let socket = Socket::new()?;
        let mut file = file; // after the socket, so that it is dropped before
        let held = can_be_held(socket.as_fd(), file.dir.as_fd())?;
        if self.existing == Existing::ReplaceStale {
            file.lock()?;
        }
        let backlog = listens.then_some(self.backlog);
        match held || !self.access.is_asked() {
            true => self.bind_in_place(&socket, &mut file, path, backlog, held),
            false => self.bind_in_private(&socket, &mut file, path, backlog),
        }?;
        file.unlink_on_drop = self.unlink_on_drop;
        Ok((socket, file))
    }

    /// Binds to the name itself; for a takeover, or where an address has no room for it, to one
    /// beside it, and moves the file there when it is ready. A file that can be held is told by a mark
    /// until then.
    fn bind_in_place<T: Kind>(
        &self,
        socket: &Socket<T>,
        file: &mut SocketFile,
        path: &SplitPath<'_>,
        backlog: Option<c_int>,
        held: bool,
    ) -> Result<(), Error> {
        if held {
            self.access.prepare(socket.as_fd())?;
        }
        let name = file.name;
        let in_place =
            self.existing != Existing::Takeover && self.bind_to_name(socket.as_fd(), file, path)?;
        if !in_place {
            self.make_room(file, path)?;
            let bind = |name: &[u8]| bind_in_parent(socket.as_fd(), path, file.dir.as_fd(), name);
            file.name = join_name(&[&bind_to_temporary(bind)?])?;
        }
        self.settle(file, path, held)?;
        if let Some(backlog) = backlog {
            syscall::listen(socket.as_fd(), backlog)?;
        }
        if !in_place {
            let (dir, temporary) = (file.dir.as_fd(), file.name);
            self.publish((dir, temporary.as_bytes()), file, path, &name)?;
            file.name = name;
        }
        Ok(())
    }

    /// Whether there was room for the name, and it is bound.
    fn bind_to_name(
        &self,
        socket: BorrowedFd<'_>,
        file: &SocketFile,
        path: &SplitPath<'_>,
    ) -> Result<bool, Error> {
        let name = file.name.as_bytes();
        loop {
            match bind_in_parent(socket, path, file.dir.as_fd(), name) {
                Err(error) if is_too_long(&error) => return Ok(false),
                Err(error) if self.must_clear(&error) => {
                    // Where nothing is in the way the path leads elsewhere by now.
                    if !file.clear_stale(name, path)? && !path.leads_to(file.dir.as_fd())? {
                        return Err(moved());
                    }
                }
                bound => return bound.map(|()| true),
            }
        }
    }

    /// Whether something is in the way that may be stale.
    fn must_clear(&self, error: &Error) -> bool {
        self.existing == Existing::ReplaceStale
            && matches!(error.errno(), Errno::EADDRINUSE | Errno::EEXIST)
    }

    /// Before a file is made that gets its name later: what would be in its way then is refused at
    /// once, so that nothing has to be taken back.
    fn make_room(&self, file: &SocketFile, path: &SplitPath<'_>) -> Result<(), Error> {
        let name = file.name.as_bytes();
        match (self.existing, status_of(file.dir.as_fd(), name)) {
            (Existing::ReplaceStale, _) => file.clear_stale(name, path).map(drop),
            (Existing::Takeover, Ok(status)) if status.is_socket() => Ok(()),
            (_, Ok(_)) => Err(in_use()),
            // Whatever is wrong is told by the call that makes the file.
            (_, Err(_)) => Ok(()),
        }
    }

    /// Finds out which file was bound, and makes it what it should be.
    ///
    /// bind(2) went by the path, and this goes by the directory: where the path has come to lead
    /// elsewhere meanwhile, the file stands there, and is removed if it has the mark.
    fn settle(&self, file: &mut SocketFile, path: &SplitPath<'_>, held: bool) -> Result<(), Error> {
        let (dir, name) = (file.dir.as_fd(), file.name);
        let settled = match held {
            true => self.access.apply(dir, name.as_bytes()),
            false => path.leads_to(dir).and_then(|same| match same {
                true => Ok(status_of(dir, name.as_bytes())?.identity()),
                false => Err(moved()),
            }),
        };
        match settled {
            Ok(identity) => {
                file.bound = Some(identity);
                Ok(())
            }
            Err(error) if matches!(error.errno(), Errno::ESTALE | Errno::ENOENT) => {
                if held && !path.leads_to(dir)? {
                    let other = path.open_parent()?;
                    let is_ours = |_: &[u8], status: &Status| Ok(Access::is_ours(status));
                    let _ = remove_if(other.as_fd(), name.as_bytes(), is_ours);
                }
                Err(moved())
            }
            Err(error) => {
                // It is ours, and to be removed.
                let looked_up = status_of(dir, name.as_bytes());
                file.bound = looked_up.ok().map(|status| status.identity());
                Err(error)
            }
        }
    }

    /// Binds in a directory that nobody else reaches, and publishes the file when it is ready.
    fn bind_in_private<T: Kind>(
        &self,
        socket: &Socket<T>,
        file: &mut SocketFile,
        path: &SplitPath<'_>,
        backlog: Option<c_int>,
    ) -> Result<(), Error> {
        self.make_room(file, path)?;
        let mut private = Private::make(file.dir.as_fd())?;
        private.bind(socket.as_fd(), path)?;
        let (dir, made) = (private.dir.as_fd(), Private::FILE);
        self.access.apply_in_private(dir, made)?;
        let bound = status_of(dir, made)?;
        if let Some(backlog) = backlog {
            syscall::listen(socket.as_fd(), backlog)?;
        }
        self.publish((dir, made), file, path, &file.name)?;
        drop(private);
        file.bound = Some(bound.identity());
        Ok(())
    }

    /// Gives a socket file that is ready its name.
    fn publish(
        &self,
        ready: (BorrowedFd<'_>, &[u8]),
        file: &SocketFile,
        path: &SplitPath<'_>,
        name: &Name,
    ) -> Result<(), Error> {
        let named = (file.dir.as_fd(), name.as_bytes());
        if self.existing == Existing::Takeover {
            // Without it an old server that ends now moves the new file away, until it has seen it.
            let _turn = Turn::take(file.dir.as_fd());
            return take_over(ready, named);
        }
        loop {
            match syscall::rename_to_new(ready, named) {
                Err(error) if self.must_clear(&error) => {
                    file.clear_stale(name.as_bytes(), path)?;
                }
                Err(error) if error.errno() == Errno::EEXIST => return Err(in_use()),
                published => return published,
            }
        }
    }
}

/// The file that was bound does not stand where it should.
fn moved() -> Error {
    Error::new(Call::Bind, Errno::ESTALE)
}

/// Whether the file that is bound in a directory can be told afterwards, and held by a descriptor:
/// not where others may give it another name, and its name to another file of ours.
fn can_be_held(socket: BorrowedFd<'_>, dir: BorrowedFd<'_>) -> Result<bool, Error> {
    Ok(proc_alias(socket)?.is_some() && !syscall::fstat(dir)?.lets_others_rename())
}

/// Puts a socket file in the place of another, or where nothing is; of no other file.
///
/// The two are swapped, and what was there is looked at before it goes: rename(2) takes the place of
/// what has come since it was looked at. Where files cannot be swapped that remains.
fn take_over(ready: (BorrowedFd<'_>, &[u8]), named: (BorrowedFd<'_>, &[u8])) -> Result<(), Error> {
    let refuse_what_is_no_socket = |(dir, name)| match status_of(dir, name) {
        Ok(status) if !status.is_socket() => Err(in_use()),
        looked_at => looked_at.map(drop),
    };
    loop {
        // First without touching it: what is no socket stays where it is.
        let swapped =
            refuse_what_is_no_socket(named).and_then(|()| syscall::exchange(ready, named));
        match swapped {
            Ok(()) => break,
            Err(error) if error.errno() == Errno::ENOENT => {
                match syscall::rename_to_new(ready, named) {
                    Err(error) if error.errno() == Errno::EEXIST => {}
                    renamed => return renamed,
                }
            }
            Err(error) if syscall::is_lacking(&error) => return syscall::renameat(ready, named),
            Err(error) => return Err(error),
        }
    }
    let removed =
        refuse_what_is_no_socket(ready).and_then(|()| syscall::unlinkat(ready.0, ready.1, 0));
    if removed.is_err() {
        let _ = syscall::exchange(ready, named);
    }
    removed
}
