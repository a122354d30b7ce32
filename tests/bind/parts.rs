//! Tests of a socket and its file that have separate owners.

use std::fs;
use std::os::unix::net;

use sunpath::error::{Cause, InUse};
use sunpath::files::SocketFile;
use sunpath::{BindOptions, Errno, Existing, UnixListener};

use crate::{Fresh, assert_fails, assert_reaches, bind, in_child, ino, limit, open_count, skip};

fn parts(options: BindOptions, fresh: &Fresh) -> (UnixListener, SocketFile) {
    let bound = bind(options, &fresh.path).unwrap();
    bound.into_parts().unwrap()
}

#[test]
fn parts_may_be_dropped_in_any_order() {
    let fresh = Fresh::new();
    let before = open_count();
    let (listener, file) = parts(BindOptions::new(), &fresh);
    let listener = UnixListener::try_from(net::UnixListener::from(listener)).unwrap();
    assert_reaches(&fresh.path, &listener);
    drop(listener);
    assert!(file.is_in_place().unwrap());
    drop(file);
    assert!(fresh.names().is_empty());

    let (listener, file) = parts(BindOptions::new(), &fresh);
    assert!(format!("{file:?}").contains("unlink_on_drop: true"));
    drop(file);
    assert!(fresh.names().is_empty());
    drop(listener);

    let (listener, file) = parts(BindOptions::new().unlink_on_drop(false), &fresh);
    assert!(format!("{file:?}").contains("unlink_on_drop: false"));
    drop((listener, file));
    assert_eq!(fresh.names(), ["a.sock"]);
    assert_eq!(open_count(), before);
}

#[test]
fn parts_report_what_unlink_does() {
    let fresh = Fresh::new();
    let (_listener, file) = parts(BindOptions::new(), &fresh);
    file.unlink().unwrap();
    assert!(fresh.names().is_empty());

    let kept = BindOptions::new().unlink_on_drop(false);
    drop(parts(kept, &fresh));
    assert_eq!(fresh.names(), ["a.sock"]);
    fs::remove_file(&fresh.path).unwrap();
    let (_listener, file) = parts(kept, &fresh);
    file.unlink().unwrap();

    let (_listener, file) = parts(BindOptions::new(), &fresh);
    fs::remove_file(&fresh.path).unwrap();
    assert!(!file.is_in_place().unwrap());
    assert_fails(file.unlink(), Errno::ENOENT);
}

/// The lock is held until the `SocketFile` is dropped. Otherwise a second server could bind after the
/// listener was closed, and the drop would then remove the file of the second server.
#[test]
fn parts_hold_the_lock_until_the_file_is_dropped() {
    let fresh = Fresh::new();
    let options = BindOptions::new().existing(Existing::ReplaceStale);
    let (listener, file) = parts(options, &fresh);
    drop(listener);
    let error = bind(options, &fresh.path).unwrap_err();
    assert_eq!(error.cause(), Some(Cause::InUse(InUse::Lock)));
    drop(file);
    assert!(fresh.names().is_empty());
    drop(bind(options, &fresh.path).unwrap());
}

/// Returns whether the file system gives a new file the inode number of a file that was removed. If
/// not, reports that the current test is skipped.
fn uses_inodes_again(fresh: &Fresh) -> bool {
    let number = || {
        drop(UnixListener::bind(&fresh.path).unwrap());
        let number = ino(&fresh.path);
        fs::remove_file(&fresh.path).unwrap();
        number
    };
    let uses = number() == number();
    if !uses {
        skip::skip("a file system that uses inode numbers again, such as ext4");
    }
    uses
}

#[test]
fn parts_leave_the_file_of_a_successor_that_has_the_same_inode() {
    let fresh = Fresh::new();
    if !uses_inodes_again(&fresh) {
        return;
    }
    let options = BindOptions::new();
    for round in 0..50 {
        let (listener, file) = parts(options, &fresh);
        drop(listener);
        fs::remove_file(&fresh.path).unwrap();
        let successor = bind(options, &fresh.path).unwrap();
        assert!(!file.is_in_place().unwrap(), "round {round}");
        drop(file);
        assert_reaches(&fresh.path, &successor);
    }
    // The file no longer existed when `into_parts` was called, so the `SocketFile` cannot keep its
    // inode in use.
    let bound = bind(options, &fresh.path).unwrap();
    fs::remove_file(&fresh.path).unwrap();
    let (listener, file) = bound.into_parts().unwrap();
    drop(listener);
    let successor = bind(options, &fresh.path).unwrap();
    assert_fails(file.unlink(), Errno::ESTALE);
    assert_reaches(&fresh.path, &successor);
}

#[test]
fn parts_without_a_free_descriptor_give_the_whole_back() {
    let fresh = Fresh::new();
    assert!(in_child(|| {
        let bound = bind(BindOptions::new(), &fresh.path).unwrap();
        let null = || fs::File::open("/dev/null");
        // This file gets the lowest free descriptor, which becomes the limit.
        let free = std::os::fd::AsRawFd::as_raw_fd(&null().unwrap());
        limit::descriptors(free as libc::rlim_t);
        let error = bound.into_parts().unwrap_err();
        assert_eq!(error.error().errno(), Errno::EMFILE);
        let bound = error.into_inner();
        bound.is_in_place().unwrap() && bound.close_and_unlink().is_ok()
    }));
    assert!(fresh.names().is_empty());
}
