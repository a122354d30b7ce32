//! The calls that low-level code makes, with one function for each. None of them can panic:
//! `.ci/run no_std` links them, with link-time optimisation, and looks for `core::panicking` in the
//! result.
//!
//! The names are exported, so that the linker keeps each function and `objdump` shows which of them
//! can panic.
#![no_std]

use core::time::Duration;

use sunpath::activation::{Activation, ActivationError, Variables};
use sunpath::ancillary::{Control, ControlBuffer, Outgoing, RecvBatch, Rights, SendBatch};
use sunpath::diag::{self, Entry, Query, SocketKind};
use sunpath::fd::{BorrowedFd, IoSlice, IoSliceMut, OwnedFd};
use sunpath::files::{DirError, SocketFile};
use sunpath::framing::{FrameError, FrameReader, FrameWriter, Frames};
use sunpath::sys::{sockaddr_un, socklen_t};
use sunpath::{
    BindOptions, Bound, ConnectOptions, Dir, Error, Existing, Liveness, PeerCred, Received,
    SunPath, UnixAddr, UnixDatagram, UnixListener, UnixSeqpacket, UnixSeqpacketListener,
    UnixStream,
};

/// Exports each function under its own name.
macro_rules! calls {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $result:ty $body:block)*) => {
        $(
            #[unsafe(no_mangle)]
            fn $name($($arg: $type),*) -> $result $body
        )*
    };
}

type Result<T> = core::result::Result<T, Error>;
type Framed<T> = core::result::Result<T, FrameError>;

// The following functions use addresses and sockets.
calls! {
    fn call_address_from_text(text: &[u8]) -> Option<UnixAddr> {
        UnixAddr::from_text(text).ok()
    }
    fn call_address(path: &[u8]) -> Option<UnixAddr> {
        UnixAddr::from_pathname(path).ok()
    }
    fn call_address_from_raw(addr: sockaddr_un, len: socklen_t) -> Result<UnixAddr> {
        UnixAddr::from_raw(addr, len)
    }
    fn call_address_name_in(addr: &sockaddr_un, len: socklen_t) -> Result<SunPath<'_>> {
        UnixAddr::name_in(addr, len)
    }
    fn call_address_text(addr: &UnixAddr, buf: &mut [u8]) -> usize {
        addr.write_text(buf)
    }
    fn call_error_text(bits: u64, buf: &mut [u8]) -> Option<usize> {
        Some(Error::from_bits(bits)?.write_text(buf))
    }
    fn call_dir_error_text(error: DirError, buf: &mut [u8]) -> usize {
        error.write_text(buf)
    }
    fn call_activation_error_text(error: ActivationError, buf: &mut [u8]) -> usize {
        error.write_text(buf)
    }
    fn call_frames(bytes: &[u8], max: usize) -> Framed<&[u8]> {
        let mut frames = Frames::new(bytes, max);
        while frames.next().transpose()?.is_some() {}
        Ok(frames.rest())
    }
    fn call_frame_pushed(frames: &mut FrameWriter<'_>, message: &[u8]) -> Framed<usize> {
        frames.push(message)?;
        Ok(frames.as_bytes().len())
    }
    fn call_frame_received(reader: &mut FrameReader<'_>, stream: &UnixStream) -> Result<usize> {
        reader.fill(stream)
    }
    fn call_frame_taken(reader: &mut FrameReader<'_>) -> Framed<Option<usize>> {
        Ok(reader.next_frame()?.map(<[u8]>::len))
    }
    fn call_frame_added(reader: &mut FrameReader<'_>, count: usize) -> Framed<usize> {
        reader.advance(count)?;
        Ok(reader.space().len())
    }
    fn call_bind(path: &[u8]) -> Result<UnixListener> {
        UnixListener::bind(path)
    }
    fn call_bind_datagram(path: &[u8]) -> Result<UnixDatagram> {
        UnixDatagram::bind(path)
    }
    fn call_connect(path: &[u8]) -> Result<UnixStream> {
        UnixStream::connect(path)
    }
    fn call_accept(listener: &UnixListener) -> Result<(UnixStream, UnixAddr)> {
        listener.accept()
    }
    fn call_accept_timeout(listener: &UnixListener, timeout: Duration) -> Result<(UnixStream, UnixAddr)> {
        listener.accept_timeout(timeout)
    }
    fn call_accept_if(listener: &UnixListener, uid: u32) -> Result<(UnixStream, UnixAddr)> {
        listener.accept_if(|peer| peer.uid() == uid)
    }
    fn call_pair() -> Result<(UnixStream, UnixStream)> {
        UnixStream::pair()
    }
    fn call_read(socket: &UnixStream, buf: &mut [u8]) -> Result<usize> {
        socket.read(buf)
    }
    fn call_read_exact(socket: &UnixStream, buf: &mut [u8]) -> Result<()> {
        socket.read_exact(buf)
    }
    fn call_write(socket: &UnixStream, buf: &[u8]) -> Result<usize> {
        socket.write(buf)
    }
    fn call_write_all(socket: &UnixStream, buf: &[u8]) -> Result<()> {
        socket.write_all(buf)
    }
    fn call_send(socket: &UnixSeqpacket, buf: &[u8]) -> Result<()> {
        socket.send(buf)
    }
    fn call_recv(socket: &UnixSeqpacket, buf: &mut [u8]) -> Result<Received> {
        socket.recv(buf)
    }
    fn call_send_to(socket: &UnixDatagram, buf: &[u8], to: &UnixAddr) -> Result<()> {
        socket.send_to(buf, to)
    }
    fn call_recv_from(socket: &UnixDatagram, buf: &mut [u8]) -> Result<(Received, UnixAddr)> {
        socket.recv_from(buf)
    }
    fn call_wait_readable(socket: &UnixStream, timeout: Duration) -> Result<bool> {
        socket.wait_readable(Some(timeout))
    }
    fn call_set_read_timeout(socket: &UnixStream, timeout: Option<Duration>) -> Result<()> {
        socket.set_read_timeout(timeout)
    }
    fn call_read_timeout(socket: &UnixStream) -> Result<Option<Duration>> {
        socket.read_timeout()
    }
    fn call_peer_cred(socket: &UnixStream) -> Result<PeerCred> {
        socket.peer_cred()
    }
    fn call_peer_groups(socket: &UnixStream, groups: &mut [u32]) -> Result<usize> {
        socket.peer_groups(groups).map(|groups| groups.len())
    }
    fn call_peer_security(socket: &UnixStream, label: &mut [u8]) -> Result<usize> {
        socket.peer_security(label).map(|label| label.len())
    }
    fn call_peer_addr(socket: &UnixStream) -> Result<UnixAddr> {
        socket.peer_addr()
    }
}

// The following functions use ancillary data.
calls! {
    fn call_sendmsg(socket: &UnixStream, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<usize> {
        socket.sendmsg(&[IoSlice::new(bytes)], &[Control::Rights(fds)])
    }
    fn call_recvmsg(socket: &UnixStream, buf: &mut [u8], fds: &mut [Option<OwnedFd>; 4]) -> Result<Received> {
        let mut control = ControlBuffer::<Rights<4>>::new();
        let message = socket.recvmsg(&mut [IoSliceMut::new(buf)], &mut control)?;
        let received = message.received();
        let mut control = message.into_control()?;
        for (place, fd) in fds.iter_mut().zip(control.rights()) {
            *place = Some(fd);
        }
        Ok(received)
    }
    fn call_send_fd(socket: &UnixStream, fd: BorrowedFd<'_>) -> Result<()> {
        socket.send_fd(fd)
    }
    fn call_recv_fd(socket: &UnixStream) -> Result<OwnedFd> {
        socket.recv_fd()
    }
    fn call_send_fds(socket: &UnixStream, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<()> {
        socket.send_fds(bytes, fds)
    }
    fn call_recv_exact_fds(socket: &UnixStream, buf: &mut [u8]) -> Result<[OwnedFd; 2]> {
        socket.recv_exact_fds(buf)
    }
    fn call_recv_fds(socket: &UnixStream, buf: &mut [u8]) -> Result<(Received, [OwnedFd; 2])> {
        socket.recv_fds(buf)
    }
}

// The following functions use batches.
calls! {
    fn call_push(batch: &mut SendBatch<'static, Rights<2>>, message: Outgoing<'static>) -> Result<()> {
        batch.push(message)
    }
    fn call_sendmmsg(socket: &UnixDatagram, batch: &mut SendBatch<'_, Rights<2>>) -> Result<()> {
        socket.sendmmsg(batch)
    }
    fn call_recvmmsg(socket: &UnixDatagram, batch: &mut RecvBatch<'_, 64, Rights<2>>) -> Result<usize> {
        let mut bytes = 0;
        socket.recvmmsg(batch)?;
        for message in batch.arrivals() {
            bytes += message.bytes().len();
            drop(message.into_message());
        }
        Ok(bytes)
    }
}

// The following functions use socket files.
calls! {
    fn call_bind_at(dir: BorrowedFd<'_>, path: &[u8]) -> Result<UnixListener> {
        UnixListener::bind_at(dir, path)
    }
    fn call_bind_datagram_at(dir: BorrowedFd<'_>, path: &[u8]) -> Result<UnixDatagram> {
        UnixDatagram::bind_at(dir, path)
    }
    fn call_connect_at(dir: BorrowedFd<'_>, path: &[u8]) -> Result<UnixStream> {
        UnixStream::connect_at(dir, path)
    }
    fn call_connect_to_at(socket: &UnixDatagram, dir: BorrowedFd<'_>, path: &[u8]) -> Result<()> {
        socket.connect_to_at(dir, path)
    }
    fn call_listen(options: &BindOptions, path: &[u8]) -> Result<Bound<UnixListener>> {
        options.listen(path)
    }
    fn call_listen_seqpacket(options: &BindOptions, path: &[u8]) -> Result<Bound<UnixSeqpacketListener>> {
        options.listen_seqpacket(path)
    }
    fn call_bind_datagram_file(options: &BindOptions, path: &[u8]) -> Result<Bound<UnixDatagram>> {
        options.bind_datagram(path)
    }
    fn call_bind_file_at(options: &BindOptions, dir: BorrowedFd<'_>, path: &[u8]) -> Result<Bound<UnixListener>> {
        options.bind_at(dir, path)
    }
    fn call_close_and_unlink(bound: Bound<UnixListener>) -> Result<()> {
        bound.close_and_unlink()
    }
    fn call_bind_options(mode: u32, existing: Existing, uid: u32) -> BindOptions {
        BindOptions::new().mode(mode).existing(existing).owner(uid).group(uid).backlog(1)
    }
    fn call_bind_file_by_address(options: &BindOptions, addr: &UnixAddr) -> Result<Bound<UnixListener>> {
        options.bind_addr(addr)
    }
    fn call_adopt(
        options: &BindOptions,
        listener: UnixListener,
        path: &[u8]
    ) -> Option<Bound<UnixListener>> {
        options.adopt(listener, path).ok()
    }
    fn call_bind_again(bound: &mut Bound<UnixListener>, options: &BindOptions) -> Result<UnixListener> {
        bound.bind_again(options)
    }
    fn call_is_in_place(bound: &Bound<UnixListener>) -> Result<bool> {
        bound.is_in_place()
    }
    fn call_into_parts(bound: Bound<UnixListener>) -> Option<(UnixListener, SocketFile)> {
        bound.into_parts().ok()
    }
    fn call_probe(path: &[u8]) -> Result<Liveness> {
        sunpath::probe(path)
    }
    fn call_connect_options(
        uid: u32,
        timeout: Duration,
        path: &[u8]
    ) -> Result<UnixStream> {
        ConnectOptions::new().timeout(timeout).require_peer(uid).wait_for_server(true).connect(path)
    }
    fn call_dir_path(dir: &Dir, buf: &mut [u8]) -> Result<usize> {
        dir.path(buf).map(|path| path.len())
    }
    fn call_dir_open(path: &[u8]) -> Result<Dir> {
        Dir::open(path)
    }
    fn call_dir_private(path: &[u8]) -> Option<Dir> {
        Dir::private(path).ok()
    }
    fn call_dir_public(path: &[u8]) -> Option<Dir> {
        Dir::public(path).ok()
    }
}

// The following functions list sockets.
calls! {
    fn call_list(query: Query, buf: &mut [u8]) -> Result<Option<Entry>> {
        let mut last = None;
        for socket in query.listening().kind(SocketKind::Stream).list(buf)? {
            last = Some(socket?);
        }
        Ok(last)
    }
    fn call_find(inode: u32) -> Result<Option<Entry>> {
        diag::find(inode)
    }
    fn call_waiting(inode: u32, buf: &mut [u8]) -> Result<u32> {
        Ok(diag::waiting(inode, buf)?.fold(0, u32::wrapping_add))
    }
}

/// Takes over the descriptors that were passed, and returns the first one as a listener.
#[unsafe(no_mangle)]
fn call_activation(variables: Variables<'_>) -> Option<UnixListener> {
    // SAFETY: nothing calls this function.
    let mut passed = unsafe { Activation::take_from(variables) }.ok()?;
    passed.next()?.into_listener().ok()
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: abort has no conditions.
    unsafe { libc::abort() }
}

/// The prebuilt `core` names this function in its unwind tables. With `panic = "abort"` nothing
/// calls it.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}
