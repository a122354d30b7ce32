//! Tests of descriptors that this process passes to a program that it starts.
//!
//! How a process passes descriptors depends on which descriptors are open, and a process can take
//! over passed descriptors only once. Each case therefore runs in a process of its own: the test
//! starts this program again, and `SUNPATH_TEST_ROLE` names the role that it plays.
#![cfg(all(target_os = "linux", feature = "std", feature = "files"))]

mod fresh;
mod skip;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, io};

use sunpath::activation::{self, Activation, PassError};
use sunpath::{Errno, UnixListener, UnixStream};

const ROLE: &str = "SUNPATH_TEST_ROLE";

/// The arguments with which this program plays a role and prints the result.
const ARGUMENTS: [&str; 3] = ["--exact", "pass_role", "--nocapture"];

fn say(line: impl AsRef<str>) {
    println!("said: {}", line.as_ref());
}

/// This function is not a test by itself. The tests start this program again, and this function
/// plays the role that they name.
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
            // SAFETY: no other thread reads the variable.
            unsafe { env::set_var("LISTEN_FDS", "1") };
            let none: [(&str, File); 0] = [];
            run(&none);
        }
        "failures" => failures(),
        "replaced" => replaced(),
        other => panic!("{other}"),
    }
}

/// Plays a role in a process that has no descriptors except the first three. Returns the lines that
/// it printed by `say`.
fn play(role: &str) -> Vec<String> {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(ARGUMENTS).env(ROLE, role);
    let close = || {
        for fd in 3..256 {
            // SAFETY: F_SETFD takes an int, and reports EBADF if the descriptor is not open.
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

/// Passes the descriptors to this program, started again in the role `tell`, and waits until it
/// ends.
fn run<F: AsFd>(fds: &[(&str, F)]) {
    let mut command = this_program();
    activation::pass(&mut command, fds).unwrap();
    let status = command.status().unwrap();
    assert!(status.success(), "{status}");
}

/// Returns the command that starts this program in the role `tell`, in which it prints what was
/// passed.
fn this_program() -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(ARGUMENTS).env(ROLE, "tell");
    command
}

fn inode(fd: impl AsFd) -> u64 {
    let file = File::from(fd.as_fd().try_clone_to_owned().unwrap());
    file.metadata().unwrap().ino()
}

fn inode_of(number: RawFd) -> u64 {
    // SAFETY: the caller guarantees that this descriptor is open.
    inode(unsafe { BorrowedFd::borrow_raw(number) })
}

/// Returns the flags of a descriptor, or -1 if the descriptor is not open.
fn flags(number: RawFd) -> libc::c_int {
    // SAFETY: F_GETFD has no argument.
    unsafe { libc::fcntl(number, libc::F_GETFD) }
}

fn tell() {
    say(format!("pidfd {:?}", env::var("LISTEN_PIDFDID").ok()));
    let variables = env::vars_os().map(|(name, _)| name.into_string().unwrap());
    say(format!(
        "variables {}",
        variables.collect::<BTreeSet<_>>().len()
    ));
    // SAFETY: everything that this program opens is close-on-exec.
    let passed = unsafe { Activation::take() }.unwrap();
    if let Some(reason) = passed.not_passed() {
        say(reason.to_string());
    }
    for passed in passed {
        let (number, name) = (passed.as_raw_fd(), passed.name().escape_ascii());
        say(format!("{number} {name} {}", inode_of(number)));
    }
    // Any other descriptor without close-on-exec was inherited by mistake.
    let open = fs::read_dir("/proc/self/fd").unwrap();
    let numbers = open.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let numbers: BTreeSet<RawFd> = numbers.map(|number| number.parse().unwrap()).collect();
    let inherited = numbers.range(3..).filter(|number| flags(**number) == 0);
    say(format!("inherited {}", inherited.count()));
}

/// Opens three different files, whose descriptors are 3, 4 and 5.
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
    for (number, (name, fd)) in (3..).zip(&fds) {
        say(format!("{number} {name} {}", inode(fd)));
    }
    let mut command = this_program();
    // The environment of the command is changed before the call, and has to stay changed. The
    // command is run twice.
    command
        .env("x", "x")
        .env_clear()
        .env(ROLE, "tell")
        .env("y", "y");
    activation::pass(&mut command, &fds).unwrap();
    for _ in 0..2 {
        assert!(command.status().unwrap().success());
    }
    // Another child gets none of the descriptors.
    assert!(this_program().status().unwrap().success());
    // This process still has its descriptors, unchanged and with the same flags.
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
    for child in [&said[3..9], &said[9..15]] {
        // The variables are the role, y, and the three of systemd's protocol.
        assert_eq!(child[..2], ["pidfd None", "variables 5"]);
        assert_eq!((&child[2..5], &*child[5]), (expected, "inherited 0"));
    }
    assert_eq!(said[15], "pidfd None");
    assert_eq!(said[17..], ["LISTEN_FDS is not set", "inherited 0"]);
}

/// Passes the descriptors 3, 4 and 5 of this process, in every order.
fn low_numbers() {
    let files = files();
    assert_eq!(files.each_ref().map(AsRawFd::as_raw_fd), [3, 4, 5]);
    // This variable is from this program's own manager, and must not reach the child.
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
        run(&fds);
    }
    // Now one of the three descriptors is free.
    let [first, second, third] = files;
    drop(first);
    let fds = [("x", &third), ("x", &second), ("x", &third)];
    for (number, (_, file)) in (3..).zip(&fds) {
        say(format!("{number} x {}", inode(file)));
    }
    run(&fds);
}

#[test]
fn pass_of_descriptors_with_the_same_numbers_does_not_mix_them() {
    let said = play("low numbers");
    assert_eq!(said.len(), 7 * 9);
    for case in said.chunks(9) {
        assert_eq!((&*case[3], &case[5..8]), ("pidfd None", &case[..3]));
        assert_ne!(case[4], "variables 5", "it inherits the others");
        assert_eq!(case[8], "inherited 0");
    }
}

#[test]
fn pass_of_no_descriptor_leaves_no_variable() {
    let said = play("none");
    assert_eq!(said[0], "pidfd None");
    assert_eq!(said[2..], ["LISTEN_FDS is not set", "inherited 0"]);
}

/// Returns an argument that is longer than execve(2) allows.
fn too_long() -> String {
    "x".repeat(200_000)
}

/// Returns a command that passes these three descriptors and fails, because an argument is too
/// long.
fn passing(program: &str, fds: [&File; 3]) -> Command {
    let mut command = Command::new(program);
    // `PATH` is reduced to these directories, because an ordinary user may not search every
    // directory of root's `PATH`.
    command.arg(too_long()).env("PATH", "/usr/bin:/bin");
    activation::pass(&mut command, &fds.map(|fd| ("a", fd))).unwrap();
    command
}

fn failures() {
    let [a, b, c] = &files();
    let dir = fresh::dir();
    let directory = dir.path().to_str().unwrap();
    let text = dir.path().join("text");
    fs::write(&text, "no program").unwrap();
    let fail = |program: &str| {
        let error = passing(program, [c, b, a]).spawn().unwrap_err();
        say(format!(
            "spawn {:?}",
            error.raw_os_error().map(Errno::from_raw)
        ));
    };
    fail("true"); // The execution fails, because the argument is too long.
    fail("/nobody/is/here");
    fail("nobody-is-here");
    fail("/dev/null/x");
    fail(directory);
    fail(text.to_str().unwrap());
    let error = passing("true", [c, b, a]).exec();
    say(format!(
        "exec {:?}",
        error.raw_os_error().map(Errno::from_raw)
    ));
    for (file, number) in [a, b, c].into_iter().zip(3..) {
        assert_eq!(inode(file), inode_of(number));
        assert_eq!(
            (file.metadata().unwrap().len(), flags(number)),
            (0, libc::FD_CLOEXEC)
        );
    }
    let limit = libc::rlimit {
        rlim_cur: 6,
        rlim_max: 6,
    };
    // SAFETY: the pointer is to a live rlimit.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
    let error = activation::pass(&mut Command::new("true"), &[("a", a); 3]).unwrap_err();
    say(format!("limit {error}"));
}

#[test]
fn pass_that_fails_reports_it_and_leaves_the_descriptors_alone() {
    let said = play("failures");
    let expected = [
        "spawn Some(E2BIG)",
        "spawn Some(ENOENT)",
        "spawn Some(ENOENT)",
        "spawn Some(ENOENT)",
        "spawn Some(EACCES)",
        "spawn Some(EACCES)",
        "exec Some(EPERM)",
        "limit fcntl: EINVAL (invalid argument)",
    ];
    assert_eq!(said, expected);
}

/// Tries twice to spawn a program with an argument that is too long, which fails, and then spawns a
/// program that starts. std reports a failed execution through a pipe or socket of its own. Here
/// the files 3, 4 and 5 were closed, so std's pipe gets descriptors that are also positions of
/// passed descriptors.
fn replaced() {
    let [a, b, c] = files();
    let passed = c.try_clone().unwrap();
    let mut command = passing("true", [&passed; 3]);
    drop((a, b, c));
    for _ in 0..2 {
        let error = command.spawn().unwrap_err();
        say(format!(
            "spawn {:?}",
            error.raw_os_error().map(Errno::from_raw)
        ));
        assert_eq!(passed.metadata().unwrap().len(), 0);
    }
    run(&[("x", &passed); 3]);
}

#[test]
fn pass_under_the_numbers_of_stds_own_report_keeps_the_report() {
    let said = play("replaced");
    assert_eq!(said[..2], ["spawn Some(E2BIG)"; 2]);
    assert_eq!(said.last().unwrap(), "inherited 0");
    assert_eq!(said.len(), 2 + 6);
}

/// The program is found as a shell finds it, in the `PATH` of the new process.
#[test]
fn pass_searches_the_program_in_its_path() {
    let dir = fresh::dir();
    let [first, second] = ["first", "second"].map(|name| dir.path().join(name));
    let file = File::open("/dev/null").unwrap();
    let status_of = |program: &str, path: &str| {
        let mut command = Command::new(program);
        let command = command.env("PATH", path).current_dir(dir.path());
        activation::pass(command, &[("a", &file)]).unwrap();
        let status = command.status();
        status
            .map(|status| status.code())
            .map_err(|error| error.kind())
    };
    let status = |path: &str| status_of("program", path);
    // The programs are links. A program that was just written could not be executed while a child
    // of another test has it open.
    for (place, program) in [(&first, "/bin/true"), (&second, "/bin/false")] {
        fs::create_dir(place).unwrap();
        symlink(program, place.join("program")).unwrap();
    }
    let (here, there) = (first.display(), second.display());
    assert_eq!(status(&format!("{here}:{there}")), Ok(Some(0)));
    assert_eq!(status(&format!("{there}:{here}")), Ok(Some(1)));
    // A program whose name contains a slash is not searched in `PATH`.
    assert_eq!(status_of("first/program", &format!("{there}")), Ok(Some(0)));
    // A relative directory in `PATH` starts at the working directory of the new process.
    assert_eq!(status("second"), Ok(Some(1)));
    assert_eq!(status(""), Err(io::ErrorKind::NotFound));
    symlink("/bin/false", dir.path().join("program")).unwrap();
    assert_eq!(status(""), Ok(Some(1)));
    // A program that may not be executed is skipped. The error is reported only if no other program
    // is found.
    fs::remove_file(first.join("program")).unwrap();
    fs::create_dir(first.join("program")).unwrap();
    assert_eq!(status(&format!("{here}:{there}")), Ok(Some(1)));
    assert_eq!(
        status(&format!("{here}:/nobody")),
        Err(io::ErrorKind::PermissionDenied)
    );
}

#[test]
fn pass_refuses_a_nul() {
    let file = File::open("/dev/null").unwrap();
    let mut command = Command::new("true");
    command.env("x", "\0");
    let error = activation::pass(&mut command, &[("a", &file)]).unwrap_err();
    assert_eq!((error, error.errno()), (PassError::Nul, Errno::EINVAL));
    for mut command in [Command::new("\0"), Command::new("true")] {
        activation::pass(command.arg("\0"), &[("a", &file)]).unwrap();
        let error = command.spawn().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}

#[test]
fn pass_takes_names_that_systemd_takes() {
    let [a, _] = UnixStream::pair().map(|(a, b)| [a, b]).unwrap();
    let pass = |name: &str| {
        let mut command = Command::new("true");
        activation::pass(&mut command, &[("first", &a), (name, &a)])
    };
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

/// A bus whose only address is `systemd:` has no other socket than the socket that we pass.
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
    let mut command = Command::new("dbus-daemon");
    let mut option = std::ffi::OsString::from("--config-file=");
    option.push(&config);
    command
        .arg(option)
        .args(["--nofork", "--nopidfile", "--nosyslog"]);
    activation::pass(&mut command, &[("bus", &listener)]).unwrap();
    let mut bus = match command.stderr(Stdio::piped()).spawn() {
        Ok(bus) => bus,
        Err(error) => return skip::skip_uninstalled(&format!("dbus-daemon: {error}")),
    };
    drop((command, listener));
    let answer = authenticate(&path);
    // The bus ends only when it is killed.
    bus.kill().unwrap();
    let status = bus.wait().unwrap();
    let mut said = String::new();
    let stderr = bus.stderr.take().unwrap();
    BufReader::new(stderr).read_line(&mut said).unwrap();
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
