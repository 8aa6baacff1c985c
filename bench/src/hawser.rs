//! Hawser's own stages as the driver calls them. All that is measured of Hawser goes through this file.

use hawser_core::{
    Accepted, ArenaLayout, ArenaWriter, BlockOffset, Checked, DescriptorPlace, DeviceAddress, Direction, Limits,
    MappingIndex, OutsideArena, Piece, Pieces, Plan, Refusal, Room, ScatterGatherElements, SegmentRun, TableMemory,
    View, ViewBuilder, ViewError, Workspace, check, max_pieces, plan, translate, write_descriptor,
};

use crate::lists::Element;
use crate::programs::Program;

/// Why a program was not prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It breaks a rule, or its plan does not fit into the arena.
    Refused(Refusal),
    /// Its steps or its descriptor do not fit.
    Block(OutsideArena),
    /// The table of a view could not be written.
    View(ViewError),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a program was not prepared: {self:?}")
    }
}

impl std::error::Error for Failure {}

/// The memory that the stages need, made once, as a driver makes it when its device starts.
pub struct Engine {
    limits: Limits,
    steps: u32,
    words: Vec<u64>,
    pieces: Vec<Piece>,
    run: SegmentRun,
    block: Block,
}

/// A request's block of the arena, or as much of it as is written.
struct Block(Vec<u8>);

impl ArenaWriter for Block {
    fn write(&mut self, offset: BlockOffset, bytes: &[u8]) -> Result<(), OutsideArena> {
        let start = usize::try_from(offset.0).map_err(|_| OutsideArena)?;
        let place = self.0.get_mut(start..).and_then(|rest| rest.get_mut(..bytes.len()));
        place.ok_or(OutsideArena)?.copy_from_slice(bytes);
        Ok(())
    }
}

fn room(steps: u32) -> Room {
    Room {
        steps,
        scratch: Limits::default().scratch_size,
    }
}

/// Where the block of a request begins, as the device sees it.
const BLOCK: DeviceAddress = DeviceAddress(1 << 40);
/// Bytes of a block in front of the steps, and a few more.
const HEAD: usize = 256;
/// Bytes of a translated step.
const STEP: usize = 64;

impl Engine {
    /// An engine for programs of up to `max_steps` steps whose segment tables are not written.
    pub fn new(max_steps: u32) -> Self {
        Self::with_block(max_steps, HEAD + STEP * max_steps as usize)
    }

    /// An engine for programs of up to `max_steps` steps whose block of the arena has `block` bytes.
    pub fn with_block(max_steps: u32, block: usize) -> Self {
        Self {
            limits: Limits::default(),
            steps: max_steps,
            words: vec![0; room(max_steps).words()],
            pieces: vec![Piece::default(); max_pieces(max_steps)],
            run: SegmentRun::default(),
            block: Block(vec![0; block]),
        }
    }

    /// The same with other limits.
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Checks a program.
    pub fn check(&mut self, program: &Program) -> Result<Checked, Failure> {
        let mut workspace = Workspace::new(&mut self.words, room(self.steps));
        let accepted = check(&program.bytes, program.shape, &self.limits, &mut workspace);
        Ok(accepted.map_err(Failure::Refused)?.checked())
    }

    /// Checks and plans a program.
    pub fn plan(&mut self, program: &Program) -> Result<Prepared, Failure> {
        self.plan_and(program, |_, _, _| Ok(()))
    }

    /// Checks, plans and translates a program, and writes its descriptor.
    pub fn prepare(&mut self, program: &Program) -> Result<Prepared, Failure> {
        self.plan_and(program, |accepted, layout, block| {
            translate(accepted, layout, block)?;
            let place = DescriptorPlace {
                block: BLOCK,
                scratch_base: 0,
                read_segments: layout.read_capacity,
                write_segments: layout.write_capacity,
            };
            write_descriptor(&accepted.checked(), layout, &place, block).map(|_| ())
        })
    }

    /// Checks and plans a program, and does something more with its trusted copy.
    fn plan_and(
        &mut self,
        program: &Program,
        more: impl FnOnce(&Accepted<'_, '_>, &ArenaLayout, &mut Block) -> Result<(), OutsideArena>,
    ) -> Result<Prepared, Failure> {
        let mut workspace = Workspace::new(&mut self.words, room(self.steps));
        let mut accepted =
            check(&program.bytes, program.shape, &self.limits, &mut workspace).map_err(Failure::Refused)?;
        let plan = plan(&mut accepted, &self.limits, &mut self.pieces).map_err(Failure::Refused)?;
        more(&accepted, plan.layout(), &mut self.block).map_err(Failure::Block)?;
        Ok(Prepared {
            checked: accepted.checked(),
            plan,
        })
    }

    /// Writes the segment table of a view of the program that was prepared last; returns its segments.
    ///
    /// `list_of` gives the scatter-gather list of each mapping.
    pub fn build_view<L: AsRef<[Element]>>(
        &mut self,
        view: View,
        prepared: &Prepared,
        mut list_of: impl FnMut(MappingIndex) -> L,
    ) -> Result<u32, Failure> {
        let Prepared { checked, plan } = prepared;
        let pieces = Pieces(self.pieces.get(..plan.pieces()).unwrap_or_default());
        let direction = match view {
            View::Read => Direction::ToDevice,
            View::Write => Direction::FromDevice,
        };
        let mut builder = ViewBuilder::new(view, checked, plan.layout(), BLOCK, &self.limits);
        let mut memory = TableMemory {
            run: &mut self.run,
            writer: &mut self.block,
        };
        for (index, mapping) in (0..).zip(plan.mappings()) {
            if mapping.direction == direction {
                let index = MappingIndex(index);
                let list = list_of(index);
                let elements = ScatterGatherElements::new(list.as_ref(), |element: &Element| {
                    (DeviceAddress(element.address), element.length)
                });
                builder
                    .supply(pieces, index, elements, &mut memory)
                    .map_err(Failure::View)?;
            }
        }
        builder.finish(pieces, &mut memory).map_err(Failure::View)
    }
}

/// A program that was checked and planned.
#[derive(Clone, Copy, Debug)]
pub struct Prepared {
    /// What the check found.
    pub checked: Checked,
    /// The plan.
    pub plan: Plan,
}

impl Prepared {
    /// Bytes of the request's block of the arena.
    pub fn block_bytes(&self) -> u64 {
        self.plan.layout().total
    }
}
