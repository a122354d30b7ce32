//! Runs the cases of `cases.txt` over `sunpath`. For each call of `../c/addr.c` the program makes
//! the nearest call of safe Rust, and prints the same lines. The program reads the table from
//! standard input, and works in the current directory.
//!
//! `"norm\0"` in the table means the name `norm`, however C writes it and its length. A struct in
//! braces is read by [`UnixAddr::from_raw`]. A line can differ from C's if a name is refused, or if
//! C passes a buffer or a length that this API does not take from the caller.

use std::fs;
use std::io;
use std::mem::size_of;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileTypeExt;

use sunpath::sys::{sa_family_t, sockaddr_un, socklen_t};
use sunpath::{Error, Socket, Stream, SunPath, SunPathError, UnixAddr, UnixListener};
use sunpath_c_tests::notation::Bytes;
use sunpath_c_tests::table::{Case, Form, PATH_OFFSET, Source, Step, read_cases};

// 1. Make an address: a value that contains its length. There is no space after it to write to.

const SIZE: usize = size_of::<sockaddr_un>();

/// Returns the address that the bytes of the table name. A NUL at the front makes the name
/// abstract, and a NUL at the end ends a path.
fn named(bytes: &[u8], len: usize) -> Result<UnixAddr, SunPathError> {
    match bytes {
        [0, name @ ..] => {
            let mut name = name.to_vec();
            name.resize(len - PATH_OFFSET - 1, 0);
            UnixAddr::from_abstract(name)
        }
        path => UnixAddr::from_pathname(path.strip_suffix(b"\0").unwrap_or(path)),
    }
}

/// Returns a struct with the family and the bytes that the table gives.
fn filled((_, family): (&str, i32), bytes: &[u8]) -> sockaddr_un {
    let mut addr = *UnixAddr::unnamed().as_sockaddr_un();
    addr.sun_family = family as sa_family_t;
    for (to, from) in addr.sun_path.iter_mut().zip(bytes) {
        *to = *from as _;
    }
    addr
}

// 2. Make sockets: a stream socket for each letter when it is first used. The sockets are
//    nonblocking, so that a case that goes wrong prints EAGAIN and does not wait.

enum Slot {
    Socket(Socket<Stream>),
    Listener(UnixListener),
}

#[derive(Default)]
struct Lane {
    sockets: [Option<Slot>; 26],
    /// The last name of this case that the kernel chose.
    autobound: Vec<u8>,
}

fn nonblocking(socket: Socket<Stream>) -> Result<Option<Slot>, Error> {
    socket.set_nonblocking(true)?;
    Ok(Some(Slot::Socket(socket)))
}

impl Lane {
    fn slot(&mut self, name: char) -> &mut Option<Slot> {
        &mut self.sockets[name as usize - 'a' as usize]
    }

    fn socket_of(&mut self, name: Option<char>) -> Result<&Socket<Stream>, Error> {
        let slot = self.slot(name.expect("the call has a socket"));
        if slot.is_none() {
            *slot = nonblocking(Socket::new()?)?;
        }
        match slot {
            Some(Slot::Socket(socket)) => Ok(socket),
            _ => panic!("a listener does only what listeners do"),
        }
    }

    fn sockname(&mut self, name: Option<char>) -> Result<UnixAddr, Error> {
        match name.map(|name| &*self.slot(name)) {
            Some(Some(Slot::Listener(listener))) => listener.local_addr(),
            _ => self.socket_of(name)?.local_addr(),
        }
    }
}

// 3. Pass addresses: the address that the table has, and its length.

fn outcome(result: Result<(), Error>) -> &'static str {
    match result {
        Ok(()) => "ok",
        Err(error) => error.errno().name().unwrap_or("E?"),
    }
}

fn refused(error: SunPathError) -> String {
    match error {
        SunPathError::Empty => "refused, empty".to_owned(),
        SunPathError::InteriorNul { at } => format!("refused, NUL at {at}"),
        SunPathError::TooLong { len, max } => format!("refused, {len} bytes of at most {max}"),
        other => format!("refused, {other}"),
    }
}

impl Lane {
    fn address_of(&mut self, step: &Step, len: socklen_t) -> Result<UnixAddr, String> {
        match &step.source {
            Source::Sockname(from) => self
                .sockname(Some(*from))
                .map_err(|error| outcome(Err(error)).to_owned()),
            Source::Struct(family, bytes) => UnixAddr::from_raw(filled(*family, bytes), len)
                .map_err(|error| outcome(Err(error)).to_owned()),
            Source::Bytes(bytes) => named(bytes, len as usize).map_err(refused),
            Source::None => panic!("the call has an address"),
        }
    }

    fn ask_with_address(&mut self, step: &Step) -> String {
        let reported = match step.source {
            Source::Sockname(from) => self.sockname(Some(from)).map_or(0, |addr| addr.len()),
            _ => 0,
        };
        let len = step.len(reported);
        let autobind = matches!(&step.source, Source::Bytes(bytes) if bytes.is_empty())
            && step.form == Some(Form::Exact);
        let addr = if autobind {
            Ok(UnixAddr::unnamed())
        } else {
            self.address_of(step, len)
        };
        let result = addr.map(|addr| {
            let socket = self.socket_of(step.socket);
            outcome(socket.and_then(|socket| match &*step.call {
                "bind" if autobind => socket.autobind(),
                "bind" => socket.bind_to(&addr),
                _ => socket.connect_to(&addr),
            }))
            .to_owned()
        });
        let result = result.unwrap_or_else(|refused| refused);
        format!("{} = {result}", step.shown(len))
    }
}

// 4. Print the answers: what the kernel wrote, and the length that it reports.

impl Lane {
    /// Returns a name in the words of the line. A name that the kernel chose is random, so the line
    /// has only its form, and whether it is the same name as before.
    fn name(&mut self, addr: &UnixAddr) -> String {
        let hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
        match addr.name() {
            SunPath::Unnamed => "unnamed".to_owned(),
            SunPath::Abstract(digits) if digits.len() == 5 && digits.iter().all(hex) => {
                let same = if self.autobound == digits {
                    "the same "
                } else {
                    ""
                };
                self.autobound = digits.to_vec();
                format!("\"\\0\" + {same}5 hex digits")
            }
            SunPath::Abstract(name) => Bytes(&[b"\0", name].concat()).to_string(),
            SunPath::Pathname(path) => {
                let nul = &b"\0"[..usize::from(addr.len() as usize > PATH_OFFSET + path.len())];
                Bytes(&[path, nul].concat()).to_string()
            }
        }
    }

    fn ask_for_address(&mut self, step: &Step) -> String {
        let answer = match &*step.call {
            "getsockname" => self.sockname(step.socket),
            "getpeername" => self.socket_of(step.socket).and_then(Socket::peer_addr),
            "recvfrom" => self.socket_of(step.socket).and_then(|socket| {
                socket.read(&mut [0])?;
                socket.peer_addr()
            }),
            _ => match step.socket.map(|name| &*self.slot(name)) {
                Some(Some(Slot::Listener(listener))) => {
                    listener.accept().and_then(|(socket, addr)| {
                        *self.slot('a') = nonblocking(socket)?;
                        Ok(addr)
                    })
                }
                // If the kernel refused bind(2), the socket never became a listener.
                _ => return format!("{} = not offered", step.shown(step.len(SIZE as socklen_t))),
            },
        };
        let answer = match answer {
            Ok(addr) => format!("{}, {}", addr.len(), self.name(&addr)),
            Err(error) => outcome(Err(error)).to_owned(),
        };
        format!("{} = {answer}", step.shown(step.len(SIZE as socklen_t)))
    }
}

// 5. Make the calls that have no address.

impl Lane {
    fn plainly(&mut self, step: &Step) -> Result<(), Error> {
        match (&*step.call, &step.source) {
            ("listen", _) => {
                self.socket_of(step.socket)?;
                let slot = self.slot(step.socket.expect("the call has a socket"));
                if let Some(Slot::Socket(socket)) = slot.take() {
                    *slot = Some(Slot::Listener(socket.listen(8)?));
                }
            }
            ("send", _) => {
                self.socket_of(step.socket)?.write(b"x")?;
            }
            ("close", _) => *self.slot(step.socket.expect("the call has a socket")) = None,
            ("socketpair", _) => {
                let (p, q) = Socket::pair()?;
                *self.slot('p') = nonblocking(p)?;
                *self.slot('q') = nonblocking(q)?;
            }
            ("mkdir", Source::Bytes(name)) => {
                let name = std::ffi::OsString::from_vec(name.clone());
                fs::create_dir(name).expect("the case's directory is fresh");
            }
            (call, _) => panic!("{call}: not a call of the table"),
        }
        Ok(())
    }

    fn ask_plainly(&mut self, step: &Step) -> String {
        format!("{} = {}", step.shown(0), outcome(self.plainly(step)))
    }
}

// 6. Remove the files: prints the exact names of the sockets in the directory, and removes them.

fn show_and_remove_files() -> io::Result<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(".")? {
        let entry = entry?;
        if entry.file_type()?.is_socket() {
            fs::remove_file(entry.file_name())?;
            names.push(entry.file_name().into_vec());
        }
    }
    names.sort();
    let mut text = if names.is_empty() { "no file" } else { "file" }.to_owned();
    for name in names {
        text += &format!(" {}", Bytes(&name));
    }
    Ok(text)
}

// 7. Run a case: each case has its own sockets and files, and prints one line.

fn run_case(case: &Case) -> io::Result<()> {
    let mut lane = Lane::default();
    let mut lines = Vec::new();
    for step in &case.steps {
        lines.push(match &*step.call {
            "bind" | "connect" => lane.ask_with_address(step),
            "accept" | "getpeername" | "getsockname" | "recvfrom" => lane.ask_for_address(step),
            _ => lane.ask_plainly(step),
        });
    }
    println!(
        "{}\t{}; {}",
        case.id,
        lines.join("; "),
        show_and_remove_files()?
    );
    Ok(())
}

// 8. Read the table: "for 0..112 ID ..." repeats a case with each value in place of "$n".

pub(crate) fn main() -> io::Result<()> {
    read_cases(io::stdin().lock()).iter().try_for_each(run_case)
}
