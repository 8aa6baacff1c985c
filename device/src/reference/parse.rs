//! Reads the header and the steps of a program and refuses what is malformed.

use hawser_abi::op::{ElementType, Opcode, REV1_ELEMENT_TYPES, REV1_OPERATIONS};
use hawser_abi::pci::MEMORY_BAR_SIZE;
use hawser_abi::program::{MAGIC, MAX_STEPS, OperandIndex, Space, Step, SubmitHeader, VERSION};
use zerocopy::FromBytes;

use super::ReferenceFault;

/// Bytes of a step.
pub(super) const STEP_BYTES: usize = size_of::<Step>();

/// A program whose header is in order.
pub(super) struct Parsed<'a> {
    pub(super) steps: &'a [u8],
    pub(super) scratch_size: usize,
}

/// Where an operand begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Data(u64),
    Scratch(u64),
}

/// Where the elements of a source come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Immediate(u64),
    At(Place),
}

/// A step; sources that the operation does not have repeat the first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Action {
    pub(super) opcode: Opcode,
    pub(super) element: ElementType,
    pub(super) count: u64,
    pub(super) dst: Place,
    pub(super) sources: [Source; 3],
}

impl Action {
    /// Bytes of an element.
    pub(super) fn size(&self) -> u64 {
        self.element.size()
    }

    /// Bytes of each source.
    pub(super) fn source_bytes(&self) -> u64 {
        self.count.saturating_mul(self.size())
    }

    /// Bytes of the destination.
    pub(super) fn dst_bytes(&self) -> u64 {
        if self.opcode == Opcode::Sum {
            self.size()
        } else {
            self.source_bytes()
        }
    }
}

/// Reads the header of a program for a buffer of `data_size` bytes.
pub(super) fn header(program: &[u8], data_size: usize) -> Result<Parsed<'_>, ReferenceFault> {
    let (header, steps) = SubmitHeader::read_from_prefix(program).map_err(|_| ReferenceFault::Header {
        what: "it is truncated",
    })?;
    let rules = [
        (header.magic == MAGIC, "magic number"),
        (header.version == VERSION, "version"),
        (
            usize::from(header.header_size) == size_of::<SubmitHeader>(),
            "header size",
        ),
        (header.total_size as usize == program.len(), "total size"),
        (usize::from(header.step_size) == STEP_BYTES, "step size"),
        ((1..=MAX_STEPS).contains(&header.step_count), "number of steps"),
        (
            header.step_count as usize * STEP_BYTES == steps.len(),
            "number of steps for its size",
        ),
        (header.flags == 0, "flags"),
        (header.reserved0 == 0 && header.reserved1 == [0; 12], "reserved bytes"),
        (header.scratch_size <= MEMORY_BAR_SIZE, "scratch size"),
        (header.data_size == data_size as u64, "data size"),
    ];
    if let Some((_, what)) = rules.into_iter().find(|(holds, _)| !holds) {
        return Err(ReferenceFault::Header { what });
    }
    Ok(Parsed {
        steps,
        scratch_size: header.scratch_size as usize,
    })
}

/// Reads step number `index`.
pub(super) fn step(bytes: &[u8], index: usize) -> Result<Action, ReferenceFault> {
    let malformed = |what| ReferenceFault::Step { step: index, what };
    let step = Step::read_from_bytes(bytes).map_err(|_| malformed("it is truncated"))?;
    let opcode = Opcode::from_byte(step.opcode).filter(|opcode| REV1_OPERATIONS & opcode.bit() != 0);
    let element = ElementType::from_byte(step.element_type);
    let (Some(opcode), Some(element)) = (opcode, element) else {
        return Err(ReferenceFault::Unsupported { step: index });
    };
    let only_moves = matches!(opcode, Opcode::Copy | Opcode::Fill);
    if !only_moves && REV1_ELEMENT_TYPES & element.bit() == 0 {
        return Err(ReferenceFault::Unsupported { step: index });
    }
    if step.flags != 0 || step.aux_type != 0 || step.aux != [0, 0] {
        return Err(malformed("unused fields are not zero"));
    }
    if step.count == 0 || step.count.checked_mul(element.size()).is_none() {
        return Err(malformed("impossible number of elements"));
    }
    let operand = |which: OperandIndex| operand(&step, which, element).map_err(malformed);
    let Some(Source::At(dst)) = operand(OperandIndex::Dst)? else {
        return Err(malformed("the destination is not in memory"));
    };
    let given = [
        operand(OperandIndex::A)?,
        operand(OperandIndex::B)?,
        operand(OperandIndex::C)?,
    ];
    let sources = match (sources_of(opcode), given) {
        (1, [Some(a), None, None]) => [a, a, a],
        (2, [Some(a), Some(b), None]) => [a, b, a],
        (3, [Some(a), Some(b), Some(c)]) => [a, b, c],
        _ => return Err(malformed("wrong number of sources")),
    };
    let has_immediate = sources.contains(&Source::Immediate(step.immediate));
    if has_immediate && opcode == Opcode::Sum {
        return Err(malformed("the source of a reduction is an immediate"));
    }
    let too_wide = element.size() < 8 && step.immediate >= 1 << (8 * element.size());
    if step.immediate != 0 && (!has_immediate || too_wide) {
        return Err(malformed("immediate"));
    }
    Ok(Action {
        opcode,
        element,
        count: step.count,
        dst,
        sources,
    })
}

fn sources_of(opcode: Opcode) -> u32 {
    match opcode {
        Opcode::Copy | Opcode::Fill | Opcode::Sum => 1,
        Opcode::Fma => 3,
        _ => 2,
    }
}

fn operand(step: &Step, which: OperandIndex, element: ElementType) -> Result<Option<Source>, &'static str> {
    let position = which as usize;
    let offset = *step.offsets.get(position).ok_or("operand")?;
    let space = step.spaces.get(position).and_then(|byte| Space::from_byte(*byte));
    if offset % element.size() != 0 {
        return Err("an operand is misaligned");
    }
    match (space.ok_or("unknown space")?, offset) {
        (Space::Data, _) => Ok(Some(Source::At(Place::Data(offset)))),
        (Space::Scratch, _) => Ok(Some(Source::At(Place::Scratch(offset)))),
        (Space::None, 0) => Ok(None),
        (Space::Immediate, 0) => Ok(Some(Source::Immediate(step.immediate))),
        _ => Err("an operand outside memory has an offset"),
    }
}
