//! Runs every lane of every lesson in four bad situations: the path cannot be used, nobody listens,
//! the program may not write, and the directory no longer exists. The program explains the cause,
//! or prints what it always prints because it needs none of these.

use sunpath_c_tests::lane::skip;
use sunpath_c_tests::python;

use crate::assert_left_nothing;
use crate::lesson::{LANES, Lane, Lesson, fresh, lessons, run_in};
use crate::limited::{Limit, NO_DIRECTORY, NO_PERMISSION, NOBODY_LISTENS, explanation};

/// The lessons that make a file in the working directory.
const WITH_A_FILE: [&str; 8] = ["01", "02", "03", "04", "05", "09", "10", "11"];

/// Runs these lessons in one lane under a limit. Returns the numbers of the lessons that it stops, or
/// nothing if the lane needs Python and there is none.
fn stopped_in(lane: &Lane, limit: &Limit, lessons: &[Lesson]) -> Option<Vec<String>> {
    let mut numbers = Vec::new();
    for lesson in lessons {
        let dir = fresh();
        let output = limit.run(dir.path(), lesson.command(lane)?, run_in);
        let name = format!("{} {}", lesson.name(), lane.file);
        let expected = lesson.transcript().of_lane(lane.letter);
        if limit.stops(&name, &expected, output) {
            numbers.push(lesson.name()[..2].to_owned());
        }
    }
    Some(numbers)
}

/// Runs all lessons in every lane under a limit, and asserts that it stops these in each lane.
#[track_caller]
fn assert_stopped(limit: &Limit, expected: &[&str]) {
    if !limit.is_possible(fresh().path()) {
        let _ = skip(limit.need);
        return;
    }
    let lessons = lessons();
    for lane in &LANES {
        match stopped_in(lane, limit, &lessons) {
            Some(numbers) => assert_eq!(numbers, expected, "{}", lane.file),
            None => {
                let _ = skip(python::NEED);
            }
        }
    }
}

/// Runs every lane of the lessons that take a path with one that the program cannot use. The program has
/// to fail, to print nothing but the call that failed, and to explain the cause with the path. Each lane
/// prints at least one of these words.
#[track_caller]
fn assert_path_explained(path: &str, causes: &[&str]) {
    for lane in &LANES {
        for lesson in lessons().iter().filter(|lesson| lesson.takes_a_path()) {
            let dir = fresh();
            let Some(mut command) = lesson.command(lane) else {
                let _ = skip(python::NEED);
                break;
            };
            command.arg(path);
            let output = run_in(dir.path(), command);
            let name = format!("{} {} {path:?}", lesson.name(), lane.file);
            assert_left_nothing(dir.path(), &name);
            let expected = lesson.transcript().of_lane(lane.letter);
            let explained = explanation(&name, &expected, causes, output);
            let explained = explained.unwrap_or_else(|| panic!("{name}: does not fail"));
            assert!(explained.contains(path), "{name}: {explained}");
        }
    }
}

#[test]
fn lessons_explain_a_path_that_is_empty_or_too_long() {
    assert_path_explained("", &["empty"]);
    assert_path_explained(&"x".repeat(200), &["too long", "200 bytes"]);
}

#[test]
fn lessons_explain_a_directory_that_does_not_exist() {
    assert_path_explained("missing/a.sock", &["No such file or directory", "ENOENT"]);
}

#[test]
fn lessons_explain_that_no_server_listens() {
    let expected = ["02", "04", "05", "08", "09", "10", "11"];
    assert_stopped(&NOBODY_LISTENS, &expected);
}

#[test]
fn lessons_explain_a_directory_in_which_they_may_not_write() {
    assert_stopped(&NO_PERMISSION, &WITH_A_FILE);
}

#[test]
fn lessons_explain_a_directory_that_was_removed() {
    assert_stopped(&NO_DIRECTORY, &WITH_A_FILE);
}
