//! Reads and prints the table of cases in `addr/cases.txt`. The head of that file explains the
//! words. `addr/c/table.c` does the same in C.

use std::io::BufRead;
use std::mem::{offset_of, size_of};

use libc::{sockaddr_un, socklen_t};

use crate::notation::{Bytes, read_bytes};

/// The bytes of `struct sockaddr_un` before `sun_path`.
pub const PATH_OFFSET: usize = offset_of!(sockaddr_un, sun_path);

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Case {
    /// The id of the case: `A02.bare`.
    pub id: String,
    /// The calls of the case, in order.
    pub steps: Vec<Step>,
}

/// One call of a case.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// The name of the call: `bind`.
    pub call: String,
    /// The letter of the socket on which the call is made.
    pub socket: Option<char>,
    /// The address that is passed.
    pub source: Source,
    /// The length that is passed with the address, or the size of the buffer for an address.
    pub form: Option<Form>,
}

/// The origin of an address.
#[derive(Clone, Debug, Default)]
pub enum Source {
    /// The call takes no address.
    #[default]
    None,
    /// The bytes of `sun_path`, after the family `AF_UNIX`: `"norm\0"`.
    Bytes(Vec<u8>),
    /// A struct with any family and bytes: `{AF_INET, "norm\0"}`.
    Struct(Family, Vec<u8>),
    /// The address that getsockname(2) writes for a socket: `sockname(s)`.
    Sockname(char),
}

/// An address family by its name.
pub type Family = (&'static str, libc::c_int);

const FAMILIES: [Family; 3] = [
    ("AF_UNIX", libc::AF_UNIX),
    ("AF_INET", libc::AF_INET),
    ("AF_UNSPEC", libc::AF_UNSPEC),
];

/// The origin of the length that is passed with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The offset of `sun_path`, plus how many path bytes the table gives.
    Exact,
    /// `sizeof(struct sockaddr_un)`.
    Sizeof,
    /// The length that getsockname(2) returned.
    Reported,
    /// The same as `Reported`, but at most `sizeof(struct sockaddr_un)`.
    Clamped,
    /// The length in the table. C's `(socklen_t)-1` is written as -1.
    Number(i32),
}

const FORMS: [(&str, Form); 4] = [
    ("exact", Form::Exact),
    ("sizeof", Form::Sizeof),
    ("reported", Form::Reported),
    ("clamped", Form::Clamped),
];

impl Step {
    /// Returns the length that the table names. `reported` is the length that getsockname(2)
    /// returned.
    #[must_use]
    pub fn len(&self, reported: socklen_t) -> socklen_t {
        let size = size_of::<sockaddr_un>() as socklen_t;
        match (self.form, &self.source) {
            (Some(Form::Exact), Source::Bytes(bytes) | Source::Struct(_, bytes)) => {
                (PATH_OFFSET + bytes.len()) as socklen_t
            }
            (Some(Form::Reported), _) => reported,
            (Some(Form::Clamped), _) => reported.min(size),
            (Some(Form::Number(number)), _) => number as socklen_t,
            _ => size,
        }
    }

    /// Returns the call as the transcript has it, with the length that was passed.
    #[must_use]
    pub fn shown(&self, len: socklen_t) -> String {
        let mut arguments = Vec::from_iter(self.socket.map(String::from));
        match &self.source {
            Source::None => {}
            Source::Bytes(bytes) => arguments.push(Bytes(bytes).to_string()),
            Source::Struct((family, _), bytes) => {
                arguments.push(format!("{{{family}, {}}}", Bytes(bytes)));
            }
            Source::Sockname(from) => arguments.push(format!("sockname({from})")),
        }
        if self.form.is_some() {
            arguments.push((len as i32).to_string());
        }
        format!("{}({})", self.call, arguments.join(", "))
    }
}

/// Reads the whole table.
///
/// # Panics
///
/// - If the input cannot be read, or a line of it is not a case.
pub fn read_cases(input: impl BufRead) -> Vec<Case> {
    let lines = case_lines(input);
    lines.iter().map(|line| read_case(line)).collect()
}

/// Returns the lines of a table that are cases. A line that begins with `for` becomes one line for
/// each value.
///
/// # Panics
///
/// - If the input cannot be read.
pub fn case_lines(input: impl BufRead) -> Vec<String> {
    let mut lines = Vec::new();
    for line in input.lines() {
        let line = line.expect("the table can be read");
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match read_range(&line) {
            Some((range, case)) => lines.extend(range.map(|n| case.replace("$n", &n.to_string()))),
            None => lines.push(line),
        }
    }
    lines
}

/// Returns the range and the case with `$n` in it, for `for 0..112 ID ...`.
fn read_range(line: &str) -> Option<(std::ops::RangeInclusive<usize>, &str)> {
    let (range, case) = line.strip_prefix("for ")?.split_once(' ')?;
    let (first, last) = range.split_once("..")?;
    Some((first.parse().ok()?..=last.parse().ok()?, case))
}

fn read_case(line: &str) -> Case {
    let steps = line.split_once(' ').and_then(|(id, mut text)| {
        let mut steps = Vec::new();
        loop {
            let (step, rest) = read_step(text)?;
            steps.push(step);
            if rest.is_empty() {
                return Some(Case {
                    id: id.to_owned(),
                    steps,
                });
            }
            text = rest.strip_prefix("; ")?;
        }
    });
    steps.unwrap_or_else(|| panic!("not a case of the table: {line}"))
}

fn read_step(text: &str) -> Option<(Step, &str)> {
    let (call, mut text) = text.split_once('(')?;
    let mut step = Step {
        call: call.to_owned(),
        ..Step::default()
    };
    loop {
        if let Some(rest) = text.strip_prefix(')') {
            return Some((step, rest));
        }
        let rest = read_argument(&mut step, text)?;
        text = rest.strip_prefix(", ").unwrap_or(rest);
    }
}

/// Reads one argument, whose first characters tell its kind, and returns the text after it.
fn read_argument<'a>(step: &mut Step, text: &'a str) -> Option<&'a str> {
    if text.starts_with('"') {
        let (bytes, rest) = read_bytes(text)?;
        step.source = Source::Bytes(bytes);
        return Some(rest);
    }
    if let Some(text) = text.strip_prefix('{') {
        let (name, text) = text.split_once(", ")?;
        let family = FAMILIES.into_iter().find(|family| family.0 == name)?;
        let (bytes, rest) = read_bytes(text)?;
        step.source = Source::Struct(family, bytes);
        return rest.strip_prefix('}');
    }
    if let Some(text) = text.strip_prefix("sockname(") {
        let (from, rest) = text.split_once(')')?;
        step.source = Source::Sockname(from.parse().ok()?);
        return Some(rest);
    }
    let (word, rest) = text.split_at(text.find([',', ')'])?);
    match word.parse() {
        Ok(letter @ 'a'..='z') => step.socket = Some(letter),
        _ => {
            let known = FORMS.into_iter().find(|(name, _)| *name == word);
            let number = || word.parse().ok().map(Form::Number);
            step.form = Some(known.map(|(_, form)| form).or_else(number)?);
        }
    }
    Some(rest)
}
