//! Ancillary data: descriptors, credentials and labels that travel beside the bytes.
//!
//! Sending borrows descriptors. Receiving owns them from the instant that the call returns, and
//! reports truncation before anything can be taken.
//! [`Socket::send_fd`](crate::Socket::send_fd) and [`Socket::recv_fd`](crate::Socket::recv_fd) pass
//! one descriptor and need nothing from this module.

mod batch;
mod buffer;
mod passing;
mod receive;
mod send;

pub use self::batch::{Arrival, Arrivals, Outgoing, RecvBatch, RecvSlots, SendBatch, SendSlots};
pub use self::buffer::{AsControlBuffer, ControlBuffer};
pub use self::receive::{Ancillary, Message};
pub use self::send::Control;
pub use crate::control::{ControlMessage, ControlMessages, Credentials};
pub use crate::expected::{Expected, Pidfd, QueueLength, Rights, Security, Sender};
pub use crate::syscall::Descriptors;
