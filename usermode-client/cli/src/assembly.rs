//! `hawser asm` and `hawser disasm`: programs as text, step by step.

use std::fs;

use hawser::language::{Compiled, Role};

use crate::args::{AsmArgs, DisasmArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::program_file::ProgramFile;
use crate::say::say;

/// Writes the program of a text to a file, whether or not a driver would accept it.
pub fn asm(args: &AsmArgs) -> Result<Exit, Failure> {
    let program = ProgramFile::load(&args.file)?.compiled.program;
    fs::write(&args.output, program.bytes()).map_err(|cause| Failure::Unwritable {
        path: args.output.clone(),
        cause,
    })?;
    Ok(Exit::Success)
}

/// Prints the steps of a program.
pub fn disasm(args: &DisasmArgs) -> Result<Exit, Failure> {
    let compiled = ProgramFile::load(&args.file)?.compiled;
    let text = hawser::assembly::disassemble(compiled.program.bytes()).map_err(|cause| Failure::NotWhole {
        path: args.file.clone(),
        cause,
    })?;
    say!("{}{}", arrays(&compiled), text.trim_end());
    Ok(Exit::Success)
}

/// Where the arrays of a program lie, as comments of assembly.
fn arrays(compiled: &Compiled) -> String {
    let line = |array: &hawser::language::NamedArray| {
        let space = if array.role == Role::Temp { "scratch" } else { "data" };
        let place = format!("{space}[{}]", array.offset);
        let shape = format!("{}[{}]", array.element.name(), array.count);
        format!("# {:<5} {:<10} {shape:<16} at {place}\n", array.role.name(), array.name)
    };
    compiled.arrays.iter().map(line).collect()
}
