//! Chooses the facts that `src/facts.rs` and `src/linux.rs` include. An ordinary build calls no
//! compiler and takes the facts from `bindings/`. Feature `bindgen` reads the machine's own C
//! headers.

use std::env;
use std::path::{Path, PathBuf};

#[cfg(feature = "bindgen")]
#[path = "bindings/generate.rs"]
mod generate;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=bindings");
    println!("cargo::rustc-check-cfg=cfg(have_facts, have_inline_syscalls)");

    #[cfg(feature = "bindgen")]
    if let Err(message) = generate::libclang() {
        println!("cargo::error={message}");
        return;
    }

    let mut key = vec![target("OS"), target("ENV"), target("ARCH")];
    key.retain(|part| !part.is_empty());
    if let Some(path) = facts("wrapper.h", &format!("{}.rs", key.join("_"))) {
        println!("cargo::rustc-cfg=have_facts");
        println!("cargo::rustc-env=SUNPATH_SYS_FACTS={}", path.display());
    }

    if cfg!(feature = "inline-syscalls") && inline_syscalls() {
        println!("cargo::rustc-cfg=have_inline_syscalls");
    }

    if matches!(&*target("OS"), "linux" | "android") {
        // All architectures that are not listed have the values of the kernel's asm-generic
        // headers.
        let arch = target("ARCH");
        let own = ["mips", "powerpc", "sparc"]
            .into_iter()
            .find(|family| arch.starts_with(family));
        let file = format!("linux_uapi_{}.rs", own.unwrap_or("generic"));
        if let Some(path) = facts("linux.h", &file) {
            println!("cargo::rustc-env=SUNPATH_SYS_UAPI={}", path.display());
        }
    }
}

/// Returns whether `src/inline.rs` has the calls of the target, and nothing has to see them. Miri does
/// not run assembly, and a sanitizer learns what the kernel has written, and which thread it woke, from
/// the functions of the C library.
fn inline_syscalls() -> bool {
    let known = matches!(&*target("ARCH"), "x86_64" | "aarch64");
    // On x32 and on aarch64 with 32-bit pointers the calls have other numbers.
    let pointers = target("POINTER_WIDTH") == "64";
    let library = target("OS") == "linux" && matches!(&*target("ENV"), "gnu" | "musl");
    let observed = ["CARGO_CFG_MIRI", "CARGO_CFG_SANITIZE"];
    known && pointers && library && observed.iter().all(|name| env::var_os(name).is_none())
}

/// Returns what cargo reports about the target. A property without a value, such as the `ENV` of
/// macOS, is omitted.
fn target(what: &str) -> String {
    env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default()
}

fn bindings() -> PathBuf {
    Path::new(&env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("bindings")
}

/// Returns the checked-in file, if there is a file for this target. The file name alone does not
/// decide that: x32 has the file name of x86_64 but other sizes, and for some targets both byte
/// orders have the same file name.
#[cfg(not(feature = "bindgen"))]
fn facts(_header: &str, file: &str) -> Option<PathBuf> {
    let path = bindings().join(file);
    let text = std::fs::read_to_string(&path).ok()?;
    let here = format!(
        "target_pointer_width = \"{}\", target_endian = \"{}\"",
        target("POINTER_WIDTH"),
        target("ENDIAN")
    );
    let only_for = text
        .lines()
        .find_map(|line| line.strip_prefix("// Only for "));
    only_for
        .is_none_or(|only_for| only_for == here)
        .then_some(path)
}

/// Returns a new file in `OUT_DIR`, made from the headers that the C compiler would use for this
/// target.
#[cfg(feature = "bindgen")]
fn facts(header: &str, file: &str) -> Option<PathBuf> {
    println!("cargo::rerun-if-env-changed=LIBCLANG_PATH");
    let path = Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join(file);
    let [os, env] = [target("OS"), target("ENV")];
    let written = generate::generate(&bindings(), header, &os, &env, |builder| {
        // The callbacks tell cargo which headers and variables the result depends on, such as
        // BINDGEN_EXTRA_CLANG_ARGS.
        builder.parse_callbacks(Box::new(bindgen::CargoCallbacks::new()))
    })
    .and_then(|text| {
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
    });
    match written {
        Ok(()) => Some(path),
        Err(message) => {
            println!("cargo::error={}", message.replace('\n', " "));
            None
        }
    }
}
