//! A machine that is short of pool, of MDLs, or of address space for mappings, at every single call and from every call on: the driver fails cleanly. A driver or device
//! that cannot start leaves nothing; a request that cannot be served ends with a status; what is served is right; and afterwards the machine goes on.

use crate::common::{add_halves, copy_halves, open, pattern, program, step, submit};
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::reason::Reason;
use hawser_machine::{Access, SimConfig, SimError, SimHandle, SimPc};
use ntsim::machine::{Failing, Scarce, Scarcity};

const SIZE: usize = 64 * 1024;
const KINDS: [Scarce; 3] = [Scarce::Pool, Scarce::Mdl, Scarce::Mapping];

fn config(scarcity: Scarcity) -> SimConfig {
    let small = [("ArenaKiB", 2048), ("MaxSteps", 16), ("MaxDataKiB", 1024)];
    SimConfig {
        parameters: small.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        scarcity,
        ..crate::common::config()
    }
}

fn short_of(what: Scarce, failing: Failing) -> Scarcity {
    let mut scarcity = Scarcity::default();
    match what {
        Scarce::Pool => scarcity.pool = failing,
        Scarce::Mapping => scarcity.mapping = failing,
        Scarce::Mdl => scarcity.mdl = failing,
    }
    scarcity
}

/// What a program makes of the upper half, word by word.
type Oracle = fn(u32, u32) -> u32;

fn programs() -> [(Vec<u8>, Oracle); 2] {
    [
        (add_halves(SIZE, 1), |lower, upper| lower.wrapping_add(upper)),
        (copy_halves(SIZE, 2), |lower, _| lower),
    ]
}

/// Sends a request. Gives its status; if that is success the result was right, and if it is not the lower half, which the program only reads, is as it was.
fn request(pc: &SimPc, handle: &SimHandle, (program, oracle): &(Vec<u8>, Oracle)) -> u32 {
    let before = pattern(SIZE, 5);
    let buffer = pc.allocate(SIZE, 20).expect("user memory");
    buffer.write(0, &before);
    let outcome = submit(handle, program, Some(&buffer));
    let mut after = vec![0; SIZE];
    buffer.read(0, &mut after);
    let (lower, upper) = before.split_at(SIZE / 2);
    assert!(after[..SIZE / 2] == *lower);
    if outcome.status == 0 {
        let word = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("four bytes"));
        let words = lower.chunks(4).zip(upper.chunks(4)).zip(after[SIZE / 2..].chunks(4));
        assert!(words.into_iter().all(|((a, b), c)| oracle(word(a), word(b)) == word(c)));
    }
    outcome.status
}

/// Opens the device and works with it, as far as the machine lets.
fn visit(pc: &SimPc) {
    match pc.open(Access::ReadWrite) {
        Ok(handle) => {
            programs().iter().for_each(|program| {
                request(pc, &handle, program);
            });
            handle.close();
        }
        Err(SimError::Open { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

/// A machine that is short from the beginning. False: nothing failed.
fn start_short(what: Scarce, failing: Failing) -> bool {
    match SimPc::start(&config(short_of(what, failing))) {
        Ok(pc) => {
            visit(&pc);
            let failed = pc.machine().failed_calls(what) > 0;
            pc.machine().make_scarce(what, Failing::None);
            let handle = open(&pc);
            for program in &programs() {
                assert_eq!(request(&pc, &handle, program), 0, "the machine has enough again");
            }
            handle.close();
            pc.shutdown()
                .unwrap_or_else(|error| panic!("{what:?} {failing:?}: {error}"));
            failed
        }
        // The driver has been unloaded again. Had it left anything, the error would be another one.
        Err(SimError::DriverLoad { .. } | SimError::DeviceStart { .. }) => true,
        Err(error) => panic!("{what:?} {failing:?}: {error}"),
    }
}

#[test]
fn every_call_can_fail_once() {
    for what in KINDS {
        let hit = (1..).take_while(|call| start_short(what, Failing::Nth(*call))).count();
        assert!(hit > 0, "no call was made: {what:?}");
        println!("{what:?}: {hit} calls");
    }
}

#[test]
fn every_call_can_be_the_first_of_which_all_fail() {
    for what in KINDS {
        assert!((1..).take_while(|call| start_short(what, Failing::From(*call))).count() > 0);
    }
}

#[test]
fn a_request_whose_buffer_cannot_be_mapped_says_so() {
    let pc = SimPc::start(&config(Scarcity::default())).expect("the PC starts");
    let handle = open(&pc);
    let [adds, copies] = programs();
    pc.machine().make_scarce(Scarce::Mapping, Failing::From(1));
    assert_eq!(request(&pc, &handle, &adds), Reason::MappingFailed.status());
    assert_eq!(request(&pc, &handle, &copies), Reason::MappingFailed.status());
    assert!(pc.machine().failed_calls(Scarce::Mapping) >= 2);
    pc.machine().make_scarce(Scarce::Mapping, Failing::None);
    assert_eq!(request(&pc, &handle, &adds), 0);
    handle.close();
    pc.shutdown().expect("nothing is outstanding");
}

/// Divides by zero: the upper half is mapped for the device to write, and is not to keep what was there before.
fn divide_by_zero(pc: &SimPc, handle: &SimHandle) -> (u32, Vec<u8>) {
    let half = SIZE as u64 / 2;
    let divide = step(Opcode::Div, ElementType::I32, half / 4, half, &[0, 0]);
    let buffer = pc.allocate(SIZE, 0).expect("user memory");
    buffer.write(SIZE / 2, &pattern(SIZE / 2, 5));
    let status = submit(handle, &program(SIZE as u64, 3, &[divide]), Some(&buffer)).status;
    let mut upper = vec![0; SIZE / 2];
    buffer.read(SIZE / 2, &mut upper);
    (status, upper)
}

#[test]
fn stale_memory_is_cleared_as_soon_as_the_machine_has_room_and_nobody_waits_for_ever() {
    let pc = SimPc::start(&config(Scarcity::default())).expect("the PC starts");
    let handle = open(&pc);
    for first in 1..=3 {
        pc.machine().make_scarce(Scarce::Mapping, Failing::Nth(first));
        let (status, upper) = divide_by_zero(&pc, &handle);
        assert_eq!(status, Reason::DivideByZero.status());
        assert!(upper.iter().all(|byte| *byte == 0));
    }
    assert!(
        pc.machine().failed_calls(Scarce::Mapping) > 0,
        "clearing needs a mapping"
    );
    pc.machine().make_scarce(Scarce::Mapping, Failing::From(1));
    assert_eq!(divide_by_zero(&pc, &handle).0, Reason::DivideByZero.status());
    pc.machine().make_scarce(Scarce::Mapping, Failing::None);
    assert!(divide_by_zero(&pc, &handle).1.iter().all(|byte| *byte == 0));
    handle.close();
    pc.shutdown().expect("nothing is outstanding");
}
