//! Tests of programs that were written for std's Unix sockets and use sunpath by other `use` lines,
//! and of the claims of the page `guide::coming_from_std`.
#![cfg(feature = "std")]

#[path = "../fresh/mod.rs"]
mod fresh;

use std::io::ErrorKind;
use std::os::unix::net;

use sunpath::{UnixListener, UnixStream};

mod with_std {
    mod first {
        use std::net::Shutdown;
        use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

        include!("program.rs");
    }

    mod second {
        use std::net::Shutdown;
        use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};

        include!("every_method.rs");
    }

    pub(crate) use first::run;
    pub(crate) use second::every_method;
}

#[allow(
    unused_mut,
    unused_imports,
    reason = "methods take `&self` and need no trait, as the page says"
)]
mod with_sunpath {
    mod first {
        use std::net::Shutdown;
        use sunpath::{UnixDatagram, UnixListener, UnixStream};

        include!("program.rs");
    }

    mod second {
        use std::net::Shutdown;
        use sunpath::{UnixAddr as SocketAddr, UnixDatagram, UnixListener, UnixStream};

        include!("every_method.rs");
    }

    pub(crate) use first::run;
    pub(crate) use second::every_method;
}

#[test]
fn coming_from_std_a_program_does_the_same_after_a_change_of_its_use_lines() {
    let (std, sunpath) = (fresh::dir(), fresh::dir());
    let expected = with_std::run(std.path()).unwrap();
    assert_eq!(with_sunpath::run(sunpath.path()).unwrap(), expected);
    assert_eq!(
        expected,
        [
            "a client without a name: true",
            "request \"hello\"",
            "then 0 bytes and the end",
            "response \"world\"",
            "bound where asked: true",
            "bound twice: AddrInUse",
            "nobody listens: ConnectionRefused",
            "nothing there: NotFound",
            "datagram \"ping\"",
            "no more: WouldBlock",
        ]
    );
}

#[test]
fn coming_from_std_methods_of_the_same_name_do_the_same() {
    with_std::every_method(fresh::dir().path()).unwrap();
    with_sunpath::every_method(fresh::dir().path()).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn coming_from_std_an_empty_path_is_not_an_abstract_name() {
    let named_by_linux = net::UnixListener::bind("").unwrap();
    assert!(named_by_linux.local_addr().unwrap().as_pathname().is_none());
    assert!(!named_by_linux.local_addr().unwrap().is_unnamed());
    let error = UnixListener::bind("").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn coming_from_std_a_path_that_does_not_fit_has_another_kind_of_error() {
    let long = "x".repeat(200);
    let std = net::UnixStream::connect(&long).unwrap_err();
    assert_eq!(std.kind(), ErrorKind::InvalidInput);
    let error = UnixStream::connect(&long).unwrap_err();
    // The kind is compared by its text, because the name of this variant is stable only since Rust
    // 1.87.
    assert_eq!(format!("{:?}", error.kind()), "InvalidFilename");
    assert!(error.to_string().contains("200"), "{error}");
}
