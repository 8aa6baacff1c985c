//! What the recording harness did to the client.

use super::irp;
use crate::scenario::Ev;
use crate::world::World;
use ntsim::sched;
use std::rc::Rc;
use wdk_sys::ntddk;

/// Whether a stimulus is something that the harness does, and not the answer to something that it did.
pub fn is_action(name: &str) -> bool {
    !name.contains(" returned ")
}

/// Does it.
pub fn perform(world: &Rc<World>, name: &str) {
    if name.starts_with("ISR claimed=") {
        let claimed = u8::from(world.isr_claimed.replace(false));
        return saw(world, &format!("ISR claimed={claimed}"));
    }
    let inline = answered_at_once(world);
    if let Some(irp) = name.strip_prefix("send ") {
        let (sent, device) = irp::build(world, irp);
        saw(world, name);
        let (world, irp) = (Rc::clone(world), irp.to_owned());
        let action = move || irp::send(&world, &irp, &sent, device);
        if inline {
            action();
        } else {
            sched::spawn("sender", action);
        }
        return;
    }
    saw(world, name);
    if name == "AddDevice" {
        let status = world.bus.add_device();
        saw(world, &format!("AddDevice returned {:#x}", status.cast_unsigned()));
    } else if let Some(irp) = name.strip_prefix("IoCancelIrp ") {
        cancel(world, irp);
    } else if name.ends_with("is cancelled before it is sent") {
        world.cancel_next.set(true);
    } else if let Some(rest) = name.strip_prefix("let ") {
        let milliseconds = rest.split(' ').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        sched::block("time", || false, Some(sched::now().after_ns(milliseconds * 1_000_000)));
    } else if let Some(rest) = name.strip_prefix("interrupt message ") {
        let message = rest.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
        world.bus.fire(message);
    }
}

fn saw(world: &World, name: &str) {
    world.saw(Ev::Stim, name, String::new(), None);
}

fn cancel(world: &World, name: &str) {
    let irp = world.sent.borrow().get(name).map(|sent| sent.irp());
    let Some(irp) = irp else {
        return world.script.fail(format!("{name} was not sent"));
    };
    // SAFETY: the harness keeps its IRPs.
    let cancelled = unsafe { ntddk::IoCancelIrp(irp) };
    saw(world, &format!("IoCancelIrp returned {cancelled}"));
}

/// Whether nothing else was done before the dispatch routine of the IRP that is next returned.
fn answered_at_once(world: &World) -> bool {
    let mut depth = 0;
    for event in world.script.rest().iter().skip(1) {
        match event.ev {
            Ev::Enter if !crate::script::ends_unseen(&event.name) => depth += 1,
            Ev::Leave => depth -= 1,
            Ev::Stim => return !is_action(&event.name),
            Ev::Call | Ev::Note if depth == 0 => return false,
            _ => {}
        }
    }
    true
}
