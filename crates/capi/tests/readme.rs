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
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, quoted) = readme.split_once("\nhello.sock: ").unwrap();
    let (quoted, _) = quoted.split_once('\n').unwrap();
    assert!(text.ends_with(&format!("hello.sock: {quoted}\n")), "{text}");

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

/// Runs the five `install` lines of the README, and the line that installs the man pages.
fn install(fresh: &Fresh, dest: &Path, prefix: &Path) {
    let blocks = blocks("sh");
    let mut lines = blocks.iter().filter(|block| block.contains("install -D"));
    let (lines, pages) = (lines.next().unwrap(), lines.next().unwrap());
    assert_eq!((lines.lines().count(), pages.lines().count()), (5, 1));
    let lines = format!("{lines}{pages}");
    let tree = fresh.0.join("tree");
    fs::create_dir_all(tree.join("target/capi")).unwrap();
    fs::create_dir(tree.join("crates")).unwrap();
    symlink(root(), tree.join("crates/capi")).unwrap();
    symlink(library(), tree.join("target/capi/release")).unwrap();
    let mut shell = Command::new("sh");
    shell
        .args(["-euc", &lines])
        .current_dir(&tree)
        .env("DESTDIR", dest)
        .env("PREFIX", prefix);
    succeed(&mut shell);
}

/// Runs the lines that compile and start the program, after an installation with no more settings than the
/// README names. The program waits for a client, and serves it.
#[test]
fn readme_lines_lead_to_a_running_program() {
    if !has("pkg-config") {
        return;
    }
    let fresh = Fresh::new();
    let prefix = fresh.0.join("prefix");
    install(&fresh, Path::new(""), &prefix);
    let blocks = blocks("sh");
    let lines = blocks.iter().find(|block| block.contains("cc ")).unwrap();
    let tree = fresh.0.join("tree");
    let mut shell = Command::new("sh");
    shell
        .args(["-euc", lines])
        .current_dir(&tree)
        .env("PREFIX", &prefix)
        .env_remove("LD_LIBRARY_PATH")
        .env_remove("PKG_CONFIG_PATH")
        .stderr(Stdio::piped());
    // The shell is a parent of the program, which ends when it has served a client.
    let mut shell = Killed(shell.spawn().unwrap());
    let mut answer = String::new();
    wait_for(|| {
        if let Some(status) = shell.0.try_wait().unwrap() {
            let mut said = String::new();
            let mut stderr = shell.0.stderr.take().unwrap();
            stderr.read_to_string(&mut said).unwrap();
            panic!("{status}: {said}");
        }
        match UnixStream::connect(tree.join("hello.sock")) {
            Ok(mut client) => {
                client.read_to_string(&mut answer).unwrap();
                true
            }
            Err(_) => false,
        }
    });
    assert_eq!(answer, "hello\n");
    assert!(shell.0.wait().unwrap().success());
    serves(&tree.join("hello"));
}

/// Installs with a `DESTDIR`, and compiles the program of the README with the flags that pkg-config prints
/// for the installed file.
#[test]
fn readme_installs_what_pkg_config_finds() {
    if !has("pkg-config") {
        return;
    }
    let fresh = Fresh::new();
    let dest = fresh.0.join("dest");
    install(&fresh, &dest, Path::new("/opt/sunpath"));

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

/// After the install line of the README, every function has a page of its name. mandoc follows the links to
/// pages of groups from the folder of the installed pages, as man(1) does.
#[test]
fn readme_installs_a_man_page_for_each_function() {
    let fresh = Fresh::new();
    let dest = fresh.0.join("dest");
    install(&fresh, &dest, Path::new("/opt/sunpath"));
    let header = fs::read_to_string(root().join("include/sunpath.h")).unwrap();
    let pages = dest.join("opt/sunpath/share/man");
    let mut count = 0;
    for line in header
        .lines()
        .filter(|line| line.starts_with(char::is_lowercase))
    {
        let Some((before, _)) = line.split_once('(') else {
            continue;
        };
        let name = before.rsplit([' ', '*']).next().unwrap();
        let page = format!("man3/{name}.3");
        assert!(pages.join(&page).is_file(), "{page}");
        count += 1;
        if has("mandoc") {
            let mut mandoc = Command::new("mandoc");
            let shown = succeed(mandoc.arg(&page).current_dir(&pages));
            // In the output a bold letter is overprinted: the letter, a backspace and the letter.
            let plain: String = shown
                .split('\u{8}')
                .map(|part| &part[..part.len() - 1])
                .collect();
            assert!(plain.contains(&format!("{name}(")), "{page}");
        }
    }
    assert_eq!(count, 45);
}

/// Returns the fresh directory of a project that consists of the README's program and a build file, and a
/// command that runs the build system there, with the library installed.
fn project(file: &str, head: &str, language: &str) -> (Fresh, impl Fn(&str, &[&str]) + use<>) {
    let fresh = Fresh::new();
    let prefix = fresh.0.join("prefix");
    install(&fresh, Path::new(""), &prefix);
    let snippet = &blocks(language)[0];
    fs::write(fresh.0.join(file), format!("{head}{snippet}")).unwrap();
    fs::copy(root().join("examples/hello.c"), fresh.0.join("hello.c")).unwrap();
    let (path, lib) = (fresh.0.clone(), prefix.join("lib"));
    let run = move |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&path);
        command
            .env("PKG_CONFIG_PATH", lib.join("pkgconfig"))
            .env("LDFLAGS", format!("-Wl,-rpath,{}", lib.display()));
        succeed(&mut command);
    };
    (fresh, run)
}

#[test]
fn readme_snippet_builds_with_cmake() {
    if !has("cmake") || !has("pkg-config") {
        return;
    }
    let head =
        "cmake_minimum_required(VERSION 3.16)\nproject(hello C)\nadd_executable(hello hello.c)\n";
    let (fresh, run) = project("CMakeLists.txt", head, "cmake");
    run("cmake", &["-B", "build"]);
    run("cmake", &["--build", "build"]);
    serves(&fresh.0.join("build/hello"));
}

#[test]
fn readme_snippet_builds_with_meson() {
    if !has("meson") || !has("pkg-config") {
        return;
    }
    let (fresh, run) = project("meson.build", "project('hello', 'c')\n", "meson");
    run("meson", &["setup", "build"]);
    run("meson", &["compile", "-C", "build"]);
    serves(&fresh.0.join("build/hello"));
}
