//! Holds `sunpath-sys` and `sunpath` against C. Each folder is one comparison:
//!
//! | folder | what is compared | beside C |
//! |---|---|---|
//! | `layout/` | sizes, offsets, signs, constants, `CMSG_*` | `sunpath-sys`, bindgen's output |
//! | `addr/` | the kernel's answers to every kind of address | `sunpath-sys`, `sunpath` |
//! | `convert/` | bytes to address and back, all of it | `sunpath-sys`, `sunpath` |
//! | `control/` | the walk over control messages | `sunpath` |
//! | `sockets/` | the kernel's answers to whole conversations | `sunpath-sys`, `sunpath` |
//! | `files/` | what bind and connect make of a path, and of what stands there | `sunpath-sys`, `sunpath` |
//! | `ancillary/` | descriptors, credentials, pidfds with a message | `sunpath-sys`, `sunpath` |
//! | `identity/` | who the peer is; sending to nobody | `sunpath-sys`, `sunpath` |
//! | `life/` | who holds a socket file, who removes it, who may connect | `sunpath-sys`, `sunpath` |
//! | `passing/` | the system calls that pass one descriptor, as strace(1) sees them | `sunpath` |
//! | `faults/` | what a system call that fails does to a program, as strace(1) lets it fail | `sunpath-sys`, `sunpath` |
//! | `peers/` | programs in C and Python for others to talk to | |
//!
//! A lane is a program. All lanes of a comparison read the same table and print the same lines; the
//! C lane says what is right. But in `control/`, and for random bytes in `convert/`, the test calls C. The build script compiles the C side with the compiler that `CC` and
//! `CFLAGS` name, so that the same tests run it under a sanitizer.

pub mod compare;
pub mod differences;
pub mod family;
pub mod lane;
pub mod notation;
pub mod table;

/// The C programs, as paths to the executables.
pub mod c {
    /// `addr/addr.c`.
    pub const ADDR: &str = env!("C_ADDR");
    /// `ancillary/c/`.
    pub const ANCILLARY: &str = env!("C_ANCILLARY");
    /// `convert/convert.c`.
    pub const CONVERT: &str = env!("C_CONVERT");
    /// `faults/faults.c`.
    pub const FAULTS: &str = env!("C_FAULTS");
    /// `peers/fds.c`.
    pub const FDS: &str = env!("C_FDS");
    /// `files/c/`.
    pub const FILES: &str = env!("C_FILES");
    /// `identity/c/`.
    pub const IDENTITY: &str = env!("C_IDENTITY");
    /// `layout/layout.c`.
    pub const LAYOUT: &str = env!("C_LAYOUT");
    /// `life/c/`.
    pub const LIFE: &str = env!("C_LIFE");
    /// `passing/passing.c`.
    pub const PASSING: &str = env!("C_PASSING");
    /// `sockets/sockets.c`.
    pub const SOCKETS: &str = env!("C_SOCKETS");
    /// `peers/stream.c`.
    pub const STREAM: &str = env!("C_STREAM");
    /// The compiler that made them and its arguments, divided by the byte 0x1F.
    pub const COMPILER: &str = env!("C_COMPILER");
}
