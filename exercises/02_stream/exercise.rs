//! Receives exactly as many bytes from a stream as the buffer has. Returns whether the stream
//! had them. Do not use `read_exact`.

use sunpath::UnixStream;

/// The answer to the exercise.
pub(crate) fn receive_exactly(sock: &UnixStream, buf: &mut [u8]) -> bool {
    sock.read(buf).is_ok()
}
