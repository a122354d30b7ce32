//! Tests of the example `daemon_whole`. The daemon is started, killed, replaced under load, and
//! activated by a service manager.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, thread};

use sunpath::{Dir, Error, UnixListener, UnixStream};

use crate::{Running, example, fresh};

fn daemon(session: &Path) -> Command {
    let mut command = example("daemon_whole");
    command.env("XDG_RUNTIME_DIR", session);
    command
}

fn start(session: &Path, arguments: &[&str]) -> Running {
    Running::start(daemon(session).args(arguments), "ready")
}

/// Connects as a client in the same login session does.
fn connect(session: &Path) -> Result<UnixStream, Error> {
    UnixStream::connect_at(Dir::open(session.join("app"))?, "control.sock")
}

fn assert_is_served(client: &UnixStream) {
    let mut hello = [0; 6];
    client.read_exact(&mut hello).expect("nobody is cut off");
    assert_eq!(&hello, b"hello\n");
}

/// Returns how many files the daemon has left in its runtime directory.
fn left(session: &Path) -> usize {
    fs::read_dir(session.join("app")).unwrap().count()
}

#[test]
fn daemon_whole_runs_once_and_ends_by_a_signal() {
    let dir = fresh::dir();
    let first = start(dir.path(), &[]);
    let second = daemon(dir.path()).stderr(Stdio::piped()).output().unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains("it holds the lock file"), "{said}");
    assert_is_served(&connect(dir.path()).unwrap());
    first.signal(libc::SIGTERM);
    first.end();
    assert_eq!(left(dir.path()), 0);
}

#[test]
fn daemon_whole_that_was_killed_starts_again() {
    let dir = fresh::dir();
    let killed = start(dir.path(), &[]);
    drop(killed);
    assert_eq!(left(dir.path()), 2);
    let next = start(dir.path(), &[]);
    assert_is_served(&connect(dir.path()).unwrap());
    next.signal(libc::SIGTERM);
    next.end();
    assert_eq!(left(dir.path()), 0);
}

#[test]
fn daemon_whole_upgrades_under_load_without_losing_a_client() {
    let dir = fresh::dir();
    let mut running = start(dir.path(), &[]);
    let done = AtomicBool::new(false);
    let served = thread::scope(|scope| {
        let clients = [(); 3].map(|()| {
            scope.spawn(|| {
                let mut served = 0;
                while !done.load(Ordering::SeqCst) {
                    assert_is_served(&connect(dir.path()).expect("nobody is refused"));
                    served += 1;
                }
                served
            })
        });
        for _ in 0..5 {
            let next = start(dir.path(), &["--takeover"]);
            running.signal(libc::SIGTERM);
            std::mem::replace(&mut running, next).end();
        }
        done.store(true, Ordering::SeqCst);
        clients.map(|client| client.join().unwrap())
    });
    assert!(served.into_iter().all(|served| served > 100), "{served:?}");
    running.signal(libc::SIGTERM);
    running.end();
    assert_eq!(left(dir.path()), 0);
}

/// The service manager keeps its socket when the daemon ends, and the clients in its queue wait for
/// the next daemon.
#[test]
fn daemon_whole_of_a_service_manager_leaves_its_socket() {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let listener = UnixListener::bind(&path).unwrap();
    for _ in 0..2 {
        let client = UnixStream::connect(&path).unwrap();
        let passed: OwnedFd = listener.try_clone().unwrap().into();
        let mut command = Command::new("sh");
        let script = "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\" 3<&0 </dev/null";
        let daemon = example("daemon_whole");
        command.args(["-c", script, "sh"]).arg(daemon.get_program());
        let daemon = Running::start(command.stdin(passed), "ready");
        assert_is_served(&client);
        daemon.signal(libc::SIGTERM);
        daemon.end();
    }
    assert!(path.exists());
}
