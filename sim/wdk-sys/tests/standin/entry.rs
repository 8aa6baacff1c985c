//! The entry stub: bind, entry point, unload routine, unbind.
use crate::framework::{BIND_STATUS, BOUND_PATH, Image, WRONG_TABLE, exclusive, log, set_displace, take_log};
use wdk_sys::{
    NTSTATUS, PDRIVER_OBJECT, PUNICODE_STRING, STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS, STATUS_UNSUCCESSFUL,
    standin::fx_driver_entry,
};

unsafe extern "win64" fn succeeds(driver_object: PDRIVER_OBJECT, _: PUNICODE_STRING) -> NTSTATUS {
    log("entry");
    if !driver_object.is_null() {
        // SAFETY: the driver object of this load; the framework sets its routine in WdfDriverCreate.
        unsafe { (*driver_object).DriverUnload = Some(framework_unload) };
    }
    STATUS_SUCCESS
}

unsafe extern "win64" fn fails(_: PDRIVER_OBJECT, _: PUNICODE_STRING) -> NTSTATUS {
    log("entry");
    STATUS_UNSUCCESSFUL
}

unsafe extern "win64" fn framework_unload(_: PDRIVER_OBJECT) {
    log("framework unload");
}

#[test]
fn unload_runs_the_displaced_routine_and_then_unbinds() {
    let _guard = exclusive();
    let mut image = Image::new(r"\Registry\Machine\System\Services\sample");
    for _ in 0..2 {
        assert_eq!(image.load(succeeds), STATUS_SUCCESS);
        assert_eq!(take_log(), ["bind", "entry"]);
        image.unload();
        assert_eq!(take_log(), ["framework unload", "unbind"]);
    }
}

#[test]
fn a_failing_entry_point_is_unbound_and_its_unload_routine_left_alone() {
    let _guard = exclusive();
    let mut image = Image::new("path");
    assert_eq!(image.load(fails), STATUS_UNSUCCESSFUL);
    assert_eq!(take_log(), ["bind", "entry", "unbind"]);
    assert!(image.driver_object.DriverUnload.is_none());
    assert_eq!(
        image.load(succeeds),
        STATUS_SUCCESS,
        "the driver object may be loaded again"
    );
    image.unload();
    take_log();
}

#[test]
fn a_failing_bind_ends_the_load() {
    let _guard = exclusive();
    let mut image = Image::new("path");
    BIND_STATUS.set(STATUS_INSUFFICIENT_RESOURCES);
    assert_eq!(image.load(succeeds), STATUS_INSUFFICIENT_RESOURCES);
    BIND_STATUS.set(STATUS_SUCCESS);
    assert_eq!(take_log(), ["bind"]);
    assert!(image.driver_object.DriverUnload.is_none());
}

#[test]
fn the_unload_routine_stays_when_the_framework_says_so() {
    let _guard = exclusive();
    set_displace(0);
    let mut image = Image::new("path");
    assert_eq!(image.load(succeeds), STATUS_SUCCESS);
    image.unload();
    assert_eq!(take_log(), ["bind", "entry", "framework unload"]);
}

#[test]
fn a_machine_that_never_unloaded_leaves_nothing_in_the_way() {
    let _guard = exclusive();
    let mut image = Image::new("path");
    for _ in 0..2 {
        assert_eq!(image.load(succeeds), STATUS_SUCCESS);
    }
    image.unload();
    assert_eq!(
        take_log(),
        ["bind", "entry", "bind", "entry", "framework unload", "unbind"]
    );
}

unsafe extern "win64" fn sets_no_unload(_: PDRIVER_OBJECT, _: PUNICODE_STRING) -> NTSTATUS {
    STATUS_SUCCESS
}

#[test]
fn the_stub_does_not_displace_itself() {
    let _guard = exclusive();
    let mut image = Image::new("path");
    for _ in 0..2 {
        assert_eq!(image.load(sets_no_unload), STATUS_SUCCESS);
    }
    image.unload();
    assert_eq!(take_log(), ["bind", "bind", "unbind"]);
}

#[test]
fn without_a_driver_object_no_framework_is_bound() {
    let _guard = exclusive();
    // SAFETY: the entry point accepts null.
    let status = unsafe { fx_driver_entry(core::ptr::null_mut(), core::ptr::null_mut(), succeeds) };
    assert_eq!(status, STATUS_SUCCESS);
    assert_eq!(take_log(), ["entry"]);
}

#[test]
fn a_long_registry_path_is_cut_at_520_bytes() {
    let _guard = exclusive();
    let path: String = ('a'..='z').cycle().take(300).collect();
    let mut image = Image::new(&path);
    assert_eq!(image.load(fails), STATUS_UNSUCCESSFUL);
    let expected: Vec<u16> = path.encode_utf16().take(260).collect();
    assert_eq!(BOUND_PATH.take(), expected);
}

#[test]
fn machines_on_several_threads_load_and_unload_independently() {
    let _guard = exclusive();
    std::thread::scope(|scope| {
        for machine in 0..4 {
            scope.spawn(move || {
                for round in 0..50 {
                    let mut image = Image::new(&format!("machine {machine} round {round}"));
                    assert_eq!(image.load(succeeds), STATUS_SUCCESS);
                    image.unload();
                    assert_eq!(take_log(), ["bind", "entry", "framework unload", "unbind"]);
                }
            });
        }
    });
}

#[test]
fn a_framework_that_binds_another_table_is_refused() {
    let _guard = exclusive();
    let mut image = Image::new("path");
    assert_eq!(image.load(succeeds), STATUS_SUCCESS);
    image.unload();
    WRONG_TABLE.set(true);
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| Image::new("path").load(succeeds)));
    WRONG_TABLE.set(false);
    let message = *refused.expect_err("refused").downcast::<String>().expect("a message");
    assert_eq!(message, "WdfFunctions is bound to another value already");
    take_log();
}
