//! What the INF and the driver must agree on.

use crate::Inf;
use crate::rules::graph::Graph;
use crate::rules::registry::{UNLESS_SET, Value, number, of_devices, of_services};
use crate::rules::{Finding, Rule};

/// The driver's side.
#[derive(Clone, Debug)]
pub struct Contract<'a> {
    /// PCI vendor and device.
    pub device: (u16, u16),
    /// Architectures as decorations name them.
    pub architectures: &'a [&'a str],
    /// The first build of Windows with the framework's version.
    pub first_build: u32,
    /// Name of the service.
    pub service: &'a str,
    /// Name of the image.
    pub image: &'a str,
    /// Interrupt messages that the driver uses at most.
    pub messages: u32,
    /// Access bits that users need: 1 to read, 2 to write.
    pub access: u32,
    /// All settings with their defaults.
    pub settings: Vec<Setting<'a>>,
}

/// A setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting<'a> {
    /// Name of the value below `Parameters`.
    pub name: &'a str,
    /// Its default.
    pub default: u32,
}

const INTERRUPTS: &str = r"Interrupt Management\MessageSignaledInterruptProperties";

impl Contract<'_> {
    pub(crate) fn check(&self, inf: &Inf, graph: &Graph) -> Vec<Finding> {
        let mut found = self.devices(graph);
        found.extend(self.names(inf, graph));
        found.extend(self.values(inf, graph));
        found.extend(self.settings(inf, graph));
        found
    }

    fn devices(&self, graph: &Graph) -> Vec<Finding> {
        let (vendor, device) = self.device;
        let wanted = format!("PCI\\VEN_{vendor:04X}&DEV_{device:04X}");
        let others = graph
            .models
            .iter()
            .filter(|model| model.hardware_ids != [wanted.as_str()]);
        let mut found: Vec<_> = others
            .map(|model| Finding::new(Rule::HardwareId, model.line, model.hardware_ids.join(", ")))
            .collect();
        let decorations: Vec<_> = graph.models.iter().map(|model| model.decoration.as_str()).collect();
        let build = self.first_build;
        let expected: Vec<_> = self
            .architectures
            .iter()
            .map(|name| format!("NT{name}.10.0...{build}"))
            .collect();
        if decorations != expected {
            found.push(Finding::new(Rule::Architectures, 0, decorations.join(", ")));
        }
        found
    }

    fn names(&self, inf: &Inf, graph: &Graph) -> Vec<Finding> {
        let mut found = Vec::new();
        for service in &graph.services {
            if service.name != self.service {
                found.push(Finding::new(Rule::ServiceName, service.line, &*service.name));
            }
            let binary = inf
                .section(&service.section)
                .and_then(|section| section.value("ServiceBinary"));
            let binary = binary.unwrap_or_default();
            if binary.rsplit('\\').next() != Some(self.image) {
                found.push(Finding::new(Rule::Image, service.line, binary));
            }
        }
        found
    }

    /// The values that are there for the system's sake.
    fn values(&self, inf: &Inf, graph: &Graph) -> Vec<Finding> {
        let (device, service) = (of_devices(inf, graph), of_services(inf, graph));
        let opted_in = Some("1");
        let conditions = [
            (
                dword(&device, INTERRUPTS, "MSISupported") == opted_in,
                Rule::Messages,
                "MSISupported",
            ),
            (
                dword(&device, INTERRUPTS, "MessageNumberLimit").and_then(number) == Some(self.messages),
                Rule::Messages,
                "MessageNumberLimit",
            ),
            (
                dword(&device, "DMA Management", "RemappingSupported") == opted_in,
                Rule::RemappingOfDevice,
                "RemappingSupported",
            ),
            (
                dword(&service, "Parameters", "DmaRemappingCompatible") == opted_in,
                Rule::RemappingOfService,
                "DmaRemappingCompatible",
            ),
            (self.is_secure(&device), Rule::Security, "Security"),
        ];
        let broken = conditions.into_iter().filter(|(holds, ..)| !holds);
        broken.map(|(_, rule, name)| Finding::new(rule, 0, name)).collect()
    }

    /// Whether exactly system, administrators and interactive users may open the device, the latter as far as the contract needs, and nothing is inherited.
    fn is_secure(&self, device: &[Value<'_>]) -> bool {
        let mut descriptors = device
            .iter()
            .filter(|value| value.key().is_empty() && value.name().eq_ignore_ascii_case("Security"));
        let (Some(descriptor), None) = (descriptors.next(), descriptors.next()) else {
            return false;
        };
        let read = if self.access & 1 != 0 { "GR" } else { "" };
        let write = if self.access & 2 != 0 { "GW" } else { "" };
        let expected = [
            "A;;GA;;;SY".to_owned(),
            "A;;GA;;;BA".to_owned(),
            format!("A;;{read}{write};;;IU"),
        ];
        let entries = descriptor.data().strip_prefix("D:P").map(entries).unwrap_or_default();
        entries.len() == expected.len() && expected.iter().all(|entry| entries.contains(&entry.as_str()))
    }

    fn settings(&self, inf: &Inf, graph: &Graph) -> Vec<Finding> {
        let values = of_services(inf, graph);
        let is_setting = |value: &&Value<'_>| !value.name().eq_ignore_ascii_case("DmaRemappingCompatible");
        let mut found = Vec::new();
        for value in values.iter().filter(is_setting) {
            let setting = self.settings.iter().find(|setting| setting.name == value.name());
            let agrees = setting.is_some_and(|setting| {
                value.is_dword("Parameters", setting.name) && number(value.data()) == Some(setting.default)
            });
            if !agrees || value.flags().is_none_or(|flags| flags & UNLESS_SET == 0) {
                found.push(Finding::new(Rule::Settings, value.0.line, value.name()));
            }
        }
        let absent = self.settings.iter().filter(|setting| {
            let lines = values
                .iter()
                .filter(|value| value.name().eq_ignore_ascii_case(setting.name));
            lines.count() != 1
        });
        found.extend(absent.map(|setting| Finding::new(Rule::Settings, 0, setting.name)));
        found
    }
}

/// The data of the one DWORD of this key and name.
fn dword<'a>(values: &[Value<'a>], key: &str, name: &str) -> Option<&'a str> {
    let mut matching = values.iter().filter(|value| value.is_dword(key, name));
    match (matching.next(), matching.next()) {
        (Some(value), None) => Some(value.data()),
        _ => None,
    }
}

/// The entries of an access control list in SDDL.
fn entries(list: &str) -> Vec<&str> {
    let inner = list.strip_prefix('(').and_then(|list| list.strip_suffix(')'));
    inner.map(|inner| inner.split(")(").collect()).unwrap_or_default()
}
