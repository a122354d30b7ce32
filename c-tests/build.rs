//! Compiles the C lanes and links each as a program, with the compiler that `CC` and `CFLAGS` name;
//! compiles the C functions that tests call; turns `layout/layout.def` into the Rust witnesses of
//! `tests/layout.rs`, and the `cases.def` of a family into the table of its Rust lanes.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[path = "layout/witness.rs"]
mod witness;

/// The C programs: the variable with the path, and the files.
const PROGRAMS: [(&str, &[&str]); 12] = [
    (
        "C_ADDR",
        &[
            "addr/addr.c",
            "addr/address.c",
            "addr/table.c",
            "common/notation.c",
        ],
    ),
    (
        "C_ANCILLARY",
        &[
            "ancillary/c/ancillary.c",
            "ancillary/c/batch.c",
            "ancillary/c/control.c",
            "ancillary/c/credentials.c",
            "ancillary/c/flight.c",
            "ancillary/c/message.c",
            "ancillary/c/pidfd.c",
            "ancillary/c/rights.c",
            "ancillary/c/room.c",
            "ancillary/c/stream.c",
            "common/cases.c",
            "common/descriptors.c",
            "common/line.c",
            "common/notation.c",
            "common/process.c",
        ],
    ),
    (
        "C_CONVERT",
        &[
            "convert/convert.c",
            "convert/sun_path.c",
            "common/notation.c",
        ],
    ),
    ("C_FAULTS", &["faults/faults.c", "common/notation.c"]),
    ("C_FDS", &["peers/fds.c"]),
    (
        "C_FILES",
        &[
            "files/c/files.c",
            "files/c/address.c",
            "files/c/bind.c",
            "files/c/connect.c",
            "files/c/constructor.c",
            "files/c/inode.c",
            "files/c/paths.c",
            "files/c/replace.c",
            "files/c/servers.c",
            "files/c/takeover.c",
            "common/cases.c",
            "common/descriptors.c",
            "common/file.c",
            "common/line.c",
            "common/names.c",
            "common/notation.c",
            "common/process.c",
            "common/socket.c",
            "convert/sun_path.c",
        ],
    ),
    (
        "C_IDENTITY",
        &[
            "identity/c/identity.c",
            "identity/c/cred.c",
            "identity/c/options.c",
            "identity/c/signals.c",
            "identity/c/stream.c",
            "common/cases.c",
            "common/descriptors.c",
            "common/line.c",
            "common/notation.c",
            "common/process.c",
        ],
    ),
    ("C_LAYOUT", &["layout/layout.c"]),
    (
        "C_LIFE",
        &[
            "life/c/life.c",
            "life/c/access.c",
            "life/c/guard.c",
            "life/c/mode.c",
            "life/c/names.c",
            "life/c/probe.c",
            "life/c/queue.c",
            "life/c/race.c",
            "life/c/scenes.c",
            "life/c/server.c",
            "life/c/staleness.c",
            "common/cases.c",
            "common/descriptors.c",
            "common/file.c",
            "common/line.c",
            "common/names.c",
            "common/notation.c",
            "common/process.c",
            "common/socket.c",
            "convert/sun_path.c",
        ],
    ),
    ("C_PASSING", &["passing/passing.c"]),
    (
        "C_SOCKETS",
        &[
            "sockets/sockets.c",
            "sockets/data.c",
            "sockets/step.c",
            "common/names.c",
            "common/notation.c",
        ],
    ),
    ("C_STREAM", &["peers/stream.c", "convert/sun_path.c"]),
];

/// The C functions that tests in Rust call: a library for those tests that name it.
const FUNCTIONS: [&str; 2] = ["control/walk.c", "convert/sun_path.c"];

/// Every warning is an error: what a student copies must compile clean.
const FLAGS: [&str; 9] = [
    "-std=c11",
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Werror",
    "-D_GNU_SOURCE",
    "-pthread",
    "-Icommon",
    "-Iconvert",
];

fn main() {
    for path in [
        "build.rs",
        "addr",
        "ancillary",
        "common",
        "control",
        "convert",
        "faults",
        "files",
        "identity",
        "layout",
        "life",
        "passing",
        "peers",
        "sockets",
        "../sys/bindings",
    ] {
        println!("cargo::rerun-if-changed={path}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    compile(&out);
    fs::write(out.join("witness.rs"), witness::generate()).expect("OUT_DIR can be written to");
    for family in ["ancillary", "files", "identity", "life"] {
        let table = out.join(format!("{family}_cases.rs"));
        fs::write(table, cases(family)).expect("OUT_DIR can be written to");
    }
}

/// The cases of a family's `cases.def` as one call of a macro that each of its Rust lanes has.
fn cases(family: &str) -> String {
    let def = fs::read_to_string(format!("{family}/cases.def")).expect("the family has a table");
    format!("cases::table! {{\n{def}}}\n")
}

fn compile(out: &Path) {
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

    for (variable, files) in PROGRAMS {
        let program = out.join(variable.to_lowercase());
        println!("cargo::rustc-env={variable}={}", program.display());
        if !run(&command, files, &program) {
            return;
        }
    }

    // What the tests are linked with knows no sanitizer; `fuzz/` runs these functions under one.
    command.extend(["-fno-sanitize=all", "-r", "-nostdlib"].map(str::to_owned));
    let object = out.join("functions.o");
    if !run(&command, &FUNCTIONS, &object) {
        return;
    }
    let mut library = cc::Build::new();
    library.cargo_metadata(false).object(object);
    match library.try_compile("sunpath_c") {
        Ok(()) => println!("cargo::rustc-link-search=native={}", out.display()),
        Err(error) => fail(&error.to_string()),
    }
}

/// Compiles and links some files. False where the compiler cannot be run at all.
fn run(command: &[String], files: &[&str], output: &Path) -> bool {
    let mut compile = Command::new(&command[0]);
    compile.args(&command[1..]).args(files);
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
        let said = String::from_utf8_lossy(&output.stderr);
        fail(&format!(
            "{}: {} ended with {}\n{said}",
            files[0], command[0], output.status
        ));
    }
    true
}

/// Ends the build with a message of one or more lines.
fn fail(message: &str) {
    for line in message.lines() {
        println!("cargo::error={line}");
    }
}
