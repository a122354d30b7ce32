//! Tests of what can exist at the path, and of the policy that replaces it.

use std::ffi::CString;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use sunpath::error::Call;
use sunpath::{
    BindOptions, Bound, Errno, Existing, Liveness, Socket, Stream, UnixAddr, UnixDatagram,
    UnixListener, UnixSeqpacketListener, UnixStream, probe,
};

use crate::{
    Fresh, POLICIES, assert_fails, assert_reaches, become_nobody, bind, in_child, ino, is_root,
};

/// The sockets that have to stay open so that an obstacle is alive.
type Keep = Vec<Box<dyn std::any::Any>>;

/// A function that puts an obstacle at a path.
type Put = fn(&Path) -> Keep;

/// A function that binds a socket of one kind.
type Way = fn(BindOptions, &Path) -> Result<Keep, sunpath::Error>;

/// The things that can exist at a path. Each has a name, a function that makes it, and a value that
/// says whether it is a dead socket, a live one, or not a socket.
const OBSTACLES: &[(&str, Put, What)] = &[
    ("stale stream", stale_stream, What::Dead),
    ("stale datagram", stale_datagram, What::Dead),
    ("mknod", mknod_socket, What::Dead),
    ("listening", listening, What::Live),
    ("bound, not listening", not_listening, What::Live),
    ("backlog full", backlog_full, What::Live),
    ("seqpacket", seqpacket, What::Live),
    ("datagram", datagram, What::Live),
    ("connected datagram", connected_datagram, What::Live),
    ("shut down", shut_down, What::Live),
    ("regular file", regular, What::NoSocket),
    ("directory", directory, What::NoSocket),
    ("FIFO", fifo, What::NoSocket),
    ("dangling symlink", dangling, What::NoSocket),
    ("symlink to a live socket", link_to_live, What::NoSocket),
    ("symlink to a dead socket", link_to_dead, What::NoSocket),
];

#[derive(Clone, Copy, PartialEq)]
enum What {
    Dead,
    Live,
    NoSocket,
}

fn stale_stream(path: &Path) -> Keep {
    drop(UnixListener::bind(path).unwrap());
    Keep::new()
}

fn stale_datagram(path: &Path) -> Keep {
    drop(UnixDatagram::bind(path).unwrap());
    Keep::new()
}

fn mknod_socket(path: &Path) -> Keep {
    mknod(path, libc::S_IFSOCK);
    Keep::new()
}

fn listening(path: &Path) -> Keep {
    vec![Box::new(UnixListener::bind(path).unwrap())]
}

fn not_listening(path: &Path) -> Keep {
    let socket = Socket::<Stream>::new().unwrap();
    socket
        .bind_to(&UnixAddr::from_pathname(path).unwrap())
        .unwrap();
    vec![Box::new(socket)]
}

fn backlog_full(path: &Path) -> Keep {
    let socket = Socket::<Stream>::new().unwrap();
    socket
        .bind_to(&UnixAddr::from_pathname(path).unwrap())
        .unwrap();
    let listener = socket.listen(0).unwrap();
    let queued = UnixStream::connect(path).unwrap();
    vec![Box::new(listener), Box::new(queued)]
}

fn seqpacket(path: &Path) -> Keep {
    vec![Box::new(UnixSeqpacketListener::bind(path).unwrap())]
}

fn datagram(path: &Path) -> Keep {
    vec![Box::new(UnixDatagram::bind(path).unwrap())]
}

fn connected_datagram(path: &Path) -> Keep {
    let (socket, other) = (
        UnixDatagram::bind(path).unwrap(),
        UnixDatagram::new().unwrap(),
    );
    other.autobind().unwrap();
    socket.connect_to(&other.local_addr().unwrap()).unwrap();
    vec![Box::new(socket), Box::new(other)]
}

fn shut_down(path: &Path) -> Keep {
    let listener = UnixListener::bind(path).unwrap();
    listener
        .as_socket()
        .shutdown(sunpath::Shutdown::Both)
        .unwrap();
    vec![Box::new(listener)]
}

fn regular(path: &Path) -> Keep {
    fs::write(path, "precious").unwrap();
    Keep::new()
}

fn directory(path: &Path) -> Keep {
    fs::create_dir(path).unwrap();
    Keep::new()
}

fn fifo(path: &Path) -> Keep {
    mknod(path, libc::S_IFIFO);
    Keep::new()
}

fn dangling(path: &Path) -> Keep {
    symlink("absent", path).unwrap();
    Keep::new()
}

fn link_to_live(path: &Path) -> Keep {
    let kept = listening(&path.with_extension("target"));
    symlink("a.target", path).unwrap();
    kept
}

fn link_to_dead(path: &Path) -> Keep {
    let kept = stale_stream(&path.with_extension("target"));
    symlink("a.target", path).unwrap();
    kept
}

fn mknod(path: &Path, kind: libc::mode_t) {
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: the path ends with a NUL.
    assert_eq!(unsafe { libc::mknod(path.as_ptr(), kind | 0o755, 0) }, 0);
}

/// Binds a socket of each kind over each obstacle. Asserts that it replaces the obstacles for which
/// `wins` returns true, and leaves the others unchanged.
fn meet_each_obstacle(policy: Existing, wins: impl Fn(What) -> bool) {
    let options = BindOptions::new().mode(0o600).existing(policy);
    let ways: [(&str, Way); 3] = [
        ("stream", |options, path| {
            Ok(vec![Box::new(options.listen(path)?)])
        }),
        ("seqpacket", |options, path| {
            Ok(vec![Box::new(options.listen_seqpacket(path)?)])
        }),
        ("datagram", |options, path| {
            Ok(vec![Box::new(options.bind_datagram(path)?)])
        }),
    ];
    for (kind, bind) in ways {
        for (name, put, what) in OBSTACLES {
            let fresh = Fresh::new();
            let kept = put(&fresh.path);
            let before = fresh.entries();
            let bound = bind(options, &fresh.path);
            if wins(*what) {
                let bound = bound.unwrap_or_else(|error| panic!("{kind} over {name}: {error}"));
                assert_ne!(fresh.entries(), before, "{kind} over {name}");
                drop(bound);
                assert!(fresh.names().is_empty(), "{kind} over {name}");
            } else {
                let error = bound.err().unwrap_or_else(|| panic!("{kind} over {name}"));
                assert_eq!(error.errno(), Errno::EADDRINUSE, "{kind} over {name}");
                assert_eq!(error.call(), Call::Bind, "{kind} over {name}");
                assert_eq!(fresh.entries(), before, "{kind} over {name}: left alone");
            }
            drop(kept);
        }
    }
}

#[test]
fn refuse_takes_the_place_of_nothing() {
    meet_each_obstacle(Existing::Refuse, |_| false);
}

#[test]
fn replace_stale_takes_the_place_of_dead_sockets_alone() {
    meet_each_obstacle(Existing::ReplaceStale, |what| what == What::Dead);
}

#[test]
fn takeover_takes_the_place_of_sockets_alone() {
    meet_each_obstacle(Existing::Takeover, |what| what != What::NoSocket);
}

#[test]
fn replace_stale_is_not_noticed_by_the_live_server() {
    let fresh = Fresh::new();
    let listener = UnixListener::bind(&fresh.path).unwrap();
    listener.set_nonblocking(true).unwrap();
    let replace = BindOptions::new().existing(Existing::ReplaceStale);
    for _ in 0..1000 {
        assert_fails(bind(replace, &fresh.path), Errno::EADDRINUSE);
    }
    assert_fails(listener.accept(), Errno::EAGAIN);
    assert_reaches(&fresh.path, &listener);
}

#[test]
fn replace_stale_does_not_remove_a_file_that_it_may_not_ask_about() {
    let fresh = Fresh::new();
    if crate::skip::unless_root() {
        return;
    }
    fs::set_permissions(fresh.dir.path(), Permissions::from_mode(0o777)).unwrap();
    for put in [stale_stream, listening, backlog_full] {
        let kept = put(&fresh.path);
        fs::set_permissions(&fresh.path, Permissions::from_mode(0o0)).unwrap();
        let before = fresh.entries();
        assert!(in_child(|| {
            become_nobody();
            let replace = BindOptions::new().existing(Existing::ReplaceStale);
            bind(replace, &fresh.path).is_err_and(|error| error.errno() == Errno::EACCES)
        }));
        assert_eq!(fresh.entries(), before);
        drop(kept);
        fs::remove_file(&fresh.path).unwrap();
    }
}

#[test]
fn replace_stale_holds_its_lock_as_long_as_it_lives() {
    let fresh = Fresh::new();
    let replace = BindOptions::new().existing(Existing::ReplaceStale);
    let first = bind(replace, &fresh.path).unwrap();
    assert_eq!(fresh.names(), ["a.sock", "a.sock.lock"]);
    assert_fails(bind(replace, &fresh.path), Errno::EADDRINUSE);
    // The lock is held even if the socket file is removed, so no second daemon can start.
    fs::remove_file(&fresh.path).unwrap();
    assert_fails(bind(replace, &fresh.path), Errno::EADDRINUSE);
    assert_eq!(fresh.names(), ["a.sock.lock"]);
    drop(first);
    assert!(fresh.names().is_empty());
    drop(bind(replace, &fresh.path).unwrap());
}

#[test]
fn replace_stale_after_sigkill_starts_at_once() {
    let fresh = Fresh::new();
    let replace = BindOptions::new().existing(Existing::ReplaceStale);
    let (here, there) = UnixStream::pair().unwrap();
    // SAFETY: the child makes system calls until it is killed.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0);
    if pid == 0 {
        let _listener = bind(replace, &fresh.path);
        let _ = there.write(b"x");
        loop {
            // SAFETY: the call takes no arguments.
            unsafe { libc::pause() };
        }
    }
    assert_eq!(here.read(&mut [0]).unwrap(), 1);
    assert_fails(bind(replace, &fresh.path), Errno::EADDRINUSE);
    // SAFETY: the arguments are integers; the child has not been waited for yet.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGKILL) }, 0);
    // SAFETY: the pointer for the status is null, so nothing is written.
    assert_eq!(unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) }, pid);
    assert_eq!(fresh.names(), ["a.sock", "a.sock.lock"]);
    let listener = bind(replace, &fresh.path).unwrap();
    assert_reaches(&fresh.path, &listener);
    drop(listener);
    assert!(fresh.names().is_empty());
}

#[test]
fn replace_stale_with_no_regular_file_as_lock_fails_and_leaves_it() {
    let lock = |fresh: &Fresh| fresh.dir.path().join("a.sock.lock");
    let puts: [(Put, Errno); 4] = [
        (directory, Errno::EADDRINUSE),
        (listening, Errno::ENXIO),
        (fifo, Errno::EADDRINUSE),
        (dangling, Errno::ELOOP),
    ];
    for (put, errno) in puts {
        let fresh = Fresh::new();
        let _kept = put(&lock(&fresh));
        let before = fresh.entries();
        let replace = BindOptions::new().existing(Existing::ReplaceStale);
        assert_fails(bind(replace, &fresh.path), errno);
        assert_eq!(fresh.entries(), before);
    }
}

#[test]
fn replace_stale_with_a_file_of_somebody_as_lock_fails_and_leaves_it() {
    let fresh = Fresh::new();
    let (lock, second) = (
        fresh.dir.path().join("a.sock.lock"),
        fresh.dir.path().join("second"),
    );
    let refused = || {
        let replace = BindOptions::new().existing(Existing::ReplaceStale);
        assert_fails(bind(replace, &fresh.path), Errno::EADDRINUSE);
    };
    // A lock file with contents is refused and stays unchanged.
    fs::write(&lock, "precious").unwrap();
    let mode = || fs::metadata(&lock).unwrap().permissions().mode();
    let before = mode();
    refused();
    assert_eq!(fs::read(&lock).unwrap(), b"precious");
    assert_eq!(mode(), before);
    // A lock file with a second name is refused as well.
    fs::write(&lock, "").unwrap();
    fs::hard_link(&lock, &second).unwrap();
    refused();
    assert_eq!(mode(), before);
    assert_eq!(fresh.names(), ["a.sock.lock", "second"]);
}

#[test]
fn replace_stale_with_a_name_that_leaves_its_lock_no_room_has_one_all_the_same() {
    let fresh = Fresh::new();
    let dir = fs::File::open(fresh.dir.path()).unwrap();
    let replace = BindOptions::new().existing(Existing::ReplaceStale);
    for len in [249, 250, 251, 255] {
        let name = "n".repeat(len);
        let listener = replace.bind_at::<UnixListener>(&dir, &name).unwrap();
        let names = fresh.names();
        let lock = names.iter().find(|name| name.ends_with(".lock")).unwrap();
        assert_eq!(*lock == format!("{name}.lock"), len <= 250, "{lock}");
        assert_fails(
            replace.bind_at::<UnixListener>(&dir, &name),
            Errno::EADDRINUSE,
        );
        // A name that differs in one byte has another lock file.
        let other = format!("{}m", &name[1..]);
        drop(replace.bind_at::<UnixListener>(&dir, &other).unwrap());
        assert_eq!(fresh.names(), names);
        drop(listener);
        assert!(fresh.names().is_empty());
    }
    assert_fails(
        replace.bind_at::<UnixListener>(&dir, "n".repeat(256)),
        Errno::ENAMETOOLONG,
    );
}

#[test]
fn takeover_leaves_no_instant_without_the_new_file() {
    let fresh = Fresh::new();
    let takeover = BindOptions::new().existing(Existing::Takeover);
    let old = bind(takeover, &fresh.path).unwrap();
    let queued = UnixStream::connect(&fresh.path).unwrap();
    let new = bind(takeover, &fresh.path).unwrap();
    assert_eq!(fresh.names(), ["a.sock"]);
    assert_reaches(&fresh.path, &new);

    // A client in the queue of the old server stays there. When the old server ends, it does not
    // touch the new file.
    old.accept().unwrap();
    drop(queued);
    let file = ino(&fresh.path);
    drop(old);
    assert_eq!(ino(&fresh.path), file);
    assert_reaches(&fresh.path, &new);

    // getsockname reports the name that was bound, and addr reports the path.
    assert_ne!(new.local_addr().unwrap().as_pathname(), Some(&*fresh.path));
    assert_eq!(new.addr().unwrap().as_pathname(), Some(&*fresh.path));
    drop(new);
    assert!(fresh.names().is_empty());
}

#[test]
fn takeover_of_a_locked_path_leaves_one_that_is_alive() {
    let fresh = Fresh::new();
    let replace = BindOptions::new().existing(Existing::ReplaceStale);
    let old = bind(replace, &fresh.path).unwrap();
    let new = bind(BindOptions::new().existing(Existing::Takeover), &fresh.path).unwrap();
    assert_fails(bind(replace, &fresh.path), Errno::EADDRINUSE);
    drop(old);
    assert_fails(bind(replace, &fresh.path), Errno::EADDRINUSE);
    assert_reaches(&fresh.path, &new);
    drop(new);
    assert!(fresh.names().is_empty());
}

#[test]
fn takeover_where_the_path_just_fits_binds_beside_it() {
    let fresh = Fresh::new();
    let room = sunpath::sys::SUN_PATH_MAX - fresh.dir.path().as_os_str().len() - 2;
    let dir = fresh.dir.path().join("d".repeat(room - 1));
    fs::create_dir(&dir).unwrap();
    let path = dir.join("a");
    assert_eq!(path.as_os_str().len(), sunpath::sys::SUN_PATH_MAX);
    for policy in POLICIES {
        let listener: Bound<UnixListener> =
            BindOptions::new().existing(policy).listen(&path).unwrap();
        assert_reaches(&path, &listener);
        drop(listener);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0, "{policy:?}");
    }
}

#[test]
fn probe_tells_what_each_obstacle_is() {
    for (name, put, what) in OBSTACLES {
        let fresh = Fresh::new();
        let _kept = put(&fresh.path);
        let before = fresh.entries();
        let expected = match (*name, what) {
            // The probe follows a symbolic link, so it reports on the link's target.
            ("dangling symlink", _) => Liveness::Absent,
            ("symlink to a live socket", _) => Liveness::Live,
            ("symlink to a dead socket", _) => Liveness::Dead,
            (_, What::Dead) => Liveness::Dead,
            (_, What::Live) => Liveness::Live,
            (_, What::NoSocket) => Liveness::NotSocket,
        };
        assert_eq!(probe(&fresh.path), Ok(expected), "{name}");
        assert_eq!(fresh.entries(), before);
    }
    let fresh = Fresh::new();
    assert_eq!(probe(&fresh.path), Ok(Liveness::Absent));
    assert_eq!(probe(fresh.path.join("below")), Ok(Liveness::Absent));
    assert_eq!(probe(fresh.dir.path().join("")), Ok(Liveness::NotSocket));
    // As root the probe finds a directory. An ordinary user may not write to `/`, so connect(2)
    // fails with `EACCES`, which does not tell what is at the path.
    match is_root() {
        true => assert_eq!(probe("/"), Ok(Liveness::NotSocket)),
        false => assert_fails(probe("/"), Errno::EACCES),
    }
    assert_fails(probe(""), Errno::ENOENT);
    assert_fails(probe("a\0b"), Errno::EINVAL);
}

#[test]
fn probe_is_not_noticed_by_the_live_server() {
    let fresh = Fresh::new();
    let listener = UnixListener::bind(&fresh.path).unwrap();
    listener.set_nonblocking(true).unwrap();
    for _ in 0..1000 {
        assert_eq!(probe(&fresh.path), Ok(Liveness::Live));
    }
    assert_fails(listener.accept(), Errno::EAGAIN);
    assert_reaches(&fresh.path, &listener);
}

/// To check that the kernel can tell a dead socket from a live one, the probe makes a live socket
/// in the same directory. In this test the user may not make a file in that directory.
#[test]
fn probe_of_a_dead_socket_where_nothing_can_be_made_is_dead() {
    let fresh = Fresh::new();
    if crate::skip::unless_root() {
        return;
    }
    fs::set_permissions(fresh.dir.path(), Permissions::from_mode(0o755)).unwrap();
    drop(UnixListener::bind(&fresh.path).unwrap());
    fs::set_permissions(&fresh.path, Permissions::from_mode(0o666)).unwrap();
    let before = fresh.entries();
    assert!(in_child(|| {
        become_nobody();
        // SAFETY: umask takes an integer and cannot fail; the child has its own umask.
        unsafe { libc::umask(0o777) };
        probe(&fresh.path) == Ok(Liveness::Dead)
    }));
    assert_eq!(fresh.entries(), before);
}

#[test]
fn probe_of_what_it_may_not_ask_about_is_eacces() {
    let fresh = Fresh::new();
    if crate::skip::unless_root() {
        return;
    }
    fs::set_permissions(fresh.dir.path(), Permissions::from_mode(0o755)).unwrap();
    let _listener = UnixListener::bind(&fresh.path).unwrap();
    fs::set_permissions(&fresh.path, Permissions::from_mode(0o0)).unwrap();
    assert!(in_child(|| {
        become_nobody();
        probe(&fresh.path).is_err_and(|error| error.errno() == Errno::EACCES)
    }));
}

#[test]
fn replace_stale_after_sigkill_under_any_umask_starts_as_the_same_user() {
    let fresh = Fresh::new();
    if crate::skip::unless_root() {
        return;
    }
    fs::set_permissions(fresh.dir.path(), Permissions::from_mode(0o777)).unwrap();
    for _ in 0..2 {
        assert!(in_child(|| {
            become_nobody();
            // SAFETY: umask takes an integer and cannot fail; the child has its own umask.
            unsafe { libc::umask(0o777) };
            let replace = BindOptions::new()
                .mode(0o600)
                .existing(Existing::ReplaceStale);
            let bound = bind(replace, &fresh.path);
            // The listener is forgotten, so its files stay as if the process had been killed.
            bound.map(std::mem::forget).is_ok()
        }));
        assert_eq!(fresh.names(), ["a.sock", "a.sock.lock"]);
    }
}

/// Every policy needs write and search permission on the directory, and no read permission.
#[test]
fn every_policy_works_in_a_directory_that_may_not_be_read() {
    let fresh = Fresh::new();
    fs::set_permissions(fresh.dir.path(), Permissions::from_mode(0o777)).unwrap();
    assert!(in_child(|| {
        if is_root() {
            become_nobody();
        }
        let dir = fresh.dir.path().join("closed");
        let path = dir.join("a.sock");
        fs::create_dir(&dir).unwrap();
        fs::set_permissions(&dir, Permissions::from_mode(0o300)).unwrap();
        for policy in POLICIES {
            for options in [BindOptions::new(), BindOptions::new().mode(0o600)] {
                if policy != Existing::Refuse {
                    drop(UnixListener::bind(&path).unwrap());
                    assert_eq!(probe(&path), Ok(Liveness::Dead));
                }
                let listener = bind(options.existing(policy), &path).unwrap();
                assert_reaches(&path, &listener);
                listener.close_and_unlink().unwrap();
            }
        }
        assert_eq!(probe(dir.join("")), Ok(Liveness::NotSocket));
        assert_fails(bind(BindOptions::new(), &dir.join("")), Errno::EADDRINUSE);
        fs::remove_dir(&dir).is_ok()
    }));
}

#[test]
fn replace_stale_of_a_name_that_just_fits_is_done() {
    let fresh = Fresh::new();
    let name = "n".repeat(sunpath::sys::SUN_PATH_MAX);
    assert!(in_child(|| {
        // A child changes the working directory, because the directory belongs to the whole
        // process.
        std::env::set_current_dir(fresh.dir.path()).unwrap();
        drop(UnixListener::bind(&name).unwrap());
        POLICIES.into_iter().all(|policy| {
            let options = BindOptions::new().mode(0o600).existing(policy);
            match bind(options, Path::new(&name)) {
                Ok(listener) => {
                    assert_reaches(Path::new(&name), &listener);
                    policy != Existing::Refuse
                }
                Err(error) => policy == Existing::Refuse && error.errno() == Errno::EADDRINUSE,
            }
        })
    }));
    assert!(fresh.names().is_empty());
}
