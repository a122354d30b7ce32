//! Tests that mode and owner are exact, and never wider.

use std::ffi::CString;
use std::fs::{self, File, Permissions};
use std::os::fd::FromRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use sunpath::{BindOptions, Errno, Existing};

use crate::{Fresh, NOBODY, POLICIES, assert_fails, bind, in_child};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn set_umask(mask: libc::mode_t) -> libc::mode_t {
    // SAFETY: umask takes an integer and cannot fail.
    unsafe { libc::umask(mask) }
}

#[test]
fn mode_of_a_singleton_is_0600_under_every_umask() {
    for umask in [0, 0o022, 0o777] {
        let fresh = Fresh::new();
        assert!(in_child(|| {
            set_umask(umask);
            let listener = BindOptions::singleton().listen(&fresh.path).unwrap();
            let second = BindOptions::singleton().listen(&fresh.path);
            mode(&fresh.path) == 0o600
                && second.is_err_and(|error| error.in_use().is_some())
                && listener.close_and_unlink().is_ok()
        }));
        assert!(fresh.names().is_empty());
    }
}

#[test]
fn mode_is_exact_under_every_umask() {
    let fresh = Fresh::new();
    for umask in [0, 0o022, 0o077, 0o177, 0o277, 0o777] {
        let exact = in_child(|| {
            set_umask(umask);
            POLICIES.into_iter().all(|policy| {
                (0..=0o777).all(|wanted| {
                    let options = BindOptions::new().mode(wanted).existing(policy);
                    let listener = bind(options, &fresh.path).unwrap();
                    let got = mode(&fresh.path);
                    drop(listener);
                    got == wanted
                })
            })
        });
        assert!(exact, "umask {umask:03o}");
        assert!(fresh.names().is_empty());
    }
}

#[test]
fn mode_of_a_datagram_socket_is_exact_under_every_umask() {
    let fresh = Fresh::new();
    for umask in [0, 0o022, 0o777] {
        let exact = in_child(|| {
            set_umask(umask);
            [0, 0o200, 0o600, 0o666, 0o777].into_iter().all(|wanted| {
                let options = BindOptions::new().mode(wanted);
                let _socket = options.bind_datagram(&fresh.path).unwrap();
                mode(&fresh.path) == wanted
            })
        });
        assert!(exact, "umask {umask:03o}");
    }
}

#[test]
fn mode_not_asked_for_is_that_of_c() {
    let fresh = Fresh::new();
    for umask in [0, 0o022, 0o077, 0o777] {
        let as_c = in_child(|| {
            set_umask(umask);
            POLICIES.into_iter().all(|policy| {
                let _listener = bind(BindOptions::new().existing(policy), &fresh.path).unwrap();
                mode(&fresh.path) == 0o777 & !umask
            })
        });
        assert!(as_c, "umask {umask:03o}");
    }
}

/// If others may write to a directory without the sticky bit, they may rename our file and give its
/// name to another file that we made. The socket is therefore made in a private directory beside
/// the path, which other users cannot enter.
#[test]
fn mode_in_a_directory_where_others_may_rename_is_made_beside_it() {
    let fresh = Fresh::new();
    for (bits, beside, of_another) in [
        (0o755, false, false),
        (0o1777, false, false),
        (0o777, true, false),
        (0o775, true, false),
        // The owner of a directory may rename what is in it. Only root can give the directory to
        // another user.
        (0o755, true, true),
        (0o1777, true, true),
    ] {
        if of_another && !crate::is_root() {
            continue;
        }
        let owner = of_another.then_some(NOBODY);
        chown(fresh.dir.path(), owner, None).unwrap();
        fs::set_permissions(fresh.dir.path(), Permissions::from_mode(bits)).unwrap();
        for policy in POLICIES {
            for asked in [0, 0o600, 0o666] {
                let options = BindOptions::new().mode(asked).existing(policy);
                let listener = bind(options, &fresh.path).unwrap();
                assert_eq!(mode(&fresh.path), asked);
                let local = listener.local_addr().unwrap().to_string();
                let is_path = local == fresh.path.to_str().unwrap();
                assert_eq!(is_path, !beside && policy != Existing::Takeover, "{local}");
                assert_eq!(local.ends_with("/s"), beside, "{local}");
                assert_eq!(
                    listener.addr().unwrap().to_string(),
                    fresh.path.to_str().unwrap()
                );
                drop(listener);
                assert!(fresh.names().is_empty());
            }
        }
    }
}

/// An ordinary user's own directory, and one of root with the sticky bit, keep others from renaming.
/// For root both directories would be its own, so root runs the test in a child that becomes an
/// ordinary user.
#[test]
fn mode_in_a_directory_of_an_ordinary_user_or_of_root_is_set_in_place() {
    let fresh = Fresh::new();
    let in_place = || {
        let listener = bind(BindOptions::new().mode(0o600), &fresh.path).unwrap();
        let local = listener.local_addr().unwrap().to_string();
        local == fresh.path.to_str().unwrap() && mode(&fresh.path) == 0o600
    };
    if !crate::is_root() {
        return assert!(in_place());
    }
    for (owner, bits) in [(NOBODY, 0o755), (0, 0o1777)] {
        chown(fresh.dir.path(), Some(owner), None).unwrap();
        fs::set_permissions(fresh.dir.path(), Permissions::from_mode(bits)).unwrap();
        assert!(
            in_child(|| {
                crate::become_nobody();
                in_place()
            }),
            "{bits:o} of {owner}"
        );
    }
}

#[test]
fn mode_is_exact_from_many_threads_while_the_umask_changes() {
    let fresh = Fresh::new();
    let dir = fresh.dir.path();
    // A child changes the umask, because the umask belongs to the whole process.
    let exact = in_child(|| {
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    for umask in [0, 0o022, 0o077, 0o777] {
                        set_umask(umask);
                    }
                }
            });
            let binders: Vec<_> = (0..8)
                .map(|thread| {
                    scope.spawn(move || {
                        (0..200).all(|round| {
                            let wanted = (thread * 200 + round) % 0o1000;
                            let path = dir.join(format!("{thread}.sock"));
                            let policy = POLICIES[round as usize % 3];
                            let options = BindOptions::new().mode(wanted).existing(policy);
                            // The umask also applies to a new lock file, which is readable and
                            // writable by its owner all the same.
                            let listener = bind(options, &path).unwrap();
                            let got = mode(&path);
                            drop(listener);
                            got == wanted
                        })
                    })
                })
                .collect();
            let exact = binders
                .into_iter()
                .all(|binder| binder.join().unwrap_or(false));
            done.store(true, Ordering::Relaxed);
            exact
        })
    });
    assert!(exact);
    assert!(fresh.names().is_empty(), "{:?}", fresh.names());
}

/// The longest time that a thread may take to look at a file that stays.
const AT_MOST: Duration = Duration::from_secs(60);

/// Opens a file that cannot be read, to ask for its mode. This is a call of C's open, because std's
/// `OpenOptions` drops the flag `O_PATH` with musl, whose `O_ACCMODE` contains it.
fn open(path: &Path) -> Option<File> {
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    let flags = libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC;
    // SAFETY: the path ends with a NUL.
    let fd = unsafe { libc::open(path.as_ptr(), flags) };
    // SAFETY: the descriptor was just opened, and nothing else owns it.
    (fd >= 0).then(|| unsafe { File::from_raw_fd(fd) })
}

/// Binds 3,000 times while another thread looks at the file all the time. Returns whether every mode and
/// group that the thread saw were `allowed`.
///
/// The thread asks for the mode first and for the group after that, in two calls. One call would not
/// do, because the kernel takes no lock: it can read the group before the bind and the mode after it.
fn only_sees(
    fresh: &Fresh,
    options: BindOptions,
    allowed: impl Fn(u32, u32) -> bool + Sync,
) -> bool {
    let (done, seen) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut good = true;
            while !done.load(Ordering::Relaxed) {
                if let Some(file) = open(&fresh.path) {
                    let mode = file.metadata().unwrap().mode();
                    good &= allowed(mode & 0o777, file.metadata().unwrap().gid());
                    seen.fetch_add(1, Ordering::Relaxed);
                }
            }
            good
        });
        let bound = (0..3000).try_for_each(|round| {
            let listener = bind(options, &fresh.path)?;
            // On a busy machine the thread might see no file at all. Every 30th file therefore stays
            // until the thread has looked at it.
            let before = seen.load(Ordering::Relaxed);
            let is_seen = || seen.load(Ordering::Relaxed) != before || watcher.is_finished();
            let start = Instant::now();
            while round % 30 == 0 && !is_seen() {
                if start.elapsed() > AT_MOST {
                    done.store(true, Ordering::Relaxed);
                    panic!("the thread has not seen the file for {AT_MOST:?}");
                }
                thread::yield_now();
            }
            drop(listener);
            Ok::<_, sunpath::Error>(())
        });
        done.store(true, Ordering::Relaxed);
        bound.unwrap();
        watcher.join().unwrap()
    })
}

#[test]
fn mode_is_never_wider_at_any_instant() {
    let fresh = Fresh::new();
    let options = BindOptions::new().mode(0o640);
    assert!(only_sees(&fresh, options, |mode, _| mode & !0o640 == 0));
}

#[test]
fn mode_gives_nothing_to_the_wrong_group_at_any_instant() {
    let fresh = Fresh::new();
    if crate::skip::unless_root() {
        return;
    }
    let options = BindOptions::new().mode(0o660).group(NOBODY);
    assert!(only_sees(&fresh, options, |mode, gid| gid == NOBODY
        || mode & 0o077 == 0));
}

#[test]
fn owner_and_group_are_those_asked_for() {
    let fresh = Fresh::new();
    if crate::skip::unless_root() {
        return;
    }
    let owned = |options: BindOptions| {
        let _listener = bind(options, &fresh.path).unwrap();
        let file = fs::symlink_metadata(&fresh.path).unwrap();
        (file.uid(), file.gid(), file.mode() & 0o7777)
    };
    let umasked = {
        let _listener = bind(BindOptions::new(), &fresh.path).unwrap();
        mode(&fresh.path)
    };
    // In a directory in which others may rename files, the file is made beside the path.
    for mode_of_dir in [0o755, 0o777] {
        fs::set_permissions(fresh.dir.path(), Permissions::from_mode(mode_of_dir)).unwrap();
        let new = BindOptions::new;
        assert_eq!(owned(new().owner(NOBODY)), (NOBODY, 0, umasked));
        assert_eq!(owned(new().group(NOBODY)), (0, NOBODY, umasked));
        let both = new().owner(NOBODY).group(NOBODY);
        assert_eq!(owned(both.mode(0o666)), (NOBODY, NOBODY, 0o666));
        for policy in POLICIES {
            let all = both.mode(0o460).existing(policy);
            assert_eq!(owned(all), (NOBODY, NOBODY, 0o460));
        }
    }
    assert!(fresh.names().is_empty());
}

#[test]
fn owner_that_we_may_not_give_to_is_eperm_and_leaves_nothing() {
    let fresh = Fresh::new();
    if crate::skip::unless_root() {
        return;
    }
    fs::set_permissions(fresh.dir.path(), Permissions::from_mode(0o777)).unwrap();
    let eperm = in_child(|| {
        crate::become_nobody();
        let before = crate::open_count();
        let refused = POLICIES.into_iter().all(|policy| {
            let options = BindOptions::new().owner(0).mode(0o600).existing(policy);
            bind(options, &fresh.path).is_err_and(|error| error.errno() == Errno::EPERM)
        });
        refused && crate::open_count() == before
    });
    assert!(eperm);
    assert!(fresh.names().is_empty(), "{:?}", fresh.names());
}

#[test]
fn mode_over_0777_is_einval() {
    let fresh = Fresh::new();
    assert!(bind(BindOptions::new().mode(0o777), &fresh.path).is_ok());
    for wrong in [0o1000, 0o4755, u32::MAX] {
        assert_fails(
            bind(BindOptions::new().mode(wrong), &fresh.path),
            Errno::EINVAL,
        );
    }
}

/// The number -1 is refused, because for chown(2) it means no change.
#[test]
fn mode_owner_or_group_of_minus_one_is_einval_with_the_number() {
    let fresh = Fresh::new();
    for policy in POLICIES {
        let new = || BindOptions::new().existing(policy);
        for options in [new().owner(u32::MAX), new().group(u32::MAX)] {
            let error = bind(options, &fresh.path).unwrap_err();
            assert_eq!(
                error.to_string(),
                "bind: EINVAL (4294967295 is not a user or group: to chown(2) it is -1, no change)"
            );
            assert!(fresh.names().is_empty());
        }
    }
}
