//! Runs the lessons that have a program for this library, `examples/NN_topic/capi.c`, and compares what
//! they print with the transcript of the lesson, in which `L` marks this program's lines.

mod common;
#[path = "../../../c-tests/tests/lessons/limited.rs"]
mod limited;
#[allow(dead_code, reason = "transcripts are recorded elsewhere")]
#[path = "../../../c-tests/tests/lessons/transcript.rs"]
mod transcript;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::{Fresh, Link, compiler, has, link, root, succeed};
use limited::{Limit, NO_DIRECTORY, NO_PERMISSION, NOBODY_LISTENS};
use transcript::{Transcript, diff};

/// The lessons whose program makes a file in the working directory.
const WITH_A_FILE: [&str; 6] = ["01", "03", "04", "05", "09", "11"];

/// Returns the folders of the lessons that have a program for libsunpath, in their order.
fn lessons() -> Vec<PathBuf> {
    let examples = root().join("../../examples");
    let entries = fs::read_dir(examples).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut lessons: Vec<_> = paths.filter(|path| path.join("capi.c").exists()).collect();
    lessons.sort();
    lessons
}

fn compile(lesson: &Path, into: &Fresh) -> PathBuf {
    let program = into.0.join(lesson.file_name().unwrap());
    let mut gcc = compiler("gcc");
    gcc.arg("-D_GNU_SOURCE").arg(lesson.join("capi.c"));
    link(&mut gcc, Link::Shared);
    succeed(gcc.arg("-o").arg(&program));
    program
}

/// Runs a program in an empty directory, and asserts that it leaves nothing there.
fn run(program: &Path, arguments: &[&str]) -> Output {
    let dir = Fresh::new();
    let output = Command::new(program)
        .args(arguments)
        .current_dir(&dir.0)
        .output()
        .unwrap();
    let left: Vec<_> = fs::read_dir(&dir.0).unwrap().collect();
    assert!(left.is_empty(), "{}: {left:?}", program.display());
    output
}

#[test]
fn lessons_with_the_library_print_the_transcript() {
    if !has("gcc") {
        return;
    }
    let programs = Fresh::new();
    let lessons = lessons();
    assert!(lessons.len() >= 7, "{lessons:?}");
    for lesson in lessons {
        let text = fs::read_to_string(lesson.join("transcript.txt")).unwrap();
        let expected = Transcript::read(&text).unwrap().of_lane(Some('L'));
        let output = run(&compile(&lesson, &programs), &[]);
        let printed = String::from_utf8(output.stdout).unwrap();
        let differs = diff(&expected, &printed);
        let name = lesson.display();
        assert!(
            differs.is_empty(),
            "{name}: - expected, + printed\n{differs}"
        );
        assert!(output.status.success(), "{name}: {}", output.status);
    }
}

/// Runs the program of every lesson under a limit, and asserts that the limit stops these lessons, which
/// then explain the cause.
#[track_caller]
fn assert_stopped(limit: &Limit, expected: &[&str]) {
    if !has("gcc") {
        return;
    }
    if !limit.is_possible(&Fresh::new().0) {
        println!("SKIPPED: needs {}", limit.need);
        return;
    }
    let programs = Fresh::new();
    let mut stopped = Vec::new();
    for lesson in lessons() {
        let text = fs::read_to_string(lesson.join("transcript.txt")).unwrap();
        let transcript = Transcript::read(&text).unwrap().of_lane(Some('L'));
        let dir = Fresh::new();
        let command = Command::new(compile(&lesson, &programs));
        let output = limit.run(&dir.0, command, |dir, mut command| {
            command.current_dir(dir).output().unwrap()
        });
        let name = lesson.file_name().unwrap().to_str().unwrap();
        if limit.stops(name, &transcript, output) {
            stopped.push(name[..2].to_owned());
        }
    }
    assert_eq!(stopped, expected);
}

#[test]
fn lessons_with_the_library_explain_that_no_server_listens() {
    assert_stopped(&NOBODY_LISTENS, &["04", "05", "09", "11"]);
}

#[test]
fn lessons_with_the_library_explain_a_directory_in_which_they_may_not_write() {
    assert_stopped(&NO_PERMISSION, &WITH_A_FILE);
}

#[test]
fn lessons_with_the_library_explain_a_directory_that_was_removed() {
    assert_stopped(&NO_DIRECTORY, &WITH_A_FILE);
}

#[test]
fn lessons_with_the_library_explain_bad_paths() {
    if !has("gcc") {
        return;
    }
    let programs = Fresh::new();
    for lesson in lessons() {
        let text = fs::read_to_string(lesson.join("capi.c")).unwrap();
        if !text.contains("argv[1]") {
            continue;
        }
        let program = compile(&lesson, &programs);
        for (path, cause) in [
            ("", "ENOENT"),
            (&*"x".repeat(300), "ENAMETOOLONG"),
            ("missing/a.sock", "No such file or directory|ENOENT"),
        ] {
            let output = run(&program, &[path]);
            let text = String::from_utf8(output.stderr).unwrap();
            let name = format!("{} {path:?}: {text}", lesson.display());
            assert_eq!(output.status.code(), Some(1), "{name}");
            assert!(text.contains(path), "{name}");
            assert!(cause.split('|').any(|cause| text.contains(cause)), "{name}");
        }
    }
}
