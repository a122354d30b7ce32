//! `sunpath relay`: joins the clients of one address with the server of another.

mod carry;
mod progress;

use std::ffi::OsString;
use std::sync::Arc;
use std::thread;

use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sunpath::files::Bindable;
use sunpath::serve::{self, Clients};
use sunpath::socket::Connected;
use sunpath::{ConnectOptions, Error, Listener, Seqpacket, Shutdown, Socket, Stream, UnixAddr};

use self::carry::Carry;
use self::progress::Progress;
use crate::admission::Admission;
use crate::binding::Binding;
use crate::kind::Kind;
use crate::output::{Failure, Status, note};
use crate::target::Target;
use crate::user::peer_text;

/// The most connections at once.
const CONNECTIONS: usize = 4096;

/// Listens at one address, and joins each client with a connection to another address.
///
/// The end of one direction is passed on as a half-close, and nothing that was received before is lost. On
/// a terminal, the number of connections, the bytes and the rate are shown. The command runs until SIGHUP,
/// SIGINT or SIGTERM, and removes its socket file.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The kind of both sockets: stream or seqpacket.
    #[arg(long, value_name = "KIND", default_value = "stream")]
    kind: Kind,
    #[command(flatten)]
    binding: Binding,
    /// Passes descriptors on. Without it, descriptors that come are closed.
    #[arg(long)]
    fds: bool,
    #[command(flatten)]
    admission: Admission,
    /// The PATH or @NAME to listen at.
    #[arg(value_name = "LISTEN")]
    from: OsString,
    /// The PATH or @NAME to connect to.
    #[arg(value_name = "TARGET")]
    to: OsString,
}

/// Runs `sunpath relay`.
pub(crate) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    match arguments.kind {
        Kind::Stream => relay::<Stream>(arguments),
        Kind::Seqpacket => relay::<Seqpacket>(arguments),
        Kind::Datagram => Err(Failure::usage(
            "datagrams have no connections to relay".into(),
        )),
    }
}

fn relay<T: Connected + 'static>(arguments: &Arguments) -> Result<Status, Failure>
where
    Socket<T>: Carry,
    Listener<T>: Bindable,
{
    let from = Target::read(&arguments.from)?;
    let to = Arc::new(Target::read(&arguments.to)?);
    let rule = arguments.admission.rule()?;
    let (listener, file) = arguments.binding.bind::<Listener<T>>(&from, false)?;
    file.remove_at_signals()?;
    rule.report_listening(&from);
    raise_limit();
    let clients: &'static _ = Box::leak(Box::new(Clients::<CONNECTIONS>::new()));
    let progress = Arc::new(Progress::start());
    for client in serve::incoming(&listener, |error| note(&error.to_string())) {
        let Some(peer) = rule.admit(&client) else {
            continue;
        };
        let place = match clients.admit(peer.uid()) {
            Ok(place) => place,
            Err(error) => {
                note(&format!("refused: {}: {error}", peer_text(peer)));
                continue;
            }
        };
        let (to, progress) = (Arc::clone(&to), Arc::clone(&progress));
        let fds = arguments.fds;
        thread::spawn(move || {
            match connect::<T>(&to) {
                Ok(server) => join(&client, &server, fds, &progress),
                Err(error) => note(&format!("{}: {error}", to.text())),
            }
            drop(place);
        });
    }
    Ok(Status::Done)
}

/// Lets this process have as many descriptors as it may. Each connection takes six, and the usual limit is 1024
/// because of select(2), which this command does not call.
fn raise_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let current = maximum;
    let _ = setrlimit(Resource::Nofile, Rlimit { current, maximum });
}

fn connect<T: Connected>(target: &Target) -> Result<Socket<T>, Error> {
    match target {
        Target::Path(path) => ConnectOptions::new().connect(path),
        Target::Abstract(name) => {
            ConnectOptions::new().connect_addr(&UnixAddr::from_abstract(name)?)
        }
    }
}

/// Carries both directions until each has ended.
fn join<T: Connected>(client: &Socket<T>, server: &Socket<T>, fds: bool, progress: &Progress)
where
    Socket<T>: Carry,
{
    progress.opened();
    thread::scope(|scope| {
        scope.spawn(|| carry_one(client, server, fds, progress));
        carry_one(server, client, fds, progress);
    });
    progress.closed();
}

/// Carries one direction to its end, and passes the end on.
fn carry_one<T: Connected>(from: &Socket<T>, to: &Socket<T>, fds: bool, progress: &Progress)
where
    Socket<T>: Carry,
{
    // An error means that one end is closed: ECONNRESET in reading, EPIPE in writing. In both cases the
    // receiver gets no more, and the sender is told so. A socket that is closed needs no notice.
    let _ = from.carry(to, fds, &|bytes| progress.carried(bytes));
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}
