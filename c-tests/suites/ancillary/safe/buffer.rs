//! Cases of the receiver's control buffer: what arrives if it is too small, and what an iteration
//! over it sees.

use std::mem::offset_of;
use std::os::fd::OwnedFd;

use sunpath::ancillary::{ControlBuffer, ControlMessages, Rights};
use sunpath::fd::IoSliceMut;
use sunpath::sys::{CMSG_LEN, CMSG_SPACE, SCM_RIGHTS, SOL_SOCKET, cmsghdr};
use sunpath::{Error, Stream};

use super::line::{self, Arrived, part, step};
use super::message::{
    in_words, named, new_pair, receive, receive_in, receive_with, result, send_rights,
};
use crate::descriptors::{allow_more, allow_usual, open_descriptors};

// 1. Use a buffer for one descriptor with its padding, into which two fit. A program that expects
//    one descriptor gets one.

fn into_one(count: usize) -> Result<(), Error> {
    let s = new_pair::<Stream>()?;
    part("bytes");
    send_rights(&s.p, "x", count);
    receive_in(&s.q, 64, named!(CMSG_SPACE(4)));
    part("Rights<1>");
    send_rights(&s.p, "x", count);
    let mut buffer = ControlBuffer::<Rights<1>>::new();
    drop(receive_with(&s.q, 64, "", &mut buffer));
    part("all or nothing");
    send_rights(&s.p, "x", count);
    let before = open_descriptors();
    let message = s.q.recvmsg(&mut [IoSliceMut::new(&mut [0])], &mut buffer)?;
    step!("into_control()");
    result(message.into_control().map(|_| "ok"));
    step!("left open {}", open_descriptors() - before);
    Ok(())
}

pub(crate) fn padded() -> Result<(), Error> {
    into_one(3)
}

pub(crate) fn padding() -> Result<(), Error> {
    into_one(2)
}

// 2. Receive at the limit of descriptors: recvmsg succeeds, and reports that something is missing.

fn three_at_limit(more: usize) -> Result<(), Error> {
    let s = new_pair::<Stream>()?;
    send_rights(&s.p, "x", 3);
    allow_more(more);
    receive(&s.q, 64);
    allow_usual();
    Ok(())
}

pub(crate) fn for_one() -> Result<(), Error> {
    three_at_limit(1)
}

pub(crate) fn for_none() -> Result<(), Error> {
    three_at_limit(0)
}

// 3. Use the buffer in unusual ways.

/// Uses one buffer for two calls, as in a loop. The second call fails, so the program has nothing
/// to iterate over.
pub(crate) fn failed() -> Result<(), Error> {
    let s = new_pair::<Stream>()?;
    let mut buffer = [0; CMSG_SPACE(4)];
    let mut kept = Vec::new();
    send_rights(&s.p, "x", 1);
    for _ in 0..2 {
        let message = s.q.recvmsg(&mut [IoSliceMut::new(&mut [0])], &mut buffer);
        step!("recvmsg(q, 1)");
        let control = message.map(|message| {
            result(Ok(message.len()));
            in_words(message.into_partial_control())
        });
        match control {
            Ok((messages, fds)) => {
                line::arrived(&Arrived {
                    messages,
                    ..Arrived::default()
                });
                kept.extend(fds);
            }
            Err(error) => result::<usize>(Err(error)),
        }
    }
    Ok(())
}

pub(crate) fn aligned() -> Result<(), Error> {
    #[repr(align(16))]
    struct Aligned([u8; CMSG_SPACE(8) + 8]);
    let s = new_pair::<Stream>()?;
    let mut buffer = Aligned([0; CMSG_SPACE(8) + 8]);
    for offset in 0..=8 {
        part(&format!("offset {offset}"));
        send_rights(&s.p, "x", 2);
        let buffer = &mut buffer.0[offset..][..CMSG_SPACE(8)];
        drop(receive_with(&s.q, 64, "", buffer));
    }
    Ok(())
}

// 4. Iterate over bytes that no kernel wrote: two messages of 8 bytes, the first with a wrong
//    length.

/// Returns a control message with 8 bytes of data, whose `cmsg_len` may claim more or fewer.
fn message_of(cmsg_len: usize) -> Vec<u8> {
    let mut bytes = vec![0; CMSG_SPACE(8)];
    let mut put = |at: usize, number: &[u8]| bytes[at..][..number.len()].copy_from_slice(number);
    // On some targets the field is narrower than a usize. There padding follows the field, and the
    // byte order is little-endian.
    put(offset_of!(cmsghdr, cmsg_len), &cmsg_len.to_ne_bytes());
    put(offset_of!(cmsghdr, cmsg_level), &SOL_SOCKET.to_ne_bytes());
    put(offset_of!(cmsghdr, cmsg_type), &SCM_RIGHTS.to_ne_bytes());
    bytes
}

fn iterate_with(cmsg_len: usize, words: &str) {
    let bytes = [message_of(cmsg_len), message_of(CMSG_LEN(8))].concat();
    step!("cmsg_len {words}: data of");
    ControlMessages::new(&bytes).for_each(|message| print!(" {}", message.data().len()));
}

macro_rules! iterate_with {
    ($len:expr) => {
        iterate_with($len, stringify!($len))
    };
}

const SIZE_MAX: usize = usize::MAX;

pub(crate) fn length() -> Result<(), Error> {
    iterate_with!(0);
    iterate_with!(1);
    iterate_with!(CMSG_LEN(0) - 1);
    iterate_with!(CMSG_LEN(0));
    iterate_with!(CMSG_LEN(8));
    iterate_with!(CMSG_LEN(8) + 1);
    iterate_with!(SIZE_MAX / 2);
    iterate_with!(SIZE_MAX);
    Ok(())
}

pub(crate) fn clamped() -> Result<(), Error> {
    iterate_with!(CMSG_SPACE(8) * 2 - 1);
    iterate_with!(CMSG_SPACE(8) * 2);
    iterate_with!(CMSG_SPACE(8) * 2 + 1);
    Ok(())
}

/// For each prefix of the buffer, counts the messages in it, and prints the lengths at which the
/// count changes.
pub(crate) fn room() -> Result<(), Error> {
    const SECOND: usize = CMSG_SPACE(8) + CMSG_LEN(0);
    let bytes = message_of(CMSG_LEN(8)).repeat(2);
    let mut seen = 0;
    for len in 0..=bytes.len() {
        let count = ControlMessages::new(&bytes[..len]).count();
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
    Ok(())
}

// 5. Leave descriptors in the message, which closes them.

fn three_of_which(some: usize) -> Result<(usize, Vec<OwnedFd>), Error> {
    let s = new_pair::<Stream>()?;
    send_rights(&s.p, "x", 3);
    let (mut data, mut buffer) = ([0; 64], ControlBuffer::<Rights<3>>::new());
    let before = open_descriptors();
    let message =
        s.q.recvmsg(&mut [IoSliceMut::new(&mut data)], &mut buffer)?;
    let opened = open_descriptors() - before;
    step!("recvmsg(q, 64)");
    result(Ok(message.len()));
    let len = message.len();
    let mut control = message.into_control()?;
    line::arrived(&Arrived {
        data: &data[..len],
        messages: vec![line::rights(control.rights().len())],
        opened,
        ..Arrived::default()
    });
    let taken = control.rights().take(some).collect();
    drop(control);
    Ok((open_descriptors() - before, taken))
}

pub(crate) fn untaken() -> Result<(), Error> {
    let (left, _) = three_of_which(0)?;
    step!("left open {left}");
    Ok(())
}

pub(crate) fn half_taken() -> Result<(), Error> {
    let (left, taken) = three_of_which(1)?;
    step!("taken {}, left open {left}", taken.len());
    Ok(())
}
