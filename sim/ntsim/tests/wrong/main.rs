//! Deliberately wrong miniature drivers are caught, each by the machine that is meant to catch it; the right one passes everywhere.

#![allow(
    unsafe_code,
    missing_docs,
    reason = "a driver written against the raw bindings, as the wrong ones of the world are"
)]

mod driver;
mod engine;

use driver::{
    INTERFACE, IOCTL_FILL, KEEPS_REGISTERS, LEAVES_A_GAP, ONE_DIRECTION, RELEASES_EARLY, RIGHT, UNTRANSLATED, entry,
};
use engine::{Engine, FILL};
use ntsim::hal::STALE;
use ntsim::machine::Machine;
use ntsim::mem::{MemoryModel, Protection, UserRange};
use ntsim::nt::io::{DesiredAccess, DriverImage, Failure};
use ntsim::verifier::Crash;
use std::{cell::Cell, rc::Rc};
use wdk_sys::standin::DriverEntry;

const LENGTH: usize = 4096;
const MODELS: [MemoryModel; 4] = MemoryModel::ALL;
/// What the request's owner has in the buffer before.
const BEFORE: u8 = 0x21;

/// How a run of one request ended.
struct Run {
    /// What the request's owner found in the buffer.
    data: Vec<u8>,
    /// Why the machine stopped, if it did.
    crash: Option<Crash>,
}

impl Run {
    fn rule(&self) -> Option<&'static str> {
        self.crash.as_ref().and_then(|crash| crash.rule).map(|rule| rule.id)
    }

    fn is_filled(&self) -> bool {
        self.data.iter().all(|byte| *byte == FILL)
    }
}

/// Starts the driver, sends one request, removes the device and unloads.
fn run(memory: MemoryModel, entry: DriverEntry) -> Run {
    let machine = Machine::builder().memory(memory).build();
    let buffer = machine.user_memory().allocate(LENGTH, 0, Protection::ReadWrite);
    buffer.write(0, &[BEFORE; LENGTH]);
    let ended = life(&machine, entry, buffer.range());
    let crash = machine.crash();
    assert_eq!(
        ended.is_err(),
        crash.is_some(),
        "a driver of this test fails by stopping the machine: {ended:?}"
    );
    Run {
        data: buffer.to_vec(),
        crash,
    }
}

fn life(machine: &Machine, entry: DriverEntry, range: UserRange) -> Result<(), Failure> {
    let driver = machine.load_driver(DriverImage::host("mini", entry))?;
    let device = machine.plug(&driver, Box::new(Engine::new(Rc::new(Cell::new(0)))))?;
    let handle = machine.open(INTERFACE, DesiredAccess::READ | DesiredAccess::WRITE)?;
    let result = handle.ioctl_and_wait(IOCTL_FILL, &[], Some(range))?;
    assert_eq!((result.status, result.information), (0, LENGTH as u64));
    handle.close()?;
    device.remove()?;
    driver.unload()
}

#[test]
fn the_right_driver_passes_everywhere() {
    for memory in MODELS {
        let run = run(memory, entry::<RIGHT>);
        assert!(run.crash.is_none(), "{memory:?}: {:?}", run.crash);
        assert!(run.is_filled(), "{memory:?}");
    }
}

#[test]
fn a_list_released_early_works_until_addresses_are_remapped() {
    let flat = run(MemoryModel::Flat, entry::<RELEASES_EARLY>);
    assert!(
        flat.crash.is_none() && flat.is_filled(),
        "identity-mapped memory hides the mistake"
    );
    let remapped = run(MemoryModel::Iommu, entry::<RELEASES_EARLY>);
    assert_eq!(remapped.rule(), Some("dma-iommu-fault"));
    let crash = remapped.crash.expect("stopped");
    assert_eq!((crash.code, crash.parameters[0]), (0xE6, 0x26));
}

#[test]
fn a_buffer_mapped_one_way_and_used_both_ways_works_until_it_is_bounced() {
    let flat = run(MemoryModel::Flat, entry::<ONE_DIRECTION>);
    assert!(flat.crash.is_none());
    assert!(
        flat.data.iter().all(|byte| *byte == BEFORE + 1),
        "identity-mapped memory hides the mistake"
    );
    let bounced = run(MemoryModel::Bounce, entry::<ONE_DIRECTION>);
    assert!(bounced.crash.is_none(), "nothing tells: the data is wrong");
    assert!(
        bounced.data.iter().all(|byte| *byte == STALE + 1),
        "the device has read what somebody else left in the bounce page"
    );
    let remapped = run(MemoryModel::Iommu, entry::<ONE_DIRECTION>);
    assert_eq!(remapped.rule(), Some("dma-iommu-fault"));
}

#[test]
fn a_gap_in_a_mapping_from_the_device_brings_stale_bytes() {
    for (memory, gap) in [(MemoryModel::Flat, BEFORE), (MemoryModel::Bounce, STALE)] {
        let run = run(memory, entry::<LEAVES_A_GAP>);
        assert!(run.crash.is_none(), "nothing tells: {memory:?}");
        let (written, left) = run.data.split_at(LENGTH / 2);
        assert!(written.iter().all(|byte| *byte == FILL), "{memory:?}");
        assert!(left.iter().all(|byte| *byte == gap), "{memory:?}: {:#x}", left[0]);
    }
}

#[test]
fn a_list_released_early_loses_the_data_where_it_is_bounced() {
    let bounced = run(MemoryModel::Bounce, entry::<RELEASES_EARLY>);
    assert_eq!(bounced.rule(), Some("dma-no-memory"));
}

#[test]
fn a_physical_address_is_not_a_device_address() {
    let flat = run(MemoryModel::Flat, entry::<UNTRANSLATED>);
    assert!(
        flat.crash.is_none() && flat.is_filled(),
        "identity-mapped memory hides the mistake"
    );
    let scrambled = run(MemoryModel::Scrambled, entry::<UNTRANSLATED>);
    assert_eq!(scrambled.rule(), Some("dma-untranslated-address"));
    let remapped = run(MemoryModel::Iommu, entry::<UNTRANSLATED>);
    assert_eq!(remapped.crash.map(|crash| crash.code), Some(0xE6));
}

#[test]
fn registers_that_stay_mapped_are_found_at_unload() {
    for memory in MODELS {
        let run = run(memory, entry::<KEEPS_REGISTERS>);
        assert_eq!(run.rule(), Some("io-space-leaked"), "{memory:?}");
    }
}
