//! Runs a child process, counts its system calls, and makes one of them fail or be the last. A
//! seccomp filter makes the kernel ask this process about every call of the child before it is
//! made.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs;
use std::io::Error;
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::ptr;

use crate::calls::{SOCKETCALL, in_socketcall};

/// The system call number of fchmodat2(2), which the libc crate does not have for every
/// architecture.
pub(crate) const SYS_FCHMODAT2: libc::c_long = libc::SYS_close_range + (452 - 436);

/// The system call numbers of fstatat(2), fstat(2), geteuid(2) and mmap(2), whose calls have other
/// names on 32-bit systems.
#[cfg(target_pointer_width = "64")]
pub(crate) const FSTATAT: libc::c_long = libc::SYS_newfstatat;
#[cfg(target_pointer_width = "64")]
pub(crate) const FSTAT: libc::c_long = libc::SYS_fstat;
#[cfg(target_pointer_width = "64")]
const GETEUID: libc::c_long = libc::SYS_geteuid;
#[cfg(target_pointer_width = "64")]
const MMAP: libc::c_long = libc::SYS_mmap;

#[cfg(target_pointer_width = "32")]
pub(crate) const FSTATAT: libc::c_long = libc::SYS_statx;
#[cfg(target_pointer_width = "32")]
pub(crate) const FSTAT: libc::c_long = libc::SYS_fstat64;
#[cfg(target_pointer_width = "32")]
const GETEUID: libc::c_long = libc::SYS_geteuid32;
#[cfg(target_pointer_width = "32")]
const MMAP: libc::c_long = libc::SYS_mmap2;

/// The outcome that the supervisor chooses for one of the calls, which are counted from 0, or for
/// all calls.
#[derive(Clone, Copy)]
pub(crate) enum Fate<'a> {
    /// All calls are made.
    Live,
    /// The child is killed in place of the call.
    Kill(usize),
    /// The call is not made, and fails with this errno.
    Fail(usize, i32),
    /// The supervisor calls this function, which acts as another process. Then the call is made.
    Meddle(usize, &'a dyn Fn()),
    /// This function answers every call in place of the kernel: with a negative errno, or with the
    /// value that a successful call returns. If the function returns `None`, the kernel makes the
    /// call.
    As(&'a dyn Fn(&Asked) -> Option<i64>),
}

/// A call that the child is about to make.
#[derive(Debug)]
pub(crate) struct Asked {
    pid: i32,
    pub(crate) nr: libc::c_long,
    pub(crate) args: [u64; 6],
}

impl Asked {
    /// Returns the path to which an argument of the call points.
    pub(crate) fn path(&self, argument: usize) -> Vec<u8> {
        self.path_after(argument, 0)
    }

    /// Returns the path that begins `skipped` bytes after the address to which an argument points,
    /// as in a `struct sockaddr_un`.
    pub(crate) fn path_after(&self, argument: usize, skipped: u64) -> Vec<u8> {
        let memory = fs::File::open(format!("/proc/{}/mem", self.pid)).unwrap();
        let mut bytes = [0; 256];
        let len = memory
            .read_at(&mut bytes, self.args[argument] + skipped)
            .unwrap();
        let end = bytes[..len].iter().position(|byte| *byte == 0);
        bytes[..end.unwrap()].to_vec()
    }
}

/// The points that the child reports to the supervisor while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Phase {
    /// The point from which on calls are counted.
    Begin = 0x5100,
    /// The child has called bind, whose errno it reports, or 0.
    Bound,
    /// The program has ended, and the child reports its errno, or 0.
    Dropped,
}

/// The record of what a child did.
#[derive(Debug, Default)]
pub(crate) struct Story {
    /// The number of calls that the child made between `Begin` and `Dropped`.
    pub(crate) calls: usize,
    /// The system call number of the call that the fate changed.
    pub(crate) hit: Option<i32>,
    /// The system call number of the call before that one.
    pub(crate) hit_follows: Option<i32>,
    pub(crate) hit_after_bound: bool,
    pub(crate) bound: Option<i32>,
    pub(crate) dropped: Option<i32>,
    /// The descriptors of the child at the beginning, and after bind.
    pub(crate) descriptors: [BTreeSet<RawFd>; 2],
}

/// Tells the supervisor that this process, the child, has reached a point.
pub(crate) fn say(phase: Phase, errno: i32) {
    // SAFETY: getpgid takes an integer, and the supervisor answers instead of the kernel.
    unsafe { libc::syscall(libc::SYS_getpgid, phase as libc::c_long, errno) };
}

/// The calls that the supervisor is not asked about, because the test's own code makes them between
/// the library's calls.
const UNASKED: &[libc::c_long] = &[
    libc::SYS_write,
    libc::SYS_sendmsg,
    libc::SYS_exit_group,
    libc::SYS_brk,
    MMAP,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_sched_yield,
];

/// The calls that cannot fail, and close(2), whose result the library ignores.
const UNFAILING: &[libc::c_long] = &[
    libc::SYS_getpid,
    GETEUID,
    libc::SYS_clock_gettime,
    libc::SYS_close,
];

/// Runs a program in a child process until it ends or is killed, and returns what it did.
pub(crate) fn run(fate: Fate<'_>, program: impl FnOnce()) -> Story {
    let (here, there) = UnixStream::pair().unwrap();
    // SAFETY: the child runs the program and ends by _exit.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", Error::last_os_error());
    if pid == 0 {
        drop(here);
        let ended = catch_unwind(AssertUnwindSafe(|| {
            send_descriptor(&there, &install_filter());
            drop(there);
            program();
        }));
        // SAFETY: _exit ends this process and does nothing else.
        unsafe { libc::_exit(if ended.is_ok() { 0 } else { 101 }) };
    }
    drop(there);
    let listener = receive_descriptor(&here);
    let story = supervise(&listener, pid, fate);
    drop(listener);
    let mut status = 0;
    // SAFETY: `status` is a live int.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    match (fate, story.hit) {
        (Fate::Kill(_), Some(_)) => assert!(libc::WIFSIGNALED(status), "{story:?}"),
        _ => assert_eq!(status, 0, "{story:?}"),
    }
    story
}

/// Returns `false` for a call that makes a descriptor without close-on-exec.
fn makes_close_on_exec(asked: &libc::seccomp_data) -> bool {
    let flags = |argument: usize| asked.args[argument] as libc::c_int;
    match libc::c_long::from(asked.nr) {
        libc::SYS_openat => flags(2) & libc::O_CLOEXEC != 0,
        libc::SYS_socket | libc::SYS_socketpair => flags(1) & libc::SOCK_CLOEXEC != 0,
        libc::SYS_accept4 => flags(3) & libc::SOCK_CLOEXEC != 0,
        _ => true,
    }
}

fn supervise(listener: &OwnedFd, pid: i32, fate: Fate<'_>) -> Story {
    let mut story = Story::default();
    let (mut counts, mut last) = (false, None);
    while let Some(asked) = next(listener) {
        let (nr, args) = by_its_own_number(pid, &asked.data);
        let [phase, errno, ..] = args;
        let said = (nr == libc::SYS_getpgid as i32).then_some(phase);
        let mut answer_with = None;
        match said {
            Some(phase) if phase == Phase::Begin as u64 => {
                story.descriptors[0] = descriptors_of(pid);
                counts = true;
            }
            Some(phase) if phase == Phase::Bound as u64 => {
                story.descriptors[1] = descriptors_of(pid);
                story.bound = Some(errno as i32);
            }
            Some(phase) if phase == Phase::Dropped as u64 => {
                story.dropped = Some(errno as i32);
                counts = false;
            }
            _ if counts => {
                assert!(makes_close_on_exec(&asked.data), "{:?}", asked.data.args);
                let this = story.calls;
                let last = last.replace(nr);
                story.calls += 1;
                match fate {
                    Fate::Kill(at) if at == this => {
                        story.hit = Some(nr);
                        // SAFETY: kill takes integers; the child has not been waited for yet.
                        assert_eq!(unsafe { libc::kill(pid, libc::SIGKILL) }, 0);
                        return story;
                    }
                    Fate::Fail(at, errno)
                        if at == this && !UNFAILING.contains(&libc::c_long::from(nr)) =>
                    {
                        story.hit = Some(nr);
                        answer_with = Some(-i64::from(errno));
                    }
                    Fate::Meddle(at, meddle) if at == this => {
                        story.hit = Some(nr);
                        story.hit_follows = last;
                        story.hit_after_bound = story.bound.is_some();
                        meddle();
                    }
                    Fate::As(kernel) => {
                        answer_with = kernel(&Asked {
                            pid,
                            nr: nr.into(),
                            args,
                        });
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        answer(listener, asked.id, answer_with);
    }
    story
}

/// Returns the system call number and the arguments of a call. For socketcall(2) the result
/// describes the call that its first argument selects.
fn by_its_own_number(pid: i32, asked: &libc::seccomp_data) -> (i32, [u64; 6]) {
    let [selected, at, ..] = asked.args;
    if SOCKETCALL != Some(asked.nr.into()) {
        return (asked.nr, asked.args);
    }
    let is_selected = |call: &&libc::c_long| in_socketcall(**call).contains(&(selected as u32));
    let Some(call) = ON_SOCKETS.iter().find(is_selected) else {
        return (asked.nr, asked.args);
    };
    let word = mem::size_of::<usize>();
    let mut args = [0; 6];
    let memory = fs::File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut bytes = [0; 6 * mem::size_of::<usize>()];
    let len = memory.read_at(&mut bytes, at).unwrap();
    for (arg, bytes) in args.iter_mut().zip(bytes[..len].chunks_exact(word)) {
        *arg = usize::from_ne_bytes(bytes.try_into().unwrap()) as u64;
    }
    (*call as i32, args)
}

/// The calls that socketcall(2) may make.
const ON_SOCKETS: &[libc::c_long] = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_listen,
    libc::SYS_accept4,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    libc::SYS_getsockopt,
    libc::SYS_setsockopt,
    libc::SYS_shutdown,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_recvmmsg,
];

/// Returns the descriptors of a process. The descriptor by which this function reads the list is
/// left out.
pub(crate) fn descriptors_of(process: impl Display) -> BTreeSet<RawFd> {
    let folder = format!("/proc/{process}/fd");
    let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap());
    let is_this = |path: &Path| fs::read_link(path).is_ok_and(|to| to.ends_with("fd"));
    entries
        .filter(|entry| !is_this(&entry.path()))
        .map(|entry| entry.file_name().to_str().unwrap().parse().unwrap())
        .collect()
}

/// Returns the next call that the child is about to make, or `None` if the child has ended.
fn next(listener: &OwnedFd) -> Option<libc::seccomp_notif> {
    let mut slot = libc::pollfd {
        fd: listener.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: `slot` is one live pollfd.
    assert_eq!(unsafe { libc::poll(&mut slot, 1, -1) }, 1);
    if slot.revents & libc::POLLIN == 0 {
        return None;
    }
    // SAFETY: all zeroes is a valid seccomp_notif, and the kernel requires zeroes.
    let mut asked: libc::seccomp_notif = unsafe { mem::zeroed() };
    let request = libc::SECCOMP_IOCTL_NOTIF_RECV;
    // SAFETY: the request writes a seccomp_notif, and `asked` is live.
    match unsafe { libc::ioctl(listener.as_raw_fd(), request, &raw mut asked) } {
        0 => Some(asked),
        _ => None,
    }
}

/// Lets the kernel make the call if `result` is `None`, or returns `result` in place of the call: a
/// value or a negative errno.
fn answer(listener: &OwnedFd, id: u64, result: Option<i64>) {
    let flags = match result {
        None => libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32,
        Some(_) => 0,
    };
    let result = result.unwrap_or(0);
    let response = libc::seccomp_notif_resp {
        id,
        val: result.max(0),
        error: result.min(0) as i32,
        flags,
    };
    let request = libc::SECCOMP_IOCTL_NOTIF_SEND;
    // SAFETY: the request reads a seccomp_notif_resp, and `response` is live.
    unsafe { libc::ioctl(listener.as_raw_fd(), request, &raw const response) };
}

/// Installs the filter. From here on the supervisor is asked about every call of this thread.
fn install_filter() -> OwnedFd {
    let instruction = |code: u32, k: u32, jt: usize| libc::sock_filter {
        code: code as u16,
        jt: jt as u8,
        jf: 0,
        k,
    };
    // The number of the system call is the first field of struct seccomp_data.
    let mut filter = vec![instruction(
        libc::BPF_LD | libc::BPF_W | libc::BPF_ABS,
        0,
        0,
    )];
    for (at, nr) in UNASKED.iter().enumerate() {
        let code = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
        filter.push(instruction(code, *nr as u32, UNASKED.len() - at));
    }
    let ret = libc::BPF_RET | libc::BPF_K;
    filter.push(instruction(ret, libc::SECCOMP_RET_USER_NOTIF, 0));
    filter.push(instruction(ret, libc::SECCOMP_RET_ALLOW, 0));
    let program = libc::sock_fprog {
        len: filter.len() as u16,
        filter: filter.as_mut_ptr(),
    };
    // SAFETY: PR_SET_NO_NEW_PRIVS takes integers, no pointers.
    let no_new_privs = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(no_new_privs, 0);
    let (mode, flags) = (
        libc::SECCOMP_SET_MODE_FILTER,
        libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
    );
    // SAFETY: `program` is a live sock_fprog over live instructions.
    let fd = unsafe { libc::syscall(libc::SYS_seccomp, mode, flags, &raw const program) };
    assert!(fd >= 0, "seccomp: {}", Error::last_os_error());
    // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
    unsafe { OwnedFd::from_raw_fd(fd as RawFd) }
}

/// A message of one byte, with space for one descriptor.
struct Message {
    byte: u8,
    iov: libc::iovec,
    control: [u64; 4],
}

impl Message {
    const fn new() -> Self {
        Self {
            byte: 0,
            iov: libc::iovec {
                iov_base: ptr::null_mut(),
                iov_len: 1,
            },
            control: [0; 4],
        }
    }

    /// Returns a header that points into this value. The caller must neither move nor drop the
    /// value while it uses the header.
    fn header(&mut self) -> libc::msghdr {
        self.iov.iov_base = (&raw mut self.byte).cast();
        // SAFETY: all zeroes is a valid msghdr.
        let mut msg: libc::msghdr = unsafe { mem::zeroed() };
        msg.msg_iov = &raw mut self.iov;
        msg.msg_iovlen = 1;
        msg.msg_control = self.control.as_mut_ptr().cast();
        // SAFETY: the function only computes a size.
        msg.msg_controllen = unsafe { libc::CMSG_SPACE(4) } as _;
        msg
    }
}

/// Sends one descriptor by one system call, which the supervisor is not asked about.
fn send_descriptor(socket: &UnixStream, fd: &OwnedFd) {
    let mut message = Message::new();
    let msg = message.header();
    // SAFETY: `msg` has a control buffer.
    let header = unsafe { libc::CMSG_FIRSTHDR(&msg) };
    // SAFETY: the buffer has space for a header, and is aligned to 8.
    let header = unsafe { &mut *header };
    // SAFETY: the function only computes a size.
    header.cmsg_len = unsafe { libc::CMSG_LEN(4) } as _;
    (header.cmsg_level, header.cmsg_type) = (libc::SOL_SOCKET, libc::SCM_RIGHTS);
    // SAFETY: after the header the buffer has space for an int.
    let data = unsafe { libc::CMSG_DATA(header) };
    // SAFETY: after the header the buffer has space for an int.
    unsafe { ptr::write_unaligned(data.cast(), fd.as_raw_fd()) };
    // SAFETY: everything that `msg` points to is live.
    let sent = unsafe { libc::syscall(libc::SYS_sendmsg, socket.as_raw_fd(), &raw const msg, 0) };
    assert_eq!(sent, 1);
}

fn receive_descriptor(socket: &UnixStream) -> OwnedFd {
    let mut message = Message::new();
    let mut msg = message.header();
    let flags = libc::MSG_CMSG_CLOEXEC;
    // SAFETY: everything that `msg` points to is live.
    let received = unsafe { libc::recvmsg(socket.as_raw_fd(), &mut msg, flags) };
    assert_eq!(received, 1, "the child has a filter");
    // SAFETY: `msg` has a control buffer that the kernel has written.
    let header = unsafe { libc::CMSG_FIRSTHDR(&msg) };
    assert!(!header.is_null());
    // SAFETY: the buffer has a header, followed by one descriptor.
    let data = unsafe { libc::CMSG_DATA(header) };
    // SAFETY: the buffer has a header, followed by one descriptor.
    let fd = unsafe { ptr::read_unaligned(data.cast::<RawFd>()) };
    // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}
