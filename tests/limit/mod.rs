//! The process's limit of descriptors, `RLIMIT_NOFILE`.

use super::skip::skip;

fn get() -> libc::rlimit {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a live rlimit.
    let result = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    assert_eq!(result, 0);
    limit
}

/// Sets the soft limit, and returns the previous one.
#[allow(dead_code, reason = "not every test file sets it")]
pub(crate) fn descriptors(limit: libc::rlim_t) -> libc::rlim_t {
    let old = get();
    let new = libc::rlimit {
        rlim_cur: limit,
        ..old
    };
    // SAFETY: `new` is a live rlimit.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &new) }, 0);
    old.rlim_cur
}

/// Raises a lower soft limit to this many descriptors. Returns whether the process cannot have that
/// many descriptors, and then reports that the current test is skipped.
#[allow(dead_code, reason = "not every test file needs many descriptors")]
pub(crate) fn unless_descriptors(count: libc::rlim_t) -> bool {
    let limit = get();
    if limit.rlim_max < count {
        skip(&format!("RLIMIT_NOFILE {count}"));
        return true;
    }
    descriptors(limit.rlim_cur.max(count));
    false
}
