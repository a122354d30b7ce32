//! Tests of what a watcher of the directory sees by inotify(7).

use std::ffi::CString;
use std::fs;
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use sunpath::{BindOptions, Existing, UnixListener};

use crate::{Fresh, bind};

/// A watch of the files that are made, deleted or renamed in a directory.
struct Watch(fs::File);

impl Watch {
    fn new(dir: &Path) -> Self {
        // SAFETY: the argument is an integer, so the call accesses no memory.
        let fd = unsafe { libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC) };
        assert!(fd >= 0);
        // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
        let file = unsafe { fs::File::from_raw_fd(fd) };
        let dir = CString::new(dir.as_os_str().as_bytes()).unwrap();
        let mask = libc::IN_CREATE | libc::IN_DELETE | libc::IN_MOVE;
        // SAFETY: the path ends with a NUL.
        assert!(unsafe { libc::inotify_add_watch(file.as_raw_fd(), dir.as_ptr(), mask) } >= 0);
        Self(file)
    }

    /// Returns the events since the last call, with `T` in place of each temporary name.
    fn events(&mut self) -> Vec<String> {
        let (mut bytes, mut events) = (vec![0; 1 << 16], Vec::new());
        let len = self.0.read(&mut bytes).unwrap_or(0);
        let mut rest = &bytes[..len];
        while let Some((head, tail)) = rest.split_at_checked(16) {
            let number = |at| u32::from_ne_bytes(head[at..at + 4].try_into().unwrap());
            let (name, next) = tail.split_at(number(12) as usize);
            let name = name.split(|byte| *byte == 0).next().unwrap();
            let name = match name.starts_with(b".sunpath-") {
                true => "T",
                false => std::str::from_utf8(name).unwrap(),
            };
            let event = match number(4) & !libc::IN_ISDIR {
                libc::IN_CREATE => "CREATE",
                libc::IN_DELETE => "DELETE",
                libc::IN_MOVED_FROM => "MOVED_FROM",
                libc::IN_MOVED_TO => "MOVED_TO",
                _ => "?",
            };
            events.push(format!("{event} {name}"));
            rest = next;
        }
        events
    }
}

#[test]
fn watched_drop_deletes_the_name() {
    let fresh = Fresh::new();
    let mut watch = Watch::new(fresh.dir.path());
    let new = BindOptions::new;
    let beside = ["CREATE a.sock.lock", "CREATE a.sock"];
    let both = ["DELETE a.sock", "DELETE a.sock.lock"];
    let taken = ["CREATE T", "MOVED_FROM T", "MOVED_TO a.sock"];
    for (options, made, removed) in [
        (new(), &["CREATE a.sock"][..], &["DELETE a.sock"][..]),
        (new().mode(0o600), &["CREATE a.sock"], &["DELETE a.sock"]),
        (new().existing(Existing::ReplaceStale), &beside, &both),
        (
            new().existing(Existing::Takeover),
            &taken,
            &["DELETE a.sock"],
        ),
    ] {
        let listener = bind(options, &fresh.path).unwrap();
        assert_eq!(watch.events(), made);
        drop(listener);
        assert_eq!(watch.events(), removed);
    }
}

#[test]
fn watched_replacement_of_a_dead_socket_moves_it_aside() {
    let fresh = Fresh::new();
    drop(UnixListener::bind(&fresh.path).unwrap());
    let mut watch = Watch::new(fresh.dir.path());
    let replace = BindOptions::new().existing(Existing::ReplaceStale);
    let _listener = bind(replace, &fresh.path).unwrap();
    let expected = [
        "CREATE a.sock.lock",
        // T is a live socket, which shows whether the kernel can tell a live socket from a dead
        // one.
        "CREATE T",
        "DELETE T",
        "MOVED_FROM a.sock",
        "MOVED_TO T",
        "DELETE T",
        "CREATE a.sock",
    ];
    assert_eq!(watch.events(), expected);
}

#[test]
fn watched_takeover_swaps_and_deletes_the_old_file() {
    let fresh = Fresh::new();
    let _old = UnixListener::bind(&fresh.path).unwrap();
    let mut watch = Watch::new(fresh.dir.path());
    let takeover = BindOptions::new().existing(Existing::Takeover);
    let _new = bind(takeover, &fresh.path).unwrap();
    let mut events = watch.events();
    // The order of the events of an exchange of two files is not fixed.
    events[1..5].sort();
    let expected = [
        "CREATE T",
        "MOVED_FROM T",
        "MOVED_FROM a.sock",
        "MOVED_TO T",
        "MOVED_TO a.sock",
        "DELETE T",
    ];
    assert_eq!(events, expected);
}
