//! Tests of private and public directories on file systems that lack something.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use sunpath::files::{DirError, DirOptions};
use sunpath::{Dir, Errno};

use crate::alone;
use crate::supervisor::{Asked, FSTAT, FSTATAT, Fate, Phase, SYS_FCHMODAT2, run, say};

/// Makes a private or a public directory under a umask, and returns the errno of its failure, or 0.
fn make(
    path: &Path,
    is_private: bool,
    umask: libc::mode_t,
    kernel: &dyn Fn(&Asked) -> Option<i32>,
) -> i32 {
    let answer = |asked: &Asked| kernel(asked).map(|errno| -i64::from(errno));
    make_by(&answer, || {
        // SAFETY: umask takes an integer and cannot fail; the child has its own umask.
        unsafe { libc::umask(umask) };
        match is_private {
            true => Dir::private(path),
            false => Dir::public(path),
        }
    })
}

/// Makes a directory while `kernel` answers the system calls, and returns the errno of its failure,
/// or 0.
fn make_by(
    kernel: &dyn Fn(&Asked) -> Option<i64>,
    make: impl FnOnce() -> Result<Dir, DirError>,
) -> i32 {
    let story = run(Fate::As(kernel), || {
        say(Phase::Begin, 0);
        let errno = make().map_or_else(|error| error.errno().raw(), |_| 0);
        say(Phase::Dropped, errno);
    });
    story.dropped.unwrap()
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// On a file system without the sticky bit a new directory cannot be distinguished from another
/// user's, so its mode is not changed after it was made.
#[test]
fn directory_without_a_sticky_bit_is_made_if_the_umask_leaves_its_mode() {
    let _alone = alone();
    for (umask, is_private, errno) in [
        (0o022, true, 0),
        (0o277, true, Errno::ESTALE.raw()),
        (0o022, false, 0),
        (0o077, false, Errno::ESTALE.raw()),
    ] {
        let dir = crate::fresh::dir();
        let drops = |asked: &Asked| {
            if matches!(asked.nr, FSTAT | FSTATAT) {
                for name in names(dir.path()) {
                    let path = dir.path().join(name);
                    let mode = fs::metadata(&path).unwrap().permissions().mode();
                    fs::set_permissions(&path, Permissions::from_mode(mode & 0o777)).unwrap();
                }
            }
            None
        };
        let made = make(&dir.path().join("run"), is_private, umask, &drops);
        assert_eq!(made, errno, "{umask:o}");
        let expected: &[&str] = if errno == 0 { &["run"] } else { &[] };
        assert_eq!(names(dir.path()), expected, "{umask:o}");
    }
}

/// If a directory cannot be renamed without taking the place of another, it is made under its final
/// name.
#[test]
fn directory_where_no_call_renames_safely_is_made_in_its_place() {
    let _alone = alone();
    let dir = crate::fresh::dir();
    let path = dir.path().join("run");
    let lacks = |asked: &Asked| match asked.nr {
        libc::SYS_renameat2 => Some(libc::ENOSYS),
        libc::SYS_linkat => Some(libc::EPERM),
        _ => None,
    };
    assert_eq!(make(&path, true, 0o022, &lacks), 0);
    assert_eq!(names(dir.path()), ["run"]);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o700);
    // A failure for another reason is reported.
    fs::remove_dir(&path).unwrap();
    let fails = |asked: &Asked| (asked.nr == libc::SYS_renameat2).then_some(libc::EIO);
    assert_eq!(make(&path, true, 0o022, &fails), libc::EIO);
    assert!(names(dir.path()).is_empty());
}

#[test]
fn directory_through_a_link_that_cannot_be_read_is_that_error() {
    let _alone = alone();
    let dir = crate::fresh::dir();
    let link = "l".repeat(200);
    let long = dir.path().join("m");
    // The kernel follows both links. The library keeps the target of the second link and the rest
    // of the first link's target in one buffer of `PATH_MAX` bytes, and the two may be too long for
    // it.
    for (rest, answer, errno) in [
        (1000, None, 0),
        (1900, None, libc::ENAMETOOLONG),
        (0, Some(libc::EIO), libc::EIO),
    ] {
        let link = dir.path().join(&link);
        symlink("./".repeat(1000), &long).unwrap();
        symlink(format!("m/{}", "./".repeat(rest)), &link).unwrap();
        let reads = |asked: &Asked| {
            (asked.nr == libc::SYS_readlinkat)
                .then_some(answer)
                .flatten()
        };
        assert_eq!(make(&link.join("run"), true, 0o022, &reads), errno);
        fs::remove_file(&link).unwrap();
        fs::remove_file(&long).unwrap();
        let _ = fs::remove_dir(dir.path().join("run"));
        assert!(names(dir.path()).is_empty());
    }
}

/// No file system has links whose target is longer than `PATH_MAX`. If a file system answers with
/// more bytes than the buffer has, the end of the target is not known.
#[test]
fn directory_through_a_link_that_fills_the_buffer_is_enametoolong() {
    let _alone = alone();
    let dir = crate::fresh::dir();
    symlink(".", dir.path().join("l")).unwrap();
    for (len, errno) in [(1, 0), (libc::PATH_MAX, libc::ENAMETOOLONG)] {
        let fills =
            |asked: &Asked| (asked.nr == libc::SYS_readlinkat && len > 1).then_some(i64::from(len));
        let path = dir.path().join("l/run");
        assert_eq!(make_by(&fills, || Dir::private(&path)), errno, "{len}");
    }
}

#[test]
fn directory_above_that_another_process_makes_first_is_entered() {
    let _alone = alone();
    let dir = crate::fresh::dir();
    let above = dir.path().join("above");
    let path = above.join("run");
    let make = || DirOptions::new().parents(true).private(&path);
    for (mode, errno) in [(0o700, 0), (0o777, Errno::EPERM.raw())] {
        let comes_first = |asked: &Asked| {
            if asked.nr == libc::SYS_renameat2 && asked.path(3) == b"above" {
                fs::create_dir(&above).unwrap();
                fs::set_permissions(&above, Permissions::from_mode(mode)).unwrap();
            }
            None
        };
        // The directory is verified as if it had been there before.
        assert_eq!(make_by(&comes_first, make), errno, "{mode:o}");
        assert_eq!(names(dir.path()), ["above"]);
        assert_eq!(path.exists(), errno == 0);
        fs::remove_dir_all(&above).unwrap();
    }
    // A failure for another reason is reported.
    let has_no_space =
        |asked: &Asked| (asked.nr == libc::SYS_mkdirat).then_some(-i64::from(libc::ENOSPC));
    assert_eq!(make_by(&has_no_space, make), libc::ENOSPC);
    assert!(names(dir.path()).is_empty());
}

/// A directory that is private already is not changed, so it may be on a file system that cannot be
/// written to.
#[test]
fn directory_that_needs_no_narrowing_is_not_changed() {
    let _alone = alone();
    let dir = crate::fresh::dir();
    let path = dir.path().join("run");
    fs::create_dir(&path).unwrap();
    let is_read_only = |asked: &Asked| match asked.nr {
        libc::SYS_fchmod | libc::SYS_fchmodat | SYS_FCHMODAT2 => Some(-i64::from(libc::EROFS)),
        _ => None,
    };
    for (mode, errno) in [
        (0o700, 0),
        (0o500, 0),
        (0o740, libc::EROFS),
        (0o701, libc::EROFS),
    ] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let narrow = || DirOptions::new().narrow(true).private(&path);
        assert_eq!(make_by(&is_read_only, narrow), errno, "{mode:o}");
    }
}
