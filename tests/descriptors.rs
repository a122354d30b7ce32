//! Tests that descriptors are close-on-exec when they are made, and that none leaks if a call
//! fails.
#![cfg(all(feature = "std", feature = "files"))]

mod fresh;
mod limit;
#[allow(dead_code, reason = "no test of this file is skipped")]
mod skip;

use std::fs;
use std::os::fd::{AsFd, AsRawFd};

use sunpath::{CWD, Dir, Errno, Socket, Stream, UnixAddr, UnixListener, UnixStream};

fn is_cloexec(fd: &impl AsRawFd) -> bool {
    // SAFETY: F_GETFD has no argument.
    let flags = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFD) };
    assert!(flags >= 0, "an open descriptor");
    flags & libc::FD_CLOEXEC != 0
}

/// Returns the descriptors that this process has open.
fn open() -> Vec<String> {
    let entries = fs::read_dir("/proc/self/fd")
        .unwrap()
        .map(|entry| entry.unwrap());
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// All cases are in one test, because the descriptors and their limit belong to the process.
#[test]
fn descriptors_are_cloexec_and_none_is_lost() {
    let before = open();
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");

    // Every function that makes a descriptor makes it close-on-exec.
    let listener = UnixListener::bind(&path).unwrap();
    let client = UnixStream::connect(&path).unwrap();
    let (server, _) = listener.accept().unwrap();
    let (a, b) = UnixStream::pair().unwrap();
    let unbound = Socket::<Stream>::new().unwrap();
    let (client_clone, listener_clone) =
        (client.try_clone().unwrap(), listener.try_clone().unwrap());
    for socket in [&client, &server, &a, &b, &unbound, &client_clone] {
        assert!(is_cloexec(socket), "{socket:?}");
    }
    assert!(is_cloexec(&listener));
    assert!(is_cloexec(&listener_clone));

    // A constructor that fails closes what it opened.
    let during = open();
    assert_eq!(
        UnixListener::bind(&path).unwrap_err().errno(),
        Errno::EADDRINUSE
    );
    assert_eq!(UnixListener::bind("").unwrap_err().errno(), Errno::ENOENT);
    let absent = dir.path().join("absent");
    assert_eq!(
        UnixStream::connect(&absent).unwrap_err().errno(),
        Errno::ENOENT
    );
    assert_eq!(
        UnixListener::bind(absent.join("below"))
            .unwrap_err()
            .errno(),
        Errno::ENOENT
    );
    let unnamed = UnixAddr::unnamed();
    assert_eq!(
        UnixListener::bind_addr(&unnamed).unwrap_err().errno(),
        Errno::EINVAL
    );
    assert_eq!(
        UnixStream::connect_addr(&unnamed).unwrap_err().errno(),
        Errno::EINVAL
    );
    assert_eq!(
        unbound.listen(1).unwrap_err().error().errno(),
        Errno::EINVAL
    );
    let mut without_unbound = during.clone();
    without_unbound.retain(|fd| open().contains(fd));
    assert_eq!(
        without_unbound.len(),
        during.len() - 1,
        "a listen that fails closes its socket"
    );
    assert_eq!(open(), without_unbound);

    // A long path is resolved by descriptors of the directories on the way. They are closed, even
    // after a failure, and no file is left. The test runs with 0, 1, 2 and 3 free descriptors.
    let deep = dir.path().join("d".repeat(200)).join("e".repeat(200));
    fs::create_dir_all(&deep).unwrap();
    let (short, long) = (deep.join("s"), deep.join("l".repeat(200)));
    let opened = Dir::open(&deep).unwrap();
    assert!(is_cloexec(&opened));
    let sockets = [UnixStream::new().unwrap(), UnixStream::new().unwrap()];
    let during = open();
    let lowest_free = opened.as_fd().try_clone_to_owned().unwrap().as_raw_fd();
    for free in 0..4 {
        let old = limit::descriptors((lowest_free + free).try_into().unwrap());
        let full = open_count();
        let outcomes = [
            sockets[0].bind_to_at(CWD, &long),
            sockets[1].connect_to_at(CWD, &long),
            UnixListener::bind(&long).map(drop),
            Dir::private(&short)
                .map(drop)
                .map_err(|error| match error.refusal() {
                    sunpath::files::Refusal::Call(error) => error,
                    refusal => panic!("{refusal:?}"),
                }),
        ];
        assert_eq!(open_count(), full);
        limit::descriptors(old);
        for error in outcomes.into_iter().filter_map(Result::err) {
            let expected = [
                Errno::EMFILE,
                Errno::EADDRINUSE,
                Errno::ENAMETOOLONG,
                Errno::ECONNREFUSED,
            ];
            assert!(expected.contains(&error.errno()), "{free} free: {error}");
        }
        let (bound, made) = (long.exists(), short.exists());
        assert_eq!((bound, made), (free >= 1, free >= 2), "{free} free");
        assert_eq!(
            fs::read_dir(&deep).unwrap().count(),
            usize::from(bound) + usize::from(made)
        );
    }
    assert_eq!(
        sockets[0].bind_to_at(&opened, "x/y").unwrap_err().errno(),
        Errno::ENOENT
    );
    assert_eq!(
        sockets[1]
            .connect_to_at(&opened, "s/x")
            .unwrap_err()
            .errno(),
        Errno::ENOENT
    );
    assert_eq!(open(), during);
    drop((opened, sockets));

    // At the limit accept fails, and the connection stays in the queue.
    let late = UnixStream::connect(&path).unwrap();
    let lowest_free = late.try_clone().unwrap().as_raw_fd();
    let old = limit::descriptors(lowest_free.try_into().unwrap());
    let full = open_count();
    assert_eq!(listener.accept().unwrap_err().errno(), Errno::EMFILE);
    assert_eq!(UnixStream::new().unwrap_err().errno(), Errno::EMFILE);
    assert_eq!(UnixStream::pair().unwrap_err().errno(), Errno::EMFILE);
    assert_eq!(
        UnixStream::connect(&path).unwrap_err().errno(),
        Errno::EMFILE
    );
    assert_eq!(
        UnixListener::bind(&absent).unwrap_err().errno(),
        Errno::EMFILE
    );
    assert_eq!(client.try_clone().unwrap_err().errno(), Errno::EMFILE);
    assert_eq!(open_count(), full);
    limit::descriptors(old);
    listener.accept().unwrap();

    drop((
        listener,
        listener_clone,
        client,
        client_clone,
        server,
        a,
        b,
        late,
        dir,
    ));
    assert_eq!(open(), before);
}

/// Returns how many descriptors below 1024 are open. The function asks about each descriptor and
/// opens nothing.
fn open_count() -> usize {
    (0..1024)
        .filter(|fd| {
            // SAFETY: F_GETFD has no argument, and reports EBADF if the descriptor is not open.
            unsafe { libc::fcntl(*fd, libc::F_GETFD) != -1 }
        })
        .count()
}
