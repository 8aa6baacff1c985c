//! What a fault in a context means.

use super::{
    decode::{self, Instruction},
    emulate,
    frame::Frame,
    mapping::Place,
};
use crate::{
    cross::{Domain, in_domain},
    machine,
    pci::{self, Access},
    sched,
    trace::{self, Kind},
    verifier::{self, mmio},
};

/// A fault of the running context. Comes back when the instruction has been carried out; the frame then says where the context goes on.
pub(super) unsafe extern "C" fn on_fault(frame: *mut Frame) {
    // SAFETY: the signal handler made the frame on this stack, for this call only.
    let frame = unsafe { &mut *frame };
    // The condition codes of simulator code in between do not matter: the frame has those of the context.
    in_domain(Domain::Kernel, || handle(frame));
}

/// The stack of the running context has overflowed. Runs on a spare stack.
pub(super) unsafe extern "C" fn on_stack_overflow() -> ! {
    verifier::fatal(
        mmio::STACK_OVERFLOW,
        [0; 3],
        "a kernel stack overflowed: endless recursion, or too much on the stack",
    )
}

fn handle(frame: &mut Frame) {
    if frame.signal != libc::SIGSEGV && frame.signal != libc::SIGBUS {
        // A breakpoint is reported behind its instruction, which is one byte long.
        let place = frame.rip - u64::from(frame.signal == libc::SIGTRAP);
        let text = format!("{} raised signal {}", decode::at(place).text(), frame.signal);
        verifier::fatal(mmio::TRAPPING_INSTRUCTION, [frame.rip, 0, 0], text);
    }
    match machine::with(|m| m.mmio.place_of(frame.address as usize)) {
        Place::Registers { .. } => access(frame),
        Place::Unmapped(who) => {
            let text = format!(
                "{} touched registers after MmUnmapIoSpace (mapped by {who})",
                decode::at(frame.rip).text()
            );
            verifier::fatal(mmio::REGISTER_USE_AFTER_UNMAP, [frame.address, 0, 0], text);
        }
        Place::Explained(rule, text) => verifier::fatal(rule, [frame.address, 0, 0], text),
        Place::Nothing => {
            let text = format!(
                "{} touched address {:#x}, where nothing is",
                decode::at(frame.rip).text(),
                frame.address
            );
            verifier::fatal(mmio::INVALID_MEMORY, [frame.address, frame.rip, 0], text);
        }
    }
}

/// Carries out an instruction that accesses registers.
fn access(frame: &mut Frame) {
    sched::point("register access");
    let instruction = decode::at(frame.rip);
    let result = emulate::run(
        &instruction,
        frame,
        &mut Bus {
            instruction: &instruction,
        },
    );
    if let Err(emulate::Unsupported) = result {
        let text = format!(
            "registers were accessed by `{}`, which is not an instruction for registers",
            instruction.text()
        );
        verifier::fatal(mmio::REGISTER_INSTRUCTION, [frame.rip, 0, 0], text);
    }
    sched::point("register access");
}

/// The registers as the memory of an instruction.
struct Bus<'a> {
    instruction: &'a Instruction,
}

impl Bus<'_> {
    /// What is at an address now: mappings can change while the context is at a scheduling point.
    fn target(&self, address: u64, width: u8) -> Option<(pci::FunctionId, Access)> {
        let Place::Registers {
            function,
            bar,
            offset,
            left,
        } = machine::with(|m| m.mmio.place_of(address as usize))
        else {
            let text = format!(
                "`{}` reaches {address:#x}, where no registers are",
                self.instruction.text()
            );
            verifier::fatal(mmio::REGISTER_OUT_OF_BOUNDS, [address, 0, 0], text);
        };
        let access = Access { bar, offset, width };
        let shown = format!("BAR{bar}+{offset:#x}, {width} bytes");
        if !matches!(width, 1 | 2 | 4 | 8) || offset % u64::from(width) != 0 {
            let text = format!("`{}` accesses {shown}: not naturally aligned", self.instruction.text());
            verifier::fatal(mmio::REGISTER_ACCESS_SHAPE, [offset, u64::from(width), 0], text);
        }
        if u64::from(width) > left {
            let text = format!("`{}` accesses {shown}: past what was mapped", self.instruction.text());
            verifier::violation_with(mmio::REGISTER_OUT_OF_BOUNDS, [address, u64::from(width), 0], text);
            return None;
        }
        if !machine::with(|m| m.pci.slot(function).is_some_and(|slot| slot.may_be_accessed())) {
            let text = format!("access to {shown} while the device is not in D0 or its memory decoding is off");
            verifier::violation_with(mmio::REGISTER_NOT_IN_D0, [offset, u64::from(width), 0], text);
        }
        Some((function, access))
    }
}

impl emulate::Memory for Bus<'_> {
    fn read(&mut self, address: u64, width: u8) -> u64 {
        let Some((function, access)) = self.target(address, width) else {
            return u64::MAX;
        };
        let value = pci::register_read(function, access);
        machine::with(|m| m.mmio.count_read(m, function, access));
        trace::emit(Kind::Register, "read", || describe(access, value));
        trace::mix_return("register", Some(access.offset ^ value));
        value
    }

    fn write(&mut self, address: u64, width: u8, value: u64) {
        let Some((function, access)) = self.target(address, width) else {
            return;
        };
        if machine::with(|m| m.mmio.is_read_only(address as usize)) {
            let text = format!(
                "`{}` writes registers that were mapped PAGE_READONLY",
                self.instruction.text()
            );
            verifier::violation_with(mmio::REGISTER_READ_ONLY, [address, 0, 0], text);
            return;
        }
        machine::with(|m| m.mmio.count_write(m, function, access));
        trace::emit(Kind::Register, "write", || describe(access, value));
        trace::mix_return("register", Some(access.offset ^ value));
        pci::register_write(function, access, value);
    }
}

fn describe(access: Access, value: u64) -> String {
    format!(
        "BAR{}+{:#x} {} bytes {value:#x}",
        access.bar, access.offset, access.width
    )
}
