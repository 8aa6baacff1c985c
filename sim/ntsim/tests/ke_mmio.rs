//! Device registers: every instruction form that compilers emit, and every way to get it wrong.
#![allow(unsafe_code, reason = "kernel functions and assembly are unsafe")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    reason = "driver code that breaks the contracts on purpose; the contracts are what is tested"
)]

mod ke_common;

use core::arch::asm;
use ke_common::{LENGTH, Seen, bar0, physical, plug};
use ntsim::{
    Machine,
    machine::MachineOwner,
    mmio,
    pci::{self, PowerState},
    sched::Schedule,
    verifier::{Crash, Policy},
};
use proptest::prelude::*;
use std::{cell::RefCell, rc::Rc};
use wdk_sys::{ntddk::*, *};

const CACHE: MEMORY_CACHING_TYPE = 0;

/// The registers and condition codes around an instruction: `rdx` is the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Around {
    rax: u64,
    rcx: u64,
    flags: u64,
}

type Form = unsafe fn(*mut u8, Around) -> Around;

/// The condition codes that an instruction form defines or keeps.
const ALL_FLAGS: u64 = 0x8D5;
/// Without the adjust flag, which logical operations leave undefined.
const LOGIC_FLAGS: u64 = 0x8C5;
/// Only carry and zero, which `bt` defines or keeps.
const BIT_TEST_FLAGS: u64 = 0x41;

/// Instruction forms on `[rdx + 8]`: text, function, flags to compare.
macro_rules! forms {
    ($($flags:ident: $($text:literal),+;)+) => {
        &[$($(($text, {
            unsafe fn form(address: *mut u8, mut a: Around) -> Around {
                unsafe {
                    asm!(
                        "push {flags}", "popfq", $text, "pushfq", "pop {flags}",
                        flags = inout(reg) a.flags, inout("rax") a.rax, inout("rcx") a.rcx, in("rdx") address,
                        out("r8") _,
                    );
                }
                a
            }
            form as Form
        }, $flags)),+),+]
    };
}

const FORMS: &[(&str, Form, u64)] = forms! {
    ALL_FLAGS:
        "mov rax, [rdx + 8]", "mov eax, [rdx + 8]", "mov ax, [rdx + 8]", "mov al, [rdx + 8]", "mov ah, [rdx + 8]",
        "mov ecx, [rdx + 8]", "mov r8d, 2; mov eax, [rdx + 4*r8]", "lea r8, [rdx + 108]; mov [r8 - 100], eax",
        "mov [rdx + 8], rax", "mov [rdx + 8], eax", "mov [rdx + 8], ax", "mov [rdx + 8], al", "mov [rdx + 8], ch",
        "mov dword ptr [rdx + 8], 0x12345678", "mov qword ptr [rdx + 8], -5", "mov word ptr [rdx + 8], 0x1234",
        "mov byte ptr [rdx + 8], 0x7F",
        "movzx eax, byte ptr [rdx + 8]", "movzx eax, word ptr [rdx + 8]", "movzx rax, word ptr [rdx + 8]",
        "movsx eax, byte ptr [rdx + 8]", "movsx rax, byte ptr [rdx + 8]", "movsx rax, word ptr [rdx + 8]",
        "movsx ax, byte ptr [rdx + 8]", "movsxd rax, dword ptr [rdx + 8]",
        "add [rdx + 8], eax", "add eax, [rdx + 8]", "add dword ptr [rdx + 8], 0x80", "add byte ptr [rdx + 8], al",
        "sub [rdx + 8], rax", "sub rax, [rdx + 8]", "sub word ptr [rdx + 8], 1", "sub al, [rdx + 8]",
        "cmp [rdx + 8], eax", "cmp eax, [rdx + 8]", "cmp dword ptr [rdx + 8], -1", "cmp byte ptr [rdx + 8], 3",
        "cmp qword ptr [rdx + 8], 0", "cmp ax, [rdx + 8]",
        "inc dword ptr [rdx + 8]", "dec qword ptr [rdx + 8]", "inc byte ptr [rdx + 8]", "neg dword ptr [rdx + 8]",
        "not dword ptr [rdx + 8]";
    LOGIC_FLAGS:
        "and [rdx + 8], eax", "and eax, [rdx + 8]", "and dword ptr [rdx + 8], 0x0F0F", "or [rdx + 8], rax",
        "or dword ptr [rdx + 8], 1", "or cl, [rdx + 8]", "xor [rdx + 8], ax", "xor rax, [rdx + 8]",
        "test [rdx + 8], eax", "test dword ptr [rdx + 8], 0x80000000", "test byte ptr [rdx + 8], 1",
        "test qword ptr [rdx + 8], rcx";
    BIT_TEST_FLAGS:
        "bt dword ptr [rdx + 8], 7", "bt qword ptr [rdx + 8], 40", "bt word ptr [rdx + 8], 3";
};

/// A machine with a started function whose BAR 0 is mapped.
fn mapped() -> (MachineOwner, Rc<RefCell<Seen>>, usize) {
    let m = Machine::builder().build();
    let (id, seen) = plug(1);
    let base = bar0(id);
    let address = m
        .run_as_driver("map", move || unsafe {
            MmMapIoSpaceEx(physical(base), LENGTH as _, PAGE_READWRITE | PAGE_NOCACHE).expose_provenance()
        })
        .unwrap();
    assert_ne!(address, 0);
    (m, seen, address)
}

fn pointer<T>(address: usize) -> *mut T {
    core::ptr::with_exposed_provenance_mut(address)
}

/// Memory for the same instruction without a device.
#[repr(align(64))]
struct Plain([u8; 64]);

#[test]
fn every_form_does_to_registers_what_it_does_to_memory() {
    let (m, seen, address) = mapped();
    let config = ProptestConfig::with_cases(40);
    let values = prop_oneof![
        any::<u64>(),
        Just(0),
        Just(u64::MAX),
        Just(0x8000_0000_8000_8080),
        Just(1)
    ];
    let inputs = (values.clone(), values.clone(), values, any::<u64>());
    for (text, form, flags) in FORMS {
        let mut runner = proptest::test_runner::TestRunner::new(config.clone());
        let result = runner.run(&inputs, |(rax, rcx, memory, bits)| {
            let around = Around {
                rax,
                rcx,
                flags: 0x202 | bits & ALL_FLAGS,
            };
            let mut plain = Plain([0; 64]);
            plain.0[8..16].copy_from_slice(&memory.to_le_bytes());
            let expected = unsafe { form(plain.0.as_mut_ptr(), around) };
            seen.borrow_mut().memory[8..16].copy_from_slice(&memory.to_le_bytes());
            let form = *form;
            let got = m
                .run_as_driver("access", move || unsafe { form(pointer(address), around) })
                .unwrap();
            prop_assert_eq!((got.rax, got.rcx), (expected.rax, expected.rcx));
            prop_assert_eq!(
                got.flags & flags,
                expected.flags & flags,
                "flags {:x} {:x}",
                got.flags,
                expected.flags
            );
            prop_assert_eq!(&seen.borrow().memory[8..16], &plain.0[8..16]);
            Ok(())
        });
        if let Err(failure) = result {
            panic!("`{text}`: {failure}");
        }
    }
}

#[test]
fn an_access_has_the_width_of_its_instruction_and_happens_once() {
    let (m, seen, address) = mapped();
    m.run_as_driver("access", move || unsafe {
        pointer::<u32>(address + 0x1C).read_volatile();
        pointer::<u64>(address + 0x28).write_volatile(1);
        pointer::<u8>(address + 3).write_volatile(1);
        pointer::<u16>(address + 6).read_volatile();
    })
    .unwrap();
    assert_eq!(
        seen.borrow().log,
        [('r', 0x1C, 4), ('w', 0x28, 8), ('w', 3, 1), ('r', 6, 2)]
    );
    let counters = m.counters();
    assert_eq!((counters.register_reads, counters.register_writes), (2, 2));
    let counts: Vec<_> = m
        .register_counts()
        .iter()
        .map(|c| (c.offset, c.reads, c.writes))
        .collect();
    assert_eq!(counts, [(3, 0, 1), (6, 1, 0), (0x1C, 1, 0), (0x28, 0, 1)]);
}

#[test]
fn an_access_keeps_vector_registers_and_the_red_zone() {
    let (m, seen, address) = mapped();
    seen.borrow_mut().memory[8] = 42;
    let (vector, below, value) = m
        .run_as_driver("access", move || unsafe {
            let (mut vector, mut below, value): (u64, u64, u64);
            asm!(
                "movq xmm7, {v}",
                "vpbroadcastq ymm9, xmm7",
                "mov qword ptr [rsp - 16], 77",
                "mov {value}, [rdx + 8]",
                "mov {below}, [rsp - 16]",
                "vextracti128 xmm7, ymm9, 1",
                "movq {v}, xmm7",
                v = inout(reg) 0x1234_5678_9ABC_DEF0_u64 => vector,
                value = out(reg) value,
                below = out(reg) below,
                in("rdx") address,
                out("xmm7") _, out("xmm9") _,
            );
            (vector, below, value)
        })
        .unwrap();
    assert_eq!((vector, below, value), (0x1234_5678_9ABC_DEF0, 77, 42));
}

#[test]
fn accesses_are_scheduling_points() {
    let mut hashes = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let m = Machine::builder()
            .processors(2)
            .schedule(Schedule::Random)
            .seed(seed)
            .build();
        let (id, seen) = plug(1);
        let base = bar0(id);
        for name in ["a", "b"] {
            ntsim::sched::spawn(name, move || unsafe {
                let address = MmMapIoSpaceEx(physical(base), 0x1000, PAGE_READWRITE).addr();
                for index in 0..8 {
                    pointer::<u8>(address + 16 * usize::from(name == "b") + index).write_volatile(1);
                }
            });
        }
        m.settle().unwrap();
        let log = seen.borrow().log.clone();
        assert_eq!(log.len(), 16);
        hashes.insert(format!("{log:?}"));
    }
    assert!(hashes.len() >= 8, "{} different orders", hashes.len());
}

fn crash(f: impl FnOnce(usize) + 'static) -> Crash {
    let (m, _seen, address) = mapped();
    m.run_as_driver("wrong driver", move || f(address))
        .expect_err("the rule is broken")
}

fn rule(crash: &Crash) -> &'static str {
    crash.rule.expect("a rule stopped the machine").id
}

#[test]
fn wrong_accesses_are_caught() {
    let misaligned = crash(|address| unsafe {
        asm!("mov eax, [{} + 2]", in(reg) address, out("eax") _);
    });
    assert_eq!(rule(&misaligned), "register-access-shape");
    let vector = crash(|address| unsafe {
        asm!("movups xmm0, [{}]", in(reg) address, out("xmm0") _);
    });
    assert_eq!(rule(&vector), "register-access-instruction");
    assert!(vector.text.contains("movups xmm0"), "{vector}");
    let locked = crash(|address| unsafe {
        asm!("lock inc dword ptr [{}]", in(reg) address);
    });
    assert_eq!(rule(&locked), "register-access-instruction");
}

#[test]
fn an_access_past_what_was_mapped_is_caught() {
    let m = Machine::builder().build();
    let (id, _seen) = plug(1);
    let base = bar0(id);
    let crash = m
        .run_as_driver("driver", move || unsafe {
            let address = MmMapIoSpaceEx(physical(base + 0x100), 0x80, PAGE_READWRITE).expose_provenance();
            assert_eq!(address % 0x1000, 0x100, "the offset in the page stays");
            pointer::<u32>(address + 0x7C).read_volatile();
            pointer::<u32>(address + 0x80).read_volatile();
        })
        .unwrap_err();
    assert_eq!(rule(&crash), "register-out-of-bounds");
}

#[test]
fn use_after_unmap_is_caught() {
    let crash = crash(|address| unsafe {
        MmUnmapIoSpace(pointer(address), LENGTH as _);
        pointer::<u32>(address).read_volatile();
    });
    assert_eq!((rule(&crash), crash.code), ("register-use-after-unmap", 0x50));
}

#[test]
fn wrong_unmaps_are_caught() {
    assert_eq!(
        rule(&crash(|address| unsafe { MmUnmapIoSpace(pointer(address), 0x1000) })),
        "io-space-unmap-mismatch"
    );
    let twice = crash(|address| unsafe {
        MmUnmapIoSpace(pointer(address), LENGTH as _);
        MmUnmapIoSpace(pointer(address), LENGTH as _);
    });
    assert_eq!(rule(&twice), "io-space-unmap-mismatch");
}

#[test]
fn mapping_what_is_no_device_is_caught() {
    assert_eq!(
        rule(&crash(|_| unsafe { _ = MmMapIoSpace(physical(0x1000), 0x1000, CACHE) })),
        "io-space-not-a-device"
    );
    assert_eq!(
        rule(&crash(|_| unsafe { _ = MmMapIoSpace(physical(0x1000), 0, CACHE) })),
        "io-space-not-a-device"
    );
    let m = Machine::builder().build();
    let (id, _seen) = plug(1);
    let base = bar0(id);
    let invalid = m.run_as_driver("driver", move || unsafe {
        MmMapIoSpaceEx(physical(base), 0x1000, 0).addr()
    });
    assert_eq!(invalid.unwrap(), 0, "0 is no protection");
}

#[test]
fn a_write_to_a_read_only_mapping_is_caught() {
    let m = Machine::builder().build();
    let (id, _seen) = plug(1);
    let base = bar0(id);
    let crash = m
        .run_as_driver("driver", move || unsafe {
            let address = MmMapIoSpaceEx(physical(base), 0x1000, PAGE_READONLY | PAGE_NOCACHE).expose_provenance();
            pointer::<u32>(address).read_volatile();
            pointer::<u32>(address).write_volatile(1);
        })
        .unwrap_err();
    assert_eq!((rule(&crash), crash.code), ("register-read-only", 0xBE));
}

#[test]
fn registers_never_unmapped_are_caught_at_unload() {
    let (m, _seen, _address) = mapped();
    assert!(
        m.report()
            .ledger
            .iter()
            .any(|entry| entry.kind == "I/O space" && entry.bytes == LENGTH)
    );
    let id = m.functions()[0];
    m.run("unload of another driver", || mmio::check_unload("another driver"))
        .unwrap();
    pci::remove(id);
    let crash = m.run("unload", || mmio::check_unload("test driver")).unwrap_err();
    assert_eq!(rule(&crash), "io-space-leaked");
    assert!(crash.text.contains("driver in map > MmMapIoSpaceEx"), "{crash}");
}

#[test]
fn registers_that_were_unmapped_are_no_leak() {
    let (m, _seen, address) = mapped();
    m.run_as_driver("unmap", move || unsafe {
        MmUnmapIoSpace(pointer(address), LENGTH as _)
    })
    .unwrap();
    pci::remove(m.functions()[0]);
    m.run("unload", || mmio::check_unload("test driver")).unwrap();
    assert!(m.report().ledger.is_empty());
}

#[test]
fn registers_in_d3_read_as_ones_and_are_a_finding() {
    let m = Machine::builder().verifier(Policy::Collect).build();
    let (id, seen) = plug(1);
    let base = bar0(id);
    pci::set_power(id, PowerState::D3);
    let value = m
        .run_as_driver("driver", move || unsafe {
            let address = MmMapIoSpaceEx(physical(base), 0x1000, PAGE_READWRITE).expose_provenance();
            pointer::<u32>(address).write_volatile(1);
            pointer::<u32>(address).read_volatile()
        })
        .unwrap();
    assert_eq!(value, u32::MAX);
    assert!(seen.borrow().log.is_empty());
    assert_eq!(
        m.findings().iter().map(|finding| finding.rule.id).collect::<Vec<_>>(),
        ["register-access-not-in-d0"; 2]
    );
    pci::set_power(id, PowerState::D0);
    assert_eq!(seen.borrow().power, [PowerState::D3, PowerState::D0]);
}

#[test]
fn a_function_that_is_gone_reads_as_ones_without_a_finding() {
    let (m, seen, address) = mapped();
    let id = pci_function(&m);
    pci::unplug(id);
    let value = m
        .run_as_driver("driver", move || unsafe { pointer::<u16>(address).read_volatile() })
        .unwrap();
    assert_eq!(value, u16::MAX);
    assert!(seen.borrow().unplugged && seen.borrow().log.is_empty());
    let mut id_bytes = [0; 4];
    pci::config_read(id, 0, &mut id_bytes);
    assert_eq!(id_bytes, [0xFF; 4]);
}

/// The one function of the machine.
fn pci_function(m: &Machine) -> pci::FunctionId {
    let counts = m.register_counts();
    assert!(counts.is_empty());
    m.functions()[0]
}

#[test]
fn wild_pointers_of_a_driver_are_bug_checks() {
    let null = crash(|_| unsafe { pointer::<u32>(std::hint::black_box(8)).write_volatile(1) });
    assert_eq!(
        (rule(&null), null.code, null.parameters[1]),
        ("invalid-memory", 0x50, 8)
    );
    let jump = crash(|_| unsafe {
        let function: extern "win64" fn() = core::mem::transmute(std::hint::black_box(0x10_usize));
        function();
    });
    assert_eq!(rule(&jump), "invalid-memory");
    let trap = crash(|_| unsafe { asm!("ud2") });
    assert_eq!((rule(&trap), trap.code), ("trapping-instruction", 0x1E));
}

#[test]
fn an_explained_range_says_what_it_was() {
    let m = Machine::builder().build();
    let crash = m
        .run_as_driver("driver", || {
            mmio::explain(
                0x5000..0x6000,
                ntsim::verifier::mmio::INVALID_MEMORY,
                "the view of an MDL that was unmapped",
            );
            mmio::explain(0x7000..0x8000, ntsim::verifier::mmio::INVALID_MEMORY, "forgotten");
            mmio::forget(0x7000);
            unsafe { pointer::<u8>(std::hint::black_box(0x5FFF)).read_volatile() }
        })
        .unwrap_err();
    assert_eq!(crash.text, "the view of an MDL that was unmapped");
}

#[inline(never)]
#[expect(unconditional_recursion, reason = "it is to overflow the stack")]
fn recurse(depth: u64) -> u64 {
    let block = std::hint::black_box([depth; 64]);
    recurse(depth + 1) + block[(depth % 64) as usize]
}

#[test]
fn a_stack_overflow_is_a_bug_check() {
    for _ in 0..3 {
        let crash = crash(|_| _ = std::hint::black_box(recurse(0)));
        assert_eq!((rule(&crash), crash.code), ("stack-overflow", 0x7F));
    }
}
