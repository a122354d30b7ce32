//! What does a daemon's socket need, all told?

use std::os::unix::fs::PermissionsExt;
use std::{env, error, fs, process};
use sunpath::{BindOptions, Bound, Error};
use sunpath::{UnixListener, UnixStream};

type Result<T, E = Error> = std::result::Result<T, E>;

/// Prints a call and its result, an errno by its name.
fn show<T>(call: &str, result: Result<T>) -> Result<T> {
    match &result {
        Ok(_) => println!("{call} = ok"),
        Err(error) => println!("{call} = {:?}", error.errno()),
    }
    result
}

// 1. Lock: one daemon at a time, until it dies.

// 2. Probe: a file is removed only if it is proved dead.

// 3. Listen: with its mode from the beginning.
fn start(path: &str) -> Result<Bound<UnixListener>> {
    BindOptions::singleton().mode(0o600).listen(path)
}

fn main() {
    let path = env::args().nth(1).unwrap_or("a.sock".into());
    if let Err(error) = lesson(&path) {
        eprintln!("{path}: {error}");
        process::exit(1);
    }
}

fn lesson(path: &str) -> Result<(), Box<dyn error::Error>> {
    // 4. Crash: a daemon was killed, and its file is left.
    let killed = UnixListener::bind(path);
    drop(show("bind(killed)", killed)?);
    println!("close(killed) = ok");

    // 5. Start: the first daemon runs, a second does not.
    let daemon = show("start(daemon)", start(path))?;
    let mode = fs::metadata(path)?.permissions().mode();
    println!("stat(path) = ok\nmode: {:04o}", mode & 0o7777);
    let _ = show("start(second)", start(path));

    // 6. Serve: a client that has gone does not kill us.
    let client = UnixStream::connect(path);
    let client = show("connect(client)", client)?;
    let (server, _) = show("accept(daemon)", daemon.accept())?;
    let _ = server.write_all(b"hello\n");
    let n = client.read(&mut [0; 15])?;
    println!("recv(client) = {n}");
    drop(client);
    let _ = show("send()", server.write(b"x"));

    // 7. Stop: unlink the file, then release the lock.
    show("unlink(path)", daemon.close_and_unlink())?;
    Ok(())
}
