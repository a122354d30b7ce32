//! How an answer is printed, and with which status the command exits.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use clap::Args;
use rustix::termios::tcgetwinsize;
use serde_json::Value;
use sunpath::Error;

use crate::target::Target;

/// How a command that reads prints its answer.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Format {
    /// Prints the answer as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Prints the first line of the answer alone.
    #[arg(short, long, conflicts_with = "json")]
    pub(crate) quiet: bool,
}

/// The exit status of the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// 0: the socket is reachable, or the work is done.
    Done = 0,
    /// 1: it is not.
    Not = 1,
    /// 2: the arguments are wrong.
    Usage = 2,
    /// 3: it could not be found out.
    Unknown = 3,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status as u8)
    }
}

/// An answer: its first line, the lines that follow, the same as JSON, and the status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: Status,
    pub(crate) first: String,
    pub(crate) rest: Vec<Line>,
    pub(crate) json: Value,
}

/// A line of an answer.
#[derive(Debug)]
pub(crate) enum Line {
    /// A heading, above which is an empty line.
    Heading(String),
    /// A line of text, which is indented.
    Text(String),
}

impl Answer {
    /// Prints the answer to standard output, in colour if that is a terminal, and returns its status.
    pub(crate) fn print(&self, format: Format) -> Result<Status, Failure> {
        let mut out = anstream::stdout().lock();
        if format.json {
            writeln!(out, "{:#}", self.json)?;
        } else {
            let style = style(self.status);
            writeln!(out, "{style}{}{style:#}", self.first)?;
        }
        if !format.json && !format.quiet {
            let bold = Style::new().bold();
            for line in &self.rest {
                match line {
                    Line::Heading(text) => writeln!(out, "\n{bold}{text}{bold:#}")?,
                    Line::Text(text) => writeln!(out, "{}", wrap(text, width()))?,
                }
            }
        }
        out.flush()?;
        Ok(self.status)
    }
}

/// Returns the width of a line: that of the environment, or of the terminal. There is none for a file.
fn width() -> usize {
    let environment = env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    let terminal = || {
        io::stdout()
            .is_terminal()
            .then(|| tcgetwinsize(io::stdout()).ok())
            .flatten()
    };
    let columns = environment.or_else(|| terminal().map(|size| size.ws_col.into()));
    columns.filter(|columns| *columns > 0).unwrap_or(usize::MAX)
}

/// Returns an indented text as lines that are at most as wide as that, with further indented lines
/// after the first. A word that is wider has a line of its own. Spaces in a row are part of a table and
/// stay.
fn wrap(text: &str, width: usize) -> String {
    let mut wrapped = String::from(" ");
    let mut used = 1;
    for word in text.split(' ') {
        let len = word.chars().count() + 1;
        if used + len > width && used > 4 {
            wrapped.push_str("\n   ");
            used = 3;
        }
        wrapped.push(' ');
        wrapped.push_str(word);
        used += len;
    }
    wrapped
}

/// Returns the style of the first line. The words of the line have the same meaning without it.
pub(crate) fn style(status: Status) -> Style {
    let colour = match status {
        Status::Done => AnsiColor::Green,
        Status::Not | Status::Usage => AnsiColor::Red,
        Status::Unknown => AnsiColor::Yellow,
    };
    colour.on_default().bold()
}

/// The reason why a command ended early.
#[derive(Debug)]
pub(crate) struct Failure {
    status: Status,
    /// The text; `None` if nobody reads the output any more.
    text: Option<String>,
}

impl Failure {
    /// The arguments are wrong. The text must have no hostile name that is not escaped.
    pub(crate) fn usage(text: String) -> Self {
        let status = Status::Usage;
        let text = Some(text);
        Self { status, text }
    }

    /// A call on a socket failed.
    pub(crate) fn not(target: &Target, error: &Error) -> Self {
        let status = Status::Not;
        let text = Some(format!("{}: {error}", target.text()));
        Self { status, text }
    }

    /// The work could not be done. The text must have no hostile name that is not escaped.
    pub(crate) fn failed(text: String) -> Self {
        let status = Status::Not;
        let text = Some(text);
        Self { status, text }
    }

    /// Standard input or output failed, so not everything was carried.
    pub(crate) fn carried(error: io::Error) -> Self {
        let status = Status::Not;
        Self {
            status,
            ..error.into()
        }
    }

    /// Prints the reason to standard error, and returns the status, because the command goes on.
    pub(crate) fn report_and_go_on(self) -> Result<Status, Self> {
        let status = self.status;
        let _ = self.report();
        Ok(status)
    }

    /// Prints the reason to standard error.
    pub(crate) fn report(self) -> ExitCode {
        if let Some(text) = self.text {
            let _ = writeln!(anstream::stderr(), "sunpath: {text}");
        }
        self.status.into()
    }
}

/// Prints a note to standard error, while the command goes on.
pub(crate) fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "sunpath: {text}");
}

/// A call failed. A broken pipe is not reported, because the reader, such as head(1), has read what it
/// wanted.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let text = Some(error.to_string()).filter(|_| error.kind() != io::ErrorKind::BrokenPipe);
        let status = Status::Unknown;
        Self { status, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrap_breaks_at_words_alone() {
        assert_eq!(wrap("one two three", 80), "  one two three");
        assert_eq!(wrap("one two three", 9), "  one two\n    three");
        assert_eq!(wrap("one two three", 8), "  one\n    two\n    three");
        assert_eq!(
            wrap("a-word-that-is-wider x", 10),
            "  a-word-that-is-wider\n    x"
        );
        assert_eq!(wrap("a   table", usize::MAX), "  a   table");
    }
}
