//! Bringing the controller up after a reset, and its interrupt mask. `PASSIVE_LEVEL`.

use core::time::Duration;

use hawser_abi::registers::{self as reg, control, queue_offset, queue_register, status};
use kmdf::{BusMaster, NtStatus, Result, poll};

use crate::device::Device;
use crate::hardware::Hardware;
use crate::isr::all_causes;
use crate::rings::{ENTRIES, QueuePair};

/// How long the device may take until it is ready.
const READY_LIMIT: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(1);

/// Sets up queues and lets a device run that was reset. Interrupts stay masked.
pub fn bring_up(device: &Device, hardware: &Hardware) -> Result {
    wait_ready(hardware)?;
    give_bus_master(hardware)?;
    let registers = &hardware.registers;
    registers.write32(reg::FAULT_CODE, reg::fault::NONE);
    registers.write32(reg::MODERATION, moderation(device));
    for number in 0..hardware.queues {
        let queue = device.queue(number).ok_or(NtStatus::INTERNAL_ERROR)?;
        let mut queue = queue.lock();
        queue.rebuild();
        set_up(hardware, &queue);
        queue.open();
    }
    let delivery = if hardware.messages == 0 { 0 } else { control::MSIX };
    registers.write32(reg::CONTROL, control::ENABLE | delivery);
    if hardware.status().is_some_and(|bits| bits & status::FATAL == 0) {
        Ok(())
    } else {
        Err(NtStatus::DEVICE_HARDWARE_ERROR)
    }
}

/// Gives the device back the right to access memory, where it was taken from it to stop it. After its reset it has nothing to access.
fn give_bus_master(hardware: &Hardware) -> Result {
    let found = match hardware.bus.bus_master()? {
        BusMaster::Disabled => hardware.bus.set_bus_master(BusMaster::Enabled)?,
        found => found,
    };
    match found {
        BusMaster::Enabled => Ok(()),
        BusMaster::Disabled => Err(NtStatus::DEVICE_HARDWARE_ERROR),
        BusMaster::Gone => Err(NtStatus::DEVICE_DOES_NOT_EXIST),
    }
}

fn wait_ready(hardware: &Hardware) -> Result {
    let ready = poll(READY_LIMIT, STEP, || match hardware.status() {
        None => Some(Err(NtStatus::DEVICE_DOES_NOT_EXIST)),
        Some(bits) if bits & status::FATAL != 0 => Some(Err(NtStatus::DEVICE_HARDWARE_ERROR)),
        Some(bits) if bits & status::READY != 0 => Some(Ok(())),
        Some(_) => None,
    });
    ready.unwrap_or(Err(NtStatus::IO_TIMEOUT))
}

fn set_up(hardware: &Hardware, queue: &QueuePair) {
    let registers = &hardware.registers;
    let at = |offset| queue_register(queue.number(), offset);
    registers.write64(at(queue_offset::SQ_BASE), queue.submissions_address());
    registers.write64(at(queue_offset::CQ_BASE), queue.completions_address());
    registers.write32(at(queue_offset::SQ_ENTRIES), ENTRIES);
    registers.write32(at(queue_offset::CQ_ENTRIES), ENTRIES);
    registers.write32(at(queue_offset::MESSAGE), hardware.message_of(queue.number()));
    // The rings were zeroed: the device must see that before it reads them.
    registers.ring32(at(queue_offset::ENABLE), 1);
}

/// The value of the moderation register.
fn moderation(device: &Device) -> u32 {
    u32::from(device.params.moderation_us) << 16 | u32::from(device.params.moderation_count)
}

/// Lets interrupts through.
pub fn unmask(hardware: &Hardware) {
    hardware
        .registers
        .write32(reg::INT_MASK_CLEAR, all_causes(hardware.queues));
}

/// Holds interrupts back.
pub fn mask(hardware: &Hardware) {
    hardware
        .registers
        .write32(reg::INT_MASK_SET, all_causes(hardware.queues));
}

/// Writes no doorbell any more.
pub fn close_queues(device: &Device) {
    for queue in device.all_queues() {
        queue.lock().close();
    }
}
