//! A service that reports its state to its manager, and whose listener survives a restart. A
//! report, as sd_notify(3) sends it, is a datagram. The datagram can carry a descriptor, which the
//! manager then stores.
//!
//! ```text
//! [Service]
//! Type=notify
//! ExecStart=/usr/bin/notify /run/app.sock
//! FileDescriptorStoreMax=1
//! ```

use std::env;
use std::error::Error;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStringExt;
use std::process;

use sunpath::activation::Activation;
use sunpath::{UnixAddr, UnixDatagram, UnixListener};

/// Sends the variables of `state` to the service manager, and descriptors for it to store. Returns
/// whether a manager wants the messages.
fn notify(state: &str, fds: &[BorrowedFd<'_>]) -> Result<bool, Box<dyn Error>> {
    let Some(name) = env::var_os("NOTIFY_SOCKET") else {
        return Ok(false);
    };
    let addr = match name.into_vec().as_slice() {
        [b'@', name @ ..] => UnixAddr::from_abstract_bytes(name)?,
        path => UnixAddr::from_pathname_bytes(path)?,
    };
    let manager = UnixDatagram::unbound()?;
    manager.connect_to(&addr)?;
    manager.send_fds(state.as_bytes(), fds)?;
    Ok(true)
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args_os().nth(1).ok_or("usage: notify PATH")?;

    // 1. Take the descriptor that the manager stored in an earlier run, if there is one. SAFETY:
    //    this is the beginning of main, and nothing was opened yet.
    let mut stored = unsafe { Activation::take() }?;
    let listener: UnixListener = match stored.find(|passed| passed.name() == b"clients") {
        Some(passed) => passed.into_listener()?,
        None => UnixListener::bind(path)?,
    };

    // 2. Store the listener. The manager keeps a copy until the service is stopped permanently.
    notify("FDSTORE=1\nFDNAME=clients", &[listener.as_fd()])?;

    // 3. Report that the service is ready. MAINPID is needed only if a process other than the
    //    started one serves.
    notify(&format!("READY=1\nMAINPID={}", process::id()), &[])?;

    // 4. Serve one client, and stop. Clients that connect after that wait in the queue of the
    //    listener, which the manager keeps open.
    let (client, _) = listener.accept()?;
    // An error is ignored, because the client may have closed already.
    let _ = client.write_all(b"hello\n");
    notify("STOPPING=1\nSTATUS=one client was served", &[])?;
    Ok(())
}
