//! Sends and receives data.

use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::ptr;
use core::slice;

use sunpath_sys as sys;

use super::control::{ControlData, OwnedControl, exactly_in};
use super::{ANY, getsockopt, retry_timed, retry_timed_after};
use crate::addr::UnixAddr;
use crate::error::{Call, Cause, Errno, Error};
use crate::fd::{AsRawFd, BorrowedFd, IoSlice, IoSliceMut, OwnedFd};

/// The most slices that a vectored call takes, which is `IOV_MAX` on every supported system.
pub(crate) const IOV_MAX: usize = 1024;

/// The flag that makes received descriptors close-on-exec, or 0 on systems without that flag.
#[cfg(have_msg_cmsg_cloexec)]
pub(super) const CMSG_CLOEXEC: c_int = sys::MSG_CMSG_CLOEXEC;
#[cfg(not(have_msg_cmsg_cloexec))]
pub(super) const CMSG_CLOEXEC: c_int = 0;

#[inline(always)]
pub(crate) fn recv(fd: BorrowedFd<'_>, buf: &mut [u8], flags: c_int) -> Result<usize, Error> {
    let (bytes, len) = (buf.as_mut_ptr().cast(), buf.len());
    let expected = 1..=*ANY.end();
    let received = retry_timed(fd, sys::SO_RCVTIMEO, Call::Recv, expected, move || {
        // SAFETY: `buf` is writable for its length.
        unsafe { sys::recv(fd.as_raw_fd(), bytes, len, flags) }
    })?;
    // A true length may be greater than the buffer.
    let most = if flags & TRUE_LENGTH == 0 {
        len
    } else {
        *ANY.end()
    };
    Ok(received.min(most))
}

#[inline]
pub(crate) fn readv(fd: BorrowedFd<'_>, bufs: &mut [IoSliceMut<'_>]) -> Result<usize, Error> {
    let pieces = bufs.len().min(IOV_MAX) as c_int;
    retry_timed(fd, sys::SO_RCVTIMEO, Call::Readv, ANY, move || {
        // SAFETY: an IoSliceMut is an iovec of a slice that is writable for its length.
        unsafe { sys::readv(fd.as_raw_fd(), bufs.as_mut_ptr().cast(), pieces) }
    })
}

#[inline(always)]
pub(crate) fn send(fd: BorrowedFd<'_>, buf: &[u8], flags: c_int) -> Result<usize, Error> {
    let flags = flags | sys::MSG_NOSIGNAL;
    // SAFETY: `buf` is readable for its length.
    let sent = unsafe { sys::send(fd.as_raw_fd(), buf.as_ptr().cast(), buf.len(), flags) };
    // A slice has at most `isize::MAX` bytes, so this comparison also rules out failure.
    if sent as usize == buf.len() {
        return Ok(buf.len());
    }
    send_after(sent, fd, buf, flags)
}

/// Continues [`send`] after a first attempt that did not send all bytes. The function is out of
/// line so that the compiler regards the function above as short enough to be inlined.
#[cold]
#[inline(never)]
fn send_after(sent: isize, fd: BorrowedFd<'_>, buf: &[u8], flags: c_int) -> Result<usize, Error> {
    let (bytes, len) = (buf.as_ptr().cast(), buf.len());
    let sent = retry_timed_after(sent, fd, sys::SO_SNDTIMEO, Call::Send, move || {
        // SAFETY: `buf` is readable for its length.
        unsafe { sys::send(fd.as_raw_fd(), bytes, len, flags) }
    });
    match sent {
        Ok(sent) => Ok(sent.min(len)),
        Err(error) => Err(with_limit(error, fd, len)),
    }
}

/// Sends bytes by sendto(2).
#[inline(always)]
pub(crate) fn sendto(
    fd: BorrowedFd<'_>,
    buf: &[u8],
    to: &UnixAddr,
    flags: c_int,
) -> Result<usize, Error> {
    leads_to_the_peer(Call::Sendto, to)?;
    let flags = flags | sys::MSG_NOSIGNAL;
    let (bytes, len) = (buf.as_ptr().cast(), buf.len());
    let sent = retry_timed(fd, sys::SO_SNDTIMEO, Call::Sendto, len..=len, move || {
        // SAFETY: `buf` is readable for its length. The address is live, and its length is at most
        // its size.
        unsafe { sys::sendto(fd.as_raw_fd(), bytes, len, flags, to.as_ptr(), to.len()) }
    });
    sent.map_err(|error| with_limit(error, fd, len))
}

/// Rejects an address that leads to another file in this process than in the process that is bound
/// to it.
#[inline]
pub(crate) fn leads_to_the_peer(call: Call, to: &UnixAddr) -> Result<(), Error> {
    match to.leads_elsewhere() {
        true => Err(Error::with_cause(call, Errno::EINVAL, Cause::OtherProcess)),
        false => Ok(()),
    }
}

/// The flag with which a receive returns a message's true length, or 0 on systems without that
/// flag.
#[cfg(have_true_length)]
pub(crate) const TRUE_LENGTH: c_int = sys::MSG_TRUNC;
#[cfg(not(have_true_length))]
pub(crate) const TRUE_LENGTH: c_int = 0;

/// The result of a receive of one message, and `msg_flags`. recv(2) and recvfrom(2) do not return
/// flags, so after these calls only `MSG_TRUNC` can be set.
pub(crate) type Length = (usize, c_int);

/// Receives one message by recv(2), with its true length. On systems where only recvmsg(2) reports
/// truncation, that call is used.
#[inline(always)]
pub(crate) fn recv_message(
    fd: BorrowedFd<'_>,
    buf: &mut [u8],
    flags: c_int,
) -> Result<Length, Error> {
    if TRUE_LENGTH == 0 {
        return recvmsg(fd, &mut [IoSliceMut::new(buf)], None, flags);
    }
    let length = recv(fd, buf, flags | TRUE_LENGTH)?;
    Ok((length, truncation(length, buf.len())))
}

/// Receives one message and its sender by recvfrom(2), with the same results as [`recv_message`].
#[inline(always)]
pub(crate) fn recv_message_from(
    fd: BorrowedFd<'_>,
    buf: &mut [u8],
    ret_from: &mut UnixAddr,
    flags: c_int,
) -> Result<Length, Error> {
    if TRUE_LENGTH == 0 {
        return recvmsg(fd, &mut [IoSliceMut::new(buf)], Some(ret_from), flags);
    }
    let flags = flags | TRUE_LENGTH;
    let (bytes, len) = (buf.as_mut_ptr().cast(), buf.len());
    let (addr, mut addr_len) = (ret_from.as_mut_ptr(), 0);
    let length = retry_timed(fd, sys::SO_RCVTIMEO, Call::Recvfrom, 1..=*ANY.end(), || {
        addr_len = size_of::<sys::sockaddr_un>() as sys::socklen_t;
        // SAFETY: `buf` is writable for its length, and `addr` for `addr_len` bytes.
        unsafe { sys::recvfrom(fd.as_raw_fd(), bytes, len, flags, addr, &mut addr_len) }
    })?;
    ret_from.normalize_sender(addr_len);
    Ok((length, truncation(length, len)))
}

/// Returns `MSG_TRUNC` if a message of this length does not fit into a buffer of this size.
#[inline(always)]
const fn truncation(length: usize, size: usize) -> c_int {
    if length > size { sys::MSG_TRUNC } else { 0 }
}

/// Sends one or more slices, to an address or to the peer, with or without control messages, by
/// sendmsg(2).
#[inline]
pub(crate) fn sendmsg(
    fd: BorrowedFd<'_>,
    bufs: &[IoSlice<'_>],
    to: Option<&UnixAddr>,
    control: &[u8],
    flags: c_int,
) -> Result<usize, Error> {
    if let Some(to) = to {
        leads_to_the_peer(Call::Sendmsg, to)?;
    }
    let (msg, flags) = (
        &msghdr_to_send(bufs, to, control),
        flags | sys::MSG_NOSIGNAL,
    );
    let sent = retry_timed(fd, sys::SO_SNDTIMEO, Call::Sendmsg, ANY, move || {
        // SAFETY: an IoSlice is an iovec of a slice that is readable for its length. The address
        // and the control messages are live for the lengths in `msg`.
        unsafe { sys::sendmsg(fd.as_raw_fd(), msg, flags) }
    });
    sent.map_err(|error| with_limit_of(error, fd, bufs))
}

/// The number of bytes of the send buffer that a message takes in addition to its own bytes.
const MESSAGE_OVERHEAD: usize = if cfg!(have_message_overhead) { 32 } else { 0 };

/// Returns the error of a send. If the message exceeded the limit, the error has the limit, which
/// is read only in that case.
#[cold]
#[inline(never)]
fn with_limit(error: Error, fd: BorrowedFd<'_>, len: usize) -> Error {
    if error.errno() != Errno::EMSGSIZE {
        return error;
    }
    let buffer = getsockopt::<c_int>(fd, sys::SO_SNDBUF).unwrap_or(c_int::MAX);
    let limit = usize::try_from(buffer).map_or(0, |size| size.saturating_sub(MESSAGE_OVERHEAD));
    match u32::try_from(limit) {
        Ok(limit) if len > limit as usize => error.because(Cause::MessageTooLong { limit }),
        _ => error,
    }
}

/// Does what [`with_limit`] does, for a message in slices. `EMSGSIZE` can then also mean that there
/// are too many slices.
#[cold]
#[inline(never)]
pub(super) fn with_limit_of(error: Error, fd: BorrowedFd<'_>, bufs: &[IoSlice<'_>]) -> Error {
    if error.errno() == Errno::EMSGSIZE && bufs.len() > IOV_MAX {
        let count = u32::try_from(bufs.len()).unwrap_or(u32::MAX);
        return error.because(Cause::TooManySlices { count });
    }
    let lens = bufs.iter().map(|buf| buf.len());
    with_limit(error, fd, lens.fold(0, usize::saturating_add))
}

/// Returns how many bytes recvmsg(2) can put into slices.
#[inline]
pub(crate) fn size_of_bufs(bufs: &[IoSliceMut<'_>]) -> usize {
    bufs.iter().take(IOV_MAX).map(|buf| buf.len()).sum()
}

/// Receives into slices by recvmsg(2), and the sender's address into `ret_from` if there is one.
#[inline]
pub(crate) fn recvmsg(
    fd: BorrowedFd<'_>,
    bufs: &mut [IoSliceMut<'_>],
    ret_from: Option<&mut UnixAddr>,
    flags: c_int,
) -> Result<Length, Error> {
    let pieces = bufs.len().min(IOV_MAX);
    // SAFETY: an IoSliceMut is an iovec of a slice that is writable for its length.
    let received = unsafe {
        receive(
            fd,
            bufs.as_mut_ptr().cast(),
            pieces,
            ret_from,
            &mut [],
            flags,
        )
    };
    received.map(|(length, _)| length)
}

/// Receives into bytes that need not be initialised, by recvmsg(2). Returns the bytes that arrived,
/// which are at the front of `buf`.
///
/// The call passes no flags. With `MSG_TRUNC`, some sockets count bytes that they do not write: TCP
/// discards the bytes, and for a message longer than the buffer the result is the whole length. The
/// descriptor may be any socket.
#[inline]
pub(crate) fn recvmsg_uninit<'b>(
    fd: BorrowedFd<'_>,
    buf: &'b mut [MaybeUninit<u8>],
    ret_from: Option<&mut UnixAddr>,
) -> Result<(&'b mut [u8], Length), Error> {
    let mut iov = sys::iovec {
        iov_base: buf.as_mut_ptr().cast(),
        iov_len: buf.len(),
    };
    // SAFETY: `iov` describes `buf`, whose bytes are all writable.
    let (length, _) = unsafe { receive(fd, &mut iov, 1, ret_from, &mut [], 0) }?;
    let filled = length.0.min(buf.len());
    // SAFETY: without MSG_TRUNC a receive on any socket returns how many bytes it has written. That
    // is at most `buf.len()`, and `buf` is borrowed for `'b`.
    let filled = unsafe { slice::from_raw_parts_mut(buf.as_mut_ptr().cast(), filled) };
    Ok((filled, length))
}

/// Receives into slices, and control messages into `into`, by recvmsg(2). All descriptors that
/// arrive get an owner at once. Descriptors over `most` are closed, and their count is the last of
/// the results.
#[inline(always)]
pub(crate) fn recvmsg_control<B: ControlData>(
    fd: BorrowedFd<'_>,
    bufs: &mut [IoSliceMut<'_>],
    ret_from: Option<&mut UnixAddr>,
    (mut into, most): (B, usize),
    flags: c_int,
) -> Result<(Length, OwnedControl<B>, usize), Error> {
    let pieces = bufs.len().min(IOV_MAX);
    let (iov, flags) = (bufs.as_mut_ptr().cast(), flags | CMSG_CLOEXEC);
    // SAFETY: an IoSliceMut is an iovec of a slice that is writable for its length.
    let (length, written) = unsafe { receive(fd, iov, pieces, ret_from, into.bytes_mut(), flags) }?;
    into.truncate(written);
    // SAFETY: recvmsg has just written these bytes, and nothing has taken the descriptors in them.
    let (control, closed) = unsafe { OwnedControl::new(into, most) };
    Ok((length, control, closed))
}

/// The result of a receive of exactly `N` descriptors.
pub(crate) enum Exactly<'c, const N: usize> {
    /// Exactly `N` descriptors arrived, and nothing else.
    Fds([OwnedFd; N]),
    /// Something else or more arrived, as [`recvmsg_control`] returns it.
    Other(OwnedControl<&'c mut [u8]>, usize),
}

/// Receives into one slice, and control messages into `into`, by recvmsg(2). `N` descriptors are
/// expected.
#[inline]
pub(crate) fn recvmsg_exactly<'c, const N: usize>(
    fd: BorrowedFd<'_>,
    buf: &mut [u8],
    (mut into, most): (&'c mut [u8], usize),
    flags: c_int,
) -> Result<(Length, Exactly<'c, N>), Error> {
    let mut buf = IoSliceMut::new(buf);
    let (iov, flags) = (ptr::from_mut(&mut buf).cast(), flags | CMSG_CLOEXEC);
    // SAFETY: an IoSliceMut is an iovec of a slice that is writable for its length.
    let (length, written) = unsafe { receive(fd, iov, 1, None, into, flags) }?;
    let space = sys::CMSG_SPACE(N * size_of::<c_int>());
    let whole = CMSG_CLOEXEC != 0 && written == space && length.1 & sys::MSG_CTRUNC == 0;
    if let Some(expected) = into.get(..space).filter(|_| whole) {
        // SAFETY: recvmsg has just written these bytes, and nothing has taken the descriptors in
        // them.
        if let Some(fds) = unsafe { exactly_in(expected) } {
            return Ok((length, Exactly::Fds(fds)));
        }
    }
    into.truncate(written);
    // SAFETY: recvmsg has just written these bytes, and nothing has taken the descriptors in them.
    let (control, closed) = unsafe { OwnedControl::rejected(into, most) };
    Ok((length, Exactly::Other(control, closed)))
}

/// Calls recvmsg(2). Returns the result of the call, and how many bytes of control messages were
/// written.
///
/// # Safety
///
/// - `iov` points to `pieces` iovecs, which point to memory that is writable.
#[allow(
    clippy::unnecessary_cast,
    reason = "msg_controllen is 4 bytes outside glibc"
)]
#[inline]
unsafe fn receive(
    fd: BorrowedFd<'_>,
    iov: *mut sys::iovec,
    pieces: usize,
    mut ret_from: Option<&mut UnixAddr>,
    control: &mut [u8],
    flags: c_int,
) -> Result<(Length, usize), Error> {
    let mut msg = msghdr_over(iov, pieces);
    let (to_fill, mut from) = (&mut msg, ret_from.as_deref_mut());
    let result = retry_timed(fd, sys::SO_RCVTIMEO, Call::Recvmsg, ANY, move || {
        if let Some(from) = &mut from {
            offer_addr(from, to_fill);
        }
        offer_control(control, to_fill);
        // SAFETY: the caller guarantees `iov`; the address and the control messages are writable
        // for their lengths.
        unsafe { sys::recvmsg(fd.as_raw_fd(), to_fill, flags) }
    })?;
    if let Some(from) = ret_from {
        from.normalize_sender(msg.msg_namelen);
    }
    Ok(((result, msg.msg_flags), msg.msg_controllen as usize))
}

/// Makes a msghdr that has only data.
#[inline]
pub(super) fn msghdr_over(iov: *mut sys::iovec, pieces: usize) -> sys::msghdr {
    // SAFETY: a msghdr may be all zeroes, which are null pointers and zero lengths.
    let mut msg: sys::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    msg.msg_iov = iov;
    msg.msg_iovlen = pieces as _;
    msg
}

/// Makes a msghdr to send. The header points to the arguments and is valid as long as they are. The
/// kernel only reads the arguments.
#[inline]
pub(super) fn msghdr_to_send(
    bufs: &[IoSlice<'_>],
    to: Option<&UnixAddr>,
    control: &[u8],
) -> sys::msghdr {
    let mut msg = msghdr_over(bufs.as_ptr().cast_mut().cast(), bufs.len());
    if let Some(to) = to {
        msg.msg_name = to.as_ptr().cast_mut().cast();
        msg.msg_namelen = to.len();
    }
    if !control.is_empty() {
        msg.msg_control = control.as_ptr().cast_mut().cast();
        msg.msg_controllen = control.len() as _;
    }
    msg
}

/// Gives a msghdr space for an address. The length is set before each call, because the kernel
/// overwrites it.
#[inline]
pub(super) fn offer_addr(addr: &mut UnixAddr, msg: &mut sys::msghdr) {
    msg.msg_name = addr.as_mut_ptr().cast();
    msg.msg_namelen = size_of::<sys::sockaddr_un>() as sys::socklen_t;
}

/// `true` if a receive without space for control messages passes a pointer and a length of 0,
/// instead of a null pointer.
///
/// For a null pointer Linux reports `MSG_CTRUNC` as soon as an option asks for a security label,
/// even if no label arrives. For a length of 0 it does so only if a control message arrived. On
/// other systems a null pointer is passed, because with a length of 0 those systems might install
/// descriptors before they detect that the descriptors do not fit.
pub(super) const OFFER_NO_BYTES: bool = cfg!(have_so_passcred);

/// Gives a msghdr space for control messages. The length is set before each call, because the
/// kernel overwrites it.
#[inline]
pub(super) fn offer_control(control: &mut [u8], msg: &mut sys::msghdr) {
    if OFFER_NO_BYTES || !control.is_empty() {
        msg.msg_control = control.as_mut_ptr().cast();
        msg.msg_controllen = control.len() as _;
    }
}
