//! Cases of `SCM_RIGHTS` at the sender: what a message may carry.

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _};

use sunpath::ancillary::Control;
use sunpath::fd::IoSlice;
use sunpath::socket::Kind;
use sunpath::sys::{self, O_PATH, SCM_MAX_FD};
use sunpath::{Datagram, Error, Seqpacket, Stream};

use super::line::{part, step};
use super::message::{
    new_pair, receive, receive_fd, receive_fds, result, send_control, send_fd, send_rights,
};
use super::{PATH, address, bound, new_socket, system};
use crate::file::open_path;

// 1. Send no, one and many descriptors, on all types of sockets.

fn on_type<T: Kind>(name: &str, count: usize) -> Result<(), Error> {
    let s = new_pair::<T>()?;
    part(name);
    send_rights(&s.p, "x", count);
    receive(&s.q, 64);
    Ok(())
}

fn on_every_type(count: usize) -> Result<(), Error> {
    on_type::<Stream>("stream", count)?;
    on_type::<Datagram>("datagram", count)?;
    on_type::<Seqpacket>("seqpacket", count)
}

pub(crate) fn one() -> Result<(), Error> {
    on_every_type(1)
}

pub(crate) fn most() -> Result<(), Error> {
    on_every_type(SCM_MAX_FD)
}

pub(crate) fn too_many() -> Result<(), Error> {
    on_every_type(SCM_MAX_FD + 1)
}

// 2. Send bad descriptors: the types rule out most, because a lent descriptor is open.

pub(crate) fn closed() -> Result<(), Error> {
    print!("a closed descriptor cannot be lent");
    Ok(())
}

pub(crate) fn negative() -> Result<(), Error> {
    print!("-1 is not a BorrowedFd");
    Ok(())
}

pub(crate) fn twice() -> Result<(), Error> {
    let s = new_pair::<Stream>()?;
    send_rights(&s.p, "x", 2);
    match &receive_fds(&s.q, 64)[..] {
        [a, b] if a.as_raw_fd() != b.as_raw_fd() => step!("two numbers"),
        _ => step!("one number"),
    }
    Ok(())
}

// 3. Send bad headers: a program cannot do this, because the library writes the headers.

pub(crate) fn header_short() -> Result<(), Error> {
    print!("no cmsg_len to write");
    Ok(())
}

pub(crate) fn past_end() -> Result<(), Error> {
    print!("no cmsg_len to write");
    Ok(())
}

pub(crate) fn one_and_a_half() -> Result<(), Error> {
    print!("no cmsg_len to write");
    Ok(())
}

/// Sends a control message of eight bytes.
fn sends(level: c_int, cmsg_type: c_int, words: &str) -> Result<(), Error> {
    let s = new_pair::<Stream>()?;
    let other = Control::Other {
        level,
        cmsg_type,
        data: &[0; 8],
    };
    send_control(&s.p, "x", &[other], words);
    receive(&s.q, 64);
    Ok(())
}

pub(crate) fn unknown_type() -> Result<(), Error> {
    sends(sys::SOL_SOCKET, 77, "type 77")
}

pub(crate) fn unknown_level() -> Result<(), Error> {
    sends(12345, sys::SCM_RIGHTS, "level 12345")
}

// 4. Pass descriptors of all types, over sockets of all types.

pub(crate) fn path() -> Result<(), Error> {
    let s = new_pair::<Stream>()?;
    send_fd(&s.p, "x", open_path("."));
    let received = receive_fd(&s.q)?;
    let is = if system::status_flags(received) & O_PATH != 0 {
        "yes"
    } else {
        "no"
    };
    step!("fcntl(F_GETFL) & O_PATH = {is}");
    Ok(())
}

pub(crate) fn io_uring() -> Result<(), Error> {
    let s = new_pair::<Stream>()?;
    match system::io_uring() {
        None => print!("not run: needs io_uring"),
        Some(fd) => {
            send_fd(&s.p, "x", fd);
            receive(&s.q, 64);
        }
    }
    Ok(())
}

pub(crate) fn unconnected() -> Result<(), Error> {
    let (q, p) = (bound::<Datagram>()?, new_socket::<Datagram>()?);
    let any = io::stdin();
    let sent = p.sendmsg_to(
        &[IoSlice::new(b"x")],
        &[Control::Rights(&[any.as_fd()])],
        &address(),
    );
    step!("sendmsg(p, \"{PATH}\", \"x\", RIGHTS(1))");
    result(sent.map(|()| 1));
    receive(&q, 64);
    Ok(())
}
