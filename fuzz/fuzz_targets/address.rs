//! Makes addresses from bytes that libFuzzer generates, and reads addresses in them. The target
//! checks the same promises as `c-tests/tests/convert.rs`, with other bytes.
#![no_main]

#[path = "../../c-tests/functions/sun_path.rs"]
mod check;

// To make an address, all bytes are used. To read an address, the first four bytes are its length,
// and the other bytes are the struct.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    check::check_make(bytes);
    if let Some((len, addr)) = bytes.split_first_chunk() {
        check::check_read(addr, u32::from_ne_bytes(*len));
    }
});
