//! Cases of bytes on a stream whose sender or reader has ended, and of bytes of many writers.

use sunpath::{Error, UnixStream};

use super::tell_byte;
use crate::line::{self, step};
use crate::process;

fn result(count: Result<usize, Error>) {
    line::result(count.map_err(|error| error.errno().raw()));
}

// 1. Set SO_LINGER: the library has no method for this option.

pub(crate) fn linger() -> Result<(), Error> {
    let (p, q) = UnixStream::pair()?;
    step!("no SO_LINGER to set");
    tell_byte(&p)?;
    step!("send(p, \"x\")");
    drop(p);
    step!("close(p)");
    for _ in 0..2 {
        let count = q.read(&mut [0]);
        step!("read(q)");
        result(count);
    }
    Ok(())
}

// 2. Let a reader die after it has read half of the bytes.

const WHOLE: usize = 1 << 20;
const HALF: usize = WHOLE / 2;

/// Returns how many bytes were sent, in words, because the size of the queue depends on the system.
fn share(count: usize) -> &'static str {
    match count {
        WHOLE => "all",
        HALF..WHOLE => "half or more",
        _ => "less than half",
    }
}

pub(crate) fn reader_dies() -> Result<(), Error> {
    let mut bytes = vec![0; WHOLE];
    let (p, q) = UnixStream::pair()?;
    let child = process::fork();
    if child == 0 {
        drop(p);
        let half = q.read_exact(&mut bytes[..HALF]);
        process::end(half.is_err().into());
    }
    drop(q);
    let count = p.write(&bytes)?;
    step!("send(p, 1 MiB) = {}", share(count));
    process::join(child);
    let count = p.write(b"x");
    step!("send(p, \"x\")");
    result(count);
    Ok(())
}

// 3. Write from many processes: each sends blocks of its own letter. Every block that is read has
//    only one letter.

const WRITERS: [u8; 4] = *b"abcd";
const BLOCK: usize = 4096;
/// The number of blocks that each writer sends.
const BLOCKS: usize = 200;

fn write_blocks(p: &UnixStream, letter: u8) -> ! {
    for _ in 0..BLOCKS {
        assert_eq!(p.write(&[letter; BLOCK]), Ok(BLOCK), "send");
    }
    process::end(0);
}

pub(crate) fn writers() -> Result<(), Error> {
    let (p, q) = UnixStream::pair()?;
    let children = WRITERS.map(|letter| match process::fork() {
        0 => write_blocks(&p, letter),
        child => child,
    });
    drop(p);
    let (mut blocks, mut mixed, mut of_writer) = (0, 0, [0; WRITERS.len()]);
    let mut block = [0; BLOCK];
    while q.read_exact(&mut block).is_ok() {
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
    Ok(())
}
