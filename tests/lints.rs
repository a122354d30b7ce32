//! Tests of the warnings that the compiler gives in a program that uses this crate, about values
//! that nobody keeps and about enums that a later version may extend. If the compiler does not give
//! an expected warning, this file does not compile.
#![cfg(all(feature = "std", feature = "files"))]
#![deny(unfulfilled_lint_expectations, unreachable_patterns)]

mod fresh;

use sunpath::activation::{Activation, Variables};
use sunpath::{BindOptions, Dir, Liveness, probe};

#[test]
#[expect(unused_must_use, reason = "nobody keeps the listener")]
fn lints_report_a_socket_file_that_is_removed_at_once() {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    BindOptions::new().listen(&path).unwrap();
    assert!(!path.exists());
}

#[test]
#[expect(unused_must_use, reason = "nobody keeps the directory")]
fn lints_report_a_directory_that_is_not_used() {
    Dir::open(fresh::dir().path()).unwrap();
}

#[test]
#[expect(unused_must_use, reason = "nobody keeps the descriptors")]
fn lints_report_passed_descriptors_that_are_closed_at_once() {
    // SAFETY: these variables count no descriptor.
    unsafe { Activation::take_from(Variables::new()) }.unwrap();
}

/// If the enum were exhaustive, the last arm would be unreachable, and this test would not compile.
#[test]
fn lints_know_that_liveness_may_get_more_variants() {
    let path = fresh::dir().path().join("a.sock");
    let found = match probe(&path).unwrap() {
        Liveness::Absent => false,
        Liveness::Live | Liveness::Dead | Liveness::NotSocket | Liveness::Unknown => true,
        _ => unreachable!("no version has it yet"),
    };
    assert!(!found);
}
