//! The lock of `ReplaceStale` changes hands while a program asks for it, at each of its calls.

use std::cell::RefCell;
use std::fs;

use sunpath::{Bound, Errno, Existing, UnixListener};

use crate::supervisor::{Fate, Story, descriptors_of, run};
use crate::{Before, Case, Scene, Wanted, alone, serve};

const CASE: Case = Case {
    policy: Existing::ReplaceStale,
    before: Before::Nothing,
    wanted: Wanted::Any,
};

/// A socket with its lock, or none any more.
type Holder = RefCell<Option<Bound<UnixListener>>>;

fn bind(scene: &Scene) -> Bound<UnixListener> {
    CASE.options().listen(&scene.path).unwrap()
}

/// Runs the program while another process holds the lock, once for each of its calls. Before that
/// call `meddle` changes the situation, and afterwards `check` looks at the result.
fn at_each_call(meddle: impl Fn(&Scene, &Holder), mut check: impl FnMut(&Story, &str)) {
    for at in 0.. {
        let scene = Scene::new(CASE);
        let before = descriptors_of("self");
        let holder = RefCell::new(Some(bind(&scene)));
        let held = &descriptors_of("self") - &before;
        let come = || meddle(&scene, &holder);
        let story = run(Fate::Meddle(at, &come), || {
            // The child's copies would hold the lock as well.
            for fd in &held {
                // SAFETY: closes copies, which the child does not use.
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

/// Between the opening of a lock file and the lock, its holder ends, and another process takes a
/// lock file of the same name. Its socket file has been removed, so that only the lock tells that
/// it is there.
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

/// Between the opening of a lock file and the lock, its holder ends and removes the lock file.
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
