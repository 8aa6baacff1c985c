//! What a program costs: bytes over the bus, bytes copied by the processor, cycles of the device.

use hawser_abi::op::{ElementType, Opcode};
use hawser_device::StepCost;
use serde::Serialize;

use super::Subject;
use super::dry_run::{Contiguity, dry_run};
use crate::failure::Failure;
use crate::program_file::Line;

/// What the numbers are based on.
const BASIS: &str =
    "counted by the device model's own rules on the steps and segment tables that the driver would write";

/// The cost of a program.
#[derive(Debug, Serialize)]
pub struct Cost {
    pub basis: &'static str,
    /// Cycles of a run without fault, where each mapping is one scatter-gather element, as with an IOMMU.
    pub device_cycles: u64,
    /// The same where each page is one, which is the most.
    pub device_cycles_scattered: u64,
    /// Of the first number, cycles before the first step.
    pub loading_cycles: u64,
    /// Bytes that steps read from host memory.
    pub bytes_read_by_device: u64,
    /// Bytes that steps write to host memory.
    pub bytes_written_by_device: u64,
    /// Bytes that steps read from and write to device-local memory.
    pub bytes_in_device: u64,
    /// Bytes that the processor copies between buffer and arena, both ways.
    pub bytes_copied_by_processor: u64,
    /// Elements computed or moved; multiplications of matrix products.
    pub operations: u64,
    pub steps: Vec<StepReport>,
}

/// The cost of a step.
#[derive(Debug, Serialize)]
pub struct StepReport {
    pub step: u32,
    /// The text that it comes from, and its line there.
    pub file: Option<String>,
    pub line: Option<usize>,
    /// The same in words.
    #[serde(skip)]
    pub origin: Option<Line>,
    /// Operation and type.
    pub operation: String,
    pub cycles: u64,
    pub bytes_read_by_device: u64,
    pub bytes_written_by_device: u64,
    pub bytes_in_device: u64,
    pub operations: u64,
}

impl Cost {
    pub fn of(subject: &Subject<'_>) -> Result<Self, Failure> {
        let Subject { inspection, limits, .. } = *subject;
        let run = |contiguity| dry_run(inspection, limits, contiguity).map_err(|message| Failure::Usage { message });
        let (whole, scattered) = (run(Contiguity::Whole)?, run(Contiguity::Pages)?);
        let steps: Vec<_> = (0..)
            .zip(&whole.steps)
            .map(|(index, cost)| StepReport::new(subject, index, cost))
            .collect();
        let sum = |of: fn(&StepReport) -> u64| steps.iter().map(of).fold(0, u64::saturating_add);
        Ok(Self {
            basis: BASIS,
            device_cycles: whole.cycles(),
            device_cycles_scattered: scattered.cycles(),
            loading_cycles: whole.loading,
            bytes_read_by_device: sum(|step| step.bytes_read_by_device),
            bytes_written_by_device: sum(|step| step.bytes_written_by_device),
            bytes_in_device: sum(|step| step.bytes_in_device),
            bytes_copied_by_processor: inspection.plan.bytes_copied_in() + inspection.plan.bytes_copied_out(),
            operations: sum(|step| step.operations),
            steps,
        })
    }
}

impl StepReport {
    fn new(subject: &Subject<'_>, index: u32, cost: &StepCost) -> Self {
        let origin = subject.file.line(index);
        Self {
            step: index,
            file: origin.as_ref().map(|line| line.file.clone()),
            line: origin.as_ref().map(|line| line.number),
            origin,
            operation: name(subject, index),
            cycles: cost.cycles,
            bytes_read_by_device: cost.host_read,
            bytes_written_by_device: cost.host_written,
            bytes_in_device: cost.local,
            operations: cost.operations,
        }
    }
}

/// Operation and type of a step, as assembly writes them.
fn name(subject: &Subject<'_>, index: u32) -> String {
    let step = subject.file.compiled.program.step(index);
    let operation = step
        .and_then(|step| Opcode::from_byte(step.opcode))
        .map_or("?", Opcode::name);
    let element = step
        .and_then(|step| ElementType::from_byte(step.element_type))
        .map_or("?", ElementType::name);
    format!("{operation}.{element}")
}
