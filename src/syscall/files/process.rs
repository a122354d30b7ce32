//! The identity of the process, and random numbers.

use core::num::NonZeroUsize;
#[cfg(have_wipe_on_fork)]
use core::ptr::{self, NonNull};
#[cfg(have_wipe_on_fork)]
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use sunpath_sys as sys;

#[cfg(have_getrandom)]
use crate::error::Call;
use crate::error::Error;
use crate::syscall::getpid;
#[cfg(have_wipe_on_fork)]
use crate::syscall::monotonic_clock;
#[cfg(have_getrandom)]
use crate::syscall::retry;

/// Returns a random number that other processes cannot predict.
pub(crate) fn random_number() -> Result<u64, Error> {
    let mut bytes = [0; 8];
    let (buf, size) = (bytes.as_mut_ptr().cast(), bytes.len());
    #[cfg(have_getrandom)]
    // SAFETY: `buf` is writable for `size` bytes. A call for at most 256 bytes writes all of them
    // or fails.
    retry(Call::Getrandom, || unsafe { sys::getrandom(buf, size, 0) })?;
    #[cfg(not(have_getrandom))]
    // SAFETY: `buf` is writable for `size` bytes.
    unsafe {
        sys::arc4random_buf(buf, size)
    };
    Ok(u64::from_ne_bytes(bytes))
}

/// The identity of a process: its pid, and a random number that a forked child does not inherit.
#[derive(Clone, Copy)]
pub(crate) struct Process {
    pid: sys::pid_t,
    /// The random number. The field is `None` if the system cannot hide memory from a child. Then
    /// only the pid is compared, and a child with the same pid in a pid namespace of its own is not
    /// recognized.
    number: Option<NonZeroUsize>,
}

impl Process {
    /// Returns the identity of this process.
    pub(crate) fn current() -> Self {
        Self {
            pid: getpid(),
            number: number_of_this_process(),
        }
    }

    /// Returns whether this is the identity of the calling process, and not of a process from which
    /// it was forked.
    pub(crate) fn is_current(&self) -> bool {
        self.is(&Self::current())
    }

    fn is(&self, other: &Self) -> bool {
        let numbers = self.number.zip(other.number);
        self.pid == other.pid && numbers.is_none_or(|(one, other)| one == other)
    }
}

/// Returns a random number that a child does not inherit. The number is in a page that the kernel
/// fills with zeroes in every forked child, so the child chooses another number.
///
/// A child that shares the memory of its parent, as after vfork(2), finds the parent's number. The
/// pid of that child differs, because a child has its own pid namespace only if it was made by
/// clone(2).
#[cfg(have_wipe_on_fork)]
fn number_of_this_process() -> Option<NonZeroUsize> {
    static PAGE: AtomicPtr<AtomicUsize> = AtomicPtr::new(ptr::null_mut());
    number_in(&PAGE, map_page)
}

#[cfg(not(have_wipe_on_fork))]
fn number_of_this_process() -> Option<NonZeroUsize> {
    None
}

/// Returns the random number in the page of this process. The first call maps the page.
#[cfg(have_wipe_on_fork)]
fn number_in(
    place: &AtomicPtr<AtomicUsize>,
    map: fn() -> Option<NonNull<AtomicUsize>>,
) -> Option<NonZeroUsize> {
    let page = match NonNull::new(place.load(Ordering::Acquire)) {
        Some(page) => page,
        None => {
            let mapped = map()?;
            let (none, new) = (ptr::null_mut(), mapped.as_ptr());
            match place.compare_exchange(none, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => mapped,
                Err(theirs) => {
                    // SAFETY: this thread has mapped the page, and no other thread has seen it.
                    unsafe { sys::munmap(new.cast(), PAGE_SIZE) };
                    NonNull::new(theirs)?
                }
            }
        }
    };
    // SAFETY: the page stays mapped until the process ends. It is aligned, and held zeroes when it
    // was mapped.
    let number = unsafe { page.as_ref() };
    if let Some(number) = NonZeroUsize::new(number.load(Ordering::Acquire)) {
        return Some(number);
    }
    // Without random numbers the time is used, because the time of a child is later than that of
    // its parent.
    let new = random_number().unwrap_or_else(|_| monotonic_clock());
    let new = NonZeroUsize::new(new as usize).unwrap_or(NonZeroUsize::MIN);
    match number.compare_exchange(0, new.get(), Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => Some(new),
        // Another thread wrote its random number first.
        Err(theirs) => NonZeroUsize::new(theirs),
    }
}

/// The size of the mapping, which the kernel rounds up to the size of a page.
#[cfg(have_wipe_on_fork)]
const PAGE_SIZE: usize = size_of::<AtomicUsize>();

/// Maps a page of zeroes that the kernel sets to zero again in every child. Returns `None` if the
/// kernel cannot wipe pages on fork (before Linux 4.14), or has no memory.
#[cfg(have_wipe_on_fork)]
fn map_page() -> Option<NonNull<AtomicUsize>> {
    let (prot, flags) = (
        sys::PROT_READ | sys::PROT_WRITE,
        sys::MAP_PRIVATE | sys::MAP_ANONYMOUS,
    );
    // SAFETY: the call makes a new mapping at an address that the kernel chooses.
    let page = unsafe { sys::mmap(ptr::null_mut(), PAGE_SIZE, prot, flags, -1, 0) };
    if page == sys::MAP_FAILED {
        return None;
    }
    // SAFETY: the page was just mapped, and nothing else uses it.
    if unsafe { sys::madvise(page, PAGE_SIZE, sys::MADV_WIPEONFORK) } != 0 {
        // SAFETY: the page was just mapped, and nothing else uses it.
        unsafe { sys::munmap(page, PAGE_SIZE) };
        return None;
    }
    NonNull::new(page.cast())
}

/// Returns the inode number of this process's pidfd, which no other process gets until the next
/// boot. The result is `None` if pidfds have no inode numbers of their own (before Linux 6.9). A
/// 32-bit kernel reports only the lower half, which is enough until 2^32 processes have been made.
#[cfg(have_pidfd)]
pub(crate) fn own_pidfd_id() -> Option<u64> {
    use core::ffi::{c_int, c_uint};
    use core::mem::MaybeUninit;

    use crate::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

    let pid = getpid();
    // SAFETY: the arguments are integers: a pid and no flags.
    let fd = unsafe { sys::syscall(sys::SYS_pidfd_open, pid, 0) };
    if fd < 0 {
        return None;
    }
    // SAFETY: the kernel has just made this descriptor for us, and nothing else owns it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(fd as c_int) };
    let mut statfs = MaybeUninit::<sys::statfs>::zeroed();
    // SAFETY: `statfs` has space for a struct statfs.
    if unsafe { sys::fstatfs(pidfd.as_raw_fd(), statfs.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: a struct statfs may be all zeroes, and the kernel wrote a valid one.
    let file_system = unsafe { statfs.assume_init() }.f_type;
    let stat = super::fstat(pidfd.as_fd()).ok()?.0;
    (file_system as c_uint == sys::PID_FS_MAGIC).then_some(stat.st_ino)
}

#[cfg(not(have_pidfd))]
pub(crate) fn own_pidfd_id() -> Option<u64> {
    None
}

#[cfg(all(test, have_wipe_on_fork))]
mod tests {
    use super::*;
    use std::thread;

    /// Forks a child, and returns the result of `action` in it.
    fn in_child(action: impl FnOnce() -> bool) -> bool {
        // SAFETY: the child only makes system calls, and ends by _exit.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0);
        if pid == 0 {
            let status = if action() { 0 } else { 1 };
            // SAFETY: the call ends this process.
            unsafe { libc::_exit(status) };
        }
        let mut status = 0;
        // SAFETY: `status` is a live int.
        assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
        status == 0
    }

    #[test]
    fn process_is_not_its_child_even_with_the_same_pid() {
        let parent = Process::current();
        assert!(parent.is_current());
        assert!(in_child(|| {
            let child = Process::current();
            let same_pid = Process {
                pid: parent.pid,
                ..child
            };
            let grandchild_differs = in_child(|| {
                let grandchild = Process {
                    pid: parent.pid,
                    ..Process::current()
                };
                !parent.is(&grandchild) && !same_pid.is(&grandchild)
            });
            !parent.is(&same_pid) && child.is_current() && grandchild_differs
        }));
        assert!(parent.is_current());
    }

    /// Descriptor 0 is as good as every other, and without a free descriptor there is no number.
    #[cfg(have_pidfd)]
    #[test]
    fn process_has_its_number_by_descriptor_zero_and_by_no_other_means() {
        let Some(number) = own_pidfd_id() else {
            return;
        };
        assert_eq!(own_pidfd_id(), Some(number));
        assert!(in_child(|| {
            // SAFETY: nothing in this process uses its standard input.
            assert_eq!(unsafe { libc::close(0) }, 0);
            let by_zero = own_pidfd_id();
            let no_more = libc::rlimit {
                rlim_cur: 0,
                rlim_max: 0,
            };
            // SAFETY: `no_more` is a live rlimit.
            let limited = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const no_more) };
            // A panic must not unwind into this copy of the test.
            let without = std::panic::catch_unwind(own_pidfd_id);
            // A child is another process.
            by_zero.is_some_and(|id| id != number)
                && limited == 0
                && without.is_ok_and(|id| id.is_none())
        }));
    }

    #[test]
    fn process_without_a_page_is_told_by_its_pid() {
        static NO_PAGE: AtomicPtr<AtomicUsize> = AtomicPtr::new(ptr::null_mut());
        let number = number_in(&NO_PAGE, || None);
        assert_eq!(number, None);
        let process = Process {
            number,
            ..Process::current()
        };
        assert!(process.is_current());
        assert!(in_child(|| !process.is_current()));
    }

    #[test]
    fn process_has_one_number_for_all_threads_that_ask_at_once() {
        static PAGE: AtomicPtr<AtomicUsize> = AtomicPtr::new(ptr::null_mut());
        let ask = || number_in(&PAGE, map_page).unwrap();
        let start = std::sync::Barrier::new(8);
        let numbers = thread::scope(|scope| {
            let threads = [(); 8].map(|()| {
                scope.spawn(|| {
                    start.wait();
                    ask()
                })
            });
            threads.map(|thread| thread.join().unwrap())
        });
        assert!(numbers.iter().all(|number| *number == ask()));
    }
}
