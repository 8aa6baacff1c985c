//! `hawser check`: compiles a program and prints its plan, without a device.

use hawser_core::Limits;
use serde_json::json;

use crate::args::CheckArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::plan_report::PlanReport;
use crate::program_file::ProgramFile;
use crate::report::{ArrayReport, ProgramReport};
use crate::say::say;
use crate::show;

/// Schema of the JSON output.
const SCHEMA: &str = "hawser.check/1";

/// Checks a program.
pub fn check(args: &CheckArgs) -> Result<Exit, Failure> {
    let file = ProgramFile::load(&args.file)?;
    let inspection = file
        .compiled
        .program
        .inspect(&Limits::default())
        .map_err(|refusal| file.refused(refusal))?;
    let plan = PlanReport::new(&file.compiled, &inspection);
    let program = ProgramReport::new(&file);
    let arrays = ArrayReport::declared(&file.compiled);
    if args.json {
        let arrays: Vec<_> = arrays.iter().map(array_json).collect();
        let report = json!({
            "schema": SCHEMA, "exit": 0, "file": file.name, "program": program, "arrays": arrays, "plan": plan,
        });
        say!("{report:#}");
    } else {
        say!("{} is a program for revision 1 of the device", file.name);
        show::program(&program, &arrays);
        show::plan(&plan);
    }
    Ok(Exit::Success)
}

/// An array of the data buffer, as JSON.
pub fn array_json(array: &ArrayReport) -> serde_json::Value {
    json!({
        "name": array.name, "role": array.role, "type": array.element, "count": array.count, "offset": array.offset,
    })
}
