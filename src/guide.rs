//! Pages about subjects that are not a single item. The tests compile and run their programs.

#[doc = include_str!("guide/a_daemon_whole.md")]
#[doc = "```no_run"]
#[doc = include_str!("../examples/daemon_whole.rs")]
#[doc = "```"]
pub mod a_daemon_whole {}

#[doc = include_str!("guide/coming_from_std.md")]
pub mod coming_from_std {}

#[doc = include_str!("guide/signals_threads_fork.md")]
pub mod signals_threads_fork {}

#[doc = include_str!("guide/on_windows.md")]
pub mod on_windows {}
