//! Makes addresses from bytes that libFuzzer generates, and reads addresses in them. The promises that
//! are checked are those of `c-tests/tests/convert.rs`, which has other bytes.
#![no_main]

#[path = "../../c-tests/functions/sun_path.rs"]
mod check;

// To make an address, all bytes are used. To read one, the first four are its length, and the others
// the struct.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    check::check_make(bytes);
    if let Some((len, addr)) = bytes.split_first_chunk() {
        check::check_read(addr, u32::from_ne_bytes(*len));
    }
});
