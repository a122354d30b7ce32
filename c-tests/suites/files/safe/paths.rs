//! Cases of paths that do not fit into `sun_path`: the library takes them, and gives the kernel a
//! short path that leads to the same file.

use std::env;
use std::os::fd::OwnedFd;
use std::thread;

use libc::{CLONE_FS, c_int};
use sunpath::sys::{self, O_DIRECTORY, O_NOFOLLOW, O_PATH};
use sunpath::{BindOptions, ConnectOptions, Dir, Error, Stream, UnixListener, UnixStream};

use crate::file::{
    DEEP, alias_of, ask_kind, ask_names, ask_true_path, made_directory, try_create, try_open,
};
use crate::line::{self, part, step};
use crate::process;
use crate::socket::{
    Named, ask_peername, ask_sockname, new_socket, outcome, try_bind, try_bind_at, try_connect,
    try_connect_at, try_listen,
};
use crate::words;

// 1. Bind and connect to long paths as they are.

fn bind_below(dir: &str) -> Result<Named<UnixListener>, Error> {
    let s = new_socket::<Stream>('s')?;
    let path = format!("{dir}/s.sock");
    try_bind(&s, &path);
    try_bind_at(&s, &path);
    ask_kind(&path);
    try_listen(s)
}

pub(crate) fn bind() -> Result<(), Error> {
    let s = bind_below(&made_directory(DEEP))?;
    ask_sockname(&s);
    Ok(())
}

/// The library also takes an open directory and a path below it.
pub(crate) fn directory() -> Result<(), Error> {
    let c = new_socket::<Stream>('c')?;
    let dir = made_directory(DEEP);
    let _s = bind_below(&dir)?;
    try_connect(&c, &format!("{dir}/s.sock"));
    let connected = c.connect_to_at(&Dir::open(&dir)?, "s.sock");
    step!("connect_at(c, {}, \"s.sock\")", words::path(&dir));
    outcome(&connected);
    ask_peername(&c);
    Ok(())
}

// 2. Connect through the open socket file.

fn open_directory(dir: &str) -> OwnedFd {
    let opened = try_open(dir, O_PATH | O_DIRECTORY, "O_PATH | O_DIRECTORY");
    opened.expect("the directory was made")
}

/// Connects through the open socket file. As in C, the program itself opens the file.
fn reach_inode(flags: c_int, words: &str) -> Result<(), Error> {
    let (s, c) = (new_socket::<Stream>('s')?, new_socket('c')?);
    let dir = made_directory(DEEP);
    let path = format!("{dir}/s.sock");
    try_bind(&s, &path);
    let fd = open_directory(&dir);
    try_bind(&s, &format!("{}/s.sock", alias_of(&fd)));
    ask_kind(&path);
    let _s = try_listen(s)?;
    let file = try_open(&path, flags, words);
    try_connect(&c, &alias_of(&file.expect("a socket's path can be opened")));
    ask_peername(&c);
    Ok(())
}

pub(crate) fn inode() -> Result<(), Error> {
    reach_inode(O_PATH, "O_PATH")
}

pub(crate) fn nofollow() -> Result<(), Error> {
    reach_inode(O_PATH | O_NOFOLLOW, "O_PATH | O_NOFOLLOW")
}

pub(crate) fn itself() -> Result<(), Error> {
    let s = new_socket::<Stream>('s')?;
    try_bind(&s, &alias_of(&*s));
    ask_sockname(&s);
    Ok(())
}

// 3. Give a thread its own working directory.

fn bind_in_directory(s: &Named<UnixStream>, dir: &str) {
    let ok_or = |done, errno| if done { Ok("ok") } else { Err(errno) };
    part("thread");
    let unshared = process::unshare(CLONE_FS);
    step!("unshare(CLONE_FS)");
    line::result(ok_or(unshared, sys::errno()));
    let changed = env::set_current_dir(dir);
    step!("fchdir(N)");
    line::result(ok_or(changed.is_ok(), sys::errno()));
    try_bind(s, "s.sock");
}

pub(crate) fn thread() -> Result<(), Error> {
    let s = new_socket('s')?;
    let dir = made_directory(DEEP);
    let fd = open_directory(&dir);
    let alias = alias_of(&fd);
    thread::scope(|scope| {
        scope.spawn(|| bind_in_directory(&s, &alias));
    });
    part("main");
    ask_sockname(&s);
    ask_kind(&format!("{dir}/s.sock"));
    ask_kind("s.sock");
    Ok(())
}

// 4. Avoid the trap: a path that is too long is not truncated.

pub(crate) fn cut() -> Result<(), Error> {
    let s = new_socket::<Stream>('s')?;
    try_bind(&s, &"n".repeat(200));
    ask_names();
    Ok(())
}

pub(crate) fn cut_alike() -> Result<(), Error> {
    let (s, t) = (new_socket::<Stream>('s')?, new_socket::<Stream>('t')?);
    let name = "n".repeat(199);
    try_bind(&s, &format!("{name}1"));
    try_bind(&t, &format!("{name}2"));
    ask_names();
    Ok(())
}

// 5. Use a path of 4000 bytes, and find the true path of its directory.

pub(crate) fn long() -> Result<(), Error> {
    let c = new_socket('c')?;
    let dir = made_directory(3993);
    let _s = bind_below(&dir)?;
    try_connect_at(&c, &format!("{dir}/s.sock"));
    ask_peername(&c);
    ask_true_path(Dir::open(&dir)?.path(&mut [0; 4096])?);
    Ok(())
}

pub(crate) fn over_path_max() -> Result<(), Error> {
    let (s, c) = (new_socket::<Stream>('s')?, new_socket::<Stream>('c')?);
    let dir = made_directory(4993);
    let path = format!("{dir}/s.sock");
    try_bind(&s, &path);
    try_bind_at(&s, &path);
    let dir = Dir::open(&dir)?;
    ask_kind(&format!("{}/s.sock", alias_of(&dir)));
    let _s = try_listen(s)?;
    try_connect_at(&c, &path);
    Ok(())
}

// 6. Use long names as they are, and check that no other name is left.

fn bind_name(name: &str) -> Result<(), Error> {
    let (s, c) = (new_socket::<Stream>('s')?, new_socket('c')?);
    try_bind(&s, name);
    try_bind_at(&s, name);
    let _s = try_listen(s)?;
    try_connect_at(&c, name);
    ask_peername(&c);
    ask_names();
    Ok(())
}

pub(crate) fn name() -> Result<(), Error> {
    bind_name(&"n".repeat(200))
}

pub(crate) fn deep_name() -> Result<(), Error> {
    let name = format!("{}/{}", made_directory(DEEP), "n".repeat(200));
    try_bind(&new_socket::<Stream>('s')?, &name);
    let s = BindOptions::new().listen(&name);
    step!("BindOptions::bind({})", words::path(&name));
    outcome(&s);
    ask_kind(&name);
    let c = ConnectOptions::new().connect(&name);
    step!("ConnectOptions::connect({})", words::path(&name));
    outcome(&c);
    ask_peername(&Named {
        name: 'c',
        socket: c?,
    });
    Ok(())
}

pub(crate) fn taken() -> Result<(), Error> {
    let s = new_socket::<Stream>('s')?;
    let name = "n".repeat(200);
    try_create(&name);
    try_bind_at(&s, &name);
    ask_kind(&name);
    ask_names();
    Ok(())
}

// 7. Bind to the first bytes of a longer text, which have no NUL after them.

pub(crate) fn unterminated() -> Result<(), Error> {
    let s = new_socket::<Stream>('s')?;
    try_bind(&s, &"abcdef"[..4]);
    ask_sockname(&s);
    ask_names();
    Ok(())
}

pub(crate) fn unterminated_long() -> Result<(), Error> {
    let text = "n".repeat(300);
    bind_name(&text[..200])
}
