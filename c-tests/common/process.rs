//! Functions for child processes, for other users, and for printing ids in words. `process.c` does
//! the same in C.

use std::env;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering::Relaxed};

use libc::{c_int, pid_t};
use sunpath_sys as sys;

/// A process that drops its privileges becomes this user and group, without supplementary groups.
pub(crate) const UNPRIVILEGED: u32 = 65534;

// 1. Make processes: flush the output before a fork, so that it is printed once.

static OWN_UID: AtomicU32 = AtomicU32::new(0);
static OWN_GID: AtomicU32 = AtomicU32::new(0);
static LAST_CHILD: AtomicI32 = AtomicI32::new(0);

pub(crate) fn own_uid() -> u32 {
    // SAFETY: geteuid takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

fn own_gid() -> u32 {
    // SAFETY: getegid takes nothing and cannot fail.
    unsafe { libc::getegid() }
}

/// Remembers the ids that are printed as "self". The program calls this function before the first
/// case.
pub(crate) fn begin() {
    OWN_UID.store(own_uid(), Relaxed);
    OWN_GID.store(own_gid(), Relaxed);
}

/// From here on no id is printed as "self", because in a user namespace the id of an unmapped user
/// is 65534, and the program may have begun with that id.
pub(crate) fn forget_own_ids() {
    OWN_UID.store(u32::MAX, Relaxed);
    OWN_GID.store(u32::MAX, Relaxed);
}

/// Returns whether the program's arguments, after the name of the suite, name this case: `I01.one`
/// does, and so does `I01`. No argument names every case.
pub(crate) fn wants(id: &str) -> bool {
    let names = |name: &str| {
        let rest = id.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let mut arguments = env::args().skip(2).peekable();
    arguments.peek().is_none() || arguments.any(|name| names(&name))
}

/// Panics with the name of errno if a call returned -1.
#[track_caller]
pub(crate) fn check(what: &str, result: c_int) -> c_int {
    assert!(result >= 0, "{what}: {}", name_of(sys::errno()));
    result
}

fn flush() {
    io::stdout().flush().expect("stdout can be written to");
}

/// Calls fork(2), after a flush of everything that was printed so far.
pub(crate) fn fork() -> pid_t {
    flush();
    // SAFETY: the program has one thread, so the child finds every lock free.
    let pid = check("fork", unsafe { libc::fork() });
    if pid > 0 {
        LAST_CHILD.store(pid, Relaxed);
    }
    pid
}

/// Ends a child with this exit status after a flush of its output.
pub(crate) fn end(number: c_int) -> ! {
    flush();
    // SAFETY: _exit takes an integer, no pointer.
    unsafe { libc::_exit(number) }
}

/// Waits for a child. Returns the exit status of the child, or the negative signal number if a
/// signal ended the child.
pub(crate) fn wait(child: pid_t) -> c_int {
    let mut status = 0;
    // SAFETY: `status` has space for an int.
    check("waitpid", unsafe { libc::waitpid(child, &mut status, 0) });
    if libc::WIFSIGNALED(status) {
        -libc::WTERMSIG(status)
    } else {
        libc::WEXITSTATUS(status)
    }
}

/// Waits for a child, and fails if its exit status is not 0.
pub(crate) fn join(child: pid_t) {
    assert_eq!(wait(child), 0, "how a child ended");
}

/// Waits for a child, and prints the result: " = ok" for 0, " = EPIPE" for that errno, " = killed
/// by SIGPIPE".
pub(crate) fn wait_and_print(child: pid_t) {
    match wait(child) {
        0 => print!(" = ok"),
        number if number == -libc::SIGPIPE => print!(" = killed by SIGPIPE"),
        number => print!(" = {}", name_of(number)),
    }
}

// 2. Become other users: change the groups first, because an unprivileged user may not change them.

/// Sets these supplementary groups and no others. Returns -1 with errno on failure.
pub(crate) fn take_groups(groups: &[u32]) -> c_int {
    // SAFETY: pointer and length come from one live slice.
    unsafe { libc::setgroups(groups.len() as _, groups.as_ptr()) }
}

fn try_drop() -> c_int {
    if take_groups(&[]) < 0 {
        return -1;
    }
    // SAFETY: setresgid takes integers, no pointers.
    if unsafe { libc::setresgid(UNPRIVILEGED, UNPRIVILEGED, UNPRIVILEGED) } < 0 {
        return -1;
    }
    // SAFETY: setresuid takes integers, no pointers.
    unsafe { libc::setresuid(UNPRIVILEGED, UNPRIVILEGED, UNPRIVILEGED) }
}

/// Drops all privileges permanently.
pub(crate) fn drop_privileges() {
    check("drop", try_drop());
}

/// Drops the privileges temporarily: the effective user changes, and the real one stays.
pub(crate) fn lower_privileges() {
    // SAFETY: seteuid takes an integer, no pointer.
    check("seteuid", unsafe { libc::seteuid(UNPRIVILEGED) });
}

/// Returns whether this process may drop its privileges.
pub(crate) fn may_drop() -> bool {
    let child = fork();
    if child == 0 {
        end(c_int::from(try_drop() < 0));
    }
    wait(child) == 0
}

/// Gives this thread its own namespaces or working directory, by unshare(2), and returns whether
/// that is allowed.
pub(crate) fn unshare(flags: c_int) -> bool {
    // SAFETY: unshare takes flags.
    unsafe { libc::unshare(flags) == 0 }
}

// 3. Keep the order of processes by a byte in a pipe, and never by a sleep.

/// A gate at which one process waits until another opens it.
pub(crate) type Gate = [File; 2];

pub(crate) fn gate_make() -> Gate {
    let mut pipe = [-1; 2];
    // SAFETY: pipe has space for two descriptors.
    check("pipe", unsafe { libc::pipe(pipe.as_mut_ptr()) });
    // SAFETY: the descriptor was just made, and nothing else owns it.
    pipe.map(|fd| unsafe { File::from_raw_fd(fd) })
}

pub(crate) fn gate_open([_, gate]: &Gate) {
    let mut gate = gate;
    gate.write_all(b"\0").expect("the other end is open");
}

pub(crate) fn gate_wait([mut gate, _]: Gate) {
    gate.read_exact(&mut [0]).expect("the gate is opened");
}

// 4. Raise signals: SIGPIPE gets its default action, and a timer fires repeatedly, so that a signal
//    interrupts the call even if the call is made late. The timer stops after a while, so that a
//    program that repeats the call ends, too.

/// Gives SIGPIPE its default action, which Rust's runtime takes away.
pub(crate) fn default_sigpipe() {
    // SAFETY: SIG_DFL is not a function, so no handler can run.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}

const RINGS: u32 = 8;

static RUNG: AtomicU32 = AtomicU32::new(0);

fn ring_every(microseconds: u32) -> c_int {
    let time = libc::timeval {
        tv_sec: 0,
        tv_usec: microseconds as libc::suseconds_t,
    };
    let timer = libc::itimerval {
        it_interval: time,
        it_value: time,
    };
    // SAFETY: `timer` is live, and the pointer for the old value is null.
    unsafe { libc::setitimer(libc::ITIMER_REAL, &timer, ptr::null_mut()) }
}

extern "C" fn ring(_: c_int) {
    if RUNG.fetch_add(1, Relaxed) + 1 == RINGS {
        ring_every(0);
    }
}

/// Returns whether the timer is still running.
pub(crate) fn is_interrupted() -> bool {
    RUNG.load(Relaxed) < RINGS
}

/// Sends SIGALRM to this process repeatedly for a while.
pub(crate) fn interrupt() {
    let handler: extern "C" fn(c_int) = ring;
    // SAFETY: all zero bytes are a sigaction with an empty mask, and SA_RESTART is not set.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as usize;
    // SAFETY: `action` is live, and its handler makes one system call and changes one atomic.
    let result = unsafe { libc::sigaction(libc::SIGALRM, &action, ptr::null_mut()) };
    check("sigaction", result);
    check("setitimer", ring_every(100_000));
}

// 5. Print words in place of ids that change from run to run.

fn id_name(id: u32, own: &AtomicU32) -> &'static str {
    match id {
        u32::MAX => "nobody",
        id if id == own.load(Relaxed) => "self",
        UNPRIVILEGED => "65534",
        _ => "other",
    }
}

fn pid_name(pid: pid_t) -> &'static str {
    // SAFETY: getpid takes nothing and cannot fail.
    let own = unsafe { libc::getpid() };
    // SAFETY: the call takes no argument and cannot fail.
    let parent = unsafe { libc::getppid() };
    match pid {
        0 => "none",
        pid if pid == own => "self",
        pid if pid == parent => "parent",
        pid if pid == LAST_CHILD.load(Relaxed) => "child",
        _ => "other",
    }
}

/// Returns the ids as the calling process sees them, as "pid child, uid self, gid 65534". "self" is
/// the uid or gid that this program began with. "child" is the child that was forked last.
pub(crate) fn ids(pid: pid_t, uid: u32, gid: u32) -> String {
    let (uid, gid) = (user_name(uid), id_name(gid, &OWN_GID));
    format!("pid {}, uid {uid}, gid {gid}", pid_name(pid))
}

pub(crate) fn print_ids(pid: pid_t, uid: u32, gid: u32) {
    print!("{}", ids(pid, uid, gid));
}

pub(crate) fn user_name(uid: u32) -> &'static str {
    id_name(uid, &OWN_UID)
}

pub(crate) fn name_of(number: c_int) -> &'static str {
    sys::errno_name(number).unwrap_or("E?")
}

// 6. Make descriptors that are not Unix domain sockets.

pub(crate) fn internet_socket() -> OwnedFd {
    let kind = sys::SOCK_DGRAM | sys::SOCK_CLOEXEC;
    // SAFETY: socket takes integers, no pointers.
    let fd = check("socket", unsafe { sys::socket(libc::AF_INET, kind, 0) });
    // SAFETY: the descriptor was just made, and nothing else owns it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// Returns "FD_CLOEXEC" if the flag is set, and otherwise "no FD_CLOEXEC".
pub(crate) fn close_on_exec(fd: c_int) -> &'static str {
    // SAFETY: F_GETFD reads the flags of the descriptor.
    let flags = check("fcntl", unsafe { sys::fcntl(fd, sys::F_GETFD) });
    if flags & sys::FD_CLOEXEC != 0 {
        "FD_CLOEXEC"
    } else {
        "no FD_CLOEXEC"
    }
}

/// Asks whether the process exists, by pidfd_send_signal(2) without a signal. Returns "ok" or an
/// errno.
pub(crate) fn probe(pidfd: c_int) -> &'static str {
    let none = ptr::null::<libc::siginfo_t>();
    // SAFETY: the arguments are a descriptor, signal 0, a null siginfo and no flags, so no memory
    // is accessed.
    match unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd, 0, none, 0) } {
        0 => "ok",
        _ => name_of(sys::errno()),
    }
}
