//! Counted UTF-16 strings.

use super::text::units;
use crate::mem;
use core::cmp::Ordering;
use wdk_sys::*;

/// The number of units before the terminating zero; a null pointer has none.
fn terminated(source: PCWSTR) -> usize {
    // SAFETY: a caller passes null or a terminated string, and no unit behind the zero is read.
    (0..)
        .find(|at| source.is_null() || unsafe { source.wrapping_add(*at).read() } == 0)
        .unwrap_or(0)
}

/// Upper case, unit by unit, as the kernel compares names.
fn upcase(unit: u16) -> u16 {
    let mut upper = char::from_u32(u32::from(unit)).into_iter().flat_map(char::to_uppercase);
    match (upper.next(), upper.next()) {
        (Some(letter), None) => u16::try_from(u32::from(letter)).unwrap_or(unit),
        _ => unit,
    }
}

fn compare(first: PCUNICODE_STRING, second: PCUNICODE_STRING, ignore_case: BOOLEAN) -> Ordering {
    let fold = |unit: u16| if ignore_case == 0 { unit } else { upcase(unit) };
    let (first, second) = (units(first), units(second));
    first.into_iter().map(fold).cmp(second.into_iter().map(fold))
}

/// Puts units behind what a string holds, if there is room for all.
fn append(destination: PUNICODE_STRING, tail: &[u16]) -> NTSTATUS {
    // SAFETY: the caller's own string.
    let mut string = unsafe { destination.read() };
    let length = usize::from(string.Length) + 2 * tail.len();
    if length > usize::from(string.MaximumLength) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    let end = string.Buffer.wrapping_add(usize::from(string.Length / 2));
    // SAFETY: there is room, as checked; the units are a copy of their own.
    unsafe { core::ptr::copy_nonoverlapping(tail.as_ptr(), end, tail.len()) };
    string.Length = u16::try_from(length).unwrap_or(string.MaximumLength);
    // SAFETY: as above.
    unsafe { destination.write(string) };
    STATUS_SUCCESS
}

crate::nt_exports! {
    pub(crate) const EXPORTS = "ntoskrnl.exe";

    /// Describes a terminated string.
    #[irql(..= DISPATCH_LEVEL)]
    fn RtlInitUnicodeString(destination: PUNICODE_STRING, source: PCWSTR) {
        let bytes = terminated(source) * 2;
        let string = UNICODE_STRING {
            Length: u16::try_from(bytes).unwrap_or(u16::MAX - 3),
            MaximumLength: if source.is_null() { 0 } else { u16::try_from(bytes + 2).unwrap_or(u16::MAX - 1) },
            Buffer: source.cast_mut(),
        };
        // SAFETY: the caller's own string.
        unsafe { destination.write(string) };
    }

    /// Copies as much of a string as there is room for.
    #[irql(..= DISPATCH_LEVEL)]
    fn RtlCopyUnicodeString(destination: PUNICODE_STRING, source: PCUNICODE_STRING) {
        let mut units = units(source);
        // SAFETY: the caller's own string.
        let room = unsafe { (*destination).MaximumLength };
        units.truncate(usize::from(room / 2));
        // SAFETY: the caller's own string.
        unsafe { (*destination).Length = 0 };
        append(destination, &units);
    }

    /// Puts one string behind another.
    #[irql(PASSIVE_LEVEL)]
    fn RtlAppendUnicodeStringToString(destination: PUNICODE_STRING, source: PCUNICODE_STRING) -> NTSTATUS {
        append(destination, &units(source))
    }

    /// Puts a terminated string behind another.
    #[irql(PASSIVE_LEVEL)]
    fn RtlAppendUnicodeToString(destination: PUNICODE_STRING, source: PCWSTR) -> NTSTATUS {
        // SAFETY: a terminated string has these units.
        let units: Vec<u16> = (0..terminated(source)).map(|at| unsafe { source.wrapping_add(at).read() }).collect();
        append(destination, &units)
    }

    /// Whether two strings are equal.
    #[irql(PASSIVE_LEVEL)]
    fn RtlEqualUnicodeString(first: PCUNICODE_STRING, second: PCUNICODE_STRING, ignore_case: BOOLEAN) -> BOOLEAN {
        BOOLEAN::from(compare(first, second, ignore_case).is_eq())
    }

    /// Which of two strings comes first.
    #[irql(PASSIVE_LEVEL)]
    fn RtlCompareUnicodeString(first: PCUNICODE_STRING, second: PCUNICODE_STRING, ignore_case: BOOLEAN) -> LONG {
        compare(first, second, ignore_case) as LONG
    }

    /// Frees a string whose memory the kernel allocated.
    #[irql(PASSIVE_LEVEL)]
    fn RtlFreeUnicodeString(string: PUNICODE_STRING) {
        // SAFETY: the caller's own string.
        let held = unsafe { string.read() };
        if !held.Buffer.is_null() {
            mem::kernel_free(held.Buffer.cast());
            // SAFETY: as above.
            unsafe { string.write(UNICODE_STRING::default()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(text: &mut [u16], length: usize) -> UNICODE_STRING {
        UNICODE_STRING {
            Length: 2 * length as u16,
            MaximumLength: 2 * text.len() as u16,
            Buffer: text.as_mut_ptr(),
        }
    }

    #[test]
    fn appending_needs_room_for_all() {
        let mut buffer = [u16::from(b'a'), 0, 0];
        let mut string = view(&mut buffer, 1);
        assert_eq!(append(&raw mut string, &[u16::from(b'b'); 3]), STATUS_BUFFER_TOO_SMALL);
        assert_eq!(append(&raw mut string, &[u16::from(b'b'); 2]), STATUS_SUCCESS);
        assert_eq!(crate::nt::rtl::text::read(&raw const string), "abb");
    }

    #[test]
    fn names_are_compared_with_and_without_case() {
        let (mut first, mut second) = ([0x41_u16, 0xE9], [0x61_u16, 0xC9]);
        let (first, second) = (view(&mut first, 2), view(&mut second, 2));
        assert!(compare(&raw const first, &raw const second, 1).is_eq());
        assert!(compare(&raw const first, &raw const second, 0).is_lt());
    }

    #[test]
    fn a_null_pointer_is_an_empty_string() {
        assert!(units(core::ptr::null()).is_empty());
        assert_eq!(terminated(core::ptr::null()), 0);
    }
}
