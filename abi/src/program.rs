//! A program as user mode submits it: a header followed by steps of 64 bytes.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::assert_size;

/// `HWSR` in memory order.
pub const MAGIC: u32 = u32::from_le_bytes(*b"HWSR");
/// Version of [`SubmitHeader`] and [`Step`].
pub const VERSION: u16 = 1;
/// Most steps of one program; a driver may report a lower limit.
pub const MAX_STEPS: u32 = 65_536;
/// Most bytes of one data buffer; a driver may report a lower limit.
pub const MAX_DATA: u64 = 1 << 30;

/// Head of the input buffer of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct SubmitHeader {
    /// [`MAGIC`].
    pub magic: u32,
    /// [`VERSION`].
    pub version: u16,
    /// Size of this structure in bytes: 64.
    pub header_size: u16,
    /// Size of header and steps in bytes; equals the length of the input buffer.
    pub total_size: u32,
    /// Size of one step in bytes: 64.
    pub step_size: u16,
    /// Zero.
    pub reserved0: u16,
    /// Number of steps, 1 to the limit that the device information reports.
    pub step_count: u32,
    /// Zero: no flag is defined in version 1.
    pub flags: u32,
    /// Chosen by the caller; names the submission in a result query on the same handle.
    pub cookie: u64,
    /// Bytes of device-local memory that the program uses, from offset 0; they hold nothing at the start.
    pub scratch_size: u64,
    /// Length in bytes of the data buffer; equals the length of the output buffer.
    pub data_size: u64,
    /// Milliseconds after which the driver stops the program; 0 asks for the driver's default.
    pub timeout_ms: u32,
    /// Zero.
    pub reserved1: [u8; 12],
}

/// One operation of a program on up to three sources and a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Step {
    /// An [`Opcode`](crate::op::Opcode).
    pub opcode: u8,
    /// An [`ElementType`](crate::op::ElementType).
    pub element_type: u8,
    /// Element type of a conversion's source; zero otherwise.
    pub aux_type: u8,
    /// [`step_flags`]; unknown bits are refused.
    pub flags: u8,
    /// [`Space`] of destination, first, second and third source; [`Space::None`] where the operation has no such operand.
    pub spaces: [u8; 4],
    /// Elements of the destination, or of the sources where they are reduced to one; at least 1.
    pub count: u64,
    /// Byte offsets of destination, first, second and third source within their spaces; multiples of their element size, zero for
    /// [`Space::None`] and [`Space::Immediate`].
    pub offsets: [u64; 4],
    /// Bits of the immediate element in the low bytes, upper bytes zero; zero where no operand is immediate.
    pub immediate: u64,
    /// Predicate of a comparison; rows and columns of a product's first source; rows of what is transposed. What is not used is zero.
    pub aux: [u32; 2],
}

assert_size!(SubmitHeader = 64, Step = 64);

/// Bits of [`Step::flags`].
pub mod step_flags {
    /// Integer results that the type cannot hold become its nearest value instead of wrapping.
    pub const SATURATE: u8 = 1;
    /// Every bit that the contract defines.
    pub const ALL: u8 = SATURATE;
}

/// Where an operand lives. The value is a byte of [`Step::spaces`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Space {
    /// The operation has no such operand.
    None = 0,
    /// The caller's data buffer.
    Data = 1,
    /// Device-local memory.
    Scratch = 2,
    /// The step's immediate, taken for every element.
    Immediate = 3,
}

impl Space {
    /// The space with this byte, if the contract knows one.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::None),
            1 => Some(Self::Data),
            2 => Some(Self::Scratch),
            3 => Some(Self::Immediate),
            _ => None,
        }
    }
}

/// Position of an operand in [`Step::spaces`] and [`Step::offsets`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum OperandIndex {
    /// Destination.
    Dst = 0,
    /// First source.
    A = 1,
    /// Second source.
    B = 2,
    /// Third source.
    C = 3,
}

impl OperandIndex {
    /// All positions, destination first.
    pub const ALL: [OperandIndex; 4] = [Self::Dst, Self::A, Self::B, Self::C];

    /// The position with this number.
    pub const fn from_u32(value: u32) -> Option<Self> {
        match value {
            0..=3 => Some(Self::ALL[value as usize]),
            _ => None,
        }
    }

    /// The name in messages.
    pub const fn name(self) -> &'static str {
        ["destination", "first source", "second source", "third source"][self as usize]
    }
}
