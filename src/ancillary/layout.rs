//! Control messages to send, and how they are laid out in a buffer.

use sunpath_sys as sys;

use crate::control::{Credentials, INT, SCM_CREDENTIALS, Writer};
use crate::error::{Call, Errno, Error, MAX_DESCRIPTORS};
use crate::expected::{Expected, Rights};
use crate::fd::{AsFd, AsRawFd, BorrowedFd};
use crate::syscall;

/// The most bytes of control messages in one message. 8,192 bytes are enough for all descriptors
/// that a message can carry, each in its own control message, and for many credentials in addition.
pub(super) const MAX_CONTROL: usize = 8192;
const _: () = assert!(MAX_DESCRIPTORS * Rights::<1>::SPACE + Credentials::SPACE <= MAX_CONTROL);

/// A control message to send.
///
/// All control messages are sent, in the order in which they are given, as a C program would lay
/// them out. If several are faulty, the order decides which fault the kernel reports.
///
/// See cmsg(3), unix(7) "Ancillary messages".
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Control<'a> {
    /// `SCM_RIGHTS` — descriptors, which are lent for the call. The receiver gets its own copies. A
    /// message carries at most 253 descriptors in all of its `Rights`. Several `Rights` arrive as
    /// one, in their order. A `Rights` without descriptors is left out.
    #[doc(alias = "SCM_RIGHTS")]
    Rights(&'a [BorrowedFd<'a>]),
    /// `SCM_CREDENTIALS` — the sender's own credentials, or those of another process if the sender
    /// is privileged. If a message has several credentials, the kernel checks all of them, and the
    /// receiver gets the last.
    #[doc(alias = "SCM_CREDENTIALS")]
    Credentials(Credentials),
    /// A control message of any level and type, for types that have no variant here. The data is
    /// sent unchanged, and the kernel checks it. `SCM_RIGHTS` is refused, because its data would
    /// name descriptors that nobody lent.
    Other {
        /// The value of `cmsg_level`.
        level: i32,
        /// The value of `cmsg_type`.
        cmsg_type: i32,
        /// The bytes at `CMSG_DATA`.
        data: &'a [u8],
    },
}

/// Control messages to send, whose sizes have been added up.
pub(crate) struct Layout<'a> {
    control: &'a [Control<'a>],
    descriptors: usize,
    space: usize,
}

impl<'a> Layout<'a> {
    /// Checks the control messages and adds up their sizes. Refuses control messages that no
    /// message can carry, with `call` in the error.
    #[inline]
    pub(crate) fn of(call: Call, control: &'a [Control<'a>]) -> Result<Self, Error> {
        let (mut descriptors, mut space) = (0_usize, 0_usize);
        for message in control {
            space = space.saturating_add(match message {
                Control::Rights([]) => 0,
                Control::Rights(fds) => {
                    descriptors = descriptors.saturating_add(fds.len());
                    // Too many descriptors are refused below, so the space for them need not be
                    // exact here.
                    sys::CMSG_SPACE(fds.len().min(MAX_DESCRIPTORS) * INT)
                }
                Control::Credentials(_) if SCM_CREDENTIALS < 0 => {
                    return Err(Error::new(call, Errno::EOPNOTSUPP));
                }
                Control::Credentials(_) => Credentials::SPACE,
                Control::Other {
                    level: sys::SOL_SOCKET,
                    cmsg_type: sys::SCM_RIGHTS,
                    ..
                } => return Err(Error::new(call, Errno::EINVAL)),
                // Too many bytes are refused later, so the space for them need not be exact here.
                Control::Other { data, .. } => sys::CMSG_SPACE(data.len().min(MAX_CONTROL)),
            });
        }
        if descriptors > MAX_DESCRIPTORS {
            return Err(Error::too_many_descriptors(call, descriptors));
        }
        Ok(Self {
            control,
            descriptors,
            space,
        })
    }

    pub(crate) const fn descriptors(&self) -> usize {
        self.descriptors
    }

    /// Returns how many bytes the control messages take.
    #[inline]
    pub(crate) const fn space(&self) -> usize {
        self.space
    }

    /// Writes the control messages into `buf`, which is `space` bytes of zeroes.
    #[inline]
    pub(crate) fn write(&self, buf: &mut [u8]) -> Result<(), Error> {
        let mut writer = Writer::new(buf);
        for message in self.control {
            match message {
                Control::Rights([]) => {}
                Control::Rights(fds) => write_rights(&mut writer, fds)?,
                Control::Credentials(credentials) => {
                    let ints = credentials.to_ints();
                    let data = writer.push(SCM_CREDENTIALS, ints.len())?;
                    syscall::put_ints(data, ints.into_iter());
                }
                Control::Other {
                    level,
                    cmsg_type,
                    data,
                } => {
                    let place = writer.push_bytes(*level, *cmsg_type, data.len())?;
                    for (place, byte) in place.iter_mut().zip(*data) {
                        *place = *byte;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Lays descriptors out as a control message.
#[inline]
pub(super) fn write_rights<F: AsFd>(writer: &mut Writer<'_>, fds: &[F]) -> Result<(), Error> {
    let data = writer.push(sys::SCM_RIGHTS, fds.len())?;
    syscall::put_ints(data, fds.iter().map(|fd| fd.as_fd().as_raw_fd()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::ControlMessages;
    use std::vec;
    use std::vec::Vec;

    #[test]
    fn ancillary_is_laid_out_in_the_order_in_which_it_is_given() {
        let (a, b) = syscall::socketpair(sys::SOCK_STREAM, false).unwrap();
        let (one, two) = ([a.as_fd()], [b.as_fd(), a.as_fd()]);
        let (low, high) = (Credentials::new(1, 2, 3), Credentials::new(4, 5, 6));
        let ints = |fds: &[BorrowedFd<'_>]| fds.iter().map(AsRawFd::as_raw_fd).collect();
        let data = 7_i32.to_ne_bytes();
        let other = Control::Other {
            level: sys::SOL_SOCKET,
            cmsg_type: 77,
            data: &data,
        };
        let given = [
            (Control::Credentials(low), low.to_ints().to_vec()),
            (Control::Rights(&one), ints(&one)),
            (Control::Rights(&two), ints(&two)),
            (Control::Credentials(high), high.to_ints().to_vec()),
            (Control::Rights(&one), ints(&one)),
            (other, std::vec![7]),
            (Control::Rights(&one), ints(&one)),
        ];
        for count in 0..=given.len() {
            let control: Vec<Control<'_>> = given[..count].iter().map(|given| given.0).collect();
            let layout = match Layout::of(Call::Sendmsg, &control) {
                Err(error) if error.is_unsupported() => return,
                layout => layout.unwrap(),
            };
            assert_eq!(layout.space() == 0, count == 0);
            let mut buf = vec![0; layout.space()];
            layout.write(&mut buf).unwrap();
            let written: Vec<(i32, Vec<u8>)> = ControlMessages::new(&buf)
                .map(|message| (message.cmsg_type(), message.data().to_vec()))
                .collect();
            let expected: Vec<(i32, Vec<u8>)> = given[..count]
                .iter()
                .map(|(control, ints)| match control {
                    Control::Rights(_) => (sys::SCM_RIGHTS, ints),
                    Control::Credentials(_) => (SCM_CREDENTIALS, ints),
                    Control::Other { cmsg_type, .. } => (*cmsg_type, ints),
                })
                .map(|(kind, ints)| {
                    (
                        kind,
                        ints.iter().flat_map(|int| int.to_ne_bytes()).collect(),
                    )
                })
                .collect();
            assert_eq!(written, expected);
        }
    }

    #[test]
    fn ancillary_without_descriptors_carries_nothing() {
        let empty = [Control::Rights(&[]), Control::Rights(&[])];
        let layout = Layout::of(Call::Sendmsg, &empty).unwrap();
        assert_eq!(layout.space(), 0);
        layout.write(&mut []).unwrap();
    }
}
