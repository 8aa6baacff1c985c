//! Many requests at once: all complete, each lets go once and only after its completion interrupt.

use crate::common::{MODELS, copy_halves, open, pattern, result_of, stop};
use hawser_abi::ioctl::IOCTL_HAWSER_SUBMIT;
use hawser_machine::{MemoryModel, SimBuffer, SimConfig, SimHandle, SimIo, SimPc};
use ntsim::trace::{Event, Kind, TraceMode};

const HANDLES: usize = 4;
const PER_HANDLE: usize = 16;
const SIZE: usize = 64 * 1024;

struct InFlight {
    handle: usize,
    cookie: u64,
    before: Vec<u8>,
    buffer: SimBuffer,
    io: SimIo,
}

fn traced(memory: MemoryModel) -> SimPc {
    SimPc::start(&SimConfig {
        memory,
        trace: TraceMode::Full,
        ..crate::common::config()
    })
    .expect("the PC starts")
}

fn send(pc: &SimPc, handle: &SimHandle, handle_number: usize, number: usize) -> InFlight {
    let cookie = number as u64;
    let before = pattern(SIZE, (handle_number * 1000 + number) as u64);
    let buffer = pc.allocate(SIZE, 64 * number).expect("user memory");
    buffer.write(0, &before);
    let io = handle
        .submit(IOCTL_HAWSER_SUBMIT, &copy_halves(SIZE, cookie), Some(&buffer))
        .expect("sent");
    InFlight {
        handle: handle_number,
        cookie,
        before,
        buffer,
        io,
    }
}

fn check(handles: &[SimHandle], request: &InFlight) {
    let outcome = request.io.wait().expect("the machine goes on");
    assert_eq!((outcome.status, outcome.information), (0, SIZE));
    let mut after = vec![0; SIZE];
    request.buffer.read(0, &mut after);
    let (lower, upper) = after.split_at(SIZE / 2);
    assert!(
        lower == &request.before[..SIZE / 2] && upper == lower,
        "wrong data for cookie {}",
        request.cookie
    );
    let times = result_of(&handles[request.handle], request.cookie)
        .expect("a record")
        .timeline;
    let order = [
        times.submitted,
        times.mapped,
        times.started,
        times.interrupt,
        times.let_go,
        times.completed,
    ];
    assert!(order.is_sorted(), "stages out of order: {times:?}");
    assert!(
        times.interrupt > times.started,
        "completed without an interrupt: {times:?}"
    );
}

fn count(events: &[Event], prefix: &str) -> usize {
    events
        .iter()
        .filter(|event| event.kind == Kind::Dma && event.name.starts_with(prefix))
        .count()
}

#[test]
fn sixty_four_requests_from_four_handles() {
    for memory in MODELS {
        let pc = traced(memory);
        let handles: Vec<_> = (0..HANDLES).map(|_| open(&pc)).collect();
        drop(pc.machine().take_trace());
        let requests: Vec<_> = (0..PER_HANDLE)
            .flat_map(|number| {
                handles
                    .iter()
                    .enumerate()
                    .map(move |(index, handle)| (index, handle, number))
            })
            .map(|(index, handle, number)| send(&pc, handle, index, number))
            .collect();
        assert_eq!(requests.len(), 64);
        for request in &requests {
            check(&handles, request);
        }
        let events = pc.machine().take_trace();
        let put = count(&events, "PutScatterGatherList");
        assert_eq!(
            put,
            2 * requests.len(),
            "each request has two mappings, and each list is put once"
        );
        drop(requests);
        handles.into_iter().for_each(SimHandle::close);
        stop(pc);
    }
}

#[test]
fn nothing_is_let_go_before_the_interrupt() {
    for memory in MODELS {
        let pc = traced(memory);
        let handle = open(&pc);
        for number in 0..4 {
            drop(pc.machine().take_trace());
            let request = send(&pc, &handle, 0, number);
            check(std::slice::from_ref(&handle), &request);
            let events = pc.machine().take_trace();
            let first = |found: &dyn Fn(&Event) -> bool| events.iter().position(found);
            let interrupt = first(&|event| event.kind == Kind::Enter && event.name == "EvtInterruptIsr");
            let put = first(&|event| event.kind == Kind::Dma && event.name.starts_with("PutScatterGatherList"));
            let made = first(&|event| event.kind == Kind::Enter && event.name == "EvtProgramDma");
            let (made, interrupt, put) = (
                made.expect("mapped"),
                interrupt.expect("interrupt"),
                put.expect("let go"),
            );
            assert!(
                made < interrupt && interrupt < put,
                "mapped {made}, interrupt {interrupt}, let go {put}"
            );
        }
        handle.close();
        stop(pc);
    }
}
