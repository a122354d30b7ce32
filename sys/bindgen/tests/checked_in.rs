//! The checked-in facts are those in the pinned headers, and those that feature `bindgen`
//! generates.

use std::env;
use std::io::{self, Write};
use std::process::Command;

/// `--check` compares every byte. The exit status of the generator is 77 if headers or libclang are
/// absent.
#[test]
fn bindings_checked_in_are_those_of_the_pinned_headers() {
    let output = Command::new(env!("CARGO_BIN_EXE_sunpath-sys-bindgen"))
        .arg("--check")
        .output()
        .expect("the tool starts");
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(77) && env::var_os("SUNPATH_NO_SKIP").is_none() {
        // The test writes to standard error itself, because the test harness shows only the output
        // of failing tests.
        let skipped = format!("SKIPPED, sys/bindings is not compared: {said}");
        io::stderr()
            .write_all(skipped.as_bytes())
            .expect("standard error is open");
        return;
    }
    assert!(output.status.success(), "{}: {said}", output.status);
}
