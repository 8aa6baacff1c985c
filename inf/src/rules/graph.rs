//! Which section refers to which, from the manufacturer section on.

use crate::{Entry, Inf, Section};

/// A section named by a directive.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    pub directive: &'static str,
    pub target: String,
    pub line: usize,
}

/// A line of a models section: a device and how it is installed.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// The decoration of the models section, such as `NTamd64.10.0...19041`; empty without.
    pub decoration: String,
    /// The name of the section that installs it, with the decoration that it has in this file.
    pub install: String,
    pub hardware_ids: Vec<String>,
    pub line: usize,
}

/// A service and the section that describes it.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub name: String,
    pub flags: String,
    pub section: String,
    pub line: usize,
}

/// The references of an INF.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    pub references: Vec<Reference>,
    pub models: Vec<Model>,
    pub services: Vec<Service>,
}

/// Sections that nothing has to refer to.
const ROOTS: [&str; 7] = [
    "Version",
    "Manufacturer",
    "DestinationDirs",
    "SourceDisksNames",
    "SourceDisksFiles",
    "DefaultInstall",
    "ClassInstall32",
];
/// Sections that go with an installing section, by the ends of their names.
const COMPANIONS: [&str; 6] = ["HW", "Services", "Wdf", "Interfaces", "Events", "Filters"];
/// Directives whose values are names of sections.
const LISTS: [&str; 8] = [
    "AddReg",
    "DelReg",
    "CopyFiles",
    "DelFiles",
    "RenFiles",
    "AddProperty",
    "BitReg",
    "LogConfig",
];

impl Graph {
    pub fn of(inf: &Inf) -> Self {
        let mut graph = Self::default();
        for entry in inf
            .section("Manufacturer")
            .into_iter()
            .flat_map(|section| &section.entries)
        {
            graph.manufacturer(inf, entry);
        }
        let mut installs: Vec<_> = graph.models.iter().map(|model| model.install.clone()).collect();
        installs.sort();
        installs.dedup();
        for install in installs {
            graph.install(inf, &install);
        }
        graph
    }

    /// The sections that a directive names.
    pub fn targets<'a>(&'a self, inf: &'a Inf, directive: &'a str) -> impl Iterator<Item = &'a Section> {
        let of_directive = self
            .references
            .iter()
            .filter(move |reference| reference.directive == directive);
        of_directive.filter_map(|reference| inf.section(&reference.target))
    }

    /// The sections with values of a directive's kind that belong to a part of an installation, by the ends of the parts' names.
    pub fn values_of<'a>(&self, inf: &'a Inf, companion: &str) -> Vec<&'a Section> {
        let end = format!(".{}", companion.to_ascii_lowercase());
        let parts = inf
            .sections
            .iter()
            .filter(|section| section.name.to_ascii_lowercase().ends_with(&end));
        let lists = parts
            .flat_map(|part| part.all("AddReg"))
            .flat_map(|entry| &entry.values);
        lists.filter_map(|name| inf.section(name)).collect()
    }

    /// Whether a section has a place: by its own name, or by a reference.
    pub fn reaches(&self, section: &Section) -> bool {
        let root = section.name.split('.').next().unwrap_or_default();
        ROOTS.iter().any(|name| name.eq_ignore_ascii_case(root))
            || self
                .references
                .iter()
                .any(|reference| reference.target.eq_ignore_ascii_case(&section.name))
    }

    fn refer(&mut self, directive: &'static str, target: impl Into<String>, line: usize) {
        self.references.push(Reference {
            directive,
            target: target.into(),
            line,
        });
    }

    fn manufacturer(&mut self, inf: &Inf, entry: &Entry) {
        let base = entry.field(0);
        let decorations: Vec<_> = match entry.values.get(1..) {
            Some(decorations) if !decorations.is_empty() => decorations.iter().map(String::as_str).collect(),
            _ => vec![""],
        };
        for decoration in decorations {
            let name = decorated(base, decoration);
            self.refer("Manufacturer", name.clone(), entry.line);
            for model in inf.section(&name).into_iter().flat_map(|section| &section.entries) {
                self.model(inf, decoration, model);
            }
        }
    }

    fn model(&mut self, inf: &Inf, decoration: &str, entry: &Entry) {
        let architecture = decoration.split('.').next().unwrap_or_default();
        let candidates = [architecture, "NT", ""].map(|decoration| decorated(entry.field(0), decoration));
        let present = candidates.iter().find(|name| inf.section(name).is_some());
        let install = present.unwrap_or(&candidates[1]).clone();
        self.refer("Models", install.clone(), entry.line);
        self.models.push(Model {
            decoration: decoration.to_owned(),
            install,
            hardware_ids: entry.values.get(1..).unwrap_or_default().to_vec(),
            line: entry.line,
        });
    }

    fn install(&mut self, inf: &Inf, name: &str) {
        self.lists(inf.section(name));
        for companion in COMPANIONS {
            let part = inf.section(&decorated(name, companion));
            let Some(section) = part else { continue };
            self.refer(companion, section.name.clone(), section.line);
            self.lists(part);
            section.all("AddService").for_each(|entry| self.service(inf, entry));
            for entry in section.all("KmdfService") {
                self.refer("KmdfService", entry.field(1), entry.line);
            }
        }
    }

    /// A service without a name is none: such an entry says that the device needs no driver.
    fn service(&mut self, inf: &Inf, entry: &Entry) {
        let (name, section) = (entry.field(0), entry.field(2));
        if name.is_empty() {
            return;
        }
        self.refer("AddService", section, entry.line);
        self.lists(inf.section(section));
        self.services.push(Service {
            name: name.to_owned(),
            flags: entry.field(1).to_owned(),
            section: section.to_owned(),
            line: entry.line,
        });
    }

    /// Names with an at sign are files, not sections.
    fn lists(&mut self, section: Option<&Section>) {
        for directive in LISTS {
            for entry in section.into_iter().flat_map(|section| section.all(directive)) {
                let names = entry.values.iter().filter(|name| !name.starts_with('@'));
                names.for_each(|name| self.refer(directive, name.clone(), entry.line));
            }
        }
    }
}

fn decorated(name: &str, decoration: &str) -> String {
    match decoration {
        "" => name.to_owned(),
        decoration => format!("{name}.{decoration}"),
    }
}
