//! Reads a descriptor with its bindings and segment tables, piece by piece, and refuses what is malformed.

use std::mem::take;

use hawser_abi::descriptor::{Binding, Descriptor, DeviceStep, MAX_BINDINGS, Segment, binding_flags};
use hawser_abi::pci::MEMORY_BAR_SIZE;
use hawser_abi::program::MAX_STEPS;
use hawser_abi::queue::CompletionStatus;
use zerocopy::{FromZeros, IntoBytes};

use crate::cost::Cycles;
use crate::fault::CommandFault;
use crate::host_access::HostAccess;
use crate::program::{Program, Window};
use crate::view::View;

/// Most segments of all bindings of a descriptor together: more than 1 GiB in single pages and every step's edges need.
const MAX_SEGMENTS: u64 = 1 << 21;
/// Segments read in one piece of work.
const SEGMENTS_AT_ONCE: usize = 4096;

const HEAD: u64 = size_of::<Descriptor>() as u64;

/// The reading of one descriptor.
pub(crate) struct Loader {
    address: u64,
    length: u32,
    head: Option<Descriptor>,
    bindings: Vec<Binding>,
    views: Vec<View>,
    partial: Partial,
}

/// The segments read so far of the binding after the last finished view.
#[derive(Default)]
struct Partial {
    view: Option<View>,
    read: u32,
}

impl Loader {
    pub(crate) fn new(address: u64, length: u32) -> Result<Self, CommandFault> {
        let fits = address.checked_add(u64::from(length)).is_some();
        if !fits || !address.is_multiple_of(64) || u64::from(length) < HEAD {
            return Err(CommandFault::BAD_DESCRIPTOR);
        }
        Ok(Self {
            address,
            length,
            head: None,
            bindings: Vec::new(),
            views: Vec::new(),
            partial: Partial::default(),
        })
    }

    /// Does one piece of work; returns the program when the descriptor is complete.
    pub(crate) fn advance(
        &mut self,
        host: &mut HostAccess<'_>,
        cycles: &mut Cycles,
    ) -> Result<Option<Program>, CommandFault> {
        let Some(head) = self.head else {
            self.read_head(host)?;
            return Ok(None);
        };
        if let Some(binding) = self.bindings.get(self.views.len()).copied() {
            self.read_segments(&binding, host, cycles)?;
            return Ok(None);
        }
        let window = Window {
            base: head.scratch_base,
            length: head.scratch_length,
        };
        let steps = self.address + u64::from(head.steps_offset);
        Ok(Some(Program::new(
            take(&mut self.views),
            window,
            steps,
            head.step_count,
        )))
    }

    fn read_head(&mut self, host: &mut HostAccess<'_>) -> Result<(), CommandFault> {
        let mut head = Descriptor::new_zeroed();
        read(host, self.address, head.as_mut_bytes())?;
        if head.length != self.length || !head_is_sound(&head) {
            return Err(CommandFault::BAD_DESCRIPTOR);
        }
        self.bindings = vec![Binding::new_zeroed(); head.binding_count as usize];
        let at = self.address + u64::from(head.bindings_offset);
        read(host, at, self.bindings.as_mut_slice().as_mut_bytes())?;
        let segments: u64 = self.bindings.iter().map(|binding| u64::from(binding.segments)).sum();
        if segments > MAX_SEGMENTS || !self.bindings.iter().all(binding_is_sound) {
            return Err(CommandFault::BAD_DESCRIPTOR);
        }
        self.head = Some(head);
        Ok(())
    }

    fn read_segments(
        &mut self,
        binding: &Binding,
        host: &mut HostAccess<'_>,
        cycles: &mut Cycles,
    ) -> Result<(), CommandFault> {
        let Partial { view, read: done } = &mut self.partial;
        let view = view.get_or_insert_with(|| View::new(binding.flags));
        let count = (binding.segments.saturating_sub(*done) as usize).min(SEGMENTS_AT_ONCE);
        let mut segments = vec![Segment::new_zeroed(); count];
        let at = u64::from(*done) * size_of::<Segment>() as u64;
        read(host, binding.segment_table + at, segments.as_mut_slice().as_mut_bytes())?;
        cycles.segments(count as u64);
        for segment in segments {
            view.push(segment).map_err(|_| CommandFault::BAD_DESCRIPTOR)?;
        }
        *done += count as u32;
        if *done < binding.segments {
            return Ok(());
        }
        if view.length() != binding.length {
            return Err(CommandFault::BAD_DESCRIPTOR);
        }
        self.views.extend(take(&mut self.partial).view);
        Ok(())
    }
}

fn read(host: &mut HostAccess<'_>, address: u64, into: &mut [u8]) -> Result<(), CommandFault> {
    if into.is_empty() {
        return Ok(());
    }
    host.read(address, into)
        .map_err(|_| CommandFault::command(CompletionStatus::BusError))
}

fn head_is_sound(head: &Descriptor) -> bool {
    let reserved_zero = head.reserved0 == 0 && head.reserved1 == [0; 24];
    let counts = (1..=MAX_BINDINGS).contains(&head.binding_count) && (1..=MAX_STEPS).contains(&head.step_count);
    let scratch = head.scratch_base.checked_add(head.scratch_length);
    reserved_zero && counts && tables_are_sound(head) && scratch.is_some_and(|end| end <= MEMORY_BAR_SIZE)
}

/// Bindings and steps are inside the descriptor and overlap neither its head nor each other.
fn tables_are_sound(head: &Descriptor) -> bool {
    let table = |offset: u32, count: u32, size: usize| {
        let start = u64::from(offset);
        start..start + u64::from(count) * size as u64
    };
    let bindings = table(head.bindings_offset, head.binding_count, size_of::<Binding>());
    let steps = table(head.steps_offset, head.step_count, size_of::<DeviceStep>());
    let inside = |table: &std::ops::Range<u64>| {
        table.start.is_multiple_of(8) && table.start >= HEAD && table.end <= u64::from(head.length)
    };
    inside(&bindings) && inside(&steps) && (bindings.end <= steps.start || steps.end <= bindings.start)
}

fn binding_is_sound(binding: &Binding) -> bool {
    let table = u64::from(binding.segments) * size_of::<Segment>() as u64;
    binding.flags & !binding_flags::ALL == 0
        && binding.reserved == 0
        && binding.segment_table.is_multiple_of(16)
        && binding.segment_table.checked_add(table).is_some()
}
