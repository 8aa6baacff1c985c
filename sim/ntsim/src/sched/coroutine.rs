//! The coroutines that contexts run on, and their stacks.

use super::Context;
use corosensei::{
    CoroutineResult,
    stack::{DefaultStack, Stack},
};
use std::{
    cell::{Cell, RefCell},
    ptr,
    rc::Rc,
};

/// The coroutine of a context, and where its stack is.
pub(crate) struct Coroutine {
    inner: corosensei::Coroutine<(), (), ()>,
    bounds: (usize, usize),
    yielder: *const Yielder,
}

type Yielder = corosensei::Yielder<(), ()>;

/// The size of a context's stack. Kernel stacks on Windows are 24 KiB; unoptimised Rust needs more.
const STACK_SIZE: usize = 256 * 1024;
/// How many stacks a thread keeps for later.
const POOLED: usize = 64;

thread_local! {
    /// The context that runs.
    static ACTIVE: Cell<*const Context> = const { Cell::new(ptr::null()) };
    /// Its way back to the scheduler.
    static YIELDER: Cell<*const Yielder> = const { Cell::new(ptr::null()) };
    /// The lowest and highest address of its stack.
    static STACK: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
    static POOL: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
}

/// The context that runs on this thread; null outside.
pub(crate) fn active() -> *const Context {
    ACTIVE.get()
}

/// The stack of the running context, guard page included: lowest and highest address.
pub(crate) fn current_stack_bounds() -> (usize, usize) {
    STACK.get()
}

/// Makes the coroutine of a context.
pub(super) fn start(body: Box<dyn FnOnce()>) -> Coroutine {
    let stack = POOL.with_borrow_mut(Vec::pop);
    let stack = stack.unwrap_or_else(|| DefaultStack::new(STACK_SIZE).expect("memory for a stack"));
    let bounds = (stack.limit().get(), stack.base().get());
    let inner = corosensei::Coroutine::with_stack(stack, move |yielder, ()| {
        YIELDER.set(yielder);
        body();
    });
    Coroutine {
        inner,
        bounds,
        yielder: ptr::null(),
    }
}

/// What a context did when it came back to the scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Back {
    Suspended,
    Finished,
}

/// Runs a context until it suspends or ends.
pub(super) fn resume(context: &Rc<Context>) -> Back {
    let mut coroutine = context
        .coroutine
        .borrow_mut()
        .take()
        .expect("a context is resumed once at a time");
    YIELDER.set(coroutine.yielder);
    ACTIVE.set(Rc::as_ptr(context));
    STACK.set(coroutine.bounds);
    let result = coroutine.inner.resume(());
    ACTIVE.set(ptr::null());
    coroutine.yielder = YIELDER.get();
    match result {
        CoroutineResult::Yield(()) => {
            *context.coroutine.borrow_mut() = Some(coroutine);
            Back::Suspended
        }
        CoroutineResult::Return(()) => {
            recycle(coroutine.inner.into_stack());
            Back::Finished
        }
    }
}

/// Gives control back to the scheduler.
pub(super) fn suspend() {
    // SAFETY: set by the running coroutine's own start or by `resume`, and alive as long as that coroutine's stack is, which is the one in use.
    let yielder = unsafe { &*YIELDER.get() };
    yielder.suspend(());
}

/// Throws away what a context has on its stack, without unwinding it.
pub(super) fn discard(context: &Context) {
    if let Some(mut coroutine) = context.coroutine.borrow_mut().take() {
        // SAFETY: nothing refers to that stack any more: the context is off its processor and is never resumed. What its frames own is leaked.
        unsafe { coroutine.inner.force_reset() };
        recycle(coroutine.inner.into_stack());
    }
}

fn recycle(stack: DefaultStack) {
    POOL.with_borrow_mut(|pool| {
        if pool.len() < POOLED {
            pool.push(stack);
        }
    });
}
