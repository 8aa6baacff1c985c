//! Does with a program what the driver does, up to the doorbell, on a made-up scatter-gather list: what the device would find is then known
//! to the byte, and with it what the program costs there.

use hawser::program::Inspection;
use hawser_abi::descriptor::Segment;
use hawser_core::{
    ArenaWriter, BlockOffset, DataRange, DeviceAddress, Direction, Limits, MappingIndex, OutsideArena, PAGE_SIZE,
    Pieces, View, ViewBuilder, build_view,
};
use hawser_device::{Forecast, Tables, forecast};
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// How a mapping lies in the addresses of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contiguity {
    /// In one piece, as an IOMMU arranges it.
    Whole,
    /// Page by page, none beside the one before: the most elements that a mapping can have.
    Pages,
}

/// Where the first mapping lies, far from the arena.
const MAPPINGS: u64 = 1 << 50;

/// What the device would count and move.
pub fn dry_run(inspection: &Inspection, limits: &Limits, contiguity: Contiguity) -> Result<Forecast, String> {
    let layout = inspection.plan.layout();
    let mut arena = Arena(vec![
        0;
        usize::try_from(layout.total).map_err(|error| error.to_string())?
    ]);
    let checked = &inspection.checked;
    let mut table = |view| {
        let builder = ViewBuilder::new(view, checked, layout, DeviceAddress(0), limits);
        let elements = |mapping| elements(inspection, mapping, contiguity);
        build_view(builder, Pieces(&inspection.pieces), elements, &mut arena).map_err(|error| format!("{error:?}"))
    };
    let (read, write) = (table(View::Read)?, table(View::Write)?);
    let read: Vec<Segment> = arena.list(layout.read_table, read)?;
    let write: Vec<Segment> = arena.list(layout.write_table, write)?;
    let tables = Tables {
        read: &read,
        write: &write,
        scratch_length: checked.scratch_size(),
    };
    forecast(&tables, &inspection.steps).map_err(|error| error.to_string())
}

/// Addresses and lengths of the elements of a mapping.
fn elements(inspection: &Inspection, mapping: MappingIndex, contiguity: Contiguity) -> Vec<(DeviceAddress, u32)> {
    let Some(mapping) = inspection.plan.mapping(mapping) else {
        return Vec::new();
    };
    let DataRange { offset, length } = mapping.range;
    let start = offset + u64::from(inspection.checked.shape().page_offset);
    let base = MAPPINGS
        + match mapping.direction {
            Direction::ToDevice => 0,
            Direction::FromDevice => MAPPINGS,
        };
    if contiguity == Contiguity::Whole {
        return vec![(DeviceAddress(base + start), below_4_gib(length))];
    }
    let (mut at, mut list) = (start, Vec::new());
    while at < start + length {
        let page = at / PAGE_SIZE;
        let end = (start + length).min((page + 1) * PAGE_SIZE);
        // Every other page stays empty.
        list.push((DeviceAddress(base + page * PAGE_SIZE + at), below_4_gib(end - at)));
        at = end;
    }
    list
}

/// Bytes of an element. A data buffer has at most a GiB.
fn below_4_gib(length: u64) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// The block of the arena that a driver would carve.
struct Arena(Vec<u8>);

impl ArenaWriter for Arena {
    fn write(&mut self, offset: BlockOffset, bytes: &[u8]) -> Result<(), OutsideArena> {
        let start = usize::try_from(offset.0).map_err(|_| OutsideArena)?;
        let place = self.0.get_mut(start..).and_then(|rest| rest.get_mut(..bytes.len()));
        place.ok_or(OutsideArena)?.copy_from_slice(bytes);
        Ok(())
    }
}

impl Arena {
    /// A list of `count` structures.
    fn list<T: FromBytes + Immutable + KnownLayout>(&self, at: BlockOffset, count: u32) -> Result<Vec<T>, String> {
        let length = count as usize * size_of::<T>();
        let bytes = self.0.get(at.0 as usize..).and_then(|rest| rest.get(..length));
        let chunks = bytes.ok_or("outside the arena")?.chunks_exact(size_of::<T>());
        chunks
            .map(|bytes| T::read_from_bytes(bytes).map_err(|error| error.to_string()))
            .collect()
    }
}

#[cfg(all(test, not(windows)))]
mod tests {
    use super::*;
    use hawser::transport::simulated::{Access, Machine, MemoryModel, SimConfig, SimulatedTransport};
    use hawser::{Device, Program};

    const PROGRAMS: [&str; 4] = [
        "in x : f32[5000]\ninout y : f32[5000]\ny = fma(x, 2.5, y)\n",
        "in x : u8[70000]\nout y : f64[70000]\nout s : f64[1]\ny = f64(x)\ns = sum(y)\n",
        "in a : f32[70, 90]\nin b : f32[90, 110]\nout c : f32[70, 110]\nout d : f32[110, 70]\nc = matmul(a, b)\nd = transpose(c)\n",
        "in x : i16[40000]\nout y : i16[20000]\ntemp t : i16[20000]\nt = x[0..20000] + x[20000..40000]\ny = prefix_sum(t)\n",
    ];

    /// The cycles that the device reports of a run on a buffer that begins so far into a page.
    fn cycles_of_run(device: &Device<SimulatedTransport>, program: &Program, page_offset: usize) -> u64 {
        let buffer = device.allocate_at(program.data_size() as usize, page_offset).unwrap();
        let finished = device.run(program, buffer).unwrap();
        device.result(finished.cookie).unwrap().device_cycles
    }

    fn forecasts(program: &Program, limits: &Limits, page_offset: usize) -> (u64, u64) {
        let inspection = program.inspect_at(limits, page_offset as u32).unwrap();
        let cycles = |contiguity| dry_run(&inspection, limits, contiguity).unwrap().cycles();
        (cycles(Contiguity::Whole), cycles(Contiguity::Pages))
    }

    #[test]
    fn the_device_counts_what_was_forecast_wherever_the_buffer_begins() {
        for memory in [
            MemoryModel::Iommu,
            MemoryModel::Flat,
            MemoryModel::Scrambled,
            MemoryModel::Bounce,
        ] {
            let config = SimConfig {
                memory,
                ..SimConfig::default()
            };
            let machine = Machine::start(&config).unwrap();
            let device = machine.open(Access::ReadWrite).unwrap();
            let limits = device.limits().unwrap();
            for text in PROGRAMS {
                let program = hawser::language::compile("t", text).unwrap().program;
                for page_offset in [0, 1, 64, 4095] {
                    let run = cycles_of_run(&device, &program, page_offset);
                    let (whole, pages) = forecasts(&program, &limits, page_offset);
                    assert!((whole..=pages).contains(&run), "{memory:?} {page_offset} {text}");
                    assert!(memory != MemoryModel::Iommu || run == whole, "{page_offset} {text}");
                }
            }
            drop(device);
            machine.shutdown().unwrap();
        }
    }
}
