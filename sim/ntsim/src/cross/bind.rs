//! Binds the drivers' imports to the kernel's exports, by name.

use super::{Export, unimplemented};
use std::{collections::BTreeMap, sync::Once};
use wdk_sys::standin;

/// Every list of exports of the crate.
fn exports() -> impl Iterator<Item = &'static Export> {
    [
        crate::nt::ke::EXPORTS,
        crate::nt::io::EXPORTS,
        crate::nt::pnp::EXPORTS,
        crate::nt::registry::EXPORTS,
        crate::nt::rtl::EXPORTS,
        crate::mem::EXPORTS,
        crate::mmio::EXPORTS,
        crate::hal::EXPORTS,
        crate::kmdf::EXPORTS,
    ]
    .into_iter()
    .flat_map(|part| part.iter().flat_map(|list| list.iter()))
}

/// The export of a name.
pub(crate) fn exported(name: &str) -> Option<&'static Export> {
    thread_local! {
        static BY_NAME: BTreeMap<&'static str, &'static Export> = by_name();
    }
    BY_NAME.with(|by_name| by_name.get(name).copied())
}

fn by_name() -> BTreeMap<&'static str, &'static Export> {
    let mut by_name = BTreeMap::new();
    for export in exports() {
        let twice = by_name.insert(export.info.name, export);
        assert!(twice.is_none(), "{} is exported twice", export.info.name);
    }
    by_name
}

/// Binds the import slots of the process, once. An import that nothing exports stays unbound: calling it stops the run.
pub(crate) fn bind_imports() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for slot in standin::imports() {
            if let Some(export) = exported(slot.name) {
                slot.bind(export.address);
            }
        }
        standin::set_unbound_handler(unimplemented);
    });
}

#[cfg(test)]
mod tests {
    use super::exports;
    use std::collections::BTreeMap;
    use wdk_sys::standin;

    #[test]
    fn each_export_is_in_the_image_that_drivers_import_it_from() {
        let slots: BTreeMap<_, _> = standin::imports().iter().map(|slot| (slot.name, slot.module)).collect();
        for export in exports() {
            if let Some(module) = slots.get(export.info.name) {
                assert!(
                    module.eq_ignore_ascii_case(export.info.module),
                    "{} is in {module}",
                    export.info.name
                );
            }
        }
    }
}
