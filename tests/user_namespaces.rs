//! Tests in user namespaces, in which one uid stands for every user that is not mapped.
#![cfg(all(target_os = "linux", feature = "std", feature = "files"))]

mod fresh;
mod skip;

use std::ffi::{CStr, CString};
use std::fs::{self, Permissions};
use std::io::Error;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use sunpath::error::Cause;
use sunpath::files::Refusal;
use sunpath::{ConnectOptions, Dir, Errno, Stream, UnixListener, UnixStream};

/// The uid of an ordinary user.
const USER: u32 = 4711;

fn my_uid() -> u32 {
    // SAFETY: the call takes no arguments and cannot fail.
    unsafe { libc::geteuid() }
}

/// Returns the uid that stands for all users that are not mapped.
fn overflow_uid() -> u32 {
    let number = fs::read_to_string("/proc/sys/kernel/overflowuid").unwrap();
    number.trim().parse().unwrap()
}

/// Runs `action` in a forked child, and asserts that it does not panic.
fn in_child(action: impl FnOnce()) {
    // SAFETY: the child ends by _exit.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", Error::last_os_error());
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

/// Enters a user namespace with this map of uids. If that is refused, reports that the test is
/// skipped and returns `false`.
fn enter_namespace(map: &str) -> bool {
    let (here, there) = UnixStream::pair().unwrap();
    let own = std::process::id();
    // A process outside the namespace writes the map, because only a process outside may map more
    // users than its own. SAFETY: the child ends by _exit.
    let writer = unsafe { libc::fork() };
    assert!(writer >= 0, "fork: {}", Error::last_os_error());
    if writer == 0 {
        drop(here);
        let told = there.read(&mut [0; 1]).unwrap();
        let written = told == 0 || fs::write(format!("/proc/{own}/uid_map"), map).is_ok();
        // SAFETY: _exit ends this process and does nothing else.
        unsafe { libc::_exit(i32::from(!written)) };
    }
    drop(there);
    // SAFETY: the argument is an integer; the child has one thread.
    let entered = unsafe { libc::unshare(libc::CLONE_NEWUSER) } == 0;
    if entered && !map.is_empty() {
        here.write(b"x").unwrap();
    }
    drop(here);
    let mut status = 0;
    // SAFETY: `status` is a live int.
    assert_eq!(unsafe { libc::waitpid(writer, &mut status, 0) }, writer);
    assert_eq!(status, 0);
    if !entered {
        skip::skip("user namespaces");
    }
    entered
}

/// If this child runs as root, makes it become an ordinary user. Returns its uid.
fn become_ordinary() -> u32 {
    if my_uid() == 0 {
        // SAFETY: the arguments are integers, so the call accesses no memory.
        assert_eq!(unsafe { libc::setresuid(USER, USER, USER) }, 0);
        // SAFETY: prctl takes integers. Without this call the files in /proc/self would belong to
        // root.
        assert_eq!(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0) }, 0);
    }
    my_uid()
}

fn require(path: &Path, uid: u32) -> Result<(), sunpath::Error> {
    let options = ConnectOptions::new().require_peer(uid);
    options.connect(path).map(|stream: UnixStream| drop(stream))
}

#[test]
fn peer_that_is_not_mapped_cannot_be_required() {
    let dir = fresh::dir();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let path = dir.path().join("a.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    let (server, overflow) = (my_uid(), overflow_uid());

    // Outside of a user namespace the overflow uid is the uid of an ordinary user.
    let outside = require(&path, overflow);
    match server == overflow {
        true => outside.unwrap(),
        false => assert_eq!(
            outside.unwrap_err().cause(),
            Some(Cause::Peer { uid: server })
        ),
    }
    for is_mapped in [false, true] {
        in_child(|| {
            let me = become_ordinary();
            let map = if is_mapped {
                format!("{me} {me} 1\n")
            } else {
                String::new()
            };
            if !enter_namespace(&map) {
                return;
            }
            let (ours, _) = UnixStream::pair().unwrap();
            let own = ours.peer_cred().unwrap();
            assert_eq!(own.is_own_user(), is_mapped && me != overflow, "{own:?}");
            let options = ConnectOptions::new().require_own_user();
            let to_own = options.connect::<Stream>(&path).map(drop);
            if !is_mapped || me == overflow {
                let cause = Cause::UnmappedUid { uid: overflow };
                assert_eq!(to_own.unwrap_err().cause(), Some(cause));
            } else if me == server {
                to_own.unwrap();
            } else {
                let cause = Cause::Peer { uid: overflow };
                assert_eq!(to_own.unwrap_err().cause(), Some(cause));
            }
            let error = require(&path, overflow).unwrap_err();
            assert_eq!(error.errno(), Errno::EINVAL);
            assert_eq!(error.cause(), Some(Cause::UnmappedUid { uid: overflow }));
            if is_mapped && me == server && me != overflow {
                require(&path, me).unwrap();
            }
            if me != server {
                let error = require(&path, me).unwrap_err();
                let cause = match me == overflow || my_uid() == overflow && !is_mapped {
                    true => error.cause(),
                    false => Some(Cause::Peer { uid: overflow }),
                };
                assert_eq!(error.cause(), cause);
            }
        });
    }
}

#[test]
fn peer_in_a_namespace_that_maps_every_user_may_be_anybody() {
    if skip::unless_root() {
        return;
    }
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    for (map, cause) in [
        ("0 0 4294967295\n", Cause::Peer { uid: 0 }),
        (
            "0 0 4294967294\n",
            Cause::UnmappedUid {
                uid: overflow_uid(),
            },
        ),
        (
            "0 0 65536\n",
            Cause::UnmappedUid {
                uid: overflow_uid(),
            },
        ),
    ] {
        in_child(|| {
            if enter_namespace(map) {
                let error = require(&path, overflow_uid()).unwrap_err();
                assert_eq!(error.cause(), Some(cause), "{map}");
                require(&path, 0).unwrap();
            }
        });
    }
}

#[test]
fn dir_below_a_root_that_is_not_mapped_is_made_or_refused_further_down() {
    let dir = fresh::dir();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    in_child(|| {
        if my_uid() == 0 {
            chown(dir.path(), Some(USER), None).unwrap();
        }
        let me = become_ordinary();
        if !enter_namespace(&format!("{me} {me} 1\n")) {
            return;
        }
        let path = dir.path().join("run");
        if let Err(error) = Dir::private(&path) {
            // The directory at fault is usually /tmp, to which other users may write.
            let at_fault = &path.to_str().unwrap()[..error.prefix_len()];
            assert_ne!(at_fault, "/", "{error}");
            assert_ne!(fs::metadata(at_fault).unwrap().mode() & 0o022, 0, "{error}");
        }
    });
}

/// Makes a directory the root directory of this process, with /proc in it. chroot(2) is not used,
/// because after it no user namespace can be made.
fn enter_root(dir: &Path) {
    // SAFETY: the argument is an integer; the child has one thread.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNS) }, 0);
    let path = |path: &Path| CString::new(path.as_os_str().as_bytes()).unwrap();
    let (root, proc) = (path(dir), path(&dir.join("proc")));
    let mount = |from: &CStr, to: &CStr, flags: libc::c_ulong| {
        let (from, to, none) = (from.as_ptr(), to.as_ptr(), std::ptr::null());
        // SAFETY: the strings end with a NUL, and the pointers that the call does not use are null.
        let mounted = unsafe { libc::mount(from, to, none, flags, none.cast()) };
        assert_eq!(mounted, 0, "{}", Error::last_os_error());
    };
    mount(c"none", c"/", libc::MS_REC | libc::MS_PRIVATE);
    mount(&root, &root, libc::MS_BIND | libc::MS_REC);
    mount(c"/proc", &proc, libc::MS_BIND | libc::MS_REC);
    std::env::set_current_dir(dir).unwrap();
    let here = c".".as_ptr();
    // SAFETY: the strings end with a NUL.
    let pivoted = unsafe { libc::syscall(libc::SYS_pivot_root, here, here) };
    assert_eq!(pivoted, 0, "{}", Error::last_os_error());
    // SAFETY: the strings end with a NUL.
    assert_eq!(unsafe { libc::umount2(here, libc::MNT_DETACH) }, 0);
    std::env::set_current_dir("/").unwrap();
}

#[test]
fn dir_in_a_sandbox_accepts_owners_that_are_not_mapped_where_nobody_else_writes() {
    if skip::unless_root() {
        return;
    }
    let base = fresh::dir();
    let root = base.path();
    fs::set_permissions(root, Permissions::from_mode(0o755)).unwrap();
    for (name, mode, owner) in [
        ("proc", 0o755, 0),
        ("mine", 0o755, USER),
        ("shared", 0o775, 0),
        ("sticky", 0o1777, 0),
        ("theirs", 0o700, 0),
    ] {
        fs::create_dir(root.join(name)).unwrap();
        fs::set_permissions(root.join(name), Permissions::from_mode(mode)).unwrap();
        chown(root.join(name), Some(owner), None).unwrap();
    }
    for below in ["shared", "sticky"] {
        fs::create_dir(root.join(below).join("mine")).unwrap();
        chown(root.join(below).join("mine"), Some(USER), None).unwrap();
        symlink("/mine", root.join(below).join("link")).unwrap();
    }
    symlink("/mine", root.join("link")).unwrap();
    in_child(|| {
        enter_root(root);
        let me = become_ordinary();
        if !enter_namespace(&format!("{me} {me} 1\n")) {
            return;
        }
        let overflow = overflow_uid();
        let refused = |path: &str| {
            let error = Dir::private(path).map(drop).unwrap_err();
            (path[..error.prefix_len()].to_owned(), error.refusal())
        };
        let _ = Dir::private("/mine/run").unwrap();
        let _ = Dir::private("/link/run").unwrap();
        let owner = Refusal::Owner { uid: overflow };
        for (path, fault) in [
            ("/shared/mine/run", "/shared"),
            ("/sticky/mine/run", "/sticky"),
            ("/sticky/link/run", "/sticky"),
            // The private directory itself must belong to this user.
            ("/theirs", "/theirs"),
        ] {
            assert_eq!(refused(path), (fault.to_owned(), owner), "{path}");
        }
    });
    // A process whose own user is not mapped cannot tell its own directories from those of others.
    in_child(|| {
        enter_root(root);
        become_ordinary();
        if enter_namespace("") {
            let error = Dir::private("/mine/run").map(drop).unwrap_err();
            let overflow = overflow_uid();
            assert_eq!(error.refusal(), Refusal::Owner { uid: overflow });
            assert_eq!(error.prefix_len(), "/mine/run".len());
        }
    });
    // Outside of a user namespace a directory of the overflow user is refused.
    in_child(|| {
        enter_root(root);
        chown("/", Some(overflow_uid()), None).unwrap();
        become_ordinary();
        let error = Dir::private("/mine/run").map(drop).unwrap_err();
        assert_eq!(error.prefix_len(), 1);
    });
}
