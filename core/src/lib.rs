//! Checks, plans and translates programs; no operating system, no allocation, no unsafe.
//!
//! A submission passes through this crate in four stages, all of them pure functions of their arguments:
//!
//! 1. [`check()`] goes once through the steps, refuses what breaks a rule with a precise [`Refusal`], and takes what is right into a trusted copy,
//!    with the bytes that each step reads and writes;
//! 2. [`plan()`] decides for each byte of the data buffer whether it is mapped for DMA, copied through the arena, or left alone;
//! 3. [`translate()`] writes the steps of the trusted copy for the device, and [`write_descriptor`] what it needs to find them;
//! 4. [`ViewBuilder`] writes the segment tables once the mappings exist.
//!
//! Beside them stand the bookkeeping of a driver's fixed resources: [`OffsetAllocator`], [`SlotTable`], the ring arithmetic of
//! [`SubmissionRing`] and [`CompletionRing`], [`check_completion`] for what a device claims to have done, and [`ResultTable`].
//!
//! Programs and completion entries are hostile: nothing here panics, indexes unchecked, or takes more time than in proportion to what it is given.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable
    )
)]

// The contract's integers are little-endian, and so are those of all machines that this runs on: halves of a number are taken for what they are in memory.
const _: () = assert!(cfg!(target_endian = "little"));

#[cfg(test)]
extern crate std;

mod address;
mod appraisal;
mod arena;
mod check;
mod choice;
mod combination;
mod completion;
mod cost;
mod coverage;
mod cuts;
mod digest;
mod header;
mod intervals;
mod layout;
mod limits;
mod need;
mod pieces;
mod placement;
mod plan;
mod refusal;
mod results;
mod rings;
mod selection;
mod slots;
mod sort;
mod sweep;
#[cfg(test)]
mod testing;
mod translate;
mod trusted;
mod views;
mod workspace;
mod writer;

pub use address::{ArenaOffset, BlockOffset, DataRange, DeviceAddress, MappingIndex, PAGE_SIZE};
pub use arena::{AllocateError, Block, NotAllocated, OffsetAllocator};
pub use check::{Accepted, BufferShape, Checked, check};
pub use completion::{Completion, Ended, Fault, Outcome, QueueView, Stray, check_completion};
pub use cost::Costs;
pub use header::readable_cookie;
pub use layout::ArenaLayout;
pub use limits::{Limits, MAX_MAPPINGS};
pub use pieces::{CopyRun, Piece, Pieces, Route, Why};
pub use plan::{Direction, Mapping, Plan, max_pieces, plan};
pub use refusal::Refusal;
pub use results::{BeginError, ResultTable, Ticket};
pub use rings::{BadHead, CompletionRing, SubmissionRing};
pub use slots::{OnQueue, SLOTS, SlotId, SlotTable, StaleSlot};
pub use translate::{DescriptorHead, DescriptorPlace, device_steps, translate, write_descriptor};
pub use views::{ScatterGatherElements, SegmentRun, TableMemory, View, ViewBuilder, ViewError, build_view};
pub use workspace::{Room, Workspace};
pub use writer::{ArenaWriter, OutsideArena};
