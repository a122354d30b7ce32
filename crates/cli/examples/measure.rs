//! Measures the command: its size, and how fast and at what cost `sunpath relay` and socat carry the same bytes,
//! in turn.
//!
//! ```sh
//! cargo build --release -p sunpath-cli && cargo run --release -p sunpath-cli --example measure
//! ```

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// The bytes that each relay carries in a round.
const BYTES: usize = 512 << 20;
const ROUNDS: usize = 5;
/// The bytes of one write and of one read.
const CHUNK: usize = 64 << 10;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let command = env::current_exe()?.with_file_name("../sunpath");
    println!("binary: {} bytes", fs::metadata(&command)?.len());
    let dir = tempfile::tempdir()?;
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    let listener = UnixListener::bind(&to)?;
    println!(
        "{} MiB through each, best of {ROUNDS}: time, CPU time of the relay",
        BYTES >> 20
    );
    let mut best = [(Duration::MAX, Duration::MAX); 3];
    for _ in 0..ROUNDS {
        for (relay, best) in RELAYS.iter().zip(&mut best) {
            let mut child = (relay.start)(&command, &from, &to)?;
            let measured = carry(&from, &listener, child.id());
            child.kill()?;
            child.wait()?;
            let _ = fs::remove_file(&from);
            let (time, cpu) = measured?;
            *best = (best.0.min(time), best.1.min(cpu));
        }
    }
    for (relay, (time, cpu)) in RELAYS.iter().zip(best) {
        println!(
            "{:20} {:5.2} s {:5.2} s",
            relay.name,
            time.as_secs_f64(),
            cpu.as_secs_f64()
        );
    }
    Ok(())
}

struct Relay {
    name: &'static str,
    start: fn(&Path, &Path, &Path) -> Result<Child>,
}

const RELAYS: [Relay; 3] = [
    Relay {
        name: "sunpath relay",
        start: |command, from, to| sunpath(command, &[], from, to),
    },
    Relay {
        name: "sunpath relay --fds",
        start: |command, from, to| sunpath(command, &["--fds"], from, to),
    },
    Relay {
        name: "socat -b 65536",
        start: |_, from, to| socat(from, to),
    },
];

/// Starts the relay, and waits until it listens.
fn sunpath(command: &Path, options: &[&str], from: &Path, to: &Path) -> Result<Child> {
    let mut command = Command::new(command);
    command
        .args(["relay", "-v"])
        .args(options)
        .args([from, to])
        .stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let mut note = String::new();
    BufReader::new(child.stderr.take().ok_or("no standard error")?).read_line(&mut note)?;
    Ok(child)
}

fn socat(from: &Path, to: &Path) -> Result<Child> {
    let address = |kind: &str, path: &Path| format!("{kind}:{}", path.display());
    let mut command = Command::new("socat");
    command.args([
        "-b",
        "65536",
        &address("UNIX-LISTEN", from),
        &address("UNIX-CONNECT", to),
    ]);
    let child = command.spawn()?;
    while !from.exists() {
        thread::yield_now();
    }
    Ok(child)
}

/// Sends the bytes through the relay. Returns the time until the last byte arrived, and the relay's
/// CPU time.
fn carry(from: &PathBuf, listener: &UnixListener, pid: u32) -> Result<(Duration, Duration)> {
    let mut client = loop {
        match UnixStream::connect(from) {
            Ok(client) => break client,
            Err(_) => thread::yield_now(), // socat listens right after its file appears
        }
    };
    let (mut server, _) = listener.accept()?;
    let began = Instant::now();
    let sender = thread::spawn(move || -> std::io::Result<()> {
        let chunk = vec![b'x'; CHUNK];
        for _ in 0..BYTES / CHUNK {
            client.write_all(&chunk)?;
        }
        client.shutdown(Shutdown::Write)
    });
    let mut chunk = vec![0; CHUNK];
    let mut left = BYTES;
    while left > 0 {
        match server.read(&mut chunk)? {
            0 => return Err("the relay lost bytes".into()),
            len => left -= len,
        }
    }
    let time = began.elapsed();
    let cpu = cpu_time(pid)?;
    sender.join().map_err(|_| "the sender failed")??;
    Ok((time, cpu))
}

/// Returns the CPU time of a process so far, with that of threads that have ended.
fn cpu_time(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit(") ").next().ok_or("no name")?;
    // Fields 14 and 15 are the time in user space and in the kernel, in hundredths of a second.
    let fields = after_name.split(' ').skip(14 - 3).take(2);
    let ticks = fields
        .map(str::parse::<u64>)
        .sum::<std::result::Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}
