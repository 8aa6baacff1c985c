//! What the record does not say in its events: how the client was configured, and what its requests looked like.

use crate::scenario::{Ev, Scenario};

/// The method of a device control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Buffered = 0,
    InDirect = 1,
    OutDirect = 2,
    Neither = 3,
}

/// How the default queue presents requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presents {
    Sequential,
    Parallel(u32),
}

/// The configuration of a scenario.
#[derive(Clone, Debug)]
pub struct Setup {
    pub name: String,
    pub verifier: bool,
    pub duplex: bool,
    pub dma_version: u32,
    pub preallocated: bool,
    pub single_transfer: bool,
    pub maximum_length: usize,
    pub map_registers: Option<u32>,
    pub presents: Presents,
    pub power_managed: bool,
    pub cancelled_on_queue: bool,
    pub stop_callback: bool,
    pub messages: u16,
}

impl Setup {
    /// Reads a scenario's configuration.
    pub fn of(scenario: &Scenario) -> Self {
        let config = scenario.config.as_str();
        let base = scenario.name.strip_suffix("_verifier").unwrap_or(&scenario.name);
        let maximum_length = match base {
            "A_mapregs_limit" => 64 << 10,
            _ if config.contains("MaximumLength 4096") => 4096,
            _ if config.contains("64 KiB") => 64 << 10,
            _ => 1 << 20,
        };
        let presents = match base {
            // One request was with the client while the next one waited.
            "C_canceled_on_queue" => Presents::Sequential,
            _ if config.contains("sequential") => Presents::Sequential,
            _ if config.contains("presented 2") => Presents::Parallel(2),
            _ => Presents::Parallel(u32::MAX),
        };
        Self {
            name: base.to_owned(),
            verifier: scenario.verifier,
            duplex: !config.contains("profile sg64,"),
            dma_version: if config.contains("v3") { 3 } else { 0 },
            preallocated: !config.contains("no_sglist_prealloc"),
            single_transfer: base == "A_single_transfer_enabler_flag",
            maximum_length,
            map_registers: config.contains("3 map registers").then_some(3),
            presents,
            power_managed: !config.contains("PowerManaged=False"),
            cancelled_on_queue: config.contains("EvtIoCanceledOnQueue") && !config.contains("no EvtIoCanceledOnQueue"),
            stop_callback: base != "D_s3_no_evtiostop",
            messages: if config.contains("3 messages") { 3 } else { 1 },
        }
    }

    /// Whether the DMA configuration is the one of the recorded start.
    pub fn has_usual_dma(&self) -> bool {
        self.duplex
            && self.dma_version == 0
            && self.preallocated
            && !self.single_transfer
            && self.maximum_length == 1 << 20
            && self.map_registers.is_none()
    }

    /// Whether the client referenced its requests, which was not recorded.
    pub fn keeps_requests(&self) -> bool {
        self.name == "F_use_after_complete"
    }

    /// The method of a request, by what its name or its scenario says.
    pub fn method(&self, irp: &str) -> Method {
        match (self.name.as_str(), irp) {
            ("A_usingrequest_other_methods", "ioctl1" | "ioctl2") => Method::InDirect,
            ("A_usingrequest_zero_length", name) if name.starts_with("buffered") => Method::Buffered,
            ("A_usingrequest_zero_length", name) if name.starts_with("in_direct") => Method::InDirect,
            (_, name) if name.contains("buffered") => Method::Buffered,
            (_, name) if name.contains("neither") => Method::Neither,
            (_, name) if name.starts_with("in_direct") => Method::InDirect,
            (_, name) if name.contains("direct") => Method::OutDirect,
            (scenario, _) if scenario.starts_with("A_") => Method::OutDirect,
            _ => Method::Buffered,
        }
    }

    /// The direction in which the client wanted to use a request: the record shows it only where it was accepted.
    pub fn writes_to_device(&self, irp: &str) -> bool {
        matches!(
            (self.name.as_str(), irp),
            ("A_usingrequest_other_methods", "ioctl2" | "ioctl3_zero_out")
                | ("A_usingrequest_out_direct", "ioctl2")
                | (
                    "A_usingrequest_zero_length",
                    "in_direct_zero_out_write" | "buffered_write"
                )
                | ("A_output_mdl_write", "ioctl1")
        )
    }
}

/// What a device control request looks like.
#[derive(Clone, Copy, Debug)]
pub struct Control {
    pub function: u32,
    pub output: u32,
    pub input: u32,
}

/// What most requests of the record look like.
const USUAL: Control = Control {
    function: 0x801,
    output: 4,
    input: 4,
};

/// The device control that is sent next, as the client will see it: from the next presentation before another request is sent.
pub fn control_sent(setup: &Setup, irp: &str, rest: &[crate::scenario::Event]) -> Control {
    if setup.name == "B_sequential" && irp == "r3" {
        return Control {
            function: 0x800,
            ..USUAL
        };
    }
    let plug_and_power = ["START_DEVICE", "CREATE", "CLEANUP", "CLOSE", "SYSTEM_S0", "SYSTEM_S3"];
    for event in rest.iter().skip(1) {
        let another = event.ev == Ev::Stim
            && event
                .name
                .strip_prefix("send ")
                .is_some_and(|name| !plug_and_power.contains(&name));
        if another {
            break;
        }
        if event.ev == Ev::Enter && event.name == "EvtIoDeviceControl" {
            return parse(&event.args).unwrap_or(USUAL);
        }
    }
    USUAL
}

/// Reads `function=0x801 out=4 in=4 queue=default`.
fn parse(args: &str) -> Option<Control> {
    let mut parts = args.split(' ').map(|part| part.split('=').nth(1));
    let function = u32::from_str_radix(parts.next()??.strip_prefix("0x")?, 16).ok()?;
    let output = parts.next()??.parse().ok()?;
    let input = parts.next()??.parse().ok()?;
    Some(Control {
        function,
        output,
        input,
    })
}
