//! The state of a context at a fault, and the way back into it.

use core::arch::naked_asm;
use iced_x86::Register;

/// The part of the extended state that is saved: x87, SSE, AVX, AVX-512. Nothing else is changed by what runs in between.
const EXTENDED_STATE: u32 = 0xE7;
/// Space for it: 2688 bytes in the standard format, rounded up.
const EXTENDED_SIZE: usize = 3072;
/// The area that the ABI lets a function use below its stack pointer.
pub(super) const RED_ZONE: usize = 128;

/// The state of a context at a fault. Lives on the context's stack, below the red zone.
#[repr(C, align(64))]
pub(super) struct Frame {
    extended: [u8; EXTENDED_SIZE],
    /// General registers in the order of their encoding: rax rcx rdx rbx rsp rbp rsi rdi r8..r15.
    pub(super) general: [u64; 16],
    pub(super) rip: u64,
    pub(super) flags: u64,
    /// The address that was touched.
    pub(super) address: u64,
    /// The signal.
    pub(super) signal: i32,
    /// The last words stay free: the way back uses the one just below the red zone.
    _slack: [u64; 8],
}

/// Index of `rsp` in [`Frame::general`].
pub(super) const RSP: usize = 4;

impl Frame {
    /// A frame without extended state, which [`enter`] saves.
    pub(super) const EMPTY: Self = Self {
        extended: [0; EXTENDED_SIZE],
        general: [0; 16],
        rip: 0,
        flags: 0,
        address: 0,
        signal: 0,
        _slack: [0; 8],
    };

    /// The value of a general register of any width; `None` for other registers.
    pub(super) fn get(&self, register: Register) -> Option<u64> {
        let whole = *self.general.get(index(register)?)?;
        Some(match register {
            Register::AH | Register::CH | Register::DH | Register::BH => whole >> 8 & 0xFF,
            _ => whole & mask(register.size()),
        })
    }

    /// Sets a general register as an instruction does: 32-bit writes clear the upper half, narrower ones keep the rest.
    pub(super) fn set(&mut self, register: Register, value: u64) -> Option<()> {
        let whole = self.general.get_mut(index(register)?)?;
        *whole = match (register, register.size()) {
            (Register::AH | Register::CH | Register::DH | Register::BH, _) => *whole & !0xFF00 | (value & 0xFF) << 8,
            (_, 4 | 8) => value & mask(register.size()),
            (_, size) => *whole & !mask(size) | value & mask(size),
        };
        Some(())
    }
}

/// The bits of a value of so many bytes.
pub(super) fn mask(bytes: usize) -> u64 {
    match bytes {
        0 => 0,
        1..8 => (1 << (8 * bytes)) - 1,
        _ => u64::MAX,
    }
}

fn index(register: Register) -> Option<usize> {
    register.is_gpr().then(|| register.full_register().number())
}

/// Saves the extended state, calls [`super::trap::on_fault`] with the frame in `rdi`, and resumes the context as the frame then says.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn enter() {
    naked_asm!(
        "mov rbx, rdi",
        "mov eax, {mask}",
        "xor edx, edx",
        "xsave64 [rbx]",
        "mov rdi, rbx",
        "call {on_fault}",
        "mov eax, {mask}",
        "xor edx, edx",
        "xrstor64 [rbx]",
        // Where to go on is put below the red zone of where to go on.
        "mov rax, [rbx + {general} + 8*4]",
        "mov rcx, [rbx + {rip}]",
        "mov [rax - {below}], rcx",
        "push qword ptr [rbx + {flags}]",
        "popfq",
        "mov rax, [rbx + {general}]",
        "mov rcx, [rbx + {general} + 8*1]",
        "mov rdx, [rbx + {general} + 8*2]",
        "mov rbp, [rbx + {general} + 8*5]",
        "mov rsi, [rbx + {general} + 8*6]",
        "mov rdi, [rbx + {general} + 8*7]",
        "mov r8, [rbx + {general} + 8*8]",
        "mov r9, [rbx + {general} + 8*9]",
        "mov r10, [rbx + {general} + 8*10]",
        "mov r11, [rbx + {general} + 8*11]",
        "mov r12, [rbx + {general} + 8*12]",
        "mov r13, [rbx + {general} + 8*13]",
        "mov r14, [rbx + {general} + 8*14]",
        "mov r15, [rbx + {general} + 8*15]",
        "mov rsp, [rbx + {general} + 8*4]",
        "mov rbx, [rbx + {general} + 8*3]",
        "jmp qword ptr [rsp - {below}]",
        mask = const EXTENDED_STATE,
        on_fault = sym super::trap::on_fault,
        general = const core::mem::offset_of!(Frame, general),
        rip = const core::mem::offset_of!(Frame, rip),
        flags = const core::mem::offset_of!(Frame, flags),
        below = const RED_ZONE + 8,
    )
}

#[cfg(test)]
mod tests {
    use super::{Frame, Register};

    #[test]
    fn registers_are_read_and_written_as_instructions_do() {
        let mut frame = Frame {
            general: [0x1111_2222_3333_4455; 16],
            ..Frame::EMPTY
        };
        assert_eq!(frame.get(Register::AH), Some(0x44));
        assert_eq!(frame.get(Register::R9D), Some(0x3333_4455));
        assert_eq!(frame.get(Register::XMM0), None);
        frame.set(Register::AL, 0xAB).unwrap();
        frame.set(Register::BH, 0xCD).unwrap();
        frame.set(Register::R10W, 0x1_BEEF).unwrap();
        frame.set(Register::EDX, 7).unwrap();
        assert_eq!(frame.general[0], 0x1111_2222_3333_44AB);
        assert_eq!(frame.general[3], 0x1111_2222_3333_CD55);
        assert_eq!(frame.general[10], 0x1111_2222_3333_BEEF);
        assert_eq!(frame.general[2], 7);
    }
}
