//! A progress bar on the terminal for what takes long.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What is over sooner shows nothing.
const PATIENCE: Duration = Duration::from_millis(400);

/// Time between two movements of a spinner.
const TICK: Duration = Duration::from_millis(100);

/// A part of the work.
pub struct Phase {
    bar: ProgressBar,
    started: Instant,
}

impl Phase {
    /// Work on so many bytes.
    pub fn bytes(name: &'static str, length: u64) -> Self {
        Self::new(
            name,
            ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden()),
            "{msg:12} {bar:40} {bytes}/{total_bytes}",
        )
    }

    /// Work of unknown length.
    pub fn endless(name: &'static str) -> Self {
        Self::new(
            name,
            ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
            "{msg:12} {spinner} {elapsed}",
        )
    }

    fn new(name: &'static str, bar: ProgressBar, template: &str) -> Self {
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        bar.set_message(name);
        Self {
            bar,
            started: Instant::now(),
        }
    }

    /// So many bytes more are done.
    pub fn advance(&self, bytes: u64) {
        self.show();
        self.bar.inc(bytes);
    }

    /// Something was done.
    pub fn tick(&self) {
        self.show();
        self.bar.tick();
    }

    fn show(&self) {
        if self.bar.is_hidden() && self.started.elapsed() > PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Drop for Phase {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A spinner over one call that takes long and does not say how far it is. It ends when this is dropped.
pub struct Watch {
    /// Dropped to end the thread.
    stop: Option<Sender<()>>,
    spinner: Option<JoinHandle<()>>,
}

impl Watch {
    /// Shows `name` while the call takes longer than the patience of the reader.
    pub fn over(name: &'static str) -> Self {
        let (stop, stopped) = channel::<()>();
        let spinner = thread::spawn(move || {
            let phase = Phase::endless(name);
            let mut pause = PATIENCE + TICK;
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                phase.tick();
                pause = TICK;
            }
        });
        Self {
            stop: Some(stop),
            spinner: Some(spinner),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(spinner) = self.spinner.take() {
            // It only draws; whether that went well is of no interest.
            let _drawn = spinner.join();
        }
    }
}
