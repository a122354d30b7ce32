//! Many connections in one process, over epoll, with sunpath. `c/crowd.c` is the same program in C, and
//! explains the output.

use std::fs;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Instant;

use sunpath::{UnixListener, UnixStream};
use sunpath_bench::{escape, libc, socket_path, unlink};

const THOUSAND: usize = 1000;
const ROUNDS: usize = 20;
const EVENTS: usize = 64;

// The commands that the server sends to the process of its clients.
const CONNECT: u8 = b'c';
const SEND: u8 = b's';
const RECEIVE: u8 = b'r';

/// Runs the clients. Each command makes a thousand more connections, or sends or receives a byte on each
/// of a thousand connections.
fn clients(orders: &UnixStream, path: &[u8], most: usize) {
    let mut sockets = Vec::with_capacity(most);
    let mut order = [0];
    while orders.read(&mut order).unwrap() == 1 {
        let step = sockets.len() / THOUSAND;
        for i in 0..THOUSAND {
            match order[0] {
                CONNECT => sockets.push(UnixStream::connect(path).unwrap()),
                SEND => assert_eq!(sockets[step * i].write(&[7]).unwrap(), 1),
                _ => assert_eq!(sockets[step * i].read(&mut [0]).unwrap(), 1),
            }
        }
        orders.write(&order).unwrap();
    }
}

struct Server {
    epoll: OwnedFd,
    listener: UnixListener,
    orders: UnixStream,
    sockets: Vec<UnixStream>,
}

const LISTENER: u64 = u64::MAX;

type Events = [libc::epoll_event; EVENTS];
const NO_EVENTS: Events = [libc::epoll_event { events: 0, u64: 0 }; EVENTS];

impl Server {
    fn new(listener: UnixListener, orders: UnixStream) -> Self {
        // SAFETY: the arguments are integers, so the call accesses no memory.
        let epoll = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        assert!(epoll >= 0);
        let server = Self {
            // SAFETY: the descriptor is new, and nothing else owns it.
            epoll: unsafe { OwnedFd::from_raw_fd(epoll) },
            listener,
            orders,
            sockets: Vec::new(),
        };
        server.watch(&server.listener, LISTENER);
        server
    }

    fn watch(&self, socket: &impl AsRawFd, what: u64) {
        let mut event = libc::epoll_event {
            events: libc::EPOLLIN as u32,
            u64: what,
        };
        let (epoll, fd) = (self.epoll.as_raw_fd(), socket.as_raw_fd());
        // SAFETY: the event outlives the call.
        let added = unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, fd, &mut event) };
        assert_eq!(added, 0);
    }

    fn wait<'e>(&self, events: &'e mut Events) -> &'e [libc::epoll_event] {
        let (epoll, room) = (self.epoll.as_raw_fd(), events.as_mut_ptr());
        // SAFETY: the array has space for as many events as the count says.
        let count = unsafe { libc::epoll_wait(epoll, room, EVENTS as i32, -1) };
        assert!(count > 0);
        &events[..count as usize]
    }

    fn let_clients(&self, order: u8) {
        self.orders.write(&[order]).unwrap();
        assert_eq!(self.orders.read(&mut [0]).unwrap(), 1);
    }

    /// Lets the clients make a thousand connections, accepts them with their addresses, and returns the
    /// nanoseconds that each accept took.
    fn accept_thousand(&mut self) -> f64 {
        self.let_clients(CONNECT);
        let mut events = NO_EVENTS;
        let start = Instant::now();
        for _ in 0..THOUSAND {
            let ready = self.wait(&mut events);
            assert!(ready.len() == 1 && { ready[0].u64 } == LISTENER);
            let (socket, from) = self.listener.accept().unwrap();
            escape(&from);
            self.watch(&socket, self.sockets.len() as u64);
            self.sockets.push(socket);
        }
        start.elapsed().as_nanos() as f64 / THOUSAND as f64
    }

    /// Exchanges a byte on a thousand of the connections, again and again, and returns the
    /// nanoseconds that each exchange took.
    fn round_trips(&self) -> f64 {
        let mut events = NO_EVENTS;
        let start = Instant::now();
        for _ in 0..ROUNDS {
            self.let_clients(SEND);
            let mut back = 0;
            while back < THOUSAND {
                let ready = self.wait(&mut events);
                for event in ready {
                    let socket = &self.sockets[event.u64 as usize];
                    let mut byte = [0];
                    assert_eq!(socket.read(&mut byte).unwrap(), 1);
                    assert_eq!(socket.write(&byte).unwrap(), 1);
                }
                back += ready.len();
            }
            self.let_clients(RECEIVE);
        }
        start.elapsed().as_nanos() as f64 / (THOUSAND * ROUNDS) as f64
    }
}

/// Returns the memory of this process that no file backs, in bytes.
fn memory() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let mut lines = status.lines();
    let kilobytes = lines.find_map(|line| line.strip_prefix("RssAnon:")?.strip_suffix("kB"));
    kilobytes.unwrap().trim().parse::<f64>().unwrap() * 1024.0
}

fn main() {
    let most = std::env::args().nth(1).unwrap().parse().unwrap();
    assert!(most >= 2 * THOUSAND && most % THOUSAND == 0);
    let path = socket_path("crowd");
    let listener = UnixListener::bind(&path).unwrap();
    let (orders, theirs) = UnixStream::pair().unwrap();
    // SAFETY: the process has one thread.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        drop((listener, orders));
        return clients(&theirs, &path, most);
    }
    drop(theirs);
    let mut server = Server::new(listener, orders);

    memory();
    let before = memory();
    server.sockets.reserve_exact(most);
    let (accept_first, trip_first) = (server.accept_thousand(), server.round_trips());
    let mut accept_last = accept_first;
    while server.sockets.len() < most {
        accept_last = server.accept_thousand();
    }
    let trip_last = server.round_trips();
    let bytes = (memory() - before) / most as f64;

    drop(server);
    // SAFETY: the pointer for the status is null, so nothing is written.
    let waited = unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
    assert_eq!(waited, child);
    unlink(&path);
    println!("{bytes:.2} {accept_first:.1} {accept_last:.1} {trip_first:.1} {trip_last:.1}");
}
