//! `hawser disasm`: the steps of a program as text.

use hawser::language::{Compiled, Role};
use serde_json::json;

use crate::args::DisasmArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::program_file::ProgramFile;
use crate::say::say;

/// Prints the steps of a program.
pub fn disasm(args: &DisasmArgs) -> Result<Exit, Failure> {
    let file = ProgramFile::load(&args.file)?;
    let compiled = &file.compiled;
    let text = hawser::assembly::disassemble(compiled.program.bytes()).map_err(|cause| Failure::NotWhole {
        path: args.file.clone(),
        cause,
    })?;
    let text = arrays(compiled) + &text;
    if args.json {
        let report = json!({ "schema": "hawser.disasm/1", "exit": 0, "file": file.name, "assembly": text });
        say!("{report:#}");
    } else {
        say!("{}", text.trim_end());
    }
    Ok(Exit::Success)
}

/// Where the arrays of a program lie, as comments of assembly.
fn arrays(compiled: &Compiled) -> String {
    let line = |array: &hawser::language::NamedArray| {
        let space = if array.role == Role::Temp { "scratch" } else { "data" };
        let place = format!("{space}[{}]", array.offset);
        let dimensions: Vec<String> = array.shape.iter().map(u64::to_string).collect();
        let shape = format!("{}[{}]", array.element.name(), dimensions.join(", "));
        format!("# {:<5} {:<10} {shape:<16} at {place}\n", array.role.name(), array.name)
    };
    compiled.arrays.iter().map(line).collect()
}
