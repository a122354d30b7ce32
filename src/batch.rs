//! Batches: several messages with one call, over storage that the caller owns and uses again.

use core::fmt;
use core::iter::Zip;
use core::mem::MaybeUninit;
use core::slice;

use sunpath_sys as sys;

use crate::addr::UnixAddr;
use crate::ancillary::{Control, Layout, Message};
use crate::error::{Call, Error};
use crate::expected::Expected;
use crate::fd::{AsFd, IoSlice, IoSliceMut};
use crate::socket::{Messages, Socket};
use crate::syscall::{self, ArrivedBatch, Beside, Headers, TRUE_LENGTH, ToSend};

/// One message of a batch to send: its data, its receiver, its control messages.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    data: &'a [IoSlice<'a>],
    to: Option<&'a UnixAddr>,
    control: &'a [Control<'a>],
}

impl<'a> Outgoing<'a> {
    /// A message of several slices, to the peer, without control messages.
    #[must_use]
    pub const fn new(data: &'a [IoSlice<'a>]) -> Self {
        Self {
            data,
            to: None,
            control: &[],
        }
    }

    /// The same message to an address, which a datagram socket needs that is not connected.
    #[must_use]
    pub const fn to(self, to: &'a UnixAddr) -> Self {
        Self {
            to: Some(to),
            ..self
        }
    }

    /// The same message with control messages.
    #[must_use]
    pub const fn control(self, control: &'a [Control<'a>]) -> Self {
        Self { control, ..self }
    }
}

/// Storage to send batches with: `N` messages a call, and beside each of them room for the control
/// messages that `E` says. It is reused; nothing is allocated.
#[doc(alias = "mmsghdr")]
pub struct SendBatch<const N: usize, E: Expected = ()> {
    headers: Headers<N>,
    control: [MaybeUninit<E::Room>; N],
}

impl<const N: usize, E: Expected> SendBatch<N, E> {
    /// Storage for `N` messages a call, at most 1024.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(0 < N && N <= syscall::IOV_MAX) }
        const { E::FITS }
        Self {
            headers: Headers::new(),
            control: [const { MaybeUninit::uninit() }; N],
        }
    }
}

impl<const N: usize, E: Expected> Default for SendBatch<N, E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize, E: Expected> fmt::Debug for SendBatch<N, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendBatch").finish_non_exhaustive()
    }
}

/// How many messages of a batch went, and why the next one did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "messages may not have gone"]
pub struct Sent {
    count: usize,
    error: Option<Error>,
}

impl Sent {
    /// How many messages went, the first ones.
    #[must_use]
    pub const fn count(self) -> usize {
        self.count
    }

    /// Why the message after those did not go; `None` if all went.
    #[must_use]
    pub const fn error(self) -> Option<Error> {
        self.error
    }
}

/// Storage to receive batches with: at most `N` messages a call, and beside each of them room for its
/// sender and for the control messages that `E` says. It is reused; nothing is allocated. `N` times
/// about 180 bytes and `E`'s: a large one belongs into a `static` or a box.
#[doc(alias = "mmsghdr")]
pub struct RecvBatch<const N: usize, E: Expected = ()> {
    headers: Headers<N>,
    beside: [Beside<E::Room>; N],
}

impl<const N: usize, E: Expected> RecvBatch<N, E> {
    /// Storage for `N` messages a call, at most 1024.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(0 < N && N <= syscall::IOV_MAX) }
        const { E::FITS }
        Self {
            headers: Headers::new(),
            beside: [const { Beside::new() }; N],
        }
    }
}

impl<const N: usize, E: Expected> Default for RecvBatch<N, E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize, E: Expected> fmt::Debug for RecvBatch<N, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvBatch").finish_non_exhaustive()
    }
}

/// The messages of a batch that were received, each with its bytes, from the first to the last. What
/// is not looked at is closed on drop.
#[must_use = "dropping it closes the descriptors that came"]
pub struct Arrivals<'c, 'b, T: Messages, E: Expected> {
    messages: Zip<ArrivedBatch<'c, E::Room>, slice::IterMut<'c, IoSliceMut<'b>>>,
    kind: core::marker::PhantomData<T>,
}

impl<'c, T: Messages, E: Expected> Iterator for Arrivals<'c, '_, T, E> {
    type Item = (&'c mut [u8], Message<'c>);

    fn next(&mut self) -> Option<Self::Item> {
        let ((length, from, control, closed), buf) = self.messages.next()?;
        let message = Message::new::<T>(length, from, control, closed, buf.len());
        Some((&mut buf[..message.len()], message))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.messages.size_hint()
    }
}

impl<T: Messages, E: Expected> ExactSizeIterator for Arrivals<'_, '_, T, E> {}

impl<T: Messages, E: Expected> fmt::Debug for Arrivals<'_, '_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrivals")
            .field("left", &self.len())
            .finish_non_exhaustive()
    }
}

/// Several messages with one call.
impl<T: Messages> Socket<T> {
    /// `sendmmsg(fd, msgs, n, MSG_NOSIGNAL)` — sends messages one after the other, `N` with a call, until
    /// all went or one fails.
    ///
    /// # Errors
    ///
    /// [`Sent`] says how many went and why the next one did not:
    ///
    /// - `EMSGSIZE`: longer than a message can be; or control messages that `E` has no room for.
    /// - `EINVAL`, `EPERM`, `ESRCH`, `ETOOMANYREFS`, `EOPNOTSUPP`, `ENOMEM`: as for
    ///   [`sendmsg`](Self::sendmsg).
    /// - `EAGAIN`, `ECONNREFUSED`, `EPIPE`, `ECONNRESET`, `ENOTCONN`, `ENOBUFS`, and with an address
    ///   `ENOENT`, `ENOTDIR`, `ELOOP`, `EACCES`, `EPROTOTYPE`: as for `send` and `send_to`.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::{IoSlice, IoSliceMut, Outgoing, RecvBatch, SendBatch, UnixDatagram};
    ///
    /// let (ours, theirs) = UnixDatagram::pair()?;
    /// let (one, two) = ([IoSlice::new(b"one")], [IoSlice::new(b"two")]);
    /// let sent = ours.sendmmsg(
    ///     &[Outgoing::new(&one), Outgoing::new(&two)],
    ///     &mut SendBatch::<8>::new(),
    /// );
    /// assert_eq!((sent.count(), sent.error()), (2, None));
    ///
    /// let mut bufs = [[0; 64]; 8];
    /// let mut bufs = bufs.each_mut().map(|buf| IoSliceMut::new(buf));
    /// let mut batch = RecvBatch::<8>::new(); // used again and again
    /// for (bytes, message) in theirs.recvmmsg(&mut bufs, &mut batch)? {
    ///     assert!(bytes == b"one" || bytes == b"two");
    ///     assert!(!message.is_truncated());
    /// }
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See sendmmsg(2).
    pub fn sendmmsg<const N: usize, E: Expected>(
        &self,
        messages: &[Outgoing<'_>],
        batch: &mut SendBatch<N, E>,
    ) -> Sent {
        let mut count = 0;
        while count < messages.len() {
            match self.send_some(&messages[count..], batch) {
                Ok(sent) => count += sent,
                Err(error) => {
                    return Sent {
                        count,
                        error: Some(error),
                    };
                }
            }
        }
        Sent { count, error: None }
    }

    /// At most `N` of the messages, those before the first that is refused; at least one, if that
    /// one is not.
    fn send_some<const N: usize, E: Expected>(
        &self,
        messages: &[Outgoing<'_>],
        batch: &mut SendBatch<N, E>,
    ) -> Result<usize, Error> {
        let mut refused = None;
        let slots = messages.iter().zip(&mut batch.control);
        let laid_out = slots.map_while(|(message, room)| {
            let control = lay_out::<E>(message.control, room);
            let control = control.map_err(|error| refused = Some(error)).ok()?;
            Some(ToSend {
                bufs: message.data,
                to: message.to,
                control,
            })
        });
        let sent = syscall::sendmmsg(self.as_fd(), &mut batch.headers, laid_out)?;
        match refused {
            Some(error) if sent == 0 => Err(error),
            _ => Ok(sent),
        }
    }

    /// `recvmmsg(fd, msgs, n, MSG_WAITFORONE | MSG_CMSG_CLOEXEC, NULL)` — receives a message into each
    /// slice: waits for the first, and takes as many as are there then.
    ///
    /// When a connection ends, every slice behind the last message receives an empty one. An error
    /// after the first message is kept by the kernel for the next receive.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`, `ECONNRESET`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`: as for [`recv`](Self::recv).
    ///
    /// See recvmmsg(2).
    #[doc(alias = "MSG_WAITFORONE")]
    pub fn recvmmsg<'c, 'b, const N: usize, E: Expected>(
        &self,
        bufs: &'c mut [IoSliceMut<'b>],
        batch: &'c mut RecvBatch<N, E>,
    ) -> Result<Arrivals<'c, 'b, T, E>, Error> {
        let room = (E::SPACE, E::DESCRIPTORS);
        let (headers, beside) = (&mut batch.headers, &mut batch.beside);
        let (fd, named) = (self.as_fd(), T::TYPE == sys::SOCK_DGRAM);
        let arrived = syscall::recvmmsg(fd, headers, beside, bufs, room, named, TRUE_LENGTH)?;
        Ok(Arrivals {
            messages: arrived.zip(bufs.iter_mut()),
            kind: core::marker::PhantomData,
        })
    }
}

/// Control messages in their room, if they fit.
fn lay_out<'r, E: Expected>(
    control: &[Control<'_>],
    room: &'r mut MaybeUninit<E::Room>,
) -> Result<&'r [u8], Error> {
    let layout = Layout::of(Call::Sendmmsg, control)?;
    if layout.space() > E::SPACE || layout.descriptors() > E::DESCRIPTORS {
        return Err(Error::no_room(layout.descriptors(), E::DESCRIPTORS));
    }
    let room = syscall::zeroed(room, layout.space());
    layout.write(room);
    Ok(room)
}
