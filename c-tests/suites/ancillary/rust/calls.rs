//! Reads a line of `cases.txt`: the type of the two sockets, and the calls on these sockets.

use sunpath_sys::{CMSG_LEN, CMSG_SPACE};

use crate::step::Step;

pub(crate) struct Line<'a> {
    /// The type of the sockets: `stream`, `dgram` or `seqpacket`.
    pub(crate) kind: &'a str,
    pub(crate) calls: Vec<Call>,
}

pub(crate) struct Call {
    pub(crate) in_child: bool,
    step: Step,
}

impl<'a> Line<'a> {
    /// # Panics
    ///
    /// - If the text is not a line of the table.
    pub(crate) fn read(text: &'a str) -> Self {
        let line = text.split_once(": ").and_then(|(kind, calls)| {
            let calls = calls.split("; ").map(Call::read).collect::<Option<_>>()?;
            Some(Self { kind, calls })
        });
        line.unwrap_or_else(|| panic!("not a case of the table: {text}"))
    }

    /// Returns the names of the options that the line sets.
    pub(crate) fn options(&self) -> impl Iterator<Item = &str> {
        let sets = self.calls.iter().filter(|call| call.name() == "setsockopt");
        sets.filter_map(|call| call.word(1))
    }
}

impl Call {
    fn read(text: &str) -> Option<Self> {
        let call = text.strip_prefix("child: ");
        let (step, "") = Step::read(call.unwrap_or(text))? else {
            return None;
        };
        let in_child = call.is_some();
        Some(Self { in_child, step })
    }

    pub(crate) fn name(&self) -> &str {
        &self.step.call
    }

    /// Returns the letter of the socket, `p` or `q`.
    pub(crate) fn socket(&self) -> &str {
        self.word(0).expect("a call has a socket")
    }

    pub(crate) fn word(&self, at: usize) -> Option<&str> {
        self.step.word(at)
    }

    pub(crate) fn number(&self, at: usize) -> usize {
        let number = self.step.number(at).expect("the call has a number");
        number.try_into().expect("the number is a size")
    }

    pub(crate) fn text(&self) -> &str {
        let bytes = self.step.bytes(1).expect("the call has a text");
        std::str::from_utf8(bytes).expect("the text is one")
    }

    /// Returns the count of descriptors in each argument such as `RIGHTS(2)`.
    pub(crate) fn rights(&self) -> Vec<usize> {
        let count = |word: &str| {
            word.strip_prefix("RIGHTS(")?
                .strip_suffix(')')?
                .parse()
                .ok()
        };
        let words = (2..).map_while(|at| self.word(at));
        let counts: Option<_> = words.map(count).collect();
        counts.expect("the control data is rights")
    }

    /// Returns the size of the control buffer, with its words. Returns `None` if the line names no
    /// size; the buffer then has space for everything.
    pub(crate) fn capacity(&self) -> Option<(usize, &str)> {
        let words = self.word(2)?;
        Some((words.split(" + ").map(size).sum(), words))
    }
}

/// Returns the size that is written as `CMSG_SPACE(12)`, as `CMSG_LEN(4)` or as an integer.
fn size(word: &str) -> usize {
    let argument = |name| word.strip_prefix(name)?.strip_suffix(')')?.parse().ok();
    let len = argument("CMSG_LEN(").map(CMSG_LEN);
    let space = || argument("CMSG_SPACE(").map(CMSG_SPACE);
    let size = len.or_else(space).or_else(|| word.parse().ok());
    size.unwrap_or_else(|| panic!("{word}: not a size"))
}
