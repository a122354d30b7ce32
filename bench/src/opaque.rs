//! What the optimizer cannot look through, at no instruction.

use std::arch::asm;

/// The optimizer has to believe that somebody reads what this points to, at no instruction.
#[inline(always)]
pub fn escape<T: ?Sized>(pointer: *const T) {
    // SAFETY: no instruction.
    unsafe { asm!("/* {} */", in(reg) pointer.cast::<u8>(), options(nostack, preserves_flags)) };
}

#[inline(always)]
pub fn escape_number(number: usize) {
    // SAFETY: no instruction.
    unsafe { asm!("/* {} */", in(reg) number, options(nostack, preserves_flags)) };
}

/// The same number, of which the optimizer knows nothing.
#[inline(always)]
pub fn opaque_number(mut number: usize) -> usize {
    // SAFETY: no instruction; the register is as it was.
    unsafe { asm!("/* {} */", inout(reg) number, options(nostack, preserves_flags)) };
    number
}

/// The same reference, of whose target the optimizer knows nothing.
#[inline(always)]
pub fn opaque<T>(reference: &T) -> &T {
    let mut pointer: *const T = reference;
    // SAFETY: no instruction; the register is as it was.
    unsafe { asm!("/* {} */", inout(reg) pointer, options(nostack, preserves_flags)) };
    // SAFETY: it is the reference that was given.
    unsafe { &*pointer }
}

/// The same slice, of whose bytes and length the optimizer knows nothing.
#[inline(always)]
pub fn opaque_slice<T>(slice: &[T]) -> &[T] {
    let mut pointer = slice.as_ptr();
    // SAFETY: no instruction; the register is as it was.
    unsafe { asm!("/* {} */", inout(reg) pointer, options(nostack, preserves_flags)) };
    // SAFETY: they are the parts of the slice that was given.
    unsafe { std::slice::from_raw_parts(pointer, opaque_number(slice.len())) }
}
