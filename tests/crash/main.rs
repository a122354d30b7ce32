//! Tests of programs that die or fail. A program that binds, serves a client and closes its
//! listener is killed at every system call that it makes, and each of its calls is made to fail.
//! Many programs start at once, and a server is replaced under load.
//!
//! `cargo test` runs a short selection. `SUNPATH_LONG=1 cargo test --test crash` runs everything.
//!
//! The calls are recognized by their system call numbers. On 32-bit systems the tests know only the
//! numbers that glibc uses on x86, where it makes the calls on sockets by socketcall(2).
#![cfg(all(
    target_os = "linux",
    any(
        target_pointer_width = "64",
        all(target_arch = "x86", target_env = "gnu")
    ),
    feature = "std",
    feature = "files"
))]

mod between;
#[path = "../calls/mod.rs"]
mod calls;
mod daemon;
mod directory;
#[path = "../fresh/mod.rs"]
mod fresh;
mod gap;
mod lacking;
mod lock;
mod moved;
mod page;
mod race;
#[path = "../skip/mod.rs"]
mod skip;
mod supervisor;

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sunpath::{BindOptions, Bound, Errno, Error, Existing, UnixListener, UnixStream};
use tempfile::TempDir;

use supervisor::{FSTATAT, Fate, Phase, Story, run, say};

/// Returns the lock by which the tests run one at a time, because a child has copies of all
/// descriptors.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns whether the user asked for all cases.
fn long() -> bool {
    env::var_os("SUNPATH_LONG").is_some()
}

/// The file that exists at the path when the program begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Nothing,
    /// The file is a dead socket.
    Stale,
    /// The file is a dead socket, and there is the lock file of a killed server.
    Killed,
    /// A server that stays alive is bound to the path.
    Live,
}

const POLICIES: [Existing; 3] = [Existing::Refuse, Existing::ReplaceStale, Existing::Takeover];

/// The mode that the program asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// The program asks for no mode.
    Any,
    /// The program asks for a mode.
    Mode,
    /// The program asks for a mode, in a directory in which others may rename files, so the socket
    /// is made beside the path.
    ModeAmongOthers,
}

/// A directory with the program's path in it, and with files of other programs.
struct Scene {
    dir: TempDir,
    path: PathBuf,
    other: UnixListener,
    live: Option<UnixListener>,
    before: Before,
}

impl Scene {
    fn new(case: Case) -> Self {
        let (dir, before) = (fresh::dir(), case.before);
        if case.wanted == Wanted::ModeAmongOthers {
            fs::set_permissions(dir.path(), Permissions::from_mode(0o777)).unwrap();
        }
        let path = dir.path().join("a.sock");
        fs::write(dir.path().join("precious"), "precious").unwrap();
        let other = UnixListener::bind(dir.path().join("other.sock")).unwrap();
        let live = match before {
            Before::Nothing => None,
            Before::Stale => {
                drop(UnixListener::bind(&path).unwrap());
                None
            }
            Before::Killed => {
                drop(UnixListener::bind(&path).unwrap());
                let lock = dir.path().join("a.sock.lock");
                fs::write(&lock, "").unwrap();
                fs::set_permissions(&lock, Permissions::from_mode(0o1600)).unwrap();
                None
            }
            Before::Live => Some(UnixListener::bind(&path).unwrap()),
        };
        Self {
            dir,
            path,
            other,
            live,
            before,
        }
    }

    /// Returns the names of the files that the program has left, sorted, and asserts that the files
    /// of others are there.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let before = names.len();
        names.retain(|name| name != "precious" && name != "other.sock");
        assert_eq!(before, names.len() + 2, "no file of others is missing");
        names
    }

    /// Asserts that no file of others is missing or changed, and that each server is reachable if
    /// it should be.
    fn check_others(&self) {
        self.files();
        let precious = fs::read(self.dir.path().join("precious")).unwrap();
        assert_eq!(precious, b"precious");
        assert_reaches(&self.dir.path().join("other.sock"), &self.other);
    }
}

#[track_caller]
fn assert_reaches(path: &Path, listener: &UnixListener) {
    let client = UnixStream::connect(path).unwrap();
    client.write(b"x").unwrap();
    listener.set_nonblocking(true).unwrap();
    loop {
        // Connections that earlier checks have made and closed may come first.
        let (server, _) = listener.accept().expect("the connection is here");
        if server.read(&mut [0; 8]).is_ok_and(|n| n == 1) {
            break;
        }
    }
}

/// Runs the program, which binds, serves one client, and closes.
fn serve(case: Case, path: &Path) {
    let errno = |error: Error| error.errno().raw();
    say(Phase::Begin, 0);
    let bound: Result<Bound<UnixListener>, Error> = case.options().listen(path);
    say(
        Phase::Bound,
        bound.as_ref().map_or_else(|e| errno(*e), |_| 0),
    );
    let dropped = bound.and_then(|listener| {
        let served = UnixStream::connect(path).and_then(|client| {
            // Another server may have the path by now, and then no client comes.
            listener.set_nonblocking(true)?;
            let (server, _) = listener.accept()?;
            client.write(b"ping")?;
            server.read(&mut [0; 4])
        });
        served.and(listener.close_and_unlink())
    });
    say(Phase::Dropped, dropped.map_or_else(errno, |()| 0));
}

/// A case: what the program asks for, and what is at its path.
#[derive(Clone, Copy, Debug)]
struct Case {
    policy: Existing,
    before: Before,
    wanted: Wanted,
}

impl Case {
    /// Returns all cases, or in a short run those that differ most.
    fn all() -> impl Iterator<Item = Self> {
        let differs = |case: &Self| match case.wanted {
            Wanted::Any => case.before != Before::Killed,
            Wanted::Mode => true,
            Wanted::ModeAmongOthers => matches!(case.before, Before::Nothing | Before::Live),
        };
        let befores = [Before::Nothing, Before::Stale, Before::Killed, Before::Live];
        let wanted = [Wanted::Any, Wanted::Mode, Wanted::ModeAmongOthers];
        let case = move |wanted, policy| {
            befores.map(|before| Self {
                policy,
                before,
                wanted,
            })
        };
        let policies = move |wanted| POLICIES.map(|policy| case(wanted, policy));
        let cases = wanted.map(policies).into_iter().flatten().flatten();
        cases.filter(move |case| long() || differs(case))
    }

    fn options(self) -> BindOptions {
        let options = BindOptions::new().existing(self.policy);
        match self.wanted {
            Wanted::Any => options,
            Wanted::Mode | Wanted::ModeAmongOthers => options.mode(0o666),
        }
    }

    /// Returns whether bind succeeds.
    fn may_bind(self) -> bool {
        match self.before {
            Before::Nothing => true,
            Before::Stale | Before::Killed => self.policy != Existing::Refuse,
            Before::Live => self.policy == Existing::Takeover,
        }
    }
}

/// Starts the program again, whatever happened to the first one. Asserts that the start succeeds,
/// or is refused if it should be. Only a killed program may leave files, under temporary names.
fn check_fresh_start(scene: &Scene, case: Case) {
    let policy = case.policy;
    scene.check_others();
    let occupied = fs::exists(&scene.path).unwrap();
    // `live` is the server that was bound before the program ran, if the path still leads to it.
    let live = scene.live.as_ref().filter(|_| {
        UnixStream::connect(&scene.path).is_ok_and(|client| {
            client.write(b"x").is_ok()
                && scene.live.as_ref().is_some_and(|live| {
                    live.set_nonblocking(true).unwrap();
                    live.accept().is_ok()
                })
        })
    });
    let fresh: Result<Bound<UnixListener>, Error> = case.options().listen(&scene.path);
    let should = match (live, occupied) {
        (Some(_), _) => policy == Existing::Takeover,
        (None, true) => policy != Existing::Refuse,
        (None, false) => true,
    };
    match fresh {
        Ok(fresh) => {
            assert!(should, "a second one believes that it owns the path");
            assert_reaches(&scene.path, &fresh);
            fresh.close_and_unlink().unwrap();
            assert!(!fs::exists(&scene.path).unwrap());
        }
        Err(error) => {
            assert!(!should, "no fresh start: {error}");
            assert_eq!(error.errno(), Errno::EADDRINUSE);
            if let Some(live) = live {
                assert_reaches(&scene.path, live);
            }
        }
    }
    let left = scene.files();
    let named = |name: &String| name.starts_with(".sunpath-");
    assert!(
        left.iter().filter(|name| named(name)).count() <= 2,
        "{left:?}"
    );
    for file in left.iter().filter(|name| named(name)) {
        // A file that is left under a temporary name is a directory, or the socket of a dead
        // process, or the socket of the live server that was replaced.
        let path = scene.dir.path().join(file);
        assert!(path.is_dir() || scene.live.is_some() || UnixStream::connect(&path).is_err());
    }
    scene.check_others();
}

/// Runs the program undisturbed, and returns how many calls it makes. Asserts that it ends as the
/// case requires and leaves nothing.
fn count_calls(case: Case) -> usize {
    let scene = Scene::new(case);
    let story = run(Fate::Live, || serve(case, &scene.path));
    let bound = story.bound.unwrap();
    if case.may_bind() {
        assert_eq!((bound, story.dropped), (0, Some(0)), "{case:?}");
        let lock = (case.before == Before::Killed && case.policy == Existing::Takeover)
            .then_some("a.sock.lock");
        assert_eq!(scene.files(), Vec::from_iter(lock), "{case:?}");
    } else {
        assert_eq!(bound, Errno::EADDRINUSE.raw(), "{case:?}");
        assert_eq!(story.descriptors[0], story.descriptors[1]);
    }
    story.calls
}

#[test]
fn crash_at_every_call_leaves_what_the_next_start_can_live_with() {
    let _alone = alone();
    let (mut killed, mut twice) = (0, 0);
    for case in Case::all() {
        for at in 0..count_calls(case) {
            let scene = Scene::new(case);
            let story = run(Fate::Kill(at), || serve(case, &scene.path));
            assert!(story.hit.is_some(), "{case:?}: call {at}");
            check_fresh_start(&scene, case);
            killed += 1;
            if !long() {
                continue;
            }
            // The program that starts afterwards is killed as well.
            for again in 0.. {
                let scene = Scene::new(case);
                run(Fate::Kill(at), || serve(case, &scene.path));
                let story = run(Fate::Kill(again), || serve(case, &scene.path));
                check_fresh_start(&scene, case);
                if story.hit.is_none() {
                    break;
                }
                twice += 1;
            }
        }
    }
    println!("killed {killed} times, and {twice} times twice");
    assert!(killed > 200);
}

#[test]
fn crash_of_a_call_is_a_clear_error_and_leaves_nothing() {
    let _alone = alone();
    let mut failed = 0;
    let errnos: &[Errno] = match long() {
        true => &[
            Errno::EINTR,
            Errno::ENOMEM,
            Errno::EMFILE,
            Errno::ENOSPC,
            Errno::EACCES,
        ],
        false => &[Errno::EINTR, Errno::ENOMEM],
    };
    for case in Case::all() {
        let calls = count_calls(case);
        for (at, errno) in (0..calls).flat_map(|at| errnos.iter().map(move |errno| (at, *errno))) {
            let scene = Scene::new(case);
            let there = scene.files();
            let story = run(Fate::Fail(at, errno.raw()), || serve(case, &scene.path));
            if story.hit.is_none() {
                continue;
            }
            let what = format!("{case:?}: {errno:?} at call {at}: {story:?}");
            check_failure(&scene, &story, &there, (case, errno), &what);
            check_fresh_start(&scene, case);
            failed += 1;
        }
    }
    println!("{failed} calls failed");
    assert!(failed > 500);
}

/// Asserts that the program reported the failed call, or succeeded in spite of the failure, and
/// that it left no new file.
fn check_failure(
    scene: &Scene,
    story: &Story,
    there: &[String],
    (case, errno): (Case, Errno),
    what: &str,
) {
    let bound = story.bound.expect(what);
    let said = [0, errno.raw(), Errno::EADDRINUSE.raw()];
    assert!(said.contains(&bound), "{what}");
    if bound == 0 {
        assert!(case.may_bind(), "{what}");
        assert!(said[..2].contains(&story.dropped.expect(what)), "{what}");
        return;
    }
    if bound == Errno::EADDRINUSE.raw() {
        assert!(!case.may_bind(), "{what}");
    }
    assert_eq!(story.descriptors[0], story.descriptors[1], "{what}");
    let mut left = scene.files();
    // A lock file whose lock could not be taken stays, because it may be another program's. A dead
    // socket may have been removed.
    left.retain(|name| name != "a.sock.lock");
    assert!(
        left.iter().all(|name| there.contains(name)),
        "{what}: {left:?}"
    );
    if scene.before == Before::Live {
        assert_eq!(left, ["a.sock"], "{what}");
        assert_reaches(&scene.path, scene.live.as_ref().unwrap());
    }
}

/// Another process replaces the file at the path by its own, before each of the calls. The new file
/// is the socket file of a live server with mode 0600, or a regular file.
#[test]
fn crash_of_another_into_every_instant_takes_nothing_from_it() {
    let _alone = alone();
    let mut meddled = 0;
    for case in Case::all() {
        for at in 0..count_calls(case) {
            for is_server in [true, false] {
                meddled += usize::from(meddle(case, at, is_server));
            }
        }
    }
    println!("another process meddled {meddled} times");
    assert!(meddled > 500);
}

/// Returns whether the call is one of the two before which a process that does not lock the
/// directory can lose its file, see docs/socket-files.md. The first is the fstatat(2) right after
/// bind(2), if no option makes the library mark the file. The second is the unlinkat(2) after the
/// last fstatat(2).
fn is_known_limit(case: Case, story: &Story, is_server: bool) -> bool {
    let is_between = |before: libc::c_long, after: libc::c_long| {
        story.hit_follows == Some(before as i32) && story.hit == Some(after as i32)
    };
    let is_taken_for_ours = is_between(libc::SYS_bind, FSTATAT);
    let is_removed = is_between(FSTATAT, libc::SYS_unlinkat);
    match story.hit_after_bound {
        false => is_server && case.wanted == Wanted::Any && is_taken_for_ours,
        true => is_removed,
    }
}

fn meddle(case: Case, at: usize, is_server: bool) -> bool {
    let scene = Scene::new(case);
    let aside = tempfile::tempdir_in(scene.dir.path().parent().unwrap()).unwrap();
    let foreign = aside.path().join("foreign");
    let server = is_server.then(|| UnixListener::bind(&foreign).unwrap());
    if !is_server {
        fs::write(&foreign, "foreign").unwrap();
    }
    fs::set_permissions(&foreign, Permissions::from_mode(0o600)).unwrap();
    let identity = |path: &Path| {
        let file = fs::symlink_metadata(path).unwrap();
        (file.ino(), file.mode(), file.uid(), file.nlink())
    };
    let whose = identity(&foreign);
    let come = || fs::rename(&foreign, &scene.path).unwrap();
    let story = run(Fate::Meddle(at, &come), || serve(case, &scene.path));
    // A takeover replaces any socket, so it may also replace this one.
    let taken_over = case.policy == Existing::Takeover && !story.hit_after_bound && is_server;
    if taken_over || is_known_limit(case, &story, is_server) {
        return false;
    }
    let what = format!("{case:?}: at call {at}: {story:?}");
    assert!(fs::exists(&scene.path).unwrap(), "{what}");
    assert_eq!(identity(&scene.path), whose, "{what}");
    if let Some(server) = &server {
        assert_reaches(&scene.path, server);
    }
    scene.check_others();
    true
}
