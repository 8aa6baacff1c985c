//! Puts the tables of a run into a page of the documentation.

use anyhow::{Context, Result};

const START: &str = "<!-- measured -->\n";
const END: &str = "<!-- end -->";

/// The page with `tables` between its marks, and the kind of the processor above them.
pub fn fill(page: &str, processor: &str, tables: &str) -> Result<String> {
    let (before, rest) = page
        .split_once(START)
        .context("the page has no mark where tables begin")?;
    let (_, after) = rest.split_once(END).context("the page has no mark where tables end")?;
    Ok(format!(
        "{before}{START}Processor: {processor}.\n\n```text\n{}\n```\n{END}{after}",
        tables.trim()
    ))
}

/// The kind of the processor, from what `/proc/cpuinfo` says.
pub fn processor(cpuinfo: &str) -> String {
    let field = |name: &str| {
        let lines = cpuinfo.lines().filter_map(|line| line.split_once(':'));
        let mut values = lines.filter_map(|(key, value)| (key.trim() == name).then_some(value.trim()));
        values.next().unwrap_or("unknown").to_owned()
    };
    format!(
        "{}, family {}, model {}",
        field("model name"),
        field("cpu family"),
        field("model")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_stand_between_the_marks() {
        let page = "before\n<!-- measured -->\nold\n<!-- end -->\nafter\n";
        let filled = fill(page, "fast", "\ntable\n").unwrap();
        assert_eq!(
            filled,
            "before\n<!-- measured -->\nProcessor: fast.\n\n```text\ntable\n```\n<!-- end -->\nafter\n"
        );
        assert_eq!(fill(&filled, "fast", "table").unwrap(), filled);
        assert!(fill("<!-- measured -->\n", "", "").is_err());
        assert!(fill("<!-- end -->\n", "", "").is_err());
    }

    #[test]
    fn the_kind_of_the_processor_is_told_without_its_number() {
        let cpuinfo = "processor\t: 0\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: Some CPU\n\nprocessor\t: 1\n";
        assert_eq!(processor(cpuinfo), "Some CPU, family 25, model 17");
        assert_eq!(processor(""), "unknown, family unknown, model unknown");
    }
}
