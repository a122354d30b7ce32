//! Compiles the C lanes, the partner programs and the C functions that tests call, with the
//! compiler that `CC` and `CFLAGS` name. Makes the Rust side of `tests/layout.rs` from
//! `layout/layout.def`, and the table of each suite's Rust lanes from its `cases.def`.
//!
//! This file lists no programs, because the place of a source file determines what it becomes.
//!
//! | files | become |
//! |---|---|
//! | `c/*.c` in a folder of `suites/` or in one beside it | the program with the folder's name |
//! | `partners/*.c` | a program each |
//! | `functions/*.c` | a library for the tests that name it; every program can use them too |
//! | `common/*.c` | what the programs share: each program is linked with the files that it uses |

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[path = "layout/witness.rs"]
mod witness;

/// Every warning is an error, because students copy this code.
const FLAGS: [&str; 9] = [
    "-std=c11",
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Werror",
    "-D_GNU_SOURCE",
    "-pthread",
    "-Icommon",
    "-Ifunctions",
];

fn main() {
    let folders = folders();
    for path in ["build.rs", "common", "functions", "partners", "suites"] {
        println!("cargo::rerun-if-changed={path}");
    }
    println!("cargo::rerun-if-changed=layout");
    println!("cargo::rerun-if-changed=../sys/bindings");
    for folder in &folders {
        println!("cargo::rerun-if-changed={}", folder.join("c").display());
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    compile(&out, &folders);
    fs::write(out.join("witness.rs"), witness::generate()).expect("OUT_DIR can be written to");
    for folder in folders {
        // The table becomes one call of a macro that each Rust lane defines.
        if let Ok(def) = fs::read_to_string(folder.join("cases.def")) {
            let table = out.join(format!("{}_cases.rs", name_of(&folder)));
            let text = format!("cases::table! {{\n{def}}}\n");
            fs::write(table, text).expect("OUT_DIR can be written to");
        }
    }
}

/// Returns the folders that have a C lane.
fn folders() -> Vec<PathBuf> {
    let mut folders = [entries("."), entries("suites")].concat();
    folders.retain(|folder| folder.join("c").is_dir());
    folders
}

fn compile(out: &Path, folders: &[PathBuf]) {
    let compiler = match cc::Build::new().opt_level(2).try_get_compiler() {
        Ok(compiler) => compiler,
        Err(error) => return fail(&format!("no C compiler: {error}")),
    };
    let mut command = vec![compiler.path().display().to_string()];
    command.extend(FLAGS.map(str::to_owned));
    command.extend(
        compiler
            .args()
            .iter()
            .map(|arg| arg.to_string_lossy().into_owned()),
    );
    println!("cargo::rustc-env=C_COMPILER={}", command.join("\x1f"));

    let shared = [c_files("common"), c_files("functions")].concat();
    let Some(archive) = archive(&command, out, &shared) else {
        return;
    };
    let programs = out.join("c");
    fs::create_dir_all(&programs).expect("OUT_DIR can be written to");
    println!("cargo::rustc-env=C_PROGRAMS={}", programs.display());
    let lanes = folders.iter().map(|folder| {
        let files = c_files(folder.join("c"));
        (name_of(folder), files)
    });
    let partners = c_files("partners")
        .into_iter()
        .map(|file| (name_of(&file), vec![file]));
    for (name, mut files) in lanes.chain(partners) {
        files.push(archive.clone());
        if !run(&command, &files, &programs.join(name)) {
            return;
        }
    }

    // The tests are linked without a sanitizer's runtime, so these functions are compiled without a
    // sanitizer. `fuzz/` runs them under one.
    let mut plain = command.clone();
    plain.extend(["-fno-sanitize=all", "-r", "-nostdlib"].map(str::to_owned));
    let object = out.join("functions.o");
    if !run(&plain, &c_files("functions"), &object) {
        return;
    }
    let mut library = cc::Build::new();
    library.cargo_metadata(false).object(object);
    match library.try_compile("sunpath_c") {
        Ok(()) => println!("cargo::rustc-link-search=native={}", out.display()),
        Err(error) => fail(&error.to_string()),
    }
}

/// Compiles files to one archive, from which each program takes the objects that it uses.
fn archive(command: &[String], out: &Path, files: &[PathBuf]) -> Option<PathBuf> {
    let command = [command, &["-c".to_owned()]].concat();
    let mut archive = cc::Build::new();
    for file in files {
        let object = out.join(format!("{}.o", name_of(file)));
        if !run(&command, &[file], &object) {
            return None;
        }
        archive.object(object);
    }
    if let Err(error) = archive.cargo_metadata(false).try_compile("common") {
        fail(&error.to_string());
        return None;
    }
    Some(out.join("libcommon.a"))
}

/// Compiles files to a program or an object. Returns false if the compiler cannot be run at all.
fn run(command: &[String], files: &[impl AsRef<Path>], output: &Path) -> bool {
    let mut compile = Command::new(&command[0]);
    compile.args(&command[1..]);
    compile.args(files.iter().map(AsRef::as_ref));
    let output = match compile.arg("-o").arg(output).output() {
        Ok(output) => output,
        Err(error) => {
            fail(&format!(
                "the C compiler {} cannot be run: {error}. The tests against C need one: \
                 install gcc or clang, or name yours in CC",
                command[0]
            ));
            return false;
        }
    };
    if !output.status.success() {
        let printed = String::from_utf8_lossy(&output.stderr);
        fail(&format!(
            "{}: {} ended with {}\n{printed}",
            files[0].as_ref().display(),
            command[0],
            output.status
        ));
    }
    true
}

/// Reports an error of one or more lines, with which cargo ends the build.
fn fail(message: &str) {
    for line in message.lines() {
        println!("cargo::error={line}");
    }
}

fn c_files(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let mut files = entries(folder);
    files.retain(|file| file.extension().is_some_and(|extension| extension == "c"));
    files
}

/// Returns the entries of a folder, sorted by name.
fn entries(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let entries = entries.map(|entry| entry.expect("the folder can be read").path());
    let mut entries: Vec<_> = entries.collect();
    entries.sort();
    entries
}

/// Returns the name of a file or a folder, without its extension.
fn name_of(path: &Path) -> String {
    let name = path.file_stem().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
