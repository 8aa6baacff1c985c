//! Carries out one instruction with a memory operand, of the forms that compilers emit for volatile accesses.

use super::{
    decode::Instruction,
    flags::{Arithmetic, compute, keep_carry, set_carry},
    frame::Frame,
};
use iced_x86::{Mnemonic, OpKind, Register};

/// What the instruction's memory operand reaches.
pub(super) trait Memory {
    /// Reads so many bytes.
    fn read(&mut self, address: u64, width: u8) -> u64;
    /// Writes so many bytes.
    fn write(&mut self, address: u64, width: u8, value: u64);
}

/// The instruction is not one of those.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unsupported;

/// Where an arithmetic result goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    Result,
    FlagsOnly,
}

/// Carries out the instruction and moves the frame behind it. Changes nothing when it is not supported.
pub(super) fn run(instruction: &Instruction, frame: &mut Frame, memory: &mut dyn Memory) -> Result<(), Unsupported> {
    let mut step = Step::new(instruction, frame, memory)?;
    use Mnemonic as M;
    match instruction.0.mnemonic() {
        M::Mov => step.mov()?,
        M::Movzx => step.load(Extension::Zero)?,
        M::Movsx | M::Movsxd => step.load(Extension::Sign)?,
        M::Add => step.arithmetic(Arithmetic::Add, Keep::Result)?,
        M::Sub => step.arithmetic(Arithmetic::Sub, Keep::Result)?,
        M::And => step.arithmetic(Arithmetic::And, Keep::Result)?,
        M::Or => step.arithmetic(Arithmetic::Or, Keep::Result)?,
        M::Xor => step.arithmetic(Arithmetic::Xor, Keep::Result)?,
        M::Cmp => step.arithmetic(Arithmetic::Sub, Keep::FlagsOnly)?,
        M::Test => step.arithmetic(Arithmetic::And, Keep::FlagsOnly)?,
        M::Inc => step.increment(Arithmetic::Add),
        M::Dec => step.increment(Arithmetic::Sub),
        M::Not => step.not(),
        M::Neg => step.negate(),
        M::Bt => step.bit_test()?,
        _ => return Err(Unsupported),
    }
    frame.rip = instruction.0.next_ip();
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extension {
    Zero,
    Sign,
}

/// One instruction being carried out.
struct Step<'a> {
    instruction: &'a iced_x86::Instruction,
    frame: &'a mut Frame,
    memory: &'a mut dyn Memory,
    address: u64,
    width: u8,
}

impl<'a> Step<'a> {
    fn new(
        instruction: &'a Instruction,
        frame: &'a mut Frame,
        memory: &'a mut dyn Memory,
    ) -> Result<Self, Unsupported> {
        let instruction = &instruction.0;
        let operand = (0..instruction.op_count()).find(|op| instruction.op_kind(*op) == OpKind::Memory);
        let operand = operand.ok_or(Unsupported)?;
        let width = instruction.memory_size().size();
        if !matches!(width, 1 | 2 | 4 | 8) || instruction.has_lock_prefix() {
            return Err(Unsupported);
        }
        let address = instruction.virtual_address(operand, 0, |register, _, _| match register {
            Register::FS | Register::GS => None,
            register if register.is_segment_register() => Some(0),
            register => frame.get(register),
        });
        Ok(Self {
            instruction,
            address: address.ok_or(Unsupported)?,
            width: width as u8,
            frame,
            memory,
        })
    }

    fn read(&mut self) -> u64 {
        self.memory.read(self.address, self.width)
    }

    fn write(&mut self, value: u64) {
        self.memory.write(self.address, self.width, value);
    }

    /// The value of an operand that is not memory.
    fn source(&self, operand: u32) -> Result<u64, Unsupported> {
        match self.instruction.op_kind(operand) {
            OpKind::Register => self.frame.get(self.instruction.op_register(operand)).ok_or(Unsupported),
            OpKind::Memory => Err(Unsupported),
            _ => self.instruction.try_immediate(operand).map_err(|_| Unsupported),
        }
    }

    fn to_memory(&self) -> bool {
        self.instruction.op0_kind() == OpKind::Memory
    }

    fn set(&mut self, value: u64) {
        let done = self.frame.set(self.instruction.op0_register(), value);
        debug_assert!(done.is_some(), "operands were checked before");
    }

    fn has_register(&self) -> Result<(), Unsupported> {
        self.frame
            .get(self.instruction.op0_register())
            .map(drop)
            .ok_or(Unsupported)
    }

    fn mov(&mut self) -> Result<(), Unsupported> {
        if self.to_memory() {
            let value = self.source(1)?;
            self.write(value);
        } else {
            self.has_register()?;
            let value = self.read();
            self.set(value);
        }
        Ok(())
    }

    fn load(&mut self, extension: Extension) -> Result<(), Unsupported> {
        self.has_register()?;
        let value = self.read();
        let unused = 64 - 8 * u32::from(self.width);
        let value = match extension {
            Extension::Zero => value,
            Extension::Sign => ((value << unused).cast_signed() >> unused).cast_unsigned(),
        };
        self.set(value);
        Ok(())
    }

    fn arithmetic(&mut self, what: Arithmetic, keep: Keep) -> Result<(), Unsupported> {
        let to_memory = self.to_memory();
        let other = self.source(u32::from(to_memory))?;
        let value = self.read();
        let operands = if to_memory { (value, other) } else { (other, value) };
        let (result, flags) = compute(what, self.width.into(), operands, self.frame.flags);
        match (keep, to_memory) {
            (Keep::FlagsOnly, _) => {}
            (Keep::Result, true) => self.write(result),
            (Keep::Result, false) => self.set(result),
        }
        self.frame.flags = flags;
        Ok(())
    }

    fn increment(&mut self, what: Arithmetic) {
        let value = self.read();
        let (result, flags) = compute(what, self.width.into(), (value, 1), self.frame.flags);
        self.write(result);
        self.frame.flags = keep_carry(flags, self.frame.flags);
    }

    fn not(&mut self) {
        let value = self.read();
        self.write(!value);
    }

    fn negate(&mut self) {
        let value = self.read();
        let (result, flags) = compute(Arithmetic::Sub, self.width.into(), (0, value), self.frame.flags);
        self.write(result);
        self.frame.flags = flags;
    }

    /// With an immediate; a register as bit number can reach past the operand.
    fn bit_test(&mut self) -> Result<(), Unsupported> {
        if self.instruction.op1_kind() != OpKind::Immediate8 {
            return Err(Unsupported);
        }
        let bit = self.source(1)? % (8 * u64::from(self.width));
        let value = self.read();
        self.frame.flags = set_carry(self.frame.flags, value >> bit & 1 != 0);
        Ok(())
    }
}
