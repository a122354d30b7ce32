//! Tests which calls reach functions that replace those of the C library. A program, or a library
//! that `LD_PRELOAD` names, can have such functions. sunpath calls them, unless it makes the system
//! calls itself, by the feature `inline-syscalls`.
//!
//! This program defines some of these functions. They make the system call, and count the calls of each
//! thread.
#![cfg(all(target_os = "linux", target_pointer_width = "64", feature = "std"))]

use libc::{c_int, c_void, size_t, ssize_t};
use sunpath::sys::INLINE_SYSCALLS;
use sunpath::{Shutdown, UnixStream};

/// Defines functions that replace those of the C library. Each is the system call of its name, with
/// arguments in addition if it has fewer than the system call.
macro_rules! counted {
    ($($name:ident($($arg:ident: $type:ty),+ $(; $more:expr)*) -> $result:ty = $number:ident;)+) => {
        /// The number of calls of each function.
        #[derive(Debug, Default, PartialEq)]
        struct Counts { $($name: u32,)+ }

        #[allow(non_upper_case_globals, reason = "each has the name of its function")]
        mod count {
            use std::cell::Cell;

            thread_local! { $(pub(crate) static $name: Cell<u32> = const { Cell::new(0) };)+ }
        }

        /// Returns how often each function was called on this thread since this function was called.
        fn counts() -> Counts {
            Counts { $($name: count::$name.take(),)+ }
        }

        $(
            /// # Safety
            ///
            /// - As for the function of the C library.
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name($($arg: $type),+) -> $result {
                count::$name.set(count::$name.get() + 1);
                // SAFETY: the caller guarantees the arguments, and the others are null.
                unsafe { libc::syscall(libc::$number, $($arg,)+ $($more,)*) as $result }
            }
        )+
    };
}

counted! {
    socketpair(domain: c_int, kind: c_int, protocol: c_int, pair: *mut c_int) -> c_int = SYS_socketpair;
    send(fd: c_int, buf: *const c_void, n: size_t, flags: c_int; 0usize; 0usize) -> ssize_t = SYS_sendto;
    recv(fd: c_int, buf: *mut c_void, n: size_t, flags: c_int; 0usize; 0usize) -> ssize_t = SYS_recvfrom;
    shutdown(fd: c_int, how: c_int) -> c_int = SYS_shutdown;
    close(fd: c_int) -> c_int = SYS_close;
}

#[test]
fn interposition_sees_every_call_unless_the_calls_are_inline() {
    counts();
    let (a, b) = UnixStream::pair().unwrap();
    a.write_all(b"x").unwrap();
    b.read_exact(&mut [0]).unwrap();
    a.shutdown(Shutdown::Both).unwrap();
    drop(a);
    drop(b);
    let seen = counts();
    let each = Counts {
        socketpair: 1,
        send: 1,
        recv: 1,
        shutdown: 1,
        close: 2,
    };
    let expected = match INLINE_SYSCALLS {
        true => Counts::default(),
        false => each,
    };
    assert_eq!(seen, expected);
}

/// A call that no function of sunpath makes is not inline: the descriptors of `std` are closed by
/// `std`.
#[test]
fn interposition_sees_what_std_closes() {
    let (a, b) = UnixStream::pair().unwrap();
    counts();
    drop(std::os::fd::OwnedFd::from(a));
    assert_eq!(counts().close, 1);
    drop(std::os::unix::net::UnixStream::from(b));
    assert_eq!(counts().close, 1);
}
