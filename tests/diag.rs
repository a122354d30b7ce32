//! Tests of the list of the Unix domain sockets of a network namespace.
#![cfg(all(target_os = "linux", feature = "std", feature = "files"))]

mod fresh;
mod skip;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{self, Command};
use std::thread;
use std::time::{Duration, Instant};

use sunpath::diag::{
    self, BUFFER, Entry, Peer, Query, Queue, SocketKind, State, WAITING_BUFFER, waiting,
};
use sunpath::error::{Call, Cause};
use sunpath::{
    Errno, Liveness, Shutdown, UnixAddr, UnixDatagram, UnixListener, UnixSeqpacket,
    UnixSeqpacketListener, UnixStream, probe, sys,
};

/// Returns whether the kernel cannot list sockets. If so, reports that the test is skipped.
fn unless_listed() -> bool {
    let refused = match diag::list(&mut [0; BUFFER]) {
        Ok(mut sockets) => sockets.find_map(Result::err),
        Err(error) => Some(error),
    };
    let lacks = refused.is_some_and(|error| error.is_unsupported());
    if lacks {
        skip::skip("a kernel with sock_diag for Unix domain sockets");
    }
    lacks
}

/// Returns the inode of a socket.
fn inode(fd: impl AsFd) -> u32 {
    let mut status = MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: the descriptor is open, and status has space for a stat.
    let told = unsafe { libc::fstat(fd.as_fd().as_raw_fd(), status.as_mut_ptr()) };
    assert_eq!(told, 0, "fstat: {}", io::Error::last_os_error());
    // SAFETY: the kernel wrote all of it.
    unsafe { status.assume_init() }.st_ino as u32
}

/// The number of times that a socket is asked for and the list is read, because other tests may make or
/// close sockets meanwhile.
const TRIES: usize = 20;

/// Returns the entry of a socket, after checking that the list and the question for one socket have
/// the same entry.
fn entry(fd: impl AsFd) -> Entry {
    let inode = inode(fd);
    let mut seen = None;
    for _ in 0..TRIES {
        let found = diag::find(inode).unwrap().expect("the socket is found");
        let mut listed = all(Query::new());
        listed.retain(|entry| entry.inode() == inode);
        if listed == [found] {
            return found;
        }
        seen = Some((listed, found));
    }
    panic!("the list and the socket differ: {seen:?}");
}

fn all(query: Query) -> Vec<Entry> {
    let mut buf = vec![0; BUFFER];
    query.list(&mut buf).unwrap().map(Result::unwrap).collect()
}

/// A name that no other test of this or another process has.
fn abstract_name(name: &str) -> Vec<u8> {
    format!("sunpath-diag-{}-{name}", process::id()).into_bytes()
}

#[test]
fn diag_kinds_and_states_are_told() {
    if unless_listed() {
        return;
    }
    let dir = fresh::dir();
    let path = |name: &str| dir.path().join(name);

    let unbound = UnixStream::new().unwrap();
    let bound = UnixStream::new().unwrap();
    bound.bind_to_at(sunpath::CWD, path("bound")).unwrap();
    let listener = UnixListener::bind(path("listener")).unwrap();
    let client = UnixStream::connect(path("listener")).unwrap();
    let (server, _) = listener.accept().unwrap();
    for (socket, state) in [
        (entry(&unbound), State::Unconnected),
        (entry(&bound), State::Unconnected),
        (entry(&listener), State::Listening),
        (entry(&client), State::Connected),
        (entry(&server), State::Connected),
    ] {
        assert_eq!((socket.kind(), socket.state()), (SocketKind::Stream, state));
    }

    let listener = UnixSeqpacketListener::bind(path("seqpacket")).unwrap();
    let client = UnixSeqpacket::connect(path("seqpacket")).unwrap();
    for (socket, state) in [
        (entry(&listener), State::Listening),
        (entry(&client), State::Connected),
    ] {
        let kind = SocketKind::Seqpacket;
        assert_eq!((socket.kind(), socket.state()), (kind, state));
    }

    let receiver = UnixDatagram::bind(path("datagram")).unwrap();
    let told = |socket: &UnixDatagram| (entry(socket).kind(), entry(socket).state());
    assert_eq!(told(&receiver), (SocketKind::Datagram, State::Unconnected));
    let sender = UnixDatagram::unbound().unwrap();
    sender.connect(path("datagram")).unwrap();
    for socket in [&sender, &receiver] {
        assert_eq!(told(socket), (SocketKind::Datagram, State::Connected));
    }
    assert_eq!(entry(&receiver).peer(), Peer::None);
}

#[test]
fn diag_query_returns_the_states_and_the_kind_that_it_asks_for() {
    if unless_listed() {
        return;
    }
    let name = |name| UnixAddr::from_abstract(abstract_name(name)).unwrap();
    let listener = UnixListener::bind_addr(&name("states")).unwrap();
    let datagram = UnixDatagram::bind_addr(&name("datagram")).unwrap();
    let (stream, _peer) = UnixStream::pair().unwrap();
    let own = [inode(&listener), inode(&datagram), inode(&stream)];

    for (query, expected) in [
        (Query::new(), [true, true, true]),
        (Query::default(), [true, true, true]),
        (Query::new().listening(), [true, false, false]),
        (
            Query::new().states(&[State::Connected]),
            [false, false, true],
        ),
        (
            Query::new().states(&[State::Listening, State::Unconnected]),
            [true, true, false],
        ),
        (Query::new().states(&[]), [false, false, false]),
        (
            Query::new().states(&[State::Other(31), State::Other(32)]),
            [false, false, false],
        ),
        (Query::new().kind(SocketKind::Stream), [true, false, true]),
        (
            Query::new().kind(SocketKind::Datagram),
            [false, true, false],
        ),
        (
            Query::new().kind(SocketKind::Seqpacket),
            [false, false, false],
        ),
        (
            Query::new()
                .kind(SocketKind::Stream)
                .states(&[State::Connected]),
            [false, false, true],
        ),
    ] {
        let mut found = [false; 3];
        for _ in 0..TRIES {
            let listed: HashSet<u32> = all(query).iter().map(Entry::inode).collect();
            found = own.map(|inode| listed.contains(&inode));
            if found == expected {
                break;
            }
        }
        assert_eq!(found, expected, "{query:?}");
    }
    let listeners = all(Query::new().listening().kind(SocketKind::Stream));
    assert!(
        listeners
            .iter()
            .all(|e| (e.state(), e.kind()) == (State::Listening, SocketKind::Stream))
    );
}

#[test]
fn diag_names_are_those_of_getsockname() {
    if unless_listed() {
        return;
    }
    let dir = fresh::dir();
    let mut sockets = vec![UnixDatagram::unbound().unwrap()];
    sockets.push(UnixDatagram::bind(dir.path().join("with space\n\u{1b}[31m")).unwrap());
    for name in ["n", "a\0b", "nul at the end\0"] {
        let mut bytes = abstract_name("");
        bytes.extend(name.as_bytes());
        let addr = UnixAddr::from_abstract(bytes).unwrap();
        sockets.push(UnixDatagram::bind_addr(&addr).unwrap());
    }
    let autobound = UnixDatagram::unbound().unwrap();
    autobound.autobind().unwrap();
    sockets.push(autobound);
    for len in sys::SUN_PATH_MAX - 1..=sys::SUN_PATH_CAPACITY {
        let mut path = dir.path().as_os_str().as_encoded_bytes().to_vec();
        path.push(b'/');
        path.resize(len, b'p');
        let mut raw = *UnixAddr::unnamed().as_sockaddr_un();
        for (place, byte) in raw.sun_path.iter_mut().zip(&path) {
            *place = *byte as libc::c_char;
        }
        // A path of 108 bytes has no NUL after it, and only a raw address can represent that.
        let size = (sys::SUN_PATH_OFFSET + len) as libc::socklen_t;
        let addr = UnixAddr::from_raw(raw, size).unwrap();
        sockets.push(UnixDatagram::bind_addr(&addr).unwrap());
    }
    for socket in &sockets {
        assert_eq!(entry(socket).addr(), socket.local_addr().unwrap());
    }
    let names: HashSet<UnixAddr> = sockets.iter().map(|s| entry(s).addr()).collect();
    assert_eq!(names.len(), sockets.len());
    assert!(names.contains(&UnixAddr::unnamed()));
}

#[test]
fn diag_peers_know_each_other() {
    if unless_listed() {
        return;
    }
    let (a, b) = UnixStream::pair().unwrap();
    assert_eq!(entry(&a).peer(), Peer::Inode(inode(&b)));
    assert_eq!(entry(&b).peer(), Peer::Inode(inode(&a)));
    assert_ne!(entry(&a).cookie(), entry(&b).cookie());
    drop(b);
    wait_until_closed(|| entry(&a).peer() == Peer::NoInode);
    assert_eq!(entry(&a).shutdown(), Some(Shutdown::Both));

    let addr = UnixAddr::from_abstract(abstract_name("peers")).unwrap();
    let receiver = UnixDatagram::bind_addr(&addr).unwrap();
    let sender = UnixDatagram::unbound().unwrap();
    assert_eq!(entry(&sender).peer(), Peer::None);
    sender.connect_to(&addr).unwrap();
    assert_eq!(entry(&sender).peer(), Peer::Inode(inode(&receiver)));
    assert_eq!(entry(&receiver).peer(), Peer::None);
    drop(receiver);
    wait_until_closed(|| entry(&sender).peer() == Peer::NoInode);
}

/// Waits until a socket that was dropped is closed. A process that another test starts has a copy of the
/// socket until it executes its program.
fn wait_until_closed(mut is_closed: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_closed() {
        assert!(start.elapsed() < Duration::from_secs(60), "it stays open");
        thread::yield_now();
    }
}

#[test]
fn diag_clients_that_wait_are_those_of_the_listener() {
    if unless_listed() {
        return;
    }
    let addr = UnixAddr::from_abstract(abstract_name("waiting")).unwrap();
    let listener = UnixListener::bind_addr(&addr).unwrap();
    listener.listen_again(2).unwrap();
    let mut buf = [0; WAITING_BUFFER];
    let mut waiting = || -> Vec<u32> { waiting(inode(&listener), &mut buf).unwrap().collect() };
    let queue = |waiting, backlog| Queue::Clients { waiting, backlog };

    assert_eq!(waiting(), []);
    assert_eq!(entry(&listener).queue(), queue(0, 2));
    let clients = [(); 3].map(|()| UnixStream::connect_addr(&addr).unwrap());
    let inodes = [0, 1, 2].map(|i: usize| inode(&clients[i]));
    assert_eq!(waiting(), inodes);
    assert_eq!(
        entry(&listener).queue(),
        queue(3, 2),
        "more than the backlog"
    );
    for client in &clients {
        let entry = entry(client);
        assert_eq!((entry.peer(), entry.shutdown()), (Peer::NoInode, None));
    }

    let (server, _) = listener.accept().unwrap();
    assert_eq!(waiting(), inodes[1..]);
    assert_eq!(entry(&clients[0]).peer(), Peer::Inode(inode(&server)));
    let [_, second, _] = clients;
    drop(second);
    wait_until_closed(|| waiting() == [0, inodes[2]]);

    let mut iterator = diag::waiting(inode(&listener), &mut buf).unwrap();
    assert_eq!(iterator.len(), 2);
    assert_eq!((iterator.next(), iterator.len()), (Some(0), 1));
    assert_eq!(diag::waiting(inode(&server), &mut buf).unwrap().len(), 0);
}

/// The kernel leaves a listener with too many waiting clients out of a list that has the clients. A
/// list without clients has the listener, and a query for its clients reports that there are too
/// many of them.
#[test]
fn diag_listener_with_a_long_queue_is_listed() {
    const CLIENTS: i32 = 17_000;
    const PAGE: usize = 4096;
    if unless_listed() || skip::unless_root() {
        return;
    }
    let clients = most_descriptors().saturating_sub(200).min(CLIENTS as usize);
    if clients < 2 * PAGE {
        return skip::skip("a limit of 8392 open descriptors");
    }
    // The greatest backlog belongs to the network namespace.
    in_child(|| {
        // SAFETY: the argument is an integer, and the child has one thread.
        assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0);
        let maximum = fs::write("/proc/sys/net/core/somaxconn", CLIENTS.to_string());
        if maximum.is_err() {
            return skip::skip("a writable /proc/sys");
        }
        let addr = UnixAddr::from_abstract("long").unwrap();
        let listener = UnixListener::bind_addr(&addr).unwrap();
        listener.listen_again(CLIENTS).unwrap();
        let mut held = Vec::new();
        let mut buf = vec![0; BUFFER];
        for more in [900, clients - 900] {
            held.extend((0..more).map(|_| UnixStream::connect_addr(&addr).unwrap()));
            let listed = all(Query::new().listening());
            let waiting = held.len() as u32;
            let backlog = CLIENTS as u32;
            assert_eq!(listed.len(), 1);
            assert_eq!(listed[0].queue(), Queue::Clients { waiting, backlog });
            assert_eq!(all(Query::new()).len(), held.len() + 1);
            let told = diag::waiting(inode(&listener), &mut buf).map(Iterator::count);
            match held.len() {
                900 => assert_eq!(told, Ok(900)),
                _ => {
                    let error = told.unwrap_err();
                    assert_eq!(
                        (error.call(), error.errno()),
                        (Call::SockDiag, Errno::EMSGSIZE)
                    );
                }
            }
        }
    });
}

#[test]
fn diag_queue_of_bytes_is_that_of_the_ioctls() {
    if unless_listed() {
        return;
    }
    let bytes = |socket: &dyn AsFd| match entry(socket.as_fd()).queue() {
        Queue::Bytes { unread, unsent } => (unread, unsent),
        queue => panic!("{queue:?}"),
    };
    let (a, b) = UnixStream::pair().unwrap();
    assert_eq!((bytes(&a), bytes(&b)), ((0, 0), (0, 0)));
    a.write(b"abc").unwrap();
    a.write(b"de").unwrap();
    assert_eq!(bytes(&b).0, 5);
    let (unread, unsent) = bytes(&a);
    assert_eq!(unread, 0);
    assert!(unsent > 5, "{unsent} bytes of memory");
    assert_eq!(unsent as usize, a.unreceived_bytes().unwrap());

    let (a, b) = UnixDatagram::pair().unwrap();
    a.send(b"abc").unwrap();
    a.send(b"de").unwrap();
    assert_eq!(bytes(&b).0, 3, "the next one alone");
}

#[test]
fn diag_shutdown_is_told_for_each_direction() {
    if unless_listed() {
        return;
    }
    for how in [Shutdown::Read, Shutdown::Write, Shutdown::Both] {
        let (a, b) = UnixStream::pair().unwrap();
        assert_eq!(entry(&a).shutdown(), None);
        a.shutdown(how).unwrap();
        assert_eq!(entry(&a).shutdown(), Some(how));
        let other = match how {
            Shutdown::Read => Shutdown::Write,
            Shutdown::Write => Shutdown::Read,
            Shutdown::Both => Shutdown::Both,
        };
        assert_eq!(entry(&b).shutdown(), Some(other), "the peer sees it too");
    }
    let addr = UnixAddr::from_abstract(abstract_name("shutdown")).unwrap();
    let listener = UnixListener::bind_addr(&addr).unwrap();
    listener.as_socket().shutdown(Shutdown::Both).unwrap();
    let entry = entry(&listener);
    let expected = (State::Listening, Some(Shutdown::Both));
    assert_eq!((entry.state(), entry.shutdown()), expected);
}

#[test]
fn diag_file_is_the_one_that_was_bound() {
    if unless_listed() {
        return;
    }
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let client = UnixStream::connect(&path).unwrap();
    let (server, _) = listener.accept().unwrap();
    let status = fs::metadata(&path).unwrap();
    let file = entry(&listener).file().unwrap();
    assert_eq!(file.inode(), status.ino() as u32);
    if is_device_of_a_mount(status.dev()) {
        assert!(file.matches(status.dev(), status.ino()), "{file:?}");
    } else {
        skip::skip("a file system on which stat(2) reports the device that is mounted");
    }
    assert_eq!(entry(&server).file(), Some(file));
    assert_eq!(entry(&client).file(), None);

    fs::rename(&path, dir.path().join("b.sock")).unwrap();
    assert_eq!(entry(&listener).file(), Some(file));
    let replaced = UnixListener::bind(&path).unwrap();
    assert_ne!(entry(&replaced).file(), Some(file));
    assert_eq!(entry(&replaced).addr(), entry(&listener).addr());
    fs::remove_file(dir.path().join("b.sock")).unwrap();
    assert_eq!(entry(&listener).file(), Some(file));

    let addr = UnixAddr::from_abstract(abstract_name("file")).unwrap();
    let no_file = UnixListener::bind_addr(&addr).unwrap();
    assert_eq!(entry(&no_file).file(), None);
}

/// Returns whether stat(2) reports the kernel's own number of a mounted device.
fn is_device_of_a_mount(device: u64) -> bool {
    let device = format!(" {}:{} ", libc::major(device), libc::minor(device));
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    mounts.lines().any(|mount| mount.contains(&device))
}

#[test]
fn diag_user_is_the_one_who_made_the_socket() {
    if unless_listed() || skip::unless_root() {
        return;
    }
    let addr = UnixAddr::from_abstract(abstract_name("user")).unwrap();
    let listener = UnixListener::bind_addr(&addr).unwrap();
    assert!(matches!(entry(&listener).uid(), Some(0) | None));
    let inode = inode(&listener);
    in_child(|| {
        // SAFETY: the argument is an integer, and the child has one thread.
        assert_eq!(unsafe { libc::seteuid(4711) }, 0);
        let own = UnixStream::connect_addr(&addr).unwrap();
        assert!(matches!(entry(&own).uid(), Some(4711) | None));
        // An ordinary user sees root's socket too.
        let listener = diag::find(inode).unwrap().unwrap();
        assert!(matches!(listener.uid(), Some(0) | None));
    });
}

#[test]
fn diag_buffer_that_is_too_small_is_an_error_with_both_sizes() {
    if unless_listed() {
        return;
    }
    let (_a, _b) = UnixStream::pair().unwrap();
    for size in [0, 1, 16, 50] {
        let mut buf = vec![0; size];
        let mut sockets = diag::list(&mut buf).unwrap();
        let error = sockets.next().unwrap().unwrap_err();
        assert_eq!(
            (error.call(), error.errno()),
            (Call::SockDiag, Errno::EMSGSIZE)
        );
        match error.cause() {
            Some(Cause::AnswerSpace { needed, space }) => {
                assert!(needed > space && usize::from(space) == size);
            }
            cause => panic!("{cause:?}"),
        }
        assert!(sockets.next().is_none(), "an error is the last item");
    }
    let mut buf = [0; 8192];
    assert!(diag::list(&mut buf).unwrap().all(|socket| socket.is_ok()));
}

#[test]
fn diag_socket_that_does_not_exist_is_not_found() {
    if unless_listed() {
        return;
    }
    let closed = inode(UnixStream::new().unwrap());
    for number in [0, closed, u32::MAX] {
        // Another test may have got the number of the socket that was closed.
        if number != closed {
            assert_eq!(diag::find(number), Ok(None));
        }
        let mut buf = [0; WAITING_BUFFER];
        let none = waiting(number, &mut buf).map(Iterator::count);
        match none {
            Ok(count) => assert_eq!((number, count), (closed, 0)),
            Err(error) => {
                let expected = (Call::SockDiag, Errno::ENOENT);
                assert_eq!((error.call(), error.errno()), expected);
            }
        }
    }
}

/// A list never proves that a socket file is stale. The server may be in another network namespace,
/// where it accepts the connections of this namespace.
#[test]
fn diag_server_in_another_network_namespace_is_not_listed_and_lives() {
    if unless_listed() {
        return;
    }
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let (here, there) = UnixStream::pair().unwrap();
    let server = fork_child(|| {
        if !enter_network_namespace() {
            return;
        }
        let listener = UnixListener::bind(&path).unwrap();
        assert_eq!(inodes_of_file(&path), [inode(&listener)], "its own list");
        there.write_all(&inode(&listener).to_ne_bytes()).unwrap();
        let (client, _) = listener.accept().unwrap();
        client.write_all(b"alive").unwrap();
        client.read(&mut [0; 1]).unwrap();
    });
    drop(there);
    let mut number = [0; 4];
    if here.read_exact(&mut number).is_err() {
        server.join();
        return skip::skip("network namespaces");
    }
    let number = u32::from_ne_bytes(number);

    assert_eq!(inodes_of_file(&path), []);
    assert_eq!(diag::find(number), Ok(None));
    assert!(waiting(number, &mut [0; WAITING_BUFFER]).is_err());
    assert_eq!(probe(&path), Ok(Liveness::Live));
    let client = UnixStream::connect(&path).unwrap();
    let mut answer = [0; 5];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"alive");
    // A socket that the server accepted belongs to the namespace of its client.
    let accepted = match entry(&client).peer() {
        Peer::Inode(peer) => diag::find(peer).unwrap().unwrap(),
        peer => panic!("{peer:?}"),
    };
    assert_eq!(accepted.state(), State::Connected);
    assert_eq!(accepted.addr(), UnixAddr::from_pathname(&path).unwrap());
    assert_eq!(inodes_of_file(&path), [accepted.inode()]);
    drop(client);
    server.join();
}

/// Returns the sockets that the list has for a socket file.
fn inodes_of_file(path: &Path) -> Vec<u32> {
    let status = fs::metadata(path).unwrap();
    let is_of_file = |e: &Entry| e.file().is_some_and(|f| f.inode() == status.ino() as u32);
    let listed = all(Query::new());
    listed
        .iter()
        .filter(|e| is_of_file(e))
        .map(Entry::inode)
        .collect()
}

#[test]
fn diag_list_is_of_the_network_namespace_of_the_thread() {
    if unless_listed() || skip::unless_root() {
        return;
    }
    let (ours, _peer) = UnixStream::pair().unwrap();
    let own = inode(&ours);
    thread::spawn(move || {
        // SAFETY: the argument is an integer, and the call changes this thread alone.
        if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
            return skip::skip("network namespaces");
        }
        assert_eq!(all(Query::new()), []);
        assert_eq!(diag::find(own), Ok(None));
        // The socket of the other namespace still works, and a socket that is made here is listed.
        assert_eq!(ours.write(b"x"), Ok(1));
        let here = UnixStream::new().unwrap();
        assert_eq!(all(Query::new()), [entry(&here)]);
    })
    .join()
    .unwrap();
}

/// The fields of a socket that ss prints too.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    kind: &'static str,
    state: &'static str,
    queue: (u32, u32),
    addr: String,
    peer: u32,
}

/// Compares the list with that of ss, for 20,000 sockets that child processes hold.
#[test]
fn diag_list_of_20_000_sockets_is_that_of_ss() {
    const SOCKETS: usize = 20_000;
    if unless_listed() {
        return;
    }
    if Command::new("ss").arg("-V").output().is_err() {
        return skip::skip_uninstalled("ss of iproute2");
    }
    let for_each = most_descriptors().saturating_sub(100) & !1;
    if for_each < 400 {
        return skip::skip("a limit of 500 open descriptors");
    }
    let (here, there) = UnixStream::pair().unwrap();
    let mut holders = Vec::new();
    let mut left = SOCKETS;
    while left > 0 {
        let sockets = for_each.min(left);
        left -= sockets;
        holders.push(fork_child(|| hold_pairs(sockets, &here)));
        let mut made = [0; 1];
        there.read_exact(&mut made).unwrap();
        if made != *b"1" {
            return skip::skip("memory for 20,000 sockets");
        }
    }
    let listener = UnixListener::autobind().unwrap();
    let own = inode(&listener);
    let mut same = 0;
    for _ in 0..TRIES {
        let ours = all(Query::new());
        let printed = Command::new("ss").args(["-xanH"]).output().unwrap();
        let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
        let theirs: HashMap<u32, Line> = printed.lines().filter_map(line_of_ss).collect();
        // Other sockets are used, made and closed meanwhile.
        same = ours
            .iter()
            .filter(|entry| theirs.get(&entry.inode()) == Some(&line_of(entry)))
            .count();
        let listener = ours.iter().find(|entry| entry.inode() == own);
        let listener = listener.map(line_of);
        if same > SOCKETS && listener.is_some() && listener.as_ref() == theirs.get(&own) {
            break;
        }
        same = 0;
    }
    here.shutdown(Shutdown::Both).unwrap();
    holders.into_iter().for_each(Child::join);
    assert!(same > SOCKETS, "the lists differ");
}

/// Makes pairs of sockets, reports it, and holds them until the connection ends.
fn hold_pairs(sockets: usize, here: &UnixStream) {
    let mut pairs = Vec::new();
    for _ in 0..sockets / 2 {
        match UnixStream::pair() {
            Ok(pair) => pairs.push(pair),
            Err(_) => {
                here.write_all(b"0").unwrap();
                return;
            }
        }
    }
    if let Some((a, _)) = pairs.first() {
        a.write_all(b"queued").unwrap();
    }
    here.write_all(b"1").unwrap();
    // Nothing more is sent: the parent shuts the connection down.
    let end = here.read(&mut [0; 1]).unwrap();
    assert_eq!(end, 0);
}

fn line_of(entry: &Entry) -> Line {
    Line {
        kind: match entry.kind() {
            SocketKind::Stream => "u_str",
            SocketKind::Datagram => "u_dgr",
            SocketKind::Seqpacket => "u_seq",
            _ => "?",
        },
        state: match entry.state() {
            State::Unconnected => "UNCONN",
            State::Listening => "LISTEN",
            State::Connected => "ESTAB",
            _ => "?",
        },
        queue: match entry.queue() {
            Queue::Clients { waiting, backlog } => (waiting, backlog),
            Queue::Bytes { unread, unsent } => (unread, unsent),
        },
        addr: match entry.addr().is_unnamed() {
            true => "*".to_owned(),
            false => entry.addr().to_string(),
        },
        peer: match entry.peer() {
            Peer::Inode(inode) => inode,
            Peer::None | Peer::NoInode => 0,
        },
    }
}

/// Reads a line such as `u_str ESTAB 0 0 /run/a.sock 1234 * 1235`. Names with spaces are left out.
fn line_of_ss(line: &str) -> Option<(u32, Line)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [kind, state, first, second, addr, inode, _, peer] = words[..] else {
        return None;
    };
    let known = |word: &str, words: &[&'static str]| words.iter().copied().find(|w| *w == word);
    let line = Line {
        kind: known(kind, &["u_str", "u_dgr", "u_seq"])?,
        state: known(state, &["UNCONN", "LISTEN", "ESTAB"])?,
        queue: (first.parse().ok()?, second.parse().ok()?),
        addr: addr.to_owned(),
        peer: peer.parse().ok()?,
    };
    Some((inode.parse().ok()?, line))
}

/// Raises the soft limit of open descriptors to the hard one, and returns it.
fn most_descriptors() -> usize {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a live struct of this type.
    let told = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: `limit` is a live struct of this type.
    let raised = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) };
    assert_eq!((told, raised), (0, 0));
    usize::try_from(limit.rlim_cur).unwrap()
}

/// A forked child, which is killed if the test does not wait for it.
struct Child {
    pid: libc::pid_t,
}

impl Child {
    /// Waits for the child, and asserts that it did not panic.
    fn join(self) {
        let pid = self.pid;
        std::mem::forget(self);
        let mut status = 0;
        // SAFETY: `status` is a live int.
        assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
        assert_eq!(status, 0);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // SAFETY: the child has not been waited for, so no other process has its pid.
        unsafe { libc::kill(self.pid, libc::SIGKILL) };
        // SAFETY: the status is not wanted.
        unsafe { libc::waitpid(self.pid, std::ptr::null_mut(), 0) };
    }
}

fn fork_child(action: impl FnOnce()) -> Child {
    // SAFETY: the child ends by _exit.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", io::Error::last_os_error());
    if pid == 0 {
        let ended = catch_unwind(AssertUnwindSafe(action));
        // SAFETY: the call ends this process and does nothing else.
        unsafe { libc::_exit(if ended.is_ok() { 0 } else { 101 }) };
    }
    Child { pid }
}

fn in_child(action: impl FnOnce()) {
    fork_child(action).join();
}

/// Enters a network namespace of its own, in a user namespace of its own unless this is root.
fn enter_network_namespace() -> bool {
    // SAFETY: geteuid takes no argument and cannot fail.
    let user = match unsafe { libc::geteuid() } {
        0 => 0,
        _ => libc::CLONE_NEWUSER,
    };
    // SAFETY: the argument is an integer, and the child has one thread.
    unsafe { libc::unshare(libc::CLONE_NEWNET | user) == 0 }
}
