//! `cargo xtask sys`: the driver's image, `hawser.sys`, made without Windows and without the WDK.

mod build;
mod check;
mod core_library;
mod debian;
mod rust_src;
mod sysroot;
mod target;
mod version_resource;

use std::path::PathBuf;

use anyhow::Result;
use xshell::Shell;

use crate::windows::SKIP_VARIABLE;

pub use build::Built;
pub use check::run as check;
pub use core_library::{NoCrossToolchain, Way};
pub use target::{Arch, Profile, Variant};
pub use version_resource::dotted as version;

/// What the simulator loads in tests: what users install, on the architecture that it simulates.
const LOADED: Variant = Variant {
    arch: Arch::X64,
    profile: Profile::Release,
};

/// What to build.
#[derive(clap::Args)]
pub struct Arguments {
    /// Architecture to build for; all without this
    #[arg(long, value_enum)]
    pub arch: Vec<Arch>,
    /// Profile to build with; all without this
    #[arg(long, value_enum)]
    pub profile: Vec<Profile>,
    /// Only way to try of getting the core library for the target; all in this order without this
    #[arg(long, value_enum)]
    pub core: Option<Way>,
    /// Check the images, and fail where one is not as it has to be
    #[arg(long)]
    pub check: bool,
}

/// Builds, and checks where asked to.
pub fn run(shell: &Shell, arguments: &Arguments) -> Result<()> {
    let variants = Variant::select(&arguments.arch, &arguments.profile);
    let built = build(shell, &variants, arguments.core)?;
    if arguments.check { check::run(&built) } else { Ok(()) }
}

/// Builds and checks all images, unless there is no toolchain for it and the user said that this is no failure. Gives the image that the simulator loads in tests.
pub fn run_unless_skipped(shell: &Shell) -> Result<Option<PathBuf>> {
    let built = build(shell, &Variant::select(&[], &[]), None);
    match built {
        Err(error) if error.is::<NoCrossToolchain>() && shell.var(SKIP_VARIABLE).is_ok() => {
            println!("SKIPPED: {error}\n({SKIP_VARIABLE} is set)");
            Ok(None)
        }
        built => {
            let built = built?;
            check::run(&built)?;
            let loaded = built.into_iter().find(|image| image.variant == LOADED);
            Ok(loaded.map(|image| image.sys))
        }
    }
}

/// Builds images and says where they are.
pub fn build(shell: &Shell, variants: &[Variant], only: Option<Way>) -> Result<Vec<Built>> {
    let mut built = Vec::new();
    for arch in Arch::ALL {
        let wanted: Vec<_> = variants.iter().filter(|variant| variant.arch == arch).collect();
        if wanted.is_empty() {
            continue;
        }
        let core = core_library::find(shell, arch, only)?;
        println!("{arch}: {core}");
        for &&variant in &wanted {
            let image = build::run(shell, variant, &core)?;
            println!("{variant}: {} ({} bytes)", image.sys.display(), image.size()?);
            built.push(image);
        }
    }
    Ok(built)
}
