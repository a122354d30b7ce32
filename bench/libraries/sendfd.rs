//! The workloads with sendfd, over std's sockets.

use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

use sendfd::{RecvWithFd, SendWithFd};
use sunpath_bench::{Bench, Descriptors, MOST_FDS};

struct Peer;

impl Descriptors for Peer {
    type Socket = UnixStream;

    fn pair() -> (UnixStream, UnixStream) {
        UnixStream::pair().unwrap()
    }

    fn send(socket: &UnixStream, fds: &[RawFd]) {
        assert!(socket.send_with_fd(b"x", fds).unwrap() == 1);
    }

    fn recv_and_close(socket: &UnixStream, most: usize) -> usize {
        let (mut byte, mut fds) = ([0], [0; MOST_FDS]);
        let (bytes, count) = socket.recv_with_fd(&mut byte, &mut fds[..most]).unwrap();
        assert!(bytes == 1);
        for fd in &fds[..count] {
            // SAFETY: the descriptor has just arrived, and nothing else owns it.
            drop(unsafe { OwnedFd::from_raw_fd(*fd) });
        }
        count
    }
}

fn main() {
    Bench::from_args().descriptors::<Peer>().finish();
}
