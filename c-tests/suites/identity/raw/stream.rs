//! Cases of bytes on a stream whose sender or reader has ended, and of bytes of many writers.

use std::mem::size_of;
use std::ptr;

use libc::c_int;
use sunpath_sys as sys;
use sys::{MSG_NOSIGNAL, MSG_WAITALL, SOCK_STREAM, SOL_SOCKET, socklen_t};

use super::{close, new_pair, read_byte, send, tell_byte};
use crate::line::{self, step};
use crate::process::{self, check};

fn counted(count: isize) -> Result<isize, c_int> {
    if count < 0 {
        Err(sys::errno())
    } else {
        Ok(count)
    }
}

/// Reads the whole buffer, or less at the end of file.
fn read_all(fd: c_int, buffer: &mut [u8]) -> usize {
    // SAFETY: pointer and length come from one live slice.
    let count = unsafe { sys::recv(fd, buffer.as_mut_ptr().cast(), buffer.len(), MSG_WAITALL) };
    check("recv", count as c_int) as usize
}

// 1. Set SO_LINGER in a child, which a timer ends if close(2) waits.

const AN_HOUR: c_int = 3600;
const PATIENCE: u32 = 20;

fn alarm(seconds: u32) {
    // SAFETY: alarm takes and returns an integer; its SIGALRM ends the child.
    unsafe { libc::alarm(seconds) };
}

fn close_with_linger() {
    let hour = sys::linger {
        l_onoff: 1,
        l_linger: AN_HOUR,
    };
    let [p, q] = new_pair(SOCK_STREAM);
    let size = size_of::<sys::linger>() as socklen_t;
    let value = ptr::from_ref(&hour).cast();
    // SAFETY: `value` is a live linger, and `size` is its size.
    let set = unsafe { sys::setsockopt(p, SOL_SOCKET, sys::SO_LINGER, value, size) };
    step!("setsockopt(p, SO_LINGER, an hour)");
    line::result(counted(set as isize).map(|_| "ok"));
    tell_byte(p);
    step!("send(p, \"x\")");
    alarm(PATIENCE);
    close(p);
    alarm(0);
    step!("close(p)");
    for _ in 0..2 {
        let count = read_byte(q);
        step!("read(q)");
        line::result(counted(count));
    }
    close(q);
}

pub(crate) fn linger() {
    let child = process::fork();
    if child == 0 {
        close_with_linger();
        process::end(0);
    }
    process::join(child);
}

// 2. Let a reader die after it has read half of the bytes.

const WHOLE: usize = 1 << 20;
const HALF: usize = WHOLE / 2;

/// Returns how many bytes were sent, in words, because the size of the queue depends on the system.
fn share(count: isize) -> &'static str {
    match usize::try_from(count) {
        Ok(WHOLE) => "all",
        Ok(HALF..WHOLE) => "half or more",
        _ => "less than half",
    }
}

pub(crate) fn reader_dies() {
    let mut bytes = vec![0; WHOLE];
    let [p, q] = new_pair(SOCK_STREAM);
    let child = process::fork();
    if child == 0 {
        close(p);
        let count = read_all(q, &mut bytes[..HALF]);
        process::end(c_int::from(count != HALF));
    }
    close(q);
    let count = send(p, &bytes, MSG_NOSIGNAL);
    step!("send(p, 1 MiB) = {}", share(count));
    process::join(child);
    let count = send(p, b"x", MSG_NOSIGNAL);
    step!("send(p, \"x\")");
    line::result(counted(count));
    close(p);
}

// 3. Write from many processes: each sends blocks of its own letter. Every block that is read has
//    only one letter.

const WRITERS: [u8; 4] = *b"abcd";
const BLOCK: usize = 4096;
/// The number of blocks that each writer sends.
const BLOCKS: usize = 200;

fn write_blocks(fd: c_int, letter: u8) -> ! {
    for _ in 0..BLOCKS {
        let count = send(fd, &[letter; BLOCK], MSG_NOSIGNAL);
        assert_eq!(count, BLOCK as isize, "send");
    }
    process::end(0);
}

pub(crate) fn writers() {
    let [p, q] = new_pair(SOCK_STREAM);
    let children = WRITERS.map(|letter| match process::fork() {
        0 => write_blocks(p, letter),
        child => child,
    });
    close(p);
    let (mut blocks, mut mixed, mut of_writer) = (0, 0, [0; WRITERS.len()]);
    let mut block = [0; BLOCK];
    while read_all(q, &mut block) == BLOCK {
        let first = block[0];
        blocks += 1;
        mixed += u32::from(block.iter().any(|byte| *byte != first));
        of_writer[usize::from(first - b'a')] += 1;
    }
    step!("read(q, {BLOCK}) = {blocks} blocks, {mixed} mixed");
    for ((letter, child), count) in WRITERS.into_iter().zip(children).zip(of_writer) {
        process::join(child);
        step!("writer {}: {count}", char::from(letter));
    }
    close(q);
}
