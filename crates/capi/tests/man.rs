//! The man pages are generated from the header, are correct mdoc, and have examples that compile and
//! run.

mod common;

use std::fs;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::PathBuf;
use std::process::Command;

use common::{Fresh, Link, compiler, has, link, root, succeed};

fn pages() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("man"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut pages: Vec<PathBuf> = entries
        .filter(|path| path.extension().is_some_and(|e| e == "3"))
        .collect();
    pages.sort();
    assert_eq!(pages.len(), 11);
    pages
}

#[test]
fn man_pages_are_made_of_the_header() {
    if !has("python3") {
        return;
    }
    let fresh = Fresh::new();
    succeed(
        Command::new("python3")
            .arg(root().join("man/generate.py"))
            .arg(&fresh.0),
    );
    for page in pages() {
        let name = page.file_name().unwrap();
        let made = fs::read_to_string(fresh.0.join(name)).unwrap();
        let help = "run: python3 crates/capi/man/generate.py";
        assert!(
            fs::read_to_string(&page).unwrap() == made,
            "{name:?} is not as the header says; {help}"
        );
    }
}

/// Every function of the header is in a NAME section, and every errno of the header is under ERRORS.
#[test]
fn man_pages_have_each_function_and_errno() {
    let header = fs::read_to_string(root().join("include/sunpath.h")).unwrap();
    let text: String = pages()
        .iter()
        .map(|page| fs::read_to_string(page).unwrap())
        .collect();
    let mut count = 0;
    for line in header
        .lines()
        .filter(|line| line.contains(" sunpath_") && !line.starts_with([' ', '#', '/']))
    {
        let name = &line[line.find("sunpath_").unwrap()..];
        if let Some((name, _)) = name.split_once('(') {
            assert!(text.contains(&format!(".Nm {name}")), "{name}");
            count += 1;
        }
    }
    assert_eq!(count, 44);
    let words = header
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| {
            word.len() > 3
                && word.starts_with('E')
                && word.chars().all(|c| c.is_ascii_uppercase() || c == '2')
        });
    for errno in words.filter(|word| !matches!(*word, "ERRORS" | "EINTR")) {
        assert!(text.contains(&format!("Er {errno}")), "{errno}");
    }
}

#[test]
fn man_pages_are_correct_mdoc() {
    if !has("mandoc") {
        return;
    }
    for page in pages() {
        let said = succeed(
            Command::new("mandoc")
                .args(["-T", "lint", "-W", "warning"])
                .arg(&page),
        );
        assert_eq!(said, "");
    }
}

#[test]
fn man_pages_have_examples_that_run() {
    if !has("gcc") {
        return;
    }
    let fresh = Fresh::new();
    for page in pages() {
        let name = page.file_stem().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&page).unwrap();
        let example = text.split(".Sh EXAMPLES\n").nth(1).unwrap();
        let example = example
            .split(".Bd -literal\n")
            .nth(1)
            .unwrap()
            .split("\n.Ed")
            .next()
            .unwrap();
        let source = fresh.0.join(format!("{name}.c"));
        fs::write(&source, example.replace("\\&", "").replace("\\e", "\\")).unwrap();
        let program = fresh.0.join(name);
        let mut cc = compiler("gcc");
        cc.arg("-D_GNU_SOURCE").arg(&source);
        link(&mut cc, Link::Shared);
        succeed(cc.arg("-o").arg(&program));

        let work = Fresh::new();
        let path = work.0.join("app.sock");
        let mut run = Command::new(&program);
        run.current_dir(&work.0).env_remove("LISTEN_FDS");
        let said = match name {
            "sunpath" => continue, // the README's program, which `readme` runs
            "sunpath_addr" => {
                let receiver = UnixDatagram::bind(&path).unwrap();
                let said = succeed(run.arg("app.sock"));
                assert_eq!(receiver.recv(&mut [0; 8]).unwrap(), 5);
                said
            }
            "sunpath_connect" => {
                let program = run.arg("app.sock").spawn();
                let listener = UnixListener::bind(&path).unwrap();
                let (mut client, _) = listener.accept().unwrap();
                let mut said = String::new();
                std::io::Read::read_to_string(&mut client, &mut said).unwrap();
                assert!(program.unwrap().wait().unwrap().success());
                said
            }
            _ => succeed(&mut run),
        };
        let expected = match name {
            "sunpath_addr" => "sending to app.sock",
            "sunpath_connect" => "hello",
            "sunpath_explain" => "the cause: bind: EADDRINUSE (",
            "sunpath_send_fd" => "stdin: 1 descriptor",
            "sunpath_peer_cred" => "user ",
            "sunpath_probe" => "there is no file",
            "sunpath_take_passed" => "LISTEN_FDS is not set",
            _ => "",
        };
        assert!(said.contains(expected), "{name}: {said}");
        assert!(
            name == "sunpath_connect" || !path.exists() || name == "sunpath_addr",
            "{name}"
        );
    }
}
