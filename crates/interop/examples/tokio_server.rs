//! A tokio server that knows its clients: tokio accepts, reads and writes, and sunpath reports
//! which user connected and removes the socket file.
//!
//! ```sh
//! cargo run -p sunpath-interop --example tokio_server -- /tmp/app.sock
//! ```

use std::env;
use std::error::Error;
use std::time::Duration;

use sunpath::{BindOptions, Existing, SocketRef, Stream};
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::{select, spawn, time};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args_os().nth(1).ok_or("usage: tokio_server PATH")?;
    let options = BindOptions::new()
        .mode(0o666)
        .existing(Existing::ReplaceStale);
    // The file is removed when `_file` is dropped.
    let (listener, _file) = options.listen(path)?.into_parts()?;
    listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listener.into())?;
    // It is made once, so a signal that comes together with a client is not lost.
    let mut stop = signal(SignalKind::interrupt())?;
    println!("ready");

    loop {
        let accepted = select! {
            accepted = listener.accept() => accepted,
            _ = stop.recv() => return Ok(()),
        };
        match accepted {
            Ok((client, _)) => drop(spawn(serve(client))),
            Err(_) => time::sleep(Duration::from_millis(100)).await, // wait until a descriptor is free
        }
    }
}

/// Greets a client by its user and groups, as the kernel reports them.
async fn serve(mut client: UnixStream) -> std::io::Result<()> {
    let greeting = {
        let peer = SocketRef::<Stream>::from(&client);
        let mut buf = vec![0; peer.peer_group_count()?];
        let groups = peer.peer_groups(&mut buf)?;
        format!("user {} in groups {groups:?}\n", peer.peer_cred()?.uid())
    };
    client.write_all(greeting.as_bytes()).await
}
