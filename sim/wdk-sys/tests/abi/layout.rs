//! Sizes, alignments and offsets. The records are made from `bindgen_shapes.json`, which has no offsets; the offsets
//! come from `structs_x64.json`.
use crate::{
    data::{entries, number, read, text},
    reflected::{BitField, FIELDS, Field, RECORDS, Record, bit_fields},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Layouts that the Rust bindings do not have, or have as an opaque record.
const UNBOUND_RECORDS: [&str; 5] = [
    "_KBUGCHECK_REASON_CALLBACK_RECORD",
    "_PCI_HEADER_TYPE_0",
    "_PCI_HEADER_TYPE_1",
    "_PCI_HEADER_TYPE_2",
    "_WDF_BIND_INFO2",
];

/// Every disagreement between the compiled records and the layouts in `structs`.
fn disagreements(structs: &Value) -> Vec<String> {
    let records: BTreeMap<_, _> = RECORDS.iter().map(|record| (record.tag, record)).collect();
    let fields: BTreeMap<_, _> = FIELDS.iter().map(|field| ((field.tag, field.member), field)).collect();
    let bits = bit_fields();
    let bits: BTreeMap<_, _> = bits.iter().map(|bits| ((bits.tag, bits.member), bits)).collect();
    let mut found = Vec::new();
    for (_, layout) in entries(structs) {
        let tag = text(&layout["tag"]);
        if UNBOUND_RECORDS.contains(&tag) {
            continue;
        }
        found.extend(size_disagreement(tag, layout, records.get(tag).copied()));
        for row in layout["fields"].as_array().expect("a list") {
            let member = text(&row[0]);
            found.extend(match row.as_array().expect("a row").len() {
                6 => bits_disagreement(tag, row, bits.get(&(tag, member)).copied()),
                _ => field_disagreement(tag, row, fields.get(&(tag, member)).copied()),
            });
        }
    }
    found
}

fn size_disagreement(tag: &str, layout: &Value, record: Option<&Record>) -> Option<String> {
    let expected = (number(&layout["size"]), number(&layout["align"]));
    let compiled = record.map(|record| (record.size, record.align));
    (compiled != Some(expected)).then(|| format!("{tag}: size and alignment {expected:?}, compiled {compiled:?}"))
}

fn field_disagreement(tag: &str, row: &Value, field: Option<&Field>) -> Option<String> {
    let member = text(&row[0]);
    let expected = (number(&row[1]), number(&row[2]));
    let compiled = field.map(|field| (field.offset, field.size));
    let unnamed = member.ends_with("<anon>");
    // Bindgen keeps the header of this record as bytes.
    let opaque = tag == "_PCI_COMMON_CONFIG" && expected.0 < 64;
    (compiled != Some(expected) && !unnamed && !opaque)
        .then(|| format!("{tag}.{member}: offset and size {expected:?}, compiled {compiled:?}"))
}

fn bits_disagreement(tag: &str, row: &Value, bits: Option<&BitField>) -> Option<String> {
    let member = text(&row[0]);
    let Some(bits) = bits else {
        return Some(format!("{tag}.{member}: no bit field compiled"));
    };
    let first = number(&row[1]) * 8 + number(&row[4]);
    let last = first + number(&row[5]);
    let wrong = (0..bits.bytes.len() * 8)
        .find(|bit| (bits.bytes[bit / 8] >> (bit % 8) & 1 == 1) != (first..last).contains(bit));
    wrong.map(|bit| format!("{tag}.{member}: bits {first}..{last}, but bit {bit} says otherwise"))
}

#[test]
fn every_c_layout_is_the_compiled_layout() {
    let data = read("structs_x64.json");
    assert_eq!(disagreements(&data["structs"]), Vec::<String>::new());
}

#[test]
fn every_bindgen_size_is_the_compiled_size() {
    let data = read("bindgen_shapes.json");
    let compiled: BTreeMap<_, _> = RECORDS.iter().map(|record| (record.tag, record)).collect();
    let shapes = entries(&data["structs"]).chain(entries(&data["other_structs_by_ref"]));
    let sized = shapes.filter(|(_, shape)| !shape["size"].is_null());
    let wrong: Vec<_> = sized
        .filter_map(|(tag, shape)| size_disagreement(tag, shape, compiled.get(tag).copied()))
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_changed_offset_size_or_bit_is_noticed() {
    let changes: [(&str, Value); 6] = [
        ("/structs/IRP/size", json!(216)),
        ("/structs/KDPC/align", json!(16)),
        ("/structs/IRP/fields/2/1", json!(16)),
        ("/structs/CM_PARTIAL_RESOURCE_DESCRIPTOR/fields/12/1", json!(16)),
        ("/structs/DEVICE_CAPABILITIES/fields/9/4", json!(8)),
        ("/structs/WDF_BIND_INFO/fields/5/0", json!("Modules")),
    ];
    let original = read("structs_x64.json");
    for (place, value) in changes {
        let mut data = original.clone();
        let old = std::mem::replace(data.pointer_mut(place).expect("the place exists"), value);
        let found = disagreements(&data["structs"]);
        assert_eq!(found.len(), 1, "{place}, was {old}: {found:?}");
    }
}

#[test]
fn a_packed_resource_record_has_unaligned_addresses() {
    use wdk_sys::_CM_PARTIAL_RESOURCE_DESCRIPTOR as Descriptor;
    assert_eq!(core::mem::offset_of!(Descriptor, u.Memory.Start), 4);
    assert_eq!(align_of::<Descriptor>(), 4);
    assert_eq!(align_of::<wdk_sys::PHYSICAL_ADDRESS>(), 8);
}
