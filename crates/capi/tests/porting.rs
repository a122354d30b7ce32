//! Runs the fragments of PORTING.md, and the daemon with an event loop, `examples/poll.c`.

mod common;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Fresh, Link, compiler, has, link, root, succeed};

#[test]
fn porting_fragments_show_the_fault_and_its_absence() {
    if !has("gcc") {
        return;
    }
    let page = fs::read_to_string(root().join("PORTING.md")).unwrap();
    let blocks: Vec<&str> = page
        .split("```c\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap())
        .collect();
    assert_eq!(blocks.len(), 8, "four fragments, and what replaces them");
    let fresh = Fresh::new();
    let mut fragments = String::new();
    for block in blocks {
        fragments.push_str("static ");
        fragments.push_str(block);
    }
    fs::write(fresh.0.join("porting.inc"), fragments).unwrap();
    for optimized in ["-O0", "-O2"] {
        let mut cc = compiler("gcc");
        cc.args(["-D_GNU_SOURCE", optimized, "-I"]).arg(&fresh.0);
        cc.arg("-I").arg(root().join("tests/c")).args(["-x", "c"]);
        cc.arg(root().join("tests/porting.harness"));
        cc.args(["-x", "none"]);
        link(&mut cc, Link::Shared);
        succeed(cc.arg("-o").arg(fresh.0.join("porting")));
        let work = Fresh::new();
        succeed(Command::new(fresh.0.join("porting")).current_dir(&work.0));
    }
}

struct Daemon(Child, PathBuf);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Daemon {
    fn start(program: &PathBuf, path: PathBuf) -> Self {
        let mut command = Command::new("sh");
        // With 40 descriptors the daemon cannot accept all 50 clients at once.
        command
            .args(["-c", "ulimit -n 40 && exec \"$0\" \"$1\""])
            .arg(program)
            .arg(&path);
        let daemon = Self(command.stdin(Stdio::null()).spawn().unwrap(), path);
        drop(daemon.connect());
        daemon
    }

    fn connect(&self) -> UnixStream {
        let began = Instant::now();
        loop {
            match UnixStream::connect(&self.1) {
                Ok(stream) => return stream,
                Err(error) => assert!(began.elapsed() < Duration::from_secs(30), "{error}"),
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn signal(&self, name: &str) {
        succeed(Command::new("kill").args(["-s", name, &self.0.id().to_string()]));
    }
}

#[test]
fn porting_daemon_serves_more_clients_than_it_has_descriptors() {
    if !has("gcc") {
        return;
    }
    let fresh = Fresh::new();
    let program = fresh.0.join("poll");
    let mut cc = compiler("gcc");
    cc.args(["-D_GNU_SOURCE", "-g"])
        .arg(root().join("examples/poll.c"));
    link(&mut cc, Link::Shared);
    succeed(cc.arg("-o").arg(&program));

    let path = fresh.0.join("poll.sock");
    let killed = Daemon::start(&program, path.clone());
    killed.signal("KILL");
    drop(killed);
    let mut daemon = Daemon::start(&program, path.clone());
    let second = Command::new(&program).arg(&path).output().unwrap();
    assert_eq!(second.status.code(), Some(3));

    let exchange = |client: &mut UnixStream| {
        let (sent, mut received) = (vec![b'x'; 10_000], vec![0; 10_000]);
        client.write_all(&sent).unwrap();
        client.read_exact(&mut received).unwrap();
        assert_eq!(sent, received);
    };
    let mut clients: Vec<UnixStream> = (0..50).map(|_| daemon.connect()).collect();
    // The last 20 clients exchange nothing before the others have left, and some wait in the queue.
    let mut late = clients.split_off(30);
    clients.iter_mut().for_each(exchange);
    drop(clients);
    late.iter_mut().for_each(exchange);

    daemon.signal("TERM");
    assert!(daemon.0.wait().unwrap().success());
    assert!(!path.exists());
}
