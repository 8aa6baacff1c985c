//! The table of what each operation takes on each element type, laid out for checking the four operands of a step side by side.
//!
//! Made from [`hawser_abi::rules`] when the crate is built: there is one table of rules, and this is a view of it.
#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "the tables are made when the crate is built, where a wrong index or an overflow is an error"
)]

use hawser_abi::op::{ElementType, Opcode, Predicate};
use hawser_abi::program::Space;
use hawser_abi::rules::{AuxUse, ElementOf, Extent, InPlace, OperandRule, Rule, rule};
use wide::{i32x4, u16x8, u64x2};

use crate::combination::COMBINATIONS;

/// Values of the bits of an opcode.
const OPERATIONS: usize = 32;
/// Values of the bits of an element type.
const TYPES: usize = 16;
/// Bits of a step's first two bytes, as a number, that tell operation and element type.
const NUMBER: u64 = (OPERATIONS - 1) as u64 | ((TYPES - 1) << 8) as u64;

/// Every operation, as bits.
pub(super) const ALL_OPERATIONS: u64 = {
    let (mut bits, mut next) = (0, 0);
    while next < Opcode::ALL.len() {
        bits |= Opcode::ALL[next].bit();
        next += 1;
    }
    bits
};

/// A number for each operand: destination, first to third source.
#[derive(Clone, Copy)]
#[repr(align(16))]
pub(super) struct Lanes([i32; 4]);

impl Lanes {
    const ZERO: Self = Self([0; 4]);

    const fn are(self, other: Self) -> bool {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        a == e && b == f && c == g && d == h
    }

    #[inline(always)]
    pub(super) fn get(self) -> i32x4 {
        i32x4::new(self.0)
    }
}

/// Two words, as a step has them side by side.
#[derive(Clone, Copy)]
#[repr(align(16))]
pub(super) struct Pair([u64; 2]);

impl Pair {
    const fn is(self, other: Self) -> bool {
        let ([a, b], [c, d]) = (self.0, other.0);
        a == c && b == d
    }

    #[inline(always)]
    pub(super) fn get(self) -> u64x2 {
        u64x2::new(self.0)
    }

    /// The first word.
    #[inline(always)]
    pub(super) fn first(self) -> u64 {
        let Self([first, _]) = self;
        first
    }

    /// The same as numbers of 16 bits.
    #[inline(always)]
    pub(super) fn quarters(self) -> u16x8 {
        bytemuck::cast(self.get())
    }
}

/// What is not said of an operation by the numbers of its row.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Special {
    /// Nothing.
    None,
    /// The auxiliary type is that of the source.
    SourceType,
    /// The auxiliary numbers are the sizes of the first source, which is multiplied with the second.
    Product,
    /// The first auxiliary number is the rows of the source.
    Rows,
}

/// What an operation takes on an element type.
///
/// Where a mask has bits for an operand, all or none are set. Where a word has a byte for each operand, the lowest is the destination's, as in a step.
#[derive(Clone, Copy)]
#[repr(C, align(128))]
pub(super) struct Row {
    /// Mask of operands with as many elements of the type as the step counts.
    pub(super) counted: Lanes,
    /// Mask of operands with as many truth values as the step counts.
    pub(super) truths: Lanes,
    /// Bits of an offset that are clear.
    pub(super) unaligned: Lanes,
    /// Mask of operands that may begin where the destination begins, because they are then exactly the same bytes. The destination itself always may.
    pub(super) in_place: Lanes,
    /// Bits that are clear of a step's first word, and of the number of its elements less one.
    pub(super) clear: Pair,
    /// The largest immediate and auxiliary numbers, by their quarters: each quarter's largest value.
    pub(super) most: Pair,
    /// Bytes of the destination, where that is one element; nothing of the others.
    pub(super) single: Lanes,
    /// The spaces in which operands may not lie, as [`Combination::spaces`] has them.
    pub(super) refused: u32,
    /// Binary logarithm of the size of an element.
    pub(super) shift: u32,
    /// The highest bit, if there is something else to say.
    pub(super) special_bit: u32,
    /// What else there is to say.
    pub(super) special: Special,
}

/// The row of an operation on an element type; for what is not defined, one that refuses everything.
///
/// Both as a step's first two bytes have them, of which nothing else is looked at.
#[inline(always)]
pub(super) fn row_of(operation_and_element: u64) -> &'static Row {
    BY_NUMBER[(operation_and_element & NUMBER) as usize]
}

/// The rows by opcode and element type, with gaps where these have bits that no value has. Most operations are checked like some others, and rows that are the same are there once: so
/// those that are in use fit in the nearest cache.
static BY_NUMBER: [&Row; NUMBER as usize + 1] = {
    let mut rows = [&DISTINCT.rows[0]; NUMBER as usize + 1];
    let mut operation = 0;
    while operation < OPERATIONS {
        let mut element = 0;
        while element < TYPES {
            rows[element << 8 | operation] = &DISTINCT.rows[DISTINCT.numbers[operation][element] as usize];
            element += 1;
        }
        operation += 1;
    }
    rows
};

/// Room for rows that differ.
const MOST_ROWS: usize = 128;

/// Rows that differ, and which of them is that of each operation on each type.
struct Distinct {
    rows: [Row; MOST_ROWS],
    numbers: [[u8; TYPES]; OPERATIONS],
}

static DISTINCT: Distinct = {
    let mut distinct = Distinct {
        rows: [UNDEFINED; MOST_ROWS],
        numbers: [[0; TYPES]; OPERATIONS],
    };
    // The first is the one of what is not defined.
    let (mut used, mut operation) = (1, 0);
    while operation < Opcode::ALL.len() {
        let mut element = 0;
        while element < ElementType::ALL.len() {
            let (opcode, of) = (Opcode::ALL[operation], ElementType::ALL[element]);
            if rule(opcode).types & of.bit() != 0 {
                let row = row(rule(opcode), of);
                let mut number = 1;
                while number < used && !distinct.rows[number].is(&row) {
                    number += 1;
                }
                if number == used {
                    distinct.rows[used] = row;
                    used += 1;
                }
                distinct.numbers[opcode as usize][of as usize] = number as u8;
            }
            element += 1;
        }
        operation += 1;
    }
    distinct
};

const UNDEFINED: Row = Row {
    counted: Lanes::ZERO,
    truths: Lanes::ZERO,
    unaligned: Lanes::ZERO,
    in_place: Lanes::ZERO,
    clear: Pair([u64::MAX; 2]),
    most: Pair([0; 2]),
    single: Lanes::ZERO,
    refused: u32::MAX,
    shift: 0,
    special_bit: 0,
    special: Special::None,
};

impl Row {
    /// Whether both are the same.
    const fn is(&self, other: &Self) -> bool {
        self.counted.are(other.counted)
            && self.truths.are(other.truths)
            && self.unaligned.are(other.unaligned)
            && self.in_place.are(other.in_place)
            && self.clear.is(other.clear)
            && self.most.is(other.most)
            && self.single.are(other.single)
            && self.refused == other.refused
            && self.shift == other.shift
            && self.special as u8 == other.special as u8
    }
}

/// A row is two cache lines.
const _: () = assert!(size_of::<Row>() == 128);

const fn row(rule: &Rule, element: ElementType) -> Row {
    let special = special(rule.aux);
    Row {
        counted: lanes(rule, element, Number::Counted),
        truths: lanes(rule, element, Number::Truths),
        unaligned: lanes(rule, element, Number::Unaligned),
        in_place: in_place(rule, element),
        clear: Pair([
            clear(rule.flags(element), special),
            !((1 << (LENGTH_BITS - element.size().trailing_zeros())) - 1),
        ]),
        most: Pair([
            u64::MAX >> (64 - 8 * element.size()),
            match rule.aux {
                AuxUse::Unused | AuxUse::SourceType => 0,
                AuxUse::Predicate => Predicate::ALL.len() as u64 - 1,
                // Something else is to be said of all of them.
                AuxUse::Rows | AuxUse::Product => u64::MAX,
            },
        ]),
        single: lanes(rule, element, Number::Single),
        refused: refused(rule),
        shift: element.size().trailing_zeros(),
        special_bit: match special {
            Special::None => 0,
            Special::SourceType | Special::Product | Special::Rows => 1 << 31,
        },
        special,
    }
}

/// Bits of offsets and lengths: no space has more bytes than so many can count.
pub(super) const LENGTH_BITS: u32 = 30;

const fn special(aux: AuxUse) -> Special {
    match aux {
        AuxUse::SourceType => Special::SourceType,
        AuxUse::Product => Special::Product,
        AuxUse::Rows => Special::Rows,
        AuxUse::Unused | AuxUse::Predicate => Special::None,
    }
}

/// All but the low bits of opcode, types and spaces, the flags that are not taken, and the auxiliary type unless it has a meaning.
const fn clear(flags: u8, special: Special) -> u64 {
    let source_type = match special {
        Special::SourceType => 0xF0,
        Special::None | Special::Product | Special::Rows => 0xFF,
    };
    u64::from_le_bytes([0xE0, 0xF0, source_type, !flags, 0xFC, 0xFC, 0xFC, 0xFC])
}

/// A number that a row has for each operand.
#[derive(Clone, Copy)]
enum Number {
    Counted,
    Truths,
    Single,
    Unaligned,
}

impl Number {
    const fn of(self, operand: OperandRule, element: ElementType) -> i32 {
        // Of a source with a type of its own more is said elsewhere.
        let size = operand.element.size(element.size(), 1) as i32;
        match (self, operand.extent, operand.element) {
            (Self::Counted, Extent::Count, ElementOf::Step) | (Self::Truths, Extent::Count, ElementOf::Truth) => -1,
            (Self::Single, Extent::One, _) => size,
            (Self::Counted | Self::Truths | Self::Single, _, _) => 0,
            (Self::Unaligned, _, _) => size - 1,
        }
    }
}

const fn lanes(rule: &Rule, element: ElementType, number: Number) -> Lanes {
    let mut lanes = [0; 4];
    let mut next = 0;
    while next < lanes.len() {
        lanes[next] = number.of(rule.operands[next], element);
        next += 1;
    }
    Lanes(lanes)
}

/// The operands that have as many bytes as the destination, where the operation may run in place. Of a source with a type of its own more is said elsewhere.
const fn in_place(rule: &Rule, element: ElementType) -> Lanes {
    let mut lanes = [-1, 0, 0, 0];
    let mut next = 1;
    while next < lanes.len() {
        let (destination, source) = (rule.operands[0], rule.operands[next]);
        let counted = matches!((destination.extent, source.extent), (Extent::Count, Extent::Count));
        let sizes = (
            destination.element.size(element.size(), 0),
            source.element.size(element.size(), 0),
        );
        if matches!(rule.in_place, InPlace::Allowed) && counted && sizes.0 == sizes.1 {
            lanes[next] = -1;
        }
        next += 1;
    }
    Lanes(lanes)
}

/// Spaces of operands as bits: four for each operand, the destination's lowest, of which the one is set that has the number of the space.
const fn spaces_as_bits(combination: usize) -> u32 {
    let (mut bits, mut operand) = (0, 0);
    while operand < 4 {
        bits |= 1 << (4 * operand + (combination >> (2 * operand) & 3));
        operand += 1;
    }
    bits
}

/// The spaces that a rule refuses.
const fn refused(rule: &Rule) -> u32 {
    let (mut bits, mut operand) = (0, 0);
    while operand < 4 {
        bits |= (!rule.operands[operand].spaces as u32 & 0xF) << (4 * operand);
        operand += 1;
    }
    bits
}

/// What a combination of spaces means.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Combination {
    /// Mask of operands in memory.
    pub(super) memory: Lanes,
    /// Mask of operands in device-local memory.
    pub(super) scratch: Lanes,
    /// All bits of the first word, unless there is an immediate.
    pub(super) no_immediate: Pair,
    /// Operands in device-local memory, as the highest bits, in the order of a [`GroupReach`](super::pass::GroupReach): first to third source, then the destination, so that what a step reads comes before what it writes.
    pub(super) reach: u64,
    /// The spaces of all operands, as [`spaces_as_bits`] has them.
    pub(super) spaces: u32,
}

/// Every combination, by its number.
static SPACES: [Combination; COMBINATIONS] = {
    let mut all = [Combination {
        memory: Lanes::ZERO,
        scratch: Lanes::ZERO,
        no_immediate: Pair([u64::MAX, 0]),
        reach: 0,
        spaces: 0,
    }; COMBINATIONS];
    let mut number = 0;
    while number < COMBINATIONS {
        let of = &mut all[number];
        of.spaces = spaces_as_bits(number);
        let mut operand = 0;
        while operand < 4 {
            match number >> (2 * operand) & 3 {
                DATA => of.memory.0[operand] = -1,
                SCRATCH => {
                    of.memory.0[operand] = -1;
                    of.scratch.0[operand] = -1;
                    of.reach |= FIRST_REACH << ((operand + 3) % 4);
                }
                IMMEDIATE_SPACE => of.no_immediate = Pair([0; 2]),
                _ => {}
            }
            operand += 1;
        }
        number += 1;
    }
    all
};

/// What a combination means, by its number.
#[inline(always)]
pub(super) fn spaces_of(combination: usize) -> &'static Combination {
    &SPACES[combination % COMBINATIONS]
}

/// The bit in [`Combination::reach`] of the operand that comes first there.
pub(super) const FIRST_REACH: u64 = 1 << 60;

const DATA: usize = Space::Data as usize;
const SCRATCH: usize = Space::Scratch as usize;
const IMMEDIATE_SPACE: usize = Space::Immediate as usize;
