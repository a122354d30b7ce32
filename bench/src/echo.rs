//! Measures a small server that is written with each library: the size of the program, and the time of
//! a cold build with all of its dependencies.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use crate::Result;
use crate::build::{self, HERE, output};
use crate::page::{self, Table};

/// A version of the server.
struct Server {
    title: &'static str,
    /// The library, which is also the name of the source file.
    library: &'static str,
    /// The line of `Cargo.toml` that depends on the library.
    dependency: &'static str,
}

const fn server(title: &'static str, library: &'static str, dependency: &'static str) -> Server {
    Server {
        title,
        library,
        dependency,
    }
}

const STD: usize = 2;
const SOCKET2: usize = 3;

const SERVERS: [Server; 7] = [
    server("sunpath", "sunpath", "sunpath = { path = SUNPATH }"),
    server(
        "sunpath without `files`",
        "sunpath",
        "sunpath = { path = SUNPATH, default-features = false, features = [\"std\"] }",
    ),
    server("std", "std", ""),
    server(
        "socket2",
        "socket2",
        "socket2 = { version = VERSION, features = [\"all\"] }",
    ),
    server(
        "rustix",
        "rustix",
        "rustix = { version = VERSION, features = [\"net\"] }",
    ),
    server(
        "nix",
        "nix",
        "nix = { version = VERSION, features = [\"socket\", \"uio\"] }",
    ),
    server("uds", "uds", "uds = VERSION"),
];

/// The number of cold builds of each server. The fastest counts.
const ROUNDS: usize = 3;

struct Built {
    size: u64,
    /// The size with `opt-level = "s"`.
    size_at_s: u64,
    dependencies: usize,
    seconds: f64,
}

pub fn run() -> Result<()> {
    let c = build::compile("echo.c", "echo-c", &["-s"])?;
    serves(&c)?;
    let mut table = Table::new(&[
        "server",
        "bytes",
        "against std",
        "bytes at \"s\"",
        "against std",
        "dependencies",
        "cold build, s of CPU",
        "against socket2",
    ]);
    let small_c = build::compile("echo.c", "echo-c-small", &["-s", "-Os"])?;
    let size = |program: &Path| -> Result<String> { Ok(fs::metadata(program)?.len().to_string()) };
    table.row(&["C", &size(&c)?, "", &size(&small_c)?, "", "0", "", ""]);

    let places = SERVERS.iter().enumerate();
    let projects: Vec<_> = places
        .map(|(place, server)| project(place, server))
        .collect::<Result<_>>()?;
    let mut built: Vec<Option<Built>> = SERVERS.iter().map(|_| None).collect();
    for _ in 0..ROUNDS {
        // The servers are built in turn, so that other load of the machine affects all of them.
        for (project, best) in projects.iter().zip(&mut built) {
            let now = cold(project)?;
            if best.as_ref().is_none_or(|best| now.seconds < best.seconds) {
                *best = Some(now);
            }
        }
    }
    let built: Vec<_> = built.into_iter().flatten().collect();
    let against = |size: u64, std: u64| format!("{:.3}", size as f64 / std as f64);
    let (std, socket2) = (&built[STD], built[SOCKET2].seconds);
    for (server, built) in SERVERS.iter().zip(&built) {
        table.row(&[
            server.title,
            &built.size.to_string(),
            &against(built.size, std.size),
            &built.size_at_s.to_string(),
            &against(built.size_at_s, std.size_at_s),
            &built.dependencies.to_string(),
            &format!("{:.2}", built.seconds),
            &format!("{:.2}", built.seconds / socket2),
        ]);
    }
    page::publish("size", &table.to_string())
}

/// Makes a package that contains only one server. The versions of its dependencies are those in the lock
/// file of this package.
fn project(place: usize, server: &Server) -> Result<PathBuf> {
    let name = server.library;
    let folder = build::folder()?
        .join("echo")
        .join(format!("{name}-{place}"));
    fs::create_dir_all(folder.join("src"))?;
    let here = Path::new(HERE);
    fs::copy(
        here.join(format!("echo/{name}.rs")),
        folder.join("src/main.rs"),
    )?;
    fs::copy(here.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    let version = page::version(name).map(|version| format!("{version:?}"));
    let sunpath = format!("{:?}", here.join("..").canonicalize()?);
    let dependency = server.dependency.replace("SUNPATH", &sunpath);
    let dependency = dependency.replace("VERSION", &version.unwrap_or_default());
    let manifest = format!(
        "[workspace]\n\n[package]\nname = \"echo\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\n{dependency}\n\n[profile.release]\nstrip = true\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    build::run(cargo(&folder).args(["fetch", "--quiet"]))?;
    Ok(folder)
}

fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder.join("target"));
    command
}

fn cold(folder: &Path) -> Result<Built> {
    let target = folder.join("target");
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    let before = children_cpu();
    build::run(cargo(folder).args(["build", "--release", "--offline", "--quiet", "-j1"]))?;
    let seconds = children_cpu() - before;
    let program = target.join("release/echo");
    serves(&program)?;
    let size = fs::metadata(&program)?.len();
    let tree = [
        "tree",
        "--offline",
        "--prefix=none",
        "--edges=normal,build",
        "--no-dedupe",
    ];
    let (tree, _) = output(cargo(folder).args(tree))?;
    let mut packages: Vec<_> = tree
        .lines()
        .skip(1)
        .map(|line| line.replace(" (*)", ""))
        .collect();
    packages.sort();
    packages.dedup();
    Ok(Built {
        size,
        size_at_s: size_at_s(folder)?,
        dependencies: packages.len(),
        seconds,
    })
}

/// Builds the server with `opt-level = "s"`, and returns its size.
fn size_at_s(folder: &Path) -> Result<u64> {
    let small = folder.join("target-s");
    let build = ["build", "--release", "--offline", "--quiet", "-j1"];
    build::run(
        cargo(folder)
            .args(build)
            .env("CARGO_TARGET_DIR", &small)
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s"),
    )?;
    let program = small.join("release/echo");
    serves(&program)?;
    Ok(fs::metadata(program)?.len())
}

/// Returns the processor time of all child processes that have ended, in seconds.
fn children_cpu() -> f64 {
    // SAFETY: all zeroes is a valid rusage.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the variable has space for a rusage.
    unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage) };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

/// Returns whether a server greets a client and sends back what it receives.
fn serves(program: &Path) -> Result<()> {
    let path = std::env::temp_dir().join(format!("sunpath-bench-{}", std::process::id()));
    let _ = fs::remove_file(&path);
    let mut server = Command::new(program).arg(&path).spawn()?;
    let served = greeted(&path, &mut server);
    let _ = server.kill();
    server.wait()?;
    let _ = fs::remove_file(&path);
    served.map_err(|error| format!("{}: {error}", program.display()).into())
}

fn greeted(path: &Path, server: &mut Child) -> Result<()> {
    let mut client = loop {
        match UnixStream::connect(path) {
            Ok(client) => break client,
            // The server does not listen yet.
            Err(_) if server.try_wait()?.is_none() => std::thread::yield_now(),
            Err(error) => return Err(error.into()),
        }
    };
    let mut said = [0; 9];
    client.write_all(b"abc")?;
    client.read_exact(&mut said)?;
    match &said {
        b"hello\nabc" => Ok(()),
        said => Err(format!("it sent {:?}", String::from_utf8_lossy(said)).into()),
    }
}
