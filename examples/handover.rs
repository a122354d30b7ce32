//! A server whose next version takes over the listening socket itself, and with it the clients that
//! wait in its queue. `Existing::Takeover`, in contrast, takes over only the path, so the old server
//! has to serve the clients in its own queue.
//!
//! ```text
//! handover PATH VERSION     asks the running version for its listener, or binds one
//! ```

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::time::Duration;

use sunpath::{BindOptions, Bound, Errno, Existing, UnixListener, UnixStream};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<_> = env::args().skip(1).collect();
    let [path, version] = args.as_slice() else {
        return Err("usage: handover PATH VERSION".into());
    };
    let options = BindOptions::new()
        .mode(0o600)
        .existing(Existing::ReplaceStale);

    // 1. Take the listener from the running version, if there is one.
    let next = OsString::from(format!("{path}.next"));
    let mut listener = match UnixStream::connect(&next) {
        Ok(running) => {
            let fd = running.recv_fd()?;
            let listener = options.adopt(UnixListener::try_from(fd)?, path)?;
            running.write(b"!")?; // This tells the running version that the listener arrived.
            listener
        }
        Err(error) if matches!(error.errno(), Errno::ENOENT | Errno::ECONNREFUSED) => {
            options.listen(path)?
        }
        Err(error) => return Err(error.into()),
    };

    // 2. Listen for the next version, which asks for the listener here. Because of the mode, only
    //    our own user can connect.
    let successors = options.existing(Existing::Takeover).listen(&next)?;
    println!("version {version} serves");

    loop {
        // 3. Serve clients.
        match listener.accept_timeout(Duration::from_millis(10)) {
            Ok((client, _)) => drop(client.write(version.as_bytes())),
            Err(error) if error.errno() == Errno::ETIMEDOUT => {}
            Err(error) => return Err(error.into()),
        }
        // 4. Hand over, and continue if the next version does not take the listener.
        if let Ok((successor, _)) = successors.accept_timeout(Duration::ZERO) {
            match hand_over(listener, &successor) {
                None => return Ok(()),
                Some(kept) => listener = options.adopt(kept, path)?,
            }
        }
    }
}

/// Passes the listener to the next version. Returns the listener if that version ends before it has
/// answered that the listener arrived.
fn hand_over(listener: Bound<UnixListener>, successor: &UnixStream) -> Option<UnixListener> {
    // `leak` leaves the file and releases the lock, which the next version takes. In between nobody
    // accepts, so clients wait in the queue.
    let listener = listener.leak();
    let taken = successor
        .send_fd(&listener)
        .and_then(|()| successor.read(&mut [0]));
    match taken {
        Ok(1) => None,
        _ => Some(listener),
    }
}
