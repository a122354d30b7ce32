//! Sending control messages.

use core::mem::MaybeUninit;

use sunpath_sys as sys;

use crate::addr::UnixAddr;
use crate::control::{Credentials, INT, SCM_CREDENTIALS, Writer};
use crate::error::{Call, Errno, Error, MAX_DESCRIPTORS};
use crate::expected::{Expected, Rights};
use crate::fd::{AsFd, AsRawFd, BorrowedFd, IoSlice};
use crate::socket::{Datagram, Kind, Socket};
use crate::syscall;

/// A control message to send.
///
/// See cmsg(3), unix(7) "Ancillary messages".
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Control<'a> {
    /// `SCM_RIGHTS` — descriptors, lent for the call: the receiver gets its own. At most 253 in a
    /// message, of all `Rights` together.
    #[doc(alias = "SCM_RIGHTS")]
    Rights(&'a [BorrowedFd<'a>]),
    /// `SCM_CREDENTIALS` — the sender's own, or those of others where it is privileged. Of several
    /// the last one counts.
    #[doc(alias = "SCM_CREDENTIALS")]
    Credentials(Credentials),
}

/// Control messages to send, counted: all descriptors in one message, as the kernel puts them
/// together.
pub(crate) struct Layout<'a> {
    control: &'a [Control<'a>],
    descriptors: usize,
    credentials: Option<Credentials>,
}

impl<'a> Layout<'a> {
    /// Refuses in the name of `call` what no message can carry.
    #[inline]
    pub(crate) fn of(call: Call, control: &'a [Control<'a>]) -> Result<Self, Error> {
        let (mut descriptors, mut credentials) = (0, None);
        for control in control {
            match control {
                Control::Rights(fds) => descriptors += fds.len(),
                Control::Credentials(of) => credentials = Some(*of),
            }
        }
        if descriptors > MAX_DESCRIPTORS {
            return Err(Error::too_many_descriptors(call, descriptors));
        }
        if credentials.is_some() && SCM_CREDENTIALS < 0 {
            return Err(Error::new(call, Errno::EOPNOTSUPP));
        }
        Ok(Self {
            control,
            descriptors,
            credentials,
        })
    }

    /// Whether there is nothing to send.
    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.descriptors == 0 && self.credentials.is_none()
    }

    pub(crate) const fn descriptors(&self) -> usize {
        self.descriptors
    }

    /// How many bytes it takes.
    #[inline]
    pub(crate) const fn space(&self) -> usize {
        let mut space = 0;
        if self.descriptors > 0 {
            space += sys::CMSG_SPACE(self.descriptors * INT);
        }
        if self.credentials.is_some() {
            space += Credentials::SPACE;
        }
        space
    }

    /// Writes it into `space` bytes that are zero.
    #[inline]
    pub(crate) fn write(&self, room: &mut [u8]) {
        let mut writer = Writer::new(room);
        if self.descriptors > 0 {
            let mut places = writer.push(sys::SCM_RIGHTS, self.descriptors);
            for control in self.control {
                if let Control::Rights(fds) = control {
                    for (fd, place) in fds.iter().zip(&mut places) {
                        place.copy_from_slice(&fd.as_raw_fd().to_ne_bytes());
                    }
                }
            }
        }
        if let Some(credentials) = self.credentials {
            let ints = credentials.to_ints();
            for (place, int) in writer.push(SCM_CREDENTIALS, ints.len()).zip(ints) {
                place.copy_from_slice(&int.to_ne_bytes());
            }
        }
    }
}

/// Room for what most messages carry, small enough to be zeroed by a few instructions.
type Small = (Rights<2>, Credentials);

/// Room for all that one message can carry.
type Most = (Rights<MAX_DESCRIPTORS>, Credentials);

/// The credentials of this process.
impl Credentials {
    /// `{ getpid(), getuid(), getgid() }` — what the kernel adds by itself, too.
    ///
    /// See credentials(7).
    #[must_use]
    #[doc(alias = "getpid")]
    #[doc(alias = "getuid")]
    #[doc(alias = "getgid")]
    pub fn own() -> Self {
        let (uid, gid) = syscall::real_ids();
        Self::new(syscall::getpid(), uid, gid)
    }
}

/// Sending with ancillary data.
impl<T: Kind> Socket<T> {
    /// `sendmsg(fd, msg, MSG_NOSIGNAL)` — sends several slices, and control messages with them; how
    /// many bytes went.
    ///
    /// From a stream fewer bytes may go than there are. The control messages have then gone with the
    /// first of them and must not be sent again: [`send_all`](Self::send_all) knows that.
    ///
    /// # Errors
    ///
    /// Nothing was sent. A descriptor that is lent stays the lender's.
    ///
    /// - `EINVAL`: more than 253 descriptors, with the number; or control messages without a byte on a
    ///   stream, which would drop them. No call was made. A stream takes the first 1024 slices.
    /// - `EPERM`: the receiver takes no descriptors ([`set_pass_rights`](Self::set_pass_rights));
    ///   credentials of others without privileges.
    /// - `ESRCH`: credentials with a process that does not exist.
    /// - `ETOOMANYREFS`: the user has more descriptors in flight than `RLIMIT_NOFILE`.
    /// - `EOPNOTSUPP`: the system has no credentials to send.
    /// - `EINVAL`: a descriptor of a kind that cannot be passed (io_uring); credentials with the user or
    ///   the group -1.
    /// - `ENOMEM`: no memory; or more descriptors than musl's own buffer takes, which is a few less
    ///   than 253 (with credentials beside them, 244).
    /// - `EPIPE`, `ECONNRESET`, `EAGAIN`, `ENOTCONN`, `ENOBUFS`, `EMSGSIZE`, `ECONNREFUSED`: as for `send`
    ///   and `write`.
    ///
    /// See sendmsg(2), unix(7).
    pub fn sendmsg(&self, bufs: &[IoSlice<'_>], control: &[Control<'_>]) -> Result<usize, Error> {
        let bufs = match T::TYPE {
            sys::SOCK_STREAM => &bufs[..bufs.len().min(syscall::IOV_MAX)],
            _ => bufs,
        };
        send_with_control::<T>(self.as_fd(), bufs, None, control)
    }

    /// `sendmsg(fd, msg, MSG_NOSIGNAL)`, then send(2) as often as it takes — sends all of the bytes,
    /// and the control messages once, with the first of them.
    ///
    /// # Errors
    ///
    /// On a stream, some of the bytes may have gone, and the control messages with them.
    ///
    /// - `EINVAL`, `EPERM`, `ESRCH`, `ETOOMANYREFS`, `EOPNOTSUPP`, `ENOMEM`, `EPIPE`, `ECONNRESET`,
    ///   `ENOTCONN`, `ENOBUFS`, `EMSGSIZE`, `ECONNREFUSED`: as for [`sendmsg`](Self::sendmsg).
    /// - `EAGAIN`: no room, and the socket is nonblocking or its write timeout passed. Who has to know
    ///   how much went uses [`sendmsg`](Self::sendmsg).
    ///
    /// See sendmsg(2), unix(7).
    #[doc(alias = "sendmsg")]
    pub fn send_all(&self, bytes: &[u8], control: &[Control<'_>]) -> Result<(), Error> {
        let mut sent = self.sendmsg(&[IoSlice::new(bytes)], control)?;
        while sent < bytes.len() {
            sent += syscall::send(self.as_fd(), &bytes[sent..], 0)?;
        }
        Ok(())
    }
}

impl Socket<Datagram> {
    /// `sendmsg(fd, msg, MSG_NOSIGNAL)` — sends several slices as one message to an address, and
    /// control messages with them. The socket need not be connected.
    ///
    /// # Errors
    ///
    /// Nothing was sent. A descriptor that is lent stays the lender's.
    ///
    /// - `EINVAL`, `EPERM`, `ESRCH`, `ETOOMANYREFS`, `EOPNOTSUPP`, `ENOMEM`: as for
    ///   [`sendmsg`](Self::sendmsg).
    /// - `ENOENT`, `ENOTDIR`, `ELOOP`, `ECONNREFUSED`, `EACCES`, `EPROTOTYPE`, `EPERM`, `EPIPE`,
    ///   `EMSGSIZE`, `EAGAIN`, `EINVAL`, `ENOBUFS`: as for [`send_to`](Self::send_to).
    ///
    /// See sendmsg(2), unix(7).
    pub fn sendmsg_to(
        &self,
        bufs: &[IoSlice<'_>],
        control: &[Control<'_>],
        to: &UnixAddr,
    ) -> Result<(), Error> {
        send_with_control::<Datagram>(self.as_fd(), bufs, Some(to), control).map(drop)
    }
}

fn send_with_control<T: Kind>(
    fd: BorrowedFd<'_>,
    bufs: &[IoSlice<'_>],
    to: Option<&UnixAddr>,
    control: &[Control<'_>],
) -> Result<usize, Error> {
    let layout = Layout::of(Call::Sendmsg, control)?;
    if layout.is_empty() {
        return syscall::sendmsg(fd, bufs, to, &[]);
    }
    if T::TYPE == sys::SOCK_STREAM && bufs.iter().all(|buf| buf.is_empty()) {
        return Err(Error::empty_payload());
    }
    let mut small = MaybeUninit::<<Small as Expected>::Room>::uninit();
    if layout.space() <= Small::SPACE {
        let room = syscall::zeroed(&mut small, Small::SPACE);
        let (room, _) = room.split_at_mut(layout.space());
        layout.write(room);
        return syscall::sendmsg(fd, bufs, to, room);
    }
    send_with_much(fd, bufs, to, &layout)
}

/// With more control messages than most have. Its room on the stack is another's place else.
#[inline(never)]
fn send_with_much(
    fd: BorrowedFd<'_>,
    bufs: &[IoSlice<'_>],
    to: Option<&UnixAddr>,
    layout: &Layout<'_>,
) -> Result<usize, Error> {
    let mut room = MaybeUninit::<<Most as Expected>::Room>::uninit();
    let room = syscall::zeroed(&mut room, layout.space());
    layout.write(room);
    syscall::sendmsg(fd, bufs, to, room)
}
