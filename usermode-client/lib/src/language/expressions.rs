//! Parses expressions.

use hawser_abi::op::{Opcode, Predicate};

use super::constant::Constant;
use super::mistake::Mistake;
use super::problem::Problem;
use super::reader::{Parsed, Reader, word};
use super::span::Span;
use super::syntax::{Expression, ExpressionKind, MAX_DEPTH, Operator, Place, Prefix};
use super::token::{Kind, Token};

/// How tightly comparisons bind: less than anything else.
const COMPARISON: u8 = 0;
/// How tightly the loosest operator that is not a comparison binds.
const ARITHMETIC: u8 = 1;

/// An infix operator, and how tightly it binds.
fn infix(kind: Kind) -> Option<(Operator, u8)> {
    let operation = |opcode, level| Some((Operator::Operation(opcode), level));
    let comparison = |predicate| Some((Operator::Comparison(predicate), COMPARISON));
    match kind {
        Kind::Equal => comparison(Predicate::Eq),
        Kind::NotEqual => comparison(Predicate::Ne),
        Kind::Less => comparison(Predicate::Lt),
        Kind::LessOrEqual => comparison(Predicate::Le),
        Kind::Greater => comparison(Predicate::Gt),
        Kind::GreaterOrEqual => comparison(Predicate::Ge),
        Kind::Or => operation(Opcode::Or, ARITHMETIC),
        Kind::Caret => operation(Opcode::Xor, 2),
        Kind::And => operation(Opcode::And, 3),
        Kind::ShiftLeft => operation(Opcode::Shl, 4),
        Kind::ShiftRight => operation(Opcode::Shr, 4),
        Kind::Plus => operation(Opcode::Add, 5),
        Kind::Minus => operation(Opcode::Sub, 5),
        Kind::Star => operation(Opcode::Mul, 6),
        Kind::Slash => operation(Opcode::Div, 6),
        Kind::Percent => operation(Opcode::Rem, 6),
        _ => None,
    }
}

/// Whether a token is a number; `inf` and `nan` are.
fn is_number(token: Token<'_>) -> bool {
    token.kind == Kind::Number || matches!(token.text, "inf" | "nan")
}

impl<'t> Reader<'_, 't> {
    /// An expression. `expected` says what is missing where there is none.
    pub(super) fn expression(&mut self, expected: &'static str) -> Parsed<Expression> {
        self.nested(|reader| reader.operators(expected, COMPARISON))
    }

    /// Operands with operators between them that bind at least as tightly as `level`.
    fn operators(&mut self, expected: &'static str, level: u8) -> Parsed<Expression> {
        let mut left = self.operand(expected)?;
        let mut compared = None;
        while let Some((token, operator, tightness)) = self.operator(level) {
            if tightness == COMPARISON
                && let Some(first) = compared.replace(token.span)
            {
                return Err(Mistake::new(Problem::Chained, token.span).also(first, "after this one"));
            }
            self.advance();
            let right = self.operators("an array, a number or an operation", tightness + 1)?;
            let kind = ExpressionKind::Infix {
                operator,
                at: token.span,
                operands: Box::new([left, right]),
            };
            left = expression(kind, token.span)?;
        }
        Ok(left)
    }

    fn operator(&self, level: u8) -> Option<(Token<'t>, Operator, u8)> {
        let token = self.first()?;
        let (operator, tightness) = infix(token.kind)?;
        (tightness >= level).then_some((token, operator, tightness))
    }

    fn operand(&mut self, expected: &'static str) -> Parsed<Expression> {
        let prefix = match self.first().map(|token| token.kind) {
            Some(Kind::Minus) => Prefix::Minus,
            Some(Kind::Tilde) => Prefix::Not,
            _ => return self.primary(expected),
        };
        let start = self.next_span();
        self.advance();
        let operand = self.nested(|reader| reader.operand("an array, a number or an operation"))?;
        let kind = ExpressionKind::Prefix {
            prefix,
            operand: Box::new(operand),
        };
        Ok(Expression {
            span: start.to(self.last_span()),
            ..expression(kind, start)?
        })
    }

    /// What stands without operators, with all that is written behind it.
    fn primary(&mut self, expected: &'static str) -> Parsed<Expression> {
        let start = self.next_span();
        let mut found = self.atom(expected)?;
        loop {
            let of = Box::new(found);
            let kind = match self.rest() {
                [open, ..] if open.kind == Kind::OpenBracket => ExpressionKind::Part {
                    of,
                    places: self.places()?,
                },
                [word, open, ..] if word.text == "as" && open.kind == Kind::OpenBracket => {
                    self.advance();
                    let shape = self.next_span();
                    ExpressionKind::Reshape {
                        of,
                        dimensions: self.dimensions()?,
                        shape: shape.to(self.last_span()),
                    }
                }
                _ => return Ok(*of),
            };
            found = Expression {
                span: start.to(self.last_span()),
                ..expression(kind, start)?
            };
        }
    }

    fn atom(&mut self, expected: &'static str) -> Parsed<Expression> {
        let Some(token) = self.first() else {
            return Err(self.expected(expected));
        };
        let kind = match token.kind {
            Kind::Open => return self.parentheses(),
            _ if is_number(token) => ExpressionKind::Number(Constant::written(token.text)),
            Kind::Word if self.rest().get(1).is_some_and(|next| next.kind == Kind::Open) => return self.call(token),
            Kind::Word => ExpressionKind::Name(token.text.into()),
            _ => return Err(self.expected(expected)),
        };
        self.advance();
        expression(kind, token.span)
    }

    fn parentheses(&mut self) -> Parsed<Expression> {
        let start = self.next_span();
        self.advance();
        let inner = self.expression("an expression")?;
        self.token(Kind::Close, "an operator or `)`")?;
        Ok(Expression {
            span: start.to(self.last_span()),
            ..inner
        })
    }

    fn call(&mut self, name: Token<'t>) -> Parsed<Expression> {
        self.advance();
        self.advance();
        let arguments = self.list(Kind::Close, "`,` or `)`", |reader| {
            reader.expression("an array, a number or an operation")
        })?;
        let kind = ExpressionKind::Call {
            function: word(name),
            arguments,
        };
        Ok(Expression {
            span: name.span.to(self.last_span()),
            ..expression(kind, name.span)?
        })
    }

    /// `[`, one or more dimensions, `]`.
    pub(super) fn dimensions(&mut self) -> Parsed<Vec<Expression>> {
        self.token(Kind::OpenBracket, "`[` and the number of elements")?;
        if self.first().is_some_and(|token| token.kind == Kind::CloseBracket) {
            return Err(self.expected("the number of elements"));
        }
        self.list(Kind::CloseBracket, "`,` or `]`", |reader| {
            reader.expression("the number of elements")
        })
    }

    /// `[`, one or more places, `]`.
    pub(super) fn places(&mut self) -> Parsed<Vec<Place>> {
        self.token(Kind::OpenBracket, "`[` and an index or a range")?;
        if self.first().is_some_and(|token| token.kind == Kind::CloseBracket) {
            return Err(self.expected("an index or a range"));
        }
        self.list(Kind::CloseBracket, "`,` or `]`", Self::place)
    }

    fn place(&mut self) -> Parsed<Place> {
        let start = self.next_span();
        let first = match self.first() {
            Some(token) if token.kind == Kind::Dots => None,
            _ => Some(self.expression("an index or a range")?),
        };
        if self.take(Kind::Dots).is_none() {
            return first.map(Place::Index).ok_or_else(|| self.expected("an index"));
        }
        let end = match self.first() {
            Some(token) if !matches!(token.kind, Kind::CloseBracket | Kind::Comma) => {
                Some(self.expression("the end of the range")?)
            }
            _ => None,
        };
        Ok(Place::Range {
            start: first,
            end,
            span: start.to(self.last_span()),
        })
    }
}

/// An expression of these parts; a part of an operator begins before it.
fn expression(kind: ExpressionKind, at: Span) -> Parsed<Expression> {
    let deepest = |list: &[Expression]| list.iter().map(|part| part.depth).max().unwrap_or_default();
    let (inner, span) = match &kind {
        ExpressionKind::Number(_) | ExpressionKind::Name(_) => (0, at),
        ExpressionKind::Prefix { operand, .. } => (operand.depth, at),
        ExpressionKind::Infix { operands, .. } => {
            let [left, right] = operands.as_ref();
            (left.depth.max(right.depth), left.span.to(right.span))
        }
        ExpressionKind::Call { arguments, .. } => (deepest(arguments), at),
        ExpressionKind::Part { of, places } => {
            let inner = places.iter().flat_map(Place::expressions).map(|place| place.depth);
            (of.depth.max(inner.max().unwrap_or_default()), at)
        }
        ExpressionKind::Reshape { of, dimensions, .. } => (of.depth.max(deepest(dimensions)), at),
    };
    if inner >= MAX_DEPTH {
        return Err(Mistake::new(Problem::TooDeep { limit: MAX_DEPTH }, at));
    }
    Ok(Expression {
        kind,
        span,
        depth: inner + 1,
    })
}
