//! libsunpath: the safe layer of sunpath for C programs. `include/sunpath.h` documents each function;
//! the modules have the order of its sections.
//!
//! A function here checks what C passes, makes one call of the crate `sunpath`, and writes the results.
//! On failure it writes no result but `*ret_error`, and sets `errno` last.
#![no_std]

// Without `panic = "abort"`, as in a test build, std has the panic handler.
#[cfg(not(panic = "abort"))]
extern crate std;

mod failure;

mod argument;

mod options;

mod version;

mod addr;

mod explain;

mod server;

mod accept;

mod connect;

mod descriptors;

mod peer;

mod dir;

mod probe;

mod activation;

/// Nothing panics: the tests look for a way to it in the finished library.
#[cfg(panic = "abort")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: abort has no conditions.
    unsafe { libc::abort() }
}

// The prebuilt `core` names it in its unwind tables, and nothing calls it. It is hidden, so that it is
// never exported, and weak, so that a Rust program can link the static library.
#[cfg(all(
    panic = "abort",
    any(target_os = "linux", target_os = "android", target_os = "freebsd")
))]
core::arch::global_asm!(
    ".weak rust_eh_personality",
    ".hidden rust_eh_personality",
    "rust_eh_personality:",
    ".byte 0",
);
