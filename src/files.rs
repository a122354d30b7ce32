//! Socket files: paths of any length, directories, and everything in bind(2) and connect(2) that
//! depends on the file.

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
