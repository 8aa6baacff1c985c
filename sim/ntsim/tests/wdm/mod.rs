//! A small WDM driver for tests: one device, an interface, requests handled by a closure of the test.
#![allow(unsafe_code, reason = "a WDM driver in miniature")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    reason = "driver code, some of it wrong on purpose; the kernel under test checks it"
)]
#![allow(dead_code, reason = "each test program uses another part")]

pub mod dma;
pub mod requests;

use ntsim::{
    Machine,
    machine::MachineOwner,
    mem::MemoryModel,
    nt::io::{Driver, DriverImage},
    nt::pnp::Device,
    pci::{Activity, Bar, DevicePort, Identity, PciFunction, PowerState},
    verifier::Crash,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wdk_sys::{ntddk::*, *};

/// The interface of the test device.
pub const INTERFACE: GUID = GUID {
    Data1: 0x1234_5678,
    Data2: 1,
    Data3: 2,
    Data4: [1, 2, 3, 4, 5, 6, 7, 8],
};

/// A control code with any access.
pub const fn code(function: u32, method: u32, access: u32) -> u32 {
    0x8000 << 16 | access << 14 | function << 2 | method
}

/// What the driver does with a request: returns the status of the dispatch routine.
pub type Handler = Rc<dyn Fn(PDEVICE_OBJECT, PIRP) -> NTSTATUS>;

thread_local! {
    static CONTROL: RefCell<Option<Handler>> = const { RefCell::new(None) };
    static PNP: RefCell<Option<Handler>> = const { RefCell::new(None) };
    /// Minor functions of the PnP requests that the driver saw, and power states.
    pub static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static KEEP_INITIALIZING: Cell<bool> = const { Cell::new(false) };
    static ADD_STATUS: Cell<NTSTATUS> = const { Cell::new(STATUS_SUCCESS) };
    static LINK: RefCell<Option<UNICODE_STRING>> = const { RefCell::new(None) };
}

/// Says what device control requests do.
pub fn on_control(handler: impl Fn(PDEVICE_OBJECT, PIRP) -> NTSTATUS + 'static) {
    CONTROL.with(|slot| *slot.borrow_mut() = Some(Rc::new(handler)));
}

/// Says what PnP requests do instead of what the driver does by itself.
pub fn on_pnp(handler: impl Fn(PDEVICE_OBJECT, PIRP) -> NTSTATUS + 'static) {
    PNP.with(|slot| *slot.borrow_mut() = Some(Rc::new(handler)));
}

/// Lets AddDevice forget to clear DO_DEVICE_INITIALIZING.
pub fn keep_initializing() {
    KEEP_INITIALIZING.with(|slot| slot.set(true));
}

/// Lets AddDevice fail.
pub fn fail_add(status: NTSTATUS) {
    ADD_STATUS.with(|slot| slot.set(status));
}

/// What the driver saw so far.
pub fn seen() -> Vec<String> {
    SEEN.with(|seen| seen.borrow().clone())
}

/// The extension of the device.
#[repr(C)]
pub struct Extension {
    pub lower: PDEVICE_OBJECT,
    pub pdo: PDEVICE_OBJECT,
}

pub fn extension(device: PDEVICE_OBJECT) -> &'static Extension {
    unsafe { &*(*device).DeviceExtension.cast::<Extension>() }
}

pub fn stack(irp: PIRP) -> *mut IO_STACK_LOCATION {
    unsafe {
        (*irp)
            .Tail
            .Overlay
            .__bindgen_anon_2
            .__bindgen_anon_1
            .CurrentStackLocation
    }
}

/// IoMarkIrpPending.
pub fn mark_pending(irp: PIRP) {
    unsafe { (*stack(irp)).Control |= SL_PENDING_RETURNED as u8 };
}

/// IoSkipCurrentIrpStackLocation and IoCallDriver.
pub fn forward(device: PDEVICE_OBJECT, irp: PIRP) -> NTSTATUS {
    unsafe {
        (*irp).CurrentLocation += 1;
        (*irp)
            .Tail
            .Overlay
            .__bindgen_anon_2
            .__bindgen_anon_1
            .CurrentStackLocation = stack(irp).add(1);
        IofCallDriver(extension(device).lower, irp)
    }
}

pub fn complete(irp: PIRP, status: NTSTATUS, information: u64) -> NTSTATUS {
    unsafe {
        (*irp).IoStatus.__bindgen_anon_1.Status = status;
        (*irp).IoStatus.Information = information;
        IofCompleteRequest(irp, 0);
    }
    status
}

unsafe extern "win64" fn signal(_device: PDEVICE_OBJECT, _irp: PIRP, context: PVOID) -> NTSTATUS {
    unsafe { KeSetEvent(context.cast(), 0, 0) };
    STATUS_MORE_PROCESSING_REQUIRED
}

/// Passes an IRP down, waits for it, and keeps it.
pub fn forward_and_wait(device: PDEVICE_OBJECT, irp: PIRP) -> NTSTATUS {
    unsafe {
        let mut event = KEVENT::default();
        KeInitializeEvent(&raw mut event, _EVENT_TYPE::NotificationEvent, 0);
        let next = stack(irp).sub(1);
        next.copy_from_nonoverlapping(stack(irp), 1);
        (*next).Control = 0;
        (*next).CompletionRoutine = Some(signal);
        (*next).Context = (&raw mut event).cast();
        (*next).Control = (SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR | SL_INVOKE_ON_CANCEL) as u8;
        let lower = extension(device).lower;
        let _ = IofCallDriver(lower, irp);
        let _ = KeWaitForSingleObject(
            (&raw mut event).cast(),
            _KWAIT_REASON::Executive,
            0,
            0,
            core::ptr::null_mut(),
        );
        (*irp).IoStatus.__bindgen_anon_1.Status
    }
}

unsafe extern "win64" fn dispatch(device: PDEVICE_OBJECT, irp: PIRP) -> NTSTATUS {
    let (major, minor) = unsafe { ((*stack(irp)).MajorFunction, (*stack(irp)).MinorFunction) };
    let handler =
        |slot: &'static std::thread::LocalKey<RefCell<Option<Handler>>>| slot.with(|slot| slot.borrow().clone());
    match u32::from(major) {
        IRP_MJ_DEVICE_CONTROL => match handler(&CONTROL) {
            Some(handler) => handler(device, irp),
            None => complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0),
        },
        IRP_MJ_PNP => {
            SEEN.with(|seen| seen.borrow_mut().push(format!("pnp {minor:#x}")));
            match handler(&PNP) {
                Some(handler) => handler(device, irp),
                None => pnp(device, irp),
            }
        }
        IRP_MJ_POWER => {
            let power = unsafe { (*stack(irp)).Parameters.Power };
            let state = unsafe { power.State.SystemState };
            SEEN.with(|seen| {
                seen.borrow_mut()
                    .push(format!("power {minor:#x} type {} state {state}", power.Type))
            });
            forward(device, irp)
        }
        _ => {
            SEEN.with(|seen| seen.borrow_mut().push(format!("major {major:#x}")));
            complete(irp, STATUS_SUCCESS, 0)
        }
    }
}

/// What a well-behaved function driver does with PnP requests.
pub fn pnp(device: PDEVICE_OBJECT, irp: PIRP) -> NTSTATUS {
    let minor = unsafe { u32::from((*stack(irp)).MinorFunction) };
    match minor {
        IRP_MN_START_DEVICE => {
            let status = forward_and_wait(device, irp);
            if status >= 0 {
                set_interface(1);
            }
            complete(irp, status, 0)
        }
        IRP_MN_SURPRISE_REMOVAL => {
            set_interface(0);
            unsafe { (*irp).IoStatus.__bindgen_anon_1.Status = STATUS_SUCCESS };
            forward(device, irp)
        }
        IRP_MN_REMOVE_DEVICE => {
            set_interface(0);
            unsafe { (*irp).IoStatus.__bindgen_anon_1.Status = STATUS_SUCCESS };
            let lower = extension(device).lower;
            let status = forward(device, irp);
            unsafe {
                IoDetachDevice(lower);
                IoDeleteDevice(device);
            }
            free_link();
            status
        }
        IRP_MN_QUERY_STOP_DEVICE
        | IRP_MN_STOP_DEVICE
        | IRP_MN_CANCEL_STOP_DEVICE
        | IRP_MN_QUERY_REMOVE_DEVICE
        | IRP_MN_CANCEL_REMOVE_DEVICE => {
            unsafe { (*irp).IoStatus.__bindgen_anon_1.Status = STATUS_SUCCESS };
            forward(device, irp)
        }
        _ => forward(device, irp),
    }
}

fn set_interface(enable: u8) {
    LINK.with(|link| {
        if let Some(mut link) = *link.borrow() {
            let _ = unsafe { IoSetDeviceInterfaceState(&raw mut link, enable) };
        }
    });
}

fn free_link() {
    if let Some(mut link) = LINK.with(|link| link.borrow_mut().take()) {
        unsafe { RtlFreeUnicodeString(&raw mut link) };
    }
}

unsafe extern "win64" fn add_device(driver: PDRIVER_OBJECT, pdo: PDEVICE_OBJECT) -> NTSTATUS {
    let wanted = ADD_STATUS.with(Cell::get);
    if wanted < 0 {
        return wanted;
    }
    let mut device: PDEVICE_OBJECT = core::ptr::null_mut();
    unsafe {
        let size = size_of::<Extension>() as u32;
        let status = IoCreateDevice(
            driver,
            size,
            core::ptr::null_mut(),
            FILE_DEVICE_UNKNOWN,
            0,
            0,
            &raw mut device,
        );
        assert_eq!(status, STATUS_SUCCESS);
        let lower = IoAttachDeviceToDeviceStack(device, pdo);
        (*device)
            .DeviceExtension
            .cast::<Extension>()
            .write(Extension { lower, pdo });
        let mut link = UNICODE_STRING::default();
        let status = IoRegisterDeviceInterface(
            pdo,
            core::ptr::from_ref(&INTERFACE),
            core::ptr::null_mut(),
            &raw mut link,
        );
        assert_eq!(status, STATUS_SUCCESS);
        LINK.with(|slot| *slot.borrow_mut() = Some(link));
        if !KEEP_INITIALIZING.with(Cell::get) {
            (*device).Flags &= !DO_DEVICE_INITIALIZING;
        }
    }
    STATUS_SUCCESS
}

unsafe extern "win64" fn unload(_driver: PDRIVER_OBJECT) {}

unsafe extern "win64" fn entry(driver: PDRIVER_OBJECT, _path: PUNICODE_STRING) -> NTSTATUS {
    unsafe {
        for major in [
            IRP_MJ_CREATE,
            IRP_MJ_CLEANUP,
            IRP_MJ_CLOSE,
            IRP_MJ_DEVICE_CONTROL,
            IRP_MJ_PNP,
            IRP_MJ_POWER,
            IRP_MJ_SYSTEM_CONTROL,
        ] {
            (*driver).MajorFunction[major as usize] = Some(dispatch);
        }
        (*driver).DriverUnload = Some(unload);
        (*(*driver).DriverExtension).AddDevice = Some(add_device);
    }
    STATUS_SUCCESS
}

/// The driver.
pub const IMAGE: DriverImage = DriverImage::wdm("wdm", entry);

/// A function that does nothing by itself.
pub struct Function;

impl PciFunction for Function {
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
                    length: 0x1_0000,
                    prefetchable: false,
                }),
                None,
            ],
            messages: 2,
        }
    }

    fn read(&mut self, _bar: u8, _offset: u64, _width: u8) -> u64 {
        0
    }

    fn write(&mut self, _bar: u8, _offset: u64, _width: u8, _value: u64, _port: &mut dyn DevicePort) {}

    fn step(&mut self, _port: &mut dyn DevicePort) -> Activity {
        Activity::Idle
    }

    fn set_bus_master(&mut self, _enabled: bool) {}

    fn set_power(&mut self, _state: PowerState) {}

    fn unplug(&mut self) {}
}

/// A machine with the driver and a started device.
pub struct Bench {
    pub m: MachineOwner,
    pub driver: Driver,
    pub device: Device,
}

pub fn bench() -> Bench {
    bench_on(Machine::builder().build())
}

pub fn bench_with(model: MemoryModel) -> Bench {
    bench_on(Machine::builder().memory(model).build())
}

pub fn bench_on(m: MachineOwner) -> Bench {
    let driver = m.load_driver(IMAGE).unwrap();
    let device = m.plug(&driver, Box::new(Function)).unwrap();
    Bench { m, driver, device }
}

impl Bench {
    /// Removes the device, unloads the driver; nothing may be left.
    pub fn finish(self) {
        self.device.remove().unwrap();
        self.driver.unload().unwrap();
        let report = self.m.report();
        assert!(report.ledger.is_empty(), "{report}");
        assert!(report.findings.is_empty(), "{report}");
    }
}

/// The identifier of the rule that stopped a machine.
pub fn rule(crash: &Crash) -> &'static str {
    crash.rule.unwrap_or_else(|| panic!("no rule: {crash}")).id
}

/// Runs driver code on a fresh machine; the rule that it breaks.
pub fn broken_by(f: impl FnOnce() + 'static) -> &'static str {
    let m = Machine::builder().build();
    rule(&m.run_as_driver("wrong driver", f).expect_err("the rule is broken"))
}
