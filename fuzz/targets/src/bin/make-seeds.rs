//! Writes `fuzz/seeds`: inputs with which the fuzzers start, made from the examples, the documentation and random programs. The same source makes the same seeds.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use arbitrary::Unstructured;
use hawser::language::compile;
use hawser_abi::op::Opcode;
use hawser_fuzz_targets::check_plan::{Control, flags};
use hawser_programs::RandomProgram;
use zerocopy::IntoBytes;

/// Random programs with random limits.
const WITH_LIMITS: u64 = 40;
/// Inputs of the whole path.
const WHOLE_PATH: u64 = 32;

fn main() -> io::Result<()> {
    let texts = texts(&repository())?;
    for (name, text) in &texts {
        write("language", name, text.as_bytes())?;
        if let Ok(compiled) = compile(name, text) {
            check_plan(name, Control::default(), compiled.program.bytes())?;
        }
    }
    for opcode in Opcode::ALL {
        check_plan(opcode.name(), Control::default(), &smallest_with(opcode).bytes(1))?;
    }
    for number in 0..WITH_LIMITS {
        let control = control(number);
        let bytes = program(number, 64 << (number % 9)).bytes(number);
        check_plan(&format!("limits-{number}"), control, &bytes)?;
    }
    for number in 0..WHOLE_PATH {
        let length = [80, 400, 1200][number as usize % 3];
        write("whole_path", &format!("random-{number}"), &noise(number + 1000, length))?;
    }
    Ok(())
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn write(target: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
    let folder = repository().join("fuzz/seeds").join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), bytes)
}

fn check_plan(name: &str, control: Control, program: &[u8]) -> io::Result<()> {
    write("check_plan", name, &[control.as_bytes(), program].concat())
}

/// The examples, and the programs that the documentation of the language shows, right and wrong.
fn texts(repository: &Path) -> io::Result<Vec<(String, String)>> {
    let mut texts = Vec::new();
    let mut folders = vec![repository.join("examples")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "hws") {
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                texts.push((name, fs::read_to_string(path)?));
            }
        }
    }
    let document = fs::read_to_string(repository.join("docs/language.md"))?;
    let shown = document.split("```hws").skip(1).filter_map(|rest| {
        let (_, rest) = rest.split_once('\n')?;
        Some(rest.split_once("```")?.0.to_owned())
    });
    texts.extend(
        (0..)
            .zip(shown)
            .map(|(number, text)| (format!("document-{number}"), text)),
    );
    Ok(texts)
}

/// Bytes that look random, the same for the same seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let words = (0..length.div_ceil(8)).flat_map(|_| next().to_le_bytes());
    words.take(length).collect()
}

fn program(seed: u64, data_size: u64) -> RandomProgram {
    let drawn = RandomProgram::draw(&mut Unstructured::new(&noise(seed, 400)), data_size);
    drawn.expect("random programs can always be drawn")
}

/// The shortest of some programs that have the operation.
fn smallest_with(opcode: Opcode) -> RandomProgram {
    let has = |program: &RandomProgram| program.steps.iter().any(|step| step.opcode == opcode as u8);
    let programs = (0..400).map(|seed| program(seed, 1024)).filter(has);
    let smallest = programs.min_by_key(|program| program.steps.len());
    smallest.expect("every operation comes up in 400 programs")
}

fn control(number: u64) -> Control {
    let bytes = noise(number + 500, 16);
    let byte = |at: usize| bytes[at];
    Control {
        // With any of the costs.
        flags: byte(0) & (flags::SCATTERED | 0xF0),
        line: byte(1) % 8,
        mappings: byte(2) % 10,
        registers: byte(3) % 8,
        page_offset: u16::from_le_bytes([byte(4), byte(5)]),
        seed: u32::from_le_bytes([byte(6), byte(7), byte(8), byte(9)]),
        ..Control::default()
    }
}
