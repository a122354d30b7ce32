//! The cases of a suite, which its `cases.def` lists, and the main of its program. `cases.c` is the
//! same in C.

use std::{env, fs};

use sunpath_sys::{CMSG_LEN, CMSG_SPACE};

use crate::descriptors::{self, open_descriptors};
use crate::{line, process};

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Needs {
    Nothing,
    Root,
    /// The case needs more than 64 descriptors, open or in flight.
    Many,
    /// The case needs the option `SO_PEERPIDFD`.
    PeerPidfd,
    /// The case needs control messages that are aligned to 8 bytes, so an int has padding
    /// after it.
    Padded,
}

// The constants have the names that `cases.def` and the C lane use.
pub(crate) const NOTHING: Needs = Needs::Nothing;
#[allow(dead_code, reason = "not every suite has a case that needs it")]
pub(crate) const ROOT: Needs = Needs::Root;
#[allow(dead_code, reason = "not every suite has a case that needs it")]
pub(crate) const MANY: Needs = Needs::Many;
#[allow(dead_code, reason = "not every suite has a case that needs it")]
pub(crate) const PEERPIDFD: Needs = Needs::PeerPidfd;
#[allow(dead_code, reason = "not every suite has a case that needs it")]
pub(crate) const PADDED: Needs = Needs::Padded;

/// A case: its id, what it needs, and its function. In safe Rust the function returns an error if a
/// call fails that should succeed.
pub(crate) type Case<R> = (&'static str, Needs, fn() -> R);

/// Makes the table `CASES` from `cases.def`.
macro_rules! table {
    ($(CASE($id:ident, $name:ident, $needs:ident, $file:ident, $title:literal))*) => {
        const CASES: &[$crate::cases::Case<Outcome>] = &[
            $((
                concat!(stringify!($id), ".", stringify!($name)),
                $crate::cases::$needs,
                $file::$name,
            )),*
        ];
    };
}
pub(crate) use table;

/// Runs the cases that the arguments name, each in a directory of its own, which every user may
/// enter. Prints a line for each case, which is "not run: ..." if this system does not allow it.
pub(crate) fn run<R: Ran>(cases: &[Case<R>]) -> R {
    process::begin();
    descriptors::allow_usual();
    for (id, needs, case) in cases.iter().filter(|(id, ..)| process::wants(id)) {
        print!("{id}\t");
        line::begin();
        if *needs == Needs::Root && !process::may_drop() {
            print!("not run: needs root");
        } else if *needs == Needs::Many && !descriptors::may_have_many() {
            print!("not run: needs RLIMIT_NOFILE 1024");
        } else if *needs == Needs::PeerPidfd && !descriptors::has_peer_pidfd() {
            print!("not run: needs SO_PEERPIDFD");
        } else if *needs == Needs::Padded && CMSG_SPACE(4) != CMSG_LEN(8) {
            print!("not run: needs control messages aligned to 8 bytes");
        } else {
            fs::create_dir(id).expect("the directory is empty");
            env::set_current_dir(id).expect("it was made");
            let ran = run_counted(*case);
            env::set_current_dir("..").expect("it is below");
            if ran.has_failed() {
                return ran;
            }
        }
        println!();
    }
    R::ALL
}

/// Runs the cases on standard input, which has a line for each: an id, and a text that is passed to
/// `run`. Prints a line for each case.
pub(crate) fn run_lines<R: Ran>(run: impl Fn(&str) -> R) -> R {
    process::begin();
    descriptors::allow_usual();
    for line in std::io::stdin().lines() {
        let line = line.expect("the table can be read");
        let Some((id, text)) = line.split_once(' ').filter(|(id, _)| !id.starts_with('#')) else {
            continue;
        };
        print!("{id}\t");
        line::begin();
        let ran = run_counted(|| run(text));
        if ran.has_failed() {
            return ran;
        }
        println!();
    }
    R::ALL
}

/// Runs a case or a part of a case. If it leaves descriptors open, prints how many.
pub(crate) fn run_counted<R>(run: impl FnOnce() -> R) -> R {
    let before = open_descriptors();
    let ran = run();
    let after = open_descriptors();
    if after != before {
        print!("; leaked {}", after as isize - before as isize);
    }
    ran
}

/// The result of a case, and therefore of main.
pub(crate) trait Ran {
    /// The result after all cases ran.
    const ALL: Self;

    fn has_failed(&self) -> bool;
}

impl Ran for () {
    const ALL: Self = ();

    fn has_failed(&self) -> bool {
        false
    }
}

impl<E> Ran for Result<(), E> {
    const ALL: Self = Ok(());

    fn has_failed(&self) -> bool {
        self.is_err()
    }
}
