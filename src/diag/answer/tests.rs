//! Answers that are made byte by byte, because no kernel can be made to send them.

use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::netlink::HEADER;

/// Returns a message with this type, these flags and this payload.
fn message(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
    let len = (HEADER + payload.len()) as u32;
    let mut bytes = len.to_ne_bytes().to_vec();
    bytes.extend([kind.to_ne_bytes(), flags.to_ne_bytes()].concat());
    bytes.extend([SEQUENCE.to_ne_bytes(), [0; 4]].concat());
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn attribute(kind: u16, data: &[u8]) -> Vec<u8> {
    let len = (4 + data.len()) as u16;
    let mut bytes = [len.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// Returns the payload of a message about a socket of this kind and state.
fn socket(kind: u8, state: u8, inode: u32, attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![sys::AF_UNIX as u8, kind, state, 0];
    bytes.extend(inode.to_ne_bytes());
    bytes.extend([1_u32.to_ne_bytes(), 2_u32.to_ne_bytes()].concat());
    bytes.extend(attributes.concat());
    bytes
}

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_ne_bytes()).collect()
}

/// Reads all messages of an answer, up to the first error.
fn read(answer: &[u8]) -> Result<Vec<Said>, Error> {
    let mut reader = Reader::default();
    let mut said = Vec::new();
    while reader.at < answer.len() {
        said.push(reader.next(answer)?);
    }
    Ok(said)
}

/// Reads the one socket of an answer.
fn entry(attributes: &[Vec<u8>]) -> Result<Entry, Error> {
    let payload = socket(sys::SOCK_STREAM as u8, 1, 77, attributes);
    let answer = message(SOCK_DIAG_BY_FAMILY, 0, &payload);
    match read(&answer)?.as_slice() {
        [Said::Socket(entry, _)] => Ok(*entry),
        other => panic!("{other:?}"),
    }
}

#[test]
fn diag_answer_with_all_attributes_is_read() {
    let clients = numbers(&[5, 0, 6]);
    let attributes = [
        attribute(UNIX_DIAG_NAME, b"/run/a.sock\0"),
        attribute(UNIX_DIAG_VFS, &numbers(&[9, (8 << 20) | 1])),
        attribute(UNIX_DIAG_ICONS, &clients),
        attribute(UNIX_DIAG_RQLEN, &numbers(&[3, 7])),
        attribute(99, b"a later kernel"),
        attribute(UNIX_DIAG_SHUTDOWN, &[2]),
        attribute(UNIX_DIAG_UID, &numbers(&[1000])),
    ];
    let payload = socket(sys::SOCK_SEQPACKET as u8, 10, 77, &attributes);
    let answer = message(SOCK_DIAG_BY_FAMILY, 0, &payload);
    let said = read(&answer).unwrap();
    let [Said::Socket(entry, range)] = said.as_slice() else {
        panic!("{said:?}");
    };
    let path = UnixAddr::from_pathname("/run/a.sock").unwrap();
    assert_eq!(entry.addr(), path);
    assert_eq!(entry.kind(), SocketKind::Seqpacket);
    assert_eq!(entry.state(), State::Listening);
    assert_eq!((entry.inode(), entry.cookie()), (77, (2 << 32) | 1));
    assert_eq!(entry.peer(), Peer::None);
    let file = entry.file().unwrap();
    assert_eq!((file.device(), file.inode()), (0x801, 9));
    let (waiting, backlog) = (3, 7);
    assert_eq!(entry.queue(), Queue::Clients { waiting, backlog });
    assert_eq!(entry.shutdown(), Some(Shutdown::Write));
    assert_eq!(entry.uid(), Some(1000));
    assert_eq!(answer.get(range.clone()), Some(clients.as_slice()));
}

#[test]
fn diag_answer_without_attributes_knows_nothing_more() {
    let entry = entry(&[]).unwrap();
    assert!(entry.addr().is_unnamed());
    assert_eq!((entry.peer(), entry.file()), (Peer::None, None));
    assert_eq!((entry.uid(), entry.shutdown()), (None, None));
    let (unread, unsent) = (0, 0);
    assert_eq!(entry.queue(), Queue::Bytes { unread, unsent });
}

#[test]
fn diag_answer_peer_without_an_inode_is_told_from_none() {
    let peer = |inode| {
        entry(&[attribute(UNIX_DIAG_PEER, &numbers(&[inode]))])
            .unwrap()
            .peer()
    };
    assert_eq!(peer(0), Peer::NoInode);
    assert_eq!(peer(1), Peer::Inode(1));
}

#[test]
fn diag_answer_shutdown_is_read_from_two_bits() {
    let shut_down = |bits| {
        entry(&[attribute(UNIX_DIAG_SHUTDOWN, &[bits])])
            .unwrap()
            .shutdown()
    };
    assert_eq!(shut_down(0), None);
    assert_eq!(shut_down(1), Some(Shutdown::Read));
    assert_eq!(shut_down(2), Some(Shutdown::Write));
    assert_eq!(shut_down(3), Some(Shutdown::Both));
    assert_eq!(shut_down(0x83), Some(Shutdown::Both));
}

#[test]
fn diag_answer_names_of_every_length_are_addresses_or_errors() {
    for first in [0, b'n'] {
        for len in 0..=sys::SUN_PATH_CAPACITY + 2 {
            let mut name = vec![b'n'; len];
            if let Some(byte) = name.first_mut() {
                *byte = first;
            }
            let read = entry(&[attribute(UNIX_DIAG_NAME, &name)]);
            // Linux counts one byte more for a path that fills sun_path.
            let most = sys::SUN_PATH_CAPACITY + usize::from(first != 0);
            if len > most {
                let cause = Cause::MalformedAnswer {
                    len: len as u16,
                    at: (HEADER + UNIX_DIAG_MSG + 4) as u16,
                };
                assert_eq!(read.unwrap_err().cause(), Some(cause), "{len}");
                continue;
            }
            name.truncate(sys::SUN_PATH_CAPACITY);
            let expected = match name.as_slice() {
                [] => sys::SunPath::Unnamed,
                [0, name @ ..] => sys::SunPath::Abstract(name),
                path => sys::SunPath::Pathname(path),
            };
            assert_eq!(read.unwrap().addr().name(), expected, "{len}");
        }
    }
}

#[test]
fn diag_answer_attribute_of_another_size_is_an_error_with_numbers() {
    let at = (HEADER + UNIX_DIAG_MSG + 4) as u16;
    for (kind, right) in [
        (UNIX_DIAG_VFS, 8),
        (UNIX_DIAG_PEER, 4),
        (UNIX_DIAG_RQLEN, 8),
        (UNIX_DIAG_SHUTDOWN, 1),
        (UNIX_DIAG_UID, 4),
    ] {
        for len in right - 1..=right + 1 {
            let read = entry(&[attribute(kind, &vec![1; len])]);
            if len == right {
                assert!(read.is_ok(), "{kind} {len}");
                continue;
            }
            let error = read.unwrap_err();
            let len = len as u16;
            assert_eq!(error.cause(), Some(Cause::MalformedAnswer { len, at }));
            assert_eq!(error.errno(), Errno::EBADMSG);
        }
    }
    for len in 0..9 {
        let read = entry(&[attribute(UNIX_DIAG_ICONS, &vec![1; len])]);
        assert_eq!(read.is_ok(), len % 4 == 0, "{len}");
    }
}

#[test]
fn diag_answer_that_is_cut_off_is_an_error() {
    let payload = socket(1, 1, 77, &[attribute(UNIX_DIAG_UID, &numbers(&[1000]))]);
    let whole = message(SOCK_DIAG_BY_FAMILY, 0, &payload);
    assert!(read(&whole).is_ok());
    for len in 1..whole.len() {
        let error = read(&whole[..len]).unwrap_err();
        let at = 0;
        let len = if len < HEADER { len } else { whole.len() } as u16;
        assert_eq!(error.cause(), Some(Cause::MalformedAnswer { len, at }));
    }
}

#[test]
fn diag_answer_of_the_kernels_errno_is_that_error() {
    for errno in [1, 2, 110, 4095] {
        let answer = message(NLMSG_ERROR, 0, &i32::to_ne_bytes(-errno));
        let error = Error::new(Call::SockDiag, Errno::from_raw(errno));
        assert_eq!(read(&answer), Err(error));
        let answer = message(NLMSG_DONE, 0, &i32::to_ne_bytes(-errno));
        assert_eq!(read(&answer), Err(error), "a list that ended early");
    }
    let acknowledged = message(NLMSG_ERROR, 0, &0_i32.to_ne_bytes());
    assert_eq!(read(&acknowledged), Ok(vec![Said::Nothing]));
    for wrong in [-4096, i32::MIN] {
        let answer = message(NLMSG_ERROR, 0, &wrong.to_ne_bytes());
        assert_eq!(read(&answer).unwrap_err().errno(), Errno::EBADMSG);
    }
    for len in 0..4 {
        let answer = message(NLMSG_ERROR, 0, &[0; 4][..len]);
        assert_eq!(read(&answer).unwrap_err().errno(), Errno::EBADMSG, "{len}");
    }
}

#[test]
fn diag_answer_of_an_interrupted_list_is_an_error_at_its_end() {
    let payload = socket(1, 1, 77, &[]);
    let done = message(NLMSG_DONE, 0, &[0; 4]);
    let plain = message(SOCK_DIAG_BY_FAMILY, 0, &payload);
    let flagged = message(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP_INTR, &payload);
    let last = message(NLMSG_DONE, NLM_F_DUMP_INTR, &[0; 4]);
    let interrupted = Error::with_cause(Call::SockDiag, Errno::EINTR, Cause::ListChanged);

    let said = read(&[plain.clone(), plain.clone(), done.clone()].concat()).unwrap();
    assert!(matches!(
        said.as_slice(),
        [Said::Socket(..), Said::Socket(..), Said::End]
    ));
    for answer in [
        [flagged.clone(), plain.clone(), done].concat(),
        [plain.clone(), plain, last].concat(),
    ] {
        let mut reader = Reader::default();
        for _ in 0..2 {
            assert!(matches!(reader.next(&answer), Ok(Said::Socket(..))));
        }
        assert_eq!(reader.next(&answer), Err(interrupted));
    }
}

#[test]
fn diag_answer_to_another_question_is_passed_over() {
    let payload = socket(1, 1, 77, &[]);
    let mut other_sequence = message(SOCK_DIAG_BY_FAMILY, 0, &payload);
    other_sequence[8] ^= 0x40;
    let other_kind = message(SOCK_DIAG_BY_FAMILY + 1, 0, &payload);
    let mut other_family = payload.clone();
    other_family[0] = sys::AF_UNIX as u8 + 1;
    let other_family = message(SOCK_DIAG_BY_FAMILY, 0, &other_family);
    for answer in [other_sequence, other_kind, other_family] {
        assert_eq!(read(&answer), Ok(vec![Said::Nothing]));
    }
}

/// Returns bytes in which messages and attributes with right and wrong lengths follow each other.
fn answers() -> impl Strategy<Value = Vec<u8>> {
    let attributes = prop::collection::vec(
        (0..9_u16, prop::collection::vec(any::<u8>(), 0..12))
            .prop_map(|(kind, data)| attribute(kind, &data)),
        0..5,
    );
    let of_socket = attributes.prop_map(|attributes| socket(1, 10, 3, &attributes));
    let payload = prop_oneof![of_socket, prop::collection::vec(any::<u8>(), 0..40)];
    let kind = prop_oneof![Just(SOCK_DIAG_BY_FAMILY), 0..5_u16];
    let one = (kind, any::<u16>(), payload)
        .prop_map(|(kind, flags, payload)| message(kind, flags, &payload));
    let whole = prop::collection::vec(one, 0..5).prop_map(|messages| messages.concat());
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (whole, changes).prop_map(|(mut bytes, changes)| {
        for (place, byte) in changes {
            if !bytes.is_empty() {
                let at = place.index(bytes.len());
                bytes[at] = byte;
            }
        }
        bytes
    })
}

proptest! {
    /// Each message takes at least a header, so the reader ends; and what it reports lies in the
    /// answer.
    #[test]
    fn diag_answer_of_any_bytes_is_read_to_its_end(
        answer in prop_oneof![answers(), prop::collection::vec(any::<u8>(), 0..200)]
    ) {
        let mut reader = Reader::default();
        while reader.at < answer.len() {
            let before = reader.at;
            match reader.next(&answer) {
                Ok(Said::Socket(_, clients)) => {
                    let clients = answer.get(clients);
                    prop_assert!(clients.is_some_and(|clients| clients.len() % 4 == 0));
                }
                Ok(_) => {}
                Err(error) => {
                    if let Some(Cause::MalformedAnswer { at, .. }) = error.cause() {
                        prop_assert!(usize::from(at) <= answer.len());
                    }
                    break;
                }
            }
            prop_assert!(reader.at >= before + HEADER && reader.at <= answer.len());
        }
    }
}
