//! Binds thousands of abstract names in two ways, and compares how long a connect takes.
//!
//! ```sh
//! ulimit -n 20000 && cargo run --release --example many_names
//! ```
//!
//! Linux keeps the abstract names of a network namespace in 256 lists, and a connect compares its
//! name with every name of one list. Which list it is depends on a sum over the bytes of the name and
//! on the type of the socket. Names that differ in decimal digits alone have few different sums, so a
//! few lists have nearly all of them. A name that contains a mixed number, too, is in any list.
//!
//! Sockets with a path do not need this: their list depends on the number of the inode.

use std::error::Error;
use std::time::{Duration, Instant};

use sunpath::{UnixAddr, UnixDatagram, UnixListener, UnixStream};

type Name = fn(u64) -> String;
type Outcome<T> = Result<T, Box<dyn Error>>;

const NAMES: u64 = 10_000;
const ROUNDS: usize = 9;
const CONNECTS: u64 = 2_000;

/// A name as most programs make it: a word and a number.
fn plain(id: u64) -> String {
    format!("example-{}-session-{id:08}", std::process::id())
}

/// A name with the number mixed by a multiplication, which server and client both compute. The factor
/// is 2 to the power of 64, divided by the golden ratio. Different numbers stay different, because it
/// is odd. Any other function that mixes works as well, unless it may change from version to version
/// as std's hasher does.
fn spread(id: u64) -> String {
    let mixed = id.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("example-{}-session-{mixed:016x}", std::process::id())
}

fn main() -> Outcome<()> {
    for (title, name) in [("plain", plain as Name), ("spread", spread)] {
        let (used, length) = lists(name);
        println!(
            "{title}: {used} of 256 lists are used, and a name is in a list of {length:.0} on average"
        );
    }
    compare(
        "connect of a datagram socket, which only looks the name up",
        datagrams,
    )?;
    compare("a new connection of a stream", streams)
}

/// Compares the two ways to make names. They run in turn, so that other load of the machine affects
/// both.
fn compare(title: &str, took: fn(Name) -> Outcome<Duration>) -> Outcome<()> {
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        ratios.push(took(plain)?.as_secs_f64() / took(spread)?.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    let (low, median, high) = (ratios[0], ratios[ROUNDS / 2], ratios[ROUNDS - 1]);
    println!(
        "{title}: {median:.1} times faster with spread names, {NAMES} of them ({low:.1} to {high:.1})"
    );
    Ok(())
}

fn addr(name: Name, id: u64) -> Outcome<UnixAddr> {
    Ok(UnixAddr::from_abstract(name(id).as_bytes())?)
}

/// Makes a socket for each name by `bind`.
fn bind_all<T>(name: Name, bind: fn(&UnixAddr) -> Result<T, sunpath::Error>) -> Outcome<Vec<T>> {
    let bind_one = |id| {
        bind(&addr(name, id)?).map_err(|error| {
            format!("name {id}: {error}. Each name needs a descriptor: ulimit -n 20000").into()
        })
    };
    (0..NAMES).map(bind_one).collect()
}

/// Returns the numbers of names in no order.
fn some() -> impl Iterator<Item = u64> {
    (0..CONNECTS).map(|i| i * 7919 % NAMES)
}

/// Binds datagram sockets to all names, and returns how long it takes to connect to some of them.
fn datagrams(name: Name) -> Outcome<Duration> {
    let _bound = bind_all(name, UnixDatagram::bind_addr)?;
    let client = UnixDatagram::unbound()?;
    let addrs = some()
        .map(|id| addr(name, id))
        .collect::<Outcome<Vec<_>>>()?;
    let start = Instant::now();
    for addr in &addrs {
        client.connect_to(addr)?;
    }
    Ok(start.elapsed())
}

/// Binds listeners to all names, and returns how long it takes to connect to some of them.
fn streams(name: Name) -> Outcome<Duration> {
    let listeners = bind_all(name, UnixListener::bind_addr)?;
    let mut took = Duration::ZERO;
    for id in some() {
        let addr = addr(name, id)?;
        let start = Instant::now();
        let client = UnixStream::connect_addr(&addr)?;
        took += start.elapsed();
        // The connection leaves the queue again.
        drop((listeners[id as usize].accept()?, client));
    }
    Ok(took)
}

/// Returns how many lists the names use, and the length of a name's list on average.
fn lists(name: Name) -> (usize, f64) {
    let mut lengths = [0_u64; 256];
    for id in 0..NAMES {
        lengths[list(name(id).as_bytes())] += 1;
    }
    let used = lengths.iter().filter(|length| **length > 0).count();
    let squares: u64 = lengths.iter().map(|length| length * length).sum();
    (used, squares as f64 / NAMES as f64)
}

/// Returns the number of the list for a stream socket with this name, as `unix_abstract_hash` of
/// Linux computes it from the address: the Internet checksum, its two bytes combined, and the type.
fn list(name: &[u8]) -> usize {
    const SOCK_STREAM: u32 = 1;
    let family = 1_u16.to_ne_bytes();
    let addr: Vec<u8> = [&family[..], &[0], name].concat();
    let word = |pair: &[u8]| u16::from_ne_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]);
    let mut sum: u32 = addr.chunks(2).map(|pair| u32::from(word(pair))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let sum = !sum & 0xffff;
    ((sum ^ sum >> 8 ^ SOCK_STREAM) & 0xff) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_are_spread_over_all_lists() {
        let even = NAMES as f64 / 256.0;
        let (used, length) = lists(spread);
        assert!(used == 256 && length < 1.3 * even, "{used} {length}");
        let (used, length) = lists(plain);
        assert!(used < 128 && length > 5.0 * even, "{used} {length}");
    }
}
