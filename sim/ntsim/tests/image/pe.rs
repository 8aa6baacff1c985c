//! Makes miniature driver images: code that is assembled here, in a PE file that is written here.

use iced_x86::{Code, IcedError, Instruction, MemoryOperand, Register, code_asm::CodeAssembler};
use kernel_image::{checksum, checksum_offset};
use object::{
    pe,
    write::pe::{NtHeaders, SectionRange, Writer},
};

/// Where sections lie: the layout is fixed, so that code can be assembled before the file is written.
pub const TEXT: u64 = 0x1000;
pub const DATA: u64 = 0x2000;
pub const READ_ONLY: u64 = 0x3000;
pub const INIT: u64 = 0x4000;
/// The address that the linker of these images assumes.
pub const BASE: u64 = 0x1_4000_0000;
/// Import address table: slot `n` is at `IAT + 8 n`.
pub const IAT: u64 = READ_ONLY;
/// Behind the import address table in the read-only section.
const DIRECTORY: usize = 0x100;

const CODE: u32 = pe::IMAGE_SCN_CNT_CODE | pe::IMAGE_SCN_MEM_READ | pe::IMAGE_SCN_MEM_EXECUTE;

/// A miniature image.
pub struct Mini {
    pub machine: u16,
    pub subsystem: u16,
    /// Characteristics of the file.
    pub flags: u16,
    pub entry: u64,
    /// Section `.text`.
    pub code: Vec<u8>,
    /// Flags of section `.text`.
    pub code_flags: u32,
    /// Section `INIT`.
    pub init: Vec<u8>,
    /// Section `.data`, at most a page.
    pub data: Vec<u8>,
    /// Places with a pointer, and the kind of relocation there.
    pub relocations: Vec<(u32, u16)>,
    /// How often the first import stands in its list, and the list in the directory; 0 for images as linkers make them.
    pub repeated: usize,
    /// Image and function, each in a slot of its own.
    pub imports: Vec<(&'static str, &'static str)>,
}

impl Default for Mini {
    fn default() -> Self {
        Self {
            machine: pe::IMAGE_FILE_MACHINE_AMD64,
            subsystem: pe::IMAGE_SUBSYSTEM_NATIVE,
            flags: pe::IMAGE_FILE_EXECUTABLE_IMAGE | pe::IMAGE_FILE_LARGE_ADDRESS_AWARE,
            entry: TEXT,
            code: Vec::new(),
            code_flags: CODE,
            init: Vec::new(),
            data: Vec::new(),
            relocations: Vec::new(),
            repeated: 0,
            imports: Vec::new(),
        }
    }
}

/// Assembles code that lies at a place of the image.
pub fn assemble(place: u64, write: impl FnOnce(&mut CodeAssembler) -> Result<(), IcedError>) -> Vec<u8> {
    let mut code = CodeAssembler::new(64).expect("64-bit code");
    write(&mut code).expect("valid operands");
    code.assemble(BASE + place).expect("the code can be encoded")
}

/// Memory at an address of the image, wherever it is loaded.
fn relative(address: u64) -> MemoryOperand {
    MemoryOperand::with_base_displ(Register::RIP, address.cast_signed())
}

/// Loads an address of the image into a register.
pub fn address(code: &mut CodeAssembler, register: Register, address: u64) -> Result<(), IcedError> {
    code.add_instruction(Instruction::with2(Code::Lea_r64_m, register, relative(address))?)
}

/// Calls through a pointer in the image.
pub fn call_through(code: &mut CodeAssembler, pointer: u64) -> Result<(), IcedError> {
    code.add_instruction(Instruction::with1(Code::Call_rm64, relative(pointer))?)
}

/// Jumps through a pointer in the image.
pub fn jump_through(code: &mut CodeAssembler, pointer: u64) -> Result<(), IcedError> {
    code.add_instruction(Instruction::with1(Code::Jmp_rm64, relative(pointer))?)
}

impl Mini {
    /// An image whose entry point, at the start of `.text`, is this code.
    pub fn new(write: impl FnOnce(&mut CodeAssembler) -> Result<(), IcedError>) -> Self {
        Self {
            code: assemble(TEXT, write),
            ..Self::default()
        }
    }

    /// The file.
    pub fn file(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(true, 0x1000, 0x200, &mut bytes);
        writer.reserve_dos_header_and_stub();
        writer.reserve_nt_headers(16);
        writer.reserve_section_headers(5);
        let data_flags = pe::IMAGE_SCN_CNT_INITIALIZED_DATA | pe::IMAGE_SCN_MEM_READ;
        let read_only = self.read_only();
        let sections: [(&[u8; 8], u32, &[u8]); 4] = [
            (b".text\0\0\0", self.code_flags, &self.code),
            (b".data\0\0\0", data_flags | pe::IMAGE_SCN_MEM_WRITE, &self.data),
            (b".rdata\0\0", data_flags, &read_only),
            (b"INIT\0\0\0\0", CODE | pe::IMAGE_SCN_MEM_DISCARDABLE, &self.init),
        ];
        let ranges = sections
            .map(|(name, flags, content)| writer.reserve_section(*name, flags, 0x1000, content.len().max(1) as u32));
        let places = ranges.each_ref().map(|range| u64::from(range.virtual_address));
        assert_eq!(
            places,
            [TEXT, DATA, READ_ONLY, INIT],
            "the layout is the one that code relies on"
        );
        for (place, kind) in &self.relocations {
            writer.add_reloc(*place, *kind);
        }
        let relocations = writer.has_relocs();
        if relocations {
            writer.reserve_reloc_section();
        } else {
            writer.reserve_section(*b".none\0\0\0", data_flags, 0x1000, 1);
        }
        if !self.imports.is_empty() {
            writer.set_data_directory(
                pe::IMAGE_DIRECTORY_ENTRY_IMPORT,
                READ_ONLY as u32 + self.directory() as u32,
                20 * (self.imports.len() as u32 + 1),
            );
        }
        writer.write_dos_header_and_stub().expect("the header was reserved");
        writer.write_nt_headers(self.headers());
        writer.write_section_headers();
        for ((_, _, content), range) in sections.iter().zip(&ranges) {
            write_section(&mut writer, range, content);
        }
        if relocations {
            writer.write_reloc_section();
        }
        let length = writer.reserved_len();
        drop(writer);
        bytes.resize(length as usize, 0);
        fix_checksum(&mut bytes);
        bytes
    }

    fn headers(&self) -> NtHeaders {
        NtHeaders {
            machine: self.machine,
            time_date_stamp: 0,
            characteristics: self.flags,
            major_linker_version: 14,
            minor_linker_version: 0,
            address_of_entry_point: self.entry as u32,
            image_base: BASE,
            major_operating_system_version: 10,
            minor_operating_system_version: 0,
            major_image_version: 0,
            minor_image_version: 0,
            major_subsystem_version: 10,
            minor_subsystem_version: 0,
            subsystem: self.subsystem,
            dll_characteristics: 0,
            size_of_stack_reserve: 0x100000,
            size_of_stack_commit: 0x1000,
            size_of_heap_reserve: 0x100000,
            size_of_heap_commit: 0x1000,
        }
    }

    /// The import address table, the directory, and the names.
    fn read_only(&self) -> Vec<u8> {
        if self.repeated > 0 {
            return self.repeated_imports();
        }
        let mut section = vec![0; 0x1000];
        let mut names = DIRECTORY + 20 * (self.imports.len() + 1);
        let mut put = |place: usize, bytes: &[u8]| section[place..place + bytes.len()].copy_from_slice(bytes);
        for (index, (module, function)) in self.imports.iter().enumerate() {
            // Two slots each: the function, and the end of the image's list.
            let slot = 16 * index;
            let hint = names;
            put(hint + 2, function.as_bytes());
            let module_name = hint + 2 + function.len() + 1;
            put(module_name, module.as_bytes());
            names = (module_name + module.len() + 2) & !1;
            put(slot, &(READ_ONLY + hint as u64).to_le_bytes());
            let descriptor = DIRECTORY + 20 * index;
            let table = (READ_ONLY as u32 + slot as u32).to_le_bytes();
            put(descriptor, &table);
            put(descriptor + 12, &(READ_ONLY as u32 + module_name as u32).to_le_bytes());
            put(descriptor + 16, &table);
        }
        section
    }
}

impl Mini {
    /// Where in the read-only section the import directory is.
    fn directory(&self) -> usize {
        match self.repeated {
            0 => DIRECTORY,
            times => 8 * (times + 1),
        }
    }

    /// A list of slots, a directory that leads to it over and over, and the names.
    fn repeated_imports(&self) -> Vec<u8> {
        let (module, function) = self.imports[0];
        let hint = self.directory() + 20 * (self.repeated + 1);
        let name = hint + 2 + function.len() + 1;
        let mut section = vec![0; 0x1000];
        let mut put = |place: usize, bytes: &[u8]| section[place..place + bytes.len()].copy_from_slice(bytes);
        put(hint + 2, function.as_bytes());
        put(name, module.as_bytes());
        for index in 0..self.repeated {
            put(8 * index, &(READ_ONLY + hint as u64).to_le_bytes());
            let descriptor = self.directory() + 20 * index;
            put(descriptor, &(READ_ONLY as u32).to_le_bytes());
            put(descriptor + 12, &(READ_ONLY as u32 + name as u32).to_le_bytes());
            put(descriptor + 16, &(READ_ONLY as u32).to_le_bytes());
        }
        section
    }
}

/// The slot of the n-th import, as an address in the image.
pub fn slot(import: u64) -> u64 {
    BASE + IAT + 16 * import
}

fn write_section(writer: &mut Writer<'_>, range: &SectionRange, content: &[u8]) {
    if range.file_size > 0 {
        let mut padded = content.to_vec();
        padded.resize(content.len().max(1), 0);
        writer.write_section(range.file_offset, &padded);
    }
}

/// Stores the right checksum, as a linker does.
pub fn fix_checksum(bytes: &mut [u8]) {
    let (Some(offset), Some(sum)) = (checksum_offset(bytes), checksum(bytes)) else {
        return;
    };
    bytes[offset..offset + 4].copy_from_slice(&sum.to_le_bytes());
}
