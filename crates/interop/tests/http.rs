//! The example `http`, driven by curl and by many clients at the same time.

mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use program::{
    OTHER_USER, Running, example, is_installed, own_uid, raise_limit, run_as_other_user,
};
use sunpath_tokio::UnixStream;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

/// Starts the server, which is killed when it is dropped, before its directory is removed.
fn server() -> (Running, PathBuf, TempDir) {
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let path = dir.path().join("a.sock");
    let (server, ready) = Running::start_server(Command::new(example("http")).arg(&path));
    assert_eq!(ready, "ready\n");
    (server, path, dir)
}

/// Returns a curl that does not read the user's settings.
fn curl(path: &Path) -> Command {
    let mut command = Command::new("curl");
    command
        .args([
            "--disable",
            "--silent",
            "--show-error",
            "--fail",
            "--unix-socket",
        ])
        .arg(path)
        .arg("http://localhost/");
    command
}

#[test]
fn http_answers_curl_with_the_user_of_the_peer() {
    if !is_installed("curl") {
        return;
    }
    let (_server, path, dir) = server();
    let output = curl(&path).output().unwrap();
    let hello = |uid: u32| format!("hello, user {uid}\n");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), hello(own_uid()));

    let body = vec![b'x'; 64 * 1024];
    let file = path.with_extension("body");
    fs::write(&file, &body).unwrap();
    let data = format!("@{}", file.display());
    let output = curl(&path).args(["--data-binary", &data]).output().unwrap();
    assert!(output.stdout == body, "curl got another body");

    if let Some(output) = run_as_other_user(&mut curl(&path), dir.path()) {
        assert_eq!(String::from_utf8(output.stdout).unwrap(), hello(OTHER_USER));
    }
}

/// All clients are connected before the first one sends its request.
#[tokio::test]
async fn http_serves_1000_clients_at_the_same_time_with_64_kib_each() {
    // Those that wait for a place in the server's queue use a few more.
    if !raise_limit(1600) {
        return;
    }
    let (_server, path, _dir) = server();
    let mut connecting = JoinSet::new();
    for _ in 0..1000 {
        let path = path.clone();
        connecting.spawn(async move { UnixStream::connect(&path).await });
    }
    let connected = connecting.join_all().await;
    let mut clients = JoinSet::new();
    for (number, stream) in connected.into_iter().enumerate() {
        clients.spawn(exchange(stream.unwrap(), number));
    }
    assert_eq!(clients.join_all().await.len(), 1000);
}

/// Sends a body of its own, and checks that the answer has the same one.
async fn exchange(mut stream: UnixStream, number: usize) {
    let body: Vec<u8> = (0..64 * 1024).map(|n| (n + number) as u8).collect();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .unwrap()
        + 4;
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(
        head.contains(&format!("\r\nx-peer-uid: {}\r\n", own_uid())),
        "{head}"
    );
    assert!(answer[end..] == body, "client {number} got another body");
}
