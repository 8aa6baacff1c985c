//! `hawser.inx` keeps every rule, and each rule is broken by a change of it.

mod mutations;

use hawser_abi::{ioctl, package, pci};
use hawser_inf::{Contract, Finding, Inf, Rule, SOURCE, Setting, check};

/// The contract that the driver and the `abi` crate state.
fn contract() -> Contract<'static> {
    Contract {
        device: (pci::VENDOR_ID, pci::DEVICE_ID),
        architectures: &["amd64", "arm64"],
        first_build: 19041,
        service: package::SERVICE,
        image: package::IMAGE,
        messages: pci::MSIX_MESSAGES.into(),
        access: access(),
        settings: settings(),
    }
}

/// What all codes together ask of a handle: bits 14 and 15.
fn access() -> u32 {
    let codes = [
        ioctl::IOCTL_HAWSER_SUBMIT,
        ioctl::IOCTL_HAWSER_GET_INFO,
        ioctl::IOCTL_HAWSER_GET_STATS,
        ioctl::IOCTL_HAWSER_GET_RESULT,
        ioctl::IOCTL_HAWSER_RESET,
    ];
    codes.into_iter().fold(0, |bits, code| bits | (code >> 14 & 3))
}

fn settings() -> Vec<Setting<'static>> {
    let settings = hawser_driver::SETTINGS.iter();
    settings
        .map(|setting| Setting {
            name: setting.name,
            default: setting.default,
        })
        .collect()
}

fn findings(text: &str) -> Vec<Finding> {
    check(&Inf::read(text).expect("an INF"), &contract())
}

fn rules(text: &str) -> Vec<Rule> {
    let mut rules = Vec::new();
    for finding in findings(text) {
        if !rules.contains(&finding.rule) {
            rules.push(finding.rule);
        }
    }
    rules
}

#[test]
fn the_inf_keeps_every_rule() {
    let findings: Vec<_> = findings(SOURCE).iter().map(Finding::to_string).collect();
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn each_mutation_breaks_its_rules_and_no_other() {
    for mutation in mutations::all() {
        assert!(SOURCE.contains(mutation.from), "not in the INF: {:?}", mutation.from);
        let text = SOURCE.replace(mutation.from, mutation.to);
        assert_eq!(
            rules(&text),
            mutation.breaks,
            "{:?} for {:?}",
            mutation.to,
            mutation.from
        );
    }
}

#[test]
fn every_rule_has_a_mutation() {
    let broken: Vec<_> = mutations::all().flat_map(|mutation| mutation.breaks).collect();
    let untested = Rule::ALL.iter().filter(|rule| !broken.contains(rule));
    assert_eq!(untested.collect::<Vec<_>>(), [&Rule::Signature; 0]);
}

#[test]
fn a_setting_that_the_driver_has_and_the_inf_lacks_is_noticed() {
    let mut contract = contract();
    contract.settings.push(Setting {
        name: "Another",
        default: 1,
    });
    let found = check(&Inf::read(SOURCE).expect("an INF"), &contract);
    assert_eq!(
        found.iter().map(|finding| finding.rule).collect::<Vec<_>>(),
        [Rule::Settings]
    );
}

#[test]
fn users_who_need_only_read_get_only_that() {
    let contract = Contract {
        access: 1,
        ..contract()
    };
    let found = check(&Inf::read(SOURCE).expect("an INF"), &contract);
    assert_eq!(
        found.iter().map(|finding| finding.rule).collect::<Vec<_>>(),
        [Rule::Security]
    );
}
