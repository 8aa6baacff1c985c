//! `cargo xtask sys --check`: applies every check to the images and prints a table.

use anyhow::{Context, Result, anyhow, bail};
use kernel_image::{AllowList, Check, Expected, Report};

use super::build::Built;
use super::version_resource;

/// The kernel's exports, as the bindings know them.
const ABI_DATA: &str = include_str!("../../../sim/wdk-sys/data/nt_imports.json");

/// Width of the column with the names of the checks.
const NAMES: usize = 36;

/// Checks all images; fails where one check of one image fails.
pub fn run(images: &[Built]) -> Result<()> {
    let allowed = AllowList::from_abi_data(ABI_DATA).map_err(|error| anyhow!("nt_imports.json: {error}"))?;
    let reports = images
        .iter()
        .map(|image| one(image, &allowed))
        .collect::<Result<Vec<_>>>()?;
    print!("\n{}", table(images, &reports)?);
    let failures: Vec<_> = images
        .iter()
        .zip(&reports)
        .flat_map(|(image, report)| {
            let failures = report.failures();
            failures.map(|(check, reason)| format!("{}: {check}: {reason}", image.sys.display()))
        })
        .collect();
    if !failures.is_empty() {
        bail!("images are not as they have to be:\n{}", failures.join("\n"));
    }
    println!("all {} checks hold for {} images", Check::ALL.len(), images.len());
    Ok(())
}

fn one(image: &Built, allowed: &AllowList) -> Result<Report> {
    let bytes = std::fs::read(&image.sys).with_context(|| format!("cannot read {}", image.sys.display()))?;
    let symbols = std::fs::read(&image.pdb).with_context(|| format!("cannot read {}", image.pdb.display()))?;
    let expected = Expected {
        machine: image.variant.arch.machine(),
        imports: allowed,
        version: version_resource::VERSION,
        symbols_name: "hawser.pdb",
        symbols: &symbols,
    };
    kernel_image::check(&bytes, &expected).with_context(|| image.sys.display().to_string())
}

/// One line for each check, one column for each image.
fn table(images: &[Built], reports: &[Report]) -> Result<String> {
    let heading = images.iter().map(|image| image.variant.to_string());
    let sizes = images
        .iter()
        .map(|image| Ok(image.size()?.to_string()))
        .collect::<Result<Vec<_>>>()?;
    let mut rows = vec![("check".to_owned(), heading.collect::<Vec<_>>())];
    for (index, check) in Check::ALL.iter().enumerate() {
        let cells = reports.iter().filter_map(|report| report.lines.get(index));
        let cells = cells.map(|line| line.outcome.clone().unwrap_or_else(|_| "FAILED".to_owned()));
        rows.push((check.to_string(), cells.collect()));
    }
    rows.push(("size in bytes".to_owned(), sizes));
    Ok(rows
        .iter()
        .map(|(name, cells)| row(name, cells, &widths(&rows)))
        .collect())
}

/// Widths of the columns.
fn widths(rows: &[(String, Vec<String>)]) -> Vec<usize> {
    let columns = rows.iter().map(|(_, cells)| cells.len()).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|(_, cells)| cells.get(column))
            .map(String::len)
            .max()
    };
    (0..columns).map(|column| width(column).unwrap_or_default()).collect()
}

fn row(name: &str, cells: &[String], widths: &[usize]) -> String {
    let cells: Vec<_> = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| format!("{cell:width$}"))
        .collect();
    format!("{name:NAMES$} {}", cells.join("  ")).trim_end().to_owned() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = vec![
            ("check".to_owned(), vec!["x64".to_owned(), "arm64".to_owned()]),
            ("machine".to_owned(), vec!["FAILED".to_owned(), "ok".to_owned()]),
        ];
        assert_eq!(widths(&rows), [6, 5]);
        assert!(row(&rows[0].0, &rows[0].1, &widths(&rows)).ends_with("x64     arm64\n"));
    }
}
