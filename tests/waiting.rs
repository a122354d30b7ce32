//! Tests of waiting: how often a call that waits asks the kernel, and what ends the wait.
//!
//! This program defines poll(2) and connect(2) itself, in place of those of the C library. `poll`
//! and `connect` of this file make the system call and count the calls of each thread, so a busy
//! loop is recognized by its many calls. With the feature `inline-syscalls` sunpath does not call
//! them, and the tests that need them are skipped.
#![cfg(all(target_os = "linux", feature = "std", feature = "files"))]

mod fresh;
mod limit;
mod skip;

use std::cell::{Cell, RefCell};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use libc::{c_int, c_long, nfds_t, pollfd, sockaddr, socklen_t};
use sunpath::{
    ConnectOptions, Errno, Error, Shutdown, Socket, Stream, UnixAddr, UnixDatagram, UnixListener,
    UnixStream, serve,
};

/// A loop with this many polls counts as busy.
const BUSY: usize = 1000;

/// A time that is longer than any test waits.
const LONG: Duration = Duration::from_secs(3600);

type BeforePoll = Box<dyn FnMut(usize)>;

thread_local! {
    static POLLS: Cell<usize> = const { Cell::new(0) };
    static CONNECTS: Cell<usize> = const { Cell::new(0) };
    /// The number of polls, from the next one on, that fail as if a signal interrupted them.
    static SIGNALS: Cell<usize> = const { Cell::new(0) };
    /// The function that is called before each poll. The argument of the closure is how many polls
    /// were made before.
    static BEFORE_POLL: RefCell<Option<BeforePoll>> = const { RefCell::new(None) };
}

/// Makes the system call for poll(2), and counts it.
///
/// # Safety
///
/// - `fds` points to `n` entries.
#[unsafe(no_mangle)]
unsafe extern "C" fn poll(fds: *mut pollfd, n: nfds_t, milliseconds: c_int) -> c_int {
    let before = POLLS.replace(POLLS.get() + 1);
    assert!(before < BUSY, "a busy loop");
    BEFORE_POLL.with_borrow_mut(|action| {
        if let Some(action) = action {
            action(before);
        }
    });
    if let Some(left) = SIGNALS.get().checked_sub(1) {
        SIGNALS.set(left);
        sunpath::sys::set_errno(libc::EINTR);
        return -1;
    }
    let timeout = libc::timespec {
        tv_sec: (milliseconds / 1000).into(),
        tv_nsec: c_long::from(milliseconds % 1000) * 1_000_000,
    };
    let timeout = match milliseconds {
        0.. => &raw const timeout,
        _ => std::ptr::null(),
    };
    let mask = std::ptr::null::<libc::sigset_t>();
    // SAFETY: the caller guarantees `fds`. The timeout is live or null, and the mask is null.
    unsafe { libc::syscall(libc::SYS_ppoll, fds, n, timeout, mask, 8) as c_int }
}

/// Makes the system call for connect(2), and counts it.
///
/// # Safety
///
/// - `addr` points to `len` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn connect(fd: c_int, addr: *const sockaddr, len: socklen_t) -> c_int {
    CONNECTS.set(CONNECTS.get() + 1);
    // SAFETY: the caller guarantees `addr`.
    unsafe { libc::syscall(libc::SYS_connect, fd, addr, len) as c_int }
}

/// Runs `action`. Returns the result of `action`, and how often `action` called poll and connect.
fn counted<R>(action: impl FnOnce() -> R) -> (R, usize, usize) {
    POLLS.set(0);
    CONNECTS.set(0);
    let result = action();
    (result, POLLS.get(), CONNECTS.get())
}

/// Calls `action` before each poll of this thread.
fn before_poll(action: impl FnMut(usize) + 'static) {
    BEFORE_POLL.set(Some(Box::new(action)));
}

fn errno<T>(result: Result<T, Error>) -> Errno {
    result.map(drop).unwrap_err().errno()
}

fn nonblocking() -> UnixListener {
    let listener = UnixListener::autobind().unwrap();
    listener.set_nonblocking(true).unwrap();
    listener
}

#[test]
fn accept_timeout_of_a_nonblocking_listener_that_was_shut_down_is_einval() {
    if skip::if_calls_are_inline() {
        return;
    }
    for how in [Shutdown::Both, Shutdown::Read] {
        let listener = nonblocking();
        listener.as_socket().shutdown(how).unwrap();
        let (accepted, polls, _) = counted(|| listener.accept_timeout(LONG));
        assert_eq!((errno(accepted), polls), (Errno::EINVAL, 1), "{how:?}");
        assert_eq!(
            errno(listener.accept_timeout(Duration::ZERO)),
            Errno::EINVAL
        );
    }
}

#[test]
fn accept_timeout_ends_when_another_thread_shuts_the_listener_down() {
    if skip::if_calls_are_inline() {
        return;
    }
    for nonblocking in [true, false] {
        let listener = UnixListener::autobind().unwrap();
        listener.set_nonblocking(nonblocking).unwrap();
        let clone = listener.try_clone().unwrap();
        before_poll(move |_| {
            let other = clone.try_clone().unwrap();
            let shut = thread::spawn(move || other.as_socket().shutdown(Shutdown::Both));
            shut.join().unwrap().unwrap();
        });
        let (accepted, polls, _) = counted(|| listener.accept_timeout(LONG));
        assert_eq!((errno(accepted), polls), (Errno::EINVAL, 1));
    }
}

#[test]
fn accept_timeout_gives_what_was_queued_before_the_shutdown() {
    let listener = nonblocking();
    let addr = listener.local_addr().unwrap();
    let clients: [UnixStream; 2] = [(); 2].map(|()| UnixStream::connect_addr(&addr).unwrap());
    listener.as_socket().shutdown(Shutdown::Both).unwrap();
    for _ in &clients {
        listener.accept_timeout(LONG).unwrap();
    }
    assert_eq!(errno(listener.accept_timeout(LONG)), Errno::EINVAL);
    assert_eq!(errno(UnixStream::connect_addr(&addr)), Errno::ECONNREFUSED);
}

#[test]
fn accept_timeout_waits_without_asking_when_only_sending_was_shut_down() {
    if skip::if_calls_are_inline() {
        return;
    }
    let listener = nonblocking();
    listener.as_socket().shutdown(Shutdown::Write).unwrap();
    let (accepted, polls, _) = counted(|| listener.accept_timeout(Duration::from_millis(30)));
    assert_eq!(errno(accepted), Errno::ETIMEDOUT);
    assert!(polls <= 3, "{polls}");
}

#[test]
fn incoming_ends_when_the_listener_was_shut_down() {
    for nonblocking in [false, true] {
        let listener = UnixListener::autobind().unwrap();
        listener.set_nonblocking(nonblocking).unwrap();
        let addr = listener.local_addr().unwrap();
        let _clients = [(); 2].map(|()| UnixStream::connect_addr(&addr).unwrap());
        listener.as_socket().shutdown(Shutdown::Both).unwrap();
        let mut incoming = listener.incoming();
        let accepted = incoming.by_ref().take(5).map(Result::unwrap).count();
        assert_eq!(accepted, 2, "nonblocking {nonblocking}");
        assert!(incoming.next().is_none());
    }
}

#[test]
fn incoming_ends_for_a_thread_that_waits() {
    let listener = UnixListener::autobind().unwrap();
    let addr = listener.local_addr().unwrap();
    let clone = listener.try_clone().unwrap();
    let server = thread::spawn(move || clone.incoming().map(Result::unwrap).count());
    let client = UnixStream::connect_addr(&addr).unwrap();
    // The server has accepted and closed this connection. It waits for the next one or is about to.
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    listener.as_socket().shutdown(Shutdown::Both).unwrap();
    assert_eq!(server.join().unwrap(), 1);
}

#[test]
fn incoming_of_a_nonblocking_listener_without_a_client_is_eagain() {
    let listener = nonblocking();
    let mut incoming = listener.incoming();
    for _ in 0..2 {
        assert_eq!(errno(incoming.next().unwrap()), Errno::EAGAIN);
    }
    let _client = UnixStream::connect_addr(&listener.local_addr().unwrap()).unwrap();
    incoming.next().unwrap().unwrap();
}

/// Runs `action` in a child process, which has its own limits, and returns whether the result was
/// true.
fn in_a_child(action: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child makes system calls alone, and ends by _exit.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
    if pid == 0 {
        let status = if action() { 0 } else { 1 };
        // SAFETY: _exit ends this process and does nothing else.
        unsafe { libc::_exit(status) };
    }
    let mut status = 0;
    // SAFETY: `status` is a live int.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    status == 0
}

#[test]
fn accept_without_a_free_descriptor_fails_at_once_and_keeps_the_client() {
    let listener = UnixListener::autobind().unwrap();
    let addr = listener.local_addr().unwrap();
    let _client = UnixStream::connect_addr(&addr).unwrap();
    let emfile = |result: Result<(), Error>| result.is_err_and(|e| e.errno() == Errno::EMFILE);
    assert!(in_a_child(|| {
        let mut incoming = listener.incoming();
        // The limit is not 0, because poll(2) refuses more descriptors than the limit.
        let old = limit::descriptors(1);
        let full = (0..3).all(|_| emfile(incoming.next().unwrap().map(drop)))
            && emfile(listener.accept_timeout(LONG).map(drop));
        limit::descriptors(old);
        full && incoming.next().is_some_and(|client| client.is_ok())
    }));
}

/// Makes a fresh directory, which is removed when the first value is dropped, and a path in it that
/// does not exist.
fn fresh() -> (tempfile::TempDir, PathBuf) {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    (dir, path)
}

type Connect<'a> = &'a dyn Fn() -> Result<UnixStream, Error>;

/// Returns options with which connect waits for its server.
fn waiting() -> ConnectOptions {
    ConnectOptions::new().wait_for_server(true)
}

#[test]
fn connect_that_waits_for_its_server_finds_one_that_comes_late() {
    if skip::if_calls_are_inline() {
        return;
    }
    let (_dir, path) = fresh();
    let late = path.clone();
    let (mut bound, mut listener) = (None, None);
    let before = Rc::new(Cell::new(0));
    let connects_before = Rc::clone(&before);
    before_poll(move |polls| match polls {
        // Now the socket file exists, but the socket does not listen yet.
        2 => {
            let socket = Socket::<Stream>::new().unwrap();
            let addr = UnixAddr::from_pathname(&late).unwrap();
            socket.bind_to(&addr).unwrap();
            bound = Some(socket);
        }
        5 => {
            listener = bound.take().map(|socket| socket.listen(1).unwrap());
            connects_before.set(CONNECTS.get());
        }
        _ => assert!(polls < 5 || listener.is_none(), "it has come"),
    });
    let (connected, _, connects) = counted(|| waiting().timeout(LONG).connect::<Stream>(&path));
    connected.unwrap();
    // There is an attempt before each poll. There are more if the machine is busy, because a pause that
    // is over when it begins makes no poll.
    assert!((6..30).contains(&before.get()), "{before:?}");
    assert_eq!(connects, before.get() + 1);
    // The server listens now, so a client connects at once: without a timeout, and by an address.
    let addr = UnixAddr::from_pathname(&path).unwrap();
    waiting().connect_addr::<Stream>(&addr).unwrap();
}

#[test]
fn connect_that_waits_for_its_server_takes_paths_of_any_length() {
    if skip::if_calls_are_inline() {
        return;
    }
    let dir = fresh::dir();
    let long = dir.path().join("d".repeat(120));
    let path = long.join("a.sock");
    let late = path.clone();
    let mut listener = None;
    before_poll(move |polls| match polls {
        1 => fs::create_dir(&long).unwrap(),
        2 => listener = Some(UnixListener::bind_at(sunpath::CWD, &late).unwrap()),
        _ => assert!(listener.is_some() || polls == 0, "it has not come"),
    });
    waiting().connect::<Stream>(&path).unwrap();
}

#[test]
fn connect_that_waits_for_its_server_reports_at_last_what_is_there() {
    if skip::if_calls_are_inline() {
        return;
    }
    let timeout = Duration::from_millis(300);
    let (dir, path) = fresh();
    let dead = dir.path().join("dead.sock");
    drop(UnixListener::bind(&dead).unwrap());
    let nobody = UnixAddr::from_abstract(dir.path().as_os_str().as_encoded_bytes()).unwrap();
    let options = waiting().timeout(timeout);
    let by_path = |path: &Path| options.connect::<Stream>(path);
    let tries: [(Connect<'_>, Errno); 3] = [
        (&|| by_path(&path), Errno::ENOENT),
        (&|| by_path(&dead), Errno::ECONNREFUSED),
        (&|| options.connect_addr(&nobody), Errno::ECONNREFUSED),
    ];
    for (connect, expected) in tries {
        let began = Instant::now();
        let (connected, polls, connects) = counted(connect);
        assert_eq!(connected.unwrap_err().to_string(), {
            let call = "connect".to_owned();
            call + ": " + &expected.to_string()
        });
        assert!(began.elapsed() >= timeout);
        // The pauses are 1, 2, 4, ... milliseconds, but never longer than half of the remaining
        // time, so there are few attempts.
        assert!((1..30).contains(&connects), "{connects}");
        assert!(polls < 30, "{polls}");
    }
}

#[test]
fn connect_that_waits_for_its_server_does_not_try_more_often_because_of_signals() {
    if skip::if_calls_are_inline() {
        return;
    }
    let (_dir, path) = fresh();
    SIGNALS.set(BUSY / 2);
    let options = waiting().timeout(Duration::from_millis(300));
    let (connected, _, connects) = counted(|| options.connect::<Stream>(&path));
    assert_eq!(errno(connected), Errno::ENOENT);
    // On a slow kernel fewer pauses fit into the time, so the test asserts only that there was a
    // signal.
    assert!(SIGNALS.get() < BUSY / 2, "no signal");
    assert!(connects < 20, "{connects}");
}

#[test]
fn connect_that_waits_for_its_server_fails_at_once_for_other_reasons() {
    if skip::if_calls_are_inline() {
        return;
    }
    let (dir, path) = fresh();
    let at_once = |options: ConnectOptions, path: &Path| {
        let (connected, polls, _) = counted(|| options.connect::<Stream>(path));
        assert_eq!(polls, 0, "{connected:?}");
        connected.unwrap_err()
    };
    let file = dir.path().join("file");
    File::create(&file).unwrap();
    assert_eq!(
        at_once(waiting(), &file.join("below")).errno(),
        Errno::ENOTDIR
    );
    // For an empty path the errno is ENOENT, but no server can ever be there.
    let empty = at_once(waiting(), Path::new(""));
    assert_eq!(empty.sun_path(), Some(sunpath::SunPathError::Empty));
    let datagram = dir.path().join("datagram");
    let _socket = UnixDatagram::bind(&datagram).unwrap();
    assert_eq!(at_once(waiting(), &datagram).errno(), Errno::EPROTOTYPE);
    let late = at_once(waiting().timeout(Duration::ZERO), &path);
    assert_eq!(late.errno(), Errno::ETIMEDOUT);
    // Options that do not ask to wait for a server fail at once, too.
    assert_eq!(
        at_once(ConnectOptions::new().timeout(LONG), &path).errno(),
        Errno::ENOENT
    );
    // SAFETY: the call takes no arguments and cannot fail.
    if unsafe { libc::geteuid() } == 0 {
        return skip::skip("a user that modes restrict");
    }
    let closed = dir.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o000)).unwrap();
    assert_eq!(
        at_once(waiting(), &closed.join("a.sock")).errno(),
        Errno::EACCES
    );
}

#[test]
fn connect_that_waits_for_its_server_times_out_at_a_full_queue() {
    if skip::if_calls_are_inline() {
        return;
    }
    let (_dir, path) = fresh();
    let addr = UnixAddr::from_pathname(&path).unwrap();
    let socket = Socket::<Stream>::new().unwrap();
    socket.bind_to(&addr).unwrap();
    let _listener = socket.listen(0).unwrap();
    let _queued = UnixStream::connect(&path).unwrap();
    let options = waiting().timeout(Duration::from_millis(30));
    let (connected, polls, connects) = counted(|| options.connect::<Stream>(&path));
    assert_eq!(
        (errno(connected), polls, connects),
        (Errno::ETIMEDOUT, 0, 1)
    );
}

/// Opens files until no descriptor is free.
fn use_up_descriptors() -> Vec<File> {
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

#[test]
fn serve_incoming_goes_on_when_descriptors_are_free_again() {
    if skip::if_calls_are_inline() {
        return;
    }
    assert!(in_a_child(|| {
        let listener = UnixListener::autobind().unwrap();
        let addr = listener.local_addr().unwrap();
        let _queued = [(); 3].map(|()| UnixStream::connect_addr(&addr).unwrap());
        limit::descriptors(64);
        let reported = Cell::new(0);
        let mut clients = serve::incoming(&listener, |error| {
            assert_eq!(error.errno(), Errno::EMFILE);
            reported.set(reported.get() + 1);
        });
        // Each pair has an index and a duration. Descriptors become free before the poll of that
        // index. Until then the pauses take at least that many milliseconds.
        for (freed_before, milliseconds) in [(4, 5 + 10 + 20 + 40 + 80), (0, 5)] {
            let mut files = use_up_descriptors();
            before_poll(move |before| {
                if before == freed_before {
                    files.clear();
                }
            });
            let began = Instant::now();
            let (client, polls, _) = counted(|| clients.next());
            assert!(client.is_some());
            assert_eq!(polls, freed_before + 1);
            assert!(began.elapsed() >= Duration::from_millis(milliseconds));
        }
        // There were two times at which no descriptor was free, and each is reported once.
        reported.get() == 2
    }));
}

#[test]
fn serve_incoming_ends_at_once_if_it_is_shut_down_in_a_pause() {
    if skip::if_calls_are_inline() {
        return;
    }
    assert!(in_a_child(|| {
        let listener = UnixListener::autobind().unwrap();
        let _queued = UnixStream::connect_addr(&listener.local_addr().unwrap()).unwrap();
        let clone = listener.try_clone().unwrap();
        limit::descriptors(64);
        let _files = use_up_descriptors();
        let mut clients = serve::incoming(&listener, |_| ());
        before_poll(move |before| {
            if before == 2 {
                clone.as_socket().shutdown(Shutdown::Both).unwrap();
            }
        });
        let (client, polls, _) = counted(|| clients.next());
        client.is_none() && polls == 3 && clients.next().is_none()
    }));
}

#[test]
fn serve_incoming_of_a_nonblocking_listener_waits() {
    if skip::if_calls_are_inline() {
        return;
    }
    let listener = nonblocking();
    let addr = listener.local_addr().unwrap();
    before_poll(move |before| {
        assert_eq!(before, 0);
        // The client stays open and waits in the queue.
        std::mem::forget(UnixStream::connect_addr(&addr).unwrap());
    });
    let mut clients = serve::incoming(&listener, |error| panic!("{error}"));
    assert!(counted(|| clients.next()).0.is_some());
    before_poll(|_| ());
    listener.as_socket().shutdown(Shutdown::Both).unwrap();
    assert!(clients.next().is_none());
    assert!(clients.next().is_none());
    assert!(format!("{clients:?}").contains("listener: None"));
}
