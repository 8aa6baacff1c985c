//! Images of the driver that were changed so that they load but cannot run: the file and the reason are told, and the process goes on.

use hawser_machine::{DriverForm, Image, Signing, SimConfig, SimPc};
use kernel_image::{checksum, checksum_offset};

/// The image with some bytes replaced by others; nothing where no image was given.
fn changed(from: &[u8], to: &[u8]) -> Option<DriverForm> {
    let Some(image) = crate::common::image() else {
        println!("SKIPPED: no image of the driver was given, so none was changed");
        return None;
    };
    let mut bytes = std::fs::read(image.file()).expect("the image is there");
    let place = bytes
        .windows(from.len())
        .position(|found| found == from)
        .expect("the image has these bytes");
    bytes[place..place + to.len()].copy_from_slice(to);
    let (offset, sum) = (
        checksum_offset(&bytes).expect("a place"),
        checksum(&bytes).expect("a sum"),
    );
    bytes[offset..offset + 4].copy_from_slice(&sum.to_le_bytes());
    let image = Image::from_bytes("changed/hawser.sys", &bytes, Signing::Optional).expect("it can be loaded");
    Some(DriverForm::Image(image))
}

fn refusal(driver: DriverForm) -> String {
    let config = SimConfig {
        driver,
        ..SimConfig::default()
    };
    SimPc::start(&config).expect_err("the driver does not load").to_string()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn a_version_of_the_framework_that_this_machine_does_not_have() {
    let version = |minor: u32| [1_u32, minor, 0].map(u32::to_le_bytes).concat();
    if let Some(driver) = changed(&version(31), &version(99)) {
        let message = refusal(driver);
        assert!(
            message.starts_with("changed/hawser.sys: it was built for KMDF 1.99"),
            "{message}"
        );
    }
    crate::common::stop(crate::common::start(hawser_machine::MemoryModel::Iommu));
}

#[test]
fn a_framework_that_is_another() {
    if let Some(driver) = changed(&utf16("KmdfLibrary"), &utf16("UmdfLibrary")) {
        let message = refusal(driver);
        assert!(
            message.starts_with("changed/hawser.sys: it asks for a framework that is not KMDF"),
            "{message}"
        );
    }
    crate::common::stop(crate::common::start(hawser_machine::MemoryModel::Iommu));
}

/// The image with other code at its entry point.
fn with_entry(code: &[u8]) -> Option<DriverForm> {
    let image = crate::common::image()?;
    let bytes = std::fs::read(image.file()).expect("the image is there");
    let file = object::read::pe::PeFile64::parse(bytes.as_slice()).expect("an image");
    let (section, _) = file.section_table().pe_file_range_at(image.entry()).expect("code");
    let place = section as usize;
    changed(&bytes[place..place + 64], code)
}

#[test]
fn an_entry_point_that_fails() {
    // mov eax, STATUS_UNSUCCESSFUL; ret
    if let Some(driver) = with_entry(&[0xB8, 0x01, 0x00, 0x00, 0xC0, 0xC3]) {
        let message = refusal(driver);
        assert_eq!(
            message,
            "changed/hawser.sys did not load: its entry point failed with NTSTATUS 0xc0000001"
        );
    }
}

#[test]
fn an_entry_point_that_traps() {
    // ud2
    if let Some(driver) = with_entry(&[0x0F, 0x0B]) {
        let message = refusal(driver);
        assert!(
            message.contains("`ud2` in hawser.sys") || message.contains("ud2 in hawser.sys"),
            "{message}"
        );
    }
}
