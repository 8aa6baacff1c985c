//! Random steps that stay inside their spaces, and what is known of their operands.

use hawser_abi::descriptor::{DeviceStep, IN_IMMEDIATE, IN_SCRATCH, NOWHERE, READ_BINDING, WRITE_BINDING};
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{Space, Step, step_flags};
use hawser_abi::rules::{EITHER, IMMEDIATE, rule};
use proptest::prelude::*;

pub const SCRATCH: u64 = 300_000;

/// Numbers from which a step is made.
#[derive(Clone, Debug)]
pub struct Seed {
    opcode: usize,
    element: usize,
    count: u64,
    operands: [(u8, u64); 4],
    immediate: u64,
    saturate: bool,
    /// Predicate, source type, or rows, columns and columns of the right matrix.
    aux: [u64; 3],
}

pub fn seeds() -> impl Strategy<Value = Seed> {
    let count = prop_oneof![4 => 1u64..40, 2 => 1u64..3_000, 1 => 15_000u64..40_000];
    let operand = || (0u8..8, any::<u64>());
    let immediate = prop_oneof![
        any::<u64>(),
        0u64..4,
        Just(1.5f64.to_bits()),
        Just(u64::from(2.5f32.to_bits())),
        Just(0x3E00),
        Just(0x3FC0),
    ];
    let dimension = || prop_oneof![4 => 1u64..6, 3 => 1u64..70, 1 => 1u64..5_000];
    (
        (0..Opcode::ALL.len(), any::<usize>(), any::<bool>()),
        count,
        [operand(), operand(), operand(), operand()],
        immediate,
        [dimension(), dimension(), dimension()],
    )
        .prop_map(|((opcode, element, saturate), count, operands, immediate, aux)| Seed {
            opcode,
            element,
            count,
            operands,
            immediate,
            saturate,
            aux,
        })
}

/// Elements and bytes of an element of each operand of a good step.
pub fn extents(step: &Step) -> [(u64, u64); 4] {
    let opcode = Opcode::from_byte(step.opcode).expect("an operation");
    let size = ElementType::from_byte(step.element_type).expect("a type").size();
    let source_size = ElementType::from_byte(step.aux_type).map_or(size, ElementType::size);
    let [rows, inner] = step.aux.map(u64::from);
    let all = (step.count, size);
    match opcode {
        Opcode::Sum | Opcode::Dot => [(1, size), all, all, all],
        Opcode::ArgMin | Opcode::ArgMax => [(1, 8), all, all, all],
        Opcode::Compare => [(step.count, 1), all, all, all],
        Opcode::Select => [all, (step.count, 1), all, all],
        Opcode::Convert => [all, (step.count, source_size), all, all],
        Opcode::MatMul => [all, (rows * inner, size), (inner * (step.count / rows), size), all],
        _ => [all; 4],
    }
}

/// Which element of `list`, of which some are wanted.
fn pick(list: u32, number: usize) -> ElementType {
    let wanted: Vec<ElementType> = ElementType::ALL
        .into_iter()
        .filter(|element| list & element.bit() != 0)
        .collect();
    wanted[number % wanted.len()]
}

/// Count and auxiliary fields of a step whose operands have at most `room` bytes each.
fn shape(seed: &Seed, step: &mut Step, room: u64) {
    let opcode = Opcode::ALL[seed.opcode];
    let size = ElementType::from_byte(step.element_type).expect("a type").size();
    let mut largest = size;
    match opcode {
        Opcode::Compare => step.aux[0] = (seed.aux[0] % 6) as u32,
        Opcode::Convert => {
            let source = ElementType::ALL[seed.aux[0] as usize % ElementType::ALL.len()];
            step.aux_type = source as u8;
            largest = size.max(source.size());
        }
        _ => {}
    }
    step.count = seed.count.min(room / largest).max(1);
    let [mut rows, mut inner, mut columns] = seed.aux;
    match opcode {
        Opcode::MatMul => {
            while [rows * inner, inner * columns, rows * columns]
                .iter()
                .any(|elements| elements * size > room)
                || rows * inner * columns > 150_000
            {
                let largest = rows.max(inner).max(columns);
                for dimension in [&mut rows, &mut inner, &mut columns] {
                    if *dimension == largest {
                        *dimension = (largest / 2).max(1);
                    }
                }
            }
            step.aux = [rows as u32, inner as u32];
            step.count = rows * columns;
        }
        Opcode::Transpose => {
            let rows = rows.min(step.count);
            step.aux[0] = rows as u32;
            step.count -= step.count % rows;
        }
        _ => {}
    }
}

/// The step that a seed stands for, for a data buffer of `data_size` bytes.
pub fn step_of(seed: &Seed, data_size: u64) -> Step {
    let opcode = Opcode::ALL[seed.opcode];
    let rule = rule(opcode);
    let element = pick(rule.types, seed.element);
    let mut step = Step {
        opcode: opcode as u8,
        element_type: element as u8,
        aux_type: 0,
        flags: 0,
        spaces: [0; 4],
        count: 0,
        offsets: [0; 4],
        immediate: 0,
        aux: [0; 2],
    };
    shape(seed, &mut step, (data_size.min(SCRATCH) / 4).max(8));
    let source = ElementType::from_byte(step.aux_type).unwrap_or(element);
    if seed.saturate {
        step.flags = step_flags::SATURATE & rule.flags(element) & rule.flags(source);
    }
    let extents = extents(&step);
    for (position, operand) in rule.operands.into_iter().enumerate() {
        let (choice, raw) = seed.operands[position];
        let (elements, size) = extents[position];
        let (space, room) = match (operand.spaces, choice) {
            (hawser_abi::rules::ABSENT, _) => (Space::None, 0),
            (IMMEDIATE, _) | (EITHER, 6) => (Space::Immediate, 0),
            (_, 0..4) => (Space::Data, data_size),
            _ => (Space::Scratch, SCRATCH),
        };
        step.spaces[position] = space as u8;
        if matches!(space, Space::Data | Space::Scratch) {
            step.offsets[position] = offset(raw, elements * size, size, room);
        }
        // Exactly the destination's range, which is the overlap that is allowed.
        if choice == 3 && position > 0 && space == Space::Data && extents[position] == extents[0] {
            step.spaces[position] = step.spaces[0];
            step.offsets[position] = step.offsets[0];
        }
    }
    if step.spaces.contains(&(Space::Immediate as u8)) {
        step.immediate = seed.immediate & (u64::MAX >> (64 - 8 * element.size()));
    }
    step
}

/// An offset at which `bytes` bytes fit. Most are in quarters, which are disjoint or the same: others mostly overlap.
fn offset(raw: u64, bytes: u64, size: u64, room: u64) -> u64 {
    let quarter = room / 4 / 8 * 8;
    if raw.is_multiple_of(4) || bytes > quarter {
        return raw % ((room - bytes) / size + 1) * size;
    }
    raw / 4 % 4 * quarter + raw / 16 % ((quarter - bytes) / size + 1) * size
}

/// A step that writes all of the scratch memory.
pub fn prepare_scratch(bits: u64) -> Step {
    Step {
        opcode: Opcode::Fill as u8,
        element_type: ElementType::I64 as u8,
        aux_type: 0,
        flags: 0,
        spaces: [Space::Scratch, Space::Immediate, Space::None, Space::None].map(|space| space as u8),
        count: SCRATCH / 8,
        offsets: [0; 4],
        immediate: bits,
        aux: [0; 2],
    }
}

/// The step as the driver hands it to the device.
pub fn translate(step: &Step) -> DeviceStep {
    let place = |position: usize| match Space::from_byte(step.spaces[position]) {
        Some(Space::Data) if position == 0 => WRITE_BINDING,
        Some(Space::Data) => READ_BINDING,
        Some(Space::Scratch) => IN_SCRATCH,
        Some(Space::Immediate) => IN_IMMEDIATE,
        _ => NOWHERE,
    };
    DeviceStep {
        opcode: step.opcode,
        element_type: step.element_type,
        aux_type: step.aux_type,
        flags: step.flags,
        where_: [place(0), place(1), place(2), place(3)],
        count: step.count,
        offsets: step.offsets,
        immediate: step.immediate,
        aux: step.aux,
    }
}

/// For each byte of data, whether operand positions in `positions` touch it.
pub fn touched(steps: &[Step], positions: std::ops::Range<usize>, length: usize) -> Vec<bool> {
    let mut map = vec![false; length];
    for step in steps {
        for position in positions.clone() {
            if step.spaces[position] == Space::Data as u8 {
                let (elements, size) = extents(step)[position];
                let start = step.offsets[position] as usize;
                map[start..start + (elements * size) as usize].fill(true);
            }
        }
    }
    map
}
