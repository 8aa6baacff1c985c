//! A device from plugging in to removal, through a WDM driver, and the rules about that.
#![allow(unsafe_code, reason = "kernel functions are unsafe")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    reason = "driver code that breaks the contracts on purpose; the contracts are what is tested"
)]

mod wdm;

use ntsim::{
    Machine,
    machine::InterruptSupply,
    nt::{
        io::{DesiredAccess, Failure},
        pnp::DeviceState,
    },
    sched::Schedule,
};
use std::cell::RefCell;
use wdk_sys::{ntddk::*, *};
use wdm::{Function, IMAGE, INTERFACE, bench, complete, fail_add, keep_initializing, on_pnp, rule, seen, stack};

fn status(result: Result<impl Sized, Failure>) -> NTSTATUS {
    match result {
        Ok(_) => STATUS_SUCCESS,
        Err(Failure::Status(status)) => status,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn start_asks_in_order_and_removal_leaves_nothing() {
    let bench = bench();
    assert_eq!(bench.device.state(), DeviceState::Started);
    bench.device.query_remove().unwrap();
    assert_eq!(
        seen(),
        ["pnp 0xd", "pnp 0x0", "pnp 0x9", "pnp 0x7", "pnp 0x1", "pnp 0x3"]
    );
    bench.finish();
}

#[test]
fn stop_and_restart() {
    let bench = bench();
    bench.device.stop().unwrap();
    assert_eq!(bench.device.state(), DeviceState::Stopped);
    assert_eq!(status(bench.device.stop()), STATUS_INVALID_DEVICE_STATE);
    bench.device.restart().unwrap();
    assert_eq!(bench.device.state(), DeviceState::Started);
    bench.finish();
}

#[test]
fn open_files_are_in_the_way_of_removal() {
    let bench = bench();
    let handle = bench.m.open(INTERFACE, DesiredAccess::READ).unwrap();
    assert_eq!(status(bench.device.remove()), STATUS_DEVICE_BUSY);
    handle.close().unwrap();
    bench.finish();
}

#[test]
fn a_pulled_out_device_goes_when_its_files_are_closed() {
    let bench = bench();
    let handle = bench.m.open(INTERFACE, DesiredAccess::READ).unwrap();
    bench.device.surprise_remove().unwrap();
    bench.m.settle().unwrap();
    assert_eq!(bench.device.state(), DeviceState::SurpriseRemoved);
    assert_eq!(
        status(bench.m.open(INTERFACE, DesiredAccess::READ)),
        STATUS_OBJECT_NAME_NOT_FOUND
    );
    assert_eq!(status(bench.driver.unload()), STATUS_DEVICE_BUSY);
    handle.close().unwrap();
    bench.m.settle().unwrap();
    assert_eq!(bench.device.state(), DeviceState::Removed);
    bench.driver.unload().unwrap();
    assert!(bench.m.report().ledger.is_empty(), "{}", bench.m.report());
}

#[test]
fn sleep_and_resume_send_system_power_requests() {
    let bench = bench();
    bench.device.sleep().unwrap();
    bench.device.resume().unwrap();
    let power: Vec<_> = seen().into_iter().filter(|name| name.starts_with("power")).collect();
    assert_eq!(
        power,
        [
            "power 0x3 type 0 state 4",
            "power 0x2 type 0 state 4",
            "power 0x2 type 0 state 1"
        ]
    );
    bench.finish();
}

#[test]
fn opening_requests_and_removal_in_any_order_leave_nothing() {
    for seed in 0..50 {
        let m = Machine::builder().seed(seed).schedule(Schedule::Random).build();
        let bench = wdm::bench_on(m);
        wdm::on_control(|_, irp| complete(irp, STATUS_SUCCESS, 0));
        let handle = bench.m.open(INTERFACE, DesiredAccess::READ).unwrap();
        let before: Vec<_> = (0..3).map(|_| handle.ioctl(0x8000_2000, &[seed as u8], None)).collect();
        if seed % 2 == 0 {
            bench.device.surprise_remove().unwrap();
        } else {
            assert_eq!(status(bench.device.remove()), STATUS_DEVICE_BUSY);
        }
        let after = handle.ioctl(0x8000_2000, &[], None);
        handle
            .close()
            .unwrap_or_else(|failure| panic!("seed {seed}: {failure}"));
        bench.m.settle().unwrap_or_else(|crash| panic!("seed {seed}: {crash}"));
        assert!(
            before.iter().chain([&after]).all(|io| io.result().is_some()),
            "seed {seed}"
        );
        if seed % 2 == 1 {
            bench
                .device
                .remove()
                .unwrap_or_else(|failure| panic!("seed {seed}: {failure}"));
        }
        assert_eq!(bench.device.state(), DeviceState::Removed, "seed {seed}");
        assert!(bench.m.open(INTERFACE, DesiredAccess::READ).is_err(), "seed {seed}");
        bench.driver.unload().unwrap();
        assert!(bench.m.report().ledger.is_empty(), "seed {seed}: {}", bench.m.report());
    }
}

#[test]
fn a_device_that_fails_to_start_is_removed() {
    let m = Machine::builder().build();
    let driver = m.load_driver(IMAGE).unwrap();
    on_pnp(|device, irp| match u32::from(unsafe { (*stack(irp)).MinorFunction }) {
        IRP_MN_START_DEVICE => complete(irp, STATUS_DEVICE_HARDWARE_ERROR, 0),
        _ => wdm::pnp(device, irp),
    });
    assert_eq!(
        status(m.plug(&driver, Box::new(Function))),
        STATUS_DEVICE_HARDWARE_ERROR
    );
    driver.unload().unwrap();
    assert!(m.report().ledger.is_empty(), "{}", m.report());
}

#[test]
fn a_driver_may_refuse_a_device() {
    let m = Machine::builder().build();
    let driver = m.load_driver(IMAGE).unwrap();
    fail_add(STATUS_NO_SUCH_DEVICE);
    assert_eq!(status(m.plug(&driver, Box::new(Function))), STATUS_NO_SUCH_DEVICE);
    driver.unload().unwrap();
    assert!(m.report().ledger.is_empty(), "{}", m.report());
}

#[test]
fn a_device_that_says_it_failed_is_removed() {
    let bench = bench();
    let pdo = bench.device.pdo();
    on_pnp(|device, irp| match u32::from(unsafe { (*stack(irp)).MinorFunction }) {
        IRP_MN_QUERY_PNP_DEVICE_STATE => complete(irp, STATUS_SUCCESS, 4),
        _ => wdm::pnp(device, irp),
    });
    bench
        .m
        .run_as_driver("driver", move || unsafe { IoInvalidateDeviceState(pdo) })
        .unwrap();
    bench.m.settle().unwrap();
    assert_eq!(bench.device.state(), DeviceState::Removed);
    bench.driver.unload().unwrap();
}

thread_local! {
    static RESOURCES: RefCell<Vec<(u8, u16, u64, u64)>> = const { RefCell::new(Vec::new()) };
}

/// Type, flags and two numbers of each translated descriptor that START brought.
fn resources(supply: InterruptSupply) -> Vec<(u8, u16, u64, u64)> {
    RESOURCES.with(|resources| resources.borrow_mut().clear());
    let m = Machine::builder().interrupts(supply).build();
    let driver = m.load_driver(IMAGE).unwrap();
    on_pnp(|device, irp| unsafe {
        if u32::from((*stack(irp)).MinorFunction) == IRP_MN_START_DEVICE {
            let list = (*stack(irp)).Parameters.StartDevice.AllocatedResourcesTranslated;
            assert_eq!((*list).Count, 1);
            let partial = &raw const (*list).List[0].PartialResourceList;
            let first: *const CM_PARTIAL_RESOURCE_DESCRIPTOR = (&raw const (*partial).PartialDescriptors).cast();
            for index in 0..(&raw const (*partial).Count).read_unaligned() as usize {
                let descriptor = first.add(index).read_unaligned();
                let numbers = if u32::from(descriptor.Type) == CmResourceTypeMemory {
                    let memory = descriptor.u.Memory;
                    let start = { memory.Start };
                    (start.QuadPart as u64, u64::from(memory.Length))
                } else {
                    let interrupt = descriptor.u.Interrupt;
                    (u64::from(interrupt.Level), u64::from(interrupt.Vector))
                };
                let row = (descriptor.Type, { descriptor.Flags }, numbers.0, numbers.1);
                RESOURCES.with(|resources| resources.borrow_mut().push(row));
            }
        }
        wdm::pnp(device, irp)
    });
    let device = m.plug(&driver, Box::new(Function)).unwrap();
    device.remove().unwrap();
    RESOURCES.with(|resources| resources.borrow().clone())
}

#[test]
fn resources_name_the_bars_and_the_interrupts() {
    let found = resources(InterruptSupply::Messages(2));
    assert_eq!(found.len(), 3);
    let (kind, _, start, length) = found[0];
    assert_eq!(
        (u32::from(kind), start % 0x1_0000, length),
        (CmResourceTypeMemory, 0, 0x1_0000)
    );
    for (kind, flags, level, vector) in &found[1..] {
        assert_eq!(u32::from(*kind), CmResourceTypeInterrupt);
        assert_eq!(
            u32::from(*flags),
            CM_RESOURCE_INTERRUPT_LATCHED | CM_RESOURCE_INTERRUPT_MESSAGE
        );
        assert!(*level > u64::from(DISPATCH_LEVEL) && *vector > 0);
    }
    assert_eq!(resources(InterruptSupply::Messages(1)).len(), 2);
    let line = resources(InterruptSupply::Line);
    assert_eq!(
        (line.len(), u32::from(line[1].1)),
        (2, CM_RESOURCE_INTERRUPT_LEVEL_SENSITIVE)
    );
}

#[test]
fn the_bus_gives_access_to_the_configuration_space() {
    let bench = bench();
    let pdo = bench.device.pdo();
    bench
        .m
        .run_as_driver("driver", move || unsafe {
            let guid = GUID {
                Data1: 0x496B_8280,
                Data2: 0x6F25,
                Data3: 0x11D0,
                Data4: [0xBE, 0xAF, 0x08, 0x00, 0x2B, 0xE2, 0x09, 0x2F],
            };
            let mut interface = BUS_INTERFACE_STANDARD::default();
            let irp = IoAllocateIrp((*pdo).StackSize, 0);
            (*irp).IoStatus.__bindgen_anon_1.Status = STATUS_NOT_SUPPORTED;
            let next = stack(irp).sub(1);
            (*next).MajorFunction = IRP_MJ_PNP as u8;
            (*next).MinorFunction = IRP_MN_QUERY_INTERFACE as u8;
            (*next).Parameters.QueryInterface.InterfaceType = &raw const guid;
            (*next).Parameters.QueryInterface.Size = size_of::<BUS_INTERFACE_STANDARD>() as u16;
            (*next).Parameters.QueryInterface.Version = 1;
            (*next).Parameters.QueryInterface.Interface = (&raw mut interface).cast();
            unsafe extern "win64" fn keep(_device: PDEVICE_OBJECT, _irp: PIRP, _context: PVOID) -> NTSTATUS {
                STATUS_MORE_PROCESSING_REQUIRED
            }
            let _ = IoSetCompletionRoutineEx(pdo, irp, Some(keep), core::ptr::null_mut(), 1, 1, 1);
            assert_eq!(IofCallDriver(pdo, irp), STATUS_SUCCESS);
            IoFreeIrp(irp);
            let mut ids = [0_u8; 4];
            let read = interface.GetBusData.unwrap()(interface.Context, 0, ids.as_mut_ptr().cast(), 0, 4);
            assert_eq!((read, ids), (4, [0xF4, 0x1A, 0xF0, 0x10]));
            let mut command = [0_u8; 2];
            interface.GetBusData.unwrap()(interface.Context, 0, command.as_mut_ptr().cast(), 4, 2);
            assert_ne!(command[0] & 4, 0, "the device is a bus master after START");
            command[0] &= !4;
            interface.SetBusData.unwrap()(interface.Context, 0, command.as_mut_ptr().cast(), 4, 2);
            command[0] |= 4;
            interface.GetBusData.unwrap()(interface.Context, 0, command.as_mut_ptr().cast(), 4, 2);
            assert_eq!(command[0] & 4, 0);
        })
        .unwrap();
    bench.finish();
}

thread_local! {
    static POWERED: RefCell<Vec<i32>> = const { RefCell::new(Vec::new()) };
}

unsafe extern "win64" fn powered(
    _device: PDEVICE_OBJECT,
    _minor: u8,
    state: POWER_STATE,
    _context: PVOID,
    io: PIO_STATUS_BLOCK,
) {
    let status = unsafe { (*io).__bindgen_anon_1.Status };
    POWERED.with(|powered| powered.borrow_mut().extend([unsafe { state.DeviceState }, status]));
}

#[test]
fn a_driver_asks_for_device_power() {
    let bench = bench();
    let pdo = bench.device.pdo();
    bench
        .m
        .run_as_driver("driver", move || unsafe {
            let state = POWER_STATE {
                DeviceState: _DEVICE_POWER_STATE::PowerDeviceD3,
            };
            let top = (*pdo).AttachedDevice;
            let none = core::ptr::null_mut();
            let status = PoRequestPowerIrp(top, IRP_MN_SET_POWER as u8, state, Some(powered), none, none.cast());
            assert_eq!(status, STATUS_PENDING);
        })
        .unwrap();
    bench.m.settle().unwrap();
    assert_eq!(
        POWERED.with(|powered| powered.borrow().clone()),
        [_DEVICE_POWER_STATE::PowerDeviceD3, STATUS_SUCCESS]
    );
    assert!(seen().contains(&"power 0x2 type 1 state 4".to_owned()));
    bench.finish();
}

/// The rule that removal through a wrong driver breaks.
fn broken_by_removal(handler: impl Fn(PDEVICE_OBJECT, PIRP) -> NTSTATUS + 'static) -> &'static str {
    let bench = bench();
    on_pnp(
        move |device, irp| match u32::from(unsafe { (*stack(irp)).MinorFunction }) {
            IRP_MN_REMOVE_DEVICE => handler(device, irp),
            _ => wdm::pnp(device, irp),
        },
    );
    let Err(Failure::Crash(crash)) = bench.device.remove() else {
        panic!("no rule was broken")
    };
    rule(&crash)
}

#[test]
fn pnp_rules() {
    let attached = broken_by_removal(|device, irp| {
        unsafe { (*irp).IoStatus.__bindgen_anon_1.Status = STATUS_SUCCESS };
        wdm::forward(device, irp)
    });
    assert_eq!(attached, "device-not-detached");
    let failed = broken_by_removal(|_, irp| complete(irp, STATUS_UNSUCCESSFUL, 0));
    assert_eq!(failed, "pnp-cannot-be-failed");
    keep_initializing();
    let m = Machine::builder().build();
    let driver = m.load_driver(IMAGE).unwrap();
    let Err(Failure::Crash(crash)) = m.plug(&driver, Box::new(Function)) else {
        panic!("no rule was broken")
    };
    assert_eq!(rule(&crash), "device-still-initializing");
}

#[test]
fn an_adapter_that_is_never_put_is_found_at_unload() {
    let bench = bench();
    let pdo = bench.device.pdo();
    bench
        .m
        .run_as_driver("driver", move || unsafe {
            let mut description = DEVICE_DESCRIPTION {
                Version: 2,
                Master: 1,
                ScatterGather: 1,
                Dma64BitAddresses: 1,
                MaximumLength: 4096,
                ..Default::default()
            };
            let mut registers = 0;
            assert!(!IoGetDmaAdapter(pdo, &raw mut description, &raw mut registers).is_null());
        })
        .unwrap();
    bench.device.remove().unwrap();
    let Err(Failure::Crash(crash)) = bench.driver.unload() else {
        panic!("no rule was broken")
    };
    assert_eq!(rule(&crash), "dma-adapter-leak");
}

#[test]
fn power_request_rule() {
    let bench = bench();
    let pdo = bench.device.pdo();
    let crash = bench.m.run_as_driver("driver", move || unsafe {
        let state = POWER_STATE { DeviceState: 1 };
        let none = core::ptr::null_mut();
        let _ = PoRequestPowerIrp(pdo, 0x77, state, None, none, none.cast());
    });
    assert_eq!(rule(&crash.unwrap_err()), "power-request");
}
