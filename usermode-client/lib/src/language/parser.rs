//! Parses lines into statements.

use super::Role;
use super::lines::{Line, lines};
use super::mistake::Mistake;
use super::problem::Problem;
use super::reader::{Parsed, Reader, word};
use super::span::{SourceId, Span};
use super::syntax::{Assignment, Declaration, Function, MAX_DEPTH, Repetition, Statement, Word};
use super::token::Kind;

/// Parses a text. Lines with mistakes do not keep the others from being parsed.
pub(super) fn parse(text: &str, source: SourceId) -> (Vec<Statement>, Vec<Mistake>) {
    let (lines, mut mistakes) = lines(text, source);
    let mut blocks = Blocks::default();
    for line in &lines {
        let read = blocks.line(line);
        if read.is_err() || line.is_broken {
            blocks.recover(line);
        }
        mistakes.extend(read.err());
    }
    mistakes.extend(blocks.close());
    (blocks.statements, mistakes)
}

/// What a line with a mistake means, as far as can be told: what follows from the mistake is not reported as well.
fn meant(line: &Line<'_>) -> Option<Statement> {
    let [first, second, ..] = line.tokens[..] else {
        return None;
    };
    let declares = matches!(first.text, "const" | "def") || Role::named(first.text).is_some();
    if declares && second.kind == Kind::Word {
        return Some(Statement::Broken { name: word(second) });
    }
    if first.text == "include" && second.kind == Kind::Text {
        return Some(Statement::Excluded);
    }
    let writes = first.kind == Kind::Word && !ends_with_brace(line);
    writes.then(|| Statement::Unread { target: word(first) })
}

fn ends_with_brace(line: &Line<'_>) -> bool {
    line.tokens.last().is_some_and(|last| last.kind == Kind::OpenBrace)
}

/// Whether a line begins a block, but for its brace.
fn lacks_brace(line: &Line<'_>) -> bool {
    let is_repeat = line.tokens.first().is_some_and(|first| first.text == "repeat");
    is_repeat && !ends_with_brace(line)
}

/// A block that is not closed yet.
enum Open {
    Block(Box<Repetition>),
    /// A block whose first line could not be read; of what is in it, only the arrays are kept that it writes.
    Broken(Span),
}

impl Open {
    /// The statements of a block that is kept.
    fn body(&mut self) -> Option<&mut Vec<Statement>> {
        match self {
            Self::Block(block) => Some(&mut block.body),
            Self::Broken(_) => None,
        }
    }
}

/// Statements, and the blocks around the line that is read.
#[derive(Default)]
struct Blocks {
    statements: Vec<Statement>,
    open: Vec<Open>,
    /// Blocks within these that are nested too deep.
    too_deep: usize,
    /// The line before has a mistake, and begins a block whose brace may follow.
    awaits_brace: bool,
}

impl Blocks {
    fn line(&mut self, line: &Line<'_>) -> Parsed<()> {
        let mut reader = Reader::new(line);
        let awaits_brace = std::mem::take(&mut self.awaits_brace);
        match line.tokens[..] {
            [close] if close.kind == Kind::CloseBrace => return self.close_block(close.span),
            [open] if open.kind == Kind::OpenBrace && awaits_brace => return self.open_block(None, open.span),
            [.., open] if open.kind == Kind::OpenBrace && line.is_broken => return self.open_block(None, open.span),
            [.., open] if open.kind == Kind::OpenBrace => return self.open_block(Some(&mut reader), open.span),
            // What is wrong with it has been reported.
            _ if line.is_broken => return Ok(()),
            _ => {}
        }
        let statement = if self.open.is_empty() {
            reader.statement()?
        } else {
            reader.statement_of_block()?
        };
        self.add(statement);
        Ok(())
    }

    /// Keeps what a line means that has a mistake.
    fn recover(&mut self, line: &Line<'_>) {
        self.awaits_brace = lacks_brace(line);
        match meant(line) {
            Some(statement @ Statement::Unread { .. }) => self.add(statement),
            // That it stands in a block may be the mistake; the names are known anyway.
            Some(declaration) => self.statements.push(declaration),
            None => {}
        }
    }

    /// Adds a statement to the innermost block that is kept.
    fn add(&mut self, statement: Statement) {
        let unread = |target: &Word| Statement::Unread { target: target.clone() };
        let kept = match self.open.last() {
            Some(Open::Broken(_)) => statement.targets().into_iter().map(unread).collect(),
            _ if self.too_deep > 0 => statement.targets().into_iter().map(unread).collect(),
            _ => vec![statement],
        };
        let into = match self.open.iter_mut().rev().find_map(Open::body) {
            Some(body) => body,
            None => &mut self.statements,
        };
        into.extend(kept);
    }

    /// Begins a block with the line that says how often it runs, if that can be read.
    fn open_block(&mut self, line: Option<&mut Reader<'_, '_>>, at: Span) -> Parsed<()> {
        if self.open.len() >= MAX_DEPTH {
            self.too_deep += 1;
            return match self.too_deep {
                1 => Err(Mistake::new(Problem::TooDeep { limit: MAX_DEPTH }, at)),
                _ => Ok(()),
            };
        }
        let Some(reader) = line else {
            self.open.push(Open::Broken(at));
            return Ok(());
        };
        match reader.repetition() {
            Ok(repetition) => self.open.push(Open::Block(Box::new(repetition))),
            Err(mistake) => {
                self.open.push(Open::Broken(at));
                return Err(mistake);
            }
        }
        Ok(())
    }

    fn close_block(&mut self, at: Span) -> Parsed<()> {
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return Ok(());
        }
        match self.open.pop() {
            Some(Open::Block(block)) => self.add(Statement::Repeat(*block)),
            Some(Open::Broken(_)) => {}
            None => return Err(Mistake::expected("a declaration or an assignment", "}", at)),
        }
        Ok(())
    }

    /// A block that the text does not close; one mistake is enough for all of them.
    fn close(&mut self) -> Option<Mistake> {
        let span = match self.open.first()? {
            Open::Block(block) => block.span,
            Open::Broken(at) => *at,
        };
        self.open.clear();
        let problem = Problem::Unfinished {
            expected: "`}` after the block",
        };
        Some(Mistake::new(problem, span))
    }
}

impl Reader<'_, '_> {
    fn statement(&mut self) -> Parsed<Statement> {
        let first = self.first().ok_or_else(|| self.expected("a statement"))?;
        let second = self.rest().get(1).map(|token| token.kind);
        // These words may also be names of arrays.
        let is_target = matches!(second, Some(Kind::Equals | Kind::OpenBracket));
        let statement = match (first.text, Role::named(first.text)) {
            (_, Some(role)) => Statement::Array(self.declaration(role)?),
            ("const", _) => self.constant()?,
            ("def", _) if !is_target => Statement::Function(self.function()?),
            ("include", _) if !is_target => self.include()?,
            ("repeat", _) if !is_target => Statement::Repeat(self.repetition()?),
            _ => Statement::Assignment(self.assignment("a declaration or an assignment")?),
        };
        self.end_of_line(statement)
    }

    fn statement_of_block(&mut self) -> Parsed<Statement> {
        let declares = |text: &str| matches!(text, "const" | "def" | "include") || Role::named(text).is_some();
        let is_target = matches!(
            self.rest().get(1).map(|token| token.kind),
            Some(Kind::Equals | Kind::OpenBracket)
        );
        if let Some(first) = self.first()
            && declares(first.text)
            && !is_target
        {
            return Err(Mistake::new(Problem::DeclarationInBlock, first.span));
        }
        let assignment = self.assignment("an assignment, `repeat` or `}`")?;
        self.end_of_line(Statement::Assignment(assignment))
    }

    fn end_of_line(&self, statement: Statement) -> Parsed<Statement> {
        match self.first() {
            None => Ok(statement),
            Some(_) => Err(self.expected("the end of the line")),
        }
    }

    fn declaration(&mut self, role: Role) -> Parsed<Declaration> {
        self.advance();
        let name = self.word("a name")?;
        self.token(Kind::Colon, "`:` and a type")?;
        let element = self.word("an element type")?;
        let start = self.next_span();
        let dimensions = self.dimensions()?;
        let shape = start.to(self.last_span());
        let file = match self.first() {
            Some(token) if token.text == "from" => {
                self.advance();
                Some(self.text("the name of a file, in quotation marks")?)
            }
            _ => None,
        };
        Ok(Declaration {
            role,
            name,
            element,
            dimensions,
            shape,
            file,
        })
    }

    fn constant(&mut self) -> Parsed<Statement> {
        self.advance();
        let name = self.word("a name")?;
        self.token(Kind::Equals, "`=` and a number")?;
        let value = self.expression("a number")?;
        Ok(Statement::Constant { name, value })
    }

    fn function(&mut self) -> Parsed<Function> {
        self.advance();
        let name = self.word("a name")?;
        self.token(Kind::Open, "`(` and the parameters")?;
        let parameters = self.list(Kind::Close, "`,` or `)`", |reader| reader.word("a name"))?;
        self.token(Kind::Equals, "`=` and an expression")?;
        let body = self.expression("an expression")?;
        Ok(Function { name, parameters, body })
    }

    fn include(&mut self) -> Parsed<Statement> {
        self.advance();
        let path = self.text("the name of a file, in quotation marks")?;
        Ok(Statement::Include { path })
    }

    fn assignment(&mut self, expected: &'static str) -> Parsed<Assignment> {
        let target = self.word(expected)?;
        let mut parts = Vec::new();
        while self.first().is_some_and(|token| token.kind == Kind::OpenBracket) {
            parts.push(self.places()?);
        }
        self.token(Kind::Equals, "`=`")?;
        let expression = self.expression("an array, a number or an operation")?;
        let span = target.span.to(self.last_span());
        Ok(Assignment {
            target,
            parts,
            expression,
            span,
        })
    }

    /// `repeat`, how often, and the brace.
    fn repetition(&mut self) -> Parsed<Repetition> {
        let start = self.next_span();
        if self.first().is_none_or(|first| first.text != "repeat") {
            return Err(self.expected("`repeat`, or a line without a brace"));
        }
        self.advance();
        let variable = match self.rest() {
            [_, second, ..] if second.text == "in" => {
                let variable = self.word("a name")?;
                self.advance();
                Some(variable)
            }
            _ => None,
        };
        let first = self.expression("how often")?;
        let (first, end) = match self.take(Kind::Dots) {
            Some(_) => (Some(first), self.expression("the end of the range")?),
            None => (None, first),
        };
        let span = start.to(self.last_span());
        self.token(Kind::OpenBrace, "`{`")?;
        Ok(Repetition {
            variable,
            start: first,
            end,
            body: Vec::new(),
            span,
        })
    }
}
