//! `doctor` and `connect` with servers that many machines run.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{is_root, run, skip_uninstalled, sunpath};

struct Row {
    program: &'static str,
    args: &'static [&'static str],
    /// The content of the file `input`, with the directory for `DIR`.
    input: &'static str,
    question: &'static str,
    answer: &'static str,
}

const ROWS: &[Row] = &[
    Row {
        program: "redis-server",
        args: &["DIR/input"],
        input: "port 0\nunixsocket DIR/a.sock\nsave \"\"\nappendonly no\ndir DIR\n",
        question: "PING\r\nQUIT\r\n",
        answer: "+PONG\r\n+OK\r\n",
    },
    Row {
        program: "memcached",
        args: &["-u", "USER", "-c", "200", "-s", "DIR/a.sock"],
        input: "",
        question: "set key 0 0 5\r\nvalue\r\nget key\r\nquit\r\n",
        answer: "STORED\r\nVALUE key 0 5\r\nvalue\r\nEND\r\n",
    },
    Row {
        program: "nginx",
        args: &["-p", "DIR", "-c", "DIR/input"],
        input: "daemon off; master_process off; error_log stderr; pid pid; events {}
            http {
                access_log off;
                client_body_temp_path 1; proxy_temp_path 2; fastcgi_temp_path 3;
                uwsgi_temp_path 4; scgi_temp_path 5;
                server { listen unix:DIR/a.sock; location / { return 200 \"hello from nginx\"; } }
            }",
        question: "GET / HTTP/1.0\r\n\r\n",
        answer: "hello from nginx",
    },
    Row {
        program: "dbus-daemon",
        args: &["--config-file=DIR/input", "--nofork", "--nopidfile"],
        input: "<busconfig>
            <type>session</type><listen>unix:path=DIR/a.sock</listen><auth>EXTERNAL</auth>
            <policy context='default'><allow send_destination='*'/><allow own='*'/></policy>
            </busconfig>",
        question: "\0AUTH\r\n",
        answer: "REJECTED EXTERNAL\r\n",
    },
];

/// A server that is killed at the end.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends the question once the server is there, and returns the answer.
fn ask(path: &Path, question: &str) -> String {
    let mut command = sunpath(["connect", "--wait", "--timeout", "60"]);
    let mut child = command
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(question.as_bytes())
        .unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn servers_that_many_machines_run_are_reached_and_diagnosed() {
    let user = if is_root() { "root" } else { "nobody" }; // memcached as root has to be told
    for row in ROWS {
        let dir = tempfile::tempdir_in("/tmp").unwrap();
        let dir_text = dir.path().to_str().unwrap();
        let expand = |text: &str| text.replace("DIR", dir_text).replace("USER", user);
        fs::write(dir.path().join("input"), expand(row.input)).unwrap();
        let mut command = Command::new(row.program);
        command.args(row.args.iter().map(|arg| expand(arg)));
        command.env(
            "PATH",
            format!("{}:/usr/sbin", std::env::var("PATH").unwrap()),
        );
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let server = match command.spawn() {
            Ok(server) => Server(server),
            Err(_) => {
                skip_uninstalled(&format!("the program {}", row.program));
                continue;
            }
        };
        let path = dir.path().join("a.sock");
        let answer = ask(&path, row.question);
        assert!(answer.ends_with(row.answer), "{}: {answer}", row.program);

        let doctor = || run(sunpath(["doctor"]).arg(&path));
        let ran = doctor();
        let who = format!("{} (pid {})", row.program, server.0.id());
        let first = format!("You can connect: {who} listens, and no clients wait.");
        assert_eq!((ran.status, ran.first()), (0, &*first));

        // Its file is removed while it runs, and then it is killed.
        fs::rename(&path, dir.path().join("b.sock")).unwrap();
        let first = format!("{who} listens, but its socket file was removed.");
        assert_eq!(doctor().first(), first);
        fs::rename(dir.path().join("b.sock"), &path).unwrap();
        drop(server);
        let ran = doctor();
        let first = "The socket file is stale: the server that made it has ended.";
        assert_eq!((ran.status, ran.first()), (1, first), "{}", row.program);
    }
}
