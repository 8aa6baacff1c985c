//! Interrupt lines: MSI-X messages and level-triggered lines, and their delivery.

use crate::{
    machine::{Machine, Options},
    pci::{InterruptResource, Level},
};
use std::cell::RefCell;
use wdk_sys::KIRQL;

/// The vector of the first line.
const FIRST_VECTOR: u32 = 0x61;
/// The IRQL of device interrupts.
const DEVICE_IRQL: KIRQL = 9;

/// Names an interrupt line or message of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineId(u32);

/// All lines of a machine.
#[derive(Default)]
pub(crate) struct Lines {
    lines: RefCell<Vec<Line>>,
}

struct Line {}

impl Lines {
    pub(crate) fn new(_options: &Options) -> Self {
        Self::default()
    }

    /// The line that a processor at this IRQL has to serve now.
    pub(crate) fn deliverable(&self, _processor: usize, _irql: KIRQL) -> Option<LineId> {
        None
    }

    /// A processor takes the interrupt; at which IRQL.
    pub(crate) fn accept(&self, _line: LineId) -> KIRQL {
        DEVICE_IRQL
    }
}

/// Makes lines for a function: so many messages, or one line when that is 0.
pub(crate) fn allocate(m: &Machine, messages: u16) -> Vec<(LineId, InterruptResource)> {
    let mut lines = m.ke.interrupts.lines.borrow_mut();
    let kinds = if messages == 0 { vec![None] } else { (0..messages).map(Some).collect() };
    kinds
        .into_iter()
        .map(|message| {
            let id = LineId(lines.len() as u32);
            lines.push(Line {});
            (id, InterruptResource { message, vector: FIRST_VECTOR + id.0, irql: DEVICE_IRQL, affinity: 1 })
        })
        .collect()
}

/// Runs the service routines of a line, in the context of the interrupt.
pub(crate) fn service(_line: LineId) {}

/// A message was sent.
pub(crate) fn pulse(_line: LineId) {}

/// A line changed its level.
pub(crate) fn drive(_line: LineId, _level: Level) {}

/// The function behind these lines is gone.
pub(crate) fn silence(_lines: &[LineId]) {}
