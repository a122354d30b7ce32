//! Cases with many messages in one call, with many slices in one message, and with truncated data.

use std::ptr;

use libc::c_uint;
use sunpath_sys as sys;
use sys::{MSG_CMSG_CLOEXEC, MSG_NOSIGNAL, MSG_TRUNC, SOCK_DGRAM, iovec, mmsghdr};

use super::control::{CONTROL_SIZE, Control, in_words, message_over, written};
use super::line::{self, Arrived, step};
use super::message::{
    close_fds, close_pair, counted, named, new_pair, piece, receive_closing, send_text, with_flags,
};
use crate::descriptors::open_descriptors;

// 1. Call sendmmsg and recvmmsg with the messages "a", "bb" and "ccc". If the case wants
//    descriptors, they have 0, 1 and 2 of them.

const BATCH: usize = 3;

fn batch(iovs: &mut [iovec; BATCH], controls: &mut [Vec<u8>; BATCH]) -> Vec<mmsghdr> {
    let pieces = iovs.chunks_mut(1).zip(controls);
    pieces
        .map(|(iov, control)| mmsghdr {
            msg_hdr: message_over(iov, control),
            msg_len: 0,
        })
        .collect()
}

fn in_a_batch(with_rights: bool) {
    let s = new_pair(SOCK_DGRAM);
    let mut controls: [Control; BATCH] = Default::default();
    if with_rights {
        controls[1].put_rights(1);
        controls[2].put_rights(2);
    }
    let mut controls = controls.map(|control| control.0);
    let mut iovs = ["a", "bb", "ccc"].map(|text| piece(text.as_bytes()));
    let mut messages = batch(&mut iovs, &mut controls);
    let at = messages.as_mut_ptr();
    // SAFETY: the messages point to live memory, which sendmmsg only reads; it writes msg_len.
    let sent = unsafe { sys::sendmmsg(s.p, at, BATCH as c_uint, MSG_NOSIGNAL as _) };
    step!("sendmmsg(p, \"a\", \"bb\", \"ccc\")");
    line::result(counted(sent as isize));

    let mut data = [[0u8; 8]; BATCH];
    let mut iovs = data.each_mut().map(|data| iovec {
        iov_base: data.as_mut_ptr().cast(),
        iov_len: data.len(),
    });
    let mut controls = [(); BATCH].map(|()| vec![0; CONTROL_SIZE]);
    let mut messages = batch(&mut iovs, &mut controls);
    let (at, flags) = (messages.as_mut_ptr(), MSG_CMSG_CLOEXEC as _);
    let before = open_descriptors();
    // SAFETY: the messages point to live memory that nothing else uses, and the timeout is null.
    let count = unsafe { sys::recvmmsg(s.q, at, BATCH as c_uint, flags, ptr::null_mut()) };
    let opened = open_descriptors() - before;
    step!("recvmmsg(q)");
    line::result(counted(count as isize));
    print!(", opened {opened}");
    for ((message, data), control) in messages.iter().zip(&data).zip(&mut controls) {
        let len = message.msg_len as usize;
        let (messages, fds) = in_words(written(control, &message.msg_hdr));
        step!("{len}");
        line::arrived(&Arrived {
            data: &data[..len],
            messages,
            ..Arrived::default()
        });
        close_fds(&fds);
    }
    close_pair(s);
}

pub(crate) fn three() {
    in_a_batch(false);
}

pub(crate) fn rights() {
    in_a_batch(true);
}

// 2. Send and receive many slices.

fn in_pieces(count: usize) {
    let s = new_pair(SOCK_DGRAM);
    let mut iovs: Vec<iovec> = (0..count).map(|_| piece(b"x")).collect();
    let message = message_over(&mut iovs, &mut []);
    // SAFETY: the message points to live memory, which sendmsg only reads.
    let sent = counted(unsafe { sys::sendmsg(s.p, &message, MSG_NOSIGNAL) });
    step!("sendmsg(p, {count} pieces)");
    line::result(sent);
    close_pair(s);
}

pub(crate) fn pieces() {
    in_pieces(1024);
}

pub(crate) fn too_many_pieces() {
    in_pieces(1025);
}

// 3. Receive truncated data.

pub(crate) fn true_length() {
    let s = new_pair(SOCK_DGRAM);
    send_text(s.p, "abcdef");
    let how = with_flags(2, named!(MSG_TRUNC));
    receive_closing(s.q, &how);
    close_pair(s);
}
