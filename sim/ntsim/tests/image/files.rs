//! Files that are no drivers, or that somebody changed: each is refused with a reason, and nothing ever panics.

use crate::pe::{Mini, TEXT, fix_checksum};
use iced_x86::code_asm::*;
use kernel_image::checksum_offset;
use ntsim::image::{Image, ImageError, Signing};
use object::pe;
use proptest::prelude::*;

/// A driver that does nothing.
pub fn idle() -> Mini {
    Mini::new(|code| {
        code.xor(eax, eax)?;
        code.ret()
    })
}

fn refusal(bytes: &[u8]) -> ImageError {
    Image::from_bytes("some/where/mini.sys", bytes, Signing::Optional).expect_err("the image is refused")
}

/// The message, after the file that each begins with.
fn message(bytes: &[u8]) -> String {
    let message = refusal(bytes).to_string();
    let rest = message.strip_prefix("some/where/mini.sys: ");
    rest.unwrap_or_else(|| panic!("the message names no file: {message}"))
        .to_owned()
}

#[test]
fn a_whole_image_is_accepted() {
    let image = Image::from_bytes("some/where/mini.sys", &idle().file(), Signing::Optional).expect("it is whole");
    assert_eq!(image.name(), "mini.sys");
}

#[test]
fn a_file_that_is_no_image() {
    assert!(message(b"").contains("not a whole PE image"));
    assert!(message(&[b'M', b'Z', 0, 0]).contains("not a whole PE image"));
    assert!(message(&[0x7F; 5000]).contains("not a whole PE image"));
}

#[test]
fn a_truncated_image() {
    let whole = idle().file();
    for length in (0..whole.len()).step_by(16) {
        let mut bytes = whole[..length].to_vec();
        fix_checksum(&mut bytes);
        let error = refusal(&bytes);
        assert!(
            matches!(error, ImageError::Malformed { .. } | ImageError::Checksum { .. }),
            "{length} bytes: {error}"
        );
    }
}

#[test]
fn an_image_for_another_processor() {
    for (machine, name) in [
        (pe::IMAGE_FILE_MACHINE_ARM64, "ARM64"),
        (pe::IMAGE_FILE_MACHINE_I386, "32-bit x86"),
        (0x1234, "machine type 0x1234"),
    ] {
        let file = Mini { machine, ..idle() }.file();
        assert_eq!(
            message(&file),
            format!("made for {name}; this machine runs x86-64 images")
        );
    }
}

#[test]
fn an_image_that_cannot_be_moved_or_was_not_linked_completely() {
    let whole = idle().flags;
    for flags in [
        whole | pe::IMAGE_FILE_RELOCS_STRIPPED,
        whole & !pe::IMAGE_FILE_EXECUTABLE_IMAGE,
    ] {
        let file = Mini { flags, ..idle() }.file();
        assert!(message(&file).contains("not linked completely, or that it cannot be moved"));
    }
}

/// The place in the file of a field of the n-th section header.
fn section_field(file: &[u8], section: usize, field: usize) -> usize {
    let optional_header = checksum_offset(file).expect("a header") - 64;
    optional_header + 240 + 40 * section + field
}

#[test]
fn sections_that_do_not_follow_each_other() {
    for (field, value, reason) in [
        (12, 0x9000_u32, "right behind the one before it"),
        (8, 0, "has no size in memory"),
    ] {
        let mut file = idle().file();
        let place = section_field(&file, 1, field);
        file[place..place + 4].copy_from_slice(&value.to_le_bytes());
        fix_checksum(&mut file);
        assert!(message(&file).contains(reason), "{}", message(&file));
    }
}

#[test]
fn imports_without_end() {
    // One list of 130 functions, and 130 descriptors that all lead to it.
    let mini = Mini {
        repeated: 130,
        imports: vec![("ntoskrnl.exe", "KeSetEvent")],
        ..idle()
    };
    assert!(message(&mini.file()).contains("it has more than 16384 imports"));
}

#[test]
fn a_program() {
    let file = Mini {
        subsystem: pe::IMAGE_SUBSYSTEM_WINDOWS_CUI,
        ..idle()
    }
    .file();
    assert_eq!(message(&file), "its subsystem is 3; a driver has subsystem 1 (native)");
}

#[test]
fn a_file_that_was_changed() {
    let mut file = idle().file();
    let last = file.len() - 1;
    file[last] ^= 1;
    assert!(message(&file).contains("it was changed after it was linked"));
}

#[test]
fn a_file_without_a_checksum() {
    let mut file = idle().file();
    let offset = checksum_offset(&file).expect("it has a place for one");
    file[offset..offset + 4].fill(0);
    assert!(message(&file).contains("linked without /RELEASE"));
}

#[test]
fn code_that_can_be_written() {
    let mini = idle();
    let code_flags = mini.code_flags | pe::IMAGE_SCN_MEM_WRITE;
    let file = Mini { code_flags, ..mini }.file();
    assert!(message(&file).ends_with("is writable and executable"));
}

#[test]
fn an_entry_point_that_is_no_code() {
    for entry in [0, crate::pe::DATA, 0x10_0000] {
        let file = Mini { entry, ..idle() }.file();
        assert!(message(&file).contains("its entry point"), "{entry:#x}");
    }
}

#[test]
fn a_relocation_outside_the_image() {
    for place in [0x10_0000, 0x5FFA] {
        let relocations = vec![(place, pe::IMAGE_REL_BASED_DIR64)];
        let file = Mini { relocations, ..idle() }.file();
        assert!(message(&file).contains("outside the image"), "{place:#x}");
    }
}

#[test]
fn a_relocation_of_another_kind() {
    let relocations = vec![(TEXT as u32, pe::IMAGE_REL_BASED_HIGHLOW)];
    let file = Mini { relocations, ..idle() }.file();
    assert!(message(&file).contains("it has a relocation of type 3"));
}

#[test]
fn an_import_that_does_not_exist() {
    let with = |module, name| {
        Mini {
            imports: vec![(module, name)],
            ..idle()
        }
        .file()
    };
    assert_eq!(
        message(&with("ntoskrnl.exe", "KeDoWhatIMean")),
        "imports KeDoWhatIMean from ntoskrnl.exe, which does not export it"
    );
    assert_eq!(
        message(&with("kernel32.dll", "CreateFileW")),
        "imports from kernel32.dll, which is no kernel image that this machine has"
    );
    assert_eq!(
        message(&with("ntoskrnl.exe", "MmHighestUserAddress")),
        "imports MmHighestUserAddress, a variable of ntoskrnl.exe that is not simulated"
    );
    let elsewhere = with("HAL.dll", "KeSetEvent");
    assert!(message(&elsewhere).contains("which does not export it"));
}

#[test]
fn a_file_that_is_not_there() {
    let error = Image::open("no/such/driver.sys".as_ref(), Signing::Optional).expect_err("there is none");
    assert!(matches!(error, ImageError::Unreadable { .. }), "{error}");
    assert!(error.to_string().starts_with("no/such/driver.sys: cannot be read"));
}

proptest! {
    /// However a file is changed, reading it ends with an image or a reason.
    #[test]
    fn any_change_is_survived(changes in proptest::collection::vec((0usize..0x600, any::<u8>()), 1..8)) {
        let mini = Mini {
            imports: vec![("ntoskrnl.exe", "KeSetEvent"), ("HAL.dll", "KeStallExecutionProcessor")],
            relocations: vec![(TEXT as u32 + 16, pe::IMAGE_REL_BASED_DIR64)],
            ..idle()
        };
        let mut file = mini.file();
        for (place, byte) in changes {
            let place = place % file.len();
            file[place] = byte;
        }
        fix_checksum(&mut file);
        let _ = Image::from_bytes("mini.sys", &file, Signing::Optional);
    }
}
