//! Parses lines into statements.

use super::Role;
use super::mistake::Mistake;
use super::problem::Problem;
use super::span::Span;
use super::syntax::{Declaration, Expression, Number, Sign, Statement, Value, Word};
use super::token::{Kind, Line, Token, lines};

/// Parses a text. Lines with mistakes do not keep the others from being parsed.
pub(super) fn parse(text: &str) -> (Vec<Statement<'_>>, Vec<Mistake>) {
    let (lines, mut mistakes) = lines(text);
    let mut statements = Vec::new();
    for line in &lines {
        match Parser::new(line).statement() {
            Ok(statement) => statements.push(statement),
            Err(mistake) => {
                mistakes.push(mistake);
                statements.extend(declared_name(line).map(|name| Statement::Broken { name }));
            }
        }
    }
    (statements, mistakes)
}

/// The name that a line with a mistake would have declared.
fn declared_name<'t>(line: &Line<'t>) -> Option<Word<'t>> {
    let [first, second, ..] = line.tokens[..] else {
        return None;
    };
    let declares = first.text == "const" || role(first.text).is_some();
    (declares && second.kind == Kind::Word).then_some(word(second))
}

fn role(text: &str) -> Option<Role> {
    [Role::In, Role::Out, Role::InOut, Role::Temp]
        .into_iter()
        .find(|role| role.name() == text)
}

fn word(token: Token<'_>) -> Word<'_> {
    Word {
        text: token.text,
        span: token.span,
    }
}

/// The name of the operation of an infix operator.
fn infix(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Plus => Some("add"),
        Kind::Minus => Some("sub"),
        Kind::Star => Some("mul"),
        Kind::Slash => Some("div"),
        _ => None,
    }
}

/// What is left of a line.
struct Parser<'l, 't> {
    rest: &'l [Token<'t>],
    /// Where an error at the end of the line is shown.
    end: Span,
}

type Parsed<T> = Result<T, Mistake>;

impl<'l, 't> Parser<'l, 't> {
    fn new(line: &'l Line<'t>) -> Self {
        let end = line.tokens.last().map_or(line.end, |token| token.span.end);
        Self {
            rest: &line.tokens,
            end: Span { start: end, end },
        }
    }

    fn statement(mut self) -> Parsed<Statement<'t>> {
        let first = self.word("a declaration or an assignment")?;
        let statement = match (first.text, role(first.text)) {
            (_, Some(role)) => Statement::Array(self.declaration(role)?),
            ("const", None) => self.constant()?,
            _ => self.assignment(first)?,
        };
        match self.rest.first() {
            None => Ok(statement),
            Some(_) => Err(self.expected("the end of the line")),
        }
    }

    fn declaration(&mut self, role: Role) -> Parsed<Declaration<'t>> {
        let name = self.word("a name")?;
        self.token(Kind::Colon, "`:` and a type")?;
        let element = self.word("an element type")?;
        self.token(Kind::OpenBracket, "`[` and the number of elements")?;
        let count = self.value("the number of elements")?;
        self.token(Kind::CloseBracket, "`]`")?;
        Ok(Declaration {
            role,
            name,
            element,
            count,
        })
    }

    fn constant(&mut self) -> Parsed<Statement<'t>> {
        let name = self.word("a name")?;
        self.token(Kind::Equals, "`=` and a number")?;
        match self.value("a number")? {
            Value::Number(number) => Ok(Statement::Constant { name, number }),
            Value::Name(word) => Err(Mistake::expected("a number", word.text, word.span)),
        }
    }

    fn assignment(&mut self, target: Word<'t>) -> Parsed<Statement<'t>> {
        self.token(Kind::Equals, "`=`")?;
        let expression = self.expression()?;
        let end = self.consumed_end(target.span);
        Ok(Statement::Assignment {
            target,
            expression,
            span: target.span.to(end),
        })
    }

    /// The end of what has been read; `fallback` where nothing has.
    fn consumed_end(&self, fallback: Span) -> Span {
        let end = self.rest.first().map_or(self.end.end, |next| next.span.start);
        Span {
            start: fallback.start,
            end,
        }
    }

    fn expression(&mut self) -> Parsed<Expression<'t>> {
        if let [name, open, ..] = self.rest
            && name.kind == Kind::Word
            && open.kind == Kind::Open
        {
            self.rest = &self.rest[2..];
            let values = self.arguments()?;
            self.not_nested()?;
            return Ok(Expression::Call {
                operation: word(*name),
                values,
            });
        }
        let left = self.value("an array, a number or an operation")?;
        let Some((operator, operation)) = self.rest.first().and_then(|token| Some((*token, infix(token.kind)?))) else {
            return Ok(Expression::Value(left));
        };
        self.rest = &self.rest[1..];
        let right = self.value("an array or a number")?;
        self.not_nested()?;
        let operation = Word {
            text: operation,
            span: operator.span,
        };
        Ok(Expression::Call {
            operation,
            values: vec![left, right],
        })
    }

    fn arguments(&mut self) -> Parsed<Vec<Value<'t>>> {
        let mut values = Vec::new();
        if self.take(Kind::Close).is_some() {
            return Ok(values);
        }
        loop {
            values.push(self.value("an array or a number")?);
            self.not_nested()?;
            if self.take(Kind::Comma).is_none() {
                self.token(Kind::Close, "`,` or `)`")?;
                return Ok(values);
            }
        }
    }

    /// Refuses an operator where an expression is over.
    fn not_nested(&self) -> Parsed<()> {
        match self.rest.first() {
            Some(token) if infix(token.kind).is_some() => Err(Mistake::new(Problem::Nested, token.span)),
            _ => Ok(()),
        }
    }

    fn value(&mut self, expected: &'static str) -> Parsed<Value<'t>> {
        match self.rest {
            [name, open, ..] if name.kind == Kind::Word && open.kind == Kind::Open => {
                Err(Mistake::new(Problem::Nested, name.span))
            }
            [open, ..] if open.kind == Kind::Open => Err(Mistake::new(Problem::Nested, open.span)),
            [minus, number, ..] if minus.kind == Kind::Minus && is_number(*number) => {
                self.rest = &self.rest[2..];
                let span = minus.span.to(number.span);
                Ok(Value::Number(Number {
                    sign: Sign::Minus,
                    text: number.text,
                    span,
                }))
            }
            [number, ..] if is_number(*number) => {
                self.rest = &self.rest[1..];
                Ok(Value::Number(Number {
                    sign: Sign::Plus,
                    text: number.text,
                    span: number.span,
                }))
            }
            _ => self.word(expected).map(Value::Name),
        }
    }

    fn word(&mut self, expected: &'static str) -> Parsed<Word<'t>> {
        self.token(Kind::Word, expected).map(word)
    }

    fn token(&mut self, kind: Kind, expected: &'static str) -> Parsed<Token<'t>> {
        self.take(kind).ok_or_else(|| self.expected(expected))
    }

    fn take(&mut self, kind: Kind) -> Option<Token<'t>> {
        let (first, rest) = self.rest.split_first().filter(|(first, _)| first.kind == kind)?;
        self.rest = rest;
        Some(*first)
    }

    fn expected(&self, expected: &'static str) -> Mistake {
        match self.rest.first() {
            Some(token) => Mistake::expected(expected, token.text, token.span),
            None => Mistake::new(Problem::Unfinished { expected }, self.end),
        }
    }
}

/// Whether a token is a number; `inf` and `nan` are.
fn is_number(token: Token<'_>) -> bool {
    token.kind == Kind::Number || matches!(token.text, "inf" | "nan")
}
