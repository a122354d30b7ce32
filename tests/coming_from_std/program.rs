// A first program with Unix sockets. It is compiled twice, with std's sockets and with sunpath's,
// so it does not name the crate that they come from.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

/// Runs a server and a client, and returns what they saw, in the order in which it happened.
pub(crate) fn run(dir: &Path) -> io::Result<Vec<String>> {
    let mut seen = Vec::new();
    let path = dir.join("app.sock");
    let listener = UnixListener::bind(&path)?;
    let client = thread::spawn({
        let path = path.clone();
        move || ask(&path)
    });

    let (mut stream, peer) = listener.accept()?;
    seen.push(format!("a client without a name: {}", peer.is_unnamed()));
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut request = [0; 5];
    stream.read_exact(&mut request)?;
    seen.push(format!("request {:?}", String::from_utf8_lossy(&request)));
    stream.write_all(b"world")?;
    stream.shutdown(Shutdown::Write)?;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest)?;
    seen.push(format!("then {} bytes and the end", rest.len()));
    seen.push(format!("response {:?}", client.join().unwrap()?));

    let address = listener.local_addr()?;
    seen.push(format!(
        "bound where asked: {}",
        address.as_pathname() == Some(&path)
    ));
    let again = UnixListener::bind(&path).map(drop);
    seen.push(format!("bound twice: {:?}", again.unwrap_err().kind()));
    drop(listener);
    let refused = UnixStream::connect(&path).map(drop);
    seen.push(format!("nobody listens: {:?}", refused.unwrap_err().kind()));
    fs::remove_file(&path)?;
    let missing = UnixStream::connect(&path).map(drop);
    seen.push(format!("nothing there: {:?}", missing.unwrap_err().kind()));

    let receiver = UnixDatagram::bind(&path)?;
    let sender = UnixDatagram::unbound()?;
    sender.connect(&path)?;
    sender.send(b"ping")?;
    let mut buf = [0; 16];
    let _ = receiver.recv(&mut buf)?;
    seen.push(format!("datagram {:?}", String::from_utf8_lossy(&buf[..4])));
    receiver.set_nonblocking(true)?;
    let nothing = receiver.recv(&mut buf).map(drop);
    seen.push(format!("no more: {:?}", nothing.unwrap_err().kind()));
    fs::remove_file(&path)?;
    Ok(seen)
}

fn ask(path: &Path) -> io::Result<String> {
    let mut stream = UnixStream::connect(path)?;
    stream.write_all(b"hello")?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    Ok(response)
}
