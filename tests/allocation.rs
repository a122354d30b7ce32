//! Tests that passing descriptors and credentials allocates nothing, whether it succeeds or fails.
#![cfg(feature = "std")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt::{self, Write};
use std::hint::black_box;
use std::os::fd::{AsFd, OwnedFd};

use sunpath::ancillary::{
    Arrival, Control, ControlBuffer, Credentials, Outgoing, RecvBatch, RecvSlots, Rights,
    SendBatch, SendSlots,
};
use sunpath::fd::{IoSlice, IoSliceMut};
use sunpath::socket::{Kind, Messages};
use sunpath::{Datagram, Errno, Error, Seqpacket, Socket, Stream, UnixStream};

/// An allocator that counts what each thread allocates.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: all calls go to the system's allocator; counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the system's allocator has the same contract as this method.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the promises of the system's allocator, which made the block.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Returns what `action` returns, and asserts that it allocates nothing.
#[track_caller]
fn bare<R>(action: impl FnOnce() -> R) -> R {
    let before = COUNT.get();
    let result = action();
    assert_eq!(COUNT.get(), before, "it has allocated");
    result
}

/// A buffer for text that needs no allocation.
struct Text {
    bytes: [u8; 512],
    len: usize,
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.len..self.len + text.len());
        room.ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

/// Asserts that a call fails with this errno, and that neither the call nor printing the error
/// allocates.
#[track_caller]
fn bare_error<R>(errno: Errno, action: impl FnOnce() -> Result<R, Error>) {
    let error = bare(|| action().err());
    let error = error.expect("it fails");
    assert_eq!(error.errno(), errno);
    let mut text = Text {
        bytes: [0; 512],
        len: 0,
    };
    bare(|| write!(text, "{error} {error:?}")).expect("the array is large enough");
}

fn passing_allocates_nothing<T: Kind>() {
    let (a, b) = Socket::<T>::pair().unwrap();
    let fds = [a.as_fd(), b.as_fd()];
    let mut buf = [0; 8];

    bare(|| a.send_fd(&a)).unwrap();
    bare(|| b.recv_fd().map(drop)).unwrap();
    bare(|| a.send_fds(b"two", &fds)).unwrap();
    bare(|| b.recv_fds::<2>(&mut buf).map(drop)).unwrap();

    let mut room = ControlBuffer::<(Rights<2>, Credentials)>::new();
    bare(|| a.sendmsg(&[IoSlice::new(b"two")], &[Control::Rights(&fds)])).unwrap();
    bare(|| {
        let message = b.recvmsg(&mut [IoSliceMut::new(&mut buf)], &mut room)?;
        let mut control = message.into_control()?;
        assert_eq!(control.rights().count(), 2);
        assert!(control.credentials().is_none());
        control.pidfd().map(drop)
    })
    .unwrap();
    bare(|| a.send_all(b"two", &[Control::Rights(&fds)])).unwrap();
    bare(|| {
        b.recvmsg(&mut [IoSliceMut::new(&mut buf)], &mut room)
            .map(drop)
    })
    .unwrap();

    // The receiver gets too many descriptors, then too few, and then none.
    bare(|| a.send_fds(b"x", &fds)).unwrap();
    bare_error(Errno::EMSGSIZE, || b.recv_fd());
    bare(|| a.send_fds(b"x", &fds)).unwrap();
    bare_error(Errno::ENOMSG, || b.recv_fds::<3>(&mut buf));
    bare(|| a.send_fds::<OwnedFd>(b"x", &[])).unwrap();
    bare_error(Errno::ENOMSG, || b.recv_fd());

    // First there are too many descriptors for a message, and then there is no message at all.
    let many = [a.as_fd(); 254];
    bare_error(Errno::EINVAL, || a.send_fds(b"x", &many));
    bare(|| a.send_fds(b"x", &many[..253])).unwrap();
    let mut large = ControlBuffer::<Rights<253>>::new();
    bare(|| {
        b.recvmsg(&mut [IoSliceMut::new(&mut buf)], &mut large)
            .map(drop)
    })
    .unwrap();
    b.set_nonblocking(true).unwrap();
    bare_error(Errno::EAGAIN, || b.recv_fd());
    bare_error(Errno::EAGAIN, || b.recv_with_credentials(&mut buf));

    #[cfg(target_os = "linux")]
    {
        b.set_pass_credentials(true).unwrap();
        let own = bare(Credentials::own);
        bare(|| a.send_with_credentials(b"x", own)).unwrap();
        let (_, sender) = bare(|| b.recv_with_credentials(&mut buf)).unwrap();
        assert_eq!(sender, Some(own));
    }
}

fn batches_allocate_nothing<T: Messages>() {
    let (a, b) = Socket::<T>::pair().unwrap();
    let fds = [a.as_fd(); 2];
    let (data, control) = ([IoSlice::new(b"x")], [Control::Rights(&fds)]);
    let message = Outgoing::new(&data).control(&control);

    let mut room = bare(SendSlots::<6, Rights<2>>::new);
    let mut sending = bare(|| SendBatch::new(&mut room));
    for _ in 0..6 {
        bare(|| sending.push(message)).unwrap();
    }
    bare_error(Errno::ENOBUFS, || sending.push(message));
    bare(|| a.sendmmsg(&mut sending)).unwrap();
    let (mut room, mut texts) = (bare(RecvSlots::<4, Rights<2>>::new), [[0; 4]; 4]);
    let mut receiving = bare(|| RecvBatch::new(&mut room, &mut texts));
    let came = bare(|| {
        b.recvmmsg(&mut receiving)?;
        let messages = receiving.arrivals().map(Arrival::into_message);
        let fds = messages.map(|(_, message)| Ok(message.into_control()?.rights().count()));
        fds.sum::<Result<usize, Error>>()
    });
    assert_eq!(came, Ok(8));
    // The batch receives the other two messages, and nobody takes their descriptors.
    bare(|| b.recvmmsg(&mut receiving).map(drop)).unwrap();

    let mut without_room = SendSlots::<4>::new();
    bare_error(Errno::EMSGSIZE, || {
        SendBatch::new(&mut without_room).push(message)
    });
    b.set_nonblocking(true).unwrap();
    bare_error(Errno::EAGAIN, || b.recvmmsg(&mut receiving).map(drop));
}

#[test]
fn allocation_is_not_needed_to_pass_descriptors_and_credentials() {
    passing_allocates_nothing::<Stream>();
    passing_allocates_nothing::<Seqpacket>();
    passing_allocates_nothing::<Datagram>();
    batches_allocate_nothing::<Seqpacket>();
    batches_allocate_nothing::<Datagram>();

    let (a, b) = UnixStream::pair().unwrap();
    bare_error(Errno::EINVAL, || a.send_fds(b"", &[a.as_fd()]));
    drop(a);
    bare_error(Errno::EPIPE, || b.recv_fd());
    bare_error(Errno::EPIPE, || b.send_fd(&b));
}

/// A readiness loop gets `EAGAIN` all the time, so that error must not allocate either.
#[test]
fn allocation_is_not_needed_to_read_and_write_as_std_does() {
    use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};

    let (mut a, b) = UnixStream::pair().unwrap();
    a.set_nonblocking(true).unwrap();
    let mut buf = [0; 8];
    let would_block = |result: io::Result<usize>| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        assert_eq!(error.raw_os_error(), Some(Errno::EAGAIN.raw()));
    };
    would_block(bare(|| Read::read(&mut a, &mut buf)));
    would_block(bare(|| Read::read(&mut &a, &mut buf)));
    let mut bufs = [IoSliceMut::new(&mut buf)];
    would_block(bare(|| Read::read_vectored(&mut a, &mut bufs)));
    would_block(bare(|| Read::read_exact(&mut a, &mut [0; 2]).map(|()| 0)));
    while bare(|| Write::write(&mut a, &[0; 4096])).is_ok() {}
    would_block(bare(|| Write::write(&mut &a, &[0; 4096])));
    let bufs = [IoSlice::new(&[0; 4096])];
    would_block(bare(|| Write::write_vectored(&mut a, &bufs)));
    would_block(bare(|| Write::write_all(&mut a, &[0; 4096]).map(|()| 0)));
    drop(b);
    let error = bare(|| Write::write_all(&mut a, b"x")).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(Errno::EPIPE.raw()));

    let error = a.write(b"x").unwrap_err();
    let io = bare(|| io::Error::from(error.errno()));
    assert_eq!(
        (io.kind(), error.kind()),
        (ErrorKind::BrokenPipe, ErrorKind::BrokenPipe)
    );
}

#[test]
#[should_panic(expected = "it has allocated")]
fn allocation_of_an_io_error_that_keeps_the_call_is_seen() {
    let error = UnixStream::pair().unwrap().0.recv_oob().unwrap_err();
    drop(bare(|| std::io::Error::from(error)));
}

#[test]
#[should_panic(expected = "it has allocated")]
fn allocation_is_seen() {
    bare(|| black_box(vec![0; 8]));
}
