//! What can be built: architectures and profiles, and the names they go by in different places.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

/// Architectures for which there is a driver image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Arch {
    /// x86-64
    X64,
    /// AArch64
    Arm64,
}

impl Arch {
    /// All architectures.
    pub const ALL: [Self; 2] = [Self::X64, Self::Arm64];

    /// The compiler's name of the target.
    pub fn triple(self) -> &'static str {
        match self {
            Self::X64 => "x86_64-pc-windows-msvc",
            Self::Arm64 => "aarch64-pc-windows-msvc",
        }
    }

    /// The name in the models section of an INF.
    pub fn inf_name(self) -> &'static str {
        match self {
            Self::X64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// The machine in the image's header.
    pub fn machine(self) -> kernel_image::Machine {
        match self {
            Self::X64 => kernel_image::Machine::X64,
            Self::Arm64 => kernel_image::Machine::Arm64,
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::X64 => "x64",
            Self::Arm64 => "arm64",
        })
    }
}

/// Build profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// With overflow checks and debug assertions
    Debug,
    /// As installed
    Release,
}

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 2] = [Self::Debug, Self::Release];

    /// The profile of the workspace's `Cargo.toml`.
    pub fn cargo_name(self) -> &'static str {
        match self {
            Self::Debug => "sys-debug",
            Self::Release => "sys-release",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Debug => "debug",
            Self::Release => "release",
        })
    }
}

/// One image to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variant {
    /// For this architecture.
    pub arch: Arch,
    /// With this profile.
    pub profile: Profile,
}

impl Variant {
    /// Every combination of what was asked for; an empty list asks for all.
    pub fn select(archs: &[Arch], profiles: &[Profile]) -> Vec<Self> {
        let archs = if archs.is_empty() { &Arch::ALL } else { archs };
        let profiles = if profiles.is_empty() { &Profile::ALL } else { profiles };
        archs
            .iter()
            .flat_map(|&arch| profiles.iter().map(move |&profile| Self { arch, profile }))
            .collect()
    }

    /// The folder of the image and what belongs to it.
    pub fn folder(self, root: &Path) -> PathBuf {
        root.join("target/hawser")
            .join(self.arch.to_string())
            .join(self.profile.to_string())
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.arch, self.profile)
    }
}
