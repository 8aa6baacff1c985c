//! The tables of DMA operations, one for each version of device description. A member that is not implemented stops the run and names itself; a member that
//! the version does not have is a violation.

#![allow(
    clippy::missing_transmute_annotations,
    reason = "the type is that of the member, which the macro does not know"
)]

use super::operations;
use crate::{
    cross,
    verifier::{self, dma},
};
use wdk_sys::DMA_OPERATIONS;

/// A pointer for a member that stops the run.
macro_rules! trap {
    ($name:ident, $stop:expr) => {{
        extern "win64" fn trap() -> ! {
            $stop(stringify!($name))
        }
        // SAFETY: a function that takes nothing and never returns can stand for a function of any signature of this calling convention.
        Some(unsafe { core::mem::transmute::<extern "win64" fn() -> !, _>(trap) })
    }};
}

fn missing(name: &'static str) -> ! {
    cross::unimplemented("DMA_OPERATIONS", name)
}

fn too_new(name: &'static str) -> ! {
    let text = format!("{name} was called through an adapter whose version does not have it");
    verifier::fatal(dma::OPERATION_NOT_IN_VERSION, [0; 3], text)
}

/// A table up to a member: its members of version 2 and 3 come from the two lists.
macro_rules! table {
    (
        size: $size:expr,
        second: $second:ident,
        third: $third:ident
    ) => {
        DMA_OPERATIONS {
            Size: $size as u32,
            PutDmaAdapter: Some(operations::PutDmaAdapter),
            AllocateCommonBuffer: Some(operations::AllocateCommonBuffer),
            FreeCommonBuffer: Some(operations::FreeCommonBuffer),
            AllocateAdapterChannel: trap!(AllocateAdapterChannel, missing),
            FlushAdapterBuffers: trap!(FlushAdapterBuffers, missing),
            FreeAdapterChannel: trap!(FreeAdapterChannel, missing),
            FreeMapRegisters: trap!(FreeMapRegisters, missing),
            MapTransfer: trap!(MapTransfer, missing),
            GetDmaAlignment: Some(operations::GetDmaAlignment),
            ReadDmaCounter: trap!(ReadDmaCounter, missing),
            GetScatterGatherList: Some(operations::GetScatterGatherList),
            PutScatterGatherList: Some(operations::PutScatterGatherList),
            CalculateScatterGatherList: $second!(
                CalculateScatterGatherList,
                Some(operations::CalculateScatterGatherList)
            ),
            BuildScatterGatherList: $second!(BuildScatterGatherList, Some(operations::BuildScatterGatherList)),
            BuildMdlFromScatterGatherList: $second!(
                BuildMdlFromScatterGatherList,
                trap!(BuildMdlFromScatterGatherList, missing)
            ),
            GetDmaAdapterInfo: $third!(GetDmaAdapterInfo, Some(operations::GetDmaAdapterInfo)),
            GetDmaTransferInfo: $third!(GetDmaTransferInfo, Some(operations::GetDmaTransferInfo)),
            InitializeDmaTransferContext: $third!(
                InitializeDmaTransferContext,
                Some(operations::InitializeDmaTransferContext)
            ),
            AllocateCommonBufferEx: $third!(AllocateCommonBufferEx, Some(operations::AllocateCommonBufferEx)),
            AllocateAdapterChannelEx: $third!(AllocateAdapterChannelEx, trap!(AllocateAdapterChannelEx, missing)),
            ConfigureAdapterChannel: $third!(ConfigureAdapterChannel, trap!(ConfigureAdapterChannel, missing)),
            CancelAdapterChannel: $third!(CancelAdapterChannel, trap!(CancelAdapterChannel, missing)),
            MapTransferEx: $third!(MapTransferEx, trap!(MapTransferEx, missing)),
            GetScatterGatherListEx: $third!(GetScatterGatherListEx, Some(operations::GetScatterGatherListEx)),
            BuildScatterGatherListEx: $third!(BuildScatterGatherListEx, Some(operations::BuildScatterGatherListEx)),
            FlushAdapterBuffersEx: $third!(FlushAdapterBuffersEx, trap!(FlushAdapterBuffersEx, missing)),
            FreeAdapterObject: $third!(FreeAdapterObject, trap!(FreeAdapterObject, missing)),
            CancelMappedTransfer: $third!(CancelMappedTransfer, trap!(CancelMappedTransfer, missing)),
            AllocateDomainCommonBuffer: $third!(AllocateDomainCommonBuffer, trap!(AllocateDomainCommonBuffer, missing)),
            FlushDmaBuffer: $third!(FlushDmaBuffer, trap!(FlushDmaBuffer, missing)),
            JoinDmaDomain: $third!(JoinDmaDomain, trap!(JoinDmaDomain, missing)),
            LeaveDmaDomain: $third!(LeaveDmaDomain, trap!(LeaveDmaDomain, missing)),
            GetDmaDomain: $third!(GetDmaDomain, trap!(GetDmaDomain, missing)),
            AllocateCommonBufferWithBounds: $third!(
                AllocateCommonBufferWithBounds,
                trap!(AllocateCommonBufferWithBounds, missing)
            ),
            AllocateCommonBufferVector: $third!(AllocateCommonBufferVector, trap!(AllocateCommonBufferVector, missing)),
            GetCommonBufferFromVectorByIndex: $third!(
                GetCommonBufferFromVectorByIndex,
                trap!(GetCommonBufferFromVectorByIndex, missing)
            ),
            FreeCommonBufferFromVector: $third!(FreeCommonBufferFromVector, trap!(FreeCommonBufferFromVector, missing)),
            FreeCommonBufferVector: $third!(FreeCommonBufferVector, trap!(FreeCommonBufferVector, missing)),
            CreateCommonBufferFromMdl: $third!(CreateCommonBufferFromMdl, trap!(CreateCommonBufferFromMdl, missing)),
        }
    };
}

/// A member that the version has.
macro_rules! has {
    ($name:ident, $member:expr) => {
        $member
    };
}

/// A member that the version does not have.
macro_rules! lacks {
    ($name:ident, $member:expr) => {
        trap!($name, too_new)
    };
}

/// Up to PutScatterGatherList.
static FIRST: DMA_OPERATIONS =
    table!(size: core::mem::offset_of!(DMA_OPERATIONS, CalculateScatterGatherList), second: lacks, third: lacks);
/// Up to BuildMdlFromScatterGatherList.
static SECOND: DMA_OPERATIONS =
    table!(size: core::mem::offset_of!(DMA_OPERATIONS, GetDmaAdapterInfo), second: has, third: lacks);
/// All of them.
static THIRD: DMA_OPERATIONS = table!(size: size_of::<DMA_OPERATIONS>(), second: has, third: has);

/// The table for a version of device description.
pub(super) fn of_version(version: u32) -> *const DMA_OPERATIONS {
    match version {
        0 | 1 => &raw const FIRST,
        2 => &raw const SECOND,
        _ => &raw const THIRD,
    }
}

#[cfg(test)]
mod tests {
    use super::of_version;

    #[test]
    fn sizes_grow_with_the_version() {
        // SAFETY: the tables are static.
        let size = |version| unsafe { (*of_version(version)).Size };
        assert_eq!((size(0), size(1), size(2), size(3)), (104, 104, 128, 320));
    }
}
