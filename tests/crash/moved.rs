//! The path comes to lead to another directory while a program binds to it, at each of its calls.

use std::cell::Cell;
use std::ffi::CString;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use sunpath::{Bound, Errno, Error, Existing, UnixListener, UnixStream, sys};

use crate::supervisor::{Fate, Phase, Story, run, say};
use crate::{Before, Case, POLICIES, Wanted, alone};

/// Binds, and closes.
fn bind_and_close(case: Case, path: &Path) {
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
    // SAFETY: two paths that end with their NUL.
    let swapped = unsafe { sys::renameat2(at, one.as_ptr(), at, other.as_ptr(), flags) };
    assert_eq!(swapped, 0);
}

/// Two directories change places before one of the calls; a server may live in the second. What the
/// program did, and whether there was such a call.
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
    // Where the server was, is.
    exchange(&first, &second);
    let what = format!("{case:?}, server {with_server}, call {at}: {story:?}");
    let bound = story.bound.unwrap();
    let said = [0, Errno::ESTALE.raw(), Errno::EADDRINUSE.raw()];
    assert!(said.contains(&bound), "{what}");
    let left = |dir: &Path| fs::read_dir(dir).unwrap().count();
    assert_eq!(left(&first), 0, "{what}");
    // A takeover that begins after the change takes the server's place, as it should.
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

/// Where others may rename, one of them puts a link to a directory of ours in the place of the one
/// that we make beside the path, before each of the calls.
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
        // The victim may have a file of the name that ours has at first.
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
    println!("another came {swapped} times");
    assert!(swapped > 20);
}
