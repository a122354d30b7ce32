//! Cases of the users who may connect to a socket file, bind in a directory, and unlink there.

use std::os::unix::fs::chown;

use sunpath::{Datagram, Error, Stream, addr};

use super::server::try_replace;
use super::system::try_chmod;
use super::{as_another, ask_connect};
use crate::file::{ask_kind, ask_names, try_mkdir, try_unlink};
use crate::line::step;
use crate::process::UNPRIVILEGED;
use crate::socket::{bound, leave_stale, listening, new_socket, result, try_connect};

fn connect_there() -> Result<(), Error> {
    ask_connect::<Stream>('c', "x")
}

// 1. Change the mode of the file.

pub(crate) fn mode() -> Result<(), Error> {
    let _s = listening('s', "x")?;
    for mode in [0o777, 0o222, 0o555, 0o444, 0] {
        try_chmod("x", mode);
        as_another(connect_there)?;
    }
    Ok(())
}

fn own_a_listener() -> Result<(), Error> {
    let _s = listening('s', "x")?;
    try_chmod("x", 0o400);
    connect_there()?;
    try_chmod("x", 0o200);
    connect_there()
}

pub(crate) fn owner() -> Result<(), Error> {
    chown(".", Some(UNPRIVILEGED), Some(UNPRIVILEGED)).expect("root may give it away");
    as_another(own_a_listener)
}

// 2. Change the mode of the directory.

fn connect_below() -> Result<(), Error> {
    ask_connect::<Stream>('c', "d/x")
}

pub(crate) fn directory() -> Result<(), Error> {
    try_mkdir("d");
    let _s = listening('s', "d/x")?;
    try_chmod("d/x", 0o777);
    try_chmod("d", 0o700);
    as_another(connect_below)?;
    try_chmod("d", 0o711);
    as_another(connect_below)
}

// 3. Replace a stale file to which this user may not write.

pub(crate) fn stale() -> Result<(), Error> {
    leave_stale::<Stream>("x")?;
    try_chmod("x", 0);
    connect_there()?;
    as_another(connect_there)
}

pub(crate) fn unknown() -> Result<(), Error> {
    leave_stale::<Stream>("x")?;
    try_chmod("x", 0);
    try_chmod(".", 0o777);
    as_another(|| {
        let _ = try_replace('a');
        Ok(())
    })?;
    ask_names();
    Ok(())
}

// 4. Send datagrams.

pub(crate) fn datagram() -> Result<(), Error> {
    let (_s, c) = (bound::<Datagram>('s', "x")?, new_socket::<Datagram>('c')?);
    try_chmod("x", 0o777);
    as_another(|| {
        try_connect(&c, "x");
        Ok(())
    })?;
    try_chmod("x", 0);
    as_another(|| {
        let d = new_socket::<Datagram>('d')?;
        let (data, to) = (b"x", addr!("x"));
        let sent = c.send(data);
        step!("send(c, \"x\")");
        result(sent.map(|()| data.len()));
        let sent = d.send_to(data, &to);
        step!("sendto(d, \"x\", \"x\")");
        result(sent.map(|()| data.len()));
        Ok(())
    })
}

// 5. Bind and unlink in a directory.

fn bind_below() -> Result<(), Error> {
    bound::<Stream>('s', "d/x").map(drop)
}

pub(crate) fn write_only() -> Result<(), Error> {
    try_mkdir("d");
    try_chmod("d", 0o733);
    as_another(bind_below)
}

fn unlink_in(mode: u32) -> Result<(), Error> {
    try_mkdir("d");
    try_chmod("d", mode);
    let _s = bound::<Stream>('s', "d/x")?;
    as_another(|| {
        try_unlink("d/x");
        Ok(())
    })?;
    ask_kind("d/x");
    Ok(())
}

pub(crate) fn sticky() -> Result<(), Error> {
    unlink_in(0o1777)
}

pub(crate) fn shared() -> Result<(), Error> {
    unlink_in(0o777)
}
