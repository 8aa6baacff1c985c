//! Changes of `hawser.inx`, each with the rules that it breaks.

use hawser_inf::Rule::{self, *};

/// Each occurrence of a text is replaced.
pub struct Mutation {
    pub from: &'static str,
    pub to: &'static str,
    /// All rules that are broken then, in the order in which they are checked.
    pub breaks: &'static [Rule],
}

const fn breaks(breaks: &'static [Rule], from: &'static str, to: &'static str) -> Mutation {
    Mutation { from, to, breaks }
}

/// The version section, and what a Windows Driver may not have.
const VERSION: &[Mutation] = &[
    breaks(&[Signature], "\"$WINDOWS NT$\"", "\"$CHICAGO$\""),
    breaks(&[Provider], "Provider    = \"Hawser\"", "Provider    = \"Microsoft\""),
    breaks(&[Provider], "Provider    = \"Hawser\"", "Provider    = \"\""),
    breaks(&[Catalog], "CatalogFile = hawser.cat", ""),
    breaks(&[Catalog], "hawser.cat", "hawser.sys"),
    breaks(&[DriverVersion], "DriverVer   =", ""),
    breaks(&[PnpLockdown], "PnpLockdown = 1", "PnpLockdown = 0"),
    breaks(&[PnpLockdown], "PnpLockdown = 1", ""),
    breaks(&[ReservedClass], "= System", "= Sample"),
    breaks(&[ReservedClass], "= System", "= Unknown"),
    breaks(&[ForeignClass], "= System", "= ComputeAccelerator"),
    breaks(&[ClassGuid], "4d36e97d", "4d36e97e"),
    breaks(&[ClassGuid], "= System", "= Hawser"),
    breaks(
        &[LegacySection],
        "[DestinationDirs]",
        "[ClassInstall32]\n[DestinationDirs]",
    ),
    breaks(
        &[LegacySection, SectionUnused],
        "[DestinationDirs]",
        "[Hawser_Install.NT.CoInstallers]\n[DestinationDirs]",
    ),
    breaks(
        &[LegacyDirective],
        "CopyFiles = Hawser_Files",
        "CopyFiles = Hawser_Files\nDelReg = Hawser_Gone\n[Hawser_Gone]\nHKR,, Gone",
    ),
    breaks(&[LegacyDirective], "AddService =", "DelService = other\nAddService ="),
    breaks(&[TwoKinds], "[DestinationDirs]", "[DefaultInstall]\n[DestinationDirs]"),
];

/// References and strings.
const SECTIONS: &[Mutation] = &[
    breaks(
        &[SectionMissing],
        "Hawser_Remapping, Hawser_Security",
        "Hawser_Remapping, Hawser_Security, Elsewhere",
    ),
    breaks(
        &[SectionMissing],
        "DefaultDestDir = 13",
        "DefaultDestDir = 13\nElsewhere = 13",
    ),
    breaks(&[SectionUnused], "[Strings]", "[Nothing]\n[Strings]"),
    breaks(
        &[SectionShared],
        "AddReg = Hawser_Interrupts",
        "AddProperty = Hawser_Interrupts\nAddReg = Hawser_Interrupts",
    ),
    breaks(
        &[TokenUndefined],
        "HKR,, Security",
        "HKR,, Folder,, \"%SystemRoot%\"\nHKR,, Security",
    ),
    breaks(&[TokenUndefined, StringUnused], "DiskName    = \"", "DiskNames   = \""),
    breaks(&[StringUnused], "[Strings]", "[Strings]\nNobody = \"asks\""),
    breaks(&[StringTwice], "[Strings]", "[Strings]\nDISKNAME = \"again\""),
];

/// Files and registry values.
const PLACES: &[Mutation] = &[
    breaks(&[NotDriverStore], "DefaultDestDir = 13", "DefaultDestDir = 12"),
    breaks(&[NotDriverStore], "DefaultDestDir = 13", ""),
    breaks(
        &[NotDriverStore],
        "DefaultDestDir = 13",
        "DefaultDestDir = 13\nHawser_Files = 12",
    ),
    breaks(&[NotDriverStore], "%13%\\hawser.sys", "%12%\\hawser.sys"),
    breaks(&[Renamed], "hawser.sys = 1", "hawser.sys = 1, x64"),
    breaks(&[Renamed], "DefaultDestDir = 13", "DefaultDestDir = 13, x64"),
    breaks(&[Renamed], "\nhawser.sys\n", "\nother.sys, hawser.sys\n"),
    breaks(&[SourceMissing], "1 = %DiskName%", "2 = %DiskName%"),
    breaks(&[SourceMissing], "\nhawser.sys\n", "\nhawser.sys\nfirmware.bin\n"),
    breaks(&[SourceMissing], "hawser.sys = 1", ""),
    breaks(&[SourceMissing, Image], "%13%\\hawser.sys", "%13%\\other.sys"),
    breaks(&[NotCopied], "hawser.sys = 1", "hawser.sys = 1\nfirmware.bin = 1"),
    breaks(
        &[NotRelative],
        "HKR,, Security",
        "HKLM, Software\\Hawser, Seen,, 1\nHKR,, Security",
    ),
    breaks(
        &[NotParameters],
        "[Hawser_Service_Remapping]",
        "[Hawser_Service_Remapping]\nHKR, Other, DmaRemappingCompatible, %REG_DWORD%, 1",
    ),
    breaks(
        &[NotParameters, RemappingOfService],
        "HKR, Parameters, DmaRemappingCompatible",
        "HKR,, DmaRemappingCompatible",
    ),
];

/// What is installed where.
const INSTALLATION: &[Mutation] = &[
    breaks(&[NoDevice, HardwareId], ", PCI\\VEN_1AF4&DEV_10F0", ""),
    breaks(
        &[NoService],
        "SPSVCINST_ASSOCSERVICE = 0x00000002",
        "SPSVCINST_ASSOCSERVICE = 0",
    ),
    breaks(
        &[ServiceKind],
        "SERVICE_KERNEL_DRIVER  = 1",
        "SERVICE_KERNEL_DRIVER  = 16",
    ),
    breaks(
        &[ServiceKind],
        "SERVICE_DEMAND_START   = 3",
        "SERVICE_DEMAND_START   = 0",
    ),
    breaks(
        &[ServiceKind],
        "ErrorControl  = %SERVICE_ERROR_NORMAL%",
        "ErrorControls = %SERVICE_ERROR_NORMAL%",
    ),
    breaks(
        &[Decoration, Architectures],
        "NTamd64.10.0...19041",
        "NTamd64.10.0...16298",
    ),
    breaks(&[Decoration, Architectures], "NTamd64.10.0...19041", "NTamd64"),
    breaks(&[Decoration, Architectures], "NTarm64.10.0...19041", "NT.10.0...19041"),
    breaks(&[Framework], "KmdfService = hawser", "KmdfService = other"),
    breaks(&[Framework], "= $KMDFVERSION$", "= 1.15"),
    breaks(
        &[SectionUnused, Framework],
        "[Hawser_Install.NT.Wdf]",
        "[Hawser_Install.NT.None]",
    ),
];

/// What must agree with the driver.
const CONTRACT: &[Mutation] = &[
    breaks(&[HardwareId], "DEV_10F0", "DEV_10F1"),
    breaks(&[HardwareId], "DEV_10F0", "DEV_10F0, PCI\\VEN_1AF4&DEV_10F1"),
    breaks(&[Architectures], "19041", "18362"),
    breaks(&[SectionUnused, Architectures], "19041, NTarm64.10.0...19041", "19041"),
    breaks(&[ServiceName], " hawser,", " hawsers,"),
    breaks(&[Image], "hawser.sys", "hawsers.sys"),
    breaks(
        &[Messages],
        "MSISupported, %REG_DWORD%, 1",
        "MSISupported, %REG_DWORD%, 0",
    ),
    breaks(&[Messages], "MSISupported, %REG_DWORD%, 1", "MSISupported,, 1"),
    breaks(
        &[Messages],
        "MessageNumberLimit, %REG_DWORD%, 5",
        "MessageNumberLimit, %REG_DWORD%, 4",
    ),
    breaks(&[Messages], "\"Interrupt Management\\Message", "\"Interrupt\\Message"),
    breaks(
        &[RemappingOfDevice],
        "RemappingSupported, %REG_DWORD%, 1",
        "RemappingSupported, %REG_DWORD%, 0",
    ),
    breaks(&[RemappingOfDevice], "\"DMA Management\"", "\"DMA\""),
    breaks(
        &[RemappingOfService],
        "DmaRemappingCompatible, %REG_DWORD%, 1",
        "DmaRemappingCompatible, %REG_DWORD%, 2",
    ),
    breaks(&[Security], "(A;;GRGW;;;IU)", "(A;;GA;;;IU)"),
    breaks(&[Security], "(A;;GRGW;;;IU)", "(A;;GRGW;;;WD)"),
    breaks(&[Security], "(A;;GRGW;;;IU)", "(A;;GRGW;;;IU)(A;;GR;;;AU)"),
    breaks(&[Security], "(A;;GRGW;;;IU)", ""),
    breaks(&[Security], "D:P(", "D:("),
    breaks(&[Security], "HKR,, Security", "HKR,, Insecurity"),
    breaks(
        &[Settings],
        "MaxSteps, %REG_DWORD_UNLESS_SET%, 65536",
        "MaxSteps, %REG_DWORD_UNLESS_SET%, 65535",
    ),
    breaks(&[Settings], "MaxSteps, %REG_DWORD_UNLESS_SET%", "MaxSteps, %REG_DWORD%"),
    breaks(
        &[Settings],
        "MaxSteps, %REG_DWORD_UNLESS_SET%",
        "MostSteps, %REG_DWORD_UNLESS_SET%",
    ),
    breaks(&[Settings], "HKR, Parameters, Queues, %REG_DWORD_UNLESS_SET%, 1", ""),
    breaks(
        &[Settings],
        "HKR, Parameters, Queues",
        "HKR, Parameters\\Device, Queues",
    ),
    breaks(
        &[Settings],
        "[Hawser_Settings]",
        "[Hawser_Settings]\nHKR, Parameters, Queues, %REG_DWORD_UNLESS_SET%, 1",
    ),
];

/// All changes.
pub fn all() -> impl Iterator<Item = &'static Mutation> {
    [VERSION, SECTIONS, PLACES, INSTALLATION, CONTRACT]
        .into_iter()
        .flatten()
}
