//! Tests of a socket file that somebody removes while its server runs, and that the server makes
//! again.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use sunpath::{BindOptions, Bound, Dir, Errno, Existing, UnixDatagram, UnixListener, UnixStream};

use crate::{Fresh, POLICIES, assert_fails, assert_reaches, bind, in_child};

#[test]
fn again_the_file_that_a_cleaner_removed_is_made_under_the_same_lock() {
    for policy in POLICIES {
        for removed in [&["a.sock"][..], &["a.sock", "a.sock.lock"]] {
            let fresh = Fresh::new();
            let options = BindOptions::new().existing(policy).mode(0o640);
            let mut listener = bind(options, &fresh.path).unwrap();
            assert!(listener.is_in_place().unwrap());
            let client = UnixStream::connect(&fresh.path).unwrap();
            client.write(b"queued").unwrap();

            for name in removed {
                let _ = fs::remove_file(fresh.dir.path().join(name));
            }
            assert!(!listener.is_in_place().unwrap());
            let before = fresh.names();
            if policy == Existing::ReplaceStale && removed.len() == 1 {
                // The lock file is still held, so neither another process nor this one can take the
                // path.
                assert_fails(bind(options, &fresh.path), Errno::EADDRINUSE);
            }
            assert_eq!(fresh.names(), before);

            let old = listener.bind_again(&options).unwrap();
            assert!(listener.is_in_place().unwrap());
            assert_eq!(fs::metadata(&fresh.path).unwrap().mode() & 0o777, 0o640);
            assert_reaches(&fresh.path, &listener);
            old.set_nonblocking(true).unwrap();
            let (queued, _) = old.accept().unwrap();
            assert_eq!(queued.read(&mut [0; 8]).unwrap(), 6);
            if policy == Existing::ReplaceStale {
                assert_fails(bind(options, &fresh.path), Errno::EADDRINUSE);
                assert_eq!(fresh.names(), ["a.sock", "a.sock.lock"]);
            }
            drop(old);
            assert!(listener.is_in_place().unwrap());
            listener.close_and_unlink().unwrap();
            assert!(fresh.names().is_empty(), "{policy:?} {removed:?}");
        }
    }
}

#[test]
fn again_what_is_in_the_way_stays_and_the_socket_too() {
    let fresh = Fresh::new();
    let options = BindOptions::new().existing(Existing::ReplaceStale);
    let mut listener = bind(options, &fresh.path).unwrap();
    let unchanged = |listener: &mut Bound<UnixListener>| {
        let before = fresh.entries();
        assert_fails(listener.bind_again(&options), Errno::EADDRINUSE);
        assert_eq!(fresh.entries(), before);
    };
    // The listener's own file is in the way.
    unchanged(&mut listener);
    assert_reaches(&fresh.path, &listener);
    // Another server's file is in the way, and then a file that is not a socket.
    fs::rename(&fresh.path, fresh.dir.path().join("b.sock")).unwrap();
    let other = UnixListener::bind(&fresh.path).unwrap();
    assert!(!listener.is_in_place().unwrap());
    unchanged(&mut listener);
    assert_reaches(&fresh.path, &other);
    fs::remove_file(&fresh.path).unwrap();
    fs::write(&fresh.path, "precious").unwrap();
    unchanged(&mut listener);
    fs::remove_file(&fresh.path).unwrap();
    // The listener held the lock all the time.
    assert_fails(bind(options, &fresh.path), Errno::EADDRINUSE);
    assert_reaches(&fresh.dir.path().join("b.sock"), &listener);
    drop(listener.bind_again(&options).unwrap());
    assert_reaches(&fresh.path, &listener);
}

#[test]
fn again_a_directory_that_was_removed_and_made_again_has_the_file() {
    let fresh = Fresh::new();
    let parent = fresh.dir.path().join("parent");
    let path = parent.join("a.sock");
    fs::create_dir(&parent).unwrap();
    let options = BindOptions::new().existing(Existing::ReplaceStale);
    let mut listener = bind(options, &path).unwrap();
    fs::remove_dir_all(&parent).unwrap();
    assert!(!listener.is_in_place().unwrap());
    assert_fails(listener.bind_again(&options), Errno::ENOENT);
    fs::create_dir(&parent).unwrap();
    assert!(!listener.is_in_place().unwrap());
    drop(listener.bind_again(&options).unwrap());
    assert!(listener.is_in_place().unwrap());
    assert_reaches(&path, &listener);
    assert_fails(bind(options, &path), Errno::EADDRINUSE);
    drop(listener);
    fs::remove_dir(&parent).unwrap();
}

#[test]
fn again_below_a_directory_and_for_every_kind() {
    let fresh = Fresh::new();
    let dir = Dir::open(fresh.dir.path()).unwrap();
    let options = BindOptions::new();
    let mut listener: Bound<UnixListener> = options.bind_at(&dir, "a.sock").unwrap();
    fs::remove_file(&fresh.path).unwrap();
    drop(listener.bind_again(&options).unwrap());
    assert_reaches(&fresh.path, &listener);
    drop(listener);

    let mut socket: Bound<UnixDatagram> = options.bind_datagram(&fresh.path).unwrap();
    fs::remove_file(&fresh.path).unwrap();
    drop(socket.bind_again(&options).unwrap());
    let sender = UnixDatagram::new().unwrap();
    sender.send_to(b"x", socket.addr().unwrap()).unwrap();
    assert_eq!(socket.recv(&mut [0; 8]).unwrap().len(), 1);
    drop(socket);
    assert!(fresh.names().is_empty());
}

#[test]
fn again_a_file_in_a_directory_that_may_not_be_searched_is_neither_there_nor_gone() {
    let fresh = Fresh::new();
    fs::set_permissions(fresh.dir.path(), Permissions::from_mode(0o777)).unwrap();
    assert!(in_child(|| {
        if crate::is_root() {
            crate::become_nobody();
        }
        let own = fresh.dir.path().join("own");
        fs::create_dir(&own).unwrap();
        let listener = bind(BindOptions::new(), &own.join("a.sock")).unwrap();
        fs::set_permissions(&own, Permissions::from_mode(0o000)).unwrap();
        assert_fails(listener.is_in_place(), Errno::EACCES);
        fs::set_permissions(&own, Permissions::from_mode(0o700)).unwrap();
        assert!(listener.is_in_place().unwrap());
        drop(listener);
        fs::remove_dir(&own).is_ok()
    }));
}

#[test]
fn again_in_a_forked_child_is_refused() {
    let fresh = Fresh::new();
    let options = BindOptions::new();
    let mut listener = bind(options, &fresh.path).unwrap();
    fs::remove_file(&fresh.path).unwrap();
    assert!(in_child(|| {
        assert_fails(listener.bind_again(&options), Errno::EPERM);
        listener.adopt();
        let bound = listener.bind_again(&options).is_ok();
        drop(std::mem::replace(
            &mut listener,
            bind(options, &fresh.dir.path().join("b")).unwrap(),
        ));
        bound
    }));
}
