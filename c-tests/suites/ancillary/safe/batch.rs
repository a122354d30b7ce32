//! Cases with many messages in one call, with many slices in one message, and with truncated data.

use std::io;
use std::os::fd::AsFd as _;

use sunpath::ancillary::{Control, Outgoing, RecvBatch, RecvSlots, Rights, SendBatch, SendSlots};
use sunpath::fd::{IoSlice, IoSliceMut};
use sunpath::{Datagram, Error};

use super::line::{self, Arrived, step};
use super::message::{in_words, new_pair, result};
use crate::descriptors::open_descriptors;

// 1. Call sendmmsg and recvmmsg with the messages "a", "bb" and "ccc". If the case wants
//    descriptors, they have 0, 1 and 2 of them.

const BATCH: usize = 3;

fn in_a_batch(with_rights: bool) -> Result<(), Error> {
    let (s, any) = (new_pair::<Datagram>()?, io::stdin());
    let fds = [any.as_fd(); 2];
    let controls = [0, 1, 2].map(|count| match with_rights {
        true => vec![Control::Rights(&fds[..count])],
        false => vec![],
    });
    let pieces = ["a", "bb", "ccc"].map(|text| [IoSlice::new(text.as_bytes())]);
    let mut slots = SendSlots::<BATCH, Rights<2>>::new();
    let mut batch = SendBatch::new(&mut slots);
    for (pieces, control) in pieces.iter().zip(&controls) {
        batch.push(Outgoing::new(pieces).control(control))?;
    }
    let all = batch.len();
    let sent = s.p.sendmmsg(&mut batch);
    step!("sendmmsg(p, \"a\", \"bb\", \"ccc\")");
    result(sent.map(|()| all));

    let (mut slots, mut bufs) = (RecvSlots::<BATCH, Rights<2>>::new(), [[0; 8]; BATCH]);
    let mut batch = RecvBatch::new(&mut slots, &mut bufs);
    let before = open_descriptors();
    let came = s.q.recvmmsg(&mut batch)?;
    let opened = open_descriptors() - before;
    step!("recvmmsg(q)");
    result(Ok(came));
    print!(", opened {opened}");
    for arrival in batch.arrivals() {
        let (data, message) = arrival.into_message();
        step!("{}", message.len());
        let (messages, _fds) = in_words(message.into_control()?);
        line::arrived(&Arrived {
            data,
            messages,
            ..Arrived::default()
        });
    }
    Ok(())
}

pub(crate) fn three() -> Result<(), Error> {
    in_a_batch(false)
}

pub(crate) fn rights() -> Result<(), Error> {
    in_a_batch(true)
}

// 2. Send and receive many slices.

fn in_pieces(count: usize) -> Result<(), Error> {
    let s = new_pair::<Datagram>()?;
    let sent = s.p.sendmsg(&vec![IoSlice::new(b"x"); count], &[]);
    step!("sendmsg(p, {count} pieces)");
    result(sent);
    Ok(())
}

pub(crate) fn pieces() -> Result<(), Error> {
    in_pieces(1024)
}

pub(crate) fn too_many_pieces() -> Result<(), Error> {
    in_pieces(1025)
}

// 3. Receive truncated data.

/// The library passes MSG_TRUNC by itself, because it returns the true length of a truncated
/// message.
pub(crate) fn true_length() -> Result<(), Error> {
    let s = new_pair::<Datagram>()?;
    let sent = s.p.send(b"abcdef");
    step!("send(p, \"abcdef\")");
    result(sent.map(|()| 6));
    let mut data = [0; 2];
    let message =
        s.q.recvmsg(&mut [IoSliceMut::new(&mut data)], &mut [0; 0])?;
    let received = message.received();
    drop(message);
    step!("recvmsg(q, 2, MSG_TRUNC)");
    result(Ok(received.true_len().unwrap_or(received.len())));
    line::arrived(&Arrived {
        data: &data[..received.len()],
        truncated: received.is_truncated(),
        ..Arrived::default()
    });
    Ok(())
}
