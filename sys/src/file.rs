//! The path calls around a socket: `<fcntl.h>`, `<unistd.h>`, `<sys/stat.h>`, `<sys/file.h>`,
//! `<stdio.h>`.
//!
//! A pathname socket is a file: it has a mode and an owner, and stays when its process dies. The
//! calls of this module remove, rename and inspect it. Unless a call says otherwise it returns 0, a
//! count or a descriptor, or -1 with [`errno`](crate::errno()) set.
//!
//! On Linux the calls that return a `struct stat` are those with fields of 64 bits, as in a C
//! program that is compiled with `_FILE_OFFSET_BITS=64`. On 32-bit systems the calls with fields of
//! 32 bits fail with `EOVERFLOW` if an inode number has more bits, which is common on overlay file
//! systems and XFS.

#[cfg(any(target_os = "linux", target_os = "android"))]
use core::ffi::{c_char, c_int, c_uint, c_void};

#[cfg(any(target_os = "linux", target_os = "android"))]
use libc::{size_t, ssize_t};

/// The types of device numbers, of group ids, of permissions, of pids and of user ids.
///
/// See credentials(7), inode(7).
#[doc(inline)]
pub use libc::{dev_t, gid_t, mode_t, pid_t, uid_t};

// C libraries other than glibc have one set of calls. In musl and bionic its fields have 64 bits.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) use libc as calls;

/// The calls of glibc whose fields have 64 bits, under the usual C names.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) mod calls {
    pub use libc::{
        fstat64 as fstat, fstatat64 as fstatat, fstatfs64 as fstatfs, ino64_t as ino_t,
        lstat64 as lstat, mmap64 as mmap, openat64 as openat, stat64 as stat, statfs64 as statfs,
    };
}

/// The type of an inode number.
///
/// See inode(7).
#[doc(inline)]
pub use calls::ino_t;

#[cfg(any(target_os = "linux", target_os = "android"))]
const _: () = {
    const fn size_of_field<F>(_field: fn(&stat) -> &F) -> usize {
        size_of::<F>()
    }
    assert!(
        size_of_field(|stat| &stat.st_ino) == 8,
        "the number of an inode has 64 bits"
    );
    assert!(
        size_of_field(|stat| &stat.st_size) == 8,
        "the size of a file has 64 bits"
    );
};

/// `int close(int fd);` — closes a descriptor. The call must never be repeated, not even after
/// `EINTR`.
///
/// See close(2).
#[doc(inline)]
pub use crate::calls::close;

/// `ssize_t read(int fd, void *buf, size_t n);` — receives without flags. The kernel closes
/// descriptors that arrive with the bytes.
///
/// See read(2).
#[doc(inline)]
pub use crate::calls::read;

/// `ssize_t write(int fd, const void *buf, size_t n);` — sends without flags. A stream whose peer
/// has closed therefore raises `SIGPIPE`.
///
/// See write(2).
#[doc(inline)]
pub use crate::calls::write;

/// `int dup(int fd);` — makes one more descriptor of the same socket, without close-on-exec.
///
/// See dup(2).
#[doc(inline)]
pub use libc::dup;

/// `int dup2(int fd, int number);` — makes `number` a second descriptor of the same socket, without
/// close-on-exec. If `number` was open before, it is closed first. If `number` equals `fd`, nothing
/// changes.
///
/// See dup(2).
#[doc(inline)]
pub use libc::dup2;

/// `int execve(const char *path, char *const argv[], char *const envp[]);` — executes a program in
/// place of this program. Descriptors that are not close-on-exec stay open in the new program. The
/// call returns only if it fails.
///
/// See execve(2).
#[doc(inline)]
pub use libc::execve;

/// `int fcntl(int fd, int cmd, ...);` — duplicates a descriptor, or reads and sets its flags.
///
/// See fcntl(2).
#[doc(inline)]
pub use libc::fcntl;

/// Commands of fcntl(2): duplicate a descriptor with close-on-exec set at once; read and set the
/// flags of the descriptor (`FD`), or of the open file, which all its descriptors share (`FL`).
///
/// See fcntl(2).
#[doc(inline)]
pub use libc::{F_DUPFD_CLOEXEC, F_GETFD, F_GETFL, F_SETFD, F_SETFL};

/// `FD_CLOEXEC`, the only flag of a descriptor: execve(2) closes it. `O_NONBLOCK`, a flag of the
/// open file: calls that would wait fail with `EAGAIN` instead.
///
/// See fcntl(2).
#[doc(inline)]
pub use libc::{FD_CLOEXEC, O_NONBLOCK};

/// `int openat(int dirfd, const char *path, int flags, ...);` — opens a file. A socket file opens
/// only with `O_PATH`; otherwise the call fails with `ENXIO`.
///
/// See open(2).
#[doc(inline)]
pub use calls::openat;

/// `AT_FDCWD` — in place of a directory's descriptor: the working directory.
///
/// See openat(2).
#[doc(inline)]
pub use libc::AT_FDCWD;

/// Flags of the `at` calls: `AT_REMOVEDIR` makes unlinkat(2) remove a directory; with
/// `AT_SYMLINK_NOFOLLOW` a call acts on a symbolic link itself and not on its target.
///
/// See unlinkat(2), fstatat(2).
#[doc(inline)]
pub use libc::{AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW};

/// `AT_EMPTY_PATH` — a flag of fchmodat2(2), fchownat(2) and others: with an empty path the call
/// acts on the file of the descriptor itself, even of an `O_PATH` descriptor.
///
/// See fchownat(2).
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
#[doc(inline)]
pub use libc::AT_EMPTY_PATH;

/// Flags of openat(2): set close-on-exec at once; make the file; accept only a directory; accept
/// only a new file; do not follow a symbolic link at the end; open for reading; open for reading
/// and writing.
///
/// See open(2).
#[doc(inline)]
pub use libc::{O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR};

/// `O_PATH` — a flag of openat(2): the descriptor refers to the file and does not open it.
///
/// See open(2).
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
#[doc(inline)]
pub use libc::O_PATH;

/// `struct stat` — the call stat(2) and its struct: device, inode, mode, owner and times of a
/// file.
///
/// See stat(2).
#[doc(inline)]
pub use calls::stat;

/// `int fstat(int fd, struct stat *st);` — returns the status of the file that a descriptor refers
/// to. For a socket that is the status of the socket's own inode, not of its file.
///
/// See stat(2).
#[doc(inline)]
pub use calls::fstat;

/// `int lstat(const char *path, struct stat *st);` — returns the status of the file that a path
/// names. A symbolic link is not followed.
///
/// See stat(2).
#[doc(inline)]
pub use calls::lstat;

/// `int fstatat(int dirfd, const char *path, struct stat *st, int flags);` — returns the status of
/// the file that a path below a directory names.
///
/// See stat(2).
#[doc(inline)]
pub use calls::fstatat;

/// The bits of `st_mode` for the type of a file, and the types of a directory, of a symbolic link,
/// of a regular file and of a socket.
///
/// See inode(7).
#[doc(inline)]
pub use libc::{S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK};

/// The bit of `st_mode` by which only the owner of a file in this directory may remove or rename
/// it. On a socket it has no meaning.
///
/// See inode(7), "sticky bit".
#[doc(inline)]
pub use libc::S_ISVTX;

/// The most bytes of a path that a call takes, its NUL included: 4096 on Linux, 1024 on the BSDs
/// and macOS.
///
/// See pathname(7), `<limits.h>`.
// A constant of its own, because rustdoc would add libc's general text about constants.
pub const PATH_MAX: core::ffi::c_int = libc::PATH_MAX;

/// `int chmod(const char *path, mode_t mode);` — sets the permissions of the file that the path
/// names at that moment.
///
/// See chmod(2).
#[doc(inline)]
pub use libc::chmod;

/// `int fchmod(int fd, mode_t mode);` — sets the permissions of a descriptor's file. On Linux and
/// FreeBSD, for a socket that is not bound yet, the call sets the mode that the file will get, less
/// the umask.
///
/// See chmod(2).
#[doc(inline)]
pub use libc::fchmod;

/// `int fchmodat(int dirfd, const char *path, mode_t mode, int flags);` — sets the permissions of
/// the file that a path below a directory names.
///
/// See chmod(2).
#[doc(inline)]
pub use libc::fchmodat;

/// `int fchmodat2(int dirfd, const char *path, mode_t mode, int flags);` — sets permissions, and
/// obeys the flags `AT_SYMLINK_NOFOLLOW` and `AT_EMPTY_PATH`. Linux has had the call since 6.6.
/// Older kernels report `ENOSYS`.
///
/// The call is made by syscall(2), because C libraries have no function of this name.
///
/// # Safety
///
/// - `path` points to bytes that end with a NUL.
///
/// See chmod(2).
#[cfg(any(target_os = "linux", target_os = "android"))]
pub unsafe fn fchmodat2(dirfd: c_int, path: *const c_char, mode: mode_t, flags: c_int) -> c_int {
    // Since Linux 5.1 new calls have the same distance from each other on every architecture. On
    // most, close_range(2) is 436.
    const FCHMODAT2: libc::c_long = libc::SYS_close_range + (452 - 436);
    #[allow(clippy::unnecessary_cast, reason = "mode_t has 16 bits on Android")]
    let mode = mode as c_uint;
    // SAFETY: the caller guarantees the path, which is only read; the other arguments are integers.
    unsafe { libc::syscall(FCHMODAT2, dirfd, path, mode, flags) as c_int }
}

/// `int fchown(int fd, uid_t owner, gid_t group);` — sets owner and group. With the descriptor of a
/// socket, the socket file is not changed.
///
/// See chown(2).
#[doc(inline)]
pub use libc::fchown;

/// `int fchownat(int dirfd, const char *path, uid_t owner, gid_t group, int flags);` — sets owner
/// and group below a directory.
///
/// See chown(2).
#[doc(inline)]
pub use libc::fchownat;

/// `mode_t umask(mode_t mask);` — sets the mask of the whole process and returns the old mask. The
/// call cannot fail.
///
/// See umask(2).
#[doc(inline)]
pub use libc::umask;

/// `int mkdirat(int dirfd, const char *path, mode_t mode);` — makes a directory.
///
/// See mkdir(2).
#[doc(inline)]
pub use libc::mkdirat;

/// `int symlink(const char *target, const char *path);` — makes a symbolic link.
///
/// See symlink(2).
#[doc(inline)]
pub use libc::symlink;

/// `int symlinkat(const char *target, int dirfd, const char *path);` — makes a symbolic link below
/// a directory.
///
/// See symlink(2).
#[doc(inline)]
pub use libc::symlinkat;

/// `ssize_t readlinkat(int dirfd, const char *path, char *buf, size_t size);` — reads the target of
/// a symbolic link. The target gets no NUL at its end, and is silently truncated if it does not
/// fit.
///
/// See readlink(2).
#[doc(inline)]
pub use libc::readlinkat;

/// `char *getcwd(char *buf, size_t size);` — returns the path of the working directory, or NULL.
///
/// See getcwd(3).
#[doc(inline)]
pub use libc::getcwd;

/// `F_GETPATH` — a command of fcntl(2) on macOS, NetBSD and DragonFly: write the path of an open
/// file into a buffer of `PATH_MAX` bytes.
///
/// See fcntl(2).
#[cfg(any(target_vendor = "apple", target_os = "netbsd", target_os = "dragonfly"))]
#[doc(inline)]
pub use libc::F_GETPATH;

/// `int linkat(int olddirfd, const char *old, int newdirfd, const char *new, int flags);` — gives a
/// file one more name. If that name exists, the call fails with `EEXIST`.
///
/// See link(2).
#[doc(inline)]
pub use libc::linkat;

/// `int unlink(const char *path);` — removes a name. Nothing else removes a socket file.
///
/// See unlink(2).
#[doc(inline)]
pub use libc::unlink;

/// `int unlinkat(int dirfd, const char *path, int flags);` — removes a name below a directory.
///
/// See unlink(2).
#[doc(inline)]
pub use libc::unlinkat;

/// `int rename(const char *old, const char *new);` — renames atomically, and replaces whatever has
/// the new name.
///
/// See rename(2).
#[doc(inline)]
pub use libc::rename;

/// `int renameat(int olddirfd, const char *old, int newdirfd, const char *new);` — renames a file,
/// each path below a directory.
///
/// See rename(2).
#[doc(inline)]
pub use libc::renameat;

/// `int renameat2(int olddirfd, const char *old, int newdirfd, const char *new, unsigned int
/// flags);` — renames a file, with flags. Linux has had the call since 3.15. Older kernels report
/// `ENOSYS`.
///
/// The call is made by syscall(2), because glibc before 2.28 and musl before 1.2.6 have no function
/// for it.
///
/// # Safety
///
/// - `old` and `new` point to bytes that end with a NUL.
///
/// See rename(2).
#[cfg(any(target_os = "linux", target_os = "android"))]
pub unsafe fn renameat2(
    olddirfd: c_int,
    old: *const c_char,
    newdirfd: c_int,
    new: *const c_char,
    flags: c_uint,
) -> c_int {
    let number = libc::SYS_renameat2;
    // SAFETY: the caller guarantees both paths, which are only read; the other arguments are
    // integers.
    unsafe { libc::syscall(number, olddirfd, old, newdirfd, new, flags) as c_int }
}

/// `RENAME_EXCHANGE` — a flag of renameat2(2): swap the two files.
///
/// See rename(2).
#[cfg(any(target_os = "linux", target_os = "android"))]
#[allow(clippy::unnecessary_cast, reason = "it is an int on Android")]
pub const RENAME_EXCHANGE: c_uint = libc::RENAME_EXCHANGE as c_uint;

/// `RENAME_NOREPLACE` — a flag of renameat2(2): `EEXIST` where the new name exists.
///
/// See rename(2).
#[cfg(any(target_os = "linux", target_os = "android"))]
#[allow(clippy::unnecessary_cast, reason = "it is an int on Android")]
pub const RENAME_NOREPLACE: c_uint = libc::RENAME_NOREPLACE as c_uint;

/// `int renameatx_np(int olddirfd, const char *old, int newdirfd, const char *new, unsigned int
/// flags);` — renames a file, with flags. macOS has had the call since 10.12.
///
/// See rename(2).
#[cfg(target_vendor = "apple")]
#[doc(inline)]
pub use libc::renameatx_np;

/// Flags of renameatx_np(2): swap the two files; fail with `EEXIST` if the new name exists. Both
/// flags make the call fail with `ENOTSUP` on a file system that lacks them.
///
/// See rename(2).
#[cfg(target_vendor = "apple")]
#[doc(inline)]
pub use libc::{RENAME_EXCL, RENAME_SWAP};

/// `int flock(int fd, int operation);` — locks an open file. The kernel unlocks it when its last
/// descriptor is closed, and therefore when its process dies.
///
/// See flock(2).
#[doc(inline)]
pub use libc::flock;

/// Operations of flock(2): an exclusive lock, do not wait (`EWOULDBLOCK`), a shared lock, unlock.
///
/// See flock(2).
#[doc(inline)]
pub use libc::{LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN};

/// `gid_t getegid(void);`, `uid_t geteuid(void);`, `pid_t getpid(void);` — return the process's
/// effective gid, effective uid, and pid. The calls cannot fail.
///
/// See getegid(2), geteuid(2), getpid(2).
#[doc(inline)]
pub use libc::{getegid, geteuid, getpid};

/// `gid_t getgid(void);`, `uid_t getuid(void);` — return the process's real gid and uid. The calls
/// cannot fail.
///
/// See getgid(2), getuid(2).
#[doc(inline)]
pub use libc::{getgid, getuid};

/// `ssize_t getrandom(void *buf, size_t size, unsigned int flags);` — fills a buffer with
/// unpredictable bytes. A call for at most 256 bytes fills all of them or fails. Linux has had the
/// call since 3.17. Older kernels report `ENOSYS`.
///
/// The call is made by syscall(2), because glibc before 2.25 has no function for it.
///
/// # Safety
///
/// - `buf` points to `size` bytes that may be written.
///
/// See getrandom(2).
#[cfg(any(target_os = "linux", target_os = "android"))]
pub unsafe fn getrandom(buf: *mut c_void, size: size_t, flags: c_uint) -> ssize_t {
    // SAFETY: the caller guarantees the buffer; the kernel writes at most `size` bytes.
    unsafe { libc::syscall(libc::SYS_getrandom, buf, size, flags) as ssize_t }
}

/// `void arc4random_buf(void *buf, size_t size);` — fills a buffer with unpredictable bytes. The
/// call cannot fail.
///
/// See arc4random(3).
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[doc(inline)]
pub use libc::arc4random_buf;
