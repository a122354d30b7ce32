//! Makes the calls of `cases.txt` that send and receive, over `sunpath-sys`, as `data.c` does.

use std::ffi::{c_int, c_uint};
use std::mem::MaybeUninit;
use std::ptr;

use sunpath_c_tests::notation::Bytes;
use sunpath_sys as sys;

use super::step::{Step, filled, received};
use super::{address_at, address_buffer, as_any, count, name};
use crate::calls::failure;

const FLAGS: [(&str, c_int); 4] = [
    ("OOB", sys::MSG_OOB),
    ("PEEK", sys::MSG_PEEK),
    ("TRUNC", sys::MSG_TRUNC),
    ("EOR", sys::MSG_EOR),
];

fn flags_of(step: &Step) -> c_int {
    let flag = |name: &&str| FLAGS.into_iter().find(|(known, _)| known == name);
    let names = step.flags();
    names.iter().fold(0, |all, name| {
        all | flag(name).expect("a flag of the table").1
    })
}

/// Makes a msghdr that has only data.
fn msghdr_over(pieces: &mut [sys::iovec]) -> sys::msghdr {
    // SAFETY: all zeroes is a valid msghdr: null pointers and zero lengths.
    let mut msg: sys::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    msg.msg_iov = pieces.as_mut_ptr();
    msg.msg_iovlen = pieces.len() as _;
    msg
}

fn mmsghdr_over(piece: &mut sys::iovec) -> sys::mmsghdr {
    sys::mmsghdr {
        msg_hdr: msghdr_over(std::slice::from_mut(piece)),
        msg_len: 0,
    }
}

// 1. Send every slice of the step, to the peer or to an address.

fn to_send(bytes: &[u8]) -> sys::iovec {
    // The kernel only reads the bytes that an iovec for sending points to.
    sys::iovec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    }
}

fn gather(step: &Step) -> Vec<sys::iovec> {
    step.pieces().into_iter().map(to_send).collect()
}

fn data(step: &Step) -> &[u8] {
    step.bytes(1).expect("the call has bytes")
}

fn send(fd: c_int, step: &Step) -> String {
    if let Some(times) = step.number(2) {
        let mut pieces = vec![to_send(data(step)); times as usize];
        let msg = msghdr_over(&mut pieces);
        // SAFETY: every iovec points to live bytes of the step, and the msghdr has nothing else.
        return count(unsafe { sys::sendmsg(fd, &msg, sys::MSG_NOSIGNAL) });
    }
    let flags = flags_of(step) | sys::MSG_NOSIGNAL;
    let bytes = data(step);
    // SAFETY: `bytes` are live for their length.
    count(unsafe { sys::send(fd, bytes.as_ptr().cast(), bytes.len(), flags) })
}

fn send_to(fd: c_int, step: &Step) -> isize {
    let bytes = data(step);
    let (addr, len) = address_at(step, 2);
    let (to, len) = match step.bytes(2) {
        Some(_) => (as_any(&addr), len),
        None => (ptr::null(), 0),
    };
    let flags = sys::MSG_NOSIGNAL;
    // SAFETY: `bytes` are live for their length, and so is the address, if there is one.
    unsafe { sys::sendto(fd, bytes.as_ptr().cast(), bytes.len(), flags, to, len) }
}

fn writev(fd: c_int, step: &Step) -> String {
    let pieces = gather(step);
    // SAFETY: every iovec points to live bytes of the step.
    count(unsafe { sys::writev(fd, pieces.as_ptr(), pieces.len() as c_int) })
}

fn sendmmsg(fd: c_int, step: &Step) -> String {
    let mut pieces = gather(step);
    let mut messages: Vec<_> = pieces.iter_mut().map(mmsghdr_over).collect();
    let n = messages.len() as c_uint;
    // SAFETY: each message has one iovec, which points to live bytes of the step.
    count(unsafe { sys::sendmmsg(fd, messages.as_mut_ptr(), n, sys::MSG_NOSIGNAL) } as isize)
}

// 2. Receive: print what the call returned, and the bytes in each slice.

/// Makes buffers of the sizes that the step names.
fn buffers(step: &Step) -> Vec<Vec<u8>> {
    let sizes = step.sizes();
    sizes.into_iter().map(|size| vec![0; size]).collect()
}

fn scatter(buffers: &mut [Vec<u8>]) -> Vec<sys::iovec> {
    buffers
        .iter_mut()
        .map(|piece| sys::iovec {
            iov_base: piece.as_mut_ptr().cast(),
            iov_len: piece.len(),
        })
        .collect()
}

fn came(result: isize, buffers: &[Vec<u8>]) -> String {
    match usize::try_from(result) {
        Ok(result) => received(result, buffers.iter().map(Vec::as_slice)),
        Err(_) => failure(),
    }
}

fn recv(fd: c_int, step: &Step) -> String {
    let mut buffers = buffers(step);
    let (to, len) = (buffers[0].as_mut_ptr().cast(), buffers[0].len());
    // SAFETY: the first buffer has `len` bytes.
    let result = unsafe { sys::recv(fd, to, len, flags_of(step)) };
    came(result, &buffers)
}

fn recvfrom(fd: c_int, step: &Step) -> String {
    let mut buffers = buffers(step);
    let (to, size) = (buffers[0].as_mut_ptr().cast(), buffers[0].len());
    let (mut addr, mut len) = address_buffer();
    let from = (&raw mut addr).cast();
    // SAFETY: the first buffer has `size` bytes, and the address has space for `len` bytes.
    let result = unsafe { sys::recvfrom(fd, to, size, flags_of(step), from, &mut len) };
    let text = came(result, &buffers);
    if result < 0 {
        text
    } else {
        format!("{text}, from {}", name(&addr, len))
    }
}

fn recvmsg(fd: c_int, step: &Step) -> String {
    let mut buffers = buffers(step);
    let mut pieces = scatter(&mut buffers);
    let mut msg = msghdr_over(&mut pieces);
    // SAFETY: every iovec points to a writable buffer, and the msghdr has nothing else.
    let result = unsafe { sys::recvmsg(fd, &mut msg, flags_of(step)) };
    let mut text = came(result, &buffers);
    if result >= 0 {
        for (name, flag) in FLAGS {
            if msg.msg_flags & flag != 0 {
                text += &format!(", {name}");
            }
        }
    }
    text
}

fn readv(fd: c_int, step: &Step) -> String {
    let mut buffers = buffers(step);
    let pieces = scatter(&mut buffers);
    // SAFETY: every iovec points to a writable buffer.
    let result = unsafe { sys::readv(fd, pieces.as_ptr(), pieces.len() as c_int) };
    came(result, &buffers)
}

fn recvmmsg(fd: c_int, step: &Step) -> String {
    let [most, size] = step.sizes()[..] else {
        panic!("recvmmsg has a number of messages and a size");
    };
    let mut buffers = vec![vec![0; size]; most];
    let mut pieces = scatter(&mut buffers);
    let mut messages: Vec<_> = pieces.iter_mut().map(mmsghdr_over).collect();
    let to = messages.as_mut_ptr();
    let (n, flags) = (most as c_uint, sys::MSG_WAITFORONE);
    // SAFETY: each message has one iovec, which points to a writable buffer, and the timeout is
    // null.
    let result = unsafe { sys::recvmmsg(fd, to, n, flags, ptr::null_mut()) };
    let mut text = count(result as isize);
    for (message, piece) in messages.iter().zip(&buffers).take(result.max(0) as usize) {
        let bytes = &piece[..message.msg_len as usize];
        text += &format!(", {}", Bytes(bytes));
    }
    text
}

// 3. Print the capacity as a formula.

fn fill(fd: c_int, step: &Step) -> String {
    let mut count = 0;
    while send_to(fd, step) >= 0 {
        count += 1;
    }
    filled(count, &failure())
}

fn sendmost(fd: c_int, step: &Step) -> String {
    let mut size: c_int = 0;
    let mut len = size_of::<c_int>() as sys::socklen_t;
    let to = (&raw mut size).cast();
    // SAFETY: `size` has space for `len` bytes.
    let result = unsafe { sys::getsockopt(fd, sys::SOL_SOCKET, sys::SO_SNDBUF, to, &mut len) };
    if result < 0 {
        return failure();
    }
    let bytes = vec![0u8; (size + step.number(1).expect("sendmost has a number")) as usize];
    // SAFETY: `bytes` are live for their length.
    let sent = unsafe { sys::send(fd, bytes.as_ptr().cast(), bytes.len(), sys::MSG_NOSIGNAL) };
    if usize::try_from(sent) == Ok(bytes.len()) {
        "all".to_owned()
    } else {
        count(sent)
    }
}

// 4. Find a call by its name.

pub(crate) fn answer(fd: c_int, step: &Step) -> String {
    match &*step.call {
        "fill" => fill(fd, step),
        "readv" => readv(fd, step),
        "recv" => recv(fd, step),
        "recvfrom" => recvfrom(fd, step),
        "recvmmsg" => recvmmsg(fd, step),
        "recvmsg" => recvmsg(fd, step),
        "send" => send(fd, step),
        "sendmmsg" => sendmmsg(fd, step),
        "sendmost" => sendmost(fd, step),
        "sendto" => count(send_to(fd, step)),
        "writev" => writev(fd, step),
        call => panic!("{call}: not a call of the table"),
    }
}
