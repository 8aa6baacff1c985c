//! `call_unsafe_wdf_function_binding!`.
use crate::{
    child,
    framework::{Image, exclusive, log, take_log},
};
use wdk_sys::{
    NT_SUCCESS, NTSTATUS, PDRIVER_OBJECT, PUNICODE_STRING, STATUS_SUCCESS, WDF_NO_OBJECT_ATTRIBUTES, WDFDRIVER,
    call_unsafe_wdf_function_binding,
};

unsafe extern "win64" fn creates_driver(driver_object: PDRIVER_OBJECT, path: PUNICODE_STRING) -> NTSTATUS {
    let mut driver: WDFDRIVER = core::ptr::null_mut();
    // SAFETY: the arguments are those the kernel passed, and a variable.
    let status = unsafe {
        call_unsafe_wdf_function_binding!(
            WdfDriverCreate,
            driver_object,
            path,
            WDF_NO_OBJECT_ATTRIBUTES,
            core::ptr::null_mut(),
            &raw mut driver,
        )
    };
    assert!(NT_SUCCESS(status));
    assert_eq!(driver.cast(), driver_object, "the result came back");
    log("entry");
    status
}

unsafe extern "win64" fn does_nothing(_: PDRIVER_OBJECT, _: PUNICODE_STRING) -> NTSTATUS {
    STATUS_SUCCESS
}

#[test]
fn a_call_reaches_the_table_entry_with_the_globals_first() {
    let _guard = exclusive();
    let mut image = Image::new("path");
    assert_eq!(image.load(creates_driver), STATUS_SUCCESS);
    image.unload();
    assert_eq!(take_log(), ["bind", "WdfDriverCreate", "entry", "unbind"]);
}

/// Calls a function that the table does not have; returns the panic's message.
fn call_missing() -> String {
    let call = || {
        // SAFETY: does not get as far as calling anything.
        unsafe { call_unsafe_wdf_function_binding!(WdfObjectDelete, core::ptr::null_mut()) };
    };
    let message = std::panic::catch_unwind(call).expect_err("panics");
    *message.downcast::<String>().expect("a message")
}

#[test]
fn a_null_entry_is_named() {
    let _guard = exclusive();
    let mut image = Image::new("path");
    assert_eq!(image.load(does_nothing), STATUS_SUCCESS);
    assert_eq!(
        call_missing(),
        "KMDF function WdfObjectDelete has a null entry in the bound table"
    );
    image.unload();
    take_log();
}

#[test]
fn a_call_past_the_end_of_the_table_is_named() {
    if child::is_child() {
        // SAFETY: nothing else runs in this process.
        unsafe { wdk_sys::WdfFunctionCount = 100 };
        println!("said: {}", call_missing());
        return;
    }
    let output = child::run("calls::a_call_past_the_end_of_the_table_is_named");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("said: KMDF function WdfObjectDelete is not in the bound table of 100 functions"),
        "{text}"
    );
}

#[test]
fn a_call_before_the_bind_is_named() {
    if child::is_child() {
        println!("said: {}", call_missing());
        return;
    }
    let output = child::run("calls::a_call_before_the_bind_is_named");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("said: KMDF function WdfObjectDelete was called before WdfVersionBind"),
        "{text}"
    );
}
