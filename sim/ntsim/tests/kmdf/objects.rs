//! Objects: contexts, attributes, the tree, handles.

use crate::support::*;
use core::ptr::{null, null_mut};
use wdk_sys::*;

const fn context_type(size: usize) -> WDF_OBJECT_CONTEXT_TYPE_INFO {
    WDF_OBJECT_CONTEXT_TYPE_INFO {
        Size: size_of::<WDF_OBJECT_CONTEXT_TYPE_INFO>() as ULONG,
        ContextName: c"Context".as_ptr().cast(),
        ContextSize: size,
        UniqueType: null(),
        EvtDriverGetUniqueContextType: None,
    }
}

struct Type(WDF_OBJECT_CONTEXT_TYPE_INFO);
unsafe impl Sync for Type {}
static FIRST: Type = Type(context_type(24));
static SECOND: Type = Type(context_type(100));

fn with_context(of: &'static Type) -> WDF_OBJECT_ATTRIBUTES {
    WDF_OBJECT_ATTRIBUTES {
        ContextTypeInfo: &raw const of.0,
        ..attributes()
    }
}

fn create(attributes: &mut WDF_OBJECT_ATTRIBUTES) -> (NTSTATUS, WDFOBJECT) {
    let mut made = null_mut();
    let status = wdf!(WdfObjectCreate, attributes, &mut made);
    (status, made)
}

#[test]
fn contexts_are_zeroed_and_found_by_their_type() {
    let rig = Rig::started();
    rig.run(|| {
        let (status, object) = create(&mut with_context(&FIRST));
        assert_eq!(status, STATUS_SUCCESS);
        let first = wdf!(WdfObjectGetTypedContextWorker, object, &raw const FIRST.0);
        assert!(!first.is_null());
        let bytes = unsafe { core::slice::from_raw_parts(first.cast::<u8>(), 24) };
        assert!(bytes.iter().all(|byte| *byte == 0));
        assert!(wdf!(WdfObjectGetTypedContextWorker, object, &raw const SECOND.0).is_null());
        let mut second = null_mut();
        assert_eq!(
            wdf!(
                WdfObjectAllocateContext,
                object,
                &mut with_context(&SECOND),
                &mut second
            ),
            STATUS_SUCCESS
        );
        assert_eq!(
            wdf!(WdfObjectGetTypedContextWorker, object, &raw const SECOND.0),
            second
        );
        assert_ne!(first, second);
        let mut again = null_mut();
        assert_eq!(
            wdf!(WdfObjectAllocateContext, object, &mut with_context(&SECOND), &mut again),
            0x4000_0000
        );
        assert_eq!(again, second);
        assert_eq!(wdf!(WdfObjectContextGetObject, first), object);
        assert_eq!(wdf!(WdfObjectContextGetObject, second), object);
    })
    .unwrap();
    rig.finish().unwrap();
}

#[test]
fn a_pointer_that_is_no_context_has_no_object() {
    let rig = Rig::started();
    let crash = rig.crash(|| {
        let (_, object) = create(&mut with_context(&FIRST));
        let context = wdf!(WdfObjectGetTypedContextWorker, object, &raw const FIRST.0);
        let _ = wdf!(WdfObjectContextGetObject, context.wrapping_byte_add(8));
    });
    assert_eq!(rule(&crash), "kmdf-invalid-handle");
}

#[test]
fn attributes_are_checked() {
    let rig = Rig::started();
    rig.run(|| {
        const INVALID: NTSTATUS = 0xC020_0208_u32.cast_signed();
        let mut wrong_size = attributes();
        wrong_size.Size -= 8;
        assert_eq!(create(&mut wrong_size).0, STATUS_INFO_LENGTH_MISMATCH);
        let mut no_type = attributes();
        no_type.ContextSizeOverride = 64;
        assert_eq!(create(&mut no_type).0, INVALID);
        let mut shrunk = with_context(&SECOND);
        shrunk.ContextSizeOverride = 99;
        assert_eq!(create(&mut shrunk).0, INVALID);
        let mut grown = with_context(&SECOND);
        grown.ContextSizeOverride = 101;
        assert_eq!(create(&mut grown).0, STATUS_SUCCESS);
        let mut zero_level = attributes();
        zero_level.ExecutionLevel = 0;
        assert_eq!(create(&mut zero_level).0, INVALID);
        let mut odd_scope = attributes();
        odd_scope.SynchronizationScope = 77;
        assert_eq!(create(&mut odd_scope).0, INVALID);
        let (_, object) = create(&mut attributes());
        let mut parent = with_context(&FIRST);
        parent.ParentObject = object;
        let mut context = null_mut();
        assert_eq!(
            wdf!(WdfObjectAllocateContext, object, &mut parent, &mut context),
            0xC020_020F_u32.cast_signed()
        );
        assert_eq!(
            wdf!(WdfObjectAllocateContext, object, &mut attributes(), &mut context),
            STATUS_OBJECT_NAME_INVALID
        );
    })
    .unwrap();
    rig.finish().unwrap();
}

#[test]
fn a_tree_is_cleaned_up_children_first_and_a_reference_outlives_the_parent() {
    let rig = Rig::started();
    take_log();
    rig.run(|| {
        let parent = object(null_mut(), "parent");
        let child = object(parent, "child");
        object(parent, "child2");
        object(child, "grandchild");
        wdf!(WdfObjectReferenceActual, child, null_mut(), 0, null_mut());
        wdf!(WdfObjectDelete, parent);
        log("deleted");
        wdf!(WdfObjectDereferenceActual, child, null_mut(), 0, null_mut());
    })
    .unwrap();
    let expected = [
        "cleanup grandchild",
        "cleanup child",
        "cleanup child2",
        "cleanup parent",
        "destroy grandchild",
        "destroy child2",
        "destroy parent",
        "deleted",
        "destroy child",
    ];
    assert_eq!(take_log(), expected);
    rig.finish().unwrap();
}

#[test]
fn a_passive_object_deleted_at_dispatch_ends_at_passive_level() {
    let rig = Rig::started();
    take_log();
    rig.run(|| {
        unsafe extern "win64" fn at_which_irql(_object: WDFOBJECT) {
            log(format!("cleanup at {}", unsafe { ntddk::KeGetCurrentIrql() }));
        }
        let mut attributes = attributes();
        attributes.EvtCleanupCallback = Some(at_which_irql);
        attributes.ExecutionLevel = _WDF_EXECUTION_LEVEL::WdfExecutionLevelPassive;
        let (_, passive) = create(&mut attributes);
        attributes.ExecutionLevel = _WDF_EXECUTION_LEVEL::WdfExecutionLevelDispatch;
        let (_, any) = create(&mut attributes);
        let irql = unsafe { ntddk::KfRaiseIrql(2) };
        wdf!(WdfObjectDelete, passive);
        wdf!(WdfObjectDelete, any);
        log("still at dispatch");
        unsafe { ntddk::KeLowerIrql(irql) };
    })
    .unwrap();
    rig.machine.settle().unwrap();
    assert_eq!(take_log(), ["cleanup at 2", "still at dispatch", "cleanup at 0"]);
    rig.finish().unwrap();
}

#[test]
fn a_handle_of_another_type_names_the_expected_type() {
    let rig = Rig::started();
    let crash = rig.crash(|| {
        let _ = wdf!(WdfTimerStart, device().cast(), -1);
    });
    assert_eq!(
        (rule(&crash), crash.code, crash.parameters[0], crash.parameters[2]),
        ("kmdf-invalid-handle", 0x10D, 5, 0x1028)
    );
    assert!(crash.text.contains("WDFDEVICE"), "{}", crash.text);
}

#[test]
fn a_null_handle_is_invalid() {
    let crash = Rig::started().crash(|| {
        let _ = wdf!(WdfTimerStart, null_mut(), -1);
    });
    assert_eq!((rule(&crash), crash.parameters[2]), ("kmdf-invalid-handle", 0x1028));
}

#[test]
fn the_handle_of_a_deleted_object_is_invalid_even_when_memory_was_reused() {
    let crash = Rig::started().crash(|| {
        let first = object(null_mut(), "first");
        wdf!(WdfObjectDelete, first);
        object(null_mut(), "second");
        wdf!(WdfObjectReferenceActual, first, null_mut(), 0, null_mut());
    });
    assert_eq!(rule(&crash), "kmdf-invalid-handle");
    assert!(crash.text.contains("no longer exists"), "{}", crash.text);
}

#[test]
fn a_null_place_for_the_handle_is_caught() {
    let crash = Rig::started().crash(|| {
        let _ = wdf!(WdfObjectCreate, &mut attributes(), null_mut());
    });
    assert_eq!((rule(&crash), crash.parameters[0]), ("kmdf-null-parameter", 4));
}

#[test]
fn dereferencing_instead_of_deleting_is_caught() {
    let crash = Rig::started().crash(|| {
        let object = object(null_mut(), "object");
        wdf!(WdfObjectDereferenceActual, object, null_mut(), 0, null_mut());
    });
    assert_eq!((rule(&crash), crash.parameters[0]), ("kmdf-freed-by-dereference", 7));
}

#[test]
fn the_framework_s_objects_are_not_for_the_driver_to_delete() {
    let crash = Rig::started().crash(|| {
        wdf!(WdfObjectDelete, device().cast());
    });
    assert_eq!(rule(&crash), "kmdf-object-not-deletable");
    let rig = Rig::started_with(&Options {
        verifier_on: false,
        ..Options::default()
    });
    rig.run(|| {
        wdf!(WdfObjectDelete, device().cast());
        assert!(
            !wdf!(WdfDeviceWdmGetDeviceObject, device()).is_null(),
            "nothing happened"
        );
    })
    .unwrap();
    rig.finish().unwrap();
}

#[test]
fn an_object_that_outlives_its_driver_is_a_leak() {
    let rig = Rig::started();
    rig.run(|| {
        let object = object(null_mut(), "object");
        wdf!(WdfObjectReferenceActual, object, null_mut(), 0, null_mut());
    })
    .unwrap();
    let crash = crash_of(rig.finish().unwrap_err());
    assert_eq!(rule(&crash), "kmdf-object-leak");
}

#[test]
fn objects_without_a_scope_have_no_lock() {
    let crash = Rig::started().crash(|| {
        wdf!(WdfObjectAcquireLock, object(null_mut(), "object"));
    });
    assert_eq!(
        (rule(&crash), crash.parameters[0], crash.parameters[2]),
        ("kmdf-no-callback-lock", 0xB, 0)
    );
}
