//! Tests that calls in a signal handler and between fork and exec allocate nothing and need little
//! stack, as `guide::signals_threads_fork` says.
#![cfg(all(target_os = "linux", feature = "std", feature = "files"))]

mod fresh;
mod limit;
mod skip;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::SIGUSR1;
use signal_hook::low_level;
use sunpath::ancillary::{
    Control, Credentials, Outgoing, RecvBatch, RecvSlots, Rights, SendBatch, SendSlots,
};
use sunpath::fd::{IoSlice, IoSliceMut};
use sunpath::socket::Kind;
use sunpath::{
    BindOptions, CWD, ConnectOptions, Dir, Errno, Error, Existing, Shutdown, Socket, SocketRef,
    Stream, SunPathError, UnixAddr, UnixDatagram, UnixListener, UnixSeqpacket, UnixStream, probe,
};

/// A limit of descriptors that is enough for all tests of this file at the same time, each of which
/// passes 253.
const DESCRIPTORS: libc::rlim_t = 1024;

/// The system's allocator. This allocator records each call that a thread makes in a handler or in
/// a child, where allocating is forbidden. The allocator can raise a signal in the middle of an
/// allocation.
struct Watched;

thread_local! {
    static FORBIDDEN: Cell<bool> = const { Cell::new(false) };
    static RAISE: Cell<bool> = const { Cell::new(false) };
}

/// Whether something was allocated or freed where that is forbidden.
static ALLOCATED: AtomicBool = AtomicBool::new(false);

// SAFETY: all calls go to the system's allocator; the code before these calls neither allocates nor
// unwinds.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if FORBIDDEN.get() {
            ALLOCATED.store(true, Ordering::Relaxed);
        }
        if RAISE.replace(false) {
            let _ = low_level::raise(SIGUSR1);
        }
        // SAFETY: the caller keeps the promises of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        if FORBIDDEN.get() {
            ALLOCATED.store(true, Ordering::Relaxed);
        }
        // SAFETY: the caller keeps the promises of the system's allocator.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watched = Watched;

/// Runs `action`, which must not allocate. Returns the errno of its failure, or 0.
fn without_allocation(action: impl FnOnce() -> Result<(), Error>) -> i32 {
    FORBIDDEN.set(true);
    let result = action();
    FORBIDDEN.set(false);
    result.map_or_else(|error| error.errno().raw(), |()| 0)
}

/// Makes every type of call. The directory is empty before and after.
fn every_call(dir: &Path) -> Result<(), Error> {
    let dir = Dir::open(dir)?;
    addresses_and_streams()?;
    messages()?;
    ancillary_data::<Stream>()?;
    batches()?;
    files(&dir)
}

fn addresses_and_streams() -> Result<(), Error> {
    let mut addr = UnixAddr::from_text(b"/run/app.sock")?;
    addr.set_pathname(b"/run/other.sock").map_err(Error::from)?;
    let (a, b) = UnixStream::pair()?;
    a.write_all(b"hello")?;
    a.write_vectored(&[IoSlice::new(b"wor"), IoSlice::new(b"ld")])?;
    let mut buf = [0; 8];
    b.read_exact(&mut buf)?;
    b.peek(&mut buf)?;
    b.read_vectored(&mut [IoSliceMut::new(&mut buf)])?;
    a.wait_readable(Some(Duration::ZERO))?;
    a.set_read_timeout(Some(Duration::from_millis(1)))?;
    fails(a.read(&mut buf), Errno::EAGAIN)?;
    a.set_nonblocking(true)?;
    a.peer_cred()?;
    a.local_addr()?;
    a.peer_addr()?;
    a.send_buffer_size()?;
    a.take_error()?;
    SocketRef::<Stream>::from(&a).write(b"x")?;
    a.try_clone()?.shutdown(Shutdown::Write)?;
    fails(a.write(b"x"), Errno::EPIPE)?;
    let listener = UnixListener::autobind()?;
    let client = UnixStream::connect_addr(&listener.local_addr()?)?;
    listener.accept().map(drop)?;
    client.shutdown(Shutdown::Both)
}

fn messages() -> Result<(), Error> {
    let (a, b) = UnixSeqpacket::pair()?;
    a.send(b"hello")?;
    let received = b.recv(&mut [0; 2])?;
    let (a, b) = UnixDatagram::pair()?;
    a.send(&[0; 5][..received.len()])?;
    b.recv_from(&mut [0; 8]).map(drop)
}

fn ancillary_data<T: Kind>() -> Result<(), Error> {
    let (a, b) = Socket::<T>::pair()?;
    a.send_fd(&a)?;
    drop(b.recv_fd()?);
    // The message is the largest that fits, and needs the largest buffer.
    let mut buf = [0; 8];
    a.send_fds(b"x", &[a.as_fd(); 253])?;
    drop(b.recv_fds::<253>(&mut buf)?);
    match b.set_pass_credentials(true) {
        Err(error) if error.is_unsupported() => return Ok(()),
        set => set?,
    }
    a.send_with_credentials(b"x", Credentials::own())?;
    match b.recv_with_credentials(&mut buf)? {
        (_, Some(sender)) if sender == Credentials::own() => Ok(()),
        _ => Err(SunPathError::Unsupported.into()),
    }
}

fn batches() -> Result<(), Error> {
    let (a, b) = UnixSeqpacket::pair()?;
    let (bytes, fds) = ([IoSlice::new(b"x")], [a.as_fd()]);
    let control = [Control::Rights(&fds)];
    let mut slots = SendSlots::<2, Rights<1>>::new();
    let mut sending = SendBatch::new(&mut slots);
    for _ in 0..2 {
        sending.push(Outgoing::new(&bytes).control(&control))?;
    }
    a.sendmmsg(&mut sending)?;
    let (mut slots, mut bufs) = (RecvSlots::<2, Rights<1>>::new(), [[0; 4]; 2]);
    let mut receiving = RecvBatch::new(&mut slots, &mut bufs);
    b.recvmmsg(&mut receiving).map(drop)
}

fn files(dir: &Dir) -> Result<(), Error> {
    let options = BindOptions::new()
        .mode(0o600)
        .existing(Existing::ReplaceStale);
    let listener = options.bind_at::<UnixListener>(dir, "a.sock")?;
    let client = UnixStream::connect_at(dir, "a.sock")?;
    let (server, _) = listener.accept()?;
    server.write(b"x")?;
    listener.is_in_place()?;
    drop(client);
    fails(
        listener.accept_timeout(Duration::from_millis(1)),
        Errno::ETIMEDOUT,
    )?;
    listener.close_and_unlink()?;
    fails(
        ConnectOptions::new().connect_at::<Stream>(dir, "a.sock"),
        Errno::ENOENT,
    )?;
    let long = [b'x'; 200];
    fails(UnixStream::connect_at(CWD, long), Errno::ENOENT)?;
    probe(long).map(drop)
}

/// Checks that the call fails with this errno. Any other result is returned as an error, because a
/// panic would allocate.
fn fails<R>(result: Result<R, Error>, errno: Errno) -> Result<(), Error> {
    match result {
        Ok(_) => Err(SunPathError::Unsupported.into()),
        Err(error) if error.errno() == errno => Ok(()),
        Err(error) => Err(error),
    }
}

/// The signal arrives in the middle of an allocation. If the handler allocated there, it could wait
/// forever for the allocator's lock.
#[test]
fn handlers_make_every_call_without_an_allocation() {
    if limit::unless_descriptors(DESCRIPTORS) {
        return;
    }
    static ERRNO: AtomicI32 = AtomicI32::new(-1);
    let dir = fresh::dir();
    let path = dir.path().to_owned();
    let handler = move || {
        let errno = without_allocation(|| every_call(&path));
        ERRNO.store(errno, Ordering::Relaxed);
    };
    // SAFETY: the handler makes calls that a handler may make.
    unsafe { low_level::register(SIGUSR1, handler) }.unwrap();
    RAISE.set(true);
    drop(black_box(Box::new(1)));
    assert_eq!(ERRNO.load(Ordering::Relaxed), 0);
    assert!(!ALLOCATED.load(Ordering::Relaxed));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

/// The handler runs on a stack that was filled with a known byte. The bytes that have changed show
/// how much of the stack it used.
#[test]
fn handlers_have_enough_of_64_kib_of_stack() {
    const FILLED: u8 = 0xa5;
    const SIZE: usize = 256 << 10;
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    static ERRNO: AtomicI32 = AtomicI32::new(-1);
    extern "C" fn handler(_: libc::c_int) {
        let dir = DIR.get().expect("set before the signal");
        let errno = without_allocation(|| every_call(dir));
        ERRNO.store(errno, Ordering::Relaxed);
    }

    if limit::unless_descriptors(DESCRIPTORS) {
        return;
    }
    let dir = fresh::dir();
    DIR.set(dir.path().to_owned()).unwrap();
    let mut stack = vec![FILLED; SIZE];
    let alternate = libc::stack_t {
        ss_sp: stack.as_mut_ptr().cast(),
        ss_flags: 0,
        ss_size: SIZE,
    };
    let mut before = MaybeUninit::uninit();
    // SAFETY: `alternate` exists until another stack is set below.
    let set = unsafe { libc::sigaltstack(&alternate, before.as_mut_ptr()) };
    assert_eq!(set, 0);
    // SAFETY: all zeroes is a valid sigaction.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = handler as *const () as usize;
    action.sa_flags = libc::SA_ONSTACK;
    // SAFETY: `action` is live, and the handler makes calls that a handler may make.
    let set = unsafe { libc::sigaction(libc::SIGUSR2, &action, ptr::null_mut()) };
    assert_eq!(set, 0);
    // SAFETY: raise takes an integer; the handler runs in this thread before raise returns.
    let raised = unsafe { libc::raise(libc::SIGUSR2) };
    assert_eq!(raised, 0);
    // SAFETY: `before` was written by sigaltstack.
    let set = unsafe { libc::sigaltstack(before.as_ptr(), ptr::null_mut()) };
    assert_eq!(set, 0);

    assert_eq!(ERRNO.load(Ordering::Relaxed), 0);
    let untouched = stack.iter().take_while(|byte| **byte == FILLED).count();
    let used = SIZE - untouched;
    assert!((8 << 10..64 << 10).contains(&used), "{used} bytes of stack");
}

/// The process forks while other threads allocate without a pause, so the allocator's lock may be
/// held in the child.
#[test]
fn handlers_and_the_child_of_a_process_with_threads_make_the_same_calls() {
    if limit::unless_descriptors(DESCRIPTORS) {
        return;
    }
    let dir = fresh::dir();
    let stop = AtomicBool::new(false);
    let status = thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    drop(black_box(vec![0; 64]));
                }
            });
        }
        // SAFETY: the child makes calls that a handler may make, and ends by _exit.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            let errno = without_allocation(|| every_call(dir.path()));
            let allocated = ALLOCATED.load(Ordering::Relaxed);
            // SAFETY: _exit ends this process and does nothing else.
            unsafe { libc::_exit(errno | i32::from(allocated)) };
        }
        let mut status = -1;
        // SAFETY: `status` is a live int.
        unsafe { libc::waitpid(pid, &mut status, 0) };
        stop.store(true, Ordering::Relaxed);
        status
    });
    assert_eq!(status, 0);
}
