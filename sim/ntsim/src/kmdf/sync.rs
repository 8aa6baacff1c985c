//! Serialization of the driver's callbacks: execution levels, synchronization scopes, and the lock that implements them.

use core::cell::UnsafeCell;
use core::pin::Pin;
use std::cell::Cell;
use wdk_sys::*;

/// Where callbacks run and what they are serialized with; never "inherit".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Constraints {
    /// `WdfExecutionLevelPassive` or `WdfExecutionLevelDispatch`.
    pub(crate) execution: WDF_EXECUTION_LEVEL,
    /// `WdfSynchronizationScopeDevice`, `...Queue` or `...None`.
    pub(crate) scope: WDF_SYNCHRONIZATION_SCOPE,
}

impl Constraints {
    /// What an object without attributes under a driver without attributes has.
    pub(crate) const DEFAULT: Self = Self {
        execution: _WDF_EXECUTION_LEVEL::WdfExecutionLevelDispatch,
        scope: _WDF_SYNCHRONIZATION_SCOPE::WdfSynchronizationScopeNone,
    };

    /// What attributes ask for, below a parent with these constraints.
    pub(crate) fn inherit(self, attributes: &super::object::Attributes) -> Self {
        let inherit_level = attributes.execution_level == _WDF_EXECUTION_LEVEL::WdfExecutionLevelInheritFromParent;
        let inherit_scope =
            attributes.synchronization_scope == _WDF_SYNCHRONIZATION_SCOPE::WdfSynchronizationScopeInheritFromParent;
        Self {
            execution: if inherit_level {
                self.execution
            } else {
                attributes.execution_level
            },
            scope: if inherit_scope {
                self.scope
            } else {
                attributes.synchronization_scope
            },
        }
    }

    /// Whether callbacks run at PASSIVE_LEVEL.
    pub(crate) fn is_passive(self) -> bool {
        self.execution == _WDF_EXECUTION_LEVEL::WdfExecutionLevelPassive
    }
}

/// The kernel object behind a lock.
enum Primitive {
    Spin(UnsafeCell<KSPIN_LOCK>),
    Mutex(UnsafeCell<FAST_MUTEX>),
}

/// The lock of a synchronization scope. A spin lock, or a fast mutex when callbacks run at PASSIVE_LEVEL. The owner may take it again (callbacks nest: a request
/// completed inside a callback presents the next one inside the same lock).
pub(crate) struct CallbackLock {
    primitive: Pin<Box<Primitive>>,
    owner: Cell<Option<crate::sched::ContextId>>,
    depth: Cell<u32>,
    irql: Cell<KIRQL>,
}

impl CallbackLock {
    /// A lock for callbacks of this execution level.
    pub(crate) fn new(execution: WDF_EXECUTION_LEVEL) -> Self {
        let primitive = if execution == _WDF_EXECUTION_LEVEL::WdfExecutionLevelPassive {
            Primitive::Mutex(UnsafeCell::new(FAST_MUTEX {
                Count: 1,
                ..FAST_MUTEX::default()
            }))
        } else {
            Primitive::Spin(UnsafeCell::new(0))
        };
        let primitive = Box::pin(primitive);
        if let Primitive::Mutex(mutex) = &*primitive {
            // SAFETY: the mutex stays in its box; nobody else has it yet.
            let event = unsafe { &raw mut (*mutex.get()).Event };
            // SAFETY: the event of a mutex that stays in its box.
            unsafe { ntddk::KeInitializeEvent(event, _EVENT_TYPE::SynchronizationEvent, 0) };
        }
        Self {
            primitive,
            owner: Cell::new(None),
            depth: Cell::new(0),
            irql: Cell::new(0),
        }
    }

    /// Whether the current context holds it.
    pub(crate) fn is_owner(&self) -> bool {
        self.owner.get() == Some(crate::sched::context())
    }

    /// Takes it.
    pub(crate) fn acquire(&self) {
        if self.is_owner() {
            self.depth.set(self.depth.get() + 1);
            return;
        }
        match &*self.primitive {
            Primitive::Spin(lock) => {
                // SAFETY: the lock stays in its box; the kernel alone accesses it.
                let irql = unsafe { ntddk::KeAcquireSpinLockRaiseToDpc(lock.get()) };
                self.irql.set(irql);
            }
            // SAFETY: the mutex stays in its box; the kernel alone accesses it.
            Primitive::Mutex(mutex) => unsafe { ntddk::ExAcquireFastMutex(mutex.get()) },
        }
        self.owner.set(Some(crate::sched::context()));
    }

    /// Lets go of it.
    pub(crate) fn release(&self) {
        if !self.is_owner() {
            let text = "the callback lock is not held by this thread";
            super::verifier::fatal(crate::verifier::kmdf::LOCK_NOT_OWNED, 0, 1, text);
        }
        if self.depth.get() > 0 {
            self.depth.set(self.depth.get() - 1);
            return;
        }
        self.owner.set(None);
        match &*self.primitive {
            // SAFETY: held, see above; the IRQL is the one from its acquisition.
            Primitive::Spin(lock) => unsafe { ntddk::KeReleaseSpinLock(lock.get(), self.irql.get()) },
            // SAFETY: held, see above.
            Primitive::Mutex(mutex) => unsafe { ntddk::ExReleaseFastMutex(mutex.get()) },
        }
    }

    /// Runs something under the lock.
    pub(crate) fn run<R>(&self, body: impl FnOnce() -> R) -> R {
        self.acquire();
        let result = body();
        self.release();
        result
    }
}

/// Runs something under a lock, if there is one.
pub(crate) fn under<R>(lock: Option<&CallbackLock>, body: impl FnOnce() -> R) -> R {
    match lock {
        Some(lock) => lock.run(body),
        None => body(),
    }
}

/// The lock that an object with automatic serialization runs its callbacks under: that of its parent, which must be a device or a queue whose execution level
/// fits. `None` when the parent has no synchronization scope.
pub(crate) fn serialization(
    parent: &std::rc::Rc<super::object::Object>,
    execution: WDF_EXECUTION_LEVEL,
) -> Result<Option<std::rc::Rc<CallbackLock>>, NTSTATUS> {
    use super::object::Kind;
    if !matches!(parent.kind(), Kind::Device | Kind::Queue) {
        return Err(STATUS_INVALID_DEVICE_REQUEST);
    }
    let Some(lock) = parent.callback_lock() else {
        return Ok(None);
    };
    let passive = execution == _WDF_EXECUTION_LEVEL::WdfExecutionLevelPassive;
    if passive != matches!(&*lock.primitive, Primitive::Mutex(_)) {
        let text = "automatic serialization needs a parent whose callbacks run at the same execution level";
        super::verifier::debug_break(crate::verifier::kmdf::INCOMPATIBLE_EXECUTION_LEVEL, text);
        return Err(super::status::STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL);
    }
    Ok(Some(lock))
}
