//! Who is at the other end of a socket, over `sunpath`: the nearest that a program in safe Rust
//! does to each call of `../c`, file by file, and the same lines. Works in the current directory,
//! which should be empty and the program's own.
//!
//! A line differs from C's where the kernel's answer says that there is no peer, where the call has
//! a length that this API does not let go wrong, and where C is ended by a signal.

mod cred;
mod options;
#[path = "../../common/process.rs"]
mod process;
mod signals;

use sunpath::{Connected, Error, Kind, Listener, Socket, UnixAddr, UnixStream};

// 1. Sockets: a path, a listener there, who connects to it.

/// Where every listener of a case is, in the current directory.
const PATH: &str = "s";

fn address() -> UnixAddr {
    sunpath::addr!("s")
}

fn bound<T: Kind>() -> Result<Socket<T>, Error> {
    let socket = Socket::new()?;
    socket.bind_to(&address())?;
    Ok(socket)
}

fn listening<T: Connected>(backlog: i32) -> Result<Listener<T>, Error> {
    bound()?.listen(backlog)
}

// 2. Asking: the call and its answer, with the name that the socket has in the case.

fn name_of(error: Error) -> &'static str {
    error.errno().name().unwrap_or("E?")
}

fn ask_cred<T: Kind>(name: &str, socket: &Socket<T>) {
    print!("getsockopt({name}, SO_PEERCRED) = ");
    match socket.peer_cred() {
        Ok(cred) => process::print_ids(cred.pid().unwrap_or(0), cred.uid(), cred.gid()),
        Err(error) => print!("{}", name_of(error)),
    }
}

fn ask_byte(name: &str, socket: &UnixStream) {
    match socket.read(&mut [0]) {
        Ok(count) => print!("read({name}) = {count}; "),
        Err(error) => print!("read({name}) = {}; ", name_of(error)),
    }
}

fn tell_byte(socket: &UnixStream) -> Result<(), Error> {
    assert_eq!(socket.write(b"x")?, 1);
    Ok(())
}

// 3. Cases: one line each, "not run: ..." where this system does not allow it.

#[derive(PartialEq)]
enum Needs {
    Nothing,
    Root,
}
use Needs::{Nothing, Root};

type Run = fn() -> Result<(), Error>;

const CASES: [(&str, Needs, Run); 48] = [
    ("J01.fresh", Nothing, cred::fresh),
    ("J01.bound", Nothing, cred::bound_only),
    ("J01.datagram", Nothing, cred::datagram_connected),
    ("J01.internet", Nothing, cred::internet),
    ("J02.listener", Nothing, cred::listener),
    ("J02.before_accept", Nothing, cred::before_accept),
    ("J02.after_close", Nothing, cred::after_close),
    ("J02.two_processes", Nothing, cred::two_processes),
    ("J02.pair_stream", Nothing, cred::pair_stream),
    ("J02.pair_datagram", Nothing, cred::pair_datagram),
    ("J02.pair_seqpacket", Nothing, cred::pair_seqpacket),
    ("J03.effective", Root, cred::client_effective),
    ("J04.client_drops", Root, cred::client_drops),
    ("J04.accept_if", Root, cred::accepts_one_user),
    ("J05.listens_then_drops", Root, cred::listens_then_drops),
    ("J05.drops_then_listens", Root, cred::drops_then_listens),
    ("J05.listens_again", Root, cred::listens_again),
    ("J05.connect_if", Nothing, cred::connects_to_one_user),
    ("J06.writer_inherits", Nothing, cred::writer_inherits),
    ("J06.accepter_inherits", Nothing, cred::accepter_inherits),
    ("J07.short", Nothing, cred::length_short),
    ("J07.long", Nothing, cred::length_long),
    ("J08.peer_dead", Nothing, options::peer_dead),
    ("J09.too_many", Root, options::groups_too_many),
    ("J09.exact", Root, options::groups_exact),
    ("J09.roomy", Root, options::groups_roomy),
    ("J09.none", Root, options::groups_none),
    ("J09.of_nobody", Nothing, options::groups_of_nobody),
    ("J18.pidfd", Nothing, options::pidfd_of_pair),
    ("J18.pidfd_short", Nothing, options::pidfd_short),
    ("J18.pidfd_of_nobody", Nothing, options::pidfd_of_nobody),
    ("J18.label", Nothing, options::label),
    ("J18.user_namespace", Nothing, options::in_user_namespace),
    ("J18.pid_namespace", Nothing, options::in_pid_namespace),
    ("G09.send", Nothing, signals::stream_send),
    ("G09.send_nosignal", Nothing, signals::stream_send_nosignal),
    ("G09.send_nothing", Nothing, signals::stream_send_nothing),
    ("G09.write", Nothing, signals::stream_write),
    ("G09.writev", Nothing, signals::stream_writev),
    ("G09.shut", Nothing, signals::stream_shut),
    ("G09.unconnected", Nothing, signals::stream_unconnected),
    ("H15.seqpacket", Nothing, signals::seqpacket_send),
    ("H15.seqpacket_shut", Nothing, signals::seqpacket_shut),
    ("H15.datagram", Nothing, signals::datagram_send),
    ("H15.datagram_shut", Nothing, signals::datagram_shut),
    ("G13.timeout", Nothing, signals::connect_timeout),
    ("G13.interrupted", Nothing, signals::connect_interrupted),
    ("G13.deadline", Nothing, signals::connect_deadline),
];

fn main() -> Result<(), Error> {
    process::begin();
    let may_drop = process::may_drop();
    for (id, needs, run) in CASES {
        print!("{id}\t");
        if needs == Root && !may_drop {
            print!("not run: needs root");
        } else {
            run()?;
        }
        println!();
        let _ = std::fs::remove_file(PATH);
    }
    Ok(())
}
