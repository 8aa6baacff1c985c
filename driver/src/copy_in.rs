//! Copies what the program reads of bytes that it also writes, or that no mapping was left for, into the request's block.

use kmdf::{NtStatus, Result};

use crate::device::Device;
use crate::job::Job;
use crate::stats::count;

/// Clears the part of the block that holds copies, so that nothing of an earlier request is in it, and copies the user's data in. `PASSIVE_LEVEL`.
pub fn copy_in(device: &Device, job: &mut Job) -> Result {
    let block = device.arena.block(job.work.block)?.memory;
    let layout = job.work.plan.layout();
    let copies = block.part(layout.copies.0 as usize, layout.copies_length as usize);
    copies.map_err(|_| NtStatus::INTERNAL_ERROR)?.clear();
    job.copy_in(&block)?;
    count(&device.counters.bytes_copied, job.work.plan.bytes_copied_in());
    Ok(())
}
