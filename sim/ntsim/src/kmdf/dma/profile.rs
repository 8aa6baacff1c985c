//! What a DMA profile and an enabler's configuration ask of the HAL. Pure.

use wdk_sys::{
    _WDF_DMA_PROFILE as Profile, NTSTATUS, STATUS_INVALID_PARAMETER, ULONG, WDF_DMA_ENABLER_CONFIG, WDF_DMA_PROFILE,
};

/// `DEVICE_DESCRIPTION_VERSION2`: the default on x64.
pub const VERSION_2: ULONG = 2;
/// `DEVICE_DESCRIPTION_VERSION3`.
pub const VERSION_3: ULONG = 3;

/// `WDF_DMA_ENABLER_CONFIG_NO_SGLIST_PREALLOCATION`.
const NO_SGLIST_PREALLOCATION: ULONG = 1;
/// `WDF_DMA_ENABLER_CONFIG_REQUIRE_SINGLE_TRANSFER`.
const REQUIRE_SINGLE_TRANSFER: ULONG = 2;

/// How many adapters an enabler has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// One adapter for both directions.
    Simplex,
    /// One adapter for reads, one for writes.
    Duplex,
}

/// Where the memory of scatter-gather lists comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListMemory {
    /// One buffer for each transaction, allocated when it is created; lists are built into it.
    Preallocated,
    /// The HAL allocates each list.
    FromHal,
}

/// What an enabler is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// One adapter or two.
    pub channels: Channels,
    /// Whether the device can reach addresses above 4 GiB.
    pub dma64: bool,
    /// Version of the DMA interface asked of the HAL.
    pub version: ULONG,
    /// Bits of a bus address, 0 under version 2.
    pub address_width: ULONG,
    /// Where lists live.
    pub lists: ListMemory,
    /// Whether transactions must not be split.
    pub single_transfer: bool,
    /// Longest transfer, bytes.
    pub maximum_length: ULONG,
}

/// Why a configuration is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A profile that this simulator has no device for: packet and system profiles.
    Unsupported(WDF_DMA_PROFILE),
    /// Refused with a status, quietly.
    Status(NTSTATUS),
    /// Refused with a status after a verifier break.
    Break(NTSTATUS, &'static str),
}

/// Reads an enabler configuration whose `Size` and `MaximumLength` were checked.
///
/// # Errors
/// When the real framework refuses it.
pub fn settings(config: &WDF_DMA_ENABLER_CONFIG) -> Result<Settings, Refusal> {
    let (channels, dma64) = match config.Profile {
        Profile::WdfDmaProfileScatterGather => (Channels::Simplex, false),
        Profile::WdfDmaProfileScatterGather64 => (Channels::Simplex, true),
        Profile::WdfDmaProfileScatterGatherDuplex => (Channels::Duplex, false),
        Profile::WdfDmaProfileScatterGather64Duplex => (Channels::Duplex, true),
        Profile::WdfDmaProfilePacket
        | Profile::WdfDmaProfilePacket64
        | Profile::WdfDmaProfileSystem
        | Profile::WdfDmaProfileSystemDuplex => return Err(Refusal::Unsupported(config.Profile)),
        _ => return Err(Refusal::Status(STATUS_INVALID_PARAMETER)),
    };
    let (version, address_width) = version_and_width(config, dma64)?;
    let single_transfer = config.Flags & REQUIRE_SINGLE_TRANSFER != 0;
    if single_transfer && version != VERSION_3 {
        return Err(Refusal::Break(
            STATUS_INVALID_PARAMETER,
            "the single-transfer flag needs DMA version 3",
        ));
    }
    let lists = if config.Flags & NO_SGLIST_PREALLOCATION == 0 {
        ListMemory::Preallocated
    } else {
        ListMemory::FromHal
    };
    // The real framework keeps the low 32 bits of the length.
    #[allow(clippy::cast_possible_truncation, reason = "as the real framework does")]
    let maximum_length = config.MaximumLength as ULONG;
    Ok(Settings {
        channels,
        dma64,
        version,
        address_width,
        lists,
        single_transfer,
        maximum_length,
    })
}

/// The DMA version and the address width: an address width asks for version 3, and an override may only raise the version.
fn version_and_width(config: &WDF_DMA_ENABLER_CONFIG, dma64: bool) -> Result<(ULONG, ULONG), Refusal> {
    let mut version = VERSION_2;
    let mut width = config.AddressWidthOverride;
    if width != 0 {
        if !dma64 && width > 32 {
            return Err(Refusal::Break(
                STATUS_INVALID_PARAMETER,
                "an address width above 32 needs a 64-bit profile",
            ));
        }
        version = VERSION_3;
    }
    if config.WdmDmaVersionOverride != 0 {
        if config.WdmDmaVersionOverride < version {
            return Err(Refusal::Break(
                STATUS_INVALID_PARAMETER,
                "the version override is below the version needed",
            ));
        }
        version = config.WdmDmaVersionOverride;
    }
    if version >= VERSION_3 && width == 0 {
        width = if dma64 { 64 } else { 32 };
    }
    Ok((version, width))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(profile: WDF_DMA_PROFILE) -> WDF_DMA_ENABLER_CONFIG {
        WDF_DMA_ENABLER_CONFIG {
            Profile: profile,
            MaximumLength: 1 << 20,
            ..Default::default()
        }
    }

    #[test]
    fn version_2_is_the_default_and_has_no_width() {
        let found = settings(&config(Profile::WdfDmaProfileScatterGather64Duplex)).unwrap();
        assert_eq!((found.version, found.address_width), (2, 0));
        assert_eq!((found.channels, found.dma64), (Channels::Duplex, true));
        assert_eq!(found.lists, ListMemory::Preallocated);
    }

    #[test]
    fn an_override_or_a_width_raises_the_version() {
        let mut asked = config(Profile::WdfDmaProfileScatterGather64);
        asked.WdmDmaVersionOverride = 3;
        let found = settings(&asked).unwrap();
        assert_eq!((found.version, found.address_width), (3, 64));
        asked.WdmDmaVersionOverride = 0;
        asked.AddressWidthOverride = 40;
        let found = settings(&asked).unwrap();
        assert_eq!((found.version, found.address_width), (3, 40));
    }

    #[test]
    fn conflicts_are_refused_with_a_break() {
        let mut low = config(Profile::WdfDmaProfileScatterGather64);
        low.AddressWidthOverride = 40;
        low.WdmDmaVersionOverride = 2;
        let mut wide = config(Profile::WdfDmaProfileScatterGather);
        wide.AddressWidthOverride = 40;
        let mut single = config(Profile::WdfDmaProfileScatterGather64);
        single.Flags = REQUIRE_SINGLE_TRANSFER;
        for refused in [low, wide, single] {
            assert!(matches!(
                settings(&refused),
                Err(Refusal::Break(STATUS_INVALID_PARAMETER, _))
            ));
        }
        assert_eq!(settings(&config(0)), Err(Refusal::Status(STATUS_INVALID_PARAMETER)));
        assert_eq!(settings(&config(1)), Err(Refusal::Unsupported(1)));
    }
}
