//! Pages that are about no single item. Their programs are compiled and run by the tests.

#[doc = include_str!("guide/coming_from_std.md")]
pub mod coming_from_std {}

#[doc = include_str!("guide/signals_threads_fork.md")]
pub mod signals_threads_fork {}
