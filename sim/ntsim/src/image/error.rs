//! Why an image cannot be loaded.

/// Why an image cannot be loaded. Each message begins with the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The file cannot be read.
    #[error("{file}: cannot be read: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system says.
        reason: String,
    },
    /// The file is not a PE image, is truncated, or contradicts itself.
    #[error("{file}: not a whole PE image: {reason}")]
    Malformed {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The image is for another processor.
    #[error("{file}: made for {machine}; this machine runs x86-64 images")]
    Machine {
        /// The file.
        file: String,
        /// The processor that it was made for.
        machine: String,
    },
    /// The image is a program, not a driver.
    #[error("{file}: its subsystem is {subsystem}; a driver has subsystem 1 (native)")]
    Subsystem {
        /// The file.
        file: String,
        /// The subsystem in its header.
        subsystem: u16,
    },
    /// The checksum in the header is not that of the file.
    #[error(
        "{file}: its checksum is {stored:#010x}, but its bytes add up to {computed:#010x}: it was changed after it was linked, or linked without /RELEASE"
    )]
    Checksum {
        /// The file.
        file: String,
        /// The checksum in its header.
        stored: u32,
        /// That of its bytes.
        computed: u32,
    },
    /// A section could be written and executed.
    #[error("{file}: section {section} is writable and executable")]
    WritableCode {
        /// The file.
        file: String,
        /// The section.
        section: String,
    },
    /// The image imports what Windows does not export.
    #[error("{file}: imports {name} from {module}, which does not export it")]
    NoSuchExport {
        /// The file.
        file: String,
        /// The image that should export it.
        module: String,
        /// The function or variable.
        name: String,
    },
    /// The image imports from something that a driver may not link to.
    #[error("{file}: imports from {module}, which is no kernel image that this machine has")]
    NoSuchModule {
        /// The file.
        file: String,
        /// The image that it names.
        module: String,
    },
    /// The image imports a variable of the kernel, which the simulator does not have.
    #[error("{file}: imports {name}, a variable of {module} that is not simulated")]
    NoSuchVariable {
        /// The file.
        file: String,
        /// The image that exports it.
        module: String,
        /// The variable.
        name: String,
    },
    /// The image must be signed and is not.
    #[error("{file}: carries no signature, and this machine loads only signed drivers")]
    Unsigned {
        /// The file.
        file: String,
    },
    /// The digest that was signed is not that of these bytes, or the signature is none.
    #[error("{file}: its signature does not hold: {reason}")]
    Signature {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The framework does not have the version that the driver was built for.
    #[error("{file}: {reason}")]
    Framework {
        /// The file.
        file: String,
        /// What it asked for, and what there is.
        reason: String,
    },
}
