//! A daemon whose address is a path, an abstract name, or a socket that the service manager passed.
//!
//! ```text
//! daemon /run/app.sock
//! daemon @app
//! systemd-socket-activate -l /run/app.sock daemon
//! ```

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use sunpath::activation::{Activation, NotPassed};
use sunpath::{BindOptions, Bound, Existing, UnixAddr, UnixListener};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("daemon: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    // SAFETY: main calls this first, and nothing was opened yet.
    let passed = unsafe { Activation::take() }?;
    let listener = listener(passed, env::args().nth(1))?;
    println!("listening at {}", listener.local_addr()?);
    for client in &listener {
        match client {
            // An error is ignored, because the client may have closed already.
            Ok(client) => drop(client.write(b"hello\n")),
            // Probably no descriptor is free. Wait a moment.
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
    Ok(())
}

/// Takes the listener that the manager passed, or binds one. At the end the file is removed only if
/// this program bound it.
fn listener(
    mut passed: Activation<'_>,
    configured: Option<String>,
) -> Result<Bound<UnixListener>, Box<dyn Error>> {
    if let Some(passed) = passed.next() {
        return Ok(passed.into_listener()?.into());
    }
    match passed.not_passed() {
        None | Some(NotPassed::NoDescriptors) => {}
        Some(reason) => return Err(reason.into()), // The manager may hold the address already.
    }
    let addr: UnixAddr = configured.ok_or("usage: daemon ADDRESS")?.parse()?;
    let options = BindOptions::new().existing(Existing::ReplaceStale);
    Ok(options.bind_addr(&addr)?)
}
