//! Numbers as people read them.

/// A number with its digits in groups of three.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index != 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes, in the largest unit that it is a whole number of.
pub fn bytes(number: u64) -> String {
    for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] {
        if number != 0 && number.is_multiple_of(1 << shift) {
            return format!("{} {unit}", grouped(number >> shift));
        }
    }
    format!("{} B", grouped(number))
}

/// A number of things.
pub fn counted(number: u64, thing: &str) -> String {
    if number == 1 {
        format!("1 {thing}")
    } else {
        format!("{} {thing}s", grouped(number))
    }
}

/// The words of a text in lines of at most `width` characters, as far as words are not longer.
pub fn lines_of(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn bytes_are_exact() {
        for (number, text) in [
            (0, "0 B"),
            (1, "1 B"),
            (1025, "1,025 B"),
            (4096, "4 KiB"),
            (8 << 20, "8 MiB"),
            (1 << 30, "1 GiB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(lines_of("ab  cd efg h", 5), ["ab cd", "efg h"]);
        assert_eq!(lines_of("überlang a", 3), ["überlang", "a"]);
        assert!(lines_of(" ", 3).is_empty());
    }

    #[test]
    fn one_thing_is_singular() {
        assert_eq!(counted(1, "step"), "1 step");
        assert_eq!(counted(0, "step"), "0 steps");
    }
}
