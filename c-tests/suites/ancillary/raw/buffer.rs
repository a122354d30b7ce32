//! Cases of the receiver's control buffer: what arrives if it is too small, and what an iteration
//! over it sees.

use sunpath_sys as sys;
use sys::{CMSG_LEN, CMSG_SPACE, SCM_RIGHTS, SOCK_STREAM, SOL_SOCKET};

use super::close;
use super::control::{Control, in_words, message_over, messages, written};
use super::line::{self, Arrived, part, step};
use super::message::{
    Receive, at_most, close_fds, close_pair, counted, in_buffer, named, new_pair, piece, receive,
    receive_closing, receive_with, send_rights,
};
use crate::descriptors::{allow_more, allow_usual, open_descriptors};

// 1. Use a buffer for one descriptor with its padding, into which two fit.

fn into_one(count: usize) {
    let s = new_pair(SOCK_STREAM);
    send_rights(s.p, "x", count);
    receive_closing(s.q, &in_buffer(64, named!(CMSG_SPACE(4))));
    close_pair(s);
}

pub(crate) fn padded() {
    into_one(3);
}

pub(crate) fn padding() {
    into_one(2);
}

// 2. Receive at the limit of descriptors: recvmsg succeeds, and reports that something is missing.

fn three_at_limit(more: usize) {
    let s = new_pair(SOCK_STREAM);
    send_rights(s.p, "x", 3);
    allow_more(more);
    receive(s.q, 64);
    allow_usual();
    close_pair(s);
}

pub(crate) fn for_one() {
    three_at_limit(1);
}

pub(crate) fn for_none() {
    three_at_limit(0);
}

// 3. Use the buffer in unusual ways.

/// Uses one buffer for two calls, as in a loop. The second call fails, and an iteration over the
/// buffer then sees the descriptors of the first call.
pub(crate) fn failed() {
    let s = new_pair(SOCK_STREAM);
    let (mut control, data) = ([0u8; CMSG_SPACE(4)], &mut [0u8]);
    let mut iov = [piece(data)];
    iov[0].iov_base = data.as_mut_ptr().cast();
    let mut message = message_over(&mut iov, &mut control);
    send_rights(s.p, "x", 1);
    let mut received = Vec::new();
    for _ in 0..2 {
        // SAFETY: the message points to live memory that nothing else uses.
        let count = unsafe { sys::recvmsg(s.q, &mut message, sys::MSG_CMSG_CLOEXEC) };
        let count = counted(count);
        step!("recvmsg(q, 1)");
        line::result(count);
        let (messages, fds) = in_words(written(&mut control, &message));
        line::arrived(&Arrived {
            messages,
            ..Arrived::default()
        });
        if count.is_ok() {
            received = fds;
        }
    }
    close_fds(&received);
    close_pair(s);
}

pub(crate) fn aligned() {
    let s = new_pair(SOCK_STREAM);
    for offset in 0..=8 {
        part(&format!("offset {offset}"));
        send_rights(s.p, "x", 2);
        let how = Receive {
            buffer: (CMSG_SPACE(8), None),
            offset,
            ..at_most(64)
        };
        receive_closing(s.q, &how);
    }
    close_pair(s);
}

// 4. Iterate over bytes that no kernel wrote: two messages of 8 bytes, the first with a wrong
//    length.

fn iterate(control: &mut [u8]) -> Vec<usize> {
    let all = messages(control);
    all.into_iter().map(|(_, _, data)| data.len()).collect()
}

fn iterate_with(cmsg_len: usize, words: &str) {
    let mut control = Control::default();
    control.put_wrong(cmsg_len, SOL_SOCKET, SCM_RIGHTS);
    control.put_rights(2);
    let sizes = iterate(&mut control.0);
    step!("cmsg_len {words}: data of");
    sizes.iter().for_each(|size| print!(" {size}"));
}

macro_rules! iterate_with {
    ($len:expr) => {
        iterate_with($len, stringify!($len))
    };
}

const SIZE_MAX: usize = usize::MAX;

pub(crate) fn length() {
    iterate_with!(0);
    iterate_with!(1);
    iterate_with!(CMSG_LEN(0) - 1);
    iterate_with!(CMSG_LEN(0));
    iterate_with!(CMSG_LEN(8));
    iterate_with!(CMSG_LEN(8) + 1);
    iterate_with!(SIZE_MAX / 2);
    iterate_with!(SIZE_MAX);
}

pub(crate) fn clamped() {
    iterate_with!(CMSG_SPACE(8) * 2 - 1);
    iterate_with!(CMSG_SPACE(8) * 2);
    iterate_with!(CMSG_SPACE(8) * 2 + 1);
}

/// For each prefix of the buffer, counts the messages in it, and prints the lengths at which the
/// count changes.
pub(crate) fn room() {
    const SECOND: usize = CMSG_SPACE(8) + CMSG_LEN(0);
    let mut control = Control::default();
    control.put_rights(2);
    control.put_rights(2);
    let mut seen = 0;
    for len in 0..=control.0.len() {
        let count = iterate(&mut control.0[..len].to_vec()).len();
        if count == seen {
            continue;
        }
        seen = count;
        let words = match len {
            _ if len == CMSG_LEN(0) => "CMSG_LEN(0)",
            SECOND => "CMSG_SPACE(8) + CMSG_LEN(0)",
            _ => "elsewhere",
        };
        step!("{count} from {words}");
    }
}

// 5. Close the descriptors that the receiver does not use.

pub(crate) fn untaken() {
    let s = new_pair(SOCK_STREAM);
    let before = open_descriptors();
    send_rights(s.p, "x", 3);
    receive(s.q, 64);
    step!("left open {}", open_descriptors() - before);
    close_pair(s);
}

pub(crate) fn half_taken() {
    let s = new_pair(SOCK_STREAM);
    let before = open_descriptors();
    send_rights(s.p, "x", 3);
    let fds = receive_with(s.q, &at_most(64));
    close_fds(&fds[1..]);
    step!("taken 1, left open {}", open_descriptors() - before);
    close(fds[0]);
    close_pair(s);
}
