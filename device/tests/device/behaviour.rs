//! The seam of misbehaviour: each decision is asked for, and taken as told.

use hawser_abi::op::ElementType;
use hawser_abi::queue::CompletionEntry;
use hawser_abi::registers::{self, control, sq_tail_doorbell};
use hawser_device::{Activity, Behaviour};

use crate::rig::{Command, Rig, fill, segment};

fn run_one(behaviour: Box<dyn Behaviour>) -> Rig {
    let mut rig = Rig::with(behaviour, 1 << 20);
    rig.bring_up(1, 16, control::MSIX);
    let data = rig.alloc(4, 4);
    let placed = rig.place(&Command::on(
        vec![segment(data, 4)],
        vec![fill(ElementType::U32, 0, 1, 1)],
    ));
    rig.submit(0, 5, placed);
    assert_eq!(rig.settle(), Activity::Idle);
    rig
}

#[test]
fn a_device_that_never_fetches_hangs() {
    struct Hangs;
    impl Behaviour for Hangs {
        fn fetches(&mut self, _queue: u16) -> bool {
            false
        }
    }
    let mut rig = run_one(Box::new(Hangs));
    assert!(rig.bus.accesses() == 0 && rig.peek(0).is_none());
}

#[test]
fn completions_can_be_forged_and_lost() {
    struct Forges(u32);
    impl Behaviour for Forges {
        fn completion(&mut self, _queue: u16, mut entry: CompletionEntry) -> Option<CompletionEntry> {
            entry.generation = 0xDEAD;
            self.0 += 1;
            (self.0 % 2 == 1).then_some(entry)
        }
    }
    let mut rig = run_one(Box::new(Forges(0)));
    assert_eq!(rig.take(0).expect("a completion").generation, 0xDEAD);
    let mut rig = run_one(Box::new(Forges(1)));
    assert!(rig.peek(0).is_none() && rig.bus.messages.is_empty());
    assert_eq!(rig.read(registers::STATUS), registers::status::READY);
}

#[test]
fn interrupts_can_be_lost() {
    struct Silent;
    impl Behaviour for Silent {
        fn raises(&mut self, _cause: u16) -> bool {
            false
        }
    }
    let mut rig = run_one(Box::new(Silent));
    assert!(rig.peek(0).is_some());
    rig.write(registers::MODERATION, 1000 << 16 | 9);
    rig.bus.now_ns.set(1);
    rig.write(sq_tail_doorbell(0), 99);
    assert!(rig.bus.messages.is_empty());
}
