//! Holds the only table of capabilities, and turns what some systems have and others lack into
//! cfgs. No compiler is called, and nothing is guessed from a version. Whatever depends on the
//! running kernel is asked of that kernel when a program runs.

use std::env;

/// Systems with the kernel of Linux, whatever their C library is.
const LINUX: &[&str] = &["linux", "android"];
/// Systems with the kernel of macOS.
const APPLE: &[&str] = &["macos", "ios"];
/// Only FreeBSD.
const FREEBSD: &[&str] = &["freebsd"];

/// Each cfg and the systems that have it.
const CAPABILITIES: &[(&str, &[&[&str]])] = &[
    // SOCK_CLOEXEC, SOCK_NONBLOCK and accept4: the descriptor is close-on-exec when it is made.
    // Elsewhere the flag is set right afterwards, and a program that another thread starts in
    // between inherits the descriptor.
    (
        "have_sock_cloexec",
        &[
            LINUX,
            FREEBSD,
            &["dragonfly", "illumos", "netbsd", "openbsd"],
        ],
    ),
    // MSG_CMSG_CLOEXEC
    (
        "have_msg_cmsg_cloexec",
        &[
            LINUX,
            FREEBSD,
            &["dragonfly", "illumos", "netbsd", "openbsd"],
        ],
    ),
    // POLLRDHUP
    ("have_pollrdhup", &[LINUX, FREEBSD, &["illumos"]]),
    // close_range
    ("have_close_range", &[LINUX]),
    // sendmmsg and recvmmsg
    ("have_mmsg", &[LINUX, FREEBSD, &["netbsd"]]),
    // SO_NOSIGPIPE, which is needed if sockets are written to by calls without MSG_NOSIGNAL
    ("have_so_nosigpipe", &[APPLE]),
    // SO_PEERCRED with a struct ucred, and ENODATA from other options where there is no peer
    ("have_so_peercred", &[LINUX]),
    // SO_PEERCRED with a struct sockpeercred
    ("have_sockpeercred", &[&["openbsd"]]),
    // LOCAL_PEEREID with a struct unpcbid
    ("have_unpcbid", &[&["netbsd"]]),
    // LOCAL_PEERCRED with a struct xucred that has a pid
    ("have_xucred", &[FREEBSD]),
    // getpeerucred
    ("have_getpeerucred", &[&["illumos"]]),
    // getpeereid, and nothing that reports the pid together with the ids
    ("have_getpeereid", &[APPLE, &["dragonfly"]]),
    // LOCAL_PEERPID beside getpeereid
    ("have_local_peerpid", &[APPLE]),
    // SO_PASSCRED and similar options, SO_PEERGROUPS, SO_PEERPIDFD, SO_PEERSEC, SO_DOMAIN;
    // SIOCOUTQ, SIOCATMARK
    ("have_so_passcred", &[LINUX]),
    // SO_TIMESTAMPNS; elsewhere SO_TIMESTAMP has microseconds, where it exists
    ("have_so_timestampns", &[LINUX]),
    (
        "have_so_timestamp",
        &[LINUX, APPLE, FREEBSD, &["netbsd", "openbsd"]],
    ),
    // the length that the kernel reports for a path's address counts the NUL after the path, and no
    // further byte
    ("have_counted_path", &[LINUX]),
    // a receive with MSG_TRUNC returns the true length of the message
    ("have_true_length", &[LINUX]),
    // the longest message is 32 bytes shorter than SO_SNDBUF
    ("have_message_overhead", &[LINUX]),
    // O_PATH, which opens a directory that may only be searched
    ("have_o_path", &[LINUX, FREEBSD]),
    // /proc/self/fd/N, which leads to what the descriptor N has open, a socket file included
    ("have_proc_fd", &[LINUX]),
    // bindat and connectat
    ("have_bindat", &[FREEBSD]),
    // fchmodat2, which takes AT_EMPTY_PATH; elsewhere fchmodat takes it where O_PATH exists
    ("have_fchmodat2", &[LINUX]),
    // renameat2 with RENAME_NOREPLACE and RENAME_EXCHANGE
    ("have_renameat2", &[LINUX]),
    // renameatx_np with RENAME_EXCL and RENAME_SWAP
    ("have_renameatx_np", &[APPLE]),
    ("have_getrandom", &[LINUX]),
    ("have_pidfd", &[LINUX]),
    // user namespaces, in which one uid stands for all users that are not mapped
    ("have_user_namespaces", &[LINUX]),
    // SIOCUNIXFILE and sock_diag, which report the file of a bound socket
    ("have_bound_file", &[LINUX]),
    // /proc/locks, which reports which process holds a lock
    ("have_proc_locks", &[LINUX]),
    // madvise with MADV_WIPEONFORK
    ("have_wipe_on_fork", &[LINUX]),
    // fcntl's F_GETPATH
    ("have_f_getpath", &[APPLE, &["dragonfly", "netbsd"]]),
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=systems.txt");
    let os = env::var("CARGO_CFG_TARGET_OS").expect("cargo sets CARGO_CFG_TARGET_OS");
    let systems = systems();
    if !systems.contains(&os.as_str()) {
        println!("cargo::error=sunpath is not made for target_os {os:?} yet, only for {systems:?}");
    }
    for (capability, systems) in CAPABILITIES {
        println!("cargo::rustc-check-cfg=cfg({capability})");
        if systems.iter().any(|systems| systems.contains(&os.as_str())) {
            println!("cargo::rustc-cfg={capability}");
        }
    }
}

/// Returns the systems that `systems.txt` lists with this package, by Rust's names.
fn systems() -> Vec<&'static str> {
    let lines = include_str!("systems.txt").lines();
    let columns = lines.map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut systems: Vec<_> = columns
        .filter(|columns| columns.get(3) == Some(&"sunpath"))
        .map(|columns| columns[0])
        .collect();
    systems.dedup();
    systems
}
