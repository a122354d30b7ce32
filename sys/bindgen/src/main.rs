//! Writes the facts in `sys/bindings`, from the C headers of many systems at once: `cargo run -p
//! sunpath-sys-bindgen`. With `--check` the program writes nothing, and compares the facts with the
//! headers.
//!
//! The headers come from one pinned release of the Python package `ziglang`. libclang is found in
//! `LIBCLANG_PATH`, in the Python package `libclang`, or on the system. Every libclang produces the
//! same bytes. `pip install ziglang==0.17.1 libclang` is all that is needed.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

mod targets;

#[path = "../../bindings/generate.rs"]
mod generate;

use targets::{LINUX_H, Target, ZIG, header_set, wrapper_h};

/// The exit status if the headers or libclang are not installed.
const ABSENT: u8 = 77;

/// The names of files, and their contents.
type Files = BTreeMap<String, String>;

fn main() -> ExitCode {
    let check = match env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => false,
        [only] if only == "--check" => true,
        _ => {
            eprintln!("usage: sunpath-sys-bindgen [--check]");
            return ExitCode::from(2);
        }
    };
    if let Err(absent) = find_tools() {
        eprintln!("{absent}; `pip install ziglang=={ZIG} libclang` gives all");
        return ExitCode::from(ABSENT);
    }
    let done = generate_all().and_then(|files| match check {
        true => compare(&files).and_then(|()| compare_feature(&files)),
        false => write(&files),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Checks for the pinned headers and a libclang, and gives bindgen a clean environment.
fn find_tools() -> Result<(), String> {
    let (version, _) = run(zig().arg("version")).unwrap_or_default();
    if version.trim() != ZIG {
        return Err(format!("the headers of ziglang {ZIG} are not installed"));
    }
    if env::var_os("LIBCLANG_PATH").is_none() {
        let folder = "import clang.native; print(clang.native.__path__[0])";
        if let Ok((folder, _)) = run(python().args(["-c", folder])) {
            // SAFETY: no other thread has been started, so nothing reads the environment now.
            unsafe { env::set_var("LIBCLANG_PATH", folder.trim()) };
        }
    }
    // SAFETY: no other thread has been started.
    unsafe { env::remove_var("BINDGEN_EXTRA_CLANG_ARGS") };

    let libclang = generate::libclang()?;
    println!("headers: ziglang {ZIG}; libclang: {}", libclang);
    Ok(())
}

fn python() -> Command {
    Command::new(env::var_os("PYTHON").unwrap_or_else(|| "python3".into()))
}

fn zig() -> Command {
    let mut zig = python();
    zig.args(["-m", "ziglang"]);
    zig
}

/// Returns what a command prints, on standard output and on standard error, if it succeeds.
fn run(command: &mut Command) -> Result<(String, String), String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        Ok((out, err))
    } else {
        Err(format!("{command:?}: {}\n{err}", output.status))
    }
}

fn bindings() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../bindings")
}

fn generate_all() -> Result<Files, String> {
    let mut files = Files::new();
    for (rust, target) in wrapper_h() {
        let key = key_of(rust)?;
        let [os, env, _] = key.each_ref().map(String::as_str);
        let clang = Clang::new(&target)?;
        let only_for = format!("// Only for {}\n", clang.only_for);
        let text = heading(os, env) + &only_for + "\n" + &clang.facts("wrapper.h", os, env)?;
        files.insert(file_name(&key), text);
    }
    for (name, targets) in LINUX_H {
        for target in *targets {
            let clang = Clang::new(target)?;
            let text = heading("linux", "") + "\n" + &clang.facts("linux.h", "linux", "")?;
            let first = files
                .entry(name.to_string())
                .or_insert_with(|| text.clone());
            if *first != text {
                let names = [targets[0].zig, target.zig];
                return Err(format!("{name} is not the same for {names:?}"));
            }
        }
    }
    Ok(files)
}

/// Returns `CARGO_CFG_TARGET_OS`, `_ENV` and `_ARCH` of a target, from which its file gets its
/// name.
fn key_of(rust: &str) -> Result<[String; 3], String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let (printed, _) = run(Command::new(rustc).args(["--print", "cfg", "--target", rust]))?;
    Ok(["os", "env", "arch"].map(|part| {
        let head = format!("target_{part}=\"");
        let value = printed.lines().find_map(|line| line.strip_prefix(&head));
        value.unwrap_or_default().trim_end_matches('"').to_owned()
    }))
}

fn file_name(key: &[String; 3]) -> String {
    let mut parts = key.to_vec();
    parts.retain(|part| !part.is_empty());
    parts.join("_") + ".rs"
}

fn heading(os: &str, env: &str) -> String {
    let set = header_set(os, env);
    format!("// Generated by `cargo run -p sunpath-sys-bindgen`; headers: ziglang {ZIG} ({set})\n")
}

/// The arguments with which clang reads a target's headers.
struct Clang {
    args: Vec<String>,
    /// `build.rs` compares this text with the target, because the file's name does not contain it.
    only_for: String,
}

impl Clang {
    /// Makes the arguments from what zig reports, because zig knows where its headers are.
    fn new(target: &Target) -> Result<Self, String> {
        let ask = ["-E", "-dM", "-v", "-x", "c", "/dev/null"];
        let (macros, log) = run(zig().args(["cc", "-target", target.zig]).args(ask))?;

        let mut args = vec![format!("--target={}", target.clang), "-nostdinc".to_owned()];
        let folders = log
            .lines()
            .skip_while(|line| !line.contains("search starts here"))
            .take_while(|line| *line != "End of search list.")
            .filter_map(|line| line.strip_prefix(' '));
        for folder in folders {
            // zig prints relative paths for folders below the working directory.
            let folder = fs::canonicalize(folder).map_err(|error| format!("{folder}: {error}"))?;
            args.push(format!("-isystem{}", folder.display()));
        }
        // For some systems, zig defines the release by macros on the command line.
        let command = log.lines().find(|line| line.contains(" -cc1 "));
        let mut words = command.unwrap_or_default().split_whitespace();
        while let Some(word) = words.next() {
            if word == "-D" {
                args.extend(words.next().map(|definition| format!("-D{definition}")));
            }
        }

        let value = |name: &str| macros.lines().find_map(|line| line.strip_prefix(name));
        let width = match value("#define __SIZEOF_POINTER__ ") {
            Some("4") => 32,
            _ => 64,
        };
        let endian = match value("#define __BYTE_ORDER__ ") {
            Some("__ORDER_BIG_ENDIAN__") => "big",
            _ => "little",
        };
        let only_for = format!("target_pointer_width = \"{width}\", target_endian = \"{endian}\"");
        Ok(Self { args, only_for })
    }

    fn facts(&self, header: &str, os: &str, env: &str) -> Result<String, String> {
        generate::generate(&bindings(), header, os, env, |builder| {
            builder.clang_args(&self.args)
        })
        .map_err(|error| format!("{}: {error}", self.args[0]))
    }
}

fn write(files: &Files) -> Result<(), String> {
    for (name, text) in files {
        let path = bindings().join(name);
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    println!("{} files written", files.len());
    Ok(())
}

/// Checks that the checked-in files are these, byte for byte, and no others.
fn compare(files: &Files) -> Result<(), String> {
    let mut wrong = Vec::new();
    for (name, text) in files {
        match fs::read_to_string(bindings().join(name)) {
            Ok(checked_in) if checked_in == *text => {}
            Ok(checked_in) => {
                let equal = |(old, new): &(&str, &str)| old == new;
                let line = checked_in
                    .lines()
                    .zip(text.lines())
                    .take_while(equal)
                    .count();
                wrong.push(format!("{name} differs from line {}", line + 1));
            }
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
    let folder = fs::read_dir(bindings()).map_err(|error| error.to_string())?;
    for name in folder.flatten().map(|entry| entry.file_name()) {
        let name = name.to_string_lossy();
        if name.ends_with(".rs") && name != "generate.rs" && !files.contains_key(&*name) {
            wrong.push(format!("{name} is of no target"));
        }
    }
    if wrong.is_empty() {
        println!("{} files are as checked in", files.len());
        return Ok(());
    }
    Err(format!(
        "sys/bindings: {}; `cargo run -p sunpath-sys-bindgen` writes them again",
        wrong.join("; ")
    ))
}

/// Checks that feature `bindgen` of sunpath-sys makes this machine's files from the same headers.
fn compare_feature(files: &Files) -> Result<(), String> {
    let (printed, _) = run(Command::new("rustc").arg("-vV"))?;
    let host = printed.lines().find_map(|line| line.strip_prefix("host: "));
    let Some((_, target)) = wrapper_h().find(|(rust, _)| Some(*rust) == host) else {
        println!("SKIPPED feature `bindgen`: no checked-in file is of this machine");
        return Ok(());
    };
    // bindgen splits the variable as a shell would.
    let args = Clang::new(&target)?
        .args
        .iter()
        .map(|arg| format!("'{arg}'"))
        .collect::<Vec<_>>();
    let (messages, _) = run(
        Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["build", "--features", "bindgen", "--message-format", "json"])
            .current_dir(bindings().join(".."))
            .env("BINDGEN_EXTRA_CLANG_ARGS", args.join(" ")),
    )?;
    let out_dir = messages
        .lines()
        .filter(|line| line.contains("build-script-executed") && line.contains("sunpath-sys"))
        .find_map(|line| line.split("\"out_dir\":\"").nth(1)?.split('"').next())
        .ok_or("cargo did not say where the build script of sunpath-sys wrote")?;

    let mut compared = 0;
    for entry in fs::read_dir(out_dir)
        .map_err(|error| error.to_string())?
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        let text = fs::read_to_string(entry.path()).map_err(|error| format!("{name}: {error}"))?;
        let (_heading, facts) = files
            .get(&name)
            .and_then(|checked_in| checked_in.split_once("\n\n"))
            .ok_or_else(|| format!("feature `bindgen` wrote {name}, which is not checked in"))?;
        if text != facts {
            return Err(format!(
                "feature `bindgen` gives another {name} than is checked in"
            ));
        }
        compared += 1;
    }
    if compared == 0 {
        return Err("feature `bindgen` wrote nothing".to_owned());
    }
    println!("feature `bindgen` gives {compared} files as checked in");
    Ok(())
}
