//! Compiles and runs the C programs of `tests/c/`: by several compilers, as C and as C++, with the
//! shared and with the static library, and under tools that find faults which a program itself does not
//! notice.

mod common;

use std::path::PathBuf;
use std::process::Command;

use common::{Fresh, Link, compiler, has, link, root, succeed};

const PROGRAMS: [&str; 7] = [
    "addresses",
    "servers",
    "messages",
    "surroundings",
    "errnos",
    "options",
    "threads",
];

fn compile(name: &str, program: &str, how: Link, flags: &[&str], into: &Fresh) -> PathBuf {
    let path = into.0.join(format!("{program}.bin"));
    let mut compiler = compiler(name);
    compiler
        .args(["-D_GNU_SOURCE", "-g", "-pthread"])
        .args(flags);
    if name.contains("++") {
        // The programs are written in C, and C++ compilers warn about casts and initializers of C.
        compiler.args(["-Wno-old-style-cast", "-Wno-missing-field-initializers"]);
    }
    compiler.arg(root().join(format!("tests/c/{program}.c")));
    link(&mut compiler, how);
    succeed(compiler.arg("-o").arg(&path));
    path
}

fn run_all(name: &str, how: Link, flags: &[&str], under: &[&str]) {
    if !has(name) {
        return;
    }
    let binaries = Fresh::new();
    for program in PROGRAMS {
        let path = compile(name, program, how, flags, &binaries);
        let work = Fresh::new();
        let mut command = match under {
            [] => Command::new(&path),
            [tool, arguments @ ..] => {
                let mut command = Command::new(tool);
                command.args(arguments).arg(&path);
                command
            }
        };
        succeed(command.current_dir(&work.0));
    }
}

#[test]
fn programs_in_c_by_gcc_with_the_shared_library() {
    run_all("gcc", Link::Shared, &["-O2"], &[]);
}

#[test]
fn programs_in_c_by_clang_with_the_static_library() {
    run_all("clang-22", Link::Archive, &["-O1"], &[]);
}

#[test]
fn programs_in_c_that_are_static() {
    run_all("gcc", Link::Static, &["-Os"], &[]);
}

#[test]
fn programs_in_cplusplus_by_gcc() {
    run_all("g++", Link::Shared, &["-O1"], &[]);
}

#[test]
fn programs_in_cplusplus_by_clang() {
    run_all("clang++-22", Link::Archive, &["-O1"], &[]);
}

#[test]
fn programs_under_the_sanitizers() {
    let flags = [
        "-O1",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
    ];
    run_all("clang-22", Link::Shared, &flags, &[]);
}

#[test]
fn programs_under_valgrind() {
    if !has("valgrind") {
        return;
    }
    let under = [
        "valgrind",
        "-q",
        "--error-exitcode=9",
        "--leak-check=full",
        "--errors-for-leak-kinds=definite",
    ];
    run_all("gcc", Link::Shared, &["-O1"], &under);
}

/// valgrind lists the descriptors that are open at the end, with the calls that opened them. None of
/// them may come from the library or be a socket, unless the program inherited it.
#[test]
fn programs_leave_no_descriptor_open() {
    if !has("gcc") || !has("valgrind") {
        return;
    }
    let binaries = Fresh::new();
    for program in ["servers", "messages", "errnos", "options", "threads"] {
        let path = compile("gcc", program, Link::Shared, &["-O1"], &binaries);
        let work = Fresh::new();
        let mut valgrind = Command::new("valgrind");
        valgrind
            .args([
                "--track-fds=yes",
                "--log-file=log",
                "--child-silent-after-fork=yes",
            ])
            .arg(&path);
        succeed(valgrind.current_dir(&work.0));
        let log = std::fs::read_to_string(work.0.join("log")).unwrap();
        assert!(log.contains("FILE DESCRIPTORS:"), "{log}");
        let ours = log.split("Open ").skip(1).filter(|open| {
            let mine = open
                .split("==")
                .any(|line| line.contains("sunpath_") || line.contains("socket"));
            mine && !open.contains("<inherited from parent>")
        });
        assert_eq!(ours.count(), 0, "{log}");
    }
}

/// The functions that may be called in a signal handler allocate nothing and do not read the environment, and
/// need no more of the stack than the header says. The program is static, so that calls in libc count.
#[test]
#[cfg(target_os = "linux")]
fn programs_call_functions_in_a_signal_handler() {
    if !has("gcc") {
        return;
    }
    let binaries = Fresh::new();
    let wrapped = "-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=getenv";
    let path = compile(
        "gcc",
        "anywhere",
        Link::Static,
        &["-O1", wrapped],
        &binaries,
    );
    let work = Fresh::new();
    print!("{}", succeed(Command::new(&path).current_dir(&work.0)));
}

/// The program above names each function of a section of the header whose functions may be called in a
/// signal handler.
#[test]
fn programs_call_each_function_that_a_signal_handler_may_call() {
    let header = std::fs::read_to_string(root().join("include/sunpath.h")).unwrap();
    let program = std::fs::read_to_string(root().join("tests/c/anywhere.c")).unwrap();
    let mut count = 0;
    for section in header.split("/* ---- ").skip(1) {
        let words: Vec<&str> = section.split_whitespace().filter(|w| *w != "*").collect();
        let anywhere = "may be called by several threads at once, in a signal handler, and between \
                        fork and exec";
        if !words.join(" ").contains(anywhere) {
            continue;
        }
        let prototypes = section
            .lines()
            .filter(|line| line.starts_with(char::is_lowercase) && line.contains('('));
        for line in prototypes {
            let before = line.split('(').next().unwrap();
            let name = before.rsplit([' ', '*']).next().unwrap();
            assert!(program.contains(&format!("{name}(")), "{name}");
            count += 1;
        }
    }
    assert!(count > 30, "{count}");
}
