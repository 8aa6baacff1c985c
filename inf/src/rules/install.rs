//! What is installed, and on which systems.

use super::{
    Finding, Rule,
    graph::{Graph, Service},
    registry::number,
};
use crate::Inf;

/// Windows 10 1709, the first to run drivers from the driver store.
const FIRST_DRIVER_STORE_BUILD: u32 = 16299;
/// The service is the device's function driver.
const ASSOCIATED: u32 = 2;

pub(super) fn check(inf: &Inf, graph: &Graph) -> Vec<Finding> {
    let mut found = devices(graph);
    found.extend(graph.services.iter().filter_map(|service| kind(inf, service)));
    found.extend(frameworks(inf, graph));
    found
}

fn devices(graph: &Graph) -> Vec<Finding> {
    let mut found = Vec::new();
    if !graph.models.iter().any(|model| !model.hardware_ids.is_empty()) {
        found.push(Finding::new(Rule::NoDevice, 0, "hardware id"));
    }
    if !graph
        .services
        .iter()
        .any(|service| number(&service.flags) == Some(ASSOCIATED))
    {
        found.push(Finding::new(Rule::NoService, 0, "AddService"));
    }
    let models = graph.models.iter();
    let vague =
        models.filter(|model| first_build(&model.decoration).is_none_or(|build| build < FIRST_DRIVER_STORE_BUILD));
    found.extend(vague.map(|model| Finding::new(Rule::Decoration, model.line, &*model.decoration)));
    found
}

/// The first build of Windows 10 that a decoration such as `NTamd64.10.0...19041` lets in; nothing where it has no architecture or no build.
pub(crate) fn first_build(decoration: &str) -> Option<u32> {
    let (architecture, rest) = decoration.split_once('.')?;
    let build = rest.strip_prefix("10.0...")?;
    (architecture.len() > "NT".len()).then(|| build.parse().ok())?
}

fn kind(inf: &Inf, service: &Service) -> Option<Finding> {
    let section = inf.section(&service.section)?;
    let number = |key| section.value(key).and_then(number);
    let expected = [("ServiceType", 1), ("StartType", 3), ("ErrorControl", 1)];
    let wrong = expected.into_iter().find(|(key, value)| number(key) != Some(*value))?;
    Some(Finding::new(Rule::ServiceKind, section.line, wrong.0))
}

fn frameworks(inf: &Inf, graph: &Graph) -> Vec<Finding> {
    let parts = inf
        .sections
        .iter()
        .filter(|section| section.name.to_ascii_lowercase().ends_with(".wdf"));
    let lines: Vec<_> = parts.flat_map(|section| section.all("KmdfService")).collect();
    let named = |service: &Service| {
        lines
            .iter()
            .any(|line| line.field(0).eq_ignore_ascii_case(&service.name))
    };
    let version = |name: &str| inf.section(name)?.value("KmdfLibraryVersion");
    let nameless = graph.services.iter().filter(|service| !named(service));
    let mut found: Vec<_> = nameless
        .map(|service| Finding::new(Rule::Framework, service.line, &*service.name))
        .collect();
    let unstamped = lines
        .iter()
        .filter(|line| version(line.field(1)) != Some("$KMDFVERSION$"));
    found.extend(unstamped.map(|line| Finding::new(Rule::Framework, line.line, line.field(1))));
    found
}
