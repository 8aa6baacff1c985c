//! Interrupt objects: a connected service routine and its spin lock.

use super::{interrupt::LineId, spin};
use crate::{
    cross, machine, sched,
    verifier::{self, mmio},
};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};
use wdk_sys::{_KINTERRUPT, BOOLEAN, KIRQL, PKINTERRUPT, PKSYNCHRONIZE_ROUTINE, PVOID, ULONG};

/// A line-based service routine.
pub(super) type LineRoutine = unsafe extern "win64" fn(*mut _KINTERRUPT, PVOID) -> BOOLEAN;
/// A message-based service routine.
pub(super) type MessageRoutine = unsafe extern "win64" fn(*mut _KINTERRUPT, PVOID, ULONG) -> BOOLEAN;

/// A service routine.
#[derive(Clone, Copy)]
pub(super) enum Service {
    Line(LineRoutine),
    Message(MessageRoutine, ULONG),
}

/// A connected service routine.
pub(crate) struct InterruptObject {
    pub(super) handle: usize,
    pub(super) line: LineId,
    pub(super) service: Service,
    pub(super) context: PVOID,
    pub(super) synchronize_irql: KIRQL,
    /// The address of the spin lock: the driver's, or the object's own.
    pub(super) lock: usize,
}

impl InterruptObject {
    /// The value that stands for the object.
    pub(super) fn pointer(&self) -> PKINTERRUPT {
        core::ptr::without_provenance_mut(self.handle)
    }
}

/// The connected interrupt objects of a machine.
#[derive(Default)]
pub(crate) struct Connected {
    all: RefCell<BTreeMap<usize, Rc<InterruptObject>>>,
}

impl Connected {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.all.borrow().len()
    }

    pub(super) fn insert(&self, object: &Rc<InterruptObject>) {
        self.all.borrow_mut().insert(object.handle, Rc::clone(object));
    }

    pub(super) fn remove(&self, object: &InterruptObject) {
        self.all.borrow_mut().remove(&object.handle);
    }
}

/// Reports connected interrupts of removed devices. To be called when a driver unloads.
pub fn check_interrupts(driver: &str) {
    let left: Vec<_> = machine::with(|m| {
        let in_use = |line| m.pci.all().iter().any(|slot| slot.is_started() && slot.has_line(line));
        let all = m.ke.connected.all.borrow();
        all.values()
            .filter(|object| !in_use(object.line))
            .map(|object| object.line.vector())
            .collect()
    });
    if !left.is_empty() {
        let text = format!("{driver} unloads and leaves interrupts connected: vectors {left:#x?}");
        verifier::violation_with(mmio::INTERRUPT_LEAKED, [left.len() as u64, 0, 0], text);
    }
}

/// The object that a value stands for.
pub(super) fn find(interrupt: PKINTERRUPT) -> Rc<InterruptObject> {
    let found = machine::with(|m| m.ke.connected.all.borrow().get(&interrupt.addr()).cloned());
    found.unwrap_or_else(|| {
        verifier::fatal(
            mmio::INTERRUPT_NOT_CONNECTED,
            [0; 3],
            "an interrupt object was used that is not connected",
        )
    })
}

/// Raises to the IRQL of an interrupt and takes its lock.
fn acquire(object: &InterruptObject) -> KIRQL {
    let old = sched::current_irql();
    if old > object.synchronize_irql {
        let text = format!(
            "an interrupt lock of IRQL {} is acquired at IRQL {old}",
            object.synchronize_irql
        );
        verifier::violation(verifier::irql::RAISE_LOWERS, text);
    }
    sched::raise(object.synchronize_irql);
    spin::acquire(object.lock);
    old
}

crate::nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Runs a routine under the lock and at the IRQL of an interrupt.
    #[irql(any)]
    fn KeSynchronizeExecution(interrupt: PKINTERRUPT, routine: PKSYNCHRONIZE_ROUTINE, context: PVOID) -> BOOLEAN {
        let object = find(interrupt);
        let Some(routine) = routine else { return 0 };
        let old = acquire(&object);
        // SAFETY: the driver passes this routine, with this context.
        let result = cross::callback("KSYNCHRONIZE_ROUTINE", || unsafe { routine(context) }, String::new);
        spin::release(object.lock);
        sched::lower(old);
        result
    }

    /// Takes the lock of an interrupt, at its IRQL.
    #[irql(any)]
    fn KeAcquireInterruptSpinLock(interrupt: PKINTERRUPT) -> KIRQL {
        acquire(&find(interrupt))
    }

    /// Releases the lock of an interrupt and goes back to an IRQL.
    #[irql(any)]
    fn KeReleaseInterruptSpinLock(interrupt: PKINTERRUPT, old: KIRQL) {
        spin::release(find(interrupt).lock);
        spin::check_lower(old);
        sched::lower(old);
    }
}
