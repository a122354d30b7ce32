//! Cases of streams: the bytes with which a descriptor arrives, and the calls that take it.

use std::io;
use std::os::fd::AsFd as _;

use sunpath::ancillary::{Control, MsgFlags};
use sunpath::fd::IoSlice;
use sunpath::{Error, Stream};

use super::line::step;
use super::message::{
    PEEK, Pair, new_pair, receive, receive_closing, receive_plain, result, send_rights, send_text,
};
use crate::descriptors::open_descriptors;

// 1. Receive the bytes by different calls.

fn two_sent() -> Result<Pair<Stream>, Error> {
    let s = new_pair()?;
    send_rights(&s.p, "aa", 1);
    send_text(&s.p, "bb");
    Ok(s)
}

pub(crate) fn waitall() -> Result<(), Error> {
    let s = two_sent()?;
    let all = (MsgFlags::WAITALL, "MSG_WAITALL");
    receive_closing(&s.q, 4, all);
    receive_closing(&s.q, 4, all);
    Ok(())
}

pub(crate) fn read() -> Result<(), Error> {
    let s = new_pair::<Stream>()?;
    let before = open_descriptors();
    send_rights(&s.p, "x", 3);
    let count = s.q.read(&mut [0]);
    step!("read(q, 1)");
    result(count);
    step!("opened {}", open_descriptors() - before);
    receive(&s.q, 64);
    Ok(())
}

pub(crate) fn peek() -> Result<(), Error> {
    let s = new_pair::<Stream>()?;
    send_rights(&s.p, "x", 1);
    let peek = (MsgFlags::PEEK, "MSG_PEEK");
    receive_closing(&s.q, 64, peek);
    receive_closing(&s.q, 64, peek);
    receive_plain(&s.q, 64, PEEK);
    receive(&s.q, 64);
    Ok(())
}

// 2. Send more bytes than the queue takes: the sender sends the rest without descriptors.

pub(crate) fn short_write() -> Result<(), Error> {
    let data = vec![b'a'; 1 << 20];
    let (s, any) = (new_pair::<Stream>()?, io::stdin());
    let both = [any.as_fd(), any.as_fd()];
    let rights = [Control::Rights(&both)];
    let sent = s.p.sendmsg(&[IoSlice::new(&data)], &rights);
    step!("sendmsg(p, <1 MiB>, RIGHTS(2))");
    match sent {
        Ok(count) if (1..data.len()).contains(&count) => print!(" = less"),
        sent => result(sent),
    }
    receive(&s.q, 1);
    receive(&s.q, 1);
    Ok(())
}
