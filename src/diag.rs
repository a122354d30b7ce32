//! The Unix domain sockets of a network namespace, as the kernel lists them by sock_diag(7). Only
//! Linux has this; elsewhere every question fails with an error for which
//! [`is_unsupported`](crate::Error::is_unsupported) is true.
//!
//! A [`Query`] chooses sockets by kind and state. Its list is an iterator over a buffer of the
//! caller, and no memory is allocated. Every user may ask, and sees the sockets of all users.
//!
//! # A socket that is not listed may be alive
//!
//! The list has the sockets that were made in the network namespace of the calling thread, and the
//! accepted sockets whose client was made in it. A socket file has no network namespace: a server
//! in a container can listen at a path that this process sees, accept this process's connections,
//! and be in no list that this process can read. The kernel also changes the list while it is read,
//! so a socket that is made, bound or closed meanwhile can be missing or be listed twice. **An
//! entry therefore proves that a socket was open, and a missing entry proves nothing.** Only
//! [`probe`](crate::probe) finds out whether a socket file is stale.
//!
//! # Examples
//!
//! The listeners of this network namespace, and how many clients wait for each:
//!
//! ```
//! use sunpath::diag::{self, Query, Queue};
//!
//! # fn main() -> Result<(), sunpath::Error> {
//! let mut buf = [0; diag::BUFFER];
//! # match diag::list(&mut buf) { Err(error) if error.is_unsupported() => return Ok(()), _ => {} }
//! for socket in Query::new().listening().list(&mut buf)? {
//!     let socket = socket?;
//!     if let Queue::Clients { waiting, backlog } = socket.queue() {
//!         println!("{}: {waiting} of {backlog}", socket.addr());
//!     }
//! }
//! # Ok(()) }
//! ```

// rustdoc shows the items in the order of these lines, so the questions come first.
mod query;

mod answer;
mod entry;
mod waiting;

pub use self::entry::{Entry, FileId, Peer, Queue, SocketKind, State};
pub use self::query::{BUFFER, Query, Sockets, find, list};
pub use self::waiting::{WAITING_BUFFER, Waiting, waiting};
