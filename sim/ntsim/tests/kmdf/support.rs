//! A small KMDF driver whose callbacks do what a test says, and a PCI function for it.

use ntsim::{
    Machine,
    machine::{InterruptSupply, MachineOwner},
    nt::io::{Driver, DriverImage, Failure},
    nt::pnp::Device,
    pci::{Activity, Bar, DevicePort, Identity, PciFunction, PowerState},
    sched::Schedule,
    verifier::{Crash, Policy},
};
use std::{cell::RefCell, collections::BTreeMap};
use wdk_sys::*;

/// Calls a framework function.
macro_rules! wdf {
    ($name:ident $(, $argument:expr)* $(,)?) => {
        unsafe { wdk_sys::call_unsafe_wdf_function_binding!($name $(, $argument)*) }
    };
}
pub(crate) use wdf;

/// What a callback of the driver does besides being logged.
type Hook = Box<dyn FnMut(WDFDEVICE)>;

/// What the driver does, and what it did.
#[derive(Default)]
struct Plan {
    log: Vec<String>,
    statuses: BTreeMap<&'static str, NTSTATUS>,
    hooks: BTreeMap<&'static str, Hook>,
    names: BTreeMap<usize, &'static str>,
    device: WDFDEVICE,
}

thread_local! {
    static PLAN: RefCell<Plan> = RefCell::default();
}

fn plan<R>(f: impl FnOnce(&mut Plan) -> R) -> R {
    PLAN.with(|plan| f(&mut plan.borrow_mut()))
}

/// Adds a line to the log.
pub fn log(line: impl Into<String>) {
    plan(|p| p.log.push(line.into()));
}

/// The log so far, which starts anew.
pub fn take_log() -> Vec<String> {
    plan(|p| core::mem::take(&mut p.log))
}

/// Lets a callback return a status.
pub fn fail(name: &'static str, status: NTSTATUS) {
    plan(|p| p.statuses.insert(name, status));
}

/// Runs something inside a callback.
pub fn on(name: &'static str, hook: impl FnMut(WDFDEVICE) + 'static) {
    plan(|p| p.hooks.insert(name, Box::new(hook)));
}

/// The driver's device.
pub fn device() -> WDFDEVICE {
    plan(|p| p.device)
}

/// A callback of the driver.
pub fn event(name: &'static str, device: WDFDEVICE) -> NTSTATUS {
    log(name);
    run_hook(name, device);
    plan(|p| p.statuses.get(name).copied().unwrap_or(STATUS_SUCCESS))
}

/// Runs the hook of a callback, if there is one.
fn run_hook(name: &'static str, device: WDFDEVICE) {
    let hook = plan(|p| p.hooks.remove(name));
    if let Some(mut hook) = hook {
        hook(device);
        plan(|p| {
            p.hooks.entry(name).or_insert(hook);
        });
    }
}

/// The name of an object in the log.
pub fn name(object: WDFOBJECT, name: &'static str) {
    plan(|p| p.names.insert(object.addr(), name));
}

fn name_of(object: WDFOBJECT) -> &'static str {
    plan(|p| p.names.get(&object.addr()).copied().unwrap_or("unnamed"))
}

/// Logs `cleanup NAME`.
pub unsafe extern "win64" fn cleanup(object: WDFOBJECT) {
    log(format!("cleanup {}", name_of(object)));
}

/// Logs `destroy NAME`.
pub unsafe extern "win64" fn destroy(object: WDFOBJECT) {
    log(format!("destroy {}", name_of(object)));
}

/// Attributes with nothing in them.
pub fn attributes() -> WDF_OBJECT_ATTRIBUTES {
    WDF_OBJECT_ATTRIBUTES {
        Size: size_of::<WDF_OBJECT_ATTRIBUTES>() as ULONG,
        ExecutionLevel: _WDF_EXECUTION_LEVEL::WdfExecutionLevelInheritFromParent,
        SynchronizationScope: _WDF_SYNCHRONIZATION_SCOPE::WdfSynchronizationScopeInheritFromParent,
        ..Default::default()
    }
}

/// Attributes that log cleanup and destruction, with a parent or none.
pub fn observed(parent: WDFOBJECT) -> WDF_OBJECT_ATTRIBUTES {
    WDF_OBJECT_ATTRIBUTES {
        EvtCleanupCallback: Some(cleanup),
        EvtDestroyCallback: Some(destroy),
        ParentObject: parent,
        ..attributes()
    }
}

/// Makes an object that logs its end.
pub fn object(parent: WDFOBJECT, called: &'static str) -> WDFOBJECT {
    let mut made = core::ptr::null_mut();
    let status = wdf!(WdfObjectCreate, &mut observed(parent), &mut made);
    assert_eq!(status, STATUS_SUCCESS);
    name(made, called);
    made
}

macro_rules! status_callbacks {
    ($($callback:ident($($argument:ident: $of:ty),*) = $name:literal;)*) => {$(
        unsafe extern "win64" fn $callback(device: WDFDEVICE $(, $argument: $of)*) -> NTSTATUS {
            event($name, device)
        }
    )*};
}
status_callbacks! {
    d0_entry(_previous: WDF_POWER_DEVICE_STATE) = "D0Entry";
    d0_post(_previous: WDF_POWER_DEVICE_STATE) = "D0EntryPostInterruptsEnabled";
    d0_exit(_target: WDF_POWER_DEVICE_STATE) = "D0Exit";
    d0_pre(_target: WDF_POWER_DEVICE_STATE) = "D0ExitPreInterruptsDisabled";
    prepare(_raw: WDFCMRESLIST, _translated: WDFCMRESLIST) = "PrepareHardware";
    release(_translated: WDFCMRESLIST) = "ReleaseHardware";
    smio_init() = "SelfManagedIoInit";
    smio_suspend() = "SelfManagedIoSuspend";
    smio_restart() = "SelfManagedIoRestart";
    query_remove() = "QueryRemove";
    query_stop() = "QueryStop";
}

macro_rules! void_callbacks {
    ($($callback:ident = $name:literal;)*) => {$(
        unsafe extern "win64" fn $callback(device: WDFDEVICE) {
            event($name, device);
        }
    )*};
}
void_callbacks! {
    smio_cleanup = "SelfManagedIoCleanup";
    smio_flush = "SelfManagedIoFlush";
    surprise = "SurpriseRemoval";
}

unsafe extern "win64" fn unload(_driver: WDFDRIVER) {
    event("DriverUnload", core::ptr::null_mut());
}

/// All PnP and power callbacks.
pub fn pnp_callbacks() -> WDF_PNPPOWER_EVENT_CALLBACKS {
    WDF_PNPPOWER_EVENT_CALLBACKS {
        Size: size_of::<WDF_PNPPOWER_EVENT_CALLBACKS>() as ULONG,
        EvtDeviceD0Entry: Some(d0_entry),
        EvtDeviceD0EntryPostInterruptsEnabled: Some(d0_post),
        EvtDeviceD0Exit: Some(d0_exit),
        EvtDeviceD0ExitPreInterruptsDisabled: Some(d0_pre),
        EvtDevicePrepareHardware: Some(prepare),
        EvtDeviceReleaseHardware: Some(release),
        EvtDeviceSelfManagedIoCleanup: Some(smio_cleanup),
        EvtDeviceSelfManagedIoFlush: Some(smio_flush),
        EvtDeviceSelfManagedIoInit: Some(smio_init),
        EvtDeviceSelfManagedIoSuspend: Some(smio_suspend),
        EvtDeviceSelfManagedIoRestart: Some(smio_restart),
        EvtDeviceSurpriseRemoval: Some(surprise),
        EvtDeviceQueryRemove: Some(query_remove),
        EvtDeviceQueryStop: Some(query_stop),
        ..Default::default()
    }
}

unsafe extern "win64" fn device_add(_driver: WDFDRIVER, mut init: PWDFDEVICE_INIT) -> NTSTATUS {
    wdf!(WdfDeviceInitSetPnpPowerEventCallbacks, init, &mut pnp_callbacks());
    plan(|p| p.device = init.cast());
    run_hook("DeviceInit", init.cast());
    let mut device: WDFDEVICE = core::ptr::null_mut();
    let mut attributes = observed(core::ptr::null_mut());
    plan(|p| p.hooks.contains_key("DeviceScope"))
        .then(|| attributes.SynchronizationScope = _WDF_SYNCHRONIZATION_SCOPE::WdfSynchronizationScopeDevice);
    let status = wdf!(WdfDeviceCreate, &mut init, &mut attributes, &mut device);
    if !NT_SUCCESS(status) {
        return status;
    }
    assert!(init.is_null(), "the framework took the WDFDEVICE_INIT over");
    name(device.cast(), "device");
    plan(|p| p.device = device);
    event("DeviceAdd", device)
}

/// The driver's entry point.
pub unsafe extern "win64" fn entry(driver: PDRIVER_OBJECT, path: PUNICODE_STRING) -> NTSTATUS {
    let mut config = WDF_DRIVER_CONFIG {
        Size: size_of::<WDF_DRIVER_CONFIG>() as ULONG,
        EvtDriverDeviceAdd: Some(device_add),
        EvtDriverUnload: Some(unload),
        ..Default::default()
    };
    let mut attributes = observed(core::ptr::null_mut());
    let mut handle = core::ptr::null_mut();
    let status = wdf!(WdfDriverCreate, driver, path, &mut attributes, &mut config, &mut handle);
    if !NT_SUCCESS(status) {
        return status;
    }
    name(handle.cast(), "driver");
    event("DriverEntry", driver.cast())
}

/// A function with one register page and some messages, which does nothing.
pub struct Quiet {
    /// How many messages it can send.
    pub messages: u16,
}

impl PciFunction for Quiet {
    fn identity(&self) -> Identity {
        Identity {
            vendor: 0x1AF4,
            device: 0x10F0,
            subsystem_vendor: 0,
            subsystem: 0,
            class: 0x12_0000,
            revision: 1,
            bars: vec![
                Some(Bar {
                    length: 4096,
                    prefetchable: false,
                }),
                None,
            ],
            messages: self.messages,
        }
    }

    fn read(&mut self, _bar: u8, _offset: u64, _width: u8) -> u64 {
        0
    }

    fn write(&mut self, _bar: u8, _offset: u64, _width: u8, value: u64, port: &mut dyn DevicePort) {
        port.message(value as u16);
    }

    fn step(&mut self, _port: &mut dyn DevicePort) -> Activity {
        Activity::Idle
    }

    fn set_bus_master(&mut self, _enabled: bool) {}

    fn set_power(&mut self, _state: PowerState) {}

    fn unplug(&mut self) {}
}

/// The service key of the driver.
pub const SERVICE: &str = r"\Registry\Machine\System\CurrentControlSet\Services\mini";

/// A machine with the driver.
pub struct Rig {
    pub machine: MachineOwner,
    pub driver: Option<Driver>,
    pub device: Option<Device>,
}

/// How a rig is built.
pub struct Options {
    pub verifier_on: bool,
    pub policy: Policy,
    pub messages: u16,
    /// `Some`: any order of things that this seed gives, on two processors.
    pub seed: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            verifier_on: true,
            policy: Policy::Stop,
            messages: 1,
            seed: None,
        }
    }
}

impl Rig {
    /// A machine without a driver yet.
    pub fn new(options: &Options) -> Self {
        plan(|p| {
            *p = Plan {
                hooks: core::mem::take(&mut p.hooks),
                statuses: core::mem::take(&mut p.statuses),
                ..Plan::default()
            }
        });
        let mut builder = Machine::builder()
            .verifier(options.policy)
            .interrupts(InterruptSupply::Messages(options.messages));
        if let Some(seed) = options.seed {
            builder = builder.schedule(Schedule::Random).seed(seed).processors(2);
        }
        let machine = builder.build();
        if options.verifier_on {
            let value = ntsim::nt::registry::Value::dword(1);
            machine.set_registry_value(&format!(r"{SERVICE}\Parameters\Wdf"), "VerifierOn", value);
        }
        Self {
            machine,
            driver: None,
            device: None,
        }
    }

    /// The driver loaded and its device started.
    pub fn started() -> Self {
        Self::started_with(&Options::default())
    }

    /// As [`Rig::started`].
    pub fn started_with(options: &Options) -> Self {
        let mut rig = Self::new(options);
        rig.load().unwrap();
        rig.plug(options.messages).unwrap();
        rig
    }

    /// Loads the driver.
    pub fn load(&mut self) -> Result<(), Failure> {
        self.driver = Some(self.machine.load_driver(DriverImage::host("mini", entry))?);
        Ok(())
    }

    /// Plugs the device in and starts it.
    pub fn plug(&mut self, messages: u16) -> Result<(), Failure> {
        let driver = self.driver.expect("loaded");
        self.device = Some(self.machine.plug(&driver, Box::new(Quiet { messages }))?);
        Ok(())
    }

    /// Runs driver code.
    pub fn run<R: 'static>(&self, f: impl FnOnce() -> R + 'static) -> Result<R, Crash> {
        self.machine.run_as_driver("driver code", f)
    }

    /// Runs driver code that breaks a rule; the crash.
    pub fn crash(&self, f: impl FnOnce() + 'static) -> Crash {
        self.run(f).expect_err("the rule is broken")
    }

    /// The device.
    pub fn device(&self) -> &Device {
        self.device.as_ref().expect("plugged in")
    }

    /// Removes the device and unloads the driver.
    pub fn finish(mut self) -> Result<(), Failure> {
        self.device.take().expect("plugged in").remove()?;
        self.driver.take().expect("loaded").unload()
    }
}

/// The identifier of the rule that stopped a machine.
pub fn rule(crash: &Crash) -> &'static str {
    crash.rule.unwrap_or_else(|| panic!("no rule: {crash}")).id
}

/// A crash out of a failure.
pub fn crash_of(failure: Failure) -> Crash {
    match failure {
        Failure::Crash(crash) => *crash,
        other => panic!("no crash: {other}"),
    }
}
