//! Tests of programs that one thread starts while others make and close sockets.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use sunpath::BindOptions;

use crate::{Fresh, POLICIES, limit};

/// Returns the sockets that a process has open.
fn sockets(child: &Child) -> Vec<String> {
    let entries = fs::read_dir(format!("/proc/{}/fd", child.id())).unwrap();
    let link = |entry: fs::DirEntry| fs::read_link(entry.path());
    let links = entries.filter_map(|entry| link(entry.unwrap()).ok());
    let links = links.map(|link| link.display().to_string());
    links.filter(|link| link.starts_with("socket:")).collect()
}

/// Starts a program that reads its input to the end.
fn spawn() -> Child {
    let mut command = Command::new("cat");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Every child runs until the end of the test, so that a descriptor that it has inherited by
/// mistake is still open when the test looks.
#[test]
fn spawned_children_keep_no_listener() {
    // There is a pipe to each child.
    if limit::unless_descriptors(256) {
        return;
    }
    let fresh = Fresh::new();
    let (done, bound) = (AtomicBool::new(false), AtomicUsize::new(0));
    let children: Vec<Child> = thread::scope(|scope| {
        for policy in POLICIES {
            let (path, done, bound) = (
                fresh.path.with_extension(format!("{policy:?}")),
                &done,
                &bound,
            );
            scope.spawn(move || {
                let options = BindOptions::new().mode(0o600).existing(policy);
                while !done.load(Ordering::SeqCst) {
                    drop(options.listen(&path).unwrap());
                    bound.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let children = (0..100).map(|_| {
            let before = bound.load(Ordering::SeqCst);
            let child = spawn();
            while bound.load(Ordering::SeqCst) == before {
                thread::yield_now();
            }
            child
        });
        let children = children.collect();
        done.store(true, Ordering::SeqCst);
        children
    });
    // A child may have other sockets, with which the tests were started. A child that another test
    // forked may have our socket for a moment, until that child ends.
    let path = fresh.dir.path().to_str().unwrap();
    let table = fs::read("/proc/net/unix").unwrap();
    let table = String::from_utf8_lossy(&table); // other processes may have names of any bytes
    let ours = table.lines().filter(|line| line.contains(path));
    let inodes = ours.map(|line| line.split_whitespace().nth(6).unwrap());
    let ours: Vec<String> = inodes.map(|inode| format!("socket:[{inode}]")).collect();
    for mut child in children {
        let mut sockets = sockets(&child);
        sockets.retain(|socket| ours.contains(socket));
        assert!(sockets.is_empty(), "{sockets:?} of {table}");
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }
    assert!(fresh.names().is_empty());
}
