//! The walk over control messages, in bytes that libFuzzer makes up: the promises that
//! `tests/control/` holds against bytes of its own.
#![no_main]

#[path = "../../tests/control/invariants.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| invariants::check(bytes));
