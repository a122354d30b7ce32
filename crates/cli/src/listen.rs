//! `sunpath listen`: accepts connections, and joins them with standard input and output or with programs.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{mem, thread};

use clap::Args;
use rustix::process::{Pid, Signal, kill_process};
use sunpath::files::Bindable;
use sunpath::serve::{self, Clients};
use sunpath::socket::Connected;
use sunpath::{
    Listener, PeerCred, Seqpacket, Socket, SunPath, UnixDatagram, UnixListener,
    UnixSeqpacketListener, activation,
};

use crate::admission::{Admission, Rule};
use crate::binding::{Binding, File, on_signals, program};
use crate::descriptor::{Passing, status_of};
use crate::escape::escape;
use crate::kind::Kind;
use crate::output::{Failure, Status, note};
use crate::pump::{self, Carrier};
use crate::target::Target;
use crate::user::{self, peer_text};

/// The most connections for which programs run at once.
const PROGRAMS: usize = 256;

/// Listens, and joins each connection with standard input and output or with a program.
///
/// Without PROGRAM, one connection is accepted: what comes is printed, and standard input is sent. For
/// datagrams, one message is printed. With --keep, the next one follows.
///
/// With PROGRAM, it is started at once and gets the listening socket as service managers pass it: as
/// descriptor 3, with LISTEN_FDS and LISTEN_PID. With --exec, PROGRAM is started for each connection, with
/// the connection as standard input and output, and the variables of UCSPI: PROTO=IPC, IPCREMOTEEUID,
/// IPCREMOTEEGID, IPCREMOTEPATH if the client is bound to a path, and IPCLOCALPATH.
///
/// The socket file is removed at the end, and when SIGHUP, SIGINT or SIGTERM ends the command. A signal that is
/// ignored when the command starts stays ignored, as nohup needs it.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The kind of socket.
    #[arg(long, value_name = "KIND", default_value = "stream")]
    kind: Kind,
    #[command(flatten)]
    binding: Binding,
    /// Accepts the next connection after the end of one.
    #[arg(short, long)]
    keep: bool,
    #[command(flatten)]
    admission: Admission,
    /// Starts PROGRAM for each connection.
    #[arg(long, requires = "program", conflicts_with_all = ["keep", "send_fd", "recv_fd"])]
    exec: bool,
    /// With --exec, the most connections of one user at once.
    #[arg(long, value_name = "N", requires = "exec", default_value_t = PROGRAMS)]
    per_user: usize,
    #[command(flatten)]
    passing: Passing,
    /// PATH or @NAME.
    #[arg(value_name = "PATH")]
    target: OsString,
    /// A program and its arguments.
    #[arg(last = true)]
    program: Vec<OsString>,
}

/// Runs `sunpath listen`.
pub(crate) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let target = Target::read(&arguments.target)?;
    let server = Server {
        arguments,
        target,
        rule: arguments.admission.rule()?,
    };
    let passes = arguments.passing.recv_fd || arguments.passing.send_fd.is_some();
    if passes && arguments.kind != Kind::Stream {
        return Err(Failure::usage(
            "descriptors are passed over a stream alone".into(),
        ));
    }
    let starts = !arguments.program.is_empty() && !arguments.exec && !passes;
    match arguments.kind {
        Kind::Stream if starts => server.activate::<UnixListener>(),
        Kind::Seqpacket if starts => server.activate::<UnixSeqpacketListener>(),
        Kind::Datagram if starts => server.activate::<UnixDatagram>(),
        Kind::Stream => server.accept(Server::serve_stream),
        Kind::Seqpacket => server.accept::<Seqpacket>(Server::serve_join),
        Kind::Datagram => server.receive(),
    }
}

struct Server<'a> {
    arguments: &'a Arguments,
    target: Target,
    rule: Rule,
}

impl Server<'_> {
    /// Makes the socket. Signals remove its file from now on.
    fn bind<S: Bindable>(&self, with_credentials: bool) -> Result<(S, File), Failure> {
        let binding = &self.arguments.binding;
        let (socket, file) = binding.bind(&self.target, with_credentials)?;
        file.remove_at_signals()?;
        self.rule.report_listening(&self.target);
        Ok((socket, file))
    }

    /// Starts the program with the listening socket, and ends when it does. Signals are passed on.
    fn activate<S: Bindable + AsFd>(&self) -> Result<Status, Failure> {
        let (socket, _file) = self.arguments.binding.bind::<S>(&self.target, false)?;
        let signals = PassedOn::start()?;
        self.rule.report_listening(&self.target);
        let words = &self.arguments.program;
        let mut command = program(words).unwrap_or_else(|| unreachable!("clap requires a program"));
        activation::pass(&mut command, &[("sunpath", &socket)])
            .map_err(|error| Failure::failed(error.to_string()))?;
        let spawned = command.spawn();
        // The program alone has the socket now, so that the kernel refuses clients when it has ended.
        drop((command, socket));
        status_of(spawned.and_then(|child| signals.wait(child)), words)
    }

    /// Accepts clients, and serves each.
    fn accept<T: Connected>(
        &self,
        serve: fn(&Self, Socket<T>) -> Result<Status, Failure>,
    ) -> Result<Status, Failure>
    where
        Socket<T>: Carrier,
        Listener<T>: Bindable,
        OwnedFd: From<Socket<T>>,
    {
        let (listener, _file) = self.bind::<Listener<T>>(false)?;
        let clients = Clients::<PROGRAMS>::new().per_user(self.arguments.per_user);
        let clients: &'static _ = Box::leak(Box::new(clients));
        let mut last = Ok(Status::Done);
        for client in serve::incoming(&listener, |error| note(&error.to_string())) {
            let Some(peer) = self.rule.admit(&client) else {
                continue;
            };
            if self.arguments.exec {
                self.exec(client, peer, clients);
                continue;
            }
            last = serve(self, client);
            match last {
                Err(failure) if self.arguments.keep => last = failure.report_and_go_on(),
                _ => {}
            }
            if !self.arguments.keep {
                break;
            }
        }
        last
    }

    fn serve_stream(&self, client: sunpath::UnixStream) -> Result<Status, Failure> {
        let words = &self.arguments.program;
        match self.arguments.passing.run(&client, &self.target, words)? {
            Some(status) => Ok(status),
            None => self.serve_join(client),
        }
    }

    fn serve_join<C: Carrier>(&self, client: C) -> Result<Status, Failure> {
        pump::join(client, &self.target, true)
    }

    /// Starts the program for a connection. A thread waits for its end.
    fn exec<T: Connected>(
        &self,
        client: Socket<T>,
        peer: PeerCred,
        clients: &'static Clients<PROGRAMS>,
    ) where
        OwnedFd: From<Socket<T>>,
    {
        let place = match clients.admit(peer.uid()) {
            Ok(place) => place,
            Err(error) => return note(&format!("refused: {}: {error}", peer_text(peer))),
        };
        let started = self.start(client, peer);
        let words = self
            .arguments
            .program
            .first()
            .map(|word| escape(word.as_bytes()));
        match started {
            Ok(mut child) => drop(thread::spawn(move || {
                let _ = child.wait();
                drop(place);
            })),
            Err(error) => note(&format!("{}: {error}", words.unwrap_or_default())),
        }
    }

    fn start<T: Connected>(&self, client: Socket<T>, peer: PeerCred) -> std::io::Result<Child>
    where
        OwnedFd: From<Socket<T>>,
    {
        let mut command = program(&self.arguments.program).unwrap_or_else(|| unreachable!());
        let local = self.target.text();
        command.env("PROTO", "IPC");
        command.env("IPCREMOTEEUID", peer.uid().to_string());
        command.env("IPCREMOTEEGID", peer.gid().to_string());
        match &self.target {
            Target::Path(path) => command.env("IPCLOCALPATH", path),
            Target::Abstract(_) => command.env("IPCLOCALPATH", local),
        };
        match client.peer_addr().as_ref().map(sunpath::UnixAddr::name) {
            Ok(SunPath::Pathname(path)) => command.env("IPCREMOTEPATH", OsStr::from_bytes(path)),
            _ => command.env_remove("IPCREMOTEPATH"),
        };
        let input = OwnedFd::from(client);
        let output = input.try_clone()?;
        command
            .stdin(Stdio::from(input))
            .stdout(Stdio::from(output))
            .spawn()
    }

    /// Prints messages, with their senders if that was asked for.
    fn receive(&self) -> Result<Status, Failure> {
        if self.arguments.exec {
            return Err(Failure::usage(
                "datagrams have no connections: --exec is for the other kinds".into(),
            ));
        }
        let wants_sender = self.rule.asks();
        let (socket, _file) = self.bind::<UnixDatagram>(wants_sender)?;
        loop {
            let is_taken = self.print_message(&socket, wants_sender)?;
            if is_taken && !self.arguments.keep {
                return Ok(Status::Done);
            }
        }
    }

    /// Prints one message, unless its sender is refused.
    fn print_message(&self, socket: &UnixDatagram, wants_sender: bool) -> Result<bool, Failure> {
        let fail = |error: sunpath::Error| Failure::not(&self.target, &error);
        let mut message = Vec::new();
        if wants_sender {
            let len = socket.peek(&mut []).map_err(fail)?.true_len();
            message.resize(len.unwrap_or_default(), 0);
            let (received, sender) = socket.recv_with_credentials(&mut message).map_err(fail)?;
            message.truncate(received.len());
            let uid = sender.map(|sender| sender.uid());
            let who = uid.map_or("an unknown user".into(), user::user_name);
            if !self.rule.accepts(uid) {
                note(&format!("refused: a message of {who}"));
                return Ok(false);
            }
            note(&format!("message of user {who}, {} bytes", message.len()));
        } else {
            socket.receive_piece(&mut message).map_err(fail)?;
        }
        let mut out = std::io::stdout().lock();
        let printed = out.write_all(&message).and_then(|()| out.flush());
        printed.map_err(Failure::carried)?;
        Ok(true)
    }
}

/// The signals that end a process, passed on to a child.
struct PassedOn(Arc<Mutex<Before>>);

/// The child, or the signals that arrived before the child was started.
#[derive(Debug)]
enum Before {
    Signals(Vec<i32>),
    Child(Pid),
}

impl PassedOn {
    fn start() -> Result<Self, Failure> {
        let state = Arc::new(Mutex::new(Before::Signals(Vec::new())));
        let shared = Arc::clone(&state);
        on_signals(move |signal| match &mut *lock(&shared) {
            Before::Signals(signals) => signals.push(signal),
            Before::Child(pid) => send(*pid, signal),
        })?;
        Ok(Self(state))
    }

    /// Waits for the child.
    fn wait(&self, mut child: Child) -> std::io::Result<ExitStatus> {
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            if let Before::Signals(signals) = mem::replace(&mut *lock(&self.0), Before::Child(pid))
            {
                signals.into_iter().for_each(|signal| send(pid, signal));
            }
        }
        child.wait()
    }
}

fn lock(state: &Mutex<Before>) -> MutexGuard<'_, Before> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn send(pid: Pid, signal: i32) {
    if let Some(signal) = Signal::from_named_raw(signal) {
        let _ = kill_process(pid, signal);
    }
}
