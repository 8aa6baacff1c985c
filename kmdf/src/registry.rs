//! The driver's `Parameters` key in the registry.

use wdk_sys::{KEY_READ, WDFDRIVER, WDFKEY, call_unsafe_wdf_function_binding};

use crate::name::Name;
use crate::status::{Result, check};

/// The `Parameters` key of the driver's service, open for reading. `PASSIVE_LEVEL`.
#[derive(Debug)]
pub struct Parameters {
    key: WDFKEY,
}

impl Parameters {
    pub(crate) fn open(driver: WDFDRIVER) -> Result<Self> {
        let mut key = core::ptr::null_mut();
        // SAFETY: the driver object is alive; no attributes are wanted; the pointer leads to a local.
        let status = unsafe {
            call_unsafe_wdf_function_binding!(
                WdfDriverOpenParametersRegistryKey,
                driver,
                KEY_READ,
                core::ptr::null_mut(),
                &raw mut key
            )
        };
        check(status)?;
        Ok(Self { key })
    }

    /// The value of a REG_DWORD; None where there is no such value of this type.
    pub fn number(&self, name: Name) -> Option<u32> {
        let name = name.unicode_string();
        let mut value = 0;
        // SAFETY: the key is open; the pointers lead to locals, and the name to a static.
        let status = unsafe {
            call_unsafe_wdf_function_binding!(WdfRegistryQueryULong, self.key, &raw const name, &raw mut value)
        };
        check(status).ok().map(|()| value)
    }
}

impl Drop for Parameters {
    fn drop(&mut self) {
        // SAFETY: open, and closed once.
        unsafe { call_unsafe_wdf_function_binding!(WdfRegistryClose, self.key) };
    }
}
