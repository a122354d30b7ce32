//! Which files there are, and from which targets' headers each is made.

/// The release of the Python package `ziglang` whose headers are read. [`header_set`] and the
/// version of glibc below go with it.
pub(crate) const ZIG: &str = "0.17.1";

/// A target in zig's words and in clang's.
pub(crate) struct Target {
    pub(crate) zig: &'static str,
    pub(crate) clang: &'static str,
}

const fn target(zig: &'static str, clang: &'static str) -> Target {
    Target { zig, clang }
}

/// Which headers [`ZIG`] has for a system.
pub(crate) fn header_set(os: &str, env: &str) -> &'static str {
    match (os, env) {
        ("freebsd", _) => "FreeBSD 14",
        ("linux", "gnu") => "glibc 2.44",
        ("linux", "musl") => "musl",
        ("linux", _) => "Linux 7.2",
        ("macos", _) => "macOS 27.0",
        ("netbsd", _) => "NetBSD 10.1",
        ("openbsd", _) => "OpenBSD 7.8",
        _ => "unknown",
    }
}

/// The C library's facts: `CARGO_CFG_TARGET_OS`, `_ENV` and `_ARCH`, which name the file, and the
/// target.
#[rustfmt::skip]
pub(crate) const WRAPPER_H: &[([&str; 3], Target)] = &[
    (["freebsd", "", "aarch64"], target("aarch64-freebsd", "aarch64-unknown-freebsd")),
    (["freebsd", "", "x86"], target("x86-freebsd", "i686-unknown-freebsd")),
    (["freebsd", "", "x86_64"], target("x86_64-freebsd", "x86_64-unknown-freebsd")),
    (["linux", "gnu", "aarch64"], target("aarch64-linux-gnu.2.44", "aarch64-unknown-linux-gnu")),
    (["linux", "gnu", "arm"], target("arm-linux-gnueabihf.2.44", "armv7-unknown-linux-gnueabihf")),
    (["linux", "gnu", "loongarch64"], target("loongarch64-linux-gnu.2.44", "loongarch64-unknown-linux-gnu")),
    (["linux", "gnu", "mips64"], target("mips64el-linux-gnuabi64.2.44", "mips64el-unknown-linux-gnuabi64")),
    (["linux", "gnu", "powerpc64"], target("powerpc64le-linux-gnu.2.44", "powerpc64le-unknown-linux-gnu")),
    (["linux", "gnu", "riscv64"], target("riscv64-linux-gnu.2.44", "riscv64-unknown-linux-gnu")),
    (["linux", "gnu", "s390x"], target("s390x-linux-gnu.2.44", "s390x-unknown-linux-gnu")),
    (["linux", "gnu", "sparc64"], target("sparc64-linux-gnu.2.44", "sparc64-unknown-linux-gnu")),
    (["linux", "gnu", "x86"], target("x86-linux-gnu.2.44", "i686-unknown-linux-gnu")),
    (["linux", "gnu", "x86_64"], target("x86_64-linux-gnu.2.44", "x86_64-unknown-linux-gnu")),
    (["linux", "musl", "aarch64"], target("aarch64-linux-musl", "aarch64-unknown-linux-musl")),
    (["linux", "musl", "arm"], target("arm-linux-musleabihf", "armv7-unknown-linux-musleabihf")),
    (["linux", "musl", "loongarch64"], target("loongarch64-linux-musl", "loongarch64-unknown-linux-musl")),
    (["linux", "musl", "powerpc64"], target("powerpc64le-linux-musl", "powerpc64le-unknown-linux-musl")),
    (["linux", "musl", "riscv64"], target("riscv64-linux-musl", "riscv64-unknown-linux-musl")),
    (["linux", "musl", "s390x"], target("s390x-linux-musl", "s390x-unknown-linux-musl")),
    (["linux", "musl", "x86"], target("x86-linux-musl", "i686-unknown-linux-musl")),
    (["linux", "musl", "x86_64"], target("x86_64-linux-musl", "x86_64-unknown-linux-musl")),
    (["macos", "", "aarch64"], target("aarch64-macos", "arm64-apple-macosx")),
    (["macos", "", "x86_64"], target("x86_64-macos", "x86_64-apple-macosx")),
    (["netbsd", "", "aarch64"], target("aarch64-netbsd", "aarch64-unknown-netbsd")),
    (["netbsd", "", "x86"], target("x86-netbsd", "i686-unknown-netbsd")),
    (["netbsd", "", "x86_64"], target("x86_64-netbsd", "x86_64-unknown-netbsd")),
    (["openbsd", "", "aarch64"], target("aarch64-openbsd", "aarch64-unknown-openbsd")),
    (["openbsd", "", "x86_64"], target("x86_64-openbsd", "x86_64-unknown-openbsd")),
];

/// Linux's facts: the file of each family of architectures, and targets that must all give the
/// same text, for the kernel's values depend on no C library, word size or byte order. (Those of
/// hexagon too, but its enumerations, and so the constants, are of another type.)
#[rustfmt::skip]
pub(crate) const LINUX_H: &[(&str, &[Target])] = &[
    ("linux_uapi_generic.rs", &[
        target("x86_64-linux-gnu", "x86_64-unknown-linux-gnu"),
        target("x86_64-linux-musl", "x86_64-unknown-linux-musl"),
        target("x86_64-linux-gnux32", "x86_64-unknown-linux-gnux32"),
        target("x86-linux-gnu", "i686-unknown-linux-gnu"),
        target("aarch64-linux-gnu", "aarch64-unknown-linux-gnu"),
        target("aarch64_be-linux-gnu", "aarch64_be-unknown-linux-gnu"),
        target("arm-linux-gnueabihf", "armv7-unknown-linux-gnueabihf"),
        target("csky-linux-gnueabi", "csky-unknown-linux-gnu"),
        target("loongarch64-linux-gnu", "loongarch64-unknown-linux-gnu"),
        target("m68k-linux-gnu", "m68k-unknown-linux-gnu"),
        target("riscv32-linux-gnu", "riscv32-unknown-linux-gnu"),
        target("riscv64-linux-gnu", "riscv64-unknown-linux-gnu"),
        target("s390x-linux-gnu", "s390x-unknown-linux-gnu"),
    ]),
    ("linux_uapi_mips.rs", &[
        target("mips-linux-gnueabihf", "mips-unknown-linux-gnu"),
        target("mips64el-linux-gnuabi64", "mips64el-unknown-linux-gnuabi64"),
    ]),
    ("linux_uapi_powerpc.rs", &[
        target("powerpc-linux-musleabihf", "powerpc-unknown-linux-musl"),
        target("powerpc64-linux-musl", "powerpc64-unknown-linux-musl"),
        target("powerpc64le-linux-gnu", "powerpc64le-unknown-linux-gnu"),
    ]),
    ("linux_uapi_sparc.rs", &[
        target("sparc-linux-gnu", "sparc-unknown-linux-gnu"),
        target("sparc64-linux-gnu", "sparc64-unknown-linux-gnu"),
    ]),
];
