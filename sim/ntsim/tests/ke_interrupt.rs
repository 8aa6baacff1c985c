//! Interrupts: messages and lines, their IRQL, nesting, locks, and misuse.
#![allow(unsafe_code, reason = "kernel functions are unsafe")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    reason = "driver code that breaks the contracts on purpose; the contracts are what is tested"
)]

mod ke_common;

use ke_common::{LATER, LINE, MESSAGE, bar0, leak, physical, plug};
use ntsim::{
    Machine,
    machine::{InterruptSupply, MachineOwner},
    pci::{self, FunctionId},
    sched::{self, Schedule},
    verifier::{Crash, Policy},
};
use std::cell::{Cell, RefCell};
use wdk_sys::{ntddk::*, *};

/// What a small driver keeps for its device.
struct Driver {
    registers: Cell<usize>,
    interrupt: Cell<PKINTERRUPT>,
    dpc: *mut KDPC,
    event: PRKEVENT,
    log: RefCell<Vec<(&'static str, u8)>>,
    claims: Cell<u8>,
    lowers: Cell<bool>,
}

fn write(driver: &Driver, offset: u64, value: u32) {
    let register: *mut u32 = core::ptr::with_exposed_provenance_mut(driver.registers.get() + offset as usize);
    unsafe { register.write_volatile(value) };
}

unsafe extern "win64" fn isr(_interrupt: *mut _KINTERRUPT, context: PVOID) -> BOOLEAN {
    let driver: &Driver = unsafe { &*context.cast() };
    driver.log.borrow_mut().push(("isr", unsafe { KeGetCurrentIrql() }));
    if driver.claims.get() == 1 {
        write(driver, LINE, 0);
        unsafe { KeInsertQueueDpc(driver.dpc, core::ptr::null_mut(), core::ptr::null_mut()) };
    }
    if driver.lowers.get() {
        unsafe { KeLowerIrql(2) };
    }
    driver.claims.get()
}

unsafe extern "win64" fn dpc(_dpc: *mut KDPC, context: PVOID, _: PVOID, _: PVOID) {
    let driver: &Driver = unsafe { &*context.cast() };
    driver.log.borrow_mut().push(("dpc", unsafe { KeGetCurrentIrql() }));
    unsafe { KeSetEvent(driver.event, 0, 0) };
}

/// Sets a driver up; on a context.
fn driver(id: FunctionId) -> &'static Driver {
    let driver: &'static Driver = Box::leak(Box::new(Driver {
        registers: Cell::new(0),
        interrupt: Cell::new(core::ptr::null_mut()),
        dpc: leak(),
        event: leak(),
        log: RefCell::default(),
        claims: Cell::new(1),
        lowers: Cell::new(false),
    }));
    unsafe {
        KeInitializeEvent(driver.event, _EVENT_TYPE::SynchronizationEvent, 0);
        KeInitializeDpc(driver.dpc, Some(dpc), (&raw const *driver).cast_mut().cast());
        let registers = MmMapIoSpaceEx(physical(bar0(id)), ke_common::LENGTH as _, PAGE_READWRITE);
        driver.registers.set(registers.expose_provenance());
    }
    driver
}

/// Connects the n-th interrupt of a function.
fn connect(driver: &'static Driver, id: FunctionId, index: usize) -> NTSTATUS {
    let resource = pci::resources(id).interrupts[index];
    let mode = if resource.message.is_some() {
        _KINTERRUPT_MODE::Latched
    } else {
        _KINTERRUPT_MODE::LevelSensitive
    };
    let mut parameters: IO_CONNECT_INTERRUPT_PARAMETERS = unsafe { core::mem::zeroed() };
    parameters.Version = CONNECT_FULLY_SPECIFIED;
    parameters.__bindgen_anon_1.FullySpecified = IO_CONNECT_INTERRUPT_FULLY_SPECIFIED_PARAMETERS {
        PhysicalDeviceObject: core::ptr::null_mut(),
        InterruptObject: driver.interrupt.as_ptr(),
        ServiceRoutine: Some(isr),
        ServiceContext: (&raw const *driver).cast_mut().cast(),
        SpinLock: core::ptr::null_mut(),
        SynchronizeIrql: resource.irql,
        FloatingSave: 0,
        ShareVector: 0,
        Vector: resource.vector,
        Irql: resource.irql,
        InterruptMode: mode,
        ProcessorEnableMask: resource.affinity as _,
        Group: 0,
    };
    unsafe { IoConnectInterruptEx(&raw mut parameters) }
}

fn disconnect(driver: &Driver) {
    let mut words = [CONNECT_FULLY_SPECIFIED as usize, driver.interrupt.get().addr()];
    unsafe { IoDisconnectInterruptEx(words.as_mut_ptr().cast()) };
}

fn wait(driver: &Driver) -> NTSTATUS {
    let mut timeout = LARGE_INTEGER { QuadPart: -10_000_000 };
    unsafe { KeWaitForSingleObject(driver.event.cast(), 0, 0, 0, &raw mut timeout) }
}

#[test]
fn a_message_runs_the_isr_at_dirql_and_then_the_dpc() {
    for supply in [InterruptSupply::Messages(5), InterruptSupply::Messages(1)] {
        for seed in 0..10 {
            let m = Machine::builder()
                .interrupts(supply)
                .schedule(Schedule::Random)
                .seed(seed)
                .build();
            let (id, _seen) = plug(3);
            let log = m
                .run_as_driver("driver", move || {
                    let driver = driver(id);
                    assert_eq!(connect(driver, id, 0), STATUS_SUCCESS);
                    for _ in 0..3 {
                        write(driver, MESSAGE, 0);
                        assert_eq!(wait(driver), STATUS_SUCCESS);
                    }
                    write(driver, LATER, 500_000);
                    assert_eq!(wait(driver), STATUS_SUCCESS);
                    disconnect(driver);
                    driver.log.take()
                })
                .unwrap();
            assert_eq!(log, [("isr", 9), ("dpc", 2)].repeat(4), "seed {seed}");
            assert_eq!((m.counters().interrupts, m.counters().dpcs), (4, 4));
            assert!(
                m.report()
                    .ledger
                    .iter()
                    .all(|entry| entry.kind != "connected interrupt")
            );
        }
    }
}

#[test]
fn fewer_messages_share_the_last() {
    let m = Machine::builder().interrupts(InterruptSupply::Messages(2)).build();
    let (id, _seen) = plug(5);
    assert_eq!(pci::resources(id).interrupts.len(), 2);
    let count = m
        .run_as_driver("driver", move || {
            let driver = driver(id);
            assert_eq!(connect(driver, id, 1), STATUS_SUCCESS);
            write(driver, MESSAGE, 4);
            assert_eq!(wait(driver), STATUS_SUCCESS);
            driver.log.borrow().len()
        })
        .unwrap();
    assert_eq!(count, 2);
}

#[test]
fn a_message_before_the_connection_waits_for_it() {
    let m = Machine::builder().build();
    let (id, _seen) = plug(1);
    m.run_as_driver("driver", move || {
        let driver = driver(id);
        write(driver, MESSAGE, 0);
        assert!(driver.log.borrow().is_empty());
        connect(driver, id, 0);
        assert_eq!(wait(driver), STATUS_SUCCESS);
    })
    .unwrap();
}

#[test]
fn a_line_interrupts_until_it_is_deasserted() {
    let m = Machine::builder().interrupts(InterruptSupply::Line).build();
    let (id, _seen) = plug(3);
    assert_eq!(pci::resources(id).interrupts[0].message, None);
    let log = m
        .run_as_driver("driver", move || {
            let driver = driver(id);
            assert_eq!(connect(driver, id, 0), STATUS_SUCCESS);
            write(driver, LINE, 1);
            assert_eq!(wait(driver), STATUS_SUCCESS);
            driver.log.take()
        })
        .unwrap();
    assert_eq!(log, [("isr", 9), ("dpc", 2)]);
}

#[test]
fn a_line_that_nobody_claims_is_a_storm() {
    let m = Machine::builder().interrupts(InterruptSupply::Line).build();
    let (id, _seen) = plug(1);
    let crash = m
        .run_as_driver("driver", move || {
            let driver = driver(id);
            driver.claims.set(0);
            connect(driver, id, 0);
            write(driver, LINE, 1);
            wait(driver);
        })
        .unwrap_err();
    assert_eq!(rule(&crash), "interrupt-storm");
}

fn rule(crash: &Crash) -> &'static str {
    crash.rule.expect("a rule stopped the machine").id
}

#[test]
fn an_isr_interrupts_a_dpc_and_returns_first() {
    let m = Machine::builder().processors(1).build();
    let (id, _seen) = plug(1);
    let log = m
        .run_as_driver("driver", move || {
            let driver = driver(id);
            connect(driver, id, 0);
            ntsim::nt::ke::dpc::call_at_dispatch("outer", move || {
                driver.log.borrow_mut().push(("outer begins", sched::current_irql()));
                write(driver, MESSAGE, 0);
                sched::stall(100);
                driver.log.borrow_mut().push(("outer ends", sched::current_irql()));
            });
            assert_eq!(wait(driver), STATUS_SUCCESS);
            driver.log.take()
        })
        .unwrap();
    assert_eq!(log, [("outer begins", 2), ("isr", 9), ("outer ends", 2), ("dpc", 2)]);
}

#[test]
fn an_interrupt_waits_while_the_irql_is_high() {
    let m = Machine::builder().processors(1).build();
    let (id, _seen) = plug(1);
    m.run_as_driver("driver", move || unsafe {
        let driver = driver(id);
        connect(driver, id, 0);
        let old = KfRaiseIrql(9);
        write(driver, MESSAGE, 0);
        sched::stall(10_000);
        assert!(driver.log.borrow().is_empty());
        KeLowerIrql(old);
        sched::stall(10_000);
        assert_eq!(driver.log.borrow().len(), 2);
    })
    .unwrap();
}

unsafe extern "win64" fn synchronized(context: PVOID) -> BOOLEAN {
    let driver: &Driver = unsafe { &*context.cast() };
    driver
        .log
        .borrow_mut()
        .push(("synchronized", unsafe { KeGetCurrentIrql() }));
    write(driver, MESSAGE, 0);
    sched::stall(1000);
    driver.log.borrow_mut().push(("still", unsafe { KeGetCurrentIrql() }));
    7
}

#[test]
fn synchronized_routines_exclude_the_isr_on_all_processors() {
    for seed in 0..30 {
        let m = Machine::builder()
            .processors(3)
            .schedule(Schedule::Random)
            .seed(seed)
            .build();
        let (id, _seen) = plug(3);
        let log = m
            .run_as_driver("driver", move || {
                let driver = driver(id);
                connect(driver, id, 0);
                let context = (&raw const *driver).cast_mut().cast();
                let result = unsafe { KeSynchronizeExecution(driver.interrupt.get(), Some(synchronized), context) };
                assert_eq!(result, 7);
                assert_eq!(wait(driver), STATUS_SUCCESS);
                let old = unsafe { KeAcquireInterruptSpinLock(driver.interrupt.get()) };
                assert_eq!(sched::current_irql(), 9);
                unsafe { KeReleaseInterruptSpinLock(driver.interrupt.get(), old) };
                driver.log.take()
            })
            .unwrap();
        assert_eq!(
            log,
            [("synchronized", 9), ("still", 9), ("isr", 9), ("dpc", 2)],
            "seed {seed}"
        );
    }
}

#[test]
fn an_isr_that_changes_the_irql_is_caught() {
    let m = Machine::builder().build();
    let (id, _seen) = plug(1);
    let crash = m
        .run_as_driver("driver", move || {
            let driver = driver(id);
            driver.lowers.set(true);
            connect(driver, id, 0);
            write(driver, MESSAGE, 0);
            wait(driver);
        })
        .unwrap_err();
    assert_eq!((rule(&crash), crash.parameters[0]), ("isr-changed-irql", 0x111));
}

fn collecting() -> (MachineOwner, FunctionId) {
    let m = Machine::builder().verifier(Policy::Collect).build();
    let (id, _seen) = plug(1);
    (m, id)
}

#[test]
fn wrong_parameters_are_caught() {
    let (m, id) = collecting();
    let statuses = m
        .run_as_driver("driver", move || unsafe {
            let mut parameters: IO_CONNECT_INTERRUPT_PARAMETERS = core::mem::zeroed();
            parameters.Version = CONNECT_FULLY_SPECIFIED;
            let unknown = IoConnectInterruptEx(&raw mut parameters);
            parameters.__bindgen_anon_1.FullySpecified.Vector = pci::resources(id).interrupts[0].vector;
            let no_routine = IoConnectInterruptEx(&raw mut parameters);
            parameters.__bindgen_anon_1.FullySpecified.ServiceRoutine = Some(isr);
            let wrong_mode = IoConnectInterruptEx(&raw mut parameters);
            parameters.Version = 77;
            [
                unknown,
                no_routine,
                wrong_mode,
                IoConnectInterruptEx(&raw mut parameters),
            ]
        })
        .unwrap();
    assert_eq!(statuses, [STATUS_INVALID_PARAMETER; 4]);
    let rules: Vec<_> = m.findings().iter().map(|finding| finding.rule.id).collect();
    assert_eq!(rules, ["interrupt-parameters"; 3]);
}

#[test]
fn an_interrupt_left_connected_is_caught_at_unload() {
    let m = Machine::builder().build();
    let (id, _seen) = plug(1);
    m.run_as_driver("driver", move || {
        let driver = driver(id);
        connect(driver, id, 0);
        unsafe {
            MmUnmapIoSpace(
                core::ptr::with_exposed_provenance_mut(driver.registers.get()),
                ke_common::LENGTH as _,
            )
        };
    })
    .unwrap();
    m.run("unload of another driver", || {
        ntsim::mmio::check_unload("another driver")
    })
    .unwrap();
    pci::remove(id);
    let crash = m
        .run("unload", || ntsim::mmio::check_unload("test driver"))
        .unwrap_err();
    assert_eq!(rule(&crash), "interrupt-leaked");
}

#[test]
fn disconnecting_twice_is_caught() {
    let (m, id) = collecting();
    let crash = m
        .run_as_driver("driver", move || {
            let driver = driver(id);
            connect(driver, id, 0);
            disconnect(driver);
            disconnect(driver);
        })
        .unwrap_err();
    assert_eq!(rule(&crash), "interrupt-not-connected");
}

unsafe extern "win64" fn message_isr(_interrupt: *mut _KINTERRUPT, context: PVOID, message: ULONG) -> BOOLEAN {
    let log: &RefCell<Vec<u32>> = unsafe { &*context.cast() };
    log.borrow_mut().push(message);
    1
}

#[test]
fn all_messages_of_a_device_connect_at_once() {
    let m = Machine::builder().processors(1).build();
    let (id, _seen) = plug(3);
    m.run_as_driver("driver", move || unsafe {
        let driver = driver(id);
        let pdo = core::ptr::without_provenance_mut(0x8000);
        pci::bind_pdo(id, pdo);
        assert_eq!(pci::of_pdo(pdo), Some(id));
        let log: &'static RefCell<Vec<u32>> = Box::leak(Box::default());
        let mut table: PIO_INTERRUPT_MESSAGE_INFO = core::ptr::null_mut();
        let mut parameters: IO_CONNECT_INTERRUPT_PARAMETERS = core::mem::zeroed();
        parameters.Version = CONNECT_MESSAGE_BASED;
        let message_based = &mut parameters.__bindgen_anon_1.MessageBased;
        message_based.PhysicalDeviceObject = pdo;
        message_based.ConnectionContext.InterruptMessageTable = &raw mut table;
        message_based.MessageServiceRoutine = Some(message_isr);
        message_based.ServiceContext = (&raw const *log).cast_mut().cast();
        assert_eq!(IoConnectInterruptEx(&raw mut parameters), STATUS_SUCCESS);
        assert_eq!(parameters.Version, CONNECT_MESSAGE_BASED);
        assert_eq!(table.cast::<u32>().wrapping_add(1).read(), 3, "the number of messages");
        for message in [2, 0, 1] {
            write(driver, MESSAGE, message);
            sched::stall(1000);
        }
        assert_eq!(*log.borrow(), [2, 0, 1]);
        let mut words = [CONNECT_MESSAGE_BASED as usize, table.addr()];
        IoDisconnectInterruptEx(words.as_mut_ptr().cast());
    })
    .unwrap();
    assert!(
        m.report()
            .ledger
            .iter()
            .all(|entry| entry.kind != "connected interrupt")
    );
}

#[test]
fn bus_mastering_gates_messages() {
    let m = Machine::builder().build();
    let (id, seen) = plug(1);
    assert!(seen.borrow().bus_master);
    m.run_as_driver("driver", move || {
        let driver = driver(id);
        connect(driver, id, 0);
        pci::config_write(id, 4, &[2, 0]);
        write(driver, MESSAGE, 0);
        sched::stall(1000);
        assert!(driver.log.borrow().is_empty());
        assert_eq!(wait(driver), STATUS_TIMEOUT);
    })
    .unwrap();
    assert!(!seen.borrow().bus_master);
}
