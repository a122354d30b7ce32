//! Ancillary data: what travels beside the bytes. Sending borrows descriptors, receiving owns them
//! from the instant that the call returns, and truncation is said before anything can be taken.

mod receive;
mod room;
mod send;

pub(crate) use self::receive::flags;
pub use self::receive::{Ancillary, Message};
pub use self::room::{ControlBuffer, ControlRoom};
pub use self::send::Control;
pub(crate) use self::send::Layout;
