//! Reads the tokens of a line one after the other.

use super::lines::{Line, end_of};
use super::mistake::Mistake;
use super::problem::Problem;
use super::span::Span;
use super::syntax::{MAX_DEPTH, Word};
use super::token::{Kind, Token};

pub(super) type Parsed<T> = Result<T, Mistake>;

/// What is left of a line.
pub(super) struct Reader<'l, 't> {
    rest: &'l [Token<'t>],
    /// The token that was read last, or the start of the line.
    last: Span,
    /// Where an error at the end of the line is shown.
    end: Span,
    /// Levels of expressions that are being read.
    depth: usize,
}

pub(super) fn word(token: Token<'_>) -> Word {
    Word {
        text: token.text.into(),
        span: token.span,
    }
}

impl<'l, 't> Reader<'l, 't> {
    pub(super) fn new(line: &'l Line<'t>) -> Self {
        let end = end_of(&line.tokens);
        Self {
            rest: &line.tokens,
            last: line.tokens.first().map_or(end, |first| first.span),
            end,
            depth: 0,
        }
    }

    /// The tokens that are left.
    pub(super) fn rest(&self) -> &'l [Token<'t>] {
        self.rest
    }

    pub(super) fn first(&self) -> Option<Token<'t>> {
        self.rest.first().copied()
    }

    /// Where the next token is, or the end of the line.
    pub(super) fn next_span(&self) -> Span {
        self.first().map_or(self.end, |token| token.span)
    }

    /// Where the token is that was read last.
    pub(super) fn last_span(&self) -> Span {
        self.last
    }

    /// Reads a token, whatever it is.
    pub(super) fn advance(&mut self) {
        if let Some((first, rest)) = self.rest.split_first() {
            (self.last, self.rest) = (first.span, rest);
        }
    }

    pub(super) fn take(&mut self, kind: Kind) -> Option<Token<'t>> {
        let first = self.first().filter(|first| first.kind == kind)?;
        self.advance();
        Some(first)
    }

    pub(super) fn token(&mut self, kind: Kind, expected: &'static str) -> Parsed<Token<'t>> {
        self.take(kind).ok_or_else(|| self.expected(expected))
    }

    pub(super) fn word(&mut self, expected: &'static str) -> Parsed<Word> {
        self.token(Kind::Word, expected).map(word)
    }

    /// What is between two quotation marks.
    pub(super) fn text(&mut self, expected: &'static str) -> Parsed<Word> {
        let token = self.token(Kind::Text, expected)?;
        Ok(Word {
            text: token.text.trim_matches('"').into(),
            span: token.span,
        })
    }

    /// Items with commas between them, and what closes the list.
    pub(super) fn list<T>(
        &mut self,
        close: Kind,
        expected: &'static str,
        item: impl Fn(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let mut items = Vec::new();
        if self.take(close).is_some() {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.take(Kind::Comma).is_none() {
                self.token(close, expected)?;
                return Ok(items);
            }
        }
    }

    /// Reads something that may contain its like, to a limited depth.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return Err(Mistake::new(Problem::TooDeep { limit: MAX_DEPTH }, self.next_span()));
        }
        self.depth += 1;
        let outcome = read(self);
        self.depth -= 1;
        outcome
    }

    pub(super) fn expected(&self, expected: &'static str) -> Mistake {
        match self.first() {
            Some(token) => Mistake::expected(expected, token.text, token.span),
            None => Mistake::new(Problem::Unfinished { expected }, self.end),
        }
    }
}
