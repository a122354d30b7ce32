//! Tests in which the path starts to lead to another directory while a program binds to it, before
//! each of its calls.

use std::cell::{Cell, RefCell};
use std::ffi::CString;
use std::fs::{self, Permissions};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use sunpath::{Bound, Dir, Errno, Error, Existing, UnixListener, UnixStream, sys};

use crate::supervisor::{Asked, Fate, Phase, Story, run, say};
use crate::{Before, Case, POLICIES, Wanted, alone};

/// Runs the program, which binds and then closes its listener.
pub(crate) fn bind_and_close(case: Case, path: &Path) {
    let errno = |error: Error| error.errno().raw();
    say(Phase::Begin, 0);
    let bound: Result<Bound<UnixListener>, Error> = case.options().listen(path);
    say(
        Phase::Bound,
        bound.as_ref().map_or_else(|e| errno(*e), |_| 0),
    );
    let closed = bound.and_then(Bound::close_and_unlink);
    say(Phase::Dropped, closed.map_or_else(errno, |()| 0));
}

fn exchange(one: &Path, other: &Path) {
    let [one, other] = [one, other].map(|path| CString::new(path.as_os_str().as_bytes()).unwrap());
    let (at, flags) = (sys::AT_FDCWD, sys::RENAME_EXCHANGE);
    // SAFETY: both pointers are to paths that end with their NUL.
    let swapped = unsafe { sys::renameat2(at, one.as_ptr(), at, other.as_ptr(), flags) };
    assert_eq!(swapped, 0);
}

/// Runs the program, and exchanges two directories before one of its calls. A server may be in the
/// second directory. Returns whether the program makes that many calls.
fn swap(case: Case, at: usize, with_server: bool) -> bool {
    let dir = crate::fresh::dir();
    let [first, second] = ["first", "second"].map(|name| dir.path().join(name));
    fs::create_dir(&first).unwrap();
    fs::create_dir(&second).unwrap();
    let theirs = second.join("a.sock");
    let server = with_server.then(|| UnixListener::bind(&theirs).unwrap());
    let inode = |path: &Path| fs::symlink_metadata(path).map(|file| file.ino()).ok();
    let before = inode(&theirs);

    let path = first.join("a.sock");
    let come = || exchange(&first, &second);
    let story: Story = run(Fate::Meddle(at, &come), || bind_and_close(case, &path));
    if story.hit.is_none() {
        return false;
    }
    // The directories change back, so the server's file is in the second one again.
    exchange(&first, &second);
    let what = format!("{case:?}, server {with_server}, call {at}: {story:?}");
    let bound = story.bound.unwrap();
    let said = [0, Errno::ESTALE.raw(), Errno::EADDRINUSE.raw()];
    assert!(said.contains(&bound), "{what}");
    // After the exchange bind(2) makes the file in the second directory, so binding fails with
    // ESTALE, whether a server is there or not.
    if case.policy == Existing::ReplaceStale && story.hit == Some(libc::SYS_bind as i32) {
        assert_eq!(bound, Errno::ESTALE.raw(), "{what}");
    }
    let left = |dir: &Path| fs::read_dir(dir).unwrap().count();
    assert_eq!(left(&first), 0, "{what}");
    // If the directories change places before a takeover first uses the path, it replaces the
    // server, as it should.
    if bound == 0 && case.policy == Existing::Takeover && with_server && inode(&theirs).is_none() {
        return true;
    }
    assert_eq!(left(&second), usize::from(with_server), "{what}");
    assert_eq!(inode(&theirs), before, "{what}");
    if let Some(server) = server {
        let _client = UnixStream::connect(&theirs).unwrap();
        server.accept().unwrap();
    }
    true
}

#[test]
fn moved_path_at_every_call_takes_nothing_from_others_and_leaves_nothing() {
    let _alone = alone();
    let mut swapped = 0;
    for wanted in [Wanted::Any, Wanted::Mode] {
        for policy in POLICIES {
            for with_server in [false, true] {
                let before = Before::Nothing;
                let case = Case {
                    policy,
                    before,
                    wanted,
                };
                swapped += (0..).take_while(|at| swap(case, *at, with_server)).count();
            }
        }
    }
    println!("the path moved {swapped} times");
    assert!(swapped > 200);
}

/// Runs the program, and lets two directories change places right before bind(2), so the file is
/// made in the second one. Then another file takes its place there, and the program has to leave
/// that file alone.
fn replace_there(wanted: Wanted, put: &dyn Fn(&Path) -> Option<UnixListener>) {
    let dir = crate::fresh::dir();
    let [first, second] = ["first", "second"].map(|name| dir.path().join(name));
    fs::create_dir(&first).unwrap();
    fs::create_dir(&second).unwrap();
    let path = first.join("a.sock");
    let case = Case {
        policy: Existing::Refuse,
        before: Before::Nothing,
        wanted,
    };
    let about = |path: &Path| {
        let file = fs::symlink_metadata(path).unwrap();
        (file.ino(), file.mode(), file.uid(), file.nlink())
    };
    let (is_bound, other) = (Cell::new(false), RefCell::new(None));
    let kernel = |asked: &Asked| {
        if asked.nr == libc::SYS_bind {
            exchange(&first, &second);
            is_bound.set(true);
        } else if is_bound.get() && other.borrow().is_none() {
            fs::remove_file(&path).unwrap();
            let server = put(&path);
            other.replace(Some((server, about(&path))));
        }
        None
    };
    let story = run(Fate::As(&kernel), || bind_and_close(case, &path));
    assert_eq!(story.bound, Some(Errno::ESTALE.raw()), "{story:?}");
    let (_server, before) = other.take().unwrap();
    assert_eq!(about(&path), before, "{story:?}");
    let left = |dir: &Path| fs::read_dir(dir).unwrap().count();
    assert_eq!(left(&second), 0, "{story:?}");
}

#[test]
fn moved_path_leaves_what_took_the_place_of_our_file_there() {
    let _alone = alone();
    let marked = |path: &Path| {
        fs::set_permissions(path, Permissions::from_mode(0o1600)).unwrap();
    };
    let file = |path: &Path| {
        fs::write(path, "precious").unwrap();
        None
    };
    let marked_file = |path: &Path| {
        fs::write(path, "precious").unwrap();
        marked(path);
        None
    };
    let server = |path: &Path| Some(UnixListener::bind(path).unwrap());
    let server_with_two_names = |path: &Path| {
        let server = UnixListener::bind(path).unwrap();
        marked(path);
        fs::hard_link(path, path.with_extension("second")).unwrap();
        Some(server)
    };
    let server_of_another = |path: &Path| {
        let server = UnixListener::bind(path).unwrap();
        chown(path, Some(1), None).unwrap();
        marked(path);
        Some(server)
    };
    replace_there(Wanted::Any, &file);
    replace_there(Wanted::Mode, &file);
    replace_there(Wanted::Mode, &marked_file);
    replace_there(Wanted::Mode, &server);
    replace_there(Wanted::Mode, &server_with_two_names);
    if is_root() {
        replace_there(Wanted::Any, &server_of_another);
        replace_there(Wanted::Mode, &server_of_another);
    }
}

/// In a directory in which others may rename files, another user puts a link in the place of the
/// directory that the program makes beside the path, before each of the calls. The link leads to a
/// directory of the program's own user.
#[test]
fn moved_private_directory_leads_nobody_elsewhere() {
    let _alone = alone();
    let mut swapped = 0;
    for policy in POLICIES {
        let case = Case {
            policy,
            before: Before::Nothing,
            wanted: Wanted::ModeAmongOthers,
        };
        // The directory to which the link leads may have a file with the name that the program
        // first gives to its socket.
        for (at, has_file) in (0..).flat_map(|at| [(at, true), (at, false)]) {
            let dir = crate::fresh::dir();
            let (here, victim) = (dir.path().join("here"), dir.path().join("victim"));
            fs::create_dir(&here).unwrap();
            fs::create_dir(&victim).unwrap();
            fs::set_permissions(&here, Permissions::from_mode(0o777)).unwrap();
            if has_file {
                fs::write(victim.join("s"), "precious").unwrap();
            }
            let mode = || fs::metadata(&victim).unwrap().mode();
            let before = mode();
            let came = Cell::new(false);
            let come = || {
                for entry in fs::read_dir(&here).unwrap().map(Result::unwrap) {
                    if entry.file_type().unwrap().is_dir() {
                        fs::rename(entry.path(), dir.path().join("aside")).unwrap();
                        symlink(&victim, entry.path()).unwrap();
                        came.set(true);
                    }
                }
            };
            let path = here.join("a.sock");
            let story = run(Fate::Meddle(at, &come), || bind_and_close(case, &path));
            if story.hit.is_none() {
                break;
            }
            swapped += usize::from(came.get());
            let what = format!("{case:?}: call {at}: {story:?}");
            let precious = fs::read(victim.join("s")).is_ok_and(|bytes| bytes == b"precious");
            assert_eq!(precious, has_file, "{what}");
            let left = fs::read_dir(&victim).unwrap().count();
            assert_eq!(left, usize::from(has_file), "{what}");
            assert_eq!(mode(), before, "{what}");
        }
    }
    println!("the directories were swapped {swapped} times");
    assert!(swapped > 20);
}

/// The value that the program reports if it has used the directory of another user as its own.
const THEIRS: i32 = -1;

/// Runs the program as root, once for each of its calls. Before that call another user puts a
/// directory of their own in the place of the directory that the program makes in `here`. Root may
/// write to that directory, and must leave it unchanged.
fn put_directory_of_another_user(mode: u32, mode_of_here: u32, program: impl Fn(&Path)) {
    let mut swapped = 0;
    for at in 0.. {
        let dir = crate::fresh::dir();
        let here = dir.path().join("here");
        let (theirs, aside) = (dir.path().join("theirs"), dir.path().join("aside"));
        fs::create_dir(&here).unwrap();
        fs::set_permissions(&here, Permissions::from_mode(mode_of_here)).unwrap();
        fs::create_dir(&theirs).unwrap();
        fs::write(theirs.join("precious"), "").unwrap();
        chown(&theirs, Some(1), None).unwrap();
        fs::set_permissions(&theirs, Permissions::from_mode(mode)).unwrap();
        let place = Cell::new(None);
        let come = || {
            for entry in fs::read_dir(&here).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() {
                    fs::rename(entry.path(), &aside).unwrap();
                    fs::rename(&theirs, entry.path()).unwrap();
                    place.set(Some(entry.path()));
                }
            }
        };
        let found = fs::metadata(&theirs).unwrap();
        let story = run(Fate::Meddle(at, &come), || {
            // SAFETY: umask takes an integer and cannot fail.
            unsafe { libc::umask(0o777) };
            program(&here);
        });
        if story.hit.is_none() {
            break;
        }
        swapped += usize::from(place.take().is_some());
        // The directory may have another name by now, because the program may have renamed this
        // directory instead of the one that it made.
        let places = fs::read_dir(&here)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let theirs: Vec<_> = places
            .chain([theirs])
            .filter(|path| fs::metadata(path).is_ok_and(|file| file.ino() == found.ino()))
            .collect();
        let what = format!("{mode:o}: call {at}: {story:?}");
        let now = fs::metadata(&theirs[0]).unwrap();
        let about = |file: &fs::Metadata| (file.uid(), file.mode() & 0o7777);
        assert_eq!(about(&now), (1, mode), "{what}");
        assert_ne!(story.dropped, Some(THEIRS), "{what}");
        // The modification time of the directory shows that nothing was made in it, not even for an
        // instant.
        let changed = |file: &fs::Metadata| (file.mtime(), file.mtime_nsec());
        assert_eq!(changed(&now), changed(&found), "{what}");
    }
    println!("the directories were swapped {swapped} times");
    assert!(swapped > 1);
}

#[test]
fn moved_private_directory_of_another_user_is_not_used() {
    let _alone = alone();
    if crate::skip::unless_root() {
        return;
    }
    // The directory has the requested mode, or the sticky bit, with which the library marks a new
    // directory, or both, or another mode.
    for mode in [0o700, 0o1000, 0o1700, 0o777] {
        put_directory_of_another_user(mode, 0o777, |here| {
            let case = Case {
                policy: Existing::Refuse,
                before: Before::Nothing,
                wanted: Wanted::ModeAmongOthers,
            };
            bind_and_close(case, &here.join("a.sock"));
        });
        put_directory_of_another_user(mode, 0o755, |here| {
            say(Phase::Begin, 0);
            let made = Dir::private(here.join("run")).map(|dir| fs::File::from(OwnedFd::from(dir)));
            let is_theirs = made.is_ok_and(|dir| dir.metadata().unwrap().uid() != 0);
            say(Phase::Dropped, if is_theirs { THEIRS } else { 0 });
        });
    }
}

/// The file that another process puts in the place of the directory that the program makes beside
/// the path.
#[derive(Clone, Copy, Debug)]
enum Impostor {
    /// The impostor is a symbolic link to a directory.
    Link,
    /// The impostor is a directory of this user with this mode.
    Directory(u32),
}

/// Makes the directory, in which there is no /proc, the root of this process, and sets the umask.
/// An ordinary user enters a user namespace for that. Returns whether it was permitted.
fn enter_without_proc(dir: &Path, umask: libc::mode_t) -> bool {
    // SAFETY: the argument is an integer; the child has one thread.
    if !is_root() && unsafe { libc::unshare(libc::CLONE_NEWUSER) } != 0 {
        return false;
    }
    let root = CString::new(dir.as_os_str().as_bytes()).unwrap();
    // SAFETY: the path ends with a NUL.
    assert_eq!(unsafe { libc::chroot(root.as_ptr()) }, 0);
    std::env::set_current_dir("/").unwrap();
    // SAFETY: umask takes an integer and cannot fail.
    unsafe { libc::umask(umask) };
    true
}

fn is_root() -> bool {
    // SAFETY: the call takes no arguments and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

/// Drops root's privileges in a child, because permissions do not stop root.
fn become_nobody_if_root() {
    if is_root() {
        // SAFETY: the arguments are integers, so the call accesses no memory.
        assert_eq!(unsafe { libc::setresuid(65534, 65534, 65534) }, 0);
    }
}

/// Puts the impostor in the place of the directory that the program makes in `/here`, before each
/// of its calls. The program runs without /proc, and under a umask that takes permissions of the
/// owner.
fn put_before_each_call(impostor: Impostor, mode_of_here: u32, program: impl Fn()) {
    let mut swapped = 0;
    for at in 0.. {
        let dir = crate::fresh::dir();
        let here = dir.path().join("here");
        // Renaming within one directory needs no permission on the renamed file.
        let [victim, aside] = ["victim", "aside"].map(|name| here.join(name));
        fs::create_dir(&here).unwrap();
        fs::create_dir(&victim).unwrap();
        fs::set_permissions(&here, Permissions::from_mode(mode_of_here)).unwrap();
        let mode = match impostor {
            Impostor::Link => 0o755,
            Impostor::Directory(mode) => mode,
        };
        fs::set_permissions(&victim, Permissions::from_mode(mode)).unwrap();
        let ino = fs::metadata(&victim).unwrap().ino();
        let put = Cell::new(None);
        let come = || {
            for entry in fs::read_dir(&here).unwrap().map(Result::unwrap) {
                let is_theirs = [&victim, &aside].contains(&&entry.path());
                if !is_theirs && entry.file_type().unwrap().is_dir() {
                    fs::rename(entry.path(), &aside).unwrap();
                    match impostor {
                        Impostor::Link => symlink("/here/victim", entry.path()).unwrap(),
                        Impostor::Directory(_) => fs::rename(&victim, entry.path()).unwrap(),
                    }
                    put.set(Some(entry.path()));
                }
            }
        };
        let story = run(Fate::Meddle(at, &come), || {
            if enter_without_proc(dir.path(), 0o777) {
                program();
            } else {
                crate::skip::skip("root or a user namespace");
            }
        });
        if story.hit.is_none() {
            break;
        }
        // An ordinary user could not remove this directory with the mode that it has.
        let _ = fs::set_permissions(&aside, Permissions::from_mode(0o700));
        swapped += usize::from(put.take().is_some());
        let what = format!("{impostor:?}: call {at}: {story:?}");
        // The program may have removed the victim, which is empty, or renamed it to the path,
        // because every user who may rename it may also remove it. If it is still there, its mode
        // has to be unchanged.
        let places = fs::read_dir(&here)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let is_victim =
            |path: &PathBuf| fs::symlink_metadata(path).is_ok_and(|file| file.ino() == ino);
        for victim in places.filter(is_victim) {
            let now = fs::metadata(&victim).unwrap().mode();
            assert_eq!(now & 0o7777, mode, "{what}");
            fs::set_permissions(&victim, Permissions::from_mode(0o700)).unwrap();
            assert_eq!(fs::read_dir(&victim).unwrap().count(), 0, "{what}");
        }
    }
    println!("{impostor:?} came {swapped} times");
    assert!(swapped > 1 || !is_root());
}

const IMPOSTORS: [Impostor; 4] = [
    Impostor::Link,
    Impostor::Directory(0o500),
    Impostor::Directory(0o555),
    Impostor::Directory(0o777),
];

#[test]
fn moved_private_directory_without_proc_changes_no_other_mode() {
    let _alone = alone();
    for impostor in IMPOSTORS {
        put_before_each_call(impostor, 0o777, || {
            let case = Case {
                policy: Existing::Refuse,
                before: Before::Nothing,
                wanted: Wanted::ModeAmongOthers,
            };
            bind_and_close(case, Path::new("/here/a.sock"));
        });
    }
}

/// If the program made its socket file in a directory of another user, the program removes the
/// file, even if it may not read that directory.
#[test]
fn moved_private_directory_that_may_not_be_read_keeps_no_file() {
    let _alone = alone();
    put_before_each_call(Impostor::Directory(0o333), 0o777, || {
        become_nobody_if_root();
        let case = Case {
            policy: Existing::Refuse,
            before: Before::Nothing,
            wanted: Wanted::ModeAmongOthers,
        };
        bind_and_close(case, Path::new("/here/a.sock"));
    });
}

#[test]
fn moved_dir_that_is_made_changes_no_other_mode() {
    let _alone = alone();
    for impostor in IMPOSTORS {
        put_before_each_call(impostor, 0o755, || {
            say(Phase::Begin, 0);
            let made = Dir::private("/here/run");
            say(Phase::Dropped, i32::from(made.is_err()));
        });
    }
}
