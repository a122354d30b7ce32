//! Receives exactly as many bytes from a stream as the buffer has. Returns whether the stream
//! had them. Do not use `read_exact`.

use sunpath::UnixStream;

/// The answer to the exercise.
pub(crate) fn receive_exactly(sock: &UnixStream, buf: &mut [u8]) -> bool {
    let mut have = 0;
    while have < buf.len() {
        match sock.read(&mut buf[have..]) {
            Ok(n) if n > 0 => have += n,
            _ => return false,
        }
    }
    true
}
