//! Images in a machine: which are loaded, and which were.

use super::{
    Image, Mapped,
    file::{Content, short_name},
    map,
};
use crate::{
    machine, mmio,
    nt::ke,
    verifier::{self, Rule, memory},
};
use std::{cell::RefCell, collections::BTreeMap, ops::Range, rc::Rc};
use wdk_sys::{PDRIVER_OBJECT, standin::DriverEntry};

/// An image in the memory of the machine.
#[derive(Debug, Clone)]
pub(crate) struct LoadedImage {
    image: Image,
    mapped: Rc<Mapped>,
}

/// The images of a machine; those that were unloaded too, since their addresses mean something.
#[derive(Debug, Default)]
pub(crate) struct Images {
    all: RefCell<Vec<LoadedImage>>,
    /// The image of each driver object that has one.
    serving: RefCell<BTreeMap<usize, LoadedImage>>,
}

impl Images {
    /// Remembers that a driver object is served by an image.
    pub(crate) fn serves(&self, driver: PDRIVER_OBJECT, image: LoadedImage) {
        self.serving.borrow_mut().insert(driver.addr(), image);
    }

    /// The image of a driver object, which is about to be forgotten.
    pub(crate) fn of_driver(&self, driver: PDRIVER_OBJECT) -> Option<LoadedImage> {
        self.serving.borrow_mut().remove(&driver.addr())
    }

    /// The name of an address.
    pub(crate) fn name_of(&self, address: usize) -> Option<String> {
        let images = self.all.borrow();
        images.iter().find_map(|loaded| {
            let place = loaded.mapped.offset_of(address)?;
            (place < loaded.content().size).then(|| describe(loaded.content(), place))
        })
    }
}

fn describe(content: &Content, place: u32) -> String {
    let file = short_name(&content.file);
    let code = content.sections.iter().any(|section| section.runs(place));
    match content.symbols.find(place).filter(|_| code) {
        Some((function, into)) => format!("{file}!{function}+{into:#x}"),
        None => format!("{file}+{place:#x}"),
    }
}

impl LoadedImage {
    /// Puts an image into the machine's memory.
    pub(crate) fn new(image: &Image) -> Self {
        let loaded = Self {
            image: image.clone(),
            mapped: Rc::new(map::map(&image.0)),
        };
        let name = image.name();
        loaded.explain(
            memory::IMAGE_PROTECTION,
            &format!("the address is in {name}, whose section there does not allow this access"),
        );
        machine::with(|m| m.io.images.all.borrow_mut().push(loaded.clone()));
        loaded
    }

    /// Where it lies.
    pub(crate) fn addresses(&self) -> Range<usize> {
        let start = self.mapped.at(0).addr();
        start..start + self.content().size as usize
    }

    /// Its entry point.
    pub(crate) fn entry(&self) -> DriverEntry {
        let entry: *mut u8 = self.mapped.at(self.content().entry);
        // SAFETY: the entry point of a driver image has this type; it was checked to lie in a section with code.
        unsafe { core::mem::transmute::<*mut u8, DriverEntry>(entry) }
    }

    /// Takes away what is only there for the entry point, which has returned.
    pub(crate) fn end_initialization(&self) {
        let text = format!(
            "the address is in a section of {} that was discarded after the entry point had returned",
            self.image.name()
        );
        for range in self.mapped.discard_initialization(self.content()) {
            mmio::explain(range, memory::IMAGE_GONE, &text);
        }
    }

    /// Takes it out of memory.
    pub(crate) fn unload(&self) {
        let all = self.mapped.addresses();
        if let Some(what) = ke::in_use(all.start, all.len()) {
            let text = format!("{} is unloaded and holds {what}", self.image.name());
            verifier::fatal(memory::IMAGE_GONE, [all.start as u64, 0, 0], text);
        }
        self.mapped.unmap();
        let text = format!("the address is in {}, which was unloaded", self.image.name());
        self.explain(memory::IMAGE_GONE, &text);
    }

    /// Says what a fault in the image means: piece by piece, because a section can get an explanation of its own later.
    fn explain(&self, rule: Rule, text: &str) {
        let all = self.mapped.addresses();
        let mut starts = vec![all.start];
        starts.extend(
            self.content()
                .sections
                .iter()
                .map(|section| self.mapped.at(section.address).addr()),
        );
        starts.push(all.start + self.content().size as usize);
        starts.push(all.end);
        for range in starts.windows(2) {
            if let [start, end] = *range
                && start < end
            {
                mmio::explain(start..end, rule, text);
            }
        }
    }

    fn content(&self) -> &Content {
        &self.image.0
    }
}
