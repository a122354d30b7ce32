//! Runs the cases of `cases.txt`. Each case has two connected sockets p and q, and the calls of its
//! line. Each helper makes a call and prints it.

use std::any::Any;
use std::io;
use std::os::fd::AsFd as _;

use sunpath::ancillary::Control;
use sunpath::socket::Kind;
use sunpath::{Datagram, Error, Seqpacket, Socket, Stream, UnixStream};

use super::line::{self, part, step};
use super::message::{
    Pair, READ, lacks, new_pair, option, receive, receive_in, receive_plain, send_control,
    send_text, set,
};
use super::table::{Call, Line};
use crate::process;

struct Ends<T: Kind> {
    p: Option<Socket<T>>,
    q: Option<Socket<T>>,
}

/// Returns the socket as a stream, for calls that only streams have.
fn as_stream<T: Kind + 'static>(socket: &Socket<T>) -> &UnixStream {
    let socket: &dyn Any = socket;
    socket.downcast_ref().expect("the socket is a stream")
}

fn lacks_option(name: &str) -> Result<bool, Error> {
    match name {
        "SO_INQ" => lacks(option!(SO_INQ)),
        "SO_PASSCRED" => lacks(option!(SO_PASSCRED)),
        "SO_PASSPIDFD" => lacks(option!(SO_PASSPIDFD)),
        "SO_PASSRIGHTS" => lacks(option!(SO_PASSRIGHTS)),
        _ => panic!("{name}: not an option of the table"),
    }
}

fn set_option<T: Kind + 'static>(socket: &Socket<T>, call: &Call) {
    let (name, on) = (call.socket(), call.number(2) != 0);
    match call.word(1).unwrap_or_default() {
        "SO_INQ" => set(name, as_stream(socket), option!(SO_INQ), on),
        "SO_PASSCRED" => set(name, socket, option!(SO_PASSCRED), on),
        "SO_PASSPIDFD" => set(name, socket, option!(SO_PASSPIDFD), on),
        _ => set(name, socket, option!(SO_PASSRIGHTS), on),
    }
}

fn send_rights<T: Kind>(p: &Socket<T>, call: &Call) {
    let any = io::stdin();
    let rights = call.rights();
    let fds: Vec<_> = rights.iter().map(|n| vec![any.as_fd(); *n]).collect();
    let control: Vec<_> = fds.iter().map(|fds| Control::Rights(fds)).collect();
    let words: Vec<_> = rights.into_iter().map(line::rights).collect();
    send_control(p, call.text(), &control, &words.join(", "));
}

fn make<T: Kind + 'static>(s: &mut Ends<T>, call: &Call) {
    let end = match call.socket() {
        "p" => &mut s.p,
        _ => &mut s.q,
    };
    let socket = end.as_ref().expect("the socket is open");
    match call.name() {
        "sendmsg" => send_rights(socket, call),
        "send" => send_text(as_stream(socket), call.text()),
        "recvmsg" => match call.capacity() {
            Some(capacity) => receive_in(socket, call.number(1), capacity),
            None => receive(socket, call.number(1)),
        },
        "recv" => receive_plain(as_stream(socket), call.number(1), READ),
        "setsockopt" => set_option(socket, call),
        "close" => {
            step!("close({})", call.socket());
            *end = None;
        }
        name => panic!("{name}: not a call of the table"),
    }
}

fn make_all<T: Kind + 'static>(calls: &[Call]) -> Result<(), Error> {
    let Pair { p, q } = new_pair::<T>()?;
    let (p, q) = (Some(p), Some(q));
    let mut s = Ends { p, q };
    for call in calls {
        if !call.in_child {
            make(&mut s, call);
            continue;
        }
        let child = process::fork();
        if child == 0 {
            part("child");
            make(&mut s, call);
            process::end(0);
        }
        process::join(child);
    }
    Ok(())
}

pub(crate) fn run(text: &str) -> Result<(), Error> {
    let line = Line::read(text);
    for name in line.options() {
        if lacks_option(name)? {
            return Ok(());
        }
    }
    match line.kind {
        "stream" => make_all::<Stream>(&line.calls),
        "dgram" => make_all::<Datagram>(&line.calls),
        _ => make_all::<Seqpacket>(&line.calls),
    }
}
