//! Writes `fuzz/seeds`: inputs with which the fuzzers start, made from the examples, the documentation and random programs. The same source makes the same seeds.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use arbitrary::Unstructured;
use hawser::assembly::disassemble;
use hawser::language::{Text, compile_with};
use hawser_abi::op::Opcode;
use hawser_fuzz_targets::check_plan::{Control, flags};
use hawser_fuzz_targets::language::{NAMES, SEPARATOR};
use hawser_programs::RandomProgram;
use zerocopy::IntoBytes;

/// Random programs with random limits.
const WITH_LIMITS: u64 = 40;
/// Inputs of the whole path.
const WHOLE_PATH: u64 = 32;

/// Most bytes of a seed: a larger one would hold up the fuzzers, which begin with them all.
const LONGEST: usize = 4096;

fn main() -> io::Result<()> {
    let seeds = repository().join("fuzz/seeds");
    if seeds.exists() {
        fs::remove_dir_all(seeds)?;
    }
    texts()?;
    for opcode in Opcode::ALL {
        let program = smallest_with(opcode).bytes(1);
        check_plan(opcode.name(), Control::default(), &program)?;
        assembly(opcode.name(), &program)?;
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

/// Seeds of texts: the examples and what the documents show, right and wrong, and the programs that they are.
fn texts() -> io::Result<()> {
    let repository = repository();
    let mut programs = examples(&repository.join("examples"))?;
    let document = fs::read_to_string(repository.join("docs/language.md"))?;
    let shown = blocks(&document, "hws");
    let library = shown.iter().find(|block| block.file == Some(NAMES[1]));
    let library = library.map_or("", |block| block.text);
    programs.extend(
        (0..)
            .zip(&shown)
            .map(|(number, block)| (format!("document-{number}"), block.text.to_owned())),
    );
    for (name, text) in &programs {
        let includes = text.contains(&format!("include \"{}\"", NAMES[1]));
        let input = if includes {
            format!("{text}{SEPARATOR}{library}")
        } else {
            text.clone()
        };
        write("language", name, input.as_bytes())?;
        let compiled = compile_with(Text::named(name, text.as_str()), &mut |_: &str, path: &str| {
            Ok::<_, String>(Text::named(path, library))
        });
        if let Ok(compiled) = compiled {
            check_plan(name, Control::default(), compiled.program.bytes())?;
            assembly(name, compiled.program.bytes())?;
        }
    }
    let document = fs::read_to_string(repository.join("docs/assembly.md"))?;
    for (number, block) in (0..).zip(blocks(&document, "hwa")) {
        write("assembly", &format!("document-{number}"), block.text.as_bytes())?;
    }
    Ok(())
}

/// A program as bytes, and as the text of its steps.
fn assembly(name: &str, program: &[u8]) -> io::Result<()> {
    let text = disassemble(program).map_err(io::Error::other)?;
    write("assembly", &format!("{name}.hwp"), program)?;
    write("assembly", &format!("{name}.hwa"), text.as_bytes())
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Writes a seed, if it is not too long.
fn write(target: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
    if bytes.len() > LONGEST {
        return Ok(());
    }
    let folder = repository().join("fuzz/seeds").join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), bytes)
}

fn check_plan(name: &str, control: Control, program: &[u8]) -> io::Result<()> {
    write("check_plan", name, &[control.as_bytes(), program].concat())
}

/// The programs of a folder, with their names.
fn examples(folder: &Path) -> io::Result<Vec<(String, String)>> {
    let mut programs = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            programs.extend(examples(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "hws") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            programs.push((name, fs::read_to_string(path)?));
        }
    }
    Ok(programs)
}

/// A text that a document shows.
struct Block<'d> {
    /// What the document calls its file, if it does.
    file: Option<&'d str>,
    text: &'d str,
}

/// What a document shows of a language: between fences whose first word is its name.
fn blocks<'d>(document: &'d str, language: &str) -> Vec<Block<'d>> {
    let fences = document.split("```").skip(1).step_by(2);
    let shown = fences.filter_map(|fenced| {
        let (head, text) = fenced.split_once('\n')?;
        let mut words = head.split_whitespace();
        (words.next()? == language).then(|| Block {
            file: words.next(),
            text,
        })
    });
    shown.collect()
}

/// Bytes that look random, the same for the same seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    fastrand::Rng::with_seed(seed).fill(&mut bytes);
    bytes
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
