//! The law of deletion, for any tree: every object below is cleaned up once, children before parents in order of creation; then every object is destroyed once, in the
//! same order, except those that somebody references, which end with their last dereference.

use crate::support::*;
use core::ptr::null_mut;
use proptest::prelude::*;
use std::collections::BTreeMap;
use wdk_sys::*;

/// A tree: the parent of each object but the first, and which objects are referenced.
#[derive(Debug, Clone)]
struct Tree {
    parents: Vec<usize>,
    referenced: Vec<bool>,
}

fn trees() -> impl Strategy<Value = Tree> {
    (1usize..14).prop_flat_map(|count| {
        let parents: Vec<_> = (1..count).map(|at| 0..at).collect();
        (parents, proptest::collection::vec(any::<bool>(), count))
            .prop_map(|(parents, referenced)| Tree { parents, referenced })
    })
}

/// The objects in the order in which they are cleaned up.
fn post_order(tree: &Tree, root: usize, out: &mut Vec<usize>) {
    for (at, parent) in tree.parents.iter().enumerate() {
        if *parent == root {
            post_order(tree, at + 1, out);
        }
    }
    out.push(root);
}

thread_local! {
    static NUMBERS: std::cell::RefCell<BTreeMap<usize, usize>> = const { std::cell::RefCell::new(BTreeMap::new()) };
}

fn number(object: WDFOBJECT) -> usize {
    NUMBERS.with(|numbers| numbers.borrow()[&object.addr()])
}

unsafe extern "win64" fn cleaned(object: WDFOBJECT) {
    log(format!("cleanup {}", number(object)));
}

unsafe extern "win64" fn destroyed(object: WDFOBJECT) {
    log(format!("destroy {}", number(object)));
}

fn build(tree: &Tree) -> Vec<WDFOBJECT> {
    let mut objects: Vec<WDFOBJECT> = Vec::new();
    for at in 0..=tree.parents.len() {
        let parent = if at == 0 {
            null_mut()
        } else {
            objects[tree.parents[at - 1]]
        };
        let mut attributes = attributes();
        attributes.EvtCleanupCallback = Some(cleaned);
        attributes.EvtDestroyCallback = Some(destroyed);
        attributes.ParentObject = parent;
        let mut made = null_mut();
        assert_eq!(wdf!(WdfObjectCreate, &mut attributes, &mut made), STATUS_SUCCESS);
        if tree.referenced[at] {
            wdf!(WdfObjectReferenceActual, made, null_mut(), 0, null_mut());
        }
        NUMBERS.with(|numbers| numbers.borrow_mut().insert(made.addr(), at));
        objects.push(made);
    }
    objects
}

/// Deletes a tree, then drops the references from the first object on.
fn play(tree: Tree) -> Vec<String> {
    NUMBERS.with(|numbers| numbers.borrow_mut().clear());
    let mut rig = Rig::new(&Options::default());
    rig.load().unwrap();
    take_log();
    rig.run(move || {
        let objects = build(&tree);
        wdf!(WdfObjectDelete, objects[0]);
        for (object, _) in objects
            .iter()
            .zip(&tree.referenced)
            .filter(|(_, referenced)| **referenced)
        {
            wdf!(WdfObjectDereferenceActual, *object, null_mut(), 0, null_mut());
        }
    })
    .unwrap();
    let log = take_log();
    rig.driver.take().unwrap().unload().unwrap();
    log
}

fn expected(tree: &Tree) -> Vec<String> {
    let mut order = Vec::new();
    post_order(tree, 0, &mut order);
    let cleanups = order.iter().map(|at| format!("cleanup {at}"));
    let at_once = order
        .iter()
        .filter(|at| !tree.referenced[**at])
        .map(|at| format!("destroy {at}"));
    let later = (0..order.len())
        .filter(|at| tree.referenced[*at])
        .map(|at| format!("destroy {at}"));
    cleanups.chain(at_once).chain(later).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_tree_ends_in_order(tree in trees()) {
        prop_assert_eq!(play(tree.clone()), expected(&tree));
    }
}
