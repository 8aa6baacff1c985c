//! A device that hangs, loses or forges completions, loses interrupts, or cannot be reset: every request ends, with a status that says why, nothing is let go too
//! early, and where the device can be set up again the next request succeeds.

use std::cell::Cell;
use std::rc::Rc;

use crate::common::{copy_halves, open, pattern, result_of, stats, stop, submit};
use hawser_abi::info;
use hawser_abi::ioctl::{IOCTL_HAWSER_RESET, IOCTL_HAWSER_SUBMIT};
use hawser_abi::pci::ERROR_MESSAGE;
use hawser_abi::queue::CompletionEntry;
use hawser_abi::reason::Reason;
use hawser_abi::registers::{self as reg, control, status};
use hawser_device::{Accelerator, Behaviour};
use hawser_machine::{AcceleratorSlot, Access, Account, MemoryModel, SimBuffer, SimConfig, SimHandle, SimIo, SimPc};
use ntsim::pci::{Activity, DevicePort, Identity, PciFunction, PowerState};

const SIZE: usize = 64 * 1024;
const TIMEOUT: (&str, u32) = ("TimeoutMs", 250);
const SEEDS: u64 = 6;

fn config(seed: Option<u64>) -> SimConfig {
    println!("seed {seed:?}");
    let small = [TIMEOUT, ("ArenaKiB", 2048), ("MaxSteps", 16), ("MaxDataKiB", 1024)];
    let parameters = small.map(|(name, value)| (name.to_owned(), value)).to_vec();
    SimConfig {
        memory: MemoryModel::Iommu,
        seed,
        parameters,
        ..crate::common::config()
    }
}

fn schedules() -> impl Iterator<Item = Option<u64>> {
    std::iter::once(None).chain((1..=SEEDS).map(Some))
}

fn filled(pc: &SimPc) -> SimBuffer {
    let buffer = pc.allocate(SIZE, 0).expect("user memory");
    buffer.write(0, &pattern(SIZE, 9));
    buffer
}

fn succeeds(pc: &SimPc, handle: &SimHandle, cookie: u64) {
    let buffer = filled(pc);
    assert_eq!(
        submit(handle, &copy_halves(SIZE, cookie), Some(&buffer)).status,
        0,
        "{:?}",
        result_of(handle, cookie)
    );
    let mut after = vec![0; SIZE];
    buffer.read(0, &mut after);
    assert!(after[SIZE / 2..] == after[..SIZE / 2] && after[..SIZE / 2] == pattern(SIZE, 9)[..SIZE / 2]);
}

/// The request ends for `reason`, and what the device could have written reads as zeros.
fn fails(pc: &SimPc, handle: &SimHandle, cookie: u64, reason: Reason) {
    let buffer = filled(pc);
    let outcome = submit(handle, &copy_halves(SIZE, cookie), Some(&buffer));
    assert_eq!(outcome.status, reason.status(), "{:?}", result_of(handle, cookie));
    assert_eq!(outcome.information, 0);
    assert_eq!(result_of(handle, cookie).map(|record| record.reason), Ok(reason as u32));
    let mut after = vec![0; SIZE];
    buffer.read(0, &mut after);
    assert!(
        after[..SIZE / 2] == pattern(SIZE, 9)[..SIZE / 2],
        "what the program only reads is as it was"
    );
    assert!(
        after[SIZE / 2..].iter().all(|byte| *byte == 0),
        "stale memory reached the user"
    );
}

/// What a device does wrong, as long as the switch is on.
#[derive(Clone)]
struct Wrong {
    on: Rc<Cell<bool>>,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    Hangs,
    LosesCompletions,
    LosesInterrupts,
    Changes(fn(CompletionEntry) -> CompletionEntry),
}

impl Wrong {
    fn new(what: What) -> Self {
        Self {
            on: Rc::new(Cell::new(true)),
            what,
        }
    }
}

impl Behaviour for Wrong {
    fn fetches(&mut self, _queue: u16) -> bool {
        !(self.on.get() && matches!(self.what, What::Hangs))
    }

    fn completion(&mut self, _queue: u16, entry: CompletionEntry) -> Option<CompletionEntry> {
        match self.what {
            What::LosesCompletions if self.on.get() => None,
            What::Changes(change) if self.on.get() => Some(change(entry)),
            _ => Some(entry),
        }
    }

    fn raises(&mut self, _cause: u16) -> bool {
        !(self.on.get() && matches!(self.what, What::LosesInterrupts))
    }
}

fn start(seed: Option<u64>, wrong: &Wrong) -> SimPc {
    let model = Accelerator::with_behaviour(Box::new(wrong.clone()));
    SimPc::start_with(&config(seed), Box::new(AcceleratorSlot::new(model))).expect("the PC starts")
}

/// While the device misbehaves requests end for `reason`; when it behaves again they succeed.
fn recovers_from(what: What, reason: Reason) {
    for seed in schedules() {
        let wrong = Wrong::new(what);
        let pc = start(seed, &wrong);
        let handle = open(&pc);
        fails(&pc, &handle, 1, reason);
        fails(&pc, &handle, 2, reason);
        wrong.on.set(false);
        succeeds(&pc, &handle, 3);
        assert_eq!(stats(&handle).in_flight, 0);
        handle.close();
        stop(pc);
    }
}

#[test]
fn a_device_that_hangs_is_reset_when_the_time_is_over() {
    recovers_from(What::Hangs, Reason::TimedOut);
}

#[test]
fn a_lost_completion_ends_with_the_time() {
    recovers_from(What::LosesCompletions, Reason::TimedOut);
}

#[test]
fn completions_for_other_commands_are_counted_and_complete_nothing() {
    let forgeries: [fn(CompletionEntry) -> CompletionEntry; 5] = [
        |entry| CompletionEntry {
            tag: entry.tag ^ 1,
            ..entry
        },
        |entry| CompletionEntry { tag: u16::MAX, ..entry },
        |entry| CompletionEntry {
            generation: entry.generation.wrapping_sub(1),
            ..entry
        },
        |entry| CompletionEntry { generation: 0, ..entry },
        |entry| CompletionEntry { sq_head: 9999, ..entry },
    ];
    for forgery in forgeries {
        let wrong = Wrong::new(What::Changes(forgery));
        let pc = start(Some(1), &wrong);
        let handle = open(&pc);
        fails(&pc, &handle, 1, Reason::TimedOut);
        assert!(stats(&handle).stray_completions >= 1);
        wrong.on.set(false);
        succeeds(&pc, &handle, 2);
        handle.close();
        stop(pc);
    }
}

#[test]
fn an_undefined_status_is_a_fault_of_the_device() {
    recovers_from(
        What::Changes(|entry| CompletionEntry { status: 0xEE, ..entry }),
        Reason::DeviceProtocol,
    );
}

#[test]
fn a_completion_whose_interrupt_is_lost_counts_when_the_device_is_reset() {
    for seed in schedules() {
        let wrong = Wrong::new(What::LosesInterrupts);
        let pc = start(seed, &wrong);
        let handle = open(&pc);
        // The entry is in the ring: the work was done, and nothing is lost but time.
        succeeds(&pc, &handle, 1);
        assert_eq!(stats(&handle).resets, 1);
        wrong.on.set(false);
        succeeds(&pc, &handle, 2);
        handle.close();
        stop(pc);
    }
}

/// A device that hangs, and whose reset does not begin, while the switch is on.
struct Stuck {
    device: AcceleratorSlot,
    on: Rc<Cell<bool>>,
    bus_master: Rc<Cell<bool>>,
    /// Bus mastering cannot be taken from it while the switch is on.
    keeps_bus_master: bool,
    /// It was told to reset, and has not begun.
    to_reset: bool,
}

impl Stuck {
    fn new(keeps_bus_master: bool) -> (Self, Wrong) {
        let wrong = Wrong::new(What::Hangs);
        wrong.on.set(false);
        let stuck = Self {
            device: AcceleratorSlot::new(Accelerator::with_behaviour(Box::new(wrong.clone()))),
            on: Rc::clone(&wrong.on),
            bus_master: Rc::default(),
            keeps_bus_master,
            to_reset: false,
        };
        (stuck, wrong)
    }
}

impl PciFunction for Stuck {
    fn identity(&self) -> Identity {
        self.device.identity()
    }

    fn read(&mut self, bar: u8, offset: u64, width: u8) -> u64 {
        let value = self.device.read(bar, offset, width);
        if self.to_reset && bar == 0 && offset == reg::CONTROL {
            value | u64::from(control::RESET)
        } else {
            value
        }
    }

    fn write(&mut self, bar: u8, offset: u64, width: u8, value: u64, port: &mut dyn DevicePort) {
        let delayed = self.on.get() && bar == 0 && offset == reg::CONTROL;
        if delayed {
            self.to_reset |= value & u64::from(control::RESET) != 0;
        } else {
            self.device.write(bar, offset, width, value, port);
        }
    }

    fn step(&mut self, port: &mut dyn DevicePort) -> Activity {
        if self.to_reset && !self.on.get() {
            self.to_reset = false;
            self.device.write(0, reg::CONTROL, 4, control::RESET.into(), port);
        }
        match self.device.step(port) {
            // It looks again whether the switch is off.
            Activity::Idle if self.to_reset => Activity::WaitUntil(port.now_ns() + 1_000_000),
            activity => activity,
        }
    }

    fn set_bus_master(&mut self, enabled: bool) {
        self.bus_master.set(enabled);
        self.device.set_bus_master(enabled);
    }

    fn gives_up_bus_mastering(&self) -> bool {
        !(self.keeps_bus_master && self.on.get())
    }

    fn set_power(&mut self, state: PowerState) {
        self.device.set_power(state);
    }

    fn unplug(&mut self) {
        self.on.set(false);
        self.device.unplug();
    }
}

#[test]
fn a_device_that_cannot_be_reset_loses_bus_mastering_before_memory_is_let_go() {
    for seed in schedules() {
        let (stuck, Wrong { on, .. }) = Stuck::new(false);
        let bus_master = Rc::clone(&stuck.bus_master);
        let pc = SimPc::start_with(&config(seed), Box::new(stuck)).expect("the PC starts");
        let handle = open(&pc);
        assert!(bus_master.get());
        on.set(true);
        fails(&pc, &handle, 1, Reason::TimedOut);
        assert!(!bus_master.get(), "the last resort was taken");
        let buffer = filled(&pc);
        assert_eq!(
            submit(&handle, &copy_halves(SIZE, 2), Some(&buffer)).status,
            Reason::DeviceFailed.status()
        );
        assert_eq!(
            result_of(&handle, 2).map(|record| record.reason),
            Ok(Reason::DeviceFailed as u32)
        );
        on.set(false);
        handle.close();
        stop(pc);
    }
}

#[test]
fn a_device_that_can_be_reset_later_gets_bus_mastering_back() {
    for seed in schedules() {
        let (stuck, Wrong { on, .. }) = Stuck::new(false);
        let bus_master = Rc::clone(&stuck.bus_master);
        let pc = SimPc::start_with(&config(seed), Box::new(stuck)).expect("the PC starts");
        let handle = open(&pc);
        on.set(true);
        fails(&pc, &handle, 1, Reason::TimedOut);
        on.set(false);
        assert!(!bus_master.get());
        let administrator = pc.open_as(Account::Administrator, Access::Reset).expect("may reset");
        let outcome = administrator.control(IOCTL_HAWSER_RESET, &[], &mut []);
        assert_eq!(outcome.expect("the machine goes on").status, 0);
        assert!(bus_master.get());
        succeeds(&pc, &handle, 2);
        administrator.close();
        handle.close();
        stop(pc);
    }
}

/// Lets a second and a half pass: long enough for a reset that does not end, and for what is tried after it.
fn pass_time(pc: &SimPc) {
    pc.machine().pass_time(1_500_000_000).expect("the machine goes on");
}

/// A device with a request that nothing could take from it.
fn held(seed: Option<u64>) -> (SimPc, SimHandle, SimIo, Wrong) {
    let (stuck, wrong) = Stuck::new(true);
    let pc = SimPc::start_with(&config(seed), Box::new(stuck)).expect("the PC starts");
    let handle = open(&pc);
    wrong.on.set(true);
    let buffer = filled(&pc);
    let io = handle
        .submit(IOCTL_HAWSER_SUBMIT, &copy_halves(SIZE, 1), Some(&buffer))
        .expect("sent");
    pass_time(&pc);
    pass_time(&pc);
    assert_eq!(
        io.poll().expect("the machine goes on"),
        None,
        "the device may still write"
    );
    (pc, handle, io, wrong)
}

#[test]
fn a_device_that_cannot_be_stopped_refuses_what_comes_later() {
    for seed in schedules() {
        let (pc, handle, io, wrong) = held(seed);
        for cookie in 2..6 {
            let buffer = filled(&pc);
            let outcome = submit(&handle, &copy_halves(SIZE, cookie), Some(&buffer));
            assert_eq!(
                outcome.status,
                Reason::DeviceFailed.status(),
                "seed {seed:?}, request {cookie}"
            );
            pc.machine().pass_time(700_000_000).expect("the machine goes on");
        }
        wrong.on.set(false);
        assert_eq!(
            io.wait().expect("the machine goes on").status,
            Reason::TimedOut.status()
        );
        succeeds(&pc, &handle, 7);
        drop(io);
        handle.close();
        stop(pc);
    }
}

#[test]
fn what_a_device_holds_is_let_go_when_the_device_can_be_stopped_after_all() {
    for seed in schedules() {
        let (pc, handle, io, wrong) = held(seed);
        wrong.on.set(false);
        let outcome = io.wait().expect("the machine goes on");
        assert_eq!(outcome.status, Reason::TimedOut.status());
        succeeds(&pc, &handle, 2);
        drop(io);
        handle.close();
        stop(pc);
    }
}

#[test]
fn what_a_device_holds_is_let_go_when_the_device_goes() {
    for seed in schedules() {
        let (pc, handle, io, _wrong) = held(seed);
        pc.device().surprise_remove().expect("the machine goes on");
        let outcome = io.wait().expect("the machine goes on");
        assert_eq!(outcome.status, Reason::DeviceGone.status());
        drop(io);
        handle.close();
        stop(pc);
    }
}

/// A device that reports a fatal fault, once it is told to, until it is reset.
struct Fatal {
    device: AcceleratorSlot,
    fault: Rc<Cell<bool>>,
    told: bool,
}

impl PciFunction for Fatal {
    fn identity(&self) -> Identity {
        self.device.identity()
    }

    fn read(&mut self, bar: u8, offset: u64, width: u8) -> u64 {
        let value = self.device.read(bar, offset, width);
        let faulty = self.fault.get() && bar == 0 && offset == reg::STATUS;
        if faulty {
            value | u64::from(status::FATAL)
        } else {
            value
        }
    }

    fn write(&mut self, bar: u8, offset: u64, width: u8, value: u64, port: &mut dyn DevicePort) {
        if bar == 0 && offset == reg::CONTROL && value & u64::from(control::RESET) != 0 {
            self.fault.set(false);
        }
        self.device.write(bar, offset, width, value, port);
    }

    fn step(&mut self, port: &mut dyn DevicePort) -> Activity {
        if self.fault.get() && !self.told {
            self.told = true;
            port.message(ERROR_MESSAGE);
        }
        match self.device.step(port) {
            Activity::Idle if !self.told => Activity::WaitUntil(port.now_ns() + 100),
            activity => activity,
        }
    }

    fn set_bus_master(&mut self, enabled: bool) {
        self.device.set_bus_master(enabled);
    }

    fn set_power(&mut self, state: PowerState) {
        self.device.set_power(state);
    }

    fn unplug(&mut self) {
        self.device.unplug();
    }
}

/// What is to be done about a fault may come to its turn when the device has lost power: its registers are not touched then, which would be a broken rule.
#[test]
fn a_fault_on_the_way_to_sleep_is_left_alone_afterwards() {
    for seed in 0..400 {
        let fault = Rc::new(Cell::new(false));
        let device = Fatal {
            device: AcceleratorSlot::new(Accelerator::new()),
            fault: Rc::clone(&fault),
            told: false,
        };
        let pc = SimPc::start_with(&config(Some(seed)), Box::new(device)).expect("the PC starts");
        let handle = open(&pc);
        fault.set(true);
        pc.device().sleep().expect("to D3");
        pc.device().resume().expect("to D0");
        succeeds(&pc, &handle, 1);
        handle.close();
        stop(pc);
    }
}

/// Questions and a reset do not wait behind programs, however many there are.
#[test]
fn what_is_not_a_program_is_served_while_every_slot_is_taken() {
    let wrong = Wrong::new(What::Hangs);
    let pc = start(None, &wrong);
    let handle = open(&pc);
    let sent: Vec<(SimBuffer, SimIo)> = (1..=40)
        .map(|cookie| {
            let buffer = filled(&pc);
            let io = handle.submit(IOCTL_HAWSER_SUBMIT, &copy_halves(SIZE, cookie), Some(&buffer));
            (buffer, io.expect("sent"))
        })
        .collect();
    let full = |stats: info::Stats| (stats.in_flight, stats.waiting) == (32, 8);
    assert!((0..1000).any(|_| full(stats(&handle))), "{:?}", stats(&handle));
    wrong.on.set(false);
    let administrator = pc.open_as(Account::Administrator, Access::Reset).expect("may reset");
    let outcome = administrator.control(IOCTL_HAWSER_RESET, &[], &mut []);
    assert_eq!(outcome.expect("the machine goes on").status, 0);
    let statuses: Vec<u32> = sent.iter().map(|(_, io)| io.wait().expect("goes on").status).collect();
    assert_eq!(
        statuses
            .iter()
            .filter(|status| **status == Reason::DeviceReset.status())
            .count(),
        32
    );
    assert_eq!(
        statuses.iter().filter(|status| **status == 0).count(),
        8,
        "who waited is served"
    );
    administrator.close();
    drop(sent);
    handle.close();
    stop(pc);
}
