//! Tests servers that run for a long time: what they do when no descriptor is free, which addresses
//! their clients have, how they end, and how a new version takes over. The tests change the limit of
//! descriptors of the process, so they run one after the other.

#[path = "../../../tests/skip/mod.rs"]
mod skip;

use std::fs;
use std::future::pending;
use std::io::{ErrorKind, Result};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use sunpath::{BindOptions, Errno, Existing, Shutdown, Socket, SunPath, UnixAddr};
use sunpath_tokio::{Stream, UnixListener, UnixStream};
use tempfile::TempDir;
use tokio::runtime::Builder;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio::{select, task, time};

fn fresh() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let path = dir.path().join("a.sock");
    (dir, path)
}

/// How long a test may take. Each takes about a second.
const AT_MOST: Duration = Duration::from_secs(300);

/// Runs a test while no other test of this file runs. A test that waits forever fails.
fn alone(test: impl FnOnce() + Send + 'static) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (ended, end) = mpsc::channel();
    let test = thread::spawn(move || {
        test();
        // Nobody receives this if the time has passed.
        let _ = ended.send(());
    });
    match end.recv_timeout(AT_MOST) {
        Err(RecvTimeoutError::Timeout) => panic!("the test has not ended after {AT_MOST:?}"),
        // It sends nothing if it panics.
        Ok(()) | Err(RecvTimeoutError::Disconnected) => {
            test.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    }
}

/// The limit of descriptors of this process, which the drop sets back.
struct Limit(libc::rlimit);

impl Limit {
    /// Leaves eight numbers that are free, and those between the descriptors that this process inherited.
    fn near() -> Self {
        let highest = fs::read_dir("/proc/self/fd").unwrap().map(|fd| {
            let name = fd.unwrap().file_name();
            name.to_str().unwrap().parse::<u64>().unwrap()
        });
        Self::set(highest.max().unwrap() + 9)
    }

    fn at_least(limit: u64) -> Self {
        Self::set(limit.max(Self::get().rlim_cur))
    }

    fn get() -> libc::rlimit {
        let mut limit = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: the pointer leads to one rlimit.
        let got = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
        assert_eq!(got, 0);
        limit
    }

    fn set(limit: u64) -> Self {
        let old = Self::get();
        let new = libc::rlimit {
            rlim_cur: limit,
            ..old
        };
        assert!(limit <= old.rlim_max, "the hard limit must be {limit}");
        // SAFETY: the pointer leads to one rlimit.
        let set = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &new) };
        assert_eq!(set, 0);
        Self(old)
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        // SAFETY: the pointer leads to one rlimit.
        unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &self.0) };
    }
}

/// How often accept4(2) was called.
static ACCEPTS: AtomicUsize = AtomicUsize::new(0);

/// Stands in for the function of the C library, so that calls can be counted.
///
/// # Safety
///
/// - As for accept4(2).
// SAFETY: it does what the function of this name does, and has its signature.
#[unsafe(no_mangle)]
unsafe extern "C" fn accept4(
    fd: libc::c_int,
    addr: *mut libc::sockaddr,
    len: *mut libc::socklen_t,
    flags: libc::c_int,
) -> libc::c_int {
    ACCEPTS.fetch_add(1, Ordering::SeqCst);
    // SAFETY: the arguments are those that the caller vouches for.
    unsafe { libc::syscall(libc::SYS_accept4, fd, addr, len, flags) as libc::c_int }
}

/// Takes every descriptor that is left below the limit.
fn take_all() -> Vec<fs::File> {
    let mut files = Vec::new();
    while let Ok(file) = fs::File::open("/dev/null") {
        files.push(file);
    }
    files
}

/// The clock is paused: it moves on only when every task waits, straight to the end of the next pause.
/// Ten minutes without a descriptor are therefore over at once, and the number of calls is exact: the
/// pauses are 5, 10, 20, ... 640 milliseconds, and then one second each.
#[test]
fn incoming_without_descriptors_waits_and_does_not_spin() {
    if skip::if_calls_are_inline() {
        return;
    }
    alone(|| {
        let (_dir, path) = fresh();
        let runtime = Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = UnixListener::new(BindOptions::new().listen(&path).unwrap()).unwrap();
            let client = UnixStream::connect(&path).await.unwrap();
            let limit = Limit::near();
            let taken = take_all();
            assert_eq!(
                Errno::from_io_error(&listener.accept().await.unwrap_err()),
                Some(Errno::EMFILE)
            );

            let mut reports = 0;
            let mut incoming = listener.incoming(|error| {
                assert_eq!(Errno::from_io_error(&error), Some(Errno::EMFILE));
                reports += 1;
            });
            // Each time that the wait is cancelled, the pause goes on where it was.
            ACCEPTS.store(0, Ordering::SeqCst);
            let end = time::Instant::now() + Duration::from_secs(600);
            let mut turns = 0;
            while time::Instant::now() < end {
                turns += 1;
                let step = time::sleep(Duration::from_millis(700));
                select! { biased;
                    _ = incoming.next() => panic!("there is no descriptor"),
                    () = step => {}
                }
            }
            assert!(turns > 800);
            let calls = ACCEPTS.swap(0, Ordering::SeqCst);
            assert!((600..=610).contains(&calls), "{calls} calls in ten minutes");

            drop(taken);
            let (server, _) = incoming
                .next()
                .await
                .expect("the client has stayed in the queue");
            drop(limit);
            server.write(b"hello").await.unwrap();
            assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 5);
            // After a client the first error is reported again.
            let limit = Limit::near();
            let taken = take_all();
            let late = sunpath::UnixAddr::from_pathname(&path).unwrap();
            drop(taken);
            let _late = UnixStream::connect_addr(&late).await.unwrap();
            let taken = take_all();
            select! { biased;
                _ = incoming.next() => panic!("there is no descriptor"),
                () = time::sleep(Duration::from_secs(1)) => {}
            }
            drop((taken, limit, incoming));
            assert_eq!(reports, 2);
        });
    });
}

#[test]
fn incoming_ends_when_the_listener_is_shut_down() {
    alone(|| {
        let (_dir, path) = fresh();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = UnixListener::new(BindOptions::new().listen(&path).unwrap()).unwrap();
            let _queued = UnixStream::connect(&path).await.unwrap();
            let mut incoming = listener.incoming(|error| panic!("{error}"));
            let stop = async {
                task::yield_now().await;
                let socket = listener.as_listener().as_socket();
                socket.shutdown(Shutdown::Both).unwrap();
            };
            let all = async {
                let mut served = 0;
                while incoming.next().await.is_some() {
                    served += 1;
                }
                served
            };
            let (served, ()) = tokio::join!(all, stop);
            assert_eq!(served, 1, "the client in the queue is served");
            assert!(incoming.next().await.is_none());
        });
    });
}

/// The queue cannot be emptied, so it would be reported as not empty forever.
#[test]
fn incoming_without_descriptors_ends_when_the_listener_is_shut_down() {
    alone(|| {
        let (_dir, path) = fresh();
        let runtime = Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = UnixListener::new(BindOptions::new().listen(&path).unwrap()).unwrap();
            let _queued = UnixStream::connect(&path).await.unwrap();
            let limit = Limit::near();
            let taken = take_all();
            let socket = listener.as_listener().as_socket();
            socket.shutdown(Shutdown::Both).unwrap();
            let mut reports = 0;
            let mut incoming = listener.incoming(|_| reports += 1);
            let next = time::timeout(Duration::from_secs(600), incoming.next()).await;
            drop((taken, limit, incoming));
            assert!(next.expect("it ends").is_none());
            assert_eq!(reports, 1);
        });
    });
}

/// Makes an address whose path has all bytes of `sun_path`: the path of the directory, a slash, and a
/// name that fills the rest.
fn filling_sun_path(dir: &Path) -> UnixAddr {
    let mut path = dir.as_os_str().as_encoded_bytes().to_vec();
    path.push(b'/');
    path.resize(sunpath::sys::SUN_PATH_CAPACITY, b'f');
    let mut raw = *UnixAddr::unnamed().as_sockaddr_un();
    for (to, from) in raw.sun_path.iter_mut().zip(&path) {
        *to = *from as _;
    }
    let len = sunpath::sys::SUN_PATH_OFFSET + path.len();
    let full = UnixAddr::from_raw(raw, len as _).unwrap();
    assert!(matches!(full.name(), SunPath::Pathname(path) if path.len() == 108));
    full
}

/// A client can be unnamed, or have a path whose file is gone, a path that fills the address with
/// or without a NUL, or an abstract name.
#[test]
fn accept_returns_every_address_that_a_client_can_have() {
    alone(|| {
        let (dir, path) = fresh();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = UnixListener::new(BindOptions::new().listen(&path).unwrap()).unwrap();
            let addr = UnixAddr::from_pathname(&path).unwrap();
            let client = || Socket::<Stream>::new().unwrap();
            let connected = async |client: Socket<Stream>| {
                client.connect_to(&addr).unwrap();
                let (server, from) = listener.accept().await.unwrap();
                assert_eq!(server.peer_addr().unwrap(), from);
                assert_eq!(client.local_addr().unwrap(), from);
                from
            };
            assert_eq!(connected(client()).await.name(), SunPath::Unnamed);

            let named = client();
            let own = UnixAddr::from_pathname(dir.path().join("client.sock")).unwrap();
            named.bind_to(&own).unwrap();
            fs::remove_file(dir.path().join("client.sock")).unwrap();
            assert_eq!(connected(named).await, own);

            let longest = "l".repeat(sunpath::sys::SUN_PATH_MAX - dir.path().as_os_str().len() - 1);
            let long = client();
            let own = UnixAddr::from_pathname(dir.path().join(longest)).unwrap();
            long.bind_to(&own).unwrap();
            assert_eq!(connected(long).await, own);

            // All 108 bytes of `sun_path`, without a NUL after them.
            let full = client();
            let own = filling_sun_path(dir.path());
            full.bind_to(&own).unwrap();
            assert_eq!(connected(full).await, own);

            if sunpath::sys::HAVE_ABSTRACT {
                let abstract_name = client();
                abstract_name.autobind().unwrap();
                let from = connected(abstract_name).await;
                assert!(matches!(from.name(), SunPath::Abstract(name) if name.len() == 5));
            }
        });
    });
}

/// The clients of each version.
#[derive(Debug, Default)]
struct Served {
    old: AtomicUsize,
    new: AtomicUsize,
}

/// Serves all clients until the listener is not at its path any more and no client has come for a
/// moment, and then waits for those that are being served. Returns without having lost one.
async fn serve(listener: UnixListener, served: Arc<Served>, count: fn(&Served) -> &AtomicUsize) {
    const QUIET: Duration = Duration::from_secs(1);
    let mut clients = JoinSet::new();
    let mut incoming = listener.incoming(|error| panic!("{error}"));
    loop {
        let is_old = !listener.as_listener().is_in_place().unwrap();
        let quiet = async {
            match is_old {
                true => time::sleep(QUIET).await,
                false => time::sleep(Duration::from_millis(10)).await, // and look again
            }
        };
        select! { biased;
            client = incoming.next() => {
                let (stream, _) = client.unwrap();
                count(&served).fetch_add(1, Ordering::SeqCst);
                clients.spawn(echo(stream));
            }
            () = quiet => if is_old { break },
        }
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap().unwrap();
    }
}

/// Returns every byte that the client sends.
async fn echo(stream: UnixStream) -> Result<()> {
    let (mut reader, mut writer) = stream.into_split();
    tokio::io::copy(&mut reader, &mut writer).await.map(drop)
}

/// One client: sends bytes of its own, and checks that exactly these come back.
async fn client(path: PathBuf, number: usize) -> Result<()> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let stream = UnixStream::connect(&path).await?;
    let sent: Vec<u8> = (0..2048).map(|n| (n * 7 + number) as u8).collect();
    let (mut reader, mut writer) = stream.into_split();
    let mut received = Vec::new();
    let (written, read) = tokio::join!(
        async {
            writer.write_all(&sent).await?;
            writer.shutdown().await
        },
        reader.read_to_end(&mut received)
    );
    written?;
    read?;
    assert_eq!(received, sent, "client {number}");
    Ok(())
}

/// 1,000 clients connect while a new version takes the path over. None is refused, and each gets back
/// every byte that it has sent. Both versions have served clients, and the old one has ended.
#[test]
fn takeover_under_load_refuses_no_client_and_loses_no_byte() {
    alone(|| {
        const CLIENTS: usize = 1000;
        /// Enough for a full queue, and few enough for a hard limit of 1,024 descriptors.
        const AT_ONCE: usize = 200;
        let _limit = Limit::at_least(1024);
        let (_dir, path) = fresh();
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let served = Arc::new(Served::default());
            let listen = |existing| {
                let options = BindOptions::new().existing(existing).backlog(64);
                UnixListener::new(options.listen(&path).unwrap()).unwrap()
            };
            let old = listen(Existing::Refuse);
            let old = task::spawn(serve(old, Arc::clone(&served), |served| &served.old));
            let started = Arc::new(AtomicUsize::new(0));
            let second_half = Arc::new(Semaphore::new(0));
            let at_once = Arc::new(Semaphore::new(AT_ONCE));
            let mut clients = JoinSet::new();
            for number in 0..CLIENTS {
                let path = path.clone();
                let (started, second_half) = (Arc::clone(&started), Arc::clone(&second_half));
                let at_once = Arc::clone(&at_once);
                clients.spawn(async move {
                    // The second half connects as soon as the new version is about to start.
                    if number >= CLIENTS / 2 {
                        second_half.acquire().await.unwrap().forget();
                    }
                    let _permit = at_once.acquire().await.unwrap();
                    started.fetch_add(1, Ordering::SeqCst);
                    client(path, number).await
                });
            }
            while started.load(Ordering::SeqCst) < CLIENTS / 4
                || served.old.load(Ordering::SeqCst) == 0
            {
                assert!(!old.is_finished(), "the old version ended");
                task::yield_now().await;
            }
            second_half.add_permits(CLIENTS / 2);
            let new = listen(Existing::Takeover);
            let new = task::spawn(serve(new, Arc::clone(&served), |served| &served.new));
            let all = async {
                while let Some(client) = clients.join_next().await {
                    client.unwrap().expect("no client is refused");
                }
            };
            if time::timeout(AT_MOST / 2, all).await.is_err() {
                let (left, is_finished) = (clients.len(), old.is_finished());
                panic!(
                    "{left} clients wait: {served:?}, {started:?} started, old ended: {is_finished}"
                );
            }
            old.await.unwrap();
            assert!(path.exists(), "the old version has left the file alone");
            client(path.clone(), 7).await.unwrap();
            new.abort();
            assert!(new.await.is_err_and(|error| error.is_cancelled()));
            assert!(!path.exists(), "the new version has removed it");
            let (old, new) = (&served.old, &served.new);
            let counts = (old.load(Ordering::SeqCst), new.load(Ordering::SeqCst));
            assert_eq!(counts.0 + counts.1, CLIENTS + 1);
            assert!(counts.0 > 0 && counts.1 > 0, "{counts:?}");
        });
    });
}

/// A server that ends: it stops accepting, finishes what it has begun, and its file is gone.
#[test]
fn graceful_shutdown_serves_those_who_are_connected() {
    alone(|| {
        let (_dir, path) = fresh();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener =
                UnixListener::new(BindOptions::singleton().listen(&path).unwrap()).unwrap();
            let stop = Arc::new(Notify::new());
            let stopped = Arc::clone(&stop);
            let server = task::spawn(async move {
                let mut clients = JoinSet::new();
                let mut incoming = listener.incoming(drop);
                loop {
                    select! { biased;
                        Some((stream, _)) = incoming.next() => drop(clients.spawn(echo(stream))),
                        () = stopped.notified() => break,
                        () = pending() => {}
                    }
                }
                listener.close_and_unlink().await.unwrap();
                let mut served = 0;
                while clients.join_next().await.is_some() {
                    served += 1;
                }
                served
            });
            let connected = UnixStream::connect(&path).await.unwrap();
            connected.write(b"before").await.unwrap();
            let mut buf = [0; 16];
            assert_eq!(connected.read(&mut buf).await.unwrap(), 6);
            stop.notify_one();
            while Path::new(&path).exists() {
                task::yield_now().await;
            }
            let late = UnixStream::connect(&path).await.unwrap_err();
            assert_eq!(late.kind(), ErrorKind::NotFound);
            connected.write(b"after!").await.unwrap();
            assert_eq!(connected.read(&mut buf).await.unwrap(), 6);
            drop(connected);
            assert_eq!(server.await.unwrap(), 1);
        });
    });
}
