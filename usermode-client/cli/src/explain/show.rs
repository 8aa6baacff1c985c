//! An explanation as people read it.

use super::Explanation;
use super::cost::{Cost, StepReport};
use super::hazard::Hazard;
use super::mapping::{Arena, Mappings};
use super::region::Region;
use crate::plan_report::PlanReport;
use crate::program_file::ProgramFile;
use crate::say::say;
use crate::text::{bytes, counted, grouped, lines_of};

/// Regions that are shown.
const REGIONS: usize = 16;
/// The costliest steps are shown.
const STEPS: usize = 8;
/// Characters of a line of text.
const WIDTH: usize = 110;

/// Everything beside the size of the program.
pub fn explanation(file: &ProgramFile, plan: &PlanReport, explanation: &Explanation) {
    let start = match explanation.page_offset {
        0 => "at a page".to_owned(),
        offset => format!("{} into a page", bytes(offset.into())),
    };
    say!("\nbytes       of the data buffer, which begins {start}");
    let regions = &explanation.regions;
    for region in regions.list.iter().take(REGIONS) {
        show_region(file, region);
    }
    let left_out = regions.left_out + regions.list.len().saturating_sub(REGIONS) as u64;
    if left_out != 0 {
        say!("  ... and {}", counted(left_out, "more region"));
    }
    mappings(&explanation.mappings);
    arena(&explanation.arena);
    hazards(file, &explanation.hazards);
    cost(plan, &explanation.cost);
}

fn show_region(file: &ProgramFile, region: &Region) {
    let range = format!("{}..{}", region.offset, region.offset + region.length);
    let line = format!(
        "  {range:<20} {:<17} {:>10}  {}",
        region.route,
        bytes(region.length),
        region.arrays.join(", ")
    );
    say!("{}", line.trim_end());
    let uses = [("read", &region.readers), ("written", &region.writers)];
    let uses: Vec<_> = uses
        .iter()
        .filter(|(_, steps)| !steps.is_empty())
        .map(|(verb, steps)| format!("{verb} by {}", steps.words(file)))
        .collect();
    if !uses.is_empty() {
        sentence(&uses.join("; "));
    }
    sentence(&region.explanation);
}

/// A text below what it is about.
fn sentence(text: &str) {
    lines_of(text, WIDTH).iter().for_each(|line| say!("      {line}"));
}

fn mappings(mappings: &Mappings) {
    say!(
        "\nmappings    {}, which take {} to device and {} from device",
        mappings.list.len(),
        counted(mappings.map_registers_to_device, "map register"),
        counted(mappings.map_registers_from_device, "map register"),
    );
    for mapping in &mappings.list {
        let range = format!("{}..{}", mapping.offset, mapping.offset + mapping.length);
        say!(
            "  {range:<20} {:<17} {:>10}  {}, the first from byte {} on",
            mapping.direction,
            bytes(mapping.length),
            counted(mapping.pages, "page"),
            grouped(mapping.page_offset)
        );
    }
}

fn arena(arena: &Arena) {
    say!(
        "\narena       {}: {} of descriptor, {} of steps, {} of copies, {} of tables",
        bytes(arena.total),
        bytes(arena.descriptor),
        bytes(arena.steps),
        bytes(arena.copies),
        bytes(arena.tables)
    );
}

fn hazards(file: &ProgramFile, hazards: &[Hazard]) {
    if hazards.is_empty() {
        return say!("\nhazards     none");
    }
    say!("\nhazards");
    for hazard in hazards {
        let mut concerned = Vec::new();
        if !hazard.steps.is_empty() {
            concerned.push(hazard.steps.words(file));
        }
        if hazard.bytes != 0 {
            concerned.push(bytes(hazard.bytes));
        }
        say!("  {}: {}", hazard.code.name(), concerned.join("; "));
        sentence(hazard.message);
    }
}

fn cost(plan: &PlanReport, cost: &Cost) {
    say!("\ncost        {}", cost.basis);
    say!(
        "  device cycles {} where each mapping is one scatter-gather element, up to {} where each page is",
        grouped(cost.device_cycles),
        grouped(cost.device_cycles_scattered)
    );
    say!(
        "  over the bus {} read and {} written by the device; {} inside it",
        bytes(cost.bytes_read_by_device),
        bytes(cost.bytes_written_by_device),
        bytes(cost.bytes_in_device)
    );
    say!(
        "  by the processor {} copied in and {} copied out",
        bytes(plan.bytes_copied_in),
        bytes(plan.bytes_copied_out)
    );
    say!(
        "  {}, {}",
        counted(cost.steps.len() as u64, "step"),
        counted(cost.operations, "element operation")
    );
    let mut steps: Vec<&StepReport> = cost.steps.iter().collect();
    steps.sort_by_key(|step| std::cmp::Reverse(step.cycles));
    for step in steps.iter().take(STEPS) {
        let line = step.origin.as_ref().map_or(String::new(), |line| format!("({line})"));
        say!(
            "    step {:<5} {line:<11} {:<16} {:>14} cycles",
            step.step,
            step.operation,
            grouped(step.cycles)
        );
    }
    if steps.len() > STEPS {
        say!(
            "    ... and {} that cost no more",
            counted((steps.len() - STEPS) as u64, "step")
        );
    }
}
