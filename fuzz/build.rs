//! Compiles the C functions with which the targets are compared. If `CC` is clang, flags in
//! `CFLAGS` can show libFuzzer the branches of these functions, and can add a sanitizer. `.ci/run`
//! does both.

use std::env;

fn main() {
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let c_tests = "../c-tests";
    println!("cargo::rerun-if-changed={c_tests}/functions");
    cc::Build::new()
        .cargo_metadata(false)
        .define("_GNU_SOURCE", None)
        .file(format!("{c_tests}/functions/iterate.c"))
        .file(format!("{c_tests}/functions/sun_path.c"))
        .compile("sunpath_c");
    println!("cargo::rustc-link-search=native={out}");
}
