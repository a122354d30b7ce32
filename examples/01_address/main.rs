//! How long may a path be, and what becomes of a longer one?

use std::{env, error, fs, process};
use sunpath::{Error, Socket, Stream, UnixAddr, sys};

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
    // 1. Address: a family, 108 bytes, and a length.
    println!("offsetof(sun_path) = {}", sys::SUN_PATH_OFFSET);
    println!("sizeof(sun_path) = {}", sys::SUN_PATH_CAPACITY);

    // 2. Check: the path and its NUL must fit.
    let addr = UnixAddr::from_pathname(path)?;

    // 3. Bind: the length is that of the whole address.
    let sock = show("socket()", Socket::<Stream>::new())?;
    show("bind(sock)", sock.bind_to(&addr))?;
    let len = sock.local_addr()?.len();
    println!("getsockname(sock) = {len}");

    // 4. The trap: a path of 200 bytes, where 107 fit.
    let long_path = "x".repeat(200);
    let trap = show("socket()", Socket::<Stream>::new())?;
    let bound = UnixAddr::from_pathname(&long_path)
        .map_err(Error::from)
        .and_then(|addr| trap.bind_to(&addr));
    let _ = show("bind(trap, long_path)", bound);
    let len = trap.local_addr()?.len();
    println!("getsockname(trap) = {len}");

    // 5. Clean up: is there a file that nobody asked for?
    fs::remove_file(path)?;
    println!("unlink(path) = ok");
    let wrong = fs::exists(&long_path[..108])?;
    let result = if wrong { "ok" } else { "ENOENT" };
    println!("unlink(<108 bytes>) = {result}");
    Ok(())
}
