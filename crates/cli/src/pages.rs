//! The files that a package of the command installs: completions for shells, and the man page.

use std::io::{self, Write};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::output::{Failure, Status};

/// Prints the file that completes this command's arguments in a shell.
#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// The shell that reads the file.
    shell: Shell,
}

/// Prints the man page of this command or of a subcommand.
#[derive(Args, Debug)]
pub(crate) struct Man {
    /// The subcommand that the page is about.
    subcommand: Option<String>,
}

/// Runs `sunpath completions`.
pub(crate) fn completions(arguments: &Completions) -> Result<Status, Failure> {
    let mut file = Vec::new();
    let mut command = crate::Arguments::command();
    clap_complete::generate(arguments.shell, &mut command, "sunpath", &mut file);
    io::stdout().write_all(&file)?;
    Ok(Status::Done)
}

/// Runs `sunpath man`.
pub(crate) fn man(arguments: &Man) -> Result<Status, Failure> {
    let mut command = crate::Arguments::command();
    command.build();
    if let Some(name) = &arguments.subcommand {
        let found = command.find_subcommand(name).cloned();
        let name = crate::escape::escape(name.as_bytes());
        command = found.ok_or_else(|| Failure::usage(format!("there is no subcommand {name}")))?;
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    io::stdout().write_all(&page)?;
    Ok(Status::Done)
}
