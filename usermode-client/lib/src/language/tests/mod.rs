//! Tests of the whole language: what compiles, to which steps, and where every mistake is found.

mod any_text;
mod directly;
mod formatting;
mod grammar;
mod hostile;
mod included;
mod lowering;
mod mistakes;
mod parts;
mod same_as_builder;
mod values;

use hawser_device::reference;

use super::*;

/// A program that has no mistakes.
#[track_caller]
fn compiled(text: &str) -> Compiled {
    compile("test.hws", text).unwrap_or_else(|mistakes| panic!("{text}\n{:?}", mistakes.list()))
}

/// Code and position of every mistake.
#[track_caller]
fn mistakes(text: &str) -> Vec<String> {
    let mistakes = compile("test.hws", text).expect_err(text);
    let describe = |mistake: &Mistake| format!("{} {}", mistake.problem.code(), mistakes.position(mistake));
    mistakes.list().iter().map(describe).collect()
}

/// Runs a program with these bytes in its arrays; the bytes of its data buffer afterwards.
#[track_caller]
fn run(compiled: &Compiled, inputs: &[(&str, &[u8])]) -> Vec<u8> {
    let mut data = vec![0xA5; compiled.program.data_size() as usize];
    for (name, bytes) in inputs {
        let offset = compiled.array(name).expect("the array is declared").offset as usize;
        data[offset..offset + bytes.len()].copy_from_slice(bytes);
    }
    reference::run(compiled.program.bytes(), &mut data).expect("the program runs");
    data
}

/// The bytes of an array in a data buffer.
fn bytes_of<'d>(compiled: &Compiled, data: &'d [u8], name: &str) -> &'d [u8] {
    let array = compiled.array(name).expect("the array is declared");
    &data[array.offset as usize..(array.offset + array.length()) as usize]
}
