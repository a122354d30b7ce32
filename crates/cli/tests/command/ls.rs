//! `sunpath ls`: what it tells about sockets of this process and of others.

mod servers;
pub(crate) mod terminal;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{self, Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use sunpath::{CWD, SunPath, UnixAddr, UnixDatagram, UnixListener, UnixStream};
use tempfile::TempDir;

use crate::{Ran, for_others, run, skip_uninstalled, sunpath, unless_root};

/// Returns a fresh directory with a short path.
pub(crate) fn fresh() -> TempDir {
    tempfile::tempdir_in("/tmp").unwrap()
}

/// Returns the inode of a socket.
fn inode(fd: impl AsFd) -> u64 {
    let file = fs::File::from(fd.as_fd().try_clone_to_owned().unwrap());
    file.metadata().unwrap().ino()
}

/// Returns the JSON of a command.
pub(crate) fn json(command: &mut Command) -> Value {
    let output = command.arg("--json").output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn list(pattern: impl AsRef<std::ffi::OsStr>) -> Ran {
    run(sunpath(["ls"]).arg("--").arg(pattern))
}

/// Lists again until each socket has one holder: a child that another test starts holds every socket of
/// this process until it executes its program.
fn list_settled(pattern: &str) -> Ran {
    let mut ran = list(pattern);
    for _ in 0..TRIES {
        if !ran.out.contains("], ") {
            break;
        }
        ran = list(pattern);
    }
    ran
}

/// How often a list is asked for again, until the children of other tests have executed their programs.
const TRIES: usize = 1000;

/// Does for JSON what [`list_settled`] does.
fn json_settled(pattern: &Path) -> Value {
    for _ in 0..TRIES {
        let whole = json(sunpath(["ls"]).arg(pattern));
        let sockets = whole["sockets"].as_array().unwrap();
        let holders = |socket: &Value| socket["processes"].as_array().unwrap().len();
        if sockets.iter().all(|socket| holders(socket) == 1) {
            return whole;
        }
    }
    panic!("a socket has not one holder");
}

/// Returns the object of a socket in the JSON of the whole list.
fn socket(whole: &Value, inode: u64) -> &Value {
    let sockets = whole["sockets"].as_array().unwrap();
    let found = sockets.iter().find(|socket| socket["inode"] == inode);
    found.unwrap_or_else(|| panic!("{inode} is not in {whole:#}"))
}

/// Returns the words of the line of the table that begins with these words.
fn words<'r>(ran: &'r Ran, begin: &str) -> Vec<&'r str> {
    let lines = ran.out.lines().map(|line| line.split_whitespace());
    let mut lines = lines.map(Iterator::collect::<Vec<_>>);
    let is_it = |line: &Vec<&str>| line.join(" ").starts_with(begin);
    lines
        .find(is_it)
        .unwrap_or_else(|| panic!("no line {begin} in {}", ran.out))
}

/// Returns how the table shows this process.
fn this_process() -> String {
    let command = fs::read_to_string("/proc/self/comm").unwrap();
    format!("{}[{}]", command.trim_end(), process::id())
}

#[test]
fn ls_connection_is_one_line_with_both_ends() {
    let dir = fresh();
    let path = dir.path().join("a.sock");
    let name = path.to_str().unwrap();
    let listener = UnixListener::bind(&path).unwrap();
    let client = UnixStream::connect(&path).unwrap();
    let (server, _) = listener.accept().unwrap();
    client.write_all(b"abc").unwrap();
    server.write_all(b"to the client").unwrap();
    let us = this_process();

    let ran = list_settled(name);
    assert_eq!(ran.status, 0);
    // After this an ordinary user sees how many processes could not be read, which changes all the time.
    let first = "3 sockets: 1 listening, 2 connected.";
    assert!(ran.first().starts_with(first), "{}", ran.out);
    assert_eq!(ran.out.lines().count(), 4, "{}", ran.out);
    let header = ["KIND", "STATE", "QUEUE", "PROCESS", "PEER", "NAME"];
    assert_eq!(words(&ran, "KIND"), header);
    let backlog = fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    let queue = format!("0/{}", backlog.trim_end());
    let expected = ["stream", "listening", &queue, &us, "-", name];
    assert_eq!(words(&ran, "stream listening"), expected);
    let expected = ["stream", "connected", "3+13", "B", &us, &us, name];
    assert_eq!(words(&ran, "stream connected"), expected);

    let quiet = run(sunpath(["ls", "-q"]).arg(name));
    assert!(quiet.out.starts_with(first), "{}", quiet.out);
    assert_eq!(quiet.out.lines().count(), 1, "{}", quiet.out);
    let listening = run(sunpath(["ls", "--listening"]).arg(name));
    assert!(listening.first().starts_with("1 socket."));
}

#[test]
fn ls_json_has_everything_about_each_socket() {
    let dir = fresh();
    let path = dir.path().join("a.sock");
    let listener = UnixListener::bind(&path).unwrap();
    listener.listen_again(7).unwrap();
    let clients = [(); 3].map(|()| UnixStream::connect(&path).unwrap());
    let (server, _) = listener.accept().unwrap();
    clients[0].write_all(b"abc").unwrap();
    let again = listener.as_fd().try_clone_to_owned().unwrap();

    let whole = json_settled(&path);
    assert_eq!(whole["complete"], true);
    assert_eq!(whole["sockets"].as_array().unwrap().len(), 5);
    let file = fs::metadata(&path).unwrap();
    let entry = socket(&whole, inode(&listener));
    assert_eq!(entry["kind"], "stream");
    assert_eq!(entry["state"], "listening");
    assert_eq!(entry["path"], path.to_str().unwrap());
    assert_eq!(
        (&entry["waiting"], &entry["backlog"]),
        (&2.into(), &7.into())
    );
    assert_eq!(entry["file"]["inode_low_32_bits"], file.ino() as u32);
    assert_eq!(entry["shut_down"], Value::Null);
    assert_eq!(entry["peer"], Value::Null);
    let [process] = entry["processes"].as_array().unwrap().as_slice() else {
        panic!("{entry:#}");
    };
    assert_eq!(process["pid"], process::id());
    let descriptors = process["descriptors"].as_array().unwrap();
    assert_eq!(descriptors.len(), 2, "{descriptors:?}");
    drop(again);

    let entry = socket(&whole, inode(&server));
    assert_eq!(entry["unread_bytes"], 3);
    let peer = serde_json::json!({ "state": "open", "inode": inode(&clients[0]) });
    assert_eq!(entry["peer"], peer);
    assert_eq!(entry["path"], path.to_str().unwrap());
    let entry = socket(&whole, inode(&clients[1]));
    let listener_inode = inode(&listener);
    let peer = serde_json::json!({ "state": "waits", "inode": null, "listener": listener_inode });
    assert_eq!(entry["peer"], peer);
    assert_eq!(entry.get("path"), None, "a client has no name");
}

#[test]
fn ls_client_that_waits_and_peer_that_closed_are_told_apart() {
    let dir = fresh();
    let path = dir.path().join("a.sock");
    let name = path.to_str().unwrap();
    let listener = UnixListener::bind(&path).unwrap();
    let closed = UnixStream::connect(&path).unwrap();
    drop(listener.accept().unwrap());
    let waits = UnixStream::connect(&path).unwrap();
    let us = this_process();

    let ran = list_settled(name);
    let expected = [
        "stream",
        "connected",
        "0",
        "B",
        &us,
        "waits",
        "for",
        name,
        &us,
        "-",
    ];
    assert_eq!(words(&ran, "stream connected"), expected);
    let whole = loop {
        let whole = json(&mut sunpath(["ls"]));
        let entry = socket(&whole, inode(&closed));
        if entry["peer"]["state"] == "closed" {
            assert_eq!(entry["shut_down"], "both");
            break whole;
        }
        assert_eq!(
            entry["peer"]["state"], "open",
            "until the last holder has closed it"
        );
    };
    assert_eq!(socket(&whole, inode(&waits))["peer"]["state"], "waits");

    listener
        .as_socket()
        .shutdown(sunpath::Shutdown::Both)
        .unwrap();
    assert_eq!(
        words(&list(name), "stream shut")[..3],
        ["stream", "shut", "down"]
    );
}

#[test]
fn ls_datagram_sockets_show_whom_they_send_to() {
    let name = format!("sunpath-ls-{}", process::id());
    let addr = UnixAddr::from_abstract(&name).unwrap();
    let receiver = UnixDatagram::bind_addr(&addr).unwrap();
    let sender = UnixDatagram::unbound().unwrap();
    sender.connect_to(&addr).unwrap();
    sender.send(b"hello").unwrap();
    let us = this_process();
    let named = format!("@{name}");
    let ran = list_settled(&named);
    assert!(
        ran.first()
            .starts_with("2 sockets: 0 listening, 2 connected.")
    );
    let expected = ["datagram", "connected", "5", "B", &us, "-", &named];
    assert_eq!(words(&ran, "datagram connected 5 B"), expected);
    let expected = ["datagram", "connected", "0", "B", &us, &named, &us, "-"];
    assert_eq!(words(&ran, "datagram connected 0 B"), expected);
    let whole = json(&mut sunpath(["ls", &named]));
    assert_eq!(socket(&whole, inode(&receiver))["abstract"], name);
}

#[test]
fn ls_pattern_chooses_by_name_process_and_number() {
    let dir = fresh();
    let path = dir.path().join("a.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    let name = path.to_str().unwrap();
    let (before, _) = name.rsplit_once('/').unwrap();
    for pattern in [
        name,
        before,
        &format!("{before}/*"),
        &format!("{before}/?.soc[jk]"),
    ] {
        let ran = list(pattern);
        assert_eq!(ran.status, 0, "{pattern}");
        assert!(ran.first().starts_with("1 socket."), "{}", ran.out);
    }
    for pattern in [
        &format!("{before}/*.sok"),
        &format!("{before}/b"),
        &format!("?{name}"),
    ] {
        let ran = list(pattern);
        assert_eq!(ran.status, 1, "{pattern}");
        let first = format!("No socket in this network namespace matches {pattern}.");
        assert!(ran.first().starts_with(&first), "{}", ran.out);
        assert_eq!(ran.out.lines().count(), 1);
    }
    assert!(list(process::id().to_string()).out.contains(name));
    let command = fs::read_to_string("/proc/self/comm").unwrap();
    assert!(list(command.trim_end()).out.contains(name));
    // A process with the name may be one that could not be read.
    let ran = list("no such process");
    let unread = json(&mut sunpath(["ls"]))["unreadable_processes"] != 0;
    assert_eq!(ran.status, if unread { 3 } else { 1 });

    let ran = list("[");
    assert_eq!((ran.status, ran.out.as_str()), (2, ""));
    assert_eq!(run(&mut sunpath(["ls", "a", "b"])).status, 2);
    assert_eq!(run(&mut sunpath(["ls", "--json", "-q"])).status, 2);
}

/// Names that would move a cursor, end a line, or look like another name.
pub(crate) fn hostile_names() -> Vec<Vec<u8>> {
    let names: [&[u8]; 8] = [
        b"a\nb",
        b"\x1b[2J\x1b]0;title\x07",
        b"\xff\xfe",
        b"back\\slash",
        b"\xc2\x9b2J",
        "\u{202e}gpj".as_bytes(),
        b"@x",
        b"tab\there",
    ];
    names.map(<[u8]>::to_vec).into()
}

/// Binds datagram sockets to hostile paths in a directory: one of 108 bytes too, and a relative one that begins
/// with `@`.
pub(crate) fn bind_hostile(dir: &Path) -> Vec<(UnixDatagram, Vec<u8>)> {
    let mut bound = Vec::new();
    for name in hostile_names() {
        let path = [dir.as_os_str().as_bytes(), b"/", &name].concat();
        bound.push((UnixDatagram::bind(&path).unwrap(), path));
    }
    let mut path = [dir.as_os_str().as_bytes(), b"/"].concat();
    path.resize(108, b'\x1b');
    let mut raw = *UnixAddr::unnamed().as_sockaddr_un();
    for (place, byte) in raw.sun_path.iter_mut().zip(&path) {
        *place = *byte as _;
    }
    let full = UnixAddr::from_raw(raw, 110).unwrap();
    bound.push((UnixDatagram::bind_addr(&full).unwrap(), path));
    bound
}

/// Returns the bytes of a name in JSON.
pub(crate) fn bytes(object: &Value, key: &str) -> Vec<u8> {
    let hex = object
        .get(format!("{key}_hex"))
        .map(|hex| hex.as_str().unwrap());
    match hex {
        None => object[key].as_str().unwrap().as_bytes().into(),
        Some(hex) => (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect(),
    }
}

/// `run` fails if a control character reaches the terminal.
#[test]
fn ls_hostile_names_are_escaped_and_json_has_all_bytes() {
    let dir = fresh();
    let mut bound = bind_hostile(dir.path());
    for name in hostile_names() {
        let name = [
            format!("sunpath-{}-", process::id()).as_bytes(),
            &name,
            b"\0",
        ]
        .concat();
        let addr = UnixAddr::from_abstract(&name).unwrap();
        bound.push((UnixDatagram::bind_addr(&addr).unwrap(), name));
    }
    let ran = run(&mut sunpath(["ls"]));
    assert_eq!(ran.status, 0);
    let whole = json(&mut sunpath(["ls"]));
    for (socket, name) in &bound {
        let addr = socket.local_addr().unwrap();
        let printed = addr.to_string();
        assert!(ran.out.contains(&printed), "{printed} in {}", ran.out);
        let key = match addr.name() {
            SunPath::Abstract(_) => "abstract",
            _ => "path",
        };
        let object = self::socket(&whole, inode(socket));
        assert_eq!(&bytes(object, key), name, "{object:#}");
        // A pattern is taken as the list prints the name, and as the name is.
        for pattern in [printed.as_bytes(), name] {
            if !pattern.contains(&0) && !pattern.contains(&b'[') {
                let found = list(std::ffi::OsStr::from_bytes(pattern));
                assert!(found.out.contains(&printed), "{printed}: {}", found.out);
            }
        }
    }
}

/// A relative path that begins with `@` is shown with `./`, because `@x` is an abstract name.
#[test]
fn ls_path_that_begins_with_at_is_not_an_abstract_name() {
    let dir = fresh();
    let mut child = match Command::new("socat")
        .current_dir(dir.path())
        .args(["UNIX-RECV:@x", "-"])
        .stdout(Stdio::null())
        .spawn()
    {
        Ok(child) => child,
        Err(_) => return skip_uninstalled("socat"),
    };
    let path = dir.path().join("@x");
    while fs::symlink_metadata(&path).is_err() {
        assert!(child.try_wait().unwrap().is_none(), "socat has ended");
        std::thread::yield_now();
    }
    let ran = list(child.id().to_string());
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(words(&ran, "datagram").last(), Some(&"./@x"), "{}", ran.out);
}

/// A child with a socket as its standard input, and with a hostile name.
struct Hostile {
    child: Child,
    _socket: UnixStream,
}

impl Hostile {
    fn start() -> Self {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let rename = "printf '\\033[31m\\n\\377x' > /proc/$$/comm; echo renamed; read line";
        let mut child = Command::new("sh")
            .args(["-c", rename])
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        assert_eq!(line, "renamed\n");
        Self {
            child,
            _socket: ours,
        }
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn ls_hostile_name_of_a_process_is_escaped() {
    let hostile = Hostile::start();
    let pid = hostile.child.id().to_string();
    let ran = list(&pid);
    let shown = format!("\\x1b[31m\\x0a\\xffx[{pid}]");
    assert!(ran.out.contains(&shown), "{}", ran.out);
    let whole = json(&mut sunpath(["ls", &pid]));
    let found = whole["sockets"].as_array().unwrap().iter();
    let mut processes = found.flat_map(|socket| socket["processes"].as_array().unwrap());
    let process = processes.find(|process| process["pid"] == hostile.child.id());
    assert_eq!(bytes(process.unwrap(), "command"), b"\x1b[31m\n\xffx");
}

#[test]
fn ls_processes_that_may_not_be_read_are_counted() {
    if unless_root() {
        return;
    }
    let dir = fresh();
    let copy = for_others(dir.path());
    let path = dir.path().join("a.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    let as_user = |json: bool| {
        let mut command = Command::new(&copy);
        command
            .arg("ls")
            .arg(&path)
            .uid(4711)
            .gid(4711)
            .stdin(Stdio::null());
        if json {
            command.arg("--json");
        }
        command
    };
    let ran = run(&mut as_user(false));
    assert_eq!(ran.status, 0);
    let first = ran.first();
    let (before, after) = first.split_once("1 socket. ").unwrap();
    assert_eq!(before, "");
    let counted =
        after.strip_suffix(" processes could not be read. The holder of 1 socket is not known.");
    assert!(counted.unwrap().parse::<u32>().unwrap() > 1, "{first}");
    assert!(ran.out.contains("? of user 0"), "{}", ran.out);
    let whole = json(&mut as_user(false));
    assert!(whole["unreadable_processes"].as_u64().unwrap() > 1);
    assert_eq!(whole["sockets"][0]["processes"], serde_json::json!([]));
    assert_eq!(whole["sockets"][0]["uid"], 0);
}

#[test]
fn ls_socket_that_is_bound_and_does_not_listen_is_listed() {
    let dir = fresh();
    let path = dir.path().join("a.sock");
    let socket = UnixStream::new().unwrap();
    socket.bind_to_at(CWD, &path).unwrap();
    let name = path.to_str().unwrap();
    let us = this_process();
    let expected = ["stream", "unconnected", "0", "B", &us, "-", name];
    assert_eq!(words(&list_settled(name), "stream"), expected);
}

/// The output in the README is real, except for the numbers of the processes and the directory.
#[test]
fn ls_readme_shows_what_is_printed() {
    let dir = fresh();
    let path = dir.path().join("app.sock");
    let start = |name: &str, action: &str| {
        let program = dir.path().join(name);
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_sunpath"), &program).unwrap();
        let child = Command::new(program)
            .args([action.as_ref(), path.as_os_str()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn();
        Killed(child.unwrap())
    };
    let server = start("appd", "listen");
    // Before listen(2) the file is there, but a client would be refused.
    while !list(&path).out.contains("listening") {}
    let client = start("client", "connect");
    let shown = |text: &str| {
        text.replace(path.to_str().unwrap(), "/run/app.sock")
            .replace(&format!("[{}]", server.0.id()), "[4711]")
            .replace(&format!("[{}]", client.0.id()), "[815]")
    };
    let words = |text: &str| -> Vec<String> {
        let lines = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        lines.collect()
    };
    let (_, example) = include_str!("../../README.md")
        .split_once("$ sunpath ls ")
        .unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let (_, example) = example.split_once('\n').unwrap();
    let mut printed = String::new();
    // The client connects, and the server accepts, when they have started.
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end {
        printed = shown(&list(&path).out);
        // The first line tells how many processes of the machine could not be read.
        let (first, rest) = printed.split_once('\n').unwrap();
        let first = first.split(" connected.").next().unwrap();
        printed = format!("{first} connected.\n{rest}");
        if words(&printed) == words(example) {
            return;
        }
    }
    panic!("{printed}\nis not\n{example}");
}

/// A child that is killed with the test.
pub(crate) struct Killed(pub(crate) Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
