//! Receives one message. Returns its length, or nothing if it did not fit into the buffer.

use sunpath::UnixDatagram;

/// The answer to the exercise.
pub(crate) fn receive_whole(sock: &UnixDatagram, buf: &mut [u8]) -> Option<usize> {
    sock.recv(buf).ok().map(|received| received.len())
}
