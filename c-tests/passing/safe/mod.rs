//! Does what `passing.c` does, with the safe layer.

use sunpath::{UnixSeqpacket, UnixStream};

fn mark() {
    // SAFETY: close takes an int; -1 is not a descriptor, so nothing is closed.
    unsafe { libc::close(-1) };
}

pub(crate) fn main() -> Result<(), sunpath::Error> {
    let stream = UnixStream::pair()?;
    let packets = UnixSeqpacket::pair()?;
    mark();
    stream.0.send_fd(&stream.0)?;
    drop(stream.1.recv_fd()?);
    packets.0.send_fd(&stream.0)?;
    drop(packets.1.recv_fd()?);
    mark();
    Ok(())
}
