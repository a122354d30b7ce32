//! Compares the table of cancellation with the tests and with the sources.

use std::fs;
use std::path::Path;

use crate::alone;

/// The methods in the table of `src/lib.rs`, each with its type.
fn rows() -> Vec<(&'static str, &'static str)> {
    let docs = include_str!("../../src/lib.rs");
    let table = docs.split("//! # Cancellation").nth(1).unwrap();
    let table = table.split("//! # ").next().unwrap();
    let rows = table.lines().filter_map(|row| row.strip_prefix("//! | "));
    let cells = rows.map(|row| row.split(" | ").next().unwrap());
    cells
        .flat_map(|cell| cell.split(", "))
        .filter_map(|method| {
            // A link is [`Type::name`] or [`name`](Type::name).
            let text = method.split('`').nth(1)?;
            let link = method
                .split_once('(')
                .map_or(text, |(_, link)| link.trim_end_matches(')'));
            Some(link.split_once("::").unwrap_or(("traits", text)))
        })
        .collect()
}

/// Every method in the table has a test here: its name begins with that of the type.
#[test]
fn table_has_a_test_of_every_row() {
    let tests = include_str!("main.rs");
    let tests: Vec<&str> = tests
        .lines()
        .filter_map(|line| {
            let line = line.trim_start().trim_start_matches("fn ");
            line.split([':', '(']).next()
        })
        .collect();
    for (kind, name) in rows() {
        let kind = match kind {
            "SendAll" => "send_all",
            "RecvExact" => "recv_exact",
            "SocketExt" => "tokio",
            kind => &kind.trim_start_matches("Unix").to_lowercase(),
        };
        let test = format!("{kind}_{name}");
        let is_tested = tests.iter().any(|known| {
            let several = known.starts_with(&format!("{test}_and_"));
            several || known.ends_with(&test) || known.ends_with(&format!("_and_{name}"))
        });
        assert!(is_tested, "no test of {test}");
    }
}

/// Every function that returns a future has a row in the table.
#[test]
fn table_has_every_future() {
    let _alone = alone(); // It opens files.
    let rows = rows();
    let mut futures = 0;
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in fs::read_dir(src).unwrap().map(|file| file.unwrap().path()) {
        let kinds: &[&str] = match file.file_stem().unwrap().to_str().unwrap() {
            "ancillary" | "socket" => &["Socket"],
            "borrowed" => &["SocketExt"],
            "connect" | "stream" => &["UnixStream"],
            "datagram" => &["UnixDatagram"],
            "incoming" => &["Incoming"],
            "listener" => &["Listener"],
            "message" => &["UnixSeqpacket"],
            "resume" => &["SendAll", "RecvExact"],
            _ => &[],
        };
        let text = fs::read_to_string(&file).unwrap();
        let text = text.split("mod sealed").next().unwrap(); // It is private to the package.
        for (at, _) in text.match_indices("fn ") {
            let is_async = text[..at].ends_with("pub async ");
            let signature = text[at + 3..].split([';', '{']).next().unwrap();
            if !is_async && !signature.contains("-> impl Future") {
                continue;
            }
            let name = signature.split(['<', '(']).next().unwrap();
            assert!(!kinds.is_empty(), "{}: name its type here", file.display());
            for kind in kinds {
                assert!(rows.contains(&(*kind, name)), "no row for {kind}::{name}");
            }
            futures += 1;
        }
    }
    assert!(futures > 40, "the sources have been found");
}
