//! The walk over control messages, in bytes that libFuzzer makes up: the promises that
//! `tests/control/` and `c-tests/tests/control.rs` hold against bytes of their own.
#![no_main]

#[path = "../../c-tests/functions/walk.rs"]
mod check;
#[path = "../../tests/control/invariants.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    invariants::check(bytes);
    check::check(bytes);
});
