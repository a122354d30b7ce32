//! Cases of paths that do not fit into `sun_path`: the kernel gets a short path that leads to the
//! same file.

use std::fs::{self, File};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::thread;

use libc::c_int;
use sunpath_sys as sys;
use sys::{O_DIRECTORY, O_NOFOLLOW, O_PATH, SOCK_STREAM};

use crate::file::{
    DEEP, alias_of, ask_kind, ask_names, ask_true_path, made_directory, open_path, try_create,
    try_open, try_rename_noreplace, try_unlink,
};
use crate::line::{part, step};
use crate::socket::{
    Sock, ask_peername, ask_sockname, close, new_socket, outcome, returned, try_bind, try_bind_cut,
    try_connect, try_listen,
};

// 1. Bind and connect below an open directory.

fn open_directory(dir: &str) -> OwnedFd {
    let opened = try_open(dir, O_PATH | O_DIRECTORY, "O_PATH | O_DIRECTORY");
    opened.expect("the directory was made")
}

fn bind_below(s: Sock, dir: &str) -> OwnedFd {
    let path = format!("{dir}/s.sock");
    try_bind(s, &path);
    let fd = open_directory(dir);
    try_bind(s, &format!("{}/s.sock", alias_of(&fd)));
    ask_kind(&path);
    try_listen(s);
    fd
}

pub(crate) fn bind() {
    let s = new_socket('s', SOCK_STREAM);
    bind_below(s, &made_directory(DEEP));
    ask_sockname(s);
    close(&[s]);
}

pub(crate) fn directory() {
    let (s, c) = (new_socket('s', SOCK_STREAM), new_socket('c', SOCK_STREAM));
    let dir = made_directory(DEEP);
    let fd = bind_below(s, &dir);
    try_connect(c, &format!("{dir}/s.sock"));
    try_connect(c, &format!("{}/s.sock", alias_of(&fd)));
    ask_peername(c);
    close(&[s, c]);
}

// 2. Connect through the open socket file.

fn reach(path: &str, flags: c_int, words: &str) {
    let c = new_socket('c', SOCK_STREAM);
    let file = try_open(path, flags, words).expect("a socket's path can be opened");
    try_connect(c, &alias_of(&file));
    ask_peername(c);
    close(&[c]);
}

fn reach_inode(flags: c_int, words: &str) {
    let s = new_socket('s', SOCK_STREAM);
    let dir = made_directory(DEEP);
    drop(bind_below(s, &dir));
    reach(&format!("{dir}/s.sock"), flags, words);
    close(&[s]);
}

pub(crate) fn inode() {
    reach_inode(O_PATH, "O_PATH");
}

pub(crate) fn nofollow() {
    reach_inode(O_PATH | O_NOFOLLOW, "O_PATH | O_NOFOLLOW");
}

pub(crate) fn itself() {
    let s = new_socket('s', SOCK_STREAM);
    try_bind(s, &alias_of(&s.fd));
    ask_sockname(s);
    close(&[s]);
}

// 3. Give a thread its own working directory.

fn bind_in_directory(s: Sock, dir: c_int) {
    part("thread");
    // SAFETY: unshare takes flags.
    let unshared = returned(unsafe { libc::unshare(libc::CLONE_FS) });
    step!("unshare(CLONE_FS)");
    outcome(unshared);
    // SAFETY: fchdir takes a descriptor.
    let changed = returned(unsafe { libc::fchdir(dir) });
    step!("fchdir(N)");
    outcome(changed);
    try_bind(s, "s.sock");
}

pub(crate) fn thread() {
    let s = new_socket('s', SOCK_STREAM);
    let dir = made_directory(DEEP);
    let fd = open_directory(&dir);
    let number = fd.as_raw_fd();
    let thread = thread::spawn(move || bind_in_directory(s, number));
    thread.join().expect("the thread ends well");
    part("main");
    ask_sockname(s);
    ask_kind(&format!("{dir}/s.sock"));
    ask_kind("s.sock");
    close(&[s]);
}

// 4. Fall into the trap: a path that is too long is truncated without an error.

pub(crate) fn cut() {
    let s = new_socket('s', SOCK_STREAM);
    try_bind_cut(s, &"n".repeat(200));
    ask_names();
    close(&[s]);
}

pub(crate) fn cut_alike() {
    let (s, t) = (new_socket('s', SOCK_STREAM), new_socket('t', SOCK_STREAM));
    let name = "n".repeat(199);
    try_bind_cut(s, &format!("{name}1"));
    try_bind_cut(t, &format!("{name}2"));
    ask_names();
    close(&[s, t]);
}

// 5. Use a path of 4000 bytes, and find the true path of its directory.

pub(crate) fn long() {
    let (s, c) = (new_socket('s', SOCK_STREAM), new_socket('c', SOCK_STREAM));
    let fd = bind_below(s, &made_directory(3993));
    try_connect(c, &format!("{}/s.sock", alias_of(&fd)));
    ask_peername(c);
    let path = fs::read_link(alias_of(&fd)).expect("it is a link");
    ask_true_path(path.as_os_str().as_bytes());
    close(&[s, c]);
}

/// Opens the directory at the end of a path. Each call takes one component, because no call takes
/// all of the path.
fn descend(path: &str) -> File {
    let open = |dir: File, component| open_path(&format!("{}/{component}", alias_of(&dir)));
    let dir = path.split('/').fold(open_path("."), open);
    step!("openat, in pieces = ok");
    dir
}

pub(crate) fn over_path_max() {
    let (s, c) = (new_socket('s', SOCK_STREAM), new_socket('c', SOCK_STREAM));
    let dir = made_directory(4993);
    try_bind(s, &format!("{dir}/s.sock"));
    try_open(&dir, O_PATH | O_DIRECTORY, "O_PATH | O_DIRECTORY");
    let fd = descend(&dir);
    let alias = format!("{}/s.sock", alias_of(&fd));
    try_bind(s, &alias);
    ask_kind(&alias);
    try_listen(s);
    try_connect(c, &alias);
    close(&[s, c]);
}

// 6. Use long names: the socket is bound under a short name, its file is renamed, and clients
//    connect through the open file.

fn bind_and_rename(name: &str) {
    let s = new_socket('s', SOCK_STREAM);
    try_bind(s, name);
    try_bind(s, "tmp");
    try_listen(s);
    try_rename_noreplace("tmp", name);
    reach(name, O_PATH, "O_PATH");
    ask_names();
    close(&[s]);
}

pub(crate) fn name() {
    bind_and_rename(&"n".repeat(200));
}

pub(crate) fn deep_name() {
    let dir = made_directory(DEEP);
    let name = format!("{dir}/{}", "n".repeat(200));
    let s = new_socket('s', SOCK_STREAM);
    try_bind(s, &name);
    let fd = open_directory(&dir);
    let tmp = format!("{}/tmp", alias_of(&fd));
    try_bind(s, &tmp);
    try_listen(s);
    try_rename_noreplace(&tmp, &name);
    ask_kind(&name);
    reach(&name, O_PATH, "O_PATH");
    close(&[s]);
}

pub(crate) fn taken() {
    let s = new_socket('s', SOCK_STREAM);
    let name = "n".repeat(200);
    try_create(&name);
    try_bind(s, "tmp");
    try_rename_noreplace("tmp", &name);
    try_unlink("tmp");
    ask_kind(&name);
    ask_names();
    close(&[s]);
}

// 7. Bind to the first bytes of a longer text, which have no NUL after them.

pub(crate) fn unterminated() {
    let s = new_socket('s', SOCK_STREAM);
    try_bind(s, &"abcdef"[..4]);
    ask_sockname(s);
    ask_names();
    close(&[s]);
}

pub(crate) fn unterminated_long() {
    let text = "n".repeat(300);
    bind_and_rename(&text[..200]);
}
