//! Socket files: paths of any length, directories, and everything around bind(2) and connect(2)
//! that depends on the file.

pub(crate) mod at;
pub(crate) mod bind;
pub(crate) mod connect;
pub(crate) mod dir;

pub use self::bind::{BindOptions, Bindable, Bound, Existing, Liveness, probe};
pub use self::connect::ConnectOptions;
pub use self::dir::{Dir, DirError, Refusal};
pub use crate::pathname::AsPathname;
