//! A client whose connection is a stream of `std`, because the rest of the program uses that type.
//! std lacks two calls, for which sunpath borrows the stream: the first asks which user runs the
//! server, and the second receives a file with the answer.
//!
//! ```text
//! borrowed SOCKET NAME      asks the server to open a file, and prints it
//! ```

use std::env;
use std::error::Error;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;

use sunpath::{SocketRef, Stream};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<_> = env::args().skip(1).collect();
    let [path, name] = args.as_slice() else {
        return Err("usage: borrowed SOCKET NAME".into());
    };
    let mut stream = UnixStream::connect(path)?;
    let user = SocketRef::<Stream>::from(&stream).peer_cred()?.uid();
    eprintln!("a server of user {user}");

    writeln!(stream, "{name}")?;
    match receive_file(&stream)? {
        Ok(mut file) => io::copy(&mut file, &mut io::stdout()).map(drop)?,
        Err(reason) => return Err(reason.into()),
    }
    Ok(())
}

/// Receives the file, or the reason why the server sent none. A read by std would receive the bytes
/// of the answer, too, but the kernel would close the descriptor that comes with the bytes.
fn receive_file(stream: &UnixStream) -> Result<Result<File, String>, sunpath::Error> {
    let mut answer = [0; 256];
    let socket = SocketRef::<Stream>::from(stream);
    let (received, mut files) = socket.recv_fds_up_to::<1>(&mut answer)?;
    Ok(match files.next() {
        Some(file) => Ok(file.into()),
        None => Err(String::from_utf8_lossy(&answer[..received.len()]).into_owned()),
    })
}
