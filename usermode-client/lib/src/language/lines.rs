//! Lines of tokens.
//!
//! A line ends where the text does so, outside parentheses and brackets, and before and after a brace. Inside parentheses and brackets it
//! goes on; where one of them was forgotten, the line ends before the first that has to be one of its own, so that one mistake does not
//! hide all that follows.

use super::mistake::Mistake;
use super::span::{SourceId, Span};
use super::syntax::is_leading_word;
use super::token::{Kind, Token, tokens};

/// A line that has tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line<'t> {
    pub(super) tokens: Vec<Token<'t>>,
    /// It has a character that the language does not have.
    pub(super) is_broken: bool,
}

/// Cuts a text into lines. A character that the language does not have is reported, the first of each line.
pub(super) fn lines(text: &str, source: SourceId) -> (Vec<Line<'_>>, Vec<Mistake>) {
    let mut cutter = Cutter::default();
    for token in tokens(text, source) {
        match token {
            Ok(token) => cutter.token(token),
            Err(mistake) => cutter.broken(mistake),
        }
    }
    cutter.end();
    (cutter.lines, cutter.mistakes)
}

/// What has been read.
#[derive(Default)]
struct Cutter<'t> {
    lines: Vec<Line<'t>>,
    mistakes: Vec<Mistake>,
    line: Vec<Token<'t>>,
    /// The line has a character that the language does not have.
    is_broken: bool,
    /// Parentheses and brackets that are open.
    depth: usize,
    /// Tokens of `line` before the last line end of the text.
    before_break: usize,
}

impl<'t> Cutter<'t> {
    fn token(&mut self, token: Token<'t>) {
        match token.kind {
            Kind::Comment => {}
            Kind::Newline if self.depth == 0 => self.end(),
            Kind::Newline => self.before_break = self.line.len(),
            Kind::OpenBrace => {
                // A block does not begin in parentheses.
                if self.depth > 0 && self.begun().is_some_and(|first| first.text == "repeat") {
                    self.split();
                }
                self.line.push(token);
                self.end();
            }
            Kind::CloseBrace => {
                self.end();
                self.line.push(token);
                self.end();
            }
            _ => self.within(token),
        }
    }

    fn within(&mut self, token: Token<'t>) {
        let assigns = matches!(token.kind, Kind::Equals | Kind::Colon) && self.before_break > 0;
        let leads = self.begun().is_some_and(|first| leads(first, token)) && self.line.len() == self.before_break + 1;
        // None of these stands in parentheses: one of those before was forgotten.
        if self.depth > 0 && (leads || assigns) {
            self.split();
        }
        match token.kind {
            Kind::Open | Kind::OpenBracket => self.depth += 1,
            Kind::Close | Kind::CloseBracket => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.line.push(token);
    }

    /// The first token after the last line end of the text, in parentheses.
    fn begun(&self) -> Option<Token<'t>> {
        let first = self.line.get(self.before_break)?;
        (self.before_break > 0).then_some(*first)
    }

    /// Ends the line where the text last did.
    fn split(&mut self) {
        let rest = self.line.split_off(self.before_break);
        self.end();
        rest.into_iter().for_each(|token| self.within(token));
    }

    fn broken(&mut self, mistake: Mistake) {
        if !std::mem::replace(&mut self.is_broken, true) {
            self.mistakes.push(mistake);
        }
    }

    fn end(&mut self) {
        let tokens = std::mem::take(&mut self.line);
        (self.depth, self.before_break) = (0, 0);
        let is_broken = std::mem::take(&mut self.is_broken);
        if !tokens.is_empty() {
            self.lines.push(Line { tokens, is_broken });
        }
    }
}

/// Whether two tokens begin a line of its own wherever they stand. A word alone does not: it may be the name of an array.
fn leads(first: Token<'_>, second: Token<'_>) -> bool {
    let is_name = second.kind == Kind::Word && second.text != "as";
    match first.text {
        "include" => second.kind == Kind::Text,
        "repeat" => is_name || second.kind == Kind::Number,
        _ => is_name && first.kind == Kind::Word && is_leading_word(first.text),
    }
}

/// Where a line ends: an error about what is missing is shown there.
pub(super) fn end_of(line: &[Token<'_>]) -> Span {
    line.last().map_or_else(Span::default, |last| Span {
        start: last.span.end,
        ..last.span
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::problem::Problem;

    fn texts(text: &str) -> Vec<String> {
        let (lines, mistakes) = lines(text, SourceId(0));
        assert_eq!(mistakes, []);
        let join = |line: Line<'_>| line.tokens.iter().map(|token| token.text).collect::<Vec<_>>().join(" ");
        lines.into_iter().map(join).collect()
    }

    #[test]
    fn lines_are_cut_into_tokens() {
        assert_eq!(
            texts("\u{FEFF}# nothing\r\n\n in x:f32[1_0] # an array\r\ny=fma(x,-2.5e-3,0xFF)"),
            ["in x : f32 [ 1_0 ]", "y = fma ( x , - 2.5e-3 , 0xFF )"]
        );
        assert_eq!(texts("y[0..n]=a<<2>=b"), ["y [ 0 .. n ] = a << 2 >= b"]);
        assert_eq!(texts("include \"a b.hws\" # c"), ["include \"a b.hws\""]);
        assert!(texts("").is_empty());
    }

    #[test]
    fn a_line_goes_on_inside_parentheses_and_ends_at_braces() {
        assert_eq!(
            texts("y = f(a,\n  # why\n  b) + (\nc)\nz = 1"),
            ["y = f ( a , b ) + ( c )", "z = 1"]
        );
        assert_eq!(
            texts("repeat i in 0..9 { y[i] = 1 }\nz = 2"),
            ["repeat i in 0 .. 9 {", "y [ i ] = 1", "}", "z = 2"]
        );
    }

    #[test]
    fn a_forgotten_parenthesis_does_not_hide_what_follows() {
        assert_eq!(
            texts("y = f(a\nz[2] = 1 + (2\nw = 3"),
            ["y = f ( a", "z [ 2 ] = 1 + ( 2", "w = 3"]
        );
        assert_eq!(
            texts("in x : f32[4\nin y : f32[4]"),
            ["in x : f32 [ 4", "in y : f32 [ 4 ]"]
        );
        assert_eq!(texts("y = (a\nrepeat 3 {\n}"), ["y = ( a", "repeat 3 {", "}"]);
        assert_eq!(texts("y = a) + (b\n+ c)"), ["y = a ) + ( b + c )"]);
    }

    #[test]
    fn a_word_that_is_a_name_does_not_end_a_line() {
        assert_eq!(
            texts("y = max(1,\n repeat)\nz = f(\n def as [2],\n include[0],\n repeat\n)"),
            [
                "y = max ( 1 , repeat )",
                "z = f ( def as [ 2 ] , include [ 0 ] , repeat )"
            ]
        );
        assert_eq!(texts("y = (a\ndef f(v) = v"), ["y = ( a", "def f ( v ) = v"]);
        assert_eq!(texts("y = (a\ninclude \"b\""), ["y = ( a", "include \"b\""]);
        assert_eq!(texts("y = (a\nrepeat (2) {\n}"), ["y = ( a", "repeat ( 2 ) {", "}"]);
        assert_eq!(texts("y = (a\nrepeat i in 0..2 {"), ["y = ( a", "repeat i in 0 .. 2 {"]);
    }

    #[test]
    fn a_line_with_an_unknown_character_is_reported_once_and_marked() {
        let (lines, mistakes) = lines("a = b\nc = €d $ e\nf = g\nh = \"i", SourceId(3));
        let first: Vec<_> = lines.iter().map(|line| (line.tokens[0].text, line.is_broken)).collect();
        assert_eq!(first, [("a", false), ("c", true), ("f", false), ("h", true)]);
        let at = |start, end| Span {
            source: SourceId(3),
            start,
            end,
        };
        let unfinished = Problem::Unfinished {
            expected: "the closing `\"`",
        };
        assert_eq!(
            mistakes,
            [
                Mistake::new(Problem::UnknownCharacter { character: '€' }, at(10, 13)),
                Mistake::new(unfinished, at(29, 30)),
            ]
        );
    }
}
