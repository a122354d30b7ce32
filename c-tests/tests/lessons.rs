//! Tests of the lessons, `examples/NN_topic/`: `main.c` and `main.rs` take the same steps, print
//! the same text and end with the same exit status.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sunpath_c_tests::c;
use sunpath_c_tests::lane::{self, FreshDir};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");

/// The largest number of lines and columns of a lesson's program. It fits on a page, and beside its
/// counterpart in the other language on half the width of a page.
const MAX_LINES: usize = 80;
const MAX_COLUMNS: usize = 64;

/// Returns the folders of the lessons, in their order.
fn lessons() -> Vec<PathBuf> {
    let entries = fs::read_dir(EXAMPLES).expect("examples/ can be read");
    let paths = entries.map(|entry| entry.expect("examples/ can be read").path());
    let mut lessons: Vec<_> = paths.filter(|path| path.is_dir()).collect();
    lessons.sort();
    assert!(!lessons.is_empty(), "no lesson in {EXAMPLES}");
    lessons
}

/// Returns a lesson's name, which is also the name of its cargo example.
fn name_of(lesson: &Path) -> &str {
    let name = lesson.file_name().and_then(|name| name.to_str());
    name.expect("a lesson has a name")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Compiles a lesson's C program with the warnings with which all our C code is compiled, and
/// without the macros that a reader would not define.
fn compile(lesson: &Path, dir: &FreshDir) -> PathBuf {
    let mut words = c::COMPILER.split('\x1f');
    let compiler = words.next().unwrap_or_default();
    let flags = words.filter(|flag| !flag.starts_with("-I") && *flag != "-D_GNU_SOURCE");
    let program = dir.path().join(name_of(lesson));
    let mut command = Command::new(compiler);
    command.args(flags).arg(lesson.join("main.c"));
    let output = command.arg("-o").arg(&program).output();
    let output = output.expect("the compiler that built the C lanes runs");
    assert!(
        output.status.success(),
        "{}:\n{}",
        lesson.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    program
}

/// Runs a program in an empty directory and asserts that it leaves nothing there.
fn run(program: &Path, arguments: &[&str]) -> Output {
    let dir = FreshDir::new();
    let mut command = Command::new(program);
    let output = command.args(arguments).current_dir(dir.path()).output();
    let output = output.expect("the program can be run");
    let left = fs::read_dir(dir.path()).expect("the directory can be read");
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{program:?} leaves {left:?}");
    output
}

/// Returns the titles of a program's steps: the comments that begin with a number.
fn steps(text: &str) -> Vec<String> {
    let comments = text.lines().filter_map(|line| {
        let line = line.trim();
        let comment = line.strip_prefix("//").or(line.strip_prefix("/*"))?;
        Some(comment.trim_end_matches("*/").trim().to_owned())
    });
    let numbered = |comment: &String| {
        let number = comment.split_once(". ").map(|(number, _)| number);
        number.is_some_and(|number| number.parse::<u8>().is_ok())
    };
    comments.filter(numbered).collect()
}

#[test]
fn lessons_print_the_same_in_c_and_rust() {
    let programs = FreshDir::new();
    for lesson in lessons() {
        let c = compile(&lesson, &programs);
        let rust = lane::example(name_of(&lesson));
        for arguments in [&[][..], &["b.sock"]] {
            let c = run(&c, arguments);
            assert!(c.status.success(), "{lesson:?}, C: {c:?}");
            assert!(!c.stdout.is_empty(), "{lesson:?}, C: {c:?}");
            let rust = run(&rust, arguments);
            assert_eq!(rust, c, "{lesson:?}, Rust and C");
        }
    }
}

#[test]
fn lessons_refuse_paths_that_do_not_fit_or_do_not_exist() {
    let programs = FreshDir::new();
    let too_long = "x".repeat(200);
    for lesson in lessons() {
        let c = compile(&lesson, &programs);
        let rust = lane::example(name_of(&lesson));
        for path in ["", &too_long, "missing/a.sock"] {
            for program in [&c, &rust] {
                let output = run(program, &[path]);
                assert!(!output.status.success(), "{program:?} {path:?}: {output:?}");
                assert!(output.stdout.is_empty(), "{program:?} {path:?}: {output:?}");
                assert!(
                    !output.stderr.is_empty(),
                    "{program:?} {path:?}: {output:?}"
                );
            }
        }
    }
}

#[test]
fn lessons_have_the_same_steps_and_fit_on_a_page() {
    for lesson in lessons() {
        let texts = ["main.c", "main.rs"].map(|name| read(&lesson.join(name)));
        for text in &texts {
            assert!(text.lines().count() <= MAX_LINES, "{lesson:?}: too long");
            for line in text.lines() {
                assert!(line.len() <= MAX_COLUMNS, "{lesson:?}: too wide: {line}");
            }
        }
        let [c, rust] = texts.map(|text| steps(&text));
        assert_eq!(rust, c, "{lesson:?}: the steps of Rust and C");
        for (index, step) in c.iter().enumerate() {
            let number = format!("{}. ", index + 1);
            assert!(step.starts_with(&number), "{lesson:?}: {step}");
        }
        assert!(c.len() >= 2, "{lesson:?}: {c:?}");
    }
}

#[test]
fn steps_are_the_comments_with_a_number() {
    let c = "/* Title. */\n    /* 1. Address: a. */\nx(); /* 2. no */\n/* 2. Bind: b. */\n";
    assert_eq!(steps(c), ["1. Address: a.", "2. Bind: b."]);
    let rust = "//! 1.x\n// 1. Address: a.\n    // 2. Bind: b.\n// e.g. c\n";
    assert_eq!(steps(rust), ["1. Address: a.", "2. Bind: b."]);
}
