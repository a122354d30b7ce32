//! Compares the values of one table from three sources: the C compiler, `sunpath-sys`, and the
//! checked-in output of bindgen.
#![cfg(target_os = "linux")]

#[allow(dead_code, reason = "C is the only lane here")]
mod lanes;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::mem::{align_of, offset_of, size_of};

use lanes::LANES;

/// The name of a line of the table, and its value.
type Line = (String, i128);

include!(concat!(env!("OUT_DIR"), "/witness.rs"));

/// Returns the size of the field that a closure names.
const fn size_of_field<S, F>(_field: fn(&S) -> &F) -> usize {
    size_of::<F>()
}

/// Returns the name of the line about an errno, which contains the result of `errno_name`.
fn errno_line(errno: i32) -> String {
    format!(
        "errno {}",
        sunpath_sys::errno_name(errno).unwrap_or("without a name")
    )
}

/// Returns C's value for each line, or `None` if the headers are too old for the name.
fn c_witness(printed: &str) -> Vec<(&str, Option<i128>)> {
    let line = |line| str::split_once(line, '\t').expect("a line of C is a name and a value");
    printed
        .lines()
        .map(line)
        .map(|(name, value)| (name, value.parse().ok()))
        .collect()
}

#[test]
fn layout_of_three_witnesses_is_equal() {
    let printed = LANES[0].run("layout", &[], b"").expect("the program runs");
    let c = c_witness(&printed);
    let c = || c.iter().filter(|(name, _)| !name.starts_with("CMSG_"));
    let sys = BTreeMap::from_iter(sys_witness());
    let bindgen = BTreeMap::from_iter(bindgen_witness());
    let mut differing = String::new();
    let mut missing = Vec::new();

    let shown = |value: Option<i128>| value.map_or("-".to_owned(), |value| value.to_string());
    for (name, c) in c() {
        let values = [*c, sys.get(*name).copied(), bindgen.get(*name).copied()];
        if c.is_none() {
            missing.push(*name);
        }
        let mut said = values.into_iter().flatten();
        let first = said.next();
        // `sunpath-sys` must have a value, and C or bindgen must have one, too. One of the two may
        // lack a value, because bindgen does not have every name, and headers can be too old.
        if values[1].is_none() || said.clone().next().is_none() || said.any(|v| Some(v) != first) {
            let [c, sys, bindgen] = values.map(shown);
            let _ = writeln!(differing, "{name:45} {c:>12} {sys:>12} {bindgen:>12}");
        }
    }
    for name in sys
        .keys()
        .chain(bindgen.keys())
        .filter(|name| !c().any(|(c, _)| c == name))
    {
        let _ = writeln!(differing, "{name:45} C does not print this line");
    }

    // The lines that were not compared are written to standard error directly, because libtest
    // would hide them.
    let mut note = format!(
        "layout: {} lines, bindgen's from {BINDINGS:?}\n",
        c().count()
    );
    for name in missing {
        let _ = writeln!(note, "layout: {name} is not in this system's headers");
    }
    let _ = io::stderr().write_all(note.as_bytes());
    assert!(
        differing.is_empty(),
        "{:45} {:>12} {:>12} {:>12}\n{differing}",
        "the witnesses differ",
        "C",
        "sunpath-sys",
        "bindgen"
    );
}

#[test]
fn layout_has_all_three_witnesses_where_bindings_are_checked_in() {
    let expected = cfg!(all(
        target_env = "gnu",
        target_arch = "x86_64",
        target_pointer_width = "64"
    ));
    assert!(
        !expected || bindgen_witness().len() > 100,
        "bindgen's output is not in {BINDINGS:?}"
    );
}

#[test]
fn layout_of_cmsg_is_equal_over_every_length() {
    let printed = LANES[0].run("layout", &[], b"").expect("the program runs");
    let c: Vec<_> = c_witness(&printed)
        .into_iter()
        .filter(|(name, _)| name.starts_with("CMSG_"))
        .map(|(name, value)| (name.to_owned(), value.expect("C has the macro")))
        .collect();
    let mut sys = Vec::new();
    for n in 0..=2048 {
        sys.push((
            format!("CMSG_ALIGN({n})"),
            sunpath_sys::CMSG_ALIGN(n) as i128,
        ));
        sys.push((format!("CMSG_LEN({n})"), sunpath_sys::CMSG_LEN(n) as i128));
        sys.push((
            format!("CMSG_SPACE({n})"),
            sunpath_sys::CMSG_SPACE(n) as i128,
        ));
    }
    assert_eq!(c.len(), 3 * 2049);
    let differing = c.iter().zip(&sys).find(|(c, sys)| c != sys);
    assert_eq!(differing, None, "C on the left, sunpath-sys on the right");
}
