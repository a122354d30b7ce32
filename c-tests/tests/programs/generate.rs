//! Generates programs in the language of `sockets/cases.txt` from bytes. Any bytes make a program.
//!
//! The tables below contain the calls that `sunpath` offers for each kind of socket, with gaps.
//! `sockets/transcript.txt` shows the calls that it does not offer. Two things are left out: `fds`,
//! whose effect would outlast its program, and waits without a timeout.

use std::collections::BTreeSet;

use proptest::array::uniform6;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any};

/// The bytes from which one part of a program is made. The bytes select the table, the line, the
/// socket, and the values for the gaps.
type Choice = [u8; 6];

/// The number of parts of the longest program.
const LONGEST: usize = 24;

/// Generates programs, in parts that can be left out. A part is a call, or several calls that
/// belong together.
pub(crate) fn programs() -> impl Strategy<Value = Vec<String>> {
    vec(uniform6(any::<u8>()), 1..=LONGEST).prop_map(|choices| {
        let mut program = Program::default();
        for choice in choices {
            program.add(choice);
        }
        program.parts
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Stream,
    Dgram,
    Seqpacket,
    Listener,
    PacketListener,
}
use Kind::{Dgram, Listener, PacketListener, Seqpacket, Stream};

/// Calls that make sockets. A gap that names a kind becomes a new letter for a socket of that kind,
/// and `{last}` becomes the newest letter. `{own}` becomes the pathname that consists of the newest
/// letter. `{name}` becomes the pathname of any letter, or a pathname that no socket has. A line
/// that is listed twice is chosen twice as often.
const OPENINGS: &[&str] = &[
    "pair(stream, {stream}, {stream})",
    "pair(dgram, {dgram}, {dgram})",
    "pair(seqpacket, {seqpacket}, {seqpacket})",
    "pair(stream, {stream}, {stream})",
    "pair(dgram, {dgram}, {dgram})",
    "pair(seqpacket, {seqpacket}, {seqpacket})",
    "socket({stream}, stream)",
    "socket({dgram}, dgram)",
    "socket({seqpacket}, seqpacket)",
    "socket({dgram}, dgram); bind({last}, {own})",
    "socket({dgram}, dgram); bind({last}, {own}); connect({last}, {name})",
    "socket({dgram}, dgram); connect({last}, {name})",
    "socket({listener}, stream); bind({last}, {own}); listen({last}, {few})",
    "socket({packet listener}, seqpacket); bind({last}, {own}); listen({last}, {few})",
    "socket({stream}, stream); connect({last}, {name})",
    "socket({seqpacket}, seqpacket); connect({last}, {name})",
    "fill_backlog(stream, {name})",
    "fill_backlog(seqpacket, {name})",
];

/// Calls that ask about a socket of any kind. `{it}` becomes the letter of the socket.
const ASK: &[&str] = &[
    "poll({it})",
    "getpeername({it})",
    "fionread({it})",
    "siocoutq({it})",
    "nonblocking({it})",
    "cloexec({it})",
    "getsockopt({it}, SO_ERROR)",
    "getsockopt({it}, SO_TYPE)",
    "getsockopt({it}, SO_DOMAIN)",
    "getsockopt({it}, SO_ACCEPTCONN)",
    "getsockopt({it}, SO_PASSCRED)",
    "getsockopt({it}, SO_PEEK_OFF)",
];

/// Calls that change a socket of any kind.
const CHANGE: &[&str] = &[
    "close({it})",
    "shutdown({it}, RD)",
    "shutdown({it}, WR)",
    "shutdown({it}, RDWR)",
    "dup({it}, {alike})",
    "bind({it}, {name})",
    "connect({it}, {name})",
    "connect({it}, \"no/such\")",
    "setsockopt({it}, SO_PASSCRED, {few})",
    "setsockopt({it}, SO_PEEK_OFF, {few})",
    "setsockopt({it}, SO_PEEK_OFF, -1)",
    "setsockopt({it}, SO_SNDBUF, {size})",
    "setsockopt({it}, SO_RCVBUF, {size})",
    "nonblock({it}, 1)",
    "nonblock({it}, 0); timeout({it}, SO_RCVTIMEO, 1); timeout({it}, SO_SNDTIMEO, 1)",
];

/// Peeking at no bytes is left out, because in Linux 6.18 that call does not return until a signal
/// arrives, if an out-of-band byte is queued.
const STREAM: &[&str] = &[
    "send({it}, {data})",
    "recv({it}, {size})",
    "recv({it}, 2, PEEK)",
    "recv({it}, 64, PEEK)",
    "send({it}, {data}, OOB)",
    "recv({it}, 1, OOB)",
    "send({it}, {data}, {few})",
    "writev({it}, {data}, \"xy\")",
    "readv({it}, {size}, 8)",
];

const MESSAGES: &[&str] = &[
    "send({it}, {data})",
    "recv({it}, {size})",
    "recvmsg({it}, {size}, {size})",
    "recv({it}, {size}, TRUNC)",
    "recv({it}, {size}, PEEK)",
    "recv({it}, {size}, PEEK|TRUNC)",
    "send({it}, {data}, {few})",
    "writev({it}, {data}, \"xy\")",
    "readv({it}, {size}, 8)",
    "sendmmsg({it}, {data}, {data}, {data})",
    "recvmmsg({it}, 2, {size})",
    "fill({it}, {data})",
    "sendmost({it}, -32)",
    "sendmost({it}, -31)",
];

const DATAGRAMS: &[&str] = &[
    "sendto({it}, {data}, {name})",
    "recvfrom({it}, {size})",
    "fill({it}, {data}, {name})",
    "connect({it}, UNSPEC)",
    "connect({it}, {name})",
];

const LISTENER: &[&str] = &[
    "accept({it}, {stream})",
    "socket({stream}, stream); connect({last}, \"{it}\"); accept({it}, {stream})",
    "socket({stream}, stream); connect({last}, \"{it}\")",
    "listen({it}, {few})",
];

const PACKET_LISTENER: &[&str] = &[
    "accept({it}, {seqpacket})",
    "socket({seqpacket}, seqpacket); connect({last}, \"{it}\"); accept({it}, {seqpacket})",
    "socket({seqpacket}, seqpacket); connect({last}, \"{it}\")",
    "listen({it}, {few})",
];

/// Returns the tables for a kind of socket. A table that is listed twice is chosen twice as often.
const fn tables(kind: Kind) -> &'static [&'static [&'static str]] {
    match kind {
        Stream => &[STREAM, STREAM, STREAM, ASK, CHANGE],
        Dgram => &[MESSAGES, DATAGRAMS, DATAGRAMS, ASK, CHANGE],
        Seqpacket => &[MESSAGES, MESSAGES, MESSAGES, ASK, CHANGE],
        Listener => &[LISTENER, LISTENER, LISTENER, STREAM, ASK, CHANGE],
        PacketListener => &[
            PACKET_LISTENER,
            PACKET_LISTENER,
            PACKET_LISTENER,
            MESSAGES,
            ASK,
            CHANGE,
        ],
    }
}

const DATA: [&str; 6] = [
    "\"a\"",
    "\"\"",
    "\"bc\"",
    "\"def\"",
    "\"g{1000}\"",
    "\"h{9000}\"",
];
const SIZES: [&str; 6] = ["64", "0", "1", "2", "3", "10000"];

/// Returns the names of all calls in the tables.
pub(crate) fn calls() -> BTreeSet<&'static str> {
    let kinds = [Stream, Dgram, Seqpacket, Listener, PacketListener];
    let tables = kinds.into_iter().flat_map(tables).chain([&OPENINGS]);
    let calls = tables.copied().flatten().flat_map(|line| line.split("; "));
    calls.filter_map(|call| call.split('(').next()).collect()
}

fn pick<T: Copy>(from: &[T], by: u8) -> T {
    from[usize::from(by) % from.len()]
}

#[derive(Default)]
struct Program {
    parts: Vec<String>,
    /// The sockets that are not closed.
    open: Vec<(char, Kind)>,
    /// The letters that have a socket, or had one.
    letters: String,
    /// The letters that are also pathnames.
    names: String,
}

impl Program {
    fn add(&mut self, [table, line, socket, gaps @ ..]: Choice) {
        if self.letters.len() + 2 > 26 {
            return;
        }
        let opens = self.open.is_empty() || table % 16 == 0;
        let part = if opens {
            self.filled(pick(OPENINGS, line), ('_', Stream), gaps)
        } else {
            let it = pick(&self.open, socket);
            let template = pick(pick(tables(it.1), table), line);
            if template.starts_with("close") {
                self.open.retain(|open| *open != it);
            }
            self.filled(template, it, gaps)
        };
        self.parts.push(part);
    }

    fn filled(&mut self, template: &str, (it, kind): (char, Kind), gaps: [u8; 3]) -> String {
        let mut gaps = gaps.into_iter();
        let mut by = || gaps.next().expect("a line has at most three gaps");
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, behind)) = rest.split_once('{') {
            let (gap, behind) = behind.split_once('}').expect("a gap ends");
            text += before;
            rest = behind;
            match gap {
                "it" => text.push(it),
                "last" => text.extend(self.letters.chars().next_back()),
                "own" => {
                    let last = self.letters.chars().next_back();
                    self.names.extend(last);
                    text += &quoted(last);
                }
                "name" => {
                    let names: Vec<_> = self.names.chars().map(Some).chain([None]).collect();
                    text += &quoted(pick(&names, by()));
                }
                "data" => text += pick(&DATA, by()),
                "size" => text += pick(&SIZES, by()),
                "few" => text += &(by() % 4).to_string(),
                "alike" => text.push(self.new_letter(kind)),
                "stream" => text.push(self.new_letter(Stream)),
                "dgram" => text.push(self.new_letter(Dgram)),
                "seqpacket" => text.push(self.new_letter(Seqpacket)),
                "listener" => text.push(self.new_letter(Listener)),
                "packet listener" => text.push(self.new_letter(PacketListener)),
                _ => panic!("{{{gap}}}: not a gap"),
            }
        }
        text + rest
    }

    fn new_letter(&mut self, kind: Kind) -> char {
        let letter = char::from(b'a' + self.letters.len() as u8);
        self.letters.push(letter);
        self.open.push((letter, kind));
        letter
    }
}

/// Returns the pathname in quotes, or a pathname that no socket has.
fn quoted(name: Option<char>) -> String {
    format!("\"{}\"", name.unwrap_or('-'))
}
