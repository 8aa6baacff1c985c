//! Gives expressions types and shapes.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

use hawser_abi::op::{ElementType, Opcode};

use super::arrays::Arrays;
use super::constant::Constant;
use super::fold;
use super::mistake::Mistake;
use super::node::{Kind, Node, Operation, Slot};
use super::problem::Problem;
use super::shape::Shape;
use super::sources::Sources;
use super::span::Span;
use super::symbols::{Declared, Symbol, Symbols, Trouble};
use super::syntax::{Expression, ExpressionKind, Function, MAX_DEPTH, Operator, Prefix, Word};

/// Expressions that may be looked at while a program is compiled, those of repeated blocks and functions as often as they are used.
const MAX_WORK: u64 = 1 << 22;
/// Expressions of a single assignment, which are all in memory before it becomes steps.
const MAX_WORK_OF_STATEMENT: u64 = 1 << 17;

/// Expressions that have been looked at.
#[derive(Debug, Default)]
pub(super) struct Work {
    all: Cell<u64>,
    of_statement: Cell<u64>,
}

impl Work {
    /// Goes to the next statement.
    pub(super) fn begin_statement(&self) {
        self.of_statement.set(0);
    }

    /// Counts an expression; says whether that was one too many.
    fn is_too_much(&self) -> bool {
        self.all.set(self.all.get() + 1);
        self.of_statement.set(self.of_statement.get() + 1);
        self.all.get() > MAX_WORK || self.of_statement.get() > MAX_WORK_OF_STATEMENT
    }
}

/// The names that an expression can use.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) symbols: &'a Symbols,
    pub(super) arrays: &'a Arrays,
    pub(super) functions: &'a [Function],
    pub(super) sources: &'a Sources,
    pub(super) work: &'a Work,
    /// The function whose body this is.
    pub(super) frame: Option<&'a Frame>,
    /// Levels of expressions around this one.
    pub(super) depth: usize,
}

/// A call of a function.
pub(super) struct Frame {
    /// Its index.
    pub(super) function: usize,
    /// Where it is called.
    pub(super) call: Span,
    pub(super) arguments: HashMap<Rc<str>, Argument>,
}

/// What a parameter stands for.
pub(super) enum Argument {
    /// A constant, or a part of an array.
    Direct(Node),
    /// A value that is computed before.
    Slot {
        slot: Rc<Slot>,
        element: ElementType,
        shape: Shape,
    },
}

/// The type that an expression has to have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    pub(super) element: ElementType,
    /// Where that is said, and what it is.
    pub(super) because: (Span, &'static str),
}

pub(super) type Typed<T = Node> = Result<T, Trouble>;

impl<'a> Scope<'a> {
    /// The expression, which reads only what has been written.
    pub(super) fn value(&self, expression: &Expression, want: Option<Want>) -> Typed {
        let node = self.place(expression, want)?;
        if let Kind::Array(index, region) = &node.kind {
            self.arrays
                .check_read(*index, region, node.span)
                .map_err(|mistake| self.with_call(mistake))?;
        }
        Ok(node)
    }

    /// The constant that an expression is.
    pub(super) fn constant(&self, expression: &Expression) -> Typed<(Constant, Option<Span>)> {
        let node = self.place(expression, None)?;
        match (node.kind, node.element) {
            (Kind::Constant(constant, declared), None) => Ok((constant, declared)),
            // It would have to be converted now, and lose its type.
            (Kind::Constant(..), Some(element)) => {
                let problem = Problem::TypedConstant {
                    name: self.describe(expression.span),
                    element: element.name(),
                };
                Err(self.mistake(problem, expression.span))
            }
            _ => {
                let name = self.describe(expression.span);
                Err(self.mistake(Problem::NotANumber { name }, expression.span))
            }
        }
    }

    /// The expression; where it is an array, its elements may not have been written.
    pub(super) fn place(&self, expression: &Expression, want: Option<Want>) -> Typed {
        self.spend(expression.span)?;
        let inner = Self {
            depth: self.depth + 1,
            ..*self
        };
        let node = inner.dispatch(expression, want)?;
        match (node.element, want) {
            (Some(found), Some(want)) if found != want.element => Err(self.type_mismatch(&node, found, want)),
            _ => Ok(node),
        }
    }

    fn dispatch(&self, expression: &Expression, want: Option<Want>) -> Typed {
        let span = expression.span;
        match &expression.kind {
            ExpressionKind::Number(Ok(constant)) => Ok(Node::constant(constant.clone(), span)),
            ExpressionKind::Number(Err(problem)) => Err(self.mistake(problem.clone(), span)),
            ExpressionKind::Name(name) => self.name(&Word {
                text: name.clone(),
                span,
            }),
            ExpressionKind::Prefix { prefix, operand } => self.prefix(*prefix, operand, want, span),
            ExpressionKind::Infix { operator, operands, at } => self.infix(*operator, operands, want, (span, *at)),
            ExpressionKind::Call { function, arguments } => self.call(function, arguments, want, span),
            ExpressionKind::Part { of, places } => self.part(of, places, want, span),
            ExpressionKind::Reshape { of, dimensions, shape } => self.reshape(of, (dimensions, *shape), want, span),
        }
    }

    fn prefix(&self, prefix: Prefix, operand: &Expression, want: Option<Want>, span: Span) -> Typed {
        let opcode = match prefix {
            Prefix::Minus => Opcode::Neg,
            Prefix::Not => Opcode::Not,
        };
        let node = self.operation(Operation::of(opcode), std::slice::from_ref(operand), want, span)?;
        // A number and its sign are one number.
        match untyped(&node).as_slice() {
            [constant] if prefix == Prefix::Minus => Ok(Node::constant(fold::negated(constant), span)),
            _ => Ok(node),
        }
    }

    fn infix(
        &self,
        operator: Operator,
        operands: &[Expression; 2],
        want: Option<Want>,
        (span, at): (Span, Span),
    ) -> Typed {
        let opcode = match operator {
            Operator::Comparison(predicate) => {
                return self.operation(Operation::comparison(predicate), operands, want, span);
            }
            Operator::Operation(opcode) => opcode,
        };
        let node = self.operation(Operation::of(opcode), operands, want, span)?;
        match untyped(&node).as_slice() {
            [a, b] if fold::is_folded(opcode) => match fold::folded(opcode, a, b) {
                Ok(constant) => Ok(Node::constant(constant, span)),
                Err(problem) => Err(self.mistake(problem, at)),
            },
            _ => Ok(node),
        }
    }

    fn name(&self, name: &Word) -> Typed {
        if let Some(frame) = self.frame
            && let Some(argument) = frame.arguments.get(&name.text)
        {
            return Ok(argument.node(name.span));
        }
        let declared = self.look_up(name)?;
        let node = |kind, element, shape| Node {
            kind,
            element,
            shape,
            span: name.span,
        };
        match declared.symbol {
            Symbol::Constant(constant) => Ok(node(Kind::Constant(constant, Some(declared.at)), None, None)),
            Symbol::Array(index) => {
                let known = self.arrays.get(index);
                let (element, shape) = (Some(known.array.element), Some(known.shape));
                Ok(node(Kind::Array(index, known.region), element, shape))
            }
            Symbol::Function(_) => {
                let problem = Problem::NotAValue {
                    name: name.text.to_string(),
                };
                Err(self.with_call(Mistake::new(problem, name.span).also(declared.at, "declared here")))
            }
            Symbol::Broken => Err(Trouble::Consequence),
        }
    }

    /// What a name stands for. The variables of blocks are not seen by the functions that are called there.
    fn look_up(&self, name: &Word) -> Typed<Declared> {
        match self.frame {
            None => self.symbols.look_up(name),
            Some(_) => self.symbols.look_up_global(name),
        }
    }

    /// Counts an expression; says when there are too many, or too many around it.
    fn spend(&self, span: Span) -> Typed<()> {
        if self.work.is_too_much() {
            return Err(Trouble::Fatal(Box::new(Mistake::new(Problem::TooMuch, span))));
        }
        if self.depth > MAX_DEPTH {
            return Err(self.mistake(Problem::TooDeep { limit: MAX_DEPTH }, span));
        }
        Ok(())
    }

    /// How a message names an expression.
    pub(super) fn describe(&self, span: Span) -> String {
        let text = self.sources.slice(span);
        if text.len() <= 40 && !text.contains('\n') {
            format!("`{text}`")
        } else {
            "this".into()
        }
    }

    /// A mistake at a place; in the body of a function also where that is called.
    pub(super) fn mistake(&self, problem: Problem, at: Span) -> Trouble {
        self.with_call(Mistake::new(problem, at))
    }

    pub(super) fn with_call(&self, mistake: Mistake) -> Trouble {
        mistake.called(self.frame.map(|frame| frame.call)).into()
    }

    fn type_mismatch(&self, node: &Node, found: ElementType, want: Want) -> Trouble {
        let (because, label) = want.because;
        let problem = Problem::TypeMismatch {
            name: self.describe(node.span),
            found: found.name(),
            expected: want.element.name(),
        };
        self.with_call(Mistake::new(problem, node.span).also(because, label))
    }
}

impl Argument {
    fn node(&self, span: Span) -> Node {
        match self {
            Self::Direct(node) => Node { span, ..node.clone() },
            Self::Slot { slot, element, shape } => {
                slot.uses.set(slot.uses.get() + 1);
                Node {
                    kind: Kind::Slot(Rc::clone(slot)),
                    element: Some(*element),
                    shape: Some(*shape),
                    span,
                }
            }
        }
    }
}

/// The sources of an operation, where all of them are constants without a type.
fn untyped(node: &Node) -> Vec<&Constant> {
    match &node.kind {
        Kind::Operation(_, sources) => sources
            .iter()
            .map(Node::untyped)
            .collect::<Option<_>>()
            .unwrap_or_default(),
        _ => Vec::new(),
    }
}
