//! Runs the cases of `cases.txt` over `sunpath`. For each call of `../c/sockets.c` it makes the
//! call that a program in safe Rust would make, and it prints the same lines. The program reads the
//! table from standard input, and works in the current directory. The calls that send and receive
//! are in `data.rs`.
//!
//! If this API lacks the call, the line says "not offered" where C has an answer. The most frequent
//! reason is that the kind of a socket is part of its type: a method exists only for kinds with
//! which the method can succeed.

mod data;
#[path = "../rust/step.rs"]
mod step;

use std::io;
use std::os::fd::AsRawFd;
use std::time::Duration;

use sunpath::socket::{Connected, Kind};
use sunpath::{
    Error, Shutdown, Socket, SunPath, UnixAddr, UnixDatagram, UnixListener, UnixSeqpacket,
    UnixSeqpacketListener, UnixStream,
};
use sunpath_c_tests::notation::Bytes;

use crate::calls;

use step::{Lane, Step};

// 1. Print the answer of a call.

/// The answer of a call as it is printed, or its error.
type Answer = Result<String, Error>;

fn ok((): ()) -> String {
    "ok".to_owned()
}

fn not_offered() -> Answer {
    Ok("not offered".to_owned())
}

fn errno(error: Error) -> String {
    error.errno().name().unwrap_or("E?").to_owned()
}

// 2. Make sockets: one for each letter.

enum Slot {
    Stream(UnixStream),
    Datagram(UnixDatagram),
    Seqpacket(UnixSeqpacket),
    Listener(UnixListener),
    SeqpacketListener(UnixSeqpacketListener),
}

/// A reference to the socket of a slot, or to the socket that a listener contains.
#[derive(Clone, Copy)]
enum View<'a> {
    Stream(&'a UnixStream),
    Datagram(&'a UnixDatagram),
    Seqpacket(&'a UnixSeqpacket),
}

impl Slot {
    fn view(&self) -> View<'_> {
        match self {
            Self::Stream(socket) => View::Stream(socket),
            Self::Datagram(socket) => View::Datagram(socket),
            Self::Seqpacket(socket) => View::Seqpacket(socket),
            Self::Listener(listener) => View::Stream(listener.as_socket()),
            Self::SeqpacketListener(listener) => View::Seqpacket(listener.as_socket()),
        }
    }
}

/// Makes the same call on a socket of any kind.
macro_rules! any {
    ($view:expr, $socket:ident => $answer:expr) => {
        match $view {
            View::Stream($socket) => $answer,
            View::Datagram($socket) => $answer,
            View::Seqpacket($socket) => $answer,
        }
    };
}

fn nonblocking<T: Kind>(socket: Socket<T>) -> Result<Socket<T>, Error> {
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn pair_of<T: Kind>(slot: fn(Socket<T>) -> Slot) -> Result<[Slot; 2], Error> {
    let (a, b) = Socket::pair()?;
    Ok([slot(nonblocking(a)?), slot(nonblocking(b)?)])
}

#[derive(Default)]
struct Safe {
    sockets: [Option<Slot>; 26],
}

impl Safe {
    fn socket(&mut self, step: &Step) -> Answer {
        let socket = match (step.word(1), step.number(2)) {
            (Some("stream"), None) => Slot::Stream(nonblocking(Socket::new()?)?),
            (Some("dgram"), None) => Slot::Datagram(nonblocking(Socket::new()?)?),
            (Some("seqpacket"), None) => Slot::Seqpacket(nonblocking(Socket::new()?)?),
            _ => return not_offered(),
        };
        self.sockets[step.slot(0)] = Some(socket);
        Ok(ok(()))
    }

    fn pair(&mut self, step: &Step) -> Answer {
        let [a, b] = match step.word(0) {
            Some("stream") => pair_of(Slot::Stream)?,
            Some("dgram") => pair_of(Slot::Datagram)?,
            _ => pair_of(Slot::Seqpacket)?,
        };
        self.sockets[step.slot(1)] = Some(a);
        self.sockets[step.slot(2)] = Some(b);
        Ok(ok(()))
    }

    fn accept(&mut self, step: &Step) -> Answer {
        let accepted = match &self.sockets[step.slot(0)] {
            Some(Slot::Listener(listener)) => Slot::Stream(listener.accept()?.0),
            Some(Slot::SeqpacketListener(listener)) => Slot::Seqpacket(listener.accept()?.0),
            _ => return not_offered(),
        };
        if step.number(2).is_none() {
            any!(accepted.view(), socket => socket.set_nonblocking(true))?;
        }
        self.sockets[step.slot(1)] = Some(accepted);
        Ok(ok(()))
    }

    /// Makes a socket listen, or listen again with another backlog. If the socket cannot listen,
    /// dropping the error closes it.
    fn listen(&mut self, step: &Step) -> Answer {
        let backlog = step.number(1).expect("listen has a backlog");
        let slot = &mut self.sockets[step.slot(0)];
        match slot {
            Some(Slot::Listener(listener)) => return listener.listen_again(backlog).map(ok),
            Some(Slot::SeqpacketListener(listener)) => {
                return listener.listen_again(backlog).map(ok);
            }
            Some(Slot::Datagram(_)) | None => return not_offered(),
            _ => {}
        }
        *slot = match slot.take() {
            Some(Slot::Stream(socket)) => Some(Slot::Listener(socket.listen(backlog)?)),
            Some(Slot::Seqpacket(socket)) => Some(Slot::SeqpacketListener(socket.listen(backlog)?)),
            other => other,
        };
        Ok(ok(()))
    }

    fn dup(&mut self, step: &Step) -> Answer {
        let copy = match &self.sockets[step.slot(0)] {
            Some(Slot::Stream(socket)) => Slot::Stream(socket.try_clone()?),
            Some(Slot::Datagram(socket)) => Slot::Datagram(socket.try_clone()?),
            Some(Slot::Seqpacket(socket)) => Slot::Seqpacket(socket.try_clone()?),
            Some(Slot::Listener(listener)) => Slot::Listener(listener.try_clone()?),
            Some(Slot::SeqpacketListener(listener)) => {
                Slot::SeqpacketListener(listener.try_clone()?)
            }
            None => return not_offered(),
        };
        self.sockets[step.slot(1)] = Some(copy);
        Ok(ok(()))
    }
}

// 3. Make addresses: pathnames, and abstract names, which begin with a NUL.

fn address_at(step: &Step, at: usize) -> Option<UnixAddr> {
    let addr = match step.bytes(at)? {
        [0, name @ ..] => UnixAddr::from_abstract(name),
        path => UnixAddr::from_pathname(path),
    };
    Some(addr.expect("the table has no address that is refused"))
}

fn name(addr: &UnixAddr) -> String {
    match addr.name() {
        SunPath::Pathname(path) => Bytes(path).to_string(),
        SunPath::Abstract(_) => "autobound".to_owned(),
        SunPath::Unnamed => "unnamed".to_owned(),
    }
}

fn bind(view: View<'_>, step: &Step) -> Answer {
    let addr = address_at(step, 1).expect("bind has an address");
    any!(view, socket => socket.bind_to(&addr)).map(ok)
}

fn connect(view: View<'_>, step: &Step) -> Answer {
    match (address_at(step, 1), view) {
        (Some(addr), view) => any!(view, socket => socket.connect_to(&addr)).map(ok),
        (None, View::Datagram(socket)) => socket.disconnect().map(ok),
        _ => not_offered(),
    }
}

// 4. Use connections: accept, and shut down.

fn fill_backlog_of<T: Connected>(addr: &UnixAddr) -> Answer {
    let mut clients = Vec::new();
    loop {
        let client = nonblocking(Socket::<T>::new()?)?;
        if let Err(error) = client.connect_to(addr) {
            return Ok(format!("{}, then {}", clients.len(), errno(error)));
        }
        clients.push(client);
    }
}

fn fill_backlog(step: &Step) -> Answer {
    let addr = address_at(step, 1).expect("fill_backlog has an address");
    match step.word(0) {
        Some("stream") => fill_backlog_of::<sunpath::Stream>(&addr),
        _ => fill_backlog_of::<sunpath::Seqpacket>(&addr),
    }
}

fn shutdown(view: View<'_>, step: &Step) -> Answer {
    let how = match step.word(1) {
        Some("RD") => Shutdown::Read,
        Some("WR") => Shutdown::Write,
        _ => Shutdown::Both,
    };
    any!(view, socket => socket.shutdown(how)).map(ok)
}

// 5. Set options and flags.

fn type_name(number: i32) -> String {
    use sunpath::sys;

    match number {
        sys::SOCK_STREAM => "SOCK_STREAM".to_owned(),
        sys::SOCK_DGRAM => "SOCK_DGRAM".to_owned(),
        sys::SOCK_SEQPACKET => "SOCK_SEQPACKET".to_owned(),
        other => other.to_string(),
    }
}

fn domain_name(number: i32) -> String {
    if number == sunpath::sys::AF_UNIX {
        "AF_UNIX".to_owned()
    } else {
        number.to_string()
    }
}

fn flag(on: bool) -> String {
    u8::from(on).to_string()
}

fn getsockopt<T: Kind>(socket: &Socket<T>, step: &Step) -> Answer {
    match step.word(1) {
        Some("SO_ACCEPTCONN") => socket.is_listening().map(flag),
        Some("SO_DOMAIN") => socket.domain().map(domain_name),
        Some("SO_ERROR") => socket.take_error().map(|error| {
            let name = error.map(|errno| errno.name().unwrap_or("E?"));
            name.unwrap_or("0").to_owned()
        }),
        Some("SO_PASSCRED") => socket.pass_credentials().map(flag),
        Some("SO_PEEK_OFF") => socket
            .peek_offset()
            .map(|offset| offset.map_or("-1".to_owned(), |offset| offset.to_string())),
        Some("SO_TYPE") => socket.socket_type().map(type_name),
        _ => not_offered(),
    }
}

fn setsockopt<T: Kind>(socket: &Socket<T>, step: &Step) -> Answer {
    let value = step.number(2).expect("the option has a value");
    let size = usize::try_from(value).ok();
    match (step.word(1), size) {
        _ if step.number(3).is_some() => not_offered(),
        (Some("SO_PASSCRED"), _) => socket.set_pass_credentials(value != 0).map(ok),
        (Some("SO_PEEK_OFF"), size) => socket.set_peek_offset(size).map(ok),
        (Some("SO_RCVBUF"), Some(size)) => socket.set_receive_buffer_size(size).map(ok),
        (Some("SO_SNDBUF"), Some(size)) => socket.set_send_buffer_size(size).map(ok),
        _ => not_offered(),
    }
}

fn timeout<T: Kind>(socket: &Socket<T>, step: &Step) -> Answer {
    let millis = step.number(2).expect("a timeout has milliseconds");
    let timeout = Some(Duration::from_millis(millis.unsigned_abs().into()));
    match step.word(1) {
        Some("SO_SNDTIMEO") => socket.set_write_timeout(timeout).map(ok),
        _ => socket.set_read_timeout(timeout).map(ok),
    }
}

fn siocoutq<T: Kind>(socket: &Socket<T>) -> Answer {
    Ok(match socket.unreceived_bytes()? {
        0 => "0".to_owned(),
        _ => "some".to_owned(),
    })
}

// 6. Find a call by its name.

impl Safe {
    fn call(&mut self, step: &Step) -> Answer {
        match &*step.call {
            "accept" => return self.accept(step),
            "fill_backlog" => return fill_backlog(step),
            "dup" => return self.dup(step),
            "fds" => return Ok(calls::fds(step.word(0).expect("none or free"))),
            "listen" => return self.listen(step),
            "pair" => return self.pair(step),
            "socket" => return self.socket(step),
            _ => {}
        }
        let Some(slot) = &self.sockets[step.slot(0)] else {
            return Ok("no socket".to_owned());
        };
        let view = slot.view();
        let fd = any!(view, socket => socket.as_raw_fd());
        match &*step.call {
            "bind" => bind(view, step),
            "cloexec" => Ok(calls::cloexec(fd)),
            "close" => {
                self.sockets[step.slot(0)] = None;
                Ok(ok(()))
            }
            "connect" => connect(view, step),
            "fionread" => any!(view, s => s.readable_bytes()).map(|bytes| bytes.to_string()),
            "getpeername" => any!(view, s => s.peer_addr()).map(|addr| name(&addr)),
            "getsockopt" => any!(view, s => getsockopt(s, step)),
            "nonblock" => {
                let on = step.number(1) != Some(0);
                any!(view, s => s.set_nonblocking(on)).map(ok)
            }
            "nonblocking" => any!(view, s => s.nonblocking()).map(flag),
            "poll" => Ok(calls::poll(fd)),
            "setsockopt" => any!(view, s => setsockopt(s, step)),
            "shutdown" => shutdown(view, step),
            "siocoutq" => any!(view, s => siocoutq(s)),
            "timeout" => any!(view, s => timeout(s, step)),
            _ => match view {
                View::Stream(socket) => data::stream(socket, step),
                View::Datagram(socket) => data::datagram(socket, step),
                View::Seqpacket(socket) => data::messages(socket, step),
            },
        }
    }
}

impl Lane for Safe {
    fn answer(&mut self, step: &Step) -> String {
        self.call(step).unwrap_or_else(errno)
    }
}

pub(crate) fn main() -> io::Result<()> {
    step::run::<Safe>()
}
