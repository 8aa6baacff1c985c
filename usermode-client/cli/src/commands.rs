//! `hawser info` and `hawser stats`.

use hawser_abi::info::{DeviceInfo, LedgerKind, Stats};
use hawser_abi::op::{ElementType, Opcode};
use serde_json::{Value, json};

use crate::args::{DeviceArgs, Output};
use crate::connection::{Connection, Need, Place, Shutdown};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::say::say;
use crate::text::{bytes, grouped};

/// Prints what device and driver can do.
pub fn info(args: &DeviceArgs) -> Result<Exit, Failure> {
    let (info, place, shutdown) = ask(args, |connection| Ok(connection.device().info()?))?;
    match Output::from(args.json) {
        Output::Json => say!(
            "{:#}",
            with_place("hawser.info/1", "info", info_json(&info), &place, &shutdown)
        ),
        Output::Text => print_rows(&info_rows(&info, &place)),
    }
    Ok(Exit::Success)
}

/// Prints what the driver has done, and what it holds.
pub fn stats(args: &DeviceArgs) -> Result<Exit, Failure> {
    let (stats, place, shutdown) = ask(args, |connection| Ok(connection.device().stats()?))?;
    match Output::from(args.json) {
        Output::Json => say!(
            "{:#}",
            with_place("hawser.stats/1", "stats", stats_json(&stats), &place, &shutdown)
        ),
        Output::Text => print_stats(&stats),
    }
    Ok(Exit::Success)
}

/// Opens the device, asks it, and closes it; the end of the machine matters even where the answer is good.
fn ask<A>(
    args: &DeviceArgs,
    question: impl FnOnce(&Connection) -> Result<A, Failure>,
) -> Result<(A, Place, Option<Shutdown>), Failure> {
    let connection = Connection::open(args, Need::Queries)?;
    let place = connection.place().clone();
    let answer = question(&connection);
    let shutdown = connection.close();
    Ok((answer?, place, shutdown?))
}

fn with_place(schema: &str, name: &str, answer: Value, place: &Place, shutdown: &Option<Shutdown>) -> Value {
    json!({ "schema": schema, "exit": 0, "machine": place, name: answer, "shutdown": shutdown })
}

/// Version numbers of 16 bits each, from the top.
fn version(version: u64) -> String {
    [48, 32, 16, 0]
        .map(|shift| (version >> shift & 0xFFFF).to_string())
        .join(".")
}

fn operations(info: &DeviceInfo) -> Vec<&'static str> {
    Opcode::ALL
        .into_iter()
        .filter(|opcode| info.operations & opcode.bit() != 0)
        .map(Opcode::name)
        .collect()
}

fn element_types(info: &DeviceInfo) -> Vec<&'static str> {
    ElementType::ALL
        .into_iter()
        .filter(|element| info.element_types & element.bit() != 0)
        .map(ElementType::name)
        .collect()
}

fn info_rows(info: &DeviceInfo, place: &Place) -> Vec<(&'static str, String)> {
    let interrupts = if info.messages == 0 {
        "line-based".into()
    } else {
        format!("{} messages", info.messages)
    };
    vec![
        ("driver", format!("{}, {}", version(info.driver_version), place.driver)),
        (
            "device interface",
            format!("{}.{}", info.device_version >> 16, info.device_version & 0xFFFF),
        ),
        ("queue pairs", info.queues.to_string()),
        ("interrupts", interrupts),
        ("requests at once", info.slots.to_string()),
        ("steps at most", grouped(info.max_steps.into())),
        ("data at most", bytes(info.max_data)),
        ("mappings at most", format!("{} each way", info.max_mappings)),
        (
            "mappings from device",
            format!("aligned to {}", bytes(info.dma_alignment.into())),
        ),
        ("device-local memory", bytes(info.scratch_size)),
        ("arena", bytes(info.arena_size)),
        (
            "default time",
            format!("{} ms", grouped(info.default_timeout_ms.into())),
        ),
        ("operations", operations(info).join(" ")),
        ("computes with", element_types(info).join(" ")),
    ]
}

fn info_json(info: &DeviceInfo) -> Value {
    json!({
        "driver_version": version(info.driver_version),
        "device_version": info.device_version,
        "queues": info.queues,
        "messages": info.messages,
        "slots": info.slots,
        "max_steps": info.max_steps,
        "max_data": info.max_data,
        "max_mappings": info.max_mappings,
        "dma_alignment": info.dma_alignment,
        "scratch_size": info.scratch_size,
        "arena_size": info.arena_size,
        "default_timeout_ms": info.default_timeout_ms,
        "operations": operations(info),
        "element_types": element_types(info),
    })
}

/// Counters, by their names in JSON.
fn counters(stats: &Stats) -> [(&'static str, u64); 14] {
    [
        ("submitted", stats.submitted),
        ("succeeded", stats.succeeded),
        ("refused", stats.refused),
        ("faulted", stats.faulted),
        ("abandoned", stats.abandoned),
        ("in_flight", stats.in_flight),
        ("waiting", stats.waiting),
        ("stray_completions", stats.stray_completions),
        ("spurious_interrupts", stats.spurious_interrupts),
        ("bytes_mapped", stats.bytes_mapped),
        ("bytes_copied", stats.bytes_copied),
        ("arena_used", stats.arena_used),
        ("arena_peak", stats.arena_peak),
        ("resets", stats.resets),
    ]
}

fn stats_json(stats: &Stats) -> Value {
    let counters: serde_json::Map<_, _> = counters(stats)
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count.into()))
        .collect();
    let ledger: Vec<_> = LedgerKind::ALL
        .into_iter()
        .zip(stats.ledger)
        .map(|(kind, entry)| json!({ "kind": kind.name(), "live": entry.live, "bytes": entry.bytes, "made": entry.made }))
        .collect();
    json!({ "counters": counters, "ledger": ledger })
}

fn print_stats(stats: &Stats) {
    let rows: Vec<_> = counters(stats)
        .into_iter()
        .map(|(name, count)| (name, grouped(count)))
        .collect();
    print_rows(&rows);
    say!("\nledger                       live          bytes           made");
    for (kind, entry) in LedgerKind::ALL.into_iter().zip(stats.ledger) {
        say!(
            "{:<20} {:>12} {:>14} {:>14}",
            kind.name(),
            grouped(entry.live),
            grouped(entry.bytes),
            grouped(entry.made)
        );
    }
}

fn print_rows(rows: &[(&'static str, String)]) {
    for (name, value) in rows {
        say!("{:<22} {value}", name.replace('_', " "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerocopy::FromZeros;

    #[test]
    fn versions_have_four_parts() {
        assert_eq!(version(0x0001_0002_0003_FFFF), "1.2.3.65535");
    }

    #[test]
    fn what_the_device_can_do_is_named() {
        let mut info = DeviceInfo::new_zeroed();
        info.operations = hawser_abi::op::REV1_OPERATIONS;
        info.element_types = hawser_abi::op::REV1_ELEMENT_TYPES;
        assert_eq!(
            operations(&info).join(" "),
            "copy fill add sub mul div rem min max fma neg abs sqrt and or xor not shl shr compare select convert sum dot argmin argmax \
             prefix_sum matmul transpose"
        );
        assert_eq!(
            element_types(&info).join(" "),
            "i8 u8 i16 u16 i32 u32 i64 u64 f16 bf16 f32 f64"
        );
    }

    #[test]
    fn every_counter_and_ledger_entry_is_told() {
        let stats = Stats {
            resets: 5,
            ..Stats::default()
        };
        let json = stats_json(&stats);
        assert_eq!(json["counters"]["resets"], 5);
        assert_eq!(json["ledger"].as_array().map(Vec::len), Some(6));
    }
}
