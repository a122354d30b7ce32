//! Tests of faults. A seccomp filter makes each system call fail in turn, in a child process. The
//! error has to name the call and the errno, no descriptor may stay open, and every file that the
//! call made must be gone.
#![cfg(all(feature = "std", feature = "files"))]

mod calls;
mod fresh;

use std::ffi::OsString;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use calls::{POLL, SOCKETCALL};
use sunpath::error::Call;
use sunpath::{
    ConnectOptions, Errno, Error, Shutdown, Stream, UnixAddr, UnixDatagram, UnixListener,
    UnixStream,
};

/// Offsets in `struct seccomp_data`: of the system call number, and of the lower half of the first
/// argument.
const NUMBER: u32 = 0;
const FIRST_ARGUMENT: u32 = if cfg!(target_endian = "big") { 20 } else { 16 };

/// Makes `call` fail with `errno` in this process from now on. This cannot be undone.
fn break_syscall(call: libc::c_long, errno: Errno) {
    let jump = |code: u32, k: u32, jt, jf| libc::sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    let load = |offset| jump(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset, 0, 0);
    let skip_unless = |equal, count| {
        let code = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
        jump(code, equal, 0, count)
    };
    let answer = |answer| jump(libc::BPF_RET | libc::BPF_K, answer, 0, 0);
    let errno = answer(libc::SECCOMP_RET_ERRNO | errno.raw() as u32);
    let mut filter = Vec::new();
    for number in calls::numbers(call) {
        filter.extend([load(NUMBER), skip_unless(number as u32, 1), errno]);
    }
    for inner in calls::in_socketcall(call) {
        let socketcall = SOCKETCALL.expect("it has the call") as u32;
        filter.extend([load(NUMBER), skip_unless(socketcall, 3)]);
        filter.extend([load(FIRST_ARGUMENT), skip_unless(*inner, 1), errno]);
    }
    filter.push(answer(libc::SECCOMP_RET_ALLOW));
    let program = libc::sock_fprog {
        len: filter.len() as u16,
        filter: filter.as_mut_ptr(),
    };
    // SAFETY: PR_SET_NO_NEW_PRIVS takes integers, no pointers.
    let no_new_privs = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(no_new_privs, 0);
    let mode = libc::SECCOMP_MODE_FILTER;
    // SAFETY: `program` is a live sock_fprog over live instructions.
    let filtered = unsafe { libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program, 0, 0) };
    assert_eq!(filtered, 0);
}

/// Returns how many descriptors below 256 are open.
fn open_count() -> usize {
    // SAFETY: F_GETFD has no argument, and reports EBADF if the descriptor is not open.
    (0..256)
        .filter(|fd| unsafe { libc::fcntl(*fd, libc::F_GETFD) } != -1)
        .count()
}

/// Runs `prepare` in a child process, and then `action`, for which the system call `broken` fails
/// with `errno`. Returns the result of `action`, and asserts that it leaves as many open descriptors
/// as there were before.
fn with_broken<P>(
    (broken, errno): (libc::c_long, Errno),
    prepare: impl FnOnce() -> P,
    action: impl FnOnce() -> bool,
) -> bool {
    // SAFETY: the child makes system calls alone, and ends by _exit.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
    if pid == 0 {
        let _prepared = prepare();
        // The descriptors are counted before the filter is installed, because the filter may break
        // fcntl.
        let before = open_count();
        break_syscall(broken, errno);
        let status = match (
            action(),
            broken == libc::SYS_fcntl || open_count() == before,
        ) {
            (true, true) => 0,
            (false, _) => 1,
            (true, false) => 2,
        };
        // SAFETY: _exit ends this process and does nothing else.
        unsafe { libc::_exit(status) };
    }
    let mut status = 0;
    // SAFETY: `status` is a live int.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    let status = libc::WEXITSTATUS(status);
    assert_ne!(status, 2, "{broken}: a descriptor stays open");
    status == 0
}

/// Runs `action` in a child process in which the system call `broken` fails. Returns whether
/// `action` fails in `call` with `errno`, and asserts that it leaves as many open descriptors as
/// there were before.
fn fails<T>(
    broken: libc::c_long,
    (call, errno): (Call, Errno),
    action: impl FnOnce() -> Result<T, Error>,
) -> bool {
    assert_eq!(call.name(), format!("{call:?}").to_lowercase(), "as in C");
    with_broken(
        (broken, errno),
        || (),
        || action().is_err_and(|error| (error.call(), error.errno()) == (call, errno)),
    )
}

/// Returns an address in `dir` whose path fills all bytes of `sun_path`, without a NUL, as a C
/// program can make it, and its path.
fn filling_sun_path(dir: &Path) -> (UnixAddr, PathBuf) {
    let mut path = dir.join("").into_os_string().into_vec();
    let mut raw = *UnixAddr::unnamed().as_sockaddr_un();
    path.resize(raw.sun_path.len(), b'f');
    for (to, from) in raw.sun_path.iter_mut().zip(&path) {
        *to = *from as _;
    }
    let len = size_of_val(&raw) as sunpath::sys::socklen_t;
    let addr = UnixAddr::from_raw(raw, len).unwrap();
    (addr, OsString::from_vec(path).into())
}

#[test]
fn fault_in_any_call_of_a_constructor_is_reported_and_leaves_nothing() {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let addr = UnixAddr::from_pathname(&path).unwrap();
    let bind = || UnixListener::bind_addr(&addr);
    let enomem = |call| (call, Errno::ENOMEM);

    assert!(fails(libc::SYS_socket, enomem(Call::Socket), bind));
    assert!(fails(libc::SYS_bind, enomem(Call::Bind), bind));
    assert!(!path.exists());
    assert!(fails(libc::SYS_listen, enomem(Call::Listen), bind));
    assert!(!path.exists(), "the file that bind made is removed");
    let (full, full_path) = filling_sun_path(dir.path());
    let bind_full = || UnixListener::bind_addr(&full);
    assert!(fails(libc::SYS_listen, enomem(Call::Listen), bind_full));
    assert!(!full_path.exists(), "also where no NUL ends its path");
    assert!(fails(
        libc::SYS_socketpair,
        enomem(Call::Socketpair),
        UnixStream::pair
    ));

    let _listener = UnixListener::bind(&path).unwrap();
    let connect = || UnixStream::connect_addr(&addr);
    assert!(fails(libc::SYS_socket, enomem(Call::Socket), connect));
    assert!(fails(libc::SYS_connect, enomem(Call::Connect), connect));
    assert!(fails(libc::SYS_bind, enomem(Call::Bind), bind));
    assert!(path.exists(), "the file of a live listener stays");
}

/// A kernel before Linux 5.9 has no close_range(2), and a filter may refuse it.
#[cfg(target_os = "linux")]
#[test]
fn fault_in_close_range_leaves_no_descriptor_open() {
    let (a, b) = UnixStream::pair().unwrap();
    for errno in [Errno::ENOSYS, Errno::EPERM] {
        a.send_fds(b"eight", &[&a; 8]).unwrap();
        let broken = (libc::SYS_close_range, errno);
        let received = with_broken(
            broken,
            || (),
            || {
                let received = b.recv_fds_up_to::<8>(&mut [0; 8]);
                received.is_ok_and(|(_, fds)| fds.len() == 8)
            },
        );
        assert!(received, "{errno}");
    }
}

/// If close(2) fails, only close_range(2) can have closed the descriptors.
#[cfg(target_os = "linux")]
#[test]
fn fault_in_close_is_not_seen_where_one_call_closes_consecutive_descriptors() {
    // SAFETY: no descriptor has a number that great, so the call closes nothing.
    let made = unsafe { libc::syscall(libc::SYS_close_range, u32::MAX, u32::MAX, 0) };
    if made == -1 {
        return;
    }
    let (a, b) = UnixStream::pair().unwrap();
    a.send_fds(b"eight", &[&a; 8]).unwrap();
    // No lower descriptor is free afterwards, so those that arrive are consecutive.
    let use_lower = || {
        let mut copies = vec![a.try_clone().unwrap()];
        while copies.last().is_some_and(|copy| copy.as_raw_fd() < 200) {
            copies.push(a.try_clone().unwrap());
        }
        copies
    };
    let broken = (libc::SYS_close, Errno::EPERM);
    let received = with_broken(broken, use_lower, || {
        let received = b.recv_fds_up_to::<8>(&mut [0; 8]);
        received.is_ok_and(|(_, fds)| fds.as_slice().iter().all(|fd| fd.as_raw_fd() > 200))
    });
    assert!(received);
}

/// Makes a system call fail, and asserts that each expression fails with `ENOBUFS` in the call that
/// is named.
macro_rules! reported {
    ($($syscall:ident $call:ident: $action:expr;)+) => {$(
        let failed = fails(libc::$syscall, (Call::$call, Errno::ENOBUFS), || $action);
        assert!(failed, stringify!($action));
    )+};
}

#[test]
fn fault_in_any_call_on_a_stream_is_reported() {
    let listener = UnixListener::autobind().unwrap();
    let addr = listener.local_addr().unwrap();
    let client = UnixStream::connect_addr(&addr).unwrap();
    reported! {
        SYS_accept4 Accept: listener.accept();
        SYS_accept4 Accept: listener.accept_timeout(Duration::ZERO);
        SYS_accept4 Accept: listener.accept_if(|_| true);
        SYS_getsockopt Getsockopt: ConnectOptions::new().require_peer(0).connect_addr::<Stream>(&addr);
        SYS_setsockopt Setsockopt: ConnectOptions::new()
            .timeout(Duration::from_secs(1))
            .connect_addr::<Stream>(&addr);
        SYS_getsockopt Getsockopt: listener.take_error();
        SYS_getsockname Getsockname: client.local_addr();
        SYS_getpeername Getpeername: client.peer_addr();
        SYS_getsockopt Getsockopt: client.peer_cred();
        SYS_getsockopt Getsockopt: client.peer_groups(&mut []).map(drop);
        SYS_getsockopt Getsockopt: client.peer_group_count();
        SYS_getsockopt Getsockopt: client.peer_pidfd();
        SYS_getsockopt Getsockopt: client.peer_security(&mut []).map(drop);
        SYS_getsockopt Getsockopt: client.take_error();
        SYS_getsockopt Getsockopt: client.read_timeout();
        SYS_getsockopt Getsockopt: client.send_buffer_size();
        SYS_getsockopt Getsockopt: client.pass_credentials();
        SYS_setsockopt Setsockopt: client.set_read_timeout(None);
        SYS_setsockopt Setsockopt: client.set_peek_offset(None);
        SYS_setsockopt Setsockopt: client.set_pass_credentials(true);
        SYS_ioctl Ioctl: client.set_nonblocking(true);
        SYS_ioctl Ioctl: client.readable_bytes();
        SYS_ioctl Ioctl: client.unreceived_bytes();
        SYS_fcntl Fcntl: client.nonblocking();
        SYS_fcntl Fcntl: client.try_clone();
        SYS_fchmod Fchmod: client.set_mode(0o600);
        SYS_shutdown Shutdown: client.shutdown(Shutdown::Both);
        SYS_recvfrom Recv: client.read(&mut [0]);
        SYS_recvfrom Recv: client.peek(&mut [0]);
        SYS_recvfrom Recv: client.recv_oob();
        SYS_recvmsg Recvmsg: client.read_uninit(&mut []).map(drop);
        SYS_readv Readv: client.read_vectored(&mut []);
        SYS_sendto Send: client.write(b"x");
        SYS_sendto Send: client.send_oob(b"x");
        SYS_sendmsg Sendmsg: client.write_vectored(&[]);
    }
    // If a client's credentials cannot be read, the client is not accepted. The listener tries the
    // next client, and there is none.
    listener.set_nonblocking(true).unwrap();
    let nobody = || listener.accept_if(|_| true);
    assert!(fails(
        libc::SYS_getsockopt,
        (Call::Accept, Errno::EAGAIN),
        nobody
    ));
    let poll = || listener.accept_timeout(Duration::ZERO);
    assert!(fails(POLL, (Call::Poll, Errno::ENOBUFS), poll));
    let unbroken = fails(libc::SYS_bind, (Call::Send, Errno::ENOBUFS), || {
        client.write(b"x")
    });
    assert!(!unbroken, "a call that was not broken does not fail");
}

#[test]
fn fault_in_any_call_on_messages_is_reported() {
    let (a, b) = UnixDatagram::pair().unwrap();
    b.autobind().unwrap();
    let addr = b.local_addr().unwrap();
    reported! {
        SYS_socket Socket: UnixDatagram::bind_addr(&addr);
        SYS_bind Bind: UnixDatagram::bind_addr(&addr);
        SYS_connect Connect: a.connect_to(&addr);
        SYS_connect Connect: a.disconnect();
        SYS_sendto Send: a.send(b"x");
        SYS_sendmsg Sendmsg: a.send_vectored(&[]);
        SYS_sendto Sendto: a.send_to(b"x", &addr);
        SYS_recvfrom Recv: a.recv(&mut []);
        SYS_recvfrom Recvfrom: a.recv_from(&mut []);
        SYS_recvmsg Recvmsg: a.recv_vectored(&mut []);
        SYS_recvmsg Recvmsg: a.recv_uninit(&mut []).map(drop);
        SYS_recvfrom Recv: a.peek(&mut []);
        SYS_recvfrom Recvfrom: a.peek_from(&mut []);
    }
}
