//! Reference counts of kernel objects: devices, files and everything else that drivers only hold.

use super::{device, file};
use crate::{
    machine,
    verifier::{self, io},
};
use wdk_sys::{LONG_PTR, PVOID};

nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Adds a reference to an object; the new count.
    #[irql(..= DISPATCH_LEVEL)]
    fn ObfReferenceObject(Object: PVOID) -> LONG_PTR {
        match count(Object) {
            Some(0) => wrong(Object),
            Some(references) => {
                device::reference(Object.cast());
                file::reference(Object.cast());
                LONG_PTR::from(references) + 1
            }
            None => 1,
        }
    }

    /// Takes a reference away; the new count.
    #[irql(..= DISPATCH_LEVEL)]
    fn ObfDereferenceObject(Object: PVOID) -> LONG_PTR {
        match count(Object) {
            Some(0) => wrong(Object),
            Some(references) => {
                device::dereference(Object.cast());
                file::dereference(Object.cast());
                LONG_PTR::from(references) - 1
            }
            None => 1,
        }
    }
}

/// The references of an object that the I/O manager counts; none for other objects (threads, processes), which outlive every driver here.
fn count(object: PVOID) -> Option<u32> {
    let counted = device::references(object.addr()).or_else(|| file::references(object.addr()));
    counted.or_else(|| is_gone(object).then_some(0))
}

/// Whether there was an object where no memory is allocated any more.
fn is_gone(object: PVOID) -> bool {
    machine::with(|m| {
        let in_pool = m.mem.physical.system_addresses().contains(&object.addr());
        in_pool && m.mem.pool.block_of(object.addr()).is_none()
    })
}

fn wrong(object: PVOID) -> LONG_PTR {
    let text = "an object was referenced or dereferenced that has no references left";
    verifier::violation_with(io::OBJECT_WITHOUT_REFERENCES, [object.addr() as u64, 0, 0], text);
    0
}
