//! `sunpath connect`: a client on standard input and output.

use std::ffi::OsString;
use std::io;
use std::time::Duration;

use clap::Args;
use sunpath::socket::Connected;
use sunpath::{
    BindOptions, Bound, CWD, ConnectOptions, Error, Seqpacket, Socket, Stream, UnixAddr,
    UnixDatagram,
};

use crate::descriptor::Passing;
use crate::kind::Kind;
use crate::output::{Failure, Status, note};
use crate::pump::{self, print_received, send_input};
use crate::target::Target;
use crate::user::{self, peer_text};

/// Connects, sends standard input and prints what comes.
///
/// At the end of standard input the server is told so, and everything that it still sends is printed. For
/// datagrams and sequenced packets, each line is one message, with its newline.
///
/// Exit status: 0 if everything was sent and received, 1 if not. If the connection is refused, `sunpath
/// doctor` says why.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The kind of socket.
    #[arg(long, value_name = "KIND", default_value = "stream")]
    kind: Kind,
    /// Waits at most this long for the connection.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// Waits for a server that has not started yet.
    #[arg(short, long)]
    wait: bool,
    /// Connects only to a server of this user, by name or number.
    #[arg(long, value_name = "USER")]
    require_user: Option<String>,
    /// Prints to standard error who the server is.
    #[arg(short, long)]
    verbose: bool,
    /// Does not tell the server that standard input has ended.
    #[arg(long)]
    keep_open: bool,
    /// For datagrams, binds this path first, so that the server can answer, and prints answers until a
    /// signal comes.
    #[arg(long, value_name = "PATH")]
    bind: Option<OsString>,
    #[command(flatten)]
    passing: Passing,
    /// PATH or @NAME.
    #[arg(value_name = "PATH")]
    target: OsString,
    /// With --recv-fd, a program and its arguments.
    #[arg(last = true, requires = "recv_fd")]
    program: Vec<OsString>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text
        .parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let seconds = seconds.filter(|seconds| !seconds.is_zero());
    seconds.ok_or_else(|| "this is not a number of seconds over 0".into())
}

/// Runs `sunpath connect`.
pub(crate) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let target = Target::read(&arguments.target)?;
    let passes = arguments.passing.recv_fd || arguments.passing.send_fd.is_some();
    if passes && arguments.kind != Kind::Stream {
        return Err(Failure::usage(
            "descriptors are passed over a stream alone".into(),
        ));
    }
    if arguments.bind.is_some() && arguments.kind != Kind::Datagram {
        return Err(Failure::usage("--bind is for datagrams".into()));
    }
    let half_close = !arguments.keep_open;
    match arguments.kind {
        Kind::Stream => {
            let socket = connect::<Stream>(arguments, &target)?;
            match arguments
                .passing
                .run(&socket, &target, &arguments.program)?
            {
                Some(status) => Ok(status),
                None => pump::join(socket, &target, half_close),
            }
        }
        Kind::Seqpacket => pump::join(
            connect::<Seqpacket>(arguments, &target)?,
            &target,
            half_close,
        ),
        Kind::Datagram => send_datagrams(arguments, &target),
    }
}

fn connect<T: Connected>(arguments: &Arguments, target: &Target) -> Result<Socket<T>, Failure> {
    let mut options = ConnectOptions::new().wait_for_server(arguments.wait);
    if let Some(timeout) = arguments.timeout {
        options = options.timeout(timeout);
    }
    if let Some(user) = &arguments.require_user {
        options = options.require_peer(user::uid(user)?);
    }
    let connected: Result<Socket<T>, Error> = match target {
        Target::Path(path) => options.connect(path),
        Target::Abstract(name) => UnixAddr::from_abstract(name)
            .map_err(Into::into)
            .and_then(|addr| options.connect_addr(&addr)),
    };
    let socket = connected.map_err(|error| Failure::not(target, &error))?;
    if arguments.verbose {
        match socket.peer_cred() {
            Ok(peer) => note(&format!("connected: {}", peer_text(peer))),
            Err(error) => note(&format!("connected, but not to a known peer: {error}")),
        }
    }
    Ok(socket)
}

/// Sends each line as a message. Messages that come are printed if the socket is bound.
fn send_datagrams(arguments: &Arguments, target: &Target) -> Result<Status, Failure> {
    if arguments.timeout.is_some() || arguments.wait || arguments.require_user.is_some() {
        let text =
            "--timeout, --wait and --require-user are for connections, which datagrams do not have";
        return Err(Failure::usage(text.into()));
    }
    let fail = |error: Error| Failure::not(target, &error);
    let connect_to = |socket: &UnixDatagram| match target {
        Target::Path(path) => socket.connect_to_at(CWD, path),
        Target::Abstract(name) => UnixAddr::from_abstract(name)
            .map_err(Into::into)
            .and_then(|addr| socket.connect_to(&addr)),
    };
    let Some(own) = &arguments.bind else {
        let socket = UnixDatagram::unbound().map_err(fail)?;
        connect_to(&socket).map_err(fail)?;
        send_input(&socket, io::stdin(), false).map_err(|problem| problem.report(target))?;
        return Ok(Status::Done);
    };
    let own = Target::read(own)?;
    let bound: Result<Bound<UnixDatagram>, Error> = match &own {
        Target::Path(path) => BindOptions::new().bind_datagram(path),
        Target::Abstract(name) => {
            let addr = UnixAddr::from_abstract(name).map_err(Into::into);
            addr.and_then(|addr| BindOptions::new().bind_addr(&addr))
        }
    };
    let parts = bound.and_then(|bound| bound.into_parts().map_err(Into::into));
    let (socket, file) = parts.map_err(|error| Failure::not(&own, &error))?;
    let file = crate::binding::File::new(file); // the socket file, which is removed at the end
    file.remove_at_signals()?;
    connect_to(&socket).map_err(fail)?;
    let answers = socket.try_clone().map_err(fail)?;
    let printer = std::thread::spawn(move || print_received(&answers, &mut io::stdout()));
    send_input(&socket, io::stdin(), false).map_err(|problem| problem.report(target))?;
    match printer.join() {
        Ok(Err(problem)) => Err(problem.report(target)),
        _ => Ok(Status::Done),
    }
}
