//! What a run is told as. The fields are those of the JSON output.

use hawser::language::{Compiled, NamedArray, Role};
use hawser::{Ending, NtStatus};
use hawser_abi::reason::Reason;
use hawser_abi::result::ResultRecord;
use serde::Serialize;
use serde_json::{Value, json};

use crate::bindings::{self, BoundArray, Origin};
use crate::connection::{Place, Shutdown};
use crate::plan_report::PlanReport;
use crate::program_file::{Line, ProgramFile};
use crate::raw_data::RawDataReport;
use crate::values::{ElementValue, head};
use crate::verify::Verification;

/// Schema of the JSON output of a run.
pub const SCHEMA: &str = "hawser.run/1";
/// Elements of an array that are shown.
const SHOWN: usize = 8;

/// A run.
#[derive(Debug, Serialize)]
pub struct RunReport {
    pub schema: &'static str,
    pub exit: u8,
    pub file: String,
    pub machine: Place,
    pub program: ProgramReport,
    pub arrays: Vec<ArrayReport>,
    /// The data buffer of a program without arrays.
    pub data: Option<RawDataReport>,
    pub plan: Option<PlanReport>,
    pub result: ResultReport,
    pub verification: Value,
    pub shutdown: Option<Shutdown>,
}

/// The size of a program.
#[derive(Clone, Debug, Serialize)]
pub struct ProgramReport {
    pub steps: usize,
    pub data_bytes: u64,
    pub scratch_bytes: u64,
}

impl ProgramReport {
    /// The size of the program in `file`.
    pub fn new(file: &ProgramFile) -> Self {
        let program = &file.compiled.program;
        Self {
            steps: program.step_count(),
            data_bytes: program.data_size(),
            scratch_bytes: program.scratch_size(),
        }
    }
}

/// An array of the data buffer.
#[derive(Clone, Debug, Serialize)]
pub struct ArrayReport {
    pub name: String,
    pub role: &'static str,
    #[serde(rename = "type")]
    pub element: &'static str,
    pub count: u64,
    pub offset: u64,
    /// `file`, `pattern` or `unwritten`; `undecided` where nothing is run.
    pub origin: &'static str,
    pub file: Option<String>,
    pub written_to: Option<String>,
    /// The first elements after the run.
    pub head: Vec<Value>,
    #[serde(skip)]
    pub shown: Vec<ElementValue>,
}

impl ArrayReport {
    /// An array before the run.
    pub fn new(bound: &BoundArray) -> Self {
        let (origin, file) = match &bound.origin {
            Origin::File { path, .. } => ("file", Some(path.display().to_string())),
            Origin::Pattern { .. } => ("pattern", None),
            Origin::Unwritten => ("unwritten", None),
        };
        Self {
            origin,
            file,
            ..Self::of(&bound.array)
        }
    }

    /// The arrays of a program that is not run, with the files that it names for them.
    pub fn declared(compiled: &Compiled) -> Vec<Self> {
        let declared = |array: &NamedArray| match (bindings::default_path(compiled, array), array.role) {
            (Some(path), _) => Self {
                origin: "file",
                file: Some(path.display().to_string()),
                ..Self::of(array)
            },
            (None, Role::Out) => Self {
                origin: "unwritten",
                ..Self::of(array)
            },
            (None, _) => Self::of(array),
        };
        compiled.data_arrays().map(declared).collect()
    }

    fn of(array: &NamedArray) -> Self {
        Self {
            name: array.name.clone(),
            role: array.role.name(),
            element: array.element.name(),
            count: array.count,
            offset: array.offset,
            origin: "undecided",
            file: None,
            written_to: None,
            head: Vec::new(),
            shown: Vec::new(),
        }
    }

    /// Adds the first elements of the bytes that it has after the run.
    pub fn show(&mut self, bound: &BoundArray, bytes: &[u8]) {
        self.shown = head(bytes, bound.array.element, SHOWN);
        self.head = self.shown.iter().map(|value| value.json()).collect();
    }
}

/// How the driver ended the request.
#[derive(Clone, Debug, Serialize)]
pub struct ResultReport {
    pub cookie: u64,
    pub status: u32,
    pub status_name: String,
    /// Name of the reason; `None` (the word) for a success, nothing where it is not known.
    pub reason: Option<&'static str>,
    pub message: Option<String>,
    pub step: Option<u32>,
    /// The text that the step comes from, and its line there.
    pub file: Option<String>,
    pub line: Option<usize>,
    /// The same in words.
    #[serde(skip)]
    pub origin: Option<Line>,
    pub operand: Option<u32>,
    /// The driver's record of the request, where it kept one.
    pub record: Option<RecordReport>,
}

impl ResultReport {
    /// A success.
    pub fn success(record: &ResultRecord) -> Self {
        Self {
            cookie: record.cookie,
            status: record.status,
            status_name: NtStatus(record.status).to_string(),
            reason: Some(Reason::None.name()),
            message: None,
            step: None,
            file: None,
            line: None,
            origin: None,
            operand: None,
            record: Some(RecordReport::new(record)),
        }
    }

    /// An end without success.
    pub fn ended(ending: &Ending, file: &ProgramFile) -> Self {
        let step = ending.step_index();
        let origin = step.and_then(|step| file.line(step));
        Self {
            cookie: ending.cookie,
            status: ending.status.0,
            status_name: ending.status.to_string(),
            reason: ending.reason().map(Reason::name),
            message: Some(ending.to_string()),
            step,
            file: origin.as_ref().map(|line| line.file.clone()),
            line: origin.as_ref().map(|line| line.number),
            origin,
            operand: ending.operand().map(|operand| operand as u32),
            record: ending.record.as_ref().map(RecordReport::new),
        }
    }
}

/// The driver's record of a request.
#[derive(Clone, Debug, Serialize)]
pub struct RecordReport {
    pub offset: u64,
    pub length: u64,
    pub limit: u64,
    pub device_cycles: u64,
    pub mappings_to_device: u32,
    pub mappings_from_device: u32,
    pub bytes_to_device: u64,
    pub bytes_from_device: u64,
    pub bytes_copied_in: u64,
    pub bytes_copied_out: u64,
    pub scatter_gather_elements: u64,
    /// Nanoseconds after the arrival of the request; 0 where a stage was not reached.
    pub timeline: TimelineReport,
}

/// When a request passed its stages.
#[derive(Clone, Debug, Serialize)]
pub struct TimelineReport {
    pub submitted: u64,
    pub mapped: u64,
    pub started: u64,
    pub interrupt: u64,
    pub let_go: u64,
    pub completed: u64,
}

impl RecordReport {
    fn new(record: &ResultRecord) -> Self {
        let at = &record.timeline;
        Self {
            offset: record.offset,
            length: record.length,
            limit: record.limit,
            device_cycles: record.device_cycles,
            mappings_to_device: record.mappings & 0xFFFF,
            mappings_from_device: record.mappings >> 16,
            bytes_to_device: record.bytes_to_device,
            bytes_from_device: record.bytes_from_device,
            bytes_copied_in: record.bytes_copied_in,
            bytes_copied_out: record.bytes_copied_out,
            scatter_gather_elements: record.elements,
            timeline: TimelineReport {
                submitted: at.submitted,
                mapped: at.mapped,
                started: at.started,
                interrupt: at.interrupt,
                let_go: at.let_go,
                completed: at.completed,
            },
        }
    }
}

/// A comparison as JSON.
pub fn verification_json(verification: &Verification) -> Value {
    match verification {
        Verification::Verified => json!({ "state": "verified" }),
        Verification::Skipped => json!({ "state": "skipped" }),
        Verification::NoReference(fault) => json!({ "state": "no-reference", "message": fault.to_string() }),
        Verification::Differs(difference) => json!({
            "state": "differs",
            "offset": difference.offset,
            "bytes": difference.bytes,
            "array": difference.element.as_ref().map(|element| &element.array),
            "index": difference.element.as_ref().map(|element| element.index),
            "device": difference.element.as_ref().map(|element| element.device.json()),
            "reference": difference.element.as_ref().map(|element| element.reference.json()),
        }),
    }
}
