//! The driver's framework settings: `Parameters\Wdf` below its service key.

use crate::kmdf::{self, registry};

/// Reads what the framework keeps of them, when the driver binds.
pub(crate) fn read_settings() {
    let path = kmdf::state(|s| s.driver.registry_path());
    let on = registry::read_ulong(path, r"\Parameters\Wdf", "VerifierOn");
    kmdf::state(|s| s.driver.set_verifier_on(on.is_some_and(|value| value != 0)));
}
