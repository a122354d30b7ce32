//! Compiles an answer in C, and calls its function.

use std::ffi::{CString, c_char, c_int, c_void};
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use crate::{checks, fresh};

/// Checks the answer in C to one exercise, which is the file at this path.
pub(crate) fn check(exercise: &str, source: &Path) {
    let dir = fresh::dir();
    let library = dir.path().join("answer.so");
    let mut cc = Command::new("cc");
    cc.args([
        "-std=c11",
        "-Wall",
        "-Wextra",
        "-Wpedantic",
        "-Werror",
        "-shared",
        "-fPIC",
    ]);
    let output = cc.arg(source).arg("-o").arg(&library).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}:\n{printed}", source.display());
    let library = text(library.as_os_str().as_bytes());
    // SAFETY: a NUL ends the path, and the library runs nothing when it is loaded.
    let library = unsafe { libc::dlopen(library.as_ptr(), libc::RTLD_NOW) };
    assert!(!library.is_null());
    run(exercise, |name| {
        let name = text(name.as_bytes());
        // SAFETY: the library is loaded, and a NUL ends the name.
        let function = unsafe { libc::dlsym(library, name.as_ptr()) };
        assert!(!function.is_null(), "{} has no {name:?}", source.display());
        function
    });
    // SAFETY: nothing of the library is used from here on.
    unsafe { libc::dlclose(library) };
}

type OfPath = unsafe extern "C" fn(*const c_char) -> c_int;
type OfTwo = unsafe extern "C" fn(*const c_char, *const c_char) -> c_int;
type OfSocket = unsafe extern "C" fn(c_int) -> c_int;
type OfBuffer = unsafe extern "C" fn(c_int, *mut c_char, usize) -> c_int;
type OfMessage = unsafe extern "C" fn(c_int, *mut c_char, usize) -> isize;

/// Takes a function of the library as one of this type.
macro_rules! function {
    ($find:ident, $name:literal, $type:ty) => {{
        let function: *mut c_void = $find($name);
        // SAFETY: the exercise gives the prototype of the function, with which it was compiled.
        unsafe { mem::transmute::<*mut c_void, $type>(function) }
    }};
}

fn run(exercise: &str, find: impl Fn(&str) -> *mut c_void) {
    match exercise {
        "01_address" => {
            let length = function!(find, "address_length", OfPath);
            checks::address(|path| usize::try_from(of_path(length, path)).ok());
        }
        "02_stream" => {
            let receive = function!(find, "receive_exactly", OfBuffer);
            checks::stream(|sock, buf| {
                // SAFETY: buf has as many bytes as the call is told.
                unsafe { receive(sock.as_raw_fd(), buf.as_mut_ptr().cast(), buf.len()) == 0 }
            });
        }
        "03_file" => {
            let is_dead = function!(find, "is_dead", OfPath);
            checks::file(|path| of_path(is_dead, path.as_os_str().as_bytes()) == 1);
        }
        "04_permission" => {
            let bind = function!(find, "bind_private", OfPath);
            checks::permission(|path| owned(of_path(bind, path.as_os_str().as_bytes())));
        }
        "05_names" => {
            let is_our_user = function!(find, "is_our_user", OfSocket);
            // SAFETY: the socket is open.
            checks::names(|sock| unsafe { is_our_user(sock.as_raw_fd()) == 1 });
        }
        "06_messages" => {
            let receive = function!(find, "receive_whole", OfMessage);
            checks::messages(|sock, buf| {
                // SAFETY: buf has as many bytes as the call is told.
                let n = unsafe { receive(sock.as_raw_fd(), buf.as_mut_ptr().cast(), buf.len()) };
                usize::try_from(n).ok()
            });
        }
        "07_descriptors" => {
            let receive = function!(find, "receive_one", OfSocket);
            // SAFETY: the socket is open.
            checks::descriptors(|sock| owned(unsafe { receive(sock.as_raw_fd()) }));
        }
        "08_abstract" => {
            let connect = function!(find, "connect_abstract", OfPath);
            checks::abstract_names(|name| owned(of_path(connect, name.as_bytes())));
        }
        "09_long" => {
            let connect = function!(find, "connect_long", OfTwo);
            checks::long(|dir, name| {
                let [dir, name] = [dir.as_os_str().as_bytes(), name.as_bytes()].map(text);
                // SAFETY: NULs end both.
                owned(unsafe { connect(dir.as_ptr(), name.as_ptr()) })
            });
        }
        "10_many" => {
            let accept_all = function!(find, "accept_all", OfSocket);
            checks::many(|listener| {
                // SAFETY: the listener is open.
                usize::try_from(unsafe { accept_all(listener.as_raw_fd()) }).unwrap_or(usize::MAX)
            });
        }
        "11_daemon" => {
            let take_lock = function!(find, "take_lock", OfPath);
            checks::lock(|path| owned(of_path(take_lock, path.as_os_str().as_bytes())));
        }
        _ => panic!("there is no exercise {exercise}"),
    }
}

fn text(bytes: &[u8]) -> CString {
    CString::new(bytes).unwrap()
}

fn of_path(function: OfPath, path: &[u8]) -> c_int {
    let path = text(path);
    // SAFETY: a NUL ends the path.
    unsafe { function(path.as_ptr()) }
}

/// Takes the descriptor that a function returned, if it returned one.
fn owned(fd: c_int) -> Option<OwnedFd> {
    // SAFETY: the exercise says that the function returns a new descriptor, or -1.
    (fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fd) })
}
