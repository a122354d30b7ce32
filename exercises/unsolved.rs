//! The exercises as they are before they are solved.

use crate::checks;

#[path = "08_abstract/exercise.rs"]
mod abstract_names;
#[path = "01_address/exercise.rs"]
mod address;
#[path = "11_daemon/exercise.rs"]
mod daemon;
#[path = "07_descriptors/exercise.rs"]
mod descriptors;
#[path = "03_file/exercise.rs"]
mod file;
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

/// The exercises: the lesson, and the check of its answer in Rust.
pub(crate) const EXERCISES: [(&str, fn()); 11] = [
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
