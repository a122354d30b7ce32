//! The `CMSG_*` macros of `<sys/socket.h>` as functions: sizes are `usize` and do not wrap, and an
//! iteration never leaves `msg_controllen`.
//!
//! Control messages follow each other in the control buffer of a `msghdr`. Each message is a
//! `cmsghdr` and its data, and both are padded to the system's alignment:
//!
//! ```text
//! |<------------------------- CMSG_SPACE(n) ------------------------->|
//! |<------------------- CMSG_LEN(n) = cmsg_len ------------>|          |
//! | cmsg_len  cmsg_level  cmsg_type | padding | data, n bytes | padding |
//! ^                                           ^
//! cmsghdr                                     CMSG_DATA
//! ```
//!
//! The iteration trusts neither the buffer's alignment nor `cmsg_len`: headers are read unaligned, and
//! [`cmsg_data`] returns the data that really is inside the buffer.

use core::ffi::c_uchar;
use core::mem::size_of;
use core::ptr;
use core::slice;

/// `struct cmsghdr { size_t cmsg_len; int cmsg_level; int cmsg_type; };` — the header of one
/// control message.
///
/// `cmsg_len` counts the header, the padding after it and the data, but not the padding after the
/// data. The field is a `size_t` in glibc and a `socklen_t` in musl, on the BSDs and on macOS.
///
/// See cmsg(3), `<sys/socket.h>`.
#[doc(inline)]
pub use libc::cmsghdr;
/// `struct msghdr` — the argument of sendmsg(2) and recvmsg(2): an address, an array of slices for
/// the data, and a control buffer of `msg_controllen` bytes.
///
/// See sendmsg(2), recvmsg(2), `<sys/socket.h>`.
#[doc(inline)]
pub use libc::msghdr;

/// The alignment of control data: `sizeof(long)` on Linux and most BSDs, 4 bytes on macOS.
#[cfg(not(any(
    target_vendor = "apple",
    all(target_os = "netbsd", target_arch = "aarch64")
)))]
const ALIGN: usize = size_of::<usize>();
#[cfg(target_vendor = "apple")]
const ALIGN: usize = size_of::<u32>();
#[cfg(all(target_os = "netbsd", target_arch = "aarch64"))]
const ALIGN: usize = 16;

const _: () = assert!(ALIGN.is_power_of_two());

/// `CMSG_ALIGN(len)` — `len` rounded up to the alignment of control data.
///
/// Where rounding up would overflow, the result is `usize::MAX`, a size that no buffer has. In C
/// the result would be 0.
///
/// See cmsg(3).
#[must_use]
#[inline]
#[allow(non_snake_case)]
pub const fn CMSG_ALIGN(len: usize) -> usize {
    match len.checked_add(ALIGN - 1) {
        Some(most) => most & !(ALIGN - 1),
        None => usize::MAX,
    }
}

/// `CMSG_LEN(len)` — the `cmsg_len` of a message with `len` bytes of data, in bytes. The result is
/// `usize::MAX` where C would wrap.
///
/// See cmsg(3).
#[must_use]
#[inline]
#[allow(non_snake_case)]
pub const fn CMSG_LEN(len: usize) -> usize {
    CMSG_ALIGN(size_of::<cmsghdr>()).saturating_add(len)
}

/// `CMSG_SPACE(len)` — how many bytes of the control buffer a message with `len` bytes of data
/// takes, padding included. The result is `usize::MAX` where C would wrap.
///
/// Because of the padding, more data than `len` bytes can fit: `CMSG_SPACE(4)` is 24 on 64-bit
/// Linux, and two descriptors fit into 24 bytes.
///
/// See cmsg(3).
#[must_use]
#[inline]
#[allow(non_snake_case)]
pub const fn CMSG_SPACE(len: usize) -> usize {
    CMSG_ALIGN(size_of::<cmsghdr>()).saturating_add(CMSG_ALIGN(len))
}

/// `struct cmsghdr *CMSG_FIRSTHDR(struct msghdr *mhdr);` — returns the first control message, or
/// null if `msg_controllen` has no space for a header.
///
/// # Safety
///
/// - `mhdr` points to a `msghdr` that can be read.
/// - `msg_control` is null with `msg_controllen` 0, or points to `msg_controllen` bytes in one
///   allocation.
///
/// See cmsg(3).
#[must_use]
#[allow(non_snake_case)]
#[allow(
    clippy::unnecessary_cast,
    reason = "msg_controllen is 4 bytes outside glibc"
)]
pub const unsafe fn CMSG_FIRSTHDR(mhdr: *const msghdr) -> *mut cmsghdr {
    // SAFETY: the caller guarantees that `mhdr` can be read.
    let control = unsafe { (*mhdr).msg_control };
    // SAFETY: the caller guarantees that `mhdr` can be read.
    let control_len = unsafe { (*mhdr).msg_controllen };
    if control.is_null() || (control_len as usize) < CMSG_LEN(0) {
        return ptr::null_mut();
    }
    control.cast()
}

/// `struct cmsghdr *CMSG_NXTHDR(struct msghdr *mhdr, struct cmsghdr *cmsg);` — returns the control
/// message after `cmsg`, or null if there is none whose header lies inside `msg_controllen`.
///
/// The result is also null if `cmsg_len` points past the buffer, or is less than a header, because
/// the iteration would then never end. A last message that lacks only its padding is returned.
///
/// # Safety
///
/// - `mhdr` fulfils the conditions of [`CMSG_FIRSTHDR`].
/// - `cmsg` came from [`CMSG_FIRSTHDR`] or `CMSG_NXTHDR` over the same `mhdr`.
/// - The header at `cmsg` has been written. The buffer need not be aligned.
///
/// See cmsg(3).
#[must_use]
#[allow(non_snake_case)]
pub const unsafe fn CMSG_NXTHDR(mhdr: *const msghdr, cmsg: *const cmsghdr) -> *mut cmsghdr {
    // SAFETY: this function has the same contract as `cmsg_extent`.
    let (len, left) = unsafe { cmsg_extent(mhdr, cmsg) };
    let step = CMSG_ALIGN(len);
    if len < CMSG_LEN(0) || step > left || left - step < CMSG_LEN(0) {
        return ptr::null_mut();
    }
    // SAFETY: `step` bytes from `cmsg` on lie inside the control buffer, as was just checked.
    unsafe { cmsg.byte_add(step) }.cast_mut()
}

/// `unsigned char *CMSG_DATA(struct cmsghdr *cmsg);` — returns where the data of a control message
/// begins.
///
/// [`cmsg_data`] returns the data with its length. The pointer need not be aligned for the data.
///
/// # Safety
///
/// - `cmsg` came from [`CMSG_FIRSTHDR`] or [`CMSG_NXTHDR`], which return only headers that lie in
///   the buffer with all of their `CMSG_LEN(0)` bytes. The result is therefore inside the buffer or
///   at its end.
///
/// See cmsg(3).
#[must_use]
#[allow(non_snake_case)]
pub const unsafe fn CMSG_DATA(cmsg: *const cmsghdr) -> *mut c_uchar {
    // SAFETY: the caller guarantees CMSG_LEN(0) bytes at cmsg.
    unsafe { cmsg.byte_add(CMSG_LEN(0)) }.cast_mut().cast()
}

/// Returns the data of a control message, or the part of it that lies inside `msg_controllen`.
///
/// After a truncation `cmsg_len` can exceed what arrived, but this slice never does. C has no
/// counterpart.
///
/// # Safety
///
/// - `mhdr` and `cmsg` fulfil the conditions of [`CMSG_NXTHDR`].
/// - The bytes of the control buffer have been written and are not changed during `'a`.
///
/// See cmsg(3).
#[must_use]
pub const unsafe fn cmsg_data<'a>(mhdr: *const msghdr, cmsg: *const cmsghdr) -> &'a [u8] {
    // SAFETY: this function has the same contract as `cmsg_extent`.
    let (len, left) = unsafe { cmsg_extent(mhdr, cmsg) };
    let end = if len < left { len } else { left };
    // SAFETY: the caller guarantees that `cmsg` came from CMSG_FIRSTHDR or CMSG_NXTHDR.
    let data = unsafe { CMSG_DATA(cmsg) };
    // SAFETY: from `data` on, `end - CMSG_LEN(0)` bytes are inside the buffer, written and
    // unchanging.
    unsafe { slice::from_raw_parts(data, end.saturating_sub(CMSG_LEN(0))) }
}

/// Returns `cmsg_len`, and how many bytes of the control buffer there are from `cmsg` on.
///
/// # Safety
///
/// The conditions are those of [`CMSG_NXTHDR`].
#[allow(
    clippy::unnecessary_cast,
    reason = "both lengths are 4 bytes outside glibc"
)]
const unsafe fn cmsg_extent(mhdr: *const msghdr, cmsg: *const cmsghdr) -> (usize, usize) {
    // SAFETY: the caller guarantees a header at `cmsg`; this line makes a pointer to a field and
    // reads nothing.
    let len = unsafe { &raw const (*cmsg).cmsg_len };
    // SAFETY: the caller guarantees that the header has been written; the read is unaligned.
    let len = unsafe { len.read_unaligned() };
    // SAFETY: the caller guarantees that `mhdr` can be read.
    let control = unsafe { (*mhdr).msg_control };
    // SAFETY: the caller guarantees that `mhdr` can be read.
    let control_len = unsafe { (*mhdr).msg_controllen };
    // SAFETY: `cmsg` lies inside the control buffer, so both belong to one allocation.
    let before = unsafe { cmsg.byte_offset_from(control) } as usize;
    (len as usize, (control_len as usize).saturating_sub(before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ffi::c_int;
    use core::mem::MaybeUninit;
    use std::vec;
    use std::vec::Vec;

    /// Makes a msghdr that points to the first `len` bytes of `control`.
    fn msghdr_over(control: &mut [u8], len: usize) -> msghdr {
        // SAFETY: all zeroes is a valid msghdr: null pointers and zero lengths.
        let mut mhdr: msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
        mhdr.msg_control = control.as_mut_ptr().cast();
        mhdr.msg_controllen = len as _;
        mhdr
    }

    /// Writes a header with `len` in cmsg_len at `at`, whatever the alignment.
    fn put_header(control: &mut [u8], at: usize, len: usize, cmsg_type: c_int) {
        // SAFETY: all zeroes is a valid cmsghdr.
        let mut header: cmsghdr = unsafe { MaybeUninit::zeroed().assume_init() };
        header.cmsg_len = len as _;
        header.cmsg_level = libc::SOL_SOCKET;
        header.cmsg_type = cmsg_type;
        let buf = &mut control[at..at + size_of::<cmsghdr>()];
        // SAFETY: `buf` is as long as a cmsghdr, and the write is unaligned.
        unsafe { buf.as_mut_ptr().cast::<cmsghdr>().write_unaligned(header) };
    }

    /// Returns the lengths of the data that an iteration over the first `len` bytes of `control` sees.
    fn iterate(control: &mut [u8], len: usize) -> Vec<usize> {
        let mhdr = msghdr_over(control, len);
        let mut seen = Vec::new();
        // SAFETY: `mhdr` describes a live buffer, as it does for the two calls below.
        let mut cmsg = unsafe { CMSG_FIRSTHDR(&mhdr) };
        while !cmsg.is_null() {
            // SAFETY: `cmsg` came from the iteration, and the buffer is initialised.
            seen.push(unsafe { cmsg_data(&mhdr, cmsg) }.len());
            // SAFETY: `cmsg` came from the iteration, and the buffer is initialised.
            cmsg = unsafe { CMSG_NXTHDR(&mhdr, cmsg) };
        }
        seen
    }

    #[test]
    fn cmsg_sizes_at_the_end_of_usize_do_not_wrap() {
        for len in (0..=64).map(|below| usize::MAX - below) {
            assert!(CMSG_ALIGN(len) >= len);
            assert!(CMSG_LEN(len) >= len);
            assert!(CMSG_SPACE(len) >= CMSG_LEN(len));
        }
    }

    #[test]
    fn cmsg_iteration_sees_two_messages_at_every_alignment() {
        let size = CMSG_SPACE(4) + CMSG_SPACE(12);
        for shift in 0..8 {
            let mut control = vec![0; shift + size];
            let control = &mut control[shift..];
            put_header(control, 0, CMSG_LEN(4), 1);
            put_header(control, CMSG_SPACE(4), CMSG_LEN(12), 2);
            assert_eq!(iterate(control, size), [4, 12]);
        }
    }

    #[test]
    fn cmsg_data_is_the_bytes_behind_the_header() {
        let mut control = vec![0; CMSG_SPACE(4)];
        put_header(&mut control, 0, CMSG_LEN(4), 1);
        control[CMSG_LEN(0)..CMSG_LEN(4)].copy_from_slice(b"data");
        let mhdr = msghdr_over(&mut control, CMSG_SPACE(4));
        // SAFETY: `mhdr` describes a live buffer.
        let cmsg = unsafe { CMSG_FIRSTHDR(&mhdr) };
        // SAFETY: `cmsg` came from the iteration, and the buffer is initialised.
        assert_eq!(unsafe { cmsg_data(&mhdr, cmsg) }, b"data");
    }

    #[test]
    fn cmsg_iteration_sees_last_message_without_data() {
        let first = CMSG_SPACE(4);
        for (left, seen) in [(CMSG_LEN(0) - 1, 1), (CMSG_LEN(0), 2), (CMSG_LEN(0) + 1, 2)] {
            let mut control = vec![0; first + CMSG_SPACE(4)];
            put_header(&mut control, 0, CMSG_LEN(4), 1);
            put_header(&mut control, first, CMSG_LEN(0), 2);
            assert_eq!(
                iterate(&mut control, first + left).len(),
                seen,
                "{left} bytes left"
            );
        }
    }

    #[test]
    fn cmsg_iteration_sees_last_message_without_its_padding() {
        let mut control = vec![0; CMSG_SPACE(12) + CMSG_SPACE(4)];
        put_header(&mut control, 0, CMSG_LEN(12), 1);
        put_header(&mut control, CMSG_SPACE(12), CMSG_LEN(4), 2);
        assert_eq!(iterate(&mut control, CMSG_SPACE(12) + CMSG_LEN(4)), [12, 4]);
    }

    #[test]
    fn cmsg_walk_stays_inside_every_controllen_for_every_cmsg_len() {
        let size = CMSG_SPACE(4) * 3;
        let hostile = [usize::MAX, usize::MAX - 7, usize::MAX / 2, 1 << 31, 4096];
        for cmsg_len in (0..=size + 16).chain(hostile) {
            for control_len in 0..=size {
                let mut control = vec![0xAA; size];
                put_header(&mut control, 0, cmsg_len, 1);
                let seen = iterate(&mut control, control_len);
                let first_fits = control_len >= CMSG_LEN(0);
                assert_eq!(!seen.is_empty(), first_fits, "{cmsg_len} in {control_len}");
                let total: usize = seen.iter().map(|data| CMSG_LEN(*data)).sum();
                assert!(
                    total <= control_len,
                    "{cmsg_len} in {control_len}: {seen:?}"
                );
            }
        }
    }
}
