//! Reads one call of a `cases.txt`. The head of each `cases.txt` explains its words. `step.c` does
//! the same in C.

use sunpath_c_tests::notation::read_bytes;

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
    /// Returns the call at the front of the text, and the text after it.
    pub(crate) fn read(text: &str) -> Option<(Self, &str)> {
        let (call, mut text) = text.split_once('(')?;
        let mut args = Vec::new();
        loop {
            let rest = if text.starts_with('"') {
                let (bytes, rest) = read_bytes(text)?;
                args.push(Arg::Bytes(bytes));
                rest
            } else {
                let (word, rest) = text.split_at(word_length(text)?);
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

    /// Returns the argument as a word (an integer is also a word), or `None` if the argument is
    /// bytes or does not exist.
    pub(crate) fn word(&self, at: usize) -> Option<&str> {
        match self.args.get(at)? {
            Arg::Word(word) => Some(word),
            Arg::Bytes(_) => None,
        }
    }

    /// Returns the index of the socket whose letter this argument is, 0 for a.
    ///
    /// # Panics
    ///
    /// - If the argument is not a letter.
    pub(crate) fn slot(&self, at: usize) -> usize {
        match self.word(at).map(str::as_bytes) {
            Some([letter @ b'a'..=b'z']) => usize::from(letter - b'a'),
            _ => panic!("{}: argument {at} is not a letter", self.call),
        }
    }

    pub(crate) fn number(&self, at: usize) -> Option<i32> {
        self.word(at)?.parse().ok()
    }

    /// Returns the sizes that follow the socket in the arguments.
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

    /// Returns the data to send, which follows the socket in the arguments.
    pub(crate) fn pieces(&self) -> Vec<&[u8]> {
        (1..).map_while(|at| self.bytes(at)).collect()
    }

    /// Returns the names of the flags at the end, as in `PEEK|TRUNC`, or none if the step has no
    /// flags.
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

/// Returns the length of an argument, which may contain brackets.
fn word_length(text: &str) -> Option<usize> {
    let mut depth = 0;
    text.find(|c| {
        let ends = depth == 0 && matches!(c, ',' | ')');
        depth += i32::from(c == '(') - i32::from(c == ')');
        ends
    })
}
