//! Random programs that break no rule: every operation on every type, in place and not, with gaps and with edges inside cache lines.
//!
//! They are made from bytes ([`Unstructured`]), so that a fuzzer can steer them and a property test can shrink them.
#![forbid(unsafe_code)]

mod random_step;
pub mod steps;

use arbitrary::{Result, Unstructured};
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{MAGIC, Space, Step, SubmitHeader, VERSION};
use hawser_core_model::{Buffer, Limits, Touched};
use zerocopy::{FromZeros, IntoBytes};

use random_step::Spaces;

/// Most steps of a random program.
const MOST_STEPS: usize = 12;
/// Sizes of a random program's window of device-local memory.
const WINDOWS: [u64; 4] = [0, 64, 1024, 16 << 10];

/// A program that breaks no rule.
#[derive(Clone, Debug)]
pub struct RandomProgram {
    /// Its steps.
    pub steps: Vec<Step>,
    /// Bytes of its data buffer.
    pub data_size: u64,
    /// Bytes of its window of device-local memory.
    pub scratch_size: u64,
}

impl RandomProgram {
    /// Makes a program for a data buffer of `data_size` bytes, at least 32, from what `source` has.
    ///
    /// # Errors
    /// None; the source gives zeros where it has no more bytes.
    pub fn draw(source: &mut Unstructured<'_>, data_size: u64) -> Result<Self> {
        let scratch_size = *source.choose(&WINDOWS)?;
        let spaces = Spaces {
            data: data_size,
            scratch: scratch_size,
        };
        let mut steps = Vec::new();
        if scratch_size > 0 && source.ratio(3, 4)? {
            steps.push(fill(Space::Scratch, scratch_size / 8, source.arbitrary()?));
        }
        for _ in 0..source.int_in_range(1..=MOST_STEPS)? {
            steps.push(random_step::draw(source, spaces)?);
        }
        let mut program = Self {
            steps,
            data_size,
            scratch_size,
        };
        program.drop_what_is_refused();
        Ok(program)
    }

    /// The input buffer of the program's submission.
    pub fn bytes(&self, cookie: u64) -> Vec<u8> {
        let count = self.steps.len() as u32;
        let header = SubmitHeader {
            magic: MAGIC,
            version: VERSION,
            header_size: 64,
            total_size: 64 + 64 * count,
            step_size: 64,
            step_count: count,
            cookie,
            scratch_size: self.scratch_size,
            data_size: self.data_size,
            ..SubmitHeader::new_zeroed()
        };
        [header.as_bytes(), self.steps.as_bytes()].concat()
    }

    /// What it reads and writes of the data buffer.
    pub fn touched(&self) -> Touched {
        self.check().expect("it breaks no rule")
    }

    fn check(&self) -> std::result::Result<Touched, hawser_core_model::Refused> {
        let buffer = Buffer {
            length: self.data_size,
            page_offset: 0,
        };
        hawser_core_model::check(&self.bytes(0), buffer, &Limits::CONTRACT)
    }

    /// Random operands overlap, and device-local memory is read before it is written. Such steps go.
    fn drop_what_is_refused(&mut self) {
        while let Err(refused) = self.check() {
            let step = refused.step.expect("the header is right") as usize;
            self.steps.remove(step);
            if self.steps.is_empty() {
                self.steps.push(fill(Space::Data, self.data_size / 8, 0x5A));
            }
        }
    }
}

/// Fills `count` integers of 64 bits from the start of a space.
fn fill(space: Space, count: u64, immediate: u64) -> Step {
    Step {
        opcode: Opcode::Fill as u8,
        element_type: ElementType::U64 as u8,
        spaces: [space, Space::Immediate, Space::None, Space::None].map(|space| space as u8),
        count,
        immediate,
        ..Step::new_zeroed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Bytes that look random and are always the same.
    fn noise(seed: u64) -> Vec<u8> {
        let mut bytes = vec![0; 512];
        fastrand::Rng::with_seed(seed).fill(&mut bytes);
        bytes
    }

    fn programs(count: u64) -> impl Iterator<Item = RandomProgram> {
        (0..count).map(|seed| {
            let size = [32, 200, 4096, 20_000][seed as usize % 4];
            RandomProgram::draw(&mut Unstructured::new(&noise(seed)), size).expect("nothing fails")
        })
    }

    #[test]
    fn every_operation_and_type_comes_up_and_most_steps_stay() {
        let (mut operations, mut types, mut steps) = (BTreeSet::new(), BTreeSet::new(), 0);
        for program in programs(600) {
            steps += program.steps.len();
            for step in &program.steps {
                operations.insert(step.opcode);
                types.insert(step.element_type);
            }
        }
        assert_eq!((operations.len(), types.len()), (29, 12));
        assert!(steps > 600 * 3, "{steps} steps in 600 programs");
    }

    #[test]
    fn programs_run_in_place_leave_gaps_and_read_what_they_write() {
        let in_place = |program: &RandomProgram| {
            program.steps.iter().any(|step| {
                let sources = 1..4;
                step.spaces[0] == 1
                    && sources
                        .into_iter()
                        .any(|n| (step.spaces[n], step.offsets[n]) == (1, step.offsets[0]))
            })
        };
        let partial = |program: &RandomProgram| {
            program
                .touched()
                .writes
                .iter()
                .any(|(start, end)| start % 64 != 0 || end % 64 != 0)
        };
        let mixed = |program: &RandomProgram| {
            let touched = program.touched();
            touched.reads.iter().any(|(start, _)| touched.writes.contains(start))
        };
        let gaps = |program: &RandomProgram| program.touched().writes.iter().count() > 1;
        let count = |wanted: &dyn Fn(&RandomProgram) -> bool| programs(400).filter(|program| wanted(program)).count();
        for (name, found) in [
            ("in place", count(&in_place)),
            ("partial lines", count(&partial)),
            ("read and written", count(&mixed)),
            ("gaps", count(&gaps)),
        ] {
            assert!(found > 60, "{name}: {found} of 400");
        }
    }

    #[test]
    fn without_bytes_there_is_a_program_too() {
        let program = RandomProgram::draw(&mut Unstructured::new(&[]), 32).expect("nothing fails");
        assert_eq!(program.steps.len(), 1);
    }
}
