//! References between sections, and strings.

use super::{Finding, Rule, graph::Graph};
use crate::Inf;

pub(super) fn check(inf: &Inf, graph: &Graph) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(missing(inf, graph));
    found.extend(shared(graph));
    let unused = inf.sections.iter().filter(|section| !graph.reaches(section));
    found.extend(unused.map(|section| Finding::new(Rule::SectionUnused, section.line, &*section.name)));
    found.extend(strings(inf));
    found
}

fn missing<'a>(inf: &'a Inf, graph: &'a Graph) -> impl Iterator<Item = Finding> + 'a {
    let named = graph
        .references
        .iter()
        .map(|reference| (&reference.target, reference.line));
    let destinations = inf
        .section("DestinationDirs")
        .into_iter()
        .flat_map(|section| &section.entries);
    let destinations = destinations.filter(|entry| !entry.key.eq_ignore_ascii_case("DefaultDestDir"));
    let named = named.chain(destinations.map(|entry| (&entry.key, entry.line)));
    named
        .filter(|(name, _)| inf.section(name).is_none())
        .map(|(name, line)| Finding::new(Rule::SectionMissing, line, &**name))
}

fn shared(graph: &Graph) -> impl Iterator<Item = Finding> + '_ {
    let others = |index: usize| graph.references.get(..index).unwrap_or_default();
    graph
        .references
        .iter()
        .enumerate()
        .filter_map(move |(index, reference)| {
            let clash = others(index).iter().any(|other| {
                other.target.eq_ignore_ascii_case(&reference.target) && other.directive != reference.directive
            });
            clash.then(|| Finding::new(Rule::SectionShared, reference.line, &*reference.target))
        })
}

fn strings(inf: &Inf) -> Vec<Finding> {
    let defined = |token: &str| inf.strings.iter().any(|entry| entry.key.eq_ignore_ascii_case(token));
    let used = |key: &str| inf.tokens.iter().any(|(token, _)| token.eq_ignore_ascii_case(key));
    let undefined = inf.tokens.iter().filter(|(token, _)| !defined(token));
    let mut found: Vec<_> = undefined
        .map(|(token, line)| Finding::new(Rule::TokenUndefined, *line, &**token))
        .collect();
    for (index, entry) in inf.strings.iter().enumerate() {
        let before = inf.strings.get(..index).unwrap_or_default();
        if before.iter().any(|other| other.key.eq_ignore_ascii_case(&entry.key)) {
            found.push(Finding::new(Rule::StringTwice, entry.line, &*entry.key));
        }
        if !used(&entry.key) {
            found.push(Finding::new(Rule::StringUnused, entry.line, &*entry.key));
        }
    }
    found
}
