//! Operands of other sizes than the destination's: bounds, refused memory, bounded pieces of work and their cost.

use hawser_abi::descriptor::{DeviceStep, binding_flags};
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::queue::CompletionStatus;
use hawser_device::Activity;

use crate::fence::{READ, end, run_steps};
use crate::rig::{Command, NONE, Rig, segment, status_of, step};

use CompletionStatus::{BadDescriptor, BusError, OutOfBounds, Success};

fn product(element: ElementType, [rows, inner, columns]: [u32; 3], operands: [(u8, u64); 3]) -> DeviceStep {
    let [dst, a, b] = operands;
    DeviceStep {
        aux: [rows, inner],
        ..step(Opcode::MatMul, element, u64::from(rows * columns), [dst, a, b, NONE])
    }
}

#[test]
fn each_operand_is_bounded_by_its_own_size() {
    let compare = |dst| step(Opcode::Compare, ElementType::F64, 8, [(1, dst), (0, 0), (0, 0), NONE]);
    let select = |mask| step(Opcode::Select, ElementType::F64, 8, [(1, 0), (0, mask), (0, 0), (0, 0)]);
    let convert = |a| DeviceStep {
        aux_type: ElementType::F64 as u8,
        ..step(Opcode::Convert, ElementType::U8, 8, [(1, 0), (0, a), NONE, NONE])
    };
    let argmin = |dst| step(Opcode::ArgMin, ElementType::U8, 8, [(1, dst), (0, 0), NONE, NONE]);
    let dot = |dst| step(Opcode::Dot, ElementType::U16, 8, [(1, dst), (0, 0), (0, 0), NONE]);
    let f32 = ElementType::F32;
    let multiply = |dst, a, b| product(f32, [2, 3, 4], [(1, dst), (0, a), (0, b)]);
    let cases = [
        ("compare", compare(4096 - 8), (Success, 255, 0)),
        ("compare", compare(4096 - 7), (OutOfBounds, 0, 7)),
        ("mask", select(4096 - 8), (Success, 255, 0)),
        ("mask", select(4096 - 7), (OutOfBounds, 1, 7)),
        ("convert", convert(4096 - 64), (Success, 255, 0)),
        ("convert", convert(4096 - 56), (OutOfBounds, 1, 56)),
        ("convert", convert(4), (BadDescriptor, 1, 0)),
        ("argmin", argmin(4096 - 8), (Success, 255, 0)),
        ("argmin", argmin(4096), (OutOfBounds, 0, 0)),
        ("argmin", argmin(4), (BadDescriptor, 0, 0)),
        ("dot", dot(4096 - 2), (Success, 255, 0)),
        ("dot", dot(4096), (OutOfBounds, 0, 0)),
        ("product", multiply(4096 - 32, 4096 - 24, 4096 - 48), (Success, 255, 0)),
        ("product", multiply(4096 - 28, 0, 0), (OutOfBounds, 0, 28)),
        ("product", multiply(0, 4096 - 20, 0), (OutOfBounds, 1, 20)),
        ("product", multiply(0, 0, 4096 - 44), (OutOfBounds, 2, 44)),
    ];
    for (name, step, expected) in cases {
        let ((status, _, operand, offset), ..) = run_steps(vec![step]);
        assert_eq!((status, operand, offset), expected, "{name}");
    }
}

/// A product of 100 x 100 matrices of `f32`, and where they are.
fn large() -> (Rig, [u64; 3], Command) {
    let mut rig = Rig::running();
    let parts = [(); 3].map(|()| rig.alloc(40_000, 64));
    let [dst, a, b] = parts;
    let command = Command {
        bindings: vec![
            (vec![segment(dst, 40_000)], binding_flags::DEVICE_WRITE),
            (vec![segment(a, 40_000)], READ),
            (vec![segment(b, 40_000)], READ),
        ],
        steps: vec![product(ElementType::F32, [100; 3], [(0, 0), (1, 0), (2, 0)])],
        window: (0, 0),
    };
    (rig, parts, command)
}

#[test]
fn refused_memory_is_named_within_a_matrix() {
    // Row 70, column 80: the second tile of rows, and of columns where there is one.
    let at = 4 * (70 * 100 + 80);
    for (operand, first_of_tile) in [
        (0, 4 * (70 * 100 + 64)),
        (1, 4 * (70 * 100 + 64)),
        (2, 4 * (70 * 100 + 64)),
    ] {
        let (mut rig, parts, command) = large();
        let placed = rig.place(&command);
        let refused = parts[operand as usize] + at;
        rig.bus.refused.push(refused..refused + 1);
        assert_eq!(
            end(&rig.run_placed(placed)),
            (BusError, 0, operand, first_of_tile),
            "operand {operand}"
        );
    }
}

#[test]
fn a_product_costs_its_transfers_and_its_multiplications() {
    let (mut rig, _, command) = large();
    let entry = rig.run(&command);
    assert_eq!(status_of(&entry), Success);
    // Each row of a tile is a transfer of its own, unless the tile is as wide as the matrix.
    let rows = |rows: u64, columns: u64| match columns {
        100 => (4 * rows * columns).div_ceil(16) + 4,
        _ => rows * ((4 * columns).div_ceil(16) + 4),
    };
    // Tiles of 64 and 36; along the inner dimension 64 and 36 as well, or all of it where the tile is small on both sides.
    let mut expected = 64 + 3 + 16;
    for (tile_rows, tile_columns) in [(64_u64, 64_u64), (64, 36), (36, 64), (36, 36)] {
        let inners: &[u64] = if tile_rows.max(tile_columns) == 36 {
            &[100]
        } else {
            &[64, 36]
        };
        expected += rows(tile_rows, tile_columns);
        for inner in inners.iter().copied() {
            expected += rows(tile_rows, inner) + rows(inner, tile_columns);
            expected += (tile_rows * inner * tile_columns).div_ceil(16);
        }
    }
    assert_eq!(entry.cycles, expected);
}

#[test]
fn no_shape_makes_a_piece_of_work_long() {
    for shape in [
        [1, 1_000_000, 1],
        [1_000, 1, 1_000],
        [1, 1_000, 1_000],
        [1_000, 1_000, 1],
    ] {
        let [rows, inner, columns] = shape;
        let mut rig = Rig::running();
        let at = rig.alloc(2_500_000, 64);
        let step = product(ElementType::U8, shape, [(0, 2_200_000), (0, 0), (0, 1_000_000)]);
        let step = if u64::from(rows) * u64::from(columns) > 300_000 {
            DeviceStep {
                offsets: [1_400_000, 0, 1_000, 0],
                ..step
            }
        } else {
            step
        };
        let placed = rig.place(&Command::on(vec![segment(at, 2_500_000)], vec![step]));
        rig.submit(0, 1, placed);
        let mut pieces = 0_u64;
        while rig.step() == Activity::Busy {
            pieces += 1;
        }
        let products = u64::from(rows) * u64::from(inner) * u64::from(columns);
        assert_eq!(status_of(&rig.take(0).expect("a completion")), Success, "{shape:?}");
        assert!(pieces > products / (64 * 64 * 64), "{shape:?}: {pieces} pieces");
        assert!(pieces < products / 3_000 + 16, "{shape:?}: {pieces} pieces");
    }
}
