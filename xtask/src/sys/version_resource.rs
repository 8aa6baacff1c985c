//! The image's version resource, written in the form in which a resource compiler hands it to the linker.

use super::target::Profile;

/// What the version resource says; the checks compare the image with it.
pub const VERSION: kernel_image::VersionResource<'static> = kernel_image::VersionResource {
    product: "Hawser",
    file: "hawser.sys",
    version: FOUR_PARTS,
};

/// The package's version with a fourth part, as Windows counts.
pub const FOUR_PARTS: [u16; 4] = [
    number(env!("CARGO_PKG_VERSION_MAJOR")),
    number(env!("CARGO_PKG_VERSION_MINOR")),
    number(env!("CARGO_PKG_VERSION_PATCH")),
    0,
];

/// US English, Unicode: language and code page of the strings.
const LANGUAGE: u16 = 0x0409;
const CODE_PAGE: u16 = 0x04B0;
const RT_VERSION: u16 = 16;
const VS_FFI_SIGNATURE: u32 = 0xFEEF_04BD;
const VS_FF_DEBUG: u32 = 1;
const VOS_NT_WINDOWS32: u32 = 0x0004_0004;
const VFT_DRV: u32 = 3;
const VFT2_DRV_SYSTEM: u32 = 7;

const fn number(text: &str) -> u16 {
    match u16::from_str_radix(text, 10) {
        Ok(number) => number,
        Err(_) => panic!("a version is made of numbers below 65536"),
    }
}

/// The version in the form in which it is shown.
pub fn dotted() -> String {
    FOUR_PARTS.map(|part| part.to_string()).join(".")
}

/// The compiled resource file: an empty first entry, then the version.
pub fn compiled(profile: Profile) -> Vec<u8> {
    let mut out = entry(0, 0, 0, 0, &[]);
    out.extend(entry(RT_VERSION, 1, LANGUAGE, 0x30, &version_info(profile)));
    out
}

/// An entry of a resource file.
fn entry(kind: u16, name: u16, language: u16, memory_flags: u16, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(length(data).to_le_bytes());
    out.extend(0x20_u32.to_le_bytes());
    for word in [0xFFFF, kind, 0xFFFF, name, 0, 0, memory_flags, language, 0, 0, 0, 0] {
        out.extend(word.to_le_bytes());
    }
    out.extend(data);
    align(&mut out);
    out
}

fn version_info(profile: Profile) -> Vec<u8> {
    let strings = [
        ("CompanyName", "The Hawser project"),
        ("FileDescription", "Hawser accelerator driver"),
        ("FileVersion", &dotted()),
        ("InternalName", VERSION.file),
        ("LegalCopyright", "MIT OR Apache-2.0"),
        ("OriginalFilename", VERSION.file),
        ("ProductName", VERSION.product),
        ("ProductVersion", &dotted()),
    ];
    let strings = strings.map(|(key, value)| block(key, &Value::Text(value), &[]));
    let table = block(&format!("{LANGUAGE:04x}{CODE_PAGE:04x}"), &Value::None, &strings);
    let translation = [LANGUAGE.to_le_bytes(), CODE_PAGE.to_le_bytes()].concat();
    let translation = block("Translation", &Value::Binary(&translation), &[]);
    let children = [
        block("StringFileInfo", &Value::None, &[table]),
        block("VarFileInfo", &Value::None, &[translation]),
    ];
    block("VS_VERSION_INFO", &Value::Binary(&fixed_info(profile)), &children)
}

fn fixed_info(profile: Profile) -> Vec<u8> {
    let [major, minor, patch, build] = FOUR_PARTS.map(u32::from);
    let (high, low) = (major << 16 | minor, patch << 16 | build);
    let flags = if profile == Profile::Debug { VS_FF_DEBUG } else { 0 };
    let words = [
        VS_FFI_SIGNATURE,
        0x0001_0000,
        high,
        low,
        high,
        low,
        0x3F,
        flags,
        VOS_NT_WINDOWS32,
        VFT_DRV,
        VFT2_DRV_SYSTEM,
        0,
        0,
    ];
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// What a block holds.
enum Value<'a> {
    None,
    Text(&'a str),
    Binary(&'a [u8]),
}

impl Value<'_> {
    /// The kind, the length in the units of the kind, and the bytes.
    fn parts(&self) -> (u16, usize, Vec<u8>) {
        match self {
            Self::None => (1, 0, Vec::new()),
            Self::Text(text) => {
                let bytes = utf16(text);
                (1, bytes.len() / 2, bytes)
            }
            Self::Binary(bytes) => (0, bytes.len(), bytes.to_vec()),
        }
    }
}

/// A block of a version resource: lengths, kind, key, value, then the blocks inside, each on a multiple of four.
fn block(key: &str, value: &Value<'_>, children: &[Vec<u8>]) -> Vec<u8> {
    let (kind, value_length, bytes) = value.parts();
    let mut out = vec![0, 0];
    out.extend(short(value_length).to_le_bytes());
    out.extend(kind.to_le_bytes());
    out.extend(utf16(key));
    align(&mut out);
    out.extend(bytes);
    for child in children {
        align(&mut out);
        out.extend(child);
    }
    let total = short(out.len()).to_le_bytes();
    out[..2].copy_from_slice(&total);
    out
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

fn align(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}

fn length(data: &[u8]) -> u32 {
    u32::try_from(data.len()).expect("the resource is short")
}

fn short(length: usize) -> u16 {
    u16::try_from(length).expect("the resource is short")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_reader_understands_it() {
        let file = compiled(Profile::Debug);
        assert_eq!(file.len() % 4, 0);
        let info = kernel_image::VersionFacts::read(&file[0x40..]).unwrap();
        assert_eq!(info.file_version, FOUR_PARTS);
        assert_eq!(info.product_version, FOUR_PARTS);
        assert_eq!(info.product_name.as_deref(), Some("Hawser"));
        assert_eq!(info.original_name.as_deref(), Some("hawser.sys"));
    }
}
