//! Sets the SONAME of the shared library, because cargo does not. The 0 in the SONAME becomes
//! another integer when the ABI changes.

use std::env::var;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let (os, vendor) = (var("CARGO_CFG_TARGET_OS"), var("CARGO_CFG_TARGET_VENDOR"));
    let argument = match (os.as_deref(), vendor.as_deref()) {
        (_, Ok("apple")) => "-Wl,-install_name,libsunpath.0.dylib",
        _ => "-Wl,-soname,libsunpath.so.0",
    };
    println!("cargo::rustc-cdylib-link-arg={argument}");
}
