//! Tests of programs that serve at `a.sock` or at an abstract name. The test is their client.

use std::io::{BufRead, BufReader};

use sunpath::ancillary::{Control, Credentials};
use sunpath::fd::IoSlice;
use sunpath::{Datagram, Seqpacket, Shutdown, Stream, UnixDatagram, UnixStream};

use crate::{Row, Stage, patient, read_to_end};

pub(crate) const ROWS: &[Row] = &[
    Row {
        program: "redis-server",
        args: &["-"],
        input: "port 0\nunixsocket a.sock\nsave \"\"\nappendonly no\n",
        talk: redis,
    },
    Row {
        // If memcached runs as root, an argument must name the user that it becomes. It raises
        // RLIMIT_NOFILE to its maximum of connections, so the maximum is low.
        program: "memcached",
        args: &["-u", "root", "-c", "60", "-s", "a.sock"],
        input: "",
        talk: memcached,
    },
    Row {
        program: "nginx",
        args: &["-p", "DIR", "-c", "DIR/input"],
        input: "daemon off; master_process off; error_log stderr; pid pid; events {}
            http {
                access_log off;
                client_body_temp_path 1; proxy_temp_path 2; fastcgi_temp_path 3;
                uwsgi_temp_path 4; scgi_temp_path 5;
                server { listen unix:a.sock; location / { return 200 \"hello from nginx\"; } }
            }",
        talk: nginx,
    },
    Row {
        program: "dbus-daemon",
        args: &["--config-file=DIR/input", "--nofork", "--nopidfile"],
        input: "<busconfig>
            <type>session</type><listen>unix:path=DIR/a.sock</listen><auth>EXTERNAL</auth>
            <policy context='default'><allow send_destination='*'/><allow own='*'/></policy>
            </busconfig>",
        talk: dbus,
    },
    Row {
        program: "rsyslogd",
        args: &["-n", "-f", "DIR/input", "-i", "NONE"],
        input: "module(load=\"imuxsock\" SysSock.Use=\"off\")
            input(type=\"imuxsock\" Socket=\"DIR/a.sock\")
            module(load=\"omuxsock\")
            template(name=\"t\" type=\"string\" string=\"%pri% %syslogtag%%msg%\")
            $OMUxSockSocket DIR/b.sock
            :msg, contains, \"hello\" :omuxsock:;t\n",
        talk: rsyslog,
    },
    Row {
        program: "socat",
        args: &["UNIX-LISTEN:a.sock", "EXEC:cat"],
        input: "",
        talk: |stage| echo(stage.start().client(&stage.address())),
    },
    Row {
        program: "socat",
        args: &["ABSTRACT-LISTEN:DIR", "EXEC:cat"],
        input: "",
        talk: |stage| echo(stage.start().client(&stage.abstract_address())),
    },
    Row {
        program: "socat",
        args: &["UNIX-LISTEN:a.sock,type=5", "EXEC:cat"],
        input: "",
        talk: packets,
    },
    Row {
        program: "socat",
        args: &["UNIX-RECVFROM:a.sock", "EXEC:cat"],
        input: "",
        talk: datagrams,
    },
    Row {
        program: "python3",
        args: &["-"],
        input: "
import socket
server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
server.bind('a.sock')
server.listen()
client, _ = server.accept()
while message := client.recv(4096):
    client.send(message)
",
        talk: packets,
    },
    Row {
        program: "python3",
        args: &["-"],
        input: "
import socket
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind('a.sock')
while True:
    message, sender = server.recvfrom(4096)
    server.sendto(message, sender)
",
        talk: datagrams,
    },
];

/// Sends a request, and reads an answer that ends with these bytes.
fn ask(stream: &mut BufReader<UnixStream>, question: &str, last_line: &str) -> String {
    let sent = stream.get_ref().send_all(question.as_bytes(), &[]);
    sent.expect("it reads");
    let mut answer = String::new();
    while !answer.ends_with(last_line) {
        let count = stream.read_line(&mut answer).expect("it answers");
        assert_ne!(count, 0, "{question}: {answer}");
    }
    answer
}

fn redis(stage: &Stage) {
    let mut server = stage.start();
    let mut stream = BufReader::new(server.client::<Stream>(&stage.address()));
    assert_eq!(ask(&mut stream, "PING\r\n", "\r\n"), "+PONG\r\n");
    assert_eq!(ask(&mut stream, "SET key value\r\n", "\r\n"), "+OK\r\n");
    let value = ask(&mut stream, "GET key\r\n", "value\r\n");
    assert_eq!(value, "$5\r\nvalue\r\n");
}

fn memcached(stage: &Stage) {
    let mut server = stage.start();
    let mut stream = BufReader::new(server.client::<Stream>(&stage.address()));
    let stored = ask(&mut stream, "set key 0 0 5\r\nvalue\r\n", "\r\n");
    assert_eq!(stored, "STORED\r\n");
    let value = ask(&mut stream, "get key\r\n", "END\r\n");
    assert_eq!(value, "VALUE key 0 5\r\nvalue\r\nEND\r\n");
}

fn nginx(stage: &Stage) {
    let mut server = stage.start();
    let stream = server.client::<Stream>(&stage.address());
    let request = b"GET / HTTP/1.0\r\n\r\n";
    stream.send_all(request, &[]).expect("it reads");
    let answer = read_to_end(&stream);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nhello from nginx"), "{answer}");
}

/// Authenticates at a message bus. The bus accepts our own uid, because the kernel reports it, and
/// rejects any other uid that we claim.
fn dbus(stage: &Stage) {
    let mut server = stage.start();
    let mut stream = BufReader::new(server.client::<Stream>(&stage.address()));
    let credentials = Control::Credentials(Credentials::own());
    let sent = stream.get_ref().send_all(b"\0", &[credentials]);
    sent.expect("these are ours");
    // SAFETY: the call takes no arguments and cannot fail.
    let uid = unsafe { libc::geteuid() };
    let external = |uid: u32| {
        let digits = uid.to_string().into_bytes();
        let hex: String = digits.iter().map(|digit| format!("{digit:x}")).collect();
        format!("AUTH EXTERNAL {hex}\r\n")
    };
    let answer = ask(&mut stream, &external(uid + 1), "\r\n");
    assert_eq!(answer, "REJECTED EXTERNAL\r\n");
    let answer = ask(&mut stream, &external(uid), "\r\n");
    assert!(answer.starts_with("OK "), "{answer}");
    let answer = ask(&mut stream, "NEGOTIATE_UNIX_FD\r\n", "\r\n");
    assert_eq!(answer, "AGREE_UNIX_FD\r\n");
}

/// Sends what syslog(3) would send. The program forwards it to a socket of this test.
fn rsyslog(stage: &Stage) {
    let log = UnixDatagram::bind(stage.path("b.sock")).expect("the directory is fresh");
    patient(&log);
    let mut server = stage.start();
    let socket = server.client::<Datagram>(&stage.address());
    socket.send(b"<13>tour: hello").expect("it reads");
    let mut buf = [0; 256];
    let received = log.recv(&mut buf).expect("it sends");
    assert_eq!(
        buf[..received.len()].escape_ascii().to_string(),
        "13 tour: hello"
    );
}

fn echo(stream: UnixStream) {
    stream.send_all(b"hello", &[]).expect("it reads");
    stream.shutdown(Shutdown::Write).expect("it is connected");
    assert_eq!(read_to_end(&stream), "hello");
}

/// Sends records. The program sends each of them back as one record.
fn packets(stage: &Stage) {
    let mut server = stage.start();
    let socket = server.client::<Seqpacket>(&stage.address());
    for record in ["a", "record", "of its own"] {
        let pieces = record.split_at(1);
        let pieces = [pieces.0, pieces.1].map(|piece| IoSlice::new(piece.as_bytes()));
        socket.send_vectored(&pieces).expect("it reads");
        let mut buf = [0; 64];
        let received = socket.recv(&mut buf).expect("it answers");
        assert_eq!(&buf[..received.len()], record.as_bytes());
    }
}

/// Sends a datagram. The answer arrives at the address to which our socket is bound.
fn datagrams(stage: &Stage) {
    let mut server = stage.start();
    drop(server.client::<Datagram>(&stage.address()));
    let socket = UnixDatagram::bind(stage.path("b.sock")).expect("the directory is fresh");
    patient(&socket);
    let sent = socket.send_to(b"hello", &stage.address());
    sent.expect("it reads");
    let mut buf = [0; 64];
    let received = socket.recv(&mut buf).expect("it answers");
    assert_eq!(&buf[..received.len()], b"hello");
}
