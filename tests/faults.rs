//! Faults: each system call made to fail in a child process, by a filter in its kernel. The error
//! names the call and the errno, no descriptor stays open, and no file that was not there before.

use sunpath::{Call, Errno, Error, Shutdown, UnixAddr, UnixListener, UnixStream};

/// Lets `call` fail with `errno` in this process from now on, for good.
fn break_syscall(call: libc::c_long, errno: Errno) {
    let jump = |code: u32, k: u32, jt, jf| libc::sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    let errno = libc::SECCOMP_RET_ERRNO | errno.raw() as u32;
    let mut filter = [
        // the number of the system call stands first in struct seccomp_data
        jump(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        jump(
            libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
            call as u32,
            0,
            1,
        ),
        jump(libc::BPF_RET | libc::BPF_K, errno, 0, 0),
        jump(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    let program = libc::sock_fprog {
        len: filter.len() as u16,
        filter: filter.as_mut_ptr(),
    };
    // SAFETY: PR_SET_NO_NEW_PRIVS takes numbers.
    let no_new_privs = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(no_new_privs, 0);
    let mode = libc::SECCOMP_MODE_FILTER;
    // SAFETY: program is a live sock_fprog over live instructions.
    let filtered = unsafe { libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program, 0, 0) };
    assert_eq!(filtered, 0);
}

/// How many of the first descriptors are open.
fn open_count() -> usize {
    // SAFETY: F_GETFD takes any number.
    (0..256)
        .filter(|fd| unsafe { libc::fcntl(*fd, libc::F_GETFD) } != -1)
        .count()
}

/// Whether `action` fails in `call` with `errno` in a child process where `broken` does, with as
/// many descriptors open afterwards as before.
fn fails<T>(
    broken: libc::c_long,
    (call, errno): (Call, Errno),
    action: impl FnOnce() -> Result<T, Error>,
) -> bool {
    // SAFETY: the child makes system calls alone, and ends by _exit.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
    if pid == 0 {
        // Counted before the filter, since it may break fcntl.
        let before = open_count();
        break_syscall(broken, errno);
        let failed = action().is_err_and(|error| (error.call(), error.errno()) == (call, errno));
        let status = match (failed, broken == libc::SYS_fcntl || open_count() == before) {
            (true, true) => 0,
            (false, _) => 1,
            (true, false) => 2,
        };
        // SAFETY: ends this process.
        unsafe { libc::_exit(status) };
    }
    let mut status = 0;
    // SAFETY: status is a live int.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    let status = libc::WEXITSTATUS(status);
    assert_ne!(status, 2, "{call}: a descriptor stays open");
    status == 0
}

#[test]
fn fault_in_any_call_of_a_constructor_is_reported_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.sock");
    let addr = UnixAddr::from_pathname(&path).unwrap();
    let bind = || UnixListener::bind_addr(&addr);
    let enomem = |call| (call, Errno::ENOMEM);

    assert!(fails(libc::SYS_socket, enomem(Call::Socket), bind));
    assert!(fails(libc::SYS_bind, enomem(Call::Bind), bind));
    assert!(!path.exists());
    assert!(fails(libc::SYS_listen, enomem(Call::Listen), bind));
    assert!(!path.exists(), "the file that bind made is removed");
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

#[test]
fn fault_in_any_call_on_a_socket_is_reported() {
    let listener = UnixListener::autobind().unwrap();
    let client = UnixStream::connect_addr(&listener.local_addr().unwrap()).unwrap();
    let row = |call| (call, Errno::ENOBUFS);
    assert!(fails(libc::SYS_accept4, row(Call::Accept), || listener.accept()));
    assert!(fails(libc::SYS_getsockname, row(Call::Getsockname), || {
        client.local_addr()
    }));
    assert!(fails(libc::SYS_getpeername, row(Call::Getpeername), || {
        client.peer_addr()
    }));
    assert!(fails(libc::SYS_getsockopt, row(Call::Getsockopt), || {
        client.peer_cred()
    }));
    assert!(fails(libc::SYS_getsockopt, row(Call::Getsockopt), || {
        client.take_error()
    }));
    assert!(fails(libc::SYS_getsockopt, row(Call::Getsockopt), || {
        client.read_timeout()
    }));
    assert!(fails(libc::SYS_setsockopt, row(Call::Setsockopt), || {
        client.set_read_timeout(None)
    }));
    assert!(fails(libc::SYS_ioctl, row(Call::Ioctl), || client
        .set_nonblocking(true)));
    assert!(fails(libc::SYS_fcntl, row(Call::Fcntl), || client.nonblocking()));
    assert!(fails(libc::SYS_fcntl, row(Call::Fcntl), || client.try_clone()));
    assert!(fails(libc::SYS_fchmod, row(Call::Fchmod), || client
        .set_mode(0o600)));
    assert!(fails(libc::SYS_shutdown, row(Call::Shutdown), || client
        .shutdown(Shutdown::Both)));
    assert!(fails(libc::SYS_recvfrom, row(Call::Recv), || client
        .read(&mut [0])));
    assert!(fails(libc::SYS_readv, row(Call::Readv), || client
        .read_vectored(&mut [])));
    assert!(fails(libc::SYS_sendto, row(Call::Send), || client.write(b"x")));
    assert!(fails(libc::SYS_sendmsg, row(Call::Sendmsg), || client
        .write_vectored(&[])));
    let unbroken = fails(libc::SYS_bind, row(Call::Send), || client.write(b"x"));
    assert!(!unbroken, "a call that was not broken does not fail");
}
