//! The calls that a case makes on files, for the Rust lanes. Each call is a step of the line, with
//! its result. `file.c` does the same in C.

use std::env;
use std::ffi::{CStr, CString};
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _};
use std::mem::size_of;
use std::os::fd::{AsRawFd, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{FileExt as _, FileTypeExt as _, symlink};
use std::ptr;

use libc::{c_char, c_int, inotify_event};
use sunpath_sys as sys;

use crate::line::{self, step};
use crate::process::check;
use crate::words;

fn result<T>(done: &io::Result<T>) {
    line::result(match done {
        Ok(_) => Ok("ok"),
        Err(error) => Err(error.raw_os_error().unwrap_or(0)),
    });
}

/// Prints the step of a call that takes one path.
fn told<T>(call: &str, path: &str, done: &io::Result<T>) {
    step!("{call}({})", words::path(path));
    result(done);
}

/// Prints the step of a call that takes two paths.
fn told_both<T>(call: &str, path: &str, other: &str, done: &io::Result<T>) {
    step!("{call}({}, {})", words::path(path), words::path(other));
    result(done);
}

/// Makes a call that std lacks, with the path as a C string.
fn with_c_path(path: &str, call: impl FnOnce(*const c_char) -> c_int) -> io::Result<c_int> {
    let path = CString::new(path).expect("a path has no NUL");
    match call(path.as_ptr()) {
        -1 => Err(io::Error::last_os_error()),
        returned => Ok(returned),
    }
}

// 1. Make files.

pub(crate) fn try_create(path: &str) {
    told("creat", path, &File::create_new(path));
}

pub(crate) fn try_mkdir(path: &str) {
    told("mkdir", path, &fs::create_dir(path));
}

pub(crate) fn try_mkfifo(path: &str) {
    // SAFETY: the path is a live string with a NUL.
    let made = with_c_path(path, |path| unsafe { libc::mkfifo(path, 0o644) });
    told("mkfifo", path, &made);
}

pub(crate) fn try_mknod(path: &str) {
    let mode = libc::S_IFSOCK | 0o755;
    // SAFETY: the path is a live string with a NUL.
    let made = with_c_path(path, |path| unsafe { libc::mknod(path, mode, 0) });
    step!("mknod({}, S_IFSOCK)", words::path(path));
    result(&made);
}

pub(crate) fn try_symlink(target: &str, path: &str) {
    told_both("symlink", target, path, &symlink(target, path));
}

// 2. Change names.

pub(crate) fn try_link(path: &str, new: &str) {
    told_both("link", path, new, &fs::hard_link(path, new));
}

pub(crate) fn try_rename(path: &str, new: &str) {
    told_both("rename", path, new, &fs::rename(path, new));
}

/// Renames a file, unless `new` exists, and prints nothing.
pub(crate) fn rename_noreplace(path: &str, new: &str) -> io::Result<c_int> {
    let to = CString::new(new).expect("a path has no NUL");
    with_c_path(path, |from| {
        let (at, to, flags) = (sys::AT_FDCWD, to.as_ptr(), sys::RENAME_NOREPLACE);
        // SAFETY: both paths are live strings with a NUL.
        unsafe { sys::renameat2(at, from, at, to, flags) }
    })
}

pub(crate) fn try_rename_noreplace(path: &str, new: &str) {
    told_both("renameat2", path, new, &rename_noreplace(path, new));
}

pub(crate) fn try_truncate(path: &str) {
    // SAFETY: the path is a live string with a NUL.
    let cut = with_c_path(path, |path| unsafe { libc::truncate(path, 0) });
    told("truncate", path, &cut);
}

pub(crate) fn try_touch(path: &str) {
    let now = ptr::null();
    // SAFETY: the path is a live string with a NUL, and no times mean now.
    let touched = with_c_path(path, |path| unsafe {
        libc::utimensat(sys::AT_FDCWD, path, now, 0)
    });
    told("utimensat", path, &touched);
}

pub(crate) fn try_unlink(path: &str) {
    told("unlink", path, &fs::remove_file(path));
}

// 3. Open files.

/// Opens a file with `O_CLOEXEC` and these flags.
pub(crate) fn try_open(path: &str, flags: c_int, words: &str) -> Option<OwnedFd> {
    let opened = open(path, flags);
    step!("open({}, {words})", words::path(path));
    result(&opened);
    opened.ok()
}

fn open(path: &str, flags: c_int) -> io::Result<OwnedFd> {
    let flags = flags | sys::O_CLOEXEC;
    // SAFETY: the path is a live string with a NUL, and no file is made, so the call takes no mode.
    let opened = with_c_path(path, |path| unsafe {
        sys::openat(sys::AT_FDCWD, path, flags)
    });
    // SAFETY: the descriptor was just made, and nothing else owns it.
    opened.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Returns `/proc/self/fd/N`, which leads to the open file.
pub(crate) fn alias_of(file: &impl AsRawFd) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

/// Calls lseek(2), ftruncate(2) and mmap(2), for which a file has a position, a size and pages, and
/// a socket has none.
pub(crate) fn try_as_file(name: char, file: &File) {
    let place = (&*file).stream_position();
    step!("lseek({name})");
    result(&place);
    let read = file.read_at(&mut [0], 0);
    step!("pread({name})");
    result(&read);
    let cut = file.set_len(0);
    step!("ftruncate({name})");
    result(&cut);
    let (fd, shared) = (file.as_raw_fd(), libc::MAP_SHARED);
    // SAFETY: the call maps one page at an address that the kernel chooses, and nothing reads from
    // the page.
    let pages = unsafe { libc::mmap(ptr::null_mut(), 1, libc::PROT_READ, shared, fd, 0) };
    step!("mmap({name})");
    result(&if pages == libc::MAP_FAILED {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    });
    try_open(&alias_of(file), sys::O_RDWR, "O_RDWR");
}

// 4. Look at files.

/// Prints the type of the file.
pub(crate) fn ask_kind(path: &str) {
    let kind = fs::symlink_metadata(path).map(|status| status.file_type());
    step!("lstat({})", words::path(path));
    match kind {
        Ok(kind) if kind.is_socket() => print!(" = socket"),
        Ok(kind) if kind.is_file() => print!(" = file"),
        Ok(kind) if kind.is_dir() => print!(" = directory"),
        Ok(kind) if kind.is_fifo() => print!(" = FIFO"),
        Ok(kind) if kind.is_symlink() => print!(" = symbolic link"),
        Ok(_) => print!(" = something else"),
        Err(_) => result(&kind),
    }
}

/// Prints the names in the working directory.
pub(crate) fn ask_names() {
    let entries = fs::read_dir(".").expect("the directory can be read");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("the directory can be read").file_name())
        .collect();
    names.sort();
    step!(
        "{}",
        if names.is_empty() {
            "no names"
        } else {
            "names:"
        }
    );
    for name in names {
        print!(" {}", words::path(name.into_vec()));
    }
}

// 5. Watch the working directory: report all its events.

pub(crate) fn watch_directory() -> File {
    // SAFETY: inotify_init1 takes flags.
    let watch = unsafe { libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC) };
    let watch = check("inotify_init1", watch);
    // SAFETY: the path is a live string with a NUL.
    let added = unsafe { libc::inotify_add_watch(watch, c".".as_ptr(), libc::IN_ALL_EVENTS) };
    check("inotify_add_watch", added);
    // SAFETY: the descriptor was just made, and nothing else owns it.
    unsafe { File::from_raw_fd(watch) }
}

fn event_name(mask: u32) -> &'static str {
    match mask {
        libc::IN_CREATE => "IN_CREATE",
        libc::IN_ATTRIB => "IN_ATTRIB",
        _ => "another event",
    }
}

pub(crate) fn ask_events(mut watch: &File) {
    let mut bytes = [0; 1024];
    let read = watch.read(&mut bytes);
    step!("read(watch)");
    let Ok(size) = read else {
        return result(&read);
    };
    print!(" =");
    let mut rest = &bytes[..size];
    while let Some((event, behind)) = rest.split_first_chunk::<{ size_of::<inotify_event>() }>() {
        // SAFETY: an inotify_event has only integers, and `bytes` has at least its size.
        let event: inotify_event = unsafe { std::mem::transmute(*event) };
        let (name, next) = behind.split_at(event.len as usize);
        let name = CStr::from_bytes_until_nul(name).expect("a name ends with NULs");
        print!(
            " {} {}",
            event_name(event.mask),
            words::path(name.to_bytes())
        );
        rest = next;
    }
}

// 6. Make long paths.

/// The length of the path of a deep directory. With `/s.sock` it is 261 bytes.
pub(crate) const DEEP: usize = 254;

/// Makes a directory whose path below the working directory has this many bytes. No call takes all
/// of a long path, so each component is made below the previous one.
pub(crate) fn made_directory(size: usize) -> String {
    let slash = |at: usize| at % 128 == 127;
    let path: String = (0..size)
        .map(|at| if slash(at) { '/' } else { 'd' })
        .collect();
    let mut dir = open_path(".");
    for component in path.split('/') {
        let below = format!("{}/{component}", alias_of(&dir));
        fs::create_dir(&below).expect("nothing is in the way");
        dir = open_path(&below);
    }
    path
}

/// Calls `open(path, O_PATH)`, which is not a step. `custom_flags` of `std` is not used, because
/// some C libraries count `O_PATH` among the access modes, and `custom_flags` drops these.
pub(crate) fn open_path(path: &str) -> File {
    open(path, sys::O_PATH).expect("the file is there").into()
}

/// Prints the path of a directory, as the kernel has reported it, as a step.
pub(crate) fn ask_true_path(path: &[u8]) {
    let cwd = env::current_dir().expect("it is there");
    step!("readlink(\"/proc/self/fd/N\") = ");
    match path.strip_prefix(cwd.as_os_str().as_bytes()) {
        Some(rest) => print!("getcwd() + {}", words::path(rest)),
        None => print!("elsewhere"),
    }
}
