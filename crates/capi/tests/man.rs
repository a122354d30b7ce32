//! The man pages are generated from the header, are correct mdoc, and have examples that compile and
//! run.

mod common;

use std::collections::BTreeMap;
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
    let names = |folder: PathBuf| -> Vec<_> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let links = root().join("man/links");
    assert_eq!(names(links.clone()), names(fresh.0.join("links")));
    let links = names(links)
        .into_iter()
        .map(|name| root().join("man/links").join(name));
    for page in pages().into_iter().chain(links) {
        let name = page.strip_prefix(root().join("man")).unwrap();
        let made = fs::read_to_string(fresh.0.join(name)).unwrap();
        let help = "run: python3 crates/capi/man/generate.py";
        assert!(
            fs::read_to_string(&page).unwrap() == made,
            "{name:?} is not as the header says; {help}"
        );
    }
}

/// Every function of the header is in a NAME section, has a page or a link to one that has its name, and
/// has its result under RETURN VALUES. Every errno of the header is under ERRORS.
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
            let link = root().join(format!("man/links/{name}.3"));
            let page = match fs::read_to_string(link) {
                Ok(link) => {
                    let page = link.strip_prefix(".so man3/").unwrap().trim_end();
                    root().join("man").join(page)
                }
                Err(_) => root().join(format!("man/{name}.3")),
            };
            let page = fs::read_to_string(page).unwrap();
            let names = page.split(".Sh SYNOPSIS").next().unwrap();
            let has_name = |line: &str| line.trim_end_matches(" ,") == format!(".Nm {name}");
            assert!(names.lines().any(has_name), "{name}");
            if name != "sunpath_version" {
                let returned = page.split(".Sh RETURN VALUES").nth(1).unwrap();
                let returned = returned.split(".Sh ").next().unwrap();
                let has_name = |line: &str| line.trim_end_matches(" ,") == format!(".Fn {name}");
                assert!(returned.lines().any(has_name), "{name}");
            }
            count += 1;
        }
    }
    assert_eq!(count, 45);
    let words = header
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| {
            word.len() > 3
                && word.starts_with('E')
                && word.chars().all(|c| c.is_ascii_uppercase() || c == '2')
        });
    for errno in words.filter(|word| !matches!(*word, "ERRORS" | "EVERY" | "EINTR")) {
        assert!(text.contains(&format!("Er {errno}")), "{errno}");
    }
}

/// Returns the comment of each function of the header.
fn comments() -> BTreeMap<String, String> {
    let header = fs::read_to_string(root().join("include/sunpath.h")).unwrap();
    let mut comments = BTreeMap::new();
    for part in header.split("/*\n").skip(1) {
        let (comment, code) = part.split_once("*/").unwrap();
        let code = code.trim_start();
        if code.starts_with(['#', '/']) || code.starts_with("struct") {
            continue;
        }
        let before = code.split('(').next().unwrap();
        let name = before.rsplit([' ', '*']).next().unwrap();
        let comment = comment.replace("\n *", " ");
        let words: Vec<&str> = comment.split_whitespace().collect();
        comments.insert(name.to_owned(), words.join(" "));
    }
    assert_eq!(comments.len(), 45);
    comments
}

fn is_errno(word: &str) -> bool {
    word.len() > 2
        && word.starts_with('E')
        && word
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

fn has_errno(comment: &str, errno: &str) -> bool {
    comment
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| word == errno)
}

/// Every function but `sunpath_version` refers to a page of the system about what it does.
#[test]
fn header_refers_to_pages_of_the_system() {
    for (name, comment) in comments() {
        let refers = comment.contains(" See ") && comment.ends_with('.');
        assert!(refers || name == "sunpath_version", "{name}");
    }
}

/// Every errno that a test program sees a function fail with is among those of the function.
#[test]
fn header_has_each_errno_that_the_programs_see() {
    let comments = comments();
    let mut count = 0;
    for program in [
        "addresses",
        "servers",
        "messages",
        "surroundings",
        "errnos",
        "options",
    ] {
        let text = fs::read_to_string(root().join(format!("tests/c/{program}.c"))).unwrap();
        for call in text.split("FAILS(").skip(1) {
            let (name, rest) = call.split_once('(').unwrap();
            let rest = rest.split_once(';').unwrap().0;
            let errno = rest
                .rsplit([',', ' '])
                .next()
                .unwrap()
                .trim_end_matches(')');
            if is_errno(errno) {
                assert!(has_errno(&comments[name], errno), "{name} lacks {errno}");
                count += 1;
            }
        }
    }
    assert!(count > 170, "{count}");
}

/// A function that has errnos of another function names each of them, and the other one has it.
#[test]
fn header_refers_to_errnos_that_the_other_function_has() {
    let comments = comments();
    let mut count = 0;
    for (name, comment) in &comments {
        for phrase in ["and others", "All others", "Errors:"] {
            assert!(!comment.contains(phrase), "{name}: {phrase}");
        }
        for (at, _) in comment.match_indices("as for sunpath_") {
            let other = &comment[at + "as for ".len()..];
            let other = &comments[other.split('(').next().unwrap()];
            // The names stand before the last colon, and a sentence may come between.
            let names = comment[..at].rsplit_once(": ").unwrap().0;
            for errno in names
                .rsplit(' ')
                .map(|word| word.trim_end_matches(','))
                .take_while(|word| is_errno(word))
            {
                assert!(has_errno(other, errno), "{name}: {errno}");
                count += 1;
            }
        }
    }
    assert!(count > 150, "{count}");
}

/// Each page says whether its functions may be called by several threads, in a signal handler, and
/// between fork and exec.
#[test]
fn man_pages_say_where_functions_may_be_called() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap().replace('\n', " ");
        let description = text.split(".Sh DESCRIPTION").nth(1).unwrap();
        let description = description.split(".Sh ").next().unwrap().to_lowercase();
        for place in [
            "several threads",
            "in a signal handler",
            "between fork and exec",
        ] {
            assert!(description.contains(place), "{page:?}: {place}");
        }
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
        // sunpath(3) begins with its example.
        let example = match name {
            "sunpath" => text.as_str(),
            _ => text.split(".Sh EXAMPLES\n").nth(1).unwrap(),
        };
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
            // This example is the README's program, which the test `readme` runs.
            "sunpath" => continue,
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
            "sunpath_send_fd" => "stdin: 1 descriptor of user ",
            "sunpath_peer_cred" => "user ",
            "sunpath_probe" => "there is no file",
            "sunpath_take_passed" => "listens, which I bound",
            _ => "",
        };
        assert!(said.contains(expected), "{name}: {said}");
        assert!(
            name == "sunpath_connect" || !path.exists() || name == "sunpath_addr",
            "{name}"
        );
    }
}
