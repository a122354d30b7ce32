//! Which sockets are asked for.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::escape::escape;
use crate::output::Failure;

/// A pattern for the names of sockets, and for the names and numbers of processes.
#[derive(Debug)]
pub(crate) enum Pattern {
    /// Everything.
    Any,
    /// A part of the name of a socket or process, or the number of a process: as the list prints it, and as
    /// it is.
    Part { printed: String, name: String },
    /// The whole name.
    Glob(glob::Pattern, String),
}

impl Pattern {
    /// Reads the argument.
    pub(crate) fn read(argument: Option<&OsStr>) -> Result<Self, Failure> {
        let Some(argument) = argument else {
            return Ok(Self::Any);
        };
        let name = escape(argument.as_bytes());
        let printed = match argument.to_str() {
            Some(text) => text.to_owned(),
            None => name.clone(),
        };
        if !printed.contains(['*', '?', '[']) {
            return Ok(Self::Part { printed, name });
        }
        match glob::Pattern::new(&printed) {
            Ok(pattern) => Ok(Self::Glob(pattern, name)),
            Err(error) => Err(Failure::usage(format!("{name}: {error}"))),
        }
    }

    /// Returns the pattern as text for a terminal.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Any => "",
            Self::Part { name, .. } | Self::Glob(_, name) => name,
        }
    }

    pub(crate) const fn is_any(&self) -> bool {
        matches!(self, Self::Any)
    }

    /// Returns whether no process can have such a name: the pattern asks for a path or an abstract name.
    pub(crate) fn is_of_names_alone(&self) -> bool {
        self.text().contains(['/', '@'])
    }

    /// Returns whether a name, as it is printed, is asked for.
    pub(crate) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Part {
                printed,
                name: part,
            } => name.contains(&**printed) || name.contains(&**part),
            Self::Glob(pattern, _) => pattern.matches(name),
        }
    }

    /// Returns whether the process with this number is asked for.
    pub(crate) fn matches_number(&self, pid: u32) -> bool {
        match self {
            Self::Any => true,
            Self::Part { name, .. } | Self::Glob(_, name) => name.parse() == Ok(pid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Pattern {
        Pattern::read(Some(OsStr::new(text))).unwrap()
    }

    #[test]
    fn pattern_without_a_wildcard_is_a_part() {
        let pattern = read("app");
        assert!(pattern.matches("/run/app.sock") && pattern.matches("app"));
        assert!(!pattern.matches("/run/ap"));
        assert!(read("12").matches_number(12) && !read("12").matches_number(121));
        assert!(!pattern.is_of_names_alone());
        assert!(read("/a").is_of_names_alone() && read("@a*").is_of_names_alone());
    }

    #[test]
    fn pattern_with_a_wildcard_is_the_whole() {
        let pattern = read("/run/*.sock");
        assert!(pattern.matches("/run/a.sock") && pattern.matches("/run/a/b.sock"));
        assert!(!pattern.matches("/run/a.socket") && !pattern.matches("x/run/a.sock"));
        assert!(read("@a?").matches("@ab") && !read("@a?").matches("@abc"));
        assert!(read("[ab]").matches("a"));
    }

    #[test]
    fn pattern_that_is_wrong_is_refused() {
        assert!(Pattern::read(Some(OsStr::new("[a"))).is_err());
        assert!(Pattern::read(Some(OsStr::new("***"))).is_err());
    }

    #[test]
    fn pattern_with_a_hostile_byte_matches_its_escape() {
        let pattern = Pattern::read(Some(OsStr::from_bytes(b"a\xff\n"))).unwrap();
        assert_eq!(pattern.text(), "a\\xff\\x0a");
        assert!(pattern.matches("/run/a\\xff\\x0a"));
        assert!(read("a\\xff").matches("a\\xff"), "as it is printed");
        assert!(read("a\\b").matches("a\\\\b"), "as it is");
        assert!(read("\u{202e}").matches("\\u{202e}"));
    }
}
