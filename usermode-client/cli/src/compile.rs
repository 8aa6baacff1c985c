//! `hawser compile` and `hawser asm`: write what a driver takes, the input buffer of a submission, whether or not it would accept it.

use serde_json::json;

use crate::args::{CompileArgs, Output};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output_file::{check_other, write};
use crate::program_file::ProgramFile;
use crate::say::say;
use crate::text::{bytes, counted};

/// Compiles or assembles a program to a file, and tells it under the schema.
pub fn compile(args: &CompileArgs, schema: &str) -> Result<Exit, Failure> {
    check_other(&args.file, &args.out)?;
    let file = ProgramFile::load(&args.file)?;
    let program = &file.compiled.program;
    write(&args.out, program.bytes())?;
    let (out, steps) = (args.out.display(), program.step_count());
    match Output::from(args.json) {
        Output::Json => {
            let report = json!({
                "schema": schema, "exit": 0, "file": file.name, "written_to": out.to_string(), "steps": steps,
            });
            say!("{report:#}");
        }
        Output::Text => say!(
            "{out}: {}, {}",
            counted(steps as u64, "step"),
            bytes(program.bytes().len() as u64)
        ),
    }
    Ok(Exit::Success)
}
