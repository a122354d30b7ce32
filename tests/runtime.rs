//! Tests of directories that are made with their parents or narrowed, and of the runtime directory
//! of a program.
#![cfg(all(feature = "std", feature = "files"))]

mod fresh;
mod skip;

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::{env, fs, process, thread};

use sunpath::files::{DirOptions, Refusal};
use sunpath::{Dir, Errno};
use tempfile::TempDir;

/// The uid of an ordinary user.
const USER: u32 = 4711;

const PARENTS: DirOptions = DirOptions::new().parents(true);
const NARROW: DirOptions = DirOptions::new().narrow(true);

fn fresh() -> (TempDir, PathBuf) {
    let base = fresh::dir();
    let path = base.path().canonicalize().unwrap();
    (base, path)
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn make(path: &Path, mode: u32) {
    fs::create_dir(path).unwrap();
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

/// Runs `action` in a forked child, and asserts that it does not panic.
fn in_child(action: impl FnOnce()) {
    // SAFETY: the child ends by _exit.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0);
    if pid == 0 {
        let ended = catch_unwind(AssertUnwindSafe(action));
        // SAFETY: _exit ends this process and does nothing else.
        unsafe { libc::_exit(if ended.is_ok() { 0 } else { 101 }) };
    }
    let mut status = 0;
    // SAFETY: `status` is a live int.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    assert_eq!(status, 0);
}

#[test]
fn dir_parents_are_made_private_under_every_umask() {
    for umask in [0, 0o022, 0o777] {
        let (_base, base) = fresh();
        in_child(|| {
            // SAFETY: umask takes an integer and cannot fail.
            unsafe { libc::umask(umask) };
            let path = base.join("a//b/c/");
            let missing = Dir::private(&path).unwrap_err();
            assert_eq!(missing.errno(), Errno::ENOENT);
            let dir = PARENTS.private(&path).unwrap();
            for made in ["a", "a/b", "a/b/c"] {
                assert_eq!(mode(&base.join(made)), 0o700, "{made}");
            }
            drop(dir);
            drop(PARENTS.private(&path).unwrap());
            drop(Dir::private(&path).unwrap());
        });
    }
}

#[test]
fn dir_parents_that_were_made_are_removed_if_it_fails() {
    let (_base, base) = fresh();
    make(&base.join("there"), 0o700);
    let long = "n".repeat(256);
    for (dir, first) in [("new/b", "new"), ("there/b/c", "there/b"), ("there", "")] {
        let error = PARENTS.private(base.join(dir).join(&long)).unwrap_err();
        assert_eq!(error.errno(), Errno::ENAMETOOLONG);
        assert!(first.is_empty() || !base.join(first).exists(), "{dir}");
    }
    assert_eq!(fs::read_dir(&base).unwrap().count(), 1);
    assert_eq!(fs::read_dir(base.join("there")).unwrap().count(), 0);
    // A parent that is a regular file is refused.
    fs::write(base.join("file"), "").unwrap();
    let error = PARENTS.private(base.join("file/a")).unwrap_err();
    assert_eq!(error.refusal(), Refusal::NotADirectory);
    // The directories of a relative path are also removed if making the last directory fails.
    in_child(|| {
        env::set_current_dir(&base).unwrap();
        PARENTS
            .private(Path::new("x").join("y").join(&long))
            .unwrap_err();
        assert!(!base.join("x").exists());
    });
}

#[test]
fn dir_parents_may_be_made_by_many_at_once() {
    let (_base, base) = fresh();
    for round in 0..20 {
        let path = base.join(format!("{round}/a/b/c"));
        thread::scope(|scope| {
            let makers = [(); 4].map(|()| scope.spawn(|| PARENTS.private(&path).map(drop)));
            for maker in makers {
                maker.join().unwrap().unwrap();
            }
        });
    }
}

#[test]
fn dir_narrow_takes_search_and_read_permission_away_and_no_more() {
    let (_base, base) = fresh();
    for (before, after) in [
        (0o755, Some(0o700)),
        (0o711, Some(0o700)),
        (0o750, Some(0o700)),
        (0o700, Some(0o700)),
        (0o500, Some(0o500)),
        // In a directory with these modes another user may have put something, so it is not
        // narrowed.
        (0o775, None),
        (0o757, None),
        (0o730, None),
        (0o1755, None),
        (0o1777, None),
    ] {
        let path = base.join(format!("{before:o}"));
        make(&path, before);
        let unnarrowed = Dir::private(&path).is_ok();
        assert_eq!(unnarrowed, after == Some(before), "{before:o}");
        match (NARROW.private(&path), after) {
            (Ok(_), Some(after)) => assert_eq!(mode(&path), after, "{before:o}"),
            (Err(error), None) => {
                assert!(matches!(error.refusal(), Refusal::Mode { .. }), "{error}");
                assert_eq!(mode(&path), before);
            }
            (Ok(_), None) => panic!("{before:o} was narrowed"),
            (Err(error), Some(_)) => panic!("{before:o}: {error}"),
        }
    }
}

#[test]
fn dir_narrow_leaves_the_directories_of_others_and_of_the_system() {
    let (_base, base) = fresh();
    if skip::unless_root() {
        return;
    }
    let theirs = base.join("theirs");
    make(&theirs, 0o755);
    chown(&theirs, Some(USER), None).unwrap();
    let error = NARROW.private(&theirs).unwrap_err();
    assert_eq!(error.refusal(), Refusal::Owner { uid: USER });
    assert_eq!(mode(&theirs), 0o755);
    // Root must not narrow directories of the system: the root directory, and /run by any path.
    make(&base.join("run"), 0o755);
    make(&base.join("run/app"), 0o755);
    in_child(|| {
        std::os::unix::fs::chroot(&base).unwrap();
        for system in ["/", "/run", "/run/"] {
            env::set_current_dir("/run").unwrap();
            let error = NARROW.private(system).unwrap_err();
            assert!(matches!(error.refusal(), Refusal::Mode { .. }), "{error}");
        }
        for system in [".", "..", "../run"] {
            assert!(NARROW.private(system).is_err(), "{system}");
        }
    });
    assert_eq!(mode(&base.join("run")), 0o755);
}

/// A directory on which a file system is mounted is not narrowed, because that file system does not
/// belong to this program alone.
#[cfg(target_os = "linux")]
#[test]
fn dir_narrow_leaves_a_directory_on_which_something_is_mounted() {
    use std::ffi::CString;
    use std::os::unix::ffi::OsStrExt;

    let (_base, base) = fresh();
    if skip::unless_root() {
        return;
    }
    in_child(|| {
        let (none, tmpfs) = (c"none".as_ptr(), c"tmpfs".as_ptr());
        // SAFETY: the argument is an integer; the child has one thread.
        assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNS) }, 0);
        let flags = libc::MS_REC | libc::MS_PRIVATE;
        // SAFETY: the strings end with a NUL, and the data pointer is null.
        let private = unsafe { libc::mount(none, c"/".as_ptr(), none, flags, std::ptr::null()) };
        assert_eq!(private, 0);
        let at = CString::new(base.as_os_str().as_bytes()).unwrap();
        let data = c"mode=755".as_ptr().cast();
        // SAFETY: the strings end with a NUL.
        assert_eq!(unsafe { libc::mount(none, at.as_ptr(), tmpfs, 0, data) }, 0);
        let error = NARROW.private(&base).unwrap_err();
        assert!(matches!(error.refusal(), Refusal::Mode { .. }), "{error}");
        make(&base.join("app"), 0o755);
        drop(NARROW.private(base.join("app")).unwrap());
    });
}

/// Sets `XDG_RUNTIME_DIR`, or removes it. The function is called in a child, which has one thread.
fn set_session(dir: Option<&Path>) {
    match dir {
        // SAFETY: this process has one thread.
        Some(dir) => unsafe { env::set_var("XDG_RUNTIME_DIR", dir) },
        // SAFETY: this process has one thread.
        None => unsafe { env::remove_var("XDG_RUNTIME_DIR") },
    }
}

fn path_of(dir: &Dir) -> PathBuf {
    let mut buf = [0; 4096];
    let path = std::str::from_utf8(dir.path(&mut buf).unwrap()).unwrap();
    PathBuf::from(path)
}

/// Asserts that the server makes this directory, and that the client finds it only then. Removes it
/// again.
fn assert_both_find(app: &str, expected: &Path) {
    let absent = Dir::find_runtime(app).unwrap_err();
    assert_eq!(absent.errno(), Errno::ENOENT, "{absent}");
    assert!(!expected.exists(), "a client makes nothing");
    let dir = Dir::runtime(app).unwrap();
    assert_eq!(path_of(&dir), expected);
    assert_eq!(mode(expected), 0o700);
    assert_eq!(path_of(&Dir::find_runtime(app).unwrap()), expected);
    fs::remove_dir(expected).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn runtime_dir_is_the_first_that_verifies_for_server_and_client() {
    let (_base, base) = fresh();
    fs::set_permissions(&base, PermissionsExt::from_mode(0o755)).unwrap();
    let app = format!("sunpath-runtime-{}", process::id());
    // SAFETY: the call takes no arguments and cannot fail.
    let me = unsafe { libc::geteuid() };
    let elsewhere = |uid| match uid {
        0 => Path::new("/run").join(&app),
        uid => Path::new("/tmp").join(format!("{app}-{uid}")),
    };
    let session = base.join("session");
    make(&session, 0o700);
    let users: &[u32] = if me == 0 { &[0, USER] } else { &[me] };
    for uid in users.iter().copied() {
        chown(&session, Some(uid), None).unwrap();
        in_child(|| {
            if me == 0 {
                // SAFETY: the arguments are integers, so the call accesses no memory.
                assert_eq!(unsafe { libc::setresuid(uid, uid, uid) }, 0);
            }
            set_session(Some(&session));
            assert_both_find(&app, &session.join(&app));
            for session in [None, Some(Path::new("session")), Some(&base.join("absent"))] {
                env::set_current_dir(&base).unwrap();
                set_session(session);
                assert_both_find(&app, &elsewhere(uid));
            }
        });
    }
    if me == 0 {
        // After `su` the variable names another user's directory, here for root and then for an
        // ordinary user. Both use their own directory elsewhere.
        in_child(|| {
            set_session(Some(&session));
            assert_both_find(&app, &elsewhere(0));
            chown(&session, Some(0), None).unwrap();
            // SAFETY: the arguments are integers, so the call accesses no memory.
            assert_eq!(unsafe { libc::setresuid(USER, USER, USER) }, 0);
            assert_both_find(&app, &elsewhere(USER));
        });
    }
}

/// Another user may make the directory in /tmp first, because every user may make directories
/// there.
#[cfg(target_os = "linux")]
#[test]
fn runtime_dir_that_another_user_made_is_refused() {
    if skip::unless_root() {
        return;
    }
    let app = format!("sunpath-planted-{}", process::id());
    let planted = Path::new("/tmp").join(format!("{app}-{USER}"));
    make(&planted, 0o777);
    in_child(|| {
        set_session(None);
        // SAFETY: the arguments are integers, so the call accesses no memory.
        assert_eq!(unsafe { libc::setresuid(USER, USER, USER) }, 0);
        for found in [Dir::runtime(&app), Dir::find_runtime(&app)] {
            let error = found.unwrap_err();
            let tried: Vec<_> = error.tried().collect();
            let [(path, last)] = tried[..] else {
                panic!("{error}")
            };
            assert_eq!(
                (path, last.refusal()),
                (&*planted, Refusal::Owner { uid: 0 })
            );
            assert_eq!(last.prefix_len(), planted.as_os_str().len());
        }
    });
    fs::remove_dir(&planted).unwrap();
}

/// After `su` the variable names another user's directory, and what is in /tmp may be wrong as
/// well. The error names both.
#[cfg(target_os = "linux")]
#[test]
fn runtime_dir_error_names_each_directory_that_was_tried() {
    let (_base, base) = fresh();
    fs::set_permissions(&base, PermissionsExt::from_mode(0o755)).unwrap();
    if skip::unless_root() {
        return;
    }
    let app = format!("sunpath-tried-{}", process::id());
    let planted = Path::new("/tmp").join(format!("{app}-{USER}"));
    fs::write(&planted, "").unwrap();
    in_child(|| {
        set_session(Some(&base));
        // SAFETY: the arguments are integers, so the call accesses no memory.
        assert_eq!(unsafe { libc::setresuid(USER, USER, USER) }, 0);
        let error = Dir::runtime(&app).unwrap_err();
        let (base, planted) = (base.display(), planted.display());
        let text = format!(
            "mkdirat: EACCES (permission denied): {base}/{app}; {planted} is not a directory"
        );
        assert_eq!(error.to_string(), text);
        assert_eq!(error.errno(), Errno::ENOTDIR);
        assert_eq!(std::io::Error::from(error).to_string(), text);
    });
    // The error names the directory at fault, which here is the one above the runtime directory.
    fs::set_permissions(&base, PermissionsExt::from_mode(0o777)).unwrap();
    in_child(|| {
        set_session(Some(&base));
        let (error, base) = (Dir::find_runtime(&app).unwrap_err(), base.display());
        let text = format!("{base} has the wrong mode 0777 and belongs to user 0; ");
        assert!(error.to_string().starts_with(&text), "{error}");
    });
    fs::set_permissions(&base, PermissionsExt::from_mode(0o755)).unwrap();
    // If no descriptor is free, the second directory is not tried.
    in_child(|| {
        set_session(Some(&base));
        let none = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: the pointer is to a live rlimit.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &none) }, 0);
        let error = Dir::runtime(&app).unwrap_err();
        assert_eq!((error.errno(), error.tried().len()), (Errno::EMFILE, 1));
    });
    fs::remove_file(&planted).unwrap();
}

#[test]
fn runtime_dir_of_what_is_not_a_name_is_refused() {
    for app in ["", ".", "..", "a/b", "/", "a\0b"] {
        for found in [Dir::runtime(app), Dir::find_runtime(app)] {
            let error = found.unwrap_err();
            assert_eq!((error.errno(), error.tried().len()), (Errno::EINVAL, 0));
            let text = "the name of the program is not a name in a directory";
            assert_eq!(error.to_string(), text);
        }
    }
}
