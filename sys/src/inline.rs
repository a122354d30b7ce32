//! The calls on sockets, close(2), read(2), write(2) and poll(2), made by the instruction of the
//! processor in place of the functions of the C library: feature `inline-syscalls`.
//!
//! This is the only file with `asm!`. Each call has the signature of the C library's function, as
//! the compiler checks. It passes its arguments on unchanged, and sets `errno` only if it failed.
//! The functions are documented where they are re-exported.
//!
//! The `asm!` blocks make the same promises to the compiler on both processors, except for the
//! names of the registers:
//!
//! - Memory: the kernel reads and writes what the arguments point to. The blocks therefore have neither
//!   `nomem` nor `readonly`, so the compiler assumes that they access all memory that a pointer may reach.
//! - Registers: each register that the instruction or the kernel changes is an output.
//! - `nostack`: neither the instruction nor the kernel uses the stack of the program, so the compiler may
//!   keep values below the stack pointer, in the red zone. If a signal handler runs during the call, the
//!   kernel makes its frame below the red zone.
//! - `preserves_flags`: after the call the flags are what they were before.
//!
//! The tests run optimized as well, because only then does the compiler use these promises.

use core::arch::asm;
#[cfg(target_arch = "aarch64")]
use core::ffi::c_long;
use core::ffi::{c_int, c_uint, c_void};
#[cfg(target_arch = "aarch64")]
use core::ptr;

use libc::{
    iovec, mmsghdr, msghdr, nfds_t, pollfd, size_t, sockaddr, socklen_t, ssize_t, timespec,
};

/// Makes a system call on x86_64, and returns the kernel's result. `rax` has the number of the call
/// and then the result. The instruction overwrites `rcx` with the address to return to and `r11`
/// with the flags. The kernel restores the flags from `r11`. The kernel keeps all other registers.
///
/// An argument of 32 bits leaves the upper half of its register undefined, as in the C library. The
/// kernel does not read that half.
#[cfg(target_arch = "x86_64")]
macro_rules! instruction {
    ($number:ident, $a:expr $(, $b:expr $(, $c:expr $(, $d:expr $(, $e:expr $(, $f:expr)?)?)?)?)?) => {{
        let result: isize;
        asm!(
            "syscall",
            inlateout("rax") libc::$number => result,
            in("rdi") $a,
            $(in("rsi") $b, $(in("rdx") $c, $(in("r10") $d, $(in("r8") $e, $(in("r9") $f,)?)?)?)?)?
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack, preserves_flags),
        );
        result
    }};
}

/// Makes a system call on aarch64, and returns the kernel's result. `x8` has the number of the call,
/// and `x0` has the first argument and then the result. The kernel keeps the flags and all other
/// general registers, and does not read the upper half of an argument of 32 bits.
///
/// The kernel keeps only the lower 128 bits of a vector register. The upper bits of the registers of
/// SVE, the predicates and `ffr` are lost. A caller may be compiled with SVE, so all of these
/// registers are named as overwritten, as they are for a call of a function. A function that makes a
/// call therefore saves the lower halves of `v8` to `v15`, which takes eight instructions.
///
/// See the kernel's `Documentation/arch/arm64/sve.rst`.
#[cfg(target_arch = "aarch64")]
macro_rules! instruction {
    ($number:ident, $a:expr $(, $b:expr $(, $c:expr $(, $d:expr $(, $e:expr $(, $f:expr)?)?)?)?)?) => {{
        let result: isize;
        asm!(
            "svc 0",
            in("x8") libc::$number,
            in("x0") $a,
            lateout("x0") result,
            $(in("x1") $b, $(in("x2") $c, $(in("x3") $d, $(in("x4") $e, $(in("x5") $f,)?)?)?)?)?
            lateout("v0") _, lateout("v1") _, lateout("v2") _, lateout("v3") _,
            lateout("v4") _, lateout("v5") _, lateout("v6") _, lateout("v7") _,
            lateout("v8") _, lateout("v9") _, lateout("v10") _, lateout("v11") _,
            lateout("v12") _, lateout("v13") _, lateout("v14") _, lateout("v15") _,
            lateout("v16") _, lateout("v17") _, lateout("v18") _, lateout("v19") _,
            lateout("v20") _, lateout("v21") _, lateout("v22") _, lateout("v23") _,
            lateout("v24") _, lateout("v25") _, lateout("v26") _, lateout("v27") _,
            lateout("v28") _, lateout("v29") _, lateout("v30") _, lateout("v31") _,
            lateout("p0") _, lateout("p1") _, lateout("p2") _, lateout("p3") _,
            lateout("p4") _, lateout("p5") _, lateout("p6") _, lateout("p7") _,
            lateout("p8") _, lateout("p9") _, lateout("p10") _, lateout("p11") _,
            lateout("p12") _, lateout("p13") _, lateout("p14") _, lateout("p15") _,
            lateout("ffr") _,
            options(nostack, preserves_flags),
        );
        result
    }};
}

/// Returns what the C library's function would return: the kernel's result, or -1 with `errno` set.
/// The kernel reports a failure as a number from -4095 to -1, which is the negative errno.
#[inline(always)]
fn checked(result: isize) -> isize {
    const MAX_ERRNO: isize = 4095;
    match result as usize >= (-MAX_ERRNO) as usize {
        true => failed(result),
        false => result,
    }
}

/// Sets `errno` and returns -1. The function is out of line so that a call that succeeds has one
/// branch, and has the ABI of C because a caller then need not expect a panic.
#[cold]
#[inline(never)]
extern "C" fn failed(result: isize) -> isize {
    crate::errno::set_errno(-result as c_int);
    -1
}

/// Defines calls, and compares the signature of each with the C library's function. An attribute
/// before a call applies to the comparison alone.
macro_rules! calls {
    ($(
        $(#[$compared:meta])?
        fn $name:ident($($arg:ident: $type:ty),*) -> $result:ty = $number:ident($($given:expr),*);
    )*) => { $(
        #[inline(always)]
        pub unsafe extern "C" fn $name($($arg: $type),*) -> $result {
            // SAFETY: the operands name every register that changes. The kernel accesses only the
            // memory that the C library's function accesses, and the caller guarantees that memory.
            let result = unsafe { instruction!($number, $($given),*) };
            checked(result) as $result
        }

        $(#[$compared])?
        const _: [unsafe extern "C" fn($($type),*) -> $result; 2] = [libc::$name, $name];
    )* };
}

calls! {
    fn socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int =
        SYS_socket(domain, kind, protocol);
    fn socketpair(domain: c_int, kind: c_int, protocol: c_int, sv: *mut c_int) -> c_int =
        SYS_socketpair(domain, kind, protocol, sv);
    fn bind(fd: c_int, addr: *const sockaddr, len: socklen_t) -> c_int =
        SYS_bind(fd, addr, len);
    fn getsockname(fd: c_int, addr: *mut sockaddr, len: *mut socklen_t) -> c_int =
        SYS_getsockname(fd, addr, len);
    fn connect(fd: c_int, addr: *const sockaddr, len: socklen_t) -> c_int =
        SYS_connect(fd, addr, len);
    fn getpeername(fd: c_int, addr: *mut sockaddr, len: *mut socklen_t) -> c_int =
        SYS_getpeername(fd, addr, len);
    fn send(fd: c_int, buf: *const c_void, n: size_t, flags: c_int) -> ssize_t =
        SYS_sendto(fd, buf, n, flags, 0usize, 0usize);
    fn recv(fd: c_int, buf: *mut c_void, n: size_t, flags: c_int) -> ssize_t =
        SYS_recvfrom(fd, buf, n, flags, 0usize, 0usize);
    fn sendto(
        fd: c_int, buf: *const c_void, n: size_t, flags: c_int, addr: *const sockaddr, len: socklen_t
    ) -> ssize_t = SYS_sendto(fd, buf, n, flags, addr, len);
    fn recvfrom(
        fd: c_int, buf: *mut c_void, n: size_t, flags: c_int, addr: *mut sockaddr, len: *mut socklen_t
    ) -> ssize_t = SYS_recvfrom(fd, buf, n, flags, addr, len);
    fn getsockopt(
        fd: c_int, level: c_int, name: c_int, value: *mut c_void, len: *mut socklen_t
    ) -> c_int = SYS_getsockopt(fd, level, name, value, len);
    fn setsockopt(
        fd: c_int, level: c_int, name: c_int, value: *const c_void, len: socklen_t
    ) -> c_int = SYS_setsockopt(fd, level, name, value, len);
    fn listen(fd: c_int, backlog: c_int) -> c_int = SYS_listen(fd, backlog);
    fn accept(fd: c_int, addr: *mut sockaddr, len: *mut socklen_t) -> c_int =
        SYS_accept(fd, addr, len);
    fn accept4(fd: c_int, addr: *mut sockaddr, len: *mut socklen_t, flags: c_int) -> c_int =
        SYS_accept4(fd, addr, len, flags);
    fn shutdown(fd: c_int, how: c_int) -> c_int = SYS_shutdown(fd, how);
    fn readv(fd: c_int, iov: *const iovec, n: c_int) -> ssize_t = SYS_readv(fd, iov, n);
    fn writev(fd: c_int, iov: *const iovec, n: c_int) -> ssize_t = SYS_writev(fd, iov, n);
    fn read(fd: c_int, buf: *mut c_void, n: size_t) -> ssize_t = SYS_read(fd, buf, n);
    fn write(fd: c_int, buf: *const c_void, n: size_t) -> ssize_t = SYS_write(fd, buf, n);
    fn close(fd: c_int) -> c_int = SYS_close(fd);
}

// The headers of these calls are in the kernel's layout, which glibc uses too. On musl only
// `musl.rs` calls them. There the flags of the last two are unsigned, so these are not compared.
calls! {
    fn sendmsg(fd: c_int, msg: *const msghdr, flags: c_int) -> ssize_t =
        SYS_sendmsg(fd, msg, flags);
    fn recvmsg(fd: c_int, msg: *mut msghdr, flags: c_int) -> ssize_t =
        SYS_recvmsg(fd, msg, flags);
    #[cfg(target_env = "gnu")]
    fn sendmmsg(fd: c_int, msgs: *mut mmsghdr, n: c_uint, flags: c_int) -> c_int =
        SYS_sendmmsg(fd, msgs, n, flags);
    #[cfg(target_env = "gnu")]
    fn recvmmsg(
        fd: c_int, msgs: *mut mmsghdr, n: c_uint, flags: c_int, timeout: *mut timespec
    ) -> c_int = SYS_recvmmsg(fd, msgs, n, flags, timeout);
}

#[cfg(target_arch = "x86_64")]
calls! {
    fn poll(fds: *mut pollfd, n: nfds_t, timeout: c_int) -> c_int =
        SYS_poll(fds, n, timeout);
}

/// aarch64 has no poll(2). Its C libraries make ppoll(2), without a mask.
#[cfg(target_arch = "aarch64")]
#[inline(always)]
pub unsafe extern "C" fn poll(fds: *mut pollfd, n: nfds_t, timeout: c_int) -> c_int {
    let mut limit = timespec {
        tv_sec: (timeout / 1000).into(),
        tv_nsec: c_long::from(timeout % 1000) * 1_000_000,
    };
    let limit = match timeout {
        0.. => &raw mut limit,
        _ => ptr::null_mut(),
    };
    // SAFETY: the operands name every register that changes. The caller guarantees `n` entries, the
    // timeout is live or null, and the mask is null.
    let result = unsafe { instruction!(SYS_ppoll, fds, n, limit, 0usize, 0usize) };
    checked(result) as c_int
}

#[cfg(test)]
mod tests;
