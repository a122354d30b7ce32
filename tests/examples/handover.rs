//! Tests of the example `handover`, which passes the listening socket itself to the next version of
//! a program.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use sunpath::{ConnectOptions, Stream, UnixStream};

use crate::{Running, example, fresh};

fn start(path: &Path, version: &str) -> Running {
    let line = format!("version {version} serves");
    Running::start(example("handover").arg(path).arg(version), &line)
}

/// Connects as a client, and returns the version that serves it.
fn ask(path: &Path) -> String {
    let client = UnixStream::connect(path).expect("nobody is refused");
    let mut version = [0; 16];
    let len = client.read(&mut version).expect("nobody is reset");
    assert!(len > 0, "nobody is dropped");
    String::from_utf8(version[..len].to_vec()).unwrap()
}

#[test]
fn handover_under_load_loses_no_client() {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let mut running = start(&path, "0");
    let done = AtomicBool::new(false);
    let served = thread::scope(|scope| {
        let clients = [(); 3].map(|()| {
            scope.spawn(|| {
                let mut served = 0;
                while !done.load(Ordering::SeqCst) {
                    ask(&path);
                    served += 1;
                }
                served
            })
        });
        for version in 1..=8 {
            let version = version.to_string();
            let next = start(&path, &version);
            std::mem::replace(&mut running, next).end();
            assert_eq!(ask(&path), version);
        }
        done.store(true, Ordering::SeqCst);
        clients.map(|client| client.join().unwrap())
    });
    assert!(served.into_iter().all(|served| served > 0), "{served:?}");
    drop(running);
}

/// A next version asks for the listener and ends before it serves anybody. The old version
/// continues to serve.
#[test]
fn handover_to_nobody_goes_on() {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let _running = start(&path, "0");
    let wait = ConnectOptions::new().timeout(Duration::from_secs(60));
    let next = wait
        .connect::<Stream>(&*path.with_extension("sock.next"))
        .unwrap();
    drop(next.recv_fd().unwrap());
    drop(next);
    assert_eq!(ask(&path), "0");
    assert_eq!(ask(&path), "0");
}
