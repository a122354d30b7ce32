//! The exercises: `cargo test --test exercises` fails until all are solved, and
//! `cargo test --test exercises 03` is about one of them. README.md says how to begin.
#![cfg(all(target_os = "linux", feature = "std", feature = "files"))]

#[path = "08_abstract/exercise.rs"]
mod abstract_names;
#[path = "01_address/exercise.rs"]
mod address;
mod c;
mod checks;
#[path = "11_daemon/exercise.rs"]
mod daemon;
#[path = "07_descriptors/exercise.rs"]
mod descriptors;
#[path = "03_file/exercise.rs"]
mod file;
#[path = "../tests/fresh/mod.rs"]
mod fresh;
#[path = "09_long/exercise.rs"]
mod long;
#[path = "10_many/exercise.rs"]
mod many;
#[path = "06_messages/exercise.rs"]
mod messages;
#[path = "05_names/exercise.rs"]
mod names;
#[path = "04_permission/exercise.rs"]
mod permission;
#[path = "02_stream/exercise.rs"]
mod stream;

use std::path::Path;

/// The exercises: the lesson, and the check of its answer in Rust.
const EXERCISES: [(&str, fn()); 11] = [
    ("01_address", || checks::address(address::address_length)),
    ("02_stream", || checks::stream(stream::receive_exactly)),
    ("03_file", || checks::file(file::is_dead)),
    ("04_permission", || {
        checks::permission(|path| permission::bind_private(path).ok())
    }),
    ("05_names", || checks::names(names::is_our_user)),
    ("06_messages", || checks::messages(messages::receive_whole)),
    ("07_descriptors", || {
        checks::descriptors(descriptors::receive_one)
    }),
    ("08_abstract", || {
        checks::abstract_names(|name| abstract_names::connect_abstract(name).ok())
    }),
    ("09_long", || {
        checks::long(|dir, name| long::connect_long(&dir.join(name)).ok())
    }),
    ("10_many", || checks::many(many::accept_all)),
    ("11_daemon", || {
        checks::daemon(|path| daemon::start(path).ok())
    }),
];

fn check_in_c(exercise: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("exercises");
    c::check(exercise, &root.join(exercise).join("exercise.c"));
}

fn check_in_rust(exercise: &str) {
    let found = EXERCISES.iter().find(|(name, _)| *name == exercise);
    found.expect("the exercise is in the table").1();
}

/// Makes the two tests of each exercise.
macro_rules! tests {
    ($($c:ident $rust:ident $exercise:literal;)*) => {$(
        #[test]
        fn $c() {
            check_in_c($exercise);
        }

        #[test]
        fn $rust() {
            check_in_rust($exercise);
        }
    )*};
}

tests! {
    exercise_01_address_in_c exercise_01_address_in_rust "01_address";
    exercise_02_stream_in_c exercise_02_stream_in_rust "02_stream";
    exercise_03_file_in_c exercise_03_file_in_rust "03_file";
    exercise_04_permission_in_c exercise_04_permission_in_rust "04_permission";
    exercise_05_names_in_c exercise_05_names_in_rust "05_names";
    exercise_06_messages_in_c exercise_06_messages_in_rust "06_messages";
    exercise_07_descriptors_in_c exercise_07_descriptors_in_rust "07_descriptors";
    exercise_08_abstract_in_c exercise_08_abstract_in_rust "08_abstract";
    exercise_09_long_in_c exercise_09_long_in_rust "09_long";
    exercise_10_many_in_c exercise_10_many_in_rust "10_many";
    exercise_11_daemon_in_c exercise_11_daemon_in_rust "11_daemon";
}
