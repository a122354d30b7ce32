//! Cases of descriptors in flight: what they share, what closes them, and how many there may be.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::AsFd as _;

use sunpath::ancillary::Control;
use sunpath::fd::IoSlice;
use sunpath::sys::O_NONBLOCK;
use sunpath::{Error, Stream};

use super::line::{self, step};
use super::message::{
    CONTROL_SIZE, ask_close_on_exec, lacks, new_pair, option, receive, receive_fd, receive_with,
    send_fd, send_rights, set,
};
use super::system::new_pipe;
use super::{accepted, as_nobody, connected, listening};
use crate::descriptors::{allow, allow_usual};
use crate::process::name_of;

// 1. Make pipes, because one end of a pipe shows whether the other end is open.

fn ask_pipe(mut pipe: &File) {
    let count = pipe.read(&mut [0]);
    step!("read(pipe)");
    line::result(count.map_err(|error| error.raw_os_error().unwrap_or(0)));
}

// 2. Examine a received descriptor: its flag and its file.

fn close_on_exec(words: &str) -> Result<(), Error> {
    let s = new_pair::<Stream>()?;
    send_fd(&s.p, "x", &s.p);
    for fd in receive_with(&s.q, 64, words, &mut [0; CONTROL_SIZE]) {
        ask_close_on_exec(fd);
    }
    Ok(())
}

pub(crate) fn plain() -> Result<(), Error> {
    close_on_exec("")
}

/// The library sets MSG_CMSG_CLOEXEC by itself, so the program passes no flag.
pub(crate) fn cloexec() -> Result<(), Error> {
    close_on_exec(", MSG_CMSG_CLOEXEC")
}

pub(crate) fn offset() -> Result<(), Error> {
    let s = new_pair::<Stream>()?;
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    let mut file = options.open("f").expect("the directory is empty");
    fs::remove_file("f").expect("the file is ours");
    send_fd(&s.p, "x", &file);
    let mut received = File::from(receive_fd(&s.q)?);
    let at = received.seek(SeekFrom::Start(5)).expect("a file can seek");
    step!("lseek(received, 5, SEEK_SET) = {at}");
    let at = file.stream_position().expect("a file has a position");
    step!("lseek(sent, 0, SEEK_CUR) = {at}");
    Ok(())
}

pub(crate) fn closed() -> Result<(), Error> {
    let s = new_pair::<Stream>()?;
    let [from, to] = new_pipe(O_NONBLOCK);
    send_fd(&s.p, "x", to);
    let mut received = File::from(receive_fd(&s.q)?);
    let count = received.write(b"y").expect("the pipe has space");
    step!("write(received) = {count}");
    ask_pipe(&from);
    Ok(())
}

// 3. Leave descriptors in a queue: a pipe ends only when its last write end is closed.

pub(crate) fn receiver_closes() -> Result<(), Error> {
    let s = new_pair::<Stream>()?;
    let [from, to] = new_pipe(O_NONBLOCK);
    send_fd(&s.p, "x", to);
    ask_pipe(&from);
    step!("close(q)");
    drop(s.q);
    ask_pipe(&from);
    Ok(())
}

pub(crate) fn sender_closes() -> Result<(), Error> {
    let s = new_pair::<Stream>()?;
    let [from, to] = new_pipe(O_NONBLOCK);
    send_fd(&s.p, "x", to);
    step!("close(p)");
    drop(s.p);
    receive(&s.q, 64);
    ask_pipe(&from);
    Ok(())
}

pub(crate) fn never_accepted() -> Result<(), Error> {
    let (listener, p) = (listening::<Stream>()?, connected::<Stream>()?);
    let [from, to] = new_pipe(O_NONBLOCK);
    send_fd(&p, "x", to);
    ask_pipe(&from);
    step!("close(listener)");
    drop(listener);
    ask_pipe(&from);
    Ok(())
}

/// The kernel frees sockets that are in flight in their own queues, but only some time later. The
/// read of the pipe waits until the kernel has done that.
pub(crate) fn itself() -> Result<(), Error> {
    let [from, to] = new_pipe(0);
    for _ in 0..100 {
        let s = new_pair::<Stream>()?;
        s.p.send_fds(b"x", &[s.q.as_fd(), to.as_fd()])?;
    }
    drop(to);
    step!("a hundred queues that hold their own socket and a pipe");
    ask_pipe(&from);
    Ok(())
}

// 4. Count descriptors in flight: each counts for the user who sent it.

/// Sends messages under a limit of 32 descriptors until the kernel refuses a message. The last
/// message may exceed the limit, because the kernel compares the count before it adds the
/// descriptors of a message.
fn until_refused(rights: usize) -> Result<(), Error> {
    let (s, any) = (new_pair::<Stream>()?, io::stdin());
    let fds = vec![any.as_fd(); rights];
    allow(32);
    let mut count = 0;
    let error = loop {
        match s.p.sendmsg(&[IoSlice::new(b"x")], &[Control::Rights(&fds)]) {
            Ok(_) => count += 1,
            Err(error) => break error,
        }
    };
    let refused = name_of(error.errno().raw());
    step!("sendmsg(p, \"x\", RIGHTS({rights})) = 1, {count} times, then {refused}");
    allow_usual();
    receive(&s.q, 64);
    allow(32);
    send_rights(&s.p, "x", 1);
    allow_usual();
    Ok(())
}

pub(crate) fn too_many() -> Result<(), Error> {
    as_nobody(|| until_refused(1))
}

pub(crate) fn too_many_at_once() -> Result<(), Error> {
    as_nobody(|| until_refused(40))
}

// 5. Send to receivers that take no descriptors.

pub(crate) fn by_listener() -> Result<(), Error> {
    if lacks(option!(SO_PASSRIGHTS))? {
        return Ok(());
    }
    let listener = listening::<Stream>()?;
    set(
        "listener",
        listener.as_socket(),
        option!(SO_PASSRIGHTS),
        false,
    );
    let p = connected::<Stream>()?;
    send_rights(&p, "x", 1);
    let q = accepted(&listener)?;
    receive(&q, 64);
    Ok(())
}
