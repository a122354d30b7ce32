//! The workloads that other libraries do not have: a receive buffer that begins at a chosen place, and
//! many messages that are packed into one message, which `c/packed.c` does in C.

use sunpath::framing::{FrameReader, FrameWriter, Frames, PREFIX};
use sunpath::socket::Kind;
use sunpath::{Socket, UnixSeqpacket, UnixStream};
use sunpath_bench::{
    BATCHES, BULK, Bench, DATAGRAM, STARTS, escape, opaque_slice, pages, repeat, timed,
};

/// Sends as many bytes as `rx` has, and receives them into it. The caller chooses where `rx` begins.
fn bulk(count: u64, rx: &mut [u8]) {
    let (a, b) = UnixStream::pair().unwrap();
    let tx = &pages(BULK)[..rx.len()];
    repeat(count, || {
        let mut done = 0;
        while done < tx.len() {
            done += a.write(opaque_slice(&tx[done..])).unwrap();
        }
        done = 0;
        while done < tx.len() {
            done += b.read(&mut rx[done..]).unwrap();
        }
        escape(rx);
    });
}

fn starts(mut bench: Bench) -> Bench {
    for len in [4096, BULK] {
        for start in STARTS {
            bench = bench.work(&format!("start.{len}.{start}"), |count| {
                bulk(count, &mut pages(BULK + 4096)[start..start + len]);
            });
        }
    }
    bench
}

/// The largest batch, packed.
const MOST: usize = 128 * (PREFIX + DATAGRAM);

/// Packs `size` messages, sends them with one call, receives and unpacks them, until `count` were sent.
/// `recv` unpacks at least one message, and returns how many.
fn packing<T: Kind>(
    count: u64,
    size: usize,
    send: impl Fn(&Socket<T>, &[u8]),
    mut recv: impl FnMut(&Socket<T>) -> usize,
) {
    let (a, b) = Socket::<T>::pair().unwrap();
    let mut buf = vec![0; size * (PREFIX + DATAGRAM)];
    let mut frames = FrameWriter::new(&mut buf);
    timed(|| {
        let mut done = 0;
        while done < count {
            frames.clear();
            for _ in 0..size {
                frames.push(opaque_slice(&[7; DATAGRAM])).unwrap();
            }
            send(&a, frames.as_bytes());
            let mut received = 0;
            while received < size {
                received += recv(&b);
            }
            done += size as u64;
        }
    });
}

fn packed(mut bench: Bench) -> Bench {
    for size in BATCHES {
        bench = bench
            .work(&format!("packed.seqpacket.{size}"), |count| {
                let mut buf = vec![0; MOST];
                packing(
                    count,
                    size,
                    |socket: &UnixSeqpacket, bytes| socket.send(bytes).unwrap(),
                    |socket| {
                        let received = socket.recv(&mut buf).unwrap().len();
                        let mut frames = Frames::new(&buf[..received], MOST - PREFIX);
                        let mut count = 0;
                        for message in frames.by_ref() {
                            let message = message.unwrap();
                            assert!(message.len() == DATAGRAM);
                            escape(message);
                            count += 1;
                        }
                        assert!(frames.rest().is_empty());
                        count
                    },
                );
            })
            .work(&format!("packed.stream.{size}"), |count| {
                let mut buf = vec![0; MOST];
                let mut reader = FrameReader::new(&mut buf);
                packing(
                    count,
                    size,
                    |socket: &UnixStream, bytes| socket.write_all(bytes).unwrap(),
                    |socket| {
                        reader.fill(socket).unwrap();
                        let mut count = 0;
                        while let Some(message) = reader.next_frame().unwrap() {
                            assert!(message.len() == DATAGRAM);
                            escape(message);
                            count += 1;
                        }
                        count
                    },
                );
            });
    }
    bench
}

fn main() {
    packed(starts(Bench::from_args())).finish();
}
