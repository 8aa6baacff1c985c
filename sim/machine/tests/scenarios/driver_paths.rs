//! Paths of the driver that a straight run does not take, each in many orders of events: moderation, device-local memory, reset, sleep and removal under load.

use crate::common::{add_halves, fill, open, pattern, program, result_of, stats, step, stop};
use hawser_abi::ioctl::{IOCTL_HAWSER_RESET, IOCTL_HAWSER_SUBMIT};
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::reason::Reason;
use hawser_machine::{Access, Account, MemoryModel, SimBuffer, SimConfig, SimError, SimHandle, SimIo, SimPc};

/// First come, first served, and then in random order under these seeds.
fn schedules() -> impl Iterator<Item = Option<u64>> {
    std::iter::once(None).chain((1..=SEEDS).map(Some))
}

const SEEDS: u64 = 12;
const STATUS_ACCESS_DENIED: u32 = 0xC000_0022;

fn start_with(seed: Option<u64>, parameters: &[(&str, u32)]) -> SimPc {
    println!("seed {seed:?}");
    let parameters = parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), *value))
        .collect();
    let config = SimConfig {
        memory: MemoryModel::Iommu,
        seed,
        parameters,
        ..crate::common::config()
    };
    SimPc::start(&config).expect("the PC starts")
}

const SIZE: usize = 64 * 1024;

struct Sent {
    cookie: u64,
    before: Vec<u8>,
    buffer: SimBuffer,
    io: SimIo,
}

fn send(pc: &SimPc, handle: &SimHandle, cookie: u64) -> Sent {
    let before = pattern(SIZE, cookie);
    let buffer = pc.allocate(SIZE, 64).expect("user memory");
    buffer.write(0, &before);
    let io = handle
        .submit(IOCTL_HAWSER_SUBMIT, &add_halves(SIZE, cookie), Some(&buffer))
        .expect("sent");
    Sent {
        cookie,
        before,
        buffer,
        io,
    }
}

fn succeeds(handle: &SimHandle, sent: &Sent) {
    let outcome = sent.io.wait().expect("the machine goes on");
    assert_eq!(
        (outcome.status, outcome.information),
        (0, SIZE),
        "{:?}",
        result_of(handle, sent.cookie)
    );
    let mut after = vec![0; SIZE];
    sent.buffer.read(0, &mut after);
    let word = |bytes: &[u8], at: usize| u32::from_le_bytes(bytes[4 * at..4 * at + 4].try_into().expect("four bytes"));
    for at in 0..SIZE / 8 {
        let sum = word(&sent.before, at).wrapping_add(word(&sent.before, SIZE / 8 + at));
        assert_eq!(word(&after, SIZE / 8 + at), sum, "word {at}");
    }
}

fn run_many(pc: &SimPc, count: u64) {
    let handle = open(pc);
    let sent: Vec<Sent> = (1..=count).map(|cookie| send(pc, &handle, cookie)).collect();
    for sent in &sent {
        succeeds(&handle, sent);
    }
    let stats = stats(&handle);
    assert_eq!((stats.submitted, stats.succeeded), (count, count));
    assert_eq!((stats.in_flight, stats.waiting, stats.arena_used), (0, 0, 0));
    handle.close();
}

#[test]
fn moderated_interrupts_complete_everything() {
    for seed in schedules() {
        let pc = start_with(seed, &[("ModerationCount", 8), ("ModerationUs", 50)]);
        run_many(&pc, 20);
        stop(pc);
    }
}

#[test]
fn windows_of_device_memory_are_handed_out_and_taken_back() {
    for seed in schedules() {
        let pc = start_with(seed, &[]);
        let handle = open(&pc);
        let sent: Vec<(SimBuffer, SimIo)> = (1..=12_u64)
            .map(|cookie| {
                let buffer = pc.allocate(4096, 0).expect("user memory");
                let mut through = step(Opcode::Copy, ElementType::U32, 1024, 0, &[0]);
                through.spaces[1] = hawser_abi::program::Space::Scratch as u8;
                let mut into = fill(ElementType::U32, 1024, 0, cookie);
                into.spaces[0] = hawser_abi::program::Space::Scratch as u8;
                let mut bytes = program(4096, cookie, &[into, through]);
                // 16 MiB of 64 for each: four at a time.
                bytes[32..40].copy_from_slice(&(16_u64 << 20).to_le_bytes());
                let io = handle.submit(IOCTL_HAWSER_SUBMIT, &bytes, Some(&buffer)).expect("sent");
                (buffer, io)
            })
            .collect();
        for (cookie, (buffer, io)) in (1_u32..).zip(&sent) {
            assert_eq!(io.wait().expect("the machine goes on").status, 0);
            let mut after = vec![0; 4096];
            buffer.read(0, &mut after);
            assert!(after.chunks_exact(4).all(|word| word == cookie.to_le_bytes()));
        }
        handle.close();
        stop(pc);
    }
}

#[test]
fn a_reset_ends_what_is_on_the_device_and_the_device_goes_on() {
    for seed in schedules() {
        let pc = start_with(seed, &[]);
        let handle = open(&pc);
        let sent: Vec<Sent> = (1..=8).map(|cookie| send(&pc, &handle, cookie)).collect();
        assert_eq!(reset(&pc), 0);
        for sent in &sent {
            let outcome = sent.io.wait().expect("the machine goes on");
            assert!(
                [0, Reason::DeviceReset.status()].contains(&outcome.status),
                "{:#x}",
                outcome.status
            );
        }
        assert_eq!(stats(&handle).resets, 1);
        handle.close();
        run_many_after(&pc);
        stop(pc);
    }
}

/// Resets the device as an administrator. Gives the status.
fn reset(pc: &SimPc) -> u32 {
    let opened = pc.open_as(Account::Administrator, Access::Reset);
    let handle = opened.expect("an administrator may");
    let outcome = handle.control(IOCTL_HAWSER_RESET, &[], &mut []);
    handle.close();
    outcome.expect("the machine goes on").status
}

#[test]
fn a_reset_takes_an_administrator_who_asks_for_it() {
    let denied = |pc: &SimPc, account, access| {
        let handle = pc.open_as(account, access).expect("everybody may read and write");
        let outcome = handle.control(IOCTL_HAWSER_RESET, &[], &mut []);
        handle.close();
        assert_eq!(outcome.expect("the machine goes on").status, STATUS_ACCESS_DENIED);
    };
    let pc = start_with(None, &[]);
    for account in [Account::User, Account::Administrator] {
        denied(&pc, account, Access::Read);
        denied(&pc, account, Access::ReadWrite);
    }
    let refused = pc.open_as(Account::User, Access::Reset);
    assert!(matches!(refused, Err(SimError::Open { status }) if status == STATUS_ACCESS_DENIED));
    assert_eq!(reset(&pc), 0);
    let handle = open(&pc);
    assert_eq!(stats(&handle).resets, 1, "the others reset nothing");
    handle.close();
    stop(pc);
}

fn run_many_after(pc: &SimPc) {
    let handle = open(pc);
    let sent: Vec<Sent> = (100..=110).map(|cookie| send(pc, &handle, cookie)).collect();
    for sent in &sent {
        succeeds(&handle, sent);
    }
    handle.close();
}

#[test]
fn requests_on_the_device_are_waited_for_when_it_goes_to_sleep() {
    for seed in schedules() {
        let pc = start_with(seed, &[("ArenaKiB", 128)]);
        let handle = open(&pc);
        let sent: Vec<Sent> = (1..=20).map(|cookie| send(&pc, &handle, cookie)).collect();
        pc.device().sleep().expect("asleep");
        pc.device().resume().expect("awake");
        for sent in &sent {
            succeeds(&handle, sent);
        }
        handle.close();
        stop(pc);
    }
}

#[test]
fn a_surprise_removal_ends_what_is_on_the_device() {
    for seed in schedules() {
        let pc = start_with(seed, &[]);
        let handle = open(&pc);
        let sent: Vec<Sent> = (1..=40).map(|cookie| send(&pc, &handle, cookie)).collect();
        pc.device().surprise_remove().expect("removed");
        for sent in &sent {
            let outcome = sent.io.wait().expect("the machine goes on");
            let allowed = [
                0,
                Reason::DeviceGone.status(),
                Reason::Cancelled.status(),
                Reason::DeviceReset.status(),
            ];
            assert!(allowed.contains(&outcome.status), "{:#x}", outcome.status);
        }
        handle.close();
        pc.machine().settle().expect("the rest of the removal runs by itself");
        stop(pc);
    }
}
