//! The parts of the output that people read.

use crate::connection::{Place, Shutdown};
use crate::plan_report::PlanReport;
use crate::raw_data::RawDataReport;
use crate::report::{ArrayReport, ProgramReport, RecordReport, ResultReport};
use crate::say::say;
use crate::text::{bytes, counted, grouped};
use crate::verify::{Difference, Verification};

/// Pieces of a plan that are shown.
const PIECES: usize = 16;

/// What runs where.
pub fn heading(file: &str, place: &Place) {
    let schedule = match place.seed {
        Some(seed) => format!(", seed {seed}"),
        None => String::new(),
    };
    match place.memory {
        Some(memory) => say!(
            "{file} on a simulated machine (memory model {memory}{schedule}; driver: {})",
            place.driver
        ),
        None => say!("{file} on the device"),
    }
}

/// The size of a program, and its arrays.
pub fn program(program: &ProgramReport, arrays: &[ArrayReport]) {
    let steps = counted(program.steps as u64, "step");
    say!(
        "\nprogram     {steps}, {} of data, {} of device-local memory",
        bytes(program.data_bytes),
        bytes(program.scratch_bytes)
    );
    for array in arrays {
        let origin = match (&array.file, array.origin) {
            (Some(file), _) => format!(", from {file}"),
            (None, "unwritten") => ", written by the program".to_owned(),
            (None, "undecided") => String::new(),
            (None, origin) => format!(", filled with the {origin}"),
        };
        let shape = format!("{}[{}]", array.element, array.count);
        say!(
            "  {:<6} {:<10} {shape:<16} at byte {}{origin}",
            array.role,
            array.name,
            grouped(array.offset)
        );
    }
}

/// Where the data buffer of a program without arrays comes from.
pub fn raw_data(data: &RawDataReport) {
    match &data.file {
        Some(file) => say!("  the data buffer comes from {file}"),
        None => say!("  the data buffer is filled with 0xA5"),
    }
}

/// What the driver decides about each byte.
pub fn plan(plan: &PlanReport) {
    say!("\nplan        {} of the driver's arena", bytes(plan.arena_bytes));
    for piece in plan.pieces.iter().take(PIECES) {
        let range = format!("{}..{}", piece.offset, piece.offset + piece.length);
        say!(
            "  {:<17} {:>10}  bytes {range:<24} {:<9}  {}",
            piece.route,
            bytes(piece.length),
            piece.arrays.join(", "),
            piece.why
        );
    }
    if plan.pieces.len() > PIECES {
        say!(
            "  ... and {}",
            counted((plan.pieces.len() - PIECES) as u64, "more piece")
        );
    }
    say!(
        "  in all: {} to device ({}), {} from device ({}), {} copied in, {} copied out",
        bytes(plan.bytes_to_device),
        counted(plan.mappings_to_device.into(), "mapping"),
        bytes(plan.bytes_from_device),
        counted(plan.mappings_from_device.into(), "mapping"),
        bytes(plan.bytes_copied_in),
        bytes(plan.bytes_copied_out),
    );
}

/// When the request passed its stages.
pub fn timeline(record: &RecordReport, place: &Place) {
    let clock = if place.memory.is_some() {
        "machine time"
    } else {
        "system time"
    };
    say!("\ntimeline    {clock}, after the request arrived");
    let at = &record.timeline;
    let stages = [
        ("submitted", at.submitted, "the program was accepted"),
        ("mapped", at.mapped, "all DMA mappings existed"),
        ("started", at.started, "the doorbell was written"),
        ("interrupt", at.interrupt, "the completion was found"),
        ("let go", at.let_go, "all mappings were released"),
        ("completed", at.completed, "the request was completed"),
    ];
    for (name, time, meaning) in stages {
        let time = if time != 0 {
            format!("{} ns", grouped(time))
        } else {
            "not reached".to_owned()
        };
        say!("  {name:<10} {time:>16}  {meaning}");
    }
    say!(
        "  device cycles {}, scatter-gather elements {}",
        grouped(record.device_cycles),
        grouped(record.scatter_gather_elements)
    );
}

/// What the record says about a request that was refused or failed.
pub fn refusal(result: &ResultReport) {
    say!("\nresult      {}", result.status_name);
    say!("  reason     {}", result.reason.unwrap_or("not known"));
    if let Some(step) = result.step {
        let line = result
            .origin
            .as_ref()
            .map_or(String::new(), |line| format!(" ({line})"));
        say!("  step       {step}{line}");
    }
    if let Some(operand) = result.operand {
        say!("  operand    {operand} (0 destination, 1 to 3 sources)");
    }
    match &result.record {
        Some(record) => {
            say!("  offset     {}", grouped(record.offset));
            say!("  length     {}", grouped(record.length));
            say!("  limit      {}", grouped(record.limit));
            say!("  cycles     {}", grouped(record.device_cycles));
        }
        None => say!("  the driver kept no record"),
    }
}

/// The first elements of what the program wrote.
pub fn outputs(arrays: &[ArrayReport], data: Option<&RawDataReport>) {
    say!("\noutput");
    if let Some(data) = data {
        let head: Vec<String> = data.head.iter().map(|byte| format!("{byte:02x}")).collect();
        let more = if data.length > head.len() as u64 { " ..." } else { "" };
        say!("  bytes      {}{more}{}", head.join(" "), written_to(&data.written_to));
    }
    for array in arrays.iter().filter(|array| array.role != "in") {
        let values: Vec<String> = array.shown.iter().map(ToString::to_string).collect();
        let file = written_to(&array.written_to);
        if let ([value], 1) = (values.as_slice(), array.count) {
            say!("  {} = {value}{file}", array.name);
            continue;
        }
        let more = if array.count > array.shown.len() as u64 {
            " ..."
        } else {
            ""
        };
        say!("  {:<10} {}{more}{file}", array.name, values.join(" "));
    }
}

fn written_to(file: &Option<String>) -> String {
    file.as_ref().map_or(String::new(), |file| format!("  -> {file}"))
}

/// How the results compare.
pub fn verification(verification: &Verification, size: u64) {
    match verification {
        Verification::Verified => say!(
            "\nverified    all {} equal those of the reference interpreter",
            bytes(size)
        ),
        Verification::Skipped => say!("\nnot verified"),
        Verification::NoReference(fault) => {
            say!("\nnot verified: the reference interpreter does not run it: {fault}")
        }
        Verification::Differs(difference) => differs(difference),
    }
}

fn differs(difference: &Difference) {
    say!(
        "\nWRONG       {} not as the reference interpreter computes",
        counted(difference.bytes, "byte")
    );
    match &difference.element {
        Some(at) => say!(
            "  first at   {}[{}]: device {} ({:#x}), reference {} ({:#x})",
            at.array,
            at.index,
            at.device,
            at.device.bits,
            at.reference,
            at.reference.bits
        ),
        None => say!(
            "  first at   byte {} of the data buffer, between the arrays",
            grouped(difference.offset)
        ),
    }
}

/// The end of the machine.
pub fn shutdown(shutdown: &Shutdown) {
    say!("\nshut down   device removed, driver unloaded, nothing left");
    for line in shutdown.report.lines().filter(|line| !line.trim().is_empty()) {
        say!("  {}", line.trim_end());
    }
}

/// Numbers of a record that a run has to agree on with its plan.
pub fn disagreement(plan: &PlanReport, record: &RecordReport) -> Option<String> {
    let pairs = [
        (
            "bytes mapped to the device",
            plan.bytes_to_device,
            record.bytes_to_device,
        ),
        (
            "bytes mapped from the device",
            plan.bytes_from_device,
            record.bytes_from_device,
        ),
        ("bytes copied in", plan.bytes_copied_in, record.bytes_copied_in),
        ("bytes copied out", plan.bytes_copied_out, record.bytes_copied_out),
    ];
    let (what, planned, done) = pairs.into_iter().find(|(_, planned, done)| planned != done)?;
    Some(format!("note: {what}: {planned} expected, {done} done"))
}
