//! The workloads with tokio-seqpacket, on tokio's runtime of one thread.

use std::io::{IoSlice, IoSliceMut};

use sunpath_bench::{Bench, Clock, MOST_FDS, block_on, borrowed, opaque_slice, open_fds};
use tokio_seqpacket::UnixSeqpacket;
use tokio_seqpacket::ancillary::{AncillaryMessageWriter, OwnedAncillaryMessage};

async fn round_trip(count: u64) {
    let (a, b) = UnixSeqpacket::pair().unwrap();
    let (mut there, mut back) = ([7], [0]);
    let clock = Clock::start();
    for _ in 0..count {
        a.send(opaque_slice(&back)).await.unwrap();
        b.recv(&mut there).await.unwrap();
        b.send(opaque_slice(&there)).await.unwrap();
        a.recv(&mut back).await.unwrap();
    }
    clock.stop();
}

async fn descriptors(count: u64, number: usize) {
    let fds = open_fds(number);
    let (a, b) = UnixSeqpacket::pair().unwrap();
    let (mut tx, mut rx) = ([0; 1032], [0; 1032]);
    let clock = Clock::start();
    for _ in 0..count {
        let mut control = AncillaryMessageWriter::new(&mut tx);
        control
            .add_fds(borrowed(opaque_slice(&fds)).iter())
            .unwrap();
        let piece = [IoSlice::new(b"x")];
        a.send_vectored_with_ancillary(&piece, &mut control)
            .await
            .unwrap();

        let mut byte = [0];
        let mut piece = [IoSliceMut::new(&mut byte)];
        let (_, control) = b
            .recv_vectored_with_ancillary(&mut piece, &mut rx)
            .await
            .unwrap();
        let mut received = 0;
        for message in control.into_messages() {
            if let OwnedAncillaryMessage::FileDescriptors(fds) = message {
                for fd in fds {
                    drop(fd);
                    received += 1;
                }
            }
        }
        assert!(received == number);
    }
    clock.stop();
}

fn main() {
    Bench::from_args()
        .work("roundtrip.seqpacket", |count| block_on(round_trip(count)))
        .work("fd.1", |count| block_on(descriptors(count, 1)))
        .work("fd.253", |count| block_on(descriptors(count, MOST_FDS)))
        .finish();
}
