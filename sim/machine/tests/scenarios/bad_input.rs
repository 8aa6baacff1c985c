//! Bad input through the IOCTL path: each kind gets its own documented status, the record says where, and the machine goes on.

use crate::common::{MODELS, bytes, fill, header, open, result_of, start, stats, step, stop, submit};
use hawser_abi::info::LedgerKind;
use hawser_abi::ioctl::{
    Access as CodeAccess, FILE_DEVICE_HAWSER, IOCTL_HAWSER_GET_RESULT, IOCTL_HAWSER_SUBMIT, Method, ctl_code,
};
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{Space, Step, SubmitHeader};
use hawser_abi::reason::Reason;
use hawser_machine::{Access, SimBuffer, SimHandle, SimPc};

const DATA: u64 = 4096;
const COOKIE: u64 = 77;
const STATUS_INVALID_DEVICE_REQUEST: u32 = 0xC000_0010;
const STATUS_ACCESS_DENIED: u32 = 0xC000_0022;
const STATUS_ACCESS_VIOLATION: u32 = 0xC000_0005;
const STATUS_NOT_FOUND: u32 = 0xC000_0225;

/// A program that is wrong in one way.
struct Case {
    name: &'static str,
    reason: Reason,
    /// Step and operand that the record names, where it names any.
    place: Option<(u32, Option<u32>)>,
    program: Vec<u8>,
}

fn good_step() -> Step {
    step(Opcode::Add, ElementType::I32, 16, 128, &[0, 64])
}

fn wrong_header(name: &'static str, reason: Reason, change: impl FnOnce(&mut SubmitHeader)) -> Case {
    let mut header = header(DATA, 1, COOKIE);
    change(&mut header);
    Case {
        name,
        reason,
        place: None,
        program: bytes(&header, &[good_step()]),
    }
}

fn wrong_step(name: &'static str, reason: Reason, operand: Option<u32>, change: impl FnOnce(&mut Step)) -> Case {
    let mut wrong = good_step();
    change(&mut wrong);
    let steps = [good_step(), wrong];
    Case {
        name,
        reason,
        place: Some((1, operand)),
        program: bytes(&header(DATA, 2, COOKIE), &steps),
    }
}

fn header_cases() -> Vec<Case> {
    let whole = bytes(&header(DATA, 1, COOKIE), &[good_step()]);
    let cut = |length: usize| whole[..length].to_vec();
    let longer = [whole.clone(), vec![0; 64]].concat();
    vec![
        Case {
            name: "empty header",
            reason: Reason::HeaderTruncated,
            place: None,
            program: cut(1),
        },
        Case {
            name: "truncated header",
            reason: Reason::HeaderTruncated,
            place: None,
            program: cut(63),
        },
        Case {
            name: "truncated steps",
            reason: Reason::TotalSizeMismatch,
            place: None,
            program: cut(127),
        },
        Case {
            name: "oversized input",
            reason: Reason::TotalSizeMismatch,
            place: None,
            program: longer,
        },
        wrong_header("wrong magic", Reason::BadMagic, |h| h.magic ^= 1),
        wrong_header("wrong version", Reason::BadVersion, |h| h.version = 2),
        wrong_header("wrong header size", Reason::BadHeaderSize, |h| h.header_size = 72),
        wrong_header("wrong step size", Reason::BadStepSize, |h| h.step_size = 32),
        wrong_header("wrong total size", Reason::TotalSizeMismatch, |h| h.total_size += 64),
        wrong_header("steps do not fill the size", Reason::StepCountMismatch, |h| {
            h.step_count = 2
        }),
        wrong_header("first reserved field", Reason::HeaderReserved, |h| h.reserved0 = 1),
        wrong_header("last reserved byte", Reason::HeaderReserved, |h| h.reserved1[11] = 1),
        wrong_header("unknown flag", Reason::HeaderFlags, |h| h.flags = 1 << 31),
        wrong_header("wrong data size", Reason::DataSizeMismatch, |h| h.data_size -= 1),
        wrong_header("too much scratch", Reason::ScratchTooLarge, |h| {
            h.scratch_size = u64::MAX
        }),
        Case {
            name: "no steps",
            reason: Reason::NoSteps,
            place: None,
            program: bytes(&header(DATA, 0, COOKIE), &[]),
        },
        Case {
            name: "too many steps",
            reason: Reason::TooManySteps,
            place: None,
            program: bytes(&header(DATA, 65_537, COOKIE), &vec![good_step(); 65_537]),
        },
    ]
}

fn step_cases() -> Vec<Case> {
    let space = |space: Space| space as u8;
    vec![
        wrong_step("unknown opcode", Reason::UnknownOpcode, None, |s| s.opcode = 30),
        wrong_step("unknown type", Reason::UnknownType, None, |s| s.element_type = 13),
        wrong_step("type the operation does not take", Reason::UnsupportedType, None, |s| {
            (s.opcode, s.element_type) = (Opcode::And as u8, ElementType::F16 as u8);
        }),
        wrong_step("unknown predicate", Reason::UnknownPredicate, None, |s| {
            (s.opcode, s.aux) = (Opcode::Compare as u8, [6, 0]);
        }),
        wrong_step("conversion from no type", Reason::UnknownSourceType, None, |s| {
            s.opcode = Opcode::Convert as u8
        }),
        wrong_step("matrix without rows", Reason::ZeroDimension, None, |s| {
            (s.opcode, s.aux) = (Opcode::MatMul as u8, [0, 1]);
        }),
        wrong_step("matrix with a part of a row", Reason::RaggedMatrix, None, |s| {
            (s.opcode, s.aux) = (Opcode::MatMul as u8, [u32::MAX, 1]);
        }),
        wrong_step("matrix too large to tell", Reason::MatrixOverflow, Some(2), |s| {
            (s.opcode, s.aux, s.count) = (Opcode::MatMul as u8, [1, u32::MAX], 1 << 61);
        }),
        wrong_step("unknown step flag", Reason::StepFlags, None, |s| s.flags = 0x80),
        wrong_step("auxiliary field in use", Reason::StepReserved, None, |s| s.aux[1] = 1),
        wrong_step("zero count", Reason::ZeroCount, None, |s| s.count = 0),
        wrong_step("count times size overflows", Reason::CountOverflow, None, |s| {
            s.count = u64::MAX / 2
        }),
        wrong_step("unknown space", Reason::UnknownSpace, Some(1), |s| s.spaces[1] = 9),
        wrong_step("operand missing", Reason::OperandMissing, Some(2), |s| {
            s.spaces[2] = space(Space::None);
            s.offsets[2] = 0;
        }),
        wrong_step("operand too many", Reason::OperandUnexpected, Some(3), |s| {
            s.spaces[3] = space(Space::Data)
        }),
        wrong_step("immediate destination", Reason::ImmediateNotAllowed, Some(0), |s| {
            s.spaces[0] = space(Space::Immediate);
            s.offsets[0] = 0;
        }),
        wrong_step("immediate too wide", Reason::ImmediateTooWide, None, |s| {
            s.spaces[2] = space(Space::Immediate);
            s.offsets[2] = 0;
            s.immediate = 1 << 32;
        }),
        wrong_step("misaligned operand", Reason::Misaligned, Some(1), |s| s.offsets[1] = 2),
        wrong_step("wrapping operand", Reason::OffsetOverflow, Some(2), |s| {
            s.offsets[2] = u64::MAX - 3
        }),
        wrong_step("operand out of bounds", Reason::OutOfBounds, Some(2), |s| {
            s.offsets[2] = DATA - 60
        }),
        wrong_step("partial overlap", Reason::Overlap, Some(1), |s| s.offsets[1] = 132),
        wrong_step("scratch out of bounds", Reason::OutOfBounds, Some(0), |s| {
            s.spaces[0] = space(Space::Scratch)
        }),
    ]
}

fn unwritten_scratch() -> Case {
    let mut header = header(DATA, 1, COOKIE);
    header.scratch_size = 4096;
    let mut wrong = good_step();
    wrong.spaces[2] = Space::Scratch as u8;
    let place = Some((0, Some(2)));
    Case {
        name: "unwritten scratch",
        reason: Reason::ScratchNotWritten,
        place,
        program: bytes(&header, &[wrong]),
    }
}

/// Live resources, which bad input must not change.
fn live(handle: &SimHandle) -> [u64; 6] {
    stats(handle).ledger.map(|entry| entry.live)
}

fn check_case(handle: &SimHandle, data: &SimBuffer, case: &Case) {
    let outcome = submit(handle, &case.program, Some(data));
    assert_eq!(
        outcome.status,
        case.reason.status(),
        "{}: expected {:?}",
        case.name,
        case.reason
    );
    assert_eq!(outcome.information, 0, "{}", case.name);
    if case.reason == Reason::HeaderTruncated {
        return;
    }
    let Some((step, operand)) = case.place else { return };
    let record = result_of(handle, COOKIE).unwrap_or_else(|status| panic!("{}: no record, {status:#x}", case.name));
    assert_eq!(record.reason, case.reason as u32, "{}", case.name);
    assert_eq!(record.status, case.reason.status(), "{}", case.name);
    assert_eq!(record.step, step, "{}", case.name);
    if let Some(operand) = operand {
        assert_eq!(record.operand, operand, "{}", case.name);
    }
}

fn works(pc: &SimPc, handle: &SimHandle) {
    let data = pc.allocate(DATA as usize, 0).expect("user memory");
    let program = bytes(&header(DATA, 1, 1), &[fill(ElementType::U8, DATA, 0, 0x5A)]);
    assert_eq!(submit(handle, &program, Some(&data)).status, 0);
    let mut after = vec![0; DATA as usize];
    data.read(0, &mut after);
    assert!(after.iter().all(|byte| *byte == 0x5A));
}

#[test]
fn every_bad_program_has_its_status_and_harms_nothing() {
    for memory in MODELS {
        let pc = start(memory);
        let handle = open(&pc);
        let data = pc.allocate(DATA as usize, 0).expect("user memory");
        works(&pc, &handle);
        let before = live(&handle);
        for case in header_cases().iter().chain(&step_cases()).chain(&[unwritten_scratch()]) {
            check_case(&handle, &data, case);
        }
        assert_eq!(
            live(&handle),
            before,
            "live resources by kind {:?}",
            LedgerKind::ALL.map(LedgerKind::name)
        );
        works(&pc, &handle);
        handle.close();
        stop(pc);
    }
}

#[test]
fn bad_buffers_and_codes_have_their_status() {
    let pc = start(hawser_machine::MemoryModel::Iommu);
    let handle = open(&pc);
    let good = bytes(&header(DATA, 1, COOKIE), &[good_step()]);

    assert_eq!(submit(&handle, &good, None).status, Reason::NoDataBuffer.status());
    let read_only = pc.allocate_read_only(DATA as usize, 0).expect("user memory");
    assert_eq!(submit(&handle, &good, Some(&read_only)).status, STATUS_ACCESS_VIOLATION);
    let empty = handle
        .submit(IOCTL_HAWSER_SUBMIT, &[], Some(&read_only))
        .expect("sent")
        .wait()
        .expect("goes on");
    assert_eq!(
        empty.status, STATUS_ACCESS_VIOLATION,
        "the I/O manager probes before the driver looks"
    );
    let data = pc.allocate(DATA as usize, 0).expect("user memory");
    assert_eq!(
        submit(&handle, &[], Some(&data)).status,
        Reason::HeaderTruncated.status()
    );

    let unknown = ctl_code(FILE_DEVICE_HAWSER, 0x8FF, Method::Buffered, CodeAccess::Any);
    assert_eq!(
        handle.control(unknown, &[], &mut []).expect("goes on").status,
        STATUS_INVALID_DEVICE_REQUEST
    );
    assert_eq!(result_of(&handle, 0xDEAD), Err(STATUS_NOT_FOUND));
    let short = handle
        .control(IOCTL_HAWSER_GET_RESULT, &[0; 8], &mut [0; 168])
        .expect("goes on");
    assert_ne!(short.status, 0);

    let reader = pc.open(Access::Read).expect("the device opens for reading");
    let denied = reader
        .submit(IOCTL_HAWSER_SUBMIT, &good, Some(&data))
        .expect("sent")
        .wait()
        .expect("goes on");
    assert_eq!(denied.status, STATUS_ACCESS_DENIED);
    reader.close();

    works(&pc, &handle);
    handle.close();
    stop(pc);
}

#[test]
fn statuses_of_different_refusals_differ() {
    let cases = header_cases().into_iter().chain(step_cases());
    let mut reasons: Vec<Reason> = cases.map(|case| case.reason).collect();
    reasons.sort();
    reasons.dedup();
    let mut statuses: Vec<u32> = reasons.iter().map(|reason| reason.status()).collect();
    statuses.sort_unstable();
    statuses.dedup();
    assert_eq!(statuses.len(), reasons.len());
}
