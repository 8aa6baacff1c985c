//! Runs a machine from outside.

use super::Machine;
use crate::{
    cross,
    sched::{self, Time},
    verifier::Crash,
};
use std::{cell::RefCell, rc::Rc};

impl Machine {
    /// Runs until `done` says so.
    ///
    /// # Errors
    /// The machine stopped: a bug check, a hang, the budget.
    pub fn run_until(&self, done: impl Fn() -> bool) -> Result<(), Crash> {
        sched::run_until(self, &done)
    }

    /// Runs `f` on a PASSIVE_LEVEL thread of the machine, and the machine until that has returned.
    ///
    /// # Errors
    /// The machine stopped.
    pub fn run<T: 'static>(&self, name: &str, f: impl FnOnce() -> T + 'static) -> Result<T, Crash> {
        let result = Rc::new(RefCell::new(None));
        let slot = Rc::clone(&result);
        sched::spawn(name, move || {
            let value = f();
            *slot.borrow_mut() = Some(value);
        });
        self.run_until(|| result.borrow().is_some())?;
        let value = result.borrow_mut().take();
        Ok(value.expect("the run ended because the value is there"))
    }

    /// As [`run`](Self::run), as code of a driver: its kernel calls are checked and recorded.
    ///
    /// # Errors
    /// The machine stopped.
    pub fn run_as_driver<T: 'static>(&self, name: &'static str, f: impl FnOnce() -> T + 'static) -> Result<T, Crash> {
        self.run(name, move || {
            let mut value = None;
            cross::callback(name, || value = Some(f()), String::new);
            value.expect("the callback has returned")
        })
    }

    /// Runs until nothing can run without a timer.
    ///
    /// # Errors
    /// The machine stopped.
    pub fn settle(&self) -> Result<(), Crash> {
        sched::settle(self)
    }

    /// Lets virtual time pass.
    ///
    /// # Errors
    /// The machine stopped.
    pub fn pass_time(&self, nanoseconds: u64) -> Result<(), Crash> {
        let end = self.now().after_ns(nanoseconds);
        let reached = Rc::new(std::cell::Cell::new(false));
        let flag = Rc::clone(&reached);
        self.sched.clock.at(end, Box::new(move || flag.set(true)));
        self.run_until(|| reached.get())
    }

    /// When the next thing is due that only time brings about.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        self.sched.clock.next()
    }
}
