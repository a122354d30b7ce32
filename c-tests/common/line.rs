//! Prints the line of a case in strace's notation, one step after the other. `line.c` does the same
//! in C.

use std::fmt::{Arguments, Display};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use libc::c_int;

use crate::process;

static STEPS: AtomicU32 = AtomicU32::new(0);

pub(crate) fn begin() {
    STEPS.store(0, Relaxed);
}

/// Begins a step. A step after the first step begins with "; ".
macro_rules! step {
    ($($words:tt)*) => { $crate::line::print_step(format_args!($($words)*)) };
}
pub(crate) use step;

pub(crate) fn print_step(words: Arguments<'_>) {
    if STEPS.fetch_add(1, Relaxed) > 0 {
        print!("; ");
    }
    print!("{words}");
}

/// Prints the process or thing that the next steps are about, such as "child: ".
pub(crate) fn part(name: &str) {
    step!("{name}: ");
    begin();
}

/// Prints the result of a call: a count or "ok", or an errno.
pub(crate) fn result<T: Display>(result: Result<T, c_int>) {
    match result {
        Ok(given) => print!(" = {given}"),
        Err(errno) => print!(" = {}", process::name_of(errno)),
    }
}
