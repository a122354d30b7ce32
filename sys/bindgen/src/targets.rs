//! The list of the generated files, and for each file the targets from whose headers it is made.

use std::borrow::Cow;

/// The release of the Python package `ziglang` whose headers are read. [`header_set`] and the
/// version of glibc below depend on it.
pub(crate) const ZIG: &str = "0.17.1";

/// A target, as zig and as clang name it.
pub(crate) struct Target {
    pub(crate) zig: &'static str,
    pub(crate) clang: Cow<'static, str>,
}

const fn target(zig: &'static str, clang: &'static str) -> Target {
    Target {
        zig,
        clang: Cow::Borrowed(clang),
    }
}

/// Returns the name of the headers that [`ZIG`] has for a system.
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

/// Returns the targets whose C library's facts are generated: all targets of `systems.txt` for
/// which zig has headers, each by Rust's name and as a [`Target`].
pub(crate) fn wrapper_h() -> impl Iterator<Item = (&'static str, Target)> {
    let lines = include_str!("../../../systems.txt").lines();
    let columns = lines
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    columns.filter_map(|columns| match columns[..] {
        [_, _, "-", ..] | [] => None,
        [_, rust, zig, ..] => Some((
            rust,
            Target {
                zig,
                clang: clang(rust),
            },
        )),
        _ => panic!("systems.txt: not a line of the table: {columns:?}"),
    })
}

/// Returns clang's name of a target, from Rust's name.
fn clang(rust: &'static str) -> Cow<'static, str> {
    [
        ("riscv64gc-", "riscv64-"),
        ("aarch64-apple-", "arm64-apple-"),
    ]
    .into_iter()
    .find_map(|(of_rust, of_clang)| Some(of_clang.to_owned() + rust.strip_prefix(of_rust)?))
    .map_or(Cow::Borrowed(rust), Cow::Owned)
}

/// Linux's facts: for each family of architectures the name of the file, and targets that must all
/// produce this same file. All targets of a family produce the same file, because the kernel's
/// values depend on no C library, word size or byte order. (The values of hexagon are the same, but
/// its enumerations, and therefore the constants, have another type.)
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
