//! Where registry values go: relative to the device or the service, and for services below `Parameters`.

use super::{Finding, Rule, graph::Graph};
use crate::{Entry, Inf};

/// Flags of a DWORD.
pub(crate) const DWORD: u32 = 0x0001_0001;
/// Flag: what is there already stays.
pub(crate) const UNLESS_SET: u32 = 2;

/// A line that adds a value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a>(pub &'a Entry);

impl<'a> Value<'a> {
    pub fn root(self) -> &'a str {
        self.0.field(0)
    }

    pub fn key(self) -> &'a str {
        self.0.field(1)
    }

    pub fn name(self) -> &'a str {
        self.0.field(2)
    }

    /// Nothing where the flags are no number.
    pub fn flags(self) -> Option<u32> {
        match self.0.field(3) {
            "" => Some(0),
            flags => number(flags),
        }
    }

    pub fn data(self) -> &'a str {
        self.0.field(4)
    }

    /// Whether this is a DWORD of such a key and name, whatever its number.
    pub fn is_dword(self, key: &str, name: &str) -> bool {
        let dword = self.flags().is_some_and(|flags| flags & !UNLESS_SET == DWORD);
        dword && self.key().eq_ignore_ascii_case(key) && self.name().eq_ignore_ascii_case(name)
    }
}

/// A number as an INF has it: decimal, or hexadecimal after `0x`.
pub(crate) fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The values that services get.
pub(crate) fn of_services<'a>(inf: &'a Inf, graph: &Graph) -> Vec<Value<'a>> {
    let services = graph
        .services
        .iter()
        .filter_map(|service| inf.section(&service.section));
    let names = services
        .flat_map(|section| section.all("AddReg"))
        .flat_map(|entry| &entry.values);
    let sections = names.filter_map(|name| inf.section(name));
    sections.flat_map(|section| &section.entries).map(Value).collect()
}

/// The values that devices get.
pub(crate) fn of_devices<'a>(inf: &'a Inf, graph: &Graph) -> Vec<Value<'a>> {
    let sections = graph.values_of(inf, "HW");
    sections
        .into_iter()
        .flat_map(|section| &section.entries)
        .map(Value)
        .collect()
}

pub(super) fn check(inf: &Inf, graph: &Graph) -> Vec<Finding> {
    let lists = graph.targets(inf, "AddReg").flat_map(|section| &section.entries);
    let absolute = lists
        .map(Value)
        .filter(|value| !value.root().eq_ignore_ascii_case("HKR"));
    let mut found: Vec<_> = absolute
        .map(|value| Finding::new(Rule::NotRelative, value.0.line, value.root()))
        .collect();
    let elsewhere = of_services(inf, graph)
        .into_iter()
        .filter(|value| !below_parameters(value.key()));
    found.extend(elsewhere.map(|value| Finding::new(Rule::NotParameters, value.0.line, value.key())));
    found
}

fn below_parameters(key: &str) -> bool {
    key.split('\\')
        .next()
        .is_some_and(|first| first.eq_ignore_ascii_case("Parameters"))
}
