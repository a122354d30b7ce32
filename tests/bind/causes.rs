//! Tests of the cause of an error, where one errno has several causes.

use std::ffi::CString;
use std::fs::{self, Permissions};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::Path;

use sunpath::error::{Cause, InUse};
use sunpath::{BindOptions, Errno, Existing, UnixDatagram, UnixListener};

use crate::{Fresh, bind, in_child};

fn cause(policy: Existing, path: &Path) -> (Errno, Option<Cause>) {
    let error = bind(BindOptions::new().existing(policy), path).unwrap_err();
    (error.errno(), error.cause())
}

const fn in_use(in_use: InUse) -> (Errno, Option<Cause>) {
    (Errno::EADDRINUSE, Some(Cause::InUse(in_use)))
}

#[test]
fn cause_of_a_file_that_is_in_the_way_is_what_it_is() {
    let fresh = Fresh::new();
    let path = &fresh.path;
    for policy in crate::POLICIES {
        fs::create_dir(path).unwrap();
        assert_eq!(cause(policy, path), in_use(InUse::Directory), "{policy:?}");
        assert_eq!(cause(policy, &path.join("..")), in_use(InUse::Directory));
        fs::remove_dir(path).unwrap();
        fs::write(path, "").unwrap();
        assert_eq!(cause(policy, path), in_use(InUse::NotSocket), "{policy:?}");
        fs::remove_file(path).unwrap();
        symlink("absent", path).unwrap();
        assert_eq!(cause(policy, path), in_use(InUse::NotSocket), "{policy:?}");
        fs::remove_file(path).unwrap();
    }
    // Under a policy that never replaces a socket, bind does not ask whether the socket is alive.
    let _live = UnixDatagram::bind(path).unwrap();
    assert_eq!(cause(Existing::Refuse, path), in_use(InUse::SocketFile));
    assert_eq!(
        cause(Existing::ReplaceStale, path),
        in_use(InUse::Server),
        "a live server"
    );
}

#[test]
fn cause_of_a_lock_that_is_not_to_be_had_is_the_lock() {
    let fresh = Fresh::new();
    let (path, lock) = (&fresh.path, fresh.dir.path().join("a.sock.lock"));
    let replace = Existing::ReplaceStale;
    let held = bind(BindOptions::new().existing(replace), path).unwrap();
    assert_eq!(cause(replace, path), in_use(InUse::Lock));
    drop(held);
    fs::write(&lock, "4711\n").unwrap();
    assert_eq!(cause(replace, path), in_use(InUse::LockFile), "a pid file");
    fs::remove_file(&lock).unwrap();
    let of_lock_file = |errno| (errno, Some(Cause::LockFile));
    fs::create_dir(&lock).unwrap();
    assert_eq!(cause(replace, path), in_use(InUse::LockFile));
    fs::remove_dir(&lock).unwrap();
    symlink("absent", &lock).unwrap();
    assert_eq!(cause(replace, path), of_lock_file(Errno::ELOOP));
    fs::remove_file(&lock).unwrap();
    let _socket = UnixListener::bind(&lock).unwrap();
    assert_eq!(cause(replace, path), of_lock_file(Errno::ENXIO));
}

/// `holder` finds the process by the file's device and inode in /proc/locks. For some file systems
/// /proc/locks has another device number, and then the test is skipped.
#[cfg(target_os = "linux")]
#[test]
fn cause_of_a_lock_that_is_held_can_be_told_with_its_holder() {
    use sunpath::files::holder;

    let fresh = Fresh::new();
    assert_eq!(holder(&fresh.path), Ok(None));
    let options = BindOptions::singleton();
    let listener = bind(options, &fresh.path).unwrap();
    let error = bind(options, &fresh.path).unwrap_err();
    assert_eq!(error.in_use(), Some(InUse::Lock));
    let file = fs::metadata(fresh.dir.path().join("a.sock.lock")).unwrap();
    let device = (libc::major(file.dev()), libc::minor(file.dev()));
    let listed = format!("{:02x}:{:02x}:{} ", device.0, device.1, file.ino());
    if !fs::read_to_string("/proc/locks").unwrap().contains(&listed) {
        return crate::skip::skip("a file system with its own device number in /proc/locks");
    }
    let own = std::process::id() as i32;
    assert_eq!(holder(&fresh.path), Ok(Some(own)));
    let asked_by_child = || holder(&fresh.path) == Ok(Some(own));
    assert!(in_child(asked_by_child));
    drop(listener);
    assert_eq!(holder(&fresh.path), Ok(None));
    let absent = holder(fresh.dir.path().join("absent").join("a.sock"));
    assert_eq!(absent.unwrap_err().errno(), Errno::ENOENT);
}

#[test]
fn cause_of_a_lock_that_may_not_be_looked_for_is_told() {
    use sunpath::files::holder;

    let fresh = Fresh::new();
    let closed = fresh.dir.path().join("closed");
    fs::create_dir(&closed).unwrap();
    for dir in [fresh.dir.path(), &closed] {
        fs::set_permissions(dir, Permissions::from_mode(0o755)).unwrap();
    }
    let path = closed.join("a.sock");
    assert_eq!(holder(&path), Ok(None));
    fs::set_permissions(&closed, Permissions::from_mode(0o600)).unwrap();
    assert!(in_child(|| {
        if crate::is_root() {
            crate::become_nobody();
        }
        holder(&path).is_err_and(|error| error.errno() == Errno::EACCES)
    }));
}

#[test]
fn cause_of_a_lock_file_of_root_is_named() {
    let fresh = Fresh::new();
    if crate::skip::unless_root() {
        return;
    }
    fs::set_permissions(fresh.dir.path(), Permissions::from_mode(0o777)).unwrap();
    // These lines leave the directory in the state in which a killed server of root leaves it.
    let replace = BindOptions::new().existing(Existing::ReplaceStale);
    std::mem::forget(bind(replace, &fresh.path).unwrap());
    fs::remove_file(&fresh.path).unwrap();
    let lock = fresh.dir.path().join("a.sock.lock");
    for (mode, expected) in [
        (0o600, (Errno::EACCES, Some(Cause::LockFile))),
        // This process still holds the lock, because it only forgot the listener.
        (0o666, in_use(InUse::Lock)),
    ] {
        fs::set_permissions(&lock, Permissions::from_mode(mode)).unwrap();
        assert!(in_child(|| {
            crate::become_nobody();
            cause(Existing::ReplaceStale, &fresh.path) == expected
        }));
    }
    // A dead process of root leaves this state: a lock file that belongs to root and that nobody
    // holds.
    fs::remove_file(&lock).unwrap();
    fs::write(&lock, "").unwrap();
    fs::set_permissions(&lock, Permissions::from_mode(0o666)).unwrap();
    assert!(in_child(|| {
        crate::become_nobody();
        cause(Existing::ReplaceStale, &fresh.path) == in_use(InUse::LockFile)
    }));
    assert_eq!(fresh.names(), ["a.sock.lock"]);
}

/// Root may open and lock every file, so no call fails. Only the owner of the lock file shows that another
/// user made it.
#[test]
fn cause_of_a_lock_file_of_another_user_is_named_to_root_too() {
    let fresh = Fresh::new();
    if crate::skip::unless_root() {
        return;
    }
    let lock = fresh.dir.path().join("a.sock.lock");
    fs::write(&lock, "").unwrap();
    fs::set_permissions(&lock, Permissions::from_mode(0o644)).unwrap();
    for user in [crate::NOBODY, 1] {
        chown(&lock, Some(user), None).unwrap();
        let before = fresh.entries();
        let found = cause(Existing::ReplaceStale, &fresh.path);
        assert_eq!(found, in_use(InUse::LockFile));
        assert_eq!(fresh.entries(), before);
        let file = fs::metadata(&lock).unwrap();
        assert_eq!((file.uid(), file.mode() & 0o7777), (user, 0o644));
    }
}

/// In a directory with the sticky bit, another user can make any file under the name of our lock
/// file. The other user's file is never taken for ours.
#[cfg(target_os = "linux")]
#[test]
fn cause_of_what_another_user_put_into_a_sticky_directory_is_the_lock_file() {
    let fresh = Fresh::new();
    if crate::skip::unless_root() {
        return;
    }
    fs::set_permissions(fresh.dir.path(), Permissions::from_mode(0o1777)).unwrap();
    let lock = fresh.dir.path().join("a.sock.lock");
    let make_fifo = || {
        let path = CString::new(lock.as_os_str().as_bytes()).unwrap();
        // SAFETY: the path ends with a NUL.
        assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
    };
    let cannot_be_opened = |errno| (errno, Some(Cause::LockFile));
    let kinds: [(&str, &dyn Fn(), _); 4] = [
        (
            "a socket",
            &|| drop(UnixListener::bind(&lock).unwrap()),
            cannot_be_opened(Errno::ENXIO),
        ),
        (
            "a link",
            &|| symlink("absent", &lock).unwrap(),
            cannot_be_opened(Errno::ELOOP),
        ),
        (
            "a file",
            &|| fs::write(&lock, "").unwrap(),
            in_use(InUse::LockFile),
        ),
        ("a FIFO", &make_fifo, in_use(InUse::LockFile)),
    ];
    for (kind, make, expected) in kinds {
        make();
        lchown(&lock, Some(1), None).unwrap();
        let before = fresh.entries();
        assert_eq!(
            cause(Existing::ReplaceStale, &fresh.path),
            expected,
            "{kind}"
        );
        assert_eq!(fresh.entries(), before, "{kind}");
        fs::remove_file(&lock).unwrap();
    }
}

/// A process, which here is the same one, has a lease on the lock file. Opening the file would have
/// to wait until the lease ends.
#[cfg(target_os = "linux")]
#[test]
fn cause_of_a_lease_on_the_lock_file_is_eagain_of_the_lock_file() {
    let fresh = Fresh::new();
    assert!(in_child(|| {
        // SAFETY: the holder of a lease gets SIGIO, which the child ignores.
        unsafe { libc::signal(libc::SIGIO, libc::SIG_IGN) };
        let lock = fs::File::create(fresh.dir.path().join("a.sock.lock")).unwrap();
        // SAFETY: the arguments are integers, so the call accesses no memory.
        let leased = unsafe { libc::fcntl(lock.as_raw_fd(), libc::F_SETLEASE, libc::F_WRLCK) };
        assert_eq!(leased, 0, "{}", std::io::Error::last_os_error());
        cause(Existing::ReplaceStale, &fresh.path) == (Errno::EAGAIN, Some(Cause::LockFile))
    }));
}

#[test]
fn cause_of_a_wrong_mode_is_the_mode() {
    let fresh = Fresh::new();
    let error = bind(BindOptions::new().mode(660), &fresh.path).unwrap_err();
    assert_eq!(error.errno(), Errno::EINVAL);
    assert_eq!(error.cause(), Some(Cause::Mode { mode: 660 }));
}

#[test]
fn cause_of_a_file_that_was_replaced_is_that_it_moved() {
    let fresh = Fresh::new();
    let listener = bind(BindOptions::new(), &fresh.path).unwrap();
    fs::remove_file(&fresh.path).unwrap();
    fs::write(&fresh.path, "").unwrap();
    let error = listener.close_and_unlink().unwrap_err();
    assert_eq!(error.cause(), Some(Cause::FileMoved), "{error}");
}
