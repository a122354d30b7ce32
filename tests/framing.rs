//! Tests of messages that are packed into one write, through the public API.

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any};
use proptest::{prop_assert, prop_assert_eq, proptest};
use sunpath::error::Cause;
use sunpath::framing::{FrameError, FrameReader, FrameWriter, Frames, PREFIX};
use sunpath::{Errno, UnixSeqpacket, UnixStream};

fn packed(messages: &[Vec<u8>]) -> Vec<u8> {
    let size = messages.iter().map(|message| PREFIX + message.len()).sum();
    let mut buf = vec![0xaa; size];
    let mut frames = FrameWriter::new(&mut buf);
    for message in messages {
        frames.push(message).unwrap();
    }
    assert_eq!(frames.as_bytes().len(), size);
    buf
}

/// Gives the bytes to the reader, in pieces of these lengths and then the rest, and returns the
/// messages that it returned. A piece that is longer than the space is given in parts.
fn read_in_pieces(
    reader: &mut FrameReader<'_>,
    mut bytes: &[u8],
    pieces: &[usize],
) -> Result<Vec<Vec<u8>>, FrameError> {
    let mut messages = Vec::new();
    let mut pieces = pieces
        .iter()
        .copied()
        .chain([usize::MAX].into_iter().cycle());
    let mut piece = 0;
    while !bytes.is_empty() {
        while piece == 0 {
            piece = pieces.next().unwrap();
        }
        let space = reader.space();
        let count = piece.min(bytes.len()).min(space.len());
        assert!(count > 0, "no space, though all messages were taken");
        space[..count].copy_from_slice(&bytes[..count]);
        reader.advance(count).unwrap();
        (bytes, piece) = (&bytes[count..], piece - count);
        while let Some(message) = reader.next_frame()? {
            messages.push(message.to_vec());
        }
    }
    Ok(messages)
}

#[test]
fn framing_bytes_are_a_length_in_network_order_and_the_message() {
    let mut buf = [0xaa; 300];
    let mut frames = FrameWriter::new(&mut buf);
    assert!(frames.is_empty());
    frames.push(b"ab").unwrap();
    frames.push(b"").unwrap();
    frames.push(&[7; 258]).unwrap();
    assert!(!frames.is_empty());
    let mut expected = b"\0\0\0\x02ab\0\0\0\0\0\0\x01\x02".to_vec();
    expected.extend([7; 258]);
    assert_eq!(frames.as_bytes(), expected);
    frames.clear();
    assert_eq!((frames.as_bytes(), frames.is_empty()), (&b""[..], true));
}

#[test]
fn framing_message_is_packed_whole_or_not_at_all() {
    for size in 0..=12 {
        let mut buf = vec![0xaa; size];
        let mut frames = FrameWriter::new(&mut buf);
        let first = frames.push(b"a");
        let second = frames.push(b"bc");
        let (one, two) = (&b"\0\0\0\x01a"[..], &b"\0\0\0\x01a\0\0\0\x02bc"[..]);
        let (left, bytes) = match size {
            11.. => (Ok(()), two),
            _ => {
                let left = if size < 5 { size } else { size - 5 };
                let full = FrameError::Full { needed: 6, left };
                let too_long = FrameError::TooLong {
                    len: 2,
                    max: size.saturating_sub(4),
                };
                let error = if size < 6 { too_long } else { full };
                (Err(error), if size < 5 { &b""[..] } else { one })
            }
        };
        assert_eq!(second, left, "{size}");
        assert_eq!(first.is_ok(), size >= 5, "{size}");
        assert_eq!(frames.as_bytes(), bytes, "{size}");
    }
}

#[test]
fn framing_empty_message_does_not_fit_into_less_than_its_length() {
    for size in 0..PREFIX {
        let mut buf = vec![0; size];
        let error = FrameWriter::new(&mut buf).push(b"").unwrap_err();
        assert_eq!(error, FrameError::TooLong { len: 0, max: 0 }, "{size}");
    }
    FrameWriter::new(&mut [0; PREFIX]).push(b"").unwrap();
}

#[test]
fn framing_announced_length_over_the_limit_is_an_error_with_both_numbers() {
    for (len, fits) in [(99, true), (100, true), (101, false), (u32::MAX, false)] {
        let mut bytes = b"\0\0\0\x01a".to_vec();
        bytes.extend(len.to_be_bytes());
        let mut frames = Frames::new(&bytes, 100);
        assert_eq!(frames.next(), Some(Ok(&b"a"[..])));
        let error = FrameError::TooLong {
            len: len as usize,
            max: 100,
        };
        assert_eq!(frames.next(), (!fits).then_some(Err(error)), "{len}");
        assert_eq!(frames.next(), None);
        assert_eq!(frames.rest(), len.to_be_bytes());

        let mut buf = [0; 1000];
        let mut reader = FrameReader::new(&mut buf).max_message(100);
        let read = read_in_pieces(&mut reader, &bytes, &[]);
        assert_eq!(
            read,
            if fits {
                Ok(vec![b"a".to_vec()])
            } else {
                Err(error)
            }
        );
        assert_eq!(reader.next_frame().is_err(), !fits, "the error stays");
    }
}

#[test]
fn framing_limit_is_what_the_buffer_holds_unless_less_is_set() {
    for (max, limit) in [(5, 5), (6, 6), (7, 6), (usize::MAX, 6)] {
        for len in 4..=8 {
            let mut buf = [0; 10];
            let mut reader = FrameReader::new(&mut buf).max_message(max);
            let message = vec![b'x'; len];
            let read = read_in_pieces(&mut reader, &packed(std::slice::from_ref(&message)), &[]);
            let too_long = FrameError::TooLong { len, max: limit };
            assert_eq!(
                read,
                if len <= limit {
                    Ok(vec![message])
                } else {
                    Err(too_long)
                }
            );
        }
    }
}

#[test]
fn framing_buffer_smaller_than_a_length_returns_no_message() {
    for size in 0..PREFIX {
        let mut buf = vec![0; size];
        let mut reader = FrameReader::new(&mut buf);
        assert_eq!(reader.space().len(), size);
        reader.advance(size).unwrap();
        assert_eq!(reader.next_frame(), Ok(None));
        assert_eq!(reader.space().len(), 0);
    }
}

#[test]
fn framing_count_over_the_space_is_refused() {
    let mut buf = [0; 8];
    let mut reader = FrameReader::new(&mut buf);
    reader.advance(3).unwrap();
    for count in [6, usize::MAX] {
        let full = FrameError::Full {
            needed: count,
            left: 5,
        };
        assert_eq!(reader.advance(count), Err(full));
        assert_eq!(reader.rest(), [0; 3]);
    }
    reader.advance(5).unwrap();
    assert_eq!(reader.next_frame(), Ok(Some(&b""[..])));
}

/// The stream is divided in every possible way: at each byte there is a division or none, in all
/// combinations.
#[test]
fn framing_stream_in_any_pieces_has_the_same_messages() {
    let messages = [b"ab".to_vec(), Vec::new(), b"c".to_vec()];
    let bytes = packed(&messages);
    for size in [PREFIX + 2, PREFIX + 3, 64] {
        for cuts in 0..1_u32 << (bytes.len() - 1) {
            let mut pieces = vec![1];
            for at in 0..bytes.len() - 1 {
                if cuts >> at & 1 == 1 {
                    pieces.push(0);
                }
                *pieces.last_mut().unwrap() += 1;
            }
            let mut buf = vec![0xaa; size];
            let mut reader = FrameReader::new(&mut buf);
            assert_eq!(
                read_in_pieces(&mut reader, &bytes, &pieces).unwrap(),
                messages
            );
            assert_eq!(reader.rest(), b"");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn framing_any_messages_in_any_pieces_arrive_as_they_were(
        messages in vec(vec(any::<u8>(), 0..40), 0..30),
        pieces in vec(1..60_usize, 0..100),
        size in PREFIX + 40..200_usize,
    ) {
        let bytes = packed(&messages);
        let mut buf = vec![0xaa; size];
        let mut reader = FrameReader::new(&mut buf);
        prop_assert_eq!(&read_in_pieces(&mut reader, &bytes, &pieces).unwrap(), &messages);
        prop_assert_eq!(reader.rest(), b"");
        let seen: Result<Vec<_>, _> = Frames::new(&bytes, 40).collect();
        prop_assert_eq!(seen.unwrap(), messages);
    }

    /// The messages, their lengths and the rest are together the bytes that came in, and no message
    /// is over the limit.
    #[test]
    fn framing_arbitrary_bytes_are_messages_and_a_rest(
        bytes in vec(0..9_u8, 0..200),
        max in 0..300_usize,
    ) {
        let mut frames = Frames::new(&bytes, max);
        let mut again = Vec::new();
        let mut failed = false;
        for frame in frames.by_ref() {
            prop_assert!(!failed, "a message after an error");
            let Ok(message) = frame else {
                failed = true;
                continue;
            };
            prop_assert!(message.len() <= max);
            again.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
            again.extend(message);
        }
        again.extend(frames.rest());
        prop_assert_eq!(&again, &bytes);
        // The reader returns the same messages, whatever its buffer holds.
        let mut buf = vec![0; 250];
        let mut reader = FrameReader::new(&mut buf).max_message(max);
        let limit = max.min(246);
        let expected: Result<Vec<_>, _> = Frames::new(&bytes, limit).collect();
        let read = read_in_pieces(&mut reader, &bytes, &[7, 1]);
        prop_assert_eq!(read, expected.map(|all| all.iter().map(|one| one.to_vec()).collect()));
    }
}

#[test]
fn framing_messages_cross_a_stream() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let messages: Vec<Vec<u8>> = (0..500).map(|i| vec![i as u8; i % 97]).collect();
    let bytes = packed(&messages);
    let sender = std::thread::spawn(move || ours.write_all(&bytes).unwrap());
    let mut buf = [0; 128];
    let mut reader = FrameReader::new(&mut buf);
    let mut seen = Vec::new();
    while reader.fill(&theirs).unwrap() > 0 {
        while let Some(message) = reader.next_frame().unwrap() {
            seen.push(message.to_vec());
        }
    }
    sender.join().unwrap();
    assert_eq!(seen, messages);
    assert_eq!(reader.fill(&theirs), Ok(0), "the end is reported again");
}

#[test]
fn framing_stream_that_ends_inside_a_message_is_an_error() {
    let bytes = packed(&[b"ab".to_vec(), b"cd".to_vec()]);
    for len in 0..=bytes.len() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.write_all(&bytes[..len]).unwrap();
        drop(ours);
        let mut buf = [0; 64];
        let mut reader = FrameReader::new(&mut buf);
        assert_eq!(reader.fill(&theirs), Ok(len));
        // The end is an error only if it is inside a message, even if messages were not taken yet.
        let end = reader.fill(&theirs);
        if [0, 6, 12].contains(&len) {
            assert_eq!(end, Ok(0), "{len}");
        } else {
            let error = end.unwrap_err();
            assert_eq!(error.errno(), Errno::EPIPE, "{len}");
            assert_eq!(error.cause(), Some(Cause::StreamEnded), "{len}");
        }
        let whole = std::iter::from_fn(|| reader.next_frame().unwrap().map(<[u8]>::len));
        assert_eq!(whole.count(), len / 6);
    }
}

#[test]
fn framing_full_buffer_is_not_taken_for_the_end_of_the_stream() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.write_all(&packed(&[b"ab".to_vec(), b"cd".to_vec()]))
        .unwrap();
    let mut buf = [0; 6];
    let mut reader = FrameReader::new(&mut buf);
    assert_eq!(reader.fill(&theirs), Ok(6));
    assert_eq!(reader.fill(&theirs).unwrap_err().errno(), Errno::ENOBUFS);
    assert_eq!(reader.next_frame(), Ok(Some(&b"ab"[..])));
    assert_eq!(reader.fill(&theirs), Ok(6));
    assert_eq!(reader.next_frame(), Ok(Some(&b"cd"[..])));
}

#[test]
fn framing_read_that_would_wait_loses_nothing() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    let mut buf = [0; 64];
    let mut reader = FrameReader::new(&mut buf);
    for byte in packed(&[b"ab".to_vec()]) {
        assert_eq!(reader.next_frame(), Ok(None));
        assert!(reader.fill(&theirs).unwrap_err().is_would_block());
        ours.write_all(&[byte]).unwrap();
        assert_eq!(reader.fill(&theirs), Ok(1));
    }
    assert_eq!(reader.next_frame(), Ok(Some(&b"ab"[..])));
}

#[test]
fn framing_record_has_its_messages() {
    let (ours, theirs) = UnixSeqpacket::pair().unwrap();
    ours.send(&packed(&[b"ab".to_vec(), b"cd".to_vec()]))
        .unwrap();
    let mut buf = [0; 64];
    let received = theirs.recv(&mut buf).unwrap();
    let mut frames = Frames::new(&buf[..received.len()], 60);
    let messages: Result<Vec<_>, _> = frames.by_ref().collect();
    assert_eq!(messages, Ok(vec![&b"ab"[..], &b"cd"[..]]));
    assert_eq!(frames.rest(), b"");
}

#[test]
fn framing_error_has_an_errno_and_its_numbers() {
    let too_long = FrameError::TooLong {
        len: 70000,
        max: 4092,
    };
    assert_eq!(too_long.errno(), Errno::EMSGSIZE);
    assert_eq!(
        too_long.to_string(),
        "a message of 70000 bytes is over the limit of 4092 bytes"
    );
    let full = FrameError::Full {
        needed: 24,
        left: 20,
    };
    assert_eq!(full.errno(), Errno::ENOBUFS);
    assert_eq!(
        full.to_string(),
        "24 bytes do not fit into the 20 bytes that are left"
    );
}

#[cfg(feature = "std")]
#[test]
fn framing_error_as_an_io_error_keeps_its_numbers() {
    use std::io::{self, ErrorKind};
    for (error, kind) in [
        (
            FrameError::TooLong { len: 5, max: 4 },
            ErrorKind::InvalidData,
        ),
        (
            FrameError::Full { needed: 5, left: 4 },
            ErrorKind::WriteZero,
        ),
    ] {
        let io = io::Error::from(error);
        assert_eq!(io.kind(), kind);
        let inner = io.get_ref().unwrap().downcast_ref::<FrameError>();
        assert_eq!(inner, Some(&error));
    }
}
