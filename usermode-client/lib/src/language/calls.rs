//! Calls: of operations, conversions and functions.

use std::collections::HashMap;
use std::rc::Rc;

use hawser_abi::op::Opcode;

use super::constant::Constant;
use super::node::{Kind, Node, Operation, Overflow, Slot};
use super::operations::Callee;
use super::problem::Problem;
use super::scope::{Argument, Frame, Scope, Typed, Want};
use super::shape::Shape;
use super::span::Span;
use super::symbols::{Symbol, Trouble};
use super::syntax::{Expression, Word};

impl Scope<'_> {
    pub(super) fn call(&self, function: &Word, arguments: &[Expression], want: Option<Want>, span: Span) -> Typed {
        match Callee::named(&function.text) {
            Some(Callee::Operation(opcode)) => self.operation(Operation::of(opcode), arguments, want, span),
            Some(Callee::Comparison(predicate)) => {
                self.operation(Operation::comparison(predicate), arguments, want, span)
            }
            Some(Callee::Conversion(element)) => {
                let source = self.only(function, arguments, "one array or number", span)?;
                self.conversion(element, source, span)
            }
            Some(Callee::Relu) => {
                let source = self.only(function, arguments, "one array or number", span)?;
                self.relu(source, want, span)
            }
            Some(Callee::Saturate) => {
                let source = self.only(function, arguments, "one operation", span)?;
                self.saturated(self.value(source, want)?)
            }
            None => self.function(function, arguments, want, span),
        }
    }

    /// The argument of what takes one.
    fn only<'e>(&self, name: &Word, arguments: &'e [Expression], expected: &str, span: Span) -> Typed<&'e Expression> {
        match arguments {
            [only] => Ok(only),
            _ => Err(self.arity(&name.text, expected.into(), arguments.len(), span)),
        }
    }

    fn arity(&self, operation: &str, expected: String, found: usize, span: Span) -> Trouble {
        let problem = Problem::WrongArity {
            operation: operation.into(),
            expected,
            found,
        };
        self.mistake(problem, span)
    }

    fn relu(&self, source: &Expression, want: Option<Want>, span: Span) -> Typed {
        let node = self.value(source, want)?;
        let element = node.element.or(want.map(|want| want.element));
        let sources = vec![node, Node::constant(Constant::Integer(0), span)];
        self.compose(Operation::of(Opcode::Max), sources, element, span)
    }

    /// The same expression with an outermost operation that saturates.
    fn saturated(&self, node: Node) -> Typed {
        let kind = match node.kind {
            Kind::Operation(operation, sources) => {
                let overflow = Overflow::Saturate;
                Kind::Operation(Operation { overflow, ..operation }, sources)
            }
            Kind::Call(slots, body) => Kind::Call(slots, Box::new(self.saturated(*body)?)),
            _ => return Err(self.mistake(Problem::NotSaturating { operation: "sat" }, node.span)),
        };
        Ok(Node { kind, ..node })
    }

    fn function(&self, name: &Word, arguments: &[Expression], want: Option<Want>, span: Span) -> Typed {
        let unknown = || Problem::UnknownOperation {
            name: name.text.to_string(),
        };
        let index = match self.symbols.find(&name.text).map(|declared| &declared.symbol) {
            // A function can use only those above it, and so never itself.
            Some(Symbol::Function(index)) if self.frame.is_none_or(|frame| *index < frame.function) => *index,
            Some(Symbol::Broken) => return Err(Trouble::Consequence),
            None if self.symbols.lack_names => return Err(Trouble::Consequence),
            _ => return Err(self.mistake(unknown(), name.span)),
        };
        let function = self.functions.get(index).ok_or(Trouble::Consequence)?;
        if function.parameters.len() != arguments.len() {
            let expected = match function.parameters.len() {
                1 => "one argument".into(),
                count => format!("{count} arguments"),
            };
            return Err(self.arity(&name.text, expected, arguments.len(), span));
        }
        let mut slots = Vec::new();
        let mut given = HashMap::with_capacity(arguments.len());
        for (parameter, argument) in function.parameters.iter().zip(arguments) {
            given.insert(parameter.text.clone(), self.argument(argument, &mut slots)?);
        }
        let frame = Frame {
            function: index,
            // Functions inside functions are shown where the outermost is called.
            call: self.frame.map_or(span, |frame| frame.call),
            arguments: given,
        };
        let body = Scope {
            frame: Some(&frame),
            ..*self
        }
        .value(&function.body, want)?;
        let ignored = slots.iter().filter(|(slot, _)| slot.uses.get() == 0);
        ignored.for_each(|(_, argument)| argument.drop_uses());
        Ok(called(body, slots, span))
    }

    /// What a parameter stands for. A value that has to be computed is computed once.
    fn argument(&self, argument: &Expression, slots: &mut Vec<(Rc<Slot>, Node)>) -> Typed<Argument> {
        let node = self.value(argument, None)?;
        if matches!(node.kind, Kind::Constant(..) | Kind::Array(..)) {
            return Ok(Argument::Direct(node));
        }
        let Some(element) = node.element else {
            return Err(self.mistake(Problem::TypeUnknown, node.span));
        };
        let slot = Rc::new(Slot::default());
        let shape = node.shape.unwrap_or(Shape::ONE);
        slots.push((Rc::clone(&slot), node));
        Ok(Argument::Slot { slot, element, shape })
    }
}

/// A call with this body, or what it comes to.
fn called(body: Node, slots: Vec<(Rc<Slot>, Node)>, span: Span) -> Node {
    if matches!(body.kind, Kind::Constant(..) | Kind::Array(..)) {
        return Node { span, ..body };
    }
    Node {
        element: body.element,
        shape: body.shape,
        kind: Kind::Call(slots, Box::new(body)),
        span,
    }
}
