//! Tests of control messages that have no type in this crate, and of control buffers that are plain
//! bytes.

use std::io::{IoSlice, IoSliceMut};

use sunpath::ancillary::{Control, ControlBytes, Credentials, MsgFlags};
use sunpath::{Errno, UnixDatagram, UnixStream, sys};

/// The caller lays out the bytes of a control message itself, and the kernel checks them as it does
/// in C.
#[test]
fn ancillary_control_messages_of_any_level_and_type() {
    let (a, b) = UnixDatagram::pair().unwrap();
    b.set_pass_credentials(true).unwrap();
    let data = [IoSlice::new(b"x")];
    let send = |level, cmsg_type, bytes: &[u8]| {
        let other = Control::Other {
            level,
            cmsg_type,
            data: bytes,
        };
        a.sendmsg(&data, &[other]).map_err(|error| error.errno())
    };
    let own = Credentials::own();
    let ucred = [own.pid().unwrap() as u32, own.uid(), own.gid()];
    let ucred: Vec<u8> = ucred.iter().flat_map(|int| int.to_ne_bytes()).collect();
    assert_eq!(send(sys::SOL_SOCKET, sys::SCM_CREDENTIALS, &ucred), Ok(1));
    let (_, sender) = b.recv_with_credentials(&mut [0; 8]).unwrap();
    assert_eq!(sender, Some(own));
    assert_eq!(
        send(sys::SOL_SOCKET, sys::SCM_CREDENTIALS, &ucred[..11]),
        Err(Errno::EINVAL)
    );
    assert_eq!(send(sys::SOL_SOCKET, 77, &[]), Err(Errno::EINVAL));
    assert_eq!(
        send(libc::SOL_IP, 77, b"other levels are left alone"),
        Ok(1)
    );
    assert_eq!(send(libc::SOL_IP, 77, &[0; 9000]), Err(Errno::EMSGSIZE));

    let number = 0_i32.to_ne_bytes();
    let refused = send(sys::SOL_SOCKET, sys::SCM_RIGHTS, &number);
    assert_eq!(refused, Err(Errno::EINVAL), "nobody lent descriptor 0");
    assert_eq!(b.recv(&mut [0; 8]).unwrap().len(), 1);
    assert!(b.try_recv(&mut [0; 8]).is_err(), "nothing else was sent");
}

/// The buffer has space for two descriptors, of which at most `descriptors` are kept. The others
/// are closed.
#[test]
fn ancillary_bytes_keep_as_many_descriptors_as_they_may() {
    let (a, b) = UnixStream::pair().unwrap();
    let mut bytes = [0; sys::CMSG_SPACE(8)];
    for descriptors in 0..=3 {
        a.send_fds(b"x", &[&a, &b]).unwrap();
        let (mut buf, bytes) = ([0; 8], &mut bytes);
        let control = ControlBytes { bytes, descriptors };
        let message = b
            .recvmsg(&mut [IoSliceMut::new(&mut buf)], control)
            .unwrap();
        assert_eq!(message.is_control_truncated(), descriptors < 2);
        let mut control = message.into_partial_control();
        assert_eq!(control.rights().len(), descriptors.min(2));
        assert_eq!(control.closed(), 2 - descriptors.min(2));
    }
    let bufs = &mut [IoSliceMut::new(&mut [])];
    let flags = MsgFlags::DONTWAIT;
    let control = ControlBytes {
        bytes: &mut bytes,
        descriptors: 1,
    };
    assert!(
        b.recvmsg_with(bufs, control, flags)
            .unwrap_err()
            .is_would_block()
    );
}
