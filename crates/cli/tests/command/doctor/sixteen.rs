//! Sixteen broken set-ups, asked about as root, as an ordinary user, and for another user.

use std::fs;
use std::os::unix::fs::symlink;

use sunpath::{Shutdown, UnixSeqpacketListener};

use super::*;

/// The first lines in the three lanes. `{who}` is the process that holds the socket, `{dir}` the fresh
/// directory, `{me}` the user of the test.
struct Row {
    path: &'static str,
    status: [i32; 3],
    first: [&'static str; 3],
}

const fn same(path: &'static str, status: i32, first: &'static str) -> Row {
    Row {
        path,
        status: [status; 3],
        first: [first; 3],
    }
}

const LONG: &str = concat!(
    "0123456789012345678901234567890123456789012345678901234567890123456789",
    "0123456789012345678901234567890123456789"
);

const ROWS: &[Row] = &[
    same("missing", 1, "Nothing is there: {dir} has no missing."),
    same(
        "no/such",
        1,
        "Nothing is there: the directory {dir}/no does not exist.",
    ),
    Row {
        path: "closed/a",
        status: [0, 1, 1],
        first: [
            "You can connect: {who} listens, and no clients wait.",
            "You may not enter {dir}/closed (mode 0700, owner {me}).",
            "User 65533 may not enter {dir}/closed (mode 0700, owner {me}).",
        ],
    },
    Row {
        path: "nowrite",
        status: [0, 1, 1],
        first: [
            "You can connect: {who} listens, and no clients wait.",
            "You may not write to the socket (mode 0755, owner {me}).",
            "User 65533 may not write to the socket (mode 0755, owner {me}).",
        ],
    },
    same(
        "stale",
        1,
        "The socket file is stale: the server that made it has ended.",
    ),
    same(
        "bound",
        1,
        "{Who} has bound the socket, but does not listen on it.",
    ),
    same(
        "shut",
        1,
        "{Who} has shut its listener down, and takes no connection.",
    ),
    same(
        "full",
        1,
        "The queue is full: {who} is not accepting, and 1 client waits.",
    ),
    Row {
        path: "busy",
        status: [0; 3],
        first: [
            "You can connect: {who} listens, and 1 client waits.",
            "You can connect: {who} listens, and 1 client waits.",
            "User 65533 can connect: {who} listens, and 1 client waits.",
        ],
    },
    same(
        "datagram",
        1,
        "It is a datagram socket of {who}, not a stream socket.",
    ),
    same(
        "seqpacket",
        1,
        "It is a seqpacket socket of {who}, not a stream socket.",
    ),
    same("file", 1, "It is a file, not a socket."),
    same("directory", 1, "It is a directory, not a socket."),
    same("file/a", 1, "{dir}/file is a file, not a directory."),
    same("fine/", 1, "{dir}/fine is a socket, not a directory."),
    same(
        "dangling",
        1,
        "The link {dir}/dangling leads to {dir}/nowhere, which does not exist.",
    ),
    same(
        "loop",
        1,
        "The symbolic links after {dir}/loop form a loop.",
    ),
    Row {
        path: "removed",
        status: [1; 3],
        first: [
            "{Who} listens, but its socket file was removed.",
            "{Who} listens, but its socket file was removed, or is in a mount namespace of its own.",
            "{Who} listens, but its socket file was removed.",
        ],
    },
    Row {
        path: "replaced",
        status: [1; 3],
        first: [
            "{Who} listens, but its socket file was replaced by a stale one.",
            "{Who} listens, but its socket file was replaced by a stale one, or is in a mount namespace of its own.",
            "{Who} listens, but its socket file was replaced by a stale one.",
        ],
    },
    same(
        LONG,
        1,
        "The path is too long for one call: it has {len} bytes, and 107 fit.",
    ),
];

/// The ways that work, which the same programs have to tell apart from the broken ones.
const FINE: &[&str] = &["fine", "link", "./directory/../fine", "moved-to"];

pub(crate) fn set_up() -> (SetUp, Vec<Box<dyn std::any::Any>>) {
    let mut set_up = SetUp::new();
    let mut kept: Vec<Box<dyn std::any::Any>> = Vec::new();
    fs::create_dir(set_up.path("closed")).unwrap();
    set_up.listen("closed/a");
    chmod(&set_up.path("closed"), 0o700);
    set_up.listen("nowrite");
    chmod(&set_up.path("nowrite"), 0o755);
    set_up.leave_stale("stale");

    let bound = Socket::<Stream>::new().unwrap();
    bound
        .bind_to_at(sunpath::CWD, set_up.path("bound"))
        .unwrap();
    chmod(&set_up.path("bound"), 0o666);
    kept.push(Box::new(bound));

    set_up
        .listen("shut")
        .as_socket()
        .shutdown(Shutdown::Both)
        .unwrap();

    // A queue takes one client more than the backlog says.
    for (name, backlog) in [("full", 0), ("busy", 1)] {
        let path = set_up.path(name);
        let listener = BindOptions::new().backlog(backlog).listen(&path).unwrap();
        chmod(&path, 0o666);
        kept.push(Box::new(sunpath::UnixStream::connect(&path).unwrap()));
        kept.push(Box::new(listener));
    }

    set_up
        .receivers
        .push(UnixDatagram::bind(set_up.path("datagram")).unwrap());
    chmod(&set_up.path("datagram"), 0o666);
    let seqpacket = UnixSeqpacketListener::bind(set_up.path("seqpacket")).unwrap();
    chmod(&set_up.path("seqpacket"), 0o666);
    kept.push(Box::new(seqpacket));

    fs::write(set_up.path("file"), "").unwrap();
    chmod(&set_up.path("file"), 0o666);
    fs::create_dir(set_up.path("directory")).unwrap();
    chmod(&set_up.path("directory"), 0o755);
    symlink("nowhere", set_up.path("dangling")).unwrap();
    symlink("loop", set_up.path("loop")).unwrap();

    set_up.listen("removed");
    fs::remove_file(set_up.path("removed")).unwrap();
    set_up.listen("replaced");
    fs::remove_file(set_up.path("replaced")).unwrap();
    set_up.leave_stale("replaced");
    set_up.listen("fine");
    symlink("fine", set_up.path("link")).unwrap();
    set_up.listen("moved");
    fs::rename(set_up.path("moved"), set_up.path("moved-to")).unwrap();
    (set_up, kept)
}

#[test]
fn doctor_sixteen_broken_set_ups_are_named_in_the_first_line() {
    let (set_up, _kept) = set_up();
    let dir = set_up.dir.path().to_str().unwrap().to_owned();
    let me = user_name();
    // Another user sees who made a socket, but not which process holds it.
    let strange = if is_root() {
        format!("a process of user {me}")
    } else {
        own_process()
    };
    let expand = |text: &str, who: &str, path: &str| {
        let capital = who.replacen("a process", "A process", 1);
        let len = dir.len() + 1 + path.len();
        let text = text
            .replace("{dir}", &dir)
            .replace("{me}", &me)
            .replace("{Who}", &capital);
        text.replace("{who}", who)
            .replace("{len}", &len.to_string())
    };
    let own = own_process();
    type Lane<'l> = (usize, Box<dyn Fn() -> Command + 'l>, &'l str);
    let mut lanes: Vec<Lane<'_>> = Vec::new();
    if is_root() {
        lanes.push((0, Box::new(|| set_up.doctor()), &own));
        lanes.push((1, Box::new(|| set_up.doctor_of_user()), &strange));
    } else {
        // The user of the test owns all files, and may use them as root may.
        lanes.push((0, Box::new(|| set_up.doctor()), &own));
    }
    let for_another = || {
        let mut command = set_up.doctor();
        command.arg("--as").arg(STRANGER.to_string());
        command
    };
    lanes.push((2, Box::new(for_another), &own));

    for (lane, command, who) in &lanes {
        for row in ROWS {
            let expected = (row.status[*lane], expand(row.first[*lane], who, row.path));
            let path = format!("{dir}/{}", row.path);
            assert_eq!(
                ask(&mut command(), path),
                expected,
                "lane {lane}, {}",
                row.path
            );
        }
        let subject = if *lane == 2 { "User 65533" } else { "You" };
        for path in FINE {
            let first = format!("{subject} can connect: {who} listens, and no clients wait.");
            assert_eq!(
                ask(&mut command(), set_up.path(path)),
                (0, first),
                "lane {lane}, {path}"
            );
        }
        let ask_kind = |kind, name| ask(command().args(["--kind", kind]), set_up.path(name));
        let first = format!("{subject} can send: {who} receives messages.");
        assert_eq!(ask_kind("datagram", "datagram"), (0, first));
        let first = format!("{subject} can connect: {who} listens, and no clients wait.");
        assert_eq!(ask_kind("seqpacket", "seqpacket"), (0, first));
        let first = format!("It is a stream socket of {who}, not a datagram socket.");
        assert_eq!(ask_kind("dgram", "fine"), (1, first));
    }
    set_up.assert_unnoticed();
}
