//! How a command that listens makes its socket file, and that the file is removed at the end.

use std::ffi::OsString;
use std::sync::{Arc, Mutex, PoisonError};
use std::{fs, process, thread};

use clap::{Args, ValueEnum};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use sunpath::files::{Bindable, SocketFile};
use sunpath::{BindOptions, Bound, CWD, Existing, UnixAddr};

use crate::output::Failure;
use crate::target::Target;
use crate::user;

/// How to make the socket and its file.
#[derive(Args, Debug)]
pub(crate) struct Binding {
    /// The mode of the socket file, in octal digits. Without it the umask decides.
    #[arg(long, value_name = "MODE", value_parser = octal)]
    mode: Option<u32>,
    /// The owner of the socket file, by name or number.
    #[arg(long, value_name = "USER")]
    owner: Option<String>,
    /// The group of the socket file, by name or number.
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// What to do if the path exists.
    #[arg(long, value_name = "POLICY", default_value = "stale")]
    existing: Policy,
    /// The number of clients that may wait.
    #[arg(long, value_name = "N")]
    backlog: Option<i32>,
}

/// What to do if the path exists.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Policy {
    /// Fails.
    Refuse,
    /// Replaces a socket file that no process holds.
    Stale,
    /// Takes the path over from a running server, without a gap.
    Takeover,
}

fn octal(text: &str) -> Result<u32, String> {
    let mode = u32::from_str_radix(text, 8).ok();
    mode.filter(|mode| *mode <= 0o777)
        .ok_or_else(|| "a mode is an octal number up to 0777, such as 0660".into())
}

impl Binding {
    fn options(&self) -> Result<BindOptions, Failure> {
        let mut options = match self.existing {
            Policy::Refuse => BindOptions::new(),
            Policy::Stale => BindOptions::new().existing(Existing::ReplaceStale),
            Policy::Takeover => BindOptions::new().existing(Existing::Takeover),
        };
        if let Some(mode) = self.mode {
            options = options.mode(mode);
        }
        if let Some(owner) = &self.owner {
            options = options.owner(user::uid(owner)?);
        }
        if let Some(group) = &self.group {
            options = options.group(user::gid(group)?);
        }
        if let Some(backlog) = self.backlog {
            options = options.backlog(backlog);
        }
        Ok(options)
    }

    /// Makes the socket, and a value that removes its file: at the end, and when a signal ends this
    /// process. The credentials of the sender come with each message if `with_credentials` is true.
    pub(crate) fn bind<S: Bindable>(
        &self,
        target: &Target,
        with_credentials: bool,
    ) -> Result<(S, File), Failure> {
        let options = self.options()?.pass_credentials(with_credentials);
        let bound: Result<Bound<S>, _> = match target {
            Target::Path(path) => options.bind_at(CWD, path),
            Target::Abstract(name) => UnixAddr::from_abstract(name)
                .map_err(Into::into)
                .and_then(|addr| options.bind_addr(&addr)),
        };
        let parts = bound.and_then(|bound| bound.into_parts().map_err(Into::into));
        let (socket, file) = parts.map_err(|error| Failure::not(target, &error))?;
        Ok((socket, File::new(file)))
    }
}

/// The socket file, which is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct File(Arc<Mutex<Option<SocketFile>>>);

impl File {
    pub(crate) fn new(file: SocketFile) -> Self {
        Self(Arc::new(Mutex::new(Some(file))))
    }

    /// Lets the signals that end a process remove the file first.
    pub(crate) fn remove_at_signals(&self) -> Result<(), Failure> {
        let file = Arc::clone(&self.0);
        on_signals(move |signal| {
            drop(take(&file));
            let _ = emulate_default_handler(signal);
            process::exit(1);
        })
    }
}

impl Drop for File {
    fn drop(&mut self) {
        drop(take(&self.0));
    }
}

fn take(file: &Mutex<Option<SocketFile>>) -> Option<SocketFile> {
    file.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Calls a function for each signal that asks a process to end, on a thread of its own. A signal that is ignored
/// stays ignored: nohup(1) does that, and a shell does it for commands in the background.
pub(crate) fn on_signals(mut act: impl FnMut(i32) + Send + 'static) -> Result<(), Failure> {
    let ignored = ignored_signals();
    let is_heeded = |signal: &i32| ignored >> (signal - 1) & 1 == 0;
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM].iter().filter(|s| is_heeded(s)))?;
    thread::spawn(move || signals.forever().for_each(&mut act));
    Ok(())
}

/// Returns the set of signals that this process ignores, with the lowest bit for signal 1.
fn ignored_signals() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let set = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok())
        .unwrap_or_default()
}

/// Returns the words of a command line: a program and its arguments.
pub(crate) fn program(words: &[OsString]) -> Option<process::Command> {
    let (program, arguments) = words.split_first()?;
    let mut command = process::Command::new(program);
    command.args(arguments);
    Some(command)
}
