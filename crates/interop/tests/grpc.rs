//! The example `grpc`: its service and its client in this process, and as programs.

mod program;

use std::fs::{self, Permissions};
use std::iter;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use program::{OTHER_USER, Running, example, own_uid, run_as_other_user};
use sunpath::BindOptions;
use sunpath_tokio::UnixListener;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task;
use tokio::time::timeout;
use tonic::transport::Channel;

use grpc::greeter::greeter_client::GreeterClient;
use grpc::greeter::{CountRequest, HelloRequest};

#[allow(dead_code)] // its `main`
#[path = "../examples/grpc/main.rs"]
mod grpc;

/// One test counts the descriptors of the process, so they run one after the other.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Calls a service, sends `stop` in the middle of the last call, and returns its client.
async fn call(path: PathBuf, to: u32, stop: oneshot::Sender<()>) -> GreeterClient<Channel> {
    let mut client = grpc::connect(path).await.unwrap();
    for call in 0..3 {
        let name = format!("caller {to}.{call}");
        let text = format!("hello, {name}, user {}", own_uid());
        let reply = client.hello(HelloRequest { name }).await.unwrap();
        let reply = reply.into_inner();
        assert_eq!((reply.uid, reply.text), (own_uid(), text));
    }
    let replies = client.count(CountRequest { to }).await.unwrap();
    let mut replies = replies.into_inner();
    let mut received = 0;
    let mut stop = Some(stop);
    while let Some(reply) = replies.message().await.unwrap() {
        received += 1;
        assert_eq!(reply.number, received);
        if let Some(stop) = stop.take() {
            stop.send(()).unwrap();
        }
    }
    assert_eq!(received, to);
    println!("user {}: 3 replies and {received} numbers", own_uid());
    client
}

#[test]
fn grpc_ends_after_its_calls_and_leaves_no_descriptor() {
    let _alone = alone();
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let path = dir.path().join("a.sock");
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let before = open_descriptors();
    let run = async {
        let options = BindOptions::singleton();
        let listener = UnixListener::new(options.listen(&path).unwrap()).unwrap();
        // The replies of the last one have 3.6 MB. A stream's window has 2 MiB and the buffers of the
        // server and of the socket have less than 1 MiB, so its call is going on when the server stops.
        let counts = [1, 1000, 400_000];
        let (stops, stopped): (Vec<_>, Vec<_>) =
            counts.map(|_| oneshot::channel()).into_iter().unzip();
        let stop = async {
            for stopped in stopped {
                stopped.await.unwrap();
            }
        };
        let calls: Vec<_> = iter::zip(counts, stops)
            .map(|(to, stop)| task::spawn(call(path.clone(), to, stop)))
            .collect();
        grpc::serve(listener, stop).await.unwrap();
        assert!(!path.exists(), "it has removed its file");
        let mut clients = Vec::new();
        for call in calls {
            clients.push(call.await.unwrap());
        }
        // The server has ended the connections, so the clients close them too.
        while open_descriptors() > before {
            task::yield_now().await;
        }
        drop(clients);
        while Handle::current().metrics().num_alive_tasks() > 0 {
            task::yield_now().await;
        }
    };
    let run = async { timeout(Duration::from_secs(60), run).await };
    runtime.block_on(run).expect("every connection ends");
    assert_eq!(open_descriptors(), before);
}

fn assert_greeted(output: Output, uid: u32) {
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text, format!("hello, Ada, user {uid}\n1\n2\n3\n"));
    assert!(output.status.success());
}

#[test]
fn grpc_as_programs_knows_the_user_of_the_client() {
    let _alone = alone();
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let path = dir.path().join("a.sock");
    let program = example("grpc");
    let (mut server, ready) = Running::start_server(Command::new(&program).arg(&path));
    assert_eq!(ready, "ready\n");

    let client = |program: &Path| {
        let mut client = Command::new(program);
        client.arg(&path).args(["Ada", "3"]);
        client
    };
    assert_greeted(client(&program).output().unwrap(), own_uid());
    // Another user may not reach the folder of the build, so it runs a copy.
    let copy = dir.path().join("grpc");
    fs::copy(&program, &copy).unwrap();
    fs::set_permissions(&copy, Permissions::from_mode(0o755)).unwrap();
    if let Some(output) = run_as_other_user(&mut client(&copy), dir.path()) {
        assert_greeted(output, OTHER_USER);
    }

    server.signal(libc::SIGINT);
    assert!(server.wait().success());
    assert!(!path.exists(), "it has removed its file");
}
