//! Cases of `SO_PEERCRED`: the ids that it reports, the time at which the kernel records them, and
//! their use in programs.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use sunpath::socket::Kind;
use sunpath::{
    ConnectOptions, Datagram, Error, Seqpacket, Socket, Stream, UnixDatagram, UnixSeqpacket,
    UnixStream,
};

use super::{PATH, ask_byte, ask_cred, bound, listening, name_of, tell_byte};
use crate::process;

// 1. Ask sockets without a peer: the library reports an error.

pub(crate) fn fresh() -> Result<(), Error> {
    let s = UnixStream::new()?;
    ask_cred("s", &s);
    Ok(())
}

pub(crate) fn bound_only() -> Result<(), Error> {
    let s = bound::<Stream>()?;
    ask_cred("s", &s);
    Ok(())
}

pub(crate) fn datagram_connected() -> Result<(), Error> {
    let _s = UnixDatagram::bind(PATH)?;
    let c = UnixDatagram::new()?;
    c.connect(PATH)?;
    ask_cred("c", &c);
    Ok(())
}

pub(crate) fn internet() -> Result<(), Error> {
    match UnixDatagram::try_from(process::internet_socket()) {
        Ok(s) => ask_cred("s", &s),
        Err(refused) => print!("refused, {}", name_of(refused.error())),
    }
    Ok(())
}

// 2. Connect, and ask both sides: before accept(2), and after the other side has closed.

pub(crate) fn listener() -> Result<(), Error> {
    let s = listening::<Stream>(8)?;
    ask_cred("s", s.as_socket());
    Ok(())
}

pub(crate) fn before_accept() -> Result<(), Error> {
    let _s = listening::<Stream>(8)?;
    let c = UnixStream::connect(PATH)?;
    ask_cred("c", &c);
    Ok(())
}

pub(crate) fn after_close() -> Result<(), Error> {
    let (s, c) = (listening::<Stream>(8)?, UnixStream::connect(PATH)?);
    let (a, _) = s.accept()?;
    ask_cred("a", &a);
    print!("; close(c); ");
    drop(c);
    ask_cred("a", &a);
    Ok(())
}

pub(crate) fn two_processes() -> Result<(), Error> {
    let s = listening::<Seqpacket>(8)?;
    let child = process::fork();
    if child == 0 {
        let c = UnixSeqpacket::connect(PATH)?;
        print!("child: ");
        ask_cred("c", &c);
        process::end(0);
    }
    process::join(child);
    let (a, _) = s.accept()?;
    print!("; ");
    ask_cred("a", &a);
    Ok(())
}

fn pair_of<T: Kind>() -> Result<(), Error> {
    let (p, _q) = Socket::<T>::pair()?;
    ask_cred("p", &p);
    Ok(())
}

pub(crate) fn pair_stream() -> Result<(), Error> {
    pair_of::<Stream>()
}

pub(crate) fn pair_datagram() -> Result<(), Error> {
    pair_of::<Datagram>()
}

pub(crate) fn pair_seqpacket() -> Result<(), Error> {
    pair_of::<Seqpacket>()
}

// 3. Compare the times: the client's ids are recorded at connect(2), and the server's at listen(2).

/// Lets every user connect to the listener of the case.
fn admit_everybody() {
    for (path, mode) in [(".", 0o711), (PATH, 0o666)] {
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("the path is ours");
    }
}

pub(crate) fn client_effective() -> Result<(), Error> {
    let s = listening::<Stream>(8)?;
    admit_everybody();
    let child = process::fork();
    if child == 0 {
        process::lower_privileges();
        let _c = UnixStream::connect(PATH)?;
        process::end(0);
    }
    process::join(child);
    let (a, _) = s.accept()?;
    ask_cred("a", &a);
    Ok(())
}

pub(crate) fn client_drops() -> Result<(), Error> {
    let s = listening::<Stream>(8)?;
    let child = process::fork();
    if child == 0 {
        let c = UnixStream::connect(PATH)?;
        process::drop_privileges();
        tell_byte(&c)?;
        process::end(0);
    }
    process::join(child);
    let (a, _) = s.accept()?;
    ask_byte("a", &a);
    ask_cred("a", &a);
    Ok(())
}

enum Order {
    ListenDrop,
    DropListen,
    ListenDropListen,
}

fn serve(order: Order, gate: &process::Gate) -> Result<usize, Error> {
    let s = bound::<Stream>()?;
    let s = match order {
        Order::ListenDrop => {
            let s = s.listen(8)?;
            process::drop_privileges();
            s
        }
        Order::DropListen => {
            process::drop_privileges();
            s.listen(8)?
        }
        Order::ListenDropListen => {
            let s = s.listen(8)?;
            process::drop_privileges();
            s.listen_again(8)?;
            s
        }
    };
    process::gate_open(gate);
    s.accept()?.0.read(&mut [0])
}

fn server_drops(order: Order) -> Result<(), Error> {
    let gate = process::gate_make();
    let child = process::fork();
    if child == 0 {
        // The child lives until its credentials have been read.
        process::end(serve(order, &gate)? as i32);
    }
    process::gate_wait(gate);
    let c = UnixStream::connect(PATH)?;
    ask_cred("c", &c);
    drop(c);
    process::join(child);
    Ok(())
}

pub(crate) fn listens_then_drops() -> Result<(), Error> {
    server_drops(Order::ListenDrop)
}

pub(crate) fn drops_then_listens() -> Result<(), Error> {
    server_drops(Order::DropListen)
}

pub(crate) fn listens_again() -> Result<(), Error> {
    server_drops(Order::ListenDropListen)
}

// 4. Inherit a connection: the peer is the process that made the connection, and not a process that
//    inherited it.

pub(crate) fn writer_inherits() -> Result<(), Error> {
    let (s, c) = (listening::<Stream>(8)?, UnixStream::connect(PATH)?);
    let (a, _) = s.accept()?;
    let child = process::fork();
    if child == 0 {
        print!("child: ");
        ask_cred("c", &c);
        tell_byte(&c)?;
        process::end(0);
    }
    process::join(child);
    print!("; ");
    ask_byte("a", &a);
    ask_cred("a", &a);
    Ok(())
}

pub(crate) fn accepter_inherits() -> Result<(), Error> {
    let (s, c) = (listening::<Stream>(8)?, UnixStream::connect(PATH)?);
    let child = process::fork();
    if child == 0 {
        tell_byte(&s.accept()?.0)?;
        process::end(0);
    }
    process::join(child);
    ask_byte("c", &c);
    ask_cred("c", &c);
    Ok(())
}

// 5. Pass lengths: the library always passes the size of the whole struct.

pub(crate) fn length_short() -> Result<(), Error> {
    print!("no length to pass");
    Ok(())
}

pub(crate) fn length_long() -> Result<(), Error> {
    print!("no length to pass");
    Ok(())
}

// 6. Make decisions by the ids, as programs do.

pub(crate) fn accepts_one_user() -> Result<(), Error> {
    let s = listening::<Stream>(8)?;
    admit_everybody();
    let gate = process::gate_make();
    let child = process::fork();
    if child == 0 {
        process::drop_privileges();
        let c = UnixStream::connect(PATH)?;
        process::gate_open(&gate);
        print!("child: ");
        ask_byte("c", &c);
        process::end(0);
    }
    process::gate_wait(gate);
    let _c = UnixStream::connect(PATH)?;
    let (a, _) = s.accept_if(|peer| peer.uid() == process::own_uid())?;
    process::join(child);
    print!("accept_if(self): ");
    ask_cred("a", &a);
    Ok(())
}

pub(crate) fn connects_to_one_user() -> Result<(), Error> {
    let s = listening::<Stream>(8)?;
    let connect_if = |uid| {
        let options = ConnectOptions::new().require_peer(uid);
        options.connect::<Stream>(PATH)
    };
    let refused = connect_if(process::own_uid() + 1).map_or_else(name_of, |_| "ok");
    print!("connect_if(another) = {refused}; ");
    let (a, _) = s.accept()?;
    ask_byte("a", &a);
    let c = connect_if(process::own_uid());
    print!("connect_if(self) = {}", c.map_or_else(name_of, |_| "ok"));
    Ok(())
}
