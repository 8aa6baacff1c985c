//! The recorded calls: one arm each.

mod dma;
pub mod interrupt;
pub mod object;
pub mod queue;
mod request;

use crate::scenario::Ev;
use crate::world::World;
use std::rc::Rc;
use wdk_sys::NTSTATUS;

/// What a call gave, as the record shows it.
pub enum Gave {
    Nothing,
    Status(NTSTATUS),
    Truth(u8),
}

impl Gave {
    fn text(&self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Status(status) => Some(format!("{:#x}", status.cast_unsigned())),
            Self::Truth(truth) => Some(truth.to_string()),
        }
    }
}

/// Makes the call that is next in the record, and compares its beginning and its end.
pub fn perform(world: &Rc<World>) {
    let Some(call) = world.script.next() else { return };
    let prepared = Prepared::of(world, &call.name);
    let Some(prepared) = prepared else {
        return world.script.fail(format!("the client cannot call {}", call.name));
    };
    let args = request::shown_args(&call);
    world.saw(Ev::Call, &call.name, args, None);
    if world.script.failed() {
        return;
    }
    let gave = prepared.run(world);
    world.saw(Ev::Ret, &call.name, String::new(), gave.text());
}

type Action = Box<dyn FnOnce(&Rc<World>) -> Gave>;

/// A call that is ready to be made. Its parameters come from the record before anything of the call happens.
struct Prepared(Action);

impl Prepared {
    fn of(world: &Rc<World>, name: &str) -> Option<Self> {
        let groups = [
            dma::action,
            request::action,
            queue::action,
            object::action,
            interrupt::action,
        ];
        groups.into_iter().find_map(|group| group(world, name)).map(Self)
    }

    fn run(self, world: &Rc<World>) -> Gave {
        (self.0)(world)
    }
}
