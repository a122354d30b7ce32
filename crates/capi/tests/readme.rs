//! Runs what the README contains: its program, its lines for installing, and a compilation with the
//! flags that pkg-config then prints.

mod common;

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Fresh, has, library, root, succeed};

/// Returns the contents of the README's code blocks in one language.
fn blocks(language: &str) -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let fence = format!("```{language}\n");
    let after = readme.split(fence.as_str()).skip(1);
    after
        .map(|block| block.split("```").next().unwrap().to_owned())
        .collect()
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(program: &Path, path: &Path) -> Killed {
    let mut command = Command::new(program);
    command.arg(path).stderr(Stdio::piped());
    Killed(command.spawn().unwrap())
}

fn wait_for(mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "it took too long"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs the program of the README. A second start while the first one runs must fail, and a start after
/// the first one was killed must succeed.
fn serves(program: &Path) {
    let fresh = Fresh::new();
    let path = fresh.0.join("hello.sock");
    let first = start(program, &path);
    wait_for(|| path.exists());
    let second = Command::new(program).arg(&path).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let text = String::from_utf8(second.stderr).unwrap();
    assert!(text.contains("hello.sock: bind: EADDRINUSE ("), "{text}");

    drop(first);
    assert!(path.exists(), "a killed server leaves its file");
    let mut again = start(program, &path);
    let mut answer = String::new();
    wait_for(|| match UnixStream::connect(&path) {
        Ok(mut client) => {
            client.read_to_string(&mut answer).unwrap();
            true
        }
        Err(_) => false,
    });
    assert_eq!(answer, "hello\n");
    assert!(again.0.wait().unwrap().success());
    assert!(!path.exists(), "it removed its file");
}

#[test]
fn readme_has_the_program_of_the_examples_in_25_lines() {
    let program = &blocks("c")[0];
    assert_eq!(
        *program,
        fs::read_to_string(root().join("examples/hello.c")).unwrap()
    );
    assert_eq!(program.lines().count(), 25);
}

/// The five `install` lines of the README are run with a `DESTDIR`, and then its program is compiled with
/// the flags that pkg-config prints for the installed file.
#[test]
fn readme_installs_what_pkg_config_finds() {
    if !has("pkg-config") {
        return;
    }
    let lines = blocks("sh")
        .into_iter()
        .find(|block| block.contains("install -D"))
        .unwrap();
    assert_eq!(lines.lines().count(), 5);
    let fresh = Fresh::new();
    let tree = fresh.0.join("tree");
    fs::create_dir_all(tree.join("target/capi")).unwrap();
    fs::create_dir(tree.join("crates")).unwrap();
    symlink(root(), tree.join("crates/capi")).unwrap();
    symlink(library(), tree.join("target/capi/release")).unwrap();
    let dest = fresh.0.join("dest");
    let mut shell = Command::new("sh");
    shell
        .args(["-euc", &lines])
        .current_dir(&tree)
        .env("DESTDIR", &dest)
        .env("PREFIX", "/opt/sunpath");
    succeed(&mut shell);

    let lib = dest.join("opt/sunpath/lib");
    let pkg_config = |arguments: &[&str]| {
        let mut command = Command::new("pkg-config");
        command.args(arguments).arg("sunpath");
        command
            .env("PKG_CONFIG_PATH", lib.join("pkgconfig"))
            .env("PKG_CONFIG_SYSROOT_DIR", &dest);
        succeed(&mut command)
    };
    assert_eq!(
        pkg_config(&["--modversion"]).trim(),
        env!("CARGO_PKG_VERSION")
    );
    for (name, arguments, more) in [
        ("shared", &["--cflags", "--libs"][..], &[][..]),
        ("static", &["--cflags", "--libs", "--static"], &["-static"]),
    ] {
        let program = fresh.0.join(name);
        let mut cc = Command::new("cc");
        cc.args(more)
            .arg(root().join("examples/hello.c"))
            .arg("-o")
            .arg(&program);
        cc.args(pkg_config(arguments).split_whitespace());
        cc.arg(format!("-Wl,-rpath,{}", lib.display()));
        succeed(&mut cc);
        serves(&program);
    }
}
