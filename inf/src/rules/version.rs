//! What describes the package: the version section, and what a Windows Driver may not have.

use super::{Finding, Rule};
use crate::{Inf, Section};

/// Setup classes that a package may name here, with their GUIDs.
const CLASSES: [(&str, &str); 1] = [("System", "{4d36e97d-e325-11ce-bfc1-08002be10318}")];
/// Classes that are reserved: for samples, or for the system.
const RESERVED: [&str; 14] = [
    "Sample",
    "Adapter",
    "APMSupport",
    "Computer",
    "Decoder",
    "1394Debug",
    "Enum1394",
    "NoDriver",
    "LegacyDriver",
    "Unknown",
    "PrinterUpgrade",
    "SoftwareDevice",
    "Sound",
    "VolumeSnapshot",
];
/// Classes for drivers of a model that this one does not follow.
const FOREIGN: [&str; 3] = ["ComputeAccelerator", "SecurityAccelerator", "Display"];
/// Sections that a Windows Driver cannot have, by the first or last part of the name.
const LEGACY_SECTIONS: [&str; 4] = ["ClassInstall32", "CoInstallers", "FactDef", "LogConfigOverride"];
/// Directives that a Windows Driver cannot have.
const LEGACY_DIRECTIVES: [&str; 13] = [
    "BitReg",
    "DelFiles",
    "DelProperty",
    "DelReg",
    "DelService",
    "Ini2Reg",
    "LogConfig",
    "ProfileItems",
    "RegisterDlls",
    "RenFiles",
    "UnregisterDlls",
    "UpdateIniFields",
    "UpdateInis",
];

pub(super) fn check(inf: &Inf) -> Vec<Finding> {
    let Some(version) = inf.section("Version") else {
        return vec![Finding::new(Rule::Signature, 0, "Version")];
    };
    let mut found = entries(version);
    found.extend(class(version));
    found.extend(legacy(inf));
    if let (Some(default), Some(_)) = (inf.section("DefaultInstall"), inf.section("Manufacturer")) {
        found.push(Finding::new(Rule::TwoKinds, default.line, &*default.name));
    }
    found
}

fn entries(version: &Section) -> Vec<Finding> {
    let value = |key| version.value(key).unwrap_or_default();
    let is = |key, wanted: &str| value(key).eq_ignore_ascii_case(wanted);
    let provider = value("Provider").to_ascii_lowercase();
    let conditions = [
        (is("Signature", "$WINDOWS NT$"), Rule::Signature, "Signature"),
        (
            !provider.is_empty() && !provider.contains("microsoft"),
            Rule::Provider,
            "Provider",
        ),
        (value("CatalogFile").ends_with(".cat"), Rule::Catalog, "CatalogFile"),
        (version.all("DriverVer").count() == 1, Rule::DriverVersion, "DriverVer"),
        (is("PnpLockdown", "1"), Rule::PnpLockdown, "PnpLockdown"),
    ];
    let broken = conditions.into_iter().filter(|(holds, ..)| !holds);
    broken
        .map(|(_, rule, key)| Finding::new(rule, line_of(version, key), key))
        .collect()
}

fn line_of(section: &Section, key: &str) -> usize {
    section.all(key).next().map_or(section.line, |entry| entry.line)
}

fn class(version: &Section) -> Option<Finding> {
    let name = version.value("Class").unwrap_or_default();
    let guid = version.value("ClassGuid").unwrap_or_default();
    let among = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    let known = CLASSES
        .iter()
        .any(|(class, id)| class.eq_ignore_ascii_case(name) && id.eq_ignore_ascii_case(guid));
    let rule = match () {
        () if among(&RESERVED) => Rule::ReservedClass,
        () if among(&FOREIGN) => Rule::ForeignClass,
        () if !known => Rule::ClassGuid,
        () => return None,
    };
    Some(Finding::new(rule, line_of(version, "Class"), format!("{name} {guid}")))
}

fn legacy(inf: &Inf) -> Vec<Finding> {
    let mut found = Vec::new();
    for section in &inf.sections {
        let mut parts = section.name.split('.');
        if parts.any(|part| LEGACY_SECTIONS.iter().any(|legacy| legacy.eq_ignore_ascii_case(part))) {
            found.push(Finding::new(Rule::LegacySection, section.line, &*section.name));
        }
        for directive in LEGACY_DIRECTIVES {
            let entries = section.all(directive);
            found.extend(entries.map(|entry| Finding::new(Rule::LegacyDirective, entry.line, directive)));
        }
    }
    found
}
