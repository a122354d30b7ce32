//! Tests of programs that connect to our server, at `a.sock` or at an abstract name.

use std::io::{self, BufRead, BufReader, IoSliceMut, Read};
use std::process;

use sunpath::ancillary::{ControlBuffer, Credentials, Rights};
use sunpath::socket::Connected;
use sunpath::{
    Error, Listener, Socket, SunPath, UnixDatagram, UnixListener, UnixSeqpacketListener, UnixStream,
};

use crate::{PATIENCE, Row, Running, Stage, patient};

pub(crate) const ROWS: &[Row] = &[
    Row {
        program: "curl",
        args: &["-sS", "--unix-socket", "a.sock", "-d", "hello", "http://a/"],
        input: "",
        talk: |stage| respond(stage, UnixListener::bind_addr(&stage.address())),
    },
    Row {
        program: "curl",
        args: &[
            "-sS",
            "--abstract-unix-socket",
            "DIR",
            "-d",
            "hello",
            "http://a/",
        ],
        input: "",
        talk: |stage| respond(stage, UnixListener::bind_addr(&stage.abstract_address())),
    },
    Row {
        program: "socat",
        args: &["-t60", "-", "ABSTRACT-CONNECT:DIR"],
        input: "hello",
        talk: echo,
    },
    Row {
        program: "socat",
        args: &["-t60", "-", "UNIX-CONNECT:a.sock,type=5"],
        input: "hello",
        talk: packet,
    },
    Row {
        program: "socat",
        args: &["-u", "-", "UNIX-SENDTO:a.sock,bind=b.sock"],
        input: "hello",
        talk: |stage| {
            let (message, from, _running) = datagram(stage);
            assert_eq!(message, "hello");
            assert_eq!(from, "b.sock");
        },
    },
    Row {
        program: "python3",
        args: &["-"],
        input: "
import socket
client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
client.connect('a.sock')
client.send(b'hello')
print(client.recv(4096).decode(), end='')
",
        talk: packet,
    },
    Row {
        program: "logger",
        args: &["-u", "a.sock", "-p", "user.notice", "-t", "tag", "hello"],
        input: "",
        talk: |stage| {
            let (message, from, running) = datagram(stage);
            assert!(message.starts_with("<13>"), "{message}");
            assert!(message.ends_with(" tag: hello"), "{message}");
            assert_eq!(from, "", "it is unnamed");
            assert_eq!(running.printed(), "");
        },
    },
    Row {
        program: "systemd-notify",
        args: &["--ready", "--status=hello"],
        input: "",
        talk: notify,
    },
];

fn accept<T: Connected>(listener: &Listener<T>) -> Socket<T> {
    let (socket, _) = listener.accept_timeout(PATIENCE).expect("it connects");
    patient(&socket);
    socket
}

/// Serves the part of HTTP that the program uses: a request, and an answer whose header has the
/// length of its body.
fn respond(stage: &Stage, listener: Result<UnixListener, Error>) {
    let listener = listener.expect("the address is free");
    let running = stage.start();
    let mut stream = BufReader::new(accept(&listener));
    let (mut request, mut length) = (String::new(), 0);
    while !request.ends_with("\r\n\r\n") {
        let begin = request.len();
        let count = stream.read_line(&mut request).expect("it sends text");
        assert_ne!(count, 0, "{request}");
        if let Some(value) = request[begin..].strip_prefix("Content-Length: ") {
            length = value.trim().parse().expect("a length is a number");
        }
    }
    assert!(request.starts_with("POST / HTTP/1.1\r\n"), "{request}");
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("it sends all");
    assert_eq!(body, b"hello");
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
    let answer = [head.as_bytes(), &body].concat();
    let sent = stream.get_ref().send_all(&answer, &[]);
    sent.expect("it reads");
    assert_eq!(running.printed(), "hello");
}

/// Sends back everything that it receives, at the abstract name.
fn echo(stage: &Stage) {
    let listener = UnixListener::bind_addr(&stage.abstract_address()).expect("the name is ours");
    let running = stage.start();
    let stream: UnixStream = accept(&listener);
    io::copy(&mut &stream, &mut &stream).expect("it sends and reads");
    drop(stream);
    assert_eq!(running.printed(), "hello");
}

fn packet(stage: &Stage) {
    let listener = UnixSeqpacketListener::bind_addr(&stage.address()).expect("it is free");
    let running = stage.start();
    let socket = accept(&listener);
    let mut buf = [0; 64];
    let received = socket.recv(&mut buf).expect("it sends");
    assert_eq!(&buf[..received.len()], b"hello");
    socket.send(b"hello").expect("it reads");
    drop(socket);
    assert_eq!(running.printed(), "hello");
}

/// Receives a datagram, and the pathname that it came from.
fn datagram(stage: &Stage) -> (String, String, Running) {
    let socket = UnixDatagram::bind_addr(&stage.address()).expect("it is free");
    patient(&socket);
    let running = stage.start();
    let mut buf = [0; 1024];
    let (received, from) = socket.recv_from(&mut buf).expect("it sends");
    let message = String::from_utf8_lossy(&buf[..received.len()]).into_owned();
    let from = match from.name() {
        SunPath::Pathname(path) => String::from_utf8_lossy(path).into_owned(),
        SunPath::Unnamed => String::new(),
        SunPath::Abstract(_) => panic!("{from:?}"),
    };
    (message, from, running)
}

/// Receives the messages by which a service reports that it is ready, and the credentials of the
/// service. The program then sends one end of a pipe and waits until that end is closed. The closed
/// end shows that everything before was read.
fn notify(stage: &Stage) {
    let socket = UnixDatagram::bind_addr(&stage.address()).expect("it is free");
    patient(&socket);
    socket
        .set_pass_credentials(true)
        .expect("the system has them");
    let running = stage.start();
    let receive = |fds: usize| {
        let mut buf = [0; 256];
        let mut buffer = ControlBuffer::<(Rights<1>, Credentials)>::new();
        let message = socket
            .recvmsg(&mut [IoSliceMut::new(&mut buf)], &mut buffer)
            .expect("it sends");
        let len = message.len();
        let mut control = message.into_control().expect("all of it arrived");
        let who = control.credentials().expect("the kernel adds them");
        // SAFETY: the call takes no arguments and cannot fail.
        assert_eq!(who.uid(), unsafe { libc::geteuid() });
        // With privileges the program sends its parent's pid in place of its own.
        let pids = [process::id(), running.child.id()].map(i32::try_from);
        assert!(who.pid().is_some_and(|pid| pids.contains(&Ok(pid))));
        assert_eq!(control.rights().count(), fds);
        String::from_utf8_lossy(&buf[..len]).into_owned()
    };
    assert_eq!(receive(0), "READY=1\nSTATUS=hello");
    assert_eq!(receive(1), "BARRIER=1");
    assert_eq!(running.printed(), "");
}
