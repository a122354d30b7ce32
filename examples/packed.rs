//! Sends many small messages with one call. The messages are packed into one write, each after its
//! length.
//!
//! ```sh
//! cargo run --example packed
//! ```
//!
//! `sendmmsg` also sends many messages with one call. But the kernel still makes, queues and frees
//! each message, which is most of the cost of a small message. A write that holds many messages has
//! that cost once. docs/performance.md has measurements.

use std::error::Error;
use std::thread;

use sunpath::UnixStream;
use sunpath::framing::{FrameError, FrameReader, FrameWriter};

const MESSAGES: usize = 1000;

fn main() -> Result<(), Box<dyn Error>> {
    let (ours, theirs) = UnixStream::pair()?;
    let sender = thread::spawn(move || {
        // A thread that panics prints why, and main then reports that it did.
        send(&ours).expect("the receiver is there")
    });
    let received = receive(&theirs)?;
    let writes = sender.join().map_err(|_| "the sender failed")?;
    assert_eq!(received, MESSAGES);
    println!("{received} messages with {writes} writes");
    Ok(())
}

/// Sends the messages, and returns how many writes that took.
fn send(stream: &UnixStream) -> Result<usize, Box<dyn Error>> {
    let mut buf = [0; 4096];
    let mut frames = FrameWriter::new(&mut buf);
    let mut writes = 0;
    for number in 0..MESSAGES {
        let message = format!("message {number}");
        if let Err(FrameError::Full { .. }) = frames.push(message.as_bytes()) {
            stream.write_all(frames.as_bytes())?;
            writes += 1;
            frames.clear();
            frames.push(message.as_bytes())?;
        }
    }
    stream.write_all(frames.as_bytes())?;
    Ok(writes + 1)
}

/// Receives messages until the stream ends, and returns how many there were.
fn receive(stream: &UnixStream) -> Result<usize, Box<dyn Error>> {
    let mut buf = [0; 4096];
    let mut reader = FrameReader::new(&mut buf);
    let mut count = 0;
    while reader.fill(stream)? > 0 {
        while let Some(message) = reader.next_frame()? {
            assert_eq!(message, format!("message {count}").as_bytes());
            count += 1;
        }
    }
    Ok(count)
}
