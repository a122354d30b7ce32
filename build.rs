//! The one table of capabilities: what a system has that not every system has, as cfgs. No
//! compiler is called and nothing is guessed by version; what depends on the kernel that runs is
//! asked of the kernel.

use std::env;

/// The systems in the table. One enters with a row in the README's support table.
const SYSTEMS: &[&str] = &["linux", "macos", "freebsd"];

/// Each cfg and the systems that have it.
const CAPABILITIES: &[(&str, &[&str])] = &[
    // SOCK_CLOEXEC, SOCK_NONBLOCK and accept4: close-on-exec from birth; elsewhere right after it,
    // so that a program which another thread starts in between inherits the descriptor
    ("have_sock_cloexec", &["linux", "freebsd"]),
    // MSG_CMSG_CLOEXEC
    ("have_msg_cmsg_cloexec", &["linux", "freebsd"]),
    // POLLRDHUP
    ("have_pollrdhup", &["linux", "freebsd"]),
    // close_range
    ("have_close_range", &["linux"]),
    // sendmmsg and recvmmsg
    ("have_mmsg", &["linux", "freebsd"]),
    // SO_NOSIGPIPE, needed where sockets are written to by calls without MSG_NOSIGNAL
    ("have_so_nosigpipe", &["macos"]),
    // SO_PEERCRED with a struct ucred
    ("have_so_peercred", &["linux"]),
    // SO_PASSCRED and its like, SO_PEERGROUPS, SO_PEERPIDFD, SO_PEERSEC, SO_DOMAIN; SIOCOUTQ
    ("have_so_passcred", &["linux"]),
    // of a path in an address that the kernel reports the length counts the NUL behind it, and no other
    ("have_counted_path", &["linux"]),
    // MSG_TRUNC given to a receive returns a message's true length
    ("have_true_length", &["linux"]),
    // a message is 32 bytes shorter than SO_SNDBUF at most
    ("have_message_overhead", &["linux"]),
    // O_PATH, which opens a directory that may only be searched
    ("have_o_path", &["linux", "freebsd"]),
    // /proc/self/fd/N, which leads to what the descriptor N has open, a socket file included
    ("have_proc_fd", &["linux"]),
    // bindat and connectat
    ("have_bindat", &["freebsd"]),
    // fchmodat2, which takes AT_EMPTY_PATH; elsewhere fchmodat takes it where O_PATH exists
    ("have_fchmodat2", &["linux"]),
    // renameat2 with RENAME_NOREPLACE, getrandom, pidfd_open
    ("have_renameat2", &["linux"]),
    ("have_getrandom", &["linux"]),
    ("have_pidfd", &["linux"]),
    // user namespaces, in which one uid stands for all users that are not mapped
    ("have_user_namespaces", &["linux"]),
    // SIOCUNIXFILE and sock_diag, which tell the file of a bound socket
    ("have_bound_file", &["linux"]),
    // madvise with MADV_WIPEONFORK
    ("have_wipe_on_fork", &["linux"]),
    // fcntl's F_GETPATH
    ("have_f_getpath", &["macos"]),
    // LOCAL_PEERPID beside getpeereid
    ("have_local_peerpid", &["macos"]),
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let os = env::var("CARGO_CFG_TARGET_OS").expect("cargo sets CARGO_CFG_TARGET_OS");
    if !SYSTEMS.contains(&os.as_str()) {
        println!("cargo::error=sunpath is not made for target_os {os:?} yet, only for {SYSTEMS:?}");
    }
    for (capability, systems) in CAPABILITIES {
        println!("cargo::rustc-check-cfg=cfg({capability})");
        if systems.contains(&os.as_str()) {
            println!("cargo::rustc-cfg={capability}");
        }
    }
}
