//! The example `http`, driven by curl and by many clients at the same time.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sunpath_tokio::UnixStream;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

struct Server {
    process: Child,
    path: PathBuf,
    _dir: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // The calls fail only if the server has ended and was waited for, so errors do not matter.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn server() -> Server {
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let path = dir.path().join("a.sock");
    // This test program is PROFILE/deps/NAME, and cargo has built the example with it.
    let test = env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("examples/http");
    let mut command = Command::new(program);
    let mut process = command.arg(&path).stdout(Stdio::piped()).spawn().unwrap();
    let mut ready = String::new();
    BufReader::new(process.stdout.take().unwrap())
        .read_line(&mut ready)
        .unwrap();
    assert_eq!(ready, "ready\n");
    Server {
        process,
        path,
        _dir: dir,
    }
}

fn own_uid() -> u32 {
    // SAFETY: the call takes no arguments and cannot fail.
    unsafe { libc::geteuid() }
}

fn curl(path: &Path) -> Command {
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--show-error", "--fail", "--unix-socket"])
        .arg(path);
    command.arg("http://localhost/");
    command
}

#[test]
fn http_answers_curl_with_the_user_of_the_peer() {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("SKIPPED: curl is not installed");
        return;
    }
    let server = server();
    let output = curl(&server.path).output().unwrap();
    let hello = |uid: u32| format!("hello, user {uid}\n");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), hello(own_uid()));

    let body = vec![b'x'; 64 * 1024];
    let file = server.path.with_extension("body");
    fs::write(&file, &body).unwrap();
    let data = format!("@{}", file.display());
    let output = curl(&server.path)
        .args(["--data-binary", &data])
        .output()
        .unwrap();
    assert!(output.stdout == body, "curl got another body");

    if own_uid() != 0 {
        println!("SKIPPED: only root can connect as another user");
        return;
    }
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let dir = server.path.parent().unwrap();
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
    let output = curl(&server.path)
        .current_dir("/")
        .gid(65534)
        .uid(65534)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), hello(65534));
}

/// Raises the limit of descriptors of this process and of the server that it starts.
fn raise_limit() {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the pointer leads to one rlimit.
    let got = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: the pointer leads to one rlimit.
    let set = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) };
    assert_eq!((got, set), (0, 0));
}

#[tokio::test]
async fn http_serves_1000_clients_at_the_same_time_with_64_kib_each() {
    raise_limit();
    let server = server();
    let mut clients = JoinSet::new();
    for number in 0..1000_u32 {
        let path = server.path.clone();
        clients.spawn(async move {
            let body: Vec<u8> = (0..64 * 1024).map(|n| (n + number) as u8).collect();
            let mut stream = UnixStream::connect(&path).await?;
            let head = format!(
                "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&body).await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
            let head = String::from_utf8(answer[..end].to_vec()).unwrap();
            assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
            assert!(head.contains(&format!("\r\nx-peer-uid: {}\r\n", own_uid())), "{head}");
            assert!(answer[end..] == body, "client {number} got another body");
            std::io::Result::Ok(())
        });
    }
    let mut served = 0;
    while let Some(client) = clients.join_next().await {
        client.unwrap().unwrap();
        served += 1;
    }
    assert_eq!(served, 1000);
}
