//! Initialize: the buffer, and whether it can be mapped.

use super::super::adapter::{Adapter, ListBuffer};
use super::super::chain::{Chain, Position};
use super::super::enabler::Direction;
use super::super::mdl;
use super::super::profile::VERSION_3;
use super::super::state::{Operation, TransactionState};
use super::super::transfer::{Limits, StageError, Transfer, Whole};
use super::{Job, Setup, Transaction};
use crate::kmdf::object::Handle;
use crate::kmdf::request::status::*;
use crate::kmdf::{pool, verifier};
use crate::verifier::kmdf_dma::*;
use wdk_sys::*;

impl Transaction {
    /// Initialize: takes the buffer, checks that it can be mapped.
    pub(in crate::kmdf::dma) fn initialize(&self, handle: Handle, setup: Setup) -> NTSTATUS {
        self.demand(handle, Operation::Initialize);
        let adapter = self.enabler.adapter(setup.direction);
        self.adapter.set(Some(adapter));
        let mdls = mdl::chain(setup.mdl, setup.offset, u64::from(setup.length));
        let chain = Chain::new(mdls.iter().map(|&mdl| mdl::span(mdl)).collect());
        let transfer = Transfer::new(
            chain,
            Position {
                span: 0,
                offset: setup.offset,
            },
            u64::from(setup.length),
        );
        let limits = self.limits(&adapter);
        let checked = transfer.check(&limits);
        let (mdl, offset, length, direction) = (setup.mdl, setup.offset, setup.length, setup.direction);
        *self.job.borrow_mut() = Some(Job {
            setup,
            mdls,
            transfer,
            limits,
            context: core::ptr::null_mut(),
        });
        if self.version() >= VERSION_3 {
            adapter.initialize_context(self.transfer_context.get());
        }
        let status = match (self.single.get(), checked) {
            (true, _) => self.prepare_single(&adapter, (mdl, offset, length, direction)),
            (false, Ok(())) => STATUS_SUCCESS,
            (false, Err(StageError::TooFragmented)) => STATUS_WDF_TOO_FRAGMENTED,
            (false, Err(StageError::ChainTooShort)) => {
                verifier::debug_break(
                    DMA_BUFFER_TOO_SHORT,
                    format!("WDFDMATRANSACTION {handle:?}: the MDL chain has fewer bytes than the transaction"),
                );
                STATUS_BUFFER_TOO_SMALL
            }
        };
        if NT_SUCCESS(status) {
            self.state.set(TransactionState::Initialized);
        } else {
            self.release(handle);
        }
        status
    }

    fn limits(&self, adapter: &Adapter) -> Limits {
        let single = self.single.get();
        let fragment = if single {
            adapter.fragment.max(self.enabler.settings().maximum_length)
        } else {
            adapter.fragment
        };
        Limits {
            fragment: u64::from(fragment),
            registers: u64::from(adapter.registers),
            elements: self.enabler.maximum_elements(),
            whole: if single {
                Whole::SingleTransfer
            } else {
                Whole::MayBeSplit
            },
        }
    }

    /// Whether the transaction can be one transfer; enlarges the list memory when the HAL needs more of it.
    fn prepare_single(
        &self,
        adapter: &Adapter,
        (mdl, offset, length, direction): (PMDL, u64, u32, Direction),
    ) -> NTSTATUS {
        let longest = adapter.fragment.max(self.enabler.settings().maximum_length);
        if length > longest {
            return STATUS_WDF_TOO_MANY_TRANSFERS;
        }
        let info = match adapter.transfer_info(mdl, offset, length, direction.write()) {
            Ok(info) => info,
            Err(status) => return status,
        };
        if info.registers > adapter.registers {
            return STATUS_WDF_NOT_ENOUGH_MAP_REGISTERS;
        }
        if u64::from(info.elements) > self.enabler.maximum_elements() {
            return STATUS_WDF_TOO_FRAGMENTED;
        }
        match self.buffer.get() {
            Some(buffer) if info.list_bytes > buffer.bytes => self.enlarge(buffer, info.list_bytes),
            _ => STATUS_SUCCESS,
        }
    }

    fn enlarge(&self, old: ListBuffer, bytes: u32) -> NTSTATUS {
        let memory = pool::allocate(bytes as usize);
        if memory.is_null() {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        self.buffer.set(Some(ListBuffer { memory, bytes }));
        pool::free(old.memory);
        STATUS_SUCCESS
    }
}
