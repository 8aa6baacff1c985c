//! WebAssembly modules of one function, and the validator of `wasmparser`.

use fastrand::Rng;
use wasm_encoder::{
    BlockType, CodeSection, Function, FunctionSection, InstructionSink, MemArg, MemArgTarget, MemorySection,
    MemoryType, Module, TypeSection, ValType,
};

use super::Mix;

/// A module, and how many instructions its function has.
pub struct Wasm {
    /// The module's bytes.
    pub bytes: Vec<u8>,
    /// Instructions of the function.
    pub instructions: u32,
}

/// Local variables of the function, all of them `i32`.
const LOCALS: u32 = 8;
const ANYWHERE: MemArg = MemArg {
    offset: 0,
    align: 2,
    target: MemArgTarget::Memory(0),
    ordering: None,
};

/// Modules of at least `count` instructions that have `distinct` of them together, or a few more.
pub fn pool(mix: Mix, count: u32, distinct: u32) -> Vec<Wasm> {
    let seeds = 0..distinct.div_ceil(count);
    seeds.map(|seed| module(mix, count, seed.into())).collect()
}

/// A module whose function has `count` instructions, or up to four more.
pub fn module(mix: Mix, count: u32, seed: u64) -> Wasm {
    let mut dice = Rng::with_seed(seed);
    let mut function = Function::new([(LOCALS, ValType::I32)]);
    let mut instructions = 1;
    let mut statement = 0;
    while instructions < count {
        let kind = match mix {
            Mix::Random => dice.u32(..STATEMENTS),
            Mix::Ordered => statement % STATEMENTS,
        };
        instructions += add_statement(&mut function.instructions(), kind, &mut dice);
        statement += 1;
    }
    function.instructions().end();
    Wasm {
        bytes: module_of(&function),
        instructions,
    }
}

const STATEMENTS: u32 = 6;

/// Adds a statement that leaves the stack as it was; returns its instructions.
fn add_statement(sink: &mut InstructionSink<'_>, kind: u32, dice: &mut Rng) -> u32 {
    let [a, b, c] = [(); 3].map(|()| dice.u32(..LOCALS));
    match kind {
        0 => sink.local_get(a).local_get(b).i32_add().local_set(c),
        1 => sink.local_get(a).i32_const(dice.i32(..)).i32_mul().local_set(c),
        2 => sink.local_get(a).i32_load(ANYWHERE).i32_eqz().local_set(c),
        3 => sink.local_get(a).local_get(b).i32_store(ANYWHERE).nop(),
        4 => sink.block(BlockType::Empty).local_get(a).br_if(0).end(),
        _ => sink.local_get(a).local_get(b).i32_xor().local_set(c),
    };
    4
}

fn module_of(function: &Function) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut code = CodeSection::new();
    code.function(function);
    let mut module = Module::new();
    module
        .section(&types)
        .section(&functions)
        .section(&memories)
        .section(&code);
    module.finish()
}

/// Validates a module; whether it was accepted.
pub fn validate(module: &Wasm) -> bool {
    wasmparser::Validator::new().validate_all(&module.bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn modules_have_the_instructions_that_they_should_and_are_valid() {
        for mix in Mix::ALL {
            for count in [1, 10, 1000] {
                for module in pool(mix, count, 3000) {
                    assert!((count..count + 5).contains(&module.instructions));
                    assert_eq!(operators(&module).len() as u32, module.instructions);
                    assert!(validate(&module));
                }
            }
        }
    }

    #[test]
    fn a_wrong_module_is_refused() {
        let mut module = module(Mix::Random, 100, 0);
        // In front of the function's last `end`.
        let at = module.bytes.len() - 2;
        module.bytes[at] = 0xFF;
        assert!(!validate(&module));
    }

    #[test]
    fn a_random_module_has_the_instructions_that_the_documentation_says() {
        let found: BTreeSet<String> = operators(&module(Mix::Random, 1000, 0)).into_iter().collect();
        let wanted = [
            "Block", "BrIf", "End", "I32Add", "I32Const", "I32Eqz", "I32Load", "I32Mul", "I32Store", "I32Xor",
            "LocalGet", "LocalSet", "Nop",
        ];
        assert_eq!(found, wanted.map(str::to_owned).into());
    }

    /// Names of the instructions, as the parser finds them.
    fn operators(module: &Wasm) -> Vec<String> {
        let mut found = Vec::new();
        for payload in wasmparser::Parser::new(0).parse_all(&module.bytes) {
            if let wasmparser::Payload::CodeSectionEntry(body) = payload.unwrap() {
                for operator in body.get_operators_reader().unwrap() {
                    let shown = format!("{:?}", operator.unwrap());
                    let name = shown.split([' ', '{']).next().unwrap_or_default();
                    found.push(name.to_owned());
                }
            }
        }
        found
    }
}
