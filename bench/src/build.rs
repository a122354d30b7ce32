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
pub const LIBRARIES: [(&str, Option<&str>); 12] = [
    ("sunpath", None),
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

/// Builds sunpath as a user's release build does.
pub fn sunpath() -> Result<Candidate> {
    rust(&["--bin", "library-sunpath"])?;
    library("sunpath")
}

/// Builds sunpath with the whole program optimised at once.
pub fn sunpath_with_lto() -> Result<Candidate> {
    let lto = "profile.release.lto=\"fat\"";
    let target = folder()?.join("lto");
    cargo(&["--bin", "library-sunpath", "--config", lto], &target)?;
    Ok(Candidate {
        name: "sunpath, LTO",
        program: target.join("release/library-sunpath"),
    })
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

/// Compiles a file of `c/` with `-O2`, as is usual for releases in C.
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
