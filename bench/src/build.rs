//! Builds the programs that are measured, in addition to this one.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

/// The folder of this package.
pub const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// A program that can do some or all of the workloads.
#[derive(Clone)]
pub struct Candidate {
    pub name: &'static str,
    pub program: PathBuf,
}

/// The libraries in Rust. A library other than sunpath and std has a package, whose version is reported.
pub const LIBRARIES: [(&str, Option<&str>); 13] = [
    ("sunpath", None),
    ("sunpath-best", None),
    ("std", None),
    ("nix", Some("nix")),
    ("rustix", Some("rustix")),
    ("socket2", Some("socket2")),
    ("uds", Some("uds")),
    ("tokio", Some("tokio")),
    ("sunpath-tokio", None),
    ("tokio-seqpacket", Some("tokio-seqpacket")),
    ("sendfd", Some("sendfd")),
    ("passfd", Some("passfd")),
    ("unix-ancillary", Some("unix-ancillary")),
];

/// Returns the directory that has this program and the others.
pub fn folder() -> Result<PathBuf> {
    let mut path = std::env::current_exe()?;
    path.pop();
    Ok(path)
}

/// Builds the workloads in C, which are the reference.
pub fn c() -> Result<Candidate> {
    let program = compile("bench.c", "library-c", &[])?;
    Ok(Candidate { name: "C", program })
}

/// Builds the workloads in C as they can be written by someone who counts instructions.
pub fn careful_c() -> Result<Candidate> {
    let program = compile("bench.c", "library-careful-c", &["-DCAREFUL"])?;
    Ok(Candidate {
        name: "careful C",
        program,
    })
}

/// Builds the workloads in C for size, for comparison with the programs at `opt-level = "s"`.
pub fn c_for_size() -> Result<Candidate> {
    let program = compile("bench.c", "library-c-for-size", &["-Os"])?;
    Ok(Candidate {
        name: "C for size",
        program,
    })
}

/// Builds sunpath as a user's release build does: as an ordinary program is written, and with the forms
/// that take the fewest instructions.
pub fn sunpath() -> Result<[Candidate; 2]> {
    rust(&["--bin", "library-sunpath", "--bin", "library-sunpath-best"])?;
    Ok([library("sunpath")?, library("sunpath-best")?])
}

/// Builds sunpath with the whole program optimised at once.
pub fn sunpath_with_lto() -> Result<Candidate> {
    sunpath_with("sunpath, LTO", "lto", "lto=\"fat\"")
}

/// Builds sunpath at `opt-level = 2`, as an ordinary program is written.
pub fn sunpath_at_2() -> Result<Candidate> {
    sunpath_with("sunpath at 2", "level-2", "opt-level=2")
}

/// Builds sunpath at `opt-level = "s"`, as an ordinary program is written.
pub fn sunpath_for_size() -> Result<Candidate> {
    sunpath_with("sunpath at s", "level-s", "opt-level=\"s\"")
}

/// Builds the ordinary program with one setting of the release profile, in a folder of its own.
fn sunpath_with(name: &'static str, folder_name: &str, setting: &str) -> Result<Candidate> {
    let setting = format!("profile.release.{setting}");
    let target = folder()?.join(folder_name);
    cargo(&["--bin", "library-sunpath", "--config", &setting], &target)?;
    Ok(Candidate {
        name,
        program: target.join("release/library-sunpath"),
    })
}

/// Builds sunpath, as an ordinary program is written, with its system calls put into the program.
pub fn sunpath_inline() -> Result<Candidate> {
    let target = folder()?.join("inline");
    let features = ["--features", "inline-syscalls"];
    cargo(
        &[&["--bin", "library-sunpath"], &features[..]].concat(),
        &target,
    )?;
    Ok(Candidate {
        name: "sunpath, inline-syscalls",
        program: target.join("release/library-sunpath"),
    })
}

/// Builds the workloads with rustix, which makes the system calls itself, too.
pub fn rustix() -> Result<Candidate> {
    rust(&["--features", "libraries", "--bin", "library-rustix"])?;
    library("rustix")
}

/// Builds every library in Rust.
pub fn all() -> Result<Vec<Candidate>> {
    let bins: Vec<String> = LIBRARIES
        .iter()
        .map(|(name, _)| format!("library-{name}"))
        .collect();
    let mut args = vec!["--features", "libraries"];
    for bin in &bins {
        args.extend(["--bin", bin]);
    }
    rust(&args)?;
    LIBRARIES.iter().map(|(name, _)| library(name)).collect()
}

fn library(name: &'static str) -> Result<Candidate> {
    let program = folder()?.join(format!("library-{name}"));
    Ok(Candidate { name, program })
}

/// Returns a program of this package that is built already, and is not a library to compare.
pub fn program(name: &'static str) -> Result<Candidate> {
    let program = folder()?.join(name);
    Ok(Candidate { name, program })
}

/// Builds the programs of this package that the arguments name.
pub fn rust(args: &[&str]) -> Result<()> {
    let folder = folder()?;
    cargo(args, folder.parent().unwrap_or(&folder))
}

fn cargo(args: &[&str], target: &Path) -> Result<()> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command
        .args(["build", "--locked", "--release", "--quiet"])
        .args(args);
    command
        .arg("--manifest-path")
        .arg(Path::new(HERE).join("Cargo.toml"));
    run(command.arg("--target-dir").arg(target))
}

/// Compiles a file of `c/` with `-O2`, as is usual for releases in C, unless the arguments have
/// another level.
pub fn compile(source: &str, name: &str, args: &[&str]) -> Result<PathBuf> {
    let output = folder()?.join(name);
    let mut command = Command::new(compiler());
    command
        .args(["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"])
        .args(args);
    run(command
        .arg(Path::new(HERE).join("c").join(source))
        .arg("-o")
        .arg(&output))?;
    Ok(output)
}

pub fn compiler() -> String {
    std::env::var("CC").unwrap_or_else(|_| "gcc".to_owned())
}

/// Runs a command that must succeed.
pub fn run(command: &mut Command) -> Result<()> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}").into()),
        Err(error) => Err(format!("{command:?}: {error}").into()),
    }
}

/// Runs a command that must succeed. Returns what it wrote to standard output and standard error.
pub fn output(command: &mut Command) -> Result<(String, String)> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let (stdout, stderr) = (
        String::from_utf8(output.stdout)?,
        String::from_utf8(output.stderr)?,
    );
    if output.status.success() {
        return Ok((stdout, stderr));
    }
    Err(format!("{command:?}: {}\n{stderr}", output.status).into())
}
