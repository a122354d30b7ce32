//! Uses a socket over `sunpath-sys` in one of the usual ways, for example `faults stream`. Prints
//! "ok" or the errno, and whether a descriptor leaked. faults.c and safe/mod.rs do the same.

use std::env;
use std::ffi::CString;
use std::fs;
use std::mem::{MaybeUninit, size_of, take, zeroed};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::process::ExitCode;
use std::ptr;

use libc::c_int;
use sunpath_sys as sys;
use sys::{AF_UNIX, CMSG_DATA, CMSG_FIRSTHDR, CMSG_LEN, CMSG_SPACE, SOL_SOCKET};
use sys::{SOCK_CLOEXEC, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM};
use sys::{iovec, mmsghdr, msghdr, sockaddr_un, socklen_t, ucred};

// 1. Clean up: an error is an errno, and the path is removed at the end, even after an error.

type Answer<T> = Result<T, c_int>;

const PATH: &str = "s";

/// Returns the name of a directory. The name is longer than sun_path. `main` makes the directory
/// before the way begins.
fn deep() -> String {
    "d".repeat(150)
}

fn checked(result: isize) -> Answer<isize> {
    if result < 0 {
        Err(sys::errno())
    } else {
        Ok(result)
    }
}

/// Repeats a call as long as a signal interrupts it.
fn again(mut call: impl FnMut() -> isize) -> Answer<isize> {
    loop {
        match checked(call()) {
            Err(sys::EINTR) => {}
            answer => return answer,
        }
    }
}

fn owned(fd: isize) -> OwnedFd {
    // SAFETY: the kernel just made the descriptor, and nothing else owns it.
    unsafe { OwnedFd::from_raw_fd(fd as c_int) }
}

fn unlink(path: &str) -> Answer<()> {
    let path = CString::new(path).expect("the path has no NUL");
    // SAFETY: the path is a live string with its NUL.
    checked(unsafe { libc::unlink(path.as_ptr()) } as isize)?;
    Ok(())
}

struct File(String);

impl File {
    fn remove(mut self) -> Answer<()> {
        unlink(&take(&mut self.0))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if !self.0.is_empty() {
            let _ = unlink(&self.0);
        }
    }
}

// 2. Make calls, and print them.

fn new_socket(kind: c_int) -> Answer<OwnedFd> {
    // SAFETY: socket takes integers, no pointers.
    checked(unsafe { sys::socket(AF_UNIX, kind | SOCK_CLOEXEC, 0) } as isize).map(owned)
}

fn new_pair(kind: c_int) -> Answer<[OwnedFd; 2]> {
    let mut pair = [-1; 2];
    // SAFETY: `pair` has space for two descriptors.
    let result = unsafe { sys::socketpair(AF_UNIX, kind | SOCK_CLOEXEC, 0, pair.as_mut_ptr()) };
    checked(result as isize)?;
    Ok(pair.map(|fd| owned(fd as isize)))
}

type Address = (sockaddr_un, socklen_t);

fn address_of(path: &str) -> Address {
    sys::sockaddr_un_pathname(path.as_bytes()).expect("the path fits")
}

fn bind(fd: &OwnedFd, (addr, len): &Address) -> Answer<()> {
    // SAFETY: the address is live and has at least `len` bytes.
    let result = unsafe { sys::bind(fd.as_raw_fd(), ptr::from_ref(addr).cast(), *len) };
    checked(result as isize).map(drop)
}

fn listen(fd: &OwnedFd) -> Answer<()> {
    // SAFETY: listen takes integers, no pointers.
    checked(unsafe { sys::listen(fd.as_raw_fd(), 8) } as isize).map(drop)
}

fn connect(fd: &OwnedFd, (addr, len): &Address) -> Answer<()> {
    // SAFETY: the address is live and has at least `len` bytes.
    let call = || unsafe { sys::connect(fd.as_raw_fd(), ptr::from_ref(addr).cast(), *len) };
    again(|| call() as isize).map(drop)
}

fn accept(fd: &OwnedFd) -> Answer<OwnedFd> {
    let (addr, len) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: both pointers for the address are null.
    let call = || unsafe { sys::accept4(fd.as_raw_fd(), addr, len, SOCK_CLOEXEC) };
    again(|| call() as isize).map(owned)
}

fn send_hello(fd: &OwnedFd) -> Answer<()> {
    let (bytes, flags) = (b"hello", sys::MSG_NOSIGNAL);
    // SAFETY: pointer and length come from one live slice.
    let call = || unsafe { sys::send(fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), flags) };
    assert_eq!(again(call)?, 5);
    Ok(())
}

fn receive(fd: &OwnedFd, expected: isize) -> Answer<()> {
    let mut buf = [0; 8];
    // SAFETY: pointer and length come from one live slice.
    let call = || unsafe { sys::recv(fd.as_raw_fd(), buf.as_mut_ptr().cast(), buf.len(), 0) };
    assert_eq!(again(call)?, expected);
    Ok(())
}

// 3. Make messages with one byte and one control message.

/// A buffer for one control message, aligned as a header is.
#[repr(C, align(8))]
struct Control([u8; 64]);

fn message_over(iov: &mut iovec, control: &mut Control, size: usize) -> msghdr {
    // SAFETY: all zero bytes are a message: null pointers and lengths of 0.
    let mut message: msghdr = unsafe { zeroed() };
    message.msg_iov = iov;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = CMSG_SPACE(size) as _;
    message
}

fn pieces(bytes: &mut [u8]) -> iovec {
    iovec {
        iov_base: bytes.as_mut_ptr().cast(),
        iov_len: bytes.len(),
    }
}

fn send_control<T>(fd: &OwnedFd, kind: c_int, data: T) -> Answer<()> {
    let (mut byte, mut control) = (*b"x", Control([0; 64]));
    let mut iov = pieces(&mut byte);
    let message = message_over(&mut iov, &mut control, size_of::<T>());
    // SAFETY: the message has a live control buffer, with space for a header.
    let cmsg = unsafe { CMSG_FIRSTHDR(&raw const message) };
    // SAFETY: the header is in the buffer, which is aligned.
    let header = unsafe { &mut *cmsg };
    header.cmsg_level = SOL_SOCKET;
    header.cmsg_type = kind;
    header.cmsg_len = CMSG_LEN(size_of::<T>()) as _;
    // SAFETY: the header is in the buffer.
    let to = unsafe { CMSG_DATA(cmsg) };
    // SAFETY: after the header the buffer has space for the data.
    unsafe { to.cast::<T>().write_unaligned(data) };
    // SAFETY: everything that the message points to is live.
    let call = || unsafe { sys::sendmsg(fd.as_raw_fd(), &raw const message, sys::MSG_NOSIGNAL) };
    assert_eq!(again(call)?, 1);
    Ok(())
}

fn receive_control<T: Copy>(fd: &OwnedFd, kind: c_int) -> Answer<T> {
    let (mut byte, mut control) = (*b"-", Control([0; 64]));
    let mut iov = pieces(&mut byte);
    let mut message = message_over(&mut iov, &mut control, size_of::<T>());
    let flags = sys::MSG_CMSG_CLOEXEC;
    // SAFETY: everything that the message points to is live and may be written to.
    let call = || unsafe { sys::recvmsg(fd.as_raw_fd(), &raw mut message, flags) };
    assert_eq!(again(call)?, 1);
    // SAFETY: the kernel has set `msg_controllen` to the number of control bytes that it wrote.
    let cmsg = unsafe { CMSG_FIRSTHDR(&raw const message) };
    // SAFETY: `cmsg` is null, or a header in the buffer, which is aligned.
    let header = unsafe { cmsg.as_ref() }.expect("what was sent arrived");
    assert_eq!(header.cmsg_type, kind);
    assert_eq!(header.cmsg_len as usize, CMSG_LEN(size_of::<T>()));
    // SAFETY: the header is in the buffer.
    let from = unsafe { CMSG_DATA(cmsg) };
    // SAFETY: by `cmsg_len` the header is followed by a whole `T`, and every `T` in this file is an
    // integer.
    Ok(unsafe { from.cast::<T>().read_unaligned() })
}

fn getsockopt<T>(fd: &OwnedFd, option: c_int) -> Answer<T> {
    let mut value = MaybeUninit::<T>::uninit();
    let mut len = size_of::<T>() as socklen_t;
    let to = value.as_mut_ptr().cast();
    // SAFETY: `value` has space for `len` bytes.
    let result = unsafe { sys::getsockopt(fd.as_raw_fd(), SOL_SOCKET, option, to, &raw mut len) };
    checked(result as isize)?;
    assert_eq!(len as usize, size_of::<T>());
    // SAFETY: the kernel has written all of `value`, and every `T` in this file is an integer.
    Ok(unsafe { value.assume_init() })
}

// 4. Use sockets in the usual ways.

/// Makes a listener, connects to it, exchanges bytes, and closes the connection.
fn stream() -> Answer<()> {
    let listener = new_socket(SOCK_STREAM)?;
    bind(&listener, &address_of(PATH))?;
    let file = File(PATH.to_owned());
    listen(&listener)?;
    let client = new_socket(SOCK_STREAM)?;
    connect(&client, &address_of(PATH))?;
    let server = accept(&listener)?;
    send_hello(&client)?;
    receive(&server, 5)?;
    // SAFETY: shutdown takes integers, no pointers.
    checked(unsafe { sys::shutdown(client.as_raw_fd(), sys::SHUT_WR) } as isize)?;
    receive(&server, 0)?;
    file.remove()
}

fn datagram() -> Answer<()> {
    let server = new_socket(SOCK_DGRAM)?;
    let (addr, len) = address_of(PATH);
    bind(&server, &(addr, len))?;
    let file = File(PATH.to_owned());
    let client = new_socket(SOCK_DGRAM)?;
    let (fd, bytes, to) = (client.as_raw_fd(), b"hello", ptr::from_ref(&addr).cast());
    // SAFETY: bytes and address are live, with at least these lengths.
    again(|| unsafe { sys::sendto(fd, bytes.as_ptr().cast(), bytes.len(), 0, to, len) })?;
    receive(&server, 5)?;
    file.remove()
}

fn seqpacket() -> Answer<()> {
    let listener = new_socket(SOCK_SEQPACKET)?;
    bind(&listener, &address_of(PATH))?;
    let file = File(PATH.to_owned());
    listen(&listener)?;
    let client = new_socket(SOCK_SEQPACKET)?;
    connect(&client, &address_of(PATH))?;
    let server = accept(&listener)?;
    send_hello(&client)?;
    receive(&server, 5)?;
    file.remove()
}

/// Passes a descriptor through a socket, and uses it.
fn descriptor() -> Answer<()> {
    let [ours, theirs] = new_pair(SOCK_STREAM)?;
    let [kept, given] = new_pair(SOCK_STREAM)?;
    send_control(&ours, sys::SCM_RIGHTS, given.as_raw_fd())?;
    let received = owned(receive_control::<c_int>(&theirs, sys::SCM_RIGHTS)? as isize);
    send_hello(&received)?;
    receive(&kept, 5)
}

/// Sends two messages with one call, and receives two.
fn batch() -> Answer<()> {
    let [ours, theirs] = new_pair(SOCK_DGRAM)?;
    let mut data = [*b"one", *b"two"];
    let mut iov = data.each_mut().map(|data| pieces(data));
    // SAFETY: all zero bytes are a message: null pointers and lengths of 0.
    let mut messages: [mmsghdr; 2] = unsafe { zeroed() };
    for (message, iov) in messages.iter_mut().zip(&mut iov) {
        message.msg_hdr.msg_iov = iov;
        message.msg_hdr.msg_iovlen = 1;
    }
    let (at, flags) = (messages.as_mut_ptr(), sys::MSG_NOSIGNAL);
    // SAFETY: there are two messages at `at`, and everything that they point to is live.
    let call = || unsafe { sys::sendmmsg(ours.as_raw_fd(), at, 2, flags as _) };
    assert_eq!(again(|| call() as isize)?, 2);
    let (flags, forever) = (sys::MSG_WAITFORONE, ptr::null_mut());
    // SAFETY: the two messages are live, and everything that they point to may be written to.
    let call = || unsafe { sys::recvmmsg(theirs.as_raw_fd(), at, 2, flags as _, forever) };
    assert_eq!(again(|| call() as isize)?, 2);
    Ok(())
}

/// Asks for the peer's credentials, by option and by message.
fn identity() -> Answer<()> {
    let [ours, theirs] = new_pair(SOCK_STREAM)?;
    let (yes, len) = (1, size_of::<c_int>() as socklen_t);
    let (fd, from) = (theirs.as_raw_fd(), ptr::from_ref::<c_int>(&yes).cast());
    // SAFETY: the value is live and has `len` bytes.
    let result = unsafe { sys::setsockopt(fd, SOL_SOCKET, sys::SO_PASSCRED, from, len) };
    checked(result as isize)?;
    // SAFETY: geteuid takes nothing and cannot fail.
    let uid = unsafe { libc::geteuid() };
    // SAFETY: getegid takes nothing and cannot fail.
    let gid = unsafe { libc::getegid() };
    let pid = std::process::id() as i32;
    send_control(&ours, sys::SCM_CREDENTIALS, ucred { pid, uid, gid })?;
    assert_eq!(
        receive_control::<ucred>(&theirs, sys::SCM_CREDENTIALS)?.pid,
        pid
    );
    assert_eq!(getsockopt::<ucred>(&theirs, sys::SO_PEERCRED)?.pid, pid);
    Ok(())
}

/// Asks for the peer's pidfd.
fn peer_pidfd() -> Answer<()> {
    let [_ours, theirs] = new_pair(SOCK_STREAM)?;
    owned(getsockopt::<c_int>(&theirs, sys::SO_PEERPIDFD)? as isize);
    Ok(())
}

/// Lets the kernel choose a name, and connects to that name.
fn autobind() -> Answer<()> {
    let listener = new_socket(SOCK_STREAM)?;
    bind(&listener, &sys::sockaddr_un_unnamed())?;
    listen(&listener)?;
    let (mut addr, _) = sys::sockaddr_un_unnamed();
    let mut len = size_of::<sockaddr_un>() as socklen_t;
    let (fd, to) = (listener.as_raw_fd(), ptr::from_mut(&mut addr).cast());
    // SAFETY: `addr` has space for `len` bytes.
    checked(unsafe { sys::getsockname(fd, to, &raw mut len) } as isize)?;
    let client = new_socket(SOCK_STREAM)?;
    connect(&client, &(addr, len))?;
    accept(&listener)?;
    Ok(())
}

/// Binds and connects to a path that does not fit, through a descriptor of its directory.
fn at() -> Answer<()> {
    let listener = new_socket(SOCK_STREAM)?;
    let dir = CString::new(deep()).expect("the path has no NUL");
    let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
    // SAFETY: the path is a live string with its NUL.
    let dir = owned(again(
        || unsafe { libc::open(dir.as_ptr(), flags) } as isize
    )?);
    let alias = address_of(&format!("/proc/self/fd/{}/{PATH}", dir.as_raw_fd()));
    bind(&listener, &alias)?;
    let file = File(format!("{}/{PATH}", deep()));
    listen(&listener)?;
    let client = new_socket(SOCK_STREAM)?;
    connect(&client, &alias)?;
    accept(&listener)?;
    file.remove()
}

// 5. Run one way: two calls of dup(-1) mark its beginning and its end in a trace.

type Way = fn() -> Answer<()>;

const WAYS: [(&str, Way); 9] = [
    ("stream", stream),
    ("datagram", datagram),
    ("seqpacket", seqpacket),
    ("descriptor", descriptor),
    ("batch", batch),
    ("identity", identity),
    ("pidfd", peer_pidfd),
    ("autobind", autobind),
    ("at", at),
];

fn mark() {
    // SAFETY: dup takes an int; -1 is not a descriptor, so nothing is duplicated.
    unsafe { libc::dup(-1) };
}

/// Returns how many descriptors are open. The function asks by fcntl(2), because no fault is
/// injected into it.
fn open_descriptors() -> usize {
    // SAFETY: F_GETFD has no argument, and reports EBADF if the descriptor is not open.
    let is_open = |fd: &i32| unsafe { libc::fcntl(*fd, libc::F_GETFD) } != -1;
    (0..64).filter(is_open).count()
}

pub(crate) fn main() -> ExitCode {
    let name = env::args().nth(2).unwrap_or_default();
    let way = WAYS.iter().find(|(known, _)| *known == name);
    let (_, way) = way.expect("the argument is a way");
    fs::create_dir(deep()).expect("the current directory is fresh");
    let before = open_descriptors();

    mark();
    let answer = way();
    mark();

    let leaked = open_descriptors() - before;
    let _ = fs::remove_dir(deep());
    match answer {
        Ok(()) => print!("ok"),
        Err(errno) => print!("{}", sys::errno_name(errno).unwrap_or("E?")),
    }
    println!(", leaked {leaked}");
    ExitCode::from(u8::from(answer.is_err()))
}
