//! What keeps the command from doing its work, and how it says so.

use std::fmt;
use std::io;
use std::path::PathBuf;

use hawser::Error;
use hawser::assembly;
use hawser::language::{Mistakes, Position};
use hawser::transport::TransportError;
use hawser_core::Refusal;
use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use serde_json::{Value, json};
use thiserror::Error as ThisError;

use crate::args::Output;
use crate::array_file::ArrayFileError;
use crate::bindings::BindingError;
use crate::connection::Connection;
use crate::exit::Exit;
use crate::say::{self, say};

/// Schema of the JSON output of a command that could not do its work.
const SCHEMA: &str = "hawser.error/1";

/// What keeps the command from doing its work.
#[derive(Debug, ThisError)]
pub enum Failure {
    /// Arguments that make no sense here.
    #[error("{message}")]
    Usage {
        /// What is wrong with them.
        message: String,
    },
    /// The program cannot be read.
    #[error("cannot read `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A program, or what it was compiled to, cannot be written.
    #[error("cannot write `{}`", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The bytes are not a header and steps.
    #[error("`{}` is no program", path.display())]
    NotWhole {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: assembly::NotWhole,
    },
    /// The assembly has mistakes.
    #[error(transparent)]
    Assembly(#[from] assembly::Mistakes),
    /// The program has mistakes.
    #[error(transparent)]
    Program(#[from] Mistakes),
    /// The program does not fit a driver of revision 1.
    #[error("a driver would refuse the program: {}", .0.refusal)]
    Plan(Box<Refused>),
    /// An array cannot be bound.
    #[error(transparent)]
    Binding(#[from] BindingError),
    /// A result cannot be written.
    #[error(transparent)]
    Output(ArrayFileError),
    /// What was printed did not arrive.
    #[error("the output is not whole")]
    Lost {
        /// Why.
        #[source]
        cause: &'static io::Error,
    },
    /// An image of the driver cannot be loaded.
    #[error("{message}")]
    #[cfg_attr(
        windows,
        allow(dead_code, reason = "only the builds that have a simulated machine make it")
    )]
    Image {
        /// The file, and why.
        message: String,
    },
    /// The device cannot be used.
    #[error(transparent)]
    Device(Error),
    /// The simulated machine failed.
    #[error(transparent)]
    #[cfg_attr(
        windows,
        allow(dead_code, reason = "only the builds that have a simulated machine make it")
    )]
    Machine(TransportError),
}

/// What a driver would say of a program.
#[derive(Debug)]
pub struct Refused {
    /// The rule that it breaks, and where.
    pub refusal: Refusal,
    /// The step in its text, where the refusal names one.
    pub place: Option<(NamedSource<String>, LabeledSpan)>,
}

impl Diagnostic for Failure {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        // Mistakes have codes of their own, one for each.
        let has_code = !matches!(self, Self::Program(_) | Self::Assembly(_));
        has_code.then(|| Box::new(format!("hawser::{}", self.code())) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        match self {
            Self::Program(mistakes) => mistakes.source_code(),
            Self::Assembly(mistakes) => mistakes.source_code(),
            Self::Plan(refused) => refused.place.as_ref().map(|(source, _)| source as &dyn SourceCode),
            _ => None,
        }
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        match self {
            Self::Plan(refused) => {
                let (_, label) = refused.place.as_ref()?;
                Some(Box::new(std::iter::once(label.clone())))
            }
            _ => None,
        }
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        match self {
            Self::Program(mistakes) => mistakes.help(),
            Self::Assembly(mistakes) => mistakes.help(),
            _ => None,
        }
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        match self {
            Self::Program(mistakes) => mistakes.related(),
            Self::Assembly(mistakes) => mistakes.related(),
            _ => None,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Transport(error) => Connection::failure(error),
            error => Self::Device(error),
        }
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        Connection::failure(error)
    }
}

impl Failure {
    /// The exit status.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. } | Self::File { .. } | Self::Program(_) | Self::Plan(_) => Exit::Usage,
            Self::Unwritable { .. } | Self::NotWhole { .. } | Self::Assembly(_) => Exit::Usage,
            Self::Binding(_) | Self::Output(_) | Self::Lost { .. } | Self::Image { .. } => Exit::Usage,
            Self::Device(_) => Exit::Device,
            Self::Machine(_) => Exit::Machine,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Usage { .. } => "usage",
            Self::File { .. } | Self::Unwritable { .. } | Self::NotWhole { .. } => "file",
            Self::Program(_) | Self::Assembly(_) => "program",
            Self::Plan(_) => "plan",
            Self::Binding(_) => "binding",
            Self::Output(_) | Self::Lost { .. } => "output",
            Self::Image { .. } => "image",
            Self::Device(_) => "device",
            Self::Machine(_) => "machine",
        }
    }

    /// A word for the failure that stays the same when its message changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Usage { .. } => "usage",
            Self::File { .. } => "program-unreadable",
            Self::Unwritable { .. } => "program-unwritable",
            Self::NotWhole { .. } => "not-whole",
            Self::Program(_) | Self::Assembly(_) => "mistakes",
            Self::Plan(_) => "plan-refused",
            Self::Binding(error) => error.code(),
            Self::Output(error) => error.code(),
            Self::Lost { .. } => "output-lost",
            Self::Image { .. } => "image-unusable",
            Self::Device(Error::NoDevice) => "no-device",
            Self::Device(_) => "device",
            Self::Machine(_) => "machine",
        }
    }

    /// What is printed cannot be put into JSON.
    pub fn unprintable(error: serde_json::Error) -> Self {
        Self::Usage {
            message: error.to_string(),
        }
    }

    /// Tells the reader; returns the exit status.
    pub fn report(self, output: Output) -> Exit {
        let exit = self.exit();
        match output {
            Output::Json => say!("{:#}", self.json()),
            Output::Text => say::diagnostic(&miette::Report::new(self)),
        }
        exit
    }

    fn json(&self) -> Value {
        let mistakes = self.mistakes();
        json!({
            "schema": SCHEMA,
            "exit": self.exit() as u8,
            "kind": self.kind(),
            "code": self.code(),
            "message": self.message(),
            "mistakes": mistakes,
        })
    }

    /// The mistakes of the program.
    fn mistakes(&self) -> Vec<Value> {
        match self {
            Self::Program(mistakes) => {
                let list = mistakes.list().iter();
                list.map(|mistake| {
                    let told = Told {
                        code: mistake.problem.code(),
                        file: mistakes.file(mistake),
                        position: mistakes.position(mistake),
                        help: mistake.problem.help(),
                    };
                    told.json(mistake)
                })
                .collect()
            }
            Self::Assembly(mistakes) => {
                let list = mistakes.list().iter();
                list.map(|mistake| {
                    let told = Told {
                        code: mistake.problem.code(),
                        file: mistakes.file(),
                        position: mistakes.position(mistake),
                        help: mistake.problem.help().map(str::to_owned),
                    };
                    told.json(mistake)
                })
                .collect()
            }
            _ => Vec::new(),
        }
    }

    /// The message with those of its causes.
    fn message(&self) -> String {
        let mut message = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let text = error.to_string();
            if !message.ends_with(&text) {
                message = format!("{message}: {text}");
            }
            cause = error.source();
        }
        message
    }
}

/// What JSON says of a mistake, beside its message.
struct Told<'a> {
    code: &'static str,
    file: &'a str,
    position: Position,
    help: Option<String>,
}

impl Told<'_> {
    fn json(&self, message: &impl fmt::Display) -> Value {
        json!({
            "code": self.code,
            "message": message.to_string(),
            "file": self.file,
            "line": self.position.line,
            "column": self.position.column,
            "help": self.help,
        })
    }
}

/// Says on the terminal why the device did not run a program, with the line of the step.
pub fn tell_ending(message: &str, source: NamedSource<String>, step: Option<LabeledSpan>) {
    let diagnostic = miette::MietteDiagnostic::new(message)
        .with_code("hawser::ended")
        .with_labels(step);
    say::diagnostic(&miette::Report::new(diagnostic).with_source_code(source));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_told_with_their_position() {
        let mistakes = hawser::language::compile("t.hws", "in x : f32[4]\nx = 1\n").unwrap_err();
        let failure = Failure::from(mistakes);
        assert_eq!(failure.exit(), Exit::Usage);
        let json = failure.json();
        assert_eq!(json["kind"], "program");
        assert_eq!(json["mistakes"][0]["code"], "write-to-input");
        assert_eq!(
            (&json["mistakes"][0]["line"], &json["mistakes"][0]["column"]),
            (&json!(2), &json!(1))
        );
    }

    #[test]
    fn causes_are_told_once() {
        let cause = io::Error::other("the disk is full");
        let failure = Failure::File {
            path: "a.hws".into(),
            cause,
        };
        assert_eq!(failure.message(), "cannot read `a.hws`: the disk is full");
        let transport = TransportError::new("opening the device", "nobody is there");
        let failure = Failure::Machine(transport);
        assert_eq!(failure.message(), "opening the device failed: nobody is there");
        assert_eq!(failure.exit(), Exit::Machine);
    }
}
