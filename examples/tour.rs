//! A tour of a Unix domain socket, from its address to its removal, and an echo server to try other
//! programs on.
//!
//! ```text
//! cargo run --example tour                    all of it, in a fresh private directory
//! cargo run --example tour -- PATH            all of it, at a path of yours
//! cargo run --example tour -- serve PATH      an echo server, until Ctrl-C
//! cargo run --example tour -- connect PATH    a client: what it reads it sends, what comes it prints
//! ```

use std::error::Error as StdError;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{self, ExitCode};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use sunpath::error::{Cause, InUse};
use sunpath::sys::{SUN_PATH_CAPACITY, SUN_PATH_OFFSET};
use sunpath::{
    BindOptions, Bound, ConnectOptions, Dir, Errno, Error, Existing, Shutdown, SunPathError,
    UnixAddr, UnixListener, UnixStream,
};

const USAGE: &str = "usage: tour [PATH] | tour serve PATH | tour connect PATH";

type Result<T, E = Box<dyn StdError>> = std::result::Result<T, E>;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match args.as_slice() {
        [] => tour_in_private_dir(&mut io::stdout()),
        [verb, path] if verb == "serve" => serve(path.as_ref()),
        [verb, path] if verb == "connect" => connect(path.as_ref()),
        [path] if path == "serve" || path == "connect" => Err(USAGE.into()),
        [option] if option.as_encoded_bytes().starts_with(b"-") => Err(USAGE.into()),
        [path] => tour(&mut io::stdout(), path.as_ref()),
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tour: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the whole tour in a directory that nobody else can enter. Such a directory restricts who
/// can connect on every system, while not every system checks the mode of a socket file.
fn tour_in_private_dir(out: &mut impl Write) -> Result<()> {
    let dir = std::env::temp_dir().join(format!("sunpath-tour-{}", process::id()));
    let _ = Dir::private(&dir).map_err(|error| format!("{dir:?}: {error}"))?;
    let outcome = writeln!(out, "0. Directory: {dir:?} with mode 0700, ours alone")
        .map_err(Into::into)
        .and_then(|()| tour(out, &dir.join("tour.sock")));
    fs::remove_dir(&dir)?;
    outcome
}

/// Shows an address, bind, connect, accept, who the peer is, and the clean-up.
fn tour(out: &mut impl Write, path: &Path) -> Result<()> {
    match UnixAddr::from_pathname(path) {
        Ok(addr) => {
            writeln!(out, "1. Address: {addr}")?;
            print_bytes(out, &addr)?;
        }
        Err(error @ SunPathError::TooLong { .. }) => {
            writeln!(out, "1. Address: {path:?} has none of its own:")?;
            writeln!(out, "   {error}; the kernel is led there by the directory")?;
        }
        Err(error) => return Err(explain_path(path, error).into()),
    }

    let listener = listen(path)?;
    let outcome = converse(out, path, &listener);
    // Dropping the listener would do the same, but would not report an error.
    listener.close_and_unlink()?;
    outcome?;
    writeln!(
        out,
        "6. Clean up: closing alone leaves the file; it was ours, and is removed"
    )?;
    Ok(())
}

/// Plays client and server in one thread. One thread can do both, because a connection waits in the
/// queue until it is accepted.
fn converse(out: &mut impl Write, path: &Path, listener: &UnixListener) -> Result<()> {
    let mode = fs::symlink_metadata(path)?.permissions().mode() & 0o7777;
    writeln!(
        out,
        "2. Bind: a socket file with mode {mode:04o}, never wider, that listens:"
    )?;
    writeln!(out, "   {listener:?}")?;
    let second = options().listen(path).map(|_: Bound<UnixListener>| ());
    let refused = second.err().ok_or("two servers have one path")?;
    writeln!(out, "   a second start is refused: {refused}")?;

    let client = connect_to(path)?;
    let (server_addr, server_uid) = (client.peer_addr()?, client.peer_cred()?.uid());
    writeln!(
        out,
        "3. Connect: to {server_addr}, where uid {server_uid} listens"
    )?;

    let (server, peer) = listener.accept()?;
    writeln!(
        out,
        "4. Accept: the client's address is {peer}, as nearly always; its credentials:"
    )?;
    writeln!(out, "   {}", who(&server)?)?;

    client.write(b"hello")?;
    client.shutdown(Shutdown::Write)?;
    echo(&server)?;
    drop(server);
    let mut answer = String::new();
    (&client).read_to_string(&mut answer)?;
    writeln!(out, "5. Echo: sent hello, got back {answer}")?;
    Ok(())
}

/// Runs an echo server with a thread for each client.
fn serve(path: &Path) -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let listener = listen(path)?;
    let at_signal = listener.try_clone()?;
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            // The loop below accepts the clients that are in the queue. Then its accept fails, because
            // no more clients can connect.
            let _ = at_signal.as_socket().shutdown(Shutdown::Read);
        }
    });
    // An error is ignored, because the server also works if nobody reads its output.
    let _ = writeln!(io::stdout(), "serving {path:?}, Ctrl-C ends it");
    let mut last = None;
    let ended = loop {
        match listener.accept() {
            Ok((client, _)) => {
                last = None;
                thread::spawn(move || attend(&client));
            }
            // The client stays in the queue until a descriptor or memory is free for it.
            Err(error) if passes(error.errno()) => {
                if last.replace(error) != Some(error) {
                    let _ = writeln!(io::stderr(), "tour: {error}; the server continues");
                }
                thread::sleep(Duration::from_millis(50));
            }
            // The listener was shut down.
            Err(error) if error.errno() == Errno::EINVAL => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    match listener.close_and_unlink() {
        // If another server has replaced the file, or if it was removed, that is not an error here.
        Err(error) if matches!(error.errno(), Errno::ESTALE | Errno::ENOENT) => {}
        removed => removed?,
    }
    Ok(ended?)
}

/// Returns whether accept may succeed later: a client has closed before it was accepted, or no
/// descriptor or memory was free.
fn passes(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::ECONNABORTED | Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM
    )
}

/// Serves one client.
fn attend(client: &UnixStream) {
    let outcome = who(client).and_then(|who| {
        let _ = writeln!(io::stdout(), "a client: {who}");
        echo(client)
    });
    if let Err(error) = outcome {
        let _ = writeln!(io::stderr(), "tour: a client: {error}");
    }
}

/// Sends back all bytes that arrive, until the end of the stream.
fn echo(client: &UnixStream) -> Result<()> {
    let (mut from, mut to) = (client, client);
    io::copy(&mut from, &mut to)?;
    Ok(())
}

/// Returns the uid, gid and pid of the other end as text.
fn who(stream: &UnixStream) -> Result<String> {
    let cred = stream.peer_cred()?;
    let pid = cred.pid().map_or("unknown".into(), |pid| pid.to_string());
    Ok(format!("uid {}, gid {}, pid {pid}", cred.uid(), cred.gid()))
}

/// Runs a client, which sends its standard input and prints the bytes that come back.
fn connect(path: &Path) -> Result<()> {
    let stream = connect_to(path)?;
    let sender = stream.try_clone()?;
    thread::spawn(move || -> Result<(), io::Error> {
        io::copy(&mut io::stdin().lock(), &mut &sender)?;
        sender.shutdown(Shutdown::Write)?;
        Ok(())
    });
    let (mut stream, mut out, mut buf) = (&stream, io::stdout(), [0; 4096]);
    loop {
        let n = Read::read(&mut stream, &mut buf)?;
        if n == 0 {
            return Ok(());
        }
        out.write_all(&buf[..n])?;
        out.flush()?;
    }
}

/// Returns options for a socket file to which only its owner may connect. With them bind replaces
/// the file of a killed server, but not that of a running server.
fn options() -> BindOptions {
    BindOptions::new()
        .mode(0o600)
        .existing(Existing::ReplaceStale)
}

fn listen(path: &Path) -> Result<Bound<UnixListener>> {
    let bound = options().listen(path);
    bound.map_err(|error| explain("bind", path, error).into())
}

fn connect_to(path: &Path) -> Result<UnixStream> {
    let connected = ConnectOptions::new().connect(path);
    connected.map_err(|error| explain("connect to", path, error).into())
}

/// Returns one line that says why a path does not fit.
fn explain_path(path: &Path, error: SunPathError) -> String {
    match error {
        SunPathError::Empty => "the path is empty: 0 bytes, at least 1 is needed; give a path \
                                like /tmp/tour.sock"
            .into(),
        SunPathError::InteriorNul { at } => {
            format!("{path:?}: has a NUL at byte {at}, where the system would end it")
        }
        _ => error.to_string(),
    }
}

/// Returns one line that says what failed at a path, and what to do.
fn explain(what: &str, path: &Path, error: Error) -> String {
    if let Some(error) = error.sun_path() {
        return explain_path(path, error);
    }
    let dir = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let advice = match error.errno() {
        Errno::EADDRINUSE => match error.cause() {
            Some(Cause::InUse(InUse::Server | InUse::Lock)) => {
                "end that server first, or choose another path".into()
            }
            _ => "choose another path".into(),
        },
        Errno::ENAMETOOLONG => "no file system takes a name of over 255 bytes".into(),
        Errno::ENOENT if what == "bind" && dir.is_dir() => {
            format!("the file system of {dir:?} takes no socket file")
        }
        Errno::ENOENT if what == "bind" => format!("there is no directory {dir:?}; make it first"),
        Errno::ENOENT => "there is no such file; is the server running?".into(),
        Errno::ENOTDIR => format!("{dir:?} is not a directory"),
        Errno::EACCES if what == "bind" => format!("you may not write to {dir:?}"),
        Errno::EACCES => "you may not write to that socket file".into(),
        Errno::EROFS => format!("{dir:?} is on a read-only file system"),
        Errno::ECONNREFUSED => "the file exists, but nobody listens there".into(),
        _ => "see bind(2), connect(2) and unix(7)".into(),
    };
    let bytes = match path.as_os_str().len() {
        1 => "1 byte".into(),
        n => format!("{n} bytes"),
    };
    format!("cannot {what} {path:?} ({bytes}): {error}: {advice}")
}

/// Prints the struct and the length that the kernel gets.
fn print_bytes(out: &mut impl Write, addr: &UnixAddr) -> Result<()> {
    let un = addr.as_sockaddr_un();
    let path: Vec<u8> = un.sun_path.iter().map(|byte| *byte as u8).collect();
    let used = addr.len() as usize - SUN_PATH_OFFSET;
    writeln!(
        out,
        "   struct sockaddr_un: {} bytes, addrlen {}",
        size_of_val(un),
        addr.len()
    )?;
    writeln!(out, "   sun_family {} (AF_UNIX)", un.sun_family)?;
    writeln!(
        out,
        "   sun_path   {SUN_PATH_CAPACITY} bytes, {used} in use with the NUL:"
    )?;
    for (row, bytes) in path[..used].chunks(16).enumerate() {
        let hex: String = bytes.iter().map(|byte| format!(" {byte:02x}")).collect();
        let printable = |byte: &u8| {
            if (b' '..=b'~').contains(byte) {
                *byte as char
            } else {
                '.'
            }
        };
        let text: String = bytes.iter().map(printable).collect();
        writeln!(out, "   {:4} {hex:48}  {text}", row * 16)?;
    }
    Ok(())
}
