//! Runs the cases of `cases.txt` over `sunpath-sys`. This program makes the same calls as
//! `../c/addr.c`, with structs that are filled by hand, and prints the same lines. The program
//! reads the table from standard input, and works in the current directory.

use std::ffi::{CString, c_int};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileTypeExt;

use sunpath_c_tests::notation::Bytes;
use sunpath_c_tests::table::{Case, PATH_OFFSET, Source, Step, read_cases};
use sunpath_sys as sys;
use sys::{sa_family_t, sockaddr, sockaddr_un, socklen_t};

// 1. Make an address with space after it that must not be written to.

/// A size greater than the size of any address, so that a write past an address shows in the
/// buffer.
const BUFFER_SIZE: usize = 256;

#[repr(C, align(8))]
struct Address {
    bytes: [u8; BUFFER_SIZE],
}

/// The byte that fills the buffer before the kernel writes.
const UNTOUCHED: u8 = 0xAA;

const SIZE: socklen_t = size_of::<sockaddr_un>() as socklen_t;

impl Address {
    fn as_ptr(&self) -> *const sockaddr {
        self.bytes.as_ptr().cast()
    }

    fn as_mut_ptr(&mut self) -> *mut sockaddr {
        self.bytes.as_mut_ptr().cast()
    }

    fn family(&self) -> sa_family_t {
        let (bytes, _) = self
            .bytes
            .split_first_chunk()
            .expect("an address has a family");
        sa_family_t::from_ne_bytes(*bytes)
    }
}

/// Returns the smaller of `len` and the size of the buffer.
fn within(len: socklen_t) -> usize {
    (len as usize).min(BUFFER_SIZE)
}

// 2. Make sockets: a stream socket for each letter when it is first used. The sockets are
//    nonblocking, so that a case that goes wrong prints EAGAIN and does not wait.

const KIND: c_int = sys::SOCK_STREAM | sys::SOCK_CLOEXEC | sys::SOCK_NONBLOCK;

struct Lane {
    sockets: [c_int; 26],
    /// The last name of this case that the kernel chose.
    autobound: Vec<u8>,
}

impl Lane {
    fn slot(&mut self, name: char) -> &mut c_int {
        &mut self.sockets[name as usize - 'a' as usize]
    }

    fn socket_of(&mut self, name: Option<char>) -> c_int {
        let fd = self.slot(name.expect("the call has a socket"));
        if *fd < 0 {
            // SAFETY: socket takes integers, no pointers.
            *fd = unsafe { sys::socket(sys::AF_UNIX, KIND, 0) };
            assert!(*fd >= 0, "socket: {}", outcome(-1));
        }
        *fd
    }
}

// 3. Pass addresses: the address that the table has, and its length.

fn outcome(result: c_int) -> &'static str {
    if result < 0 {
        sys::errno_name(sys::errno()).unwrap_or("E?")
    } else {
        "ok"
    }
}

impl Lane {
    fn address_of(&mut self, step: &Step) -> (Address, socklen_t) {
        let mut addr = Address {
            bytes: [0; BUFFER_SIZE],
        };
        let mut reported = SIZE;
        let (family, bytes) = match &step.source {
            Source::Sockname(from) => {
                let fd = self.socket_of(Some(*from));
                // SAFETY: `addr` has space for more than the SIZE bytes that `reported` allows.
                let result = unsafe { sys::getsockname(fd, addr.as_mut_ptr(), &mut reported) };
                assert_eq!(result, 0, "getsockname: {}", outcome(result));
                return (addr, step.len(reported));
            }
            Source::Struct((_, family), bytes) => (*family, bytes.as_slice()),
            Source::Bytes(bytes) => (sys::AF_UNIX, bytes.as_slice()),
            Source::None => panic!("the call has an address"),
        };
        let family = (family as sa_family_t).to_ne_bytes();
        addr.bytes[..family.len()].copy_from_slice(&family);
        addr.bytes[PATH_OFFSET..][..bytes.len()].copy_from_slice(bytes);
        (addr, step.len(reported))
    }

    fn ask_with_address(&mut self, step: &Step) -> String {
        let fd = self.socket_of(step.socket);
        let (addr, len) = self.address_of(step);
        let result = outcome(match &*step.call {
            // SAFETY: the kernel reads `len` bytes of `addr`, and refuses a length of more than
            // 128.
            "bind" => unsafe { sys::bind(fd, addr.as_ptr(), len) },
            // SAFETY: the kernel reads `len` bytes of `addr`, and refuses a length of more than
            // 128.
            _ => unsafe { sys::connect(fd, addr.as_ptr(), len) },
        });
        format!("{} = {result}", step.shown(len))
    }
}

// 4. Print the answers: what the kernel wrote, the length that it reports, and whether it wrote
//    past the buffer.

fn count_touched(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte != UNTOUCHED).count()
}

impl Lane {
    /// Returns a name in the words of the line. A name that the kernel chose is random, so the line
    /// has only its form, and whether it is the same name as before.
    fn name(&mut self, name: &[u8]) -> String {
        let hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
        match name {
            [0, digits @ ..] if digits.len() == 5 && digits.iter().all(hex) => {
                let same = if self.autobound == digits {
                    "the same "
                } else {
                    ""
                };
                self.autobound = digits.to_vec();
                format!("\"\\0\" + {same}5 hex digits")
            }
            _ => Bytes(name).to_string(),
        }
    }

    fn answer(&mut self, addr: &Address, cap: socklen_t, len: socklen_t) -> String {
        let seen = within(len.min(cap));
        let beyond = count_touched(&addr.bytes[within(cap)..]);
        let mut text = match len as usize {
            0 if count_touched(&addr.bytes) == 0 => "untouched".to_owned(),
            0 => "touched".to_owned(),
            1..=PATH_OFFSET => "unnamed".to_owned(),
            _ => self.name(addr.bytes.get(PATH_OFFSET..seen).unwrap_or_default()),
        };
        if seen >= PATH_OFFSET && addr.family() != sys::AF_UNIX as sa_family_t {
            text += &format!(", family {}", addr.family());
        }
        if beyond != 0 {
            text += &format!(", WROTE {beyond} BYTES BEYOND THE BUFFER");
        }
        format!("{len}, {text}")
    }

    fn ask_for_address(&mut self, step: &Step) -> String {
        let fd = self.socket_of(step.socket);
        let cap = step.len(SIZE);
        let mut addr = Address {
            bytes: [UNTOUCHED; BUFFER_SIZE],
        };
        let to = addr.as_mut_ptr();
        let mut len = cap;
        let mut byte = 0u8;
        let result = match &*step.call {
            // SAFETY: `addr` has space for more than any address, whatever length the table names.
            "getsockname" => unsafe { sys::getsockname(fd, to, &mut len) },
            // SAFETY: `addr` has space for more than any address, whatever length the table names.
            "getpeername" => unsafe { sys::getpeername(fd, to, &mut len) },
            "recvfrom" => {
                // SAFETY: `to` has space for `len` bytes, and one byte fits into `byte`.
                unsafe { sys::recvfrom(fd, (&raw mut byte).cast(), 1, 0, to, &mut len) as c_int }
            }
            _ => {
                let flags = sys::SOCK_CLOEXEC | sys::SOCK_NONBLOCK;
                // SAFETY: `to` has space for `len` bytes.
                let fd = unsafe { sys::accept4(fd, to, &mut len, flags) };
                *self.slot('a') = fd;
                fd
            }
        };
        let answer = match result {
            0.. => self.answer(&addr, cap, len),
            _ => outcome(result).to_owned(),
        };
        format!("{} = {answer}", step.shown(cap))
    }
}

// 5. Make the calls that have no address.

impl Lane {
    fn ask_plainly(&mut self, step: &Step) -> String {
        let result = outcome(match (&*step.call, &step.source) {
            ("listen", _) => {
                let fd = self.socket_of(step.socket);
                // SAFETY: listen takes integers, no pointers.
                unsafe { sys::listen(fd, 8) }
            }
            ("send", _) => {
                let fd = self.socket_of(step.socket);
                // SAFETY: the array has the one byte that is read.
                unsafe { sys::send(fd, b"x".as_ptr().cast(), 1, sys::MSG_NOSIGNAL) as c_int }
            }
            ("close", _) => {
                let fd = self.socket_of(step.socket);
                *self.slot(step.socket.expect("the call has a socket")) = -1;
                // SAFETY: the slot owned `fd`, and no longer has it.
                unsafe { sys::close(fd) }
            }
            ("socketpair", _) => {
                let mut pair = [-1; 2];
                // SAFETY: `pair` has space for two descriptors.
                let result = unsafe { sys::socketpair(sys::AF_UNIX, KIND, 0, pair.as_mut_ptr()) };
                [*self.slot('p'), *self.slot('q')] = pair;
                result
            }
            ("mkdir", Source::Bytes(name)) => {
                let name = CString::new(name.clone()).expect("a path has no NUL");
                // SAFETY: `name` is a live C string.
                unsafe { sys::mkdirat(sys::AT_FDCWD, name.as_ptr(), 0o777) }
            }
            (call, _) => panic!("{call}: not a call of the table"),
        });
        format!("{} = {result}", step.shown(0))
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
    let mut lane = Lane {
        sockets: [-1; 26],
        autobound: Vec::new(),
    };
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
    for fd in lane.sockets.into_iter().filter(|fd| *fd >= 0) {
        // SAFETY: the slot owned `fd`, and nothing uses it after the end of the lane.
        unsafe { sys::close(fd) };
    }
    Ok(())
}

// 8. Read the table: "for 0..112 ID ..." repeats a case with each value in place of "$n".

pub(crate) fn main() -> io::Result<()> {
    read_cases(io::stdin().lock()).iter().try_for_each(run_case)
}
