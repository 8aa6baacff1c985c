//! Hawser's own stages as the driver calls them. All that is measured of Hawser goes through this file.

use anyhow::{Result, anyhow};
use hawser_core::{
    ArenaWriter, BlockOffset, Checked, DescriptorPlace, DeviceAddress, Limits, MappingIndex, OutsideArena, Piece,
    Pieces, Plan, View, ViewBuilder, Workspace, check, max_pieces, plan, translate, workspace_words, write_descriptor,
};

use crate::programs::Program;

/// The memory that the stages need, made once, as a driver makes it when its device starts.
pub struct Engine {
    limits: Limits,
    words: Vec<u64>,
    pieces: Vec<Piece>,
    block: Block,
}

/// A request's block of the arena, or as much of it as a test writes.
struct Block(Vec<u8>);

impl ArenaWriter for Block {
    fn write(&mut self, offset: BlockOffset, bytes: &[u8]) -> Result<(), OutsideArena> {
        let start = usize::try_from(offset.0).map_err(|_| OutsideArena)?;
        let place = self.0.get_mut(start..).and_then(|rest| rest.get_mut(..bytes.len()));
        place.ok_or(OutsideArena)?.copy_from_slice(bytes);
        Ok(())
    }
}

impl Engine {
    /// An engine for programs of up to `max_steps` steps whose block has up to `block` bytes.
    pub fn new(max_steps: u32, block: usize) -> Self {
        Self {
            limits: Limits::default(),
            words: vec![0; workspace_words(max_steps)],
            pieces: vec![Piece::default(); max_pieces(max_steps)],
            block: Block(vec![0; block]),
        }
    }

    /// Checks a program; whether it was accepted.
    pub fn check(&mut self, program: &Program) -> bool {
        let mut workspace = Workspace::new(&mut self.words);
        check(&program.bytes, program.shape, &self.limits, &mut workspace).is_ok()
    }

    /// Checks, plans and translates a program, and writes its descriptor.
    pub fn prepare(&mut self, program: &Program) -> Result<Plan> {
        let mut workspace = Workspace::new(&mut self.words);
        let accepted = check(&program.bytes, program.shape, &self.limits, &mut workspace)
            .map_err(|refusal| anyhow!("refused: {refusal:?}"))?;
        let checked = accepted.checked();
        let plan =
            plan(&accepted, &self.limits, &mut self.pieces).map_err(|refusal| anyhow!("no plan: {refusal:?}"))?;
        let layout = plan.layout();
        translate(&checked, &program.bytes, layout, &mut self.block).map_err(|error| anyhow!("{error:?}"))?;
        let place = DescriptorPlace {
            block: BLOCK,
            scratch_base: 0,
            read_segments: layout.read_capacity,
            write_segments: layout.write_capacity,
        };
        write_descriptor(&checked, layout, &place, &mut self.block)
            .map_err(|_| anyhow!("the descriptor does not fit"))?;
        Ok(plan)
    }
}

/// Where the block of a request begins, as the device sees it.
const BLOCK: DeviceAddress = DeviceAddress(1 << 40);

/// A program that was checked and planned, whose views can be built again and again.
pub struct Planned {
    limits: Limits,
    checked: Checked,
    plan: Plan,
    pieces: Vec<Piece>,
    block: Block,
}

impl Planned {
    /// Checks and plans a program, and provides the block for it.
    pub fn new(program: &Program) -> Result<Self> {
        let mut engine = Engine::new(program.steps, 256 + 64 * program.steps as usize);
        let plan = engine.prepare(program)?;
        let mut workspace = Workspace::new(&mut engine.words);
        let checked = check(&program.bytes, program.shape, &engine.limits, &mut workspace)
            .map_err(|refusal| anyhow!("refused: {refusal:?}"))?
            .checked();
        engine.pieces.truncate(plan.pieces());
        Ok(Self {
            limits: engine.limits,
            checked,
            plan,
            pieces: engine.pieces,
            block: Block(vec![0; usize::try_from(plan.layout().total)?]),
        })
    }

    /// Builds the table of what is read from the scatter-gather list of the only mapping; returns its segments.
    pub fn build_read_view(&mut self, elements: impl Iterator<Item = (u64, u64)>) -> Result<u32> {
        let pieces = Pieces(&self.pieces);
        let mut builder = ViewBuilder::new(View::Read, &self.checked, self.plan.layout(), BLOCK, &self.limits);
        let elements = elements.map(|(address, length)| (DeviceAddress(address), length));
        builder
            .supply(pieces, MappingIndex(0), elements, &mut self.block)
            .and_then(|()| builder.finish(pieces, &mut self.block))
            .map_err(|error| anyhow!("{error:?}"))
    }
}
