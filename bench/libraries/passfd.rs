//! The workloads with passfd, over std's sockets. passfd passes one descriptor in each message.

use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

use passfd::FdPassingExt;
use sunpath_bench::{Bench, Descriptors};

struct Peer;

impl Descriptors for Peer {
    const MOST: usize = 1;
    type Socket = UnixStream;

    fn pair() -> (UnixStream, UnixStream) {
        UnixStream::pair().unwrap()
    }

    fn send(socket: &UnixStream, fds: &[RawFd]) {
        socket.send_fd(fds[0]).unwrap();
    }

    fn recv_and_close(socket: &UnixStream, _: usize) -> usize {
        let fd = socket.recv_fd().unwrap();
        // SAFETY: the descriptor has just arrived, and nothing else owns it.
        drop(unsafe { OwnedFd::from_raw_fd(fd) });
        1
    }
}

fn main() {
    Bench::from_args().descriptors::<Peer>().finish();
}
