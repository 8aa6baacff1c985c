//! Spin locks: who holds which, deadlocks, and the order in which they are acquired.

use crate::{
    machine,
    sched::{self, Context},
    verifier::{self, locks},
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};
use wdk_sys::{DISPATCH_LEVEL, KIRQL};

/// The spin locks of a machine that are held, and the orders seen so far.
#[derive(Default)]
pub(crate) struct Locks {
    held: RefCell<BTreeMap<usize, Rc<Context>>>,
    /// `(a, b)`: `b` was acquired while `a` was held.
    orders: RefCell<BTreeSet<(usize, usize)>>,
}

impl Locks {
    fn owner(&self, address: usize) -> Option<Rc<Context>> {
        self.held.borrow().get(&address).cloned()
    }

    /// Whether `to` was ever acquired under `from`, directly or through others.
    fn leads(&self, from: usize, to: usize) -> bool {
        let orders = self.orders.borrow();
        let mut seen = BTreeSet::from([from]);
        let mut todo = vec![from];
        while let Some(lock) = todo.pop() {
            if lock == to {
                return true;
            }
            let next = orders.range((lock, 0)..=(lock, usize::MAX)).map(|(_, below)| *below);
            todo.extend(next.filter(|below| seen.insert(*below)));
        }
        false
    }

    /// Forgets the orders of locks in this range of addresses.
    pub(crate) fn forget(&self, start: usize, end: usize) {
        let inside = |address: usize| (start..end).contains(&address);
        self.orders
            .borrow_mut()
            .retain(|(above, below)| !inside(*above) && !inside(*below));
    }

    /// A lock held in this range of addresses.
    pub(crate) fn held_in(&self, start: usize, end: usize) -> bool {
        self.held.borrow().range(start..end).next().is_some()
    }
}

/// Acquires the spin lock at an address, at the current IRQL.
pub fn acquire(address: usize) {
    sched::point("acquire spin lock");
    let context = sched::context_handle();
    check_order(&context, address);
    let free = || machine::with(|m| m.ke.locks.owner(address).is_none());
    sched::spin_until_free(address, free, || machine::with(|m| m.ke.locks.owner(address)));
    take(&context, address);
}

/// Acquires it if it is free.
pub fn try_acquire(address: usize) -> bool {
    let context = sched::context_handle();
    let free = machine::with(|m| m.ke.locks.owner(address).is_none());
    if free {
        take(&context, address);
    }
    free
}

fn take(context: &Rc<Context>, address: usize) {
    machine::with(|m| m.ke.locks.held.borrow_mut().insert(address, Rc::clone(context)));
    context.locks.borrow_mut().push(address);
}

/// Releases the spin lock at an address, at the current IRQL.
pub fn release(address: usize) {
    let context = sched::context_handle();
    match machine::with(|m| m.ke.locks.owner(address)) {
        None => {
            verifier::fatal(
                locks::SPIN_LOCK_NOT_HELD,
                [0; 3],
                "a spin lock was released that nobody holds",
            );
        }
        Some(owner) if !Rc::ptr_eq(&owner, &context) => {
            let text = format!("{} released a spin lock that {} holds", context.name, owner.name);
            verifier::violation(locks::SPIN_LOCK_NOT_OWNER, text);
            owner.locks.borrow_mut().retain(|held| *held != address);
        }
        Some(_) => context.locks.borrow_mut().retain(|held| *held != address),
    }
    machine::with(|m| m.ke.locks.held.borrow_mut().remove(&address));
    sched::wake_spinners(address);
}

/// Acquiring `address` under a lock that was ever acquired under it can deadlock, even if it does not now.
fn check_order(context: &Context, address: usize) {
    let held = context.locks.borrow().clone();
    for above in held {
        let known = machine::with(|m| m.ke.locks.orders.borrow().contains(&(above, address)));
        if known || above == address {
            continue;
        }
        if machine::with(|m| m.ke.locks.leads(address, above)) {
            let text = format!(
                "{} acquires two spin locks in the opposite order of before",
                context.name
            );
            verifier::violation(locks::SPIN_LOCK_ORDER, text);
        }
        machine::with(|m| m.ke.locks.orders.borrow_mut().insert((above, address)));
    }
}

/// A context that ends, or gives its processor away, holds no spin lock.
pub(crate) fn check_none_held(what: &str) {
    let count = sched::with_context(|context| context.locks.borrow().len());
    if count > 0 {
        let text = format!("{what} while it holds {count} spin lock(s)");
        verifier::violation(locks::SPIN_LOCK_LEAKED, text);
    }
}

/// Lowering the IRQL below DISPATCH_LEVEL gives the processor away.
pub(super) fn check_lower(new: KIRQL) {
    if u32::from(new) < DISPATCH_LEVEL {
        check_none_held("the IRQL is lowered below DISPATCH_LEVEL");
    }
}

#[cfg(test)]
mod tests {
    use super::Locks;

    #[test]
    fn orders_are_followed_through_other_locks_and_can_be_forgotten() {
        let locks = Locks::default();
        locks.orders.borrow_mut().extend([(1, 2), (2, 3), (3, 1)]);
        assert!(locks.leads(1, 3) && locks.leads(3, 2));
        assert!(!locks.leads(4, 1));
        locks.forget(2, 3);
        assert!(!locks.leads(1, 3) && locks.leads(3, 1));
    }
}
