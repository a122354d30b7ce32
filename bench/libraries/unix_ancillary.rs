//! The workloads with unix-ancillary, over std's sockets.

use std::os::fd::RawFd;
use std::os::unix::net::UnixStream;

use sunpath_bench::{Bench, Descriptors, MOST_FDS, borrowed};
use unix_ancillary::UnixStreamExt;

struct Peer;

impl Descriptors for Peer {
    type Socket = UnixStream;

    fn pair() -> (UnixStream, UnixStream) {
        UnixStream::pair().unwrap()
    }

    fn send(socket: &UnixStream, fds: &[RawFd]) {
        assert!(socket.send_fds(b"x", borrowed(fds)).unwrap() == 1);
    }

    fn recv_and_close(socket: &UnixStream, most: usize) -> usize {
        let mut byte = [0];
        let (bytes, fds) = match most {
            1 => socket.recv_fds_into::<1>(&mut byte).unwrap(),
            _ => socket.recv_fds_into::<MOST_FDS>(&mut byte).unwrap(),
        };
        assert!(bytes == 1);
        fds.len()
    }
}

fn main() {
    Bench::from_args().descriptors::<Peer>().finish();
}
