//! Cases of `SCM_CREDENTIALS`: the ids that arrive with a message.

use std::os::unix::process::parent_id;

use sunpath::ancillary::Credentials;
use sunpath::socket::Kind;
use sunpath::{Error, Socket, Stream};

use super::line::{self, Arrived, part, step};
use super::message::{Pair, new_pair, option, result, send_text, set};
use super::{accepted, as_nobody, connected, listening};
use crate::process;

fn passing<T: Kind>() -> Result<Pair<T>, Error> {
    let s = new_pair()?;
    set("q", &s.q, option!(SO_PASSCRED), true);
    Ok(s)
}

/// Receives and prints the sender's credentials, as a step.
fn receive<T: Kind>(q: &Socket<T>) {
    let mut data = [0; 64];
    let got = q.recv_with_credentials(&mut data);
    step!("recvmsg(q, {})", data.len());
    match got {
        Ok((received, sender)) => {
            result(Ok(received.len()));
            let words =
                |id: Credentials| line::credentials(id.pid().unwrap_or(0), id.uid(), id.gid());
            line::arrived(&Arrived {
                data: &data[..received.len()],
                messages: sender.map(words).into_iter().collect(),
                truncated: received.is_truncated(),
                control_truncated: received.is_control_truncated(),
                ..Arrived::default()
            });
        }
        Err(error) => result::<usize>(Err(error)),
    }
}

// 1. Receive the credentials that the kernel adds: those that the writing process has when it
//    writes.

pub(crate) fn real() -> Result<(), Error> {
    let s = passing()?;
    let child = process::fork();
    if child == 0 {
        process::lower_privileges();
        part("child");
        step!("seteuid(65534)");
        send_text(&s.p, "x");
        process::end(0);
    }
    process::join(child);
    receive(&s.q);
    Ok(())
}

pub(crate) fn inherited() -> Result<(), Error> {
    let listener = listening::<Stream>()?;
    set("listener", listener.as_socket(), option!(SO_PASSCRED), true);
    let p = connected()?;
    send_text(&p, "x");
    let q = accepted(&listener)?;
    let passes = u8::from(q.pass_credentials()?);
    step!("getsockopt(q, SO_PASSCRED) = {passes}");
    receive(&q);
    Ok(())
}

// 2. Send credentials, which the kernel checks.

fn sends(credentials: Credentials, words: &str) -> Result<(), Error> {
    let s = passing::<Stream>()?;
    let sent = s.p.send_with_credentials(b"x", credentials);
    step!("sendmsg(p, \"x\", {words})");
    result(sent.map(|()| 1));
    receive(&s.q);
    Ok(())
}

fn sends_own() -> Result<(), Error> {
    sends(Credentials::own(), "CREDENTIALS(own)")
}

fn own_pid() -> i32 {
    Credentials::own().pid().expect("this process has a number")
}

fn sends_roots() -> Result<(), Error> {
    let roots = Credentials::new(own_pid(), 0, 0);
    sends(roots, "CREDENTIALS(pid own, uid 0, gid 0)")
}

fn sends_parents() -> Result<(), Error> {
    let own = Credentials::own();
    let parents = Credentials::new(parent_id() as i32, own.uid(), own.gid());
    sends(parents, "CREDENTIALS(pid parent, uid own, gid own)")
}

pub(crate) fn truth() -> Result<(), Error> {
    sends_own()
}

pub(crate) fn root_forges() -> Result<(), Error> {
    let forged = Credentials::new(1, 12345, 54321);
    sends(forged, "CREDENTIALS(pid 1, uid 12345, gid 54321)")
}

pub(crate) fn root_invents() -> Result<(), Error> {
    let invented = Credentials::new(i32::MAX, 0, 0);
    sends(invented, "CREDENTIALS(pid INT_MAX, uid 0, gid 0)")
}

pub(crate) fn user_forges() -> Result<(), Error> {
    as_nobody(sends_roots)
}

pub(crate) fn user_forges_pid() -> Result<(), Error> {
    as_nobody(sends_parents)
}

pub(crate) fn user_truth() -> Result<(), Error> {
    as_nobody(sends_own)
}
