//! `Ex*Pool*`: the pool as drivers call it, with its rules.

use super::pool::{Fill, FreeError, Kind, Request, tag_text};
use crate::{
    cross::{self, Domain},
    machine::{self, Count, Scarce},
    nt::ke,
    sched,
    verifier::{self, memory},
};
use wdk_sys::{APC_LEVEL, KIRQL, PCPOOL_EXTENDED_PARAMETER, POOL_FLAGS, PVOID, SIZE_T, ULONG};

nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Allocates pool, zeroed unless POOL_FLAG_UNINITIALIZED is given. Null when there is none.
    #[irql(..= DISPATCH_LEVEL)]
    #[trace("flags={Flags:#x} bytes={NumberOfBytes} tag={}", tag_text(Tag))]
    fn ExAllocatePool2(Flags: POOL_FLAGS, NumberOfBytes: SIZE_T, Tag: ULONG) -> PVOID {
        allocate(Flags, NumberOfBytes as usize, Tag)
    }

    /// Frees pool; the tag, unless 0, must be the block's.
    #[irql(..= DISPATCH_LEVEL)]
    fn ExFreePoolWithTag(P: PVOID, Tag: ULONG) {
        free(P.cast(), (Tag != 0).then_some(Tag));
    }

    /// Frees pool.
    #[irql(..= DISPATCH_LEVEL)]
    fn ExFreePool(P: PVOID) {
        free(P.cast(), None);
    }

    /// Frees pool; the tag, unless 0, must be the block's.
    #[irql(..= DISPATCH_LEVEL)]
    fn ExFreePool2(P: PVOID, Tag: ULONG, ExtendedParameters: PCPOOL_EXTENDED_PARAMETER, ExtendedParametersCount: ULONG) {
        if !ExtendedParameters.is_null() || ExtendedParametersCount != 0 {
            cross::unimplemented("ntoskrnl.exe", "ExFreePool2 with extended parameters");
        }
        free(P.cast(), (Tag != 0).then_some(Tag));
    }
}

/// The flags that name a pool.
const KINDS: POOL_FLAGS =
    wdk_sys::POOL_FLAG_NON_PAGED | wdk_sys::POOL_FLAG_NON_PAGED_EXECUTE | wdk_sys::POOL_FLAG_PAGED;

fn allocate(flags: POOL_FLAGS, length: usize, tag: u32) -> PVOID {
    if (flags & KINDS).count_ones() != 1 {
        let text = format!("ExAllocatePool2 with flags {flags:#x}: exactly one pool must be named");
        verifier::violation_with(memory::POOL_FLAGS, [flags, 0, 0], text);
        return core::ptr::null_mut();
    }
    let kind = if flags & wdk_sys::POOL_FLAG_PAGED != 0 {
        Kind::Paged
    } else {
        Kind::NonPaged
    };
    check_level(kind, memory::PAGED_POOL_IRQL, "allocated");
    if length == 0 {
        verifier::violation(
            memory::POOL_ZERO_BYTES,
            format!("0 bytes of pool were asked for, tag '{}'", tag_text(tag)),
        );
        return core::ptr::null_mut();
    }
    if tag == 0 {
        verifier::violation(
            memory::POOL_NO_TAG,
            format!("{length} bytes of pool were asked for with tag 0"),
        );
    }
    let fill = if flags & wdk_sys::POOL_FLAG_UNINITIALIZED != 0 {
        Fill::Garbage
    } else {
        Fill::Zero
    };
    let owner = cross::caller();
    let struck = machine::strikes(Scarce::Pool);
    let block = machine::with(|m| {
        Count::bump(&m.count.pool_allocations);
        if owner == Domain::Driver {
            Count::bump(&m.count.driver_allocations);
        }
        let request = Request {
            length,
            tag,
            kind,
            owner,
            fill,
        };
        if struck { None } else { m.mem.pool.allocate(request) }
    });
    report_damage(&machine::with(|m| m.mem.pool.take_damaged()));
    match block {
        Some(block) => block.cast(),
        None if flags & wdk_sys::POOL_FLAG_RAISE_ON_FAILURE != 0 => verifier::fatal(
            memory::RAISED,
            [0; 3],
            "ExAllocatePool2 raised STATUS_INSUFFICIENT_RESOURCES",
        ),
        None => core::ptr::null_mut(),
    }
}

fn check_level(kind: Kind, rule: verifier::Rule, what: &str) {
    let irql = sched::current_irql();
    if kind == Kind::Paged && irql > APC_LEVEL as KIRQL {
        verifier::violation_with(
            rule,
            [u64::from(irql), 1, 0],
            format!("paged pool {what} at IRQL {irql}"),
        );
    }
}

/// Frees a block, and reports what is wrong with that.
pub(super) fn free(at: *mut u8, tag: Option<u32>) {
    let address = at.addr();
    let in_use = machine::with(|m| m.io.is_irp(address));
    if in_use && cross::caller() != Domain::Kernel {
        verifier::violation_with(
            memory::POOL_FREE_OF_IRP,
            [address as u64, 0, 0],
            "an IRP was freed as pool; IoFreeIrp frees IRPs",
        );
        return;
    }
    if let Some((_, block)) = machine::with(|m| m.mem.pool.block_of(address)) {
        check_level(block.kind, memory::PAGED_POOL_FREE_IRQL, "freed");
    }
    if let Some((start, block)) = machine::with(|m| m.mem.pool.block_of(address)).filter(|(start, _)| *start == address)
    {
        ke::check_freed(start, block.length);
    }
    let freed = machine::with(|m| m.mem.pool.free(address, tag));
    let (rule, text) = match freed {
        Ok(_) => return,
        Err(FreeError::AlreadyFree) => (memory::POOL_DOUBLE_FREE, "a pool block was freed twice".to_owned()),
        Err(FreeError::NotAllocated) => (
            memory::POOL_BAD_FREE,
            "freed as pool, but it is no pool block".to_owned(),
        ),
        Err(FreeError::WrongTag(own)) => {
            let text = format!(
                "a block with tag '{}' was freed with tag '{}'",
                tag_text(own),
                tag_text(tag.unwrap_or(0))
            );
            (memory::POOL_WRONG_TAG, text)
        }
        Err(FreeError::Overrun(offset)) => (
            memory::POOL_OVERRUN,
            format!("a pool block was written past its end, first at offset {offset}"),
        ),
    };
    verifier::violation_with(rule, [address as u64, 0, 0], text);
}

/// Reports freed blocks that were written to.
pub(super) fn report_damage(blocks: &[usize]) {
    for address in blocks {
        let text = "a pool block was written to after it was freed";
        verifier::violation_with(memory::POOL_WRITE_AFTER_FREE, [*address as u64, 0, 0], text);
    }
}
