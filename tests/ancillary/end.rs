//! Tests that a receive without loss does not report truncation, and that the end of a connection
//! can be distinguished from an empty message.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::AsFd;

use sunpath::ancillary::{Control, ControlBuffer, Credentials, RecvBatch, RecvSlots, Rights};
use sunpath::socket::{Kind, Messages};
use sunpath::sys::CMSG_SPACE;
use sunpath::{Datagram, Errno, Seqpacket, Shutdown, Socket, Stream, UnixStream};

use super::{INT, curious_pair, give, has_option, skip, take};

/// The size of a control buffer with space for credentials and a pidfd.
const CURIOUS: usize = CMSG_SPACE(3 * INT) + CMSG_SPACE(INT);

/// Makes a pair whose second end asks for a security label. If the kernel lacks the option, or if a
/// security module does label sockets, reports that and returns `None`.
fn labelled_pair<T: Kind>() -> Option<(Socket<T>, Socket<T>)> {
    let (a, b) = Socket::<T>::pair().unwrap();
    if !has_option("SO_PASSSEC", b.set_pass_security(true)) {
        return None;
    }
    // Both ways to get a label are tried, because some security modules label messages but do not
    // report the label of a peer.
    give(&a, 0);
    let mut control = [0; 512];
    let message = take(&b, &mut control[..]).unwrap();
    let is_labelled = message.into_control().unwrap().security().is_some();
    if is_labelled || a.peer_security(&mut [0; 256]).is_ok() {
        skip::skip("a system that does not label sockets");
        return None;
    }
    Some((a, b))
}

fn no_label_is_no_truncation<T: Kind>() {
    let Some((a, b)) = labelled_pair::<T>() else {
        return;
    };
    give(&a, 0);
    let message = take(&b, &mut []).unwrap();
    let label = message
        .into_control()
        .unwrap()
        .security()
        .map(<[u8]>::to_vec);
    assert_eq!(label, None);
    give(&a, 0);
    let mut control = ControlBuffer::<()>::new();
    take(&b, &mut control).unwrap().into_control().unwrap();
    give(&a, 0);
    let mut control = ControlBuffer::<Rights<1>>::new();
    take(&b, &mut control).unwrap().into_control().unwrap();

    give(&a, 1);
    let message = take(&b, &mut []).unwrap();
    assert!(message.is_control_truncated(), "a descriptor was lost");
}

fn no_label_is_no_truncation_of_messages<T: Messages>() {
    no_label_is_no_truncation::<T>();
    let Some((a, b)) = labelled_pair::<T>() else {
        return;
    };
    let mut buf = [0; 8];
    let (mut slots, mut bufs) = (RecvSlots::<2>::new(), [[0; 8]; 2]);
    let mut batch = RecvBatch::new(&mut slots, &mut bufs);
    for descriptors in [0, 1] {
        let lost = descriptors > 0;
        give(&a, descriptors);
        let received = b.recv_vectored(&mut [IoSliceMut::new(&mut buf)]).unwrap();
        assert_eq!(received.is_control_truncated(), lost);
        give(&a, descriptors);
        let (_, received) = b
            .recv_uninit(&mut [std::mem::MaybeUninit::uninit(); 8])
            .unwrap();
        assert_eq!(received.is_control_truncated(), lost);
        give(&a, descriptors);
        b.recvmmsg(&mut batch).unwrap();
        let arrival = batch.arrivals().next().unwrap();
        assert_eq!(arrival.received().is_control_truncated(), lost);
    }
}

#[test]
fn ancillary_without_a_label_is_not_truncated() {
    no_label_is_no_truncation::<Stream>();
    no_label_is_no_truncation_of_messages::<Datagram>();
    no_label_is_no_truncation_of_messages::<Seqpacket>();
}

#[test]
fn ancillary_at_the_end_of_a_stream_is_not_truncated() {
    let Some((a, b)) = curious_pair::<Stream>() else {
        return;
    };
    let (c, d) = curious_pair::<Stream>().unwrap();
    drop(a);
    d.shutdown(Shutdown::Read).unwrap();
    for ended in [&b, &d] {
        for size in 0..=CURIOUS + 1 {
            let control = &mut vec![0; size][..];
            let message = take(ended, control).unwrap();
            assert_eq!((message.len(), message.is_end()), (0, true), "{size}");
            assert!(!message.is_control_truncated(), "{size}");
            assert!(!message.received().is_control_truncated(), "{size}");
            let mut control = message.into_control().unwrap();
            assert_eq!(control.credentials(), None);
            assert_eq!(control.rights().len(), 0);
        }
        let error = ended.recv_fd().unwrap_err();
        assert_eq!(error.errno(), Errno::EPIPE);
    }
    drop(c);
}

/// The receiver asks for no bytes, so a result of no bytes does not mean the end of the stream.
#[test]
fn ancillary_of_a_stream_into_no_bytes_is_as_it_came() {
    let (a, b) = UnixStream::pair().unwrap();
    b.set_pass_credentials(true).unwrap();
    a.send_fds(b"abc", &[a.as_fd()]).unwrap();
    let message = b.recvmsg(&mut [], &mut []).unwrap();
    assert_eq!((message.len(), message.is_end()), (0, false));
    assert!(message.is_control_truncated(), "a descriptor was lost");

    assert_eq!(b.read(&mut [0; 8]).unwrap(), 3, "the bytes are still there");
    a.send_fds(b"def", &[a.as_fd()]).unwrap();
    let mut control = ControlBuffer::<(Rights<1>, Credentials)>::new();
    let message = b.recvmsg(&mut [], &mut control).unwrap();
    assert_eq!((message.len(), message.is_end()), (0, false));
    let mut control = message.into_control().unwrap();
    assert_eq!(control.rights().len(), 1);
    assert_eq!(control.credentials(), Some(Credentials::own()));
}

#[test]
fn ancillary_tells_an_empty_record_from_the_end_by_credentials() {
    for size in 0..=CURIOUS + 1 {
        let Some((a, b)) = curious_pair::<Seqpacket>() else {
            return;
        };
        let mut bytes = vec![0; size];
        a.send(b"").unwrap();
        a.sendmsg(&[IoSlice::new(b"")], &[Control::Rights(&[a.as_fd()])])
            .unwrap();
        drop(a);
        for _ in 0..2 {
            let record = take(&b, &mut bytes[..]).unwrap();
            assert_eq!((record.len(), record.is_end()), (0, false), "{size}");
        }
        let end = take(&b, &mut bytes[..]).unwrap();
        assert_eq!((end.len(), end.is_end()), (0, true), "{size}");
        assert!(end.into_control().is_ok());
    }
}

#[test]
fn ancillary_tells_an_empty_record_from_the_end_in_a_batch() {
    let (a, b) = Socket::<Seqpacket>::pair().unwrap();
    b.set_pass_credentials(true).unwrap();
    a.send(b"x").unwrap();
    a.send(b"").unwrap();
    drop(a);
    let (mut slots, mut bufs) = (RecvSlots::<4, Credentials>::new(), [[0; 8]; 4]);
    let mut batch = RecvBatch::new(&mut slots, &mut bufs);
    b.recvmmsg(&mut batch).unwrap();
    let ends: Vec<bool> = batch
        .arrivals()
        .map(|arrival| arrival.into_message().1.is_end())
        .collect();
    assert_eq!(ends, [false, false, true, true]);
}

#[test]
fn ancillary_without_credentials_an_empty_record_looks_like_the_end() {
    let (a, b) = Socket::<Seqpacket>::pair().unwrap();
    a.send(b"").unwrap();
    a.sendmsg(&[], &[Control::Rights(&[a.as_fd()])]).unwrap();
    assert!(take(&b, &mut []).unwrap().is_end());
    let with_descriptor = take(&b, &mut []).unwrap();
    assert!(!with_descriptor.is_end(), "the end carries none");
}

#[test]
fn ancillary_of_a_datagram_is_never_the_end() {
    let (a, b) = Socket::<Datagram>::pair().unwrap();
    a.send(b"").unwrap();
    assert!(!take(&b, &mut []).unwrap().is_end());
    b.shutdown(Shutdown::Read).unwrap();
    let nothing = take(&b, &mut []).unwrap();
    assert_eq!((nothing.len(), nothing.is_end()), (0, false));
}
