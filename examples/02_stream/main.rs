//! A stream from socket to close, server and client in one.

use std::{env, error::Error, fs, process, str};
use sunpath::{Socket, Stream, UnixAddr};
use sunpath::{UnixListener, UnixStream};

fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args_os().nth(1);
    let path = path.unwrap_or("a.sock".into());

    // 1. Address: the path is copied only if it fits.
    let addr = UnixAddr::from_pathname(&path)?;

    // 2. Listen: the mode first, so that it is never wider.
    let socket = Socket::<Stream>::new()?;
    socket.set_mode(0o600)?;
    socket.bind_to(&addr)?;
    let listener = socket.listen(UnixListener::BACKLOG)?;

    // 3. Connect: the connection waits in the queue.
    let client = UnixStream::connect_addr(&addr)?;

    // 4. Accept: the kernel knows which process connected.
    let (server, _) = listener.accept()?;
    let peer = server.peer_cred()?;
    let ours = peer.pid() == Some(process::id() as i32);
    let which = if ours { "this" } else { "another" };
    println!("client: {which} process");

    // 5. Talk: without SIGPIPE, and again after a signal.
    let mut buf = [0; 16];
    server.write(b"hello")?;
    let n = client.read(&mut buf)?;
    println!("received: {}", str::from_utf8(&buf[..n])?);

    // 6. Clean up: close leaves the file, unlink removes it.
    drop(server);
    drop(client);
    drop(listener);
    fs::remove_file(path)?;
    Ok(())
}
