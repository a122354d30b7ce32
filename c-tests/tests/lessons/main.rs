//! Tests of the lessons, `examples/NN_topic/`: the programs of every lane take the same steps, and
//! print what the transcript has. `SUNPATH_BLESS=1` records what the programs in C print.
#![cfg(target_os = "linux")]

mod errors;
mod lesson;
mod limited;
mod readme;
mod transcript;

use std::env;
use std::fs;
use std::path::Path;
use std::process::Output;

use lesson::{C, LANES, Lane, Lesson, PYTHON, RAW, SAFE, fresh, lessons, run_in, steps};
use sunpath_c_tests::lane::{installed, skip};
use sunpath_c_tests::python;
use transcript::diff;

/// The largest number of lines and columns of a lesson's program. A program with this many lines
/// fits on a page, and beside its counterpart in another language on half the width of a page. In
/// lesson 11 the length of the program is what it shows.
const MAX_LINES: usize = 80;
const MAX_LINES_OF_DAEMON: usize = 160;
const MAX_COLUMNS: usize = 64;

/// Returns whether the transcripts and the pages are to be recorded.
fn is_bless() -> bool {
    env::var_os("SUNPATH_BLESS").is_some()
}

#[track_caller]
fn assert_left_nothing(dir: &Path, what: &str) {
    let left = fs::read_dir(dir).expect("the directory can be read");
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{what} leaves {left:?}");
}

/// Runs a lane with these arguments in an empty directory, and asserts that the lane leaves nothing
/// there.
fn run(lesson: &Lesson, lane: &Lane, arguments: &[&str]) -> Option<Output> {
    let dir = fresh();
    let mut command = lesson.command(lane)?;
    command.args(arguments);
    let output = run_in(dir.path(), command);
    let what = format!("{} {} {arguments:?}", lesson.name(), lane.file);
    assert_left_nothing(dir.path(), &what);
    Some(output)
}

/// Runs a lane of every lesson, and compares what it prints with the transcript. Each lesson runs
/// twice, with other process ids, other directories and another path argument. A transcript that
/// contains one of these is therefore wrong the second time.
fn compare(lane: &Lane) {
    for lesson in lessons() {
        let paths: &[&[&str]] = match lesson.takes_a_path() {
            true => &[&[], &["b.sock"]],
            false => &[&[], &[]],
        };
        for arguments in paths {
            let Some(output) = run(&lesson, lane, arguments) else {
                let _ = skip(python::NEED);
                return;
            };
            let name = format!("{} {}", lesson.name(), lane.file);
            assert!(output.status.success(), "{name}: {output:?}");
            let printed = String::from_utf8(output.stdout).expect("lessons print text");
            let printed = printed.replace("\"b.sock\"", "\"a.sock\"");
            let expected = lesson.transcript().of_lane(lane.letter);
            let differs = diff(&expected, &printed);
            assert!(
                differs.is_empty(),
                "{name}: - expected, + printed\n{differs}"
            );
        }
    }
}

#[test]
fn lessons_in_c_print_the_transcript() {
    compare(&C);
}

#[test]
fn lessons_in_raw_rust_print_what_c_prints() {
    compare(&RAW);
}

#[test]
fn lessons_in_safe_rust_print_what_c_prints_or_declare_it() {
    compare(&SAFE);
}

#[test]
fn lessons_in_python_print_what_c_prints_or_declare_it() {
    compare(&PYTHON);
}

/// The pictures of `docs/pictures/` are those that its program draws from the layout of this system.
#[test]
#[cfg(target_pointer_width = "64")]
fn pictures_are_those_that_are_drawn() {
    if !installed("python3") || !installed("cc") {
        return;
    }
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/pictures/draw.py");
    let mut python = std::process::Command::new("python3");
    let output = python.args(["-I", program, "--check"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn lessons_have_the_same_steps_in_every_lane_and_fit_on_a_page() {
    for lesson in lessons() {
        let name = lesson.name();
        let titles = |text: &str| {
            let titles = steps(text).into_iter().map(|step| step.title);
            titles.collect::<Vec<_>>()
        };
        let c = titles(&lesson.read(C.file));
        for (index, title) in c.iter().enumerate() {
            let number = format!("{}. ", index + 1);
            assert!(title.starts_with(&number), "{name}: {title}");
        }
        assert!(c.len() >= 2, "{name}: {c:?}");
        let has_capi = lesson.0.join("capi.c").exists();
        let files = LANES.iter().map(|lane| lane.file);
        for file in files.chain(has_capi.then_some("capi.c")) {
            let text = lesson.read(file);
            let most = match name.starts_with("11_") {
                true => MAX_LINES_OF_DAEMON,
                false => MAX_LINES,
            };
            let lines = text.lines().count();
            assert!(lines <= most, "{name}/{file} has {lines} lines");
            for line in text.lines() {
                let columns = line.chars().count();
                assert!(columns <= MAX_COLUMNS, "{name}/{file}: too wide: {line}");
            }
            assert_eq!(titles(&text), c, "{name}: the steps of {file} and main.c");
            let question = text.lines().next().unwrap_or_default();
            let heading = lesson.read("README.md");
            let heading = heading.lines().next().unwrap_or_default().to_owned();
            let number = &name[..2];
            let asked = heading.trim_start_matches(&format!("# {number} "));
            assert!(
                question.contains(asked),
                "{name}/{file}: {question}: {asked}"
            );
        }
    }
}
