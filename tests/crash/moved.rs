//! The path comes to lead to another directory while a program binds to it, at each of its calls.

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use sunpath::{Bound, Errno, Error, Existing, UnixListener, UnixStream};

use crate::supervisor::{Fate, Phase, Story, run, say};
use crate::{Before, Case, POLICIES, Wanted, alone};

/// Binds, and closes.
fn bind_and_close(case: Case, path: &Path) {
    let errno = |error: Error| error.errno().raw();
    say(Phase::Begin, 0);
    let bound: Result<Bound<UnixListener>, Error> = case.options().bind(path);
    say(
        Phase::Bound,
        bound.as_ref().map_or_else(|e| errno(*e), |_| 0),
    );
    let closed = bound.and_then(Bound::close_and_unlink);
    say(Phase::Dropped, closed.map_or_else(errno, |()| 0));
}

fn exchange(one: &Path, other: &Path) {
    let [one, other] = [one, other].map(|path| CString::new(path.as_os_str().as_bytes()).unwrap());
    let (at, flags) = (libc::AT_FDCWD, libc::RENAME_EXCHANGE);
    // SAFETY: two paths that end with their NUL.
    let swapped = unsafe { libc::renameat2(at, one.as_ptr(), at, other.as_ptr(), flags) };
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
