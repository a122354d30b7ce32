//! Functions that hide values from the optimizer without adding an instruction.

use std::arch::asm;

/// Makes the optimizer assume that the target of the pointer is read, without adding an
/// instruction.
#[inline(always)]
pub fn escape<T: ?Sized>(pointer: *const T) {
    // SAFETY: the assembly has no instruction.
    unsafe { asm!("/* {} */", in(reg) pointer.cast::<u8>(), options(nostack, preserves_flags)) };
}

#[inline(always)]
pub fn escape_number(number: usize) {
    // SAFETY: the assembly has no instruction.
    unsafe { asm!("/* {} */", in(reg) number, options(nostack, preserves_flags)) };
}

/// Returns its argument, and hides the value from the optimizer.
#[inline(always)]
pub fn opaque_number(mut number: usize) -> usize {
    // SAFETY: the assembly has no instruction; the register is not changed.
    unsafe { asm!("/* {} */", inout(reg) number, options(nostack, preserves_flags)) };
    number
}

/// Returns its argument, and hides from the optimizer where the reference points.
#[inline(always)]
pub fn opaque<T>(reference: &T) -> &T {
    let mut pointer: *const T = reference;
    // SAFETY: the assembly has no instruction; the register is not changed.
    unsafe { asm!("/* {} */", inout(reg) pointer, options(nostack, preserves_flags)) };
    // SAFETY: `pointer` is the reference that the caller passed.
    unsafe { &*pointer }
}

/// Returns its argument, and hides the bytes and the length of the slice from the optimizer.
#[inline(always)]
pub fn opaque_slice<T>(slice: &[T]) -> &[T] {
    let mut pointer = slice.as_ptr();
    // SAFETY: the assembly has no instruction; the register is not changed.
    unsafe { asm!("/* {} */", inout(reg) pointer, options(nostack, preserves_flags)) };
    // SAFETY: `pointer` and the length are those of the slice that the caller passed.
    unsafe { std::slice::from_raw_parts(pointer, opaque_number(slice.len())) }
}
