//! Finds hazards.

use hawser::language::NamedArray;
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{OperandIndex, Space, Step};
use hawser_core::{DataRange, Piece, Why};
use hawser_device::STEP_CYCLES;

use super::Subject;
use super::access::Access;
use super::cost::Cost;
use super::hazard::{Hazard, Kind};
use super::ranges::Ranges;
use super::region::cut;
use super::step_list::StepList;

/// What has been found of a kind.
#[derive(Clone, Debug, Default)]
struct Found {
    steps: StepList,
    bytes: u64,
}

/// The findings of all kinds.
struct Findings([Found; Kind::ALL.len()]);

impl Findings {
    fn bytes(&mut self, kind: Kind, bytes: u64) {
        if let Some(found) = self.0.get_mut(kind as usize) {
            found.bytes += bytes;
        }
    }

    fn step(&mut self, kind: Kind, step: u32) {
        if let Some(found) = self.0.get_mut(kind as usize) {
            found.steps.add(step);
        }
    }
}

/// All hazards of a program.
pub fn hazards(subject: &Subject<'_>, cost: &Cost) -> Vec<Hazard> {
    let mut findings = Findings(Default::default());
    of_plan(subject, &mut findings);
    of_steps(subject, cost, &mut findings);
    of_flow(subject.accesses, &mut findings);
    let hazard = |(code, Found { steps, bytes }): (Kind, Found)| Hazard {
        code,
        message: code.text(),
        steps,
        bytes,
    };
    let found = Kind::ALL.into_iter().zip(findings.0);
    found
        .filter(|(_, found)| found.bytes != 0 || !found.steps.is_empty())
        .map(hazard)
        .collect()
}

/// What the plan shows.
fn of_plan(subject: &Subject<'_>, findings: &mut Findings) {
    let inspection = subject.inspection;
    for piece in &inspection.pieces {
        let kind = match inspection.plan.why(piece) {
            Why::OnlyRead | Why::OnlyWritten | Why::CheaperToCopy => continue,
            Why::ReadAndWritten => Kind::CopiedBothWays,
            Why::PartialLine => Kind::PartialLines,
            Why::TooManyMappings => Kind::ManyRanges,
            Why::TooFewRegisters => Kind::FewRegisters,
        };
        findings.bytes(kind, piece.range().length);
    }
    findings.bytes(Kind::InsidePage, inspection.checked.shape().page_offset.into());
    findings.bytes(Kind::Untouched, untouched(subject, &inspection.pieces));
    findings.bytes(Kind::DeviceLocal, inspection.checked.scratch_size());
    let arena = inspection.plan.layout().total;
    if arena > subject.limits.arena_size / 4 {
        findings.bytes(Kind::LargeArena, arena);
    }
}

/// Bytes of arrays that no step touches.
fn untouched(subject: &Subject<'_>, pieces: &[Piece]) -> u64 {
    let cuts = cut(pieces, subject.inspection.checked.data_length());
    let untouched: Vec<DataRange> = cuts
        .iter()
        .filter(|cut| cut.piece.is_none())
        .map(|cut| cut.range)
        .collect();
    let of_array = |array: &NamedArray| -> u64 {
        let (start, end) = (array.offset, array.offset + array.length());
        let first = untouched.partition_point(|range| range.end() <= start);
        let inside = untouched.iter().skip(first).take_while(|range| range.offset < end);
        inside.map(|range| range.end().min(end) - range.offset.max(start)).sum()
    };
    subject.file.compiled.data_arrays().map(of_array).sum()
}

/// What each step shows by itself.
fn of_steps(subject: &Subject<'_>, cost: &Cost, findings: &mut Findings) {
    for (index, accesses) in by_step(subject.accesses) {
        let Some(step) = subject.file.compiled.program.step(index) else {
            continue;
        };
        if let Some(kind) = division(&step) {
            findings.step(kind, index);
        }
        if is_in_place(accesses) {
            findings.step(Kind::InPlace, index);
        }
        let Some(cost) = cost.steps.get(index as usize) else {
            continue;
        };
        let once: u64 = accesses
            .iter()
            .filter(|access| access.is_data() && !access.is_write())
            .map(|access| access.range.length)
            .sum();
        if cost.bytes_read_by_device > once {
            findings.step(Kind::ReadAgain, index);
            findings.bytes(Kind::ReadAgain, cost.bytes_read_by_device - once);
        }
        if cost.cycles < 2 * STEP_CYCLES {
            findings.step(Kind::SmallSteps, index);
        }
    }
}

/// Whether the destination of a step is exactly a source.
fn is_in_place(accesses: &[Access]) -> bool {
    let (written, sources): (Vec<_>, Vec<_>) = accesses.iter().partition(|access| access.is_write());
    let same = |written: &Access, source: &Access| written.space == source.space && written.range == source.range;
    written
        .iter()
        .any(|written| sources.iter().any(|source| same(written, source)))
}

/// What can go wrong where integers are divided.
fn division(step: &Step) -> Option<Kind> {
    let operation = Opcode::from_byte(step.opcode)?;
    let element = ElementType::from_byte(step.element_type)?;
    if !matches!(operation, Opcode::Div | Opcode::Rem) || element.is_float() {
        return None;
    }
    let divisor = step.spaces[OperandIndex::B as usize];
    match (divisor == Space::Immediate as u8, step.immediate) {
        (true, 0) => Some(Kind::DivisionByZero),
        (true, _) => None,
        (false, _) => Some(Kind::IntegerDivision),
    }
}

/// What steps show together: who reads what others wrote.
fn of_flow(accesses: &[Access], findings: &mut Findings) {
    let (mut host, mut before): (Ranges, Option<&Access>) = (Ranges::default(), None);
    for (index, accesses) in by_step(accesses) {
        let sources = || accesses.iter().filter(|access| !access.is_write());
        if before.is_some_and(|written| sources().any(|source| source.meets(written))) {
            findings.step(Kind::Dependency, index);
        }
        for source in sources().filter(|source| source.is_data() && host.meets(source.range)) {
            findings.step(Kind::ThroughHost, index);
            findings.bytes(Kind::ThroughHost, source.range.length);
        }
        before = accesses.iter().find(|access| access.is_write());
        if let Some(written) = before.filter(|written| written.is_data()) {
            host.add(written.range);
        }
    }
}

/// The accesses of each step that has any.
fn by_step(accesses: &[Access]) -> impl Iterator<Item = (u32, &[Access])> {
    accesses
        .chunk_by(|one, other| one.step == other.step)
        .filter_map(|accesses| Some((accesses.first()?.step, accesses)))
}
