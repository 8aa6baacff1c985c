//! `hawser explain`: what becomes of each byte and why, what is costly or surprising about a program, and what it costs, without a device.

mod access;
mod advice;
mod cost;
mod dry_run;
mod hazard;
mod mapping;
mod ranges;
mod region;
mod show;
mod step_list;

use hawser::program::Inspection;
use hawser_core::Limits;
use serde::Serialize;

use crate::args::ExplainArgs;
use crate::check::array_json;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::plan_report::PlanReport;
use crate::program_file::ProgramFile;
use crate::report::{ArrayReport, ProgramReport};
use crate::say::say;

use access::{Access, accesses};
use cost::Cost;
use hazard::Hazard;
use mapping::{Arena, Mappings};
use region::Regions;

/// Schema of the JSON output.
const SCHEMA: &str = "hawser.explain/1";

/// What is explained.
struct Subject<'a> {
    file: &'a ProgramFile,
    inspection: &'a Inspection,
    limits: &'a Limits,
    /// What each step reads and writes, step after step.
    accesses: &'a [Access],
}

/// What is said about it, beside what `check` says.
#[derive(Serialize)]
struct Explanation {
    /// Bytes from the start of a page to the first byte of the data buffer.
    page_offset: u32,
    regions: Regions,
    mappings: Mappings,
    arena: Arena,
    hazards: Vec<Hazard>,
    cost: Cost,
}

impl Explanation {
    fn of(subject: &Subject<'_>) -> Result<Self, Failure> {
        let cost = Cost::of(subject)?;
        let regions = Regions::of(subject);
        Ok(Self {
            page_offset: subject.inspection.checked.shape().page_offset,
            hazards: advice::hazards(subject, &cost),
            regions,
            mappings: Mappings::of(subject),
            arena: Arena::of(subject),
            cost,
        })
    }
}

/// The JSON output.
#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    exit: u8,
    file: &'a str,
    program: &'a ProgramReport,
    arrays: Vec<serde_json::Value>,
    plan: &'a PlanReport,
    #[serde(flatten)]
    explanation: &'a Explanation,
}

/// Explains a program.
pub fn explain(args: &ExplainArgs) -> Result<Exit, Failure> {
    let file = ProgramFile::load(&args.file)?;
    let limits = Limits {
        map_registers: args.map_registers.unwrap_or(Limits::default().map_registers),
        ..Limits::default()
    };
    let compiled = &file.compiled;
    let inspection = compiled
        .program
        .inspect_at(&limits, args.page_offset)
        .map_err(|refusal| file.refused(refusal))?;
    let accesses = accesses(&compiled.program);
    let explanation = Explanation::of(&Subject {
        file: &file,
        inspection: &inspection,
        limits: &limits,
        accesses: &accesses,
    })?;
    let plan = PlanReport::new(compiled, &inspection);
    let program = ProgramReport::new(&file);
    let arrays = ArrayReport::declared(compiled);
    if args.json {
        let report = Report {
            schema: SCHEMA,
            exit: Exit::Success as u8,
            file: &file.name,
            program: &program,
            arrays: arrays.iter().map(array_json).collect(),
            plan: &plan,
            explanation: &explanation,
        };
        say!(
            "{}",
            serde_json::to_string_pretty(&report).map_err(Failure::unprintable)?
        );
    } else {
        crate::show::program(&program, &arrays);
        show::explanation(&file, &plan, &explanation);
    }
    Ok(Exit::Success)
}
