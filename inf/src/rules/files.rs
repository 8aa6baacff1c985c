//! Where files come from and go to: a package runs from the driver store, in which every file keeps its place and name.

use super::{Finding, Rule, graph::Graph};
use crate::{Entry, Inf, Section};

/// The directory id of the driver store's folder of the package.
const DRIVER_STORE: &str = "13";

pub(super) fn check(inf: &Inf, graph: &Graph) -> Vec<Finding> {
    let mut found = destinations(inf, graph);
    for list in graph.targets(inf, "CopyFiles") {
        let entries = &list.entries;
        found.extend(entries.iter().flat_map(|entry| copied(inf, list, entry)));
    }
    found.extend(sources(inf).filter_map(|source| not_copied(inf, graph, source)));
    found.extend(binaries(inf, graph));
    found
}

fn destinations(inf: &Inf, graph: &Graph) -> Vec<Finding> {
    let lists = graph.targets(inf, "CopyFiles");
    let missing = lists.filter(|list| destination(inf, list).is_none());
    let mut found: Vec<_> = missing
        .map(|list| Finding::new(Rule::NotDriverStore, list.line, &*list.name))
        .collect();
    let told = inf
        .section("DestinationDirs")
        .into_iter()
        .flat_map(|section| &section.entries);
    let elsewhere = told.filter(|entry| entry.field(0) != DRIVER_STORE);
    found.extend(elsewhere.map(|entry| Finding::new(Rule::NotDriverStore, entry.line, entry.field(0))));
    found
}

/// Where the files of a list go: by its name, or by default.
fn destination<'a>(inf: &'a Inf, list: &Section) -> Option<&'a Entry> {
    let section = inf.section("DestinationDirs")?;
    let own = section
        .entries
        .iter()
        .find(|entry| entry.key.eq_ignore_ascii_case(&list.name));
    own.or_else(|| section.all("DefaultDestDir").next())
}

/// Lines of the sections that tell files' sources, for all architectures.
fn sources(inf: &Inf) -> impl Iterator<Item = &Entry> {
    let sections = inf.sections.iter().filter(|section| is_of(section, "SourceDisksFiles"));
    sections.flat_map(|section| &section.entries)
}

fn is_of(section: &Section, base: &str) -> bool {
    section
        .name
        .split('.')
        .next()
        .is_some_and(|name| name.eq_ignore_ascii_case(base))
}

/// A line of a list: the name of the destination, and where that differs, of the source.
fn copied(inf: &Inf, list: &Section, entry: &Entry) -> Vec<Finding> {
    let (name, renamed_from) = (entry.field(0), entry.field(1));
    let source_name = if renamed_from.is_empty() { name } else { renamed_from };
    let mut found = Vec::new();
    if !source_name.eq_ignore_ascii_case(name) {
        found.push(Finding::new(Rule::Renamed, entry.line, name));
    }
    let Some(source) = sources(inf).find(|source| source.key.eq_ignore_ascii_case(source_name)) else {
        found.push(Finding::new(Rule::SourceMissing, entry.line, source_name));
        return found;
    };
    if !disk_is_told(inf, source.field(0)) {
        found.push(Finding::new(Rule::SourceMissing, source.line, source.field(0)));
    }
    let folder = destination(inf, list).map_or("", |destination| destination.field(1));
    if !source.field(1).eq_ignore_ascii_case(folder) {
        found.push(Finding::new(Rule::Renamed, source.line, source.field(1)));
    }
    found
}

fn disk_is_told(inf: &Inf, disk: &str) -> bool {
    let mut names = inf.sections.iter().filter(|section| is_of(section, "SourceDisksNames"));
    names.any(|section| section.all(disk).next().is_some())
}

fn not_copied(inf: &Inf, graph: &Graph, source: &Entry) -> Option<Finding> {
    let mut lines = graph.targets(inf, "CopyFiles").flat_map(|list| &list.entries);
    let copied = lines.any(|entry| entry.values.iter().any(|name| name.eq_ignore_ascii_case(&source.key)));
    (!copied).then(|| Finding::new(Rule::NotCopied, source.line, &*source.key))
}

/// Services run from the driver store, and run what the package copies there.
fn binaries(inf: &Inf, graph: &Graph) -> Vec<Finding> {
    let mut found = Vec::new();
    for service in &graph.services {
        let binary = inf
            .section(&service.section)
            .and_then(|section| section.value("ServiceBinary"));
        let binary = binary.unwrap_or_default();
        match binary.strip_prefix("%13%\\") {
            None => found.push(Finding::new(Rule::NotDriverStore, service.line, binary)),
            Some(file) if !sources(inf).any(|source| source.key.eq_ignore_ascii_case(file)) => {
                found.push(Finding::new(Rule::SourceMissing, service.line, file));
            }
            Some(_) => {}
        }
    }
    found
}
