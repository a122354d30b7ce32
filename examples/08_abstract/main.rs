//! Can a socket have a name without a file?

use std::{fs, process};
use sunpath::{Error, Socket, Stream, SunPath, UnixAddr};
use sunpath::{UnixListener, sys};

type Result<T, E = Error> = std::result::Result<T, E>;

/// Prints a call and its result, an errno by its name.
fn show<T>(call: &str, result: Result<T>) -> Result<T> {
    match &result {
        Ok(_) => println!("{call} = ok"),
        Err(error) => println!("{call} = {:?}", error.errno()),
    }
    result
}

fn main() -> Result<()> {
    // 1. Address: a NUL, the name, and no NUL after it.
    let mut name = format!("lesson-{}", process::id());
    let addr = UnixAddr::from_abstract(&name)?;

    // 2. Listen: there is no file, and no permission.
    let listener = show("socket()", Socket::<Stream>::new())?;
    show("bind(listener)", listener.bind_to(&addr))?;
    let listening = listener.listen(UnixListener::BACKLOG);
    let listening = listening.map_err(Error::from);
    let listener = show("listen(listener)", listening)?;
    let file = fs::metadata(&name).is_ok();
    let file = if file { "ok" } else { "ENOENT" };
    println!("access(name) = {file}");

    // 3. Connect: with exactly the bytes that were bound.
    let client = show("socket()", Socket::<Stream>::new())?;
    show("connect(client)", client.connect_to(&addr))?;

    // 4. The trap: the NULs after it make another name.
    while name.len() < sys::SUN_PATH_CAPACITY - 1 {
        name.push('\0');
    }
    let padded = UnixAddr::from_abstract(&name)?;
    let wrong = show("socket()", Socket::<Stream>::new())?;
    let _ = show("connect(wrong)", wrong.connect_to(&padded));

    // 5. Close: the name is free at once.
    drop(listener);
    println!("close(listener) = ok");
    let again = show("socket()", Socket::<Stream>::new())?;
    show("bind(again)", again.bind_to(&addr))?;

    // 6. Autobind: the kernel makes up a name that is free.
    let sock = show("socket()", Socket::<Stream>::new())?;
    show("bind(sock)", sock.autobind())?;
    let addr = show("getsockname(sock)", sock.local_addr())?;
    let first = match addr.name() {
        SunPath::Abstract(_) => 0,
        _ => 1,
    };
    println!("length: {}, first byte: {first}", addr.len());
    Ok(())
}
