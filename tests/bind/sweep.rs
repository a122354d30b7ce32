//! Tests of finding the stale socket files of a directory.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use sunpath::error::InUse;
use sunpath::files::stale_in;
use sunpath::{Errno, Socket, Stream, UnixAddr, UnixDatagram, UnixListener};

use crate::{Fresh, assert_fails, assert_reaches, become_nobody, in_child, is_root};

/// Returns the names of the stale socket files that `stale_in` finds, sorted.
fn found(fresh: &Fresh) -> Vec<String> {
    let name = |stale: sunpath::files::StaleFile| {
        let path = stale.path();
        assert_eq!(path.parent(), Some(fresh.dir.path()));
        path.file_name().unwrap().to_str().unwrap().to_owned()
    };
    let found = stale_in(fresh.dir.path()).unwrap();
    let mut names: Vec<_> = found.map(|stale| name(stale.unwrap())).collect();
    names.sort();
    names
}

#[test]
fn sweep_finds_what_is_stale_and_nothing_else() {
    let fresh = Fresh::new();
    let at = |name: &str| fresh.dir.path().join(name);
    drop(UnixListener::bind(at("stale")).unwrap());
    drop(UnixDatagram::bind(at("stale datagram")).unwrap());
    drop(UnixListener::bind(at(".sunpath-0123456789abcdef")).unwrap());
    let live = UnixListener::bind(at("live")).unwrap();
    let bound = Socket::<Stream>::new().unwrap();
    bound
        .bind_to(&UnixAddr::from_pathname(at("bound")).unwrap())
        .unwrap();
    let _datagram = UnixDatagram::bind(at("datagram")).unwrap();
    fs::write(at("file"), "").unwrap();
    fs::create_dir(at("dir")).unwrap();
    drop(UnixListener::bind(at("dir/stale")).unwrap());
    symlink("stale", at("link")).unwrap();
    let before = fresh.names();
    let stale = [".sunpath-0123456789abcdef", "stale", "stale datagram"];
    assert_eq!(found(&fresh), stale);
    assert_eq!(fresh.names(), before, "nothing is left of the proof");

    for stale in stale_in(fresh.dir.path()).unwrap() {
        assert_eq!(stale.unwrap().remove(), Ok(true));
    }
    assert!(found(&fresh).is_empty());
    let left: Vec<_> = before
        .into_iter()
        .filter(|name| !stale.contains(&&**name))
        .collect();
    assert_eq!(fresh.names(), left);
    assert_reaches(&at("live"), &live);
}

#[test]
fn sweep_removes_nothing_that_is_not_stale_any_more() {
    let fresh = Fresh::new();
    let find = || {
        drop(UnixListener::bind(&fresh.path).unwrap());
        stale_in(fresh.dir.path()).unwrap().next().unwrap().unwrap()
    };
    let stale = find();
    fs::remove_file(&fresh.path).unwrap();
    assert_eq!(stale.clone().remove(), Ok(false));
    // Another server is bound to the path now.
    let server = UnixListener::bind(&fresh.path).unwrap();
    assert_eq!(
        stale.clone().remove().unwrap_err().in_use(),
        Some(InUse::Server)
    );
    assert_reaches(&fresh.path, &server);
    fs::remove_file(&fresh.path).unwrap();
    fs::write(&fresh.path, "precious").unwrap();
    assert_eq!(stale.remove().unwrap_err().in_use(), Some(InUse::NotSocket));
    assert_eq!(fresh.names(), ["a.sock"]);
}

#[test]
fn sweep_leaves_out_what_cannot_be_asked_about() {
    let fresh = Fresh::new();
    drop(UnixListener::bind(&fresh.path).unwrap());
    fs::set_permissions(&fresh.path, Permissions::from_mode(0o0)).unwrap();
    fs::set_permissions(fresh.dir.path(), Permissions::from_mode(0o755)).unwrap();
    assert!(in_child(|| {
        if is_root() {
            become_nobody();
        }
        found(&fresh).is_empty()
    }));
    assert_eq!(fresh.names(), ["a.sock"]);
    assert_fails(stale_in(fresh.dir.path().join("absent")), Errno::ENOENT);
    assert_fails(stale_in(&fresh.path), Errno::ENOTDIR);
}
