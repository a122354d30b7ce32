//! `sunpath`, the command: Unix domain sockets from a shell.
//!
//! Each subcommand is one file with its arguments and a function `run`. The subcommands share the
//! modules that read names (`target`), print names (`escape`) and print an answer (`output`).

#![forbid(unsafe_code)]

mod admission;
mod binding;
mod clean;
mod connect;
mod descriptor;
mod doctor;
mod escape;
mod explain;
mod kind;
mod listen;
mod listing;
mod ls;
mod output;
mod pages;
mod processes;
mod pump;
mod relay;
mod shell;
mod sockets;
mod stale;
mod target;
mod user;

use std::env;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use crate::escape::escape;
use crate::output::{Failure, Status};

/// Explains, diagnoses, lists, listens on and connects to Unix domain sockets.
///
/// PATH is the path of a socket file, of any length. @NAME is an abstract name, in which \xNN is a byte
/// and \\ is a backslash; write ./@NAME for a file whose name begins with @.
///
/// Exit status: 0 if the socket is reachable or the work is done, 1 if not, 2 for wrong usage, and
/// 3 if the answer could not be found out.
#[derive(Debug, Parser)]
#[command(name = "sunpath", version, max_term_width = 80)]
struct Arguments {
    #[command(subcommand)]
    subcommand: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Explain(explain::Arguments),
    Doctor(doctor::Arguments),
    Listen(listen::Arguments),
    Connect(connect::Arguments),
    Relay(relay::Arguments),
    Ls(ls::Arguments),
    Clean(clean::Arguments),
    Completions(pages::Completions),
    Man(pages::Man),
}

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().collect();
    let parsed = match Arguments::try_parse_from(&arguments) {
        Ok(parsed) => parsed,
        Err(error) => return usage(&error, arguments),
    };
    let result = match parsed.subcommand {
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Listen(arguments) => listen::run(&arguments),
        Command::Connect(arguments) => connect::run(&arguments),
        Command::Relay(arguments) => relay::run(&arguments),
        Command::Ls(arguments) => ls::run(&arguments),
        Command::Clean(arguments) => clean::run(&arguments),
        Command::Completions(arguments) => pages::completions(&arguments),
        Command::Man(arguments) => pages::man(&arguments),
    };
    match result {
        Ok(status) => status.into(),
        Err(failure) => failure.report(),
    }
}

/// Prints the help that was asked for, or what is wrong with the arguments. In the latter case they are parsed
/// again with all names escaped, because the text of the error quotes them.
fn usage(error: &clap::Error, arguments: Vec<OsString>) -> ExitCode {
    if !error.use_stderr() {
        return match error.print() {
            Ok(()) => Status::Done.into(),
            Err(error) => Failure::from(error).report(),
        };
    }
    let escaped = arguments.iter().map(|argument| escape(argument.as_bytes()));
    let again = Arguments::try_parse_from(escaped).err();
    let text = again.filter(|again| again.kind() == error.kind());
    let _ = match text {
        Some(again) => again.print(),
        None => writeln!(anstream::stderr(), "sunpath: {}", reason(error.kind())),
    };
    Status::Usage.into()
}

fn reason(kind: ErrorKind) -> &'static str {
    kind.as_str()
        .unwrap_or("the arguments are wrong; try sunpath --help")
}
