//! Pages about subjects that are not a single item. The tests compile and run their programs.

#[doc = include_str!("guide/coming_from_std.md")]
pub mod coming_from_std {}

#[doc = include_str!("guide/signals_threads_fork.md")]
pub mod signals_threads_fork {}
