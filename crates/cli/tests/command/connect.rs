//! `sunpath connect`, with servers of the tests.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixListener;
use std::process::Stdio;

use super::listen::{connect, fresh};
use super::sunpath;

#[test]
fn connect_half_close_still_receives_what_comes_later() {
    let (_dir, path) = fresh();
    let listener = UnixListener::bind(&path).unwrap();
    let server = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut all = Vec::new();
        client.read_to_end(&mut all).unwrap(); // ends only if the client half-closes
        client.write_all(b"got it all").unwrap();
        all
    });
    let (status, out, _) = connect([&path], b"question");
    assert_eq!((status, &*out), (Some(0), &b"got it all"[..]));
    assert_eq!(server.join().unwrap(), b"question");
}

#[test]
fn connect_server_that_half_closes_still_gets_standard_input() {
    let (_dir, path) = fresh();
    let listener = UnixListener::bind(&path).unwrap();
    let mut child = sunpath(["connect"])
        .arg(&path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut client, _) = listener.accept().unwrap();
    client.write_all(b"first").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut out = [0; 5];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut out).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"late").unwrap();
    drop(stdin);
    let mut late = Vec::new();
    client.read_to_end(&mut late).unwrap();
    assert_eq!(late, b"late");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn connect_empty_record_is_not_the_end() {
    let (_dir, path) = fresh();
    let listener = sunpath::UnixSeqpacketListener::bind(&path).unwrap();
    let mut command = sunpath(["connect", "--kind", "seqpacket"]);
    let child = command.arg(&path).stdout(Stdio::piped()).spawn().unwrap();
    let (client, _) = listener.accept().unwrap();
    for message in [&b"one"[..], b"", b"two"] {
        client.send(message).unwrap();
    }
    drop(client);
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), &*output.stdout),
        (Some(0), &b"onetwo"[..])
    );
}

#[test]
fn connect_server_that_is_gone_does_not_wait_for_standard_input() {
    let (_dir, path) = fresh();
    let listener = UnixListener::bind(&path).unwrap();
    let mut child = sunpath(["connect"])
        .arg(&path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut client, _) = listener.accept().unwrap();
    client.write_all(b"bye").unwrap();
    drop(client);
    let _stdin = child.stdin.take().unwrap(); // stays open
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), &*output.stdout),
        (Some(0), &b"bye"[..])
    );
}

#[test]
fn connect_what_the_server_did_not_read_is_reported() {
    let (_dir, path) = fresh();
    let listener = UnixListener::bind(&path).unwrap();
    let server = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        client.read_exact(&mut [0; 10]).unwrap(); // and no more
    });
    let (status, _, err) = connect([&path], &vec![b'x'; 4_000_000]);
    server.join().unwrap();
    assert_eq!(status, Some(1));
    assert!(err.contains("the peer closed before"), "{err}");
}

#[test]
fn connect_what_a_server_that_half_closed_did_not_read_is_reported() {
    let (dir, path) = fresh();
    let input = dir.path().join("input");
    fs::write(&input, vec![b'x'; 4_000_000]).unwrap();
    let listener = UnixListener::bind(&path).unwrap();
    for _ in 0..10 {
        let mut command = sunpath(["connect"]);
        command.arg(&path).stdin(fs::File::open(&input).unwrap());
        let child = command.stderr(Stdio::piped()).spawn().unwrap();
        let (mut client, _) = listener.accept().unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        client.read_exact(&mut [0; 10]).unwrap(); // and no more
        drop(client);
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{err}");
        assert!(err.contains("the peer closed before"), "{err}");
    }
}

#[test]
fn connect_line_without_an_end_is_not_lost_silently() {
    let (_dir, path) = fresh();
    let listener = sunpath::UnixSeqpacketListener::bind(&path).unwrap();
    let mut child = sunpath(["connect", "--kind", "seqpacket"])
        .arg(&path)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let client = listener.accept().unwrap().0;
    let mut stdin = child.stdin.take().unwrap(); // stays open
    stdin.write_all(b"whole\nhalf").unwrap();
    let mut message = [0; 8];
    let len = client.recv(&mut message).unwrap().len();
    assert_eq!(&message[..len], b"whole\n");
    drop(client);
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{err}");
}

#[test]
fn connect_output_that_cannot_be_written_exits_with_1() {
    let (_dir, path) = fresh();
    let listener = UnixListener::bind(&path).unwrap();
    let server = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let _ = client.write_all(b"x");
    });
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut command = sunpath(["connect"]);
    let output = command
        .arg(&path)
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .and_then(|child| child.wait_with_output())
        .unwrap();
    server.join().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("No space left on device"), "{err}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn connect_refused_exits_with_1_and_names_the_call() {
    let (_dir, path) = fresh();
    let (status, _, err) = connect([&path], b"");
    assert_eq!(status, Some(1));
    assert!(err.contains("ENOENT"), "{err}");
    drop(UnixListener::bind(&path).unwrap());
    assert!(connect([&path], b"").2.contains("ECONNREFUSED"));
    assert_eq!(connect(["@no-such-name-here"], b"").0, Some(1));
    for wrong in [
        &["--timeout", "0"][..],
        &["--bind", "x"],
        &["--send-fd", "3", "--recv-fd"],
        &["--kind", "x"],
    ] {
        let arguments = wrong.iter().map(OsStr::new).chain([path.as_os_str()]);
        assert_eq!(connect(arguments, b"").0, Some(2), "{wrong:?}");
    }
}

#[test]
fn connect_waits_for_a_server_that_starts_later() {
    let (_dir, path) = fresh();
    let mut command = sunpath(["connect", "--wait", "--timeout", "60"]);
    let mut child = command.arg(&path).stdout(Stdio::piped()).spawn().unwrap();
    let listener = UnixListener::bind(&path).unwrap();
    listener.accept().unwrap().0.write_all(b"late").unwrap();
    let mut out = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut out).unwrap();
    assert_eq!(
        (child.wait().unwrap().code(), &*out),
        (Some(0), &b"late"[..])
    );
}
