//! A C daemon is killed before each of its system calls, each call is made to fail, and many daemons
//! start at once. With `SUNPATH_LONG=1` there are more errnos and more rounds.
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use common::{Fresh, Link, compiler, has, link, root, succeed};

fn long() -> bool {
    env::var_os("SUNPATH_LONG").is_some()
}

fn starter(into: &Fresh) -> PathBuf {
    let program = into.0.join("starter");
    let mut cc = compiler("gcc");
    cc.args(["-D_GNU_SOURCE", "-O1"])
        .arg(root().join("tests/c/starter.c"));
    // The program is static, because otherwise the calls of the dynamic loader would fail, too.
    link(&mut cc, Link::Static);
    succeed(cc.arg("-o").arg(&program));
    program
}

/// Runs the daemon under strace. The program closes its server at once, because its standard input
/// is empty.
fn traced(program: &Path, work: &Path, arguments: &[&str]) -> Output {
    let mut strace = Command::new("strace");
    strace
        .args(["-o", "../log"])
        .args(arguments)
        .arg(program)
        .arg("s")
        .current_dir(work);
    strace.stdin(Stdio::null()).output().unwrap()
}

/// Leaves the socket file and the lock file of a daemon that was killed.
fn leave_stale(program: &Path, work: &Path) {
    let mut child = Starter::new(program, work);
    assert_eq!(child.line(), "won\n");
    child.kill();
    assert!(work.join("s").exists() && work.join("s.lock").exists());
}

/// Returns the calls that the daemon makes after getpgid(2). Each has the count by which strace's
/// `when=` selects it: 1 for the first call of that name in the process.
fn calls(log: &str) -> Vec<(String, usize)> {
    let (mut counts, mut ours, mut calls) = (BTreeMap::new(), false, Vec::new());
    for line in log.lines() {
        let Some((name, _)) = line.split_once('(') else {
            continue;
        };
        if !name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()) {
            continue;
        }
        let count = counts.entry(name.to_owned()).or_insert(0usize);
        *count += 1;
        if ours && !name.starts_with("exit") {
            calls.push((name.to_owned(), *count));
        }
        ours |= name == "getpgid";
    }
    calls
}

/// Returns the names in a directory, sorted. Temporary names are left out, because a killed process
/// may leave files with these names.
fn entries(work: &Path) -> Vec<String> {
    let names = fs::read_dir(work)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names
        .map(|name| name.into_string().unwrap())
        .filter(|name| !name.starts_with(".sunpath-"))
        .collect();
    names.sort();
    names
}

struct Starter(Child, BufReader<ChildStdout>);

impl Starter {
    fn new(program: &Path, work: &Path) -> Self {
        let mut command = Command::new(program);
        command
            .arg("s")
            .current_dir(work)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self(child, out)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.1.read_line(&mut line).unwrap();
        line
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Closes the standard input of the daemon, which then closes its server, and waits for its end.
    fn end(&mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

/// Checks that the next start succeeds, serves and cleans up, whatever `what` did to the daemon before.
fn starts_again(program: &Path, work: &Path, what: &str) {
    let mut again = Starter::new(program, work);
    assert_eq!(again.line(), "won\n", "after {what}");
    let status = fs::metadata(work.join("s")).unwrap();
    assert!(status.file_type().is_socket());
    assert_eq!(status.permissions().mode() & 0o7777, 0o600, "after {what}");
    UnixStream::connect(work.join("s")).unwrap();
    again.end();
    assert_eq!(entries(work), [""; 0], "after {what}");
}

fn explore(disturb: &dyn Fn(&str, usize) -> String, check: &dyn Fn(&Path, &Output, &str, bool)) {
    if !has("gcc") || !has("strace") {
        return;
    }
    let fresh = Fresh::new();
    let program = starter(&fresh);
    let work = fresh.0.join("work");
    fs::create_dir(&work).unwrap();
    let mut count = 0;
    for stale in [false, true] {
        if stale {
            leave_stale(&program, &work);
        }
        let whole = traced(&program, &work, &[]);
        assert!(whole.status.success(), "{whole:?}");
        assert_eq!(entries(&work), [""; 0]);
        let calls = calls(&fs::read_to_string(fresh.0.join("log")).unwrap());
        assert!(calls.len() > 20, "{calls:?}");
        for (name, when) in calls {
            // The calls that return an id cannot fail.
            if matches!(&*name, "getpid" | "getuid" | "geteuid" | "getgid") {
                continue;
            }
            if stale {
                leave_stale(&program, &work);
            }
            // strace makes a call fail by its name, and has none for newer calls such as fchmodat2.
            if name.starts_with("syscall_") {
                println!("SKIPPED: strace has no name for {name}");
                continue;
            }
            let what = disturb(&name, when);
            let output = traced(&program, &work, &["-e", &what]);
            check(&work, &output, &what, stale);
            starts_again(&program, &work, &what);
            count += 1;
        }
    }
    println!("{count} calls");
    std::io::stdout().flush().unwrap();
}

#[test]
fn crash_before_each_call_does_not_prevent_the_next_start() {
    let kill = |name: &str, when: usize| format!("inject={name}:signal=KILL:when={when}");
    explore(&kill, &|work, output, what, _| {
        assert_eq!(output.status.signal(), Some(9), "{what}: {output:?}");
        // The socket file of a killed daemon is dead, and its mode never permits more than it
        // should.
        if let Ok(status) = fs::metadata(work.join("s")) {
            assert_eq!(status.permissions().mode() & 0o177, 0, "{what}");
            assert!(UnixStream::connect(work.join("s")).is_err(), "{what}");
        }
    });
}

#[test]
fn crash_of_a_call_that_fails_is_an_error_that_leaves_nothing() {
    let errnos = match long() {
        true => &["ENOMEM", "EINTR", "EACCES", "EIO"][..],
        false => &["ENOMEM"],
    };
    for errno in errnos {
        let fail = |name: &str, when: usize| format!("inject={name}:error={errno}:when={when}");
        explore(&fail, &|work, output, what, stale| {
            let code = output.status.code();
            assert!(matches!(code, Some(0..=4)), "{what}: {output:?}");
            let said = String::from_utf8_lossy(&output.stderr);
            if code == Some(1) {
                assert!(said.contains(": E"), "{what}: {said}");
            }
            // A bind that failed leaves no new file, unless the failed call is unlink, which
            // removes the file.
            if code == Some(1) && !stale && !what.contains("unlink") {
                assert!(!work.join("s").exists(), "{what}");
            }
        });
    }
}

#[test]
fn crash_race_of_starters_has_one_winner() {
    if !has("gcc") {
        return;
    }
    let fresh = Fresh::new();
    let program = starter(&fresh);
    let work = fresh.0.join("work");
    fs::create_dir(&work).unwrap();
    let rounds = if long() { 1000 } else { 40 };
    for round in 0..rounds {
        let mut starters: Vec<Starter> = (0..8).map(|_| Starter::new(&program, &work)).collect();
        let lines: Vec<String> = starters.iter_mut().map(Starter::line).collect();
        let won = lines.iter().filter(|line| *line == "won\n").count();
        assert_eq!(won, 1, "round {round}: {lines:?}");
        assert!(
            lines.iter().all(|line| line == "won\n" || line == "lost\n"),
            "{lines:?}"
        );
        UnixStream::connect(work.join("s")).unwrap();
        // Every second winner is killed, so that the next starters find a stale file.
        for (starter, line) in starters.iter_mut().zip(&lines) {
            match line == "won\n" && round % 2 == 1 {
                true => starter.end(),
                false if line == "won\n" => starter.kill(),
                false => assert_eq!(starter.0.wait().unwrap().code(), Some(3)),
            }
        }
    }
    println!("{rounds} rounds of 8");
}
