//! Import slots and the thunks that jump through them.
use crate::child;
use core::ffi::c_void;
use std::{collections::BTreeSet, path::Path};
use wdk_sys::{
    NTSTATUS, PVOID, ULONG,
    ntddk::{KeQueryActiveProcessorCount, KeQueryMaximumProcessorCountEx, MmUnmapIoSpace},
    standin::{ImportSlot, imports, set_unbound_handler},
};

fn slot(name: &str) -> &'static ImportSlot {
    imports()
        .iter()
        .find(|slot| slot.name == name)
        .expect("the function is imported")
}

#[test]
fn imports_are_sorted_and_unique() {
    assert!(imports().windows(2).all(|pair| pair[0].name < pair[1].name));
}

#[test]
fn every_function_export_has_a_slot() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/nt_imports.json");
    let data: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("readable")).expect("JSON");
    let rows = data["functions"].as_object().expect("an object").iter();
    let functions = rows.filter(|(_, row)| row["kind"] == "import" && row["module"].is_string());
    let declared = functions.filter(|(_, row)| row["rust"].is_string());
    let mut expected: BTreeSet<_> = declared
        .map(|(name, row)| (row["module"].as_str().expect("a module"), name.as_str()))
        .collect();
    expected.extend([("WDFLDR.SYS", "WdfVersionBind"), ("WDFLDR.SYS", "WdfVersionUnbind")]);
    let found: BTreeSet<_> = imports().iter().map(|slot| (slot.module, slot.name)).collect();
    assert_eq!(found, expected);
}

unsafe extern "win64" fn three(_: PVOID) -> ULONG {
    3
}

unsafe extern "win64" fn four(_: PVOID) -> ULONG {
    4
}

#[test]
fn a_bound_import_is_called() {
    slot("KeQueryActiveProcessorCount").bind(three as *const c_void);
    // SAFETY: bound to a function that accepts null.
    assert_eq!(unsafe { KeQueryActiveProcessorCount(core::ptr::null_mut()) }, 3);
}

/// Adds the variable arguments that it is told of; the others are whatever lies there.
unsafe extern "win64" fn adds_up(
    count: usize,
    _: *const u8,
    v0: usize,
    v1: usize,
    v2: usize,
    v3: usize,
    v4: usize,
    v5: usize,
    v6: usize,
    v7: usize,
) -> ULONG {
    [v0, v1, v2, v3, v4, v5, v6, v7].iter().take(count).sum::<usize>() as ULONG
}

#[test]
fn a_variadic_import_is_given_what_its_caller_passes() {
    // `swprintf` has two parameters before the variable ones, as the function above; what they mean does not matter here.
    slot("swprintf").bind(adds_up as *const c_void);
    let (three, eight) = (
        core::ptr::without_provenance_mut(3),
        core::ptr::without_provenance_mut(8),
    );
    let none = core::ptr::null();
    // SAFETY: bound to a function that looks at as many arguments as the first says.
    let sum = unsafe { wdk_sys::ntddk::swprintf(three, none, 1_usize, 10_usize, 100_usize) };
    assert_eq!(sum, 111);
    // SAFETY: as above.
    let sum = unsafe {
        wdk_sys::ntddk::swprintf(
            eight, none, 1_usize, 2_usize, 3_usize, 4_usize, 5_usize, 6_usize, 7_usize, 8_usize,
        )
    };
    assert_eq!(sum, 36);
}

unsafe extern "win64" fn sixty_four(_: wdk_sys::USHORT) -> ULONG {
    64
}

#[test]
fn binding_again_from_several_threads_changes_nothing() {
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                slot("KeQueryMaximumProcessorCountEx").bind(sixty_four as *const c_void);
                // SAFETY: bound.
                assert_eq!(unsafe { KeQueryMaximumProcessorCountEx(0) }, 64);
            });
        }
    });
}

#[test]
#[should_panic(expected = "ntoskrnl.exe!KeQueryHighestNodeNumber is bound to another target already")]
fn binding_to_another_target_is_refused() {
    slot("KeQueryHighestNodeNumber").bind(three as *const c_void);
    slot("KeQueryHighestNodeNumber").bind(four as *const c_void);
}

fn report(module: &'static str, name: &'static str) -> ! {
    println!("nothing exports {module}!{name}");
    std::process::exit(42)
}

#[test]
fn an_unbound_import_calls_the_handler_with_its_name() {
    if child::is_child() {
        set_unbound_handler(report);
        // SAFETY: the handler ends the process.
        unsafe { MmUnmapIoSpace(core::ptr::null_mut(), 0) };
    }
    let output = child::run("slots::an_unbound_import_calls_the_handler_with_its_name");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("nothing exports ntoskrnl.exe!MmUnmapIoSpace"), "{text}");
    assert_eq!(output.status.code(), Some(42));
}

#[test]
fn an_unbound_import_without_handler_ends_the_process_and_says_why() {
    if child::is_child() {
        // SAFETY: the default handler ends the process.
        unsafe { MmUnmapIoSpace(core::ptr::null_mut(), 0) };
    }
    let output = child::run("slots::an_unbound_import_without_handler_ends_the_process_and_says_why");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        text.contains("ntoskrnl.exe!MmUnmapIoSpace was called, but nothing exports it"),
        "{text}"
    );
    assert!(!output.status.success());
}

/// The signatures are the kernel's: a driver's use of them compiles as it does with the real crate.
#[test]
fn functions_have_the_types_of_the_real_crate() {
    let _: unsafe extern "win64" fn(wdk_sys::PVOID, wdk_sys::SIZE_T) = MmUnmapIoSpace;
    let _: unsafe extern "win64" fn(wdk_sys::POOL_FLAGS, wdk_sys::SIZE_T, wdk_sys::ULONG) -> wdk_sys::PVOID =
        wdk_sys::ntddk::ExAllocatePool2;
    let _: unsafe extern "win64" fn(wdk_sys::ULONG, u64, u64, u64, u64) -> ! = wdk_sys::ntddk::KeBugCheckEx;
    let _: wdk_sys::PKDEFERRED_ROUTINE = None;
    let _: NTSTATUS = wdk_sys::STATUS_SUCCESS;
}

unsafe extern "win64" fn dispatch_level() -> wdk_sys::KIRQL {
    2
}

#[test]
#[should_panic(expected = "pageable code was entered above APC_LEVEL")]
fn paged_code_at_dispatch_level_is_caught() {
    use wdk_sys::{APC_LEVEL, ntddk::KeGetCurrentIrql};
    slot("KeGetCurrentIrql").bind(dispatch_level as *const c_void);
    wdk_sys::PAGED_CODE!();
}

#[test]
fn paged_code_at_apc_level_goes_on() {
    use wdk_sys::APC_LEVEL;
    #[allow(non_snake_case, reason = "stands for the kernel's function")]
    unsafe fn KeGetCurrentIrql() -> wdk_sys::KIRQL {
        1
    }
    wdk_sys::PAGED_CODE!();
}
