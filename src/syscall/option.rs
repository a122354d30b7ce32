//! getsockopt(2) and setsockopt(2), by the type of the value.

use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::ptr;
use core::slice;
use core::time::Duration;

use sunpath_sys as sys;
use sunpath_sys::socklen_t;

use super::retry;
use crate::error::{Call, Errno, Error};
use crate::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// The value of an option: an integer, bytes, or a struct of numbers that the caller declares.
///
/// # Safety
///
/// - Every value of the type's bytes is valid.
/// - The type has no padding, or the kernel copies the padding in and out like every other byte.
pub unsafe trait OptionValue: Copy {}
// SAFETY: an integer may have any bytes and has no padding.
unsafe impl OptionValue for i32 {}
// SAFETY: an integer may have any bytes and has no padding.
unsafe impl OptionValue for u32 {}
// SAFETY: an integer may have any bytes and has no padding.
unsafe impl OptionValue for i64 {}
// SAFETY: an integer may have any bytes and has no padding.
unsafe impl OptionValue for u64 {}
// SAFETY: an array of bytes may have any bytes and has no padding.
unsafe impl<const N: usize> OptionValue for [u8; N] {}
// SAFETY: the struct has two integers, which may have any bytes. The kernel copies all of the
// struct in and out, padding included.
unsafe impl OptionValue for sys::timeval {}
// SAFETY: the struct has three integers of 4 bytes, so any bytes are valid and there is no padding.
#[cfg(have_so_peercred)]
unsafe impl OptionValue for sys::ucred {}
// SAFETY: the struct has three integers of 4 bytes, so any bytes are valid and there is no padding.
#[cfg(have_sockpeercred)]
unsafe impl OptionValue for sys::sockpeercred {}
// SAFETY: the struct has three integers of 4 bytes, so any bytes are valid and there is no padding.
#[cfg(have_unpcbid)]
unsafe impl OptionValue for sys::unpcbid {}
// SAFETY: the struct has integers, and a union of an integer and a raw pointer. These may have any
// bytes.
#[cfg(have_xucred)]
unsafe impl OptionValue for sys::xucred {}

/// Reads an option of level `SOL_SOCKET`.
pub(crate) fn getsockopt<T: OptionValue>(fd: BorrowedFd<'_>, name: c_int) -> Result<T, Error> {
    getsockopt_at(fd, sys::SOL_SOCKET, name)
}

/// Reads an option of any level. Fails with `ENOPROTOOPT` if the kernel wrote less than a whole
/// value, because the missing bytes would read as zeroes, and a `ucred` of zeroes means root.
pub(crate) fn getsockopt_at<T: OptionValue>(
    fd: BorrowedFd<'_>,
    level: c_int,
    name: c_int,
) -> Result<T, Error> {
    let mut value = MaybeUninit::<T>::zeroed();
    let mut len = size_of::<T>() as socklen_t;
    retry(Call::Getsockopt, || {
        let to = value.as_mut_ptr().cast();
        // SAFETY: `value` has `len` bytes, and both outlive the call.
        unsafe { sys::getsockopt(fd.as_raw_fd(), level, name, to, &mut len) as isize }
    })?;
    if len as usize != size_of::<T>() {
        return Err(Error::new(Call::Getsockopt, Errno::ENOPROTOOPT));
    }
    // SAFETY: every byte was zeroed or written, and any bytes are a valid T.
    Ok(unsafe { value.assume_init() })
}

/// Reads a timeout of the socket, `SO_RCVTIMEO` or `SO_SNDTIMEO`. `None` means forever.
pub(crate) fn timeout(fd: BorrowedFd<'_>, option: c_int) -> Result<Option<Duration>, Error> {
    let timeval: sys::timeval = getsockopt(fd, option)?;
    let seconds = u64::try_from(timeval.tv_sec).unwrap_or(0);
    let micros = u32::try_from(timeval.tv_usec).unwrap_or(0);
    let timeout = Duration::from_secs(seconds) + Duration::from_micros(micros.into());
    Ok(Some(timeout).filter(|timeout| !timeout.is_zero()))
}

/// Reads an option whose value is a new descriptor.
pub(crate) fn getsockopt_fd(fd: BorrowedFd<'_>, name: c_int) -> Result<OwnedFd, Error> {
    let made: c_int = getsockopt(fd, name)?;
    if made < 0 {
        return Err(Error::new(Call::Getsockopt, Errno::EBADF));
    }
    // SAFETY: the kernel has just made this descriptor for us, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(made) })
}

/// Reads an option whose value has no fixed length. Returns how many bytes were written.
pub(crate) fn getsockopt_bytes(
    fd: BorrowedFd<'_>,
    name: c_int,
    buf: &mut [u8],
) -> Result<usize, Error> {
    // The kernel takes the length as an int, and reports EINVAL if the int is negative.
    let most = c_int::MAX as usize;
    let (level, mut len) = (sys::SOL_SOCKET, buf.len().min(most) as socklen_t);
    retry(Call::Getsockopt, || {
        let to = buf.as_mut_ptr().cast();
        // SAFETY: `buf` is writable for `len` bytes, and both outlive the call.
        unsafe { sys::getsockopt(fd.as_raw_fd(), level, name, to, &mut len) as isize }
    })?;
    Ok(buf.len().min(len as usize))
}

/// Reads an option whose value is a list of group ids. Returns how many ids were written.
pub(crate) fn getsockopt_groups(
    fd: BorrowedFd<'_>,
    name: c_int,
    buf: &mut [sys::gid_t],
) -> Result<usize, Error> {
    let size = size_of_val(buf);
    // SAFETY: a group id is a plain integer, so any bytes may be written to it.
    let bytes = unsafe { slice::from_raw_parts_mut(buf.as_mut_ptr().cast(), size) };
    Ok(getsockopt_bytes(fd, name, bytes)? / size_of::<sys::gid_t>())
}

/// Returns how many bytes the value of an option has. The option must report its length if the
/// value does not fit.
pub(crate) fn getsockopt_size(fd: BorrowedFd<'_>, name: c_int) -> Result<usize, Error> {
    let (level, mut len) = (sys::SOL_SOCKET, 0);
    let asked = retry(Call::Getsockopt, || {
        let nowhere = ptr::null_mut();
        // SAFETY: nothing is written, because len is 0.
        unsafe { sys::getsockopt(fd.as_raw_fd(), level, name, nowhere, &mut len) as isize }
    });
    match asked {
        Err(error) if error.errno() != Errno::ERANGE => Err(error),
        _ => Ok(len as usize),
    }
}

/// Sets an option of level `SOL_SOCKET`.
pub(crate) fn setsockopt<T: OptionValue>(
    fd: BorrowedFd<'_>,
    name: c_int,
    value: &T,
) -> Result<(), Error> {
    let len = size_of::<T>() as socklen_t;
    retry(Call::Setsockopt, || {
        let value = ptr::from_ref(value).cast();
        // SAFETY: `value` is readable for `len` bytes.
        unsafe { sys::setsockopt(fd.as_raw_fd(), sys::SOL_SOCKET, name, value, len) as isize }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fd::AsFd;
    use crate::syscall;

    /// An option that writes nothing, such as `SO_BINDTODEVICE` of a socket that is bound to no
    /// device, is an error.
    #[test]
    #[cfg(have_so_passcred)]
    fn option_that_the_kernel_left_unwritten_is_no_value() {
        let (socket, _peer) = syscall::socketpair(sys::SOCK_STREAM, false).unwrap();
        let value = getsockopt::<c_int>(socket.as_fd(), libc::SO_BINDTODEVICE);
        assert_eq!(value, Err(Error::new(Call::Getsockopt, Errno::ENOPROTOOPT)));
        let fd = getsockopt_fd(socket.as_fd(), libc::SO_BINDTODEVICE);
        assert!(fd.is_err(), "descriptor 0 is not ours");
    }
}
