//! The names that programs use for the listeners of each kind.

use super::{Listener, Seqpacket, Stream};

/// A socket that listens for stream connections.
///
/// ```
/// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sunpath::{UnixListener, UnixStream};
///
/// # let path = format!("/tmp/sunpath-listener-{}.sock", std::process::id());
/// let listener = UnixListener::bind(&path)?; // "/run/app.sock", for example
/// let client = UnixStream::connect(&path)?;
/// let (server, _) = listener.accept()?;
/// # drop((client, server));
/// std::fs::remove_file(&path)?; // nothing else removes it
/// # Ok(()) }
/// # #[cfg(not(feature = "std"))] fn main() {}
/// ```
///
/// | to do this | methods |
/// |---|---|
/// | make one | [`bind`](UnixListener::bind), [`bind_addr`](UnixListener::bind_addr), [`bind_at`](UnixListener::bind_at), [`autobind`](UnixListener::autobind) |
/// | accept | [`accept`](UnixListener::accept), [`accept_timeout`](UnixListener::accept_timeout), [`accept_nonblocking`](UnixListener::accept_nonblocking), [`accept_if`](UnixListener::accept_if), [`incoming`](UnixListener::incoming) |
/// | stop | [`as_socket`](UnixListener::as_socket) |
/// | set options | [`set_nonblocking`](UnixListener::set_nonblocking), [`set_cloexec`](UnixListener::set_cloexec), [`listen_again`](UnixListener::listen_again), [`try_clone`](UnixListener::try_clone), [`local_addr`](UnixListener::local_addr), [`take_error`](UnixListener::take_error) |
///
/// For a daemon, call [`BindOptions::listen`](crate::BindOptions::listen). `BindOptions` also sets
/// the mode of the socket file, replaces a stale file, and removes the file at the end.
pub type UnixListener = Listener<Stream>;

/// A socket that listens for sequenced-packet connections.
///
/// ```no_run
/// use sunpath::{UnixSeqpacket, UnixSeqpacketListener};
///
/// let listener = UnixSeqpacketListener::bind("/run/app.sock")?;
/// let client = UnixSeqpacket::connect("/run/app.sock")?;
/// let (server, _) = listener.accept()?;
/// # Ok::<(), sunpath::Error>(())
/// ```
///
/// | to do this | methods |
/// |---|---|
/// | make one | [`bind`](UnixSeqpacketListener::bind), [`bind_addr`](UnixSeqpacketListener::bind_addr), [`bind_at`](UnixSeqpacketListener::bind_at), [`autobind`](UnixSeqpacketListener::autobind) |
/// | accept | [`accept`](UnixSeqpacketListener::accept), [`accept_timeout`](UnixSeqpacketListener::accept_timeout), [`accept_nonblocking`](UnixSeqpacketListener::accept_nonblocking), [`accept_if`](UnixSeqpacketListener::accept_if), [`incoming`](UnixSeqpacketListener::incoming) |
/// | stop | [`as_socket`](UnixSeqpacketListener::as_socket) |
/// | set options | [`set_nonblocking`](UnixSeqpacketListener::set_nonblocking), [`set_cloexec`](UnixSeqpacketListener::set_cloexec), [`listen_again`](UnixSeqpacketListener::listen_again), [`try_clone`](UnixSeqpacketListener::try_clone), [`local_addr`](UnixSeqpacketListener::local_addr), [`take_error`](UnixSeqpacketListener::take_error) |
pub type UnixSeqpacketListener = Listener<Seqpacket>;
