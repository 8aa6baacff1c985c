//! Names in the encoding of the kernel, made at compile time.

use wdk_sys::UNICODE_STRING;

/// A name of ASCII characters in UTF-16, for the kernel to read. Made by [`name!`](crate::name!).
#[derive(Clone, Copy, Debug)]
pub struct Name(&'static [u16]);

impl Name {
    /// The name of these UTF-16 units.
    pub const fn new(units: &'static [u16]) -> Self {
        assert!(units.len() < 0x4000, "a UNICODE_STRING counts bytes in 16 bits");
        Self(units)
    }

    /// The kernel's description of the name. The kernel only reads through it.
    pub(crate) fn unicode_string(self) -> UNICODE_STRING {
        let bytes = (self.0.len() * 2) as u16;
        UNICODE_STRING {
            Length: bytes,
            MaximumLength: bytes,
            Buffer: self.0.as_ptr().cast_mut(),
        }
    }
}

/// A [`Name`] from a literal.
#[macro_export]
macro_rules! name {
    ($text:literal) => {{
        const UNITS: [u16; $text.len()] = $crate::encode_ascii($text);
        const NAME: $crate::Name = $crate::Name::new(&UNITS);
        NAME
    }};
}

/// The UTF-16 units of an ASCII text of `N` bytes. Used by [`name!`](crate::name!); fails the build for other characters.
pub const fn encode_ascii<const N: usize>(text: &str) -> [u16; N] {
    let bytes = text.as_bytes();
    assert!(bytes.len() == N && text.is_ascii());
    let mut units = [0; N];
    let mut at = 0;
    while at < N {
        units[at] = bytes[at] as u16;
        at += 1;
    }
    units
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_counts_bytes_without_a_terminator() {
        let string = name!("MaxSteps").unicode_string();
        assert_eq!((string.Length, string.MaximumLength), (16, 16));
        assert_eq!(super::encode_ascii::<3>("abc"), [0x61, 0x62, 0x63]);
    }
}
