//! A server on tokio's own listener is moved to sunpath-tokio by a diff of its listener lines. The test
//! applies the diff, builds the result and runs it.

mod program;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use program::{Running, example, is_installed, own_uid};

/// Runs the server, talks to it, and returns whether its file is private and whether a second server can
/// be started after the first was killed.
fn run(program: &Path) -> (bool, bool) {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let path = dir.path().join("a.sock");
    let start = || {
        let mut command = Command::new(program);
        let command = command.arg(&path).stderr(Stdio::null());
        let (server, line) = Running::start_server(command);
        (server, line == "ready\n")
    };
    let (server, is_ready) = start();
    assert!(is_ready);
    let mut client = UnixStream::connect(&path).unwrap();
    client.write_all(b"hello").unwrap();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, format!("user {}\nhello", own_uid()));
    let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    drop(server); // kills it
    let (_again, is_ready) = start();
    (mode == 0o600, is_ready)
}

/// Applies the diff to a copy of the example, and builds it as a package of its own, with the versions of
/// this workspace and in a target folder of its own.
fn moved(target: &Path) -> PathBuf {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("moved");
    fs::create_dir_all(dir.join("examples")).unwrap();
    fs::copy(
        package.join("examples/echo.rs"),
        dir.join("examples/echo.rs"),
    )
    .unwrap();
    let patched = Command::new("patch")
        .args(["-p1", "--forward", "--no-backup-if-mismatch", "--input"])
        .arg(package.join("examples/echo.diff"))
        .current_dir(&dir)
        .output()
        .unwrap();
    assert!(
        patched.status.success(),
        "{}",
        String::from_utf8_lossy(&patched.stdout)
    );

    let root = package.ancestors().nth(2).unwrap();
    let manifest = format!(
        "[workspace]\n[package]\nname = \"moved\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [[bin]]\nname = \"moved\"\npath = \"examples/echo.rs\"\n\
         [dependencies]\nsunpath-tokio = {{ path = \"{}\" }}\n\
         tokio = {{ version = \"1\", default-features = false, features = [\"io-util\", \"macros\", \"net\", \"rt\"] }}\n",
        root.join("crates/tokio").display()
    );
    fs::write(dir.join("Cargo.toml"), manifest).unwrap();
    fs::copy(root.join("Cargo.lock"), dir.join("Cargo.lock")).unwrap();
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--offline", "--target-dir"])
        .arg(target)
        .env_remove("CARGO_BUILD_TARGET") // It would add a folder to the program's path.
        .current_dir(&dir)
        .output()
        .unwrap();
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    target.join("debug/moved")
}

#[test]
fn server_is_moved_by_its_listener_lines() {
    let diff = include_str!("../examples/echo.diff");
    let changed = |sign| {
        let lines = diff.lines().filter(|line| line.starts_with(sign)).count();
        lines - 1 // the name of the file
    };
    assert_eq!(
        (changed('-'), changed('+')),
        (2, 2),
        "the import and the listener"
    );

    let echo = example("echo");
    let before = run(&echo);
    assert!(!before.1, "its file prevents the next start");
    if !is_installed("patch") {
        return;
    }
    // The example is TARGET/PROFILE/examples/echo.
    let target = echo.ancestors().nth(3).unwrap().join("moved");
    assert_eq!(run(&moved(&target)), (true, true));
}
