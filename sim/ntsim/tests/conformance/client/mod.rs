//! The scripted client: a KMDF driver whose callbacks do what the record says.

pub mod callbacks;
pub mod device;

use crate::calls;
use crate::harness::note;
use crate::scenario::Ev;
use crate::world::world;
use ntsim::machine::Machine;
use ntsim::nt::io::{Driver, DriverImage};
use ntsim::nt::registry::{SERVICES, Value};
use wdk_sys::*;

/// The service name of the client.
const NAME: &str = "recorded";

/// Loads the client, with the framework's verifier on or off.
pub fn load(machine: &Machine, verifier: bool) -> Result<Driver, String> {
    let key = format!(r"{SERVICES}\{NAME}\Parameters\Wdf");
    machine.set_registry_value(&key, "VerifierOn", Value::dword(u32::from(verifier)));
    machine
        .load_driver(DriverImage::host(NAME, driver_entry))
        .map_err(|error| format!("the client did not load: {error}"))
}

unsafe extern "win64" fn driver_entry(driver: *mut DRIVER_OBJECT, path: PUNICODE_STRING) -> NTSTATUS {
    let mut config = WDF_DRIVER_CONFIG {
        Size: size_of::<WDF_DRIVER_CONFIG>() as ULONG,
        EvtDriverDeviceAdd: Some(callbacks::device_add),
        EvtDriverUnload: Some(callbacks::unload),
        ..Default::default()
    };
    let null: *mut WDF_OBJECT_ATTRIBUTES = core::ptr::null_mut();
    let mut made: WDFDRIVER = core::ptr::null_mut();
    // SAFETY: the arguments of this entry point, and locals.
    let status = unsafe {
        call_unsafe_wdf_function_binding!(
            WdfDriverCreate,
            driver,
            path.cast_const(),
            null,
            &raw mut config,
            &raw mut made
        )
    };
    world().handles.driver.set(made.addr());
    status
}

/// A callback: compares its entry, does the recorded calls, and returns what was recorded, 0 when there is a deviation.
pub fn play(name: &str, args: String) -> u32 {
    let world = world();
    world.saw(Ev::Enter, name, args, None);
    loop {
        world.script.drain();
        if world.script.failed() {
            return 0;
        }
        match world.script.next().map(|event| event.ev) {
            Some(Ev::Call) => calls::perform(&world),
            Some(Ev::Note) => note::perform(&world),
            _ => break,
        }
    }
    let ret = world
        .script
        .next()
        .filter(|event| event.ev == Ev::Leave && event.name == name)
        .and_then(|event| event.ret);
    world.saw(Ev::Leave, name, String::new(), ret.clone());
    ret.and_then(|ret| u32::from_str_radix(ret.trim_start_matches("0x"), 16).ok())
        .unwrap_or(0)
}

/// A callback whose end was not recorded.
pub fn play_entry(name: &str, args: String) {
    world().saw(Ev::Enter, name, args, None);
}

/// A callback that returns a status.
pub fn play_status(name: &str, args: String) -> NTSTATUS {
    play(name, args).cast_signed()
}
