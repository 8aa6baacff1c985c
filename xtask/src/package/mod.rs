//! `cargo xtask package`: the driver package, as far as it can be made without Windows.

mod sign;
mod stamp;

use std::path::Path;

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::sys::{self, Arch, Built, Profile, Variant, Way};
use sign::Signing;
use stamp::Stamp;

/// What to package.
#[derive(Default, clap::Args)]
pub struct Arguments {
    /// Architecture of the package; all without this
    #[arg(long, value_enum)]
    arch: Vec<Arch>,
    /// Profile of the image; release without this
    #[arg(long, value_enum)]
    profile: Vec<Profile>,
    /// Only way to try of getting the core library for the target
    #[arg(long, value_enum)]
    core: Option<Way>,
}

/// Builds images, and lays out a package for each.
pub fn run(shell: &Shell, arguments: &Arguments) -> Result<()> {
    let release = [Profile::Release];
    let profiles = if arguments.profile.is_empty() {
        &release
    } else {
        arguments.profile.as_slice()
    };
    let variants = Variant::select(&arguments.arch, profiles);
    let built = sys::build(shell, &variants, arguments.core)?;
    let packaged = built
        .iter()
        .map(|image| one(shell, image))
        .collect::<Result<Vec<_>>>()?;
    println!("\nChecks of the packaged images:");
    sys::check(&packaged)
}

/// Lays out one package: image, symbols, stamped INF, and the certificate of the signature.
fn one(shell: &Shell, image: &Built) -> Result<Built> {
    let folder = image.variant.folder(&shell.current_dir()).join("package");
    shell.remove_path(&folder)?;
    shell.create_dir(&folder)?;
    let packaged = Built {
        variant: image.variant,
        sys: folder.join("hawser.sys"),
        pdb: folder.join("hawser.pdb"),
    };
    shell.copy_file(&image.sys, &packaged.sys)?;
    shell.copy_file(&image.pdb, &packaged.pdb)?;
    let stamp = write_inf(shell, image.variant.arch, &folder)?;
    let signing = sign::sign(shell, &packaged.sys)?;
    describe(&folder, &stamp, &signing, image.variant.arch);
    Ok(packaged)
}

fn write_inf(shell: &Shell, arch: Arch, folder: &Path) -> Result<Stamp> {
    let source = shell.read_file("inf/hawser.inx")?;
    let stamp = Stamp {
        architecture: arch.inf_name(),
        date: date_of_source(shell)?,
        version: sys::version(),
    };
    let inf = stamp.apply(&source).context("inf/hawser.inx")?;
    shell.write_file(folder.join("hawser.inf"), inf)?;
    Ok(stamp)
}

/// The day of the commit that is packaged, so that the same commit gives the same package; today, where there is none.
fn date_of_source(shell: &Shell) -> Result<String> {
    let _zone = shell.push_env("TZ", "UTC");
    let format = "%m/%d/%Y";
    let committed = cmd!(shell, "git log -1 --format=%cd --date=format-local:{format}")
        .quiet()
        .ignore_stderr()
        .read();
    match committed {
        Ok(date) => Ok(date),
        Err(_) => Ok(cmd!(shell, "date +{format}").quiet().read()?),
    }
}

fn describe(folder: &Path, stamp: &Stamp, signing: &Signing, arch: Arch) {
    println!("\n{}", folder.display());
    println!("  hawser.sys  {signing}");
    println!(
        "  hawser.inf  DriverVer {}, KMDF {}",
        stamp.driver_version(),
        stamp::KMDF
    );
    println!("  hawser.pdb");
    println!("  hawser.cat  not made: that takes inf2cat, which runs on Windows. In this folder there:");
    let system = match arch {
        Arch::X64 => "10_VB_X64",
        Arch::Arm64 => "10_VB_ARM64",
    };
    println!("                inf2cat /driver:. /os:{system} /uselocaltime");
    println!("                signtool sign /fd SHA256 /s <store> /n <name> hawser.cat");
}
