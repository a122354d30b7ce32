//! Tests of many processes at once: starters over one stale file, and clients while the server is
//! replaced.

use std::fs;
use std::os::fd::AsRawFd;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use sunpath::files::Lock;
use sunpath::{
    BindOptions, Bound, Errno, Existing, Shutdown, UnixListener, UnixSeqpacket, UnixStream,
};

use crate::{alone, long};

const STARTERS: usize = 16;

/// Runs one of many processes. The process waits for the start, binds, reports the result, and
/// keeps the socket until the end.
fn start(options: BindOptions, path: &std::path::Path, control: &UnixSeqpacket, clean: bool) {
    let _ = control.recv(&mut [0]);
    let bound: Result<Bound<UnixListener>, _> = options.listen(path);
    let errno = bound
        .as_ref()
        .map_or_else(|error| error.errno().raw(), |_| 0);
    let _ = control.send(&errno.to_ne_bytes());
    let _ = control.recv(&mut [0]);
    // The process removes its file, or leaves it as if it were killed.
    match clean {
        true => drop(bound),
        false => std::mem::forget(bound),
    }
}

#[test]
fn race_over_a_stale_file_has_one_winner() {
    let _alone = alone();
    let rounds = if long() { 400 } else { 24 };
    let dir = crate::fresh::dir();
    let path = dir.path().join("a.sock");
    let new = BindOptions::new();
    let locks = [Lock::Beside, Lock::None];
    for (round, lock) in (0..rounds).zip(locks.into_iter().cycle()) {
        let replace = new.existing(Existing::ReplaceStale).lock(lock);
        if !path.exists() {
            drop(UnixListener::bind(&path).unwrap());
        }
        let mut children = Vec::new();
        for starter in 0..STARTERS {
            // In every third round half of the starters call plain bind(2), without a lock.
            let options = match round % 3 == 2 && starter % 2 == 1 {
                true => new,
                false => replace,
            };
            let (here, there) = UnixSeqpacket::pair().unwrap();
            // SAFETY: the child makes system calls, and ends by _exit.
            let pid = unsafe { libc::fork() };
            assert!(pid >= 0);
            if pid == 0 {
                drop(here);
                for (other, _) in &children {
                    let other: &UnixSeqpacket = other;
                    // SAFETY: the call closes the child's copy, which it does not use.
                    unsafe { libc::close(other.as_raw_fd()) };
                }
                start(options, &path, &there, round % 2 == 0);
                // SAFETY: _exit ends this process and does nothing else.
                unsafe { libc::_exit(0) };
            }
            children.push((here, pid));
        }
        for (control, _) in &children {
            control.send(b"!").unwrap();
        }
        let outcomes: Vec<_> = children
            .iter()
            .map(|(control, pid)| {
                let mut errno = [0; 4];
                let received = control.recv(&mut errno).unwrap();
                assert_eq!(received.len(), 4);
                (i32::from_ne_bytes(errno), *pid)
            })
            .collect();
        let winners: Vec<_> = outcomes.iter().filter(|(errno, _)| *errno == 0).collect();
        assert_eq!(winners.len(), 1, "round {round}: {outcomes:?}");
        let in_use = Errno::EADDRINUSE.raw();
        assert!(
            outcomes
                .iter()
                .all(|(errno, _)| [0, in_use].contains(errno))
        );
        for _ in 0..10 {
            let peer = UnixStream::connect(&path).unwrap().peer_cred().unwrap();
            assert_eq!(peer.pid(), Some(winners[0].1), "round {round}");
        }
        for (control, pid) in children {
            control.shutdown(Shutdown::Both).unwrap();
            // SAFETY: the pointer for the status is null, so nothing is written.
            assert_eq!(unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) }, pid);
        }
        let left: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with(".sunpath-"))
            .collect();
        assert!(left.is_empty(), "round {round}: {left:?}");
    }
}

#[test]
fn race_of_a_drop_with_a_takeover_leaves_the_new_one() {
    let _alone = alone();
    let rounds = if long() { 20_000 } else { 500 };
    let dir = crate::fresh::dir();
    let path = dir.path().join("a.sock");
    let takeover = BindOptions::new().existing(Existing::Takeover);
    for round in 0..rounds {
        let old: Bound<UnixListener> = takeover.listen(&path).unwrap();
        let (together, dropped) = (Barrier::new(2), AtomicBool::new(false));
        let new: Bound<UnixListener> = thread::scope(|scope| {
            scope.spawn(|| {
                together.wait();
                drop(old);
                dropped.store(true, Ordering::SeqCst);
            });
            let taker = scope.spawn(|| {
                together.wait();
                let new = takeover.listen(&path).unwrap();
                // From here on the new file exists at every instant, even while the drop of the old
                // server looks at it.
                loop {
                    let done = dropped.load(Ordering::SeqCst);
                    assert!(fs::symlink_metadata(&path).is_ok(), "round {round}");
                    if done {
                        return new;
                    }
                }
            });
            taker.join().unwrap()
        });
        UnixStream::connect(&path).unwrap_or_else(|error| panic!("round {round}: {error}"));
        drop(new);
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

/// After a takeover the old server serves until every connect(2) that had begun before has ended,
/// because a client that has already found the old file still reaches the old server.
#[test]
fn takeover_under_load_refuses_nobody() {
    let _alone = alone();
    let takeovers = if long() { 2000 } else { 200 };
    let dir = crate::fresh::dir();
    let path = dir.path().join("a.sock");
    let takeover = BindOptions::new().mode(0o666).existing(Existing::Takeover);
    // The number of connections that each client has made.
    let clients = [const { AtomicUsize::new(0) }; 2];
    let made = || clients.each_ref().map(|made| made.load(Ordering::SeqCst));
    let done = AtomicBool::new(false);
    let mut server: Bound<UnixListener> = takeover.listen(&path).unwrap();
    thread::scope(|scope| {
        let threads = clients.each_ref().map(|made| {
            let (path, done) = (&path, &done);
            scope.spawn(move || {
                while !done.load(Ordering::SeqCst) {
                    let client = UnixStream::connect(path);
                    client.unwrap_or_else(|error| {
                        done.store(true, Ordering::SeqCst);
                        panic!("refused: {error}")
                    });
                    made.fetch_add(1, Ordering::SeqCst);
                }
            })
        });
        // The server accepts until each client has made this many more connections.
        let serve = |servers: &[&Bound<UnixListener>], more: usize| {
            let begin = made();
            let come = || {
                begin
                    .iter()
                    .zip(made())
                    .all(|(begin, now)| now >= begin + more)
            };
            while !come() && !done.load(Ordering::SeqCst) {
                for server in servers {
                    let _ = server.accept_timeout(Duration::ZERO);
                }
            }
        };
        let taken_over = (0..takeovers).try_for_each(|_| {
            serve(&[&server], 50);
            let new = takeover.listen(&path)?;
            serve(&[&server, &new], 1);
            server = new;
            Ok::<_, sunpath::Error>(())
        });
        // This line comes before anything that can panic, because the scope waits for its threads,
        // and the threads end only after this line.
        done.store(true, Ordering::SeqCst);
        // A client that waits at a full queue ends only if the server accepts another client.
        while threads.iter().any(|thread| !thread.is_finished()) {
            let _ = server.accept_timeout(Duration::ZERO);
        }
        taken_over.unwrap();
    });
    let connected: usize = made().iter().sum();
    println!("{takeovers} takeovers, {connected} connections, none refused");
    drop(server);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
