//! Tests of the limits on the clients that are being served at the same time, in total and for each
//! user.
#![cfg(feature = "std")]

#[cfg(feature = "files")]
mod fresh;

use std::mem;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use sunpath::serve::{Clients, NotAdmitted};
#[cfg(feature = "files")]
use sunpath::{BindOptions, Bound, Existing};
use sunpath::{UnixListener, UnixStream};

#[test]
fn serve_admits_as_many_as_there_are_places() {
    let clients = Clients::<3>::new();
    let mut admitted: Vec<_> = (0..3).map(|uid| clients.admit(uid).unwrap()).collect();
    assert_eq!(clients.count(), 3);
    let full = clients.admit(7).unwrap_err();
    assert_eq!(full, NotAdmitted::Full { places: 3 });
    assert_eq!(full.to_string(), "all 3 places for clients are taken");

    drop(admitted.remove(1));
    assert_eq!((clients.count(), clients.count_of(1)), (2, 0));
    let _again = clients.admit(7).unwrap();
    assert_eq!((clients.count(), clients.count_of(7)), (3, 1));
    assert!(Clients::<0>::default().admit(0).is_err());
}

#[test]
fn serve_admits_as_many_of_one_user_as_it_may_have() {
    for most in [0, 1, 2] {
        let clients = Clients::<8>::new().per_user(most);
        let admitted: Vec<_> = (0..most).map(|_| clients.admit(5).unwrap()).collect();
        let refused = clients.admit(5).unwrap_err();
        assert_eq!(refused, NotAdmitted::User { uid: 5, most });
        let text = format!("user 5 may not have more than {most} clients");
        assert_eq!(refused.to_string(), text);
        // A refused client takes no place, and others are not affected.
        assert_eq!((clients.count(), clients.count_of(5)), (most, most));
        assert_eq!(clients.admit(6).is_ok(), most > 0);
        drop(admitted);
        assert_eq!(clients.count(), 0);
        assert_eq!(clients.admit(5).is_ok(), most > 0);
    }
}

#[test]
fn serve_admits_nobody_without_a_user() {
    let clients = Clients::<2>::new();
    assert!(clients.admit(u32::MAX).is_err());
    assert_eq!((clients.count(), clients.count_of(u32::MAX)), (0, 0));
    let _other = clients.admit(u32::MAX - 1).unwrap();
    assert_eq!(clients.count_of(u32::MAX), 0);
}

/// Two threads admit and drop clients without a pause. The table is large, so they are often in
/// `admit` at the same time.
#[test]
fn serve_never_admits_more_while_threads_come_and_go() {
    static CLIENTS: Clients<1000> = Clients::new().per_user(1);
    let (served, admitted) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let start = Barrier::new(2);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                start.wait();
                for _ in 0..5000 {
                    let Ok(client) = CLIENTS.admit(5) else {
                        // Two threads that run in step would refuse each other again and again.
                        thread::yield_now();
                        continue;
                    };
                    let others = served.fetch_add(1, Ordering::SeqCst);
                    admitted.fetch_add(1, Ordering::SeqCst);
                    assert!(CLIENTS.count() > 0); // Counting takes a while, so the threads overlap.
                    served.fetch_sub(1, Ordering::SeqCst);
                    drop(client);
                    assert_eq!(others, 0, "two clients of one user");
                }
            });
        }
    });
    assert_eq!(CLIENTS.count(), 0);
    assert!(admitted.into_inner() > 0);
}

#[test]
fn serve_refuses_the_connections_of_a_user_that_are_too_many() {
    if !sunpath::sys::HAVE_ABSTRACT {
        return;
    }
    let listener = UnixListener::autobind().unwrap();
    let addr = listener.local_addr().unwrap();
    let clients = Clients::<8>::new().per_user(2);
    let peers: Vec<_> = (0..3)
        .map(|_| UnixStream::connect_addr(&addr).unwrap())
        .collect();
    let mut served = Vec::new();
    for _ in &peers {
        let (stream, _) = listener.accept().unwrap();
        let uid = stream.peer_cred().unwrap().uid();
        if let Ok(client) = clients.admit(uid) {
            stream.write(b"x").unwrap();
            served.push((stream, client));
        }
    }
    let got = peers.iter().map(|peer| peer.read(&mut [0; 8]).unwrap());
    assert_eq!(got.collect::<Vec<_>>(), [1, 1, 0]);
    served.clear();
    assert_eq!(clients.count(), 0);
}

#[test]
fn serve_admits_nobody_after_the_stop_and_waits_for_the_rest() {
    static CLIENTS: Clients<4> = Clients::new();
    assert!(CLIENTS.wait(Some(Duration::ZERO)), "there is none");
    let [first, second] = [1, 2].map(|uid| CLIENTS.admit(uid).unwrap());
    CLIENTS.stop();
    let stopped = CLIENTS.admit(3).unwrap_err();
    assert_eq!(stopped, NotAdmitted::Stopped);
    assert_eq!(stopped.to_string(), "no client is admitted any more");
    assert_eq!(CLIENTS.count(), 2);

    assert!(!CLIENTS.wait(Some(Duration::ZERO)));
    let limit = Duration::from_millis(30);
    let began = Instant::now();
    assert!(!CLIENTS.wait(Some(limit)));
    assert!(began.elapsed() >= limit);
    thread::scope(|scope| {
        let waits = scope.spawn(|| CLIENTS.wait(None));
        drop(first);
        assert!(!CLIENTS.wait(Some(limit)), "one is left");
        drop(second);
        assert!(waits.join().unwrap());
    });
}

/// A wait counts the clients only a few times, with pauses between the checks, so it uses little
/// processor time.
#[test]
fn serve_wait_does_not_spin() {
    let clients = Clients::<1>::new();
    let _client = clients.admit(1).unwrap();
    let (before, limit) = (processor_time(), Duration::from_millis(500));
    assert!(!clients.wait(Some(limit)));
    let used = processor_time() - before;
    assert!(used < limit / 10, "{used:?} of the processor");
}

/// Returns the processor time that this thread has used.
fn processor_time() -> Duration {
    // SAFETY: a timespec has two integers, which may be zero.
    let mut time = unsafe { mem::zeroed::<libc::timespec>() };
    // SAFETY: `time` is a live timespec.
    let got = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(got, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Each version of the server takes the path over from the previous version. The previous version
/// serves the clients that have connected to it, waits for them, and ends. A thousand clients
/// connect meanwhile, and each asks three times.
#[cfg(feature = "files")]
#[test]
fn serve_upgrades_a_server_without_losing_one_of_a_thousand_clients() {
    const CLIENTS: usize = 1000;
    const VERSIONS: u8 = 5;
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let takeover = BindOptions::new().existing(Existing::Takeover);
    let [served, next, lost] = [const { AtomicUsize::new(0) }; 3];
    // Connects as a client, asks three times, and returns the version that answered.
    let ask = || {
        let client = UnixStream::connect(&path)?;
        let mut version = [0];
        for _ in 0..3 {
            client.write_all(b"?")?;
            client.read_exact(&mut version)?;
            thread::yield_now();
        }
        Ok::<_, sunpath::Error>(usize::from(version[0]))
    };
    let served_by = [const { AtomicUsize::new(0) }; VERSIONS as usize];

    let serve_version = |version: u8, listener: Bound<UnixListener>, until: usize| {
        let clients = Clients::<CLIENTS>::new();
        thread::scope(|scope| {
            let serve = |stream: UnixStream| {
                let client = clients.admit(stream.peer_cred().unwrap().uid()).unwrap();
                scope.spawn(move || {
                    let mut question = [0];
                    while stream.read(&mut question).unwrap() == 1 {
                        stream.write_all(&[version]).unwrap();
                    }
                    drop(client);
                });
            };
            while served.load(Ordering::SeqCst) < until {
                if let Ok((stream, _)) = listener.accept_timeout(Duration::from_millis(1)) {
                    serve(stream);
                }
            }
            let successor = (version + 1 < VERSIONS).then(|| takeover.listen(&path).unwrap());
            // Clients that had found the old socket file before the takeover still connect to the
            // old listener.
            while let Ok((stream, _)) = listener.accept_timeout(Duration::from_millis(100)) {
                serve(stream);
            }
            clients.stop();
            assert!(clients.wait(Some(Duration::from_secs(60))));
            (successor, listener)
        })
    };
    thread::scope(|scope| {
        let mut listener = takeover.listen(&path).unwrap();
        for _ in 0..8 {
            scope.spawn(|| {
                while next.fetch_add(1, Ordering::SeqCst) < CLIENTS {
                    match ask() {
                        Ok(version) => served_by[version].fetch_add(1, Ordering::SeqCst),
                        Err(_) => lost.fetch_add(1, Ordering::SeqCst),
                    };
                    served.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for version in 0..VERSIONS {
            let until = CLIENTS * (usize::from(version) + 1) / usize::from(VERSIONS);
            let (successor, old) = serve_version(version, listener, until);
            drop(old);
            match successor {
                Some(successor) => listener = successor,
                None => break,
            }
        }
    });
    assert_eq!((served.into_inner(), lost.into_inner()), (CLIENTS, 0));
    let served_by = served_by.map(AtomicUsize::into_inner);
    assert!(served_by.iter().all(|count| *count > 0), "{served_by:?}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
