//! A walk through the life of a Unix domain socket, and an echo server to try other programs on.
//!
//! ```text
//! cargo run --example tour                    all of it, in a fresh private directory
//! cargo run --example tour -- PATH            all of it, at a path of yours
//! cargo run --example tour -- serve PATH      an echo server, until Ctrl-C
//! cargo run --example tour -- connect PATH    a client: what it reads it sends, what comes it prints
//! ```

use std::error::Error as StdError;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use sunpath::sys::{SUN_PATH_CAPACITY, SUN_PATH_MAX, SUN_PATH_OFFSET};
use sunpath::{Errno, Error, Shutdown, Socket, SunPathError, UnixAddr, UnixListener, UnixStream};

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

/// The whole tour, in a directory that nobody else can enter: the portable way to restrict a
/// socket.
fn tour_in_private_dir(out: &mut impl Write) -> Result<()> {
    let (temp, name) = (
        std::env::temp_dir(),
        format!("sunpath-tour-{}", process::id()),
    );
    let fits = UnixAddr::from_pathname(temp.join(&name).join("tour.sock")).is_ok();
    let dir = if fits { &temp } else { Path::new("/tmp") }.join(name);
    DirBuilder::new()
        .mode(0o700)
        .create(&dir)
        .map_err(|e| format!("{dir:?}: {e}"))?;
    let outcome = writeln!(out, "0. Directory: {dir:?} with mode 0700, ours alone")
        .map_err(Into::into)
        .and_then(|()| tour(out, &dir.join("tour.sock")));
    fs::remove_dir(&dir)?;
    outcome
}

/// Address, bind, connect, accept, identity, clean-up.
fn tour(out: &mut impl Write, path: &Path) -> Result<()> {
    let addr = address(path)?;
    writeln!(out, "1. Address: {addr}")?;
    print_bytes(out, &addr)?;

    let (listener, file) = listen(path, &addr)?;
    let outcome = converse(out, path, &listener, &file);
    drop(listener);
    let gone = file.remove()?;
    outcome?;
    writeln!(
        out,
        "6. Clean up: closing leaves the file; now it is {gone}"
    )?;
    Ok(())
}

/// Both ends in one thread: a connection waits in the queue until it is accepted.
fn converse(
    out: &mut impl Write,
    path: &Path,
    listener: &UnixListener,
    file: &SocketFile,
) -> Result<()> {
    writeln!(
        out,
        "2. Bind: a socket file with mode {:04o}, never wider, that listens:",
        file.mode()
    )?;
    writeln!(out, "   {listener:?}")?;

    let client = UnixStream::connect(path).map_err(|error| explain("connect to", path, error))?;
    let (server_addr, server_uid) = (client.peer_addr()?, client.peer_cred()?.uid());
    writeln!(
        out,
        "3. Connect: to {server_addr}, where uid {server_uid} listens"
    )?;

    let (server, peer) = listener.accept()?;
    writeln!(
        out,
        "4. Accept: the client's address is {peer}, as nearly always; who it is:"
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

/// An echo server, one thread a client.
fn serve(path: &Path) -> Result<()> {
    let addr = address(path)?;
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let (listener, file) = listen(path, &addr)?;
    let file = Arc::new(file);
    let file_at_signal = Arc::clone(&file);
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            process::exit(file_at_signal.remove().is_err().into());
        }
    });
    // Where nobody reads the output the server serves all the same.
    let _ = writeln!(io::stdout(), "serving {addr}, Ctrl-C ends it");
    let mut last = None;
    loop {
        match listener.accept() {
            Ok((client, _)) => {
                last = None;
                thread::spawn(move || attend(&client));
            }
            // The client stays in the queue until there is room for it.
            Err(error) if passes(error.errno()) => {
                if last.replace(error) != Some(error) {
                    eprintln!("tour: {error}; it goes on");
                }
                thread::sleep(Duration::from_millis(50));
            }
            Err(error) => {
                file.remove()?;
                return Err(error.into());
            }
        }
    }
}

/// Whether accept may be tried again later: a client went, or there was no descriptor, no memory.
fn passes(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::ECONNABORTED | Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM
    )
}

/// One client of the server.
fn attend(client: &UnixStream) {
    let outcome = who(client).and_then(|who| {
        let _ = writeln!(io::stdout(), "a client: {who}");
        echo(client)
    });
    if let Err(error) = outcome {
        eprintln!("tour: a client: {error}");
    }
}

/// Sends back what comes, to the end.
fn echo(client: &UnixStream) -> Result<()> {
    let (mut from, mut to) = (client, client);
    io::copy(&mut from, &mut to)?;
    Ok(())
}

/// What is known of the other end.
fn who(stream: &UnixStream) -> Result<String> {
    let cred = stream.peer_cred()?;
    let pid = cred.pid().map_or("unknown".into(), |pid| pid.to_string());
    Ok(format!("uid {}, gid {}, pid {pid}", cred.uid(), cred.gid()))
}

/// Sends the standard input, prints what comes back.
fn connect(path: &Path) -> Result<()> {
    address(path)?;
    let stream = UnixStream::connect(path).map_err(|error| explain("connect to", path, error))?;
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

/// The address of a path, or one line on why it has none and what to do.
fn address(path: &Path) -> Result<UnixAddr> {
    UnixAddr::from_pathname(path).map_err(|error| match error {
        SunPathError::Empty => "the path is empty: 0 bytes, at least 1 is needed; give a path \
                                    like /tmp/tour.sock"
            .into(),
        SunPathError::InteriorNul { at } => {
            format!("{path:?}: has a NUL at byte {at}, where the system would end it").into()
        }
        SunPathError::TooLong { len, max } => format!(
            "{path:?}: {len} bytes, but sun_path takes at most {max} and a NUL; \
                 give a shorter path, or change into the directory and give a relative one"
        )
        .into(),
        _ => error.into(),
    })
}

/// Binds with mode 0600, and listens.
fn listen(path: &Path, addr: &UnixAddr) -> Result<(UnixListener, SocketFile)> {
    let socket = Socket::new()?;
    // Before bind, so that the file is not wider at any instant.
    socket.set_mode(0o600)?;
    socket
        .bind_to(addr)
        .map_err(|error| explain("bind", path, error))?;
    let file = SocketFile::at(path)?;
    let listener = socket
        .listen(UnixListener::BACKLOG)
        .inspect_err(|_| drop(file.remove()))?;
    Ok((listener, file))
}

/// One line on what failed at a path, and what to do.
fn explain(what: &str, path: &Path, error: Error) -> String {
    let dir = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let advice = match error.errno() {
        Errno::EADDRINUSE
            if fs::symlink_metadata(path).is_ok_and(|f| !f.file_type().is_socket()) =>
        {
            "it exists and is no socket; choose another path".into()
        }
        Errno::EADDRINUSE => {
            "it exists; choose another path, or remove it if nobody serves it".into()
        }
        Errno::ENOENT if what == "bind" && dir.is_dir() => {
            format!("the file system of {dir:?} takes no socket file")
        }
        Errno::ENOENT if what == "bind" => format!("there is no directory {dir:?}; make it first"),
        Errno::ENOENT => "there is no such file; is the server running?".into(),
        Errno::ENOTDIR => format!("{dir:?} is not a directory"),
        Errno::EACCES if what == "bind" => format!("you may not write to {dir:?}"),
        Errno::EACCES => "you may not write to that socket file".into(),
        Errno::EROFS => format!("{dir:?} is on a read-only file system"),
        Errno::ECONNREFUSED => "the file is there, but nobody listens on it".into(),
        _ => "see bind(2), connect(2) and unix(7)".into(),
    };
    let bytes = match path.as_os_str().len() {
        1 => "1 byte".into(),
        n => format!("{n} bytes"),
    };
    format!("cannot {what} {path:?} ({bytes}, at most {SUN_PATH_MAX}): {error}: {advice}")
}

/// A socket file that we made, known by its inode: what stands at the path later may be another's.
struct SocketFile {
    path: PathBuf,
    file: Metadata,
}

impl SocketFile {
    fn at(path: &Path) -> Result<Self> {
        Ok(Self {
            path: std::path::absolute(path)?,
            file: fs::symlink_metadata(path)?,
        })
    }

    fn mode(&self) -> u32 {
        self.file.permissions().mode() & 0o7777
    }

    /// Removes the file if it still is ours.
    fn remove(&self) -> Result<&'static str> {
        let now = fs::symlink_metadata(&self.path)?;
        if (now.dev(), now.ino()) != (self.file.dev(), self.file.ino()) {
            return Ok("another's, and left alone");
        }
        fs::remove_file(&self.path)?;
        Ok("removed")
    }
}

/// The struct and the length that go to the kernel.
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
