//! Tests of descriptors that were passed by `systemd-socket-activate`, or by a shell that does the
//! same.
//!
//! Passed descriptors are always 3, 4 and so on, and a process takes them over once. Each case
//! therefore runs in a process of its own: the test starts this program again, and
//! `SUNPATH_TEST_ROLE` names the role that it plays.
#![cfg(all(target_os = "linux", feature = "std", feature = "files"))]

mod fresh;
mod skip;

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{self, Child, Command, Stdio};
use std::thread;

use sunpath::activation::{Activation, ActivationError, NotPassed, Passed, Variables};
use sunpath::socket::Connected;
use sunpath::{
    Listener, Seqpacket, Socket, Stream, UnixDatagram, UnixListener, UnixSeqpacket, UnixStream,
};

const ROLE: &str = "SUNPATH_TEST_ROLE";

fn take() -> Result<Activation<'static>, ActivationError> {
    // SAFETY: everything that this program opens is close-on-exec.
    unsafe { Activation::take() }
}

/// This function is not a test by itself. The tests start this program again, and this function
/// plays the role that they name.
#[test]
fn activation_role() {
    let Ok(role) = env::var(ROLE) else { return };
    // libtest prints "test ... " without an end of line before this.
    println!();
    match role.as_str() {
        "tell" => tell(),
        "serve stream" => serve::<Stream>(),
        "serve seqpacket" => serve::<Seqpacket>(),
        "receive" => {
            let passed = take().unwrap().next().unwrap();
            say(format!("name {}", passed.name().escape_ascii()));
            let socket: UnixDatagram = passed.into_socket().unwrap();
            let received = socket.recv(&mut [0; 8]).unwrap();
            say(format!("received {}", received.len()));
        }
        "descriptor" => {
            let mut passed = take().unwrap();
            let (first, second) = (passed.next().unwrap(), passed.next().unwrap());
            say(format!("borrowed {}", first.as_fd().as_raw_fd()));
            say(format!("first {}", first.into_fd().as_raw_fd()));
            say(format!("second {}", OwnedFd::from(second).as_raw_fd()));
        }
        "used again" => {
            let mut passed = take().unwrap();
            let number = passed.next().unwrap().into_fd().as_raw_fd();
            // This file gets the lowest free descriptor, which is the integer that was closed.
            let own = File::open("/dev/null").unwrap();
            say(format!("passed {number}, own {}", own.as_raw_fd()));
            drop(passed);
            say(format!("open {:?}", [3, 4].map(is_open)));
            say(format!("length {}", own.metadata().unwrap().len()));
        }
        "accepted" => {
            let passed = take().unwrap().next().unwrap();
            say(format!("name {}", passed.name().escape_ascii()));
            let error = passed.into_listener::<Stream>().unwrap_err();
            say(format!("no listener: {error}"));
            let socket: Socket<Stream> = error.into_fd().try_into().unwrap();
            say(format!("socket {}", socket.is_listening().unwrap()));
        }
        "twice" => {
            let first = take().unwrap();
            say(format!("first {}", first.len()));
            say(format!("second {}", take().unwrap_err()));
            let error = std::io::Error::from(take().unwrap_err());
            say(format!("as io::Error {error}"));
            drop(first);
            say(format!("closed {:?}", [3, 4].map(is_open)));
            let _other = File::open("/dev/null").unwrap();
            say(format!("third {}", take().unwrap_err()));
        }
        "race" => {
            let taken = thread::scope(|scope| {
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(take)).collect();
                let results = threads.into_iter().map(|thread| thread.join().unwrap());
                results.collect::<Vec<_>>()
            });
            let errnos = taken.iter().filter_map(|taken| taken.as_ref().err());
            let mut losers: Vec<_> = errnos.map(|error| error.errno()).collect();
            losers.dedup();
            say(format!("winners {}", taken.iter().flatten().count()));
            say(format!("losers {losers:?}"));
        }
        "own" => {
            // This file gets the next descriptor, 4, which `LISTEN_FDS` counts as passed.
            let own = File::open("/dev/null").unwrap();
            say(format!("own {}", own.as_raw_fd()));
            say(take().unwrap_err().to_string());
            say(format!("first is cloexec {}", is_cloexec(3)));
        }
        "pidfd" => {
            let own = pidfd_inode(process::id());
            for (what, id) in [("other", own + 1), ("own", own)] {
                // SAFETY: no other thread reads or writes the environment.
                unsafe { env::set_var("LISTEN_PIDFDID", id.to_string()) };
                let passed = take().unwrap();
                say(format!("{what} {} {}", passed.len(), reason(&passed)));
            }
        }
        "given" => {
            let nothing = take().unwrap();
            say(format!("taken {} {}", nothing.len(), reason(&nothing)));
            let pid = process::id().to_string();
            let mut variables = Variables::new();
            variables.pid = Some(pid.as_bytes());
            variables.fds = Some(b"2");
            variables.names = Some(b"a:b\xff");
            say(format!("counted {}", variables.listen_fds().unwrap()));
            // SAFETY: everything that this program opens is close-on-exec.
            let given = unsafe { Activation::take_from(variables) }.unwrap();
            say(format!("given {} {}", given.len(), reason(&given)));
            for passed in given {
                let name = passed.name().escape_ascii().to_string();
                let shows_it = format!("{passed:?}").contains(&format!("name: \"{name}\""));
                say(format!("name {name}, shown {shows_it}"));
            }
        }
        // This role is a daemon that executes its new version.
        "old version" => {
            let pid = process::id().to_string();
            let mut variables = Variables::new();
            variables.pid = Some(pid.as_bytes());
            variables.fds = Some(b"2");
            // SAFETY: everything that this program opens is close-on-exec.
            let mut passed = unsafe { Activation::take_from(variables) }.unwrap();
            let listener = passed.next().unwrap().into_listener::<Stream>().unwrap();
            let file = passed.next().unwrap();
            listener.set_cloexec(false).unwrap();
            file.set_cloexec(false).unwrap();
            say(format!("cloexec {:?}", [3, 4].map(is_cloexec)));
            let mut next = Command::new(env::current_exe().unwrap());
            next.args(ARGUMENTS).env(ROLE, "tell");
            if env::var_os("LISTEN_PID").is_some_and(|meant| meant != *pid) {
                next.env("LISTEN_PID", pid).env_remove("LISTEN_PIDFDID");
            }
            let error = next.exec();
            panic!("{error}");
        }
        "set_cloexec" => {
            let mut passed = take().unwrap();
            let listener = passed.next().unwrap().into_listener::<Stream>().unwrap();
            for cloexec in [false, true] {
                listener.set_cloexec(cloexec).unwrap();
                say(format!("listener {}", is_cloexec(3)));
                listener.as_socket().set_cloexec(!cloexec).unwrap();
                say(format!("socket {}", is_cloexec(3)));
            }
        }
        _ => panic!("no such role: {role}"),
    }
}

/// Takes the descriptors that were passed, and prints the integer, flag, name and type of each.
fn tell() {
    let variables = || {
        let names = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];
        names.map(|name| env::var(name).ok())
    };
    let before = variables();
    let activation = match take() {
        Ok(activation) => activation,
        Err(error) => return say(format!("{error} ({:?})", error.errno())),
    };
    match activation.not_passed() {
        Some(reason) => say(format!("nothing: {reason}")),
        None => say(format!("len {}", activation.len())),
    }
    for passed in activation {
        let (fd, cloexec) = (passed.as_raw_fd(), is_cloexec(passed.as_raw_fd()));
        let name = passed.name().escape_ascii().to_string();
        say(format!(
            "fd {fd} cloexec {cloexec} \"{name}\" {}",
            kind(passed)
        ));
    }
    say(format!("environment untouched {}", variables() == before));
}

/// Returns what the descriptor is: a listener, a datagram socket, or otherwise the target of its
/// link in /proc.
fn kind(passed: Passed) -> String {
    fn next<T>(
        found: Result<T, sunpath::socket::FromFdError>,
        what: &str,
    ) -> Result<String, OwnedFd> {
        match found {
            Ok(_) => Ok(what.to_owned()),
            Err(error) => Err(error.into_fd()),
        }
    }
    let fd = match next(passed.into_listener::<Stream>(), "listener") {
        Ok(kind) => return kind,
        Err(fd) => fd,
    };
    next(UnixDatagram::try_from(fd), "datagram").unwrap_or_else(|fd| {
        let what = fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())).unwrap();
        what.display().to_string()
    })
}

fn serve<T: Connected>() {
    let passed = take().unwrap().next().unwrap();
    say(format!("name {}", passed.name().escape_ascii()));
    let error = passed.into_socket::<T>().unwrap_err();
    say(format!("no socket: {error}"));
    let wrong = UnixDatagram::try_from(error.into_fd()).unwrap_err();
    say(format!("no datagram: {wrong}"));
    let listener: Listener<T> = wrong.into_fd().try_into().unwrap();
    listener.accept().unwrap();
    say("accepted".to_owned());
}

/// Returns the reason why nothing was passed, without its digits, or "passed".
fn reason(activation: &Activation<'_>) -> String {
    let reason = activation.not_passed();
    let text = reason.map_or("passed".to_owned(), |reason| reason.to_string());
    // The digits are left out, because pids differ from run to run.
    text.replace(|c: char| c.is_ascii_digit(), "")
}

fn say(line: String) {
    println!("said: {line}");
}

fn is_open(fd: RawFd) -> bool {
    // SAFETY: F_GETFD has no argument, and reports EBADF if the descriptor is not open.
    unsafe { libc::fcntl(fd, libc::F_GETFD) >= 0 }
}

fn is_cloexec(fd: RawFd) -> bool {
    // SAFETY: F_GETFD has no argument.
    unsafe { libc::fcntl(fd, libc::F_GETFD) == libc::FD_CLOEXEC }
}

fn pidfd_inode(process: u32) -> u64 {
    // SAFETY: the arguments are integers, so the call accesses no memory.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, process, 0) };
    // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
    let pidfd = File::from(unsafe { OwnedFd::from_raw_fd(fd.try_into().unwrap()) });
    std::os::unix::fs::MetadataExt::ino(&pidfd.metadata().unwrap())
}

/// The arguments with which this program plays a role and prints the result.
const ARGUMENTS: [&str; 3] = ["--exact", "activation_role", "--nocapture"];

fn arguments(command: &mut Command) -> &mut Command {
    command.arg(env::current_exe().unwrap()).args(ARGUMENTS)
}

/// Makes the command start without the descriptors from 3 to 255. The parent of the tests may have
/// passed some of them: `make -j` passes those of its job server.
fn without_other_descriptors(command: &mut Command) {
    let close = || {
        for fd in 3..256 {
            // SAFETY: F_SETFD takes an int, and reports EBADF if the descriptor is not open.
            unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes system calls alone.
    unsafe { command.pre_exec(close) };
}

/// Returns the lines that a process printed by `say`.
fn said(output: &str) -> Vec<&str> {
    output
        .lines()
        .filter_map(|line| line.strip_prefix("said: "))
        .collect()
}

/// Plays a role in a process that has these descriptors as 3 and 4 and these variables, in which
/// `$$` stands for the pid. Returns everything that the process printed.
fn passed(role: &str, fds: [Option<OwnedFd>; 2], variables: &str) -> String {
    let redirect = ["3<&0", "4<&1"]
        .iter()
        .zip(&fds)
        .filter(|(_, fd)| fd.is_some());
    let redirect: Vec<_> = redirect.map(|(redirect, _)| *redirect).collect();
    let script = format!("exec {} 1>&2; {variables} exec \"$@\"", redirect.join(" "));
    let mut command = Command::new("sh");
    command.args(["-c", &script, "sh"]);
    without_other_descriptors(&mut command);
    arguments(&mut command)
        .env(ROLE, role)
        .stderr(Stdio::piped());
    let [first, second] = fds.map(|fd| fd.map_or(Stdio::null(), Stdio::from));
    command.stdin(first).stdout(second);
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

fn listener_and_file() -> [Option<OwnedFd>; 2] {
    let dir = fresh::dir();
    let listener = UnixListener::bind(dir.path().join("a.sock")).unwrap();
    [
        Some(listener.into()),
        Some(File::open("/dev/null").unwrap().into()),
    ]
}

const TWO: &str = "LISTEN_PID=$$ LISTEN_FDS=2";

#[test]
fn activation_takes_every_kind_and_leaves_the_environment() {
    let output = passed(
        "tell",
        listener_and_file(),
        &format!("{TWO} LISTEN_FDNAMES=web:null"),
    );
    assert_eq!(
        said(&output),
        [
            "len 2",
            "fd 3 cloexec true \"web\" listener",
            "fd 4 cloexec true \"null\" /dev/null",
            "environment untouched true",
        ]
    );
}

#[test]
fn activation_descriptors_are_the_numbers_that_were_passed() {
    let output = passed("descriptor", listener_and_file(), TWO);
    assert_eq!(said(&output), ["borrowed 3", "first 3", "second 4"]);
}

#[test]
fn activation_names_may_be_fewer_more_or_empty() {
    let names = |variable: &str| {
        let output = passed("tell", listener_and_file(), &format!("{TWO} {variable}"));
        let names = said(&output)
            .into_iter()
            .filter(|line| line.starts_with("fd "));
        names
            .map(|line| line.split('"').nth(1).unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(""), ["", ""]);
    assert_eq!(names("LISTEN_FDNAMES="), ["", ""]);
    assert_eq!(names("LISTEN_FDNAMES=a"), ["a", ""]);
    assert_eq!(names("LISTEN_FDNAMES=:b"), ["", "b"]);
    assert_eq!(names("LISTEN_FDNAMES=a::c"), ["a", ""]);
    assert_eq!(names("LISTEN_FDNAMES=a:b:c:d"), ["a", "b"]);
    let longest = "n".repeat(255);
    assert_eq!(
        names(&format!("LISTEN_FDNAMES=a:{longest}")),
        ["a", &longest]
    );
}

#[test]
fn activation_of_another_process_or_none_is_nothing_and_says_why() {
    let tells = |variables: &str| {
        let output = passed("tell", listener_and_file(), variables);
        let said = said(&output);
        assert_eq!(said[1], "environment untouched true", "{variables}");
        said[0].to_owned()
    };
    let unset = "nothing: LISTEN_FDS is not set";
    assert_eq!(tells(""), unset);
    assert_eq!(tells("LISTEN_PID=$$"), unset);
    let no_process = "nothing: LISTEN_FDS is set, but LISTEN_PID is not";
    assert_eq!(tells("LISTEN_FDS=2"), no_process);
    let other = |said: String| {
        assert!(said.starts_with("nothing: LISTEN_PID is "), "{said}");
        assert!(said.contains(", but this process is "), "{said}");
    };
    other(tells("LISTEN_PID=1 LISTEN_FDS=2"));
    // A wrapper that forks sets `LISTEN_PID` to the pid of another process. A child that inherits
    // the variables of its parent is in the same situation.
    other(tells(&format!("export {TWO}; (\"$@\") ; exit;")));
}

#[test]
fn activation_from_given_variables_takes_what_a_wrapper_hides() {
    for variables in ["LISTEN_FDS=2", "LISTEN_PID=1 LISTEN_FDS=2"] {
        let output = passed("given", listener_and_file(), variables);
        let said = said(&output);
        assert!(said[0].starts_with("taken 0 LISTEN_"), "{}", said[0]);
        assert_eq!(
            said[1..],
            [
                "counted 2",
                "given 2 passed",
                "name a, shown true",
                r"name b\xff, shown true"
            ]
        );
    }
}

#[test]
fn activation_is_handed_over_to_the_program_that_is_executed() {
    let names = "LISTEN_FDNAMES=web:null";
    // The manager sets the variables, or a wrapper that forks and therefore sets `LISTEN_PID` to
    // its own pid.
    for variables in [
        format!("{TWO} {names}"),
        format!("export {TWO} {names} LISTEN_PIDFDID=1; (\"$@\"); exit;"),
    ] {
        let output = passed("old version", listener_and_file(), &variables);
        assert_eq!(
            said(&output),
            [
                "cloexec [false, false]",
                "len 2",
                "fd 3 cloexec true \"web\" listener",
                "fd 4 cloexec true \"null\" /dev/null",
                "environment untouched true",
            ]
        );
    }
}

#[test]
fn set_cloexec_sets_and_clears_the_flag() {
    let output = passed("set_cloexec", listener_and_file(), TWO);
    assert_eq!(
        said(&output),
        [
            "listener false",
            "socket true",
            "listener true",
            "socket false"
        ]
    );
}

#[test]
fn activation_by_variables_that_are_wrong_is_an_error() {
    let says = |variables: &str| {
        let output = passed("tell", listener_and_file(), variables);
        said(&output)[0].to_owned()
    };
    for count in [
        "",
        "x",
        "0",
        "-1",
        "+2",
        "2x",
        " 2",
        "2147483645",
        "99999999999999999999",
    ] {
        let said = says(&format!("LISTEN_PID=$$ LISTEN_FDS='{count}'"));
        assert_eq!(
            said, "LISTEN_FDS is not a number in range (EINVAL)",
            "{count}"
        );
    }
    let said = says("LISTEN_PID=me LISTEN_FDS=2");
    assert_eq!(said, "LISTEN_PID is not a number in range (EINVAL)");
    let said = says(&format!("{TWO} LISTEN_PIDFDID=-1"));
    assert_eq!(said, "LISTEN_PIDFDID is not a number in range (EINVAL)");
    let said = says(&format!("{TWO} LISTEN_FDNAMES=a:{}", "n".repeat(256)));
    assert_eq!(
        said,
        "LISTEN_FDNAMES has a name of 256 bytes; the longest that is allowed has 255 (EINVAL)"
    );
    // `LISTEN_FDS` counts more descriptors than were passed, up to the largest possible count.
    for count in ["3", "2147483644"] {
        let said = says(&format!("LISTEN_PID=$$ LISTEN_FDS={count}"));
        assert_eq!(
            said,
            "descriptor 5 of LISTEN_FDS: fcntl: EBADF (bad file descriptor) (EBADF)"
        );
    }
}

#[test]
fn activation_happens_once_and_closes_what_nobody_took() {
    let output = passed("twice", listener_and_file(), TWO);
    assert_eq!(
        said(&output),
        [
            "first 2",
            "second the descriptors of LISTEN_FDS were taken over before",
            "as io::Error the descriptors of LISTEN_FDS were taken over before",
            "closed [false, false]",
            "third the descriptors of LISTEN_FDS were taken over before",
        ]
    );
    for _ in 0..20 {
        let output = passed("race", listener_and_file(), TWO);
        assert_eq!(said(&output), ["winners 1", "losers [EALREADY]"]);
    }
}

#[test]
fn activation_closes_a_number_once_that_is_used_again() {
    let output = passed("used again", listener_and_file(), TWO);
    assert_eq!(
        said(&output),
        ["passed 3, own 3", "open [true, false]", "length 0"]
    );
}

#[test]
fn activation_leaves_descriptors_alone_that_this_process_opened() {
    let [listener, _] = listener_and_file();
    let output = passed("own", [listener, None], TWO);
    assert_eq!(
        said(&output),
        [
            "own 4",
            "descriptor 4 of LISTEN_FDS: fcntl: EBUSY (the descriptor is close-on-exec, so it was not inherited)",
            "first is cloexec false",
        ]
    );
}

/// The tests inherit descriptors such as 3 and 4 that are open, for example those of the job server
/// of `make -j`.
#[test]
fn activation_tests_pass_when_they_inherit_descriptors() {
    let mut command = Command::new("sh");
    let inherit = "exec 3</dev/null 4</dev/null 5</dev/null 6</dev/null; exec \"$@\"";
    command.args(["-c", inherit, "sh"]);
    command.arg(env::current_exe().unwrap());
    command.args([
        "--exact",
        "activation_by_variables_that_are_wrong_is_an_error",
    ]);
    command.arg("activation_leaves_descriptors_alone_that_this_process_opened");
    let output = command.output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    assert!(output.contains("2 passed; 0 failed"), "{output}");
}

#[test]
fn activation_of_another_process_with_the_same_number_is_nothing() {
    let mut other = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    let inodes = [other.id(), process::id()].map(pidfd_inode);
    drop(other.stdin.take());
    assert!(other.wait().unwrap().success());
    if inodes[0] == inodes[1] {
        return skip::skip("a kernel whose pidfds have inodes of their own");
    }
    let output = passed("pidfd", listener_and_file(), TWO);
    assert_eq!(
        said(&output),
        [
            "other 0 LISTEN_PIDFDID is , but that of this process is ",
            "own 2 passed"
        ]
    );
}

/// A running `systemd-socket-activate`, which is killed when this value is dropped.
struct Manager(Child);

impl Manager {
    /// Starts the program, and waits until it listens. Returns `None` if the program is not
    /// installed.
    fn start(role: &str, options: &[&str], path: &Path) -> Option<Self> {
        let mut command = Command::new("systemd-socket-activate");
        command
            .args(options)
            .arg("-l")
            .arg(path)
            .arg("-E")
            .arg(format!("{ROLE}={role}"));
        arguments(&mut command)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                skip::skip_uninstalled(&format!("systemd-socket-activate: {error}"));
                return None;
            }
        };
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("Listening on") {
            line.clear();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it ended");
        }
        // The program continues to write to this pipe, so a thread reads it.
        thread::spawn(move || stderr.read_to_end(&mut Vec::new()));
        Some(Self(child))
    }

    /// Waits until the program ends with success, and returns everything that it printed.
    fn output(mut self) -> String {
        let mut output = String::new();
        let mut stdout = self.0.stdout.take().unwrap();
        stdout.read_to_string(&mut output).unwrap();
        assert!(self.0.wait().unwrap().success(), "{output}");
        output
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        // `kill` and `wait` fail only if the program has ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn activation_by_systemd_gives_a_listener() {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let Some(manager) = Manager::start("serve stream", &["--fdname=control"], &path) else {
        return;
    };
    let _client = UnixStream::connect(&path).unwrap();
    assert_eq!(
        said(&manager.output()),
        [
            "name control",
            "no socket: getsockopt: EINVAL (the socket listens)",
            "no datagram: getsockopt: EPROTOTYPE (the socket is of another type)",
            "accepted",
        ]
    );
}

#[test]
fn activation_by_systemd_gives_sequenced_packets() {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let Some(manager) = Manager::start("serve seqpacket", &["--seqpacket"], &path) else {
        return;
    };
    let _client = UnixSeqpacket::connect(&path).unwrap();
    let output = manager.output();
    assert_eq!(said(&output).last(), Some(&"accepted"), "{output}");
}

#[test]
fn activation_by_systemd_gives_datagrams() {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let options = ["--datagram", "--fdname=log"];
    let Some(manager) = Manager::start("receive", &options, &path) else {
        return;
    };
    let client = UnixDatagram::new().unwrap();
    client.connect(&path).unwrap();
    client.send(b"abc").unwrap();
    assert_eq!(said(&manager.output()), ["name log", "received 3"]);
}

#[test]
fn activation_by_systemd_gives_what_it_accepted() {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let Some(mut manager) = Manager::start("accepted", &["--accept"], &path) else {
        return;
    };
    let _client = UnixStream::connect(&path).unwrap();
    // The manager does not end, because it waits for more connections. Its child writes to the same
    // pipe, so the test reads only the lines that it expects.
    let stdout = BufReader::new(manager.0.stdout.take().unwrap());
    let lines = stdout.lines().map(Result::unwrap);
    let said = lines.filter(|line| line.starts_with("said: "));
    // The first word is the name "connection", which systemd 252 does not send.
    let said: Vec<_> = said.skip(1).take(2).collect();
    assert_eq!(
        said,
        [
            "said: no listener: getsockopt: EINVAL (the socket does not listen)",
            "said: socket false",
        ]
    );
}

/// Checks the text of an error in buffers that are one byte too small, exactly as large as the
/// text, and one byte larger.
fn assert_written(shown: &str, write_text: impl Fn(&mut [u8]) -> usize) {
    for space in [shown.len() - 1, shown.len(), shown.len() + 1] {
        let mut buf = vec![0; space];
        assert_eq!(write_text(&mut buf), shown.len());
        let end = shown.len().min(space);
        assert_eq!(&buf[..end], &shown.as_bytes()[..end]);
    }
}

#[test]
fn activation_text_of_an_error_is_written_as_it_is_printed() {
    let other = NotPassed::OtherProcess { pid: 7, own: 8 };
    for error in [NotPassed::NoDescriptors, NotPassed::NoProcess, other] {
        assert_written(&error.to_string(), |buf| error.write_text(buf));
    }
    let named = ActivationError::NameTooLong { len: 256 };
    for error in [ActivationError::Taken, named] {
        assert_written(&error.to_string(), |buf| error.write_text(buf));
    }
}
