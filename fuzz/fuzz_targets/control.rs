//! Iterates over control messages in bytes that libFuzzer generates. The target checks the same
//! promises as `tests/control/` and `c-tests/tests/control.rs`, with other bytes.
#![no_main]

#[path = "../../c-tests/functions/iterate.rs"]
mod check;
#[path = "../../tests/control/invariants.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    invariants::check(bytes);
    check::check(bytes);
});
