//! Runs a scenario: the machine, the client, the harness, and the thread that does what the record says outside callbacks.

use crate::calls;
use crate::client;
use crate::harness::{bus::Bus, note, stimulus};
use crate::scenario::{Ev, Event, Scenario};
use crate::script::Script;
use crate::setup::Setup;
use crate::world::{self, World, world};
use ntsim::machine::{InterruptSupply, Machine};
use ntsim::mem::MemoryModel;
use ntsim::nt::io::{Driver, Failure};
use ntsim::sched::{self, Schedule};
use ntsim::trace::TraceMode;
use ntsim::verifier::{Crash, Policy};
use std::rc::Rc;
use wdk_sys::{KIRQL, ntddk};

/// How long the record's next event may take, in virtual nanoseconds.
const PATIENCE_NS: u64 = 2_000_000_000;

/// Plays a scenario.
pub fn play(scenario: Scenario) -> Result<(), String> {
    let setup = Setup::of(&scenario);
    let registers = setup.map_registers;
    let machine = Machine::builder()
        .memory(MemoryModel::Flat)
        .schedule(Schedule::FirstCome)
        .processors(1)
        .verifier(Policy::Collect)
        .record_trace(TraceMode::Full)
        .interrupts(InterruptSupply::Messages(setup.messages))
        .budget(20_000_000)
        .with(move |options| {
            options.dma_elements = ntsim::hal::Elements::PerPage;
            if let Some(count) = registers {
                options.map_registers = ntsim::hal::Registers::Limited(count);
            }
        })
        .build();
    let script = Script::new(&scenario, !setup.has_usual_dma());
    let bus = Bus::load(&machine, &setup).map_err(|error| format!("the bus did not load: {error}"))?;
    let verifier = setup.verifier;
    world::install(Some(Rc::new(world_of(script, setup, bus))));
    let result = client::load(&machine, verifier).and_then(|driver| {
        world().bus.set_driver(driver.object());
        let crash = machine.run("record", act).err();
        judge(crash.or_else(|| unload(driver)))
    });
    world::install(None);
    result
}

fn world_of(script: Script, setup: Setup, bus: Bus) -> World {
    World {
        script,
        setup,
        handles: Default::default(),
        labels: Default::default(),
        sent: Default::default(),
        requests: Default::default(),
        bus,
        buffer: Default::default(),
        completed: Default::default(),
        length: Default::default(),
        create_parameters: Default::default(),
        cancel_next: Default::default(),
        isr_claimed: Default::default(),
        last_request: Default::default(),
        file: Default::default(),
    }
}

/// Unloads the client, if the record goes on with that. It is the last thing that happens.
fn unload(driver: Driver) -> Option<Crash> {
    let world = world();
    let stimulus = |name: &str| {
        world.script.observe(Event {
            ev: Ev::Stim,
            irql: 0,
            name: name.to_owned(),
            args: String::new(),
            ret: None,
        })
    };
    if world.script.next().is_none_or(|next| next.name != "DriverUnload") {
        return None;
    }
    stimulus("DriverUnload");
    match driver.unload() {
        Ok(()) => {}
        Err(Failure::Crash(crash)) => return Some(*crash),
        Err(other) => world
            .script
            .fail(format!("seen:     the client could not be unloaded: {other}")),
    }
    world.script.drain();
    for name in ["client unloaded", "framework unloaded", "scenario ends"] {
        stimulus(name);
    }
    None
}

/// Compares the end: a crash where one was recorded, and nowhere else.
fn judge(crash: Option<Crash>) -> Result<(), String> {
    let world = world();
    world.script.drain();
    if let Some(crash) = crash {
        crashed(&world, &crash);
    }
    if let Some(failure) = world.script.failure() {
        return Err(failure);
    }
    match world.script.next() {
        None => Ok(()),
        Some(next) => Err(format!("the record goes on with {next:?}")),
    }
}

/// A crash is an event like others.
fn crashed(world: &World, crash: &Crash) {
    let Some(next) = world.script.next() else {
        return world.script.fail(format!("seen:     {crash}"));
    };
    let fault = crash.code == 0x1E || (crash.code == 0x10D && crash.parameters[0] == 5);
    let met = match next.ev {
        Ev::Bugcheck => next.args == bug_check_args(crash, &next.args),
        Ev::Fault => fault,
        Ev::Sim => true,
        _ => false,
    };
    if met {
        world.script.observe(Event {
            irql: next.irql,
            ..next
        });
    } else {
        world.script.fail(format!("seen:     {crash}"));
    }
}

/// The parameters of a bug check as the record shows them; addresses of objects are not shown.
fn bug_check_args(crash: &Crash, recorded: &str) -> String {
    let second = if recorded.contains("(object address)") {
        "(object address)".to_owned()
    } else {
        format!("{:#x}", crash.parameters[1])
    };
    format!(
        "code={:#x} P1={:#x} P2={second} P3={:#x}",
        crash.code, crash.parameters[0], crash.parameters[2]
    )
}

/// Does what the record says outside callbacks, and waits while it says what others do.
fn act() {
    let world = world();
    loop {
        world.script.drain();
        if world.script.failed() {
            return;
        }
        let Some(next) = world.script.next().filter(|next| next.name != "DriverUnload") else {
            return;
        };
        if !world.script.at_top() || !act_on(&world, &next) {
            wait(&world);
        }
    }
}

/// Does one thing, if it is this thread's to do.
fn act_on(world: &Rc<World>, next: &Event) -> bool {
    match next.ev {
        Ev::Stim if stimulus::is_action(&next.name) => {
            set_irql(next.irql);
            stimulus::perform(world, &next.name);
        }
        Ev::Call => {
            set_irql(next.irql);
            calls::perform(world);
        }
        Ev::Note => {
            set_irql(next.irql);
            note::perform(world);
        }
        Ev::Dma if next.name == "map" => ntsim::machine::current().free_map_registers(),
        _ => return false,
    }
    true
}

/// The recorded client changed its IRQL without that being recorded. Locks change it by themselves.
fn set_irql(wanted: u8) {
    let wanted: KIRQL = wanted;
    let current = world::irql();
    if wanted > current && wanted == 2 {
        // SAFETY: up, to DISPATCH_LEVEL.
        unsafe { ntddk::KfRaiseIrql(wanted) };
    } else if wanted < current {
        // SAFETY: back to where an earlier call came from.
        unsafe { ntddk::KeLowerIrql(wanted) };
    }
}

/// Lets the rest of the machine go on until the record does.
fn wait(world: &Rc<World>) {
    set_irql(0);
    let before = world.script.position();
    let watched = Rc::clone(world);
    let end = sched::now().after_ns(PATIENCE_NS);
    let ready = move || watched.script.position() != before || watched.script.failed();
    if sched::block("record", ready, Some(end)) == sched::Woken::TimedOut {
        world.script.drain();
        if world.script.position() == before {
            world.script.fail("seen:     nothing");
        }
    }
}
