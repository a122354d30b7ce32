//! Counts what this package costs beside tokio's own types: instructions by callgrind, and system calls
//! by strace. Both are counted, not timed, so other work on the machine does not matter.
//!
//! ```sh
//! cargo bench -p sunpath-tokio
//! ```
//!
//! It fails if a limit is exceeded: an echo in which each read waits may take 1.1 times tokio's
//! instructions and no further system call, a connection may take 9 system calls, and a connection whose
//! request is there when it is accepted must take fewer than tokio's.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode};

use sunpath_tokio::{UnixListener, UnixStream};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::runtime::Builder;
use tokio::task;

/// The name of a workload, and what it does so many times.
type Work = (&'static str, fn(u32));

const WORK: [Work; 8] = [
    ("echo tokio", |count| {
        run(async || echo(tokio::net::UnixStream::pair().unwrap(), count).await)
    }),
    ("echo sunpath", |count| {
        run(async || echo(UnixStream::pair().unwrap(), count).await)
    }),
    ("there tokio", |count| {
        run(async || there(tokio::net::UnixStream::pair().unwrap(), count).await)
    }),
    ("there sunpath", |count| {
        run(async || there(UnixStream::pair().unwrap(), count).await)
    }),
    ("connect tokio", |count| {
        run(async || connect_tokio(count, &[]).await)
    }),
    ("connect sunpath", |count| {
        run(async || connect_sunpath(count, &[]).await)
    }),
    ("request tokio", |count| {
        run(async || connect_tokio(count, &[7; 64]).await)
    }),
    ("request sunpath", |count| {
        run(async || connect_sunpath(count, &[7; 64]).await)
    }),
];

fn run(work: impl AsyncFnOnce()) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(work());
}

/// One task sends and waits for the answer, and the other one waits and answers.
async fn echo<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    (mut a, mut b): (S, S),
    count: u32,
) {
    let server = task::spawn(async move {
        let mut buf = [0; 4096];
        loop {
            match b.read(&mut buf).await.unwrap() {
                0 => return,
                n => b.write_all(&buf[..n]).await.unwrap(),
            }
        }
    });
    let client = task::spawn(async move {
        let mut buf = [0; 4096];
        for _ in 0..count {
            a.write_all(&[7; 64]).await.unwrap();
            assert_eq!(a.read(&mut buf).await.unwrap(), 64);
        }
    });
    client.await.unwrap();
    server.await.unwrap();
}

/// A new pair whose reader finds data, so that it need not wait.
async fn there<S: AsyncRead + AsyncWrite + Unpin>((mut a, mut b): (S, S), count: u32) {
    let mut buf = [0; 64];
    for _ in 0..count {
        a.write_all(&[7; 64]).await.unwrap();
        b.read_exact(&mut buf).await.unwrap();
    }
}

fn path() -> String {
    format!("/tmp/sunpath-tokio-cost-{}.sock", std::process::id())
}

/// The client sends its request, if there is one, before the server accepts.
async fn connect_tokio(count: u32, request: &[u8]) {
    let path = path();
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    for _ in 0..count {
        let mut client = tokio::net::UnixStream::connect(&path).await.unwrap();
        client.write_all(request).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        server
            .read_exact(&mut vec![0; request.len()])
            .await
            .unwrap();
        drop((client, server));
    }
    std::fs::remove_file(path).unwrap();
}

async fn connect_sunpath(count: u32, request: &[u8]) {
    let path = path();
    let listener = UnixListener::bind(&path).unwrap();
    for _ in 0..count {
        let mut client = UnixStream::connect(&path).await.unwrap();
        client.write_all(request).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        server
            .read_exact(&mut vec![0; request.len()])
            .await
            .unwrap();
        drop((client, server));
    }
    std::fs::remove_file(path).unwrap();
}

/// The repetitions of the two runs, whose difference leaves out the start and the end of a program.
const COUNTS: [u32; 2] = [1000, 2000];

/// Returns the difference of the two runs for one repetition, of whatever `count` counts.
fn per_repetition(
    mut count: impl FnMut(u32) -> Result<u64, Box<dyn Error>>,
) -> Result<f64, Box<dyn Error>> {
    let [few, many] = COUNTS;
    let difference = count(many)?.saturating_sub(count(few)?);
    Ok(difference as f64 / f64::from(many - few))
}

fn instructions(program: &Path, work: &str, count: u32) -> Result<u64, Box<dyn Error>> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([work, &count.to_string()])
        .output()?;
    let report = String::from_utf8(output.stderr)?;
    let line = report.lines().find(|line| line.contains("Collected : "));
    let number = line
        .and_then(|line| line.rsplit(' ').next())
        .ok_or(report.clone())?;
    Ok(number.parse()?)
}

/// Counts the system calls, by name.
fn calls(program: &Path, work: &str, count: u32) -> Result<BTreeMap<String, u64>, Box<dyn Error>> {
    let file = env::temp_dir().join(format!("sunpath-tokio-calls-{}", std::process::id()));
    let status = Command::new("strace")
        .args(["-f", "-c", "-o"])
        .args([&file, program])
        .args([work, &count.to_string()])
        .status()?;
    let report = std::fs::read_to_string(&file)?;
    std::fs::remove_file(&file)?;
    if !status.success() {
        return Err(report.into());
    }
    let mut calls = BTreeMap::new();
    for line in report.lines().skip(2) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ([_, _, _, count, ..], Some(name)) = (&words[..], words.last()) {
            if let (Ok(count), false) = (count.parse(), *name == "total") {
                calls.insert((*name).to_owned(), count);
            }
        }
    }
    Ok(calls)
}

fn compare() -> Result<bool, Box<dyn Error>> {
    let program = env::current_exe()?;
    println!(
        "{:16}{:>14}{:>14}  by name",
        "", "instructions", "system calls"
    );
    let mut costs = BTreeMap::new();
    for (work, _) in WORK {
        let executed = per_repetition(|count| instructions(&program, work, count))?;
        let called = COUNTS.map(|count| calls(&program, work, count));
        let [few, many] = called;
        let (few, many) = (few?, many?);
        let each = f64::from(COUNTS[1] - COUNTS[0]);
        let by_name: Vec<(String, f64)> = many
            .into_iter()
            .map(|(name, count)| {
                let before = few.get(&name).copied().unwrap_or(0);
                let difference = count.saturating_sub(before) as f64 / each;
                (name, difference)
            })
            .filter(|(_, count)| *count >= 0.05)
            .collect();
        let total: f64 = by_name.iter().map(|(_, count)| count).sum();
        let names: Vec<String> = by_name
            .iter()
            .map(|(name, count)| format!("{count:.2} {name}"))
            .collect();
        println!("{work:16}{executed:14.0}{total:14.2}  {}", names.join(", "));
        costs.insert(work, (executed, total));
    }
    let ratio = costs["echo sunpath"].0 / costs["echo tokio"].0;
    println!("echo: {ratio:.2} times tokio's instructions");
    let more_calls = costs["echo sunpath"].1 - costs["echo tokio"].1;
    let fewer_calls = costs["request tokio"].1 - costs["request sunpath"].1;
    let connected = costs["connect sunpath"].1;
    Ok(ratio <= 1.1 && more_calls < 0.05 && connected < 9.05 && fewer_calls > 0.95)
}

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    if let [work, count] = &args[..] {
        let (_, work) = WORK
            .into_iter()
            .find(|(name, _)| name == work)
            .expect("the name of a workload");
        work(count.parse().expect("a number"));
        return ExitCode::SUCCESS;
    }
    match compare() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("a limit is exceeded: see the beginning of this file");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("cost: {error}");
            ExitCode::FAILURE
        }
    }
}
