//! Calls on interrupts.

use super::{Action, Gave};
use crate::client::callbacks::synchronize;
use crate::client::device::{create_interrupt, handle};
use crate::world::World;
use std::rc::Rc;
use wdk_sys::*;

/// The action of a call on an interrupt.
pub fn action(_world: &Rc<World>, name: &str) -> Option<Action> {
    Some(match name {
        "WdfInterruptCreate" => Box::new(|world| Gave::Status(create_interrupt(world))),
        "WdfInterruptQueueDpcForIsr" => Box::new(|world| queue_dpc(world)),
        "WdfInterruptSynchronize" => Box::new(|world| synchronized(world)),
        "WdfInterruptDisable" => Box::new(|world| disable(world)),
        "WdfInterruptEnable" => Box::new(|world| enable(world)),
        _ => return None,
    })
}

fn first(world: &World) -> WDFINTERRUPT {
    handle(world.handles.interrupts.borrow().first().copied().unwrap_or(0))
}

fn queue_dpc(world: &World) -> Gave {
    let interrupt = handle(world.handles.interrupt.get());
    // SAFETY: the interrupt whose ISR runs.
    Gave::Truth(unsafe { call_unsafe_wdf_function_binding!(WdfInterruptQueueDpcForIsr, interrupt) })
}

fn synchronized(world: &World) -> Gave {
    // SAFETY: the client's interrupt.
    Gave::Truth(unsafe {
        call_unsafe_wdf_function_binding!(
            WdfInterruptSynchronize,
            first(world),
            Some(synchronize),
            core::ptr::null_mut()
        )
    })
}

fn disable(world: &World) -> Gave {
    // SAFETY: the client's interrupt.
    unsafe { call_unsafe_wdf_function_binding!(WdfInterruptDisable, first(world)) };
    Gave::Nothing
}

fn enable(world: &World) -> Gave {
    // SAFETY: the client's interrupt.
    unsafe { call_unsafe_wdf_function_binding!(WdfInterruptEnable, first(world)) };
    Gave::Nothing
}

/// Does something under the interrupt's lock.
pub fn locked(world: &World, then: impl FnOnce()) {
    // SAFETY: the client's interrupt.
    unsafe { call_unsafe_wdf_function_binding!(WdfInterruptAcquireLock, first(world)) };
    then();
    // SAFETY: acquired above.
    unsafe { call_unsafe_wdf_function_binding!(WdfInterruptReleaseLock, first(world)) };
}
