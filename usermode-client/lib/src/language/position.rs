//! Lines and columns.

use std::fmt;

/// Line and column of a place, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Where the lines of a text begin, so that a place is found without a look at all that is before it.
#[derive(Clone, Debug)]
pub(crate) struct Lines(Vec<usize>);

impl Lines {
    pub(crate) fn of(text: &str) -> Self {
        let after_newlines = text.match_indices('\n').map(|(newline, _)| newline + 1);
        Self(std::iter::once(0).chain(after_newlines).collect())
    }

    /// The line that byte `offset` is in, from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }

    /// The position of byte `offset` of the text, which is the one that these are the lines of.
    pub(crate) fn position(&self, text: &str, offset: usize) -> Position {
        let offset = offset.min(text.len());
        let line = self.line(offset);
        let start = self.0.get(line - 1).copied().unwrap_or_default();
        let before = text.get(start..offset).unwrap_or_default();
        Position {
            line,
            column: before.chars().count() + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn positions_count_lines_and_characters() {
        let text = "aß\nc€d\n";
        let position = |offset| Lines::of(text).position(text, offset).to_string();
        assert_eq!(position(0), "1:1");
        assert_eq!(position(3), "1:3");
        assert_eq!(position(4), "2:1");
        assert_eq!(position(8), "2:3");
        assert_eq!(position(text.len()), "3:1");
        assert_eq!(position(1000), "3:1");
    }

    proptest! {
        #[test]
        fn positions_are_what_counting_finds(text in "[a\nß]{0,60}") {
            let lines = Lines::of(&text);
            let (mut line, mut column) = (1, 1);
            for (offset, character) in text.char_indices() {
                prop_assert_eq!(lines.position(&text, offset), Position { line, column });
                (line, column) = if character == '\n' { (line + 1, 1) } else { (line, column + 1) };
            }
            prop_assert_eq!(lines.position(&text, text.len()), Position { line, column });
        }
    }
}
