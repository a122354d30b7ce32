//! Tests of other kernels and file systems. A supervisor answers each call of a program as they
//! would.

use std::cell::{Cell, RefCell};
use std::fs::{self, Permissions};
use std::io::IoSlice;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::path::Path;

use sunpath::ancillary::{Outgoing, SendBatch, SendSlots};
use sunpath::error::Cause;
use sunpath::{
    BindOptions, Bound, Dir, Errno, Error, Existing, UnixDatagram, UnixListener, UnixStream,
};

use crate::calls::POLL;
use crate::supervisor::{Asked, FSTAT, FSTATAT, Fate, Phase, SYS_FCHMODAT2, Story, run, say};
use crate::{Before, Case, POLICIES, Scene, Wanted, alone, serve};

/// A function that answers a system call. See [`Fate::As`].
type Kernel<'a> = &'a dyn Fn(&Asked) -> Option<i64>;

fn case(policy: Existing, before: Before, wanted: Wanted) -> Case {
    Case {
        policy,
        before,
        wanted,
    }
}

/// Runs the program of a case while `kernel` answers its system calls. Returns what the program
/// did, and the directory that it left.
fn run_on(case: Case, kernel: impl Fn(&Asked, &Scene) -> Option<i64>) -> (Story, Scene) {
    let scene = Scene::new(case);
    let answer: Kernel<'_> = &|asked| kernel(asked, &scene);
    let story = run(Fate::As(answer), || serve(case, &scene.path));
    scene.check_others();
    (story, scene)
}

/// Runs a program that does nothing but bind, with `kernel` answering its system calls. Asserts that bind fails
/// with this cause and leaves nothing.
fn fails_on(case: Case, cause: Cause, kernel: impl Fn(&Asked, &Scene) -> Option<i64>) {
    let scene = Scene::new(case);
    let answer: Kernel<'_> = &|asked| kernel(asked, &scene);
    run(Fate::As(answer), || {
        say(Phase::Begin, 0);
        let bound: Result<Bound<UnixListener>, Error> = case.options().listen(&scene.path);
        say(Phase::Dropped, 0);
        let error = bound.unwrap_err();
        assert_eq!(error.cause(), Some(cause), "{error}");
        assert!(error.is_unsupported(), "{error}");
    });
    assert!(scene.files().is_empty(), "{case:?}: {:?}", scene.files());
    scene.check_others();
}

fn fails_with(errno: i32) -> Option<i64> {
    Some(-i64::from(errno))
}

#[test]
fn lacking_a_kernel_that_tells_the_living_from_the_dead_nothing_is_removed() {
    let _alone = alone();
    for before in [Before::Stale, Before::Killed, Before::Live] {
        for wanted in [Wanted::Any, Wanted::Mode, Wanted::ModeAmongOthers] {
            let case = case(Existing::ReplaceStale, before, wanted);
            // Bind never succeeds here, so every connect(2) of the program is a probe by a datagram
            // socket.
            let (story, scene) = run_on(case, |asked, _| match asked.nr {
                libc::SYS_connect => fails_with(libc::ECONNREFUSED),
                _ => None,
            });
            let what = format!("{case:?}: {story:?}");
            assert_eq!(story.bound, Some(Errno::EADDRINUSE.raw()), "{what}");
            assert_eq!(scene.files(), ["a.sock"], "{what}");
            if let Some(live) = &scene.live {
                crate::assert_reaches(&scene.path, live);
            }
        }
    }
}

/// chmod(2) either fails, or succeeds and changes nothing. In the second case the file also lacks
/// the sticky bit, by which the library recognizes a file that it has just made.
#[test]
fn lacking_modes_bind_is_that_of_c_or_fails_and_leaves_nothing() {
    let _alone = alone();
    let ignores = |asked: &Asked, _: &Scene| {
        let changes = matches!(
            asked.nr,
            libc::SYS_fchmod | libc::SYS_fchmodat | SYS_FCHMODAT2
        );
        changes.then_some(0)
    };
    let rejects = |errno| {
        move |asked: &Asked, _: &Scene| match asked.nr {
            libc::SYS_fchmodat | SYS_FCHMODAT2 => fails_with(errno),
            _ => None,
        }
    };
    for policy in POLICIES {
        for wanted in [Wanted::Mode, Wanted::ModeAmongOthers] {
            // The usual umask has removed some bits of the mode, and only chmod(2) can set them.
            let case = case(policy, Before::Nothing, wanted);
            fails_on(case, Cause::NoModes, ignores);
            fails_on(case, Cause::NoModes, rejects(libc::EINVAL));
            fails_on(case, Cause::NoModes, rejects(libc::EPERM));
        }
        let case = case(policy, Before::Nothing, Wanted::Any);
        for (story, scene) in [
            run_on(case, ignores),
            run_on(case, rejects(libc::EINVAL)),
            run_on(case, rejects(libc::EPERM)),
        ] {
            assert_eq!(
                (story.bound, story.dropped),
                (Some(0), Some(0)),
                "{story:?}"
            );
            assert!(scene.files().is_empty(), "{case:?}: {:?}", scene.files());
        }
    }
}

/// Where others may rename, the socket is made in a private directory. If the umask removes a
/// permission of that directory, only chmod(2) can set it.
#[test]
fn lacking_modes_a_private_directory_that_the_umask_narrows_is_not_made() {
    let _alone = alone();
    for errno in [libc::EINVAL, libc::EPERM, libc::EROFS] {
        let scene = Scene::new(case(
            Existing::Refuse,
            Before::Nothing,
            Wanted::ModeAmongOthers,
        ));
        let rejects: Kernel<'_> = &|asked| match asked.nr {
            libc::SYS_fchmodat | SYS_FCHMODAT2 => fails_with(errno),
            _ => None,
        };
        run(Fate::As(rejects), || {
            // SAFETY: the call takes a number and cannot fail; the umask is the child's alone.
            unsafe { libc::umask(0o277) };
            say(Phase::Begin, 0);
            let bound: Result<Bound<UnixListener>, Error> =
                BindOptions::new().mode(0o600).listen(&scene.path);
            say(Phase::Dropped, 0);
            let error = bound.unwrap_err();
            let lacks_modes = error.cause() == Some(Cause::NoModes);
            // EROFS is not about modes, and is reported as it is.
            assert_eq!(lacks_modes, errno != libc::EROFS, "{error}");
            assert!(lacks_modes || error.errno() == Errno::EROFS, "{error}");
        });
        assert!(scene.files().is_empty(), "{:?}", scene.files());
    }
}

#[test]
fn lacking_permission_to_read_where_a_directory_is_reachable_says_so() {
    let _alone = alone();
    let fresh = crate::fresh::dir();
    let dir = Dir::open(fresh.path()).unwrap();
    let answer = |asked: &Asked| match asked.nr {
        libc::SYS_readlinkat => fails_with(libc::EACCES),
        _ => None,
    };
    run(Fate::As(&answer), || {
        say(Phase::Begin, 0);
        let bound: Result<Bound<UnixListener>, Error> =
            BindOptions::new().reachable(true).bind_at(&dir, "a.sock");
        say(Phase::Dropped, 0);
        assert_eq!(bound.unwrap_err().errno(), Errno::EACCES);
    });
}

/// sendmmsg(2) is not made for the first three messages. The call returns first that it sent two
/// messages, and then that it sent one.
#[test]
fn lacking_space_a_batch_goes_on_with_the_rest() {
    let _alone = alone();
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    let answers = RefCell::new(vec![1, 2]);
    let answer = |asked: &Asked| match asked.nr {
        libc::SYS_sendmmsg => answers.borrow_mut().pop(),
        _ => None,
    };
    run(Fate::As(&answer), || {
        say(Phase::Begin, 0);
        let data = [b"a", b"b", b"c", b"d", b"e"].map(|bytes| [IoSlice::new(bytes)]);
        let mut slots = SendSlots::<5>::new();
        let mut batch = SendBatch::new(&mut slots);
        for data in &data {
            batch.push(Outgoing::new(data)).unwrap();
        }
        ours.sendmmsg(&mut batch).unwrap();
        assert!(batch.is_empty());
        say(Phase::Dropped, 0);
    });
    for expected in [b"d", b"e"] {
        let mut buf = [0];
        assert_eq!(theirs.recv(&mut buf).unwrap().len(), 1);
        assert_eq!(buf, *expected);
    }
    assert!(theirs.try_recv(&mut [0]).unwrap_err().is_would_block());
}

/// accept(2) fails first because no descriptor is free and then because the client has gone.
/// Signals interrupt the pause between them.
#[test]
fn lacking_descriptors_a_server_pauses_once_and_reports_once() {
    let _alone = alone();
    let dir = crate::fresh::dir();
    let path = dir.path().join("a.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let _client = UnixStream::connect(&path).unwrap();
    let (accepts, polls) = (Cell::new(0), Cell::new(0));
    let answer = |asked: &Asked| match asked.nr {
        libc::SYS_accept4 => {
            accepts.set(accepts.get() + 1);
            match accepts.get() {
                1 => fails_with(libc::EMFILE),
                2 => fails_with(libc::ECONNABORTED),
                _ => None,
            }
        }
        POLL => {
            polls.set(polls.get() + 1);
            (polls.get() <= 3).then_some(-i64::from(libc::EINTR))
        }
        _ => None,
    };
    run(Fate::As(&answer), || {
        say(Phase::Begin, 0);
        let mut reports = 0;
        let served = sunpath::serve::incoming(&listener, |_| reports += 1).next();
        say(Phase::Dropped, 0);
        assert_eq!((served.is_some(), reports), (true, 1));
    });
    assert_eq!((accepts.get(), polls.get()), (3, 4));
}

/// If fchmodat2(2) is missing or filtered out, another call sets the mode. If it fails with any
/// other errno, that error is reported.
#[test]
fn lacking_fchmodat2_the_mode_is_set_all_the_same() {
    let _alone = alone();
    let case = case(Existing::Refuse, Before::Nothing, Wanted::Mode);
    for (errno, bound) in [
        (libc::ENOSYS, 0),
        (libc::EPERM, 0),
        (libc::EROFS, libc::EROFS),
    ] {
        let (story, scene) = run_on(case, |asked, _| match asked.nr {
            SYS_FCHMODAT2 => fails_with(errno),
            _ => None,
        });
        assert_eq!(story.bound, Some(bound), "{errno}: {story:?}");
        assert!(scene.files().is_empty());
    }
    let (story, scene) = run_on(case, |asked, _| match asked.nr {
        libc::SYS_fchmodat | SYS_FCHMODAT2 => fails_with(libc::ENOSYS),
        _ => None,
    });
    assert_eq!(story.bound, Some(libc::EOPNOTSUPP), "{story:?}");
    assert!(scene.files().is_empty());
}

/// A directory that has the right mode without chmod(2) is kept. The sticky bit, by which the
/// library recognizes the directory, stays and does no harm. A directory that has another mode is
/// removed.
#[test]
fn lacking_chmod_a_directory_is_made_if_the_umask_leaves_its_mode() {
    let _alone = alone();
    for (umask, is_private, errno) in [
        (0o022, true, 0),
        (0o077, true, 0),
        (0o022, false, 0),
        (0o077, false, libc::EPERM),
        (0o277, true, libc::EPERM),
    ] {
        let dir = crate::fresh::dir();
        let path = dir.path().join("run");
        let rejects = |asked: &Asked| match asked.nr {
            libc::SYS_fchmod | libc::SYS_fchmodat | SYS_FCHMODAT2 => fails_with(libc::EPERM),
            _ => None,
        };
        let story = run(Fate::As(&rejects), || {
            // SAFETY: umask takes an integer and cannot fail; the child has its own umask.
            unsafe { libc::umask(umask) };
            say(Phase::Begin, 0);
            let made = match is_private {
                true => Dir::private(&path),
                false => Dir::public(&path),
            };
            let errno = made.map_or_else(|error| error.errno().raw(), |_| 0);
            say(Phase::Dropped, errno);
        });
        assert_eq!(story.dropped, Some(errno), "{umask:o}: {story:?}");
        let left = fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(left, usize::from(errno == 0), "{umask:o}");
    }
}

/// Only the owner of a file may change its mode. A process gave a file to another user, and may
/// then not change the mode. The error is `EPERM`. It must not say that the file system has no
/// modes.
#[test]
fn lacking_permission_for_the_mode_of_a_file_that_was_given_away_is_eperm() {
    let _alone = alone();
    if crate::skip::unless_root() {
        return;
    }
    for wanted in [Wanted::Mode, Wanted::ModeAmongOthers] {
        let case = case(Existing::Refuse, Before::Nothing, wanted);
        let scene = Scene::new(case);
        let rejects = |asked: &Asked| match asked.nr {
            libc::SYS_fchmodat | SYS_FCHMODAT2 => fails_with(libc::EPERM),
            _ => None,
        };
        run(Fate::As(&rejects), || {
            say(Phase::Begin, 0);
            let bound = case.options().owner(1).listen(&scene.path);
            say(Phase::Dropped, 0);
            let error = bound.unwrap_err();
            assert_eq!((error.errno(), error.cause()), (Errno::EPERM, None));
        });
        assert!(scene.files().is_empty(), "{case:?}: {:?}", scene.files());
    }
}

/// chown(2) succeeds and changes nothing.
#[test]
fn lacking_changes_of_owner_or_group_bind_fails_and_leaves_nothing() {
    let _alone = alone();
    type Ask = fn(BindOptions) -> BindOptions;
    let asks: [Ask; 3] = [
        |options| options.owner(1),
        |options| options.group(1),
        |options| options.owner(1).group(1),
    ];
    for wanted in [Wanted::Any, Wanted::Mode, Wanted::ModeAmongOthers] {
        for ask in asks {
            let case = case(Existing::Refuse, Before::Nothing, wanted);
            let scene = Scene::new(case);
            let ignores = |asked: &Asked| (asked.nr == libc::SYS_fchownat).then_some(0);
            run(Fate::As(&ignores), || {
                say(Phase::Begin, 0);
                let bound = ask(case.options()).listen(&scene.path);
                say(Phase::Dropped, 0);
                assert_eq!(bound.unwrap_err().cause(), Some(Cause::NoOwners));
            });
            assert!(scene.files().is_empty(), "{case:?}: {:?}", scene.files());
        }
    }
}

/// Returns a hook that applies `change` to each socket file of the program before fstat(2) or fstatat(2).
fn before_a_look(change: impl Fn(&Path)) -> impl Fn(&Asked, &Scene) -> Option<i64> {
    move |asked, scene| {
        if matches!(asked.nr, FSTAT | FSTATAT) {
            for entry in fs::read_dir(scene.dir.path()).unwrap().map(Result::unwrap) {
                let (name, kind) = (entry.file_name(), entry.file_type().unwrap());
                let is_ours = name == "a.sock" || name.as_bytes().starts_with(b".sunpath-");
                if is_ours && kind.is_socket() {
                    change(&entry.path());
                }
            }
        }
        None
    }
}

#[test]
fn lacking_a_sticky_bit_a_mode_fails_and_leaves_nothing() {
    let _alone = alone();
    for policy in POLICIES {
        let case = case(policy, Before::Nothing, Wanted::Mode);
        let drops = |path: &Path| {
            let mode = fs::symlink_metadata(path).unwrap().mode();
            fs::set_permissions(path, Permissions::from_mode(mode & 0o777)).unwrap();
        };
        fails_on(case, Cause::NoStickyBit, before_a_look(drops));
    }
}

/// The files that this process creates belong to another user, or have a second name.
#[test]
fn lacking_owners_or_link_counts_a_mode_fails_and_leaves_nothing() {
    let _alone = alone();
    for policy in POLICIES {
        let case = case(policy, Before::Nothing, Wanted::Mode);
        let (aside, links) = (crate::fresh::dir(), Cell::new(0));
        let link = |path: &Path| {
            links.set(links.get() + 1);
            fs::hard_link(path, aside.path().join(links.get().to_string())).unwrap();
        };
        fails_on(case, Cause::NoLinkCounts, before_a_look(link));
        // SAFETY: geteuid takes no argument and cannot fail.
        if unsafe { libc::geteuid() } == 0 {
            let give = |path: &Path| chown(path, Some(1), None).unwrap();
            fails_on(case, Cause::NoOwners, before_a_look(give));
        }
    }
}

/// The system cannot rename without replacing, and a link is a copy to which no socket is bound.
#[test]
fn lacking_links_a_file_that_cannot_be_reached_is_not_published() {
    let _alone = alone();
    let copies = |wanted| {
        let mode = match wanted {
            Wanted::Any => 0o755,
            Wanted::Mode | Wanted::ModeAmongOthers => 0o666,
        };
        move |asked: &Asked, scene: &Scene| match asked.nr {
            libc::SYS_renameat2 => fails_with(libc::EINVAL),
            libc::SYS_linkat => {
                let name = String::from_utf8(asked.path(3)).unwrap();
                let copy = scene.dir.path().join(name);
                drop(UnixDatagram::bind(&copy).unwrap());
                fs::set_permissions(copy, Permissions::from_mode(mode)).unwrap();
                Some(0)
            }
            _ => None,
        }
    };
    for (policy, wanted) in [
        (Existing::Takeover, Wanted::Any),
        (Existing::Takeover, Wanted::Mode),
        (Existing::Takeover, Wanted::ModeAmongOthers),
        (Existing::Refuse, Wanted::ModeAmongOthers),
        (Existing::ReplaceStale, Wanted::ModeAmongOthers),
    ] {
        let case = case(policy, Before::Nothing, wanted);
        fails_on(case, Cause::NoSafeRename, copies(wanted));
        fails_on(case, Cause::NoSafeRename, |asked, _| match asked.nr {
            libc::SYS_renameat2 => fails_with(libc::EINVAL),
            libc::SYS_linkat => fails_with(libc::EPERM),
            _ => None,
        });
    }
    // Another program has replaced the copy by a file of its own, which stays.
    let refused = case(Existing::Refuse, Before::Nothing, Wanted::ModeAmongOthers);
    let (story, scene) = run_on(refused, |asked, scene| match asked.nr {
        libc::SYS_renameat2 => fails_with(libc::EINVAL),
        libc::SYS_linkat => {
            fs::write(&scene.path, "of another program").unwrap();
            Some(0)
        }
        _ => None,
    });
    assert_eq!(story.bound, Some(Errno::EOPNOTSUPP.raw()), "{story:?}");
    assert_eq!(fs::read(&scene.path).unwrap(), b"of another program");
    // Over an existing socket a takeover calls rename(2), so it needs no link.
    let case = case(Existing::Takeover, Before::Live, Wanted::Mode);
    let (story, scene) = run_on(case, copies(Wanted::Mode));
    assert_eq!(
        (story.bound, story.dropped),
        (Some(0), Some(0)),
        "{story:?}"
    );
    assert!(scene.files().is_empty());
}

/// If getrandom(2) is denied, no temporary name can be chosen. The bound file is still removed.
#[test]
fn lacking_getrandom_the_file_is_removed_all_the_same() {
    let _alone = alone();
    for locked in [false, true] {
        for policy in [Existing::Refuse, Existing::ReplaceStale] {
            let case = case(policy, Before::Nothing, Wanted::Mode);
            let (story, scene) = run_on(case, |asked, _| match asked.nr {
                libc::SYS_getrandom => fails_with(libc::EPERM),
                // The program cannot open the directory to lock it before the file is removed.
                libc::SYS_openat if locked && asked.path(1) == b"." => fails_with(libc::EACCES),
                _ => None,
            });
            assert_eq!(
                (story.bound, story.dropped),
                (Some(0), Some(0)),
                "{story:?}"
            );
            assert!(scene.files().is_empty(), "{case:?}: {:?}", scene.files());
        }
    }
}

/// Another program holds the directory lock, and the file system fails permanently. A file whose
/// status cannot be read is not removed, and a lock file that cannot be locked does not count as a
/// lock.
#[test]
fn lacking_answers_about_a_file_it_is_not_removed() {
    let _alone = alone();
    let looks_at = |asked: &Asked, begin: &[u8], end: &[u8]| {
        asked.nr == FSTATAT && {
            let path = asked.path(1);
            path.starts_with(begin) && path.ends_with(end)
        }
    };
    let refuse = case(Existing::Refuse, Before::Nothing, Wanted::Any);
    let (story, scene) = run_on(refuse, |asked, _| match asked.nr {
        libc::SYS_openat if asked.path(1) == b"." => fails_with(libc::EACCES),
        _ if looks_at(asked, b".sunpath-", b"") => fails_with(libc::EIO),
        _ => None,
    });
    assert_eq!(
        (story.bound, story.dropped),
        (Some(0), Some(libc::EIO)),
        "{story:?}"
    );
    assert_eq!(scene.files(), ["a.sock"]);

    let replace = case(Existing::ReplaceStale, Before::Nothing, Wanted::Any);
    let (story, _) = run_on(replace, |asked, _| {
        looks_at(asked, b"a.sock", b".lock").then(|| -i64::from(libc::EIO))
    });
    assert_eq!(story.bound, Some(libc::EIO), "{story:?}");
}

/// Between fstatat(2) of our file and its renaming, another process removes it and another server
/// binds.
#[test]
fn lacking_a_turn_the_file_of_another_that_comes_after_ours_is_gone_stays() {
    let _alone = alone();
    let others = RefCell::new(Vec::new());
    let refuse = case(Existing::Refuse, Before::Nothing, Wanted::Any);
    let (story, scene) = run_on(refuse, |asked, scene| match asked.nr {
        libc::SYS_openat if asked.path(1) == b"." => fails_with(libc::EACCES),
        libc::SYS_renameat | libc::SYS_renameat2 if asked.path(1) == b"a.sock" => {
            fs::remove_file(&scene.path).unwrap();
            let other = UnixListener::bind(&scene.path).unwrap();
            others.borrow_mut().push(other);
            fails_with(libc::ENOENT)
        }
        _ => None,
    });
    assert_eq!(story.dropped, Some(libc::ENOENT), "{story:?}");
    crate::assert_reaches(&scene.path, &others.borrow()[0]);
}

/// Another process removes the file right after bind(2), so the program finds no file at its path.
#[test]
fn lacking_its_file_a_bound_socket_is_estale_because_the_file_moved() {
    let _alone = alone();
    for wanted in [Wanted::Any, Wanted::Mode] {
        let case = case(Existing::Refuse, Before::Nothing, wanted);
        let scene = Scene::new(case);
        let is_bound = Cell::new(false);
        let removes = |asked: &Asked| {
            if is_bound.replace(asked.nr == libc::SYS_bind) {
                fs::remove_file(&scene.path).unwrap();
            }
            None
        };
        run(Fate::As(&removes), || {
            say(Phase::Begin, 0);
            let bound = case.options().listen(&scene.path);
            say(Phase::Dropped, 0);
            let error = bound.unwrap_err();
            let expected = (Errno::ESTALE, Some(Cause::FileMoved));
            assert_eq!((error.errno(), error.cause()), expected);
        });
        assert!(scene.files().is_empty());
    }
}

/// A file that another process puts in the place of our file is not mistaken for our file, even
/// where files have no modes.
#[test]
fn lacking_modes_the_file_that_took_the_place_of_ours_stays() {
    let _alone = alone();
    let case = case(Existing::Refuse, Before::Nothing, Wanted::Any);
    let is_bound = Cell::new(false);
    let (story, scene) = run_on(case, |asked, scene| {
        if is_bound.replace(asked.nr == libc::SYS_bind) && fs::remove_file(&scene.path).is_ok() {
            fs::write(&scene.path, "another's").unwrap();
        }
        (asked.nr == libc::SYS_fchmod).then_some(0)
    });
    assert_eq!(story.bound, Some(Errno::ESTALE.raw()), "{story:?}");
    assert_eq!(fs::read(&scene.path).unwrap(), b"another's");
}

/// Our file is removed right after it got its name, and another file may take its place.
#[test]
fn lacking_its_place_a_file_that_was_renamed_is_estale() {
    let _alone = alone();
    for (policy, before, wanted, can_swap) in [
        (
            Existing::Refuse,
            Before::Nothing,
            Wanted::ModeAmongOthers,
            true,
        ),
        (Existing::Takeover, Before::Nothing, Wanted::Any, true),
        (Existing::Takeover, Before::Stale, Wanted::Any, true),
        (Existing::Takeover, Before::Stale, Wanted::Any, false),
        (
            Existing::Takeover,
            Before::Stale,
            Wanted::ModeAmongOthers,
            true,
        ),
    ] {
        for another_comes in [true, false] {
            let case = case(policy, before, wanted);
            let is_renamed = Cell::new(false);
            let (story, scene) = run_on(case, |asked, scene| {
                if is_renamed.take() {
                    fs::remove_file(&scene.path).unwrap();
                    if another_comes {
                        fs::write(&scene.path, "another's").unwrap();
                    }
                }
                let swaps = asked.nr == libc::SYS_renameat2
                    && asked.args[4] == u64::from(sunpath::sys::RENAME_EXCHANGE);
                if swaps && !can_swap {
                    return fails_with(libc::EINVAL);
                }
                is_renamed.set(matches!(asked.nr, libc::SYS_renameat | libc::SYS_renameat2));
                None
            });
            assert_eq!(
                story.bound,
                Some(Errno::ESTALE.raw()),
                "{case:?}: {story:?}"
            );
            let left = fs::read(&scene.path).is_ok_and(|bytes| bytes == b"another's");
            assert_eq!(left, another_comes, "{case:?}");
            assert_eq!(scene.files().len(), usize::from(left), "{case:?}");
        }
    }
}

/// A file in the way makes one call fail, and another process removes this file before the program
/// examines it.
#[test]
fn lacking_what_was_in_the_way_bind_is_tried_again() {
    let _alone = alone();
    let (again, refused) = (Some(0), Some(libc::EADDRINUSE));
    for (policy, wanted, call, errno, expected) in [
        (
            Existing::ReplaceStale,
            Wanted::Any,
            libc::SYS_bind,
            libc::EADDRINUSE,
            again,
        ),
        (
            Existing::ReplaceStale,
            Wanted::ModeAmongOthers,
            libc::SYS_renameat2,
            libc::EEXIST,
            again,
        ),
        (
            Existing::Takeover,
            Wanted::Any,
            libc::SYS_renameat2,
            libc::EEXIST,
            again,
        ),
        // Here the file has the temporary name that a takeover gives to its socket.
        (
            Existing::Takeover,
            Wanted::Any,
            libc::SYS_bind,
            libc::EADDRINUSE,
            again,
        ),
        (
            Existing::Refuse,
            Wanted::Any,
            libc::SYS_bind,
            libc::EADDRINUSE,
            refused,
        ),
        (
            Existing::Refuse,
            Wanted::ModeAmongOthers,
            libc::SYS_renameat2,
            libc::EEXIST,
            refused,
        ),
    ] {
        let case = case(policy, Before::Nothing, wanted);
        let calls = Cell::new(0);
        let (story, scene) = run_on(case, |asked, _| {
            let is_first = asked.nr == call && calls.replace(calls.get() + 1) == 0;
            is_first.then(|| -i64::from(errno))
        });
        assert!(calls.get() > 0, "{case:?}");
        assert_eq!(story.bound, expected, "{case:?}: {story:?}");
        assert!(scene.files().is_empty(), "{case:?}: {:?}", scene.files());
    }
}

/// flock(2) of a file on NFS fails with `EBADF` if the file is not open for writing, so the program
/// opens it again.
#[test]
fn lacking_locks_of_files_that_are_open_for_reading_it_is_opened_for_writing() {
    let _alone = alone();
    let case = case(Existing::ReplaceStale, Before::Killed, Wanted::Any);
    let locks = Cell::new(0);
    let (story, scene) = run_on(case, |asked, _| {
        let is_first = asked.nr == libc::SYS_flock && locks.replace(locks.get() + 1) == 0;
        match is_first {
            true => fails_with(libc::EBADF),
            false => None,
        }
    });
    assert_eq!(
        (story.bound, story.dropped),
        (Some(0), Some(0)),
        "{story:?}"
    );
    assert!(scene.files().is_empty());
}

/// If the lock file is a different file at each attempt, the program gives up.
#[test]
fn lacking_stable_inodes_the_lock_ends() {
    let _alone = alone();
    let case = case(Existing::ReplaceStale, Before::Nothing, Wanted::Any);
    let (story, _scene) = run_on(case, |asked, scene| {
        if asked.nr == FSTATAT && asked.path(1) == b"a.sock.lock" {
            let _ = fs::remove_file(scene.path.with_extension("sock.lock"));
        }
        None
    });
    assert_eq!(story.bound, Some(Errno::EADDRINUSE.raw()), "{story:?}");
}

/// A client that tries all the time finds no file or a listening server, and never a server that
/// does not listen yet.
#[test]
fn lacking_patience_a_client_of_a_takeover_is_never_refused() {
    let _alone = alone();
    for (policy, wanted, expected) in [
        (Existing::Takeover, Wanted::Any, false),
        (Existing::Takeover, Wanted::Mode, false),
        (Existing::Takeover, Wanted::ModeAmongOthers, false),
        (Existing::Refuse, Wanted::ModeAmongOthers, false),
        (Existing::Refuse, Wanted::Any, true),
        (Existing::ReplaceStale, Wanted::Mode, true),
    ] {
        let case = case(policy, Before::Nothing, wanted);
        let refused = Cell::new(false);
        let (story, _scene) = run_on(case, |_, scene| {
            let client = UnixStream::connect(&scene.path);
            let is_refused = client.is_err_and(|error| error.errno() == Errno::ECONNREFUSED);
            refused.set(refused.get() || is_refused);
            None
        });
        assert_eq!(story.bound, Some(0), "{story:?}");
        assert_eq!(refused.get(), expected, "{case:?}");
    }
}
