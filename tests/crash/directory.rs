//! Tests of private and public directories on file systems that lack something.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use sunpath::{Dir, Errno};

use crate::alone;
use crate::supervisor::{Asked, FSTAT, FSTATAT, Fate, Phase, run, say};

/// Makes a private or a public directory under a umask, and returns the errno of its failure, or 0.
fn make(
    path: &Path,
    is_private: bool,
    umask: libc::mode_t,
    kernel: &dyn Fn(&Asked) -> Option<i32>,
) -> i32 {
    let answer = |asked: &Asked| kernel(asked).map(|errno| -i64::from(errno));
    let story = run(Fate::As(&answer), || {
        // SAFETY: the call takes a number and cannot fail; the umask is the child's alone.
        unsafe { libc::umask(umask) };
        say(Phase::Begin, 0);
        let made = match is_private {
            true => Dir::private(path),
            false => Dir::public(path),
        };
        let errno = made.map_or_else(|error| error.errno().raw(), |_| 0);
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

/// On a file system without the sticky bit a new directory cannot be told from one of another user,
/// so its mode is not changed after it was made.
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
    // of the first link's target in one buffer of `PATH_MAX` bytes, for which the two may be too
    // long.
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
