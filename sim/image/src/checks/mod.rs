//! The checks, by name. `docs/image.md` says why each is there.

mod a64;
mod guard;
mod headers;
mod imports;
mod layout;
mod relocations;
mod symbols;
mod unwind;
mod version;
mod x64;

use std::fmt;

use crate::allow_list::AllowList;
use crate::facts::Machine;
use crate::image::{Image, NotAnImage};
use crate::second_reader;

/// What holds, or why it does not.
type Outcome = Result<String, String>;

/// What an image has to be.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// The processor it is for.
    pub machine: Machine,
    /// What it may import.
    pub imports: &'a AllowList,
    /// What its version resource says.
    pub version: VersionResource<'a>,
    /// Name of the file with its symbols.
    pub symbols_name: &'a str,
    /// That file.
    pub symbols: &'a [u8],
}

/// What a version resource has to say.
#[derive(Clone, Copy)]
pub struct VersionResource<'a> {
    /// Name of the product.
    pub product: &'a str,
    /// Name of the file.
    pub file: &'a str,
    /// Version of both.
    pub version: [u16; 4],
}

macro_rules! checks {
    ($($name:ident: $label:literal, $function:expr;)*) => {
        /// A check.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Check {
            $(#[doc = $label] $name,)*
            /// second reader agrees
            SecondReader,
        }

        impl Check {
            /// Every check, in the order of a report.
            pub const ALL: &'static [Self] = &[$(Self::$name,)* Self::SecondReader];

            fn label(self) -> &'static str {
                match self {
                    $(Self::$name => $label,)*
                    Self::SecondReader => "second reader agrees",
                }
            }

            fn apply(self, image: &Image<'_>, expected: &Expected<'_>) -> Outcome {
                match self {
                    $(Self::$name => $function(image, expected),)*
                    Self::SecondReader => second_reader(image),
                }
            }
        }
    };
}

checks! {
    Machine: "machine", headers::machine;
    Native: "native subsystem", headers::native;
    NotALibrary: "not a DLL, no exports", headers::not_a_library;
    DynamicBase: "DYNAMIC_BASE", headers::dynamic_base;
    NxCompatible: "NX_COMPAT", headers::nx_compatible;
    HighEntropy: "HIGH_ENTROPY_VA", headers::high_entropy;
    ForceIntegrity: "FORCE_INTEGRITY", headers::force_integrity;
    Checksum: "checksum", headers::checksum;
    Layout: "sections fit", layout::sections_fit;
    WriteOrExecute: "no section writable and executable", layout::write_or_execute;
    EntryPoint: "entry point in code", layout::entry_point;
    NoThreadLocals: "no thread-local storage", layout::no_thread_locals;
    Relocations: "relocations DIR64", relocations::relocations;
    Unwind: "unwind data", unwind::unwind;
    Imports: "imports on the allow-list", imports::imports;
    Instructions: "instructions", instructions;
    ControlFlowGuard: "control flow guard", guard::control_flow_guard;
    ShadowStack: "shadow stack compatible", guard::shadow_stack;
    Version: "version resource", version::version;
    Symbols: "symbols", symbols::symbols;
}

impl fmt::Display for Check {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.label())
    }
}

/// What became of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The check.
    pub check: Check,
    /// What was found, or what is wrong.
    pub outcome: Result<String, String>,
}

/// What became of all checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// One line for each check.
    pub lines: Vec<Line>,
}

impl Report {
    /// The checks that failed, with their reasons.
    pub fn failures(&self) -> impl Iterator<Item = (Check, &str)> {
        self.lines
            .iter()
            .filter_map(|line| Some((line.check, line.outcome.as_ref().err()?.as_str())))
    }
}

/// Applies every check to an image. The second reader is not made for damaged images, and sees those only in which nothing else is wrong.
pub fn check(image: &[u8], expected: &Expected<'_>) -> Result<Report, NotAnImage> {
    let image = Image::read(image)?;
    let mut report = Report { lines: Vec::new() };
    for &check in Check::ALL {
        let spared = check == Check::SecondReader && report.failures().next().is_some();
        let outcome = if spared {
            Ok("not asked".to_owned())
        } else {
            check.apply(&image, expected)
        };
        report.lines.push(Line { check, outcome });
    }
    Ok(report)
}

fn instructions(image: &Image<'_>, expected: &Expected<'_>) -> Outcome {
    match expected.machine {
        Machine::X64 => x64::instructions(image),
        Machine::Arm64 => a64::instructions(image),
    }
}

fn second_reader(image: &Image<'_>) -> Outcome {
    let (facts, checksum) =
        second_reader::read(image.bytes()).map_err(|error| format!("it cannot read the image: {error}"))?;
    agree(image.facts(), &facts)?;
    if crate::checksum(image.bytes()) != Some(checksum) {
        return Err(format!("its checksum is {checksum:#x}"));
    }
    Ok("in all".to_owned())
}

/// Where two readers differ.
fn agree(first: &crate::Facts, second: &crate::Facts) -> Result<(), String> {
    if first.imports != second.imports {
        return Err("it reads other imports".to_owned());
    }
    if first.relocations != second.relocations {
        return Err("it reads other relocations".to_owned());
    }
    if first.sections != second.sections {
        return Err("it reads other sections".to_owned());
    }
    if first != second {
        return Err("it reads other headers".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Facts, Relocation};

    #[test]
    fn readers_that_differ_do_not_agree() {
        let first = Facts::default();
        assert_eq!(agree(&first, &first.clone()), Ok(()));
        let other_header = Facts {
            entry: 1,
            ..Facts::default()
        };
        assert!(agree(&first, &other_header).unwrap_err().contains("headers"));
        let relocation = Relocation { address: 8, kind: 10 };
        let other_table = Facts {
            relocations: vec![relocation],
            ..Facts::default()
        };
        assert!(agree(&first, &other_table).unwrap_err().contains("relocations"));
    }
}
