//! Why does accept not tell me who has connected?

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

    // 2. Connect: the client is not bound to any name.
    let listener = show("socket()", Socket::<Stream>::new())?;
    show("bind(listener)", listener.bind_to(&addr))?;
    let listening = listener.listen(UnixListener::BACKLOG);
    let listening = listening.map_err(Error::from);
    let listener = show("listen(listener)", listening)?;
    let client = show("socket()", Socket::<Stream>::new())?;
    show("connect(client)", client.connect_to(&addr))?;

    // 3. Accept: the address is the family alone.
    let accepted = listener.accept();
    let (server, name) = show("accept(listener)", accepted)?;
    println!("name of the client: {} bytes", name.len());

    // 4. Ask the other way: the server has a name.
    let name = show("getpeername(client)", client.peer_addr())?;
    println!("name of the server: \"{name}\"");

    // 5. Credentials: the kernel knows who connected.
    let cred = server.peer_cred();
    let cred = show("getsockopt(server, SO_PEERCRED)", cred)?;
    let ours = cred.is_own_user();
    let ours = if ours { "ours" } else { "not ours" };
    println!("uid of client: {ours}");

    // 6. Clean up: only unlink removes the file.
    fs::remove_file(path)?;
    println!("unlink(path) = ok");
    Ok(())
}
