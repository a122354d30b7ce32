//! `sunpath listen` and `sunpath connect`, with each other and with other programs.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{own_uid, run, skip_uninstalled, sunpath, unless_root, user_name};

/// A command that listens, which is killed at the end.
pub(super) struct Server {
    child: Child,
    notes: BufReader<std::process::ChildStderr>,
}

impl Server {
    /// Starts `sunpath listen -v` with these arguments and an empty standard input, and waits until it
    /// listens.
    pub(super) fn start<I: IntoIterator<Item: AsRef<OsStr>>>(arguments: I) -> Self {
        let mut server = Self::start_with_input(arguments);
        drop(server.child.stdin.take());
        server
    }

    /// Starts it with a pipe as standard input.
    pub(super) fn start_with_input<I: IntoIterator<Item: AsRef<OsStr>>>(arguments: I) -> Self {
        let mut command = sunpath(["listen", "-v"]);
        command.args(arguments);
        Self::spawn(command)
    }

    /// Starts a command line that executes `sunpath listen -v`.
    fn spawn(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let notes = BufReader::new(child.stderr.take().unwrap());
        let mut server = Self { child, notes };
        let note = server.note();
        assert!(note.starts_with("sunpath: listening on "), "{note}");
        server
    }

    /// Returns the next line of standard error.
    fn note(&mut self) -> String {
        let mut line = String::new();
        self.notes.read_line(&mut line).unwrap();
        line
    }

    /// Returns the status and the rest of the output.
    pub(super) fn end(mut self) -> (Option<i32>, Vec<u8>, String) {
        let mut out = Vec::new();
        self.child
            .stdout
            .take()
            .unwrap()
            .read_to_end(&mut out)
            .unwrap();
        let mut notes = String::new();
        self.notes.read_to_string(&mut notes).unwrap();
        (self.child.wait().unwrap().code(), out, notes)
    }

    pub(super) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn fresh() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let path = dir.path().join("a.sock");
    (dir, path)
}

/// Runs `sunpath connect` with this standard input.
pub(super) fn connect<I: IntoIterator<Item: AsRef<OsStr>>>(
    arguments: I,
    input: &[u8],
) -> (Option<i32>, Vec<u8>, String) {
    let mut command = sunpath(["connect"]);
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || _ = stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    (
        output.status.code(),
        output.stdout,
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn listen_and_connect_carry_everything_in_both_directions() {
    let (_dir, path) = fresh();
    let large: Vec<u8> = (0..3_000_000_u32).map(|i| (i * 7 % 251) as u8).collect();
    for kind in ["stream", "seqpacket"] {
        let kinds = [OsStr::new("--kind"), kind.as_ref(), path.as_os_str()];
        let mut server = Server::start_with_input(kinds);
        // The messages of a sequenced-packet connection are lines.
        let sent = if kind == "stream" {
            large.clone()
        } else {
            b"one\n\ntwo\nlast".to_vec()
        };
        let mut stdin = server.child.stdin.take().unwrap();
        let answer = sent.clone();
        let writer = std::thread::spawn(move || stdin.write_all(&answer).unwrap());
        let mut stdout = server.child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let mut out = Vec::new();
            stdout.read_to_end(&mut out).unwrap();
            out
        });
        let (status, out, err) = connect(
            [OsStr::new("--kind"), kind.as_ref(), path.as_os_str()],
            &sent,
        );
        assert_eq!((status, &*err), (Some(0), ""), "{kind}");
        writer.join().unwrap();
        assert!(out == sent, "{kind}: {} of {} bytes", out.len(), sent.len());
        assert!(reader.join().unwrap() == sent, "{kind}");
        assert_eq!(server.child.wait().unwrap().code(), Some(0));
        assert!(!path.exists(), "the socket file is removed");
    }
}

/// The server tells first that it sends nothing more. The reader ends by that, and the writer still reports.
#[test]
fn listen_long_path_and_abstract_name_are_reached() {
    let (dir, _) = fresh();
    let long = dir.path().join("0".repeat(120)).join("a.sock");
    fs::create_dir(long.parent().unwrap()).unwrap();
    let name = format!("@sunpath-cli-{}", std::process::id());
    for target in [long.as_os_str(), OsStr::new(&name)] {
        let server = Server::start([target]);
        assert_eq!(connect([target], b"hello").0, Some(0));
        assert_eq!(server.end().1, b"hello");
    }
    assert!(!long.exists());
}

#[test]
fn listen_mode_and_backlog_are_those_of_the_options() {
    let (_dir, path) = fresh();
    let arguments = ["--mode", "0620", "--backlog", "0"].map(OsStr::new);
    let server = Server::start(arguments.into_iter().chain([path.as_os_str()]));
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o620
    );
    let json = run(sunpath(["doctor", "--json"]).arg(&path));
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["server"]["backlog"], 0, "{json:#}");
    server.signal("-TERM");
    drop(server.end());
    let ran = run(sunpath(["listen", "--mode", "9", "x"])
        .current_dir("/nonexistent/..")
        .current_dir("/tmp"));
    assert_eq!(ran.status, 2, "{}", ran.err);
}

/// The owner and the group are given by name or by number.
#[test]
fn listen_owner_and_group_are_those_of_the_options() {
    if unless_root() {
        return;
    }
    let owned = |options: [&str; 4]| {
        let (_dir, path) = fresh();
        let arguments = options.map(OsStr::new);
        let server = Server::start(arguments.into_iter().chain([path.as_os_str()]));
        let file = fs::metadata(&path).unwrap();
        server.signal("-TERM");
        drop(server.end());
        (file.uid(), file.gid(), file.mode() & 0o7777)
    };
    let mode = ["--mode", "0660"];
    assert_eq!(
        owned([mode[0], mode[1], "--owner", "nobody"]),
        (65534, 0, 0o660)
    );
    assert_eq!(owned([mode[0], mode[1], "--group", "7"]), (0, 7, 0o660));
    assert_eq!(owned(["--owner", "1234", "--group", "nogroup"]).0, 1234);
    assert_eq!(owned(["--owner", "0", "--group", "nogroup"]).1, 65534);
}

#[test]
fn listen_owner_or_group_that_does_not_exist_is_wrong_usage() {
    let (_dir, path) = fresh();
    let mode = run(sunpath(["listen", "--mode", "1777"]).arg(&path));
    assert_eq!(mode.status, 2, "{}", mode.err);
    for (option, name) in [("--owner", "no\nbody"), ("--group", "no\ngroup")] {
        let ran = run(sunpath(["listen", option, name]).arg(&path));
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{}", ran.err);
        assert!(
            ran.err.contains(&name.replace('\n', "\\x0a")),
            "{}",
            ran.err
        );
        assert!(!path.exists());
    }
}

#[test]
fn listen_policies_decide_about_a_file_that_exists() {
    let (_dir, path) = fresh();
    drop(UnixListener::bind(&path).unwrap());
    let refused = run(sunpath(["listen", "--existing", "refuse"]).arg(&path));
    assert_eq!(refused.status, 1);
    assert!(refused.err.contains("EADDRINUSE"), "{}", refused.err);

    let first = Server::start([&path]); // replaces the stale file
    let second = run(sunpath(["listen"]).arg(&path));
    assert_eq!(second.status, 1);
    assert!(second.err.contains("EADDRINUSE"), "{}", second.err);

    let inode = fs::metadata(&path).unwrap().ino();
    let third = Server::start([
        OsStr::new("--existing"),
        "takeover".as_ref(),
        path.as_os_str(),
    ]);
    assert_ne!(fs::metadata(&path).unwrap().ino(), inode);
    assert_eq!(connect([&path], b"to the third").0, Some(0));
    assert_eq!(third.end().1, b"to the third");
    first.signal("-TERM");
    drop(first.end());
}

#[test]
fn listen_signal_removes_the_file() {
    let (_dir, path) = fresh();
    for signal in ["-HUP", "-INT", "-TERM"] {
        let server = Server::start([&path]);
        server.signal(signal);
        let (status, _, _) = server.end();
        assert_eq!(status, None, "{signal} ends it");
        assert!(!path.exists(), "{signal}");
    }
}

#[test]
fn listen_signal_that_is_ignored_stays_ignored() {
    let (_dir, path) = fresh();
    let line = "trap '' HUP; exec \"$0\" listen -v --exec \"$1\" -- echo served";
    let mut command = Command::new("sh");
    command
        .args(["-c", line, env!("CARGO_BIN_EXE_sunpath")])
        .arg(&path);
    let server = Server::spawn(command);
    server.signal("-HUP");
    // The signals are handled in the order of their numbers, and this one ends the server.
    assert_eq!(connect([&path], b"").1, b"served\n");
    server.signal("-TERM");
    let (_, _, notes) = server.end();
    assert_eq!(notes.matches("accepted").count(), 1, "{notes}");
    assert!(!path.exists());
}

#[test]
fn listen_keep_serves_one_client_after_the_other() {
    let (_dir, path) = fresh();
    let mut server = Server::start([OsStr::new("--keep"), path.as_os_str()]);
    for word in ["one", "two"] {
        assert_eq!(connect([&path], word.as_bytes()).0, Some(0));
        assert!(server.note().starts_with("sunpath: accepted: user "));
    }
    server.signal("-TERM");
    assert_eq!(server.end().1, b"onetwo");
}

#[test]
fn listen_require_user_refuses_others_and_shows_who_they_are() {
    let (_dir, path) = fresh();
    let own = own_uid().to_string();
    let other = if own == "0" { "65533" } else { "0" };
    let mut server = Server::start(["--keep", "--require-user", other, path.to_str().unwrap()]);
    let (_, out, _) = connect([&path], b"");
    assert_eq!(out, b"");
    assert!(
        server
            .note()
            .starts_with(&format!("sunpath: refused: user {}, ", user_name()))
    );
    server.signal("-TERM");
    drop(server.end());

    let server = Server::start(["--require-user", &own, path.to_str().unwrap()]);
    let (status, _, err) = connect(
        ["-v", "--require-user", &own, path.to_str().unwrap()],
        b"mine",
    );
    assert_eq!(status, Some(0));
    assert!(
        err.starts_with(&format!("sunpath: connected: user {}, ", user_name())),
        "{err}"
    );
    assert_eq!(server.end().1, b"mine");

    let _server = UnixListener::bind(&path).unwrap();
    let (status, _, err) = connect(["--require-user", other, path.to_str().unwrap()], b"");
    assert_eq!(status, Some(1));
    assert!(err.contains("EPERM"), "{err}");
}

#[test]
fn listen_datagrams_are_printed_with_their_senders() {
    let (dir, path) = fresh();
    let text = path.to_str().unwrap();
    let server = Server::start(["--kind", "datagram", text]);
    assert_eq!(connect(["--kind", "datagram", text], b"hello\n").0, Some(0));
    let (status, out, notes) = server.end();
    assert_eq!((status, &*out), (Some(0), &b"hello\n"[..]));
    assert_eq!(
        notes,
        format!("sunpath: message of user {}, 6 bytes\n", user_name())
    );

    // A client that is bound prints the answer.
    let server = UnixDatagram::bind(&path).unwrap();
    let own = dir.path().join("own");
    let arguments = [
        "connect",
        "--kind",
        "dgram",
        "--bind",
        own.to_str().unwrap(),
        text,
    ];
    let mut child = sunpath(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .as_ref()
        .unwrap()
        .write_all(b"question\n")
        .unwrap();
    let mut buf = [0; 64];
    let (len, sender) = server.recv_from(&mut buf).unwrap();
    assert_eq!(
        (&buf[..len], sender.as_pathname()),
        (&b"question\n"[..], Some(own.as_path()))
    );
    server.send_to(b"answer", &own).unwrap();
    let mut answer = [0; 6];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut answer)
        .unwrap();
    assert_eq!(&answer, b"answer");
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    child.wait().unwrap();
    assert!(!own.exists());
}

#[test]
fn listen_exec_has_the_variables_of_ucspi() {
    let (dir, path) = fresh();
    let script =
        "cat; echo \"$PROTO $IPCREMOTEEUID $IPCREMOTEEGID ${IPCREMOTEPATH-none} $IPCLOCALPATH\"";
    let server = Server::start(["--exec", path.to_str().unwrap(), "--", "sh", "-c", script]);
    let gid = fs::metadata("/proc/self").unwrap().gid();
    let ends = |peer: &str| format!("IPC {} {gid} {peer} {}\n", own_uid(), path.display());
    let (status, out, _) = connect([&path], b"hello ");
    assert_eq!(status, Some(0));
    assert_eq!(
        String::from_utf8(out).unwrap(),
        format!("hello {}", ends("none"))
    );

    // A client that is bound to a path has it in the variable.
    let client = sunpath::UnixStream::new().unwrap();
    let own = dir.path().join("client");
    client.bind_to_at(sunpath::CWD, &own).unwrap();
    client.connect_to_at(sunpath::CWD, &path).unwrap();
    let mut client = UnixStream::from(client);
    client.shutdown(Shutdown::Write).unwrap();
    let mut out = String::new();
    client.read_to_string(&mut out).unwrap();
    assert_eq!(out, ends(own.to_str().unwrap()));
    server.signal("-TERM");
    let (_, _, notes) = server.end();
    assert!(notes.contains("sunpath: accepted: "), "{notes}");
    assert!(!path.exists());
}

#[test]
fn listen_exec_limits_the_connections_of_a_user() {
    let (_dir, path) = fresh();
    let arguments = [
        "--exec",
        "--per-user",
        "1",
        path.to_str().unwrap(),
        "--",
        "cat",
    ];
    let mut server = Server::start(arguments);
    let first = UnixStream::connect(&path).unwrap();
    assert!(server.note().starts_with("sunpath: accepted: "));
    let mut second = UnixStream::connect(&path).unwrap();
    let mut rest = Vec::new();
    second.read_to_end(&mut rest).unwrap(); // it is closed
    assert!(server.note().starts_with("sunpath: accepted: "));
    assert!(server.note().starts_with("sunpath: refused: "));
    drop(first);
    server.signal("-TERM");
    drop(server.end());
}

#[test]
fn listen_program_gets_the_socket_as_from_a_service_manager() {
    let (_dir, path) = fresh();
    let script = "test $LISTEN_PID = $$ && echo $LISTEN_FDS $LISTEN_FDNAMES && exec sleep 1000";
    let mut server = Server::start([path.to_str().unwrap(), "--", "sh", "-c", script]);
    let mut line = String::new();
    BufReader::new(server.child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "1 sunpath\n");
    UnixStream::connect(&path).unwrap(); // the program listens
    server.signal("-TERM"); // and gets the signal
    let (status, _, notes) = server.end();
    assert_eq!(status, Some(1));
    assert!(notes.contains("sunpath: sh: signal: 15"), "{notes}");
    assert!(!path.exists());

    let missing = run(sunpath(["listen"])
        .arg(&path)
        .args(["--", "/no/such\nprogram"]));
    assert_eq!(missing.status, 1);
    assert!(
        missing.err.contains("/no/such\\x0aprogram"),
        "{}",
        missing.err
    );
    assert!(!path.exists());
}

#[test]
fn listen_receives_a_descriptor_that_connect_sends() {
    let (dir, path) = fresh();
    let file = dir.path().join("file");
    fs::write(&file, "the content\n").unwrap();
    let shell = |line: String| {
        let mut command = Command::new("sh");
        command
            .args(["-c", &line])
            .env("SUNPATH", env!("CARGO_BIN_EXE_sunpath"));
        command.output().unwrap()
    };
    let send = |number: i32| {
        let (path, file) = (path.display(), file.display());
        shell(format!(
            "\"$SUNPATH\" connect {path} --send-fd {number} {number}<{file}"
        ))
    };
    let server = Server::start([path.to_str().unwrap(), "--recv-fd"]);
    assert!(send(3).status.success());
    assert_eq!(server.end().1, b"the content\n");

    let server = Server::start([path.to_str().unwrap(), "--recv-fd", "--", "wc", "-c"]);
    assert!(send(7).status.success());
    assert_eq!(String::from_utf8(server.end().1).unwrap().trim(), "12");

    // The other direction, and a number that is not open.
    let text = file.to_str().unwrap();
    let mut command = Command::new("sh");
    let line = format!(
        "exec \"$SUNPATH\" listen -v {} --send-fd 3 3<{text}",
        path.display()
    );
    command
        .args(["-c", &line])
        .env("SUNPATH", env!("CARGO_BIN_EXE_sunpath"));
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut note = String::new();
    BufReader::new(child.stderr.as_mut().unwrap())
        .read_line(&mut note)
        .unwrap();
    let (status, out, _) = connect(["--recv-fd", path.to_str().unwrap()], b"");
    assert_eq!((status, &*out), (Some(0), &b"the content\n"[..]));
    assert!(child.wait().unwrap().success());

    let _listener = UnixListener::bind(&path).unwrap();
    let (status, _, err) = connect(["--send-fd", "99", path.to_str().unwrap()], b"");
    assert_eq!(status, Some(2));
    assert!(err.starts_with("sunpath: descriptor 99: "), "{err}");
}

#[test]
fn listen_and_connect_work_with_netcat_and_socat() {
    let (_dir, path) = fresh();
    for (program, arguments) in [
        (
            "nc",
            vec!["-N".to_owned(), "-U".into(), path.display().to_string()],
        ),
        (
            "socat",
            vec!["-".into(), format!("UNIX-CONNECT:{}", path.display())],
        ),
    ] {
        let Some(program) = find(program) else {
            skip_uninstalled(&format!("the program {program}"));
            assert!(
                std::env::var_os("SUNPATH_NO_SKIP").is_none(),
                "needs {program}"
            );
            continue;
        };
        let mut server = Server::start_with_input([&path]);
        server
            .child
            .stdin
            .take()
            .unwrap()
            .write_all(b"answer")
            .unwrap();
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut client = command.spawn().unwrap();
        client.stdin.take().unwrap().write_all(b"question").unwrap();
        let output = client.wait_with_output().unwrap();
        assert_eq!(output.stdout, b"answer");
        assert_eq!(server.end().1, b"question");
    }
}

fn find(program: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths)
        .map(|dir| dir.join(program))
        .find(|path| Path::exists(path))
}
