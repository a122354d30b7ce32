//! Examples and tests of sunpath with sockets of other libraries. The library itself has nothing but the
//! page `docs/coming-from.md`, whose programs are its tests.

#[doc = include_str!("../../../docs/coming-from.md")]
pub mod coming_from {}
