//! Why a program was refused or failed.
//!
//! A refusal or fault completes the request with a customer-defined NTSTATUS, `0xE048_0000 | reason`: bit 29 is set, so
//! `RtlNtStatusToDosError` hands it to user mode unchanged and `GetLastError` tells every reason apart even where no
//! [`ResultRecord`](crate::result::ResultRecord) can be asked for (a header whose cookie could not be read).

/// Severity error, customer bit, facility of this driver.
pub const STATUS_BASE: u32 = 0xE048_0000;

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $value:literal),+ $(,)?) => {
        /// The reason of a refusal or fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Reason {
            $($(#[doc = $doc])+ $name = $value),+
        }

        impl Reason {
            /// Every reason, in the order of its value.
            pub const ALL: &'static [Reason] = &[$(Reason::$name),+];

            /// The reason with this number.
            pub const fn from_u32(value: u32) -> Option<Self> {
                match value {
                    $($value => Some(Reason::$name),)+
                    _ => None,
                }
            }

            /// What happened, as one sentence for messages.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Reason::$name => concat!($($doc),+).trim_ascii(),)+
                }
            }

            /// The identifier of the reason.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Reason::$name => stringify!($name),)+
                }
            }
        }
    };
}

reasons! {
    /// the program ran
    None = 0x00,

    /// the input buffer is shorter than a header
    HeaderTruncated = 0x01,
    /// the header does not start with the magic number
    BadMagic = 0x02,
    /// the version of the header is not one that this driver speaks
    BadVersion = 0x03,
    /// the header states a wrong size for itself
    BadHeaderSize = 0x04,
    /// the header states a wrong size for a step
    BadStepSize = 0x05,
    /// the total size in the header is not the length of the input buffer
    TotalSizeMismatch = 0x06,
    /// the steps that the header announces do not fill the total size
    StepCountMismatch = 0x07,
    /// the program has no steps
    NoSteps = 0x08,
    /// the program has more steps than the driver accepts
    TooManySteps = 0x09,
    /// reserved bytes of the header are not zero
    HeaderReserved = 0x0A,
    /// the header has flags that this driver does not know
    HeaderFlags = 0x0B,
    /// there is no data buffer
    NoDataBuffer = 0x0C,
    /// the data size in the header is not the length of the data buffer
    DataSizeMismatch = 0x0D,
    /// the data buffer is longer than the driver accepts
    DataTooLarge = 0x0E,
    /// the program asks for more device-local memory than there is
    ScratchTooLarge = 0x0F,
    /// another submission with this cookie is in flight on the handle
    CookieInUse = 0x10,

    /// the opcode is unknown
    UnknownOpcode = 0x20,
    /// the device does not run this operation
    UnsupportedOpcode = 0x21,
    /// the element type is unknown
    UnknownType = 0x22,
    /// the operation does not take this element type
    UnsupportedType = 0x23,
    /// the step has flags that this operation does not take
    StepFlags = 0x24,
    /// fields that this operation does not use are not zero
    StepReserved = 0x25,
    /// the step works on no elements
    ZeroCount = 0x26,
    /// element count times element size does not fit in 64 bits
    CountOverflow = 0x27,
    /// the space of an operand is unknown
    UnknownSpace = 0x28,
    /// the operation needs this operand
    OperandMissing = 0x29,
    /// the operation does not take this operand
    OperandUnexpected = 0x2A,
    /// this operand cannot be an immediate
    ImmediateNotAllowed = 0x2B,
    /// the immediate does not fit the element type
    ImmediateTooWide = 0x2C,
    /// the offset of an operand is not a multiple of its element size
    Misaligned = 0x2D,
    /// offset plus length of an operand does not fit in 64 bits
    OffsetOverflow = 0x2E,
    /// an operand reaches outside its space
    OutOfBounds = 0x2F,
    /// the destination overlaps a source in a way that the operation does not allow
    Overlap = 0x30,
    /// the step reads device-local memory that the program has not written
    ScratchNotWritten = 0x31,
    /// the type of a conversion's source is unknown
    UnknownSourceType = 0x32,
    /// the device does not convert from this type
    UnsupportedSourceType = 0x33,
    /// the comparison has no such predicate
    UnknownPredicate = 0x34,
    /// a matrix has no rows or no columns
    ZeroDimension = 0x35,
    /// the element count is not a multiple of the number of rows
    RaggedMatrix = 0x36,
    /// the size of a matrix does not fit in 64 bits
    MatrixOverflow = 0x37,

    /// the program needs more copied bytes and tables than the driver's arena can ever hold
    ArenaTooSmall = 0x40,
    /// the system could not map the buffer for DMA
    MappingFailed = 0x41,
    /// a scatter-gather list was empty, too short, or beyond the device's reach
    BadScatterGather = 0x42,

    /// an integer was divided by zero
    DivideByZero = 0x60,
    /// the device found an operand outside its binding
    DeviceBounds = 0x61,
    /// the device found an operand used against its direction
    DeviceDirection = 0x62,
    /// the device could not access host memory
    DeviceBusError = 0x63,
    /// the device found the descriptor malformed
    DeviceBadDescriptor = 0x64,
    /// the device does not run what the driver accepted
    DeviceUnsupported = 0x65,
    /// the device ended the program with a status that the contract does not define
    DeviceProtocol = 0x66,

    /// the program was cancelled
    Cancelled = 0x70,
    /// the program ran longer than allowed
    TimedOut = 0x71,
    /// the device is gone
    DeviceGone = 0x72,
    /// the device was reset or lost power while the program ran
    DeviceReset = 0x73,
    /// the device has failed and takes no programs
    DeviceFailed = 0x74,
}

impl Reason {
    /// The NTSTATUS, as its 32 bits, with which a request that ends for this reason is completed.
    pub const fn status(self) -> u32 {
        match self {
            Self::None => 0,
            Self::ArenaTooSmall | Self::MappingFailed => STATUS_INSUFFICIENT_RESOURCES,
            Self::Cancelled => STATUS_CANCELLED,
            Self::TimedOut => STATUS_IO_TIMEOUT,
            Self::DeviceGone => STATUS_DEVICE_DOES_NOT_EXIST,
            Self::DeviceReset => STATUS_DEVICE_POWER_FAILURE,
            Self::DeviceFailed => STATUS_DEVICE_HARDWARE_ERROR,
            _ => STATUS_BASE | self as u32,
        }
    }

    /// The reason that a customer-defined status of this driver carries.
    pub const fn from_status(status: u32) -> Option<Self> {
        if status & 0xFFFF_0000 == STATUS_BASE {
            Self::from_u32(status & 0xFFFF)
        } else {
            None
        }
    }
}

/// `STATUS_INSUFFICIENT_RESOURCES`.
pub const STATUS_INSUFFICIENT_RESOURCES: u32 = 0xC000_009A;
/// `STATUS_CANCELLED`.
pub const STATUS_CANCELLED: u32 = 0xC000_0120;
/// `STATUS_IO_TIMEOUT`.
pub const STATUS_IO_TIMEOUT: u32 = 0xC000_00B5;
/// `STATUS_DEVICE_DOES_NOT_EXIST`.
pub const STATUS_DEVICE_DOES_NOT_EXIST: u32 = 0xC000_00C0;
/// `STATUS_DEVICE_POWER_FAILURE`.
pub const STATUS_DEVICE_POWER_FAILURE: u32 = 0xC000_009E;
/// `STATUS_DEVICE_HARDWARE_ERROR`.
pub const STATUS_DEVICE_HARDWARE_ERROR: u32 = 0xC000_0483;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_phrases() {
        for reason in Reason::ALL {
            assert_eq!(reason.text().trim(), reason.text());
            assert!(reason.text().starts_with(char::is_lowercase), "{}", reason.text());
        }
    }

    #[test]
    fn numbers_round_trip_and_ascend() {
        assert!(Reason::ALL.is_sorted_by(|a, b| (*a as u16) < (*b as u16)));
        for &reason in Reason::ALL {
            assert_eq!(Reason::from_u32(reason as u32), Some(reason));
            if reason.status() & STATUS_BASE == STATUS_BASE {
                assert_eq!(Reason::from_status(reason.status()), Some(reason));
            }
        }
    }

    #[test]
    fn refusals_have_distinct_statuses() {
        let refusals = Reason::ALL.iter().filter(|r| (1..0x40).contains(&(**r as u16)));
        let mut statuses: [u32; 64] = [0; 64];
        for (seen, reason) in refusals.enumerate() {
            assert!(
                !statuses[..seen].contains(&reason.status()),
                "{} shares its status",
                reason.name()
            );
            statuses[seen] = reason.status();
        }
    }
}
