//! Socket files over `sunpath-sys`: the same calls as in `../c`, file by file, and the same lines. Works
//! in the current directory, which should be empty and the program's own.

mod address;
#[allow(dead_code, reason = "this suite needs a part of it")]
#[path = "../../common/around.rs"]
mod around;
mod bind;
mod connect;
mod constructor;
#[allow(dead_code, reason = "this suite needs a part of it")]
#[path = "../../common/descriptors.rs"]
mod descriptors;
#[path = "../../common/file.rs"]
mod file;
mod inode;
#[path = "../../common/line.rs"]
mod line;
mod paths;
#[allow(dead_code, reason = "this suite needs a part of it")]
#[path = "../../common/process.rs"]
mod process;
mod replace;
mod servers;
#[path = "../../common/socket_raw.rs"]
mod socket;
mod takeover;
#[path = "../../common/words.rs"]
mod words;

use std::{env, fs};

use descriptors::open_descriptors;

macro_rules! cases {
    ($(CASE($id:ident, $name:ident, $needs:ident, $file:ident, $title:literal))*) => {
        const CASES: &[(&str, fn())] = &[
            $((concat!(stringify!($id), ".", stringify!($name)), $file::$name)),*
        ];
    };
}
include!(concat!(env!("OUT_DIR"), "/files_cases.rs"));

/// Runs a case in a directory of its own, and says how many descriptors it left open, which should be
/// none.
fn run_case(id: &str, run: fn()) {
    let before = open_descriptors();
    fs::create_dir(id).expect("the directory is empty");
    env::set_current_dir(id).expect("it was made");
    run();
    env::set_current_dir("..").expect("it is below");
    let after = open_descriptors();
    if after != before {
        print!("; leaked {}", after as isize - before as isize);
    }
}

fn main() {
    process::begin();
    descriptors::allow_usual();
    for (id, case) in CASES.iter().filter(|(id, _)| process::wants(id)) {
        print!("{id}\t");
        line::begin();
        run_case(id, *case);
        println!();
    }
}
