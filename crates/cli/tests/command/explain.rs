//! `sunpath explain`.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;

use serde_json::Value;

use super::{Ran, run, sunpath};

fn explain(arguments: &[&str]) -> Ran {
    run(sunpath(["explain"]).args(arguments))
}

#[test]
fn explain_path_at_the_limit_fits_and_one_more_does_not() {
    for (len, status, first) in [
        (106, 0, "The path fits: it has 106 of 107 bytes."),
        (107, 0, "The path fits: it has 107 of 107 bytes."),
        (
            108,
            1,
            "The path is too long for one call: it has 108 bytes, and 107 fit.",
        ),
    ] {
        let ran = explain(&[&"p".repeat(len)]);
        assert_eq!((ran.status, ran.first()), (status, first));
    }
    for (len, status, first) in [
        (107, 0, "The abstract name fits: it has 107 of 107 bytes."),
        (
            108,
            1,
            "The abstract name is too long: it has 108 bytes, and 107 fit.",
        ),
    ] {
        let ran = explain(&[&format!("@{}", "n".repeat(len))]);
        assert_eq!((ran.status, ran.first()), (status, first));
    }
}

#[test]
fn explain_path_between_the_limits_names_the_systems() {
    let ran = explain(&[&"p".repeat(104)]);
    assert!(
        ran.out
            .contains("Linux, Android                       yes, at most 107"),
        "{}",
        ran.out
    );
    assert!(
        ran.out
            .contains("macOS, iOS                           no, 1 byte too long: at most 103")
    );
    let ran = explain(&[&"p".repeat(125)]);
    assert!(
        ran.out
            .contains("Haiku                                yes, at most 125"),
        "{}",
        ran.out
    );
}

#[test]
fn explain_name_that_no_file_system_takes() {
    let ran = explain(&[&format!("/tmp/{}", "n".repeat(256))]);
    let advice = "Choose a shorter name: no file system takes one of 256 bytes.";
    assert!(ran.out.contains(advice), "{}", ran.out);
    assert!(!ran.out.contains("anyway"), "{}", ran.out);
}

#[test]
fn explain_empty_names_are_told_apart() {
    let first = "The path is empty, and the kernel would make up an abstract name for it.";
    let ran = explain(&[""]);
    assert_eq!((ran.status, ran.first()), (1, first));
    let ran = explain(&["@"]);
    assert_eq!(
        (ran.status, ran.first()),
        (0, "The abstract name fits: it has 0 of 107 bytes.")
    );
}

#[test]
fn explain_quiet_is_the_first_line_and_json_has_it_too() {
    let whole = explain(&["/run/app.sock"]);
    let quiet = explain(&["-q", "/run/app.sock"]);
    assert_eq!(quiet.out.trim_end(), whole.first());
    let json: Value = serde_json::from_str(&explain(&["--json", "/run/app.sock"]).out).unwrap();
    assert_eq!(json["answer"], whole.first());
    assert_eq!(json["sockaddr_un_hex"], "01002f72756e2f6170702e736f636b00");
    assert_eq!((&json["length"], &json["fits"]), (&16.into(), &true.into()));
    assert_eq!(json["systems"].as_array().unwrap().len(), 11);
}

#[test]
fn explain_hostile_names_reach_neither_terminal_nor_json_raw() {
    for name in [&b"a\nb"[..], b"\x1b[2J", b"\xff\xfe", &[b'p'; 108], b"./@x"] {
        let name = OsStr::from_bytes(name);
        run(sunpath(["explain"]).arg(name)); // it checks the output
        let ran = run(sunpath(["explain", "--json"]).arg(name));
        let json: Value = serde_json::from_str(&ran.out).unwrap();
        let bytes = match json["path_hex"].as_str() {
            Some(hex) => (0..hex.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
                .collect(),
            None => json["path"].as_str().unwrap().as_bytes().to_vec(),
        };
        assert_eq!(bytes, name.as_bytes());
    }
}

#[test]
fn explain_dump_from_arguments_and_from_standard_input() {
    let first = "This is the path /a, of 2 bytes.";
    for dump in [
        &["01002f6100"][..],
        &["01", "00", "2f", "61", "00"],
        &["0x01,0x00,0x2f,0x61,0"],
    ] {
        let ran = explain(dump);
        let expected = if dump[0].ends_with(",0") {
            "The path fits: it has 21 of 107 bytes."
        } else {
            first
        };
        assert_eq!(ran.first(), expected, "{dump:?}");
    }
    let mut command = sunpath(["explain", "-"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"00000000  01 00 2f 61 00  |../a.|\n00000005\n")
        .unwrap();
    let out = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(out.lines().next(), Some(first));
}

#[test]
fn explain_dump_of_a_hostile_name_is_escaped() {
    let first = r"This is the path a\x1b[2J\x0ab\xff, of 8 bytes.";
    assert_eq!(explain(&["0100611b5b324a0a62ff00"]).first(), first);
    let first = r"This is the abstract name @\x1b\u{202e}, of 4 bytes.";
    assert_eq!(explain(&["0100001be280ae"]).first(), first);
}

#[test]
fn explain_wrong_arguments_exit_with_2() {
    for arguments in [
        &[][..],
        &["a", "b"],
        &["@a\\q"],
        &["--json", "-q", "a"],
        &["--\x1b[2J\n"],
    ] {
        let ran = explain(arguments);
        assert_eq!((ran.status, &*ran.out), (2, ""), "{arguments:?}");
        assert!(!ran.err.is_empty());
    }
    // Standard input is empty, and is not a dump.
    assert_eq!(explain(&["-"]).status, 2);
}
