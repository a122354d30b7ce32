//! Tests of private directories, which are made with the right mode, or verified and refused.
#![cfg(all(feature = "std", feature = "files"))]

mod fresh;
mod limit;
mod skip;

use std::fs;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};

use sunpath::files::{DirError, Refusal};
use sunpath::{CWD, Dir, Errno, SunPathError, UnixStream};
use tempfile::TempDir;

const NOBODY: u32 = 65534;

fn fresh() -> (TempDir, PathBuf) {
    let base = fresh::dir();
    // The path is resolved, because some systems have symbolic links above it.
    let path = base.path().canonicalize().unwrap();
    (base, path)
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

fn me() -> u32 {
    // SAFETY: the call takes no arguments and cannot fail.
    unsafe { libc::geteuid() }
}

fn refused(path: &Path) -> DirError {
    Dir::private(path).map(drop).unwrap_err()
}

/// Returns the prefix of the path that is at fault, and the reason.
fn fault<'p>(path: &'p Path, error: &DirError) -> (&'p str, Refusal) {
    (
        &path.to_str().unwrap()[..error.prefix_len()],
        error.refusal(),
    )
}

#[test]
fn private_dir_is_made_and_then_found() {
    let (_base, base) = fresh();
    let path = base.join("run");
    let dir = Dir::private(&path).unwrap();
    assert_eq!(mode(&path), 0o700);
    let again = Dir::private(&path).unwrap();
    let slashes = format!("{}//", path.display()).replace('/', "//");
    let _ = Dir::private(slashes).unwrap();
    // SAFETY: F_GETFD has no argument.
    let flags = unsafe { libc::fcntl(dir.as_raw_fd(), libc::F_GETFD) };
    assert_eq!(flags, libc::FD_CLOEXEC);

    let server = UnixStream::new().unwrap();
    server.bind_to_at(&dir, "a.sock").unwrap();
    let _listener = server.listen(1).unwrap();
    UnixStream::new()
        .unwrap()
        .connect_to_at(&again, "a.sock")
        .unwrap();
    UnixStream::connect(path.join("a.sock")).unwrap();
}

#[test]
fn public_dir_lets_everybody_connect() {
    let (_base, base) = fresh();
    set_mode(&base, 0o755);
    let path = base.join("run");
    let dir = Dir::public(&path).unwrap();
    assert_eq!(mode(&path), 0o755);
    let server = UnixStream::new().unwrap();
    server.bind_to_at(&dir, "a.sock").unwrap();
    let _listener = server.listen(1).unwrap();
    set_mode(&path.join("a.sock"), 0o666);
    if !skip::unless_root() {
        let connected = thread::scope(|scope| {
            let nobody = scope.spawn(|| {
                // SAFETY: the arguments are integers; the call affects this thread alone.
                let set = unsafe { libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY) };
                assert_eq!(set, 0);
                UnixStream::connect(path.join("a.sock")).map(drop)
            });
            nobody.join().unwrap()
        });
        assert_eq!(connected, Ok(()));
    }
    for (bits, good) in [
        (0o711, true),
        (0o755, true),
        (0o775, false),
        (0o757, false),
        (0o700, false),
        (0o750, false),
        (0o1777, false),
    ] {
        set_mode(&path, bits);
        match Dir::public(&path) {
            Ok(_) => assert!(good, "{bits:o}"),
            Err(error) => {
                assert_eq!(
                    error.refusal(),
                    Refusal::Mode {
                        mode: bits,
                        uid: me()
                    }
                );
                assert!(!good, "{bits:o}");
            }
        }
    }
}

/// Asserts that a process that starts at the same time never sees a public directory with another
/// mode than 0755.
fn assert_mode_at_every_instant(path: &Path) {
    let (done, seen) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut good = true;
            while !done.load(Ordering::Relaxed) {
                if let Ok(found) = fs::symlink_metadata(path) {
                    good &= found.mode() & 0o7777 == 0o755;
                    seen.fetch_add(1, Ordering::Relaxed);
                }
            }
            good
        });
        let made = (0..500).try_for_each(|round| {
            drop(Dir::public(path)?);
            // On a busy machine the thread might see no directory at all. Every fifth one therefore
            // stays until the thread has looked at it.
            let before = seen.load(Ordering::Relaxed);
            let is_seen = || seen.load(Ordering::Relaxed) != before || watcher.is_finished();
            let start = Instant::now();
            while round % 5 == 0 && !is_seen() {
                if start.elapsed() > Duration::from_secs(60) {
                    done.store(true, Ordering::Relaxed);
                    panic!("the thread has not seen the directory for a minute");
                }
                thread::yield_now();
            }
            fs::remove_dir(path).unwrap();
            Ok::<_, DirError>(())
        });
        done.store(true, Ordering::Relaxed);
        made.unwrap();
        assert!(watcher.join().unwrap());
    });
}

/// The test runs in a child, because the umask belongs to the whole process.
#[test]
fn private_dir_has_its_mode_under_every_umask() {
    if let (Ok(path), Ok(mask)) = (env::var("SUNPATH_TEST_DIR"), env::var("SUNPATH_TEST_UMASK")) {
        let mask = u32::from_str_radix(&mask, 8).unwrap();
        // SAFETY: umask takes an integer, and this process does nothing else.
        unsafe { libc::umask(mask as libc::mode_t) };
        let path = Path::new(&path);
        let _ = Dir::private(path.join("private")).unwrap();
        let _ = Dir::public(path.join("public")).unwrap();
        assert_mode_at_every_instant(&path.join("again"));
        return;
    }
    for mask in ["000", "022", "077", "277", "777"] {
        let (_base, base) = fresh();
        let status = Command::new(env::current_exe().unwrap())
            .args(["--exact", "private_dir_has_its_mode_under_every_umask"])
            .env("SUNPATH_TEST_DIR", &base)
            .env("SUNPATH_TEST_UMASK", mask)
            .output()
            .unwrap();
        assert!(status.status.success(), "{mask}: {status:?}");
        assert_eq!(mode(&base.join("private")), 0o700, "{mask}");
        assert_eq!(mode(&base.join("public")), 0o755, "{mask}");
    }
}

#[test]
fn private_dir_of_another_mode_is_refused_and_left_as_it_is() {
    let (_base, base) = fresh();
    let path = base.join("run");
    fs::create_dir(&path).unwrap();
    for bits in [0o701, 0o710, 0o720, 0o702, 0o755, 0o777, 0o1777] {
        set_mode(&path, bits);
        let error = refused(&path);
        let why = Refusal::Mode {
            mode: bits,
            uid: me(),
        };
        assert_eq!(fault(&path, &error), (path.to_str().unwrap(), why));
        assert_eq!(error.errno(), Errno::EPERM);
        let said = error.to_string();
        let (len, uid) = (path.as_os_str().len(), me());
        let expected = format!(
            "the directory named by the first {len} bytes of the path has the wrong mode {bits:04o} and \
             belongs to user {uid}"
        );
        assert_eq!(said, expected);
        assert_eq!(mode(&path), bits);
    }
    // A mode with fewer permissions lets nobody else in, so it is accepted. The setgid bit is
    // accepted, too, because it only gives new files the group of the directory.
    for bits in [0o500, 0o2700] {
        set_mode(&path, bits);
        let _ = Dir::private(&path).unwrap();
    }
}

#[test]
fn private_dir_of_another_user_is_refused() {
    if skip::unless_root() {
        return;
    }
    let (_base, base) = fresh();
    let (middle, path) = (base.join("middle"), base.join("middle/run"));
    fs::create_dir_all(&path).unwrap();
    set_mode(&path, 0o700);
    let _ = Dir::private(&path).unwrap();
    chown(&path, Some(NOBODY), None).unwrap();
    let error = refused(&path);
    assert_eq!(
        fault(&path, &error),
        (path.to_str().unwrap(), Refusal::Owner { uid: NOBODY })
    );
    assert_eq!(error.errno(), Errno::EPERM);
    assert!(error.to_string().contains("user 65534"), "{error}");

    // The owner of a directory above can put another directory in the place of ours. A directory
    // above that has another owner is therefore refused, too, whether it is sticky or not.
    chown(&path, Some(0), None).unwrap();
    chown(&middle, Some(NOBODY), None).unwrap();
    for bits in [0o755, 0o1777] {
        set_mode(&middle, bits);
        let error = refused(&path);
        let middle = middle.to_str().unwrap();
        assert_eq!(
            fault(&path, &error),
            (middle, Refusal::Owner { uid: NOBODY })
        );
    }
}

#[test]
fn private_dir_of_another_user_below_root_is_theirs_alone() {
    if skip::unless_root() {
        return;
    }
    let (_base, base) = fresh();
    set_mode(&base, 0o1777);
    let (roots, own) = (base.join("roots"), base.join("own"));
    let _ = Dir::private(&roots).unwrap();
    let as_nobody = || {
        // SAFETY: the arguments are integers; the call affects this thread alone.
        let set = unsafe { libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY) };
        assert_eq!(set, 0);
        // Directories of root are accepted above the path, and not as the private directory itself.
        let _ = Dir::private(&own).unwrap();
        assert_eq!(refused(&roots).refusal(), Refusal::Owner { uid: 0 });
        fs::create_dir(base.join("theirs")).unwrap();
        symlink(&roots, base.join("link")).unwrap();
    };
    thread::scope(|scope| scope.spawn(as_nobody).join().unwrap());
    assert_eq!(fs::metadata(&own).unwrap().uid(), NOBODY);
    // Root trusts none of these paths, not even the link to its own directory.
    for path in [own, base.join("theirs/run"), base.join("link/run")] {
        let why = Refusal::Owner { uid: NOBODY };
        assert_eq!(refused(&path).refusal(), why, "{}", path.display());
    }
    assert!(!roots.join("run").exists());
}

/// Our own link leads to a link that belongs to another user, who could change its target.
#[test]
fn private_dir_by_a_link_to_a_link_of_another_user_is_refused() {
    if skip::unless_root() {
        return;
    }
    let (_base, base) = fresh();
    let _ = Dir::private(base.join("real")).unwrap();
    let (ours, theirs) = (base.join("ours"), base.join("theirs"));
    symlink("real", &theirs).unwrap();
    for target in [
        theirs.as_path(),
        Path::new("theirs"),
        Path::new("real/../theirs"),
    ] {
        let _ = fs::remove_file(&ours);
        symlink(target, &ours).unwrap();
        lchown(&theirs, Some(0), None).unwrap();
        let path = ours.join("run");
        let _ = Dir::private(&path).unwrap();
        fs::remove_dir(&path).unwrap();
        lchown(&theirs, Some(NOBODY), None).unwrap();
        let why = Refusal::Owner { uid: NOBODY };
        let error = refused(&path);
        assert_eq!(fault(&path, &error), (ours.to_str().unwrap(), why));
        assert!(!base.join("real/run").exists());
    }
}

#[test]
fn private_dir_by_links_is_where_the_kernel_would_find_it() {
    let (_base, base) = fresh();
    fs::create_dir_all(base.join("a/b/c")).unwrap();
    for (name, target) in [
        ("a/up", ".."),
        ("a/b/dots", "././/c/../../b/c//"),
        ("there", "a/up/a/b/dots"),
        ("root", "/"),
        ("chain0", "a/b/c"),
        ("loop", "pool"),
        ("pool", "loop"),
        ("dangling", "a/nowhere/c"),
        ("through_file", "file/c"),
    ] {
        symlink(target, base.join(name)).unwrap();
    }
    fs::write(base.join("file"), "").unwrap();
    for n in 1..=41 {
        symlink(format!("chain{}", n - 1), base.join(format!("chain{n}"))).unwrap();
    }
    let below_root = base.strip_prefix("/").unwrap();
    // The kernel follows at most 40 links. The three chains have 39, 40 and 41 links.
    for (link, errno) in [
        ("there".into(), None),
        (format!("root/{}/a/b/c", below_root.display()), None),
        ("chain38".into(), None),
        ("chain39".into(), None),
        ("chain40".into(), Some(Errno::ELOOP)),
        ("loop".into(), Some(Errno::ELOOP)),
        ("dangling".into(), Some(Errno::ENOENT)),
        ("through_file".into(), Some(Errno::ENOTDIR)),
    ] {
        let path = base.join(&link).join("run");
        let theirs = fs::create_dir(&path).map_err(|error| error.raw_os_error());
        assert_eq!(
            theirs,
            errno.map_or(Ok(()), |errno| Err(Some(errno.raw()))),
            "{link}"
        );
        let _ = fs::remove_dir(&path);
        match (Dir::private(&path), errno) {
            (Ok(_), None) => {
                assert_eq!(mode(&base.join("a/b/c/run")), 0o700, "{link}");
                fs::remove_dir(&path).unwrap();
            }
            (Err(error), Some(errno)) => assert_eq!(error.errno(), errno, "{link}"),
            (other, _) => panic!("{link}: {other:?}"),
        }
    }
}

/// A link in /proc/self/fd leads to the open directory itself. The path that readlink(2) returns
/// for it may lead elsewhere, for example to another directory that has this path by now.
#[test]
fn private_dir_by_a_link_that_leads_elsewhere_than_its_text_is_refused() {
    let (_base, base) = fresh();
    let (path, aside) = (base.join("here"), base.join("aside"));
    fs::create_dir(&path).unwrap();
    let held = fs::File::open(&path).unwrap();
    let link = PathBuf::from(format!("/proc/self/fd/{}", held.as_raw_fd()));
    let _ = Dir::private(link.join("run")).unwrap();
    assert!(path.join("run").exists());
    // After the directory was removed, the text of the link ends in "(deleted)", and somebody has
    // made a directory with that name.
    fs::rename(&path, &aside).unwrap();
    fs::remove_dir_all(&aside).unwrap();
    let text = fs::read_link(&link).unwrap();
    fs::create_dir(&text).unwrap();
    assert_eq!(refused(&link.join("run")).refusal(), Refusal::Symlink);
    assert!(!text.join("run").exists());
}

/// The test runs in a child, because the working directory belongs to the whole process.
#[test]
fn private_dir_of_a_relative_path_looks_above_the_working_directory() {
    if env::var("SUNPATH_TEST_RELATIVE").is_ok() {
        let why = Refusal::Mode {
            mode: 0o777,
            uid: me(),
        };
        let error = refused(Path::new("run"));
        assert_eq!((error.prefix_len(), error.refusal()), (0, why));
        assert!(error.to_string().contains("working directory"), "{error}");
        set_mode(Path::new("../.."), 0o755);
        let _ = Dir::private("run").unwrap();
        let _ = Dir::private("./run/").unwrap();
        let _ = Dir::private("../deep/run").unwrap();
        assert_eq!(mode(Path::new("run")), 0o700);
        return;
    }
    let (_base, base) = fresh();
    let here = base.join("open/middle/deep");
    fs::create_dir_all(&here).unwrap();
    set_mode(&base.join("open"), 0o777);
    let name = "private_dir_of_a_relative_path_looks_above_the_working_directory";
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", name])
        .env("SUNPATH_TEST_RELATIVE", "")
        .current_dir(&here)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn private_dir_below_one_that_others_write_to_needs_the_sticky_bit() {
    let (_base, base) = fresh();
    let (middle, path) = (base.join("middle"), base.join("middle/deeper/run"));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    for bits in [0o777, 0o770, 0o775, 0o707] {
        set_mode(&middle, bits);
        let error = refused(&path);
        let why = Refusal::Mode {
            mode: bits,
            uid: me(),
        };
        assert_eq!(
            fault(&path, &error),
            (middle.to_str().unwrap(), why),
            "{bits:o}"
        );
        set_mode(&middle, bits | 0o1000);
        let _ = Dir::private(&path).unwrap();
        fs::remove_dir(&path).unwrap();
    }
    // A path through a link is refused as well if the link leads below `middle`.
    set_mode(&middle, 0o777);
    let link = base.join("link");
    symlink(middle.join("deeper"), &link).unwrap();
    let path = link.join("run");
    let error = refused(&path);
    let why = Refusal::Mode {
        mode: 0o777,
        uid: me(),
    };
    assert_eq!(fault(&path, &error), (link.to_str().unwrap(), why));
    assert!(!path.exists());
    set_mode(&middle, 0o755);
    let _ = Dir::private(&path).unwrap();
}

#[test]
fn private_dir_that_is_a_symlink_or_no_directory_is_refused() {
    let (_base, base) = fresh();
    fs::create_dir(base.join("real")).unwrap();
    set_mode(&base.join("real"), 0o700);
    fs::write(base.join("file"), "").unwrap();
    for (name, target) in [
        ("link", "real"),
        ("dangling", "nowhere"),
        ("to_file", "file"),
    ] {
        symlink(target, base.join(name)).unwrap();
        let path = base.join(name);
        assert_eq!(
            fault(&path, &refused(&path)),
            (path.to_str().unwrap(), Refusal::Symlink)
        );
        // A slash at the end of the path does not make the file a directory.
        let slash = base.join(name).join("");
        assert_eq!(
            fault(&slash, &refused(&slash)),
            (path.to_str().unwrap(), Refusal::Symlink)
        );
        assert_eq!(refused(&path).errno(), Errno::ELOOP);
    }
    assert!(!base.join("nowhere").exists());
    let _ = Dir::private(base.join("link/run")).unwrap();

    let file = base.join("file");
    for path in [file.clone(), file.join("run"), file.join("run/deeper")] {
        let error = refused(&path);
        assert_eq!(
            fault(&path, &error),
            (file.to_str().unwrap(), Refusal::NotADirectory)
        );
        assert_eq!(error.errno(), Errno::ENOTDIR);
    }
    let path = base.join("to_file/run");
    assert_eq!(refused(&path).refusal(), Refusal::NotADirectory);
}

#[test]
fn private_dir_is_opened_only_if_it_is_a_directory() {
    let (_base, base) = fresh();
    fs::write(base.join("file"), "").unwrap();
    symlink("file", base.join("link")).unwrap();
    for name in ["file", "link", "file/", "file/below"] {
        let error = Dir::open(base.join(name)).unwrap_err();
        assert_eq!(error.errno(), Errno::ENOTDIR, "{name}");
    }
    let closed = base.join("closed");
    fs::create_dir(&closed).unwrap();
    // Search permission is enough to open a directory.
    set_mode(&closed, 0o100);
    let _ = Dir::open(&closed).unwrap();
    set_mode(&closed, 0o700);
}

/// A directory above the private directory need not be readable, whether it is on the given path or
/// on the path that a symbolic link leads to.
#[test]
fn private_dir_below_one_that_may_not_be_read_is_made() {
    let (_base, base) = fresh();
    set_mode(&base, 0o1777);
    let make = || {
        if me() == 0 {
            // SAFETY: the arguments are integers; the call affects this thread alone.
            let set = unsafe { libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY) };
            assert_eq!(set, 0);
        }
        fs::create_dir(base.join("closed")).unwrap();
        symlink("closed", base.join("link")).unwrap();
        set_mode(&base.join("closed"), 0o300);
        for path in ["closed/run", "link/run"] {
            let _ = Dir::private(base.join(path)).unwrap();
            fs::remove_dir(base.join(path)).unwrap();
        }
        let _ = Dir::open(base.join("link")).unwrap();
        // In a directory that may not be written to, nothing is made.
        set_mode(&base.join("closed"), 0o500);
        let error = refused(&base.join("closed/run"));
        assert_eq!(error.errno(), Errno::EACCES);
    };
    thread::scope(|scope| scope.spawn(make).join().unwrap());
}

/// The test runs in a child, because the limit of descriptors belongs to the whole process.
#[test]
fn private_dir_where_no_descriptor_is_free_is_emfile() {
    const NAME: &str = "private_dir_where_no_descriptor_is_free_is_emfile";
    const VARIABLE: &str = "SUNPATH_TEST_LIMIT";
    if let Some(base) = env::var_os(VARIABLE) {
        let base = PathBuf::from(base);
        for path in ["run", "new", "link/run", "link/new"] {
            let path = base.join(path);
            let refused = (0..).map_while(|free| {
                let made = with_free(free, || Dir::private(&path));
                made.map(drop).err()
            });
            let refused: Vec<_> = refused.collect();
            assert!(refused.len() > 1);
            for error in refused {
                assert_eq!(error.errno(), Errno::EMFILE, "{error}");
                assert!(matches!(error.refusal(), Refusal::Call(_)), "{error}");
            }
            assert_eq!(mode(&path), 0o700);
        }
        fs::remove_dir(base.join("new")).unwrap();
        return;
    }
    let (_base, base) = fresh();
    let _ = Dir::private(base.join("run")).unwrap();
    // To follow this link the library has three directories open at once.
    symlink("./.", base.join("link")).unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", NAME])
        .env(VARIABLE, &base)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut names: Vec<_> = fs::read_dir(&base)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["link", "run"]);
}

/// Runs `action` under a limit that leaves exactly this many descriptors free, and returns its
/// result.
fn with_free<R>(free: usize, action: impl FnOnce() -> R) -> R {
    // SAFETY: F_GETFD has no argument, and reports EBADF if the descriptor is not open.
    let is_free = |fd: &i32| unsafe { libc::fcntl(*fd, libc::F_GETFD) == -1 };
    let beyond = (0..).filter(is_free).nth(free).unwrap();
    let old = limit::descriptors(beyond as libc::rlim_t);
    let result = action();
    limit::descriptors(old);
    result
}

#[test]
fn private_dir_below_one_that_does_not_exist_is_enoent() {
    let (_base, base) = fresh();
    let path = base.join("absent/run");
    let error = refused(&path);
    assert_eq!(error.prefix_len(), base.join("absent").as_os_str().len());
    assert_eq!(error.errno(), Errno::ENOENT);
    assert!(error.to_string().starts_with("openat: ENOENT"), "{error}");
    let io = std::io::Error::from(error);
    assert_eq!(io.kind(), std::io::ErrorKind::NotFound);

    assert_eq!(
        Dir::private("").unwrap_err().refusal(),
        Refusal::Path(SunPathError::Empty)
    );
    let nul = Dir::private(b"a\0b").unwrap_err();
    assert_eq!(
        nul.refusal(),
        Refusal::Path(SunPathError::InteriorNul { at: 1 })
    );
    let long = refused(&base.join("n".repeat(256)));
    assert_eq!(long.errno(), Errno::ENAMETOOLONG);
    let longer = refused(&base.join("n".repeat(5000)));
    assert_eq!(longer.errno(), Errno::ENAMETOOLONG);
}

#[test]
fn private_dir_of_the_root_or_the_working_directory_is_looked_at_itself() {
    let root = Dir::private("/").unwrap_err();
    let metadata = fs::metadata("/").unwrap();
    let why = match metadata.uid() == me() {
        true => Refusal::Mode {
            mode: metadata.mode() & 0o1777,
            uid: me(),
        },
        false => Refusal::Owner {
            uid: metadata.uid(),
        },
    };
    assert_eq!((root.prefix_len(), root.refusal()), (1, why));
    // The tests run in the directory of their source. The mode of that directory usually gives
    // others a permission, and then the directory is refused.
    let here = fs::metadata(".").unwrap();
    if here.mode() & 0o077 != 0 {
        assert!(Dir::private(".").is_err());
    }
}

#[test]
fn private_dir_of_many_at_once_is_one() {
    let (_base, base) = fresh();
    for round in 0..100 {
        let path = base.join(round.to_string());
        let barrier = Barrier::new(4);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    barrier.wait();
                    let _ = Dir::private(&path).unwrap();
                });
            }
        });
        assert_eq!(mode(&path), 0o700);
    }
}

#[test]
fn private_dir_of_any_length_is_made() {
    let (_base, base) = fresh();
    let mut path = base;
    for _ in 0..30 {
        path.push("d".repeat(200));
        let _ = Dir::private(&path).unwrap();
    }
    let socket = UnixStream::new().unwrap();
    socket.bind_to_at(CWD, path.join("a.sock")).unwrap();
    let dir = Dir::open(&path).unwrap();
    assert_eq!(
        dir.path(&mut [0; 4096]).unwrap_err().errno(),
        Errno::ENAMETOOLONG
    );
}

#[test]
fn private_dir_descriptor_stays_open_where_it_goes() {
    let (_base, path) = fresh();
    let path = path.join("run");
    let number = Dir::private(&path).unwrap().into_raw_fd();
    // SAFETY: into_raw_fd has just returned the descriptor, so nothing else owns it.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    let inode = |fd: OwnedFd| fs::File::from(fd).metadata().unwrap().ino();
    let is = fs::metadata(&path).unwrap().ino();
    assert_eq!(inode(fd), is);
    assert_eq!(inode(Dir::private(&path).unwrap().into()), is);
}

#[test]
fn private_dir_refusals_say_what_is_there() {
    let (_base, path) = fresh();
    let [file, link, nul] = ["file", "link", "n\0l"].map(|name| path.join(name));
    fs::write(&file, "").unwrap();
    symlink(&file, &link).unwrap();
    let below = path.join("absent").join("run");
    let len = |path: &Path| path.as_os_str().len();
    let named = |path: &Path| {
        format!(
            "the directory named by the first {} bytes of the path",
            len(path)
        )
    };
    for (path, expected, errno) in [
        (
            &file,
            format!("{} is not a directory", named(&file)),
            Errno::ENOTDIR,
        ),
        (
            &link,
            format!("{} is a symbolic link", named(&link)),
            Errno::ELOOP,
        ),
        (
            &nul,
            format!("path has a NUL at byte {}", len(&nul) - 2),
            Errno::EINVAL,
        ),
        (
            &below,
            format!(
                "openat: ENOENT (no such file or directory): {}",
                named(&path.join("absent"))
            ),
            Errno::ENOENT,
        ),
    ] {
        let error = refused(path);
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.errno(), errno);
    }
}

#[test]
fn dir_text_of_an_error_is_written_as_it_is_printed() {
    let error = Dir::private("").map(drop).unwrap_err();
    let shown = error.to_string();
    for space in [shown.len() - 1, shown.len(), shown.len() + 1] {
        let mut buf = vec![0; space];
        assert_eq!(error.write_text(&mut buf), shown.len());
        let end = shown.len().min(space);
        assert_eq!(&buf[..end], &shown.as_bytes()[..end]);
    }
}
