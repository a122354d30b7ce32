//! Sends or receives one message with control data, and prints it in the words of the line.

use std::fmt::Display;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};

use libc::c_int;
use sunpath::ancillary::{Ancillary, Control, ControlMessage, ControlStorage, Message, MsgFlags};
use sunpath::fd::{IoSlice, IoSliceMut};
use sunpath::socket::Kind;
use sunpath::sys;
use sunpath::{Error, Socket, Stream, UnixStream};

use super::line::{self, Arrived, step};
use crate::descriptors::open_descriptors;
use crate::process;

/// The size of the buffer for data, which is more than any case needs.
const DATA_SIZE: usize = 256;

/// The size of the control buffer, which is more than any case needs.
pub(crate) const CONTROL_SIZE: usize = 4096;

// 1. Make and close sockets.

/// Two connected sockets, which are nonblocking and close-on-exec.
pub(crate) struct Pair<T: Kind> {
    pub(crate) p: Socket<T>,
    pub(crate) q: Socket<T>,
}

pub(crate) fn new_pair<T: Kind>() -> Result<Pair<T>, Error> {
    let (p, q) = Socket::pair()?;
    p.set_nonblocking(true)?;
    q.set_nonblocking(true)?;
    Ok(Pair { p, q })
}

/// Prints the result of a step.
pub(crate) fn result<T: Display>(result: Result<T, Error>) {
    line::result(result.map_err(|error| error.errno().raw()));
}

/// The method that sets an option of a socket, with the option's name.
macro_rules! option {
    (SO_PASSCRED) => {
        (sunpath::Socket::set_pass_credentials, "SO_PASSCRED")
    };
    (SO_PASSPIDFD) => {
        (sunpath::Socket::set_pass_pidfd, "SO_PASSPIDFD")
    };
    (SO_PASSRIGHTS) => {
        (sunpath::Socket::set_pass_rights, "SO_PASSRIGHTS")
    };
    (SO_INQ) => {
        (sunpath::UnixStream::set_pass_queue_length, "SO_INQ")
    };
}
pub(crate) use option;

/// Sets an option of a socket, as a step.
pub(crate) fn set<T: Kind>(
    name: &str,
    socket: &Socket<T>,
    (method, words): (impl Fn(&Socket<T>, bool) -> Result<(), Error>, &str),
    on: bool,
) {
    let set = method(socket, on);
    step!("setsockopt({name}, {words}, {})", u8::from(on));
    result(set.map(|()| "ok"));
}

/// Returns whether this kernel lacks an option, and prints a missing option in place of the case.
pub(crate) fn lacks(
    (method, words): (impl Fn(&UnixStream, bool) -> Result<(), Error>, &str),
) -> Result<bool, Error> {
    let s = new_pair::<Stream>()?;
    let lacks = method(&s.p, true).is_err_and(Error::is_unsupported);
    if lacks {
        print!("not run: needs {words}");
    }
    Ok(lacks)
}

// 2. Send messages. If the case names no descriptor, standard input is sent, which the test runner
//    opens.

/// Sends text with control data, as a step with these words for the control data.
pub(crate) fn send_control<T: Kind>(
    p: &Socket<T>,
    text: &str,
    control: &[Control<'_>],
    words: &str,
) {
    let sent = p.sendmsg(&[IoSlice::new(text.as_bytes())], control);
    step!("sendmsg(p, \"{text}\", {words})");
    result(sent);
}

pub(crate) fn send_rights<T: Kind>(p: &Socket<T>, text: &str, count: usize) {
    let any = io::stdin();
    let fds = vec![any.as_fd(); count];
    send_control(p, text, &[Control::Rights(&fds)], &line::rights(count));
}

/// Sends all of the text, and a descriptor with it.
pub(crate) fn send_fd<T: Kind>(p: &Socket<T>, text: &str, fd: impl AsFd) {
    let sent = p.send_fds(text.as_bytes(), &[fd.as_fd()]);
    step!("sendmsg(p, \"{text}\", {})", line::rights(1));
    result(sent.map(|()| text.len()));
}

pub(crate) fn send_text(p: &UnixStream, text: &str) {
    let sent = p.write(text.as_bytes());
    step!("send(p, \"{text}\")");
    result(sent);
}

// 3. Receive messages.

/// The size of a control buffer, with the words that the line has for it.
macro_rules! named {
    ($size:expr) => {
        ($size, stringify!($size))
    };
}
pub(crate) use named;

/// Returns the control messages in words, in the order of the buffer, and the descriptors that
/// arrived with them.
pub(crate) fn in_words(mut control: Ancillary<impl ControlStorage>) -> (Vec<String>, Vec<OwnedFd>) {
    let kind = |message: ControlMessage<'_>| match message.level() {
        sys::SOL_SOCKET => message.cmsg_type(),
        _ => -1,
    };
    let kinds: Vec<c_int> = control.messages().map(kind).collect();
    let (mut words, mut fds) = (Vec::new(), Vec::new());
    for kind in kinds {
        words.extend(match kind {
            sys::SCM_CREDENTIALS => control.credentials().map(|credentials| {
                let pid = credentials.pid().unwrap_or(0);
                line::credentials(pid, credentials.uid(), credentials.gid())
            }),
            sys::SCM_RIGHTS => {
                let before = fds.len();
                fds.extend(control.rights());
                Some(line::rights(fds.len() - before))
            }
            sys::SCM_PIDFD => match control.pidfd() {
                Ok(pidfd) => {
                    fds.extend(pidfd);
                    Some(line::pidfd(Ok(())))
                }
                Err(error) => Some(line::pidfd(Err(error.errno().raw()))),
            },
            sys::SCM_INQ => control.queue_length().map(|left| line::inq(left as c_int)),
            _ => Some("another".to_owned()),
        });
    }
    (words, fds)
}

/// Receives at most `size` bytes, and control data into any buffer. Prints a step with `words`
/// after the size. If control data was truncated, takes the part that arrived.
pub(crate) fn receive_with<T: Kind>(
    q: &Socket<T>,
    size: usize,
    words: &str,
    buffer: impl ControlStorage,
) -> Vec<OwnedFd> {
    receive_flags(q, size, words, buffer, MsgFlags::empty())
}

fn receive_flags<T: Kind>(
    q: &Socket<T>,
    size: usize,
    words: &str,
    buffer: impl ControlStorage,
    flags: MsgFlags,
) -> Vec<OwnedFd> {
    let mut data = [0; DATA_SIZE];
    let before = open_descriptors();
    let message = q.recvmsg_with(&mut [IoSliceMut::new(&mut data[..size])], buffer, flags);
    let opened = open_descriptors() - before;

    step!("recvmsg(q, {size}{words})");
    result(message.as_ref().map(Message::len).map_err(|error| *error));
    let Ok(message) = message else {
        return Vec::new();
    };
    let received = message.received();
    let control = message.into_partial_control();
    let closed = control.closed();
    let (messages, fds) = in_words(control);
    line::arrived(&Arrived {
        data: &data[..received.len()],
        messages,
        truncated: received.is_truncated(),
        control_truncated: received.is_control_truncated(),
        opened,
    });
    if closed > 0 {
        print!(", closed {closed}");
    }
    fds
}

/// Receives into a control buffer of `space` bytes, and closes the descriptors.
pub(crate) fn receive_in<T: Kind>(q: &Socket<T>, size: usize, (buffer, words): (usize, &str)) {
    let buffer = &mut vec![0; buffer][..];
    drop(receive_with(q, size, &format!(", {words}"), buffer));
}

/// Receives into a buffer that has space for everything. The descriptors belong to the caller.
pub(crate) fn receive_fds<T: Kind>(q: &Socket<T>, size: usize) -> Vec<OwnedFd> {
    receive_with(q, size, "", &mut [0; CONTROL_SIZE])
}

/// Receives with the flag of this name into a buffer that has space for everything, and closes the
/// descriptors.
pub(crate) fn receive_closing<T: Kind>(q: &Socket<T>, size: usize, flag: (MsgFlags, &str)) {
    let buffer = &mut [0; CONTROL_SIZE];
    drop(receive_flags(
        q,
        size,
        &format!(", {}", flag.1),
        buffer,
        flag.0,
    ));
}

pub(crate) fn receive<T: Kind>(q: &Socket<T>, size: usize) {
    drop(receive_fds(q, size));
}

/// Receives one descriptor, which belongs to the caller.
pub(crate) fn receive_fd<T: Kind>(q: &Socket<T>) -> Result<OwnedFd, Error> {
    let mut data = [0; 64];
    let before = open_descriptors();
    let (received, [fd]) = q.recv_fds(&mut data)?;
    let opened = open_descriptors() - before;
    step!("recvmsg(q, {})", data.len());
    result(Ok(received.len()));
    line::arrived(&Arrived {
        data: &data[..received.len()],
        messages: vec![line::rights(1)],
        opened,
        ..Arrived::default()
    });
    Ok(fd)
}

/// A method that calls recv(2), with the words for the flags that it sets.
pub(crate) type Plain = (
    fn(&UnixStream, &mut [u8]) -> Result<usize, Error>,
    &'static str,
);
pub(crate) const READ: Plain = (UnixStream::read, "");
pub(crate) const PEEK: Plain = (UnixStream::peek, ", MSG_PEEK");

/// Calls recv(2), as a step.
pub(crate) fn receive_plain(q: &UnixStream, size: usize, (method, words): Plain) {
    let mut data = [0; DATA_SIZE];
    let before = open_descriptors();
    let count = method(q, &mut data[..size]);
    let opened = open_descriptors() - before;
    step!("recv(q, {size}{words})");
    result(count);
    if let Ok(count) = count {
        line::arrived(&Arrived {
            data: &data[..count],
            opened,
            ..Arrived::default()
        });
    }
}

/// Prints "FD_CLOEXEC" as a step, or "no FD_CLOEXEC" if the flag is not set.
pub(crate) fn ask_close_on_exec(fd: impl AsFd) {
    step!("{}", process::close_on_exec(fd.as_fd().as_raw_fd()));
}
