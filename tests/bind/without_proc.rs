//! Tests of socket files without /proc, in a child whose root is the fresh directory.

use std::ffi::CString;
use std::fs::Permissions;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::{env, fs, io};

use sunpath::error::Cause;
use sunpath::{BindOptions, Dir, Errno, Existing, UnixDatagram, UnixListener, UnixStream, sys};

use crate::{
    Fresh, POLICIES, become_nobody, bind, in_child, is_root, may_have_own_namespaces, open_count,
    skip,
};

/// Runs `action` in a child without /proc, and returns its result.
pub(crate) fn without_proc(fresh: &Fresh, action: impl FnOnce() -> bool) -> bool {
    let root = CString::new(fresh.dir.path().as_os_str().as_bytes()).unwrap();
    in_child(|| {
        if !may_have_own_namespaces() {
            return true;
        }
        // SAFETY: the path ends with a NUL.
        let changed = unsafe { libc::chroot(root.as_ptr()) };
        assert_eq!(changed, 0, "chroot: {}", io::Error::last_os_error());
        env::set_current_dir("/").unwrap();
        assert!(!fs::exists("/proc").unwrap());
        action()
    })
}

/// Returns whether a mode can be set without /proc, by fchmodat2(2), which Linux has since 6.6. If
/// not, reports that a part of the current test is skipped.
pub(crate) fn has_fchmodat2() -> bool {
    let (path, flags) = (c"".as_ptr(), libc::AT_EMPTY_PATH);
    // SAFETY: `path` ends with a NUL, and no file has descriptor -1, so nothing is changed.
    unsafe { libc::syscall(libc::SYS_close_range + (452 - 436), -1, path, 0, flags) };
    let has = io::Error::last_os_error().raw_os_error() == Some(libc::EBADF);
    if !has {
        skip::skip("fchmodat2(2)");
    }
    has
}

fn entries() -> usize {
    fs::read_dir("/").unwrap().count()
}

#[test]
fn without_proc_mode_is_exact_under_every_umask() {
    if !has_fchmodat2() {
        return;
    }
    let fresh = Fresh::new();
    fs::set_permissions(fresh.dir.path(), Permissions::from_mode(0o777)).unwrap();
    for umask in [0, 0o022, 0o077, 0o777] {
        assert!(without_proc(&fresh, || {
            if is_root() {
                // The test has to run as another user, because permissions do not stop root.
                become_nobody();
            }
            // SAFETY: umask takes an integer and cannot fail; the child has its own umask.
            unsafe { libc::umask(umask) };
            let descriptors = open_count();
            for policy in POLICIES {
                for mode in [0, 0o200, 0o600, 0o660, 0o666, 0o777] {
                    let options = BindOptions::new().mode(mode).existing(policy);
                    for path in ["/a.sock", "a.sock"] {
                        let listener = bind(options, Path::new(path)).unwrap();
                        let file = fs::symlink_metadata(path).unwrap();
                        let exact = file.mode() & 0o7777 == mode && file.nlink() == 1;
                        let reached = UnixStream::connect(path).is_ok() == (mode & 0o200 != 0);
                        drop(listener);
                        if !exact || !reached || entries() != 0 {
                            return false;
                        }
                    }
                }
            }
            open_count() == descriptors
        }));
    }
}

#[test]
fn without_proc_each_policy_does_what_it_says() {
    let fresh = Fresh::new();
    let with_mode = has_fchmodat2().then(|| BindOptions::new().mode(0o600));
    assert!(without_proc(&fresh, || {
        let path = Path::new("/a.sock");
        // Without /proc a mode is set in another way than usual, so each policy is tried with and
        // without a mode.
        for options in [BindOptions::new()].into_iter().chain(with_mode) {
            let refused = |policy| {
                let before = entries();
                let bound = bind(options.existing(policy), path);
                bound.is_err_and(|error| error.errno() == Errno::EADDRINUSE) && entries() == before
            };
            let live = UnixListener::bind(path).unwrap();
            assert!(refused(Existing::Refuse));
            assert!(refused(Existing::ReplaceStale));
            drop(bind(options.existing(Existing::Takeover), path).unwrap());
            assert_eq!(entries(), 0);
            drop(live);

            drop(UnixListener::bind(path).unwrap());
            assert!(refused(Existing::Refuse));
            drop(bind(options.existing(Existing::ReplaceStale), path).unwrap());
            assert_eq!(entries(), 0);

            let live = UnixDatagram::bind(path).unwrap();
            assert!(refused(Existing::ReplaceStale));
            drop(live);
            fs::remove_file(path).unwrap();
            fs::write(path, "precious").unwrap();
            for policy in POLICIES {
                assert!(refused(policy));
            }
            fs::remove_file(path).unwrap();
        }
        true
    }));
}

/// Without /proc the path of a directory is not known, and peers cannot answer to any other name.
#[test]
fn without_proc_a_datagram_socket_below_a_directory_is_refused() {
    let fresh = Fresh::new();
    fs::create_dir(fresh.dir.path().join("d")).unwrap();
    assert!(without_proc(&fresh, || {
        let dir = Dir::open("/d").unwrap();
        let refused = |name: &str| UnixDatagram::bind_at(&dir, name).map(drop).unwrap_err();
        assert_eq!(refused("a.sock").errno(), Errno::EOPNOTSUPP);
        let max = sys::SUN_PATH_MAX;
        for (len, fits) in [(max - 1, true), (max, true), (max + 1, false)] {
            let error = refused(&"d".repeat(len));
            let too_long = Cause::NoReturnPath {
                len: len as u16,
                max: max as u16,
            };
            let (errno, cause) = match fits {
                true => (Errno::EOPNOTSUPP, None),
                false => (Errno::ENAMETOOLONG, Some(too_long)),
            };
            assert_eq!((error.errno(), error.cause()), (errno, cause), "{len}");
        }
        fs::read_dir("/d").unwrap().count() == 0
    }));
}
