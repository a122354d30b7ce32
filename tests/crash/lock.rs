//! Tests in which the lock of `ReplaceStale` passes to another process while a program asks for it,
//! at each of its calls.

use std::cell::{Cell, RefCell};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use sunpath::{Bound, Errno, Existing, UnixListener};

use crate::supervisor::{Asked, FSTATAT, Fate, Story, descriptors_of, run};
use crate::{Before, Case, Scene, Wanted, alone, serve};

const CASE: Case = Case {
    policy: Existing::ReplaceStale,
    before: Before::Nothing,
    wanted: Wanted::Any,
};

/// The socket and the lock of another process, or `None` after that process has ended.
type Holder = RefCell<Option<Bound<UnixListener>>>;

fn bind(scene: &Scene) -> Bound<UnixListener> {
    CASE.options().listen(&scene.path).unwrap()
}

/// Runs the program once for each of its calls, while another process holds the lock. Before that
/// call `meddle` changes the situation, and at the end `check` gets the result.
fn at_each_call(meddle: impl Fn(&Scene, &Holder), mut check: impl FnMut(&Story, &str)) {
    for at in 0.. {
        let scene = Scene::new(CASE);
        let before = descriptors_of("self");
        let holder = RefCell::new(Some(bind(&scene)));
        let held = &descriptors_of("self") - &before;
        let come = || meddle(&scene, &holder);
        let story = run(Fate::Meddle(at, &come), || {
            // The child closes its copies of the holder's descriptors, because they would hold the
            // lock as well.
            for fd in &held {
                // SAFETY: the call closes copies, which the child does not use.
                unsafe { libc::close(*fd) };
            }
            serve(CASE, &scene.path);
        });
        if story.hit.is_none() {
            break;
        }
        let what = format!("at call {at}: {story:?}");
        check(&story, &what);
        drop(holder);
        assert!(scene.files().is_empty(), "{what}");
    }
}

fn is_before_a_lock(story: &Story) -> bool {
    story.hit == Some(libc::SYS_flock as i32)
}

/// After the program has opened the lock file and before it locks the file, the holder ends, and
/// another process makes and locks a new lock file of the same name. The socket file of the server
/// has been removed, so only the lock shows that the server is running.
#[test]
fn lock_of_another_holder_is_refused() {
    let _alone = alone();
    let another_comes = |scene: &Scene, holder: &Holder| {
        holder.take();
        holder.replace(Some(bind(scene)));
        fs::remove_file(&scene.path).unwrap();
    };
    let mut before_the_lock = 0;
    at_each_call(another_comes, |story, what| {
        assert_eq!(story.bound, Some(Errno::EADDRINUSE.raw()), "{what}");
        before_the_lock += usize::from(is_before_a_lock(story));
    });
    assert_eq!(before_the_lock, 1);
}

/// After the program has opened the lock file and before it locks the file, the holder ends and
/// removes the lock file.
#[test]
fn lock_of_a_holder_that_goes_is_had_by_who_asks_then() {
    let _alone = alone();
    let mut seen = false;
    let goes = |_: &Scene, holder: &Holder| drop(holder.take());
    at_each_call(goes, |story, what| {
        if !seen {
            assert_eq!(story.bound, Some(0), "{what}");
        }
        seen |= is_before_a_lock(story);
    });
    assert!(seen);
}

/// Runs the program while each call that `is_meant` selects fails with `errno`. Returns the errno
/// of bind, and how many of these calls the program made.
fn where_it_fails(is_meant: impl Fn(&Asked) -> bool, errno: i32) -> (Option<i32>, usize) {
    let (scene, tries) = (Scene::new(CASE), Cell::new(0));
    let answer = |asked: &Asked| {
        let meant = is_meant(asked);
        tries.set(tries.get() + usize::from(meant));
        meant.then_some(-i64::from(errno))
    };
    let story = run(Fate::As(&answer), || serve(CASE, &scene.path));
    assert_eq!(story.descriptors[0], story.descriptors[1], "{story:?}");
    (story.bound, tries.get())
}

/// The program tries to take the lock again only if that can help, and otherwise reports the error
/// of the call.
#[test]
fn lock_that_fails_is_the_error_of_the_call() {
    let _alone = alone();
    let locks = |asked: &Asked| asked.nr == libc::SYS_flock;
    let in_use = Errno::EADDRINUSE.raw();
    for (errno, expected, tries) in [
        // Another process has the lock.
        (libc::EAGAIN, in_use, 1),
        // NFS locks a file only if it is open for writing, so the program opens the file for
        // writing and tries once more.
        (libc::EBADF, libc::EBADF, 2),
        (libc::ENOLCK, libc::ENOLCK, 1),
    ] {
        assert_eq!(where_it_fails(locks, errno), (Some(expected), tries));
    }
    let looks = |asked: &Asked| asked.nr == FSTATAT && asked.path(1) == b"a.sock.lock";
    assert_eq!(where_it_fails(looks, libc::EIO).0, Some(libc::EIO));
}

/// After the program has opened the lock file and before it locks the file, the file is removed. In
/// its place there is another lock file, which a killed process has left and nobody holds.
#[test]
fn lock_of_a_file_that_is_gone_is_taken_again() {
    let _alone = alone();
    let (scene, came) = (Scene::new(CASE), Cell::new(false));
    let lock = scene.path.with_extension("sock.lock");
    let answer = |asked: &Asked| {
        if asked.nr == libc::SYS_flock && !came.replace(true) {
            fs::remove_file(&lock).unwrap();
            fs::write(&lock, "").unwrap();
            fs::set_permissions(&lock, Permissions::from_mode(0o1600)).unwrap();
        }
        None
    };
    let story = run(Fate::As(&answer), || serve(CASE, &scene.path));
    assert_eq!(
        (story.bound, story.dropped),
        (Some(0), Some(0)),
        "{story:?}"
    );
    assert!(scene.files().is_empty());
}
