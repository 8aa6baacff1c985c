//! Lays an image out in memory, as Windows does: sections at their places, relocated, bound, each with its own protection.

use super::{
    file::Content,
    imports::Target,
    relocate,
    sections::{Lifetime, Protection},
    stubs::{self, Missing},
};
use core::{ffi::c_void, ops::Range};
use libc::{MAP_ANONYMOUS, MAP_FAILED, MAP_PRIVATE, PROT_EXEC, PROT_NONE, PROT_READ, PROT_WRITE};

const PAGE: usize = 4096;

/// An image in memory. The addresses stay reserved when it is unloaded, so that later uses are seen.
#[derive(Debug)]
pub(crate) struct Mapped {
    base: *mut u8,
    /// With the stubs behind the image.
    length: usize,
    /// What the stubs point to; it stays where it is.
    missing: Box<[Missing]>,
}

/// Maps an image. Nothing refers to it yet.
pub(super) fn map(content: &Content) -> Mapped {
    let size = (content.size as usize).next_multiple_of(PAGE);
    let missing: Box<[_]> = content
        .imports
        .iter()
        .filter(|wanted| wanted.target() == Target::Missing)
        .map(Missing::new)
        .collect();
    let length = size + (missing.len() * stubs::LENGTH).next_multiple_of(PAGE);
    let flags = MAP_PRIVATE | MAP_ANONYMOUS;
    // SAFETY: a fresh anonymous mapping at an address of the host's choice touches nothing that exists.
    let base = unsafe { libc::mmap(core::ptr::null_mut(), length, PROT_READ | PROT_WRITE, flags, -1, 0) };
    assert!(base != MAP_FAILED, "the host refuses {length} bytes for an image");
    let base: *mut u8 = base.cast();
    let mapped = Mapped { base, length, missing };
    // SAFETY: the mapping that was just made, which nobody else knows.
    let memory = unsafe { core::slice::from_raw_parts_mut(base, length) };
    mapped.fill(content, memory);
    mapped.protect(content, size);
    mapped
}

impl Mapped {
    /// The address of a place in the image.
    pub(crate) fn at(&self, offset: u32) -> *mut u8 {
        self.base.wrapping_add(offset as usize)
    }

    /// All its addresses.
    pub(crate) fn addresses(&self) -> Range<usize> {
        let start = self.base.expose_provenance();
        start..start + self.length
    }

    /// The place of an address in the image.
    pub(super) fn offset_of(&self, address: usize) -> Option<u32> {
        self.addresses()
            .contains(&address)
            .then(|| (address - self.base.addr()) as u32)
    }

    fn fill(&self, content: &Content, memory: &mut [u8]) {
        copy(memory, 0, &content.headers);
        for section in &content.sections {
            copy(memory, section.address as usize, &section.bytes);
        }
        let distance = (self.base.addr() as u64).wrapping_sub(content.base);
        relocate::apply(memory, &content.relocations, distance);
        self.bind(content, memory);
    }

    /// Writes the import address table, and the stubs for what is missing.
    fn bind(&self, content: &Content, memory: &mut [u8]) {
        let mut stub = (content.size as usize).next_multiple_of(PAGE);
        let mut missing = self.missing.iter();
        for wanted in &content.imports {
            let target = match wanted.target() {
                Target::Function(address) => address,
                Target::Missing => {
                    if let Some(record) = missing.next() {
                        copy(memory, stub, &record.code());
                    }
                    stub += stubs::LENGTH;
                    self.base.addr() + stub - stubs::LENGTH
                }
            };
            copy(memory, wanted.slot as usize, &target.to_le_bytes());
        }
    }

    fn protect(&self, content: &Content, size: usize) {
        self.set_protection(0..self.length, PROT_READ);
        for section in &content.sections {
            let protection = match section.protection {
                Protection::Read => PROT_READ,
                Protection::ReadWrite => PROT_READ | PROT_WRITE,
                Protection::ReadExecute => PROT_READ | PROT_EXEC,
            };
            self.set_protection(pages(section.address, section.size), protection);
        }
        if size < self.length {
            self.set_protection(size..self.length, PROT_READ | PROT_EXEC);
        }
    }

    /// Takes the sections away that are only for initialization; gives their addresses.
    pub(super) fn discard_initialization(&self, content: &Content) -> Vec<Range<usize>> {
        let discarded = content
            .sections
            .iter()
            .filter(|section| section.lifetime == Lifetime::Initialization);
        let ranges: Vec<_> = discarded.map(|section| pages(section.address, section.size)).collect();
        for range in &ranges {
            self.set_protection(range.clone(), PROT_NONE);
        }
        let start = self.base.addr();
        ranges
            .into_iter()
            .map(|range| start + range.start..start + range.end)
            .collect()
    }

    /// Takes all of it away; the addresses stay reserved.
    pub(super) fn unmap(&self) {
        self.set_protection(0..self.length, PROT_NONE);
    }

    fn set_protection(&self, range: Range<usize>, protection: i32) {
        let start: *mut c_void = self.base.wrapping_add(range.start).cast();
        // SAFETY: whole pages of this image's own mapping; no Rust reference leads into them any more.
        let result = unsafe { libc::mprotect(start, range.len(), protection) };
        assert_eq!(result, 0, "the host refuses a protection");
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: the whole of this image's own mapping; the contexts that ran in it are gone with the machine.
        unsafe { libc::munmap(self.base.cast(), self.length) };
    }
}

fn pages(address: u32, size: u32) -> Range<usize> {
    let start = address as usize;
    start..(start + size as usize).next_multiple_of(PAGE)
}

/// Copies bytes to a place that was checked to lie inside.
fn copy(memory: &mut [u8], place: usize, bytes: &[u8]) {
    if let Some(target) = memory.get_mut(place..).and_then(|rest| rest.get_mut(..bytes.len())) {
        target.copy_from_slice(bytes);
    }
}
