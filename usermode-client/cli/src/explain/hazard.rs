//! Something legal that costs more than it needs to, or does what one might not expect.

use serde::Serialize;

use super::step_list::StepList;

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    CopiedBothWays,
    PartialLines,
    ManyRanges,
    FewRegisters,
    InsidePage,
    Untouched,
    LargeArena,
    DeviceLocal,
    InPlace,
    Dependency,
    ThroughHost,
    ReadAgain,
    IntegerDivision,
    DivisionByZero,
    SmallSteps,
}

impl Kind {
    /// Every kind, in the order in which they are told.
    pub const ALL: [Self; 15] = [
        Self::CopiedBothWays,
        Self::PartialLines,
        Self::ManyRanges,
        Self::FewRegisters,
        Self::InsidePage,
        Self::Untouched,
        Self::LargeArena,
        Self::DeviceLocal,
        Self::InPlace,
        Self::Dependency,
        Self::ThroughHost,
        Self::ReadAgain,
        Self::IntegerDivision,
        Self::DivisionByZero,
        Self::SmallSteps,
    ];

    /// A word that stays the same when the message changes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CopiedBothWays => "copied-both-ways",
            Self::PartialLines => "partial-lines",
            Self::ManyRanges => "many-ranges",
            Self::FewRegisters => "few-registers",
            Self::InsidePage => "inside-page",
            Self::Untouched => "untouched",
            Self::LargeArena => "large-arena",
            Self::DeviceLocal => "device-local",
            Self::InPlace => "in-place",
            Self::Dependency => "dependency",
            Self::ThroughHost => "through-host",
            Self::ReadAgain => "read-again",
            Self::IntegerDivision => "integer-division",
            Self::DivisionByZero => "division-by-zero",
            Self::SmallSteps => "small-steps",
        }
    }

    /// What it means for the program.
    pub const fn text(self) -> &'static str {
        match self {
            Self::CopiedBothWays => {
                "bytes that are read and written are copied by the processor, in and out; results in an array of their own would be mapped"
            }
            Self::PartialLines => {
                "bytes at the edges of what is written do not fill a cache line, and are copied out; whole lines would be mapped"
            }
            Self::ManyRanges => {
                "ranges of one direction are more than there are mappings, and the smallest are copied; arrays side by side are one range"
            }
            Self::FewRegisters => "the map registers do not suffice, and what is left over is copied",
            Self::InsidePage => {
                "the buffer begins inside a page: mappings can touch a page more, and no array begins where its offset says in a line"
            }
            Self::Untouched => {
                "bytes of arrays are touched by no step: they only make the buffer longer, whose pages are locked while the program runs"
            }
            Self::LargeArena => {
                "the request needs more than a quarter of the arena; others that do not fit beside it wait until it has ended"
            }
            Self::DeviceLocal => {
                "device-local memory holds nothing at the start and is lost at the end; requests that do not fit beside it wait"
            }
            Self::InPlace => {
                "the destination is the bytes of a source, which is allowed: a chunk is read before it is written, and then gone"
            }
            Self::Dependency => {
                "the step reads what the step before it writes: a device that ran steps at the same time would have to wait between them"
            }
            Self::ThroughHost => {
                "the step reads from the data buffer what a step before it wrote there: it crosses the bus twice, and a `temp` array would not"
            }
            Self::ReadAgain => {
                "the sources of a product are read again for each row or column of tiles: in a `temp` array they would cross the bus once"
            }
            Self::IntegerDivision => {
                "integers are divided by elements of an array: one that is 0 ends the run with DivideByZero, and nothing is copied out"
            }
            Self::DivisionByZero => "integers are divided by the constant 0: the run ends with DivideByZero",
            Self::SmallSteps => {
                "the fixed cost of the step is more than half of all it costs; longer arrays would make up for it"
            }
        }
    }
}

impl Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A hazard of a program.
#[derive(Clone, Debug, Serialize)]
pub struct Hazard {
    pub code: Kind,
    pub message: &'static str,
    /// The steps concerned; none where the plan as a whole is.
    #[serde(flatten)]
    pub steps: StepList,
    /// The bytes concerned; 0 where it is not about bytes.
    pub bytes: u64,
}
