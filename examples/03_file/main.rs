//! The daemon was killed. Why can it not start again?

use std::{env, error, process};
use sunpath::{BindOptions, Datagram, Error, Existing, Socket};
use sunpath::{Stream, UnixAddr, UnixListener};

type Result<T, E = Error> = std::result::Result<T, E>;

/// Prints a call and its result, an errno by its name.
fn show<T>(call: &str, result: Result<T>) -> Result<T> {
    match &result {
        Ok(_) => println!("{call} = ok"),
        Err(error) => println!("{call} = {:?}", error.errno()),
    }
    result
}

fn main() {
    let path = env::args().nth(1).unwrap_or("a.sock".into());
    if let Err(error) = lesson(&path) {
        eprintln!("{path}: {error}");
        process::exit(1);
    }
}

fn lesson(path: &str) -> Result<(), Box<dyn error::Error>> {
    // 1. Address: the path must fit, with its NUL.
    let addr = UnixAddr::from_pathname(path)?;
    let client = show("socket()", Socket::<Stream>::new())?;
    let probe = show("socket()", Socket::<Datagram>::new())?;

    // 2. Live: a connect of the wrong type proves it.
    let first = show("socket()", Socket::<Stream>::new())?;
    show("bind(first)", first.bind_to(&addr))?;
    let listening = first.listen(UnixListener::BACKLOG);
    let listening = listening.map_err(Error::from);
    let first = show("listen(first)", listening)?;
    let live = probe.connect_to(&addr);
    let _ = show("connect(probe)", live);

    // 3. Killed: the socket is closed, and the file stays.
    drop(first);
    println!("close(first) = ok");
    let refused = client.connect_to(&addr);
    let _ = show("connect(client)", refused);

    // 4. Start again: the file is in the way.
    let second = show("socket()", Socket::<Stream>::new())?;
    let _ = show("bind(second)", second.bind_to(&addr));

    // 5. Replace: only a file that is proved dead.
    let options = BindOptions::new();
    let options = options.existing(Existing::ReplaceStale);
    let bound = options.listen(path);
    let second = show("bind(second)", bound)?;

    // 6. Clean up: nobody else removes the file.
    let closed = second.close_and_unlink();
    show("unlink(path)", closed)?;
    Ok(())
}
