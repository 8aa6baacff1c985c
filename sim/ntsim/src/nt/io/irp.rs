//! IRPs: memory, records and stack locations.

use super::check::{self, Frame};
use crate::{
    cross::{self, Domain},
    machine, mem,
    verifier::{self, io},
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};
use wdk_sys::{
    BOOLEAN, CCHAR, IO_STACK_LOCATION, IO_TYPE_IRP, IRP, NTSTATUS, PIO_STACK_LOCATION, PIRP, STATUS_SUCCESS, USHORT,
};

nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Allocates an IRP. Null when there is no memory.
    #[irql(..= DISPATCH_LEVEL)]
    fn IoAllocateIrp(StackSize: CCHAR, ChargeQuota: BOOLEAN) -> PIRP {
        let _ = ChargeQuota;
        allocate(StackSize, cross::caller(), None)
    }

    /// Frees an IRP of IoAllocateIrp.
    #[irql(..= DISPATCH_LEVEL)]
    fn IoFreeIrp(Irp: PIRP) {
        free(Irp);
    }

    /// Prepares an IRP of IoAllocateIrp for another use.
    #[irql(..= DISPATCH_LEVEL)]
    fn IoReuseIrp(Irp: PIRP, Iostatus: NTSTATUS) {
        reuse(Irp, Iostatus);
    }

    /// Makes an IRP of memory that the driver allocated.
    #[irql(..= DISPATCH_LEVEL)]
    fn IoInitializeIrp(Irp: PIRP, PacketSize: USHORT, StackSize: CCHAR) {
        initialize_callers(Irp, PacketSize, StackSize);
    }
}

/// What happens when the last completion routine of an IRP is through.
pub(crate) type Finish = Box<dyn FnOnce(PIRP)>;

/// What the I/O manager knows of an IRP.
pub(crate) struct Record {
    /// Who allocated it.
    pub(crate) owner: Domain,
    /// The allocation is the driver's own.
    initialized: bool,
    /// What happens at the end; none for an IRP that its driver has to catch in a completion routine.
    pub(crate) finish: Option<Finish>,
    /// The dispatch routines that it is in, outermost first.
    pub(crate) frames: Vec<Rc<Frame>>,
    /// A driver has it: between IoCallDriver and the end of its completion.
    pub(crate) sent: bool,
    /// The stack location from which it was sent first: there its sender has it again.
    pub(crate) home: CCHAR,
    /// Cancelations that are going on: its memory stays.
    pub(crate) pins: u32,
    /// It was freed while pinned.
    gone: bool,
}

/// The IRPs of a machine, by address.
#[derive(Default)]
pub(crate) struct Irps {
    live: RefCell<BTreeMap<usize, Record>>,
    /// The addresses of freed IRPs, newest last.
    freed: RefCell<VecDeque<usize>>,
}

/// How many freed IRPs are remembered, to name what is completed twice.
const REMEMBERED: usize = 256;

impl Irps {
    /// Changes a record, if there is one.
    pub(crate) fn with<R>(&self, irp: PIRP, f: impl FnOnce(&mut Record) -> R) -> Option<R> {
        self.live.borrow_mut().get_mut(&irp.addr()).map(f)
    }

    pub(crate) fn contains(&self, address: usize) -> bool {
        self.live.borrow().contains_key(&address)
    }

    pub(crate) fn was_freed(&self, irp: PIRP) -> bool {
        self.freed.borrow().contains(&irp.addr())
    }

    /// How many IRPs somebody of `owner` has.
    pub(crate) fn count(&self, owner: impl Fn(Domain) -> bool) -> u64 {
        self.live.borrow().values().filter(|record| owner(record.owner)).count() as u64
    }

    fn forget(&self, irp: PIRP) {
        self.live.borrow_mut().remove(&irp.addr());
        let mut freed = self.freed.borrow_mut();
        freed.push_back(irp.addr());
        if freed.len() > REMEMBERED {
            freed.pop_front();
        }
    }
}

/// The size of an IRP with so many stack locations.
fn size_of_irp(stack: CCHAR) -> usize {
    size_of::<IRP>() + stack as u8 as usize * size_of::<IO_STACK_LOCATION>()
}

/// Allocates an IRP; `finish` is what happens when it completes.
pub(crate) fn allocate(stack: CCHAR, owner: Domain, finish: Option<Finish>) -> PIRP {
    let irp: PIRP = mem::kernel_allocate(size_of_irp(stack), *b"Irp ").cast();
    initialize(irp, size_of_irp(stack) as USHORT, stack);
    insert(
        irp,
        Record {
            owner,
            initialized: false,
            finish,
            frames: Vec::new(),
            sent: false,
            home: 0,
            pins: 0,
            gone: false,
        },
    );
    irp
}

fn insert(irp: PIRP, record: Record) {
    machine::with(|m| m.io.irps.live.borrow_mut().insert(irp.addr(), record));
}

/// Fills in a fresh IRP.
fn initialize(irp: PIRP, size: USHORT, stack: CCHAR) {
    // SAFETY: memory for an IRP of this size, which nobody else uses yet.
    unsafe { irp.cast::<u8>().write_bytes(0, size as usize) };
    // SAFETY: as above; all fields are plain data, and zero is a value of each.
    let fields = unsafe { &mut *irp };
    fields.Type = IO_TYPE_IRP as i16;
    fields.Size = size;
    fields.StackCount = stack;
    fields.CurrentLocation = stack + 1;
    let list = &raw mut fields.ThreadListEntry;
    fields.ThreadListEntry.Flink = list;
    fields.ThreadListEntry.Blink = list;
    set_stack_pointer(irp, location(irp, stack + 1));
}

fn initialize_callers(irp: PIRP, size: USHORT, stack: CCHAR) {
    if machine::with(|m| m.io.irps.contains(irp.addr())) {
        let text = "IoInitializeIrp was given an IRP of IoAllocateIrp; IoReuseIrp is for that";
        return verifier::violation_with(io::INITIALIZE_ALLOCATED, [irp.addr() as u64, 0, 0], text);
    }
    if (size as usize) < size_of_irp(stack) {
        let text = format!("IoInitializeIrp: {size} bytes are too few for {stack} stack locations");
        return verifier::violation_with(io::INITIALIZE_SIZE, [irp.addr() as u64, 0, 0], text);
    }
    initialize(irp, size, stack);
    let owner = cross::caller();
    insert(
        irp,
        Record {
            owner,
            initialized: true,
            finish: None,
            frames: Vec::new(),
            sent: false,
            home: 0,
            pins: 0,
            gone: false,
        },
    );
}

/// Frees an IRP, as IoFreeIrp.
pub(crate) fn free(irp: PIRP) {
    let found = machine::with(|m| m.io.irps.with(irp, |record| (record.sent, record.initialized)));
    let Some((sent, initialized)) = found else {
        let text = "IoFreeIrp was given something that is no IRP, or was freed before";
        return verifier::violation_with(io::FREE_NOT_AN_IRP, [irp.addr() as u64, 0, 0], text);
    };
    if sent {
        let text = "IoFreeIrp was given an IRP that a driver still has";
        return verifier::violation_with(io::FREE_IN_USE, [irp.addr() as u64, 0, 0], text);
    }
    if initialized {
        machine::with(|m| m.io.irps.forget(irp));
        return;
    }
    release(irp);
}

/// Gives the memory of an IRP back, now or when the last cancelation is through with it.
pub(crate) fn release(irp: PIRP) {
    let pinned = machine::with(|m| {
        m.io.irps.with(irp, |record| {
            record.gone = record.pins > 0;
            record.gone
        })
    });
    if pinned == Some(false) {
        machine::with(|m| m.io.irps.forget(irp));
        mem::kernel_free(irp.cast());
    }
}

/// Keeps an IRP's memory while a cancelation looks at it; false when the IRP is gone.
pub(crate) fn pin(irp: PIRP) -> bool {
    machine::with(|m| m.io.irps.with(irp, |record| record.pins += 1)).is_some()
}

/// Undoes [`pin`].
pub(crate) fn unpin(irp: PIRP) {
    let gone = machine::with(|m| {
        m.io.irps.with(irp, |record| {
            record.pins -= 1;
            record.pins == 0 && std::mem::take(&mut record.gone)
        })
    });
    if gone == Some(true) {
        release(irp);
    }
}

fn reuse(irp: PIRP, status: NTSTATUS) {
    let sent = machine::with(|m| m.io.irps.with(irp, |record| record.sent));
    if sent != Some(false) {
        let text = "IoReuseIrp was given no IRP, or one that a driver still has";
        return verifier::violation_with(io::REUSE_IN_USE, [irp.addr() as u64, 0, 0], text);
    }
    let (size, stack) = (read(irp).Size, read(irp).StackCount);
    initialize(irp, size, stack);
    set_status(irp, status);
    machine::with(|m| m.io.irps.with(irp, |record| record.frames.clear()));
}

/// The fields of an IRP.
pub(crate) fn read(irp: PIRP) -> IRP {
    // SAFETY: callers pass a live IRP; drivers may write it, so it is copied.
    unsafe { irp.read() }
}

/// A stack location by number: 1 is the lowest driver's.
pub(crate) fn location(irp: PIRP, number: CCHAR) -> PIO_STACK_LOCATION {
    irp.wrapping_add(1)
        .cast::<IO_STACK_LOCATION>()
        .wrapping_offset(isize::from(number) - 1)
}

/// The current stack location.
pub(crate) fn current_location(irp: PIRP) -> PIO_STACK_LOCATION {
    // SAFETY: a live IRP.
    let place = unsafe {
        &raw const (*irp)
            .Tail
            .Overlay
            .__bindgen_anon_2
            .__bindgen_anon_1
            .CurrentStackLocation
    };
    // SAFETY: as above; the unions are plain data.
    unsafe { place.read() }
}

/// The stack location that the next driver will get.
pub(crate) fn next_location(irp: PIRP) -> PIO_STACK_LOCATION {
    current_location(irp).wrapping_sub(1)
}

fn set_stack_pointer(irp: PIRP, to: PIO_STACK_LOCATION) {
    // SAFETY: a live IRP.
    let place = unsafe {
        &raw mut (*irp)
            .Tail
            .Overlay
            .__bindgen_anon_2
            .__bindgen_anon_1
            .CurrentStackLocation
    };
    // SAFETY: as above.
    unsafe { place.write(to) };
}

/// Moves to another stack location.
pub(crate) fn move_to(irp: PIRP, number: CCHAR) {
    // SAFETY: a live IRP.
    let place = unsafe { &raw mut (*irp).CurrentLocation };
    // SAFETY: as above.
    unsafe { place.write(number) };
    set_stack_pointer(irp, location(irp, number));
}

/// The status in an IRP.
pub(crate) fn status(irp: PIRP) -> NTSTATUS {
    // SAFETY: a live IRP.
    let place = unsafe { &raw const (*irp).IoStatus.__bindgen_anon_1.Status };
    // SAFETY: as above; every pattern of bits is a status.
    unsafe { place.read() }
}

/// Sets the status in an IRP.
pub(crate) fn set_status(irp: PIRP, status: NTSTATUS) {
    // SAFETY: a live IRP.
    let place = unsafe { &raw mut (*irp).IoStatus.__bindgen_anon_1.Status };
    // SAFETY: as above.
    unsafe { place.write(status) };
}

/// The status and the information in an IRP.
pub(crate) fn result(irp: PIRP) -> IoResult {
    IoResult {
        status: status(irp),
        information: read(irp).IoStatus.Information,
    }
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IoResult {
    /// The status.
    pub status: NTSTATUS,
    /// The information: for most requests the bytes transferred.
    pub information: u64,
}

impl IoResult {
    /// Whether the status is a success.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status >= STATUS_SUCCESS
    }
}

/// Reports an IRP that is none; the run cannot go on with it.
pub(crate) fn check(irp: PIRP, what: &str) {
    if !machine::with(|m| m.io.irps.contains(irp.addr())) {
        check::not_an_irp(irp, what);
    }
}
