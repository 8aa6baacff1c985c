//! Tokens.

use logos::Logos;

use super::mistake::Mistake;
use super::problem::Problem;
use super::span::{SourceId, Span};

/// What a token is.
#[derive(Logos, Clone, Copy, Debug, PartialEq, Eq)]
#[logos(skip r"[ \t\r]+")]
#[logos(skip r"\u{FEFF}")]
pub(super) enum Kind {
    #[regex(r"#[^\n]*", allow_greedy = true)]
    Comment,
    #[token("\n")]
    Newline,
    #[regex(r"[A-Za-z_][A-Za-z0-9_]*")]
    Word,
    #[regex(r"0[xX][0-9A-Za-z_]*")]
    #[regex(r"[0-9][0-9_]*(\.[0-9][0-9_]*)?([eE][+-]?[0-9]+)?")]
    Number,
    #[regex(r#""[^"\n]*""#)]
    Text,
    #[token(":")]
    Colon,
    #[token("=")]
    Equals,
    #[token(",")]
    Comma,
    #[token("..")]
    Dots,
    #[token("(")]
    Open,
    #[token(")")]
    Close,
    #[token("[")]
    OpenBracket,
    #[token("]")]
    CloseBracket,
    #[token("{")]
    OpenBrace,
    #[token("}")]
    CloseBrace,
    #[token("+")]
    Plus,
    #[token("-")]
    Minus,
    #[token("*")]
    Star,
    #[token("/")]
    Slash,
    #[token("%")]
    Percent,
    #[token("&")]
    And,
    #[token("|")]
    Or,
    #[token("^")]
    Caret,
    #[token("~")]
    Tilde,
    #[token("<<")]
    ShiftLeft,
    #[token(">>")]
    ShiftRight,
    #[token("==")]
    Equal,
    #[token("!=")]
    NotEqual,
    #[token("<")]
    Less,
    #[token("<=")]
    LessOrEqual,
    #[token(">")]
    Greater,
    #[token(">=")]
    GreaterOrEqual,
}

/// A token of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind,
    pub(super) text: &'t str,
    pub(super) span: Span,
}

/// A token, or a character that the language does not have.
pub(super) type Lexed<'t> = Result<Token<'t>, Mistake>;

/// Cuts a text into tokens, comments and line ends included.
pub(super) fn tokens(text: &str, source: SourceId) -> impl Iterator<Item = Lexed<'_>> {
    Kind::lexer(text).spanned().map(move |(kind, range)| {
        let span = Span {
            source,
            start: range.start,
            end: range.end,
        };
        match kind {
            Ok(kind) => Ok(Token {
                kind,
                text: &text[range],
                span,
            }),
            Err(()) => Err(unknown(text, span)),
        }
    })
}

/// The first character that was not understood.
fn unknown(text: &str, span: Span) -> Mistake {
    let character = text[span.start..].chars().next().unwrap_or_default();
    let end = span.start + character.len_utf8();
    let problem = match character {
        '"' => Problem::Unfinished {
            expected: "the closing `\"`",
        },
        _ => Problem::UnknownCharacter { character },
    };
    Mistake::new(problem, Span { end, ..span })
}
