//! The workloads that plain C does not have: a receive buffer that begins at a chosen place, and many
//! messages that are packed into one.

#[path = "../../examples/packed.rs"]
#[allow(dead_code)]
mod packed;

use packed::{Packed, first};
use sunpath::{Socket, Stream, UnixSeqpacket, UnixStream};
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

/// Packs `size` messages, sends them with one call, receives and unpacks them, until `count` were sent.
fn packing<T: sunpath::socket::Kind>(
    count: u64,
    size: usize,
    send: impl Fn(&Socket<T>, &[u8]),
    recv: impl Fn(&Socket<T>, &mut [u8], usize) -> usize,
) {
    let (a, b) = Socket::<T>::pair().unwrap();
    let mut room = vec![0; size * (2 + DATAGRAM)];
    let mut buf = vec![0; 128 * (2 + DATAGRAM)];
    timed(|| {
        let mut done = 0;
        while done < count {
            let mut packed = Packed::new(&mut room);
            for _ in 0..size {
                packed.push(opaque_slice(&[7; DATAGRAM])).unwrap();
            }
            send(&a, packed.bytes());
            let received = recv(&b, &mut buf, packed.bytes().len());
            let mut left = &buf[..received];
            while let Some((message, behind)) = first(left) {
                assert!(message.len() == DATAGRAM);
                escape(message);
                (left, done) = (behind, done + 1);
            }
            assert!(left.is_empty());
        }
    });
}

fn packed(mut bench: Bench) -> Bench {
    for size in BATCHES {
        bench = bench
            .work(&format!("packed.seqpacket.{size}"), |count| {
                packing(
                    count,
                    size,
                    |socket: &UnixSeqpacket, bytes| socket.send(bytes).unwrap(),
                    |socket, buf, _| socket.recv(buf).unwrap().len(),
                );
            })
            .work(&format!("packed.stream.{size}"), |count| {
                packing::<Stream>(
                    count,
                    size,
                    |socket, bytes| assert!(socket.write(bytes).unwrap() == bytes.len()),
                    |socket, buf, len| {
                        let mut done = 0;
                        while done < len {
                            done += socket.read(&mut buf[done..]).unwrap();
                        }
                        done
                    },
                );
            });
    }
    bench
}

fn main() {
    packed(starts(Bench::from_args())).finish();
}
