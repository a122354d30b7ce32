//! Measures the price of safety. `libraries/price.rs` does the same work without each guarantee and
//! with it.

use crate::Result;
use crate::build;
use crate::measure::{self, Work};
use crate::page::{self, Table, number};

/// The same work in several steps, each of which has one more guarantee than the step before.
const LADDERS: [&[(&str, &str)]; 8] = [
    &[
        (
            "address20.unchecked",
            "address from a path of 20 bytes, nothing checked",
        ),
        ("address20.bounded", "+ neither empty nor too long"),
        ("address20.no_nul", "+ no NUL inside, by memchr"),
        (
            "address20.in_place",
            "sunpath: + an error with the place; written into an existing value, with its length",
        ),
        ("address20.new", "+ every byte of a new value is set"),
        ("address20.returned", "+ returned in a Result"),
    ],
    &[
        (
            "address107.unchecked",
            "address from a path of 107 bytes, nothing checked",
        ),
        ("address107.bounded", "+ neither empty nor too long"),
        ("address107.no_nul", "+ no NUL inside, by memchr"),
        (
            "address107.in_place",
            "sunpath: + an error with the place; written into an existing value, with its length",
        ),
        ("address107.new", "+ every byte of a new value is set"),
        ("address107.returned", "+ returned in a Result"),
    ],
    &[
        (
            "parse20.trusting",
            "path of 20 bytes read back, the kernel's length trusted",
        ),
        (
            "parse20.counted",
            "sunpath: + any length, never past the struct",
        ),
        (
            "parse20.searched",
            "+ any bytes: up to the first NUL, if another program made it",
        ),
        (
            "parse20.kept",
            "+ a copy of the struct that outlives it: UnixAddr::from_raw, and its name",
        ),
    ],
    &[
        (
            "parse107.trusting",
            "path of 107 bytes read back, the kernel's length trusted",
        ),
        (
            "parse107.counted",
            "sunpath: + any length, never past the struct",
        ),
        (
            "parse107.searched",
            "+ any bytes: up to the first NUL, if another program made it",
        ),
        (
            "parse107.kept",
            "+ a copy of the struct that outlives it: UnixAddr::from_raw, and its name",
        ),
    ],
    &[
        ("send.once", "one byte sent and received"),
        ("send.no_signal", "+ no SIGPIPE"),
        ("send.again", "+ sent again after EINTR"),
        (
            "send.all",
            "sunpath: + a typed error, a timeout that ends under signals",
        ),
    ],
    &[
        ("socket.number", "socket made and closed, a number"),
        ("socket.cloexec", "+ close-on-exec when it is made"),
        ("socket.owned", "+ owned, closed on every way out"),
        ("socket.all", "sunpath: + a typed error"),
    ],
    &[
        (
            "datagram.cut",
            "datagram received, truncated if the buffer is too small",
        ),
        ("datagram.said", "+ rejected if it was truncated"),
        (
            "datagram.all",
            "sunpath: + its true length, a typed error, a timeout that ends under signals",
        ),
    ],
    &[
        (
            "passed.number",
            "descriptor passed, the receiver trusts the sender; a number",
        ),
        (
            "passed.owned",
            "+ close-on-exec when it is made, owned, closed on every way out",
        ),
        (
            "passed.all",
            "sunpath: + any control message walked, truncation reported, no leak; a typed error",
        ),
    ],
];

pub fn run() -> Result<()> {
    build::rust(&["--bin", "price"])?;
    let candidate = build::program("price")?;
    let steps: Vec<_> = LADDERS.iter().flat_map(|ladder| ladder.iter()).collect();
    let counts = measure::each(&steps, |(key, title)| {
        Ok(measure::count(&candidate, &Work::short(key, title))?.instructions)
    })?;
    let mut counts = counts.into_iter();
    let mut table = Table::new(&["guarantee", "instructions", "more than without"]);
    for ladder in LADDERS {
        let mut before = None;
        for ((_, title), count) in ladder.iter().zip(&mut counts) {
            // Adding 0.0 makes 0 of -0, to which a small negative difference is rounded.
            let more = |before: f64| format!("{:+.0}", (count - before).round() + 0.0);
            let more = before.map_or(String::new(), more);
            table.row(&[(*title).to_owned(), number(count), more]);
            before = Some(count);
        }
    }
    page::publish("price", &table.to_string())
}
