//! Names of the driver package.

/// The service, and so the folder of its registry key.
pub const SERVICE: &str = "hawser";
/// The driver's image.
pub const IMAGE: &str = "hawser.sys";
