//! Declarations: what names stand for, and where arrays lie.

use std::collections::HashMap;

use hawser_abi::op::ElementType;
use hawser_abi::program::Space;

use super::mistake::Mistake;
use super::operations::Callee;
use super::problem::Problem;
use super::resolve::Resolver;
use super::scope::Typed;
use super::span::Span;
use super::symbols::{Symbol, Trouble, check_name, redefined, reserved};
use super::syntax::{Declaration, Expression, ExpressionKind, Function, Place, Statement, Word};
use super::{DefaultFile, NamedArray, Role};
use crate::program::ProgramError;

impl Resolver {
    /// Declares what a statement declares. All arrays have their places before the first step has its own.
    pub(super) fn declaration(&mut self, statement: &Statement) -> Typed<()> {
        self.work.begin_statement();
        match statement {
            Statement::Broken { name } => {
                self.symbols.declare_broken(name);
                Ok(())
            }
            Statement::Constant { name, value } => {
                let constant = self.scope().constant(value);
                let symbol = constant.map(|(constant, _)| Symbol::Constant(constant));
                self.declare(name, symbol)
            }
            Statement::Array(declaration) => {
                let index = self.array(declaration);
                self.declare(&declaration.name, index.map(Symbol::Array))
            }
            Statement::Function(function) => {
                let outcome = self.check_function(function);
                let symbol = outcome.map(|()| Symbol::Function(self.functions.len()));
                self.functions.push(function.clone());
                self.declare(&function.name, symbol)
            }
            Statement::Include { .. } | Statement::Excluded => Ok(()),
            Statement::Assignment(_) | Statement::Repeat(_) | Statement::Unread { .. } => Ok(()),
        }
    }

    /// Declares a name, as broken where there is nothing that it stands for.
    fn declare(&mut self, name: &Word, symbol: Typed<Symbol>) -> Typed<()> {
        match symbol {
            Ok(symbol) => Ok(self.symbols.declare(name, symbol)?),
            Err(trouble) => {
                self.symbols.declare_broken(name);
                Err(trouble)
            }
        }
    }

    fn array(&mut self, declaration: &Declaration) -> Typed<usize> {
        let Declaration { role, name, .. } = declaration;
        let element = ElementType::named(&declaration.element.text).ok_or_else(|| {
            let problem = Problem::UnknownType {
                name: declaration.element.text.to_string(),
            };
            Mistake::new(problem, declaration.element.span)
        })?;
        let shape = self.scope().shape(&declaration.dimensions, declaration.shape)?;
        check_name(name)?;
        self.check_file(declaration)?;
        let space = if *role == Role::Temp {
            Space::Scratch
        } else {
            Space::Data
        };
        let region = self
            .builder
            .region(space, element, shape.count())
            .map_err(|error| too_large(error, space, declaration.shape))?;
        let array = NamedArray {
            name: name.text.to_string(),
            role: *role,
            element,
            shape: shape.dimensions().to_vec(),
            count: shape.count(),
            offset: region.place.offset,
            file: declaration.file.as_ref().map(|file| DefaultFile {
                path: file.text.to_string(),
                declared_in: file.span.source,
            }),
        };
        self.arrays.add(array, shape, region, name.span);
        Ok(self.arrays.len() - 1)
    }

    /// Only what the caller provides comes from a file.
    fn check_file(&self, declaration: &Declaration) -> Typed<()> {
        match &declaration.file {
            Some(file) if !declaration.role.is_input() => {
                let problem = Problem::NotAnInput {
                    name: declaration.name.text.to_string(),
                    role: declaration.role.name(),
                };
                Err(Mistake::new(problem, file.span).into())
            }
            _ => Ok(()),
        }
    }

    /// The parameters of a function are names of their own, and its body uses only them and what is declared above.
    fn check_function(&self, function: &Function) -> Typed<()> {
        // What the language calls under this name would be called in its place.
        if Callee::named(&function.name.text).is_some() {
            return Err(reserved(&function.name).into());
        }
        let mut parameters = HashMap::with_capacity(function.parameters.len());
        for parameter in &function.parameters {
            check_name(parameter)?;
            if let Some(first) = parameters.insert(&*parameter.text, parameter.span) {
                return Err(redefined(parameter, first).into());
            }
        }
        self.check_names(&function.body, &parameters)
    }

    fn check_names(&self, expression: &Expression, parameters: &HashMap<&str, Span>) -> Typed<()> {
        let all = |list: &[Expression]| list.iter().try_for_each(|inner| self.check_names(inner, parameters));
        match &expression.kind {
            ExpressionKind::Number(_) => Ok(()),
            ExpressionKind::Name(name) if parameters.contains_key(&**name) => Ok(()),
            ExpressionKind::Name(name) => {
                let name = Word {
                    text: name.clone(),
                    span: expression.span,
                };
                self.symbols.look_up(&name).map(drop)
            }
            ExpressionKind::Prefix { operand, .. } => self.check_names(operand, parameters),
            ExpressionKind::Infix { operands, .. } => all(operands.as_slice()),
            ExpressionKind::Call { function, arguments } => {
                self.check_callee(function)?;
                all(arguments)
            }
            ExpressionKind::Part { of, places } => {
                self.check_names(of, parameters)?;
                places
                    .iter()
                    .flat_map(Place::expressions)
                    .try_for_each(|inner| self.check_names(inner, parameters))
            }
            ExpressionKind::Reshape { of, dimensions, .. } => {
                self.check_names(of, parameters)?;
                all(dimensions)
            }
        }
    }

    fn check_callee(&self, name: &Word) -> Typed<()> {
        let is_known = Callee::named(&name.text).is_some();
        match self.symbols.find(&name.text).map(|declared| &declared.symbol) {
            _ if is_known => Ok(()),
            Some(Symbol::Function(_)) => Ok(()),
            Some(Symbol::Broken) => Err(Trouble::Consequence),
            None if self.symbols.lack_names => Err(Trouble::Consequence),
            _ => {
                let problem = Problem::UnknownOperation {
                    name: name.text.to_string(),
                };
                Err(Mistake::new(problem, name.span).into())
            }
        }
    }
}

fn too_large(error: ProgramError, space: Space, at: Span) -> Mistake {
    let problem = match (error, space) {
        (ProgramError::TooLarge { length, limit }, Space::Scratch) => Problem::ScratchTooLarge { length, limit },
        (ProgramError::TooLarge { length, limit }, _) => Problem::DataTooLarge { length, limit },
        (other, _) => Problem::Refused(other.into()),
    };
    Mistake::new(problem, at)
}
