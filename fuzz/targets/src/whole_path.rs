//! Programs run on a simulated PC whose memory, map registers and order of events the bytes choose; the results are the reference interpreter's, and the PC shuts
//! down with nothing outstanding.

use arbitrary::{Arbitrary, Result, Unstructured};
use hawser_abi::ioctl::{IOCTL_HAWSER_GET_RESULT, IOCTL_HAWSER_SUBMIT};
use hawser_abi::reason::Reason;
use hawser_abi::result::{self, ResultQuery, ResultRecord};
use hawser_device::reference::{self, ReferenceFault};
use hawser_machine::{Access, MemoryModel, Registers, SimBuffer, SimConfig, SimHandle, SimIo, SimPc};
use hawser_programs::RandomProgram;
use zerocopy::{FromBytes, IntoBytes};

use crate::Difference;

/// Most requests that are under way at once.
const MOST_REQUESTS: u64 = 3;
/// Most words of 8 bytes of a data buffer.
const MOST_WORDS: u64 = 4000;
/// Settings of a driver that is soon set up.
const SETTINGS: [(&str, u32); 3] = [("ArenaKiB", 64), ("MaxSteps", 64), ("MaxDataKiB", 64)];

/// A PC and what is run on it.
#[derive(Debug)]
struct Case {
    config: SimConfig,
    requests: Vec<Request>,
}

/// A program, the buffer that it runs on, and where that lies.
#[derive(Debug)]
struct Request {
    program: RandomProgram,
    before: Vec<u8>,
    page_offset: usize,
}

/// A request under way.
struct Sent<'c> {
    cookie: u64,
    request: &'c Request,
    buffer: SimBuffer,
    io: SimIo,
}

/// Runs what `bytes` say.
///
/// # Errors
/// A result is wrong, a byte has changed that the program does not write, or the machine stopped or was not left clean.
pub fn run(bytes: &[u8]) -> std::result::Result<(), Difference> {
    let Ok(case) = draw(&mut Unstructured::new(bytes)) else {
        return Ok(());
    };
    let pc = done("start", SimPc::start(&case.config))?;
    let handle = done("open", pc.open(Access::ReadWrite))?;
    let sent: std::result::Result<Vec<_>, _> = (0..)
        .zip(&case.requests)
        .map(|(cookie, request)| send(&pc, &handle, cookie, request))
        .collect();
    for sent in sent? {
        is_right(&handle, &sent)?;
    }
    handle.close();
    done("shutdown", pc.shutdown()).map(|_clean| ())
}

/// What succeeded, or the difference that it did not.
fn done<T, E: std::fmt::Display>(what: &str, result: std::result::Result<T, E>) -> std::result::Result<T, Difference> {
    result.map_err(|error| Difference::new(format!("{what}: {error}")))
}

fn draw(source: &mut Unstructured<'_>) -> Result<Case> {
    let memory = *source.choose(&MemoryModel::ALL)?;
    let map_registers = if source.ratio(1, 3)? {
        Registers::Limited(source.int_in_range(3..=12)?)
    } else {
        Registers::Enough
    };
    let seed = Option::<u64>::arbitrary(source)?;
    let requests = (0..source.int_in_range(1..=MOST_REQUESTS)?)
        .map(|_| request(source))
        .collect::<Result<_>>()?;
    let config = SimConfig {
        memory,
        map_registers,
        seed,
        parameters: SETTINGS.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        ..SimConfig::default()
    };
    Ok(Case { config, requests })
}

fn request(source: &mut Unstructured<'_>) -> Result<Request> {
    let most = if source.ratio(1, 2)? { 80 } else { MOST_WORDS };
    let length = source.int_in_range(4..=most)? * 8;
    let page_offset = match source.int_in_range(0..=2)? {
        0 => 64 * source.int_in_range(0..=63)?,
        1 => source.int_in_range(4000..=4095)?,
        _ => source.int_in_range(0..=4095)?,
    };
    Ok(Request {
        before: data(length as usize, source.arbitrary()?),
        program: RandomProgram::draw(source, length)?,
        page_offset,
    })
}

/// Bytes that look random, or of which every second is small.
fn data(length: usize, salt: u64) -> Vec<u8> {
    let mut bytes = vec![0; length];
    fastrand::Rng::with_seed(salt).fill(&mut bytes);
    if salt.is_multiple_of(2) {
        bytes.chunks_exact_mut(2).for_each(|pair| pair[1] &= 0x83);
    }
    bytes
}

fn send<'c>(
    pc: &SimPc,
    handle: &SimHandle,
    cookie: u64,
    request: &'c Request,
) -> std::result::Result<Sent<'c>, Difference> {
    let buffer = done("allocate", pc.allocate(request.before.len(), request.page_offset))?;
    buffer.write(0, &request.before);
    let program = request.program.bytes(cookie);
    let io = done("send", handle.submit(IOCTL_HAWSER_SUBMIT, &program, Some(&buffer)))?;
    Ok(Sent {
        cookie,
        request,
        buffer,
        io,
    })
}

/// Waits for the request and compares what it left with what the reference makes of it.
fn is_right(handle: &SimHandle, sent: &Sent<'_>) -> std::result::Result<(), Difference> {
    let status = done("wait", sent.io.wait())?.status;
    let record = record(handle, sent.cookie)?;
    let mut after = vec![0; sent.request.before.len()];
    sent.buffer.read(0, &mut after);
    compare(sent.request, (status, &record), &after)
}

fn compare(
    request: &Request,
    (status, record): (u32, &ResultRecord),
    after: &[u8],
) -> std::result::Result<(), Difference> {
    let mut want = request.before.clone();
    match reference::run(&request.program.bytes(0), &mut want) {
        Ok(()) => {
            Difference::unless(status == 0, || format!("status {status:#x}: {record:?}"))?;
            let wrong = (0..want.len()).find(|at| want[*at] != after[*at]);
            let wrong = wrong.map(|at| (at, after[at], want[at]));
            Difference::unless_equal("the first wrong byte: offset, found, expected", &wrong, &None)
        }
        Err(ReferenceFault::DivideByZero { step, .. }) => {
            let expected = (Reason::DivideByZero as u32, step as u32);
            Difference::unless_equal("fault", &(record.reason, record.step), &expected)?;
            let touched = request.program.touched();
            let changed = |at: &usize| after[*at] != request.before[*at] && !touched.writes.contains(*at as u64);
            let changed = (0..after.len()).find(changed);
            Difference::unless_equal("a byte that is not written and changed", &changed, &None)?;
            let stale = |at: &usize| after[*at] != 0 && after[*at] != request.before[*at];
            let stale = (0..after.len()).find(stale);
            Difference::unless_equal("a byte that is neither cleared nor as it was", &stale, &None)
        }
        Err(fault) => Err(Difference::new(format!("the reference refuses the program: {fault}"))),
    }
}

fn record(handle: &SimHandle, cookie: u64) -> std::result::Result<ResultRecord, Difference> {
    let query = ResultQuery {
        size: size_of::<ResultQuery>() as u32,
        version: result::VERSION,
        cookie,
    };
    let mut out = [0; size_of::<ResultRecord>()];
    let outcome = done(
        "query",
        handle.control(IOCTL_HAWSER_GET_RESULT, query.as_bytes(), &mut out),
    )?;
    Difference::unless(outcome.status == 0, || format!("no record: {:#x}", outcome.status))?;
    ResultRecord::read_from_bytes(&out).map_err(|_| Difference::new("a record of another size".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerocopy::FromZeros;

    type Ran = std::result::Result<(), ReferenceFault>;

    /// A request that ends in the reference as is `wanted`, how it ends, and what is in the buffer then.
    fn example(wanted: fn(&Ran) -> bool) -> (Request, Ran, Vec<u8>) {
        let request = (0..).find_map(|seed| {
            let mut bytes = [0; 400];
            fastrand::Rng::with_seed(seed).fill(&mut bytes);
            let request = request(&mut Unstructured::new(&bytes)).ok()?;
            let mut after = request.before.clone();
            let ran = reference::run(&request.program.bytes(0), &mut after);
            (wanted(&ran) && after != request.before).then_some((request, ran, after))
        });
        request.expect("one does")
    }

    #[test]
    fn a_wrong_byte_or_status_is_a_difference() {
        let (request, _, mut after) = example(Ran::is_ok);
        let record = ResultRecord::new_zeroed();
        assert_eq!(compare(&request, (0, &record), &after), Ok(()));
        assert!(compare(&request, (1, &record), &after).is_err());
        for at in [0, after.len() - 1] {
            after[at] ^= 1;
            assert!(compare(&request, (0, &record), &after).is_err());
            after[at] ^= 1;
        }
        assert!(compare(&request, (0, &record), &request.before).is_err());
    }

    #[test]
    fn after_a_fault_a_byte_is_cleared_or_as_it_was() {
        let (request, ran, _) = example(|ran| matches!(ran, Err(ReferenceFault::DivideByZero { .. })));
        let Err(ReferenceFault::DivideByZero { step, .. }) = ran else {
            panic!("it divides by zero")
        };
        let mut record = ResultRecord::new_zeroed();
        (record.reason, record.step) = (Reason::DivideByZero as u32, step as u32);
        let ended = (Reason::DivideByZero.status(), &record);
        let mut after = request.before.clone();
        assert_eq!(compare(&request, ended, &after), Ok(()));
        let (written, _) = request.program.touched().writes.iter().next().expect("it writes");
        let written = written as usize;
        after[written] = 0;
        assert_eq!(compare(&request, ended, &after), Ok(()));
        after[written] = !request.before[written] | 1;
        assert!(compare(&request, ended, &after).is_err());
    }
}
