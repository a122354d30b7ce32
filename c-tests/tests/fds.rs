//! Passes descriptors to programs in C and Python, and receives descriptors from them. The tests
//! use each descriptor: one side writes, the other side reads the same bytes, and both share one
//! file offset.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::io::{IoSliceMut, Read, Seek};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::process::{Child, Command};
use std::sync::Mutex;
use std::time::Duration;

use sunpath::ancillary::{Control, ControlBuffer, ControlStorage, Rights};
use sunpath::fd::IoSlice;
use sunpath::socket::Kind;
use sunpath::{Datagram, Error, Seqpacket, Socket, Stream};
use sunpath_c_tests::c;
use sunpath_c_tests::lane::{self, FreshDir, installed, unless_descriptors};

/// The time after which the test stops waiting for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The lock by which the tests run one after the other, because they count descriptors.
static ALONE: Mutex<()> = Mutex::new(());

const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/partners/fds.py");

/// A function that returns the command of the C program or the Python program.
type Program = fn() -> Command;

/// The running program, and our end of the socket pair whose other end is its stdin.
struct Partner<T: Kind> {
    child: Child,
    socket: Socket<T>,
}

impl<T: Kind> Partner<T> {
    fn new(program: Program, verb: &str, counts: &[usize]) -> Self {
        let (socket, theirs) = Socket::<T>::pair().expect("descriptors are free");
        let patience = Some(PATIENCE);
        socket.set_read_timeout(patience).expect("it can be set");
        let mut command = program();
        command.arg(verb);
        command.args(counts.iter().map(usize::to_string));
        let child = command.stdin(OwnedFd::from(theirs)).spawn();
        let child = child.expect("the partner runs");
        Self { child, socket }
    }

    /// Tells the partner to continue. The partner waits for that before each answer, so that its
    /// answers do not run together on a stream.
    fn ask(&self) {
        self.socket.send_all(b"?", &[]).expect("the partner waits");
    }

    /// Returns the next message of the partner, which has no descriptors.
    fn answer(&self) -> String {
        let mut buf = [0; 4096];
        let buffer: &mut [u8] = &mut [];
        let message = self
            .socket
            .recvmsg(&mut [IoSliceMut::new(&mut buf)], buffer)
            .expect("the partner answers");
        String::from_utf8_lossy(&buf[..message.len()]).into_owned()
    }

    fn ends_well(mut self) {
        assert!(self.child.wait().expect("it is ours").success());
    }
}

impl<T: Kind> Drop for Partner<T> {
    fn drop(&mut self) {
        // `kill` and `wait` fail only if the program has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn open_count() -> usize {
    fs::read_dir("/proc/self/fd")
        .expect("/proc is there")
        .count()
}

/// Makes this many empty files.
fn files(dir: &FreshDir, count: usize) -> Vec<File> {
    let new = |number| {
        let path = dir.path().join(format!("{number}"));
        File::create_new(path).expect("the fresh directory can be written to")
    };
    (0..count).map(new).collect()
}

/// Returns whether each file contains its index. The file offset is checked, too, because passed
/// descriptors share it.
fn have_their_numbers(dir: &FreshDir, files: &mut [File]) -> bool {
    (0..).zip(files).all(|(number, file): (usize, _)| {
        let path = dir.path().join(format!("{number}"));
        let text = fs::read_to_string(path).expect("it is there");
        let offset = file.stream_position().expect("a file has one");
        text == number.to_string() && offset == text.len() as u64
    })
}

/// A function that sends descriptors by one method.
type Send<T> = fn(&Socket<T>, &[BorrowedFd<'_>]) -> Result<(), Error>;

/// Sends files by each of these methods. The partner writes into the files that it gets.
fn partner_takes<T: Kind>(program: Program) {
    let before = open_count();
    let sends: [(usize, Send<T>); 4] = [
        (1, |to, fds| to.send_fd(fds[0])),
        (1, |to, fds| to.send_fds(b"one", fds)),
        (253, |to, fds| to.send_fds(b"most", fds)),
        (6, |to, fds| {
            let (two, four) = (Control::Rights(&fds[..2]), Control::Rights(&fds[2..]));
            to.sendmsg(&[IoSlice::new(b"two")], &[two, four]).map(drop)
        }),
    ];
    let partner = Partner::<T>::new(program, "take", &[sends.len()]);
    for (count, send) in sends {
        let dir = FreshDir::new();
        let mut files = files(&dir, count);
        let fds: Vec<_> = files.iter().map(AsFd::as_fd).collect();
        send(&partner.socket, &fds).expect("they are sent");
        assert_eq!(partner.answer(), format!("{count} "));
        assert!(have_their_numbers(&dir, &mut files));
    }
    partner.ends_well();
    assert_eq!(open_count(), before);
}

/// Asserts that each file contains what the partner has written into it, and that reading it has
/// moved the partner's file offset.
fn are_those_of_the_partner<T: Kind>(
    partner: &Partner<T>,
    given: impl IntoIterator<Item = OwnedFd>,
) {
    let mut offsets = String::new();
    for (number, fd) in given.into_iter().enumerate() {
        // SAFETY: F_GETFD has no argument.
        let flags = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFD) };
        assert_eq!(flags, libc::FD_CLOEXEC);
        let mut text = String::new();
        File::from(fd).read_to_string(&mut text).expect("a file");
        assert_eq!(text, number.to_string());
        offsets += &format!("{} ", text.len());
    }
    partner.ask();
    assert_eq!(partner.answer(), offsets);
}

/// Asks for the next message, and receives it and its `count` descriptors into this buffer.
fn receive<T: Kind>(
    partner: &Partner<T>,
    count: usize,
    buffer: impl ControlStorage,
) -> Vec<OwnedFd> {
    let mut buf = [0; 8];
    let bufs = &mut [IoSliceMut::new(&mut buf)];
    partner.ask();
    let message = partner.socket.recvmsg(bufs, buffer).expect("they come");
    assert_eq!(message.len(), 1);
    let mut control = message.into_control().expect("all of them arrived");
    assert_eq!(control.rights().len(), count);
    control.rights().collect()
}

/// Receives files from the partner by each of these methods.
fn partner_gives<T: Kind>(program: Program) {
    let before = open_count();
    let partner = Partner::<T>::new(program, "give", &[1, 3, 1, 1, 2, 2, 253, 253]);

    partner.ask();
    let fd = partner.socket.recv_fd().expect("one arrives");
    are_those_of_the_partner(&partner, [fd]);

    partner.ask();
    let (received, fds) = partner
        .socket
        .recv_fds::<3>(&mut [0; 8])
        .expect("they come");
    assert_eq!(received.len(), 1);
    are_those_of_the_partner(&partner, fds);

    for count in [1, 2, 253] {
        let mut buffer = ControlBuffer::<Rights<253>>::new();
        are_those_of_the_partner(&partner, receive(&partner, count, &mut buffer));

        let mut buffer = [0; 2048];
        are_those_of_the_partner(&partner, receive(&partner, count, &mut buffer[..]));
    }
    partner.ends_well();
    assert_eq!(open_count(), before);
}

fn exchanges_with(program: Program) {
    // This limit is more than the descriptors that are open while 253 are passed.
    if unless_descriptors(512) {
        return;
    }
    let _alone = ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    partner_takes::<Stream>(program);
    partner_takes::<Seqpacket>(program);
    partner_takes::<Datagram>(program);
    partner_gives::<Stream>(program);
    partner_gives::<Seqpacket>(program);
    partner_gives::<Datagram>(program);
}

#[test]
fn fds_go_to_a_c_program_and_come_from_it() {
    exchanges_with(|| lane::under(&c::program("fds")));
}

#[test]
fn fds_go_to_a_python_program_and_come_from_it() {
    if installed("python3") {
        exchanges_with(|| {
            let mut python = Command::new("python3");
            python.arg(PYTHON);
            python
        });
    }
}
