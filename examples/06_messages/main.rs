//! Where does one message end and the next begin?

use sunpath::{Error, UnixDatagram, UnixSeqpacket, UnixStream};

type Result<T, E = Error> = std::result::Result<T, E>;

/// Prints a call and its result, an errno by its name.
fn show<T>(call: &str, result: Result<T>) -> Result<T> {
    match &result {
        Ok(_) => println!("{call} = ok"),
        Err(error) => println!("{call} = {:?}", error.errno()),
    }
    result
}

fn print(call: &str, n: usize, buf: &[u8], lost: bool) {
    let text = String::from_utf8_lossy(&buf[..n]);
    let end = if lost { ", the rest is lost" } else { "" };
    println!("{call} = {n}, {text:?}{end}");
}

fn main() -> Result<()> {
    let mut buf = [0; 16];

    // 1. Stream: bytes, and no messages.
    let made = UnixStream::pair();
    let (p0, p1) = show("socketpair(STREAM)", made)?;
    p0.write(b"one")?;
    p0.write(b"second")?;
    let n = p1.read(&mut buf)?;
    print("recv(16)", n, &buf, false);

    // 2. Its end: 0 bytes.
    drop(p0);
    let n = p1.read(&mut buf)?;
    print("recv(16)", n, &buf, false);
    let _ = show("send()", p1.write(b"x"));

    // 3. Datagram: a message is kept whole, or truncated.
    let made = UnixDatagram::pair();
    let (p0, p1) = show("socketpair(DGRAM)", made)?;
    p0.send(b"one")?;
    p0.send(b"second")?;
    let got = p1.recv(&mut buf)?;
    print("recv(16)", got.len(), &buf, got.is_truncated());
    let got = p1.recv(&mut buf[..3])?;
    print("recv(3)", got.len(), &buf, got.is_truncated());

    // 4. Empty message: 0 bytes, which are not the end.
    p0.send(b"")?;
    let got = p1.recv(&mut buf)?;
    print("recv(16)", got.len(), &buf, got.is_truncated());
    drop(p0);
    let _ = show("send()", p1.send(b"x"));

    // 5. Seqpacket: whole messages, and an end.
    let made = UnixSeqpacket::pair();
    let (p0, p1) = show("socketpair(SEQPACKET)", made)?;
    p0.send(b"one")?;
    p0.send(b"second")?;
    let got = p1.recv(&mut buf)?;
    print("recv(16)", got.len(), &buf, got.is_truncated());
    drop(p0);
    let got = p1.recv(&mut buf)?;
    print("recv(16)", got.len(), &buf, got.is_truncated());
    let got = p1.recv(&mut buf)?;
    print("recv(16)", got.len(), &buf, got.is_truncated());
    Ok(())
}
