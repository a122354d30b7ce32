//! What `sunpath ls` tells about real servers is compared with ss and lsof.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use sunpath::{ConnectOptions, UnixStream};

use super::{fresh, json};
use crate::{skip, sunpath};

/// A server, its arguments, and the file `input` in its directory. `DIR` stands for the directory.
struct Server {
    program: &'static str,
    args: &'static [&'static str],
    input: &'static str,
}

const SERVERS: [Server; 3] = [
    Server {
        program: "redis-server",
        args: &["DIR/input"],
        input: "port 0\nunixsocket DIR/a.sock\nsave \"\"\nappendonly no\n",
    },
    Server {
        program: "nginx",
        args: &["-p", "DIR", "-c", "DIR/input"],
        input: "daemon off; error_log stderr; pid pid; worker_processes 2; events {}
            http {
                access_log off;
                client_body_temp_path 1; proxy_temp_path 2; fastcgi_temp_path 3;
                uwsgi_temp_path 4; scgi_temp_path 5;
                server { listen unix:DIR/a.sock; location / { return 200 \"hello\"; } }
            }",
    },
    Server {
        program: "dbus-daemon",
        args: &["--config-file=DIR/input", "--nofork", "--nopidfile"],
        input: "<busconfig>
            <type>session</type><listen>unix:path=DIR/a.sock</listen><auth>EXTERNAL</auth>
            <policy context='default'><allow send_destination='*'/><allow own='*'/></policy>
            </busconfig>",
    },
];

/// A server that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // nginx ends its workers when it is told to end, and not when it is killed.
        let pid = self.0.id().to_string();
        let _ = Command::new("kill").arg(pid).status();
        let _ = self.0.wait();
    }
}

fn start(server: &Server, dir: &Path) -> Option<Running> {
    let dir = dir.to_str().unwrap();
    let with_dir = |text: &str| text.replace("DIR", dir);
    fs::write(format!("{dir}/input"), with_dir(server.input)).unwrap();
    let child = Command::new(server.program)
        .args(server.args.iter().map(|arg| with_dir(arg)))
        .env(
            "PATH",
            format!("{}:/usr/sbin", std::env::var("PATH").unwrap()),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    child.ok().map(Running)
}

/// A process, its descriptor, and the inode of the socket.
type Held = BTreeSet<(u64, u64, u64)>;

fn held_by_ls(whole: &Value) -> Held {
    let mut held = Held::new();
    for socket in whole["sockets"].as_array().unwrap() {
        for process in socket["processes"].as_array().unwrap() {
            for descriptor in process["descriptors"].as_array().unwrap() {
                let number = |value: &Value| value.as_u64().unwrap();
                let inode = number(&socket["inode"]);
                held.insert((number(&process["pid"]), number(descriptor), inode));
            }
        }
    }
    held
}

/// Reads the output of a program, if it is installed.
fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Reads `users:(("nginx",pid=12,fd=3),...)` at the end of each line of ss.
fn held_by_ss(printed: &str) -> Held {
    let mut held = Held::new();
    for line in printed.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(inode) = words.get(5).and_then(|word| word.parse().ok()) else {
            continue;
        };
        for user in line.split("pid=").skip(1) {
            let mut numbers = user.split(|char: char| !char.is_ascii_digit());
            let pid = numbers.next().unwrap().parse().unwrap();
            let descriptor = user.split("fd=").nth(1).unwrap();
            let end = descriptor.find(|char: char| !char.is_ascii_digit());
            let descriptor = descriptor[..end.unwrap()].parse().unwrap();
            held.insert((pid, descriptor, inode));
        }
    }
    held
}

/// Reads the fields that `lsof -F pfi` prints, each on a line of its own.
fn held_by_lsof(printed: &str) -> Held {
    let mut held = Held::new();
    let (mut pid, mut descriptor) = (0, None);
    for line in printed.lines() {
        let (field, value) = line.split_at(1);
        match field {
            "p" => pid = value.parse().unwrap(),
            "f" => descriptor = value.parse().ok(),
            "i" => {
                if let (Some(descriptor), Ok(inode)) = (descriptor, value.parse()) {
                    held.insert((pid, descriptor, inode));
                }
            }
            _ => {}
        }
    }
    held
}

/// Reads the lines of ss as ls has them: inode, kind, state, queue and peer.
fn lines_of_ss(printed: &str) -> BTreeSet<String> {
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [kind, state, first, second, name, inode, _, peer, ..] = words[..] else {
            return None;
        };
        let name = name.replace('*', "");
        Some(format!(
            "{inode} {kind} {state} {first} {second} {name} {peer}"
        ))
    };
    printed.lines().filter_map(line).collect()
}

fn lines_of_ls(whole: &Value) -> BTreeSet<String> {
    let line = |socket: &Value| {
        let text = |key: &str| socket[key].as_str().unwrap_or_default();
        let kind = match text("kind") {
            "stream" => "u_str",
            "datagram" => "u_dgr",
            _ => "u_seq",
        };
        let (state, first, second) = match text("state") {
            "listening" => ("LISTEN", &socket["waiting"], &socket["backlog"]),
            "connected" => (
                "ESTAB",
                &socket["unread_bytes"],
                &socket["unreceived_memory"],
            ),
            _ => (
                "UNCONN",
                &socket["unread_bytes"],
                &socket["unreceived_memory"],
            ),
        };
        let name = match socket.get("abstract") {
            Some(name) => format!("@{}", name.as_str().unwrap()),
            None => text("path").to_owned(),
        };
        let peer = socket["peer"]["inode"].as_u64().unwrap_or(0);
        let inode = &socket["inode"];
        format!("{inode} {kind} {state} {first} {second} {name} {peer}")
    };
    whole["sockets"]
        .as_array()
        .unwrap()
        .iter()
        .map(line)
        .collect()
}

/// How often a server and its list are looked at, because a server makes sockets when it likes.
const TRIES: usize = 20;

#[test]
fn ls_of_real_servers_is_what_ss_and_lsof_tell() {
    for server in &SERVERS {
        let dir = fresh();
        let Some(running) = start(server, dir.path()) else {
            skip(server.program);
            continue;
        };
        let path = dir.path().join("a.sock");
        let patient = ConnectOptions::new()
            .wait_for_server(true)
            .timeout(Duration::from_secs(60));
        let clients = [(); 3].map(|()| -> UnixStream { patient.connect(&path).unwrap() });
        let name = path.to_str().unwrap();
        let mut differs = String::new();
        for _ in 0..TRIES {
            let whole = json(&mut sunpath(["ls", name]));
            differs = compare(&whole, name);
            if differs.is_empty() {
                break;
            }
        }
        assert_eq!(differs, "", "{}", server.program);
        drop(clients);
        drop(running);
    }
}

/// Returns what is different, or an empty text.
fn compare(whole: &Value, name: &str) -> String {
    let ours = held_by_ls(whole);
    let inodes: BTreeSet<u64> = ours.iter().map(|(_, _, inode)| *inode).collect();
    let of_these = |held: Held| -> Held {
        held.into_iter()
            .filter(|(_, _, inode)| inodes.contains(inode))
            .collect()
    };
    if whole["sockets"].as_array().unwrap().len() < 4 || ours.is_empty() {
        return format!("only {whole:#}");
    }
    match output("ss", &["-xpanH"]) {
        None => skip("ss"),
        Some(printed) => {
            let theirs = of_these(held_by_ss(&printed));
            if ours != theirs {
                return format!("ss -xp: {theirs:?}, ls: {ours:?}");
            }
            let lines = lines_of_ls(whole);
            let missing: Vec<_> = lines.difference(&lines_of_ss(&printed)).cloned().collect();
            if !missing.is_empty() {
                return format!("not in ss: {missing:?}");
            }
            let with_name = printed.lines().filter(|line| line.contains(name)).count();
            let named = lines.iter().filter(|line| line.contains(name)).count();
            if with_name != named {
                return format!("{with_name} sockets with the name in ss, {named} in ls");
            }
        }
    }
    match output("lsof", &["-U", "-n", "-P", "-F", "pfi"]) {
        None => skip("lsof"),
        Some(printed) => {
            let theirs = of_these(held_by_lsof(&printed));
            if ours != theirs {
                return format!("lsof -U: {theirs:?}, ls: {ours:?}");
            }
        }
    }
    String::new()
}
