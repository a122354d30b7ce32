//! A server on tokio that a service manager starts when a client connects:
//!
//! ```sh
//! systemd-socket-activate --listen=/run/app.sock target/debug/examples/activated
//! ```
//!
//! Started by hand, it binds the path that it is given.

use std::error::Error;

use sunpath::BindOptions;
use sunpath::activation::Activation;
use sunpath_tokio::UnixListener;

fn main() -> Result<(), Box<dyn Error>> {
    // SAFETY: this is the beginning of main, before the runtime opens any descriptor.
    let passed = unsafe { Activation::take() }?.next();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = match passed {
            Some(socket) => UnixListener::new(socket.into_listener()?)?,
            None => {
                let path = std::env::args_os().nth(1).ok_or("usage: activated PATH")?;
                UnixListener::new(BindOptions::singleton().listen(path)?)?
            }
        };
        let (stream, _) = listener.accept().await?;
        let uid = stream.peer_cred()?.uid();
        stream
            .write(format!("hello, user {uid}\n").as_bytes())
            .await?;
        Ok(())
    })
}
