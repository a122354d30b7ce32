//! Tests that a bound socket receives the credentials of every sender, of the first one, too.

use std::cell::Cell;

use libc::{c_int, sockaddr, socklen_t};
use sunpath::ancillary::Credentials;
use sunpath::{
    BindOptions, Bound, Existing, UnixAddr, UnixDatagram, UnixListener, UnixSeqpacketListener,
    UnixStream,
};

use crate::{Fresh, POLICIES, skip};

thread_local! {
    /// The value that `SO_PASSCRED` had at each bind(2) of this thread.
    static AT_BIND: Cell<Vec<bool>> = const { Cell::new(Vec::new()) };
}

/// Stands in for the function of the C library, and records the option of the socket.
///
/// # Safety
///
/// - As for bind(2).
// SAFETY: it does what the function of this name does, and has its signature.
#[unsafe(no_mangle)]
unsafe extern "C" fn bind(fd: c_int, addr: *const sockaddr, len: socklen_t) -> c_int {
    let (mut on, mut size): (c_int, _) = (0, size_of::<c_int>() as socklen_t);
    let value = (&raw mut on).cast();
    // SAFETY: the pointers lead to an int and to its size.
    unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_PASSCRED, value, &mut size) };
    let mut seen = AT_BIND.take();
    seen.push(on != 0);
    AT_BIND.set(seen);
    // SAFETY: the arguments are those that the caller vouches for.
    unsafe { libc::syscall(libc::SYS_bind, fd, addr, len) as c_int }
}

/// Binds in every way, and returns the values that the option had.
fn bound_with(options: BindOptions) -> Vec<bool> {
    AT_BIND.take();
    let fresh = Fresh::new();
    drop(options.bind_datagram(&fresh.path).unwrap());
    drop(options.listen(&fresh.path).unwrap());
    drop(options.mode(0o600).listen(&fresh.path).unwrap());
    let name = UnixListener::autobind().unwrap().local_addr().unwrap();
    AT_BIND.set(AT_BIND.take().split_last().unwrap().1.to_vec());
    let abstract_name: Bound<UnixSeqpacketListener> = options.bind_addr(&name).unwrap();
    drop(abstract_name);
    AT_BIND.take()
}

#[test]
fn credentials_are_asked_for_before_bind() {
    if skip::if_calls_are_inline() {
        return;
    }
    for policy in POLICIES {
        let options = BindOptions::new().existing(policy);
        let asked = bound_with(options.pass_credentials(true));
        assert_eq!(asked, [true; 4], "{policy:?}");
        assert_eq!(bound_with(options), [false; 4], "{policy:?}");
    }
}

#[test]
fn credentials_of_the_first_message_are_those_of_its_sender() {
    let fresh = Fresh::new();
    let options = BindOptions::new().pass_credentials(true);
    let socket: Bound<UnixDatagram> = options.bind_datagram(&fresh.path).unwrap();
    let addr = UnixAddr::from_pathname(&fresh.path).unwrap();
    let sender = UnixDatagram::new().unwrap();
    sender.send_to(b"hello", &addr).unwrap();
    let (_, of) = socket.recv_with_credentials(&mut [0; 8]).unwrap();
    assert_eq!(of, Some(Credentials::own()));

    let listener = options.existing(Existing::Takeover);
    let listener = listener.listen(&fresh.path).unwrap();
    let client = UnixStream::connect(&fresh.path).unwrap();
    client.write_all(b"hello").unwrap();
    let (stream, _) = listener.accept().unwrap();
    let (_, of) = stream.recv_with_credentials(&mut [0; 8]).unwrap();
    assert_eq!(of, Some(Credentials::own()));
}

/// This is why [`BindOptions::pass_credentials`] exists.
#[test]
fn credentials_of_a_message_that_came_before_are_those_of_nobody() {
    let fresh = Fresh::new();
    let socket = BindOptions::new().bind_datagram(&fresh.path).unwrap();
    let addr = UnixAddr::from_pathname(&fresh.path).unwrap();
    let sender = UnixDatagram::new().unwrap();
    sender.send_to(b"hello", &addr).unwrap();
    socket.set_pass_credentials(true).unwrap();
    let (_, of) = socket.recv_with_credentials(&mut [0; 8]).unwrap();
    let of = of.unwrap();
    assert_eq!((of.pid(), of.uid()), (None, crate::NOBODY));
}
