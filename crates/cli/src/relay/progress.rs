//! Shows on a terminal how much a relay has carried.

use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often the line is written again.
const PERIOD: Duration = Duration::from_millis(250);

/// Counts connections and bytes. The line is shown if standard error is a terminal.
pub(crate) struct Progress {
    open: AtomicU64,
    all: AtomicU64,
    bar: ProgressBar,
}

impl Progress {
    pub(crate) fn start() -> Self {
        let bar = match stderr().is_terminal() {
            true => ProgressBar::new_spinner(),
            false => ProgressBar::hidden(),
        };
        let style = ProgressStyle::with_template("{msg}, {bytes}, {bytes_per_sec}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.enable_steady_tick(PERIOD);
        let progress = Self {
            open: AtomicU64::new(0),
            all: AtomicU64::new(0),
            bar,
        };
        progress.show();
        progress
    }

    /// Counts a connection that was opened.
    pub(crate) fn opened(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.all.fetch_add(1, Ordering::Relaxed);
        self.show();
    }

    /// Counts a connection that was closed.
    pub(crate) fn closed(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        self.show();
    }

    /// Counts bytes that were carried in either direction.
    pub(crate) fn carried(&self, bytes: usize) {
        self.bar.inc(bytes as u64);
    }

    fn show(&self) {
        let (open, all) = (
            self.open.load(Ordering::Relaxed),
            self.all.load(Ordering::Relaxed),
        );
        self.bar
            .set_message(format!("connections: {open} open, {all} in all"));
    }
}
