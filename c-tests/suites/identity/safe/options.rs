//! Cases of options about a peer: its groups, its process and its label, asked from this namespace
//! and from others.

use std::os::fd::AsRawFd as _;

use sunpath::socket::Kind;
use sunpath::{Errno, Error, Socket, Stream, UnixDatagram, UnixSeqpacket, UnixStream};

use super::{PATH, ask_cred, listening, name_of};
use crate::process;

// 1. Ask for groups: the count tells how many groups there are, even if they do not fit.

const SIZE: usize = size_of::<u32>();

fn ask_groups<T: Kind>(name: &str, socket: &Socket<T>, size: usize) {
    let mut groups = [0; 8];
    print!("getsockopt({name}, SO_PEERGROUPS, {size}) = ");
    match socket.peer_groups(&mut groups[..size / SIZE]) {
        Ok(groups) => {
            print!("ok, {}", groups.len() * SIZE);
            for (i, group) in groups.iter().enumerate() {
                print!("{} {group}", if i == 0 { ":" } else { "" });
            }
        }
        Err(error) if error.errno() == Errno::ERANGE => match socket.peer_group_count() {
            Ok(count) => print!("ERANGE, {}", count * SIZE),
            Err(error) => print!("ERANGE, {}", name_of(error)),
        },
        Err(error) => print!("{}", name_of(error)),
    }
}

fn groups_of(groups: &[u32], size: usize) -> Result<(), Error> {
    let child = process::fork();
    if child == 0 {
        process::take_groups(groups);
        let (p, _q) = UnixStream::pair()?;
        // This changes nothing, because the kernel has recorded the groups.
        process::take_groups(&[]);
        ask_groups("p", &p, size);
        process::end(0);
    }
    process::join(child);
    Ok(())
}

const GROUPS: [u32; 3] = [30, 10, 20];

pub(crate) fn groups_too_many() -> Result<(), Error> {
    groups_of(&GROUPS, 4)
}

pub(crate) fn groups_exact() -> Result<(), Error> {
    groups_of(&GROUPS, 12)
}

pub(crate) fn groups_roomy() -> Result<(), Error> {
    groups_of(&GROUPS, 16)
}

pub(crate) fn groups_none() -> Result<(), Error> {
    groups_of(&[], 12)
}

pub(crate) fn groups_of_nobody() -> Result<(), Error> {
    let s = UnixStream::new()?;
    ask_groups("s", &s, 12);
    Ok(())
}

// 2. Ask for a pidfd: it always means the same process, while another process can get the same pid.

fn ask_pidfd<T: Kind>(name: &str, socket: &Socket<T>) {
    print!("getsockopt({name}, SO_PEERPIDFD) = ");
    match socket.peer_pidfd() {
        Ok(pidfd) => {
            let flag = process::close_on_exec(pidfd.as_raw_fd());
            let signal = process::probe(pidfd.as_raw_fd());
            print!("ok, {flag}; pidfd_send_signal(0) = {signal}");
        }
        Err(error) => print!("{}", name_of(error)),
    }
}

pub(crate) fn pidfd_of_pair() -> Result<(), Error> {
    let (p, _q) = UnixDatagram::pair()?;
    ask_pidfd("p", &p);
    Ok(())
}

pub(crate) fn pidfd_short() -> Result<(), Error> {
    print!("no length to pass");
    Ok(())
}

pub(crate) fn pidfd_of_nobody() -> Result<(), Error> {
    let s = UnixSeqpacket::new()?;
    ask_pidfd("s", &s);
    Ok(())
}

pub(crate) fn peer_dead() -> Result<(), Error> {
    let s = listening::<Stream>(8)?;
    let child = process::fork();
    if child == 0 {
        let _c = UnixStream::connect(PATH)?;
        process::end(0);
    }
    process::join(child);
    let (a, _) = s.accept()?;
    ask_cred("a", &a);
    print!("; ");
    ask_pidfd("a", &a);
    Ok(())
}

// 3. Ask for a label: only a security module that labels sockets provides one.

pub(crate) fn label() -> Result<(), Error> {
    let (p, _q) = UnixStream::pair()?;
    match p.peer_security(&mut [0; 256]) {
        Ok(_) => print!("not run: this system labels sockets"),
        Err(error) => {
            assert!(error.is_unsupported());
            print!("getsockopt(p, SO_PEERSEC) = {}", name_of(error));
        }
    }
    Ok(())
}

// 4. Ask across namespaces: the peer's id can be one that is not mapped in this namespace.

pub(crate) fn in_user_namespace() -> Result<(), Error> {
    let child = process::fork();
    if child == 0 {
        if !process::unshare(libc::CLONE_NEWUSER) {
            print!("not run: needs a namespace");
            process::end(0);
        }
        process::forget_own_ids();
        let (p, _q) = UnixStream::pair()?;
        print!("geteuid() = {}; ", process::user_name(process::own_uid()));
        ask_cred("p", &p);
        process::end(0);
    }
    process::join(child);
    Ok(())
}

/// Runs in a child of the program: a server in the pid namespace of the program, and a client in
/// its own pid namespace.
fn across_pid_namespaces() -> Result<(), Error> {
    let s = listening::<Stream>(8)?;
    if !process::unshare(libc::CLONE_NEWPID) {
        print!("not run: needs a namespace");
        process::end(0);
    }
    let child = process::fork();
    if child == 0 {
        let c = UnixStream::connect(PATH)?;
        print!("inside: ");
        ask_cred("c", &c);
        print!("; ");
        ask_pidfd("c", &c);
        process::end(0);
    }
    process::join(child);
    print!("; outside: ");
    ask_cred("a", &s.accept()?.0);
    process::end(0);
}

pub(crate) fn in_pid_namespace() -> Result<(), Error> {
    let child = process::fork();
    if child == 0 {
        across_pid_namespaces()?;
    }
    process::join(child);
    Ok(())
}
