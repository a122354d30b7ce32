//! Sends or receives one message with control data, and prints it in the words of the line.

use std::mem::size_of;
use std::ptr;

use libc::{c_int, c_void};
use sunpath_sys as sys;
use sys::{MSG_CMSG_CLOEXEC, MSG_CTRUNC, MSG_NOSIGNAL, MSG_TRUNC, SOL_SOCKET, iovec, socklen_t};

use super::close;
use super::control::{CONTROL_SIZE, Control, in_words, message_over, written};
use super::line::{self, Arrived, step};
use crate::descriptors::open_descriptors;
use crate::process::check;

/// The size of the buffer for data, which is more than any case needs.
const DATA_SIZE: usize = 256;

// 1. Make and close sockets.

/// Two connected sockets, which are nonblocking and close-on-exec.
#[derive(Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) p: c_int,
    pub(crate) q: c_int,
}

pub(crate) fn new_pair(kind: c_int) -> Pair {
    let mut pair = [-1; 2];
    let kind = kind | sys::SOCK_CLOEXEC | sys::SOCK_NONBLOCK;
    // SAFETY: `pair` has space for two descriptors.
    let result = unsafe { sys::socketpair(sys::AF_UNIX, kind, 0, pair.as_mut_ptr()) };
    check("socketpair", result);
    let [p, q] = pair;
    Pair { p, q }
}

pub(crate) fn close_pair(s: Pair) {
    close(s.p);
    close(s.q);
}

fn try_set(fd: c_int, option: c_int, value: c_int) -> Result<&'static str, c_int> {
    let at = ptr::from_ref(&value).cast();
    let size = size_of::<c_int>() as socklen_t;
    // SAFETY: `at` is a live int, and `size` is its size.
    match unsafe { sys::setsockopt(fd, SOL_SOCKET, option, at, size) } {
        0 => Ok("ok"),
        _ => Err(sys::errno()),
    }
}

/// The constant of an option of level SOL_SOCKET, with the option's name.
macro_rules! option {
    ($option:ident) => {
        (sunpath_sys::$option, stringify!($option))
    };
}
pub(crate) use option;

/// Sets an option of a socket, as a step.
pub(crate) fn set(name: &str, fd: c_int, (option, words): (c_int, &str), value: c_int) {
    let set = try_set(fd, option, value);
    step!("setsockopt({name}, {words}, {value})");
    line::result(set);
}

/// Returns whether this kernel lacks an option, and prints a missing option in place of the case.
pub(crate) fn lacks((option, words): (c_int, &str)) -> bool {
    let s = new_pair(sys::SOCK_STREAM);
    let lacks = try_set(s.p, option, 1) == Err(sys::ENOPROTOOPT);
    if lacks {
        print!("not run: needs {words}");
    }
    close_pair(s);
    lacks
}

// 2. Send messages.

pub(crate) fn counted(count: isize) -> Result<usize, c_int> {
    usize::try_from(count).map_err(|_| sys::errno())
}

pub(crate) fn piece(bytes: &[u8]) -> iovec {
    iovec {
        iov_base: bytes.as_ptr().cast::<c_void>().cast_mut(),
        iov_len: bytes.len(),
    }
}

pub(crate) fn try_send_bytes(p: c_int, data: &[u8], control: &mut Control) -> Result<usize, c_int> {
    let mut iov = [piece(data)];
    let message = message_over(&mut iov, &mut control.0);
    // SAFETY: the message points to live memory, which sendmsg only reads.
    counted(unsafe { sys::sendmsg(p, &message, MSG_NOSIGNAL) })
}

pub(crate) fn try_send(p: c_int, text: &str, control: &mut Control) -> Result<usize, c_int> {
    try_send_bytes(p, text.as_bytes(), control)
}

/// Sends text with control data, as a step with these words for the control data.
pub(crate) fn send_control(p: c_int, text: &str, mut control: Control, words: &str) {
    let sent = try_send(p, text, &mut control);
    step!("sendmsg(p, \"{text}\", {words})");
    line::result(sent);
}

pub(crate) fn send_rights(p: c_int, text: &str, count: usize) {
    let mut control = Control::default();
    control.put_rights(count);
    send_control(p, text, control, &line::rights(count));
}

pub(crate) fn send_fd(p: c_int, text: &str, fd: c_int) {
    let mut control = Control::default();
    control.put_fds(&[fd]);
    send_control(p, text, control, &line::rights(1));
}

pub(crate) fn send_text(p: c_int, text: &str) {
    // SAFETY: pointer and length come from one live string.
    let sent = counted(unsafe { sys::send(p, text.as_ptr().cast(), text.len(), MSG_NOSIGNAL) });
    step!("send(p, \"{text}\")");
    line::result(sent);
}

// 3. Receive messages.

/// Words of the line, if it has any.
pub(crate) type Words<'a> = Option<&'a str>;

/// The size of a control buffer, or flags, with the words that the line has for them.
macro_rules! named {
    ($value:expr) => {
        ($value, Some(stringify!($value)))
    };
}
pub(crate) use named;

/// The arguments of a receive: at most `size` bytes, and a control buffer of the size in `buffer`
/// that begins `offset` bytes after an aligned address. The words of size and flags are printed in
/// the line, if there are any.
pub(crate) struct Receive<'a> {
    pub(crate) size: usize,
    pub(crate) buffer: (usize, Words<'a>),
    pub(crate) flags: (c_int, Words<'a>),
    pub(crate) offset: usize,
}

/// Receives at most `size` bytes, into a control buffer that is large enough.
pub(crate) const fn at_most(size: usize) -> Receive<'static> {
    Receive {
        size,
        buffer: (CONTROL_SIZE, None),
        flags: (MSG_CMSG_CLOEXEC, None),
        offset: 0,
    }
}

pub(crate) fn in_buffer(size: usize, buffer: (usize, Words<'_>)) -> Receive<'_> {
    Receive {
        buffer,
        ..at_most(size)
    }
}

pub(crate) fn with_flags(size: usize, flags: (c_int, Words<'_>)) -> Receive<'_> {
    Receive {
        flags,
        ..at_most(size)
    }
}

fn behind_comma(words: Words<'_>) -> String {
    words.map(|words| format!(", {words}")).unwrap_or_default()
}

pub(crate) fn close_fds(fds: &[c_int]) {
    fds.iter().copied().for_each(close);
}

/// Receives a message, as a step. The descriptors belong to the caller.
pub(crate) fn receive_with(q: c_int, how: &Receive<'_>) -> Vec<c_int> {
    #[repr(align(16))]
    struct Aligned([u8; CONTROL_SIZE + 16]);
    let (mut buffer, mut data) = (Aligned([0; CONTROL_SIZE + 16]), [0; DATA_SIZE]);
    let control = &mut buffer.0[how.offset..][..how.buffer.0];
    let mut iov = [piece(&data[..how.size])];
    iov[0].iov_base = data.as_mut_ptr().cast();
    let mut message = message_over(&mut iov, control);
    let before = open_descriptors();
    // SAFETY: the message points to live memory that nothing else uses.
    let count = counted(unsafe { sys::recvmsg(q, &mut message, how.flags.0) });
    let opened = open_descriptors() - before;

    let words = [how.buffer.1, how.flags.1].map(behind_comma).concat();
    step!("recvmsg(q, {}{words})", how.size);
    line::result(count);
    let Ok(count) = count else { return Vec::new() };
    let (messages, fds) = in_words(written(control, &message));
    line::arrived(&Arrived {
        data: &data[..count.min(how.size)],
        messages,
        truncated: message.msg_flags & MSG_TRUNC != 0,
        control_truncated: message.msg_flags & MSG_CTRUNC != 0,
        opened,
    });
    fds
}

/// Receives and closes the descriptors.
pub(crate) fn receive_closing(q: c_int, how: &Receive<'_>) {
    close_fds(&receive_with(q, how));
}

pub(crate) fn receive(q: c_int, size: usize) {
    receive_closing(q, &at_most(size));
}

/// Receives one descriptor, which belongs to the caller.
pub(crate) fn receive_fd(q: c_int) -> c_int {
    match receive_with(q, &at_most(64))[..] {
        [fd] => fd,
        ref fds => {
            close_fds(fds);
            -1
        }
    }
}

/// Calls recv(2), as a step.
pub(crate) fn receive_plain(q: c_int, size: usize, (flags, words): (c_int, Words<'_>)) {
    let mut data = [0u8; DATA_SIZE];
    let before = open_descriptors();
    let at = data[..size].as_mut_ptr().cast();
    // SAFETY: data has space for `size` bytes.
    let count = counted(unsafe { sys::recv(q, at, size, flags) });
    let opened = open_descriptors() - before;
    step!("recv(q, {size}{})", behind_comma(words));
    line::result(count);
    if let Ok(count) = count {
        line::arrived(&Arrived {
            data: &data[..count],
            opened,
            ..Arrived::default()
        });
    }
}

/// Prints "FD_CLOEXEC" or "no FD_CLOEXEC", as a step.
pub(crate) fn ask_close_on_exec(fd: c_int) {
    step!("{}", crate::process::close_on_exec(fd));
}
