//! Reads a struct that carries its size, so that later versions can add fields at its end. This module
//! depends on nothing else, because `tests/sized.rs` compiles it with structs of several versions.

use core::ptr;

/// A struct that begins with its size as a `usize`, consists of integers without padding between
/// them, and in which zeroes mean the defaults.
pub(crate) trait Sizes: Copy {
    /// The size that the struct had in the first version.
    const FIRST_SIZE: usize;
    const ZERO: Self;
}

/// The reason why a struct cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// No version had this size.
    Size,
    /// A field is set that this version does not know.
    Newer,
}

/// Reads a struct of this version, of an older one with fewer fields, or of a newer one whose further
/// fields are zero. NULL means the defaults.
///
/// # Safety
///
/// - `from` is NULL, or begins with a `size_t`, and as many bytes as that says can be read from it on.
pub(crate) unsafe fn read<T: Sizes>(from: *const T) -> Result<T, Unreadable> {
    if from.is_null() {
        return Ok(T::ZERO);
    }
    // SAFETY: the caller guarantees that a size_t is there.
    let size = unsafe { from.cast::<usize>().read_unaligned() };
    if size < T::FIRST_SIZE || isize::try_from(size).is_err() {
        return Err(Unreadable::Size);
    }
    let mut value = T::ZERO;
    let known = size.min(size_of::<T>());
    let place = ptr::from_mut(&mut value).cast::<u8>();
    // SAFETY: the caller guarantees `size` bytes, and `known` is not more than `size` and than the size
    // of `value`. Every value of the bytes is a value of the struct, which consists of integers.
    unsafe { place.copy_from_nonoverlapping(from.cast(), known) };
    for at in known..size {
        let byte = from.cast::<u8>().wrapping_add(at);
        // SAFETY: the byte is one of the `size` bytes that the caller guarantees.
        if unsafe { byte.read() } != 0 {
            return Err(Unreadable::Newer);
        }
    }
    Ok(value)
}
