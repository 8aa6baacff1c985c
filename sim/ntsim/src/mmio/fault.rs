//! The signal handler: turns a fault in a context into a call of [`super::trap`] on the context's stack.
//!
//! It runs on the thread's signal stack and only rewrites where the context goes on. Faults outside contexts go to the handlers that were there.

use super::{
    frame::{self, Frame, RED_ZONE, RSP},
    trap,
};
use crate::sched;
use core::ffi::{c_int, c_void};
use std::{cell::Cell, mem::MaybeUninit, ptr, sync::OnceLock};

/// The signals that faults of driver code raise.
const SIGNALS: [c_int; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP];
/// What a context needs of its stack to deal with a fault.
const HEADROOM: usize = 32 * 1024;
/// The stack on which an overflow is reported.
const SPARE_SIZE: usize = 128 * 1024;
/// Flags that the code of the handler must not inherit: trap, direction, alignment check.
const DANGEROUS_FLAGS: i64 = 1 << 8 | 1 << 10 | 1 << 18;

/// The handlers that were there before.
static PREVIOUS: OnceLock<[libc::sigaction; SIGNALS.len()]> = OnceLock::new();

thread_local! {
    /// The highest address of the stack on which an overflow is reported.
    static SPARE: Cell<usize> = const { Cell::new(0) };
}

/// Installs the handler, once per process, and gives the thread the stacks that it needs.
pub(crate) fn install_fault_handler() {
    assert!(
        std::is_x86_feature_detected!("xsave"),
        "register accesses need a processor with XSAVE"
    );
    PREVIOUS.get_or_init(|| SIGNALS.map(install));
    if SPARE.get() == 0 {
        SPARE.set(reserve(SPARE_SIZE).addr() + SPARE_SIZE);
    }
    ensure_signal_stack();
}

fn install(signal: c_int) -> libc::sigaction {
    let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = on_signal;
    // SAFETY: zero is a valid value of every field.
    let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
    action.sa_sigaction = handler as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
    let mut previous = MaybeUninit::uninit();
    // SAFETY: both point to valid memory; the handler keeps to what a signal handler may do.
    let result = unsafe { libc::sigaction(signal, &raw const action, previous.as_mut_ptr()) };
    assert_eq!(result, 0, "a signal handler can be installed");
    // SAFETY: written by the successful call.
    unsafe { previous.assume_init() }
}

/// Memory that stays for the life of the thread.
fn reserve(size: usize) -> *mut c_void {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a fresh anonymous mapping.
    let memory = unsafe { libc::mmap(ptr::null_mut(), size, protection, flags, -1, 0) };
    assert!(memory != libc::MAP_FAILED, "memory for a stack");
    memory
}

/// The standard library gives its threads a signal stack; others may have none.
fn ensure_signal_stack() {
    let mut present = MaybeUninit::<libc::stack_t>::uninit();
    // SAFETY: only asks.
    let result = unsafe { libc::sigaltstack(ptr::null(), present.as_mut_ptr()) };
    assert_eq!(result, 0, "the signal stack can be asked for");
    // SAFETY: written by the successful call.
    if unsafe { present.assume_init() }.ss_flags & libc::SS_DISABLE == 0 {
        return;
    }
    let stack = libc::stack_t {
        ss_sp: reserve(SPARE_SIZE),
        ss_flags: 0,
        ss_size: SPARE_SIZE,
    };
    // SAFETY: the memory stays for the life of the process.
    let result = unsafe { libc::sigaltstack(&raw const stack, ptr::null_mut()) };
    assert_eq!(result, 0, "a signal stack can be set");
}

extern "C" fn on_signal(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    if !sched::in_context() {
        chain(signal, info, context);
        return;
    }
    // SAFETY: with SA_SIGINFO the third argument is the interrupted context, which belongs to the handler until it returns.
    let machine_context = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext };
    // SAFETY: the kernel passes valid information.
    let info_record = unsafe { &*info };
    // SAFETY: for these signals the information has an address.
    let address = unsafe { info_record.si_addr() }.addr();
    let (low, high) = sched::current_stack_bounds();
    let stack = machine_context.gregs[libc::REG_RSP as usize] as usize;
    if (SPARE.get() - SPARE_SIZE..=SPARE.get()).contains(&stack) {
        // The report of an overflow has failed itself.
        chain(signal, info, context);
        return;
    }
    if stack < low + HEADROOM || stack > high {
        // As after a call: the stack pointer is 8 off a multiple of 16.
        redirect(
            machine_context,
            trap::on_stack_overflow as *const () as usize,
            SPARE.get() - 72,
        );
        return;
    }
    let place = (stack - RED_ZONE - size_of::<Frame>()) & !(align_of::<Frame>() - 1);
    let frame: *mut Frame = ptr::with_exposed_provenance_mut(place);
    // SAFETY: that part of the stack is unused: below the red zone, and far from the end of the stack.
    unsafe { frame.write(Frame::EMPTY) };
    // SAFETY: written above.
    fill(unsafe { &mut *frame }, &machine_context.gregs, signal, address);
    machine_context.gregs[libc::REG_RDI as usize] = place as i64;
    redirect(machine_context, frame::enter as *const () as usize, place);
}

fn fill(frame: &mut Frame, registers: &[i64; 23], signal: c_int, address: usize) {
    const ORDER: [c_int; 16] = [
        libc::REG_RAX,
        libc::REG_RCX,
        libc::REG_RDX,
        libc::REG_RBX,
        libc::REG_RSP,
        libc::REG_RBP,
        libc::REG_RSI,
        libc::REG_RDI,
        libc::REG_R8,
        libc::REG_R9,
        libc::REG_R10,
        libc::REG_R11,
        libc::REG_R12,
        libc::REG_R13,
        libc::REG_R14,
        libc::REG_R15,
    ];
    const _: () = assert!(ORDER[RSP] == libc::REG_RSP);
    for (to, from) in frame.general.iter_mut().zip(ORDER) {
        *to = registers[from as usize].cast_unsigned();
    }
    frame.rip = registers[libc::REG_RIP as usize].cast_unsigned();
    frame.flags = registers[libc::REG_EFL as usize].cast_unsigned();
    frame.signal = signal;
    frame.address = address as u64;
}

/// Has the interrupted context go on somewhere else.
fn redirect(context: &mut libc::mcontext_t, to: usize, stack: usize) {
    context.gregs[libc::REG_RIP as usize] = to as i64;
    context.gregs[libc::REG_RSP as usize] = stack as i64;
    context.gregs[libc::REG_EFL as usize] &= !DANGEROUS_FLAGS;
}

/// Leaves the signal to the handler that was there before.
fn chain(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let index = SIGNALS.iter().position(|other| *other == signal);
    let previous = PREVIOUS
        .get()
        .zip(index)
        .and_then(|(previous, index)| previous.get(index));
    match previous {
        Some(action) if action.sa_flags & libc::SA_SIGINFO != 0 => {
            // SAFETY: a handler that was installed with SA_SIGINFO has this signature.
            let handler = unsafe {
                core::mem::transmute::<usize, extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void)>(
                    action.sa_sigaction,
                )
            };
            handler(signal, info, context);
        }
        // SAFETY: the default action then ends the process when the instruction faults again.
        _ => _ = unsafe { libc::signal(signal, libc::SIG_DFL) },
    }
}
