//! The state of the scheduler.

use super::{Choice, Choices, Clock, Context, ContextId, ContextKind, coroutine, dpc_queue::DpcEntry, step::Step};
use crate::{machine::Options, trace};
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};
use wdk_sys::KIRQL;

/// One virtual processor.
#[derive(Default)]
pub(crate) struct Processor {
    /// The contexts on it: the last one runs, the others were interrupted.
    pub(super) stack: RefCell<Vec<Rc<Context>>>,
    /// The DPCs that wait for its IRQL to drop.
    pub(super) dpcs: RefCell<VecDeque<DpcEntry>>,
}

impl Processor {
    /// The context that runs, or would.
    pub(super) fn top(&self) -> Option<Rc<Context>> {
        self.stack.borrow().last().cloned()
    }

    /// The IRQL of the processor.
    pub(super) fn irql(&self) -> KIRQL {
        self.stack.borrow().last().map_or(0, |top| top.irql.get())
    }
}

/// The state of the scheduler.
pub struct State {
    /// The virtual clock.
    pub clock: Clock,
    pub(crate) processors: Vec<Processor>,
    /// All contexts that have not ended.
    pub(super) contexts: RefCell<BTreeMap<ContextId, Rc<Context>>>,
    /// Threads that can run and are on no processor.
    pub(super) ready: RefCell<VecDeque<Rc<Context>>>,
    /// Threads that wait.
    pub(super) blocked: RefCell<Vec<Rc<Context>>>,
    /// Something may have changed for the threads that wait.
    pub(super) notified: Cell<bool>,
    /// What happens when the running context has suspended itself.
    pub(super) next_step: Cell<Option<Step>>,
    /// The processor that ran last.
    pub(super) last_processor: Cell<usize>,
    /// Steps that are enabled; kept to save allocations.
    pub(super) enabled: RefCell<Vec<Step>>,
    /// Counts turns, so that first-come order gives everyone one.
    pub(super) turn: Cell<u64>,
    /// Scheduling points so far.
    pub points: Cell<u64>,
    pub(super) budget: u64,
    next_id: Cell<u64>,
    choices: RefCell<Box<dyn Choices>>,
    log: RefCell<Vec<Choice>>,
    keeps_log: bool,
}

impl State {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            clock: Clock::default(),
            processors: (0..options.processors).map(|_| Processor::default()).collect(),
            contexts: RefCell::default(),
            ready: RefCell::default(),
            blocked: RefCell::default(),
            notified: Cell::default(),
            next_step: Cell::default(),
            last_processor: Cell::default(),
            enabled: RefCell::default(),
            turn: Cell::default(),
            points: Cell::default(),
            budget: options.budget,
            next_id: Cell::default(),
            choices: RefCell::new(options.schedule.choices(options.seed)),
            log: RefCell::default(),
            keeps_log: options.trace == trace::TraceMode::Full,
        }
    }

    /// One choice out of `n`.
    pub(super) fn choose(&self, trace: &trace::Recorder, n: usize, label: &'static str) -> usize {
        if n < 2 {
            return 0;
        }
        let pick = self.choices.borrow_mut().choose(n, label);
        trace.mix(label, (n as u64) << 32 | pick as u64);
        if self.keeps_log {
            self.log.borrow_mut().push(Choice { label, of: n, pick });
        }
        pick
    }

    /// The choices made so far, when the whole trace is kept.
    #[must_use]
    pub fn choice_log(&self) -> Vec<Choice> {
        self.log.borrow().clone()
    }

    /// Makes a context with a body to run.
    pub(crate) fn make_context(
        &self,
        name: Cow<'static, str>,
        kind: ContextKind,
        irql: KIRQL,
        body: Box<dyn FnOnce()>,
    ) -> Rc<Context> {
        let id = ContextId(self.next_id.get());
        self.next_id.set(id.0 + 1);
        let context = Rc::new(Context::new(id, name, kind, irql));
        *context.coroutine.borrow_mut() = Some(coroutine::start(body));
        self.contexts.borrow_mut().insert(id, Rc::clone(&context));
        context
    }

    /// Starts a thread.
    pub(super) fn spawn_thread(&self, name: &str, body: Box<dyn FnOnce()>) -> ContextId {
        let context = self.make_context(Cow::Owned(name.to_owned()), ContextKind::Thread, 0, body);
        let id = context.id;
        self.ready.borrow_mut().push_back(context);
        id
    }

    /// One line for each context that has not ended.
    pub(crate) fn describe_contexts(&self) -> Vec<String> {
        self.contexts
            .borrow()
            .values()
            .map(|context| context.describe())
            .collect()
    }
}
