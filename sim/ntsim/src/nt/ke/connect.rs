//! Connecting and disconnecting interrupts.

use super::{
    interrupt::{self, LineId, Trigger},
    interrupt_object::{InterruptObject, Service},
    message_table::MessageTable,
};
use crate::{
    machine, pci, sched,
    verifier::{self, mmio},
};
use std::{cell::RefCell, rc::Rc};
use wdk_sys::{
    _KINTERRUPT_MODE, CONNECT_FULLY_SPECIFIED, CONNECT_FULLY_SPECIFIED_GROUP, CONNECT_LINE_BASED,
    CONNECT_MESSAGE_BASED, IO_CONNECT_INTERRUPT_FULLY_SPECIFIED_PARAMETERS, IO_CONNECT_INTERRUPT_LINE_BASED_PARAMETERS,
    IO_CONNECT_INTERRUPT_MESSAGE_BASED_PARAMETERS, IO_CONNECT_INTERRUPT_PARAMETERS, KIRQL, NTSTATUS, PDEVICE_OBJECT,
    PIO_CONNECT_INTERRUPT_PARAMETERS, PIO_DISCONNECT_INTERRUPT_PARAMETERS, PKINTERRUPT, PKSPIN_LOCK, PVOID,
    STATUS_INVALID_PARAMETER, STATUS_NOT_FOUND, STATUS_SUCCESS, ULONG,
};

/// What is common to all ways of connecting.
struct Request {
    context: PVOID,
    lock: PKSPIN_LOCK,
    synchronize_irql: KIRQL,
}

impl Request {
    fn connect(&self, line: LineId, service: Service, line_irql: KIRQL) -> Rc<InterruptObject> {
        let handle = machine::with(|m| m.ke.new_handle());
        let lock = if self.lock.is_null() {
            handle + 8
        } else {
            self.lock.addr()
        };
        let synchronize_irql = self.synchronize_irql.max(line_irql);
        let object = Rc::new(InterruptObject {
            handle,
            line,
            service,
            context: self.context,
            synchronize_irql,
            lock,
        });
        machine::with(|m| {
            m.ke.connected.insert(&object);
            m.ke.interrupts.connect(line, Rc::clone(&object));
        });
        object
    }
}

/// The lines of a device, in order, with their IRQL.
fn lines_of(pdo: PDEVICE_OBJECT) -> Vec<(LineId, KIRQL)> {
    let Some(function) = pci::of_pdo(pdo) else {
        return Vec::new();
    };
    machine::with(|m| {
        let slot = m.pci.slot(function);
        slot.map(|slot| {
            slot.interrupts()
                .map(|(line, resource)| (line, resource.irql))
                .collect()
        })
        .unwrap_or_default()
    })
}

fn refuse(text: String) -> NTSTATUS {
    verifier::violation(mmio::INTERRUPT_PARAMETERS, text);
    STATUS_INVALID_PARAMETER
}

fn fully_specified(p: &IO_CONNECT_INTERRUPT_FULLY_SPECIFIED_PARAMETERS) -> NTSTATUS {
    let Some(line) = interrupt::by_vector(p.Vector) else {
        return refuse(format!(
            "IoConnectInterruptEx for vector {:#x}, which no device has",
            p.Vector
        ));
    };
    let Some(routine) = p.ServiceRoutine else {
        return refuse("IoConnectInterruptEx without a service routine".to_owned());
    };
    let latched = machine::with(|m| m.ke.interrupts.trigger(line)) != Trigger::Level;
    if latched != (p.InterruptMode == _KINTERRUPT_MODE::Latched) {
        return refuse(format!(
            "IoConnectInterruptEx with the wrong mode for vector {:#x}",
            p.Vector
        ));
    }
    if p.SynchronizeIrql < p.Irql {
        return refuse(format!(
            "IoConnectInterruptEx with SynchronizeIrql {} below Irql {}",
            p.SynchronizeIrql, p.Irql
        ));
    }
    let request = Request {
        context: p.ServiceContext,
        lock: p.SpinLock,
        synchronize_irql: p.SynchronizeIrql,
    };
    let object = request.connect(line, Service::Line(routine), p.Irql);
    // SAFETY: the caller passes memory for the pointer; anything else faults here as it would there.
    unsafe { p.InterruptObject.write(object.pointer()) };
    STATUS_SUCCESS
}

fn line_based(p: &IO_CONNECT_INTERRUPT_LINE_BASED_PARAMETERS) -> NTSTATUS {
    let Some(routine) = p.ServiceRoutine else {
        return refuse("IoConnectInterruptEx without a service routine".to_owned());
    };
    let request = Request {
        context: p.ServiceContext,
        lock: p.SpinLock,
        synchronize_irql: p.SynchronizeIrql,
    };
    let lines = lines_of(p.PhysicalDeviceObject);
    let level = |line: &&(LineId, KIRQL)| machine::with(|m| m.ke.interrupts.trigger(line.0)) == Trigger::Level;
    let Some((line, irql)) = lines.iter().find(level) else {
        return STATUS_NOT_FOUND;
    };
    let object = request.connect(*line, Service::Line(routine), *irql);
    // SAFETY: the caller passes memory for the pointer; anything else faults here as it would there.
    unsafe { p.InterruptObject.write(object.pointer()) };
    STATUS_SUCCESS
}

/// Connects every message; without messages, the line with the fall-back routine. Says which of the two.
fn message_based(p: &IO_CONNECT_INTERRUPT_MESSAGE_BASED_PARAMETERS) -> (NTSTATUS, ULONG) {
    let Some(routine) = p.MessageServiceRoutine else {
        return (
            refuse("IoConnectInterruptEx without a service routine".to_owned()),
            CONNECT_MESSAGE_BASED,
        );
    };
    let lines = lines_of(p.PhysicalDeviceObject);
    let request = Request {
        context: p.ServiceContext,
        lock: p.SpinLock,
        synchronize_irql: p.SynchronizeIrql,
    };
    let mut objects = Vec::new();
    for (line, irql) in &lines {
        if let Trigger::Message(number) = machine::with(|m| m.ke.interrupts.trigger(*line)) {
            objects.push(request.connect(*line, Service::Message(routine, number.into()), *irql));
        }
    }
    if objects.is_empty() {
        return (fall_back(p), CONNECT_LINE_BASED);
    }
    let table = MessageTable::new(objects);
    // SAFETY: the union's members are all pointers to a pointer.
    let place = unsafe { p.ConnectionContext.Generic };
    // SAFETY: the caller passes memory for the pointer; anything else faults here as it would there.
    unsafe { place.write(table.pointer()) };
    machine::with(|m| m.ke.tables.borrow_mut().push(table));
    (STATUS_SUCCESS, CONNECT_MESSAGE_BASED)
}

fn fall_back(p: &IO_CONNECT_INTERRUPT_MESSAGE_BASED_PARAMETERS) -> NTSTATUS {
    line_based(&IO_CONNECT_INTERRUPT_LINE_BASED_PARAMETERS {
        PhysicalDeviceObject: p.PhysicalDeviceObject,
        // SAFETY: the union's members are all pointers to a pointer.
        InterruptObject: unsafe { p.ConnectionContext.InterruptObject },
        ServiceRoutine: p.FallBackServiceRoutine,
        ServiceContext: p.ServiceContext,
        SpinLock: p.SpinLock,
        SynchronizeIrql: p.SynchronizeIrql,
        FloatingSave: p.FloatingSave,
    })
}

/// Takes a service routine off its line, after it has returned.
fn disconnect(object: &Rc<InterruptObject>) {
    machine::with(|m| m.ke.interrupts.disconnect(object));
    sched::block(
        "a service routine",
        || machine::with(|m| !m.ke.interrupts.in_service(object.line)),
        None,
    );
    machine::with(|m| m.ke.connected.remove(object));
}

/// The message tables of a machine.
pub(crate) type Tables = RefCell<Vec<MessageTable>>;

/// What the trace says about a connection.
fn describe(parameters: PIO_CONNECT_INTERRUPT_PARAMETERS) -> String {
    // SAFETY: the caller of the exported function passes valid parameters.
    let parameters = unsafe { &*parameters };
    if parameters.Version != CONNECT_FULLY_SPECIFIED && parameters.Version != CONNECT_FULLY_SPECIFIED_GROUP {
        return format!("version={}", parameters.Version);
    }
    // SAFETY: the version says that this member is the one in use.
    let p = unsafe { parameters.__bindgen_anon_1.FullySpecified };
    format!(
        "vector={:#x} dirql={} floating={} share={}",
        p.Vector, p.SynchronizeIrql, p.FloatingSave, p.ShareVector
    )
}

crate::nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Connects a service routine.
    #[irql(PASSIVE_LEVEL)]
    #[trace("{}", describe(parameters))]
    fn IoConnectInterruptEx(parameters: PIO_CONNECT_INTERRUPT_PARAMETERS) -> NTSTATUS {
        // SAFETY: the caller passes valid parameters; anything else faults here as it would there.
        let copy = unsafe { parameters.read() };
        match copy.Version {
            CONNECT_FULLY_SPECIFIED | CONNECT_FULLY_SPECIFIED_GROUP => {
                // SAFETY: the version says that this member is the one in use.
                fully_specified(&unsafe { copy.__bindgen_anon_1.FullySpecified })
            }
            CONNECT_LINE_BASED => {
                // SAFETY: the version says that this member is the one in use.
                line_based(&unsafe { copy.__bindgen_anon_1.LineBased })
            }
            CONNECT_MESSAGE_BASED => {
                // SAFETY: the version says that this member is the one in use.
                let (status, version) = message_based(&unsafe { copy.__bindgen_anon_1.MessageBased });
                // SAFETY: as for the read.
                unsafe { field!(parameters, IO_CONNECT_INTERRUPT_PARAMETERS, Version).write(version) };
                status
            }
            _ => STATUS_INVALID_PARAMETER,
        }
    }

    /// Disconnects a service routine, or all of a message table.
    #[irql(PASSIVE_LEVEL)]
    fn IoDisconnectInterruptEx(parameters: PIO_DISCONNECT_INTERRUPT_PARAMETERS) {
        let words: *mut usize = parameters.cast();
        // SAFETY: the caller passes valid parameters: after the version, 8 bytes in, stands what was connected.
        let connected = unsafe { words.wrapping_add(1).read() };
        let table = machine::with(|m| {
            let mut tables = m.ke.tables.borrow_mut();
            let at = tables.iter().position(|table| table.pointer().addr() == connected)?;
            Some(tables.remove(at))
        });
        match table {
            Some(table) => table.objects.iter().for_each(disconnect),
            None => {
                let interrupt: PKINTERRUPT = core::ptr::without_provenance_mut(connected);
                disconnect(&super::interrupt_object::find(interrupt));
            }
        }
    }
}

crate::nt_exports! {
    pub const FRAMEWORK_EXPORTS = "ntoskrnl.exe", unchecked;

    /// Says that a connected interrupt is in use again.
    #[irql(..= DISPATCH_LEVEL)]
    fn IoReportInterruptActive(_parameters: PVOID) {}

    /// Says that a connected interrupt is not in use for a while.
    #[irql(..= DISPATCH_LEVEL)]
    fn IoReportInterruptInactive(_parameters: PVOID) {}
}
