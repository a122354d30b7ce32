//! Tests in which another process acts between two calls of the program, or a call is missing.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::Path;

use sunpath::socket::Kind;
use sunpath::{Datagram, Dir, Errno, Existing, Socket, Stream, UnixListener};

use crate::supervisor::{Asked, FSTATAT, Fate, Phase, Story, run, say};
use crate::{Before, Case, Scene, Wanted, alone, assert_reaches, serve};

const REFUSE: Case = Case {
    policy: Existing::Refuse,
    before: Before::Nothing,
    wanted: Wanted::Any,
};

const REPLACE: Case = Case {
    policy: Existing::ReplaceStale,
    before: Before::Stale,
    wanted: Wanted::Any,
};

/// Runs the program of a case while `kernel` answers its system calls: with an errno, or with
/// `None` if the real kernel makes the call.
fn run_on(case: Case, kernel: impl Fn(&Asked, &Scene) -> Option<i32>) -> (Story, Scene) {
    let scene = Scene::new(case);
    let answer = |asked: &Asked| kernel(asked, &scene).map(|errno| -i64::from(errno));
    let story = run(Fate::As(&answer), || serve(case, &scene.path));
    (story, scene)
}

fn renames(asked: &Asked) -> bool {
    matches!(asked.nr, libc::SYS_renameat | libc::SYS_renameat2)
}

/// Returns whether the call opens the working directory to lock it. If that call fails, the program
/// takes no turn.
fn takes_a_turn(asked: &Asked) -> bool {
    asked.nr == libc::SYS_openat && asked.path(1) == b"."
}

/// Before the program removes its file, it renames the file and calls fstatat(2), which fails in
/// this test. The file then gets its name back in one of two ways, unless another file has the name
/// by then.
#[test]
fn between_a_file_that_was_moved_aside_gets_its_name_back_if_it_is_free() {
    let _alone = alone();
    for links in [true, false] {
        for another_comes in [false, true] {
            let (story, scene) = run_on(REFUSE, |asked, scene| match asked.nr {
                _ if takes_a_turn(asked) => Some(libc::EACCES),
                libc::SYS_renameat2 if !links => Some(libc::ENOSYS),
                libc::SYS_linkat if !links => Some(libc::EPERM),
                FSTATAT if asked.path(1).starts_with(b".sunpath-") => {
                    if another_comes {
                        fs::write(&scene.path, "another's").unwrap();
                    }
                    Some(libc::EIO)
                }
                _ => None,
            });
            assert_eq!((story.bound, story.dropped), (Some(0), Some(libc::EIO)));
            let files = scene.files();
            if another_comes {
                assert_eq!(files.len(), 2, "{files:?}");
                assert_eq!(fs::read(&scene.path).unwrap(), b"another's");
            } else {
                assert_eq!(files, ["a.sock"], "links: {links}");
            }
        }
    }
}

/// The drop waits until it gets the directory lock. If the directory cannot be locked, the drop
/// does not wait.
#[test]
fn between_turns_of_others_a_program_waits_for_its_own() {
    let _alone = alone();
    for (errno, waits) in [(libc::EAGAIN, true), (libc::ENOLCK, false)] {
        let (locks, moves) = (Cell::new(0), Cell::new(0));
        let (story, scene) = run_on(REFUSE, |asked, _| {
            moves.set(moves.get() + usize::from(renames(asked)));
            let locked = asked.nr == libc::SYS_flock;
            let earlier = locks.replace(locks.get() + usize::from(locked));
            (locked && (earlier < 3 || !waits)).then_some(errno)
        });
        assert_eq!((story.bound, story.dropped), (Some(0), Some(0)));
        assert!(scene.files().is_empty());
        // With the lock the drop unlinks the file by its name, and then unlocks the directory.
        // Without the lock it first moves the file aside.
        match waits {
            true => assert_eq!((locks.get(), moves.get()), (5, 0)),
            false => assert_eq!((locks.get(), moves.get()), (1, 1)),
        }
    }
}

/// Runs a program that binds a socket below a directory, and returns the errno. `kernel` answers its
/// system calls.
fn bind_below<T: Kind>(
    dir: &Path,
    name: &str,
    kernel: &dyn Fn(&Asked) -> Option<i64>,
) -> Option<i32> {
    let dir = Dir::open(dir).unwrap();
    let story = run(Fate::As(kernel), || {
        let socket = Socket::<T>::new().unwrap();
        say(Phase::Begin, 0);
        let bound = socket.bind_to_at(&dir, name);
        say(
            Phase::Dropped,
            bound.map_or_else(|error| error.errno().raw(), |()| 0),
        );
    });
    story.dropped
}

/// Another process puts another directory at the path right before bind(2). The socket that is
/// bound there is removed, and a file with its name in the directory that was opened is not
/// mistaken for it.
#[test]
fn between_two_directories_a_datagram_socket_is_in_neither() {
    let _alone = alone();
    for name_is_taken in [false, true] {
        let base = crate::fresh::dir();
        let [path, moved] = ["first", "moved"].map(|name| base.path().join(name));
        fs::create_dir(&path).unwrap();
        let bound = bind_below::<Datagram>(&path, "a.sock", &|asked| {
            if asked.nr == libc::SYS_bind {
                fs::rename(&path, &moved).unwrap();
                fs::create_dir(&path).unwrap();
                if name_is_taken {
                    fs::write(moved.join("a.sock"), "another's").unwrap();
                }
            }
            None
        });
        assert_eq!(bound, Some(libc::ESTALE), "{name_is_taken}");
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
        let left = fs::read_dir(&moved).unwrap().count();
        assert_eq!(left, usize::from(name_is_taken));
    }
}

/// The path of a directory can be unknown for a reason that has nothing to do with its length.
#[test]
fn between_a_directory_and_its_path_an_error_is_reported_as_it_is() {
    let _alone = alone();
    let base = crate::fresh::dir();
    let bound = bind_below::<Datagram>(base.path(), "a.sock", &|asked| {
        (asked.nr == libc::SYS_readlinkat).then_some(-i64::from(libc::EACCES))
    });
    assert_eq!(bound, Some(libc::EACCES));
    assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
}

/// A socket whose name is too long for an address is bound under another name, which is renamed, if
/// nothing has the name. If that cannot be found out, nothing is bound.
#[test]
fn between_a_long_name_that_cannot_be_looked_at_nothing_is_bound() {
    let _alone = alone();
    let base = crate::fresh::dir();
    let name = "n".repeat(200);
    let looks = |asked: &Asked| asked.nr == FSTATAT && asked.path(1) == name.as_bytes();
    let bound = bind_below::<Stream>(base.path(), &name, &|asked| {
        looks(asked).then_some(-i64::from(libc::EIO))
    });
    assert_eq!(bound, Some(libc::EIO));
    assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
}

/// Another process takes the name right before the socket gets it. The name is in use, as it is for
/// a name that fits, and the socket's own file is removed.
#[test]
fn between_a_long_name_and_its_file_another_may_take_it() {
    let _alone = alone();
    for links in [false, true] {
        let base = crate::fresh::dir();
        let name = "n".repeat(200);
        let path = base.path().join(&name);
        let bound = bind_below::<Stream>(base.path(), &name, &|asked| {
            if renames(asked) {
                fs::write(&path, "another's").unwrap();
                return links.then_some(-i64::from(libc::ENOSYS));
            }
            None
        });
        assert_eq!(bound, Some(libc::EADDRINUSE), "links: {links}");
        assert_eq!(fs::read(&path).unwrap(), b"another's");
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 1);
    }
    // A failure for another reason is reported, and nothing is left either.
    let base = crate::fresh::dir();
    let bound = bind_below::<Stream>(base.path(), &"n".repeat(200), &|asked| {
        renames(asked).then_some(-i64::from(libc::EIO))
    });
    assert_eq!(bound, Some(libc::EIO));
    assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
}

/// Another process removes the dead file right before one of the calls by which the program removes
/// it.
#[test]
fn between_two_looks_a_dead_file_may_go_away() {
    let _alone = alone();
    type Call = fn(&Asked) -> bool;
    let calls: [Call; 3] = [
        |asked| asked.nr == libc::SYS_openat && asked.path(1) == b"a.sock",
        |asked| asked.nr == FSTATAT && asked.path(1) == b"a.sock",
        |asked| renames(asked) && asked.path(1) == b"a.sock",
    ];
    for is_meant in calls {
        let gone = Cell::new(false);
        let (story, scene) = run_on(REPLACE, |asked, scene| {
            if !gone.get() && is_meant(asked) {
                fs::remove_file(&scene.path).unwrap();
                gone.set(true);
            }
            None
        });
        assert!(gone.get());
        assert_eq!(
            (story.bound, story.dropped),
            (Some(0), Some(0)),
            "{story:?}"
        );
        assert!(scene.files().is_empty());
    }
}

/// The file is dead when the program first looks at it, and belongs to a server when it is moved
/// aside.
#[test]
fn between_two_looks_a_server_may_come() {
    let _alone = alone();
    let servers = RefCell::new(Vec::new());
    let (story, scene) = run_on(REPLACE, |asked, scene| {
        if renames(asked) && servers.borrow().is_empty() && asked.path(1) == b"a.sock" {
            fs::remove_file(&scene.path).unwrap();
            let server = UnixListener::bind(&scene.path).unwrap();
            servers.borrow_mut().push(server);
        }
        None
    });
    assert_eq!(story.bound, Some(Errno::EADDRINUSE.raw()), "{story:?}");
    assert_reaches(&scene.path, &servers.borrow()[0]);
    assert_eq!(scene.files(), ["a.sock"]);
}

/// A server's file that cannot be replaced by one call stays, unless the kernel cannot swap two
/// names.
#[test]
fn between_two_servers_an_exchange_that_fails_leaves_the_old_one() {
    let _alone = alone();
    let case = Case {
        policy: Existing::Takeover,
        before: Before::Live,
        wanted: Wanted::Any,
    };
    let (story, scene) = run_on(case, |asked, _| {
        let exchanges =
            asked.nr == libc::SYS_renameat2 && asked.args[4] == u64::from(libc::RENAME_EXCHANGE);
        exchanges.then_some(libc::EIO)
    });
    assert_eq!(story.bound, Some(libc::EIO), "{story:?}");
    assert_reaches(&scene.path, scene.live.as_ref().unwrap());
    assert_eq!(scene.files(), ["a.sock"]);
}

/// bind returns the error of the call that fails if a dead file cannot be moved aside, or if the
/// program cannot find out whether the kernel can tell a dead socket from a live one.
#[test]
fn between_two_looks_a_call_that_fails_is_the_error() {
    let _alone = alone();
    let (story, scene) = run_on(REPLACE, |asked, _| {
        (renames(asked) && asked.path(1) == b"a.sock").then_some(libc::EIO)
    });
    assert_eq!(story.bound, Some(libc::EIO), "{story:?}");
    assert_eq!(scene.files(), ["a.sock"]);

    let connects = Cell::new(0);
    let (story, scene) = run_on(REPLACE, |asked, _| {
        connects.set(connects.get() + usize::from(asked.nr == libc::SYS_connect));
        (asked.nr == libc::SYS_connect && connects.get() == 2).then_some(libc::EIO)
    });
    assert_eq!(story.bound, Some(libc::EIO), "{story:?}");
    assert_eq!(scene.files(), ["a.sock"]);
}

/// The file is renamed to the path, and then fstatat(2) of it fails.
#[test]
fn between_a_rename_and_the_end_a_look_that_fails_is_the_error() {
    let _alone = alone();
    let case = Case {
        wanted: Wanted::ModeAmongOthers,
        ..REFUSE
    };
    let (renamed, failed) = (Cell::new(false), Cell::new(false));
    let (story, scene) = run_on(case, |asked, _| {
        renamed.set(renamed.get() || renames(asked));
        let looks = asked.nr == FSTATAT && asked.path(1) == b"a.sock";
        (renamed.get() && looks && !failed.replace(true)).then_some(libc::EIO)
    });
    assert_eq!(story.bound, Some(libc::EIO), "{story:?}");
    assert!(scene.files().is_empty());
}
