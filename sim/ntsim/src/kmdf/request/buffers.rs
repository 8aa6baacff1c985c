//! The buffers of a request: system buffers, MDLs, memory objects, and the buffer of a DMA transaction.

use super::irp::Irp;
use super::object::{Memory, Request};
use super::verify;
use crate::kmdf::dma::enabler::Direction;
use crate::kmdf::memory;
use crate::kmdf::object::{self, Ref};
use crate::kmdf::verifier;
use crate::verifier::kmdf::REQUIRED_PARAMETER_IS_NULL;
use crate::verifier::kmdf_request::*;
use wdk_sys::*;

/// A buffer in kernel addresses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes {
    address: PVOID,
    length: usize,
}

/// A buffer for a transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DmaBuffer {
    /// Its MDL.
    pub(crate) mdl: PMDL,
    /// Bytes.
    pub(crate) length: u32,
}

/// What kind of request it is, as far as its buffers go.
enum Shape {
    /// A device control, with its method.
    Control { method: u32, input: u32, output: u32 },
    /// A read or write, with its length.
    Transfer { length: u32 },
    /// Anything else has no buffers.
    Other,
}

fn shape(irp: Irp) -> Shape {
    match irp.major() {
        IRP_MJ_DEVICE_CONTROL | IRP_MJ_INTERNAL_DEVICE_CONTROL => {
            let control = irp.device_control();
            Shape::Control {
                method: control.method(),
                input: control.input,
                output: control.output,
            }
        }
        IRP_MJ_READ => Shape::Transfer {
            length: irp.read_length(),
        },
        IRP_MJ_WRITE => Shape::Transfer {
            length: irp.write_length(),
        },
        _ => Shape::Other,
    }
}

/// Whether the buffers of a `METHOD_NEITHER` request are kernel addresses that may be used as they are.
fn trusted(irp: Irp) -> bool {
    irp.requestor_mode() == _MODE::KernelMode as KPROCESSOR_MODE || irp.major() == IRP_MJ_INTERNAL_DEVICE_CONTROL
}

/// `MmGetSystemAddressForMdlSafe`.
fn system_address(mdl: PMDL) -> Result<PVOID, NTSTATUS> {
    // SAFETY: the IRP's MDL, which the I/O manager made.
    let flags = unsafe { (*mdl).MdlFlags };
    let mapped = MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL;
    if u32::from(flags.cast_unsigned()) & mapped != 0 {
        // SAFETY: as above; the flags say that the member is valid.
        return Ok(unsafe { (*mdl).MappedSystemVa });
    }
    let priority = _MM_PAGE_PRIORITY::NormalPagePriority.cast_unsigned() | MdlMappingNoExecute;
    let (mode, cached) = (_MODE::KernelMode as KPROCESSOR_MODE, _MEMORY_CACHING_TYPE::MmCached);
    // SAFETY: the I/O manager locked the pages of this MDL; the mapping goes when it unlocks them.
    let address = unsafe { ntddk::MmMapLockedPagesSpecifyCache(mdl, mode, cached, core::ptr::null_mut(), 0, priority) };
    if address.is_null() {
        Err(STATUS_INSUFFICIENT_RESOURCES)
    } else {
        Ok(address)
    }
}

impl Request {
    /// The input buffer: of a device control the system buffer (or, from the kernel, what the caller passed), of a write its data.
    fn input(&self, irp: Irp) -> Result<Bytes, NTSTATUS> {
        match shape(irp) {
            Shape::Control { input: 0, .. } => Err(STATUS_BUFFER_TOO_SMALL),
            Shape::Control {
                method: METHOD_NEITHER,
                input,
                ..
            } => {
                if !trusted(irp) {
                    return Err(STATUS_INVALID_DEVICE_REQUEST);
                }
                Ok(Bytes {
                    address: irp.type3_input(),
                    length: input as usize,
                })
            }
            Shape::Control { input, .. } => Ok(Bytes {
                address: irp.system_buffer(),
                length: input as usize,
            }),
            Shape::Transfer { length } if irp.major() == IRP_MJ_WRITE => self.transfer_buffer(irp, length),
            Shape::Transfer { .. } | Shape::Other => Err(STATUS_INVALID_DEVICE_REQUEST),
        }
    }

    /// The output buffer: of a device control by its method, of a read its data.
    fn output(&self, irp: Irp) -> Result<Bytes, NTSTATUS> {
        match shape(irp) {
            Shape::Control { output: 0, .. } => Err(STATUS_BUFFER_TOO_SMALL),
            Shape::Control {
                method: METHOD_NEITHER,
                output,
                ..
            } => {
                if !trusted(irp) {
                    return Err(STATUS_INVALID_DEVICE_REQUEST);
                }
                Ok(Bytes {
                    address: irp.user_buffer(),
                    length: output as usize,
                })
            }
            Shape::Control {
                method: METHOD_BUFFERED,
                output,
                ..
            } => Ok(Bytes {
                address: irp.system_buffer(),
                length: output as usize,
            }),
            Shape::Control { output, .. } => mapped(irp, output),
            Shape::Transfer { length } if irp.major() == IRP_MJ_READ => self.transfer_buffer(irp, length),
            Shape::Transfer { .. } | Shape::Other => Err(STATUS_INVALID_DEVICE_REQUEST),
        }
    }

    /// The data of a read or write, by the device's I/O type.
    fn transfer_buffer(&self, irp: Irp, length: u32) -> Result<Bytes, NTSTATUS> {
        if length == 0 {
            return Err(STATUS_BUFFER_TOO_SMALL);
        }
        match self.device().io_type() {
            _WDF_DEVICE_IO_TYPE::WdfDeviceIoBuffered => Ok(Bytes {
                address: irp.system_buffer(),
                length: length as usize,
            }),
            _WDF_DEVICE_IO_TYPE::WdfDeviceIoDirect => mapped(irp, length),
            _ => {
                verifier::debug_break(
                    REQUEST_USER_BUFFER,
                    "the buffers of METHOD_NEITHER I/O are user addresses",
                );
                Err(STATUS_INVALID_DEVICE_REQUEST)
            }
        }
    }

    /// The MDL of the input of a device control, or of a read's or write's data.
    fn input_mdl(&self, irp: Irp) -> Result<PMDL, NTSTATUS> {
        match shape(irp) {
            Shape::Control {
                method: METHOD_NEITHER, ..
            }
            | Shape::Other => Err(STATUS_INVALID_DEVICE_REQUEST),
            Shape::Control { input, .. } => self.system_mdl(irp, input),
            Shape::Transfer { length } => match self.device().io_type() {
                _WDF_DEVICE_IO_TYPE::WdfDeviceIoBuffered => self.system_mdl(irp, length),
                _WDF_DEVICE_IO_TYPE::WdfDeviceIoDirect => direct_mdl(irp),
                _ => Err(STATUS_INVALID_DEVICE_REQUEST),
            },
        }
    }

    /// The MDL of the output of a device control.
    fn output_mdl(&self, irp: Irp) -> Result<PMDL, NTSTATUS> {
        match shape(irp) {
            Shape::Control {
                method: METHOD_BUFFERED,
                output,
                ..
            } => self.system_mdl(irp, output),
            Shape::Control {
                method: METHOD_IN_DIRECT | METHOD_OUT_DIRECT,
                ..
            } => direct_mdl(irp),
            Shape::Transfer { .. } if irp.major() == IRP_MJ_READ => self.input_mdl(irp),
            Shape::Control { .. } | Shape::Transfer { .. } | Shape::Other => Err(STATUS_INVALID_DEVICE_REQUEST),
        }
    }

    /// An MDL for the system buffer, made once and freed with the request. The first caller's length stays.
    fn system_mdl(&self, irp: Irp, length: u32) -> Result<PMDL, NTSTATUS> {
        let buffer = irp.system_buffer();
        if buffer.is_null() || length == 0 {
            return Err(STATUS_BUFFER_TOO_SMALL);
        }
        if !self.own_mdl().is_null() {
            return Ok(self.own_mdl());
        }
        // SAFETY: the system buffer is non-paged pool of at least this length.
        let mdl = unsafe { ntddk::IoAllocateMdl(buffer, length, 0, 0, core::ptr::null_mut()) };
        if mdl.is_null() {
            return Err(STATUS_INSUFFICIENT_RESOURCES);
        }
        // SAFETY: the MDL was just made for non-paged pool.
        unsafe { ntddk::MmBuildMdlForNonPagedPool(mdl) };
        self.set_own_mdl(mdl);
        Ok(mdl)
    }

    /// The buffer of a transaction in this direction: the direction must fit how the I/O manager probed the buffer.
    pub(crate) fn dma_buffer(&self, direction: Direction) -> Result<DmaBuffer, NTSTATUS> {
        let irp = self.irp().ok_or(STATUS_INVALID_DEVICE_REQUEST)?;
        let (mdl, length) = match (shape(irp), direction) {
            (Shape::Transfer { length }, Direction::ReadFromDevice) if irp.major() == IRP_MJ_READ => {
                (self.input_mdl(irp)?, length)
            }
            (Shape::Transfer { length }, Direction::WriteToDevice) if irp.major() == IRP_MJ_WRITE => {
                (self.input_mdl(irp)?, length)
            }
            (
                Shape::Control {
                    method: METHOD_BUFFERED,
                    input,
                    ..
                },
                Direction::WriteToDevice,
            ) => (self.input_mdl(irp)?, input),
            (
                Shape::Control {
                    method: METHOD_BUFFERED,
                    output,
                    ..
                },
                Direction::ReadFromDevice,
            ) => (self.input_mdl(irp)?, output),
            (
                Shape::Control {
                    method: METHOD_IN_DIRECT,
                    output,
                    ..
                },
                Direction::WriteToDevice,
            )
            | (
                Shape::Control {
                    method: METHOD_OUT_DIRECT,
                    output,
                    ..
                },
                Direction::ReadFromDevice,
            ) => (self.output_mdl(irp)?, output),
            (
                Shape::Control {
                    method: METHOD_NEITHER, ..
                },
                _,
            ) => {
                verifier::debug_break(REQUEST_USER_BUFFER, "a transaction cannot use a METHOD_NEITHER request");
                return Err(STATUS_INVALID_DEVICE_REQUEST);
            }
            _ => return Err(STATUS_INVALID_DEVICE_REQUEST),
        };
        Ok(DmaBuffer { mdl, length })
    }
}

/// The IRP's MDL, mapped.
fn mapped(irp: Irp, length: u32) -> Result<Bytes, NTSTATUS> {
    let mdl = direct_mdl(irp)?;
    Ok(Bytes {
        address: system_address(mdl)?,
        length: length as usize,
    })
}

/// The IRP's MDL; there is none when the caller passed no buffer.
fn direct_mdl(irp: Irp) -> Result<PMDL, NTSTATUS> {
    let mdl = irp.mdl();
    if mdl.is_null() {
        Err(STATUS_BUFFER_TOO_SMALL)
    } else {
        Ok(mdl)
    }
}

/// The request of a handle and its IRP; the verifier refuses completed ones.
fn live(handle: WDFREQUEST, function: &str) -> Result<(Ref<Request>, Irp), NTSTATUS> {
    let request = object::get::<Request>(handle);
    verify::not_completed(&request, function)?;
    let irp = request.live_irp(request.handle(), function);
    Ok((request, irp))
}

/// Writes an optional result.
fn put<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: not null; the driver's own variable.
        unsafe { place.write(value) };
    }
}

/// Bug check 0x10D/4 when a required pointer is null.
fn require<T>(place: *mut T) {
    if place.is_null() {
        verifier::fatal(REQUIRED_PARAMETER_IS_NULL, 0, 0, "the place for the result is null");
    }
}

/// Hands a buffer out when it is long enough.
fn hand_out(found: Result<Bytes, NTSTATUS>, minimum: usize, buffer: *mut PVOID, length: *mut usize) -> NTSTATUS {
    require(buffer);
    put(buffer, core::ptr::null_mut());
    put(length, 0);
    match found {
        Ok(bytes) if bytes.length < minimum => STATUS_BUFFER_TOO_SMALL,
        Ok(bytes) => {
            put(buffer, bytes.address);
            put(length, bytes.length);
            STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

/// Hands an MDL out.
fn hand_mdl(found: Result<PMDL, NTSTATUS>, place: *mut PMDL) -> NTSTATUS {
    require(place);
    match found {
        Ok(mdl) => {
            put(place, mdl);
            STATUS_SUCCESS
        }
        Err(status) => {
            put(place, core::ptr::null_mut());
            status
        }
    }
}

/// The memory object of a buffer, made at the first call.
fn memory_of(request: &Ref<Request>, which: Memory, bytes: Bytes) -> Result<WDFMEMORY, NTSTATUS> {
    if let Some(object) = request.memory(which) {
        return Ok(object.handle().raw());
    }
    let memory = memory::wrap(request.object(), bytes.address, bytes.length)?;
    request.add_memory(which, std::rc::Rc::clone(memory.object()));
    Ok(memory.raw())
}

/// Hands a memory object out.
fn hand_memory(found: Result<WDFMEMORY, NTSTATUS>, place: *mut WDFMEMORY) -> NTSTATUS {
    require(place);
    put(place, core::ptr::null_mut());
    match found {
        Ok(memory) => {
            put(place, memory);
            STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

/// The unsafe functions may be called in EvtIoInCallerContext only, and only for `METHOD_NEITHER`.
fn unsafe_buffer(handle: WDFREQUEST, which: Memory, function: &str) -> Result<Bytes, NTSTATUS> {
    let (request, irp) = live(handle, function)?;
    if verifier::verifier_on() && !request.marks().contains(super::object::Marks::IN_CALLER_CONTEXT) {
        verifier::debug_break(REQUEST_USER_BUFFER, format!("{function} outside EvtIoInCallerContext"));
        return Err(STATUS_INVALID_DEVICE_REQUEST);
    }
    let Shape::Control {
        method: METHOD_NEITHER,
        input,
        output,
    } = shape(irp)
    else {
        return Err(STATUS_INVALID_DEVICE_REQUEST);
    };
    let (address, length) = match which {
        Memory::Input => (irp.type3_input(), input),
        Memory::Output => (irp.user_buffer(), output),
    };
    if length == 0 {
        Err(STATUS_BUFFER_TOO_SMALL)
    } else {
        Ok(Bytes {
            address,
            length: length as usize,
        })
    }
}

wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// The input buffer.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestRetrieveInputBuffer(request: WDFREQUEST, minimum: usize, buffer: *mut PVOID, length: *mut usize) -> NTSTATUS {
        let found = live(request, "WdfRequestRetrieveInputBuffer").and_then(|(request, irp)| request.input(irp));
        hand_out(found, minimum, buffer, length)
    }

    /// The output buffer.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestRetrieveOutputBuffer(request: WDFREQUEST, minimum: usize, buffer: *mut PVOID, length: *mut usize) -> NTSTATUS {
        let found = live(request, "WdfRequestRetrieveOutputBuffer").and_then(|(request, irp)| request.output(irp));
        hand_out(found, minimum, buffer, length)
    }

    /// An MDL of the input buffer, which lives as long as the request.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestRetrieveInputWdmMdl(request: WDFREQUEST, mdl: *mut PMDL) -> NTSTATUS {
        hand_mdl(live(request, "WdfRequestRetrieveInputWdmMdl").and_then(|(request, irp)| request.input_mdl(irp)), mdl)
    }

    /// The MDL of the output buffer, which lives as long as the request.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestRetrieveOutputWdmMdl(request: WDFREQUEST, mdl: *mut PMDL) -> NTSTATUS {
        hand_mdl(live(request, "WdfRequestRetrieveOutputWdmMdl").and_then(|(request, irp)| request.output_mdl(irp)), mdl)
    }

    /// A memory object of the input buffer.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestRetrieveInputMemory(request: WDFREQUEST, memory: *mut WDFMEMORY) -> NTSTATUS {
        let found = live(request, "WdfRequestRetrieveInputMemory")
            .and_then(|(request, irp)| request.input(irp).and_then(|bytes| memory_of(&request, Memory::Input, bytes)));
        hand_memory(found, memory)
    }

    /// A memory object of the output buffer.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestRetrieveOutputMemory(request: WDFREQUEST, memory: *mut WDFMEMORY) -> NTSTATUS {
        let found = live(request, "WdfRequestRetrieveOutputMemory")
            .and_then(|(request, irp)| request.output(irp).and_then(|bytes| memory_of(&request, Memory::Output, bytes)));
        hand_memory(found, memory)
    }

    /// The user's address of the input of a METHOD_NEITHER request. In EvtIoInCallerContext only.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestRetrieveUnsafeUserInputBuffer(request: WDFREQUEST, minimum: usize, buffer: *mut PVOID, length: *mut usize) -> NTSTATUS {
        hand_out(unsafe_buffer(request, Memory::Input, "WdfRequestRetrieveUnsafeUserInputBuffer"), minimum, buffer, length)
    }

    /// The user's address of the output of a METHOD_NEITHER request. In EvtIoInCallerContext only.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestRetrieveUnsafeUserOutputBuffer(request: WDFREQUEST, minimum: usize, buffer: *mut PVOID, length: *mut usize) -> NTSTATUS {
        hand_out(unsafe_buffer(request, Memory::Output, "WdfRequestRetrieveUnsafeUserOutputBuffer"), minimum, buffer, length)
    }
}
