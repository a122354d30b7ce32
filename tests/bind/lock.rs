//! Tests of the file that `ReplaceStale` locks: one that it made itself, one of another program, or
//! none.

use std::fs::{self, File, Permissions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use sunpath::error::InUse;
use sunpath::files::Lock;
use sunpath::{BindOptions, Existing, UnixListener};

use crate::{Fresh, assert_reaches, bind, in_child, ino};

const BESIDE: BindOptions = BindOptions::new().existing(Existing::ReplaceStale);
const NONE: BindOptions = BESIDE.lock(Lock::None);

#[test]
fn lock_file_of_ours_is_marked_and_removed_under_every_umask() {
    for umask in [0, 0o022, 0o777] {
        let fresh = Fresh::new();
        let lock = fresh.dir.path().join("a.sock.lock");
        assert!(in_child(|| {
            // SAFETY: umask takes an integer and cannot fail.
            unsafe { libc::umask(umask) };
            let listener = bind(BESIDE, &fresh.path).unwrap();
            let mode = fs::metadata(&lock).unwrap().mode() & 0o7777;
            drop(listener);
            mode == 0o1600
        }));
        assert!(fresh.names().is_empty());
    }
}

/// Another program makes and locks the lock file, as flock(1) does, and never removes it.
#[test]
fn lock_file_of_another_program_is_used_and_left() {
    for mode in [0o600, 0o644] {
        let fresh = Fresh::new();
        let path = fresh.dir.path().join("a.sock.lock");
        let theirs = File::create(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let (number, flock) = (ino(&path), |operation| {
            // SAFETY: the arguments are integers, so the call accesses no memory.
            unsafe { libc::flock(theirs.as_raw_fd(), operation | libc::LOCK_NB) }
        });
        assert_eq!(flock(libc::LOCK_EX), 0);
        let error = bind(BESIDE, &fresh.path).unwrap_err();
        assert_eq!(error.in_use(), Some(InUse::Lock));
        assert_eq!(flock(libc::LOCK_UN), 0);

        let listener = bind(BESIDE, &fresh.path).unwrap();
        assert_eq!(flock(libc::LOCK_EX), -1, "it is ours");
        drop(listener);
        assert_eq!(flock(libc::LOCK_EX), 0);
        assert_eq!(fresh.names(), ["a.sock.lock"]);
        assert_eq!(ino(&path), number);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, mode);
    }
}

#[test]
fn lock_none_makes_no_file_and_proves_all_the_same() {
    let fresh = Fresh::new();
    drop(UnixListener::bind(&fresh.path).unwrap());
    let listener = bind(NONE, &fresh.path).unwrap();
    assert_eq!(fresh.names(), ["a.sock"]);
    assert_reaches(&fresh.path, &listener);
    let error = bind(NONE, &fresh.path).unwrap_err();
    assert_eq!(error.in_use(), Some(InUse::Server));
    // A second daemon gets the lock, but bind fails, because it finds that the server is alive.
    let error = bind(BESIDE, &fresh.path).unwrap_err();
    assert_eq!(error.in_use(), Some(InUse::Server));
    assert_eq!(fresh.names(), ["a.sock"]);

    let listener = NONE.adopt(listener.leak(), &fresh.path).unwrap();
    assert_eq!(fresh.names(), ["a.sock"]);
    drop(listener);
    assert!(fresh.names().is_empty());
}
