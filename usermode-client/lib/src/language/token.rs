//! Tokens.

use logos::{Lexer, Logos};

use super::mistake::Mistake;
use super::problem::Problem;
use super::span::Span;

/// What a token is.
#[derive(Logos, Clone, Copy, Debug, PartialEq, Eq)]
#[logos(skip r"[ \t\r]+")]
#[logos(skip r"\u{FEFF}")]
#[logos(skip(r"#[^\n]*", allow_greedy = true))]
pub(super) enum Kind {
    #[token("\n")]
    Newline,
    #[regex(r"[A-Za-z_][A-Za-z0-9_]*")]
    Word,
    #[regex(r"0[xX][0-9A-Za-z_]*")]
    #[regex(r"[0-9][0-9_]*(\.[0-9][0-9_]*)?([eE][+-]?[0-9]+)?")]
    Number,
    #[token(":")]
    Colon,
    #[token("=")]
    Equals,
    #[token(",")]
    Comma,
    #[token("(")]
    Open,
    #[token(")")]
    Close,
    #[token("[")]
    OpenBracket,
    #[token("]")]
    CloseBracket,
    #[token("+")]
    Plus,
    #[token("-")]
    Minus,
    #[token("*")]
    Star,
    #[token("/")]
    Slash,
}

/// A token of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind,
    pub(super) text: &'t str,
    pub(super) span: Span,
}

/// A line that has tokens, and where it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line<'t> {
    pub(super) tokens: Vec<Token<'t>>,
    pub(super) end: usize,
}

/// Cuts a text into lines of tokens. A line with a character that the language does not have is left out, and reported once.
pub(super) fn lines(text: &str) -> (Vec<Line<'_>>, Vec<Mistake>) {
    let (mut lines, mut mistakes) = (Vec::new(), Vec::new());
    let mut lexer = Kind::lexer(text);
    loop {
        let (line, outcome, more) = line(&mut lexer);
        match outcome {
            Err(mistake) => mistakes.push(mistake),
            Ok(()) if !line.tokens.is_empty() => lines.push(line),
            Ok(()) => {}
        }
        if !more {
            return (lines, mistakes);
        }
    }
}

/// Reads one line; says whether there are more.
fn line<'t>(lexer: &mut Lexer<'t, Kind>) -> (Line<'t>, Result<(), Mistake>, bool) {
    let (mut line, mut outcome) = (Line::default(), Ok(()));
    while let Some(kind) = lexer.next() {
        let span = Span::from(lexer.span());
        match kind {
            Ok(Kind::Newline) => {
                return (
                    Line {
                        end: span.start,
                        ..line
                    },
                    outcome,
                    true,
                );
            }
            Ok(kind) => line.tokens.push(Token {
                kind,
                text: lexer.slice(),
                span,
            }),
            Err(()) if outcome.is_ok() => outcome = Err(unknown(lexer.source(), span)),
            Err(()) => {}
        }
    }
    (
        Line {
            end: lexer.source().len(),
            ..line
        },
        outcome,
        false,
    )
}

/// The first character that was not understood.
fn unknown(text: &str, span: Span) -> Mistake {
    let character = text[span.start..].chars().next().unwrap_or_default();
    let end = span.start + character.len_utf8();
    Mistake::new(Problem::UnknownCharacter { character }, Span { start: span.start, end })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<Vec<&str>> {
        let (lines, mistakes) = lines(text);
        assert_eq!(mistakes, []);
        lines
            .into_iter()
            .map(|line| line.tokens.into_iter().map(|token| token.text).collect())
            .collect()
    }

    #[test]
    fn lines_are_cut_into_tokens() {
        assert_eq!(
            texts("\u{FEFF}# nothing\r\n\n in x:f32[1_0] # an array\r\ny=fma(x,-2.5e-3,0xFF)"),
            [
                vec!["in", "x", ":", "f32", "[", "1_0", "]"],
                vec!["y", "=", "fma", "(", "x", ",", "-", "2.5e-3", ",", "0xFF", ")"],
            ]
        );
        assert!(texts("").is_empty());
    }

    #[test]
    fn a_line_with_an_unknown_character_is_reported_once_and_left_out() {
        let (lines, mistakes) = lines("a = b\nc = €d $ e\nf = g");
        assert_eq!(
            lines.iter().map(|line| line.tokens[0].text).collect::<Vec<_>>(),
            ["a", "f"]
        );
        assert_eq!(
            mistakes,
            [Mistake::new(
                Problem::UnknownCharacter { character: '€' },
                Span { start: 10, end: 13 }
            )]
        );
    }
}
