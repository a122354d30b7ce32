//! Calls for which musl on 64-bit systems has narrower fields than the kernel.
//!
//! The kernel's `msg_iovlen`, `msg_controllen` and `cmsg_len` have eight bytes. In musl each has
//! four bytes and four bytes of padding, because POSIX requires `int` and `socklen_t`. musl clears
//! the padding before each call. In sendmsg(2) it does that in a copy of the control messages,
//! which has at most 1,024 bytes. On 32-bit systems both sizes are the same, and musl has no limit.

use core::ffi::{c_int, c_uint};
use core::mem::MaybeUninit;

use libc::{mmsghdr, msghdr, ssize_t};

/// The system calls, which take headers in the kernel's layout.
#[cfg(have_inline_syscalls)]
use crate::inline as calls;

/// The system calls, which take headers in the kernel's layout.
#[cfg(not(have_inline_syscalls))]
mod calls {
    use super::*;

    pub(super) unsafe fn sendmsg(fd: c_int, msg: *const msghdr, flags: c_int) -> ssize_t {
        // SAFETY: the caller guarantees the header and everything that it points to.
        unsafe { libc::syscall(libc::SYS_sendmsg, fd, msg, flags) as ssize_t }
    }

    pub(super) unsafe fn sendmmsg(fd: c_int, msgs: *mut mmsghdr, n: c_uint, flags: c_int) -> c_int {
        // SAFETY: the caller guarantees the headers and everything that they point to.
        unsafe { libc::syscall(libc::SYS_sendmmsg, fd, msgs, n, flags) as c_int }
    }
}

/// The most bytes of control messages that every release of musl copies.
const COPIED: libc::socklen_t = 1024;

/// `ssize_t sendmsg(int fd, const struct msghdr *msg, int flags);` — sends from several slices,
/// with an address and control messages if given.
///
/// musl's own function fails with `ENOMEM` for more than 1,024 bytes of control messages, which is
/// less than 253 descriptors take. A call with more control data is made by syscall(2), and the
/// padding in each `cmsghdr` must then be zero, because the kernel would otherwise answer `EINVAL`.
///
/// # Safety
///
/// - `msg` points to a `msghdr`, and everything that the `msghdr` points to can be read for the
///   length that it has.
///
/// See send(2).
pub unsafe fn sendmsg(fd: c_int, msg: *const msghdr, flags: c_int) -> ssize_t {
    // SAFETY: the caller guarantees that `msg` points to a msghdr.
    let given = unsafe { &*msg };
    // Without control messages there is nothing to copy but the header, which is done below.
    let to_musl = match cfg!(have_inline_syscalls) {
        true => 1..=COPIED,
        false => 0..=COPIED,
    };
    if to_musl.contains(&given.msg_controllen) {
        // SAFETY: the caller guarantees `msg` and everything that it points to.
        return unsafe { libc::sendmsg(fd, msg, flags) };
    }
    let header = without_padding(given);
    // SAFETY: `header` is a copy of the msghdr that the caller guarantees, in the kernel's layout.
    unsafe { calls::sendmsg(fd, &raw const header, flags) }
}

/// `int sendmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags);` — sends several
/// messages and returns how many were sent.
///
/// musl's own function calls sendmsg for each message. This function makes one call by syscall(2),
/// and the padding in each `cmsghdr` must be zero, because the kernel would otherwise answer
/// `EINVAL` for that message.
///
/// # Safety
///
/// - `msgs` points to `n` headers that may be written, and everything behind the headers can be
///   read for the lengths in the headers.
///
/// See sendmmsg(2).
pub unsafe fn sendmmsg(fd: c_int, msgs: *mut mmsghdr, n: c_uint, flags: c_int) -> c_int {
    // SAFETY: the caller guarantees `n` headers that may be written.
    unsafe { clear_padding(msgs, n) };
    // SAFETY: the caller guarantees the headers and everything that they point to.
    unsafe { calls::sendmmsg(fd, msgs, n, flags) }
}

/// `ssize_t recvmsg(int fd, struct msghdr *msg, int flags);` — receives into several slices, with
/// the sender's address and control messages.
///
/// This function passes a header in the kernel's layout to the kernel, as musl's own function does.
///
/// # Safety
///
/// - `msg` points to a `msghdr` that may be written, and everything that the `msghdr` points to can
///   be written for the length that it has.
///
/// See recv(2).
#[cfg(have_inline_syscalls)]
pub unsafe extern "C" fn recvmsg(fd: c_int, msg: *mut msghdr, flags: c_int) -> ssize_t {
    // SAFETY: the caller guarantees that `msg` points to a msghdr that may be written.
    let given = unsafe { &mut *msg };
    let mut header = without_padding(given);
    // SAFETY: `header` is a copy of the msghdr that the caller guarantees, in the kernel's layout.
    let received = unsafe { calls::recvmsg(fd, &raw mut header, flags) };
    *given = header;
    received
}

/// `int recvmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags, struct timespec
/// *timeout);` — receives several messages and returns how many arrived.
///
/// This function writes each header in the kernel's layout before the call, as musl's own function
/// does.
///
/// # Safety
///
/// - `msgs` points to `n` headers that may be written, and everything that the headers point to can
///   be written for the lengths in the headers. `timeout` points to a `timespec` that may be
///   written, or is null.
///
/// See recvmmsg(2).
#[cfg(have_inline_syscalls)]
pub unsafe extern "C" fn recvmmsg(
    fd: c_int,
    msgs: *mut mmsghdr,
    n: c_uint,
    flags: c_int,
    timeout: *mut libc::timespec,
) -> c_int {
    // SAFETY: the caller guarantees `n` headers that may be written.
    unsafe { clear_padding(msgs, n) };
    // SAFETY: the caller guarantees the headers and everything that they point to, and the timeout.
    unsafe { calls::recvmmsg(fd, msgs, n, flags, timeout) }
}

/// Writes each header in the kernel's layout.
///
/// # Safety
///
/// - `msgs` points to `n` headers that may be written.
unsafe fn clear_padding(msgs: *mut mmsghdr, n: c_uint) {
    for at in 0..n as usize {
        // SAFETY: `at` is less than n, and the caller guarantees n headers.
        let header = unsafe { msgs.add(at) };
        // SAFETY: the caller guarantees `n` headers that may be written.
        let header = unsafe { &mut (*header).msg_hdr };
        *header = without_padding(header);
    }
}

/// Returns the same header in the kernel's layout: all bytes between the fields are zero.
fn without_padding(given: &msghdr) -> msghdr {
    // SAFETY: all zeroes is a valid msghdr: null pointers and zero lengths.
    let mut header: msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    header.msg_name = given.msg_name;
    header.msg_namelen = given.msg_namelen;
    header.msg_iov = given.msg_iov;
    header.msg_iovlen = given.msg_iovlen;
    header.msg_control = given.msg_control;
    header.msg_controllen = given.msg_controllen;
    header.msg_flags = given.msg_flags;
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ptr;

    /// Makes a header that points to one slice and some control data. All bits of the padding are
    /// ones.
    fn header(piece: &mut libc::iovec, control: &mut [u64]) -> mmsghdr {
        let mut header = MaybeUninit::<mmsghdr>::uninit();
        // SAFETY: `header` has space for one mmsghdr.
        unsafe { header.as_mut_ptr().write_bytes(0xff, 1) };
        // SAFETY: any bytes are a valid mmsghdr, because it has only integers and raw pointers.
        let mut header = unsafe { header.assume_init() };
        header.msg_hdr.msg_name = ptr::null_mut();
        header.msg_hdr.msg_namelen = 0;
        header.msg_hdr.msg_iov = piece;
        header.msg_hdr.msg_iovlen = 1;
        header.msg_hdr.msg_control = control.as_mut_ptr().cast();
        header.msg_hdr.msg_controllen = size_of_val(control) as libc::socklen_t;
        header.msg_hdr.msg_flags = 0;
        header
    }

    fn pair() -> [c_int; 2] {
        let mut pair = [0; 2];
        // SAFETY: `pair` has space for two descriptors.
        let made =
            unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_DGRAM, 0, pair.as_mut_ptr()) };
        assert_eq!(made, 0);
        pair
    }

    fn close(pair: [c_int; 2]) {
        for fd in pair {
            // SAFETY: this test made the descriptor, and does not use it again.
            assert_eq!(unsafe { libc::close(fd) }, 0);
        }
    }

    #[test]
    fn musl_sendmmsg_takes_any_padding_in_a_header() {
        let pair = pair();
        let mut bytes = [1u8, 2];
        let mut piece = libc::iovec {
            iov_base: bytes.as_mut_ptr().cast(),
            iov_len: bytes.len(),
        };
        let mut headers = [header(&mut piece, &mut []), header(&mut piece, &mut [])];
        // SAFETY: both headers are live, and so is the iovec that they share.
        let sent = unsafe { sendmmsg(pair[0], headers.as_mut_ptr(), 2, 0) };
        assert_eq!(sent, 2);
        assert_eq!(headers.map(|header| header.msg_len), [2, 2]);
        close(pair);
    }

    /// The kernel refuses a `cmsg_len` of 0. With musl's own function the errno would be `ENOMEM`.
    #[test]
    fn musl_sendmsg_leaves_control_data_of_any_size_to_the_kernel() {
        let pair = pair();
        let mut bytes = [1u8, 2];
        let mut piece = libc::iovec {
            iov_base: bytes.as_mut_ptr().cast(),
            iov_len: bytes.len(),
        };
        let words = COPIED as usize / size_of::<u64>();
        let mut control = [0; 2048];
        for count in [words - 1, words, words + 1, control.len()] {
            let header = header(&mut piece, &mut control[..count]);
            // SAFETY: the header, its iovec and its control data are live.
            let sent = unsafe { sendmsg(pair[0], &header.msg_hdr, 0) };
            assert_eq!((sent, crate::errno()), (-1, libc::EINVAL), "{count} words");
        }
        close(pair);
    }
}
