//! Code that stands for functions of Windows that the simulator does not have: calling one stops the run and names it.

use super::imports::Wanted;
use crate::cross;

/// The length of a stub in bytes.
pub(super) const LENGTH: usize = 32;

/// What a stub tells the handler.
#[derive(Debug)]
pub(super) struct Missing {
    module: String,
    name: String,
}

impl Missing {
    /// What is said of an import when it is called.
    pub(super) fn new(wanted: &Wanted) -> Self {
        Self {
            module: wanted.module.clone(),
            name: wanted.name.clone(),
        }
    }

    /// Code that calls the handler with this record, which must stay where it is.
    pub(super) fn code(&self) -> [u8; LENGTH] {
        // mov rcx, record; mov rax, handler; jmp rax; int3 ...
        let mut code = [0xCC; LENGTH];
        code[..2].copy_from_slice(&[0x48, 0xB9]);
        code[2..10].copy_from_slice(&(&raw const *self).expose_provenance().to_le_bytes());
        code[10..12].copy_from_slice(&[0x48, 0xB8]);
        code[12..20].copy_from_slice(&(called as *const core::ffi::c_void).expose_provenance().to_le_bytes());
        code[20..22].copy_from_slice(&[0xFF, 0xE0]);
        code
    }
}

/// Ends the run. The stub jumps here, so the stack is as the image's call left it.
unsafe extern "win64" fn called(missing: *const Missing) -> ! {
    // SAFETY: the stub passes the record it was made for, which lives as long as the image.
    let missing = unsafe { &*missing };
    cross::unimplemented(&missing.module, &missing.name)
}
