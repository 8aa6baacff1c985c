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
        match blocks.line(line) {
            Ok(()) => {}
            Err(mistake) => {
                mistakes.push(mistake);
                blocks.add(declared_name(line).map(|name| Statement::Broken { name }));
            }
        }
    }
    mistakes.extend(blocks.close());
    (blocks.statements, mistakes)
}

/// The name that a line with a mistake would have declared.
fn declared_name(line: &Line<'_>) -> Option<Word> {
    let [first, second, ..] = line.tokens[..] else {
        return None;
    };
    let declares = matches!(first.text, "const" | "def") || Role::named(first.text).is_some();
    (declares && second.kind == Kind::Word).then_some(word(second))
}

/// A block that is not closed yet.
enum Open {
    Block(Box<Repetition>),
    /// A block whose first line could not be read; nothing in it is kept.
    Broken(Span),
}

/// Statements, and the blocks around the line that is read.
#[derive(Default)]
struct Blocks {
    statements: Vec<Statement>,
    open: Vec<Open>,
}

impl Blocks {
    fn line(&mut self, line: &Line<'_>) -> Parsed<()> {
        let mut reader = Reader::new(line);
        match line.tokens[..] {
            [close] if close.kind == Kind::CloseBrace => return self.close_block(close.span),
            [.., open] if open.kind == Kind::OpenBrace => return self.open_block(&mut reader, open.span),
            _ => {}
        }
        if self.open.is_empty() {
            let statement = reader.statement()?;
            self.add(Some(statement));
        } else {
            let statement = reader.statement_of_block()?;
            self.add(Some(statement));
        }
        Ok(())
    }

    /// Adds a statement to the innermost block.
    fn add(&mut self, statement: Option<Statement>) {
        match self.open.last_mut() {
            None => self.statements.extend(statement),
            Some(Open::Block(block)) => block.body.extend(statement),
            Some(Open::Broken(_)) => {}
        }
    }

    fn open_block(&mut self, reader: &mut Reader<'_, '_>, at: Span) -> Parsed<()> {
        if self.open.len() >= MAX_DEPTH {
            self.open.push(Open::Broken(at));
            return Err(Mistake::new(Problem::TooDeep { limit: MAX_DEPTH }, at));
        }
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
        match self.open.pop() {
            Some(Open::Block(block)) => self.add(Some(Statement::Repeat(*block))),
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
        let start = self.next_span();
        self.advance();
        let path = self.text("the name of a file, in quotation marks")?;
        Ok(Statement::Include {
            path,
            span: start.to(self.last_span()),
        })
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
