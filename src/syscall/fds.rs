//! Received descriptors: the integers in control data as owned descriptors, an array that owns
//! descriptors, and calls that close several descriptors at once.

use core::ffi::c_int;
#[cfg(have_close_range)]
use core::ffi::c_uint;
use core::mem::{self, ManuallyDrop, MaybeUninit};
use core::ops::Range;
use core::slice;

#[cfg(have_close_range)]
use sunpath_sys as sys;

use crate::control::INT;
use crate::fd::{FromRawFd, OwnedFd};

/// An `int` in control data, which need not be aligned.
pub(super) type Int = [u8; INT];

/// Returns the `int`s in bytes, without a rest that is shorter than an `int`.
#[inline]
pub(super) fn ints(bytes: &[u8]) -> &[Int] {
    // SAFETY: the bytes are initialised and borrowed, and an array of bytes needs no alignment.
    unsafe { slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len() / INT) }
}

/// Writes `int`s into the data of a control message, in their order. The places are slices of
/// slices of four bytes, so no optimisation level makes a call of memcpy for one of them.
#[inline]
pub(crate) fn put_ints(data: &mut [u8], numbers: impl Iterator<Item = c_int>) {
    let (first, count) = (data.as_mut_ptr().cast::<Int>(), data.len() / INT);
    // SAFETY: the bytes are initialised and borrowed, and an array of bytes needs no alignment.
    let places = unsafe { slice::from_raw_parts_mut(first, count) };
    for (place, number) in places.iter_mut().zip(numbers) {
        *place = number.to_ne_bytes();
    }
}

/// Makes an owned descriptor of an `int`. `FromRawFd` compares each number with -1. This function
/// leaves that to the caller, because the caller has compared all numbers of a message at once.
///
/// # Safety
///
/// - The `int` is not negative.
/// - The descriptor is open, and nothing else owns it.
#[inline]
pub(super) unsafe fn own(int: Int) -> OwnedFd {
    // SAFETY: an OwnedFd is represented as the integer, which the caller guarantees not to be -1.
    unsafe { mem::transmute::<Int, OwnedFd>(int) }
}

/// Returns how many of the `int`s are not negative. The loop has no early end, so the compiler can
/// compare several `int`s at once.
#[inline]
pub(super) fn count_fds(place: &[u8]) -> usize {
    let (ints, number) = (ints(place), |int: &Int| c_int::from_ne_bytes(*int));
    match ints.iter().map(number).fold(0, |all, fd| all | fd) {
        0.. => ints.len(),
        _ => ints.iter().map(number).filter(|fd| *fd >= 0).count(),
    }
}

/// Hands descriptors to a collection. The collection sees the iterator of a slice, whose length it
/// can trust, so a `Vec` allocates once and tests nothing for each descriptor. For each descriptor
/// that was handed over `start` grows by `step`, even if the collection panics.
///
/// # Safety
///
/// - None of the `int`s is negative.
/// - The descriptors are open, and nothing else owns them. From here on, those before `start` belong
///   to the collection.
#[inline]
pub(super) unsafe fn collect<T: FromIterator<OwnedFd>>(
    fds: &[Int],
    start: &mut usize,
    step: usize,
) -> T {
    let mut taken = Taken {
        count: 0,
        start,
        step,
    };
    // `FromIterator` can take from the front only, so the first `count` descriptors are taken.
    let fds = fds.iter().map(|fd| {
        taken.count += 1;
        // SAFETY: the caller guarantees the descriptor, and the iterator returns it once.
        unsafe { own(*fd) }
    });
    fds.collect()
}

/// Moves `start` past the descriptors that were taken. That happens once, at the end, so the loop
/// before it can keep the count in a register.
struct Taken<'s> {
    count: usize,
    start: &'s mut usize,
    step: usize,
}

impl Drop for Taken<'_> {
    #[inline]
    fn drop(&mut self) {
        *self.start += self.count * self.step;
    }
}

/// Closes descriptors, and several consecutive descriptors by one call. Most descriptors of a
/// message are consecutive, because the kernel assigns the lowest free descriptor.
pub(super) struct Closer {
    /// Descriptors that are not closed yet.
    ///
    /// INVARIANT: every number in the range is an open descriptor that was given up to this value.
    /// No thread can get one of these numbers for another file, because an open descriptor is not
    /// assigned again.
    run: Range<c_int>,
}

impl Closer {
    #[inline]
    pub(super) const fn new() -> Self {
        Self { run: 0..0 }
    }

    /// Closes the descriptors. The last of them are closed when the next are added or the value is
    /// dropped.
    ///
    /// # Safety
    ///
    /// - None of the `int`s is negative.
    /// - The descriptors are open, and their owner has given them up.
    pub(super) unsafe fn add(&mut self, place: &[u8]) {
        if let Some(fds) = as_run(place) {
            return self.join(fds);
        }
        for fd in ints(place).iter().map(|int| c_int::from_ne_bytes(*int)) {
            self.join(fd..fd.saturating_add(1));
        }
    }

    /// Joins the descriptors to the run, or closes the run and begins another.
    fn join(&mut self, fds: Range<c_int>) {
        match fds.start == self.run.end {
            true => self.run.end = fds.end,
            false => close(mem::replace(&mut self.run, fds)),
        }
    }
}

impl Drop for Closer {
    fn drop(&mut self) {
        close(self.run.clone());
    }
}

/// Closes the descriptors of a [`Closer`]. If the kernel has no close_range(2) or refuses it, the
/// call has closed nothing, and each descriptor is closed by its own call.
fn close(run: Range<c_int>) {
    #[cfg(have_close_range)]
    if run.len() > 1 {
        // SAFETY: by the invariant of `run` each number in it is an open descriptor that nothing
        // else owns. The call closes these numbers and no other.
        let closed = unsafe { sys::close_range(run.start as c_uint, run.end as c_uint - 1, 0) };
        if closed == 0 {
            return;
        }
    }
    for fd in run {
        // SAFETY: by the invariant of `run` the descriptor is open, and nothing else owns it.
        drop(unsafe { OwnedFd::from_raw_fd(fd) });
    }
}

/// Returns the descriptors as a range, if each is one more than the descriptor before it.
#[inline]
fn as_run(place: &[u8]) -> Option<Range<c_int>> {
    let ints = ints(place);
    let first = c_int::from_ne_bytes(*ints.first()?);
    let end = c_int::try_from(ints.len()).ok()?.checked_add(first)?;
    let look = |(apart, wanted): (c_int, c_int), int: &Int| {
        let fd = c_int::from_ne_bytes(*int);
        (apart | (fd ^ wanted), wanted.wrapping_add(1))
    };
    let (apart, _) = ints.iter().fold((0, first), look);
    (apart == 0).then_some(first..end)
}

/// At most `N` owned descriptors, in their order. Those that nobody took are closed on drop.
pub(crate) struct FdArray<const N: usize> {
    fds: [MaybeUninit<OwnedFd>; N],
    /// The place of the first descriptor.
    start: usize,
    /// The place after the last descriptor.
    ///
    /// INVARIANT: `start` is at most `end`, and `end` at most `N`. The elements of `fds` from
    /// `start` to `end` are initialised, and this value owns their descriptors.
    end: usize,
}

impl<const N: usize> FdArray<N> {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self {
            fds: [const { MaybeUninit::uninit() }; N],
            start: 0,
            end: 0,
        }
    }

    /// Makes an array of the `int`s of a control message, or returns `None` if there are more
    /// than `N`.
    ///
    /// # Safety
    ///
    /// - None of the `int`s is negative.
    /// - The descriptors are open, and nothing else owns them. If the function returns `None`, the
    ///   caller has to give them an owner.
    #[inline]
    pub(super) unsafe fn of(ints: &[Int]) -> Option<Self> {
        let mut array = Self::new();
        for (place, int) in array.fds.get_mut(..ints.len())?.iter_mut().zip(ints) {
            // SAFETY: the caller guarantees the descriptor, of which this array becomes the owner.
            place.write(unsafe { own(*int) });
        }
        array.end = ints.len();
        Some(array)
    }

    /// Adds a descriptor at the end, or returns it if the last place is taken.
    #[inline]
    pub(crate) fn push(&mut self, fd: OwnedFd) -> Result<(), OwnedFd> {
        match self.fds.get_mut(self.end) {
            Some(place) => {
                place.write(fd);
                self.end += 1;
                Ok(())
            }
            None => Err(fd),
        }
    }

    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.end - self.start
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[OwnedFd] {
        // SAFETY: by the invariant there are at least `start` elements.
        let first = unsafe { self.fds.as_ptr().add(self.start) };
        // SAFETY: by the invariant `len` elements from `first` on are initialised.
        unsafe { slice::from_raw_parts(first.cast(), self.len()) }
    }

    /// Takes the first descriptor.
    #[inline]
    pub(crate) fn take_first(&mut self) -> Option<OwnedFd> {
        let first: *const OwnedFd = self.as_slice().first()?;
        self.start += 1;
        // SAFETY: the element is initialised, and is no longer among those that this value owns.
        Some(unsafe { first.read() })
    }

    /// Takes the last descriptor.
    #[inline]
    pub(crate) fn take_last(&mut self) -> Option<OwnedFd> {
        let last: *const OwnedFd = self.as_slice().last()?;
        self.end -= 1;
        // SAFETY: the element is initialised, and is no longer among those that this value owns.
        Some(unsafe { last.read() })
    }

    /// Takes all descriptors, or as many as the collection takes.
    #[inline]
    pub(crate) fn collect<T: FromIterator<OwnedFd>>(&mut self) -> T {
        let len = self.len();
        // SAFETY: by the invariant there are at least `start` elements.
        let first = unsafe { self.fds.as_ptr().add(self.start) };
        // SAFETY: by the invariant `len` elements from `first` on are initialised. An owned
        // descriptor is represented as an `int`.
        let fds = unsafe { slice::from_raw_parts(first.cast::<Int>(), len) };
        // SAFETY: an owned descriptor is not negative, and those before `start` are no longer ours.
        unsafe { collect(fds, &mut self.start, 1) }
    }

    /// Returns all descriptors if there are `N`. Otherwise returns this value.
    #[inline]
    pub(crate) fn into_array(self) -> Result<[OwnedFd; N], Self> {
        if self.len() < N {
            return Err(self);
        }
        let array = ManuallyDrop::new(self);
        let fds: *const [OwnedFd; N] = array.fds.as_ptr().cast();
        // SAFETY: there are `N` descriptors, so all elements are initialised. The value that owned
        // them is not dropped.
        Ok(unsafe { fds.read() })
    }
}

impl<const N: usize> Drop for FdArray<N> {
    #[inline]
    fn drop(&mut self) {
        let fds = self.as_slice();
        if !fds.is_empty() {
            let (first, bytes) = (fds.as_ptr().cast(), size_of_val(fds));
            // SAFETY: the descriptors are borrowed, and each is represented as an `int`.
            let ints = unsafe { slice::from_raw_parts(first, bytes) };
            // SAFETY: this value owned the descriptors, and nothing uses it any more.
            unsafe { Closer::new().add(ints) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fds_are_the_ints_that_are_not_negative() {
        let cases: [(&[c_int], usize); 7] = [
            (&[], 0),
            (&[0], 1),
            (&[3, c_int::MAX], 2),
            (&[-9], 0),
            (&[-9, -2], 0),
            (&[-1, 3], 1),
            (&[5, c_int::MIN, -1, 0], 2),
        ];
        for (numbers, count) in cases {
            let mut data = [0; 4 * INT];
            let place = &mut data[..size_of_val(numbers)];
            put_ints(place, numbers.iter().copied());
            assert_eq!(count_fds(place), count, "{numbers:?}");
        }
    }

    #[test]
    fn fds_are_written_only_where_a_whole_int_fits() {
        let mut data = [0; 3 * INT];
        put_ints(&mut data[..2 * INT + 3], [1, 2, -1].into_iter());
        let written: [c_int; 3] = [0, 1, 2].map(|at| c_int::from_ne_bytes(ints(&data)[at]));
        assert_eq!(written, [1, 2, 0]);
    }
}
