//! Changes a text by lines, words and layout: bytes changed one by one hardly ever keep a text that has the form of a program.

use std::ops::Range;

use crate::choice::Choice;

/// What may stand between two tokens, and sometimes inside one.
const LAYOUT: [&str; 10] = [" ", "  ", "\t", "\r\n", "\n", "\n\n\n", " # why\n", "#\n", "(\n", "\n)"];

/// Changes the first `size` bytes of `bytes`; returns the number of bytes that there are then.
pub fn mutate(bytes: &mut [u8], size: usize, seed: u32) -> usize {
    let mut choice = Choice::of(seed);
    let text = &bytes[..size];
    let changed = match choice.below(5) {
        0 => {
            let line = choice.one(&lines(text)).map_or(0..0, |(start, end)| start..end);
            let at = choice.one(&lines(text)).map_or(0, |(start, _)| start);
            replaced(text, at..at, &text[line])
        }
        1 => {
            let line = choice.one(&lines(text)).map_or(0..0, |(start, end)| start..end);
            replaced(text, line, b"")
        }
        2 => {
            let [word, other] = [(); 2].map(|()| choice.one(&words(text)).map_or(0..0, |(start, end)| start..end));
            replaced(text, word, &text[other])
        }
        _ => {
            // Between tokens, or, now and then, anywhere.
            let anywhere = choice.below(size + 1);
            let at = match choice.below(4) {
                0 => anywhere,
                _ => choice
                    .one(&words(text))
                    .map_or(anywhere, |(start, end)| [start, end][choice.below(2)]),
            };
            replaced(text, at..at, LAYOUT[choice.below(LAYOUT.len())].as_bytes())
        }
    };
    if changed.len() > bytes.len() {
        return size;
    }
    bytes[..changed.len()].copy_from_slice(&changed);
    changed.len()
}

/// Where the lines of a text begin and end.
fn lines(text: &[u8]) -> Vec<(usize, usize)> {
    let mut start = 0;
    let lines = text.split_inclusive(|byte| *byte == b'\n').map(|line| {
        let begun = start;
        start += line.len();
        (begun, start)
    });
    lines.collect()
}

/// Where its words and numbers do.
fn words(text: &[u8]) -> Vec<(usize, usize)> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let mut start = 0;
    let words = text
        .chunk_by(|one, next| is_word(one) == is_word(next))
        .filter_map(|chunk| {
            let begun = start;
            start += chunk.len();
            chunk.first().is_some_and(is_word).then_some((begun, start))
        });
    words.collect()
}

fn replaced(text: &[u8], range: Range<usize>, with: &[u8]) -> Vec<u8> {
    [&text[..range.start], with, &text[range.end..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    proptest! {
        #[test]
        fn inputs_stay_within_their_room(bytes in prop::collection::vec(any::<u8>(), 0..200), seed: u32, part in 0_usize..200) {
            let mut changed = bytes.clone();
            let size = mutate(&mut changed, part.min(bytes.len()), seed);
            prop_assert!(size <= bytes.len());
            prop_assert_eq!(changed.len(), bytes.len());
        }
    }

    #[test]
    fn lines_words_and_layout_change() {
        let text = b"a = b\nc = 10\n";
        let all: HashSet<String> = (0..2000)
            .map(|seed| {
                let mut bytes = [0; 40];
                bytes[..text.len()].copy_from_slice(text);
                let size = mutate(&mut bytes, text.len(), seed);
                String::from_utf8(bytes[..size].to_vec()).expect("it is ASCII")
            })
            .collect();
        for expected in [
            "a = b\n",
            "c = 10\na = b\nc = 10\n",
            "a = c\nc = 10\n",
            "a   = b\nc = 10\n",
            "a = b\nc =  # why\n10\n",
        ] {
            assert!(all.contains(expected), "{expected}");
        }
    }
}
