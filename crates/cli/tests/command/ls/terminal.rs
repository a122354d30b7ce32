//! `sunpath ls` on a terminal.

use std::fs::File;
use std::io::Read;
use std::process::Stdio;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use sunpath::UnixListener;

use super::{Killed, fresh};
use crate::{run, sunpath};

/// Opens a new terminal, and returns the end that reads what is printed, and the end that is printed to.
pub(crate) fn terminal() -> (File, File) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let path = ptsname(&ours, Vec::new()).unwrap();
    let theirs = File::options()
        .read(true)
        .write(true)
        .open(path.to_str().unwrap())
        .unwrap();
    (File::from(ours), theirs)
}

/// What is printed to a terminal, as it comes.
pub(crate) struct Printed {
    pub(crate) pieces: Receiver<String>,
}

impl Printed {
    /// Reads in a thread of its own, so that a test fails if nothing is printed.
    pub(crate) fn to(mut terminal: File) -> Self {
        let (sender, pieces) = mpsc::channel();
        thread::spawn(move || {
            let mut buf = [0; 4096];
            // The read fails when the other end is closed.
            while let Ok(len) = terminal.read(&mut buf) {
                let piece = String::from_utf8_lossy(&buf[..len]).into_owned();
                if sender.send(piece).is_err() {
                    break;
                }
            }
        });
        Self { pieces }
    }

    /// Reads until the text is there, and a line has ended after it.
    fn until(&self, text: &str) -> String {
        let mut seen = String::new();
        loop {
            match seen.split_once(text) {
                Some((_, after)) if after.contains('\n') => return seen,
                _ => {}
            }
            match self.pieces.recv_timeout(Duration::from_secs(60)) {
                Ok(piece) => seen += &piece,
                Err(error) => panic!("{error}: no {text} in {seen:?}"),
            }
        }
    }
}

#[test]
fn ls_on_a_terminal_has_colour_and_elsewhere_not() {
    let dir = fresh();
    let path = dir.path().join("a.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    let (ours, theirs) = terminal();
    let printed = Printed::to(ours);
    let mut command = sunpath(["ls"]);
    command
        .arg(&path)
        .env("TERM", "xterm")
        .stdout(Stdio::from(theirs));
    assert!(command.status().unwrap().success());
    drop(command);
    let seen = printed.until(path.to_str().unwrap());
    assert!(
        seen.contains("\x1b[1m") && seen.contains("KIND"),
        "{seen:?}"
    );
    // `run` fails if there is a control character.
    assert_eq!(run(sunpath(["ls"]).arg(&path)).status, 0);
}

#[test]
fn ls_watch_shows_the_list_again_and_marks_what_is_new() {
    let dir = fresh();
    let name = |name: &str| dir.path().join(name);
    let _first = UnixListener::bind(name("a.sock")).unwrap();
    let (ours, theirs) = terminal();
    let printed = Printed::to(ours);
    let child = sunpath(["ls", "--watch"])
        .arg(dir.path())
        .stdout(Stdio::from(theirs))
        .spawn();
    let _child = Killed(child.unwrap());
    let seen = printed.until("a.sock");
    assert!(!seen.contains('+'), "{seen:?}");
    let _second = UnixListener::bind(name("b.sock")).unwrap();
    let seen = printed.until("b.sock");
    let lines = seen.split('\n').filter(|line| line.contains("b.sock"));
    let marked: Vec<_> = lines.filter(|line| line.contains("+ stream")).collect();
    assert_eq!(marked.len(), 1, "{seen:?}");
}

#[test]
fn ls_watch_without_a_terminal_is_refused() {
    let ran = run(&mut sunpath(["ls", "--watch"]));
    let text = "sunpath: --watch needs a terminal as standard output\n";
    assert_eq!((ran.status, ran.err.as_str()), (2, text));
    assert_eq!(run(&mut sunpath(["ls", "--watch", "--json"])).status, 2);
}
