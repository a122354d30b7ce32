//! The system call numbers that the kernel sees. A C library may make a call by another system
//! call, and on some architectures it makes all calls on sockets by socketcall(2), whose first
//! argument says which call is meant.

use std::fs;

use libc::c_long;

/// The system call number of the call by which the C library implements poll(2).
#[allow(dead_code, reason = "not every test file looks for it")]
#[cfg(any(
    target_arch = "aarch64",
    target_arch = "loongarch64",
    target_arch = "riscv64"
))]
pub(crate) const POLL: c_long = libc::SYS_ppoll;
#[allow(dead_code, reason = "not every test file looks for it")]
#[cfg(not(any(
    target_arch = "aarch64",
    target_arch = "loongarch64",
    target_arch = "riscv64"
)))]
pub(crate) const POLL: c_long = libc::SYS_poll;

/// The system call number of socketcall(2), on architectures that have it.
#[cfg(any(target_arch = "x86", target_arch = "s390x"))]
pub(crate) const SOCKETCALL: Option<c_long> = Some(libc::SYS_socketcall);
#[cfg(not(any(target_arch = "x86", target_arch = "s390x")))]
pub(crate) const SOCKETCALL: Option<c_long> = None;

/// Returns the system call numbers by which a C library may make this call.
#[cfg(target_arch = "x86")]
pub(crate) fn numbers(call: c_long) -> Vec<c_long> {
    match call {
        libc::SYS_fcntl => vec![call, libc::SYS_fcntl64],
        _ => vec![call],
    }
}

/// Returns the system call numbers by which a C library may make this call.
#[cfg(not(target_arch = "x86"))]
pub(crate) fn numbers(call: c_long) -> Vec<c_long> {
    vec![call]
}

/// Returns the values of the first argument of socketcall(2) that select a call, see
/// `<linux/net.h>`. The list is empty if the call is not on sockets. It has two values if the C
/// library may also make the call by send(2) or recv(2).
pub(crate) fn in_socketcall(call: c_long) -> &'static [u32] {
    if SOCKETCALL.is_none() {
        return &[];
    }
    match call {
        libc::SYS_socket => &[1],
        libc::SYS_bind => &[2],
        libc::SYS_connect => &[3],
        libc::SYS_listen => &[4],
        libc::SYS_getsockname => &[6],
        libc::SYS_getpeername => &[7],
        libc::SYS_socketpair => &[8],
        libc::SYS_sendto => &[9, 11],
        libc::SYS_recvfrom => &[10, 12],
        libc::SYS_shutdown => &[13],
        libc::SYS_setsockopt => &[14],
        libc::SYS_getsockopt => &[15],
        libc::SYS_sendmsg => &[16],
        libc::SYS_recvmsg => &[17],
        libc::SYS_accept4 => &[18],
        libc::SYS_recvmmsg => &[19],
        libc::SYS_sendmmsg => &[20],
        _ => &[],
    }
}

/// Returns whether a thread of this process sleeps in `call`, or in any system call if the kernel
/// does not tell which one it is.
#[allow(dead_code, reason = "not every test file looks for a call that waits")]
pub(crate) fn sleeps_in(call: libc::c_long, tid: libc::pid_t) -> bool {
    let Ok(line) = fs::read_to_string(format!("/proc/self/task/{tid}/syscall")) else {
        // User-mode Linux does not have the file `syscall`. In the file `stat` the state comes
        // after the name, which is in parentheses.
        let stat = fs::read_to_string(format!("/proc/self/task/{tid}/stat")).unwrap_or_default();
        return stat
            .rsplit(')')
            .next()
            .is_some_and(|rest| rest.starts_with(" S"));
    };
    // While the thread runs, the file has one word instead of the system call's number.
    let mut words = line.split_whitespace();
    let number = words.next().and_then(|word| word.parse().ok());
    let first = words.next().and_then(|word| word.strip_prefix("0x"));
    let first = first.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let by_socketcall =
        || number == SOCKETCALL && first.is_some_and(|first| in_socketcall(call).contains(&first));
    number.is_some_and(|number| numbers(call).contains(&number) || by_socketcall())
}
