//! Tests of rules about the sources: which layer may use which, where `unsafe` and the names of
//! operating systems may be, and which errors every function that can fail documents.
//!
//! Each rule is a function from sources to faults. One test applies it to `src/`, and a second one
//! shows that it finds a planted fault.

mod rules;
mod source;

use std::fs;
use std::path::Path;

use rules::{
    cfg_lines, cycles, declared_modules, locks, methods_on_wrong_pages, silent_about_errors,
    system_names, too_long, unargued_unsafe, unsafe_outside_its_modules, upward_uses,
};
use source::{Source, sources};

/// The modules that may hold `unsafe` blocks.
const UNSAFE_MODULES: &[&str] = &["syscall", "fd"];

/// The percentage of the lines of `src/` that may contain a cfg. `#[cfg(test)]` does not count.
const MAX_CFG_PERCENT: usize = 3;
/// The number of lines that a file may have, without its unit tests.
const MAX_LINES: usize = 550;

#[test]
fn rules_a_module_has_one_place_in_the_list_of_layers() {
    let layers = layers();
    let count = |name: &str| layers.iter().filter(|module| *module == name).count();
    assert_eq!(
        (count("error"), count("files"), count("nowhere")),
        (1, 1, 0)
    );
    for source in src().iter().filter(|source| source.module != "lib") {
        assert_eq!(count(&source.module), 1, "{}", source.path);
    }
}

#[test]
fn rules_a_file_uses_lower_layers_only() {
    let layers = layers();
    let faults = src()
        .iter()
        .flat_map(|source| upward_uses(source, &layers))
        .collect();
    assert_none(faults);
}

#[test]
fn rules_an_upward_use_is_found() {
    let layers = layers();
    let up = |module, text: &str| upward_uses(&Source::new(module, text), &layers).len();
    assert_eq!(up("addr", "use crate::error::Errno;"), 0);
    assert_eq!(
        up("addr", "use crate::{error::Errno, addr::{self, UnixAddr}};"),
        0
    );
    assert_eq!(up("error", "use crate::addr::UnixAddr;"), 1);
    assert_eq!(
        up(
            "addr",
            "use crate::{\n    error::Errno,\n    fd::{Fd, socket},\n};"
        ),
        1
    );
    assert_eq!(up("addr", "fn f() { crate::socket::f() }"), 1);
    assert_eq!(up("addr", "use super::socket::Socket;"), 1);
    assert_eq!(
        up("addr", "use crate::UnixStream;"),
        1,
        "a path around the layers"
    );
    assert_eq!(up("addr", "use crate::*;"), 1);
    assert_eq!(
        up(
            "addr",
            "// crate::socket\nconst S: &str = \"crate::socket::x\";"
        ),
        0
    );
    assert_eq!(
        up("addr", "macro_rules! m { () => { $crate::UnixAddr } }"),
        0
    );
    assert_eq!(up("addr", "mod raw { use super::UnixAddr; }"), 0);
    assert_eq!(up("addr", "mod raw { use super::super::socket; }"), 1);
    assert_eq!(
        up(
            "addr",
            "#[cfg(test)]\nmod tests { use crate::UnixListener; }"
        ),
        0
    );
}

#[test]
fn rules_no_files_use_each_other() {
    assert_none(cycles(&src()));
}

#[test]
fn rules_files_that_use_each_other_are_found() {
    let count = |files: &[(&str, &str)]| {
        let source = |(path, text): &(&str, &str)| Source::new(path, text);
        cycles(&files.iter().map(source).collect::<Vec<_>>()).len()
    };
    let (a, b) = ("use crate::b::B;", "use crate::c::C;");
    assert_eq!(count(&[("a", a), ("b", b), ("c", "")]), 0);
    assert_eq!(count(&[("a", a), ("b", b), ("c", "use crate::{a::A};")]), 3);
    assert_eq!(
        count(&[("a", "pub use self::x::X;"), ("a/x", "use super::A;")]),
        0
    );
    assert_eq!(
        count(&[("a", "use self::x::X;"), ("a/x", "use super::A;")]),
        2
    );
    assert_eq!(
        count(&[
            ("a/x", "fn f() { super::y::g() }"),
            ("a/y", "use super::x::X;")
        ]),
        2
    );
    assert_eq!(
        count(&[
            ("a", a),
            ("b", "#[cfg(test)]\nmod tests { use crate::a::A; }")
        ]),
        0
    );
}

#[test]
fn rules_unsafe_stands_in_its_modules_only() {
    assert_none(src().iter().flat_map(unsafe_outside_its_modules).collect());
}

#[test]
fn rules_unsafe_elsewhere_is_found() {
    let count = |module, text: &str| unsafe_outside_its_modules(&Source::new(module, text)).len();
    let block = "fn f() { unsafe { g() } }";
    assert_eq!(count("syscall", block), 0);
    assert_eq!(count("addr", block), 1);
    assert_eq!(
        count("addr", "#[cfg(test)]\nmod tests { unsafe fn f() {} }"),
        1
    );
    let contract = "/// # Safety\n///\n/// - It holds.\n";
    let passes_on = format!("{contract}pub unsafe fn f() {{ unsafe {{ g() }} }}");
    assert_eq!(count("addr", &passes_on), 0);
    assert_eq!(count("addr", "pub unsafe fn f() { unsafe { g() } }"), 1);
    assert_eq!(count("addr", &format!("{passes_on} {block}")), 1);
    let two = format!("{contract}pub unsafe fn f() {{ unsafe {{ g() }} unsafe {{ h() }} }}");
    assert_eq!(count("addr", &two), 1);
    assert_eq!(count("addr", "unsafe impl Send for A {}"), 1);
    assert_eq!(count("addr", "#![deny(unsafe_op_in_unsafe_fn)]"), 0);
    let quiet = "/// unsafe\n/* a /* nested */ unsafe */ fn f() { g(\"unsafe\", r#\"\"unsafe\"#) }";
    assert_eq!(count("addr", quiet), 0);
    assert_eq!(
        count(
            "addr",
            "fn f<'a>(x: &'a u8) -> char { '\"' } unsafe fn g() {} // \""
        ),
        1
    );
}

#[test]
fn rules_every_unsafe_is_argued() {
    let files = [src(), sources("sys/src")].concat();
    assert_none(files.iter().flat_map(unargued_unsafe).collect());
}

#[test]
fn rules_unsafe_without_argument_is_found() {
    let count = |text: &str| unargued_unsafe(&Source::new("syscall", text)).len();
    assert_eq!(count("// SAFETY: it is.\nlet x = unsafe { g() };"), 0);
    assert_eq!(
        count("// SAFETY: it\n// is.\n#[cfg(a)]\nreturn\n    unsafe { g() };"),
        0
    );
    assert_eq!(
        count("// SAFETY: an int.\nunsafe impl Plain for c_int {}"),
        0
    );
    assert_eq!(count("// SAFETY: it is.\nf();\nlet x = unsafe { g() };"), 1);
    assert_eq!(count("// It is.\nlet x = unsafe { g() };"), 1);
    assert_eq!(count("unsafe impl Plain for c_int {}"), 1);
    assert_eq!(count("unsafe fn f() {}"), 0, "its callers argue");
}

#[test]
fn rules_no_operating_system_is_named() {
    assert_none(src().iter().flat_map(system_names).collect());
}

#[test]
fn rules_a_named_operating_system_is_found() {
    let count = |text: &str| system_names(&Source::new("fd", text)).len();
    assert_eq!(count("#[cfg(target_os = \"linux\")] fn f() {}"), 1);
    assert_eq!(count("use sunpath_sys::linux::SCM_PIDFD;"), 1);
    assert_eq!(count("const IS_FREEBSD: bool = true;"), 1);
    assert_eq!(count("fn on_ios() {}"), 1);
    assert_eq!(count("#[cfg(windows)] fn f() {}"), 1);
    assert_eq!(
        count("#[cfg(have_abstract)] fn f(x: &[u8]) { x.windows(2); curiosity() }"),
        0
    );
    assert_eq!(count("// Linux counts the terminator.\nfn f() {}"), 0);
}

#[test]
fn rules_aliases_show_their_own_methods() {
    assert_none(src().iter().flat_map(methods_on_wrong_pages).collect());
}

#[test]
fn rules_methods_on_wrong_pages_are_found() {
    let found = |text: &str| methods_on_wrong_pages(&Source::new("socket", text)).len();
    assert_eq!(found("impl<T: Messages> Socket<T> { fn f() {} }"), 1);
    assert_eq!(found("impl<T: Messages>\n    Socket<T>\n{\n}"), 1);
    assert_eq!(found("impl<T: Kind> Socket<T> {}"), 0);
    assert_eq!(found("impl<T: Messages> Read for Socket<T> {}"), 0);
    assert_eq!(
        found("methods_of!(Messages [Datagram], \"Sending.\", {});"),
        0
    );
}

#[test]
fn rules_no_lock_is_taken() {
    assert_none(src().iter().flat_map(locks).collect());
}

#[test]
fn rules_a_lock_is_found() {
    let count = |text: &str| locks(&Source::new("fd", text)).len();
    assert_eq!(
        count("static LAST: std::sync::Mutex<i32> = Mutex::new(0);"),
        2
    );
    assert_eq!(count("use std::sync::{OnceLock, atomic::AtomicBool};"), 1);
    assert_eq!(count("/// A Mutex.\nfn f() { let once = FnOnce; }"), 0);
    assert_eq!(
        count("#[cfg(test)]\nmod tests { use std::sync::Mutex; }"),
        0
    );
}

#[test]
fn rules_fallible_functions_list_their_errors() {
    let files = [src(), sources("sys/src")].concat();
    assert_none(files.iter().flat_map(silent_about_errors).collect());
}

#[test]
fn rules_a_function_silent_about_errors_is_found() {
    let count = |text: &str| silent_about_errors(&Source::new("fd", text)).len();
    let function =
        "#[inline]\npub const fn f<F: Fn() -> u8>(\n    g: F,\n) -> Result<(), Error> {}\n";
    assert_eq!(count(function), 1);
    assert_eq!(
        count(&format!(
            "/// Does.\n///\n/// # Errors\n///\n/// Fails.\n{function}"
        )),
        1
    );
    assert_eq!(
        count(&format!("/// # Errors\n///\n/// - On Mondays.\n{function}")),
        1
    );
    assert_eq!(
        count(&format!(
            "/// # Examples\n///\n/// - `EINVAL`: no.\n{function}"
        )),
        1
    );
    assert_eq!(
        count(&format!(
            "/// # Errors\n///\n/// - `EINVAL`: no.\n{function}"
        )),
        0
    );
    assert_eq!(
        count(&format!(
            "/// # Errors\n/// * [`SunPathError`]: all.\n{function}"
        )),
        0
    );
    assert_eq!(
        count("pub fn f(g: impl Fn() -> Result<(), ()>) -> bool {}"),
        0
    );
    assert_eq!(count("pub(crate) fn f() -> Result<(), ()> {}"), 0);
    assert_eq!(
        count("#[cfg(test)]\nmod tests { pub fn f() -> Result<(), ()> {} }"),
        0
    );
}

#[test]
fn rules_cfg_lines_are_few() {
    let files = src();
    let lines: usize = files.iter().map(|source| source.text.lines().count()).sum();
    let cfg: Vec<_> = files.iter().flat_map(cfg_lines).collect();
    assert!(
        cfg.len() * 100 < lines * MAX_CFG_PERCENT,
        "{} of {lines} lines are cfg, {MAX_CFG_PERCENT} % is the limit:\n{}",
        cfg.len(),
        cfg.join("\n")
    );
}

#[test]
fn rules_a_cfg_line_is_found() {
    let text =
        "#[cfg(have_a)]\n#![cfg_attr(b, c)]\nif cfg!(d) {}\n// #[cfg(e)]\n#[cfg(test)]\nfn f() {}";
    assert_eq!(cfg_lines(&Source::new("fd", text)).len(), 3);
}

#[test]
fn rules_files_are_short() {
    assert_none(src().iter().filter_map(too_long).collect());
}

#[test]
fn rules_a_long_file_is_found() {
    let long = |text: String| too_long(&Source::new("fd", &text)).is_some();
    assert!(!long("fn f() {}\n".repeat(MAX_LINES)));
    assert!(long("fn f() {}\n".repeat(MAX_LINES + 1)));
    let tests = "fn f() {}\n".repeat(MAX_LINES);
    assert!(!long(format!("#[cfg(test)]\nmod tests {{\n{tests}}}\n")));
}

#[test]
fn rules_packages_carry_the_same_licenses() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
        let ours = fs::read(root.join(name)).unwrap();
        for dir in ["sys", "crates/cli", "crates/tokio"] {
            let theirs = fs::read(root.join(dir).join(name)).unwrap();
            assert!(ours == theirs, "{dir}/{name} is not the text of {name}");
        }
    }
}

/// Readers see a page of this length as a whole. A subject that needs more lines has a page of its
/// own.
#[test]
fn rules_the_readme_has_at_most_200_lines() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let lines = fs::read_to_string(readme).unwrap().lines().count();
    assert!(lines <= 200, "README.md has {lines} lines");
}

/// Returns the modules of `src/`, from the lowest layer up, which is the order in which `lib.rs`
/// declares them.
fn layers() -> Vec<String> {
    let files = src();
    let lib = files.iter().find(|source| source.module == "lib");
    declared_modules(lib.expect("src/lib.rs"))
}

fn src() -> Vec<Source> {
    sources("src")
}

#[track_caller]
fn assert_none(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
