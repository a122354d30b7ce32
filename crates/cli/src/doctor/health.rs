//! What keeps a server that runs from accepting.

use std::fs;

use crate::processes::Process;
use crate::sockets::Server;

/// The reason why a server does not accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hindrance {
    /// A signal or a debugger has stopped it.
    Stopped,
    /// It has as many descriptors as it may have.
    NoDescriptor,
}

impl Hindrance {
    /// Returns what hinders every process that holds the socket, as far as they may be read.
    pub(crate) fn of(server: &Server) -> Option<Self> {
        let (first, others) = server.processes.split_first()?;
        let hindrance = Self::of_process(first)?;
        let is_shared = |process| Self::of_process(process) == Some(hindrance);
        others.iter().all(is_shared).then_some(hindrance)
    }

    fn of_process(process: &Process) -> Option<Self> {
        match process.stat(3).as_deref() {
            Some("T" | "t") => Some(Self::Stopped),
            _ => has_no_free_descriptor(process).then_some(Self::NoDescriptor),
        }
    }

    /// Returns the end of a sentence about the server.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Stopped => "is stopped",
            Self::NoDescriptor => "has no free descriptor",
        }
    }

    /// Returns the word for programs.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::NoDescriptor => "no-descriptor",
        }
    }

    /// Returns what to do.
    pub(crate) fn advice(self, server: &Server) -> String {
        let pids = server
            .processes
            .iter()
            .map(|process| process.pid.to_string());
        let pids = pids.collect::<Vec<_>>().join(" ");
        match self {
            Self::Stopped => format!(
                "kill -CONT {pids} lets it run again. A debugger, the suspend key of a terminal or SIGSTOP has stopped it."
            ),
            Self::NoDescriptor => format!(
                "Look for descriptors that the server does not close, in /proc/{pids}/fd. If it needs that many, start it with a higher limit: ulimit -n, or LimitNOFILE= of its unit."
            ),
        }
    }
}

/// Returns whether each number below the limit is the number of an open descriptor.
fn has_no_free_descriptor(process: &Process) -> bool {
    let limits = fs::read_to_string(process.proc("limits")).unwrap_or_default();
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next());
    let Some(soft) = soft.and_then(|soft| soft.parse::<usize>().ok()) else {
        return false; // unlimited, or the process has ended
    };
    let fds = fs::read_dir(process.proc("fd"))
        .into_iter()
        .flatten()
        .flatten();
    let numbers = fds.filter_map(|fd| fd.file_name().to_str()?.parse::<usize>().ok());
    numbers.filter(|number| *number < soft).count() == soft
}
