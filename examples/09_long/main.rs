//! My path does not fit into sun_path. What now?

use std::{error, fs};
use sunpath::{CWD, Error, Socket, Stream};
use sunpath::{UnixAddr, UnixListener};

type Result<T, E = Error> = std::result::Result<T, E>;

/// Prints a call and its result, an errno by its name.
fn show<T>(call: &str, result: Result<T>) -> Result<T> {
    match &result {
        Ok(_) => println!("{call} = ok"),
        Err(error) => println!("{call} = {:?}", error.errno()),
    }
    result
}

fn main() -> Result<(), Box<dyn error::Error>> {
    // 1. Address: the path has 157 bytes, 107 fit.
    let dir = "d".repeat(150);
    let path = format!("{dir}/a.sock");
    let refused = UnixAddr::from_pathname(&path);
    let _ = show("address(path)", refused.map_err(Error::from));

    // 2. Directory: a descriptor stands for the long part.
    let made = fs::create_dir(&dir);
    made.map_err(|error| format!("mkdir(dir): {error}"))?;
    println!("mkdir(dir) = ok");

    // 3. Alias: a short path to the same file.

    // 4. Bind and connect: the file is in the directory.
    let listener = show("socket()", Socket::<Stream>::new())?;
    let bound = listener.bind_to_at(CWD, &path);
    show("bind(listener)", bound)?;
    let listening = listener.listen(UnixListener::BACKLOG);
    let listening = listening.map_err(Error::from);
    let _listener = show("listen(listener)", listening)?;
    let client = show("socket()", Socket::<Stream>::new())?;
    let connected = client.connect_to_at(CWD, &path);
    show("connect(client)", connected)?;

    // 5. The trap: the peer sees the alias of this process.
    let name = show("getpeername(client)", client.peer_addr())?;
    let name = name.to_string();
    let alias = name.starts_with("/proc/self/fd/");
    let which = if alias { "alias" } else { "other" };
    println!("name of server: {which}");

    // 6. Clean up: the file, and then the directory.
    fs::remove_file(&path)?;
    println!("unlink(path) = ok");
    fs::remove_dir(&dir)?;
    println!("rmdir(dir) = ok");
    Ok(())
}
