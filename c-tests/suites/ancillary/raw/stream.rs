//! Cases of streams: the bytes with which a descriptor arrives, and the calls that take it.

use sunpath_sys as sys;
use sys::{MSG_PEEK, MSG_WAITALL, SOCK_STREAM};

use super::control::Control;
use super::line::{self, step};
use super::message::{
    Pair, close_pair, counted, named, new_pair, receive, receive_closing, receive_plain,
    send_rights, send_text, try_send_bytes, with_flags,
};
use crate::descriptors::open_descriptors;

// 1. Receive the bytes by different calls.

fn two_sent() -> Pair {
    let s = new_pair(SOCK_STREAM);
    send_rights(s.p, "aa", 1);
    send_text(s.p, "bb");
    s
}

pub(crate) fn waitall() {
    let s = two_sent();
    let all = with_flags(4, named!(MSG_WAITALL));
    receive_closing(s.q, &all);
    receive_closing(s.q, &all);
    close_pair(s);
}

pub(crate) fn read() {
    let s = new_pair(SOCK_STREAM);
    let before = open_descriptors();
    let mut byte = [0u8];
    send_rights(s.p, "x", 3);
    // SAFETY: pointer and length come from one live array.
    let count = counted(unsafe { sys::read(s.q, byte.as_mut_ptr().cast(), byte.len()) });
    step!("read(q, 1)");
    line::result(count);
    step!("opened {}", open_descriptors() - before);
    receive(s.q, 64);
    close_pair(s);
}

pub(crate) fn peek() {
    let s = new_pair(SOCK_STREAM);
    send_rights(s.p, "x", 1);
    let peek = with_flags(64, named!(MSG_PEEK));
    receive_closing(s.q, &peek);
    receive_closing(s.q, &peek);
    receive_plain(s.q, 64, named!(MSG_PEEK));
    receive(s.q, 64);
    close_pair(s);
}

// 2. Send more bytes than the queue takes: the sender sends the rest without descriptors.

pub(crate) fn short_write() {
    let data = vec![b'a'; 1 << 20];
    let s = new_pair(SOCK_STREAM);
    let mut control = Control::default();
    control.put_rights(2);
    let sent = try_send_bytes(s.p, &data, &mut control);
    step!("sendmsg(p, <1 MiB>, RIGHTS(2))");
    match sent {
        Ok(count) if (1..data.len()).contains(&count) => print!(" = less"),
        sent => line::result(sent),
    }
    receive(s.q, 1);
    receive(s.q, 1);
    close_pair(s);
}
