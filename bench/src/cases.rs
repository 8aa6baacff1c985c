//! The list of what is measured.

use std::hint::black_box;

use anyhow::{Result, ensure};
use hawser_abi::descriptor::Segment;
use hawser_abi::op::{ElementType, Opcode};

use crate::floor;
use crate::foreign::{Mix, bpf, wasm};
use crate::hawser::{Engine, Planned};
use crate::lists::{Element, PAGE, Scatter};
use crate::programs::operand::{Operand, step};
use crate::programs::{Draft, Kind, Program};
use crate::rounds::Case;

/// What is done with a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is checked.
    Check,
    /// It is checked, planned and translated.
    Prepare,
}

impl Stage {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Check, Self::Prepare];

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Prepare => "check+plan+translate",
        }
    }
}

/// Name of a case of Hawser's.
pub fn hawser_name(stage: Stage, kind: Kind, steps: u32) -> String {
    format!("{} / {} / {steps}", stage.name(), kind.name())
}

/// Name of a case of another verifier, or of the floor.
pub fn other_name(what: &str, kind: &str, steps: u32) -> String {
    format!("{what} / {kind} / {steps}")
}

/// Programs of Hawser's, all of one kind and length.
pub struct Pool {
    kind: Kind,
    steps: u32,
    programs: Vec<Program>,
}

/// All programs that are measured.
pub struct Inputs {
    pools: Vec<Pool>,
    sizes: Vec<u32>,
    lists: Vec<(Scatter, Vec<Element>)>,
}

impl Inputs {
    /// Programs of these numbers of steps, and scatter-gather lists of these lengths.
    pub fn new(sizes: &[u32], lengths: &[u64]) -> Self {
        let of_size = |steps: u32| {
            Kind::ALL.map(|kind| Pool {
                kind,
                steps,
                programs: kind.pool(steps),
            })
        };
        let of_length = |pages: u64| Scatter::ALL.map(|scatter| (scatter, scatter.list(pages)));
        Self {
            pools: sizes.iter().copied().flat_map(of_size).collect(),
            sizes: sizes.to_vec(),
            lists: lengths.iter().copied().flat_map(of_length).collect(),
        }
    }

    /// Everything there is to measure, each case having been seen to do what it should.
    pub fn cases(&self) -> Result<Vec<Case<'_>>> {
        let mut cases = Vec::new();
        for pool in &self.pools {
            for stage in Stage::ALL {
                cases.push(hawser_case(stage, pool)?);
            }
            if matches!(pool.kind, Kind::Random | Kind::Ordered) {
                cases.extend(floor_cases(pool)?);
            }
        }
        for steps in &self.sizes {
            for mix in Mix::ALL {
                cases.extend(bpf_cases(mix, *steps)?);
                cases.push(wasm_case(mix, *steps)?);
            }
        }
        for (scatter, list) in &self.lists {
            cases.extend(list_cases(*scatter, list)?);
        }
        Ok(cases)
    }
}

fn hawser_case(stage: Stage, pool: &Pool) -> Result<Case<'_>> {
    let mut engine = Engine::new(pool.steps, 256 + 64 * pool.steps as usize);
    for program in &pool.programs {
        engine.prepare(program)?;
    }
    let run: Box<dyn FnMut()> = match stage {
        Stage::Check => Box::new(move || {
            for program in &pool.programs {
                black_box(engine.check(black_box(program)));
            }
        }),
        Stage::Prepare => Box::new(move || {
            for program in &pool.programs {
                black_box(engine.prepare(black_box(program)).is_ok());
            }
        }),
    };
    Ok(Case {
        name: hawser_name(stage, pool.kind, pool.steps),
        units: pool.programs.iter().map(|program| u64::from(program.steps)).sum(),
        bytes: pool.programs.iter().map(|program| program.bytes.len() as u64).sum(),
        run,
    })
}

fn floor_cases(pool: &Pool) -> Result<[Case<'_>; 2]> {
    let mut to = vec![
        0;
        pool.programs
            .iter()
            .map(|program| program.bytes.len())
            .max()
            .unwrap_or_default()
    ];
    let case = |what, run| Case {
        name: other_name(what, pool.kind.name(), pool.steps),
        units: pool.programs.iter().map(|program| u64::from(program.steps)).sum(),
        bytes: pool.programs.iter().map(|program| program.bytes.len() as u64).sum(),
        run,
    };
    let inside = |program: &Program| floor::read_and_compare(black_box(&program.bytes), program.shape.length);
    ensure!(pool.programs.iter().all(inside), "a range is outside");
    Ok([
        case(
            "copy",
            Box::new(move || {
                for program in &pool.programs {
                    floor::copy(black_box(&program.bytes), black_box(&mut to));
                }
            }),
        ),
        case(
            "read+compare",
            Box::new(move || {
                for program in &pool.programs {
                    black_box(inside(program));
                }
            }),
        ),
    ])
}

fn bpf_cases(mix: Mix, steps: u32) -> Result<[Case<'static>; 2]> {
    let right = bpf::pool(mix, steps);
    ensure!(
        right.iter().all(|program| bpf::rbpf(program) && bpf::sbpf(program)),
        "an eBPF program is refused"
    );
    let broken: Vec<_> = right.iter().cloned().map(bpf::broken_at_the_end).collect();
    let bytes = right.iter().map(|program| program.len() as u64).sum();
    let case = |what, run| Case {
        name: other_name(what, mix.name(), steps),
        units: bytes / bpf::INSTRUCTION as u64,
        bytes,
        run,
    };
    Ok([
        case(
            "rbpf",
            Box::new(move || {
                for program in &broken {
                    black_box(bpf::rbpf(black_box(program)));
                }
            }),
        ),
        case(
            "solana-sbpf",
            Box::new(move || {
                for program in &right {
                    black_box(bpf::sbpf(black_box(program)));
                }
            }),
        ),
    ])
}

fn wasm_case(mix: Mix, steps: u32) -> Result<Case<'static>> {
    let modules = wasm::pool(mix, steps);
    ensure!(modules.iter().all(wasm::validate), "a module is refused");
    Ok(Case {
        name: other_name("wasmparser", mix.name(), steps),
        units: modules.iter().map(|module| u64::from(module.instructions)).sum(),
        bytes: modules.iter().map(|module| module.bytes.len() as u64).sum(),
        run: Box::new(move || {
            for module in &modules {
                black_box(wasm::validate(black_box(module)));
            }
        }),
    })
}

/// A program that reads `length` bytes of the data buffer, which become one mapping.
fn reader(length: u64) -> Program {
    let operands = [Operand::scratch(0), Operand::data(0)];
    Draft {
        steps: vec![step(Opcode::Sum, ElementType::U8, length, &operands)],
        data: length,
        scratch: 1,
    }
    .program()
}

/// Building the segment table of a list, and copying as many bytes as that reads and writes.
fn list_cases(scatter: Scatter, list: &[Element]) -> Result<[Case<'_>; 2]> {
    let pages = list.len() as u64;
    let mut planned = Planned::new(&reader(pages * PAGE))?;
    let mut build = move || {
        let elements = black_box(list).iter();
        planned.build_read_view(elements.map(|element| (element.address, element.length.into())))
    };
    let segments = scatter.segments(pages);
    ensure!(
        u64::from(build()?) == segments,
        "the list is not joined as it should be"
    );
    let moved = pages * size_of::<Element>() as u64 + segments * size_of::<Segment>() as u64;
    // A copy of half as many bytes reads that half and writes it.
    let from = vec![1; (moved / 2) as usize];
    let mut to = from.clone();
    let case = |name, run| Case {
        name,
        units: pages,
        bytes: moved,
        run,
    };
    Ok([
        case(
            view_name(scatter, pages),
            Box::new(move || {
                black_box(build().is_ok());
            }),
        ),
        case(
            view_copy_name(scatter, pages),
            Box::new(move || floor::copy(black_box(&from), black_box(&mut to))),
        ),
    ])
}

/// Name of the case that builds a segment table.
pub fn view_name(scatter: Scatter, elements: u64) -> String {
    format!("segment table / {} / {elements}", scatter.name())
}

/// Name of the case that copies as many bytes as building the table moves.
pub fn view_copy_name(scatter: Scatter, elements: u64) -> String {
    format!("copy of list and table / {} / {elements}", scatter.name())
}
