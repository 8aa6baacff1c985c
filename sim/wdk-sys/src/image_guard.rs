//! Control Flow Guard: the load configuration, and what guarded calls go through until the system takes over.
//!
//! Compiled code calls a function pointer through one of two pointers defined here. They lead to code that lets every
//! call pass. A system that enforces the guard replaces them when it loads the image, and checks calls against the
//! table that the linker makes. In a program the C runtime defines all of this; a kernel image has none.

use core::arch::global_asm;

#[cfg(target_arch = "x86_64")]
global_asm!(
    ".section .text,\"xr\"",
    "hawser_guard_dispatch:", // the target is in rax
    "jmp rax",
    "hawser_guard_check:", // the target is in rcx
    "ret",
);

#[cfg(target_arch = "aarch64")]
global_asm!(
    ".section .text,\"xr\"",
    ".p2align 2",
    "hawser_guard_dispatch:", // the target is in x9
    "br x9",
    "hawser_guard_check:", // the target is in x15
    "ret",
);

// The directory has the length that ends behind the table of long jumps; the symbols named `__guard_*` that are not
// defined here come from the linker.
global_asm!(
    ".section .00cfg,\"dr\"",
    ".p2align 3",
    ".globl __guard_check_icall_fptr",
    "__guard_check_icall_fptr:",
    ".quad hawser_guard_check",
    ".globl __guard_dispatch_icall_fptr",
    "__guard_dispatch_icall_fptr:",
    ".quad hawser_guard_dispatch",
    ".section .rdata,\"dr\"",
    ".p2align 3",
    ".globl _load_config_used",
    "_load_config_used:",
    ".long 0xC0",
    ".zero 0x6C",
    ".quad __guard_check_icall_fptr",
    ".quad __guard_dispatch_icall_fptr",
    ".quad __guard_fids_table",
    ".quad __guard_fids_count",
    ".long __guard_flags",
    ".zero 12",
    ".quad __guard_iat_table",
    ".quad __guard_iat_count",
    ".quad __guard_longjmp_table",
    ".quad __guard_longjmp_count",
);
