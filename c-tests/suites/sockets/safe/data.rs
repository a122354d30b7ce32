//! Makes the calls of `cases.txt` that send and receive, over `sunpath`, as `data.c` does.

use sunpath::ancillary::{MsgFlags, Outgoing, RecvBatch, RecvSlots, SendBatch, SendSlots};
use sunpath::fd::{IoSlice, IoSliceMut};
use sunpath::socket::Messages;
use sunpath::{Error, Received, Socket, UnixDatagram, UnixStream};
use sunpath_c_tests::notation::Bytes;

use super::step::{Step, filled, received};
use super::{Answer, address_at, errno, name, not_offered};

fn count(result: usize) -> String {
    result.to_string()
}

fn data(step: &Step) -> &[u8] {
    step.bytes(1).expect("the call has bytes")
}

/// Returns every slice of the step, or its one slice as often as the step says.
fn gather(step: &Step) -> Vec<IoSlice<'_>> {
    match step.number(2) {
        Some(times) => vec![IoSlice::new(data(step)); times as usize],
        None => step.pieces().into_iter().map(IoSlice::new).collect(),
    }
}

/// Makes buffers of the sizes that the step names.
fn buffers(step: &Step) -> Vec<Vec<u8>> {
    let sizes = step.sizes();
    sizes.into_iter().map(|size| vec![0; size]).collect()
}

fn scatter(buffers: &mut [Vec<u8>]) -> Vec<IoSliceMut<'_>> {
    buffers.iter_mut().map(|p| IoSliceMut::new(p)).collect()
}

fn came(result: usize, buffers: &[Vec<u8>]) -> String {
    received(result, buffers.iter().map(Vec::as_slice))
}

// 1. Use a stream.

pub(crate) fn stream(socket: &UnixStream, step: &Step) -> Answer {
    let mut buffers = buffers(step);
    match (&*step.call, &*step.flags()) {
        ("send", ["OOB"]) => socket.send_oob(data(step)).map(count),
        ("send", []) if step.number(2).is_none() => socket.write(data(step)).map(count),
        ("send" | "writev", []) => socket.write_vectored(&gather(step)).map(count),
        ("recv", []) => {
            let result = socket.read(&mut buffers[0])?;
            Ok(came(result, &buffers))
        }
        ("recv", ["PEEK"]) => {
            let result = socket.peek(&mut buffers[0])?;
            Ok(came(result, &buffers))
        }
        ("recv", ["OOB"]) => {
            let byte = socket.recv_oob()?;
            Ok(received(1, [[byte].as_slice()]))
        }
        ("siocatmark", []) => Ok(count(socket.at_mark()?.into())),
        ("readv", []) => {
            let result = socket.read_vectored(&mut scatter(&mut buffers))?;
            Ok(came(result, &buffers))
        }
        _ => not_offered(),
    }
}

// 2. Use messages, with and without a connection.

/// Returns the length of a received message as recv(2) would return it: the true length if the
/// flags have `MSG_TRUNC`, and otherwise the part that fit.
fn length(received: Received, flags: &[&str]) -> usize {
    match received.true_len() {
        Some(len) if flags.contains(&"TRUNC") => len,
        _ => received.len(),
    }
}

pub(crate) fn messages<T: Messages>(socket: &Socket<T>, step: &Step) -> Answer {
    let mut buffers = buffers(step);
    match (&*step.call, &*step.flags()) {
        ("fill", []) => Ok(fill(|| socket.send(data(step)))),
        ("send", []) if step.number(2).is_none() => {
            socket.send(data(step))?;
            Ok(count(data(step).len()))
        }
        ("send" | "writev", []) => {
            let pieces = gather(step);
            socket.send_vectored(&pieces)?;
            Ok(count(pieces.iter().map(|piece| piece.len()).sum()))
        }
        ("send", ["EOR"]) => {
            let piece = [IoSlice::new(data(step))];
            socket.sendmsg_with(&piece, &[], MsgFlags::EOR).map(count)
        }
        ("sendmmsg", []) => sendmmsg(socket, step),
        ("sendmost", []) => sendmost(socket, step),
        ("recv", flags @ ([] | ["TRUNC"])) => {
            let arrived = socket.recv(&mut buffers[0])?;
            Ok(came(length(arrived, flags), &buffers))
        }
        ("recv", flags @ (["PEEK"] | ["PEEK", "TRUNC"])) => {
            let arrived = socket.peek(&mut buffers[0])?;
            Ok(came(length(arrived, flags), &buffers))
        }
        ("readv", []) => {
            let arrived = socket.recv_vectored(&mut scatter(&mut buffers))?;
            Ok(came(arrived.len(), &buffers))
        }
        ("recvmsg", []) => {
            let arrived = socket.recv_vectored(&mut scatter(&mut buffers))?;
            let cut = if arrived.is_truncated() {
                ", TRUNC"
            } else {
                ""
            };
            Ok(came(arrived.len(), &buffers) + cut)
        }
        ("recvmmsg", []) => recvmmsg(socket, step),
        _ => not_offered(),
    }
}

pub(crate) fn datagram(socket: &UnixDatagram, step: &Step) -> Answer {
    let to = match &*step.call {
        "fill" | "sendto" => address_at(step, 2),
        _ => None,
    };
    match (&*step.call, to) {
        ("fill", Some(to)) => Ok(fill(|| socket.send_to(data(step), &to))),
        ("sendto", Some(to)) => {
            socket.send_to(data(step), &to)?;
            Ok(count(data(step).len()))
        }
        ("recvfrom", None) => {
            let mut buffers = buffers(step);
            let (arrived, from) = socket.recv_from(&mut buffers[0])?;
            Ok(format!(
                "{}, from {}",
                came(arrived.len(), &buffers),
                name(&from)
            ))
        }
        _ => messages(socket, step),
    }
}

/// More messages than any call of the table has.
const BATCH: usize = 8;

/// Sends the messages of the step. An error is reported only if no message was sent, as by
/// sendmmsg(2).
fn sendmmsg<T: Messages>(socket: &Socket<T>, step: &Step) -> Answer {
    let pieces: Vec<_> = step.pieces().into_iter().map(IoSlice::new).collect();
    let mut slots = SendSlots::<BATCH>::new();
    let mut batch = SendBatch::new(&mut slots);
    for piece in pieces.chunks(1) {
        batch.push(Outgoing::new(piece))?;
    }
    match socket.sendmmsg(&mut batch) {
        Err(error) if batch.len() == pieces.len() => Err(error),
        _ => Ok(count(pieces.len() - batch.len())),
    }
}

fn recvmmsg<T: Messages>(socket: &Socket<T>, step: &Step) -> Answer {
    let [most, size] = step.sizes()[..] else {
        panic!("recvmmsg has a number of messages and a size");
    };
    // The size of a batch's buffers is part of their type, so there is a branch for each size that
    // the tables and programs use.
    match size {
        0 => recvmmsg_of::<T, 0>(socket, most),
        1 => recvmmsg_of::<T, 1>(socket, most),
        2 => recvmmsg_of::<T, 2>(socket, most),
        3 => recvmmsg_of::<T, 3>(socket, most),
        64 => recvmmsg_of::<T, 64>(socket, most),
        10_000 => recvmmsg_of::<T, 10_000>(socket, most),
        _ => panic!("recvmmsg into {size} bytes: not a size of the programs"),
    }
}

fn recvmmsg_of<T: Messages, const SIZE: usize>(socket: &Socket<T>, most: usize) -> Answer {
    let (mut slots, mut bufs) = (RecvSlots::<BATCH>::new(), vec![[0; SIZE]; most]);
    let mut batch = RecvBatch::new(&mut slots, &mut bufs);
    let mut text = count(socket.recvmmsg(&mut batch)?);
    for arrival in batch.arrivals() {
        text += &format!(", {}", Bytes(arrival.bytes()));
    }
    Ok(text)
}

// 3. Print the capacity as a formula.

fn fill(mut send: impl FnMut() -> Result<(), Error>) -> String {
    let mut count = 0;
    loop {
        match send() {
            Ok(()) => count += 1,
            Err(error) => return filled(count, &errno(error)),
        }
    }
}

fn sendmost<T: Messages>(socket: &Socket<T>, step: &Step) -> Answer {
    let more = step.number(1).expect("sendmost has a number") as isize;
    let size = socket.send_buffer_size()?.saturating_add_signed(more);
    socket.send(&vec![0; size])?;
    Ok("all".to_owned())
}
