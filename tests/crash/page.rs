//! Tests that the library makes the system calls that docs/socket-files.md lists.

use std::cell::RefCell;
use std::io;
use std::path::Path;

use sunpath::Existing;

use crate::moved::bind_and_close;
use crate::supervisor::{Asked, FSTAT, FSTATAT, Fate, SYS_FCHMODAT2, run};
use crate::{Before, Case, Scene, Wanted, alone};

/// Returns the lists of the page. Each list has a name, and the calls without their comments.
fn lists() -> Vec<(&'static str, Vec<&'static str>)> {
    let page = include_str!("../../docs/socket-files.md");
    let blocks = page.split("```calls ").skip(1).map(|rest| {
        let (block, _) = rest.split_once("```").unwrap();
        let (name, calls) = block.split_once('\n').unwrap();
        let call = |line: &'static str| line.split('#').next().unwrap().trim();
        (name, calls.lines().map(call).collect())
    });
    blocks.collect()
}

/// Returns a call as the page writes it, or `None` for a call that touches neither a file nor a
/// socket.
fn call(asked: &Asked) -> Option<String> {
    let path = |argument| {
        let path = String::from_utf8(asked.path(argument)).unwrap();
        let known = ["/proc/self/fd/", ".sunpath-"].map(|prefix| path.starts_with(prefix));
        match known {
            [true, _] if path.ends_with("/s") => "/proc/self/fd/N/s".to_owned(),
            [true, _] => "/proc/self/fd/N".to_owned(),
            [_, true] => "T".to_owned(),
            _ => path,
        }
    };
    let of = |name: &str, argument| Some(format!("{name} {:?}", path(argument)));
    let of_two = |name: &str| Some(format!("{name} {:?} {:?}", path(1), path(3)));
    match asked.nr {
        libc::SYS_openat => of("openat", 1),
        FSTATAT if asked.path(1).is_empty() => Some("fstat".to_owned()),
        FSTATAT => of("fstatat", 1),
        // Some C libraries use these calls for fstatat(2) of an absolute path.
        #[cfg(target_arch = "x86_64")]
        libc::SYS_stat | libc::SYS_lstat => of("fstatat", 0),
        FSTAT => Some("fstat".to_owned()),
        libc::SYS_fchmodat => of("fchmodat", 1),
        libc::SYS_mkdirat => of("mkdirat", 1),
        libc::SYS_unlinkat => of("unlinkat", 1),
        libc::SYS_renameat => of_two("renameat"),
        libc::SYS_renameat2 => of_two("renameat2"),
        libc::SYS_bind => {
            let address = asked.path_after(1, 2);
            let path = String::from_utf8(address).unwrap();
            let path = match path.starts_with(".sunpath-") {
                true => "T".to_owned(),
                false if path.starts_with("/proc/") => "/proc/self/fd/N/s".to_owned(),
                false => path,
            };
            Some(format!("bind {path:?}"))
        }
        libc::SYS_socket => Some("socket".to_owned()),
        libc::SYS_listen => Some("listen".to_owned()),
        libc::SYS_connect => Some("connect".to_owned()),
        libc::SYS_fchmod => Some("fchmod".to_owned()),
        SYS_FCHMODAT2 => Some("fchmodat2".to_owned()),
        libc::SYS_flock => Some("flock".to_owned()),
        libc::SYS_getrandom => Some("getrandom".to_owned()),
        _ => None,
    }
}

/// Returns whether the kernel has fchmodat2(2). Before Linux 6.6 other calls change a mode by a descriptor.
fn has_fchmodat2() -> bool {
    let (path, flags) = (c"".as_ptr(), libc::AT_EMPTY_PATH);
    // SAFETY: `path` is NUL-terminated, and no file has descriptor -1, so nothing is changed.
    unsafe { libc::syscall(SYS_FCHMODAT2, -1, path, 0, flags) };
    io::Error::last_os_error().raw_os_error() == Some(libc::EBADF)
}

#[test]
fn page_lists_the_calls_that_are_made() {
    let _alone = alone();
    let case = |policy, before, wanted| Case {
        policy,
        before,
        wanted,
    };
    let lists = lists();
    assert_eq!(lists.len(), 6);
    for (name, expected) in lists {
        if expected.contains(&"fchmodat2") && !has_fchmodat2() {
            continue;
        }
        let case = match name {
            "refuse" => case(Existing::Refuse, Before::Nothing, Wanted::Any),
            "refuse mode" => case(Existing::Refuse, Before::Nothing, Wanted::Mode),
            "refuse mode among others" => {
                case(Existing::Refuse, Before::Nothing, Wanted::ModeAmongOthers)
            }
            "replace stale" => case(Existing::ReplaceStale, Before::Nothing, Wanted::Any),
            "replace stale over a dead file" => {
                case(Existing::ReplaceStale, Before::Stale, Wanted::Any)
            }
            "takeover over a live server" => case(Existing::Takeover, Before::Live, Wanted::Any),
            _ => panic!("{name}"),
        };
        let scene = Scene::new(case);
        let made = RefCell::new(Vec::new());
        let record = |asked: &Asked| {
            made.borrow_mut().extend(call(asked));
            None
        };
        let dir = scene.dir.path();
        run(Fate::As(&record), || {
            std::env::set_current_dir(dir).unwrap();
            bind_and_close(case, Path::new("a.sock"));
        });
        assert_eq!(made.into_inner(), expected, "{name}");
    }
}
