//! Builds the library as a user does, and C programs that use it.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::env;
use std::fs;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Returns the folder of this package.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Builds the library as the README says, and returns the folder in which it is.
pub fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("library", &[]))
}

/// Builds the library with the unwind tables that a program loads, and returns the folder in which it is.
pub fn library_with_tables() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("library-with-tables", &["--features", "unwind-tables"]))
}

fn build(folder: &str, features: &[&str]) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name(folder);
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["build", "--release", "--locked", "--manifest-path"]);
    cargo
        .arg(root().join("Cargo.toml"))
        .args(features)
        .arg("--target-dir")
        .arg(&target);
    // Flags that are set for the tests, such as those of a sanitizer, are not meant for the library.
    cargo.env_remove("RUSTFLAGS");
    succeed(&mut cargo);
    let release = target.join("release");
    // A program looks for the file that the SONAME names. The third `install` line of the
    // README makes this name.
    let _ = symlink("libsunpath.so", release.join("libsunpath.so.0"));
    release
}

/// A fresh directory, which is removed when this is dropped. Only this user can write to it, because
/// `sunpath_private_dir` accepts nothing else above the directory that it makes.
pub struct Fresh(pub PathBuf);

impl Fresh {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("sunpath-capi-{}-{count}", std::process::id());
        let path = env::temp_dir().join(name);
        fs::DirBuilder::new().mode(0o755).create(&path).unwrap();
        Self(fs::canonicalize(path).unwrap())
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs a command that has to succeed, and returns what it printed.
pub fn succeed(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (
        String::from_utf8_lossy(&stdout),
        String::from_utf8_lossy(&stderr),
    );
    assert!(status.success(), "{command:?}: {status}\n{out}{err}");
    out.into_owned()
}

/// Returns whether a program is installed. In CI (`SUNPATH_NO_SKIP`) the test fails if it is not.
pub fn has(program: &str) -> bool {
    let found = env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()));
    if !found {
        assert!(env::var_os("SUNPATH_NO_SKIP").is_none(), "needs {program}");
        println!("SKIPPED: needs {program}");
    }
    found
}

/// How a program is linked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Link {
    Shared,
    /// The program is dynamic, but contains the static library.
    Archive,
    /// The program and everything in it is static.
    Static,
}

/// The warnings that neither the header nor any program may cause.
pub const WARNINGS: [&str; 5] = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"];

/// Returns a command that runs a compiler, with the flags for its language.
pub fn compiler(name: &str) -> Command {
    let mut compiler = Command::new(name);
    match name.contains("++") {
        true => compiler.args(["-x", "c++", "-std=c++17", "-Wold-style-cast"]),
        false => compiler.arg("-std=c11"),
    };
    compiler
        .args(WARNINGS)
        .arg("-I")
        .arg(root().join("include"));
    compiler
}

/// Adds the arguments that link the library.
pub fn link(compiler: &mut Command, link: Link) {
    match link {
        Link::Shared => {
            let mut rpath = std::ffi::OsString::from("-Wl,-rpath,");
            rpath.push(library());
            compiler
                .arg("-L")
                .arg(library())
                .args(["-lsunpath"])
                .arg(rpath);
        }
        Link::Archive | Link::Static => {
            // The file that follows is an archive: `-x none` ends the effect of `-x c++`.
            compiler
                .args(["-x", "none"])
                .arg(library().join("libsunpath.a"));
            compiler.arg("-Wl,--gc-sections");
            if link == Link::Static {
                compiler.arg("-static");
            }
        }
    }
}
