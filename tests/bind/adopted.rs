//! Tests of a program that inherits a socket through execve(2) and takes over its file.

use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use sunpath::error::{Cause, InUse};
use sunpath::{
    BindOptions, Bound, Errno, Existing, UnixDatagram, UnixListener, UnixSeqpacketListener,
};

use crate::{
    Fresh, POLICIES, assert_fails, assert_reaches, become_nobody, bind, in_child, is_root,
};

/// Binds a socket and leaves its file in place, which is the state in which an executed program
/// finds them.
fn inherited(options: BindOptions, fresh: &Fresh) -> UnixListener {
    bind(options, &fresh.path).unwrap().leak()
}

#[test]
fn adopted_socket_of_every_policy_and_kind_removes_its_file() {
    for policy in POLICIES {
        let fresh = Fresh::new();
        let options = BindOptions::new().existing(policy);
        let listener = options
            .adopt(inherited(options, &fresh), &fresh.path)
            .unwrap();
        assert!(listener.is_in_place().unwrap());
        assert_eq!(
            listener.addr().unwrap().to_string(),
            fresh.path.to_str().unwrap()
        );
        if policy == Existing::ReplaceStale {
            assert_eq!(fresh.names(), ["a.sock", "a.sock.lock"]);
            assert_fails(bind(options, &fresh.path), Errno::EADDRINUSE);
        }
        assert_reaches(&fresh.path, &listener);
        drop(listener);
        assert!(fresh.names().is_empty());
    }
    let fresh = Fresh::new();
    let options = BindOptions::new();
    let datagram: UnixDatagram = options.bind_datagram(&fresh.path).unwrap().leak();
    drop(options.adopt(datagram, &fresh.path).unwrap());
    let seqpacket: UnixSeqpacketListener = options.listen_seqpacket(&fresh.path).unwrap().leak();
    let kept = options.unlink_on_drop(false).adopt(seqpacket, &fresh.path);
    drop(kept.unwrap());
    assert_eq!(fresh.names(), ["a.sock"]);
}

#[test]
fn adopted_socket_whose_file_is_not_at_the_path_is_given_back() {
    let fresh = Fresh::new();
    let options = BindOptions::new();
    let refused = |listener: UnixListener| {
        let before = fresh.entries();
        let error = options.adopt(listener, &fresh.path).unwrap_err();
        assert_eq!(fresh.entries(), before);
        assert_eq!(error.to_string(), error.error().to_string());
        let debug = format!("ReturnedError {{ error: {:?}, .. }}", error.error());
        assert_eq!(format!("{error:?}"), debug);
        (error.error(), error.into_inner())
    };
    let moved = fresh.dir.path().join("b.sock");
    let listener = inherited(options, &fresh);
    fs::rename(&fresh.path, &moved).unwrap();
    let (error, listener) = refused(listener);
    assert_eq!(error.errno(), Errno::ENOENT);

    // Another server of the same user is bound to the path now.
    let other = UnixListener::bind(&fresh.path).unwrap();
    let (error, listener) = refused(listener);
    assert_eq!(error.cause(), Some(Cause::FileMoved));
    assert_reaches(&fresh.path, &other);
    fs::remove_file(&fresh.path).unwrap();
    fs::write(&fresh.path, "precious").unwrap();
    let (error, listener) = refused(listener);
    assert_eq!(error.cause(), Some(Cause::InUse(InUse::NotSocket)));
    fs::remove_file(&fresh.path).unwrap();

    // The listener is still the server of its own file, which was moved.
    assert_reaches(&moved, &listener);
    drop(options.adopt(listener, &moved).unwrap());
    assert!(fresh.names().is_empty());
}

#[test]
fn adopted_socket_waits_for_nobody_who_holds_the_lock() {
    let fresh = Fresh::new();
    let options = BindOptions::new().existing(Existing::ReplaceStale);
    let listener = inherited(options, &fresh);
    let lock = fs::File::create(fresh.dir.path().join("a.sock.lock")).unwrap();
    // SAFETY: the arguments are integers, so the call accesses no memory.
    assert_eq!(unsafe { libc::flock(lock.as_raw_fd(), libc::LOCK_EX) }, 0);
    let error = options.adopt(listener, &fresh.path).unwrap_err();
    assert_eq!(error.error().cause(), Some(Cause::InUse(InUse::Lock)));
    let (text, listener) = (error.to_string(), error.into_inner());
    assert!(text.contains("it holds the lock file"), "{text}");
    drop(lock);
    drop(options.adopt(listener, &fresh.path).unwrap());
    // The lock file stays, because this program did not make it.
    assert_eq!(fresh.names(), ["a.sock.lock"]);
}

/// Root and an ordinary user learn in different ways which file a socket is bound to, and an
/// ordinary user may not learn it at all.
#[test]
fn adopted_socket_of_an_ordinary_user_is_not_taken_for_another() {
    let fresh = Fresh::new();
    fs::set_permissions(fresh.dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(in_child(|| {
        if is_root() {
            become_nobody();
        }
        let options = BindOptions::new();
        match options.adopt(inherited(options, &fresh), &fresh.path) {
            Ok(listener) => listener.is_in_place().unwrap(),
            Err(refused) => refused.error().is_unsupported(),
        }
    }));
}

/// A daemon executes itself. The socket file stays, and the new program adopts the socket and
/// removes the file.
#[test]
fn adopted_socket_after_execve_removes_its_file() {
    const PATH: &str = "SUNPATH_TEST_ADOPTED";
    if let Some(path) = std::env::var_os(PATH) {
        use std::os::fd::{FromRawFd, OwnedFd};
        // SAFETY: the parent has put the listener there, and nothing else uses it.
        let fd = unsafe { OwnedFd::from_raw_fd(0) };
        let listener = UnixListener::try_from(fd).unwrap();
        let listener: Bound<UnixListener> = BindOptions::new().adopt(listener, path).unwrap();
        listener.close_and_unlink().unwrap();
        return;
    }
    let fresh = Fresh::new();
    let listener = bind(BindOptions::new(), &fresh.path).unwrap();
    assert!(in_child(|| {
        use std::os::fd::{AsFd, OwnedFd};
        use std::os::unix::process::CommandExt;
        let fd: OwnedFd = listener.as_fd().try_clone_to_owned().unwrap();
        let error = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "adopted::adopted_socket_after_execve_removes_its_file",
            ])
            .env(PATH, &fresh.path)
            .stdin(fd)
            .exec();
        panic!("exec: {error}");
    }));
    assert!(!listener.is_in_place().unwrap());
    assert!(fresh.names().is_empty());
}
