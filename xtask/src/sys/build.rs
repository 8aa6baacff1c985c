//! Compiles and links one image. `docs/image.md` says what the flags are for.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use super::core_library::{CoreLibrary, Nightly};
use super::target::{Arch, Variant};
use super::version_resource;

const PACKAGE: &str = "hawser-image";

/// What the linker is told, beside what the compiler tells it.
const LINK: [&str; 11] = [
    "/DRIVER",
    "/ENTRY:FxDriverEntry",
    "/SUBSYSTEM:NATIVE,10.00",
    "/OSVERSION:10.0",
    "/NODEFAULTLIB",
    "/RELEASE",
    "/INTEGRITYCHECK",
    "/DYNAMICBASE",
    "/TSAWARE:NO",
    "/BREPRO",
    "/PDBALTPATH:hawser.pdb",
];

/// The processor to compile for: the base of the architecture, whatever the environment asks for. Features are not named one by one: functions of the core library,
/// which was compiled without such a list, would no longer be inlined. The checks look at every instruction instead.
fn processor(arch: Arch) -> &'static str {
    match arch {
        Arch::X64 => "x86-64",
        Arch::Arm64 => "generic",
    }
}

/// An image that has been built.
pub struct Built {
    /// What it is.
    pub variant: Variant,
    /// The image.
    pub sys: PathBuf,
    /// Its symbols.
    pub pdb: PathBuf,
}

impl Built {
    /// Bytes of the image.
    pub fn size(&self) -> Result<u64> {
        Ok(self.sys.metadata()?.len())
    }
}

/// Builds an image and puts it where it belongs.
pub fn run(shell: &Shell, variant: Variant, core: &CoreLibrary) -> Result<Built> {
    let root = shell.current_dir();
    let folder = variant.folder(&root);
    shell.create_dir(&folder)?;
    let resource = folder.join("version.res");
    shell.write_file(&resource, version_resource::compiled(variant.profile))?;
    let cargo_output = root.join("target/hawser/cargo");
    compile(shell, variant, core, &cargo_output, &resource)?;
    let output = cargo_output
        .join(variant.arch.triple())
        .join(variant.profile.cargo_name());
    let built = Built {
        variant,
        sys: folder.join("hawser.sys"),
        pdb: folder.join("hawser.pdb"),
    };
    replace(&output.join("hawser_image.pdb"), &built.pdb)?;
    replace(&output.join("hawser-image.exe"), &built.sys)?;
    Ok(built)
}

fn compile(shell: &Shell, variant: Variant, core: &CoreLibrary, output: &Path, resource: &Path) -> Result<()> {
    let nightly = core.nightly.as_ref();
    let selector = nightly.and_then(|nightly| nightly.selector.as_ref());
    let build_std = nightly.map(|_| "-Zbuild-std=core,alloc");
    let (triple, profile) = (variant.arch.triple(), variant.profile.cargo_name());
    let link = LINK.iter().map(|&flag| flag.to_owned());
    let link = link.chain(shadow_stack(variant.arch).map(str::to_owned));
    let link = link.chain([resource.display().to_string()]);
    let link: Vec<_> = link.map(|argument| format!("-Clink-arg={argument}")).collect();
    let _flags = shell.push_env(
        "CARGO_ENCODED_RUSTFLAGS",
        flags(shell, variant.arch, nightly)?.join("\x1f"),
    );
    let _compiler = nightly
        .and_then(|nightly| nightly.rustc.as_ref())
        .map(|rustc| shell.push_env("RUSTC", rustc));
    cmd!(
        shell,
        "cargo {selector...} rustc --package {PACKAGE} --bin {PACKAGE} --target {triple} --profile {profile}
         --target-dir {output} {build_std...} -- {link...}"
    )
    .quiet()
    .run()
    .with_context(|| format!("the image for {variant} could not be built"))
}

/// Shadow stacks exist on x64 only.
fn shadow_stack(arch: Arch) -> Option<&'static str> {
    (arch == Arch::X64).then_some("/CETCOMPAT")
}

/// Flags for every crate of the image.
fn flags(shell: &Shell, arch: Arch, nightly: Option<&Nightly>) -> Result<Vec<String>> {
    let toolchain = Toolchain::of(shell, nightly)?;
    let home = shell.var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let mut flags = vec![
        "--cfg=wdk_standin".to_owned(),
        "-Clinker-flavor=lld-link".to_owned(),
        format!("-Clinker={}", toolchain.linker()?.display()),
        "-Ccontrol-flow-guard".to_owned(),
        format!("-Ctarget-cpu={}", processor(arch)),
        format!("--remap-path-prefix={}=hawser", shell.current_dir().display()),
        format!("--remap-path-prefix={}=rust", toolchain.sysroot.display()),
    ];
    flags.extend(home.map(|home| format!("--remap-path-prefix={}=cargo", home.display())));
    Ok(flags)
}

/// The toolchain that compiles.
struct Toolchain {
    sysroot: PathBuf,
    host: String,
}

impl Toolchain {
    fn of(shell: &Shell, nightly: Option<&Nightly>) -> Result<Self> {
        let selector = nightly.and_then(|nightly| nightly.selector.as_ref());
        let sysroot = cmd!(shell, "rustc {selector...} --print sysroot").quiet().read()?;
        let about = cmd!(shell, "rustc {selector...} --version --verbose").quiet().read()?;
        let host = about.lines().find_map(|line| line.strip_prefix("host: "));
        Ok(Self {
            sysroot: sysroot.into(),
            host: host.context("rustc names no host")?.to_owned(),
        })
    }

    /// The linker that comes with the toolchain.
    fn linker(&self) -> Result<PathBuf> {
        let name = format!("rust-lld{}", std::env::consts::EXE_SUFFIX);
        let folder = self.sysroot.join("lib/rustlib").join(&self.host).join("bin");
        let linker = folder.join(name);
        if !linker.is_file() {
            bail!(
                "{} is not there; toolchains that rustup installs have it",
                linker.display()
            );
        }
        Ok(linker)
    }
}

/// Copies a file over another in one step, for those who may be reading it.
fn replace(from: &Path, to: &Path) -> Result<()> {
    let partial = to.with_extension(format!("partial-{}", std::process::id()));
    std::fs::copy(from, &partial).with_context(|| format!("{} was not built", from.display()))?;
    std::fs::rename(&partial, to).with_context(|| format!("cannot write {}", to.display()))
}
