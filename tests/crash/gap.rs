//! Tests of a second starter that runs while the first one is stopped at one of its system calls,
//! for example between the proof that a file is dead and its removal.

use std::cell::RefCell;

use sunpath::files::Lock;
use sunpath::{BindOptions, Bound, Errno, Error, Existing, UnixListener};

use crate::supervisor::{Fate, run};
use crate::{Before, Case, Scene, Wanted, alone, assert_reaches, serve};

const FIRST: Case = Case {
    policy: Existing::ReplaceStale,
    before: Before::Stale,
    wanted: Wanted::Any,
};

/// Runs the second starter before each call that the first starter makes until it is bound. Returns
/// how often the second starter got the path.
fn second_wins(second: BindOptions) -> usize {
    let mut wins = 0;
    for at in 0.. {
        let scene = Scene::new(FIRST);
        let started = RefCell::new(None::<Result<Bound<UnixListener>, Error>>);
        let start = || {
            started.replace(Some(second.listen(&scene.path)));
        };
        let story = run(Fate::Meddle(at, &start), || serve(FIRST, &scene.path));
        let what = format!("at call {at}: {story:?}");
        if story.hit.is_none() || story.hit_after_bound {
            break;
        }
        match started.into_inner().unwrap() {
            Ok(second) => {
                assert_eq!(story.bound, Some(Errno::EADDRINUSE.raw()), "{what}");
                assert!(second.is_in_place().unwrap(), "{what}");
                assert_reaches(&scene.path, &second);
                wins += 1;
            }
            Err(error) => {
                assert_eq!(error.errno(), Errno::EADDRINUSE, "{what}");
                assert_eq!((story.bound, story.dropped), (Some(0), Some(0)), "{what}");
            }
        }
        assert!(scene.files().is_empty(), "{what}");
    }
    wins
}

/// A second starter with the same options is refused if it runs after the first starter has taken
/// the lock. If it runs before that, it binds to the path, and the first starter is refused.
#[test]
fn gap_of_a_first_starter_is_closed_by_the_lock() {
    let _alone = alone();
    let wins = second_wins(BindOptions::new().existing(Existing::ReplaceStale));
    // Before the lock is taken, the first starter calls openat and getrandom, socket, openat of the
    // lock file, and flock.
    assert!((1..=6).contains(&wins), "{wins}");
}

/// Without the lock, and with plain bind(2), the second starter can take the path while the first
/// one is stopped. Then the first starter is refused.
#[test]
fn gap_of_a_first_starter_has_one_winner_without_a_lock() {
    let _alone = alone();
    let unlocked = BindOptions::new()
        .existing(Existing::ReplaceStale)
        .lock(Lock::None);
    assert!(second_wins(unlocked) > 0);
    assert!(second_wins(BindOptions::new()) > 0);
}
