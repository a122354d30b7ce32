//! A complete daemon. The daemon runs only once, `--takeover` replaces the daemon that is running,
//! and SIGTERM ends it.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, thread, time::Duration};

use signal_hook::{consts::SIGTERM, flag};
use sunpath::activation::{Activation, NotPassed};
use sunpath::serve::Clients;
use sunpath::{BindOptions, Bound, Dir, Errno, Existing, UnixListener};

static CLIENTS: Clients<256> = Clients::new().per_user(64);

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    // SAFETY: this is the beginning of main, and nothing was opened yet.
    let mut passed = unsafe { Activation::take() }?;
    let stop = Arc::new(AtomicBool::new(false));
    flag::register(SIGTERM, Arc::clone(&stop))?;
    // 1. Take the socket of a service manager, or bind our own in the runtime directory.
    let listener: Bound<UnixListener> = match (passed.next(), passed.not_passed()) {
        (Some(socket), _) => socket.into_listener()?.into(),
        (None, Some(NotPassed::NoDescriptors) | None) => {
            let mut options = BindOptions::singleton();
            if env::args().any(|arg| arg == "--takeover") {
                options = options.existing(Existing::Takeover);
            }
            options.bind_at(Dir::runtime("app")?, "control.sock")?
        }
        (None, Some(reason)) => return Err(reason.to_string().into()),
    };
    println!("ready");
    // 2. Serve clients of our own user, until SIGTERM has arrived and no client has come for 200 ms.
    loop {
        match listener.accept_timeout(Duration::from_millis(200)) {
            Ok((client, _)) => {
                let own = client.peer_cred().ok().filter(|peer| peer.is_own_user());
                if let Some(Ok(place)) = own.map(|peer| CLIENTS.admit(peer.uid())) {
                    thread::spawn(move || {
                        // An error is ignored, because the client may have closed already.
                        let _ = client.write_all(b"hello\n");
                        drop((client, place));
                    });
                }
            }
            Err(error) if error.errno() != Errno::ETIMEDOUT => {
                eprintln!("{error}"); // For example, no descriptor is free.
                thread::sleep(Duration::from_millis(100));
            }
            Err(_) if stop.load(Ordering::Relaxed) => break,
            Err(_) => {}
        }
    }
    // 3. End: the file is removed, and the clients that are left have ten seconds.
    drop(listener);
    CLIENTS.stop();
    let served = CLIENTS.wait(Some(Duration::from_secs(10)));
    served
        .then_some(())
        .ok_or_else(|| "clients were cut off".into())
}
