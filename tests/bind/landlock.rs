//! Tests that the calls work with exactly those Landlock rights that docs/socket-files.md lists.

use std::fs::{self, File, Permissions};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sunpath::error::{Call, Cause};
use sunpath::files::Lock;
use sunpath::{BindOptions, Errno, Existing, UnixListener};

use crate::{Fresh, POLICIES, bind, in_child, skip};

const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const REMOVE_DIR: u64 = 1 << 4;
const REMOVE_FILE: u64 = 1 << 5;
const MAKE_DIR: u64 = 1 << 7;
const MAKE_REG: u64 = 1 << 8;
const MAKE_SOCK: u64 = 1 << 9;
const REFER: u64 = 1 << 13;
/// All rights that the first two versions of Landlock define.
const ALL: u64 = (1 << 14) - 1;

/// `struct landlock_path_beneath_attr`.
#[repr(C, packed)]
struct PathBeneath {
    allowed_access: u64,
    parent_fd: i32,
}

/// Restricts this process to these rights below a directory, and to no rights elsewhere. Returns
/// `false` if the kernel has no Landlock.
fn restrict_to(rights: u64, dir: &Path) -> bool {
    let (create, add, restrict) = (444, 445, 446);
    let dir = File::open(dir).unwrap();
    let (handled, size) = (&raw const ALL_RIGHTS, size_of::<u64>());
    // SAFETY: `handled` is a live u64, which is the first field of a struct landlock_ruleset_attr,
    // and `size` is its size.
    let ruleset = unsafe { libc::syscall(create, handled, size, 0) };
    if ruleset < 0 {
        skip::skip("Landlock");
        return false;
    }
    // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
    let ruleset = unsafe { OwnedFd::from_raw_fd(ruleset as RawFd) };
    let rule = PathBeneath {
        allowed_access: rights,
        parent_fd: dir.as_raw_fd(),
    };
    let (fd, path_beneath) = (ruleset.as_raw_fd(), 1);
    // SAFETY: `rule` is a live struct landlock_path_beneath_attr.
    let added = unsafe { libc::syscall(add, fd, path_beneath, &raw const rule, 0) };
    assert_eq!(added, 0);
    // SAFETY: PR_SET_NO_NEW_PRIVS takes integers, no pointers.
    let no_new_privs = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(no_new_privs, 0);
    // SAFETY: the arguments are integers, so the call accesses no memory.
    assert_eq!(unsafe { libc::syscall(restrict, fd, 0) }, 0);
    true
}

static ALL_RIGHTS: u64 = ALL;

#[test]
fn landlock_rights_of_the_page_suffice() {
    let fresh = Fresh::new();
    let usual = MAKE_SOCK | REMOVE_FILE;
    let private = MAKE_DIR | REMOVE_DIR | REFER;
    for (rights, mode) in [
        (usual, 0o755),
        (usual | READ_DIR, 0o755),
        (usual | READ_DIR | private, 0o777),
    ] {
        for policy in POLICIES {
            let lock = match policy {
                Existing::ReplaceStale => MAKE_REG | READ_FILE,
                _ => 0,
            };
            fs::set_permissions(fresh.dir.path(), Permissions::from_mode(mode)).unwrap();
            if policy != Existing::Refuse {
                drop(UnixListener::bind(&fresh.path).unwrap());
            }
            assert!(in_child(|| {
                if !restrict_to(rights | lock, fresh.dir.path()) {
                    return true;
                }
                let options = BindOptions::new().mode(0o660).existing(policy);
                let bound = bind(options, &fresh.path);
                let bound = bound.unwrap_or_else(|error| panic!("{policy:?}: {error}"));
                bound.close_and_unlink().is_ok()
            }));
            let _ = fs::remove_file(&fresh.path);
            assert!(fresh.names().is_empty(), "{policy:?}: {:?}", fresh.names());
        }
    }
}

#[test]
fn landlock_that_grants_no_lock_file_is_eacces_of_the_lock_file() {
    let fresh = Fresh::new();
    assert!(in_child(|| {
        if !restrict_to(MAKE_SOCK | REMOVE_FILE, fresh.dir.path()) {
            return true;
        }
        let replace = BindOptions::new().existing(Existing::ReplaceStale);
        let error = bind(replace, &fresh.path).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Openat, Errno::EACCES));
        assert_eq!(error.cause(), Some(Cause::LockFile));
        let unlocked = bind(replace.lock(Lock::None), &fresh.path).unwrap();
        drop(unlocked);
        error.to_string().contains("the path with .lock added")
    }));
    assert!(fresh.names().is_empty());
}
