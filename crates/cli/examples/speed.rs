//! Measures `sunpath ls` against `ss -xp` on 20,000 sockets, and prints the size of the command.
//!
//! ```sh
//! cargo build --release -p sunpath-cli
//! cargo run --release -p sunpath-cli --example speed
//! ```

#![forbid(unsafe_code)]

use std::error::Error;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

const SOCKETS: usize = 20_000;
/// The number of sockets of one process.
const FOR_EACH: usize = 1000;
/// How often each command runs. The shortest time counts, because everything else on the machine only adds to
/// it.
const RUNS: usize = 15;

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(sockets) = env::args().nth(1) {
        return hold(sockets.parse()?);
    }
    let command = command()?;
    let mut holders = Vec::new();
    for _ in 0..SOCKETS / FOR_EACH {
        holders.push(start_holder()?);
    }
    let mut shortest = [Duration::MAX; 2];
    for _ in 0..RUNS {
        let ss = time(Command::new("ss").arg("-xp"))?;
        let ls = time(Command::new(&command).arg("ls"))?;
        shortest = [shortest[0].min(ss), shortest[1].min(ls)];
    }
    let [ss, ls] = shortest.map(|time| time.as_secs_f64() * 1000.0);
    println!(
        "{SOCKETS} sockets of {} processes, the shortest of {RUNS} runs:",
        holders.len()
    );
    println!("  ss -xp      {ss:6.1} ms");
    println!("  sunpath ls  {ls:6.1} ms");
    println!("  ratio       {:6.2}    (at most 0.5)", ls / ss);
    let size = fs::metadata(&command)?.len() as f64 / 1e6;
    println!("size of the command: {size:.2} MB (at most 1.5)");
    for (mut holder, socket) in holders {
        drop(socket);
        holder.wait()?;
    }
    Ok(())
}

/// Returns the path of the command, which cargo builds beside the examples.
fn command() -> Result<PathBuf, Box<dyn Error>> {
    let own = env::current_exe()?;
    let dir = own.parent().and_then(Path::parent);
    let command = dir.ok_or("no directory")?.join("sunpath");
    match command.exists() {
        true => Ok(command),
        false => Err("run `cargo build --release -p sunpath-cli` first".into()),
    }
}

/// Starts a process that holds sockets until its standard input ends.
fn start_holder() -> io::Result<(Child, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    let output = theirs.try_clone()?;
    let child = Command::new(env::current_exe()?)
        .arg(FOR_EACH.to_string())
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs)))
        .stdout(Stdio::from(std::os::fd::OwnedFd::from(output)))
        .spawn()?;
    (&ours).read_exact(&mut [0])?;
    Ok((child, ours))
}

/// Makes pairs of sockets and holds them until standard input ends.
fn hold(sockets: usize) -> Result<(), Box<dyn Error>> {
    let pairs: io::Result<Vec<_>> = (0..sockets / 2).map(|_| UnixStream::pair()).collect();
    let _pairs = pairs?;
    io::stdout().write_all(b"\n")?;
    io::stdout().flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn time(command: &mut Command) -> io::Result<Duration> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let status = command.status()?;
    match status.success() {
        true => Ok(start.elapsed()),
        false => Err(io::Error::other(format!("{command:?}: {status}"))),
    }
}
