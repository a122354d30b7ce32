//! Compares the processor time of the ring with that of ordinary calls, which are those of a C program:
//! epoll, and the functions of the C library. The clients are another process, so that the process that
//! is measured has nothing but the server.

use std::env;
use std::error::Error;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use sunpath::{BindOptions, ConnectOptions, Stream, UnixListener};

use crate::server::Server;

type Outcome<T> = Result<T, Box<dyn Error>>;

pub(crate) const ROUNDS: usize = 15;

/// How many connections are made at once, and then exchange messages.
const CONNECTIONS: usize = 1000;

/// How often each connection exchanges a message.
const EXCHANGES: usize = 20;

const MESSAGE: usize = 64;

/// How many events the ordinary server takes at once.
const EVENTS: usize = 64;

// The orders for the process of the clients.
const CONNECT: u8 = b'c';
const SEND: u8 = b's';
const RECEIVE: u8 = b'r';
const CLOSE: u8 = b'x';

/// Connects, sends and receives as the orders on standard input say, and answers each of them.
pub(crate) fn clients(path: &str) -> Outcome<()> {
    let mut sockets = Vec::new();
    // The server accepts when all have connected. If its queue is too short, that fails.
    let options = ConnectOptions::new().timeout(Duration::from_secs(10));
    let (mut stdin, mut stdout, mut order) = (std::io::stdin(), std::io::stdout(), [0]);
    while stdin.read(&mut order)? == 1 {
        match order[0] {
            CONNECT => {
                for _ in 0..CONNECTIONS {
                    sockets.push(options.connect::<Stream>(path)?);
                }
            }
            SEND => sockets
                .iter()
                .try_for_each(|s| s.write_all(&[7; MESSAGE]))?,
            RECEIVE => sockets
                .iter()
                .try_for_each(|s| s.read_exact(&mut [0; MESSAGE]))?,
            _ => sockets.clear(),
        }
        stdout.write_all(&order)?;
        stdout.flush()?;
    }
    Ok(())
}

/// The process of the clients, which ends when this is dropped.
struct Clients {
    process: Child,
    orders: Option<ChildStdin>,
    answers: ChildStdout,
}

impl Clients {
    fn start(path: &str) -> Outcome<Self> {
        let mut process = Command::new(env::current_exe()?)
            .args(["clients", path])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (orders, answers) = (process.stdin.take(), process.stdout.take());
        Ok(Self {
            process,
            orders,
            answers: answers.ok_or("no pipe")?,
        })
    }

    fn order(&mut self, order: u8) -> Outcome<()> {
        let orders = self.orders.as_mut().ok_or("no pipe")?;
        orders.write_all(&[order])?;
        Ok(self.answers.read_exact(&mut [0])?)
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        drop(self.orders.take());
        // The process ends at the end of its orders. An error would mean that it was waited for.
        let _ = self.process.wait();
    }
}

/// The processor time of each accept and of each echoed message, in seconds.
struct Took {
    accept: f64,
    echo: f64,
}

pub(crate) fn run(rounds: usize) -> Outcome<()> {
    let dir = env::temp_dir().join(format!("ring-{}", std::process::id()));
    std::fs::create_dir(&dir)?;
    let outcome = compare(
        rounds.max(1),
        dir.join("a.sock").to_str().ok_or("no UTF-8")?,
    );
    std::fs::remove_dir_all(&dir)?;
    outcome
}

fn compare(rounds: usize, path: &str) -> Outcome<()> {
    let listener = BindOptions::new().backlog(4096).listen(path)?;
    let mut ratios = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        let c = ordinary(&listener, path)?;
        let ring = by_ring(&listener, path)?;
        ratios[0].push(ring.accept / c.accept);
        ratios[1].push(ring.echo / c.echo);
    }
    for (title, ratios) in ["accept", "echo"].iter().zip(&mut ratios) {
        ratios.sort_by(f64::total_cmp);
        let (low, median, high) = (ratios[0], ratios[rounds / 2], ratios[rounds - 1]);
        println!(
            "{title}: {median:.2} of the processor time of ordinary calls ({low:.2} to {high:.2})"
        );
    }
    Ok(())
}

/// Returns the processor time of this process, with its threads in the kernel, in seconds.
fn cpu() -> f64 {
    // SAFETY: all zeroes is a valid timespec.
    let mut time: libc::timespec = unsafe { std::mem::zeroed() };
    // SAFETY: the variable has space for a timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Returns the processor time of `work`, without what the clients do before and after it.
fn took(work: impl FnOnce() -> Outcome<()>) -> Outcome<f64> {
    let start = cpu();
    work()?;
    Ok(cpu() - start)
}

/// Lets clients connect and exchange messages. `accept` accepts all connections, and `echo` sends one
/// message of each connection back.
fn load<S>(
    clients: &mut Clients,
    server: &mut S,
    accept: impl FnOnce(&mut S) -> Outcome<()>,
    mut echo: impl FnMut(&mut S) -> Outcome<()>,
) -> Outcome<Took> {
    clients.order(CONNECT)?;
    let accepted = took(|| accept(server))?;
    let mut echoed = 0.0;
    for _ in 0..EXCHANGES {
        clients.order(SEND)?;
        echoed += took(|| echo(server))?;
        clients.order(RECEIVE)?;
    }
    clients.order(CLOSE)?;
    Ok(Took {
        accept: accepted / CONNECTIONS as f64,
        echo: echoed / (CONNECTIONS * EXCHANGES) as f64,
    })
}

fn by_ring(listener: &UnixListener, path: &str) -> Outcome<Took> {
    let mut clients = Clients::start(path)?;
    let mut server = Server::new(listener)?;
    load(
        &mut clients,
        &mut server,
        |server| {
            while server.accepted < CONNECTIONS {
                server.turn()?;
            }
            Ok(())
        },
        |server| {
            let end = server.echoed + CONNECTIONS;
            while server.echoed < end {
                server.turn()?;
            }
            Ok(server.submit()?)
        },
    )
}

/// A server as C programs are written: the calls of the C library, and epoll.
struct Ordinary {
    epoll: OwnedFd,
    listener: i32,
    sockets: Vec<OwnedFd>,
}

/// Checks the result of a call, and returns it.
fn must(result: i32) -> Outcome<i32> {
    match result {
        0.. => Ok(result),
        _ => Err(std::io::Error::last_os_error().into()),
    }
}

impl Ordinary {
    fn new(listener: i32) -> Outcome<Self> {
        // SAFETY: the arguments are integers, so the call accesses no memory.
        let epoll = must(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the descriptor is new, and nothing else owns it.
        let epoll = unsafe { OwnedFd::from_raw_fd(epoll) };
        let server = Self {
            epoll,
            listener,
            sockets: Vec::with_capacity(CONNECTIONS),
        };
        server.watch(listener)?;
        Ok(server)
    }

    fn watch(&self, fd: i32) -> Outcome<()> {
        let mut event = libc::epoll_event {
            events: libc::EPOLLIN as u32,
            u64: fd as u64,
        };
        let (epoll, add) = (self.epoll.as_raw_fd(), libc::EPOLL_CTL_ADD);
        // SAFETY: the event outlives the call.
        must(unsafe { libc::epoll_ctl(epoll, add, fd, &mut event) })?;
        Ok(())
    }

    fn wait<'e>(
        &self,
        events: &'e mut [libc::epoll_event; EVENTS],
    ) -> Outcome<&'e [libc::epoll_event]> {
        let (epoll, space) = (self.epoll.as_raw_fd(), events.as_mut_ptr());
        // SAFETY: the array has space for as many events as the count says.
        let count = must(unsafe { libc::epoll_wait(epoll, space, EVENTS as i32, -1) })?;
        Ok(&events[..count as usize])
    }

    fn accept_all(&mut self) -> Outcome<()> {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; EVENTS];
        while self.sockets.len() < CONNECTIONS {
            self.wait(&mut events)?;
            let (none, no_len) = (std::ptr::null_mut(), std::ptr::null_mut());
            // SAFETY: no address is asked for.
            let fd =
                must(unsafe { libc::accept4(self.listener, none, no_len, libc::SOCK_CLOEXEC) })?;
            self.watch(fd)?;
            // SAFETY: the descriptor is new, and nothing else owns it.
            self.sockets.push(unsafe { OwnedFd::from_raw_fd(fd) });
        }
        Ok(())
    }

    fn echo_all(&mut self) -> Outcome<()> {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; EVENTS];
        let (mut back, mut buf) = (0, [0_u8; 4096]);
        while back < CONNECTIONS {
            let ready = self.wait(&mut events)?;
            for event in ready {
                let fd = event.u64 as i32;
                // SAFETY: the buffer has as many bytes as the length says.
                let count = unsafe { libc::recv(fd, buf.as_mut_ptr().cast(), buf.len(), 0) };
                let count = must(count as i32)? as usize;
                // SAFETY: `count` bytes of the buffer were received.
                let sent =
                    unsafe { libc::send(fd, buf.as_ptr().cast(), count, libc::MSG_NOSIGNAL) };
                assert_eq!(must(sent as i32)? as usize, count);
            }
            back += ready.len();
        }
        Ok(())
    }
}

fn ordinary(listener: &UnixListener, path: &str) -> Outcome<Took> {
    let mut clients = Clients::start(path)?;
    let mut server = Ordinary::new(listener.as_raw_fd())?;
    load(
        &mut clients,
        &mut server,
        Ordinary::accept_all,
        Ordinary::echo_all,
    )
}
