//! Addresses made of bytes and read from bytes, which libFuzzer generates. The promises are those
//! that `c-tests/tests/convert.rs` checks with other bytes.
#![no_main]

#[path = "../../c-tests/functions/sun_path.rs"]
mod check;

// For reading, the first four bytes are the length, and the others the struct.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    check::check_make(bytes);
    if let Some((len, addr)) = bytes.split_first_chunk() {
        check::check_read(addr, u32::from_ne_bytes(*len));
    }
});
