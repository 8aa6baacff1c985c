//! The version resource: blocks within blocks, each with a key, a value and more blocks.

/// Keys may be longer in theory; those of a version resource are not.
const LONGEST_KEY: usize = 64;
const VS_FFI_SIGNATURE: u32 = 0xFEEF_04BD;

/// What a version resource says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionFacts {
    /// The file's version.
    pub file_version: [u16; 4],
    /// The product's version.
    pub product_version: [u16; 4],
    /// `FileVersion`, as text.
    pub file_version_text: Option<String>,
    /// `ProductName`.
    pub product_name: Option<String>,
    /// `OriginalFilename`.
    pub original_name: Option<String>,
}

impl VersionFacts {
    /// Reads a `VS_VERSIONINFO` block.
    pub fn read(resource: &[u8]) -> Option<Self> {
        let root = Blocks(resource).find(|block| block.key == "VS_VERSION_INFO")?;
        let fixed: Vec<_> = root
            .value
            .as_chunks::<4>()
            .0
            .iter()
            .map(|word| u32::from_le_bytes(*word))
            .collect();
        let [VS_FFI_SIGNATURE, _, file_high, file_low, product_high, product_low, ..] = *fixed else {
            return None;
        };
        let strings = Blocks(root.children).find(|block| block.key == "StringFileInfo")?;
        let table = Blocks(strings.children).next()?;
        let text = |key: &str| Some(Blocks(table.children).find(|block| block.key == key)?.text());
        Some(Self {
            file_version: four_parts(file_high, file_low),
            product_version: four_parts(product_high, product_low),
            file_version_text: text("FileVersion"),
            product_name: text("ProductName"),
            original_name: text("OriginalFilename"),
        })
    }
}

fn four_parts(high: u32, low: u32) -> [u16; 4] {
    [high >> 16, high & 0xFFFF, low >> 16, low & 0xFFFF].map(|part| part as u16)
}

/// A block.
struct Block<'a> {
    key: String,
    value: &'a [u8],
    children: &'a [u8],
}

impl Block<'_> {
    fn text(&self) -> String {
        let words = self
            .value
            .as_chunks::<2>()
            .0
            .iter()
            .map(|word| u16::from_le_bytes(*word));
        String::from_utf16_lossy(&words.take_while(|&word| word != 0).collect::<Vec<_>>())
    }
}

/// The blocks in bytes that begin with one; each begins on a multiple of four.
struct Blocks<'a>(&'a [u8]);

impl<'a> Iterator for Blocks<'a> {
    type Item = Block<'a>;

    fn next(&mut self) -> Option<Block<'a>> {
        let length = usize::from(u16_at(self.0, 0)?);
        let block = self.0.get(..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        let unit = if u16_at(block, 4)? == 1 { 2 } else { 1 };
        let value_length = usize::from(u16_at(block, 2)?) * unit;
        let key = block
            .get(6..)?
            .as_chunks::<2>()
            .0
            .iter()
            .map(|word| u16::from_le_bytes(*word));
        let key: Vec<_> = key.take(LONGEST_KEY).take_while(|&word| word != 0).collect();
        let value = (6 + 2 * (key.len() + 1)).next_multiple_of(4);
        let children = (value + value_length).next_multiple_of(4);
        Some(Block {
            key: String::from_utf16_lossy(&key),
            value: block.get(value..value + value_length).unwrap_or_default(),
            children: block.get(children..).unwrap_or_default(),
        })
    }
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(offset..offset + 2)?.try_into().ok()?))
}
