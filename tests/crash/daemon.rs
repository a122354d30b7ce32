//! Tests that the daemon of `examples/daemon_whole.rs` starts again after it was killed at any of
//! its system calls.

use std::path::Path;
use std::{env, fs, process, thread};

use sunpath::{ConnectOptions, Dir, UnixStream};

use crate::supervisor::{Fate, Phase, run, say};
use crate::{alone, fresh, long};

#[path = "../../examples/daemon_whole.rs"]
mod program;

/// Runs the daemon and, in another thread, a client that ends the daemon after it was served.
fn serve_one_client(session: &Path) {
    // SAFETY: this child has one thread.
    unsafe { env::set_var("XDG_RUNTIME_DIR", session) };
    say(Phase::Begin, 0);
    let client = thread::spawn({
        let dir = session.join("app");
        move || {
            while fs::symlink_metadata(&dir).is_err() {
                thread::yield_now();
            }
            let dir = Dir::open(&dir).unwrap();
            let wait = ConnectOptions::new().wait_for_server(true);
            let client: UnixStream = wait.connect_at(&dir, "control.sock").unwrap();
            let mut hello = [0; 6];
            client.read_exact(&mut hello).unwrap();
            // SAFETY: the arguments are integers, so the call accesses no memory.
            unsafe { libc::kill(process::id() as libc::pid_t, libc::SIGTERM) };
            hello
        }
    });
    program::main().unwrap();
    assert_eq!(&client.join().unwrap(), b"hello\n");
    say(Phase::Dropped, 0);
}

#[test]
fn daemon_that_is_killed_at_any_call_starts_again() {
    let _alone = alone();
    let mut killed = 0;
    // Two threads make the calls, so their order differs from run to run, and a short run can leave
    // some of them out.
    let step = if long() { 1 } else { 3 };
    for at in (0..).step_by(step) {
        let dir = fresh::dir();
        let story = run(Fate::Kill(at), || serve_one_client(dir.path()));
        if story.hit.is_none() {
            break;
        }
        killed += 1;
        let again = run(Fate::Live, || serve_one_client(dir.path()));
        assert_eq!(
            again.dropped,
            Some(0),
            "after a kill at call {at}: {story:?}"
        );
        let entries = fs::read_dir(dir.path().join("app")).unwrap();
        let left: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        let is_temporary =
            |name: &std::ffi::OsString| name.to_str().unwrap().starts_with(".sunpath-");
        assert!(left.iter().all(is_temporary) && left.len() <= 2, "{left:?}");
    }
    println!("killed {killed} times");
    assert!(killed > 10);
}
