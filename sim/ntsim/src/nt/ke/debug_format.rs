//! The formats of debugger messages: the directives of `printf` that kernel code uses, without floating point.

use super::debug_print::text;
use core::ffi::c_char;
use wdk_sys::{UNICODE_STRING, WCHAR};

/// The longest wide text that is shown, in units.
const LONGEST_WIDE: usize = 256;

/// The values behind a format.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arguments<'a>(&'a [usize]);

impl<'a> Arguments<'a> {
    pub(super) fn new(values: &'a [usize]) -> Self {
        Self(values)
    }

    fn next(&mut self) -> Option<usize> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }
}

/// One directive: `%`, flags, width, size, kind.
#[derive(Debug, Default, PartialEq, Eq)]
struct Directive {
    zeros: bool,
    left: bool,
    alternate: bool,
    width: usize,
    size: Size,
    kind: u8,
}

/// How much of a value counts, or how wide the units of a text are.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Size {
    #[default]
    Int,
    Long64,
    Wide,
}

/// Fills a format in. A directive that is not known, or for which there is no value any more, stands as it is.
///
/// # Safety
/// The values are what the format's directives say; texts among them are readable.
pub(super) unsafe fn format(format: &[u8], mut arguments: Arguments<'_>) -> String {
    let mut out = String::new();
    let mut rest = format;
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        out.push_str(&String::from_utf8_lossy(&rest[..at]));
        let (directive, length) = parse(&rest[at + 1..]);
        let written = &rest[at..(at + 1 + length).min(rest.len())];
        // SAFETY: passed on from the caller.
        match unsafe { fill(&directive, &mut arguments) } {
            Some(text) => out.push_str(&pad(&directive, &text)),
            None => out.push_str(&String::from_utf8_lossy(written)),
        }
        rest = &rest[at + written.len()..];
    }
    out.push_str(&String::from_utf8_lossy(rest));
    out
}

/// Reads a directive behind its percent sign, and says how long it is.
fn parse(text: &[u8]) -> (Directive, usize) {
    let mut directive = Directive::default();
    let mut at = 0;
    let peek = |at: usize| text.get(at).copied().unwrap_or(0);
    loop {
        match peek(at) {
            b'0' => directive.zeros = true,
            b'-' => directive.left = true,
            b'#' => directive.alternate = true,
            b'+' | b' ' => {}
            _ => break,
        }
        at += 1;
    }
    while peek(at).is_ascii_digit() {
        directive.width = (directive.width * 10 + usize::from(peek(at) - b'0')).min(LONGEST_WIDE);
        at += 1;
    }
    for (sizes, size) in [
        (&b"I64"[..], Size::Long64),
        (b"ll", Size::Long64),
        (b"l", Size::Int),
        (b"w", Size::Wide),
        (b"z", Size::Long64),
        (b"h", Size::Int),
    ] {
        if text[at.min(text.len())..].starts_with(sizes) {
            directive.size = size;
            at += sizes.len();
            if sizes == b"l" && matches!(peek(at), b's' | b'c') {
                directive.size = Size::Wide;
            }
            break;
        }
    }
    directive.kind = peek(at);
    let length = if directive.kind == 0 { at } else { at + 1 };
    (directive, length)
}

/// # Safety
/// As for [`format`].
unsafe fn fill(directive: &Directive, arguments: &mut Arguments<'_>) -> Option<String> {
    if directive.kind == b'%' {
        return Some("%".to_owned());
    }
    if !b"diuxXpcsSZ".contains(&directive.kind) {
        return None;
    }
    let value = arguments.next()?;
    let bits = match directive.size {
        Size::Long64 => value as u64,
        Size::Int | Size::Wide => u64::from(value as u32),
    };
    let prefix = if directive.alternate { "0x" } else { "" };
    Some(match (directive.kind, directive.size) {
        (b'd' | b'i', Size::Long64) => bits.cast_signed().to_string(),
        (b'd' | b'i', _) => (bits as u32).cast_signed().to_string(),
        (b'u', _) => bits.to_string(),
        (b'x', _) => format!("{prefix}{bits:x}"),
        (b'X', _) => format!("{prefix}{bits:X}"),
        (b'p', _) => format!("{value:016X}"),
        (b'c', _) => char::from(value as u8).to_string(),
        // SAFETY: the directive says that the value is a counted wide text.
        (b'Z', _) => unsafe { counted(core::ptr::with_exposed_provenance(value)) },
        // SAFETY: the directive says that the value is a wide text.
        (b'S', _) | (b's', Size::Wide) => unsafe { wide(core::ptr::with_exposed_provenance(value)) },
        // SAFETY: the directive says that the value is a text.
        _ => unsafe { narrow(core::ptr::with_exposed_provenance(value)) },
    })
}

fn pad(directive: &Directive, text: &str) -> String {
    let width = directive.width;
    match (directive.left, directive.zeros) {
        (true, _) => format!("{text:<width$}"),
        (false, true) => format!("{text:0>width$}"),
        (false, false) => format!("{text:>width$}"),
    }
}

/// # Safety
/// The text is null, or readable up to its zero.
unsafe fn narrow(start: *const c_char) -> String {
    if start.is_null() {
        return "(null)".to_owned();
    }
    // SAFETY: passed on from the caller.
    String::from_utf8_lossy(&unsafe { text(start) }).into_owned()
}

/// # Safety
/// The text is null, or readable up to its zero.
unsafe fn wide(start: *const WCHAR) -> String {
    if start.is_null() {
        return "(null)".to_owned();
    }
    let unit = |at: usize| {
        // SAFETY: no unit before this one was zero, so the text does not end before it.
        unsafe { start.wrapping_add(at).read() }
    };
    let units: Vec<_> = (0..LONGEST_WIDE).map(unit).take_while(|unit| *unit != 0).collect();
    String::from_utf16_lossy(&units)
}

/// # Safety
/// The text is null, or valid.
unsafe fn counted(text: *const UNICODE_STRING) -> String {
    if text.is_null() {
        return "(null)".to_owned();
    }
    // SAFETY: passed on from the caller.
    let text = unsafe { text.read() };
    let length = usize::from(text.Length / 2).min(LONGEST_WIDE);
    let unit = |at: usize| {
        // SAFETY: within the length of a valid text.
        unsafe { text.Buffer.wrapping_add(at).read() }
    };
    String::from_utf16_lossy(&(0..length).map(unit).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::{Arguments, format};

    fn shown(text: &str, values: &[usize]) -> String {
        // SAFETY: the tests pass what their formats name.
        unsafe { format(text.as_bytes(), Arguments::new(values)) }
    }

    #[test]
    fn numbers_have_the_size_that_the_directive_says() {
        assert_eq!(
            shown("%d %u %x", &[usize::MAX, usize::MAX, 0x1_0000_00FF]),
            "-1 4294967295 ff"
        );
        assert_eq!(shown("%lld %I64X", &[usize::MAX, usize::MAX]), "-1 FFFFFFFFFFFFFFFF");
        assert_eq!(
            shown("[%5d] [%-5d] [%05d] %#x", &[42, 42, 42, 42]),
            "[   42] [42   ] [00042] 0x2a"
        );
    }

    #[test]
    fn texts_are_followed() {
        let text = c"text".as_ptr().expose_provenance();
        let wide: Vec<u16> = "wide\0".encode_utf16().collect();
        let values = [text, wide.as_ptr().expose_provenance(), 0, usize::from(b'x')];
        assert_eq!(shown("%s %ws %s %c%%", &values), "text wide (null) x%");
    }

    #[test]
    fn what_is_not_known_stands_as_it_is() {
        assert_eq!(shown("%q %d %d", &[1]), "%q 1 %d");
        assert_eq!(shown("100%", &[]), "100%");
        assert_eq!(shown("%08ll", &[]), "%08ll");
    }
}
