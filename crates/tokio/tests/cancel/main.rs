//! Tests the table of cancellation in `src/lib.rs`: each future is polled any number of times and
//! dropped, while the peer acts before any of the polls. No byte and no descriptor may be lost, leak or
//! be sent twice.

mod table;

use std::fs;
use std::future::Future;
use std::io::{IoSlice, IoSliceMut, Result};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::task::{Context, Poll, Waker};

use sunpath::ancillary::{
    Control, Credentials, Outgoing, RecvBatch, RecvSlots, Rights, SendBatch, SendSlots,
};
use sunpath::socket::Kind;
use sunpath::{BindOptions, ConnectOptions, Dir, Errno, UnixAddr};
use sunpath_tokio::{
    RecvExact, SendAll, Socket, SocketExt, Stream, UnixDatagram, UnixListener, UnixSeqpacket,
    UnixStream,
};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::runtime::{Builder, Runtime};
use tokio::{net, task};

/// More polls than any of the futures needs.
const POLLS: usize = 4;

/// The tests count the descriptors of the process, so they run one after the other.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    drop(runtime()); // the first one opens descriptors that stay open
    alone
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn fresh() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let path = dir.path().join("a.sock");
    (dir, path)
}

/// Polls a future at most `polls` times, with a turn of the runtime before each, and drops it. Calls
/// `act` before the poll with the number `at`.
async fn cancelled<F: Future>(
    future: F,
    polls: usize,
    at: usize,
    mut act: impl AsyncFnMut(),
) -> Option<F::Output> {
    let mut future = pin!(future);
    for poll in 0..polls {
        if poll == at {
            act().await;
        }
        task::yield_now().await;
        let polled = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
    }
    None
}

/// What a call has received: the bytes and the descriptors.
type Counts = (usize, usize);

type Call<'s, R> = Pin<Box<dyn Future<Output = Result<R>> + 's>>;

/// Runs a test for each number of polls and each poll before which the peer acts.
fn for_all(test: impl AsyncFn(usize, usize)) {
    let _alone = alone();
    let before = open_descriptors();
    for polls in 0..=POLLS {
        for at in 0..=polls {
            runtime().block_on(test(polls, at));
            assert_eq!(
                open_descriptors(),
                before,
                "descriptors leak: {polls}, {at}"
            );
        }
    }
}

/// Receives what is left in the queue.
fn drain<T: Kind>(socket: &Socket<T>) -> Counts {
    let mut counts = (0, 0);
    loop {
        match socket.as_socket().recv_fds_up_to::<8>(&mut [0; 65536]) {
            Ok((received, fds)) => {
                assert!(received.len() > 0, "the peer is there");
                counts.0 += received.len();
                counts.1 += fds.len();
            }
            Err(error) if error.is_would_block() => return counts,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Tests a call that receives: `hello` with one descriptor arrives before any of the polls. Whatever the
/// call has not returned must still be there. `takes` are the bytes and descriptors that it takes out of
/// the queue, even if it returns fewer.
fn receives<T: Kind>(takes: Counts, call: impl for<'s> Fn(&'s Socket<T>) -> Call<'s, ()>) {
    for_all(async |polls, at| {
        let (ours, theirs) = Socket::<T>::pair().unwrap();
        let (kept, given) = UnixStream::pair().unwrap();
        let mut given = Some(given);
        let mut sent = (0, 0);
        let act = async || {
            let given = given.take().unwrap();
            ours.send_fds(b"hello", &[&given]).await.unwrap();
            sent = (5, 1);
        };
        let completed = cancelled(call(&theirs), polls, at, act).await;
        assert_eq!(completed.is_some(), at < polls, "{polls}, {at}");
        let left = drain(&theirs);
        match completed {
            Some(result) => {
                result.unwrap();
                assert_eq!(left, (sent.0 - takes.0, sent.1 - takes.1), "{polls}, {at}");
            }
            None => assert_eq!(left, sent, "{polls}, {at}"),
        }
        drop(given);
        // Every copy of the descriptor is closed.
        assert_eq!(kept.read(&mut [0]).await.unwrap(), 0, "{polls}, {at}");
    });
}

/// Tests a call that sends one message with as many descriptors as it returns. The queue is full until
/// the peer empties it before any of the polls. The message arrives if and only if the call completes.
fn sends<T: Kind>(
    expected: Counts,
    call: impl for<'s> Fn(&'s Socket<T>, &'s OwnedFd) -> Call<'s, ()>,
) {
    for_all(async |polls, at| {
        let (ours, theirs) = Socket::<T>::pair().unwrap();
        let (kept, given) = UnixStream::pair().unwrap();
        let given = OwnedFd::from(given);
        while ours
            .as_socket()
            .try_sendmsg(&[IoSlice::new(&[0; 4096])], &[])
            .is_ok()
        {}
        let act = async || _ = drain(&theirs);
        let completed = cancelled(call(&ours, &given), polls, at, act).await;
        assert_eq!(completed.is_some(), at < polls, "{polls}, {at}");
        drop(given);
        let mut arrived = drain(&theirs);
        arrived.0 %= 4096; // without what filled the queue, if the peer has not emptied it
        match completed {
            Some(result) => {
                result.unwrap();
                assert_eq!(arrived, expected, "{polls}, {at}");
            }
            None => assert_eq!(arrived, (0, 0), "{polls}, {at}"),
        }
        assert_eq!(kept.read(&mut [0]).await.unwrap(), 0, "{polls}, {at}");
    });
}

/// Returns tokio's own type for a copy of the descriptor.
fn tokio(socket: &Socket<Stream>) -> net::UnixStream {
    let fd = socket.as_fd().try_clone_to_owned().unwrap();
    net::UnixStream::from_std(fd.into()).unwrap()
}

fn tokio_datagram(socket: &UnixDatagram) -> net::UnixDatagram {
    let fd = socket.as_fd().try_clone_to_owned().unwrap();
    net::UnixDatagram::from_std(fd.into()).unwrap()
}

/// Returns a copy that can be borrowed mutably, as the traits of tokio demand.
fn copy(socket: &Socket<Stream>) -> UnixStream {
    let fd = socket.as_fd().try_clone_to_owned().unwrap();
    fd.try_into().unwrap()
}

/// Declares tests of calls that receive.
macro_rules! receives {
    ($($name:ident: $kind:ident takes $takes:expr, |$socket:ident $(by $copy:ident)?| $call:expr;)+) => {$(
        #[test]
        fn $name() {
            receives::<sunpath::$kind>($takes, |$socket| {
                $(#[allow(unused_mut)] let mut $socket = $copy($socket);)?
                Box::pin(async move { $call.map(drop) })
            });
        }
    )+};
}

receives! {
    stream_read: Stream takes (5, 1), |s| s.read(&mut [0; 64]).await;
    stream_read_vectored: Stream takes (5, 1), |s| s.read_vectored(&mut [IoSliceMut::new(&mut [0; 64])]).await;
    stream_peek: Stream takes (0, 0), |s| s.peek(&mut [0; 64]).await;
    socket_recv_fds: Stream takes (5, 1), |s| s.recv_fds::<1>(&mut [0; 64]).await;
    socket_recv_fds_up_to: Stream takes (5, 1), |s| s.recv_fds_up_to::<4>(&mut [0; 64]).await;
    socket_recv_fd: Stream takes (1, 1), |s| s.recv_fd().await;
    socket_recv_with_credentials: Stream takes (5, 1), |s| s.recv_with_credentials(&mut [0; 64]).await;
    socket_recvmsg: Stream takes (5, 1), |s| s.recvmsg::<Rights<2>>(&mut [IoSliceMut::new(&mut [0; 64])]).await;
    seqpacket_recvmsg: Seqpacket takes (5, 1), |s| s.recvmsg::<Rights<2>>(&mut [IoSliceMut::new(&mut [0; 64])]).await;
    datagram_recvmsg: Datagram takes (5, 1), |s| s.recvmsg::<Rights<2>>(&mut [IoSliceMut::new(&mut [0; 64])]).await;
    seqpacket_recv: Seqpacket takes (5, 1), |s| s.recv(&mut [0; 64]).await;
    seqpacket_recv_vectored: Seqpacket takes (5, 1), |s| s.recv_vectored(&mut [IoSliceMut::new(&mut [0; 64])]).await;
    seqpacket_peek: Seqpacket takes (0, 0), |s| s.peek(&mut [0; 64]).await;
    datagram_recv_from: Datagram takes (5, 1), |s| s.recv_from(&mut [0; 64]).await;
    datagram_peek_from: Datagram takes (0, 0), |s| s.peek_from(&mut [0; 64]).await;
    socket_readable: Stream takes (0, 0), |s| s.readable().await;
    socket_async_io: Stream takes (5, 1), |s| s.async_io(Interest::READABLE, |s| s.read(&mut [0; 64])).await;
    tokio_recv_fd: Stream takes (1, 1), |s by tokio| s.recv_fd().await;
    tokio_recv_fds: Stream takes (5, 1), |s by tokio| s.recv_fds::<1>(&mut [0; 64]).await;
    tokio_recv_fds_up_to: Stream takes (5, 1), |s by tokio| s.recv_fds_up_to::<4>(&mut [0; 64]).await;
    tokio_recvmsg: Stream takes (5, 1), |s by tokio| s.recvmsg::<Rights<2>>(&mut [IoSliceMut::new(&mut [0; 64])]).await;
    tokio_datagram_recv_fds: Datagram takes (5, 1), |s by tokio_datagram| s.recv_fds::<1>(&mut [0; 64]).await;
    traits_read: Stream takes (5, 1), |s by copy| AsyncReadExt::read(&mut s, &mut [0; 64]).await;
    seqpacket_recvmmsg: Seqpacket takes (5, 1), |s| {
        let (mut slots, mut bufs) = (RecvSlots::<4, Rights<2>>::new(), [[0; 64]; 4]);
        let mut batch = RecvBatch::new(&mut slots, &mut bufs);
        s.recvmmsg(&mut batch).await
    };
}

/// Declares tests of calls that send.
macro_rules! sends {
    ($($name:ident: $kind:ident sends $sends:expr, |$socket:ident $(by $copy:ident)?, $fd:ident| $call:expr;)+) => {$(
        #[test]
        fn $name() {
            sends::<sunpath::$kind>($sends, |$socket, $fd| {
                $(#[allow(unused_mut)] let mut $socket = $copy($socket);)?
                Box::pin(async move {
                    let _ = $fd;
                    $call.map(drop)
                })
            });
        }
    )+};
}

sends! {
    stream_write: Stream sends (5, 0), |s, fd| s.write(b"hello").await;
    stream_write_vectored: Stream sends (5, 0), |s, fd| s.write_vectored(&[IoSlice::new(b"hello")]).await;
    socket_send_fd: Stream sends (1, 1), |s, fd| s.send_fd(fd).await;
    socket_send_fds: Stream sends (5, 1), |s, fd| s.send_fds(b"hello", &[fd]).await;
    socket_send_with_credentials: Stream sends (5, 0), |s, fd| s.send_with_credentials(b"hello", Credentials::own()).await;
    socket_sendmsg: Stream sends (5, 1), |s, fd| s.sendmsg(&[IoSlice::new(b"hello")], &[Control::Rights(&[fd.as_fd()])]).await;
    seqpacket_sendmsg: Seqpacket sends (5, 1), |s, fd| s.sendmsg(&[IoSlice::new(b"hello")], &[Control::Rights(&[fd.as_fd()])]).await;
    datagram_send_fd: Datagram sends (1, 1), |s, fd| s.send_fd(fd).await;
    seqpacket_send: Seqpacket sends (5, 0), |s, fd| s.send(b"hello").await;
    seqpacket_send_vectored: Seqpacket sends (5, 0), |s, fd| s.send_vectored(&[IoSlice::new(b"hello")]).await;
    socket_writable: Stream sends (0, 0), |s, fd| s.writable().await;
    tokio_send_fd: Stream sends (1, 1), |s by tokio, fd| s.send_fd(fd).await;
    tokio_send_fds: Stream sends (5, 1), |s by tokio, fd| s.send_fds(b"hello", &[fd]).await;
    tokio_sendmsg: Stream sends (5, 1), |s by tokio, fd| s.sendmsg(&[IoSlice::new(b"hello")], &[Control::Rights(&[fd.as_fd()])]).await;
    traits_write: Stream sends (5, 0), |s by copy, fd| AsyncWriteExt::write(&mut s, b"hello").await;
    seqpacket_sendmmsg: Seqpacket sends (5, 1), |s, fd| {
        let (bytes, fds) = ([IoSlice::new(b"hello")], [fd.as_fd()]);
        let control = [Control::Rights(&fds)];
        let mut slots = SendSlots::<4, Rights<1>>::new();
        let mut batch = SendBatch::new(&mut slots);
        batch.push(Outgoing::new(&bytes).control(&control))?;
        s.sendmmsg(&mut batch).await
    };
}

/// Tests a call that sends one message to an address, whose queue is full until it is emptied.
fn sends_to(call: impl for<'s> Fn(&'s UnixDatagram, &'s UnixAddr) -> Call<'s, ()>) {
    for_all(async |polls, at| {
        let (_dir, path) = fresh();
        let server = UnixDatagram::bind(&path).unwrap();
        let addr = UnixAddr::from_pathname(&path).unwrap();
        let client = UnixDatagram::unbound().unwrap();
        while client.try_send_to(&[0; 4096], &addr).is_ok() {}
        let act = async || _ = drain(&server);
        let sent = cancelled(call(&client, &addr), polls, at, act).await;
        // Later it waits for the end of a pause.
        assert!(sent.is_some() || at > 0 || polls == 0);
        let arrived = drain(&server).0 % 4096;
        assert_eq!(arrived, if sent.is_some() { 5 } else { 0 }, "{polls}, {at}");
    });
}

#[test]
fn datagram_send_to() {
    sends_to(|client, addr| Box::pin(client.send_to(b"hello", addr)));
}

#[test]
fn datagram_sendmsg_to() {
    sends_to(|client, addr| {
        Box::pin(async {
            client
                .sendmsg_to(&[IoSlice::new(b"hello")], &[], addr)
                .await
        })
    });
}

/// The batch keeps the messages that were not sent, and a second call sends exactly these.
#[test]
fn seqpacket_sendmmsg_continues_with_the_rest_of_the_batch() {
    for_all(async |polls, at| {
        let (ours, theirs) = UnixSeqpacket::pair().unwrap();
        let filler = [0; 4096];
        let numbers: Vec<[u8; 1000]> = (0..200).map(|number| [number; 1000]).collect();
        let messages: Vec<[IoSlice<'_>; 1]> = numbers.iter().map(|n| [IoSlice::new(n)]).collect();
        let mut slots = SendSlots::<256>::new();
        let mut batch = SendBatch::new(&mut slots);
        for message in &messages {
            batch.push(Outgoing::new(message)).unwrap();
        }
        while ours.as_socket().send(&filler).is_ok() {}
        let act = async || _ = drain(&theirs);
        let sent = cancelled(ours.sendmmsg(&mut batch), polls, at, act).await;
        assert!(sent.is_none() || batch.is_empty());
        let mut arrived = Vec::new();
        let mut buf = [0; 4096];
        let receive = async {
            while arrived.last() != Some(&199) {
                if theirs.recv(&mut buf).await.unwrap().len() == 1000 {
                    arrived.push(buf[0]);
                }
            }
        };
        let (rest, ()) = tokio::join!(ours.sendmmsg(&mut batch), receive);
        rest.unwrap();
        assert_eq!(arrived, (0..200).collect::<Vec<u8>>(), "{polls}, {at}");
    });
}

/// Both ends of a large message with a descriptor are cancelled in turns, after any number of polls, until
/// all has arrived: every byte once and in its place, and the descriptor once.
#[test]
fn send_all_run_and_recv_exact_run() {
    let _alone = alone();
    let before = open_descriptors();
    let bytes: Vec<u8> = (0..1_500_000_u32).map(|n| (n % 251) as u8).collect();
    for polls in 1..=POLLS {
        runtime().block_on(async {
            let (ours, theirs) = UnixStream::pair().unwrap();
            let (kept, given) = UnixStream::pair().unwrap();
            let fds = [given];
            let mut buf = vec![0; bytes.len()];
            let mut message = SendAll::new(&bytes, &fds);
            let mut receipt = RecvExact::<1>::new(&mut buf);
            let mut interruptions = 0;
            let received = loop {
                let act = async || {};
                let sent = cancelled(message.run(&ours), polls, 0, act).await;
                assert_eq!(sent.is_some(), message.is_done());
                assert!(message.sent() >= receipt.filled());
                interruptions += usize::from(sent.is_none());
                match cancelled(receipt.run(&theirs), polls, 0, act).await {
                    Some(received) => break received.unwrap(),
                    None => interruptions += 1,
                }
            };
            assert!(interruptions > 1, "it is larger than the queue");
            message.run(&ours).await.unwrap(); // has nothing to do
            assert_eq!(drain(&theirs), (0, 0));
            let [received] = received;
            drop(fds);
            UnixStream::try_from(received)
                .unwrap()
                .write(b"x")
                .await
                .unwrap();
            assert_eq!(kept.read(&mut [0; 8]).await.unwrap(), 1);
            assert_eq!(kept.read(&mut [0; 8]).await.unwrap(), 0, "it came once");
            assert!(buf == bytes);
        });
        assert_eq!(open_descriptors(), before);
    }
}

#[test]
fn recv_exact_dropped_with_a_descriptor_closes_it() {
    for_all(async |polls, at| {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (kept, given) = UnixStream::pair().unwrap();
        let mut given = Some(given);
        let mut buf = [0; 64];
        let mut receipt = RecvExact::<1>::new(&mut buf);
        let act = async || {
            let given = given.take().unwrap();
            ours.send_fds(b"half", &[&given]).await.unwrap();
        };
        assert!(
            cancelled(receipt.run(&theirs), polls, at, act)
                .await
                .is_none()
        );
        drop(receipt);
        drop((given, theirs));
        assert_eq!(kept.read(&mut [0]).await.unwrap(), 0, "{polls}, {at}");
    });
}

/// Descriptors that came before are closed when too many come.
#[test]
fn recv_exact_that_gets_too_many_descriptors_closes_all() {
    let _alone = alone();
    runtime().block_on(async {
        for counts in [[1, 1], [1, 2]] {
            let (ours, theirs) = UnixStream::pair().unwrap();
            let (kept, given) = UnixStream::pair().unwrap();
            let mut buf = [0; 8];
            let mut receipt = RecvExact::<1>::new(&mut buf);
            for count in counts {
                let fds = vec![&given; count];
                ours.send_fds(b"1234", &fds).await.unwrap();
            }
            drop(given);
            let error = receipt.run(&theirs).await.unwrap_err();
            assert_eq!(Errno::from_io_error(&error), Some(Errno::EMSGSIZE));
            assert_eq!(kept.as_socket().read(&mut [0]), Ok(0), "{counts:?}");
        }
    });
}

/// Tests a call that accepts: a client connects before any of the polls.
fn accepts(call: impl for<'s> Fn(&'s UnixListener) -> Call<'s, UnixStream>) {
    for_all(async |polls, at| {
        let (_dir, path) = fresh();
        let listener = UnixListener::new(BindOptions::new().listen(&path).unwrap()).unwrap();
        let mut client = None;
        let act = async || client = Some(UnixStream::connect(&path).await.unwrap());
        let completed = cancelled(call(&listener), polls, at, act).await;
        assert_eq!(completed.is_some(), at < polls, "{polls}, {at}");
        let accepted = match completed {
            Some(accepted) => Some(accepted.unwrap()),
            None if client.is_some() => Some(listener.accept().await.unwrap().0),
            None => None,
        };
        if let (Some(server), Some(client)) = (&accepted, &client) {
            server.write(b"hello").await.unwrap();
            assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 5, "{polls}, {at}");
        }
        assert_eq!(accepted.is_some(), client.is_some());
    });
}

#[test]
fn listener_accept() {
    accepts(|listener| Box::pin(async { Ok(listener.accept().await?.0) }));
}

#[test]
fn listener_accept_if() {
    accepts(|listener| {
        Box::pin(async { Ok(listener.accept_if(|peer| peer.is_own_user()).await?.0) })
    });
}

#[test]
fn incoming_next() {
    accepts(|listener| {
        Box::pin(async { Ok(listener.incoming(drop).next().await.expect("it is open").0) })
    });
}

/// A listener, by all its names.
struct Place {
    path: PathBuf,
    addr: UnixAddr,
    dir: Dir,
}

/// Tests a call that connects to a listener whose queue is full. Dropping the runtime waits for the
/// threads that it has started. If a thread waited in connect(2) without a limit, the test would not
/// end, because nobody ever accepts.
fn connects(call: impl for<'p> Fn(&'p Place) -> Call<'p, UnixStream>) {
    let _alone = alone();
    let (dir, path) = fresh();
    let listener = BindOptions::new().backlog(0).listen(&path).unwrap();
    let queued = sunpath::UnixStream::connect(&path).unwrap();
    let place = Place {
        addr: UnixAddr::from_pathname(&path).unwrap(),
        dir: Dir::open(dir.path()).unwrap(),
        path,
    };
    let before = open_descriptors();
    for polls in 0..=POLLS {
        let connected = runtime().block_on(cancelled(call(&place), polls, 0, async || {}));
        assert!(connected.is_none());
        assert_eq!(open_descriptors(), before, "cancelled after {polls} polls");
    }
    drop(queued);
    listener.accept().unwrap();
    listener.set_nonblocking(true).unwrap();
    let more = listener.accept().unwrap_err();
    assert!(more.is_would_block(), "no other client was queued");
}

/// Declares tests of calls that connect.
macro_rules! connects {
    ($($name:ident: |$place:ident| $call:expr;)+) => {$(
        #[test]
        fn $name() {
            connects(|$place| Box::pin(async { $call.await }));
        }
    )+};
}

const WAITING: ConnectOptions = ConnectOptions::new().wait_for_server(true);

connects! {
    stream_connect: |to| UnixStream::connect(&to.path);
    stream_connect_addr: |to| UnixStream::connect_addr(&to.addr);
    stream_connect_at: |to| UnixStream::connect_at(&to.dir, "a.sock");
    stream_connect_with: |to| UnixStream::connect_with(&WAITING, &to.path);
    stream_connect_addr_with: |to| UnixStream::connect_addr_with(&WAITING, &to.addr);
    stream_connect_at_with: |to| UnixStream::connect_at_with(&WAITING, &to.dir, "a.sock");
}

/// The only thread for calls that block is used by something else. A connect that was cancelled must not
/// connect when that thread is free again.
#[test]
fn stream_connect_that_waits_for_a_thread_ends_at_once() {
    let _alone = alone();
    let (_dir, path) = fresh();
    let mut builder = Builder::new_current_thread();
    let runtime = builder
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = UnixListener::new(BindOptions::new().backlog(0).listen(&path).unwrap());
        let listener = listener.unwrap();
        let _queued = UnixStream::connect(&path).await.unwrap();
        let (free, busy) = mpsc::channel::<()>();
        let thread = task::spawn_blocking(move || busy.recv());
        let connected = cancelled(UnixStream::connect(&path), POLLS, 0, async || {}).await;
        assert!(connected.is_none());
        listener.accept().await.unwrap(); // The queue has space now.
        drop(free);
        thread.await.unwrap().unwrap_err();
        task::spawn_blocking(|| {}).await.unwrap(); // Calls are made in their order.
        let more = listener.as_listener().accept_nonblocking();
        assert!(more.is_err_and(|error| error.is_would_block()));
    });
}

/// Tests a call that removes the file.
fn unlinks<S>(make: impl Fn(&Path) -> S, call: impl AsyncFn(S) -> Result<()>) {
    let _alone = alone();
    let before = open_descriptors();
    for polls in 0..=POLLS {
        let (_dir, path) = fresh();
        let runtime = runtime();
        runtime.block_on(async {
            let socket = make(&path);
            assert!(path.exists());
            cancelled(call(socket), polls, 0, async || {}).await;
        });
        drop(runtime); // waits for the thread
        assert!(!path.exists(), "cancelled after {polls} polls");
        assert_eq!(open_descriptors(), before);
    }
}

#[test]
fn listener_close_and_unlink() {
    unlinks(
        |path| UnixListener::new(BindOptions::new().listen(path).unwrap()).unwrap(),
        UnixListener::close_and_unlink,
    );
}

#[test]
fn datagram_close_and_unlink() {
    unlinks(
        |path| UnixDatagram::from_bound(BindOptions::new().bind_datagram(path).unwrap()).unwrap(),
        UnixDatagram::close_and_unlink,
    );
}

/// These two are tokio's, and the table says that they are not safe: a part was sent or received.
#[test]
fn traits_write_all_and_read_exact() {
    let _alone = alone();
    runtime().block_on(async {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        let bytes = vec![7; 1 << 20];
        let act = async || {};
        assert!(cancelled(ours.write_all(&bytes), 2, 0, act).await.is_none());
        let mut buf = vec![0; 1 << 20];
        assert!(
            cancelled(theirs.read_exact(&mut buf), 2, 0, act)
                .await
                .is_none()
        );
        assert_eq!(buf[0], 7, "bytes were taken out of the stream");
        assert!(drain(&theirs).0 < bytes.len());
    });
}
