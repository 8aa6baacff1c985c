//! A progress bar on the terminal for what takes long.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What is over sooner shows nothing.
const PATIENCE: Duration = Duration::from_millis(400);

/// Time between two movements of a spinner.
const TICK: Duration = Duration::from_millis(100);

const BYTES: &str = "{msg:12} {bar:40} {bytes}/{total_bytes}";
const SPINNER: &str = "{msg:12} {spinner} {elapsed}";

/// Where progress is shown, and when it begins to be worth showing.
struct Screen {
    patience: Duration,
    target: Box<dyn Fn() -> ProgressDrawTarget + Send>,
}

impl Screen {
    /// Standard error; nothing is drawn where that is no terminal.
    fn terminal() -> Self {
        Self {
            patience: PATIENCE,
            target: Box::new(ProgressDrawTarget::stderr),
        }
    }
}

/// A part of the work.
pub struct Phase {
    bar: ProgressBar,
    screen: Screen,
    started: Instant,
}

impl Phase {
    /// Work on so many bytes.
    pub fn bytes(name: &'static str, length: u64) -> Self {
        Self::new(Screen::terminal(), name, Some(length))
    }

    /// Work of unknown length.
    pub fn endless(name: &'static str) -> Self {
        Self::new(Screen::terminal(), name, None)
    }

    fn new(screen: Screen, name: &'static str, length: Option<u64>) -> Self {
        let template = if length.is_some() { BYTES } else { SPINNER };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::hidden());
        bar.set_style(style);
        bar.set_message(name);
        Self {
            bar,
            screen,
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
        if self.bar.is_hidden() && self.started.elapsed() >= self.screen.patience {
            self.bar.set_draw_target((self.screen.target)());
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
        Self::on(Screen::terminal(), name)
    }

    fn on(screen: Screen, name: &'static str) -> Self {
        let (stop, stopped) = channel::<()>();
        let spinner = thread::spawn(move || {
            let mut pause = screen.patience;
            let phase = Phase::new(screen, name, None);
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

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::InMemoryTerm;

    /// A terminal, and a screen on it for a reader who waits so long.
    fn screen(patience: Duration) -> (InMemoryTerm, Screen) {
        let terminal = InMemoryTerm::new(4, 100);
        let inner = terminal.clone();
        let target = move || ProgressDrawTarget::term_like(Box::new(inner.clone()));
        let target = Box::new(target);
        (terminal, Screen { patience, target })
    }

    #[test]
    fn work_on_bytes_shows_how_far_it_is_and_leaves_nothing() {
        let (terminal, screen) = screen(Duration::ZERO);
        let phase = Phase::new(screen, "filling", Some(4 << 20));
        assert_eq!(terminal.contents(), "");
        phase.advance(1 << 20);
        let shown = terminal.contents();
        assert!(
            shown.starts_with("filling") && shown.contains("█") && shown.ends_with("1.00 MiB/4.00 MiB"),
            "{shown}"
        );
        phase.advance(2 << 20);
        assert!(terminal.contents().ends_with("3.00 MiB/4.00 MiB"));
        drop(phase);
        assert_eq!(terminal.contents(), "");
    }

    #[test]
    fn what_is_over_soon_shows_nothing() {
        let (terminal, screen) = screen(Duration::MAX);
        let phase = Phase::new(screen, "running", None);
        phase.tick();
        phase.advance(1);
        assert_eq!(terminal.contents(), "");
        assert!(phase.bar.is_hidden());
    }

    #[test]
    fn a_spinner_moves_while_a_call_does_not_return() {
        let (terminal, screen) = screen(Duration::ZERO);
        let watch = Watch::on(screen, "verifying");
        // Far beyond what it takes: the clock ends the test only where the spinner never comes.
        let deadline = Instant::now() + Duration::from_secs(60);
        while !terminal.contents().starts_with("verifying") {
            assert!(Instant::now() < deadline, "nothing is drawn");
            thread::yield_now();
        }
        drop(watch);
        assert_eq!(terminal.contents(), "");
    }
}
