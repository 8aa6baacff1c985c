//! eBPF programs, and the verifiers of `rbpf` and `solana-sbpf`, which take the same ones.

use fastrand::Rng;
use rbpf::ebpf;
use solana_sbpf::program::{FunctionRegistry, SBPFVersion};
use solana_sbpf::verifier::{RequisiteVerifier, Verifier};

use super::Mix;

/// Bytes of an instruction.
pub const INSTRUCTION: usize = ebpf::INSN_SIZE;

/// Instructions that both verifiers take, by what has to be right about them.
const PLAIN: [u8; 42] = [
    ebpf::ADD32_IMM,
    ebpf::ADD32_REG,
    ebpf::SUB32_IMM,
    ebpf::SUB32_REG,
    ebpf::MUL32_IMM,
    ebpf::MUL32_REG,
    ebpf::DIV32_REG,
    ebpf::OR32_IMM,
    ebpf::OR32_REG,
    ebpf::AND32_IMM,
    ebpf::AND32_REG,
    ebpf::LSH32_REG,
    ebpf::RSH32_REG,
    ebpf::NEG32,
    ebpf::MOD32_REG,
    ebpf::XOR32_IMM,
    ebpf::XOR32_REG,
    ebpf::MOV32_IMM,
    ebpf::MOV32_REG,
    ebpf::ARSH32_REG,
    ebpf::ADD64_IMM,
    ebpf::ADD64_REG,
    ebpf::SUB64_IMM,
    ebpf::SUB64_REG,
    ebpf::MUL64_IMM,
    ebpf::MUL64_REG,
    ebpf::DIV64_REG,
    ebpf::OR64_IMM,
    ebpf::OR64_REG,
    ebpf::AND64_IMM,
    ebpf::AND64_REG,
    ebpf::LSH64_REG,
    ebpf::RSH64_REG,
    ebpf::NEG64,
    ebpf::MOD64_REG,
    ebpf::XOR64_IMM,
    ebpf::XOR64_REG,
    ebpf::MOV64_IMM,
    ebpf::MOV64_REG,
    ebpf::ARSH64_REG,
    ebpf::LD_W_REG,
    ebpf::LD_DW_REG,
];
const NONZERO: [u8; 10] = [
    ebpf::DIV32_IMM,
    ebpf::MOD32_IMM,
    ebpf::DIV64_IMM,
    ebpf::MOD64_IMM,
    ebpf::LSH32_IMM,
    ebpf::RSH32_IMM,
    ebpf::ARSH32_IMM,
    ebpf::LSH64_IMM,
    ebpf::RSH64_IMM,
    ebpf::ARSH64_IMM,
];
const ENDIAN: [u8; 2] = [ebpf::LE, ebpf::BE];
const MEMORY: [u8; 10] = [
    ebpf::LD_B_REG,
    ebpf::LD_H_REG,
    ebpf::ST_B_IMM,
    ebpf::ST_H_IMM,
    ebpf::ST_W_IMM,
    ebpf::ST_DW_IMM,
    ebpf::ST_B_REG,
    ebpf::ST_H_REG,
    ebpf::ST_W_REG,
    ebpf::ST_DW_REG,
];
const JUMPS: [u8; 23] = [
    ebpf::JA,
    ebpf::JEQ_IMM,
    ebpf::JEQ_REG,
    ebpf::JGT_IMM,
    ebpf::JGT_REG,
    ebpf::JGE_IMM,
    ebpf::JGE_REG,
    ebpf::JLT_IMM,
    ebpf::JLT_REG,
    ebpf::JLE_IMM,
    ebpf::JLE_REG,
    ebpf::JSET_IMM,
    ebpf::JSET_REG,
    ebpf::JNE_IMM,
    ebpf::JNE_REG,
    ebpf::JSGT_IMM,
    ebpf::JSGT_REG,
    ebpf::JSGE_IMM,
    ebpf::JSGE_REG,
    ebpf::JSLT_IMM,
    ebpf::JSLT_REG,
    ebpf::JSLE_IMM,
    ebpf::JSLE_REG,
];
/// An operation of each kind, as a loop over an array has them.
const PATTERN: [u8; 8] = [
    ebpf::LD_DW_REG,
    ebpf::ADD64_REG,
    ebpf::MUL64_IMM,
    ebpf::ST_DW_REG,
    ebpf::ADD64_IMM,
    ebpf::XOR64_REG,
    ebpf::JNE_IMM,
    ebpf::MOV64_REG,
];
/// How far jumps go.
const NEAR: i64 = 1000;

/// Programs of `count` instructions that have `distinct` of them together, or a few more.
pub fn pool(mix: Mix, count: u32, distinct: u32) -> Vec<Vec<u8>> {
    let seeds = 0..distinct.div_ceil(count);
    seeds.map(|seed| program(mix, count as usize, seed.into())).collect()
}

/// A program of `count` instructions that ends as it should.
pub fn program(mix: Mix, count: usize, seed: u64) -> Vec<u8> {
    let mut dice = Rng::with_seed(seed);
    let mut instructions = Vec::with_capacity(count);
    while instructions.len() + 1 < count {
        let opcode = match mix {
            Mix::Ordered => PATTERN[instructions.len() % PATTERN.len()],
            Mix::Random => random_opcode(&mut dice),
        };
        let pair = opcode == ebpf::LD_DW_IMM;
        if pair && instructions.len() + 2 >= count {
            continue;
        }
        instructions.push(instruction(opcode, &mut dice));
        if pair {
            instructions.push([0, 0, 0, 0, 1, 2, 3, 4]);
        }
    }
    instructions.push([ebpf::EXIT, 0, 0, 0, 0, 0, 0, 0]);
    aim_jumps(&mut instructions, &mut dice);
    instructions.concat()
}

fn random_opcode(dice: &mut Rng) -> u8 {
    let lists: [&[u8]; 6] = [&PLAIN, &NONZERO, &ENDIAN, &MEMORY, &JUMPS, &[ebpf::LD_DW_IMM]];
    let all: usize = lists.iter().map(|list| list.len()).sum();
    let mut choice = dice.usize(..all);
    for list in lists {
        match list.get(choice) {
            Some(opcode) => return *opcode,
            None => choice -= list.len(),
        }
    }
    ebpf::MOV64_IMM
}

fn instruction(opcode: u8, dice: &mut Rng) -> [u8; INSTRUCTION] {
    let registers = dice.u8(..10) | dice.u8(..11) << 4;
    let immediate = match opcode {
        ebpf::LE | ebpf::BE => [16, 32, 64][dice.usize(..3)],
        opcode if NONZERO.contains(&opcode) => dice.i32(1..32),
        _ => dice.i32(..),
    };
    let [a, b, c, d] = immediate.to_le_bytes();
    [opcode, registers, 0, 0, a, b, c, d]
}

/// Gives every jump a near target that is neither itself nor the second half of a long load.
fn aim_jumps(instructions: &mut [[u8; INSTRUCTION]], dice: &mut Rng) {
    for at in 0..instructions.len() {
        while JUMPS.contains(&instructions[at][0]) {
            let offset = dice.i64(-NEAR..NEAR);
            let target = at as i64 + 1 + offset;
            let hit = usize::try_from(target).ok().and_then(|target| instructions.get(target));
            if offset != -1 && hit.is_some_and(|target| target[0] != 0) {
                let [low, high] = (offset as i16).to_le_bytes();
                [instructions[at][2], instructions[at][3]] = [low, high];
                break;
            }
        }
    }
}

/// Breaks the last instruction of a program, whose destination becomes a register that does not exist.
pub fn broken_at_the_end(mut program: Vec<u8>) -> Vec<u8> {
    let last = program.len() - INSTRUCTION;
    program[last + 1] = 11;
    program
}

/// Runs `rbpf`'s verifier; whether it accepted.
///
/// It is not public by itself: loading a program also runs a pass over the stack's use, unless the verifier refuses. So what is measured is
/// a program that is [broken at the end](broken_at_the_end), which the verifier reads as a whole, and then refuses.
pub fn rbpf(program: &[u8]) -> bool {
    let Ok(mut machine) = rbpf::EbpfVmMbuff::new(None) else {
        return false;
    };
    machine.set_program(program).is_ok()
}

/// Runs `solana-sbpf`'s verifier of the first version of its instruction set; whether it accepted.
pub fn sbpf(program: &[u8]) -> bool {
    RequisiteVerifier::verify(program, SBPFVersion::V0, &FunctionRegistry::<usize>::default()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn both_verifiers_take_every_program_as_it_is_and_refuse_it_broken() {
        for mix in Mix::ALL {
            for count in [2, 3, 10, 1000] {
                for right in pool(mix, count, 5000) {
                    assert_eq!(right.len(), count as usize * INSTRUCTION);
                    assert!(rbpf(&right) && sbpf(&right));
                    let broken = broken_at_the_end(right);
                    assert!(!rbpf(&broken) && !sbpf(&broken));
                }
            }
        }
    }

    #[test]
    fn a_broken_program_is_read_to_its_end() {
        let broken = broken_at_the_end(program(Mix::Random, 1000, 0));
        let mut machine = rbpf::EbpfVmMbuff::new(None).unwrap();
        let error = machine.set_program(&broken).unwrap_err().to_string();
        assert!(error.contains("destination register (insn #999)"), "{error}");
    }

    #[test]
    fn a_random_program_has_every_instruction() {
        let program = program(Mix::Random, 10_000, 0);
        let opcodes: BTreeSet<u8> = program.chunks(INSTRUCTION).map(|bytes| bytes[0]).collect();
        let lists: [&[u8]; 7] = [
            &PLAIN,
            &NONZERO,
            &ENDIAN,
            &MEMORY,
            &JUMPS,
            &[ebpf::LD_DW_IMM],
            &[0, ebpf::EXIT],
        ];
        assert_eq!(opcodes, lists.concat().into_iter().collect());
    }
}
