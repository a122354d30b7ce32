//! Cases of the inode of a socket file: calls on it other than bind and connect, and changes of its
//! names.

use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;

use sunpath::sys::{O_PATH, O_RDONLY, O_RDWR};
use sunpath::{Error, Stream};

use crate::file::{
    alias_of, ask_events, ask_names, try_as_file, try_link, try_open, try_rename,
    try_rename_noreplace, try_touch, try_truncate, try_unlink, watch_directory,
};
use crate::line::step;
use crate::socket::{
    ask_peername, ask_sockname, bound, listening, new_socket, try_accept, try_connect, try_listen,
};

// 1. Use the socket file as a file.

pub(crate) fn open() -> Result<(), Error> {
    let _s = bound::<Stream>('s', "x")?;
    try_open("x", O_RDWR, "O_RDWR");
    try_open("x", O_RDONLY, "O_RDONLY");
    Ok(())
}

pub(crate) fn path() -> Result<(), Error> {
    let _s = bound::<Stream>('s', "x")?;
    try_open("x", O_PATH, "O_PATH");
    Ok(())
}

pub(crate) fn truncate() -> Result<(), Error> {
    let _s = bound::<Stream>('s', "x")?;
    try_truncate("x");
    Ok(())
}

// 2. Use other names: each leads to the file, and getsockname(2) still returns the name that was
//    bound.

pub(crate) fn renamed() -> Result<(), Error> {
    let (s, c) = (listening('s', "x")?, new_socket('c')?);
    let d = new_socket::<Stream>('d')?;
    try_rename("x", "y");
    try_connect(&c, "y");
    try_connect(&d, "x");
    ask_peername(&c);
    ask_sockname(&s);
    Ok(())
}

pub(crate) fn linked() -> Result<(), Error> {
    let (_s, c) = (listening('s', "x")?, new_socket('c')?);
    try_link("x", "y");
    try_unlink("x");
    try_connect(&c, "y");
    ask_peername(&c);
    Ok(())
}

pub(crate) fn unlinked() -> Result<(), Error> {
    let (_s, c) = (listening('s', "x")?, new_socket::<Stream>('c')?);
    let d = new_socket::<Stream>('d')?;
    let file = try_open("x", O_PATH, "O_PATH").expect("a socket's path can be opened");
    try_unlink("x");
    try_connect(&c, "x");
    try_connect(&d, &alias_of(&file));
    Ok(())
}

// 3. Publish a socket: it has a temporary name until it is ready.

fn publish(to_new: fn(&str, &str)) -> Result<(), Error> {
    let (t, c) = (listening('t', "tmp")?, new_socket::<Stream>('c')?);
    to_new("tmp", "x");
    try_connect(&c, "x");
    let _a = try_accept(&t, 'a');
    ask_names();
    Ok(())
}

pub(crate) fn link() -> Result<(), Error> {
    let _s = listening('s', "x")?;
    publish(try_link)
}

pub(crate) fn link_absent() -> Result<(), Error> {
    publish(try_link)
}

pub(crate) fn noreplace() -> Result<(), Error> {
    let _s = listening('s', "x")?;
    publish(try_rename_noreplace)
}

pub(crate) fn noreplace_absent() -> Result<(), Error> {
    publish(try_rename_noreplace)
}

// 4. Make other files: none gets the inode number before the socket is closed.

fn number_of(path: &str) -> u64 {
    let status = fs::symlink_metadata(path).expect("the file is there");
    status.ino()
}

pub(crate) fn number() -> Result<(), Error> {
    let _s = bound::<Stream>('s', "x")?;
    let number = number_of("x");
    try_unlink("x");
    let _t = bound::<Stream>('t', "x")?;
    let is = if number_of("x") == number {
        "the same"
    } else {
        "another"
    };
    step!("st_ino of \"x\" = {is}");
    Ok(())
}

// 5. Watch the working directory: report all its events.

pub(crate) fn watched() -> Result<(), Error> {
    let watch = watch_directory();
    let s = bound::<Stream>('s', "x")?;
    ask_events(&watch);
    let _s = try_listen(s)?;
    ask_events(&watch);
    try_touch("x");
    ask_events(&watch);
    Ok(())
}

// 6. Use the socket as a file: it has no position, no size and no pages.

pub(crate) fn descriptor() -> Result<(), Error> {
    let s = bound::<Stream>('s', "x")?;
    try_as_file(s.name, &File::from(OwnedFd::from(s.socket)));
    Ok(())
}
