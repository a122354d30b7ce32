//! The table of cases in `cases.txt`, read: what its words mean is said at its top; `step.c` is the
//! same in C. What both Rust lanes do with it is here too.

use std::fs;
use std::io;

use sunpath_c_tests::notation::{Bytes, read_bytes};

/// One call of a case.
#[derive(Debug)]
pub(crate) struct Step {
    /// The name of the call.
    pub(crate) call: String,
    args: Vec<Arg>,
}

#[derive(Debug)]
enum Arg {
    Word(String),
    Bytes(Vec<u8>),
}

impl Step {
    /// The call at the front of the text, and the text behind it.
    fn read(text: &str) -> Option<(Self, &str)> {
        let (call, mut text) = text.split_once('(')?;
        let mut args = Vec::new();
        loop {
            let rest = if text.starts_with('"') {
                let (bytes, rest) = read_bytes(text)?;
                args.push(Arg::Bytes(bytes));
                rest
            } else {
                let (word, rest) = text.split_at(text.find([',', ')'])?);
                args.push(Arg::Word(word.to_owned()));
                rest
            };
            let call = call.to_owned();
            match rest.strip_prefix(')') {
                Some(rest) => return Some((Self { call, args }, rest)),
                None => text = rest.strip_prefix(", ")?,
            }
        }
    }

    /// The argument as a word, a number among them; `None` where it is bytes or is not there.
    pub(crate) fn word(&self, at: usize) -> Option<&str> {
        match self.args.get(at)? {
            Arg::Word(word) => Some(word),
            Arg::Bytes(_) => None,
        }
    }

    /// The place of the socket with this letter.
    ///
    /// # Panics
    ///
    /// - Where the argument is no letter.
    pub(crate) fn slot(&self, at: usize) -> usize {
        match self.word(at).map(str::as_bytes) {
            Some([letter @ b'a'..=b'z']) => usize::from(letter - b'a'),
            _ => panic!("{}: argument {at} is not a letter", self.call),
        }
    }

    pub(crate) fn number(&self, at: usize) -> Option<i32> {
        self.word(at)?.parse().ok()
    }

    /// The numbers behind the socket: sizes.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        let number = |at| usize::try_from(self.number(at)?).ok();
        (1..).map_while(number).collect()
    }

    pub(crate) fn bytes(&self, at: usize) -> Option<&[u8]> {
        match self.args.get(at)? {
            Arg::Bytes(bytes) => Some(bytes),
            Arg::Word(_) => None,
        }
    }

    /// The bytes behind the socket: what is sent.
    pub(crate) fn pieces(&self) -> Vec<&[u8]> {
        (1..).map_while(|at| self.bytes(at)).collect()
    }

    /// The flags at the end, `PEEK|TRUNC`; none where there are none.
    pub(crate) fn flags(&self) -> Vec<&str> {
        let last = self.args.len() - 1;
        match self.word(last) {
            Some(word) if word.len() > 1 && self.number(last).is_none() => {
                word.split('|').collect()
            }
            _ => Vec::new(),
        }
    }
}

/// What the calls of a case are made on.
pub(crate) trait Lane: Default {
    /// Makes the call and says what it answered.
    fn answer(&mut self, step: &Step) -> String;
}

/// Runs the table on standard input, each case with sockets and files of its own, and prints a line
/// a case.
///
/// # Errors
///
/// - The table cannot be read, or a file of the current directory not be removed.
///
/// # Panics
///
/// - Where a line of the table is not a case.
pub(crate) fn run<L: Lane>() -> io::Result<()> {
    for line in io::stdin().lines() {
        let line = line?;
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (id, mut text) = line.split_once(' ').expect("a case has an id and a call");
        let mut lane = L::default();
        let mut answers = Vec::new();
        loop {
            let (step, rest) =
                Step::read(text).unwrap_or_else(|| panic!("{id}: not a call of the table: {text}"));
            let called = &text[..text.len() - rest.len()];
            answers.push(format!("{called} = {}", lane.answer(&step)));
            match rest.strip_prefix("; ") {
                Some(rest) => text = rest,
                None if rest.is_empty() => break,
                None => panic!("{id}: not a call of the table: {rest}"),
            }
        }
        println!("{id}\t{}", answers.join("; "));
        drop(lane);
        for entry in fs::read_dir(".")? {
            fs::remove_file(entry?.path())?;
        }
    }
    Ok(())
}

/// What a receive returned, and the bytes in each of the pieces.
pub(crate) fn received<'a>(result: usize, pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut text = result.to_string();
    let mut left = result;
    for piece in pieces {
        if left == 0 {
            break;
        }
        let here = left.min(piece.len());
        text += &format!(", {}", Bytes(&piece[..here]));
        left -= here;
    }
    text
}

/// How often a datagram was sent before it was refused, and why it was.
pub(crate) fn filled(count: usize, refused: &str) -> String {
    let limit = fs::read_to_string("/proc/sys/net/unix/max_dgram_qlen")
        .expect("the system tells net.unix.max_dgram_qlen");
    if Ok(count) == limit.trim().parse().map(|limit: usize| limit + 1) {
        format!("max_dgram_qlen + 1, then {refused}")
    } else {
        format!("{count}, then {refused}")
    }
}
