//! Ancillary data: descriptors, credentials and labels that are sent with the bytes.
//!
//! A send borrows the descriptors that it passes. A receive returns a value that owns the
//! descriptors that arrived, and closes those that nobody takes. The value reports truncation
//! before any descriptor can be taken. [`Socket::send_fd`](crate::Socket::send_fd) and
//! [`Socket::recv_fd`](crate::Socket::recv_fd) pass one descriptor, and
//! [`Socket::send_fds`](crate::Socket::send_fds) and [`Socket::recv_fds`](crate::Socket::recv_fds)
//! pass several. These four methods need nothing from this module.
//!
//! | to do this | these |
//! |---|---|
//! | send any control messages | [`Socket::sendmsg`](crate::Socket::sendmsg) with [`Control`] |
//! | receive any control messages | [`Socket::recvmsg`](crate::Socket::recvmsg) into a [`ControlBuffer`], which gives a [`Message`] |
//! | keep descriptors, lend them, and close all of them at once | [`Fds`] of [`Socket::recv_fds_up_to`](crate::Socket::recv_fds_up_to) or [`Ancillary::take_rights`] |
//! | size a buffer by what is expected | [`Rights`], [`Credentials`], [`Pidfd`], [`Security`], [`Timestamp`] in [`Expected`] |
//! | peek, wait for all bytes, send out of band, make one call that does not wait | [`MsgFlags`] in [`Socket::sendmsg_with`](crate::Socket::sendmsg_with) and [`Socket::recvmsg_with`](crate::Socket::recvmsg_with) |
//! | read or write what has no type here | [`Ancillary::messages`], [`Control::Other`], [`ControlBytes`] |
//! | send or receive many messages with one call | [`SendBatch`], [`RecvBatch`] |
//!
//! # In a readiness loop
//!
//! A loop that waits with poll(2), `async_io::Async::read_with` or `try_io` of tokio repeats a
//! receive until it returns without waiting. The message must then leave the loop, or the closure.
//! The loop can do this, because a [`ControlBuffer`] that is passed by value moves into the
//! [`Message`]:
//!
//! ```
//! use sunpath::ancillary::{ControlBuffer, Message, Rights};
//! use sunpath::{Error, UnixStream, fd::IoSliceMut};
//!
//! type Control = ControlBuffer<Rights<3>>;
//!
//! fn next(socket: &UnixStream, buf: &mut [u8]) -> Result<Message<Control>, Error> {
//!     loop {
//!         match socket.try_recvmsg(&mut [IoSliceMut::new(buf)], Control::new()) {
//!             Err(error) if error.is_would_block() => drop(socket.wait_readable(None)?),
//!             received => return received,
//!         }
//!     }
//! }
//! # let (ours, theirs) = UnixStream::pair()?;
//! # ours.send_fd(&ours)?;
//! # assert_eq!(next(&theirs, &mut [0; 8])?.into_control()?.into_rights().count(), 1);
//! # Ok::<(), Error>(())
//! ```
//!
//! A buffer that is passed as `&mut` serves call after call, and the message borrows it. The
//! compiler refuses to return this message from the loop, because the next round would borrow the
//! buffer again. A message that owns its buffer costs more, because the buffer is copied: about 40
//! instructions for one descriptor, and 2000 for 253.
//!
//! [`recvmmsg`](crate::Socket::recvmmsg) can be called in a readiness loop without any change,
//! because the [`RecvBatch`] owns what the call received, and the call returns only how many
//! messages arrived.

mod batch;
mod buffer;
mod contents;
mod fds;
mod layout;
mod passing;
mod receive;
mod send;

pub use self::batch::{Arrival, Arrivals, Outgoing, RecvBatch, RecvSlots, SendBatch, SendSlots};
pub use self::buffer::{ControlBuffer, ControlBytes, ControlStorage};
pub use self::contents::{Ancillary, Descriptors, IntoDescriptors};
pub use self::fds::Fds;
pub use self::layout::Control;
pub use self::receive::Message;
pub use crate::control::{ControlMessage, ControlMessages, Credentials};
pub use crate::expected::{Expected, Pidfd, QueueLength, Rights, Security, Sender, Timestamp};
pub use crate::flags::MsgFlags;
