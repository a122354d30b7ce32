//! Holds the only table of capabilities, and turns what some systems have and others lack into
//! cfgs. No compiler is called, and nothing is guessed from a version. A capability that depends on
//! the version of the kernel is decided at run time, by asking the kernel.

use std::env;

/// Systems with the kernel of Linux, whatever their C library is.
const LINUX: &[&str] = &["linux", "android"];
/// Systems with the kernel of macOS.
const APPLE: &[&str] = &["macos", "ios"];
/// FreeBSD alone.
const FREEBSD: &[&str] = &["freebsd"];

/// Each cfg and the systems that have it.
const CAPABILITIES: &[(&str, &[&[&str]])] = &[
    // SOCK_CLOEXEC, SOCK_NONBLOCK and accept4: the descriptor is close-on-exec when it is made. On
    // other systems the flag is set right afterwards, and a program that another thread starts in
    // between inherits the descriptor.
    (
        "have_sock_cloexec",
        &[
            LINUX,
            FREEBSD,
            &["dragonfly", "illumos", "netbsd", "openbsd"],
        ],
    ),
    // The flag MSG_CMSG_CLOEXEC of recvmsg(2).
    (
        "have_msg_cmsg_cloexec",
        &[
            LINUX,
            FREEBSD,
            &["dragonfly", "illumos", "netbsd", "openbsd"],
        ],
    ),
    // The event POLLRDHUP of poll(2).
    ("have_pollrdhup", &[LINUX, FREEBSD, &["illumos"]]),
    // The call close_range.
    ("have_close_range", &[LINUX]),
    // The calls sendmmsg and recvmmsg.
    ("have_mmsg", &[LINUX, FREEBSD, &["netbsd"]]),
    // SO_NOSIGPIPE, which is needed for calls that do not take MSG_NOSIGNAL.
    ("have_so_nosigpipe", &[APPLE]),
    // SO_PEERCRED with a struct ucred. Other options about the peer report ENODATA if there is no
    // peer.
    ("have_so_peercred", &[LINUX]),
    // SO_PEERCRED with a struct sockpeercred.
    ("have_sockpeercred", &[&["openbsd"]]),
    // LOCAL_PEEREID with a struct unpcbid.
    ("have_unpcbid", &[&["netbsd"]]),
    // LOCAL_PEERCRED with a struct xucred that has a pid.
    ("have_xucred", &[FREEBSD]),
    // The call getpeerucred.
    ("have_getpeerucred", &[&["illumos"]]),
    // The call getpeereid. No call of these systems reports the pid together with the uid and gid.
    ("have_getpeereid", &[APPLE, &["dragonfly"]]),
    // The option LOCAL_PEERPID, in addition to getpeereid.
    ("have_local_peerpid", &[APPLE]),
    // SO_PASSCRED and similar options, SO_PEERGROUPS, SO_PEERPIDFD, SO_PEERSEC, SO_DOMAIN;
    // SIOCOUTQ, SIOCATMARK
    ("have_so_passcred", &[LINUX]),
    // SO_TIMESTAMPNS. Other systems that have time stamps have SO_TIMESTAMP, with microseconds.
    ("have_so_timestampns", &[LINUX]),
    (
        "have_so_timestamp",
        &[LINUX, APPLE, FREEBSD, &["netbsd", "openbsd"]],
    ),
    // In the length of a path's address, the kernel counts the NUL after the path, and no further
    // byte.
    ("have_counted_path", &[LINUX]),
    // A receive with MSG_TRUNC returns the true length of the message.
    ("have_true_length", &[LINUX]),
    // The longest message is 32 bytes shorter than SO_SNDBUF.
    ("have_message_overhead", &[LINUX]),
    // O_PATH, which opens a directory on which a process has only search permission.
    ("have_o_path", &[LINUX, FREEBSD]),
    // /proc/self/fd/N, which leads to the file that descriptor N has open, even to a socket file.
    ("have_proc_fd", &[LINUX]),
    // The calls bindat and connectat.
    ("have_bindat", &[FREEBSD]),
    // Linux has fchmodat2, which takes AT_EMPTY_PATH. On other systems with O_PATH, fchmodat takes
    // that flag.
    ("have_fchmodat2", &[LINUX]),
    // renameat2 with RENAME_NOREPLACE and RENAME_EXCHANGE.
    ("have_renameat2", &[LINUX]),
    // renameatx_np with RENAME_EXCL and RENAME_SWAP.
    ("have_renameatx_np", &[APPLE]),
    ("have_getrandom", &[LINUX]),
    ("have_pidfd", &[LINUX]),
    // User namespaces, in which one uid stands for all users that are not mapped.
    ("have_user_namespaces", &[LINUX]),
    // SIOCUNIXFILE and sock_diag, which report the file of a bound socket.
    ("have_bound_file", &[LINUX]),
    // sock_diag, which lists the sockets of a network namespace.
    ("have_sock_diag", &[LINUX]),
    // /proc/locks, which lists the processes that hold locks.
    ("have_proc_locks", &[LINUX]),
    // madvise with MADV_WIPEONFORK.
    ("have_wipe_on_fork", &[LINUX]),
    // The command F_GETPATH of fcntl.
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
