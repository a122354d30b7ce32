//! Socket files: a path that does not fit into `sun_path`, and a file that a server left behind,
//! with sunpath. `c/files.c` does the same in C.

use std::fs;

use sunpath::{BindOptions, CWD, Existing, Socket, Stream, UnixListener, UnixStream};
use sunpath_bench::{Bench, opaque_slice, repeat, socket_path, unlink};

/// The depth of the directories and the length of their names, which give a path of 1014 bytes.
const DEEP: usize = 10;
const COMPONENT: usize = 99;

/// Connects, accepts, and closes both sockets.
#[inline(always)]
fn connecting(count: u64, listener: &UnixListener, connect: impl Fn() -> UnixStream) {
    repeat(count, || {
        let client = connect();
        drop(listener.accept().unwrap());
        drop(client);
    });
}

fn connect_short(count: u64) {
    let path = socket_path("short");
    let listener = UnixListener::bind(&path).unwrap();
    connecting(count, &listener, || {
        UnixStream::connect(opaque_slice(&path)).unwrap()
    });
    unlink(&path);
}

fn connect_long(count: u64) {
    let base = format!("{:07}", std::process::id());
    let dir = [&base, "/", &vec!["d".repeat(COMPONENT); DEEP].join("/")].concat();
    fs::create_dir_all(&dir).unwrap();
    let path = [&dir, "/socket"].concat().into_bytes();
    let socket = Socket::<Stream>::new().unwrap();
    socket.bind_to_at(CWD, &path).unwrap();
    let listener = socket.listen(UnixListener::BACKLOG).unwrap();
    connecting(count, &listener, || {
        let client = UnixStream::new().unwrap();
        client.connect_to_at(CWD, opaque_slice(&path)).unwrap();
        client
    });
    fs::remove_dir_all(base).unwrap();
}

/// Replaces the file that a server left at the path, and leaves the new file there as the server
/// did.
fn stale(count: u64, others: usize) {
    let others: Vec<_> = (0..others)
        .map(|i| {
            let path = socket_path(&format!("other-{i}"));
            (UnixListener::bind(&path).unwrap(), path)
        })
        .collect();
    let path = socket_path("stale");
    drop(UnixListener::bind(&path).unwrap());
    let options = BindOptions::new()
        .existing(Existing::ReplaceStale)
        .unlink_on_drop(false);
    repeat(count, || {
        drop(options.listen(opaque_slice(&path)).unwrap());
    });
    unlink(&path);
    for (_, path) in &others {
        unlink(path);
    }
}

fn main() {
    Bench::from_args()
        .work("connect.short", connect_short)
        .work("connect.long", connect_long)
        .work("stale.0", |count| stale(count, 0))
        .work("stale.2000", |count| stale(count, 2000))
        .finish();
}
