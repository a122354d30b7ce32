//! Runs the suites of `c-tests` over libsunpath. The C programs of the suites are compiled with the
//! files of `tests/suites/`, which call libsunpath in the place of system calls. Each line that a
//! case prints has to be the line of C in the transcript of the suite, or the one with which safe
//! Rust differs from C. A line that is neither is declared in `tests/suites/<suite>.txt`, with the
//! reason.
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{Fresh, Link, compiler, has, link, root, succeed};

/// The calls that `tests/suites/calls.c` makes by libsunpath.
const CALLS: [&str; 7] = [
    "bind",
    "connect",
    "accept4",
    "getsockopt",
    "setsockopt",
    "sendmsg",
    "recvmsg",
];

/// The cases that are not run, because the kernel counts what they measure over all processes of a user.
const ALONE: &str = "I17.";

#[test]
fn suites_of_socket_files_are_as_in_c() {
    compare("socket_files", 60);
}

#[test]
fn suites_of_files_are_as_in_c() {
    compare("files", 80);
}

#[test]
fn suites_of_ancillary_data_are_as_in_c() {
    compare("ancillary", 80);
}

#[test]
fn suites_of_identity_are_as_in_c() {
    compare("identity", 40);
}

fn compare(suite: &str, least: usize) {
    if !has("gcc") {
        return;
    }
    let fresh = Fresh::new();
    let program = compiled(suite, &fresh);
    let (c, safe) = transcript(&suites().join(suite).join("transcript.txt"));
    let (declared, _) = transcript(&root().join(format!("tests/suites/{suite}.txt")));
    let mut counts = [0; 4];
    let mut faults = String::new();
    for (id, line) in run(suite, &program, &fresh) {
        let own = declared.get(&id);
        let found = if line.starts_with("not run: ") {
            3
        } else if c.get(&id) == Some(&line) {
            0
        } else if safe.get(&id) == Some(&line) {
            1
        } else if own == Some(&line) {
            2
        } else {
            let of_c = c.get(&id).map_or("no line", String::as_str);
            faults += &format!(
                "{id}\n  C:          {of_c}\n  libsunpath: {line}\n\
                 If that is on purpose, declare it in tests/suites/{suite}.txt:\n{id}\t{line}  # why\n"
            );
            continue;
        };
        if found < 2 && own.is_some() {
            faults += &format!("{id} is declared, and does not differ\n");
        }
        counts[found] += 1;
    }
    let [as_c, as_safe, own, not_run] = counts;
    println!(
        "{suite}: {as_c} cases as in C, {as_safe} as in safe Rust, {own} declared, {not_run} not run"
    );
    assert!(faults.is_empty(), "\n{faults}");
    let all: usize = counts.iter().sum();
    assert!(all >= least, "{all} cases");
}

fn suites() -> PathBuf {
    root().join("../../c-tests/suites")
}

/// Compiles the C program of a suite. A file of `tests/suites/` takes the place of the file that has the
/// same name in the same folder of `c-tests`.
fn compiled(suite: &str, fresh: &Fresh) -> PathBuf {
    let (c_tests, own) = (root().join("../../c-tests"), root().join("tests/suites"));
    let sources = |theirs: PathBuf, ours: PathBuf| -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = fs::read_dir(theirs)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
            .collect();
        files.sort();
        let ours = |file: PathBuf| Some(ours.join(file.file_name()?)).filter(|path| path.exists());
        files
            .into_iter()
            .map(|file| ours(file.clone()).unwrap_or(file))
            .collect()
    };
    let c_compiler = || {
        let mut cc = compiler("gcc");
        cc.args(["-D_GNU_SOURCE", "-O1", "-pthread", "-Wno-conversion"]);
        cc.arg("-I").arg(suites().join(suite).join("c"));
        for folder in ["common", "functions"] {
            cc.arg("-I").arg(c_tests.join(folder));
        }
        cc.current_dir(&fresh.0);
        cc
    };
    // A program takes from the common files what it uses, so these become an archive.
    let mut common = sources(c_tests.join("functions"), own.join("functions"));
    common.extend(sources(c_tests.join("common"), own.join("common")));
    let objects = common.iter().map(|file| file.with_extension("o"));
    let objects: Vec<PathBuf> = objects
        .map(|path| path.file_name().unwrap().into())
        .collect();
    succeed(c_compiler().arg("-c").args(&common));
    let mut ar = Command::new("ar");
    ar.args(["rc", "common.a"]).args(objects);
    succeed(ar.current_dir(&fresh.0));

    let program = fresh.0.join(suite);
    let mut cc = c_compiler();
    cc.arg(own.join("calls.c"));
    cc.args(sources(suites().join(suite).join("c"), own.join(suite)));
    cc.arg("common.a");
    for call in CALLS {
        cc.arg(format!("-Wl,--wrap={call}"));
    }
    // The library is shared, because the linker would also replace the calls of the static one.
    link(&mut cc, Link::Shared);
    succeed(cc.arg("-o").arg(&program));
    program
}

/// Runs all cases of a suite, and returns their lines by id.
fn run(suite: &str, program: &Path, fresh: &Fresh) -> BTreeMap<String, String> {
    let folder = suites().join(suite);
    let ids: Vec<String> = fs::read_to_string(folder.join("cases.def"))
        .unwrap()
        .lines()
        .filter_map(|line| {
            let (id, rest) = line.strip_prefix("CASE(")?.split_once(", ")?;
            Some(format!("{id}.{}", rest.split(',').next()?))
        })
        .filter(|id| !id.starts_with(ALONE))
        .collect();
    let mut printed = output(program, &ids, Stdio::null(), &fresh.0.join("work"));
    let table = folder.join("cases.txt");
    if table.exists() {
        let input = File::open(table).unwrap();
        printed += &output(program, &[], input.into(), &fresh.0.join("lines"));
    }
    let lines = printed.lines().map(|line| {
        let (id, text) = line.split_once('\t').unwrap_or_else(|| panic!("{line}"));
        (id.to_owned(), text.to_owned())
    });
    lines.collect()
}

fn output(program: &Path, ids: &[String], input: Stdio, work: &Path) -> String {
    fs::create_dir(work).unwrap();
    let mut command = Command::new(program);
    command.args(ids).current_dir(work).stdin(input);
    // SAFETY: `prepare` makes plain system calls, which allocate nothing and take no lock.
    unsafe { command.pre_exec(prepare) };
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && error.is_empty(),
        "{output:?}: {error}"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Prepares the process as `c-tests` does: under umask 022, with SIGPIPE ignored, in a network namespace
/// of its own where it may have one, and with an end after two minutes.
fn prepare() -> io::Result<()> {
    // SAFETY: umask takes and returns an integer.
    unsafe { libc::umask(0o022) };
    // SAFETY: SIG_IGN is not a function.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    // SAFETY: alarm takes and returns an integer.
    unsafe { libc::alarm(120) };
    // SAFETY: unshare takes an integer, and the process has one thread.
    unsafe { libc::unshare(libc::CLONE_NEWNET) };
    Ok(())
}

/// Returns the lines of C in a transcript, and those with which safe Rust differs, by id.
fn transcript(path: &Path) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let text = fs::read_to_string(path).unwrap_or_default();
    let (mut c, mut safe) = (BTreeMap::new(), BTreeMap::new());
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((id, text)) = line.split_once('\t') else {
            continue;
        };
        let (text, reason) = text.split_once("  # ").unwrap_or((text, ""));
        match id.split_once(' ') {
            Some(("S", id)) => _ = safe.insert(id.to_owned(), text.to_owned()),
            // The lines of Python's lane.
            Some(_) => continue,
            None => _ = c.insert(id.to_owned(), text.to_owned()),
        }
        let is_own = path.parent() == Some(&root().join("tests/suites"));
        assert!(!is_own || !reason.is_empty() && reason != "why", "{line}");
    }
    (c, safe)
}
