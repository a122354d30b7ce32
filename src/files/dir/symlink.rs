//! Follows a symbolic link as the kernel does, and verifies each directory on the way.

use core::ops::Range;

use super::Refusal;
use super::check::{OPEN_NOFOLLOW, stat, verify_above, verify_link};
use crate::error::{Call, Errno, Error};
use crate::fd::{AsFd, OwnedFd};
use crate::search::{leading_slashes, len_before};
use crate::syscall::{self, PATH_MAX};

/// The number of links that the kernel follows in one path.
const MAX_LINKS: u32 = 40;

/// Returns the directory that the symbolic link of a name in `dir` leads to, verified with every
/// directory and every other link on the way.
pub(super) fn follow(dir: &OwnedFd, name: &[u8]) -> Result<OwnedFd, Refusal> {
    let mut rest = Rest::new(name).map_err(Refusal::Call)?;
    let mut reached = None::<OwnedFd>;
    let mut links = 0;
    while let Some(component) = rest.next() {
        let from = reached.as_ref().unwrap_or(dir);
        let below = match syscall::openat(from.as_fd(), rest.bytes(&component), OPEN_NOFOLLOW) {
            Ok(below) => below,
            Err(error) => {
                verify_link(from, rest.bytes(&component), error)?;
                links += 1;
                if links > MAX_LINKS {
                    return Err(Refusal::Call(Error::new(Call::Openat, Errno::ELOOP)));
                }
                rest.follow(from, &component).map_err(Refusal::Call)?;
                if !rest.is_absolute() {
                    continue;
                }
                syscall::openat(from.as_fd(), b"/", OPEN_NOFOLLOW).map_err(Refusal::Call)?
            }
        };
        verify_above(&stat(&below)?)?;
        reached = Some(below);
    }
    // Only an empty target leads nowhere, and no link has an empty target.
    reached.ok_or(Refusal::NotADirectory)
}

/// The rest of a path. The rest is at the end of a buffer, because the target of a link is put in
/// front of it.
struct Rest {
    buf: [u8; PATH_MAX],
    /// INVARIANT: the offset is at most `PATH_MAX`.
    start: usize,
}

impl Rest {
    fn new(name: &[u8]) -> Result<Self, Error> {
        let mut rest = Self {
            buf: [0; PATH_MAX],
            start: PATH_MAX,
        };
        rest.put(Call::Openat, name)?;
        Ok(rest)
    }

    /// Puts bytes before the rest.
    fn put(&mut self, call: Call, bytes: &[u8]) -> Result<(), Error> {
        let too_long = Error::new(call, Errno::ENAMETOOLONG);
        let start = self.start.checked_sub(bytes.len()).ok_or(too_long)?;
        for (place, byte) in self.buf.iter_mut().skip(start).zip(bytes) {
            *place = *byte;
        }
        self.start = start;
        Ok(())
    }

    fn bytes(&self, range: &Range<usize>) -> &[u8] {
        self.buf.get(range.clone()).unwrap_or_default()
    }

    fn left(&self) -> &[u8] {
        self.buf.get(self.start..).unwrap_or_default()
    }

    fn is_absolute(&self) -> bool {
        self.buf.get(self.start) == Some(&b'/')
    }

    /// Returns the next component, and removes it from the rest.
    fn next(&mut self) -> Option<Range<usize>> {
        let start = self.start + leading_slashes(self.left());
        let len = len_before(self.buf.get(start..).unwrap_or_default(), b'/');
        if len == 0 {
            return None;
        }
        self.start = start + len;
        Some(start..self.start)
    }

    /// Puts the target of a link before the rest. The link was the component before the rest, so
    /// the rest begins with a slash or is empty.
    fn follow(&mut self, dir: &OwnedFd, link: &Range<usize>) -> Result<(), Error> {
        let mut target = [0; PATH_MAX];
        match syscall::readlinkat(dir.as_fd(), self.bytes(link), &mut target) {
            Ok(target) => self.put(Call::Readlinkat, target),
            Err(error) if error.errno() == Errno::ERANGE => {
                Err(Error::new(error.call(), Errno::ENAMETOOLONG))
            }
            Err(error) => Err(error),
        }
    }
}
