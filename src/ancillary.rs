//! Ancillary data: descriptors, credentials and labels that travel beside the bytes.
//!
//! A send borrows the descriptors that it passes. A receive returns a value that owns the
//! descriptors that arrived, and that closes those that nobody takes. It reports truncation before
//! any of them can be taken. [`Socket::send_fd`](crate::Socket::send_fd) and
//! [`Socket::recv_fd`](crate::Socket::recv_fd) pass one descriptor, and
//! [`Socket::send_fds`](crate::Socket::send_fds) and [`Socket::recv_fds`](crate::Socket::recv_fds)
//! pass several. They need nothing from this module.
//!
//! | to do this | these |
//! |---|---|
//! | send any control messages | [`Socket::sendmsg`](crate::Socket::sendmsg) with [`Control`] |
//! | receive any control messages | [`Socket::recvmsg`](crate::Socket::recvmsg) into a [`ControlBuffer`], which gives a [`Message`] |
//! | size a buffer by what is expected | [`Rights`], [`Credentials`], [`Pidfd`], [`Security`] in [`Expected`] |
//! | send or receive many messages with one call | [`SendBatch`], [`RecvBatch`] |

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
