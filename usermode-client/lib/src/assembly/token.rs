//! Tokens of assembly.

use logos::Logos;

use super::mistake::Mistake;
use super::place;
use super::problem::Problem;
use crate::language::Span;

/// What a token is.
#[derive(Logos, Clone, Copy, Debug, PartialEq, Eq)]
#[logos(skip r"[ \t\r]+")]
#[logos(skip r"\u{FEFF}")]
#[logos(skip(r"#[^\n]*", allow_greedy = true))]
pub(super) enum Kind {
    #[token("\n")]
    Newline,
    #[regex(r"\.[A-Za-z_][A-Za-z0-9_]*")]
    Directive,
    /// A name, or an operation with its type and what else belongs to it, between points.
    #[regex(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]*)*")]
    Word,
    #[regex(r"-?0[xX][0-9A-Za-z_]*")]
    #[regex(r"-?[0-9][0-9_]*(\.[0-9][0-9_]*)?([eE][+-]?[0-9]+)?")]
    #[token("-inf")]
    Number,
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
}

/// A token of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind,
    pub(super) text: &'t str,
    pub(super) at: Span,
}

/// Cuts a text into lines of tokens; empty ones are left out. A line with a character that assembly does not have is a mistake.
pub(super) fn lines(text: &str) -> Vec<Result<Vec<Token<'_>>, Mistake>> {
    let (mut lines, mut line) = (Vec::new(), Ok(Vec::new()));
    let mut lexer = Kind::lexer(text);
    while let Some(kind) = lexer.next() {
        let at = place(lexer.span());
        match (kind, &mut line) {
            (Ok(Kind::Newline), _) => lines.push(std::mem::replace(&mut line, Ok(Vec::new()))),
            (Ok(kind), Ok(tokens)) => tokens.push(Token {
                kind,
                text: lexer.slice(),
                at,
            }),
            (Err(()), Ok(_)) => line = Err(unknown(text, at.start)),
            (_, Err(_)) => {}
        }
    }
    lines.push(line);
    lines.retain(|line| !line.as_ref().is_ok_and(Vec::is_empty));
    lines
}

fn unknown(text: &str, start: usize) -> Mistake {
    let character = text[start..].chars().next().unwrap_or_default();
    let at = place(start..start + character.len_utf8());
    Mistake {
        problem: Problem::UnknownCharacter { character },
        at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_into_tokens() {
        let text = "\u{FEFF}# nothing\r\n\n.data_size 0x40\r\nadd.i8.sat data[0],-1,bits(0x1f) # step";
        let texts: Vec<Vec<&str>> = lines(text)
            .into_iter()
            .map(|line| line.unwrap().into_iter().map(|token| token.text).collect())
            .collect();
        assert_eq!(
            texts,
            [
                vec![".data_size", "0x40"],
                vec![
                    "add.i8.sat",
                    "data",
                    "[",
                    "0",
                    "]",
                    ",",
                    "-1",
                    ",",
                    "bits",
                    "(",
                    "0x1f",
                    ")"
                ],
            ]
        );
        assert!(lines("\n \n").is_empty());
    }

    #[test]
    fn numbers_are_whole_tokens() {
        for number in ["0", "-2.5e-3", "1_000", "-inf", "0xFF_FF", "1e10"] {
            let line = lines(number).remove(0).unwrap();
            assert_eq!((line.len(), line[0].kind, line[0].text), (1, Kind::Number, number));
        }
    }

    #[test]
    fn an_unknown_character_is_a_mistake_of_its_line() {
        let lines = lines("a\nb $ € c\nd");
        assert_eq!(lines.len(), 3);
        let mistake = lines[1].clone().unwrap_err();
        assert_eq!(mistake.problem, Problem::UnknownCharacter { character: '$' });
        assert_eq!(mistake.at, place(4..5));
        assert!(lines[0].is_ok() && lines[2].is_ok());
    }
}
