//! What the scenario tests share: programs made by hand, buffers with known contents, a PC that is shut down with empty ledgers.

use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{MAGIC, Space, Step, SubmitHeader, VERSION};
use hawser_abi::result::{self, ResultQuery, ResultRecord};
use hawser_abi::{info, ioctl};
use hawser_machine::{
    Access, DriverForm, Image, IoOutcome, MemoryModel, Signing, SimBuffer, SimConfig, SimHandle, SimIo, SimPc,
};
use zerocopy::{FromBytes, FromZeros, IntoBytes};

pub const MODELS: [MemoryModel; 4] = MemoryModel::ALL;

/// Names the image of the driver with which the tests run; without it they run the driver that is compiled into them.
const IMAGE_VARIABLE: &str = "HAWSER_DRIVER_IMAGE";

/// The image with which the tests run, if they do.
pub fn image() -> Option<Image> {
    let path = std::env::var_os(IMAGE_VARIABLE)?;
    Some(Image::open(path.as_ref(), Signing::Optional).expect("the image can be loaded"))
}

/// A PC as in `SimConfig::default`, with the form of the driver that is being tested.
pub fn config() -> SimConfig {
    SimConfig {
        driver: image().map_or(DriverForm::Host, DriverForm::Image),
        ..SimConfig::default()
    }
}

pub fn start(memory: MemoryModel) -> SimPc {
    SimPc::start(&SimConfig { memory, ..config() }).expect("the PC starts")
}

/// Shuts the PC down; anything that is outstanding then is a failure.
pub fn stop(pc: SimPc) {
    pc.shutdown().expect("nothing is outstanding at the end");
}

pub fn header(data_size: u64, steps: usize, cookie: u64) -> SubmitHeader {
    let mut header = SubmitHeader::new_zeroed();
    header.magic = MAGIC;
    header.version = VERSION;
    header.header_size = 64;
    header.step_size = 64;
    header.total_size = 64 + 64 * steps as u32;
    header.step_count = steps as u32;
    header.cookie = cookie;
    header.data_size = data_size;
    header
}

pub fn bytes(header: &SubmitHeader, steps: &[Step]) -> Vec<u8> {
    [header.as_bytes(), steps.as_bytes()].concat()
}

pub fn program(data_size: u64, cookie: u64, steps: &[Step]) -> Vec<u8> {
    bytes(&header(data_size, steps.len(), cookie), steps)
}

/// A step that takes `sources` and writes `dst`, all in the data buffer.
pub fn step(opcode: Opcode, ty: ElementType, count: u64, dst: u64, sources: &[u64]) -> Step {
    let mut step = Step::new_zeroed();
    step.opcode = opcode as u8;
    step.element_type = ty as u8;
    step.count = count;
    for (index, offset) in std::iter::once(&dst).chain(sources).enumerate() {
        step.spaces[index] = Space::Data as u8;
        step.offsets[index] = *offset;
    }
    step
}

/// A program of one step that makes the upper half of a buffer of `size` bytes, word by word.
pub fn upper_half(size: usize, cookie: u64, opcode: Opcode, sources: &[u64]) -> Vec<u8> {
    let half = size as u64 / 2;
    let step = step(opcode, ElementType::U32, half / 4, half, sources);
    program(size as u64, cookie, &[step])
}

/// Copies the lower half to the upper half: one mapping in each direction where the buffer begins at a cache line; otherwise, edges are copied.
pub fn copy_halves(size: usize, cookie: u64) -> Vec<u8> {
    upper_half(size, cookie, Opcode::Copy, &[0])
}

/// Adds the lower half to the upper half in place: the upper half is read and written, hence copied.
pub fn add_halves(size: usize, cookie: u64) -> Vec<u8> {
    upper_half(size, cookie, Opcode::Add, &[0, size as u64 / 2])
}

pub fn fill(ty: ElementType, count: u64, dst: u64, immediate: u64) -> Step {
    let mut step = step(Opcode::Fill, ty, count, dst, &[0]);
    step.spaces[1] = Space::Immediate as u8;
    step.immediate = immediate;
    step
}

pub fn open(pc: &SimPc) -> SimHandle {
    pc.open(Access::ReadWrite).expect("the device opens")
}

pub fn submit(handle: &SimHandle, program: &[u8], data: Option<&SimBuffer>) -> IoOutcome {
    let io = handle
        .submit(ioctl::IOCTL_HAWSER_SUBMIT, program, data)
        .expect("the request is sent");
    io.wait().expect("the machine goes on")
}

/// A request that was sent, and what its buffer held before.
pub struct Sent {
    pub before: Vec<u8>,
    pub io: SimIo,
    pub buffer: SimBuffer,
}

/// Sends a program on a buffer that holds `before`.
pub fn send(handle: &SimHandle, program: &[u8], buffer: SimBuffer, before: Vec<u8>) -> Sent {
    buffer.write(0, &before);
    let io = handle.submit(ioctl::IOCTL_HAWSER_SUBMIT, program, Some(&buffer));
    Sent {
        before,
        io: io.expect("the request is sent"),
        buffer,
    }
}

pub fn stats(handle: &SimHandle) -> info::Stats {
    let mut out = [0; size_of::<info::Stats>()];
    let outcome = handle
        .control(ioctl::IOCTL_HAWSER_GET_STATS, &[], &mut out)
        .expect("the machine goes on");
    assert_eq!((outcome.status, outcome.information), (0, out.len()));
    info::Stats::read_from_bytes(&out).expect("the size is right")
}

pub fn result_of(handle: &SimHandle, cookie: u64) -> Result<ResultRecord, u32> {
    let query = ResultQuery {
        size: size_of::<ResultQuery>() as u32,
        version: result::VERSION,
        cookie,
    };
    let mut out = [0; size_of::<ResultRecord>()];
    let outcome = handle
        .control(ioctl::IOCTL_HAWSER_GET_RESULT, query.as_bytes(), &mut out)
        .expect("the machine goes on");
    match outcome.status {
        0 => Ok(ResultRecord::read_from_bytes(&out).expect("the size is right")),
        status => Err(status),
    }
}

/// Bytes that differ from place to place, so that a page or line in the wrong place shows.
pub fn pattern(length: usize, salt: u64) -> Vec<u8> {
    let mut out = vec![0; length];
    fastrand::Rng::with_seed(salt).fill(&mut out);
    out
}
