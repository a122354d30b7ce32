//! The solutions of the exercises, and a proof that each exercise fails until it is solved.
#![cfg(all(target_os = "linux", feature = "std", feature = "files"))]

// cc compiles for this machine, and a static program cannot load what it makes.
#[cfg(all(target_env = "gnu", target_arch = "x86_64"))]
mod c;
mod checks;
#[path = "../tests/fresh/mod.rs"]
mod fresh;
#[cfg(all(target_env = "gnu", target_arch = "x86_64"))]
#[path = "../tests/skip/mod.rs"]
mod skip;
#[path = "solutions/08_abstract/solution.rs"]
mod solved_abstract_names;
#[path = "solutions/01_address/solution.rs"]
mod solved_address;
#[path = "solutions/11_daemon/solution.rs"]
mod solved_daemon;
#[path = "solutions/07_descriptors/solution.rs"]
mod solved_descriptors;
#[path = "solutions/03_file/solution.rs"]
mod solved_file;
#[path = "solutions/09_long/solution.rs"]
mod solved_long;
#[path = "solutions/10_many/solution.rs"]
mod solved_many;
#[path = "solutions/06_messages/solution.rs"]
mod solved_messages;
#[path = "solutions/05_names/solution.rs"]
mod solved_names;
#[path = "solutions/04_permission/solution.rs"]
mod solved_permission;
#[path = "solutions/02_stream/solution.rs"]
mod solved_stream;
#[path = "unsolved.rs"]
mod unsolved;

use std::panic;
#[cfg(all(target_env = "gnu", target_arch = "x86_64"))]
use std::path::{Path, PathBuf};
#[cfg(all(target_env = "gnu", target_arch = "x86_64"))]
use std::process::Command;

/// The exercises: the lesson, and the check of its answer in Rust.
const EXERCISES: [(&str, fn()); 11] = [
    ("01_address", || {
        checks::address(solved_address::address_length)
    }),
    ("02_stream", || {
        checks::stream(solved_stream::receive_exactly)
    }),
    ("03_file", || checks::file(solved_file::is_dead)),
    ("04_permission", || {
        checks::permission(|path| solved_permission::bind_private(path).ok())
    }),
    ("05_names", || checks::names(solved_names::is_our_user)),
    ("06_messages", || {
        checks::messages(solved_messages::receive_whole)
    }),
    ("07_descriptors", || {
        checks::descriptors(solved_descriptors::receive_one)
    }),
    ("08_abstract", || {
        checks::abstract_names(|name| solved_abstract_names::connect_abstract(name).ok())
    }),
    ("09_long", || {
        checks::long(|dir, name| solved_long::connect_long(&dir.join(name)).ok())
    }),
    ("10_many", || checks::many(solved_many::accept_all)),
    ("11_daemon", || {
        checks::daemon(|path| solved_daemon::start(path).ok())
    }),
];

#[test]
fn solutions_in_rust_pass() {
    for (_, check) in EXERCISES {
        check();
    }
}

#[test]
#[cfg(all(target_env = "gnu", target_arch = "x86_64"))]
fn solutions_in_c_pass() {
    if !has_compiler() {
        return;
    }
    for (exercise, _) in EXERCISES {
        c::check(
            exercise,
            &root().join("solutions").join(exercise).join("solution.c"),
        );
    }
}

#[test]
fn exercises_in_rust_fail_until_they_are_solved() {
    for (exercise, check) in unsolved::EXERCISES {
        assert!(panic::catch_unwind(check).is_err(), "{exercise} is solved");
    }
}

#[test]
#[cfg(all(target_env = "gnu", target_arch = "x86_64"))]
fn exercises_in_c_fail_until_they_are_solved() {
    if !has_compiler() {
        return;
    }
    for (exercise, _) in EXERCISES {
        let source = root().join(exercise).join("exercise.c");
        let check = || c::check(exercise, &source);
        let failed = panic::catch_unwind(panic::AssertUnwindSafe(check));
        let failed = failed.expect_err("an exercise that is not solved");
        // It fails because it is not solved, and not because it does not compile.
        let message = failed.downcast_ref::<String>();
        let compiled = message.is_none_or(|message| !message.contains("exercise.c"));
        assert!(compiled, "{exercise}: {message:?}");
    }
}

#[cfg(all(target_env = "gnu", target_arch = "x86_64"))]
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("exercises")
}

#[cfg(all(target_env = "gnu", target_arch = "x86_64"))]
fn has_compiler() -> bool {
    let found = Command::new("cc").arg("--version").output().is_ok();
    if !found {
        skip::skip_uninstalled("cc");
    }
    found
}
