//! IRPs of the kernel itself, sent and waited for.

use super::{
    call,
    irp::{self, IoResult},
};
use crate::{cross::Domain, sched};
use std::{cell::Cell, rc::Rc};
use wdk_sys::{PDEVICE_OBJECT, PIO_STACK_LOCATION, PIRP};

/// Sends an IRP that `prepare` fills in to a device, and waits until it completed. Runs at PASSIVE_LEVEL.
pub(crate) fn send_and_wait(top: PDEVICE_OBJECT, prepare: impl FnOnce(PIRP, PIO_STACK_LOCATION)) -> IoResult {
    let result = Rc::new(Cell::new(None));
    let slot = Rc::clone(&result);
    let finish = Box::new(move |irp: PIRP| {
        slot.set(Some(irp::result(irp)));
        irp::release(irp);
        sched::notify();
    });
    // SAFETY: a live device object.
    let size = unsafe { (*top).StackSize };
    let irp = irp::allocate(size, Domain::Kernel, Some(finish));
    prepare(irp, irp::next_location(irp));
    call::send(top, irp);
    sched::block("an IRP to complete", || result.get().is_some(), None);
    result.get().expect("the wait ended because the result is there")
}
