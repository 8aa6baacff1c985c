//! Images that run: relocated, bound, with the protections of their sections, and gone after they were unloaded.

use crate::pe::{BASE, DATA, INIT, Mini, READ_ONLY, TEXT, address, assemble, call_through, jump_through, slot};
use core::mem::offset_of;
use iced_x86::{IcedError, Register, code_asm::*};
use ntsim::{
    Machine,
    image::{Image, ImageError, Signing},
    machine::MachineOwner,
    nt::io::Failure,
    verifier::{Crash, CrashKind, memory},
};
use object::pe;
use wdk_sys::{DRIVER_OBJECT, STATUS_DEVICE_BUSY};

/// Where the unload routine lies.
const UNLOAD: u64 = TEXT + 0x80;

fn machine() -> MachineOwner {
    Machine::builder().build()
}

fn image(mini: &Mini) -> Image {
    Image::from_bytes("mini.sys", &mini.file(), Signing::Optional).expect("the image is whole")
}

/// An image whose entry point registers an unload routine.
fn unloadable(unload: impl FnOnce(&mut CodeAssembler) -> Result<(), IcedError>) -> Mini {
    let mut code = assemble(TEXT, |code| {
        address(code, Register::RAX, BASE + UNLOAD)?;
        code.mov(qword_ptr(rcx + offset_of!(DRIVER_OBJECT, DriverUnload) as i32), rax)?;
        code.xor(eax, eax)?;
        code.ret()
    });
    code.resize((UNLOAD - TEXT) as usize, 0xCC);
    code.extend(assemble(UNLOAD, unload));
    Mini {
        code,
        ..Mini::default()
    }
}

fn crash(failure: Failure) -> Crash {
    match failure {
        Failure::Crash(crash) => *crash,
        other => panic!("the machine did not stop: {other}"),
    }
}

/// Loads an image whose entry point stops the machine.
fn crash_of(mini: &Mini) -> Crash {
    let machine = machine();
    crash(
        machine
            .load_image("mini", &image(mini))
            .expect_err("the entry point stops the machine"),
    )
}

#[test]
fn an_image_is_loaded_and_unloaded() {
    let machine = machine();
    let driver = machine
        .load_image("mini", &image(&unloadable(|code| code.ret())))
        .expect("it loads");
    driver.unload().expect("it unloads");
}

#[test]
fn instructions_that_trap_are_reported() {
    type Write = fn(&mut CodeAssembler) -> Result<(), IcedError>;
    let traps: [Write; 4] = [
        |code| code.int3(),
        |code| code.ud2(),
        |code| code.hlt(),
        |code| {
            code.xor(ecx, ecx)?;
            code.div(ecx)
        },
    ];
    for (index, write) in traps.into_iter().enumerate() {
        let crash = crash_of(&Mini::new(write));
        assert!(crash.text.contains("in mini.sys+0x100"), "{index}: {crash}");
    }
}

#[test]
fn the_status_of_the_entry_point_is_told() {
    let machine = machine();
    let mini = Mini::new(|code| {
        code.mov(eax, STATUS_DEVICE_BUSY)?;
        code.ret()
    });
    let failure = machine.load_image("mini", &image(&mini)).expect_err("it fails");
    assert!(matches!(failure, Failure::Status(STATUS_DEVICE_BUSY)), "{failure}");
}

#[test]
fn pointers_are_relocated_and_imports_are_called() {
    // The IRQL comes from the kernel; the routine that asks for it is reached through a pointer in `.data`.
    const ASK: u64 = TEXT + 0x40;
    let mut code = assemble(TEXT, |code| jump_through(code, BASE + DATA));
    code.resize((ASK - TEXT) as usize, 0xCC);
    code.extend(assemble(ASK, |code| {
        code.sub(rsp, 40)?;
        call_through(code, slot(0))?;
        code.movzx(eax, al)?;
        code.or(eax, 0x4000_1200)?;
        code.add(rsp, 40)?;
        code.ret()
    }));
    let mini = Mini {
        code,
        data: (BASE + ASK).to_le_bytes().to_vec(),
        relocations: vec![(DATA as u32, pe::IMAGE_REL_BASED_DIR64)],
        imports: vec![("ntoskrnl.exe", "KeGetCurrentIrql")],
        ..Mini::default()
    };
    let machine = machine();
    // The status is one of success, so the driver is loaded.
    machine.load_image("mini", &image(&mini)).expect("it loads");
    drop(machine);

    let without = Mini {
        relocations: Vec::new(),
        ..mini
    };
    let crash = crash_of(&without);
    assert!(crash.text.contains("where nothing is"), "{crash}");
}

#[test]
fn what_is_not_simulated_names_itself_when_it_is_called() {
    let imports = vec![
        ("ntoskrnl.exe", "KeGetCurrentIrql"),
        ("ntoskrnl.exe", "IoGetDeviceObjectPointer"),
    ];
    let harmless = Mini {
        imports: imports.clone(),
        ..crate::files::idle()
    };
    machine()
        .load_image("mini", &image(&harmless))
        .expect("an import that is not called does no harm");

    let calls = Mini::new(|code| {
        code.sub(rsp, 40)?;
        call_through(code, slot(1))?;
        code.int3()
    });
    let crash = crash_of(&Mini { imports, ..calls });
    assert_eq!(crash.kind, CrashKind::Unimplemented);
    assert!(crash.text.contains("ntoskrnl.exe!IoGetDeviceObjectPointer"), "{crash}");
}

#[test]
fn code_and_constants_cannot_be_written() {
    for target in [TEXT, READ_ONLY, INIT] {
        let crash = crash_of(&Mini::new(|code| {
            address(code, Register::RAX, BASE + target)?;
            code.mov(byte_ptr(rax), 1)?;
            code.ret()
        }));
        assert_eq!(
            crash.rule,
            Some(memory::IMAGE_PROTECTION),
            "image-protection, {target:#x}: {crash}"
        );
    }
}

#[test]
fn data_cannot_be_executed() {
    let mini = Mini {
        data: vec![0xC3],
        ..Mini::new(|code| {
            address(code, Register::RAX, BASE + DATA)?;
            code.jmp(rax)
        })
    };
    assert_eq!(crash_of(&mini).rule, Some(memory::IMAGE_PROTECTION));
}

#[test]
fn code_for_initialization_is_gone_afterwards() {
    let returns = assemble(INIT, |code| {
        code.xor(eax, eax)?;
        code.ret()
    });
    let mini = Mini {
        init: returns,
        ..unloadable(|code| {
            address(code, Register::RAX, BASE + INIT)?;
            code.jmp(rax)
        })
    };
    let machine = machine();
    let driver = machine.load_image("mini", &image(&mini)).expect("it loads");
    let crash = crash(driver.unload().expect_err("its unload routine stops the machine"));
    assert_eq!(crash.rule, Some(memory::IMAGE_GONE), "image-gone: {crash}");
    assert!(crash.text.contains("discarded after the entry point"), "{crash}");
}

#[test]
fn code_for_initialization_is_there_during_initialization() {
    let returns = assemble(INIT, |code| {
        code.xor(eax, eax)?;
        code.ret()
    });
    let mini = Mini {
        init: returns,
        entry: INIT,
        code: vec![0xCC],
        ..Mini::default()
    };
    machine()
        .load_image("mini", &image(&mini))
        .expect("its entry point is in INIT");
}

#[test]
fn a_timer_that_outlives_its_driver_is_caught() {
    // A timer and its DPC in `.data`, started at load, forgotten at unload: the DPC routine is gone when it is due.
    const TIMER: u64 = DATA;
    const DPC: u64 = DATA + 0x100;
    const ROUTINE: u64 = TEXT + 0x100;
    let mut mini = unloadable(|code| code.ret());
    let mut code = assemble(TEXT, |code| {
        code.sub(rsp, 40)?;
        address(code, Register::RAX, BASE + UNLOAD)?;
        code.mov(qword_ptr(rcx + offset_of!(DRIVER_OBJECT, DriverUnload) as i32), rax)?;
        address(code, Register::RCX, BASE + TIMER)?;
        call_through(code, slot(0))?;
        address(code, Register::RCX, BASE + DPC)?;
        address(code, Register::RDX, BASE + ROUTINE)?;
        code.xor(r8d, r8d)?;
        call_through(code, slot(1))?;
        address(code, Register::RCX, BASE + TIMER)?;
        code.mov(rdx, -10_000i64)?;
        address(code, Register::R8, BASE + DPC)?;
        call_through(code, slot(2))?;
        code.xor(eax, eax)?;
        code.add(rsp, 40)?;
        code.ret()
    });
    assert!(code.len() <= (UNLOAD - TEXT) as usize);
    code.resize((UNLOAD - TEXT) as usize, 0xCC);
    code.extend(assemble(UNLOAD, |code| code.ret()));
    code.resize((ROUTINE - TEXT) as usize, 0xCC);
    code.extend(assemble(ROUTINE, |code| code.ret()));
    mini.code = code;
    mini.data = vec![0; 0x200];
    mini.imports = vec![
        ("ntoskrnl.exe", "KeInitializeTimer"),
        ("ntoskrnl.exe", "KeInitializeDpc"),
        ("ntoskrnl.exe", "KeSetTimer"),
    ];
    let machine = machine();
    let driver = machine.load_image("mini", &image(&mini)).expect("it loads");
    let stopped = crash(driver.unload().expect_err("the timer is set"));
    assert_eq!(stopped.rule, Some(memory::IMAGE_GONE), "{stopped}");
    assert!(
        stopped
            .text
            .contains("mini.sys is unloaded and holds a timer that is set"),
        "{stopped}"
    );
}

#[test]
fn a_framework_that_is_too_old_is_named() {
    // What the entry stub passes to WdfVersionBind, with a version that does not exist.
    const INFO: usize = 0x40;
    let mut data = vec![0; 0x100];
    for (index, unit) in "KmdfLibrary\0".encode_utf16().enumerate() {
        data[2 * index..2 * index + 2].copy_from_slice(&unit.to_le_bytes());
    }
    let mut put = |place: usize, bytes: &[u8]| data[INFO + place..INFO + place + bytes.len()].copy_from_slice(bytes);
    put(0, &0x30u32.to_le_bytes());
    put(8, &(BASE + DATA).to_le_bytes());
    put(16, &1u32.to_le_bytes());
    put(20, &99u32.to_le_bytes());
    put(28, &500u32.to_le_bytes());
    let mini = Mini {
        data,
        relocations: vec![((DATA as usize + INFO + 8) as u32, pe::IMAGE_REL_BASED_DIR64)],
        imports: vec![("WDFLDR.SYS", "WdfVersionBind")],
        ..Mini::new(|code| {
            address(code, Register::R8, BASE + DATA + INFO as u64)?;
            address(code, Register::R9, BASE + DATA + 0xC0)?;
            jump_through(code, slot(0))
        })
    };
    let machine = machine();
    match machine.load_image("mini", &image(&mini)) {
        Err(Failure::Image(error @ ImageError::Framework { .. })) => {
            let message = error.to_string();
            assert!(
                message.starts_with("mini.sys: it was built for KMDF 1.99 with 500 functions"),
                "{message}"
            );
        }
        other => panic!("{other:?}"),
    }
}
