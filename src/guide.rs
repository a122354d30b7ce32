//! A guide: pages on how to write a daemon, how to move from std's sockets, what signals, threads
//! and fork do, and what Windows has. The tests compile and run the programs of this guide.

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
