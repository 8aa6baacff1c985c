//! Types and shapes of operations.

use std::cmp::Ordering;

use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::rules::{ElementOf, Extent, rule};

use super::mistake::Mistake;
use super::node::{Kind, Node, Operation};
use super::operations::{Takes, sources_in_words, sources_of};
use super::problem::{Problem, ShapeAdvice};
use super::scope::{Scope, Typed, Want};
use super::shape::Shape;
use super::span::Span;
use super::symbols::Trouble;
use super::syntax::Expression;

impl Scope<'_> {
    /// An operation on these sources.
    pub(super) fn operation(
        &self,
        operation: Operation,
        sources: &[Expression],
        want: Option<Want>,
        span: Span,
    ) -> Typed {
        let takes = sources_of(operation.opcode);
        if takes.len() != sources.len() {
            let problem = Problem::WrongArity {
                operation: operation.name().into(),
                expected: sources_in_words(operation.opcode),
                found: sources.len(),
            };
            return Err(self.mistake(problem, span));
        }
        let mut typing = Typing::of(operation, want, span);
        let mut nodes = Vec::with_capacity(sources.len());
        for (index, (source, takes)) in sources.iter().zip(takes).enumerate() {
            let node = self.value(source, typing.want(index))?;
            self.check_kind(operation, &node, takes)?;
            typing.found(index, &node);
            nodes.push(node);
        }
        self.compose(operation, nodes, typing.result(), span)
    }

    /// An operation on sources whose types fit.
    pub(super) fn compose(
        &self,
        operation: Operation,
        sources: Vec<Node>,
        element: Option<ElementType>,
        span: Span,
    ) -> Typed {
        let shape = self.shape_of(operation, &sources)?;
        Ok(Node {
            kind: Kind::Operation(operation, sources),
            element,
            shape,
            span,
        })
    }

    /// A conversion to a type. That of a constant is a constant.
    pub(super) fn conversion(&self, element: ElementType, source: &Expression, span: Span) -> Typed {
        let node = self.value(source, None)?;
        if node.untyped().is_some() {
            return Ok(Node {
                element: Some(element),
                span,
                ..node
            });
        }
        if node.element.is_none() {
            return Err(self.mistake(Problem::TypeUnknown, node.span));
        }
        let operation = Operation::of(Opcode::Convert);
        self.check_kind(operation, &node, Takes::Array)?;
        self.compose(operation, vec![node], Some(element), span)
    }

    fn check_kind(&self, operation: Operation, node: &Node, takes: Takes) -> Typed<()> {
        let problem = match takes {
            Takes::Array if node.is_constant() || (node.shape.is_none() && needs_shape(operation.opcode)) => {
                Problem::ArrayNeeded {
                    operation: operation.name(),
                }
            }
            Takes::Number if !node.is_constant() => Problem::NotANumber {
                name: self.describe(node.span),
            },
            _ => return Ok(()),
        };
        Err(self.mistake(problem, node.span))
    }

    /// The shape of the result.
    fn shape_of(&self, operation: Operation, sources: &[Node]) -> Typed<Option<Shape>> {
        let [destination, ..] = &rule(operation.opcode).operands;
        match operation.opcode {
            Opcode::MatMul => self.product(operation, sources).map(Some),
            Opcode::Transpose => self.transposed(operation, sources).map(Some),
            _ if destination.extent == Extent::One => {
                self.equal_shapes(sources)?;
                Ok(Some(Shape::ONE))
            }
            _ => self.common_shape(sources),
        }
    }

    /// The shape that element-wise sources have together.
    fn common_shape(&self, sources: &[Node]) -> Typed<Option<Shape>> {
        let mut common: Option<(Shape, Span)> = None;
        for node in sources {
            let Some(shape) = node.shape else { continue };
            let (before, at) = common.unwrap_or((shape, node.span));
            match before.with(shape) {
                Some(both) => common = Some((both, at)),
                None => return Err(self.shape_mismatch(node, &before, (at, "the other operand"))),
            }
        }
        Ok(common.map(|(shape, _)| shape))
    }

    fn equal_shapes(&self, sources: &[Node]) -> Typed<()> {
        if let [
            Node {
                shape: Some(a), span, ..
            },
            second,
        ] = sources
            && second.shape.is_some_and(|b| !a.matches(&b))
        {
            return Err(self.shape_mismatch(second, a, (*span, "the other operand")));
        }
        Ok(())
    }

    /// A matrix by a matrix, a matrix by a column, or a row by a matrix.
    fn product(&self, operation: Operation, sources: &[Node]) -> Typed<Shape> {
        let [a, b] = sources else {
            return Err(Trouble::Consequence);
        };
        let [left, right] = [a, b].map(|node| node.shape.unwrap_or(Shape::ONE));
        let (left, right) = (left.dimensions(), right.dimensions());
        let (fits, dimensions) = match (left, right) {
            ([m, k], [inner, n]) => (k == inner, vec![*m, *n]),
            ([m, k], [inner]) => (k == inner, vec![*m]),
            ([k], [inner, n]) => (k == inner, vec![*n]),
            ([_, _], _) => return Err(self.not_a_matrix(operation, b)),
            _ => return Err(self.not_a_matrix(operation, a)),
        };
        match Shape::of(&dimensions) {
            Some(shape) if fits => Ok(shape),
            _ => {
                let inner = left.last().copied().unwrap_or_default();
                let expected = match right {
                    [_, n] => format!("[{inner}, {n}]"),
                    _ => format!("[{inner}]"),
                };
                let problem = Problem::ShapeMismatch {
                    name: self.describe(b.span),
                    found: b.shape.unwrap_or(Shape::ONE).to_string().into(),
                    expected: expected.into(),
                    advice: match right {
                        [n, length] if *length == inner && *n != inner => Some(ShapeAdvice::Transpose),
                        _ => None,
                    },
                };
                Err(self.with_call(Mistake::new(problem, b.span).also(a.span, "the first factor")))
            }
        }
    }

    fn transposed(&self, operation: Operation, sources: &[Node]) -> Typed<Shape> {
        let [a] = sources else {
            return Err(Trouble::Consequence);
        };
        let matrix = a.shape.and_then(|shape| shape.matrix());
        matrix
            .and_then(|[rows, columns]| Shape::of(&[columns, rows]))
            .ok_or_else(|| self.not_a_matrix(operation, a))
    }

    fn not_a_matrix(&self, operation: Operation, node: &Node) -> Trouble {
        let expected = match operation.opcode {
            Opcode::MatMul => "[rows, columns]",
            _ => "a matrix, [rows, columns],",
        };
        let problem = Problem::ShapeMismatch {
            name: self.describe(node.span),
            found: node.shape.unwrap_or(Shape::ONE).to_string().into(),
            expected: expected.into(),
            advice: Some(ShapeAdvice::Reshape),
        };
        self.mistake(problem, node.span)
    }

    /// The shape of an expression is not the one that is needed, for a reason at another place.
    pub(super) fn shape_mismatch(&self, node: &Node, expected: &Shape, (at, label): (Span, &'static str)) -> Trouble {
        let found = node.shape.unwrap_or(Shape::ONE);
        let name = self.describe(node.span);
        let problem = match (found.dimensions(), expected.dimensions()) {
            ([found], [expected]) => Problem::LengthMismatch {
                name,
                found: *found,
                expected: *expected,
            },
            _ => Problem::ShapeMismatch {
                name,
                found: found.to_string().into(),
                expected: expected.to_string().into(),
                advice: match found.count().cmp(&expected.count()) {
                    Ordering::Equal => Some(ShapeAdvice::Reshape),
                    Ordering::Less => Some(ShapeAdvice::Spread),
                    Ordering::Greater => None,
                },
            },
        };
        self.with_call(Mistake::new(problem, node.span).also(at, label))
    }
}

/// Whether the result of an operation has another shape than its sources, so that they need one of their own.
fn needs_shape(operation: Opcode) -> bool {
    let [destination, ..] = &rule(operation).operands;
    destination.extent == Extent::One || matches!(operation, Opcode::MatMul | Opcode::Transpose)
}

/// What is known of the types of an operation, while its sources are looked at one after the other.
struct Typing {
    operation: Operation,
    /// The type of the sources that have the operation's own.
    own: Option<Want>,
    at: Span,
}

impl Typing {
    fn of(operation: Operation, want: Option<Want>, at: Span) -> Self {
        let [destination, ..] = &rule(operation.opcode).operands;
        let own = want.filter(|_| destination.element == ElementOf::Step);
        Self { operation, own, at }
    }

    fn element_of(&self, index: usize) -> ElementOf {
        let [_, sources @ ..] = &rule(self.operation.opcode).operands;
        sources.get(index).map_or(ElementOf::Step, |source| source.element)
    }

    /// The type that a source has to have.
    fn want(&self, index: usize) -> Option<Want> {
        match self.element_of(index) {
            ElementOf::Truth => Some(Want {
                element: ElementType::U8,
                because: (self.at, "takes truth values"),
            }),
            _ => self.own,
        }
    }

    fn found(&mut self, index: usize, node: &Node) {
        if self.element_of(index) == ElementOf::Step && self.own.is_none() {
            self.own = node.element.map(|element| Want {
                element,
                because: (node.span, "has this type"),
            });
        }
    }

    /// The type of the result.
    fn result(&self) -> Option<ElementType> {
        let [destination, ..] = &rule(self.operation.opcode).operands;
        match destination.element {
            ElementOf::Truth => Some(ElementType::U8),
            ElementOf::Position => Some(ElementType::U64),
            _ => self.own.map(|own| own.element),
        }
    }
}
