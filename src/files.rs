//! Socket files: paths of any length, directories, and everything in bind(2) and connect(2) that
//! depends on the file.
//!
//! | to do this | these |
//! |---|---|
//! | bind with a mode, replace a stale file, let one process succeed | [`BindOptions`], [`Existing`], [`Lock`] |
//! | hold the socket with its file, and remove the file | [`Bound`], [`SocketFile`] |
//! | connect with a timeout, or only to a server of the right user | [`ConnectOptions`] |
//! | make, verify and open directories | [`Dir`], [`DirOptions`], [`DirError`] |
//! | ask whether a server is alive, and which process has the lock | [`probe`], [`Liveness`], [`holder`] |
//! | list the dead socket files of a directory | `stale_in`, which needs `std` |
//! | ask whether the sockets of a directory fit | [`fits_in`], [`space_in`] |

mod alias;
mod at;
mod bind;
mod connect;
mod dir;
mod fit;
mod joined;
mod name;
mod path;

pub use self::bind::{
    BindOptions, Bindable, Bound, Existing, Liveness, Lock, ReturnedError, SocketFile, holder,
    probe,
};
#[cfg(feature = "std")]
pub use self::bind::{StaleFile, StaleFiles, stale_in};
pub use self::connect::ConnectOptions;
#[cfg(feature = "std")]
pub use self::dir::RuntimeError;
pub use self::dir::{Dir, DirError, DirOptions, Refusal};
pub use self::fit::{DoesNotFit, fits_in, space_in};
pub use crate::pathname::AsPathname;
