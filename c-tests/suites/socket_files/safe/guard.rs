//! Cases of the removal of a socket file: only the server that bound the file removes it.

use std::env;

use sunpath::{Error, Stream};

use super::ask_connect;
use super::server::{ask_accept, try_release, try_serve};
use crate::file::{ask_kind, ask_names, try_create, try_mkdir, try_rename, try_unlink};
use crate::line::{self, step};
use crate::process;

// 1. End a server after another file took its path.

pub(crate) fn replaced() -> Result<(), Error> {
    let a = try_serve('a')?;
    try_unlink("x");
    let b = try_serve('b')?;
    try_release('a', a);
    ask_connect::<Stream>('c', "x")?;
    ask_accept('b', &b)
}

pub(crate) fn file() -> Result<(), Error> {
    let a = try_serve('a')?;
    try_unlink("x");
    try_create("x");
    try_release('a', a);
    ask_kind("x");
    Ok(())
}

pub(crate) fn renamed() -> Result<(), Error> {
    let a = try_serve('a')?;
    try_rename("x", "y");
    try_release('a', a);
    ask_names();
    Ok(())
}

fn go(directory: &str) {
    env::set_current_dir(directory).expect("it may be entered");
    step!("chdir(\"{directory}\") = ok");
}

pub(crate) fn chdir() -> Result<(), Error> {
    let a = try_serve('a')?;
    try_mkdir("d");
    go("d");
    try_create("x");
    try_release('a', a);
    ask_names();
    go("..");
    ask_names();
    Ok(())
}

// 2. End a server.

pub(crate) fn released() -> Result<(), Error> {
    let a = try_serve('a')?;
    try_release('a', a);
    ask_names();
    Ok(())
}

pub(crate) fn forgotten() -> Result<(), Error> {
    let a = try_serve('a')?;
    drop(a.leak());
    step!("forget(a)");
    ask_kind("x");
    ask_connect::<Stream>('c', "x")
}

pub(crate) fn forked() -> Result<(), Error> {
    let a = try_serve('a')?;
    let child = process::fork();
    if child == 0 {
        line::part("child");
        try_release('a', a);
        process::end(0);
    }
    process::join(child);
    ask_connect::<Stream>('c', "x")?;
    ask_accept('a', &a)?;
    try_release('a', a);
    ask_names();
    Ok(())
}
