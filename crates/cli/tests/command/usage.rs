//! What all subcommands have in common: help, completions, the man page, and a reader that goes away.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use super::{run, sunpath};

#[test]
fn usage_help_and_version_are_done() {
    assert_eq!(run(&mut sunpath(["--help"])).status, 0);
    assert_eq!(
        run(&mut sunpath(["--version"])).out,
        format!("sunpath {}\n", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(run(&mut sunpath::<[&str; 0]>([])).status, 2);
    assert_eq!(run(&mut sunpath(["no-such-subcommand"])).status, 2);
}

#[test]
fn usage_every_subcommand_has_help_and_a_man_page() {
    let help = run(&mut sunpath(["--help"])).out;
    let list = help.split("Commands:\n").nth(1).unwrap();
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names: Vec<_> = lines
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .collect();
    assert!(names.contains(&"explain"), "{help}");
    for name in names.iter().filter(|name| !["", "help"].contains(*name)) {
        let page = run(&mut sunpath(["man", name]));
        assert_eq!(page.status, 0);
        assert!(page.out.contains(".SH SYNOPSIS"), "{}", page.out);
        assert_eq!(run(&mut sunpath([name, "--help"])).status, 0);
    }
    assert_eq!(
        run(&mut sunpath(["man", "no\x1bsuch"])).err,
        "sunpath: there is no subcommand no\\x1bsuch\n"
    );
}

#[test]
fn usage_completions_name_the_subcommands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = sunpath(["completions", shell]).output().unwrap();
        assert!(output.status.success());
        assert!(
            String::from_utf8(output.stdout)
                .unwrap()
                .contains("explain"),
            "{shell}"
        );
    }
}

#[test]
fn usage_reader_that_goes_away_is_not_an_error() {
    let (reader, writer) = UnixStream::pair().unwrap();
    drop(reader);
    let mut command = sunpath(["explain", "a"]);
    let ran = command
        .stdout(Stdio::from(OwnedFd::from(writer)))
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!((ran.status.code(), ran.stderr), (Some(3), Vec::new()));
}
