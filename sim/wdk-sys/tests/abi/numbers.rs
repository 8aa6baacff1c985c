//! Enumerators and constants: values and types.
use crate::{
    data::{entries, number, read, text},
    reflected::{ENUMERATORS, constants},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// USB enumerations, which the bindings leave out.
fn is_usb(tag: &str) -> bool {
    tag.to_ascii_uppercase().contains("USB")
}

fn enumerator_disagreements(data: &Value) -> Vec<String> {
    let compiled: BTreeMap<_, _> = ENUMERATORS
        .iter()
        .map(|(module, name, value)| ((*module, *name), *value))
        .collect();
    let enums = entries(&data["wdf_enums"]).chain(entries(&data["nt_enums"]));
    let mut found = Vec::new();
    for (tag, values) in enums
        .map(|(_, entry)| (text(&entry["tag"]), &entry["v"]))
        .filter(|(tag, _)| !is_usb(tag))
    {
        let wrong = entries(values).filter(|(name, value)| compiled.get(&(tag, *name)).copied() != value.as_i64());
        found.extend(
            wrong.map(|(name, value)| format!("{tag}::{name} is {value}, compiled {:?}", compiled.get(&(tag, name)))),
        );
    }
    found
}

fn constant_disagreements(data: &Value) -> Vec<String> {
    let compiled: BTreeMap<_, _> = constants()
        .into_iter()
        .map(|(name, of, value)| (name, (of, value)))
        .collect();
    let bound = entries(&data["consts"])
        .flat_map(|(_, group)| entries(group))
        .filter(|(_, row)| !row[1].is_null());
    let wrong = bound.filter(|(name, row)| {
        compiled
            .get(name)
            .is_none_or(|(of, value)| !of_type(&row[1], of) || !same_value(&row[0], *value))
    });
    wrong
        .map(|(name, row)| format!("{name} is {row}, compiled {:?}", compiled.get(name)))
        .collect()
}

/// Whether a compiled type is the type that the data names.
fn of_type(expected: &Value, compiled: &str) -> bool {
    match text(expected) {
        "NTSTATUS" => compiled == "i32",
        "POOL_FLAGS" => compiled == "u64",
        "PVOID" => compiled == "*mut core::ffi::c_void",
        "PWDF_OBJECT_ATTRIBUTES" => compiled.starts_with("*mut ") && compiled.ends_with("::_WDF_OBJECT_ATTRIBUTES"),
        plain => compiled == plain,
    }
}

/// Whether the values have the same bits: the data writes some negative ones as unsigned, and the other way round.
fn same_value(expected: &Value, compiled: i128) -> bool {
    let expected = match expected {
        Value::String(code) => i128::from_str_radix(code.trim_start_matches("0x"), 16).expect("a hexadecimal code"),
        number => number
            .as_i64()
            .map(i128::from)
            .or(number.as_u64().map(i128::from))
            .expect("an integer"),
    };
    expected == compiled
        || (compiled < 0) != (expected < 0) && [32, 64].iter().any(|bits| (expected - compiled).abs() == 1 << bits)
}

#[test]
fn every_enumerator_has_its_value() {
    assert_eq!(enumerator_disagreements(&read("enums.json")), Vec::<String>::new());
}

#[test]
fn every_constant_has_its_value_and_type() {
    assert_eq!(constant_disagreements(&read("enums.json")), Vec::<String>::new());
}

#[test]
fn a_changed_number_or_type_is_noticed() {
    let mut data = read("enums.json");
    *data
        .pointer_mut("/wdf_enums/WDF_DMA_PROFILE/v/WdfDmaProfileScatterGather64")
        .expect("an enumerator") = json!(99);
    assert_eq!(enumerator_disagreements(&data).len(), 1);
    for (place, value) in [
        ("/consts/ntstatus/STATUS_PENDING/0", json!("0x00000104")),
        ("/consts/ntstatus/STATUS_CANCELLED/0", json!("0xC0000121")),
        ("/consts/irql/DISPATCH_LEVEL/1", json!("u8")),
        ("/consts/wdf/WDF_NO_HANDLE/0", json!(1)),
    ] {
        let mut data = read("enums.json");
        *data.pointer_mut(place).expect("the place exists") = value;
        assert_eq!(constant_disagreements(&data).len(), 1, "{place}");
    }
}

/// The enumeration of structures counts as many as the constant of that name says; the two come from different headers.
#[test]
fn the_structure_table_is_complete() {
    let data = read("enums.json");
    let names = entries(&data["wdf_enums"]["WDFSTRUCTENUM"]["v"]).filter(|(name, _)| name.starts_with("INDEX_"));
    assert_eq!(
        names.count(),
        number(&data["consts"]["wdf"]["Wdf_STRUCTURE_TABLE_NUM_ENTRIES"][0])
    );
    // SAFETY: nothing writes it in this process.
    let count = unsafe { wdk_sys::WdfStructureCount };
    assert_eq!(count, 81);
}

/// Values that the public documentation states, written down by hand.
#[test]
fn well_known_values_are_right() {
    assert_eq!(wdk_sys::STATUS_UNSUCCESSFUL.cast_unsigned(), 0xC000_0001);
    assert_eq!(wdk_sys::STATUS_PENDING, 0x103);
    assert_eq!(wdk_sys::STATUS_INVALID_DEVICE_REQUEST.cast_unsigned(), 0xC000_0010);
    assert_eq!(wdk_sys::STATUS_INSUFFICIENT_RESOURCES.cast_unsigned(), 0xC000_009A);
    assert_eq!(wdk_sys::POOL_FLAG_NON_PAGED, 0x40);
    assert_eq!(wdk_sys::METHOD_OUT_DIRECT, 2);
    assert_eq!(wdk_sys::IRP_MJ_DEVICE_CONTROL, 0x0E);
    assert_eq!(wdk_sys::_DEVICE_POWER_STATE::PowerDeviceD0, 1);
    assert_eq!(wdk_sys::_WDF_TRI_STATE::WdfUseDefault, 2);
    assert_eq!(wdk_sys::POWER_ACTION::PowerActionSleep, 2);
}
