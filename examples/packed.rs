//! Sends many small messages with one call. They are packed into one record, each after its length.
//!
//! ```sh
//! cargo run --example packed
//! ```
//!
//! `sendmmsg` also sends many messages with one call. But the kernel then still makes, queues and
//! frees each of them, which is most of the cost of a small message. A record that holds many messages
//! has that cost once. docs/performance.md has the numbers.

use std::error::Error;

use sunpath::UnixSeqpacket;

/// The most bytes in a record. Sender and receiver have to agree on it.
const RECORD: usize = 4096;

/// Messages one after the other, each after its length in two bytes.
pub(crate) struct Packed<'r> {
    room: &'r mut [u8],
    len: usize,
}

impl<'r> Packed<'r> {
    pub(crate) fn new(room: &'r mut [u8]) -> Self {
        Self { room, len: 0 }
    }

    /// Appends a message, or returns `None` if there is not enough space for all of it.
    pub(crate) fn push(&mut self, message: &[u8]) -> Option<()> {
        let len = u16::try_from(message.len()).ok()?;
        let end = self.len + 2 + message.len();
        let (head, body) = self.room.get_mut(self.len..end)?.split_at_mut(2);
        head.copy_from_slice(&len.to_le_bytes());
        body.copy_from_slice(message);
        self.len = end;
        Some(())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.room[..self.len]
    }
}

/// Returns the first message and the bytes after it, or `None` if there is no complete message. In a
/// record `None` means the end, or a fault of the sender. In a stream, for which this function works
/// as well, it means that the rest of the message arrives with the next read.
pub(crate) fn first(packed: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, behind) = packed.split_first_chunk()?;
    behind.split_at_checked(u16::from_le_bytes(*len).into())
}

fn main() -> Result<(), Box<dyn Error>> {
    let (ours, theirs) = UnixSeqpacket::pair()?;

    let mut room = [0; RECORD];
    let mut packed = Packed::new(&mut room);
    let mut sent = 0;
    while packed.push(format!("message {sent}").as_bytes()).is_some() {
        sent += 1;
    }
    ours.send(packed.bytes())?;

    let mut buf = [0; RECORD];
    let received = theirs.recv(&mut buf)?;
    if received.is_truncated() {
        return Err("a record with more bytes than was agreed".into());
    }
    let mut left = &buf[..received.len()];
    let mut count = 0;
    while let Some((message, behind)) = first(left) {
        assert_eq!(message, format!("message {count}").as_bytes());
        (left, count) = (behind, count + 1);
    }
    if !left.is_empty() {
        return Err("a record that ends inside a message".into());
    }
    println!("{count} messages with one call on each side");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_message_goes_in_as_a_whole_or_not_at_all() {
        for (room, fits) in [(6, false), (7, true), (8, true)] {
            let mut room = vec![0; room];
            let mut packed = Packed::new(&mut room);
            packed.push(b"a").unwrap();
            assert_eq!(packed.push(b"bc").is_some(), fits);
            let bytes: &[u8] = if fits { b"\x01\0a\x02\0bc" } else { b"\x01\0a" };
            assert_eq!(packed.bytes(), bytes);
        }
    }

    #[test]
    fn packed_message_is_as_long_as_its_length_can_say() {
        let mut room = vec![0; 1 << 17];
        let message = vec![7; 65536];
        let mut packed = Packed::new(&mut room);
        assert_eq!(packed.push(&message), None);
        packed.push(&message[1..]).unwrap();
        packed.push(b"").unwrap();
        let (message, behind) = first(packed.bytes()).unwrap();
        assert_eq!(message.len(), 65535);
        assert_eq!(first(behind), Some((&b""[..], &b""[..])));
    }

    #[test]
    fn packed_message_that_is_cut_is_none() {
        let bytes = b"\x02\0bc\x01";
        assert_eq!(first(&bytes[..4]), Some((&b"bc"[..], &b""[..])));
        assert_eq!(first(bytes), Some((&b"bc"[..], &b"\x01"[..])));
        for len in 0..4 {
            assert_eq!(first(&bytes[..len]), None, "{len}");
        }
    }
}
