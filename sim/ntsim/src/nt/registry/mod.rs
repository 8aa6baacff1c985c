//! The registry: keys in a tree, and handles to them.

mod device_keys;
mod functions;
mod handles;
mod tree;

pub use tree::Value;

use crate::{
    cross::Export,
    machine::{self, LedgerEntry, Machine, Options},
};
use handles::Handles;
use std::cell::RefCell;
use tree::Tree;

/// The functions that this part exports.
pub(crate) const EXPORTS: &[&[Export]] = &[functions::EXPORTS, device_keys::EXPORTS];

/// Where the keys of drivers are.
pub const SERVICES: &str = r"\Registry\Machine\System\CurrentControlSet\Services";

/// The state of this part of a machine.
#[derive(Debug)]
pub struct State {
    tree: RefCell<Tree>,
    handles: RefCell<Handles>,
}

impl State {
    pub(crate) fn new(_options: &Options) -> Self {
        let mut tree = Tree::default();
        tree.create(SERVICES);
        Self {
            tree: RefCell::new(tree),
            handles: RefCell::new(Handles::default()),
        }
    }

    /// Makes a key with all keys above it, unless it is there.
    pub(crate) fn create(&self, path: &str) {
        self.tree.borrow_mut().create(path);
    }

    /// Adds what is outstanding.
    pub(crate) fn ledger(&self, out: &mut Vec<LedgerEntry>) {
        let handles = self.handles.borrow();
        out.extend(handles.open().map(|path| LedgerEntry {
            kind: "registry handle",
            owner: path.to_owned(),
            count: 1,
            bytes: 0,
        }));
    }
}

/// Makes the key of a driver, with its parameters; gives its path.
pub(crate) fn create_service(name: &str) -> String {
    let path = format!(r"{SERVICES}\{name}");
    machine::with(|m| m.registry.create(&format!(r"{path}\Parameters")));
    path
}

impl Machine {
    /// Sets a registry value, and makes its key where it is missing.
    pub fn set_registry_value(&self, path: &str, name: &str, value: Value) {
        let mut tree = self.registry.tree.borrow_mut();
        tree.create(path);
        let _known = tree.set(path, name, value);
    }

    /// A registry value.
    #[must_use]
    pub fn registry_value(&self, path: &str, name: &str) -> Option<Value> {
        self.registry.tree.borrow().value(path, name).cloned()
    }
}
