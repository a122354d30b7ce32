//! Cases of the mode of a socket file: the mode that the umask leaves, the mode that fchmod(2)
//! sets, and a mode that is exactly the requested one.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use sunpath::socket::Kind;
use sunpath::{BindOptions, Bound, Error, Socket, Stream, UnixListener};

use super::system::{USUAL_UMASK, ask_mode, mode_of, set_umask, try_umask};
use crate::line::step;
use crate::process;
use crate::socket::{Named, bound, new_socket, outcome, try_bind};

fn unlink(path: &str) {
    fs::remove_file(path).expect("the file is there");
}

fn try_fchmod<T: Kind>(s: &Named<Socket<T>>, mode: u32) {
    let changed = s.set_mode(mode);
    step!("fchmod({}, {mode:04o})", s.name);
    outcome(&changed);
}

// 1. Set the mode by the umask and by fchmod(2).

pub(crate) fn umask() -> Result<(), Error> {
    for mask in [0, 0o022, 0o077, 0o177, 0o777] {
        try_umask(mask);
        let _s = bound::<Stream>('s', "x")?;
        ask_mode("x");
        unlink("x");
    }
    set_umask(USUAL_UMASK);
    Ok(())
}

pub(crate) fn before() -> Result<(), Error> {
    for mode in [0o600, 0o666] {
        let s = new_socket::<Stream>('s')?;
        try_fchmod(&s, mode);
        try_bind(&s, "x");
        ask_mode("x");
        unlink("x");
    }
    Ok(())
}

pub(crate) fn after() -> Result<(), Error> {
    let s = bound::<Stream>('s', "x")?;
    try_fchmod(&s, 0o600);
    ask_mode("x");
    Ok(())
}

// 2. Give a thread its own umask.

/// Binds under a umask of this thread alone, and returns whether the system allows that.
fn bind_alone() -> Result<bool, Error> {
    if !process::unshare(libc::CLONE_FS) {
        return Ok(false);
    }
    set_umask(0o777);
    UnixListener::bind("x")?;
    Ok(true)
}

pub(crate) fn thread() -> Result<(), Error> {
    if !thread::spawn(bind_alone).join().expect("it binds")? {
        print!("not run: needs unshare(2)");
        return Ok(());
    }
    step!("thread: unshare(CLONE_FS), umask(0777), bind(a, \"x\")");
    ask_mode("x");
    let _b = bound::<Stream>('b', "y")?;
    ask_mode("y");
    Ok(())
}

// 3. Set exactly the requested mode, by the library.

fn bind_with(path: &str, mode: u32) -> Result<Bound<UnixListener>, Error> {
    BindOptions::new().mode(mode).listen(path)
}

pub(crate) fn exact() -> Result<(), Error> {
    for mask in [0, 0o022, 0o077, 0o777] {
        try_umask(mask);
        let bound = bind_with("x", 0o660);
        step!("bind_with_mode(s, \"x\", 0660)");
        outcome(&bound);
        ask_mode("x");
    }
    set_umask(USUAL_UMASK);
    Ok(())
}

const TIMES: usize = 100;

/// Binds many times, and returns how often the file had exactly the mode.
fn bind_again_and_again(path: &str, mode: u32) -> Result<usize, Error> {
    let mut exact = 0;
    for _ in 0..TIMES {
        let _s = bind_with(path, mode)?;
        exact += usize::from(mode_of(path) == mode);
    }
    Ok(exact)
}

pub(crate) fn threads() -> Result<(), Error> {
    let running = AtomicUsize::new(2);
    thread::scope(|scope| {
        let binders = [("x", 0o600), ("y", 0o666)].map(|(path, mode)| {
            let running = &running;
            let binder = scope.spawn(move || {
                let exact = bind_again_and_again(path, mode);
                running.fetch_sub(1, SeqCst);
                exact
            });
            (path, mode, binder)
        });
        for mask in [0, 0o022, 0o077, 0o777].into_iter().cycle() {
            if running.load(SeqCst) == 0 {
                break;
            }
            set_umask(mask);
        }
        set_umask(USUAL_UMASK);
        for (path, mode, binder) in binders {
            let exact = binder.join().expect("it binds")?;
            step!("mode(\"{path}\") = {mode:04o}, {exact} times of {TIMES}");
        }
        Ok(())
    })
}
