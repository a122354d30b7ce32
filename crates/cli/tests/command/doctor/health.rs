//! Servers that hold a socket and do not answer, and clients with fewer rights than they seem to have.

use std::io::Write;
use std::thread;

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use sunpath::UnixStream;

use super::*;

impl Elsewhere {
    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    /// Stops the process, and waits until it is stopped.
    fn stop(&self) {
        kill_process(self.pid(), Signal::STOP).unwrap();
        let stat = format!("/proc/{}/stat", self.0.id());
        while !fs::read_to_string(&stat).unwrap().contains(") T ") {
            thread::yield_now();
        }
    }
}

#[test]
fn doctor_server_that_is_stopped() {
    let set_up = SetUp::new();
    let path = set_up.path("web.sock");
    let server = Elsewhere::start(sunpath(["listen", "-v", "--backlog", "0"]).arg(&path));
    server.stop();
    let who = server.text();
    let first = format!("You can connect, but {who} is stopped, and no clients wait.");
    let ran = run(set_up.doctor().arg(&path));
    assert_eq!((ran.status, ran.first()), (1, &*first));
    let line = format!("kill -CONT {} lets it run again", server.0.id());
    assert!(ran.out.contains(&line), "{}", ran.out);

    let _client = UnixStream::connect(&path).unwrap();
    let first = format!("The queue is full: {who} is stopped, and 1 client waits.");
    assert_eq!(ask(&mut set_up.doctor(), &path), (1, first));

    let path = set_up.path("receiver");
    let mut receiver = sunpath(["listen", "-v", "--kind", "datagram"]);
    let receiver = Elsewhere::start(receiver.arg(&path));
    receiver.stop();
    let first = format!("You can send, but {} is stopped.", receiver.text());
    let asked = ask(set_up.doctor().args(["--kind", "datagram"]), &path);
    assert_eq!(asked, (1, first));
}

#[test]
fn doctor_server_without_a_free_descriptor() {
    let set_up = SetUp::new();
    let path = set_up.path("web.sock");
    let mut server = Elsewhere::start(sunpath(["listen", "-v", "--backlog", "1"]).arg(&path));
    // It accepts this client, and no other.
    let client = UnixStream::connect(&path).unwrap();
    server.0.stdin.as_mut().unwrap().write_all(b"x").unwrap();
    client.read_exact(&mut [0]).unwrap();
    let limit = Rlimit {
        current: Some(3),
        maximum: Some(3),
    };
    prlimit(Some(server.pid()), Resource::Nofile, limit).unwrap();
    let who = server.text();
    let _waiting = [0, 1].map(|_| UnixStream::connect(&path).unwrap());
    let first = format!("The queue is full: {who} has no free descriptor, and 2 clients wait.");
    let ran = run(set_up.doctor().arg(&path));
    assert_eq!((ran.status, ran.first()), (1, &*first));
    assert!(ran.out.contains("ulimit -n"), "{}", ran.out);
}

/// Root of a user namespace may not use the files of a user that the namespace does not have.
#[test]
fn doctor_root_of_a_container_is_not_refused_by_a_security_module() {
    if unless_root() {
        return;
    }
    let mut set_up = SetUp::new();
    fs::create_dir(set_up.path("closed")).unwrap();
    set_up.listen("closed/web.sock");
    chmod(&set_up.path("closed"), 0o700);
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    command.args(["unshare", "--user", "--map-root-user"]);
    let ran = run(command
        .arg(&set_up.command)
        .arg("doctor")
        .arg(set_up.path("closed/web.sock")));
    if ran.err.contains("unshare") {
        return skip("user namespaces");
    }
    let line = "you are root without CAP_DAC_OVERRIDE for this file, as in a container";
    assert_eq!(ran.status, 1);
    assert!(ran.out.contains(line), "{}", ran.out);
    assert!(!ran.out.contains("security module"), "{}", ran.out);
}
