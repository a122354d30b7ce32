//! Converts all inputs over `sunpath`, without a system call, and prints the same lines as
//! `convert.c`.

use std::io::{self, BufWriter, Write};

use sunpath::sys::{sockaddr_un, socklen_t, sun_path};
use sunpath::{Errno, SunPath, SunPathError, UnixAddr};
use sunpath_c_tests::notation::{Bytes, read_bytes};

const PATH_LENGTHS: usize = 300;
const ABSTRACT_LENGTHS: usize = 112;

// 1. Make the input: at most one NUL, and bytes that differ from their neighbours, so that a
//    shifted copy is visible.

fn fill(size: usize, nul: Option<usize>) -> Vec<u8> {
    let byte = |i| {
        if Some(i) == nul {
            0
        } else {
            (1 + (i * 7 + 13) % 255) as u8
        }
    };
    (0..size).map(byte).collect()
}

/// Returns the kind and the length of the input, and the place of its NUL, as text.
fn input(kind: &str, size: usize, nul: Option<usize>) -> String {
    let nul = nul.map_or("-".to_owned(), |nul| nul.to_string());
    format!("{kind} {size} {nul}")
}

// 2. Print the result: the length and a hash of the whole struct, or the error.

fn fnv1a(addr: &sockaddr_un) -> u64 {
    let family = addr.sun_family.to_ne_bytes();
    let path = addr.sun_path.map(|byte| byte as u8);
    family
        .iter()
        .chain(&path)
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

fn outcome(made: Result<UnixAddr, SunPathError>) -> String {
    match made {
        Ok(addr) => format!("ok {} {:016x}", addr.len(), fnv1a(addr.as_sockaddr_un())),
        Err(SunPathError::Empty) => "EMPTY".to_owned(),
        Err(SunPathError::InteriorNul { at }) => format!("NUL at {at}"),
        Err(SunPathError::TooLong { len, max }) => format!("TOO LONG {len} {max}"),
        Err(error) => error.to_string(),
    }
}

fn make_pathname(path: &[u8]) -> String {
    outcome(UnixAddr::from_pathname(path))
}

fn make_abstract(name: &[u8]) -> String {
    outcome(UnixAddr::from_abstract(name))
}

// 3. Read addresses: each of these contents with every length.

const CONTENTS: [&str; 7] = [
    r#""f{108}""#,         // unterminated
    r#""t{107}\0""#,       // terminated where the struct ends
    r#""short\0{103}""#,   // terminated early
    r#""m{50}\0n{57}""#,   // a NUL in the middle
    r#""\0x{107}""#,       // a NUL first
    r#""\0x{50}\0y{56}""#, // a NUL first and one in the middle
    r#""\0{108}""#,        // only NULs
];

/// Reads an address. `UnixAddr` refuses a length that the kernel does not return. `sun_path` takes
/// every length, and reads the address in that case.
fn read_address(addr: sockaddr_un, len: socklen_t) -> String {
    let safe = UnixAddr::from_raw(addr, len);
    let name = match &safe {
        Ok(safe) => safe.name(),
        Err(error) => {
            assert_eq!(error.errno(), Errno::EINVAL);
            sun_path(&addr, len)
        }
    };
    let (kind, name) = match name {
        SunPath::Unnamed => ("unnamed", &[][..]),
        SunPath::Pathname(path) => ("pathname", path),
        SunPath::Abstract(name) => ("abstract", name),
    };
    format!("{kind} {}", Bytes(name))
}

// 4. Convert all lengths and all places of a NUL.

pub(crate) fn main() -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());

    for size in 0..=PATH_LENGTHS {
        for nul in (0..size).map(Some).chain([None]) {
            let path = fill(size, nul);
            writeln!(
                out,
                "{} {}",
                input("pathname", size, nul),
                make_pathname(&path)
            )?;
        }
    }

    for size in 0..=ABSTRACT_LENGTHS {
        for nul in (0..size).map(Some).chain([None]) {
            let name = fill(size, nul);
            writeln!(
                out,
                "{} {}",
                input("abstract", size, nul),
                make_abstract(&name)
            )?;
        }
    }

    for (which, content) in CONTENTS.iter().enumerate() {
        let (bytes, _) = read_bytes(content).expect("the contents are in the notation");
        let mut addr = *UnixAddr::unnamed().as_sockaddr_un();
        for (to, from) in addr.sun_path.iter_mut().zip(bytes) {
            *to = from as _;
        }
        for len in (0..=PATH_LENGTHS as socklen_t).chain([65535, 0x7fff_ffff, 0xffff_ffff]) {
            writeln!(out, "read {which} {len} {}", read_address(addr, len))?;
        }
    }
    out.flush()
}
