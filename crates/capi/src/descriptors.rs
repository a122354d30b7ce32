//! Sends and receives descriptors and credentials, which travel with bytes.

use core::ffi::{c_int, c_void};
use core::{ptr, slice};

use sunpath_rs::ancillary::{ControlBuffer, Credentials, Pidfd, QueueLength, Rights, Security};
use sunpath_rs::error::{Call, Cause};
use sunpath_rs::fd::{FromRawFd, IntoRawFd, IoSliceMut, OwnedFd};
use sunpath_rs::{Errno, Received, Seqpacket, SocketRef, Stream, libsunpath};

use crate::argument::{Number, Type, buffer, bytes, numbers, required};
use crate::failure::{Failure, give, returned};

/// The control messages that the buffer has space for: the most descriptors, and those that socket
/// options make the kernel add.
type All = (
    Rights<MOST>,
    Credentials,
    Security<{ 96 + TIMESTAMP }>,
    Pidfd,
    QueueLength,
);
/// The most descriptors that a message can have.
const MOST: usize = 253;
/// The space for the timestamp of `SO_TIMESTAMP` or `SO_TIMESTAMPNS`, which is two numbers of 64 bits.
const TIMESTAMP: usize = 32;

/// Sends one descriptor.
///
/// # Safety
///
/// - `ret_error` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_send_fd(socket: c_int, fd: c_int, ret_error: *mut u64) -> c_int {
    let send = || {
        let socket = Number::new(socket, 1)?;
        let fd = Number::new(fd, 2)?;
        send(socket, &[0], slice::from_ref(&fd))?;
        Ok(0)
    };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(send(), ret_error) }
}

/// Receives one descriptor.
///
/// # Safety
///
/// - `ret_error` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_recv_fd(socket: c_int, ret_error: *mut u64) -> c_int {
    let receive = || {
        let socket = Number::new(socket, 1)?;
        let (mut byte, mut fd) = ([0], -1);
        let fds = slice::from_mut(&mut fd);
        if receive(socket, &mut byte, fds, Wanted::Exactly(1))?.len > 1 {
            // SAFETY: `receive` wrote a descriptor that nothing else has.
            drop(unsafe { OwnedFd::from_raw_fd(fd) });
            let cause = Cause::LongMessage;
            return Err(libsunpath::error_with_cause(Call::Recvmsg, Errno::EMSGSIZE, cause).into());
        }
        Ok(fd)
    };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(receive(), ret_error) }
}

/// Sends bytes, and descriptors with them.
///
/// # Safety
///
/// - As the header says: `size` bytes and `count` numbers can be read, and `ret_error` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_send_fds(
    socket: c_int,
    buf: *const c_void,
    size: usize,
    fds: *const c_int,
    count: usize,
    ret_error: *mut u64,
) -> c_int {
    let send = || {
        let socket = Number::new(socket, 1)?;
        // SAFETY: the caller guarantees the bytes.
        let bytes = unsafe { bytes(buf, size, 2) }?;
        // SAFETY: the caller guarantees the numbers.
        let fds = unsafe { numbers(fds, count, 4) }?;
        check_payload(socket, bytes, fds.len())?;
        send(socket, bytes, fds)?;
        Ok(0)
    };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(send(), ret_error) }
}

/// Receives bytes, and exactly `count` descriptors with them.
///
/// # Safety
///
/// - As the header says: `size` bytes and `count` numbers can be written, and `ret_error` is NULL or
///   valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_recv_fds(
    socket: c_int,
    buf: *mut c_void,
    size: usize,
    ret_fds: *mut c_int,
    count: usize,
    ret_error: *mut u64,
) -> isize {
    let wanted = Wanted::Exactly(count);
    // SAFETY: the caller guarantees the bytes and the numbers.
    let received = unsafe { receive_into(socket, (buf, size), (ret_fds, count), wanted) };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(received.map(|received| received.len), ret_error) }
}

/// Receives bytes, and at most `max_count` descriptors with them.
///
/// # Safety
///
/// - As the header says: `size` bytes and `max_count` numbers can be written, and each other pointer is
///   NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_recv_fds_up_to(
    socket: c_int,
    buf: *mut c_void,
    size: usize,
    ret_fds: *mut c_int,
    max_count: usize,
    ret_count: *mut usize,
    ret_error: *mut u64,
) -> isize {
    // SAFETY: the caller guarantees the bytes and the pointers.
    unsafe {
        sunpath_recv_fds_with_credentials(
            socket,
            buf,
            size,
            ret_fds,
            max_count,
            ret_count,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            ret_error,
        )
    }
}

/// Receives bytes, at most `max_count` descriptors with them, and the credentials of their sender.
///
/// # Safety
///
/// - As the header says: `size` bytes and `max_count` numbers can be written, and each other pointer is
///   NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_recv_fds_with_credentials(
    socket: c_int,
    buf: *mut c_void,
    size: usize,
    ret_fds: *mut c_int,
    max_count: usize,
    ret_count: *mut usize,
    ret_pid: *mut libc::pid_t,
    ret_uid: *mut libc::uid_t,
    ret_gid: *mut libc::gid_t,
    ret_error: *mut u64,
) -> isize {
    let up_to = || {
        required(ret_count, 6)?;
        let wanted = Wanted::UpTo;
        // SAFETY: the caller guarantees the bytes and the numbers.
        let received = unsafe { receive_into(socket, (buf, size), (ret_fds, max_count), wanted) }?;
        // SAFETY: it is not NULL, and the caller guarantees it.
        unsafe { ret_count.write(received.count) };
        // SAFETY: the caller guarantees the pointers.
        unsafe { give_sender(&received, ret_pid, ret_uid, ret_gid) };
        Ok(received.len)
    };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(up_to(), ret_error) }
}

/// Sends bytes, and this process's credentials with them.
///
/// # Safety
///
/// - As the header says: `size` bytes can be read, and `ret_error` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_send_credentials(
    socket: c_int,
    buf: *const c_void,
    size: usize,
    ret_error: *mut u64,
) -> c_int {
    let send = || {
        let socket = Number::new(socket, 1)?;
        // SAFETY: the caller guarantees the bytes.
        let bytes = unsafe { bytes(buf, size, 2) }?;
        let own = Credentials::own();
        check_payload(socket, bytes, 1)?;
        SocketRef::<Seqpacket>::from(&socket).send_with_credentials(bytes, own)?;
        Ok(0)
    };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(send(), ret_error) }
}

/// Sets whether the kernel adds the sender's credentials to each message that arrives.
#[unsafe(no_mangle)]
pub extern "C" fn sunpath_set_pass_credentials(socket: c_int, on: c_int) -> c_int {
    let set = || {
        let socket = Number::new(socket, 1)?;
        SocketRef::<Stream>::from(&socket).set_pass_credentials(on != 0)?;
        Ok(0)
    };
    // SAFETY: `ret_error` is NULL, because the C function has no such parameter.
    unsafe { returned(set(), core::ptr::null_mut()) }
}

/// Receives bytes, and the credentials of their sender.
///
/// # Safety
///
/// - As the header says: `size` bytes can be written, and each other pointer is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_recv_credentials(
    socket: c_int,
    buf: *mut c_void,
    size: usize,
    ret_pid: *mut libc::pid_t,
    ret_uid: *mut libc::uid_t,
    ret_gid: *mut libc::gid_t,
    ret_error: *mut u64,
) -> isize {
    let receive = || {
        let (none, wanted) = ((ptr::null_mut(), 0), Wanted::Nothing);
        // SAFETY: the caller guarantees the bytes, and the null pointer has space for no descriptor.
        let received = unsafe { receive_into(socket, (buf, size), none, wanted) }?;
        // SAFETY: the caller guarantees the pointers.
        unsafe { give_sender(&received, ret_pid, ret_uid, ret_gid) };
        Ok(received.len)
    };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(receive(), ret_error) }
}

/// Writes the ids of the sender, or those of no process if the sender is not known.
///
/// # Safety
///
/// - Each pointer is NULL or valid for a write.
unsafe fn give_sender(
    received: &Arrived,
    ret_pid: *mut libc::pid_t,
    ret_uid: *mut libc::uid_t,
    ret_gid: *mut libc::gid_t,
) {
    let (pid, uid, gid) = match received.sender {
        Some(from) => (from.pid().unwrap_or(0), from.uid(), from.gid()),
        None => (0, !0, !0),
    };
    // SAFETY: the caller guarantees the pointer.
    unsafe { give(ret_pid, pid) };
    // SAFETY: as above.
    unsafe { give(ret_uid, uid) };
    // SAFETY: as above.
    unsafe { give(ret_gid, gid) };
}

/// Sends bytes and descriptors. It is out of line, so that two functions have this code in common.
#[inline(never)]
fn send(socket: Number, bytes: &[u8], fds: &[Number]) -> Result<(), Failure> {
    // `Seqpacket` stands for every type here, because sendmsg(2) is called in the same way for all.
    Ok(SocketRef::<Seqpacket>::from(&socket).send_fds(bytes, fds)?)
}

/// Rejects control messages without a byte on a stream, because the kernel would drop them.
fn check_payload(socket: Number, bytes: &[u8], control: usize) -> Result<(), Failure> {
    if bytes.is_empty() && control > 0 && Type::of(socket, 1)? == Type::Stream {
        let cause = Cause::EmptyPayload;
        return Err(libsunpath::error_with_cause(Call::Sendmsg, Errno::EINVAL, cause).into());
    }
    Ok(())
}

/// The descriptors that the caller wants. If others arrive, all of them are closed.
#[derive(Clone, Copy)]
enum Wanted {
    /// This many, or the receive fails.
    Exactly(usize),
    /// At most as many as there are places for, or the receive fails.
    UpTo,
    /// None, and those that arrive are closed without an error.
    Nothing,
}

/// A message that was received.
struct Arrived {
    /// The result of the C function.
    len: isize,
    /// The number of descriptors.
    count: usize,
    /// The credentials of the sender.
    sender: Option<Credentials>,
}

/// Receives bytes and descriptors into the memory of C.
///
/// # Safety
///
/// - `buf` is NULL, or `size` bytes from it on can be written. `ret_fds` is NULL, or `most` numbers can.
unsafe fn receive_into(
    socket: c_int,
    (buf, size): (*mut c_void, usize),
    (ret_fds, most): (*mut c_int, usize),
    wanted: Wanted,
) -> Result<Arrived, Failure> {
    let socket = Number::new(socket, 1)?;
    // SAFETY: the caller guarantees the bytes.
    let buf = unsafe { buffer(buf, size, 2) }?;
    // A message cannot have more than MOST descriptors, so a larger array is not filled further.
    let most = most.min(MOST);
    // SAFETY: the caller guarantees the numbers.
    let fds = unsafe { buffer(ret_fds.cast(), most * size_of::<c_int>(), 4) }?;
    // SAFETY: every four bytes are a number, and C's pointer is aligned for numbers.
    let (_, fds, _) = unsafe { fds.align_to_mut() };
    receive(socket, buf, fds, wanted)
}

/// Receives bytes into `buf`, and descriptors into `ret_fds`.
fn receive(
    socket: Number,
    buf: &mut [u8],
    ret_fds: &mut [c_int],
    wanted: Wanted,
) -> Result<Arrived, Failure> {
    let (size, most) = (buf.len(), ret_fds.len());
    let mut control = ControlBuffer::<All>::new();
    // `Seqpacket` stands for every type here, because recvmsg(2) is called in the same way for all. It
    // also asks for the true length of a message, which a stream ignores because it has no messages.
    let asked = SocketRef::<Seqpacket>::from(&socket);
    let message = asked.recvmsg(&mut [IoSliceMut::new(buf)], &mut control)?;
    let (received, truncated) = (message.received(), message.is_control_truncated());
    // Only on a stream do 0 bytes mean the end: other sockets can receive an empty message.
    let has_ended = received.len() == 0 && size > 0 && Type::of(socket, 1)? == Type::Stream;
    let control = message.into_partial_control();
    // At the end of a stream the kernel adds ids that belong to no process, and look like root's.
    let sender = control.credentials().filter(|_| !has_ended);
    let fds = control.into_rights();
    let count = fds.len();
    let error = match wanted {
        Wanted::Exactly(_) | Wanted::UpTo if truncated || count > most => {
            libsunpath::descriptors_truncated(count, most)
        }
        Wanted::Exactly(expected) if expected != count => match has_ended {
            true => libsunpath::end_of_file(),
            false => libsunpath::too_few_descriptors(count, expected),
        },
        _ => {
            for (place, fd) in ret_fds.iter_mut().zip(fds) {
                *place = fd.into_raw_fd();
            }
            let len = length(received, size);
            return Ok(Arrived { len, count, sender });
        }
    };
    Err(error.into())
}

/// Returns the true length of a message. If the system does not report it, the result is one more than
/// the size of the buffer.
fn length(received: Received, size: usize) -> isize {
    received.true_len().unwrap_or(size + 1) as isize
}
