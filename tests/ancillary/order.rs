//! Tests that all control messages are sent, in the order in which the caller gives them.

use std::fs::File;
use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd};

use sunpath::ancillary::{
    Control, ControlBuffer, Credentials, Outgoing, Rights, SendBatch, SendSlots,
};
use sunpath::socket::{Kind, Messages};
use sunpath::{Datagram, Errno, Error, Seqpacket, Socket, Stream, sys};

use super::take;

/// Returns a borrowed descriptor that is not open.
fn closed() -> BorrowedFd<'static> {
    // SAFETY: no descriptor is this great, and sendmsg(2) reports that.
    unsafe { BorrowedFd::borrow_raw(i32::MAX) }
}

/// Returns credentials with the pid of a process that does not exist.
fn nobody() -> Credentials {
    let own = Credentials::own();
    Credentials::new(i32::MAX, own.uid(), own.gid())
}

fn send<T: Kind>(to: &Socket<T>, control: &[Control<'_>]) -> Result<usize, Error> {
    to.sendmsg(&[IoSlice::new(b"x")], control)
}

/// Checks that the errno of the first fault is reported, as in C.
fn first_fault_counts<T: Kind>() {
    let (a, b) = Socket::<T>::pair().unwrap();
    let (bad, good) = ([closed()], [a.as_fd()]);
    let (no_descriptor, descriptor) = (Control::Rights(&bad), Control::Rights(&good));
    let no_process = Control::Credentials(nobody());
    let own = Control::Credentials(Credentials::own());
    let errno = |control: &[Control<'_>]| send(&a, control).unwrap_err().errno();
    // The kernel reports ESRCH to a process with privileges, and EPERM to others.
    let of_process = errno(&[no_process]);
    assert!(matches!(of_process, Errno::ESRCH | Errno::EPERM));

    assert_eq!(errno(&[no_process, no_descriptor]), of_process);
    assert_eq!(errno(&[no_descriptor, no_process]), Errno::EBADF);
    assert_eq!(errno(&[own, no_descriptor, no_process]), Errno::EBADF);
    assert_eq!(errno(&[descriptor, no_process, no_descriptor]), of_process);
    assert_eq!(errno(&[no_process, own]), of_process, "none is left out");
    assert_eq!(errno(&[own, no_process]), of_process);
    b.set_nonblocking(true).unwrap();
    let nothing = b.recv_fd().unwrap_err();
    assert_eq!(nothing.errno(), Errno::EAGAIN, "none of them was sent");
}

#[test]
fn ancillary_with_two_faults_reports_the_first_one_given() {
    first_fault_counts::<Stream>();
    first_fault_counts::<Seqpacket>();
    first_fault_counts::<Datagram>();
}

#[test]
fn ancillary_of_several_rights_arrives_as_one_in_their_order() {
    let (a, b) = Socket::<Seqpacket>::pair().unwrap();
    b.set_pass_credentials(true).unwrap();
    let files = [0; 4].map(|_| tempfile::tempfile().unwrap());
    for (i, file) in (0..).zip(&files) {
        file.set_len(i).unwrap();
    }
    let fds = files.each_ref().map(AsFd::as_fd);
    let own = Control::Credentials(Credentials::own());
    let control = [
        Control::Rights(&fds[..1]),
        own,
        Control::Rights(&fds[1..3]),
        Control::Rights(&[]),
        Control::Rights(&fds[3..]),
        own,
    ];
    send(&a, &control).unwrap();
    let mut buf = ControlBuffer::<(Rights<4>, Credentials)>::new();
    let mut control = take(&b, &mut buf).unwrap().into_control().unwrap();
    assert_eq!(control.messages().count(), 2);
    assert_eq!(control.credentials(), Some(Credentials::own()));
    let lengths: Vec<u64> = control
        .rights()
        .map(|fd| File::from(fd).metadata().unwrap().len())
        .collect();
    assert_eq!(lengths, [0, 1, 2, 3]);
}

#[test]
fn ancillary_of_8192_bytes_goes_and_more_is_refused() {
    if crate::limit::unless_descriptors(crate::MANY) {
        return;
    }
    let (a, b) = Socket::<Seqpacket>::pair().unwrap();
    let one = [a.as_fd()];
    let each = sys::CMSG_SPACE(12);
    let own = Control::Credentials(Credentials::own());
    let most = 8192 / each;
    for count in [most - 1, most] {
        send(&a, &vec![own; count]).unwrap();
        take(&b, &mut []).unwrap().into_control().unwrap();
    }
    let error = send(&a, &vec![own; most + 1]).unwrap_err();
    let needed = (most + 1) * each;
    assert_eq!(
        error.to_string(),
        format!("sendmsg: EMSGSIZE (the control messages take {needed} bytes, space for 8192)")
    );

    // Each descriptor is in its own control message.
    let mut control = vec![Control::Rights(&one); 253];
    control.push(own);
    send(&a, &control).unwrap();
    let mut buf = ControlBuffer::<Rights<253>>::new();
    let mut arrived = take(&b, &mut buf).unwrap().into_control().unwrap();
    assert_eq!(arrived.rights().len(), 253);
    control.push(Control::Rights(&one));
    assert_eq!(send(&a, &control).unwrap_err().errno(), Errno::EINVAL);
}

fn batch_keeps_the_order<T: Messages>() {
    let (a, _b) = Socket::<T>::pair().unwrap();
    let data = [IoSlice::new(b"x")];
    let (bad, good) = ([closed()], [a.as_fd()]);
    let no_process = Control::Credentials(nobody());
    let of_process = send(&a, &[no_process]).unwrap_err().errno();
    for (control, errno) in [
        ([no_process, Control::Rights(&bad)], of_process),
        ([Control::Rights(&bad), no_process], Errno::EBADF),
    ] {
        let mut slots = SendSlots::<1, (Rights<1>, Credentials)>::new();
        let mut batch = SendBatch::new(&mut slots);
        batch.push(Outgoing::new(&data).control(&control)).unwrap();
        assert_eq!(a.sendmmsg(&mut batch).unwrap_err().errno(), errno);
    }

    let twice = [Control::Rights(&good); 2];
    let message = Outgoing::new(&data).control(&twice);
    let mut slots = SendSlots::<1, (Rights<1>, Rights<1>)>::new();
    let mut batch = SendBatch::new(&mut slots);
    batch.push(message).unwrap();
    a.sendmmsg(&mut batch).unwrap();
    let mut slots = SendSlots::<1, Rights<2>>::new();
    let error = SendBatch::new(&mut slots).push(message).unwrap_err();
    let (needed, space) = (2 * sys::CMSG_SPACE(4), sys::CMSG_SPACE(8));
    let text = format!("EMSGSIZE (the control messages take {needed} bytes, space for {space})");
    assert_eq!(error.to_string(), format!("sendmmsg: {text}"));
}

#[test]
fn ancillary_of_a_batch_keeps_its_order() {
    batch_keeps_the_order::<Datagram>();
    batch_keeps_the_order::<Seqpacket>();
}
