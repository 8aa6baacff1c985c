//! The rules, and what breaks them.
//!
//! Where InfVerif has a rule of the same meaning, its code stands beside it. `version` checks what describes the package, `sections` the references between its parts, `files` where files go,
//! `registry` where values go, `install` what is installed on which system; [`crate::Contract`] adds what must agree with the driver.

mod files;
pub(crate) mod graph;
mod install;
pub(crate) mod registry;
mod sections;
mod version;

use std::fmt;

use crate::{Contract, Inf};
use graph::Graph;

/// What breaks a rule, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// The line, counted from 1; 0 where something is missing.
    pub line: usize,
    /// The name or value at fault.
    pub what: String,
}

impl Finding {
    pub(crate) fn new(rule: Rule, line: usize, what: impl Into<String>) -> Self {
        Self {
            rule,
            line,
            what: what.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: {:?} (", self.line, self.rule.text(), self.what)?;
        match self.rule.codes() {
            [] => write!(f, "{:?})", self.rule),
            codes => write!(f, "{:?}, InfVerif {codes:?})", self.rule),
        }
    }
}

macro_rules! rules {
    ($($name:ident [$($code:literal),*] $text:literal;)+) => {
        /// A rule.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Rule {
            $(#[doc = $text] $name,)+
        }

        impl Rule {
            /// All rules.
            pub const ALL: &[Rule] = &[$(Rule::$name),+];

            /// The codes of InfVerif's rules of this meaning.
            pub const fn codes(self) -> &'static [u16] {
                match self {
                    $(Self::$name => &[$($code),*],)+
                }
            }

            /// What is wrong where it is broken.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

rules! {
    Signature [1001] "the version section does not say that this is an INF for Windows NT";
    Provider [1204] "no provider is named, or Microsoft is";
    Catalog [1233] "no catalog is named";
    DriverVersion [] "there is no entry to stamp the version into";
    PnpLockdown [1324] "the package's files are not locked against changes";
    ReservedClass [1284] "the setup class is reserved";
    ForeignClass [] "the setup class belongs to another kind of driver";
    ClassGuid [] "the class and its GUID are not of one known class";
    LegacySection [1300, 1285] "a Windows Driver cannot have this section";
    LegacyDirective [1301, 1302] "a Windows Driver cannot have this directive";
    TwoKinds [1212] "default installation and manufacturer in one INF";
    SectionMissing [1203] "a directive names a section that is not there";
    SectionUnused [2083] "nothing refers to this section";
    SectionShared [1205] "two kinds of directives name this section";
    TokenUndefined [1235] "a string token is not defined";
    StringUnused [] "a string is defined and not used";
    StringTwice [] "a string is defined twice";
    NotDriverStore [1322] "a file goes elsewhere than to the driver store";
    Renamed [1100] "a file's name or folder changes on the way to the driver store";
    SourceMissing [1230] "a file's source is not told";
    NotCopied [] "a file of the package is not copied";
    NotRelative [1304, 1320, 1321] "a registry value is not relative to device or service";
    NotParameters [1323] "a service value is not below Parameters";
    NoDevice [1297] "the INF installs on no device";
    NoService [1296] "a device gets no service";
    ServiceKind [] "the service is not a kernel driver that Plug and Play starts";
    Decoration [] "a models section has no architecture, or accepts systems without a driver store to run from";
    Framework [] "the KMDF section does not name the service and the version to stamp";
    HardwareId [] "the hardware id is not the contract's";
    Architectures [] "the models are not of the contract's architectures and first build";
    ServiceName [] "the service's name is not the contract's";
    Image [] "the image's name is not the contract's";
    Messages [] "the interrupt messages are not those that the driver uses";
    RemappingOfDevice [] "the device's choice about DMA remapping is not to take part";
    RemappingOfService [] "the service's choice about DMA remapping is not to take part";
    Security [] "the device's security descriptor is not the contract's";
    Settings [] "the settings are not the driver's, with their defaults, or an update would undo an administrator's choice";
}

/// All findings, in the order of the areas.
pub fn check(inf: &Inf, contract: &Contract<'_>) -> Vec<Finding> {
    let graph = Graph::of(inf);
    let areas = [
        version::check(inf),
        sections::check(inf, &graph),
        files::check(inf, &graph),
        registry::check(inf, &graph),
        install::check(inf, &graph),
        contract.check(inf, &graph),
    ];
    areas.into_iter().flatten().collect()
}
