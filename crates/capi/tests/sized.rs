//! Reads structs of several versions with the code by which the library reads its structs of options:
//! a program can be older or newer than the library.
#![allow(dead_code, reason = "only `read` looks at most fields")]

#[path = "../src/sized.rs"]
mod sized;

use std::mem::{MaybeUninit, size_of};
use std::ptr;

use sized::{Sizes, Unreadable, read};

macro_rules! version {
    ($name:ident: $($field:ident $type:ty),*) => {
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[repr(C)]
        struct $name {
            size: usize,
            $($field: $type),*
        }

        impl Sizes for $name {
            const FIRST_SIZE: usize = size_of::<First>();
            const ZERO: Self = Self { size: 0, $($field: 0),* };
        }
    };
}

version!(First: flags u32, mode u32);
version!(Second: flags u32, mode u32, peer u32, port u32);
version!(Third: flags u32, mode u32, peer u32, port u32, timeout i64);

/// Reads `from` as a program passes it to a library whose struct is `Known`. The bytes after the struct
/// are not zero, so that a read after its end shows.
fn passed<Known: Sizes, Given: Copy>(given: Given) -> Result<Known, Unreadable> {
    #[repr(C)]
    struct Followed<T, U>(T, [u8; 64], MaybeUninit<U>);
    let memory = Followed(given, [0xff; 64], MaybeUninit::<Known>::uninit());
    let from: *const Known = ptr::from_ref(&memory).cast();
    // SAFETY: the struct begins with its size, and as many bytes follow.
    unsafe { read(from) }
}

fn first() -> First {
    First {
        size: size_of::<First>(),
        flags: 1,
        mode: 2,
    }
}

fn second() -> Second {
    Second {
        size: size_of::<Second>(),
        flags: 1,
        mode: 2,
        peer: 3,
        port: 4,
    }
}

fn third() -> Third {
    Third {
        size: size_of::<Third>(),
        flags: 1,
        mode: 2,
        peer: 3,
        port: 4,
        timeout: 5,
    }
}

#[test]
fn sized_of_the_same_version_is_read() {
    assert_eq!(passed::<First, _>(first()), Ok(first()));
    assert_eq!(passed::<Third, _>(third()), Ok(third()));
    // SAFETY: it is NULL.
    assert_eq!(unsafe { read::<Third>(ptr::null()) }, Ok(Third::ZERO));
}

#[test]
fn sized_of_an_older_program_has_defaults_in_the_fields_that_it_lacks() {
    let Ok(read) = passed::<Third, _>(first()) else {
        panic!("refused")
    };
    assert_eq!((read.flags, read.mode), (1, 2));
    assert_eq!((read.peer, read.port, read.timeout), (0, 0, 0));
    let Ok(read) = passed::<Third, _>(second()) else {
        panic!("refused")
    };
    assert_eq!((read.peer, read.port, read.timeout), (3, 4, 0));
}

#[test]
fn sized_of_a_newer_program_is_read_if_the_new_fields_are_zero() {
    let new = Third {
        timeout: 0,
        ..third()
    };
    let Ok(read) = passed::<Second, _>(new) else {
        panic!("refused")
    };
    assert_eq!((read.flags, read.mode, read.peer, read.port), (1, 2, 3, 4));
    assert_eq!(passed::<First, _>(new), Err(Unreadable::Newer));
    let new = Third {
        peer: 0,
        port: 0,
        ..new
    };
    assert!(passed::<First, _>(new).is_ok());
}

/// Each bit of the bytes that the library does not know counts.
#[test]
fn sized_of_a_newer_program_is_refused_if_a_bit_of_a_new_field_is_set() {
    for bit in 0..64 {
        let new = Third {
            timeout: 1 << bit,
            ..third()
        };
        assert_eq!(
            passed::<Second, _>(new),
            Err(Unreadable::Newer),
            "bit {bit}"
        );
        assert!(passed::<Third, _>(new).is_ok());
    }
}

#[test]
fn sized_with_a_size_that_no_version_had_is_refused() {
    let least = size_of::<First>();
    for size in [0, 1, least - 1, usize::MAX, isize::MAX as usize + 1] {
        let given = First { size, ..first() };
        assert_eq!(passed::<First, _>(given), Err(Unreadable::Size), "{size}");
    }
}
