//! Tests of addresses of every form, and of sockets that other code bound.

use sunpath::error::{Cause, InUse};
use sunpath::{
    BindOptions, Bound, Errno, UnixAddr, UnixDatagram, UnixListener, UnixSeqpacketListener,
    UnixStream,
};

use crate::{Fresh, POLICIES, assert_fails, assert_reaches, skip};

/// Returns a name that no other process has, or `None` if the system has no abstract names.
fn abstract_name() -> Option<UnixAddr> {
    if !sunpath::sys::HAVE_ABSTRACT {
        skip::skip("abstract names");
        return None;
    }
    UnixListener::autobind().unwrap().local_addr().ok()
}

#[test]
fn addr_that_is_a_path_is_bound_as_one() {
    let fresh = Fresh::new();
    let addr = UnixAddr::from_pathname(&fresh.path).unwrap();
    for policy in POLICIES {
        let options = BindOptions::new().mode(0o600).existing(policy);
        let listener: Bound<UnixListener> = options.bind_addr(&addr).unwrap();
        assert_eq!(listener.addr(), Some(&addr));
        assert_reaches(&fresh.path, &listener);
        drop(listener);
        assert!(fresh.names().is_empty());
    }
}

#[test]
fn addr_that_is_abstract_takes_every_policy_and_kind() {
    let Some(addr) = abstract_name() else { return };
    for policy in POLICIES {
        let options = BindOptions::new().existing(policy).backlog(0);
        let mut listener: Bound<UnixListener> = options.bind_addr(&addr).unwrap();
        assert_eq!(listener.addr(), Some(&addr));
        assert_eq!(listener.local_addr(), Ok(addr));
        let again = options.bind_addr::<UnixListener>(&addr).unwrap_err();
        assert_eq!(again.cause(), Some(Cause::InUse(InUse::Server)));
        assert_eq!(again.errno(), Errno::EADDRINUSE);

        let client = UnixStream::new_nonblocking().unwrap();
        client.connect_to(&addr).unwrap();
        let second = UnixStream::new_nonblocking().unwrap();
        assert_fails(second.connect_to(&addr), Errno::EAGAIN);

        assert!(listener.is_in_place().unwrap());
        assert_fails(listener.bind_again(&options), Errno::EADDRINUSE);
        listener.close_and_unlink().unwrap();
    }
    let options = BindOptions::new();
    drop(options.bind_addr::<UnixDatagram>(&addr).unwrap());
    let (listener, file) = options
        .bind_addr::<UnixSeqpacketListener>(&addr)
        .unwrap()
        .into_parts()
        .unwrap();
    assert!(format!("{file:?}").contains("unlink_on_drop: false"));
    file.unlink().unwrap();
    assert_eq!(listener.local_addr(), Ok(addr));
}

#[test]
fn addr_that_is_abstract_takes_no_mode_owner_or_group() {
    let Some(addr) = abstract_name() else { return };
    let options = BindOptions::new();
    for options in [options.mode(0o600), options.owner(0), options.group(0)] {
        let error = options.bind_addr::<UnixListener>(&addr).unwrap_err();
        assert_eq!(error.cause(), Some(Cause::NoFile));
        assert_eq!(error.errno(), Errno::EINVAL);
        let unnamed = options.bind_addr::<UnixListener>(&UnixAddr::unnamed());
        let cause = unnamed.unwrap_err().cause();
        assert_eq!(cause, Some(Cause::UnnamedAddress));
    }
    drop(UnixListener::bind_addr(&addr).unwrap());
}

#[test]
fn addr_of_a_socket_that_somebody_else_bound_is_left_alone() {
    let fresh = Fresh::new();
    let passed = UnixListener::bind(&fresh.path).unwrap();
    let mut listener = Bound::from(passed);
    assert_eq!(listener.addr(), None);
    assert_reaches(&fresh.path, &listener);
    listener.adopt();
    assert!(listener.is_in_place().unwrap());
    let error = listener.bind_again(&BindOptions::new()).unwrap_err();
    assert_eq!(error.cause(), Some(Cause::BoundElsewhere));
    drop(listener);
    assert_eq!(fresh.names(), ["a.sock"]);

    std::fs::remove_file(&fresh.path).unwrap();
    let datagram = UnixDatagram::bind(&fresh.path).unwrap();
    Bound::from(datagram).close_and_unlink().unwrap();
    assert_eq!(fresh.names(), ["a.sock"]);
}
