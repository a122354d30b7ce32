//! Tests of descriptors that this process passes to a program that it starts.
//!
//! What a process passes depends on the numbers that it has free, and what it takes over is taken over
//! once. Each case therefore runs in a process of its own: this program is started again, and
//! `SUNPATH_TEST_ROLE` says what it does.
#![cfg(all(target_os = "linux", feature = "std", feature = "files"))]

mod fresh;
mod skip;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, io};

use sunpath::activation::{self, Activation, PassError};
use sunpath::{Errno, UnixListener, UnixStream};

const ROLE: &str = "SUNPATH_TEST_ROLE";

/// The arguments with which this program plays a role and prints what it has to say.
const ARGUMENTS: [&str; 3] = ["--exact", "pass_role", "--nocapture"];

fn say(line: impl AsRef<str>) {
    println!("said: {}", line.as_ref());
}

/// Not a test by itself: the tests start this program again, and this function does what they ask.
#[test]
fn pass_role() {
    let Ok(role) = env::var(ROLE) else { return };
    // libtest prints "test ... " without an end of line before this.
    println!();
    match role.as_str() {
        "tell" => tell(),
        "three" => three(),
        "low numbers" => low_numbers(),
        "none" => {
            // SAFETY: the variable is read by no other thread.
            unsafe { env::set_var("LISTEN_FDS", "1") };
            let none: [(&str, File); 0] = [];
            run(activation::pass(env::current_exe().unwrap(), &none).unwrap());
        }
        "failures" => failures(),
        "replaced" => replaced(),
        other => panic!("{other}"),
    }
}

/// Plays a role in a process without other descriptors than the first three, and returns what it said.
fn play(role: &str) -> Vec<String> {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(ARGUMENTS).env(ROLE, role);
    let close = || {
        for fd in 3..256 {
            // SAFETY: F_SETFD takes an int; a number that is not open is EBADF.
            unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes system calls alone.
    unsafe { command.pre_exec(close) };
    let output = command.output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(output.status.success(), "{out}{err}");
    let said = out.lines().filter_map(|line| line.strip_prefix("said: "));
    said.map(str::to_owned).collect()
}

/// Starts this program as the one that is passed the descriptors, and waits for its end.
fn run(mut command: Command) {
    let status = command.args(ARGUMENTS).env(ROLE, "tell").status().unwrap();
    assert!(status.success(), "{status}");
}

fn inode(fd: impl AsFd) -> u64 {
    let file = File::from(fd.as_fd().try_clone_to_owned().unwrap());
    file.metadata().unwrap().ino()
}

fn inode_of(number: RawFd) -> u64 {
    // SAFETY: the caller has a descriptor with this number.
    inode(unsafe { BorrowedFd::borrow_raw(number) })
}

/// The flags of a descriptor; -1 if the number is not open.
fn flags(number: RawFd) -> libc::c_int {
    // SAFETY: F_GETFD has no argument.
    unsafe { libc::fcntl(number, libc::F_GETFD) }
}

fn tell() {
    say(format!("pidfd {:?}", env::var("LISTEN_PIDFDID").ok()));
    // SAFETY: everything that this program opens is close-on-exec.
    let passed = unsafe { Activation::take() }.unwrap();
    if let Some(reason) = passed.not_passed() {
        say(reason.to_string());
    }
    for passed in passed {
        let (number, name) = (passed.as_raw_fd(), passed.name().escape_ascii());
        say(format!("{number} {name} {}", inode_of(number)));
    }
    // Nothing else was inherited.
    let open = fs::read_dir("/proc/self/fd").unwrap();
    let numbers = open.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let numbers: BTreeSet<RawFd> = numbers.map(|number| number.parse().unwrap()).collect();
    let inherited = numbers.range(3..).filter(|number| flags(**number) == 0);
    say(format!("inherited {}", inherited.count()));
}

/// Opens three different files. Their numbers are 3, 4 and 5.
fn files() -> [File; 3] {
    let dir = fresh::dir();
    ["a", "b", "c"].map(|name| File::create(dir.path().join(name)).unwrap())
}

fn three() {
    let files = files();
    let dir = fresh::dir();
    let listener = UnixListener::bind(dir.path().join("a.sock")).unwrap();
    let fds = [
        ("web", listener.as_fd()),
        ("state file", files[2].as_fd()),
        ("web", files[0].as_fd()),
    ];
    let mut command = activation::pass(env::current_exe().unwrap(), &fds).unwrap();
    for (number, (name, fd)) in (3..).zip(&fds) {
        say(format!("{number} {name} {}", inode(fd)));
    }
    // It may be used again, and its environment too.
    command.args(ARGUMENTS).env_clear().env(ROLE, "tell");
    for _ in 0..2 {
        assert!(command.status().unwrap().success());
    }
    // Another child has none of them.
    let mut other = Command::new(env::current_exe().unwrap());
    let status = other.args(ARGUMENTS).env(ROLE, "tell").status().unwrap();
    assert!(status.success());
    // This process has them as before.
    for (file, number) in files.iter().zip(3..) {
        assert_eq!((file.as_raw_fd(), inode(file)), (number, inode_of(number)));
        assert_eq!(flags(number), libc::FD_CLOEXEC);
    }
    drop(command);
    assert_eq!(fs::read_dir("/proc/self/fd").unwrap().count(), 3 + 4 + 1);
}

#[test]
fn pass_gives_every_descriptor_its_number_and_its_name() {
    let said = play("three");
    let expected = &said[..3];
    assert!(expected[0].starts_with("3 web "), "{said:?}");
    assert!(expected[1].starts_with("4 state file "), "{said:?}");
    for child in [&said[3..8], &said[8..13]] {
        assert_eq!((&*child[0], &child[1..4]), ("pidfd None", expected));
        assert_eq!(child[4], "inherited 0");
    }
    let other = ["pidfd None", "LISTEN_FDS is not set", "inherited 0"];
    assert_eq!(said[13..], other);
}

/// Every order of three descriptors that have the numbers 3, 4 and 5 themselves.
fn low_numbers() {
    let files = files();
    assert_eq!(files.each_ref().map(AsRawFd::as_raw_fd), [3, 4, 5]);
    // The variable of this program's own manager.
    // SAFETY: no other thread reads the environment.
    unsafe { env::set_var("LISTEN_PIDFDID", "1") };
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        let fds = order.map(|i| ("x", &files[i]));
        for (number, (_, file)) in (3..).zip(&fds) {
            say(format!("{number} x {}", inode(file)));
        }
        run(activation::pass(env::current_exe().unwrap(), &fds).unwrap());
    }
    // One of the numbers is free.
    let [first, second, third] = files;
    drop(first);
    let fds = [("x", &third), ("x", &second), ("x", &third)];
    for (number, (_, file)) in (3..).zip(&fds) {
        say(format!("{number} x {}", inode(file)));
    }
    run(activation::pass(env::current_exe().unwrap(), &fds).unwrap());
}

#[test]
fn pass_of_descriptors_with_the_same_numbers_does_not_mix_them() {
    let said = play("low numbers");
    assert_eq!(said.len(), 7 * 8);
    for case in said.chunks(8) {
        assert_eq!((&*case[3], &case[4..7]), ("pidfd None", &case[..3]));
        assert_eq!(case[7], "inherited 0");
    }
}

#[test]
fn pass_of_no_descriptor_leaves_no_variable() {
    let said = play("none");
    assert_eq!(said, ["pidfd None", "LISTEN_FDS is not set", "inherited 0"]);
}

/// An argument that is longer than what execve(2) takes.
fn too_long() -> String {
    "x".repeat(200_000)
}

fn failures() {
    let [a, b, c] = files();
    let fds = [("a", &c), ("b", &b), ("c", &a)];
    let mut command = activation::pass("true", &fds).unwrap();
    let error = command.arg(too_long()).spawn().unwrap_err();
    say(format!("spawn {:?}", Errno::from_io_error(&error)));
    let error = activation::pass("true", &fds).unwrap().exec();
    say(format!("exec {:?}", Errno::from_io_error(&error)));
    for (file, number) in [&a, &b, &c].into_iter().zip(3..) {
        assert_eq!(inode(file), inode_of(number));
        assert_eq!(file.metadata().unwrap().len(), 0);
    }
    let mut command = activation::pass("/nobody/is/here", &fds).unwrap();
    let status = command.stderr(Stdio::null()).status().unwrap();
    say(format!("missing {status}"));
    // Neither a copy nor a number is free.
    let limit = libc::rlimit {
        rlim_cur: 6,
        rlim_max: 6,
    };
    // SAFETY: the pointer is to a live rlimit.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
    let error = activation::pass("true", &fds).unwrap_err();
    say(format!("limit {error}"));
}

#[test]
fn pass_that_fails_reports_it_and_leaves_the_descriptors_alone() {
    let said = play("failures");
    let expected = [
        "spawn Some(E2BIG)",
        "exec Some(EPERM)",
        "missing exit status: 127",
        "limit fcntl: EINVAL (invalid argument)",
    ];
    assert_eq!(said, expected);
}

/// The pipe or socket by which std reports an error gets the numbers of files that were closed since.
fn replaced() {
    let [a, b, c] = files();
    let passed = c.try_clone().unwrap();
    let mut command = activation::pass("true", &[("a", &passed); 3]).unwrap();
    drop((a, b, c));
    for _ in 0..2 {
        let error = command.spawn().unwrap_err();
        say(format!("closed {:?}", Errno::from_io_error(&error)));
        command.arg(too_long()); // and if the shell cannot be executed
    }
    assert_eq!(passed.metadata().unwrap().len(), 0);
    // Files that are opened there do not matter, because std does not report through them.
    let [a, b, c] = files();
    let mut command = activation::pass("true", &[("a", &passed); 3]).unwrap();
    drop((a, b, c));
    let others = files();
    say(format!("opened {}", command.status().unwrap()));
    // Numbers that are free are held, so that std does not get them.
    drop((command, others));
    let mut command = activation::pass("true", &[("a", &passed); 3]).unwrap();
    let error = command.arg(too_long()).spawn().unwrap_err();
    say(format!("free {:?}", Errno::from_io_error(&error)));
    assert_eq!(passed.metadata().unwrap().len(), 0);
}

#[test]
fn pass_where_stds_own_channel_got_a_number_is_refused() {
    let said = play("replaced");
    let expected = [
        "closed Some(EBUSY)",
        "closed Some(EBUSY)",
        "opened exit status: 0",
        "free Some(E2BIG)",
    ];
    assert_eq!(said, expected);
}

#[test]
fn pass_takes_names_that_systemd_takes() {
    let [a, _] = UnixStream::pair().map(|(a, b)| [a, b]).unwrap();
    let pass = |name: &str| activation::pass("true", &[("first", &a), (name, &a)]).map(drop);
    for name in [
        "x",
        "a b",
        " ",
        "~",
        "a.socket",
        &"n".repeat(254),
        &"n".repeat(255),
    ] {
        assert_eq!(pass(name), Ok(()), "{name:?}");
    }
    let wrong = Err(PassError::Name { index: 1 });
    for name in [
        "",
        ":",
        "a:b",
        "\n",
        "a\x1f",
        "\x7f",
        "\0",
        "é",
        &"n".repeat(256),
    ] {
        assert_eq!(pass(name), wrong, "{name:?}");
    }
    let error = io::Error::from(pass("").unwrap_err());
    let text =
        "the name of descriptor 1 is not 1 to 255 printable ASCII characters without a colon";
    assert_eq!(
        (error.kind(), error.to_string()),
        (io::ErrorKind::InvalidInput, text.to_owned())
    );
}

/// A bus that listens at `systemd:` alone has no other socket than the one that we pass.
#[test]
fn pass_to_a_message_bus_serves_clients() {
    let dir = fresh::dir();
    let path = dir.path().join("bus");
    let config = dir.path().join("bus.conf");
    let text = "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" \
        \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n\
        <busconfig><listen>systemd:</listen></busconfig>\n";
    fs::write(&config, text).unwrap();
    let listener = UnixListener::bind(&path).unwrap();
    let mut command = activation::pass("dbus-daemon", &[("bus", &listener)]).unwrap();
    let mut option = std::ffi::OsString::from("--config-file=");
    option.push(&config);
    command
        .arg(option)
        .args(["--nofork", "--nopidfile", "--nosyslog"]);
    let mut bus = command.stderr(Stdio::piped()).spawn().unwrap();
    // The shell ends if the program is not installed. The bus ends only when it is killed.
    drop((command, listener));
    let answer = authenticate(&path);
    bus.kill().unwrap();
    let status = bus.wait().unwrap();
    let mut said = String::new();
    let stderr = bus.stderr.take().unwrap();
    BufReader::new(stderr).read_line(&mut said).unwrap();
    if status.code() == Some(127) {
        return skip::skip_uninstalled(&format!("dbus-daemon: {said}"));
    }
    let answer = answer.unwrap();
    assert!(answer.starts_with("OK "), "{answer}, {status}, {said}");
}

/// Connects to a bus as this process's user, and returns its first answer.
fn authenticate(path: &Path) -> io::Result<String> {
    let stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    // SAFETY: the call takes no arguments and cannot fail.
    let digits = unsafe { libc::geteuid() }.to_string().into_bytes();
    let hex: String = digits.iter().map(|digit| format!("{digit:x}")).collect();
    stream.write_all(format!("\0AUTH EXTERNAL {hex}\r\n").as_bytes())?;
    let mut answer = String::new();
    BufReader::new(&stream).read_line(&mut answer)?;
    Ok(answer)
}
