//! Cases of abstract names: which processes may connect, and how the kernel chooses a name for a
//! socket.

use sunpath::socket::Kind;
use sunpath::{Datagram, Error, Socket, Stream, SunPath, UnixAddr, addr};

use super::system::leave_network;
use super::{as_another, ask_connect};
use crate::line::step;
use crate::process;
use crate::socket::{Named, bound, new_socket, outcome, try_connect, try_listen};

// 1. Bind to an abstract name.

fn name() -> UnixAddr {
    UnixAddr::from_abstract("life").expect("the name fits")
}

fn bind_name<T: Kind>(s: &Named<Socket<T>>) {
    let bound = s.bind_to(&name());
    step!("bind({}, \"\\0life\")", s.name);
    outcome(&bound);
}

fn connect_name() -> Result<(), Error> {
    let c = new_socket::<Stream>('c')?;
    let connected = c.connect_to(&name());
    step!("connect(c, \"\\0life\")");
    outcome(&connected);
    Ok(())
}

// 2. Let the kernel choose a name.

fn is_given(name: &[u8]) -> bool {
    let digits = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    name.len() == 5 && name.iter().all(digits)
}

fn ask_given<T: Kind>(s: &Named<Socket<T>>) -> Result<(), Error> {
    let addr = s.local_addr()?;
    let name = match addr.name() {
        SunPath::Unnamed => "unnamed",
        SunPath::Abstract(name) if is_given(name) => "\"\\0\" + 5 hex digits",
        _ => "another name",
    };
    step!("getsockname({}) = {}, {name}", s.name, addr.len());
    Ok(())
}

pub(crate) fn passcred() -> Result<(), Error> {
    let _d = bound::<Datagram>('d', "x")?;
    let s = new_socket::<Datagram>('s')?;
    let set = s.set_pass_credentials(true);
    step!("setsockopt(s, SO_PASSCRED, 1)");
    outcome(&set);
    ask_given(&s)?;
    try_connect(&s, "x");
    ask_given(&s)
}

// 3. Connect as another user.

pub(crate) fn another_user() -> Result<(), Error> {
    let s = new_socket::<Stream>('s')?;
    let changed = s.set_mode(0);
    step!("fchmod(s, 0000)");
    outcome(&changed);
    bind_name(&s);
    let _s = try_listen(s)?;
    as_another(connect_name)
}

// 4. Connect from another network namespace.

fn from_another_network(run: fn() -> Result<(), Error>) -> Result<(), Error> {
    let child = process::fork();
    if child == 0 {
        if leave_network() {
            run()?;
        }
        process::end(0);
    }
    process::join(child);
    Ok(())
}

pub(crate) fn abstract_name() -> Result<(), Error> {
    let s = Socket::<Stream>::new()?;
    s.bind_to(&name())?;
    let _s = s.listen(8)?;
    from_another_network(connect_name)
}

pub(crate) fn pathname() -> Result<(), Error> {
    let s = Socket::<Stream>::new()?;
    s.bind_to(&addr!("x"))?;
    let _s = s.listen(8)?;
    from_another_network(|| ask_connect::<Stream>('c', "x"))
}
