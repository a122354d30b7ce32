//! Runs `examples/receive.py`, which uses the library through `ctypes`.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use common::{Fresh, Link, compiler, has, library, link, root, succeed};

fn python() -> Command {
    let mut python = Command::new("python3");
    python.arg(root().join("examples/receive.py"));
    python.arg(library().join("libsunpath.so"));
    python
}

/// The path has 200 bytes, so Python's own `bind` cannot bind to it. The first server is killed, so the
/// second one finds the file of a dead server.
#[test]
fn python_binds_a_long_path_and_receives_a_descriptor() {
    if !has("python3") || !has("gcc") {
        return;
    }
    let fresh = Fresh::new();
    let rest = 200 - fresh.0.as_os_str().len() - "/".len() - "/s".len();
    let dir = fresh.0.join("d".repeat(rest));
    fs::create_dir(&dir).unwrap();
    let path = dir.join("s");
    assert_eq!(path.as_os_str().len(), 200);

    // The client is a C program of this library, because std cannot connect to a path of 200 bytes.
    let source = fresh.0.join("client.c");
    let text = "#include <fcntl.h>\n#include <stdlib.h>\n#include \"sunpath.h\"\n\
        int main(int argc, char **argv) {\n\
            int fd = sunpath_connect(SOCK_STREAM, argv[1], NULL, NULL);\n\
            return argc != 3 || fd == -1 || sunpath_send_fd(fd, atoi(argv[2]), NULL) == -1; }\n";
    fs::write(&source, text).unwrap();
    let client = fresh.0.join("client");
    let mut cc = compiler("gcc");
    cc.arg(&source);
    link(&mut cc, Link::Shared);
    succeed(cc.arg("-o").arg(&client));

    for killed in [true, false] {
        let mut server = python().arg(&path).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(server.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        assert_eq!(line, "listening\n");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
            0o600
        );
        if killed {
            server.kill().unwrap();
            server.wait().unwrap();
            continue;
        }
        let second = python().arg(&path).output().unwrap();
        assert_eq!(second.status.code(), Some(1));
        let text = String::from_utf8(second.stderr).unwrap();
        assert!(text.contains("bind: EADDRINUSE ("), "{text}");

        let (mut ours, theirs) = UnixStream::pair().unwrap();
        // The client inherits its end of the pair as standard input, and passes descriptor 0. Here
        // the received descriptor must be another integer.
        assert!(theirs.as_raw_fd() > 2);
        succeed(
            Command::new(&client)
                .arg(&path)
                .arg("0")
                .stdin(std::os::fd::OwnedFd::from(theirs)),
        );
        let mut answer = String::new();
        ours.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "hello");
        assert!(server.wait().unwrap().success());
        assert!(!path.exists());
    }
}

/// The struct of options has the same fields in Python as in the header, in the same order.
#[test]
fn python_has_the_fields_of_the_header() {
    let python = fs::read_to_string(root().join("examples/receive.py")).unwrap();
    let header = fs::read_to_string(root().join("include/sunpath.h")).unwrap();
    let body = header
        .split("struct sunpath_bind_options {")
        .nth(1)
        .unwrap()
        .split('}')
        .next()
        .unwrap();
    let fields = body
        .lines()
        .filter_map(|line| line.split(';').next()?.trim().rsplit(' ').next());
    let mut at = 0;
    for field in fields.filter(|field| !field.is_empty()) {
        let found = python[at..].find(&format!("(\"{field}\", ctypes."));
        at += found.unwrap_or_else(|| panic!("{field} is not next"));
    }
}
