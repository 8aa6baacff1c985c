//! Generated tables in `docs/`, between marker lines `<!-- generated: name -->` and `<!-- end -->`.

use std::fmt::Write;

use anyhow::{Context, Result, bail};
use hawser_abi::{ioctl, reason::Reason};
use xshell::Shell;

use crate::header::NUMBERS;
use crate::source::{Field, size_of_field, structures_of, variants_of};
use crate::{operations, simulator};

/// Documents with generated tables.
pub const DOCUMENTS: [&str; 4] = [
    "docs/contract.md",
    "docs/device.md",
    "docs/operations.md",
    "docs/simulator.md",
];

const START: &str = "<!-- generated: ";
const END: &str = "<!-- end -->";

/// The document with every generated table made anew.
pub fn fill(shell: &Shell, document: &str) -> Result<String> {
    let mut out = String::new();
    let mut rest = document;
    while let Some((before, after)) = rest.split_once(START) {
        let (name, after) = after.split_once(" -->").context("a marker line is not closed")?;
        let (_, after) = after
            .split_once(END)
            .with_context(|| format!("table {name} has no end marker"))?;
        write!(out, "{before}{START}{name} -->\n{}{END}", table(shell, name)?)?;
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn table(shell: &Shell, name: &str) -> Result<String> {
    match name.split_once(' ') {
        None if name == "ioctls" => ioctls(),
        None if name == "numbers" => numbers(),
        None if name == "reasons" => reasons(),
        None if name == "operations" => operations::operations(shell),
        None if name == "element-types" => operations::element_types(shell),
        None if name == "predicates" => operations::predicates(),
        None if name == "kernel-functions" => simulator::kernel_functions(shell),
        None if name == "framework-functions" => simulator::framework_functions(shell),
        None if name == "dma-operations" => simulator::dma_operations(shell),
        None if name == "scenarios" => simulator::scenarios(shell),
        None if name == "rules" => simulator::rules(shell),
        Some(("struct", path)) => structure(shell, path),
        Some(("enum", path)) => enumeration(shell, path),
        _ => bail!("there is no table {name}"),
    }
}

fn ioctls() -> Result<String> {
    let mut out = String::from("| code | value | method | access |\n|---|---|---|---|\n");
    for (name, code) in [
        ("IOCTL_HAWSER_SUBMIT", ioctl::IOCTL_HAWSER_SUBMIT),
        ("IOCTL_HAWSER_GET_INFO", ioctl::IOCTL_HAWSER_GET_INFO),
        ("IOCTL_HAWSER_GET_STATS", ioctl::IOCTL_HAWSER_GET_STATS),
        ("IOCTL_HAWSER_GET_RESULT", ioctl::IOCTL_HAWSER_GET_RESULT),
        ("IOCTL_HAWSER_RESET", ioctl::IOCTL_HAWSER_RESET),
    ] {
        let method = [
            "METHOD_BUFFERED",
            "METHOD_IN_DIRECT",
            "METHOD_OUT_DIRECT",
            "METHOD_NEITHER",
        ][code as usize & 3];
        let access = ["any", "read", "write", "read and write"][(code as usize >> 14) & 3];
        writeln!(out, "| `{name}` | `0x{code:08X}` | `{method}` | {access} |")?;
    }
    Ok(out)
}

fn numbers() -> Result<String> {
    let mut out = String::from("| name in C | value | meaning |\n|---|---|---|\n");
    for (name, value, meaning) in NUMBERS.iter().filter(|(name, ..)| !name.starts_with("IOCTL_")) {
        writeln!(out, "| `{name}` | `0x{value:X}` | {meaning} |")?;
    }
    Ok(out)
}

fn reasons() -> Result<String> {
    let mut out = String::from("| reason | number | NTSTATUS | meaning |\n|---|---|---|---|\n");
    for reason in Reason::ALL {
        let (name, number, status, text) = (reason.name(), *reason as u16, reason.status(), reason.text().trim());
        writeln!(out, "| `{name}` | 0x{number:02X} | `0x{status:08X}` | {text} |")?;
    }
    Ok(out)
}

/// `path` is `file::Structure`, with the file in `abi/src`.
fn structure(shell: &Shell, path: &str) -> Result<String> {
    let (file, name) = path.split_once("::").context("a structure is named file::Structure")?;
    let structures = structures_of(shell, &format!("abi/src/{file}.rs"))?;
    let structure = structures
        .iter()
        .find(|s| s.name == name)
        .with_context(|| format!("no structure {path}"))?;
    let mut out = String::from("| offset | field | type | meaning |\n|---|---|---|---|\n");
    let mut offset = 0;
    for field in &structure.fields {
        writeln!(
            out,
            "| {offset} | `{}` | {} | {} |",
            field.name,
            type_name(field),
            field.doc
        )?;
        offset += size_of_field(&structures, field)?;
    }
    writeln!(out, "| {offset} | | | end |")?;
    Ok(out)
}

/// `path` is `file::Enum`, with the file in `abi/src`.
fn enumeration(shell: &Shell, path: &str) -> Result<String> {
    let (file, name) = path.split_once("::").context("an enumeration is named file::Enum")?;
    let mut out = String::from("| value | name | meaning |\n|---|---|---|\n");
    for variant in variants_of(shell, &format!("abi/src/{file}.rs"), name)? {
        let meaning = variant.doc.replace('|', "\\|");
        writeln!(out, "| {} | `{}` | {meaning} |", variant.value, variant.name)?;
    }
    Ok(out)
}

fn type_name(field: &Field) -> String {
    match field.array {
        Some(length) => format!("`[{}; {length}]`", field.base),
        None => format!("`{}`", field.base),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_replace_what_is_between_the_markers() -> Result<()> {
        let document = "# A\n<!-- generated: ioctls -->\nstale\n<!-- end -->\nB\n";
        let filled = fill(&Shell::new()?, document)?;
        assert!(filled.starts_with("# A\n<!-- generated: ioctls -->\n| code |"));
        assert!(filled.ends_with("<!-- end -->\nB\n") && !filled.contains("stale"));
        Ok(())
    }

    #[test]
    fn an_unknown_table_is_refused() -> Result<()> {
        assert!(fill(&Shell::new()?, "<!-- generated: nothing -->\n<!-- end -->").is_err());
        Ok(())
    }
}
