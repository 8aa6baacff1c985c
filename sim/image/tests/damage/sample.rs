//! The driver's image, built for the test, and a copy of it to damage.

use std::path::{Path, PathBuf};
use std::process::Command;

use kernel_image::{AllowList, Expected, Facts, Image, Machine, Report, VersionResource};

/// What `cargo xtask sys` exits with where there is no toolchain that could build the image.
const NO_CROSS_TOOLCHAIN: i32 = 3;

const ABI_DATA: &str = include_str!("../../../wdk-sys/data/nt_imports.json");

/// The version of the workspace, with a fourth part.
fn version() -> [u16; 4] {
    let mut parts = env!("CARGO_PKG_VERSION")
        .split('.')
        .map(|part| part.parse().expect("a number"));
    [(); 4].map(|()| parts.next().unwrap_or_default())
}

/// An image, and what it should be.
pub struct Sample {
    /// For this processor.
    pub machine: Machine,
    image: Vec<u8>,
    symbols: Vec<u8>,
    allowed: AllowList,
}

impl Sample {
    /// Builds the image, unless there is no toolchain for it.
    pub fn build(machine: Machine) -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let arch = machine.to_string();
        let status = Command::new("cargo")
            .args(["xtask", "sys", "--profile", "release", "--arch", &arch])
            .current_dir(&root)
            .status()
            .expect("cargo runs");
        if status.code() == Some(NO_CROSS_TOOLCHAIN) {
            return None;
        }
        assert!(status.success(), "the image for {arch} could not be built");
        let folder: PathBuf = [
            &root,
            Path::new("target/hawser"),
            Path::new(&arch),
            Path::new("release"),
        ]
        .iter()
        .collect();
        let read = |name: &str| std::fs::read(folder.join(name)).expect("the image was built");
        Some(Self {
            machine,
            image: read("hawser.sys"),
            symbols: read("hawser.pdb"),
            allowed: AllowList::from_abi_data(ABI_DATA).expect("the data is complete"),
        })
    }

    /// A copy to damage.
    pub fn copy(&self) -> Copy {
        let image = Image::read(&self.image).expect("the image is whole");
        Copy {
            facts: image.facts().clone(),
            image: self.image.clone(),
            symbols: self.symbols.clone(),
        }
    }

    /// Checks a copy.
    pub fn check(&self, copy: &Copy) -> Result<Report, kernel_image::NotAnImage> {
        let expected = Expected {
            machine: self.machine,
            imports: &self.allowed,
            version: VersionResource {
                product: "Hawser",
                file: "hawser.sys",
                version: version(),
            },
            symbols_name: "hawser.pdb",
            symbols: &copy.symbols,
        };
        kernel_image::check(&copy.image, &expected)
    }
}

/// A copy of an image and its symbols.
pub struct Copy {
    /// What the image said before it was damaged.
    pub facts: Facts,
    /// The image.
    pub image: Vec<u8>,
    /// Its symbols.
    pub symbols: Vec<u8>,
}

impl Copy {
    /// Where something is in the file.
    pub fn offset(&self, address: u32) -> usize {
        let section = self.facts.sections.iter().find(|section| section.contains(address));
        let section = section.expect("the address is in a section");
        (section.file_offset + (address - section.address)) as usize
    }

    /// Where a field of the optional header is in the file.
    pub fn optional_header(&self, field: usize) -> usize {
        kernel_image::checksum_offset(&self.image).expect("the image has headers") - 64 + field
    }

    /// Where the characteristics of the file header are.
    pub fn file_flags(&self) -> usize {
        self.optional_header(0) - 2
    }

    /// Where a field of a section's header is.
    pub fn section_header(&self, name: &str, field: usize) -> usize {
        let index = self.facts.sections.iter().position(|section| section.name == name);
        let first = self.optional_header(240);
        first + index.expect("the section is there") * 40 + field
    }

    /// Where a data directory is.
    pub fn directory(&self, index: usize) -> usize {
        self.optional_header(112 + index * 8)
    }

    /// Where the contents of a data directory are.
    pub fn contents(&self, index: usize) -> usize {
        self.offset(self.facts.directories[index].0)
    }

    /// Where bytes are in the file for the first time.
    pub fn find(&self, bytes: &[u8]) -> usize {
        let found = self.image.windows(bytes.len()).position(|window| window == bytes);
        found.expect("the bytes are there")
    }

    /// Overwrites bytes.
    pub fn put(&mut self, offset: usize, bytes: &[u8]) {
        self.image[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    /// Changes bits of a 16-bit number.
    pub fn flip(&mut self, offset: usize, bits: u16) {
        let [low, high] = bits.to_le_bytes();
        self.image[offset] ^= low;
        self.image[offset + 1] ^= high;
    }

    /// A 32-bit number.
    pub fn u32(&self, offset: usize) -> u32 {
        u32::from_le_bytes(self.image[offset..offset + 4].try_into().expect("four bytes"))
    }

    /// Makes the checksum right again, so that it does not tell of the damage.
    pub fn correct_checksum(&mut self) {
        let sum = kernel_image::checksum(&self.image).expect("the image has headers");
        let offset = kernel_image::checksum_offset(&self.image).expect("the image has headers");
        self.put(offset, &sum.to_le_bytes());
    }
}
