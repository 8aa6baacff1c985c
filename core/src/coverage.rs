//! The set of bytes written so far, kept in order while a program is checked.
//!
//! Whether a step reads device-local memory that no earlier step has written must be known at that step, so this set is ordered at all
//! times. It is a splay tree of disjoint intervals that do not touch: any sequence of `n` operations takes `O(n log n)` steps, with no
//! balance data and no random numbers that a program's author could play against. Steps that walk through memory in order, as most
//! programs do, find what they need at the root.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::intervals::{Full, Interval};

/// Position of a node; [`NIL`] is none.
type Link = u32;
const NIL: Link = u32::MAX;

/// A node of the tree: an interval, with smaller ones on the left and greater ones on the right.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub(crate) struct Node {
    interval: Interval,
    left: Link,
    right: Link,
}

/// A side of a node.
#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

impl Node {
    const fn child(&self, side: Side) -> Link {
        match side {
            Side::Left => self.left,
            Side::Right => self.right,
        }
    }

    /// The side on which `key` lies, unless the node's interval starts there.
    fn side_of(&self, key: u32) -> Option<Side> {
        match key.cmp(&self.interval.start()) {
            core::cmp::Ordering::Less => Some(Side::Left),
            core::cmp::Ordering::Equal => None,
            core::cmp::Ordering::Greater => Some(Side::Right),
        }
    }
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

/// One of the two trees that a splay takes apart: its root, and the node at its inner edge to which the next piece is linked.
struct Shed {
    root: Link,
    edge: Link,
}

impl Shed {
    const EMPTY: Self = Self { root: NIL, edge: NIL };
}

/// A set of bytes.
#[derive(Debug)]
pub(crate) struct Coverage<'a> {
    nodes: &'a mut [Node],
    used: u32,
    root: Link,
    steps: u64,
}

impl<'a> Coverage<'a> {
    /// An empty set in `nodes`, whose content does not matter. Each insertion takes one node at most.
    pub(crate) fn new(nodes: &'a mut [Node]) -> Self {
        Self {
            nodes,
            used: 0,
            root: NIL,
            steps: 0,
        }
    }

    /// Empties the set.
    pub(crate) fn clear(&mut self) {
        self.used = 0;
        self.root = NIL;
        self.steps = 0;
    }

    /// The first byte of `interval` that is not in the set.
    pub(crate) fn first_gap(&mut self, interval: Interval) -> Option<u32> {
        let start = interval.start();
        let (below, above) = self.split(start);
        self.root = self.join(below, above);
        match self.node(below) {
            Some(node) if node.interval.end() >= interval.end() => None,
            Some(node) => Some(node.interval.end().max(start)),
            None => Some(start),
        }
    }

    /// Adds the bytes of `interval`.
    pub(crate) fn insert(&mut self, interval: Interval) -> Result<(), Full> {
        let (mut below, mut above) = self.split(interval.start());
        let mut merged = interval;
        let mut place = NIL;
        if let Some(node) = self.node(below)
            && node.interval.touches(merged)
        {
            merged = merged.union(node.interval);
            (place, below) = (below, node.left);
        }
        while above != NIL {
            above = self.splay(above, 0);
            let Some(node) = self.node(above).filter(|node| node.interval.touches(merged)) else {
                break;
            };
            merged = merged.union(node.interval);
            (place, above) = (above, node.right);
        }
        let taken = if place == NIL { self.take_node() } else { Ok(place) };
        let full = taken.is_err();
        let place = taken.unwrap_or(NIL);
        self.root = if full { self.join(below, above) } else { place };
        self.set(
            place,
            Node {
                interval: merged,
                left: below,
                right: above,
            },
        );
        if full { Err(Full) } else { Ok(()) }
    }

    /// Parts the set into the intervals that start at or below `key`, the greatest of them at the root, and the others.
    fn split(&mut self, key: u32) -> (Link, Link) {
        let root = self.splay(self.root, key);
        let Some(node) = self.node(root) else {
            return (NIL, NIL);
        };
        if node.interval.start() <= key {
            self.link(root, Side::Right, NIL);
            (root, node.right)
        } else {
            self.link(root, Side::Left, NIL);
            (self.splay(node.left, u32::MAX), root)
        }
    }

    /// The tree of both, where `below` is as [`Coverage::split`] returns it.
    fn join(&mut self, below: Link, above: Link) -> Link {
        if below == NIL {
            return above;
        }
        let below = self.splay(below, u32::MAX);
        self.link(below, Side::Right, above);
        below
    }

    /// Brings the node that starts at `key` to the root of the tree `top`, or one next to where it would be; returns the root.
    fn splay(&mut self, mut top: Link, key: u32) -> Link {
        let (mut smaller, mut greater) = (Shed::EMPTY, Shed::EMPTY);
        let Some(mut node) = self.node(top) else {
            return NIL;
        };
        while let Some(side) = node.side_of(key) {
            self.steps = self.steps.saturating_add(1);
            let Some(child) = self.node(node.child(side)) else {
                break;
            };
            let same_side = matches!(
                (side, child.side_of(key)),
                (Side::Left, Some(Side::Left)) | (Side::Right, Some(Side::Right))
            );
            if same_side {
                (top, node) = self.rotate(top, node, side);
                if node.child(side) == NIL {
                    break;
                }
            }
            match side {
                Side::Left => self.shed(&mut greater, top, side),
                Side::Right => self.shed(&mut smaller, top, side),
            }
            top = node.child(side);
            let Some(next) = self.node(top) else {
                break;
            };
            node = next;
        }
        self.shed_last(&mut smaller, node.left, Side::Right);
        self.shed_last(&mut greater, node.right, Side::Left);
        self.set(
            top,
            Node {
                interval: node.interval,
                left: smaller.root,
                right: greater.root,
            },
        );
        top
    }

    /// Turns `top`, whose content is `node`, under its child on `side`; returns that child, now above.
    fn rotate(&mut self, top: Link, node: Node, side: Side) -> (Link, Node) {
        let child = node.child(side);
        let Some(content) = self.node(child) else {
            return (top, node);
        };
        self.link(top, side, content.child(side.other()));
        self.link(child, side.other(), top);
        (child, self.node(child).unwrap_or(content))
    }

    /// Moves `top` with everything on the far side of it into `shed`; what lies on `side` of it goes on to be searched.
    fn shed(&mut self, shed: &mut Shed, top: Link, side: Side) {
        self.shed_last(shed, top, side);
        shed.edge = top;
    }

    /// Links `tree` to the inner edge of `shed`, which is on `side` of its edge node.
    fn shed_last(&mut self, shed: &mut Shed, tree: Link, side: Side) {
        if shed.edge == NIL {
            shed.root = tree;
        } else {
            self.link(shed.edge, side, tree);
        }
    }

    fn take_node(&mut self) -> Result<Link, Full> {
        let place = self.used;
        if self.node(place).is_none() {
            return Err(Full);
        }
        self.used = place.saturating_add(1);
        Ok(place)
    }

    fn node(&self, place: Link) -> Option<Node> {
        self.nodes.get(place as usize).copied()
    }

    fn set(&mut self, place: Link, node: Node) {
        if let Some(content) = self.nodes.get_mut(place as usize) {
            *content = node;
        }
    }

    fn link(&mut self, place: Link, side: Side, child: Link) {
        if let Some(node) = self.nodes.get_mut(place as usize) {
            match side {
                Side::Left => node.left = child,
                Side::Right => node.right = child,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;
    use zerocopy::FromZeros;

    fn nodes(count: usize) -> Vec<Node> {
        vec![Node::new_zeroed(); count]
    }

    /// The intervals in order; fails on a link that leads back.
    fn intervals(set: &Coverage<'_>) -> Vec<Interval> {
        let (mut path, mut found, mut at) = (Vec::new(), Vec::new(), set.root);
        loop {
            while let Some(node) = set.node(at) {
                path.push(at);
                assert!(path.len() <= set.nodes.len(), "the tree has a cycle");
                at = node.left;
            }
            let Some(top) = path.pop() else {
                return found;
            };
            let node = set.node(top).expect("a linked node exists");
            found.push(node.interval);
            assert!(found.len() <= set.nodes.len(), "the tree has a cycle");
            at = node.right;
        }
    }

    #[derive(Clone, Debug)]
    enum Operation {
        Insert(Interval),
        Query(Interval),
    }

    fn interval() -> impl Strategy<Value = Interval> {
        (0_u32..250, 1_u32..30).prop_map(|(start, length)| Interval::new(start, start + length))
    }

    fn operation() -> impl Strategy<Value = Operation> {
        prop_oneof![
            interval().prop_map(Operation::Insert),
            interval().prop_map(Operation::Query)
        ]
    }

    proptest! {
        #[test]
        fn a_coverage_agrees_with_a_bit_for_each_byte(operations in proptest::collection::vec(operation(), 0..80)) {
            let mut storage = nodes(operations.len());
            let mut set = Coverage::new(&mut storage);
            let mut model = [false; 300];
            for operation in operations {
                match operation {
                    Operation::Insert(interval) => {
                        prop_assert_eq!(set.insert(interval), Ok(()));
                        model[interval.start() as usize..interval.end() as usize].fill(true);
                    }
                    Operation::Query(interval) => {
                        let gap = (interval.start()..interval.end()).find(|byte| !model[*byte as usize]);
                        prop_assert_eq!(set.first_gap(interval), gap);
                    }
                }
                let kept = intervals(&set);
                prop_assert!(kept.windows(2).all(|pair| pair[0].end() < pair[1].start()), "{:?}", kept);
                let bytes: u32 = kept.iter().map(|interval| interval.length()).sum();
                prop_assert_eq!(bytes as usize, model.iter().filter(|written| **written).count());
            }
        }
    }

    #[test]
    fn a_full_set_keeps_what_it_has() {
        let mut storage = nodes(2);
        let mut set = Coverage::new(&mut storage);
        assert_eq!(set.insert(Interval::new(0, 4)), Ok(()));
        assert_eq!(set.insert(Interval::new(16, 20)), Ok(()));
        assert_eq!(set.insert(Interval::new(8, 12)), Err(Full));
        assert_eq!(set.first_gap(Interval::new(0, 4)), None);
        assert_eq!(set.first_gap(Interval::new(16, 20)), None);
        assert_eq!(set.first_gap(Interval::new(8, 12)), Some(8));
        assert_eq!(set.insert(Interval::new(4, 16)), Ok(()));
        assert_eq!(set.first_gap(Interval::new(0, 20)), None);
    }

    /// Which of `n` places is touched as the `i`-th.
    type Order = fn(u32, u32) -> u32;
    /// Orders that an adversary might choose.
    const ORDERS: [(&str, Order); 6] = [
        ("ascending", |i, _| i),
        ("descending", |i, n| n - 1 - i),
        ("from both ends", |i, n| if i % 2 == 0 { i } else { n - i }),
        ("bit reversal", |i, n| i.reverse_bits() >> (n.leading_zeros() + 1)),
        ("scattered", |i, n| i.wrapping_mul(2_654_435_761) % n),
        ("blocks backwards", |i, n| {
            (n - 1 - i / 64 * 64).saturating_sub(63 - i % 64)
        }),
    ];

    #[test]
    fn no_sequence_takes_more_than_n_log_n_steps() {
        for n in [1_u32 << 8, 1 << 12, 1 << 16] {
            for (built, build) in ORDERS {
                for (asked, ask) in ORDERS {
                    let mut storage = nodes(n as usize);
                    let mut set = Coverage::new(&mut storage);
                    for i in 0..n {
                        let start = build(i, n) * 8;
                        assert_eq!(set.insert(Interval::new(start, start + 4)), Ok(()));
                    }
                    for i in 0..n {
                        let start = ask(i, n) * 8;
                        set.first_gap(Interval::new(start, start + 8));
                    }
                    let bound = 6 * u64::from(n) * u64::from(n.ilog2());
                    assert!(set.steps <= bound, "{built}, then {asked}: {} steps for {n}", set.steps);
                }
            }
        }
    }
}
