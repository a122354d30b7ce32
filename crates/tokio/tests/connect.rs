//! Tests connecting to a listener whose queue is full, and to a server that has not started yet.

use std::io::Result;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sunpath::{BindOptions, CWD, ConnectOptions, Dir, Errno, Stream, UnixAddr};
use sunpath_tokio::{UnixListener, UnixSeqpacket, UnixSeqpacketListener, UnixStream};
use tempfile::TempDir;
use tokio::task::JoinSet;

fn fresh() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let path = dir.path().join("a.sock");
    (dir, path)
}

fn errno<T: std::fmt::Debug>(result: Result<T>) -> Errno {
    Errno::from_io_error(&result.unwrap_err()).unwrap()
}

/// One nonblocking attempt fails as soon as five clients wait. All 200 connect, and each is answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connect_brings_200_of_200_clients_through_a_queue_of_4() -> Result<()> {
    let (_dir, path) = fresh();
    let listener = UnixListener::new(BindOptions::new().backlog(4).listen(&path)?)?;
    let attempts = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    for number in 0..200_u8 {
        let (path, attempts) = (path.clone(), Arc::clone(&attempts));
        clients.spawn(async move {
            attempts.fetch_add(1, Ordering::SeqCst);
            let client = UnixStream::connect(&path).await?;
            client.peer_addr()?; // ENOTCONN if it were not connected
            client.write(&[number]).await?;
            let mut answer = [0];
            assert_eq!(client.read(&mut answer).await?, 1);
            Ok::<_, std::io::Error>(answer[0])
        });
    }
    // Nobody is accepted before all have tried, so nearly all of them meet a full queue.
    while attempts.load(Ordering::SeqCst) < 200 {
        tokio::task::yield_now().await;
    }
    let once = ConnectOptions::new().try_connect_at::<Stream>(CWD, &path);
    assert_eq!(once.unwrap_err().errno(), Errno::EAGAIN);
    for _ in 0..200 {
        let (server, _) = listener.accept().await?;
        let mut number = [0];
        assert_eq!(server.read(&mut number).await?, 1);
        server.write(&number).await?;
    }
    let mut answers = Vec::new();
    while let Some(client) = clients.join_next().await {
        answers.push(client.unwrap()?);
    }
    answers.sort_unstable();
    assert_eq!(answers, (0..200).collect::<Vec<u8>>());
    Ok(())
}

#[tokio::test]
async fn connect_keeps_its_time_limit_at_a_full_queue() -> Result<()> {
    let (dir, path) = fresh();
    let listener =
        UnixSeqpacketListener::new(BindOptions::new().backlog(0).listen_seqpacket(&path)?)?;
    let queued = UnixSeqpacket::connect(&path).await?;
    let options = ConnectOptions::new().timeout(Duration::from_millis(50));
    let addr = UnixAddr::from_pathname(&path).unwrap();
    assert_eq!(
        errno(UnixSeqpacket::connect_with(&options, &path).await),
        Errno::ETIMEDOUT
    );
    assert_eq!(
        errno(UnixSeqpacket::connect_addr_with(&options, &addr).await),
        Errno::ETIMEDOUT
    );
    let open = Dir::open(dir.path())?;
    let at = UnixSeqpacket::connect_at_with(&options, &open, "a.sock").await;
    assert_eq!(errno(at), Errno::ETIMEDOUT);
    let none = ConnectOptions::new().timeout(Duration::ZERO);
    assert_eq!(
        errno(UnixSeqpacket::connect_with(&none, &path).await),
        Errno::ETIMEDOUT
    );
    // A client that waits in the thread is connected, whatever names the place.
    let (client, accepted) = tokio::join!(UnixSeqpacket::connect_at(&open, "a.sock"), async {
        tokio::task::yield_now().await;
        listener.accept().await
    });
    let server = accepted?.0;
    drop(server);
    assert!(client?.as_socket().nonblocking()?);
    drop(queued);
    Ok(())
}

#[tokio::test]
async fn connect_waits_for_a_server_that_starts_late() -> Result<()> {
    let (_dir, path) = fresh();
    let options = ConnectOptions::new().wait_for_server(true);
    let start = async {
        tokio::task::yield_now().await; // the client has failed once
        let listener = UnixListener::new(BindOptions::new().listen(&path)?)?;
        listener.accept().await?.0.write(b"hello").await
    };
    let (client, served) = tokio::join!(UnixStream::connect_with(&options, &path), start);
    served?;
    assert_eq!(client?.read(&mut [0; 8]).await?, 5);

    let brief = options.timeout(Duration::from_millis(30));
    assert_eq!(
        errno(UnixStream::connect_with(&brief, &path).await),
        Errno::ENOENT
    );
    assert_eq!(
        errno(UnixStream::connect_with(&options, "").await),
        Errno::ENOENT
    );
    assert_eq!(errno(UnixStream::connect(&path).await), Errno::ENOENT);
    Ok(())
}
