//! Finds the process that holds the lock of a file.

use super::Status;
#[cfg(have_proc_locks)]
use crate::syscall::proc::read_in_pieces;

/// Returns the process that took the lock of a file by flock(2), according to /proc/locks. The
/// result is `None` if nobody holds the lock, if the holder has no pid in this pid namespace, or if
/// /proc/locks reports other device numbers for the file system.
#[cfg(have_proc_locks)]
pub(crate) fn lock_holder(file: &Status) -> Option<i32> {
    let (mut line, mut holder) = (Line::default(), None);
    let _ = read_in_pieces(c"/proc/locks", &mut |piece| {
        for byte in piece {
            if *byte == b'\n' {
                holder = holder.or(line.holder_of(file));
                line = Line::default();
            } else {
                line.push(*byte);
            }
        }
    });
    holder
}

#[cfg(not(have_proc_locks))]
pub(crate) fn lock_holder(_file: &Status) -> Option<i32> {
    None
}

/// A line such as `1: FLOCK  ADVISORY  WRITE 1234 fe:00:131 0 EOF`.
#[cfg(have_proc_locks)]
struct Line {
    bytes: [u8; 128],
    len: usize,
}

#[cfg(have_proc_locks)]
impl Default for Line {
    fn default() -> Self {
        let (bytes, len) = ([0; 128], 0);
        Self { bytes, len }
    }
}

#[cfg(have_proc_locks)]
impl Line {
    /// Adds a byte. A line that is too long is truncated, because no line about a lock of flock(2)
    /// is that long.
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    fn holder_of(&self, file: &Status) -> Option<i32> {
        use sunpath_sys as sys;

        let line = core::str::from_utf8(self.bytes.get(..self.len)?).ok()?;
        // The line of a process that waits for the lock has an arrow as its second word.
        let mut words = line.split_ascii_whitespace();
        let kind = words.nth(1).filter(|kind| *kind == "FLOCK");
        let pid = kind.and_then(|_| words.nth(2))?;
        let mut numbers = words.next()?.splitn(3, ':');
        let mut hexadecimal = || u32::from_str_radix(numbers.next()?, 16).ok();
        let device = (hexadecimal()?, hexadecimal()?);
        let inode: u64 = numbers.next()?.parse().ok()?;
        // In some C libraries these types are signed, or have 32 bits instead of 64.
        #[allow(clippy::unnecessary_cast)]
        let own = {
            let own = file.0.st_dev as sys::dev_t;
            (sys::major(own) as u32, sys::minor(own) as u32)
        };
        #[allow(clippy::unnecessary_cast)]
        let is_same = device == own && inode == file.0.st_ino as u64;
        pid.parse().ok().filter(|pid| is_same && *pid > 0)
    }
}

#[cfg(all(test, have_proc_locks))]
mod tests {
    use super::*;
    use crate::fd::{AsFd, CWD};
    use crate::syscall::{fstat, openat};
    use std::format;
    use sunpath_sys as sys;

    #[test]
    fn lock_holder_is_read_from_a_line_of_its_own_file_alone() {
        let root = openat(CWD, b"/", sys::O_RDONLY).unwrap();
        let status = fstat(root.as_fd()).unwrap();
        let (major, minor) = (sys::major(status.0.st_dev), sys::minor(status.0.st_dev));
        let inode = status.0.st_ino;
        let holder = |text: &str| {
            let mut line = Line::default();
            text.bytes().for_each(|byte| line.push(byte));
            line.holder_of(&status)
        };
        let own = format!("{major:02x}:{minor:02x}:{inode}");
        let locked = |text: &str| holder(&format!("7: {text} {own} 0 EOF"));
        assert_eq!(locked("FLOCK  ADVISORY  WRITE 1234"), Some(1234));
        assert_eq!(locked("POSIX  ADVISORY  WRITE 1234"), None);
        assert_eq!(locked("-> FLOCK  ADVISORY  WRITE 1234"), None);
        // The lock's holder is a process of another pid namespace.
        assert_eq!(locked("FLOCK  ADVISORY  WRITE 0"), None);
        assert_eq!(locked("FLOCK  ADVISORY  WRITE -1"), None);
        for other in [
            format!("{major:02x}:{minor:02x}:{}", inode + 1),
            format!("{major:02x}:{:02x}:{inode}", minor + 1),
            format!("{:02x}:{minor:02x}:{inode}", major + 1),
            format!("{major:02x}:{minor:02x}"),
        ] {
            let line = format!("7: FLOCK ADVISORY WRITE 1234 {other} 0 EOF");
            assert_eq!(holder(&line), None, "{line}");
        }
        for cut_off in ["", "7:", "7: FLOCK", "7: FLOCK ADVISORY WRITE 1234"] {
            assert_eq!(holder(cut_off), None);
        }
        assert_eq!(holder(&"x".repeat(200)), None);
    }
}
