//! A safe, typed layer over KMDF for drivers that do bus-master DMA.
//!
//! What a driver does is written as implementations of traits ([`DriverOps`], [`DeviceOps`], [`QueueOps`], [`InterruptOps`]...), which this crate registers as the
//! framework's callbacks. What a driver holds is owned by values: a [`Request`] that completing uses up, mappings whose types say whether the device may use them
//! ([`dma`]), locks that own what they protect, registers that are mapped as long as a value lives. All of it is entered in one [`Ledger`].
//!
//! Nothing here knows any particular device. All unsafe code of a driver is meant to be here, apart from its entry point.
#![no_std]
#![allow(unsafe_code, reason = "this is where the framework's C interface becomes safe")]

mod barrier;
mod bug_check;
mod bus_interface;
#[macro_use]
mod callback;
mod context;
mod debug;
mod device;
pub mod dma;
mod driver;
mod file;
mod interrupt;
mod ledger;
mod lock;
mod mdl;
mod name;
mod pool;
mod queue;
mod registers;
mod registry;
mod request;
mod resources;
mod rundown;
mod shared;
mod status;
mod time;
mod timer;
mod work_item;

pub use barrier::{fence, read_fence};
pub use bug_check::bug_check;
pub use bus_interface::{BusInterface, BusMaster};
pub use context::{Context, ContextType};
pub use debug::message;
pub use device::{DeviceHandle, DeviceInit, DeviceOps, InterfaceClass, NewDevice};
pub use driver::{DriverOps, EntryArguments};
pub use file::{FileOps, NewFile};
pub use interrupt::{Claim, InterruptOps, Isr};
pub use ledger::{LEDGER_KINDS, Ledger, LedgerEntry, LedgerKind, LedgerRef, LedgerSnapshot};
pub use lock::{SpinLock, SpinLockGuard, WaitLock, WaitLockGuard};
pub use mdl::{BufferWindow, CopyWindow, UserBuffer};
pub use name::{Name, encode_ascii};
pub use pool::{Pool, PoolBox, PoolSlice, PoolTag};
pub use queue::{Presented, Queue, QueueOps, StopReason, WaitingOps};
pub use registers::MappedRegisters;
pub use registry::Parameters;
pub use request::{Ioctl, Request, StoppedRequest};
pub use resources::{MemoryRange, Resources};
pub use rundown::{Borrowed, Rundown, RundownError};
pub use shared::{OutOfRange, SharedMemory};
pub use status::{NtStatus, Result};
pub use time::{Instant, delay, poll};
pub use timer::{Timer, TimerOps};
/// The types of `DriverEntry`.
pub use wdk_sys::{DRIVER_OBJECT, NTSTATUS, PUNICODE_STRING};
pub use work_item::{WorkItem, WorkItemOps};
