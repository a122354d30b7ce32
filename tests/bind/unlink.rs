//! Tests of the removal of a socket file. A file is removed only if it is ours.

use std::env;
use std::fs;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use sunpath::error::{Cause, InUse};
use sunpath::{
    BindOptions, Bound, Errno, Existing, Listener, Socket, Stream, UnixAddr, UnixDatagram,
    UnixListener, UnixStream,
};

use crate::{
    Fresh, POLICIES, assert_fails, assert_reaches, bind, in_child, ino, may_have_own_namespaces,
    open_count,
};

fn bound(fresh: &Fresh) -> Bound<Listener<Stream>> {
    bind(BindOptions::new(), &fresh.path).unwrap()
}

#[test]
fn unlink_on_drop_removes_the_file() {
    let fresh = Fresh::new();
    let listener = bound(&fresh);
    assert_reaches(&fresh.path, &listener);
    let addr = UnixAddr::from_pathname(&fresh.path).unwrap();
    assert_eq!(listener.local_addr().unwrap(), addr, "as it was given");
    assert_eq!(listener.addr(), Some(&addr));
    drop(listener);
    assert!(fresh.names().is_empty());

    let socket = BindOptions::new().bind_datagram(&fresh.path).unwrap();
    assert_eq!(fresh.names(), ["a.sock"]);
    drop(socket);
    assert!(fresh.names().is_empty());
}

#[test]
fn unlink_on_drop_off_leaves_the_file() {
    let fresh = Fresh::new();
    let options = BindOptions::new().unlink_on_drop(false);
    drop(bind(options, &fresh.path).unwrap());
    assert_eq!(fresh.names(), ["a.sock"]);
    let replaced = options.existing(Existing::ReplaceStale);
    bind(replaced, &fresh.path)
        .unwrap()
        .close_and_unlink()
        .unwrap();
    assert!(
        fresh.names().is_empty(),
        "it is removed if that is asked for"
    );
}

#[test]
fn unlink_of_a_socket_that_was_let_go_is_nobodys() {
    let fresh = Fresh::new();
    for policy in POLICIES {
        let options = BindOptions::new().existing(policy);
        let listener: UnixListener = bind(options, &fresh.path).unwrap().leak();
        assert_reaches(&fresh.path, &listener);
        assert_eq!(fresh.names(), ["a.sock"], "{policy:?}");
        drop(listener);
        assert_eq!(fresh.names(), ["a.sock"], "{policy:?}");
        fs::remove_file(&fresh.path).unwrap();

        drop(OwnedFd::from(bind(options, &fresh.path).unwrap()));
        assert_eq!(fresh.names(), ["a.sock"], "{policy:?}");
        fs::remove_file(&fresh.path).unwrap();
    }
    mem::forget(bound(&fresh));
    assert_eq!(fresh.names(), ["a.sock"]);
}

#[test]
fn unlink_after_leak_of_a_locked_one_is_still_refused_while_it_lives() {
    let fresh = Fresh::new();
    let options = BindOptions::new().existing(Existing::ReplaceStale);
    let listener = bind(options, &fresh.path).unwrap().leak();
    assert_fails(bind(options, &fresh.path), Errno::EADDRINUSE);
    drop(listener);
    drop(bind(options, &fresh.path).unwrap());
}

#[test]
fn unlink_leaves_a_file_that_was_renamed() {
    let fresh = Fresh::new();
    let aside = fresh.dir.path().join("b.sock");
    let listener = bound(&fresh);
    fs::rename(&fresh.path, &aside).unwrap();
    assert_reaches(&aside, &listener);
    drop(listener);
    assert_eq!(fresh.names(), ["b.sock"]);
}

#[test]
fn unlink_leaves_a_second_name() {
    let fresh = Fresh::new();
    let link = fresh.dir.path().join("b.sock");
    let listener = bound(&fresh);
    fs::hard_link(&fresh.path, &link).unwrap();
    drop(listener);
    assert_eq!(fresh.names(), ["b.sock"]);
}

#[test]
fn unlink_leaves_what_came_in_its_place() {
    let fresh = Fresh::new();
    // Another server's socket is at the path, and stays connectable.
    let first = bound(&fresh);
    fs::remove_file(&fresh.path).unwrap();
    let second = bound(&fresh);
    let file = ino(&fresh.path);
    drop(first);
    assert_eq!(ino(&fresh.path), file);
    assert_reaches(&fresh.path, &second);

    // A file that is not a socket is at the path.
    fs::remove_file(&fresh.path).unwrap();
    fs::write(&fresh.path, "not yours").unwrap();
    assert_fails(second.close_and_unlink(), Errno::ESTALE);
    assert_eq!(fs::read(&fresh.path).unwrap(), b"not yours");
    fs::remove_file(&fresh.path).unwrap();

    // A link to our own socket is at the path.
    let third = bound(&fresh);
    let aside = fresh.dir.path().join("b.sock");
    fs::rename(&fresh.path, &aside).unwrap();
    std::os::unix::fs::symlink("b.sock", &fresh.path).unwrap();
    drop(third);
    assert_eq!(fresh.names(), ["a.sock", "b.sock"]);
}

#[test]
fn unlink_in_a_forked_child_leaves_the_file() {
    let fresh = Fresh::new();
    for policy in POLICIES {
        let options = BindOptions::new().existing(policy);
        let listener = bind(options, &fresh.path).unwrap();
        let before = fresh.entries();
        assert!(in_child(|| {
            // SAFETY: the child ends without dropping the original, so the socket is dropped once.
            drop(unsafe { std::ptr::read(&raw const listener) });
            true
        }));
        assert_eq!(fresh.entries(), before, "{policy:?}");
        assert!(in_child(|| {
            // SAFETY: the child ends without dropping the original, so the socket is dropped once.
            let copy = unsafe { std::ptr::read(&raw const listener) };
            copy.close_and_unlink()
                .is_err_and(|error| error.cause() == Some(Cause::BoundElsewhere))
        }));
        assert_eq!(fresh.entries(), before, "{policy:?}");
        assert_reaches(&fresh.path, &listener);
        if policy == Existing::ReplaceStale {
            assert_fails(bind(options, &fresh.path), Errno::EADDRINUSE);
        }
        drop(listener);
        assert!(fresh.names().is_empty());
    }
}

/// A child is the first process of a pid namespace, and its own child is the first process of
/// another pid namespace, so both have pid 1.
#[test]
fn unlink_in_a_forked_child_with_the_same_number_leaves_the_file() {
    let fresh = Fresh::new();
    let in_namespace = |action: &dyn Fn() -> bool| {
        in_child(|| {
            // SAFETY: the argument is an integer; this process has one thread.
            assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWPID) }, 0);
            in_child(action)
        })
    };
    assert!(in_child(|| {
        if !may_have_own_namespaces() {
            return true;
        }
        in_namespace(&|| {
            assert_eq!(std::process::id(), 1);
            let listener = bound(&fresh);
            let kept = in_namespace(&|| {
                assert_eq!(std::process::id(), 1);
                // SAFETY: the child ends without dropping the original, so the socket is dropped
                // once.
                let copy = unsafe { std::ptr::read(&raw const listener) };
                copy.close_and_unlink()
                    .is_err_and(|error| error.errno() == Errno::EPERM)
            });
            kept && fresh.path.exists() && listener.close_and_unlink().is_ok()
        })
    }));
    assert!(fresh.names().is_empty());
}

/// Another process keeps the directory locked. A takeover and a drop wait for that lock only
/// briefly, and then continue without it.
#[test]
fn unlink_and_takeover_in_a_directory_that_is_locked_go_on() {
    use std::os::fd::AsRawFd;

    let fresh = Fresh::new();
    let dir = fs::File::open(fresh.dir.path()).unwrap();
    // SAFETY: the arguments are integers, so the call accesses no memory.
    assert_eq!(unsafe { libc::flock(dir.as_raw_fd(), libc::LOCK_EX) }, 0);
    for policy in POLICIES {
        let options = BindOptions::new().existing(policy);
        drop(bind(options.unlink_on_drop(false), &fresh.path).unwrap());
        if policy == Existing::Refuse {
            fs::remove_file(&fresh.path).unwrap();
        }
        let listener = bind(options, &fresh.path).unwrap();
        assert_reaches(&fresh.path, &listener);
        listener.close_and_unlink().unwrap();
        assert!(fresh.names().is_empty());
    }
}

#[test]
fn unlink_in_a_child_that_adopts_removes_the_file() {
    let fresh = Fresh::new();
    let listener = bound(&fresh);
    assert!(in_child(|| {
        // SAFETY: the child ends without dropping the original, so the socket is dropped once.
        let mut copy = unsafe { std::ptr::read(&raw const listener) };
        copy.adopt();
        copy.close_and_unlink().is_ok()
    }));
    assert!(fresh.names().is_empty());
    assert_fails(listener.close_and_unlink(), Errno::ENOENT);
}

#[test]
fn unlink_of_a_relative_path_is_unaffected_by_chdir() {
    let fresh = Fresh::new();
    let (here, there) = (fresh.dir.path(), crate::fresh::dir());
    // The other directory has a file of the same name, which is not ours and has to stay.
    fs::write(there.path().join("a.sock"), "").unwrap();
    for policy in POLICIES {
        // A child changes the working directory, because the directory belongs to the whole
        // process.
        assert!(in_child(|| {
            env::set_current_dir(here).unwrap();
            let options = BindOptions::new().existing(policy);
            let [first, second] =
                ["a.sock", "./b.sock"].map(|path| bind(options, Path::new(path)).unwrap());
            let given = first.addr() == Some(&UnixAddr::from_pathname("a.sock").unwrap());
            let there_are = fs::exists("a.sock").unwrap() && fs::exists("b.sock").unwrap();
            env::set_current_dir(there.path()).unwrap();
            drop(first);
            second.close_and_unlink().unwrap();
            given && there_are && fs::exists("a.sock").unwrap()
        }));
        assert!(fresh.names().is_empty(), "{policy:?}");
    }
}

#[test]
fn unlink_follows_its_directory() {
    let fresh = Fresh::new();
    let (old, new) = (fresh.dir.path().join("old"), fresh.dir.path().join("new"));
    fs::create_dir(&old).unwrap();
    let listener = bind(BindOptions::new(), &old.join("a.sock")).unwrap();
    fs::rename(&old, &new).unwrap();
    assert!(new.join("a.sock").exists());
    drop(listener);
    assert!(!new.join("a.sock").exists());
}

#[test]
fn close_and_unlink_says_what_happened() {
    let fresh = Fresh::new();
    bound(&fresh).close_and_unlink().unwrap();
    assert!(fresh.names().is_empty());

    let listener = bound(&fresh);
    fs::remove_file(&fresh.path).unwrap();
    assert_fails(listener.close_and_unlink(), Errno::ENOENT);

    let listener = bound(&fresh);
    fs::remove_file(&fresh.path).unwrap();
    let _other = bound(&fresh);
    assert_fails(listener.close_and_unlink(), Errno::ESTALE);
    assert!(fresh.path.exists());
}

#[test]
fn bind_in_a_directory_works_as_by_path() {
    let fresh = Fresh::new();
    let dir = fs::File::open(fresh.dir.path()).unwrap();
    for policy in POLICIES {
        let options = BindOptions::new().mode(0o600).existing(policy);
        let listener: Bound<UnixListener> = options.bind_at(&dir, "a.sock").unwrap();
        assert!(listener.addr().is_none());
        assert_reaches(&fresh.path, &listener);
        drop(listener);
        let socket = options.bind_at::<UnixDatagram>(&dir, "a.sock").unwrap();
        let kind = fs::symlink_metadata(&fresh.path).unwrap().file_type();
        assert!(kind.is_socket());
        drop(socket);
        assert!(fresh.names().is_empty());
    }
    for (path, errno) in [
        ("", Errno::ENOENT),
        (".", Errno::EADDRINUSE),
        ("..", Errno::EADDRINUSE),
        ("missing/a", Errno::ENOENT),
    ] {
        let refused = BindOptions::new().bind_at::<UnixListener>(&dir, path);
        assert_fails(refused, errno);
    }
    fs::create_dir(fresh.dir.path().join("below")).unwrap();
    let below: Bound<UnixListener> = BindOptions::new().bind_at(&dir, "below/b.sock").unwrap();
    assert_reaches(&fresh.dir.path().join("below/b.sock"), &below);
}

#[test]
fn bind_to_a_path_that_is_no_file_name_fails_as_in_c() {
    let fresh = Fresh::new();
    let at = |path: &str| bind(BindOptions::new(), &fresh.dir.path().join(path));
    fs::create_dir(fresh.dir.path().join("dir")).unwrap();
    fs::write(fresh.dir.path().join("file"), "").unwrap();
    assert_fails(at("."), Errno::EADDRINUSE);
    assert_fails(at("dir/"), Errno::EADDRINUSE);
    assert_fails(at("dir/.."), Errno::EADDRINUSE);
    assert_fails(at("new/"), Errno::ENOENT);
    assert_fails(at("new/a"), Errno::ENOENT);
    assert_fails(at("file/a"), Errno::ENOTDIR);
    assert_fails(at(&"n".repeat(256)), Errno::ENAMETOOLONG);
    assert_fails(bind(BindOptions::new(), Path::new("")), Errno::ENOENT);
    assert_fails(bind(BindOptions::new(), Path::new("a\0b")), Errno::EINVAL);
    assert_eq!(fresh.names(), ["dir", "file"]);
}

/// For a path that ends in no file name, no policy makes a lock file or a temporary file.
#[test]
fn bind_to_a_path_that_is_no_file_name_has_one_error_for_every_policy() {
    let fresh = Fresh::new();
    fs::create_dir(fresh.dir.path().join("dir")).unwrap();
    fs::write(fresh.dir.path().join("file"), "").unwrap();
    let directory = Some(Cause::InUse(InUse::Directory));
    for policy in POLICIES {
        for options in [BindOptions::new(), BindOptions::new().mode(0o600)] {
            for (path, errno, cause) in [
                (".", Errno::EADDRINUSE, directory),
                ("dir/", Errno::EADDRINUSE, directory),
                ("dir/..", Errno::EADDRINUSE, directory),
                ("new/", Errno::ENOENT, None),
                ("file/", Errno::ENOTDIR, None),
            ] {
                let path = fresh.dir.path().join(path);
                let error = bind(options.existing(policy), &path).unwrap_err();
                let what = format!("{policy:?} {path:?}: {error}");
                assert_eq!((error.errno(), error.cause()), (errno, cause), "{what}");
            }
        }
    }
    assert_eq!(fresh.names(), ["dir", "file"]);
}

#[test]
fn bind_and_drop_lose_no_descriptor() {
    let fresh = Fresh::new();
    assert!(in_child(|| {
        let before = open_count();
        for policy in POLICIES {
            let options = BindOptions::new().mode(0o666).existing(policy);
            let listener = bind(options, &fresh.path).unwrap();
            let failed = bind(options.existing(Existing::Refuse), &fresh.path).is_err();
            let client = UnixStream::connect(&fresh.path).unwrap();
            drop((listener, client));
            let socket: Socket<_> = options.bind_datagram(&fresh.path).unwrap().leak();
            drop(socket);
            fs::remove_file(&fresh.path).unwrap();
            if !failed || open_count() != before {
                return false;
            }
        }
        true
    }));
}

/// The value gives up its descriptor, and then nothing removes the file.
#[test]
fn unlink_is_not_made_after_the_descriptor_was_taken_out() {
    let fresh = Fresh::new();
    let listener = bound(&fresh);
    let (number, named) = (listener.as_raw_fd(), listener.as_fd().as_raw_fd());
    assert_eq!(number, named);
    assert_eq!(listener.into_raw_fd(), number);
    // SAFETY: into_raw_fd has just returned the descriptor, so nothing else owns it.
    let taken = unsafe { OwnedFd::from_raw_fd(number) };
    assert_eq!(fresh.names(), ["a.sock"]);
    fs::remove_file(&fresh.path).unwrap();

    let listener = bound(&fresh);
    drop([taken, OwnedFd::from(listener)]);
    assert_eq!(fresh.names(), ["a.sock"]);
}
