//! The recorded scenarios.

use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The kind of a recorded event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ev {
    Stim,
    Enter,
    Leave,
    Call,
    Ret,
    Dma,
    Kernel,
    Pdo,
    Irp,
    Note,
    Verifier,
    Bugcheck,
    Fault,
    Power,
    Sim,
}

/// An IRQL as recorded: a number, or `DIRQL(n)`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Irql {
    Number(u8),
    Device(serde::de::IgnoredAny),
}

/// The IRQL of device interrupts.
const DEVICE_IRQL: u8 = 9;

impl Irql {
    fn normal(&self) -> u8 {
        match self {
            Self::Number(number) => *number,
            Self::Device(_) => DEVICE_IRQL,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
struct RawEvent {
    ev: Ev,
    name: String,
    irql: Option<Irql>,
    #[serde(default)]
    args: String,
    ret: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct RawScenario {
    name: String,
    config: String,
    verifier: bool,
    started: bool,
    trace: Vec<RawEvent>,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub ev: Ev,
    pub irql: u8,
    pub name: String,
    pub args: String,
    pub ret: Option<String>,
}

/// One scenario, its beginning included.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: String,
    pub config: String,
    pub verifier: bool,
    pub trace: Vec<Event>,
    /// How many events of the trace are the beginning taken from another scenario.
    pub beginning: usize,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/kmdf-observed")
}

/// The names of all scenarios.
pub fn names() -> BTreeSet<String> {
    let files = std::fs::read_dir(folder()).expect("the data is part of the repository");
    let paths = files.map(|file| file.expect("a readable folder").path());
    paths
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect()
}

/// The scenarios that are not replayed: the first code span of each list item of `not-covered.md`.
pub fn not_covered() -> BTreeSet<String> {
    let text = std::fs::read_to_string(folder().join("not-covered.md")).expect("the list is part of the repository");
    text.lines()
        .filter_map(|line| line.strip_prefix("- `")?.split('`').next().map(str::to_owned))
        .collect()
}

fn read(name: &str) -> RawScenario {
    let path = folder().join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).expect("a scenario that exists");
    serde_json::from_str(&text).expect("a scenario in the recorded form")
}

fn normal(event: RawEvent) -> Option<Event> {
    if event.ev == Ev::Power {
        return None;
    }
    let name = if event.name.starts_with("framework unloaded") {
        "framework unloaded".to_owned()
    } else {
        event.name
    };
    let irql = event.irql.map_or(0, |irql| irql.normal());
    Some(Event {
        ev: event.ev,
        irql,
        name,
        args: normal_args(&event.args),
        ret: event.ret,
    })
}

/// All device IRQLs are one.
fn normal_args(args: &str) -> String {
    args.replace("dirql=10", "dirql=9").replace("dirql=11", "dirql=9")
}

impl Scenario {
    /// Reads a scenario.
    pub fn load(name: &str) -> Self {
        let raw = read(name);
        let mut trace = Vec::new();
        if raw.started {
            let start = read("D_start_remove");
            let until = start
                .trace
                .iter()
                .position(|event| event.name == "wait START_DEVICE")
                .expect("the recorded start");
            trace.extend(start.trace.into_iter().take(until + 1).filter_map(normal));
        }
        let beginning = trace.len();
        trace.extend(raw.trace.into_iter().filter_map(normal));
        Self {
            name: raw.name,
            config: raw.config,
            verifier: raw.verifier,
            trace,
            beginning,
        }
    }

    /// A copy with one event changed that the framework or the kernel brings about; `None` for events that the replay itself makes.
    pub fn spoiled(&self, index: usize) -> Option<Self> {
        let mut copy = self.clone();
        let event = copy.trace.get_mut(index)?;
        match event.ev {
            Ev::Dma | Ev::Kernel | Ev::Pdo => event.name.push('?'),
            Ev::Irp | Ev::Enter if !event.args.is_empty() => event.args.push('?'),
            Ev::Enter => event.irql += 1,
            Ev::Ret if event.ret.is_some() => event.ret = Some("?".to_owned()),
            Ev::Note if event.name.starts_with("DmaCompleted") => event.name.push('?'),
            _ => return None,
        }
        Some(copy)
    }
}
