//! Functions that report which test was not run, and what it needs. libtest cannot report a skipped
//! test, because it counts every test that returns as passed.

use std::io::{self, Write};
use std::{env, thread};

/// Reports on standard error that the current test is skipped, because it needs something that the
/// user or the kernel does not have.
pub(crate) fn skip(need: &str) {
    let test = thread::current();
    let test = test.name().unwrap_or("a part of a test");
    let line = format!("SKIPPED: {test}: needs {need}\n");
    // The code does not call eprintln, because libtest captures that output and shows it only if
    // the test fails. The line is a single write, because other tests print at the same time.
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Reports as [`skip`] does that the current test needs something that can be installed. If
/// `SUNPATH_NO_SKIP` is set, as it is in CI, the test fails, because CI installs everything that
/// the tests use.
#[allow(dead_code, reason = "not every test file runs other programs")]
pub(crate) fn skip_uninstalled(need: &str) {
    skip(need);
    assert!(env::var_os("SUNPATH_NO_SKIP").is_none(), "needs {need}");
}

/// Returns whether the tests do not run as root. If so, reports that the current test needs root.
#[allow(dead_code, reason = "not every test file has a test for root alone")]
pub(crate) fn unless_root() -> bool {
    // SAFETY: geteuid takes no argument and cannot fail.
    let ordinary = unsafe { libc::geteuid() } != 0;
    if ordinary {
        skip("root");
    }
    ordinary
}

/// Returns whether sunpath makes the system calls itself. If so, reports that the current test needs
/// the functions of the C library, in whose place the test program has its own.
#[allow(dead_code, reason = "few test files have functions of their own")]
pub(crate) fn if_calls_are_inline() -> bool {
    let inline = sunpath::sys::INLINE_SYSCALLS;
    if inline {
        skip("calls of the C library's functions, without the feature inline-syscalls");
    }
    inline
}
