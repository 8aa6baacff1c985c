//! The canonical layout of a text.
//!
//! Spaces, indentation and blank lines are the formatter's, words, comments, the line breaks inside parentheses, and how lines end the
//! author's. The text means the same afterwards, and is left alone when it is formatted again.

use super::mistakes::Mistakes;
use super::parser::parse;
use super::sources::Sources;
use super::span::SourceId;
use super::token::{Kind, Token, tokens};
use super::{Role, spacing};

/// Columns of a level of indentation.
const INDENT: usize = 4;
/// Columns between a line and its comment.
const BEFORE_COMMENT: usize = 2;
/// Columns of the longest role: names of declared arrays begin behind it.
const ROLE_WIDTH: usize = "inout".len();

/// The text in canonical layout; `file` names it in messages. A text with mistakes of syntax is not formatted.
///
/// ```
/// let text = "inout   y:f32[ 4 ]#four\n\n\n  y=-y+1";
/// let formatted = hawser::language::format("y.hws", text)?;
/// assert_eq!(formatted, "inout y : f32[4]  #four\n\ny = -y + 1\n");
/// # Ok::<(), hawser::language::Mistakes>(())
/// ```
pub fn format(file: &str, text: &str) -> Result<String, Mistakes> {
    let (_, mistakes) = parse(text, SourceId::default());
    if !mistakes.is_empty() {
        return Err(Mistakes::new(Sources::of(file, text.to_owned()), mistakes));
    }
    let mut layout = Layout::default();
    // Without mistakes there are no characters that are no tokens.
    tokens(text, SourceId::default())
        .flatten()
        .for_each(|token| layout.token(token));
    layout.end_row();
    let formatted = written(&layout.rows);
    Ok(match ends_like_windows(text) {
        true => formatted.replace('\n', "\r\n"),
        false => formatted,
    })
}

/// Whether the first line of a text ends as lines of Windows do; then all of them do so.
fn ends_like_windows(text: &str) -> bool {
    text.split_once('\n').is_some_and(|(first, _)| first.ends_with('\r'))
}

/// A line of the result.
#[derive(Debug, Default)]
struct Row {
    indent: usize,
    code: String,
    comment: String,
    follows_blank: bool,
}

/// Rows, and what has been read of the next.
#[derive(Default)]
struct Layout<'t> {
    rows: Vec<Row>,
    code: String,
    /// Tokens of the statement that is read, over all of its rows.
    statement: Vec<Token<'t>>,
    /// Tokens of the statement that are in rows before.
    in_rows_before: usize,
    /// Blocks around it.
    blocks: usize,
    /// Parentheses and brackets that are open.
    depth: usize,
    /// There has been something in this line of the text.
    has_content: bool,
    /// There was an empty line before.
    after_blank: bool,
}

impl<'t> Layout<'t> {
    fn token(&mut self, token: Token<'t>) {
        match token.kind {
            Kind::Newline => return self.line_end(),
            Kind::Comment => self.comment(token.text.trim_end()),
            Kind::OpenBrace => {
                self.add(token);
                self.end_statement();
                self.blocks += 1;
            }
            Kind::CloseBrace => {
                self.end_statement();
                self.blocks = self.blocks.saturating_sub(1);
                self.after_blank = false;
                self.add(token);
                self.end_statement();
            }
            _ => self.add(token),
        }
        self.has_content = true;
    }

    fn line_end(&mut self) {
        if !self.has_content {
            self.after_blank = self.depth == 0;
        } else if self.depth == 0 {
            self.end_statement();
        } else {
            self.end_row();
        }
        self.has_content = false;
    }

    fn comment(&mut self, text: &str) {
        let last = self.rows.last_mut().filter(|row| row.comment.is_empty());
        match last {
            // What stands before it in this line of the text has ended its row already.
            Some(row) if self.has_content && self.code.is_empty() => row.comment = text.to_owned(),
            _ => self.push_row(text),
        }
    }

    fn add(&mut self, token: Token<'t>) {
        if !self.code.is_empty() && spacing::is_spaced(&self.statement, token) {
            self.code.push(' ');
        }
        self.code.push_str(token.text);
        if self.statement.is_empty() && Role::named(token.text).is_some() {
            let missing = ROLE_WIDTH.saturating_sub(token.text.len());
            self.code.extend(std::iter::repeat_n(' ', missing));
        }
        match token.kind {
            Kind::Open | Kind::OpenBracket => self.depth += 1,
            Kind::Close | Kind::CloseBracket => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.statement.push(token);
    }

    fn end_statement(&mut self) {
        self.end_row();
        self.statement.clear();
        (self.depth, self.in_rows_before) = (0, 0);
    }

    fn end_row(&mut self) {
        if !self.code.is_empty() {
            self.push_row("");
        }
    }

    fn push_row(&mut self, comment: &str) {
        let begins_block = self.rows.last().is_none_or(|last| last.code.ends_with('{'));
        // A statement goes on one level deeper than it began, and ends where it did.
        let goes_on = match self.in_rows_before {
            0 => false,
            _ => !self.code.starts_with([')', ']']),
        };
        self.in_rows_before = self.statement.len();
        self.rows.push(Row {
            indent: self.blocks + usize::from(goes_on),
            code: std::mem::take(&mut self.code),
            comment: comment.to_owned(),
            follows_blank: std::mem::take(&mut self.after_blank) && !begins_block,
        });
    }
}

/// The rows as a text. Comments of neighbouring rows begin in one column.
fn written(rows: &[Row]) -> String {
    let mut text = String::new();
    for group in rows.chunk_by(|a, b| is_commented(a) && is_commented(b) && !b.follows_blank) {
        let column = group.iter().map(width).max().unwrap_or_default() + BEFORE_COMMENT;
        for row in group {
            if row.follows_blank {
                text.push('\n');
            }
            text.extend(std::iter::repeat_n(' ', row.indent * INDENT));
            text.push_str(&row.code);
            if is_commented(row) {
                text.extend(std::iter::repeat_n(' ', column - width(row)));
            }
            text.push_str(&row.comment);
            text.push('\n');
        }
    }
    text
}

/// Whether a row has code and a comment.
fn is_commented(row: &Row) -> bool {
    !row.code.is_empty() && !row.comment.is_empty()
}

fn width(row: &Row) -> usize {
    row.indent * INDENT + row.code.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn formats(text: &str, expected: &str) {
        let formatted = format("t.hws", text).unwrap();
        assert_eq!(formatted, expected);
        assert_eq!(format("t.hws", &formatted).unwrap(), expected, "it stays as it is");
    }

    #[test]
    fn spaces_are_canonical() {
        formats("y=a+b*-c", "y = a + b * -c\n");
        formats(
            "y = f ( a ,- 2 ) [ 3 .. n , 1 ] as[2,3]",
            "y = f(a, -2)[3..n, 1] as [2, 3]\n",
        );
        formats("y[i][ ..4]=~ a<<2>=(b|c)", "y[i][..4] = ~a << 2 >= (b | c)\n");
        formats(
            "in x:f32[ 3,4 ]from\"a b.npy\"",
            "in    x : f32[3, 4] from \"a b.npy\"\n",
        );
        formats("def  f( a,b )=a-b", "def f(a, b) = a - b\n");
        formats(
            "inout  as : u8[2]\nas[0] = - as [ 1 ]",
            "inout as : u8[2]\nas[0] = -as[1]\n",
        );
        formats(
            "const a = - 2.5e-3\ninclude   \"x.hws\"",
            "const a = -2.5e-3\ninclude \"x.hws\"\n",
        );
    }

    #[test]
    fn blocks_are_indented() {
        formats(
            "repeat i in 0 .. n{ y[i]=1 }\nrepeat 2 {\n\n repeat 3 { # why\n\ny = y+1\n\n} # end\n}",
            "repeat i in 0..n {\n    y[i] = 1\n}\nrepeat 2 {\n    repeat 3 {  # why\n        y = y + 1\n    }  # end\n}\n",
        );
        formats("repeat i in(1)..n{}", "repeat i in (1)..n {\n}\n");
        formats("repeat 0 {}", "repeat 0 {\n}\n");
    }

    #[test]
    fn comments_stay_and_are_aligned() {
        formats(
            "\u{FEFF}\n\n#  first\r\n\r\n\r\ny = 1 # one\r\nlonger = 2#two\nz = 3\n  # last\n\n",
            "#  first\n\ny = 1       # one\nlonger = 2  #two\nz = 3\n# last\n",
        );
        formats(
            "y = f(a, # first\n# between\n\nb # second\n)\nrepeat (2) {\n# inside\n}",
            "y = f(a,  # first\n    # between\n    b  # second\n)\nrepeat (2) {\n    # inside\n}\n",
        );
        formats("", "");
        formats("# nothing", "# nothing\n");
    }

    #[test]
    fn lines_end_as_they_did() {
        formats("y = 1 # a\r\n\r\n\r\nz=2\r\n", "y = 1  # a\r\n\r\nz = 2\r\n");
        formats("y = 1\nz=2\r\n", "y = 1\nz = 2\n");
        formats("y=f(a,\r\nb)", "y = f(a,\r\n    b)\r\n");
    }

    #[test]
    fn what_cannot_be_read_is_not_formatted() {
        let mistakes = format("t.hws", "y = (1\n").unwrap_err();
        assert_eq!(mistakes.list()[0].problem.code(), "unfinished");
    }
}
