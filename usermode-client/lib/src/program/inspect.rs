//! What a driver would do with a program, without asking one.

use hawser_abi::descriptor::DeviceStep;
use hawser_core::{
    BufferShape, Checked, Limits, PAGE_SIZE, Piece, Plan, Refusal, Room, Workspace, check, device_steps, max_pieces,
    plan,
};

use super::Program;

/// A program that a driver accepts, and its plan.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// What was checked.
    pub checked: Checked,
    /// What the driver decides.
    pub plan: Plan,
    /// The pieces of the data buffer, in ascending order.
    pub pieces: Vec<Piece>,
    /// The steps as the device gets them.
    pub steps: Vec<DeviceStep>,
}

impl Program {
    /// Checks the program as a driver with these limits does.
    pub fn check(&self, limits: &Limits) -> Result<(), Refusal> {
        let room = self.room(limits);
        let mut words = vec![0; room.words()];
        check(
            &self.bytes,
            self.shape(0),
            limits,
            &mut Workspace::new(&mut words, room),
        )
        .map(drop)
    }

    /// Checks, plans and translates the program as a driver with these limits does, for a page-aligned data buffer.
    pub fn inspect(&self, limits: &Limits) -> Result<Inspection, Refusal> {
        self.inspect_at(limits, 0)
    }

    /// Checks, plans and translates the program as a driver with these limits does, for a data buffer that begins `page_offset` bytes after the start
    /// of a page; whole pages make no difference.
    pub fn inspect_at(&self, limits: &Limits, page_offset: u32) -> Result<Inspection, Refusal> {
        let room = self.room(limits);
        let mut words = vec![0; room.words()];
        let mut workspace = Workspace::new(&mut words, room);
        let mut accepted = check(&self.bytes, self.shape(page_offset), limits, &mut workspace)?;
        let mut pieces = vec![Piece::default(); max_pieces(room.steps)];
        let plan = plan(&mut accepted, limits, &mut pieces)?;
        pieces.truncate(plan.pieces());
        Ok(Inspection {
            checked: accepted.checked(),
            plan,
            pieces,
            steps: device_steps(&accepted).collect(),
        })
    }

    fn shape(&self, page_offset: u32) -> BufferShape {
        BufferShape {
            length: self.data_size(),
            page_offset: page_offset % PAGE_SIZE as u32,
        }
    }

    /// What to make room for: as much as there is, or as is allowed.
    fn room(&self, limits: &Limits) -> Room {
        let steps = u32::try_from(self.step_count()).unwrap_or(u32::MAX);
        Room {
            steps: steps.clamp(1, limits.max_steps.max(1)),
            scratch: self.scratch_size().min(limits.scratch_size),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::ProgramBuilder;
    use hawser_abi::reason::Reason;
    use hawser_core::Route;

    #[test]
    fn the_plan_of_a_program_is_told() {
        let mut builder = ProgramBuilder::new();
        let x = builder.array::<f32>(1024).unwrap();
        let y = builder.array::<f32>(1024).unwrap();
        let z = builder.array::<f32>(1024).unwrap();
        let program = builder.fma(y, 2.5, x, y).unwrap().copy(z, x).unwrap().build().unwrap();
        let Inspection {
            plan, pieces, steps, ..
        } = program.inspect(&Limits::default()).unwrap();
        assert_eq!((plan.bytes_to_device(), plan.bytes_from_device()), (4096, 4096));
        assert_eq!((plan.bytes_copied_in(), plan.bytes_copied_out()), (4096, 4096));
        assert!(matches!(pieces[0].route(), Route::ToDevice(_)));
        assert!(matches!(pieces[1].route(), Route::CopyInOut(_)));
        assert!(matches!(pieces[2].route(), Route::FromDevice(_)));
        assert_eq!(pieces.len(), 3);
        let steps: Vec<_> = steps.iter().map(|step| (step.offsets, step.immediate)).collect();
        let factor = u64::from(2.5_f32.to_bits());
        assert_eq!(steps, [([4096, 0, 0, 4096], factor), ([8192, 0, 0, 0], 0)]);
    }

    #[test]
    fn the_plan_depends_on_where_the_buffer_begins() {
        let mut builder = ProgramBuilder::new();
        let x = builder.array::<u8>(4096).unwrap();
        let program = builder.fill(x, 1).unwrap().build().unwrap();
        let copied = |page_offset| {
            let inspection = program.inspect_at(&Limits::default(), page_offset).unwrap();
            assert_eq!(inspection.checked.shape().page_offset, page_offset % 4096);
            inspection.plan.bytes_copied_out()
        };
        assert_eq!([0, 64, 1, 63, 4096, 4097].map(copied), [0, 0, 64, 64, 0, 64]);
    }

    #[test]
    fn the_limits_are_those_given() {
        let mut builder = ProgramBuilder::new();
        let x = builder.array::<f32>(1024).unwrap();
        let program = builder.fill(x, 1.0).unwrap().add(x, x, 1.0).unwrap().build().unwrap();
        let few = Limits {
            max_steps: 1,
            ..Limits::default()
        };
        assert_eq!(program.check(&few).unwrap_err().reason, Reason::TooManySteps);
        assert_eq!(program.inspect(&few).unwrap_err().reason, Reason::TooManySteps);
        let small = Limits {
            arena_size: 64,
            ..Limits::default()
        };
        assert_eq!(program.check(&small), Ok(()));
        assert_eq!(program.inspect(&small).unwrap_err().reason, Reason::ArenaTooSmall);
    }

    #[test]
    fn nothing_is_no_program() {
        let nothing = Program::from_bytes(Vec::new());
        assert_eq!(
            nothing.check(&Limits::default()).unwrap_err().reason,
            Reason::HeaderTruncated
        );
    }
}
