//! The list of what is measured.

use std::hint::black_box;

use anyhow::{Context, Result, ensure};
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::MAX_DATA;
use hawser_core::View;

use crate::floor;
use crate::foreign::{Mix, bpf, wasm};
use crate::hawser::Engine;
use crate::lists::{self, Element, PAGE, Scatter};
use crate::programs::operand::{Operand, step};
use crate::programs::{Draft, Kind, Program};
use crate::rounds::Case;
use crate::scale::Scale;

/// What is done with a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is checked.
    Check,
    /// It is checked and planned.
    Plan,
    /// It is checked, planned and translated.
    Prepare,
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Check, Self::Plan, Self::Prepare];

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Plan => "check+plan",
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

impl Pool {
    /// A case that runs `run` once, which goes through all programs.
    fn case<'a>(&self, name: String, run: Box<dyn FnMut() + 'a>) -> Case<'a> {
        Case {
            name,
            units: self.programs.iter().map(|program| u64::from(program.steps)).sum(),
            bytes: self.programs.iter().map(|program| program.bytes.len() as u64).sum(),
            run,
        }
    }
}

/// All programs and lists that are measured.
pub struct Inputs {
    scale: Scale,
    pools: Vec<Pool>,
    lists: Vec<(Scatter, Vec<Element>)>,
}

impl Inputs {
    /// What is measured at this scale.
    pub fn new(scale: Scale) -> Self {
        let of_size = |steps: u32| {
            Kind::ALL.map(|kind| Pool {
                kind,
                steps,
                programs: kind.pool(steps, scale.distinct),
            })
        };
        let of_length = |pages: u64| Scatter::ALL.map(|scatter| (scatter, scatter.list(pages)));
        Self {
            pools: scale.sizes.into_iter().flat_map(of_size).collect(),
            lists: scale.lists.iter().copied().flat_map(of_length).collect(),
            scale,
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
        for steps in self.scale.sizes {
            for mix in Mix::ALL {
                cases.extend(bpf_cases(mix, steps, self.scale.distinct)?);
                cases.push(wasm_case(mix, steps, self.scale.distinct)?);
            }
        }
        for (scatter, list) in &self.lists {
            cases.extend(list_cases(*scatter, list)?);
        }
        Ok(cases)
    }
}

/// What a stage does with every program of a pool, all of which are accepted.
fn hawser_case(stage: Stage, pool: &Pool) -> Result<Case<'_>> {
    let mut engine = Engine::new(pool.steps).with_limits(pool.kind.limits());
    let name = hawser_name(stage, pool.kind, pool.steps);
    let mut prepared = pool.programs.iter().map(|program| engine.prepare(program));
    prepared
        .try_for_each(|program| program.map(|_| ()))
        .with_context(|| name.clone())?;
    let run: Box<dyn FnMut()> = match stage {
        Stage::Check => Box::new(move || {
            for program in &pool.programs {
                let _ = black_box(engine.check(black_box(program)));
            }
        }),
        Stage::Plan => Box::new(move || {
            for program in &pool.programs {
                let _ = black_box(engine.plan(black_box(program)));
            }
        }),
        Stage::Prepare => Box::new(move || {
            for program in &pool.programs {
                let _ = black_box(engine.prepare(black_box(program)));
            }
        }),
    };
    Ok(pool.case(name, run))
}

/// A copy of every program of a pool, and two passes over it.
fn floor_cases(pool: &Pool) -> Result<[Case<'_>; 3]> {
    let longest = pool.programs.iter().map(|program| program.bytes.len()).max();
    let mut to = vec![0; longest.unwrap_or_default()];
    // Above the end of the largest buffer: of operands that have another type or extent than the step, this sees wrong lengths.
    let inside = |program: &Program| floor::read_and_compare(black_box(&program.bytes), black_box(2 * MAX_DATA));
    let limits = [0, 2 * MAX_DATA, 2 * MAX_DATA, 0];
    let in_range = move |program: &Program| floor::read_and_check_ranges(black_box(&program.bytes), black_box(&limits));
    ensure!(pool.programs.iter().all(inside), "a range is outside");
    ensure!(pool.programs.iter().all(in_range), "a range is outside its space");
    let name = |what| other_name(what, pool.kind.name(), pool.steps);
    Ok([
        pool.case(
            name("copy"),
            Box::new(move || {
                for program in &pool.programs {
                    floor::copy(black_box(&program.bytes), black_box(&mut to));
                }
            }),
        ),
        pool.case(
            name("read+compare"),
            Box::new(move || {
                for program in &pool.programs {
                    black_box(inside(program));
                }
            }),
        ),
        pool.case(
            name("read+ranges"),
            Box::new(move || {
                for program in &pool.programs {
                    black_box(in_range(program));
                }
            }),
        ),
    ])
}

/// The verifiers of eBPF. Both take the same programs; `rbpf` gets them broken at the end, for a reason told at [`bpf::rbpf`].
fn bpf_cases(mix: Mix, steps: u32, distinct: u32) -> Result<[Case<'static>; 2]> {
    let right = bpf::pool(mix, steps, distinct);
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

/// The validator of WebAssembly.
fn wasm_case(mix: Mix, steps: u32, distinct: u32) -> Result<Case<'static>> {
    let modules = wasm::pool(mix, steps, distinct);
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

/// Building the segment table of a list, and copying the bytes of the list.
fn list_cases(scatter: Scatter, list: &[Element]) -> Result<[Case<'_>; 2]> {
    let pages = list.len() as u64;
    let program = reader(pages * PAGE);
    let block = Engine::new(1).prepare(&program)?.block_bytes();
    let mut engine = Engine::with_block(1, usize::try_from(block)?);
    let prepared = engine.prepare(&program)?;
    let mut build = move || engine.build_view(View::Read, &prepared, |_| black_box(list));
    let segments = lists::segments(list);
    ensure!(build()? as usize == segments, "the list is not joined as it should be");
    let bytes = size_of_val(list);
    let from = vec![1; bytes];
    let mut to = from.clone();
    let case = |name, run| Case {
        name,
        units: pages,
        bytes: bytes as u64,
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
            list_copy_name(scatter, pages),
            Box::new(move || floor::copy(black_box(&from), black_box(&mut to))),
        ),
    ])
}

/// Name of the case that builds a segment table.
pub fn view_name(scatter: Scatter, elements: u64) -> String {
    format!("segment table / {} / {elements}", scatter.name())
}

/// Name of the case that copies the bytes of a list: 24 for each element, read once and written once.
pub fn list_copy_name(scatter: Scatter, elements: u64) -> String {
    format!("copy of the list / {} / {elements}", scatter.name())
}
