//! Tests of the example `notify`. This test is the manager, to which the service sends its
//! messages.

use std::os::fd::OwnedFd;

use sunpath::{ConnectOptions, UnixAddr, UnixDatagram, UnixListener, UnixStream};

use crate::{Running, example, fresh, with_passed};

/// Returns the variables of the next message, and the descriptor that arrived with it.
fn told(manager: &UnixDatagram) -> (String, Option<OwnedFd>) {
    use sunpath::ancillary::{ControlBuffer, Rights};
    use sunpath::fd::IoSliceMut;

    let (mut text, mut control) = ([0; 256], ControlBuffer::<Rights<1>>::new());
    let message = manager
        .recvmsg(&mut [IoSliceMut::new(&mut text)], &mut control)
        .unwrap();
    let len = message.received().len();
    let mut control = message.into_control().unwrap();
    let fd = control.rights().next();
    (String::from_utf8(text[..len].to_vec()).unwrap(), fd)
}

/// Binds the manager's socket. Returns the name of the manager's socket as `NOTIFY_SOCKET` has it,
/// and the socket.
fn manager(addr: &UnixAddr) -> (String, UnixDatagram) {
    (addr.to_string(), UnixDatagram::bind_addr(addr).unwrap())
}

#[test]
fn notify_tells_a_manager_and_restarts_with_the_stored_listener() {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let by_path = UnixAddr::from_pathname(dir.path().join("notify")).unwrap();
    let by_name = UnixListener::autobind().unwrap().local_addr().unwrap();
    let mut stored = None::<OwnedFd>;
    let mut waiting = None::<UnixStream>;
    for addr in [by_path, by_name] {
        let (name, manager) = manager(&addr);
        let mut command = match &stored {
            None => example("notify"),
            Some(_) => with_passed("notify"),
        };
        command.arg(&path).env("NOTIFY_SOCKET", name);
        if let Some(listener) = stored.take() {
            command.stdin(listener);
        }
        let service = Running::new(&mut command);

        let (text, fd) = told(&manager);
        assert_eq!(text, "FDSTORE=1\nFDNAME=clients");
        let fd = fd.expect("the listener");
        let (text, fd_of_ready) = told(&manager);
        assert_eq!(text, format!("READY=1\nMAINPID={}", service.child.id()));
        assert!(fd_of_ready.is_none());

        let client = waiting.take();
        let client = client.unwrap_or_else(|| UnixStream::connect(&*path).unwrap());
        let mut hello = [0; 6];
        client.read_exact(&mut hello).unwrap();
        assert_eq!(&hello, b"hello\n");
        assert_eq!(told(&manager).0, "STOPPING=1\nSTATUS=one client was served");
        service.end();
        // The service has ended, but the manager still holds the listener, so a client can connect.
        // The next run serves that client.
        waiting = Some(UnixStream::connect(&*path).unwrap());
        stored = Some(fd);
    }
    assert!(UnixListener::try_from(stored.unwrap()).is_ok());
}

#[test]
fn notify_without_a_manager_serves_all_the_same() {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let service = Running::new(example("notify").arg(&path));
    let wait = ConnectOptions::new().wait_for_server(true);
    let client: UnixStream = wait.connect(&*path).unwrap();
    let mut hello = [0; 6];
    client.read_exact(&mut hello).unwrap();
    assert_eq!(&hello, b"hello\n");
    service.end();
}
