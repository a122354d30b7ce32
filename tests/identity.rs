//! Tests of the peer's identity, of accepting only certain clients, of time limits, and of sockets
//! that are made from descriptors.
#![cfg(all(feature = "std", feature = "files"))]

mod fresh;
mod skip;

use std::ffi::CString;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use sunpath::ancillary::Credentials;
use sunpath::error::Cause;
use sunpath::{
    CWD, ConnectOptions, Datagram, Errno, Listener, Seqpacket, Socket, Stream, UnixAddr,
    UnixDatagram, UnixListener, UnixSeqpacket, UnixStream,
};
use tempfile::TempDir;

fn listening(backlog: i32) -> (TempDir, PathBuf, UnixListener) {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let socket = Socket::<Stream>::new().unwrap();
    socket
        .bind_to(&UnixAddr::from_pathname(&path).unwrap())
        .unwrap();
    (dir, path, socket.listen(backlog).unwrap())
}

fn my_uid() -> u32 {
    // SAFETY: the call takes no arguments and cannot fail.
    unsafe { libc::geteuid() }
}

#[test]
fn peer_of_every_kind_of_pair_is_this_process() {
    let (stream, _a) = UnixStream::pair().unwrap();
    let (datagram, _b) = UnixDatagram::pair().unwrap();
    let (seqpacket, _c) = UnixSeqpacket::pair().unwrap();
    let cred = stream.peer_cred().unwrap();
    assert_eq!(cred.uid(), my_uid());
    assert_eq!(datagram.peer_cred().unwrap(), cred);
    assert_eq!(seqpacket.peer_cred().unwrap(), cred);
}

#[test]
fn peer_that_is_not_there_is_enotconn_for_every_question() {
    let socket = UnixStream::new().unwrap();
    let enotconn = |error: sunpath::Error| error.errno() == Errno::ENOTCONN;
    assert!(enotconn(socket.peer_cred().unwrap_err()));
    for error in [
        socket.peer_groups(&mut [0; 8]).unwrap_err(),
        socket.peer_group_count().unwrap_err(),
        socket.peer_pidfd().unwrap_err(),
    ] {
        assert!(enotconn(error) || error.is_unsupported(), "{error}");
    }

    // A connected datagram socket has no peer whose credentials the kernel reports.
    let dir = fresh::dir();
    let _server = UnixDatagram::bind(dir.path().join("a")).unwrap();
    let client = UnixDatagram::new().unwrap();
    client.connect(dir.path().join("a")).unwrap();
    assert!(enotconn(client.peer_cred().unwrap_err()));
}

/// Runs `action` in a forked child process, and returns its result.
fn in_child(action: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child makes system calls, and ends by _exit.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", io::Error::last_os_error());
    if pid == 0 {
        // A panic must not unwind into this copy of the test.
        let succeeds = catch_unwind(AssertUnwindSafe(action)).is_ok_and(|good| good);
        let status = i32::from(!succeeds);
        // SAFETY: _exit ends this process and does nothing else.
        unsafe { libc::_exit(status) };
    }
    let mut status = -1;
    // SAFETY: `status` is a live int.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    status == 0
}

/// Without /proc a process cannot find out whether every user is mapped into its user namespace. If
/// its own uid is the usual overflow uid, that uid may stand for another user.
#[test]
fn peer_without_proc_is_our_own_user_unless_its_uid_is_the_overflow_uid() {
    if skip::unless_root() {
        return;
    }
    let dir = fresh::dir();
    let root = CString::new(dir.path().as_os_str().as_bytes()).unwrap();
    for uid in [0, 1000, 65533, 65534, 65535, 65536] {
        let is_told = in_child(|| {
            // SAFETY: `root` ends with a NUL.
            let changed = unsafe { libc::chroot(root.as_ptr()) };
            // SAFETY: the arguments are integers; the call changes this process alone.
            let user = unsafe { libc::setresuid(uid, uid, uid) };
            let cred = UnixStream::pair().unwrap().0.peer_cred().unwrap();
            assert_eq!((changed, user, cred.uid()), (0, 0, uid));
            cred.is_own_user() == (uid != 65534)
        });
        assert!(is_told, "{uid}");
    }
}

/// The test runs in a child, because the groups belong to the whole process.
#[test]
fn peer_groups_of_a_process_with_several_are_all_of_them() {
    if skip::unless_root() || UnixStream::pair().unwrap().0.peer_group_count().is_err() {
        return;
    }
    let groups: &[libc::gid_t] = &[5, 70_000, 2_000_000_000];
    for count in 0..=groups.len() {
        assert!(in_child(|| {
            // SAFETY: `groups` has at least `count` group ids.
            let set = unsafe { libc::setgroups(count, groups.as_ptr()) };
            let (a, _b) = UnixStream::pair().unwrap();
            let mut room = [u32::MAX; 4];
            let counted = a.peer_group_count() == Ok(count);
            let written = a.peer_groups(&mut room);
            set == 0 && counted && written.is_ok_and(|written| *written == groups[..count])
        }));
    }
}

/// The test runs in a child, because the ids belong to the whole process.
#[test]
fn credentials_of_this_process_have_its_real_ids() {
    if skip::unless_root() {
        return;
    }
    assert!(in_child(|| {
        // SAFETY: the arguments are integers; the call changes this process alone.
        let groups = unsafe { libc::setresgid(7, 8, 8) };
        // SAFETY: the arguments are integers; the call changes this process alone.
        let users = unsafe { libc::setresuid(5, 6, 6) };
        let pid = std::process::id() as i32;
        (groups, users) == (0, 0) && Credentials::own() == Credentials::new(pid, 5, 7)
    }));
}

#[test]
fn peer_groups_are_this_process_groups() {
    let (a, _b) = UnixStream::pair().unwrap();
    // SAFETY: a size of 0 asks for the count, and nothing is written.
    let count = unsafe { libc::getgroups(0, std::ptr::null_mut()) };
    let mut groups = vec![0; count.try_into().unwrap()];
    // SAFETY: `groups` has space for `count` group ids.
    let got = unsafe { libc::getgroups(count, groups.as_mut_ptr()) };
    assert_eq!(got, count);
    groups.sort_unstable();

    match a.peer_group_count() {
        Err(error) => return assert!(error.is_unsupported(), "{error}"),
        Ok(count) => assert_eq!(count, groups.len()),
    }
    let mut room = vec![0; groups.len() + 3];
    let peer_groups = a.peer_groups(&mut room).unwrap();
    peer_groups.sort_unstable();
    assert_eq!(peer_groups, groups);
    if !groups.is_empty() {
        let error = a.peer_groups(&mut room[..groups.len() - 1]).unwrap_err();
        assert_eq!(error.errno(), Errno::ERANGE);
    }
}

#[test]
fn peer_pidfd_is_of_the_peer_and_cloexec() {
    let (a, _b) = UnixStream::pair().unwrap();
    let pidfd = match a.peer_pidfd() {
        Err(error) => return assert!(error.is_unsupported(), "{error}"),
        Ok(pidfd) => pidfd,
    };
    // SAFETY: F_GETFD has no argument.
    let flags = unsafe { libc::fcntl(pidfd.as_raw_fd(), libc::F_GETFD) };
    assert_eq!(flags, libc::FD_CLOEXEC);
    let info = format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd());
    let info = std::fs::read_to_string(info).unwrap();
    assert!(
        info.contains(&format!("Pid:\t{}\n", std::process::id())),
        "{info}"
    );
}

/// 0 is a valid descriptor. Descriptor 0 is free in a daemon that has closed its standard input.
#[test]
fn peer_pidfd_may_have_the_number_0() {
    let (a, _b) = UnixStream::pair().unwrap();
    if a.peer_pidfd().is_err() {
        return;
    }
    assert!(in_child(|| {
        // SAFETY: nothing uses standard input in the child.
        unsafe { libc::close(0) };
        a.peer_pidfd().is_ok_and(|pidfd| pidfd.as_raw_fd() == 0)
    }));
}

/// The kernel takes the length of the buffer as an int, and a greater length would be `EINVAL`. The
/// library passes at most an int's maximum, which is enough, because the values are short.
#[test]
#[cfg(target_pointer_width = "64")]
fn peer_security_and_groups_take_a_buffer_around_2_gib() {
    let (a, _b) = UnixStream::pair().unwrap();
    let expected = a.peer_security(&mut [0; 4096]).map(|label| label.to_vec());
    // The buffers take hardly any memory, because their pages are never written to.
    for len in [(1 << 31) - 1, 1 << 31, (1 << 31) + 1] {
        let mut buffer = vec![0_u8; len];
        let label = a.peer_security(&mut buffer).map(|label| label.to_vec());
        assert_eq!(label, expected, "{len}");
    }
    let mut short = vec![0; a.peer_group_count().unwrap_or(0)];
    let mut long = vec![0_u32; 1 << 29];
    assert_eq!(a.peer_groups(&mut long), a.peer_groups(&mut short));
}

#[test]
fn peer_security_is_text_or_unsupported() {
    let (a, _b) = UnixStream::pair().unwrap();
    match a.peer_security(&mut [0; 4096]) {
        Ok(label) => assert!(!label.is_empty() && !label.contains(&0), "{label:?}"),
        Err(error) => assert!(error.is_unsupported(), "{error}"),
    }
}

#[test]
fn connect_requires_the_right_server() {
    let (_dir, path, listener) = listening(8);
    let to = |uid| {
        ConnectOptions::new()
            .require_peer(uid)
            .connect::<Stream>(&path)
    };
    let stream = to(my_uid()).unwrap();
    assert!(stream.peer_cred().is_ok());
    let error = to(my_uid() + 1).unwrap_err();
    let uid = my_uid();
    assert_eq!(error.cause(), Some(Cause::Peer { uid }));
    let said = format!("connect: EPERM (the server runs as uid {uid})");
    assert_eq!(error.to_string(), said);
    drop(listener);
    assert_eq!(to(my_uid()).unwrap_err().errno(), Errno::ECONNREFUSED);
}

/// A process's own user is its current effective user, for `is_own_user` and for `require_own_user`.
#[test]
fn own_user_is_the_effective_one() {
    const USER: u32 = 4711;
    let (dir, path, _listener) = listening(8);
    let own = ConnectOptions::new().require_own_user();
    let before = own.connect::<Stream>(&path).unwrap();
    assert!(before.peer_cred().unwrap().is_own_user());
    if crate::skip::unless_root() {
        return;
    }
    for path in [dir.path(), &path] {
        fs::set_permissions(path, Permissions::from_mode(0o777)).unwrap();
    }
    assert!(in_child(|| {
        // SAFETY: the argument is an integer, so the call accesses no memory.
        assert_eq!(unsafe { libc::seteuid(USER) }, 0);
        assert!(!before.peer_cred().unwrap().is_own_user());
        let (ours, _) = UnixStream::pair().unwrap();
        assert!(ours.peer_cred().unwrap().is_own_user());
        assert_eq!(Credentials::own().uid(), 0, "the real one is another");
        let error = own.connect::<Stream>(&path).unwrap_err();
        assert_eq!(error.cause(), Some(Cause::Peer { uid: 0 }));
        // If both requirements are set, the later one decides.
        own.require_peer(0).connect::<Stream>(&path).unwrap();
        let last = ConnectOptions::new().require_peer(0).require_own_user();
        last.connect::<Stream>(&path).is_err()
    }));
}

#[test]
fn connect_timeout_ends_at_a_full_queue_and_leaves_nothing() {
    let (_dir, path, listener) = listening(0);
    let queued = UnixStream::connect(&path).unwrap();
    let timeout = Duration::from_millis(30);
    let options = ConnectOptions::new().timeout(timeout);
    let began = Instant::now();
    let error = options.connect::<Stream>(&path).unwrap_err();
    assert_eq!(error.errno(), Errno::ETIMEDOUT);
    assert!(began.elapsed() >= timeout);

    drop(queued);
    drop(listener.accept().unwrap());
    let stream: UnixStream = options.connect(&path).unwrap();
    assert_eq!(
        stream.write_timeout().unwrap(),
        None,
        "the bound was taken back"
    );
    stream.write(b"x").unwrap();
    let (server, _) = listener.accept().unwrap();
    assert_eq!(
        server.read(&mut [0; 8]).unwrap(),
        1,
        "no other client was queued"
    );
    let error = ConnectOptions::new()
        .timeout(Duration::ZERO)
        .connect::<Stream>(&path);
    assert_eq!(error.unwrap_err().errno(), Errno::ETIMEDOUT);
    let absent = ConnectOptions::new()
        .timeout(Duration::MAX)
        .connect::<Stream>("absent");
    assert_eq!(absent.unwrap_err().errno(), Errno::ENOENT);
}

#[test]
fn connect_attempt_does_not_wait_for_a_full_queue_and_leaves_nothing() {
    let (_dir, path, listener) = listening(0);
    let addr = UnixAddr::from_pathname(&path).unwrap();
    // SAFETY: the call takes no arguments and cannot fail.
    let other = unsafe { libc::geteuid() } + 1;
    let patient = ConnectOptions::new().wait_for_server(true);
    let absent = patient.try_connect_at::<Stream>(CWD, "absent");
    assert_eq!(absent.unwrap_err().errno(), Errno::ENOENT);
    let refused = patient
        .require_peer(other)
        .try_connect_addr::<Stream>(&addr);
    assert_eq!(refused.unwrap_err().errno(), Errno::EPERM);
    drop(listener.accept().unwrap());

    let first = patient.try_connect_addr::<Stream>(&addr).unwrap();
    assert!(first.nonblocking().unwrap());
    for error in [
        patient.try_connect_addr::<Stream>(&addr).unwrap_err(),
        patient.try_connect_at::<Stream>(CWD, &path).unwrap_err(),
    ] {
        assert_eq!(error.errno(), Errno::EAGAIN);
    }
    drop(listener.accept().unwrap());
    let second = patient.try_connect_at::<Stream>(CWD, &path).unwrap();
    second.write(b"x").unwrap();
    let (server, _) = listener.accept().unwrap();
    let mut buf = [0; 8];
    assert_eq!(
        server.read(&mut buf).unwrap(),
        1,
        "no other client was queued"
    );

    let limit = Duration::from_secs(1);
    assert_eq!(patient.timeout(limit).time_limit(), Some(limit));
    assert_eq!(patient.time_limit(), None);
    assert!(patient.waits_for_server());
    assert!(!ConnectOptions::new().waits_for_server());
}

#[test]
fn accept_timeout_ends_or_accepts() {
    let (_dir, path, listener) = listening(8);
    let timeout = Duration::from_millis(20);
    let began = Instant::now();
    assert_eq!(
        listener.accept_timeout(timeout).unwrap_err().errno(),
        Errno::ETIMEDOUT
    );
    assert!(began.elapsed() >= timeout);
    assert_eq!(
        listener.accept_timeout(Duration::ZERO).unwrap_err().errno(),
        Errno::ETIMEDOUT
    );
    let _a = UnixStream::connect(&path).unwrap();
    listener.accept_timeout(Duration::MAX).unwrap();
    let _b = UnixStream::connect(&path).unwrap();
    listener.accept_timeout(Duration::ZERO).unwrap();
}

#[test]
fn accept_if_closes_who_is_not_allowed() {
    let (_dir, path, listener) = listening(8);
    let first = UnixStream::connect(&path).unwrap();
    let second = UnixStream::connect(&path).unwrap();
    let mut asked = Vec::new();
    let (server, _) = listener
        .accept_if(|peer| {
            asked.push(peer.uid());
            asked.len() == 2
        })
        .unwrap();
    assert_eq!(asked, [my_uid(); 2]);
    assert_eq!(first.read(&mut [0]).unwrap(), 0, "closed");
    server.write(b"x").unwrap();
    assert_eq!(second.read(&mut [0]).unwrap(), 1);
}

#[test]
fn listener_as_socket_has_the_options() {
    let (_dir, path, listener) = listening(8);
    assert!(listener.as_socket().is_listening().unwrap());
    listener.as_socket().set_pass_credentials(true).unwrap();
    let _client = UnixStream::connect(&path).unwrap();
    let (server, _) = listener.accept().unwrap();
    assert!(server.pass_credentials().unwrap(), "inherited");
}

#[test]
fn descriptor_that_is_not_the_right_socket_is_given_back() {
    let refused = |fd: OwnedFd, errno| {
        let number = fd.as_raw_fd();
        let error = Socket::<Stream>::try_from(fd).unwrap_err();
        assert_eq!(error.error().errno(), errno);
        let fd = error.into_fd();
        assert_eq!(fd.as_raw_fd(), number);
        // SAFETY: F_GETFD has no argument.
        let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
        assert_ne!(flags, -1, "still open");
        fd
    };
    refused(File::open("/").unwrap().into(), Errno::ENOTSOCK);
    refused(UnixDatagram::new().unwrap().into(), Errno::EPROTOTYPE);
    let inet = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let inet = refused(inet.into(), Errno::EAFNOSUPPORT);
    let error = io::Error::from(Socket::<Datagram>::try_from(inet).unwrap_err());
    assert_eq!(Errno::from_io_error(&error), Some(Errno::EAFNOSUPPORT));
    assert_eq!(
        error.to_string(),
        "getsockname: EAFNOSUPPORT (the socket is not a Unix domain socket)"
    );

    let stream = OwnedFd::from(UnixStream::new().unwrap());
    let error = Listener::<Stream>::try_from(stream).unwrap_err();
    assert_eq!(error.error().errno(), Errno::EINVAL, "it does not listen");
    Socket::<Stream>::try_from(error.into_fd()).unwrap();

    let (_dir, path, listener) = listening(8);
    let listener = Listener::<Stream>::try_from(OwnedFd::from(listener)).unwrap();
    let _client = UnixStream::connect(&path).unwrap();
    listener.accept().unwrap();
    let error = Listener::<Seqpacket>::try_from(OwnedFd::from(listener)).unwrap_err();
    assert_eq!(error.error().errno(), Errno::EPROTOTYPE);
    Socket::<Datagram>::try_from(OwnedFd::from(UnixDatagram::new().unwrap())).unwrap();
}

#[test]
fn address_of_another_family_is_eafnosupport() {
    use std::os::unix::net;

    let inet = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    inet.connect(inet.local_addr().unwrap()).unwrap();
    // std makes a socket from any descriptor, so ours can have the wrong family.
    let socket = UnixDatagram::from(net::UnixDatagram::from(OwnedFd::from(inet)));
    for asked in [socket.local_addr(), socket.peer_addr()] {
        assert_eq!(asked.unwrap_err().errno(), Errno::EAFNOSUPPORT);
    }
    socket.send(b"to myself").unwrap();
    let (received, from) = socket.recv_from(&mut [0; 16]).unwrap();
    assert_eq!((received.len(), from), (9, UnixAddr::unnamed()));
}

#[test]
fn raw_descriptor_is_taken_over() {
    let (_dir, path, listener) = listening(8);
    let raw = listener.into_raw_fd();
    // SAFETY: `raw` belonged to a listener, which has just given it up.
    let listener = unsafe { UnixListener::from_raw_fd(raw) };
    let raw = UnixStream::connect(&path).unwrap().into_raw_fd();
    // SAFETY: `raw` belonged to a stream, which has just given it up.
    let client = unsafe { UnixStream::from_raw_fd(raw) };
    client.write(b"x").unwrap();
    assert_eq!(listener.accept().unwrap().0.read(&mut [0]).unwrap(), 1);
}

#[test]
fn addresses_of_std_convert_both_ways() {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net;

    let std_path = net::SocketAddr::from_pathname("/run/a.sock").unwrap();
    let path = UnixAddr::from(std_path);
    assert_eq!(path, UnixAddr::from_pathname("/run/a.sock").unwrap());
    let std_path = net::SocketAddr::try_from(path).unwrap();
    assert_eq!(std_path.as_pathname(), Some("/run/a.sock".as_ref()));

    let std_name = net::SocketAddr::from_abstract_name(b"a\0b").unwrap();
    let name = UnixAddr::from(std_name);
    assert_eq!(name, UnixAddr::from_abstract("a\0b").unwrap());
    let std_name = net::SocketAddr::try_from(name).unwrap();
    assert_eq!(std_name.as_abstract_name(), Some(&b"a\0b"[..]));

    let (a, _b) = net::UnixStream::pair().unwrap();
    assert_eq!(UnixAddr::from(a.local_addr().unwrap()), UnixAddr::unnamed());
    let unnamed = net::SocketAddr::try_from(UnixAddr::unnamed()).unwrap();
    assert!(unnamed.is_unnamed());

    // This path fills sun_path, but std takes only a path that leaves space for a NUL.
    let mut raw = *UnixAddr::unnamed().as_sockaddr_un();
    raw.sun_path.fill(b'f' as _);
    let full = UnixAddr::from_raw(raw, 111).unwrap();
    assert!(net::SocketAddr::try_from(full).is_err());

    // The kernel reports an address for this path, which is converted from std's type without a
    // change.
    let dir = fresh::dir();
    let mut path = dir.path().join("").into_os_string().into_encoded_bytes();
    path.resize(108, b'f');
    for (to, from) in raw.sun_path.iter_mut().zip(&path) {
        *to = *from as _;
    }
    let full = UnixAddr::from_raw(raw, 110).unwrap();
    let server = net::UnixDatagram::from(UnixDatagram::bind_addr(&full).unwrap());
    assert_eq!(UnixAddr::from(server.local_addr().unwrap()), full);
}

#[test]
fn address_that_cannot_be_made_passes_every_question_mark() {
    fn ours() -> Result<UnixAddr, sunpath::Error> {
        Ok(UnixAddr::from_pathname("")?)
    }
    fn of_std() -> io::Result<UnixAddr> {
        Ok(UnixAddr::from_pathname("x".repeat(200))?)
    }
    assert_eq!(ours().unwrap_err().errno(), Errno::ENOENT);
    let error = of_std().unwrap_err();
    let of_c = io::Error::from_raw_os_error(Errno::ENAMETOOLONG.raw());
    assert_eq!(error.kind(), of_c.kind());
    assert!(error.to_string().starts_with("200 bytes"), "{error}");
}

#[test]
fn stream_peeks_reads_uninitialised_and_out_of_band() {
    let (a, b) = UnixStream::pair().unwrap();
    a.write(b"abc").unwrap();
    let mut buf = [0; 8];
    assert_eq!(b.peek(&mut buf).unwrap(), 3);
    let mut uninit = [std::mem::MaybeUninit::uninit(); 2];
    assert_eq!(b.read_uninit(&mut uninit).unwrap(), b"ab");
    assert_eq!(b.read(&mut buf).unwrap(), 1);

    match a.send_oob(b"xyz") {
        Err(error) => assert!(error.is_unsupported(), "{error}"),
        Ok(sent) => {
            assert_eq!(sent, 3);
            assert_eq!(b.recv_oob().unwrap(), b'z');
            assert_eq!(b.recv_oob().unwrap_err().errno(), Errno::EINVAL);
            assert_eq!(b.read(&mut buf).unwrap(), 2);
        }
    }
}
