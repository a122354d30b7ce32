//! Why does connect return before anyone has accepted?

use std::{env, error, fs, process};
use sunpath::{Error, Socket, Stream, UnixAddr, UnixListener};

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

    // 2. Listen: from here on the kernel takes connections.
    let listener = show("socket()", Socket::<Stream>::new())?;
    show("bind(listener)", listener.bind_to(&addr))?;
    let listening = listener.listen(UnixListener::BACKLOG);
    let listening = listening.map_err(Error::from);
    let listener = show("listen(listener)", listening)?;

    // 3. Connect: the connection waits in the queue.
    let client = show("socket()", Socket::<Stream>::new())?;
    show("connect(client)", client.connect_to(&addr))?;
    let n = client.write(b"hello")?;
    println!("send(client, \"hello\") = {n}");

    // 4. Accept: a new socket, and the bytes are in it.
    let accepted = listener.accept();
    let (server, _) = show("accept(listener)", accepted)?;
    let mut buf = [0; 16];
    let n = server.read(&mut buf)?;
    let text = String::from_utf8_lossy(&buf[..n]);
    println!("recv(server) = {n}, {text:?}");

    // 5. Close: the other end reads 0 bytes.
    drop(client);
    println!("close(client) = ok");
    let n = server.read(&mut buf)?;
    println!("recv(server) = {n}");

    // 6. Clean up: only unlink removes the file.
    drop(server);
    drop(listener);
    fs::remove_file(path)?;
    println!("unlink(path) = ok");
    Ok(())
}
