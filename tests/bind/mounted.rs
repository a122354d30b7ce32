//! Tests of mounted file systems: a file system that is remounted read-only, a mount on the socket
//! file, and a file system without sockets. Each test runs in a child with a mount namespace of its
//! own.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use sunpath::error::{Call, Cause};
use sunpath::{BindOptions, Dir, Errno, Existing, Liveness, UnixListener, probe};

use crate::fuse::{self, Quirks};
use crate::{Fresh, POLICIES, assert_fails, bind, in_child, ino, may_have_own_namespaces, skip};

/// Runs `action` in a child whose mounts no other process sees, and returns its result. Returns
/// `true` if the system does not allow a child to have its own mounts.
fn with_own_mounts(action: impl FnOnce() -> bool) -> bool {
    in_child(|| {
        if !may_have_own_namespaces() {
            return true;
        }
        // SAFETY: the argument is an integer; this process has one thread.
        assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNS) }, 0);
        mount("none", Path::new("/"), "", libc::MS_REC | libc::MS_PRIVATE).unwrap();
        action()
    })
}

fn mount(source: &str, at: &Path, kind: &str, flags: libc::c_ulong) -> io::Result<()> {
    mount_with("", source, at, kind, flags)
}

fn mount_with(
    options: &str,
    source: &str,
    at: &Path,
    kind: &str,
    flags: libc::c_ulong,
) -> io::Result<()> {
    let at = at.as_os_str().as_bytes();
    let texts = [options.as_bytes(), source.as_bytes(), at, kind.as_bytes()];
    let texts = texts.map(|text| CString::new(text).unwrap());
    let [options, source, at, kind] = texts.each_ref().map(|text| text.as_ptr());
    // SAFETY: the four pointers are to strings that end with their NUL.
    match unsafe { libc::mount(source, at, kind, flags, options.cast()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Mounts an overlay of the directories `lower` and `upper/upper` in `dir` on `merged`. Returns
/// `false` if the kernel refuses to mount it.
fn mount_overlay(dir: &Path, options: &str) -> bool {
    for name in ["upper/upper", "upper/work", "merged"] {
        fs::create_dir_all(dir.join(name)).unwrap();
    }
    let options = format!(
        "lowerdir={0}/lower,upperdir={0}/upper/upper,workdir={0}/upper/work{options}",
        dir.display()
    );
    let mounted = mount_with(&options, "overlay", &dir.join("merged"), "overlay", 0);
    if mounted.is_err() {
        skip::skip("a kernel with overlay file systems");
    }
    mounted.is_ok()
}

#[test]
fn mounted_file_system_can_be_made_read_only_while_a_server_runs() {
    // Only root can run this test. A user namespace of an ordinary user maps no ids, so nothing can
    // be made in a tmpfs in it.
    if crate::skip::unless_root() {
        return;
    }
    let fresh = Fresh::new();
    assert!(with_own_mounts(|| {
        mount("tmpfs", fresh.dir.path(), "tmpfs", 0).unwrap();
        let read_only = |flag| {
            let flags = libc::MS_REMOUNT | libc::MS_BIND | flag;
            mount("none", fresh.dir.path(), "", flags)
        };
        POLICIES.into_iter().all(|policy| {
            let options = BindOptions::new().mode(0o600).existing(policy);
            let listener = bind(options, &fresh.path).unwrap();
            let remounted = read_only(libc::MS_RDONLY);
            remounted.unwrap_or_else(|error| panic!("{policy:?}: {error}"));
            // The file cannot be removed while something is mounted on it.
            assert_fails(bind(options, &fresh.path.with_extension("b")), Errno::EROFS);
            read_only(0).unwrap();
            listener.close_and_unlink().is_ok() && fresh.names().is_empty()
        })
    }));
}

#[test]
fn mounted_read_only_a_directory_is_not_a_socket() {
    if skip::unless_root() {
        return;
    }
    let fresh = Fresh::new();
    assert!(with_own_mounts(|| {
        mount("tmpfs", fresh.dir.path(), "tmpfs", 0).unwrap();
        let dir = fresh.path.with_extension("d");
        fs::create_dir(&dir).unwrap();
        let _listener = UnixListener::bind(&fresh.path).unwrap();
        let flags = libc::MS_REMOUNT | libc::MS_RDONLY;
        mount("none", fresh.dir.path(), "", flags).unwrap();
        let found = [&fresh.path, &dir].map(|path| probe(path).unwrap());
        found == [Liveness::Live, Liveness::NotSocket]
    }));
}

#[test]
fn mounted_on_the_socket_file_it_is_ebusy_and_stays() {
    let fresh = Fresh::new();
    assert!(with_own_mounts(|| {
        let path = &fresh.path;
        // The socket file is mounted on itself, as container managers mount a socket file into a
        // container.
        let mount_on = || mount(path.to_str().unwrap(), path, "", libc::MS_BIND).unwrap();
        let listener = bind(BindOptions::new(), path).unwrap();
        mount_on();
        assert_fails(listener.close_and_unlink(), Errno::EBUSY);
        for policy in [Existing::ReplaceStale, Existing::Takeover] {
            let options = BindOptions::new().existing(policy);
            assert_fails(bind(options, path), Errno::EBUSY);
            assert_eq!(fresh.names(), ["a.sock"], "{policy:?}");
        }
        true
    }));
}

/// If the file itself and not its directory is bind-mounted for a client, the client reaches only
/// the first server, because each server makes a new file.
#[test]
fn mounted_elsewhere_a_socket_file_leads_to_no_later_server() {
    let fresh = Fresh::new();
    assert!(with_own_mounts(|| {
        let (file, dir) = (fresh.dir.path().join("file"), fresh.dir.path().join("dir"));
        fs::write(&file, "").unwrap();
        fs::create_dir(&dir).unwrap();
        let run = fresh.dir.path().join("run");
        fs::create_dir(&run).unwrap();
        let path = run.join("a.sock");
        let options = BindOptions::new().existing(Existing::ReplaceStale);
        let first = bind(options, &path).unwrap();
        mount(path.to_str().unwrap(), &file, "", libc::MS_BIND).unwrap();
        mount(run.to_str().unwrap(), &dir, "", libc::MS_BIND).unwrap();
        crate::assert_reaches(&file, &first);
        drop(first);
        let second = bind(options, &path).unwrap();
        crate::assert_reaches(&dir.join("a.sock"), &second);
        let refused = sunpath::UnixStream::connect(&file);
        refused.is_err_and(|error| error.errno() == Errno::ECONNREFUSED)
    }));
}

/// Binds in a file system that lacks something, by each policy with and without a mode, over
/// nothing and over a dead socket. Without a mode, bind works as on every other file system. With a
/// mode, bind fails and leaves nothing. The first cause is the expected one in an ordinary
/// directory, and the second cause is the expected one in a directory in which others may rename
/// files.
fn on_lacking(quirks: Quirks, causes: [Option<Cause>; 2]) {
    for (root_mode, cause) in [0o755, 0o777].into_iter().zip(causes) {
        on_lacking_in(
            Quirks {
                root_mode,
                ..quirks
            },
            cause,
        );
    }
}

fn on_lacking_in(quirks: Quirks, cause: Option<Cause>) {
    let fresh = Fresh::new();
    assert!(with_own_mounts(|| {
        if !fuse::mount(fresh.dir.path(), quirks) {
            skip::skip("FUSE");
            return true;
        }
        for policy in POLICIES {
            let options = BindOptions::new().existing(policy);
            let listener = bind(options, &fresh.path).unwrap();
            crate::assert_reaches(&fresh.path, &listener);
            listener.close_and_unlink().unwrap();
            if policy != Existing::Refuse {
                assert!(in_child(|| {
                    // The listener is forgotten, so its files stay as if the process had been
                    // killed.
                    bind(options, &fresh.path).map(std::mem::forget).is_ok()
                }));
                assert!(fresh.path.exists());
                let listener = bind(options, &fresh.path).unwrap();
                crate::assert_reaches(&fresh.path, &listener);
                drop(listener);
                // On these file systems the lock file of the killed process has lost the sticky
                // bit, by which the next server recognizes it, so it stays.
                let loses_marks = quirks.permissions.is_some() || quirks.drops_sticky;
                if policy == Existing::ReplaceStale && loses_marks {
                    assert_eq!(fresh.names(), ["a.sock.lock"]);
                    fs::remove_file(fresh.dir.path().join("a.sock.lock")).unwrap();
                }
            }
            assert!(fresh.names().is_empty(), "{policy:?}: {:?}", fresh.names());

            let bound = bind(options.mode(0o660), &fresh.path);
            match cause {
                None => drop(bound.unwrap()),
                Some(cause) => {
                    let error = bound.unwrap_err();
                    assert_eq!(error.cause(), Some(cause), "{error}");
                    assert!(error.is_unsupported(), "{error}");
                }
            }
            assert!(fresh.names().is_empty(), "{policy:?}: {:?}", fresh.names());
        }
        true
    }));
}

#[test]
fn mounted_file_system_that_lacks_nothing_is_one_like_any_other() {
    on_lacking(Quirks::NONE, [None, None]);
}

#[test]
fn mounted_file_system_that_keeps_its_own_modes_takes_no_mode() {
    for permissions in [0o755, 0o777] {
        let quirks = Quirks {
            permissions: Some(permissions),
            ..Quirks::NONE
        };
        on_lacking(quirks, [Some(Cause::NoModes), Some(Cause::NoModes)]);
    }
}

#[test]
fn mounted_file_system_that_rejects_chmod_takes_no_mode() {
    for errno in [libc::EINVAL, libc::EPERM, libc::ENOSYS] {
        let quirks = Quirks {
            chmod: Some(errno),
            ..Quirks::NONE
        };
        on_lacking(quirks, [Some(Cause::NoModes), Some(Cause::NoModes)]);
    }
}

#[test]
fn mounted_file_system_that_drops_the_sticky_bit_takes_no_mode() {
    let quirks = Quirks {
        drops_sticky: true,
        ..Quirks::NONE
    };
    on_lacking(quirks, [Some(Cause::NoStickyBit), None]);
}

#[test]
fn mounted_file_system_with_its_own_owner_takes_no_mode() {
    let quirks = Quirks {
        owner: Some(1),
        ..Quirks::NONE
    };
    on_lacking(quirks, [Some(Cause::NoOwners), Some(Cause::NoOwners)]);
}

#[test]
fn mounted_file_system_that_counts_no_links_takes_no_mode() {
    for links in [0, 2] {
        let quirks = Quirks {
            links: Some(links),
            ..Quirks::NONE
        };
        on_lacking(quirks, [Some(Cause::NoLinkCounts), None]);
    }
}

#[test]
fn mounted_file_system_without_rename_flags_needs_links() {
    let without = Quirks {
        no_rename_flags: true,
        ..Quirks::NONE
    };
    on_lacking(without, [None, None]);
    let fresh = Fresh::new();
    let copies = Quirks {
        link_copies: true,
        ..without
    };
    let fails = |errno| Quirks {
        link: Some(errno),
        ..without
    };
    for quirks in [copies, fails(libc::EPERM), fails(libc::EOPNOTSUPP)] {
        assert!(with_own_mounts(|| {
            if !fuse::mount(fresh.dir.path(), quirks) {
                skip::skip("FUSE");
                return true;
            }
            let takeover = BindOptions::new().existing(Existing::Takeover);
            let error = bind(takeover, &fresh.path).unwrap_err();
            assert_eq!(error.cause(), Some(Cause::NoSafeRename), "{error}");
            assert!(error.is_unsupported() && fresh.names().is_empty());
            // Over an existing socket a takeover calls rename(2), which this file system has.
            drop(UnixListener::bind(&fresh.path).unwrap());
            let listener = bind(takeover, &fresh.path).unwrap();
            crate::assert_reaches(&fresh.path, &listener);
            listener.close_and_unlink().is_ok() && fresh.names().is_empty()
        }));
    }
}

#[test]
fn mounted_file_system_without_sockets_is_an_error_of_bind() {
    for errno in [libc::ENOSYS, libc::EPERM] {
        let fresh = Fresh::new();
        let quirks = Quirks {
            mknod: Some(errno),
            ..Quirks::NONE
        };
        assert!(with_own_mounts(|| {
            if !fuse::mount(fresh.dir.path(), quirks) {
                skip::skip("FUSE");
                return true;
            }
            POLICIES.into_iter().all(|policy| {
                let options = BindOptions::new().existing(policy);
                let error = bind(options, &fresh.path).unwrap_err();
                assert_eq!((error.call(), error.errno().raw()), (Call::Bind, errno));
                error.is_unsupported() == (errno == libc::ENOSYS) && fresh.names().is_empty()
            })
        }));
    }
}

/// A live socket looks dead to a process that reaches it through another layer of an overlay, which
/// is a known limit.
#[test]
fn mounted_as_overlay_a_server_of_another_layer_looks_dead() {
    // Only root can run this test. A user namespace of an ordinary user maps no ids, so nothing can
    // be made in a tmpfs in it.
    if crate::skip::unless_root() {
        return;
    }
    let fresh = Fresh::new();
    if skip::unless_root() {
        return;
    }
    assert!(with_own_mounts(|| {
        mount("tmpfs", fresh.dir.path(), "tmpfs", 0).unwrap();
        let dir = fresh.dir.path();
        fs::create_dir(dir.join("lower")).unwrap();
        let live = UnixListener::bind(dir.join("lower/a.sock")).unwrap();
        if !mount_overlay(dir, "") {
            return true;
        }
        let found = sunpath::probe(dir.join("merged/a.sock"));
        drop(live);
        found == Ok(Liveness::Dead)
    }));
}

/// In an overlay of two file systems, inode numbers have 64 bits, and the upper bits identify the
/// file system. Calls whose inode numbers have 32 bits fail there with `EOVERFLOW`.
#[test]
fn mounted_where_inodes_have_large_numbers_everything_works() {
    // Only root can run this test. A user namespace of an ordinary user maps no ids, so nothing can
    // be made in a tmpfs in it.
    if skip::unless_root() {
        return;
    }
    let fresh = Fresh::new();
    assert!(with_own_mounts(|| {
        mount("tmpfs", fresh.dir.path(), "tmpfs", 0).unwrap();
        let dir = fresh.dir.path();
        for name in ["lower", "upper"] {
            fs::create_dir(dir.join(name)).unwrap();
            mount("tmpfs", &dir.join(name), "tmpfs", 0).unwrap();
        }
        fs::create_dir(dir.join("lower/run")).unwrap();
        if !mount_overlay(dir, ",xino=on") {
            return true;
        }
        let run = dir.join("merged/run");
        assert!(ino(&run) > u64::from(u32::MAX), "{:#x}", ino(&run));
        for policy in POLICIES {
            for options in [BindOptions::new(), BindOptions::new().mode(0o600)] {
                let path = run.join("a.sock");
                let listener = bind(options.existing(policy), &path).unwrap();
                crate::assert_reaches(&path, &listener);
                assert_eq!(sunpath::probe(&path), Ok(Liveness::Live));
                listener.close_and_unlink().unwrap();
            }
        }
        let _ = Dir::private(run.join("own")).unwrap();
        let _ = Dir::open(&run).unwrap();
        fs::read_dir(&run).unwrap().count() == 1
    }));
}
