//! libsunpath gives the safe layer of sunpath to C programs. `include/sunpath.h` documents each
//! function, and the modules here are in the order of its sections.
//!
//! A function here checks what C passes, makes one call of the crate `sunpath`, and writes the results.
//! On failure it writes no result but `*ret_error`, and sets `errno` last.
#![no_std]

// A build without `panic = "abort"`, such as one for tests, takes the panic handler of std.
#[cfg(not(panic = "abort"))]
extern crate std;

mod failure;

mod argument;

mod sized;

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

/// Aborts. The compiler demands a panic handler although nothing in the library panics; a test looks
/// for calls that lead here in the finished library, and finds none.
#[cfg(panic = "abort")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: abort has no conditions.
    unsafe { libc::abort() }
}

// The unwind tables of the prebuilt `core` refer to `rust_eh_personality`, so it has to exist although
// nothing calls it. It is hidden so that it is never exported, and weak so that a Rust program, which
// has one of its own, can link the static library.
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

// With this directive the assembler writes the unwind tables of the whole library to `.debug_frame`, because link-time
// optimization makes one module of it. Debuggers and profilers read that section, and a program does
// not load it. In `.eh_frame` the tables would be loaded, and `strip` could not remove them.
#[cfg(all(
    panic = "abort",
    not(feature = "unwind-tables"),
    any(target_os = "linux", target_os = "android", target_os = "freebsd")
))]
core::arch::global_asm!(".cfi_sections .debug_frame");
