//! `hawser compile`: writes what a driver takes, the input buffer of a submission.

use crate::args::CompileArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output_file::{check_other, write};
use crate::program_file::ProgramFile;
use crate::say::say;
use crate::text::{bytes, counted};

/// Compiles a program to a file.
pub fn compile(args: &CompileArgs) -> Result<Exit, Failure> {
    check_other(&args.file, &args.out)?;
    let file = ProgramFile::load(&args.file)?;
    let program = &file.compiled.program;
    write(&args.out, program.bytes())?;
    say!(
        "{}: {}, {}",
        args.out.display(),
        counted(program.step_count() as u64, "step"),
        bytes(program.bytes().len() as u64)
    );
    Ok(Exit::Success)
}
