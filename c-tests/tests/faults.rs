//! Uses sockets in the usual ways, in C, over `sunpath-sys` and over `sunpath`, and lets strace(1)
//! make each system call fail once. Each call and errno has a test, whose name is
//! `lane::way::call.nth=errno`. The test runs a program in a fresh directory.
//!
//! The program must report the failure, unless it repeated the call. The safe layer never reports
//! EINTR, because it repeats an interrupted call. The program does not panic, leaves no descriptor
//! open, and removes every file that it made.
//!
//! `SUNPATH_LONG=1` tries more errnos, and also makes the calls fail from then on (`=errno+`).

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod lanes;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(target_os = "linux")]
mod linux {
    use std::env;
    use std::fs;
    use std::process::{ExitCode, Output};

    use libtest_mimic::{Arguments, Completion, Failed, Trial};
    use sunpath::UnixStream;
    use sunpath_c_tests::lane::{FreshDir, Lane, command, installed};

    use crate::lanes::lanes_of;

    const WAYS: [&str; 9] = [
        "stream",
        "datagram",
        "seqpacket",
        "descriptor",
        "batch",
        "identity",
        "pidfd",
        "autobind",
        "at",
    ];

    /// The calls that mark the beginning and the end of a way.
    const MARKER: &str = "dup(-1)";

    /// Calls that are not made to fail. close(2): strace would skip the call, but a real close(2)
    /// closes the descriptor even if it fails. fcntl(2): std makes it in debug builds before it
    /// closes a descriptor. The other calls cannot fail, or they ask for memory. On 32-bit systems
    /// some calls have another name.
    const LEFT_ALONE: [&str; 18] = [
        "brk",
        "close",
        "fcntl",
        "fcntl64",
        "getegid",
        "getegid32",
        "geteuid",
        "geteuid32",
        "getgid",
        "getgid32",
        "getpid",
        "getuid",
        "getuid32",
        "madvise",
        "mmap",
        "mmap2",
        "mprotect",
        "munmap",
    ];

    /// Calls that a signal may interrupt. `recv` and `send` are separate calls in socketcall(2).
    const INTERRUPTIBLE: [&str; 12] = [
        "accept4", "connect", "open", "openat", "recv", "recvfrom", "recvmmsg", "recvmsg", "send",
        "sendmmsg", "sendmsg", "sendto",
    ];

    /// A call of a way, and its position among the calls of the same name, in the way and in the
    /// whole process.
    #[derive(Clone)]
    struct Call {
        name: String,
        in_way: usize,
        in_process: usize,
        /// The number of calls of this name that the whole process makes. A fault with `+` lasts
        /// until the process ends.
        of: usize,
    }

    pub(crate) fn main() -> ExitCode {
        let arguments = Arguments::from_args();
        if !installed("strace") {
            let absent = || Ok(Completion::ignored_with("strace is not installed"));
            let trial = Trial::ignorable_test("strace", absent);
            return libtest_mimic::run(&arguments, vec![trial]).exit_code();
        }
        let long = env::var_os("SUNPATH_LONG").is_some();
        let has_pidfd = UnixStream::pair().is_ok_and(|(ours, _)| ours.peer_pidfd().is_ok());
        if !has_pidfd {
            println!("not run: faults::pidfd: needs SO_PEERPIDFD");
        }
        let mut trials = Vec::new();
        for lane in lanes_of("faults") {
            let (mut count, before) = (0, trials.len());
            for way in WAYS.into_iter().filter(|way| has_pidfd || *way != "pidfd") {
                let calls = calls(lane, way);
                count += calls.len();
                for call in calls {
                    trials.extend(trials_of(lane, way, &call, long));
                }
            }
            if !arguments.list {
                let faults = trials.len() - before;
                let name = lane.name;
                println!("{name}: {count} calls, {faults} faults");
            }
        }
        libtest_mimic::run(&arguments, trials).exit_code()
    }

    /// Returns the calls of a way that can fail.
    fn calls(lane: &Lane, way: &str) -> Vec<Call> {
        let dir = FreshDir::new();
        let output = strace(&dir, &[], lane, way);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} {way}: {said}", lane.name);
        let names: Vec<_> = said.lines().map(name_of).collect();
        let marks = said.lines().enumerate();
        let marks: Vec<_> = marks.filter(|(_, line)| line.starts_with(MARKER)).collect();
        let [(from, _), (to, _)] = marks[..] else {
            panic!("{} {way}: not two markers in {said}", lane.name);
        };
        let times = |name, names: &[&str]| names.iter().filter(|other| **other == name).count();
        (from + 1..to)
            .filter(|at| !LEFT_ALONE.contains(&names[*at]))
            .map(|at| Call {
                name: names[at].to_owned(),
                in_way: times(names[at], &names[from..=at]),
                in_process: times(names[at], &names[..=at]),
                of: times(names[at], &names),
            })
            .collect()
    }

    /// Returns `bind` for `bind(3, ...) = 0`.
    fn name_of(line: &str) -> &str {
        line.split_once('(').map_or("", |(name, _)| name)
    }

    fn strace(dir: &FreshDir, arguments: &[&str], lane: &Lane, way: &str) -> Output {
        let mut command = command("strace", dir);
        // The sanitizer's leak check cannot run in a process that is traced.
        command.env("ASAN_OPTIONS", "detect_leaks=0");
        command.args(arguments).args((lane.command)("faults"));
        command.arg(way).output().expect("strace runs")
    }

    fn errnos(call: &str, long: bool) -> Vec<&'static str> {
        let mut errnos = Vec::new();
        if INTERRUPTIBLE.contains(&call) {
            errnos.push("EINTR");
        }
        if long {
            errnos.extend([
                "EAGAIN", "ENOBUFS", "ENOMEM", "EMFILE", "ENFILE", "EPERM", "EIO",
            ]);
        } else {
            errnos.push(match call {
                "accept4" | "open" | "openat" | "socket" | "socketpair" => "EMFILE",
                "recv" | "recvfrom" | "recvmmsg" | "recvmsg" => "EAGAIN",
                "send" | "sendmmsg" | "sendmsg" | "sendto" => "ENOBUFS",
                _ => "ENOMEM",
            });
        }
        errnos
    }

    fn trials_of(lane: &'static Lane, way: &'static str, call: &Call, long: bool) -> Vec<Trial> {
        let mut trials = Vec::new();
        for errno in errnos(&call.name, long) {
            // A call that always fails with EINTR would be retried forever, so EINTR is injected
            // only once.
            let for_good = if long && errno != "EINTR" {
                &["", "+"][..]
            } else {
                &[""]
            };
            for plus in for_good {
                let name = format!(
                    "{}::{way}::{}.{}={errno}{plus}",
                    lane.name, call.name, call.in_way
                );
                let call = call.clone();
                trials.push(Trial::test(name, move || {
                    check(lane, way, &call, errno, plus)
                }));
            }
        }
        trials
    }

    /// Runs a way in which one call fails.
    fn check(lane: &Lane, way: &str, call: &Call, errno: &str, plus: &str) -> Result<(), Failed> {
        let Call {
            name,
            in_process,
            of,
            ..
        } = call;
        let dir = FreshDir::new();
        let fault = format!("inject={name}:error={errno}:when={in_process}{plus}");
        let trace = format!("trace={name}");
        let output = strace(&dir, &["-e", &trace, "-e", &fault], lane, way);
        let log = String::from_utf8_lossy(&output.stderr);
        let said = String::from_utf8_lossy(&output.stdout);
        let wrong = |what: &str| Err(format!("{what}: {said}{log}{}", output.status).into());
        if !log.contains("(INJECTED)") {
            return wrong("the call was not made");
        }
        let Some((answer, leaked)) = said.trim_end().split_once(", leaked ") else {
            return wrong("no answer");
        };
        if output.status.code() != Some(i32::from(answer != "ok")) {
            return wrong("its exit status is not what it printed");
        }
        if leaked != "0" {
            return wrong("a descriptor stays open");
        }
        let calls = log.lines().filter(|line| name_of(line) == name).count();
        if answer == "ok" && calls <= *of {
            return wrong("success, though the call failed and was not made again");
        }
        if answer != "ok" && answer != errno {
            return wrong("another errno");
        }
        if errno == "EINTR" && answer != "ok" {
            return wrong("an interrupted call is not made again");
        }
        let left = fs::read_dir(dir.path())?.count();
        if left > 0 && !name.starts_with("unlink") {
            return wrong("a file stays");
        }
        Ok(())
    }
}
