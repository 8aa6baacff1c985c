//! Which arrays come from files and go to files.

use std::path::PathBuf;

use hawser::language::{Compiled, NamedArray, Role};
use thiserror::Error;

use crate::args::Binding;
use crate::array_file::{self, ArrayFileError};
use crate::npy::{NpyArray, Wanted};
use crate::program_file::beside;

/// Why an array cannot be bound.
#[derive(Debug, Error)]
pub enum BindingError {
    /// The program has no such array.
    #[error("the program has no array `{name}`; {}", arrays_of(known))]
    UnknownArray {
        /// The name.
        name: String,
        /// The names that there are; none in assembly and bytes.
        known: Vec<String>,
    },
    /// An array is bound twice.
    #[error("`{option} {name}=...` is given twice")]
    Twice {
        /// The option.
        option: &'static str,
        /// The array.
        name: String,
    },
    /// Two arrays would be written to the same file.
    #[error("`--out {first}=...` and `--out {second}=...` name the same file, `{}`", path.display())]
    SameFile {
        /// The first array.
        first: String,
        /// The second.
        second: String,
        /// The file.
        path: PathBuf,
    },
    /// The values of this array do not come from outside.
    #[error("`{name}` is declared `{role}`: its values do not come from a file")]
    NotAnInput {
        /// The array.
        name: String,
        /// How it is declared.
        role: &'static str,
    },
    /// The program does not write this array for the caller.
    #[error("`{name}` is declared `{role}`: the program does not write it for a file")]
    NotAnOutput {
        /// The array.
        name: String,
        /// How it is declared.
        role: &'static str,
    },
    /// The file does not fit.
    #[error("array `{name}`")]
    File {
        /// The array.
        name: String,
        /// Why.
        #[source]
        cause: Box<ArrayFileError>,
    },
    /// The option is for programs without named arrays.
    #[error(
        "`{option}` is for programs in assembly or bytes; the arrays of this one have names, for `--bind` and `--out`"
    )]
    HasArrays {
        /// The option.
        option: &'static str,
    },
    /// The file for the data buffer is not as long as it.
    #[error("`{}` has {found}, and the data buffer {expected}", path.display())]
    WrongLength {
        /// The file.
        path: PathBuf,
        /// Its length.
        found: String,
        /// The length that is needed.
        expected: String,
    },
    /// The file for the data buffer cannot be used.
    #[error("the data buffer")]
    Data {
        /// Why.
        #[source]
        cause: Box<ArrayFileError>,
    },
}

fn arrays_of(known: &[String]) -> String {
    match known {
        [] => "its arrays have no names, and `--data` and `--data-out` take all of its data buffer".into(),
        _ => format!("it has {}", known.join(", ")),
    }
}

impl BindingError {
    /// A word for the error that stays the same when its message changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownArray { .. } => "no-such-array",
            Self::Twice { .. } => "bound-twice",
            Self::SameFile { .. } => "same-file",
            Self::NotAnInput { .. } => "not-an-input",
            Self::NotAnOutput { .. } => "not-an-output",
            Self::File { cause, .. } | Self::Data { cause } => cause.code(),
            Self::HasArrays { .. } => "has-arrays",
            Self::WrongLength { .. } => "wrong-length",
        }
    }
}

/// Where the values of an array come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file.
    File { path: PathBuf, array: NpyArray },
    /// The pattern, for an array with this index.
    Pattern { index: u64 },
    /// Nowhere: the program writes all of it.
    Unwritten,
}

/// An array of the data buffer with its origin, and the file that it goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundArray {
    pub array: NamedArray,
    pub origin: Origin,
    pub destination: Option<PathBuf>,
}

impl BoundArray {
    /// The shape that a file of the array gets: that of the file it came from, or the declared one.
    pub fn shape(&self) -> Vec<u64> {
        match &self.origin {
            Origin::File { array, .. } => array.shape.clone(),
            _ => self.array.shape.clone(),
        }
    }

    /// Refuses a file that an array of this shape cannot be written to.
    fn check_destination(&self) -> Result<(), BindingError> {
        let Some(path) = &self.destination else { return Ok(()) };
        array_file::check(path, self.array.element, &self.shape()).map_err(|cause| BindingError::File {
            name: self.array.name.clone(),
            cause: cause.into(),
        })
    }
}

/// Where the values of an array come from that has no file.
fn origin_without_file(array: &NamedArray, index: u64) -> Origin {
    match array.role {
        Role::Out => Origin::Unwritten,
        _ => Origin::Pattern { index },
    }
}

/// Binds the arrays of the data buffer, and reads the files: those that `bind` names, and for other arrays those that the program names.
pub fn bind(compiled: &Compiled, bind: &[Binding], out: &[Binding]) -> Result<Vec<BoundArray>, BindingError> {
    check(compiled, "--bind", bind, |array| match array.role {
        role if role.is_input() => Ok(()),
        role => Err(BindingError::NotAnInput {
            name: array.name.clone(),
            role: role.name(),
        }),
    })?;
    check(compiled, "--out", out, |array| match array.role {
        role if role.is_output() => Ok(()),
        role => Err(BindingError::NotAnOutput {
            name: array.name.clone(),
            role: role.name(),
        }),
    })?;
    check_destinations(out)?;
    let path_in = |list: &[Binding], array: &NamedArray| {
        list.iter()
            .find(|binding| binding.array == array.name)
            .map(|binding| binding.path.clone())
    };
    let bound = compiled.data_arrays().zip(0..).map(|(array, index)| {
        let origin = match path_in(bind, array).or_else(|| default_path(compiled, array)) {
            Some(path) => from_file(array, path)?,
            None => origin_without_file(array, index),
        };
        let bound = BoundArray {
            array: array.clone(),
            origin,
            destination: path_in(out, array),
        };
        bound.check_destination()?;
        Ok(bound)
    });
    bound.collect()
}

/// The file that the program names for an array, beside the text that names it.
pub fn default_path(compiled: &Compiled, array: &NamedArray) -> Option<PathBuf> {
    let file = array.file.as_ref()?;
    Some(beside(compiled.sources.get(file.declared_in).name(), &file.path))
}

fn from_file(array: &NamedArray, path: PathBuf) -> Result<Origin, BindingError> {
    let wanted = Wanted {
        element: array.element,
        count: array.count,
    };
    match array_file::read(&path, wanted) {
        Ok(array) => Ok(Origin::File { path, array }),
        Err(cause) => Err(BindingError::File {
            name: array.name.clone(),
            cause: Box::new(cause),
        }),
    }
}

/// Every array can be written, and to a file of its own.
fn check_destinations(out: &[Binding]) -> Result<(), BindingError> {
    let mut taken: Vec<(&str, PathBuf)> = Vec::new();
    for Binding { array, path } in out {
        let place = array_file::destination(path).map_err(|cause| BindingError::File {
            name: array.clone(),
            cause: Box::new(cause),
        })?;
        if let Some((first, _)) = taken.iter().find(|(_, earlier)| *earlier == place) {
            return Err(BindingError::SameFile {
                first: (*first).into(),
                second: array.clone(),
                path: path.clone(),
            });
        }
        taken.push((array, place));
    }
    Ok(())
}

/// Every binding names an array that it may name, and each array at most once.
fn check(
    compiled: &Compiled,
    option: &'static str,
    list: &[Binding],
    allowed: impl Fn(&NamedArray) -> Result<(), BindingError>,
) -> Result<(), BindingError> {
    for (index, binding) in list.iter().enumerate() {
        let name = binding.array.clone();
        let Some(array) = compiled.array(&name) else {
            let known = compiled
                .data_arrays()
                .map(|array| format!("`{}`", array.name))
                .collect();
            return Err(BindingError::UnknownArray { name, known });
        };
        if list[..index].iter().any(|earlier| earlier.array == name) {
            return Err(BindingError::Twice { option, name });
        }
        allowed(array)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::npy;
    use hawser::language::compile;
    use hawser_abi::op::ElementType;

    fn program() -> Compiled {
        compile(
            "t",
            "in x : i16[6]\ninout y : i16[6]\nout z : i16[6]\ntemp t : i16[6]\ny = x\nz = x\nt = x\n",
        )
        .unwrap()
    }

    fn error(inputs: &[&str], outputs: &[&str]) -> String {
        let parse = |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect::<Vec<Binding>>();
        bind(&program(), &parse(inputs), &parse(outputs))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn bindings_fit_the_declarations() {
        assert_eq!(
            error(&["w=a.npy"], &[]),
            "the program has no array `w`; it has `x`, `y`, `z`"
        );
        assert_eq!(
            error(&["z=a.npy"], &[]),
            "`z` is declared `out`: its values do not come from a file"
        );
        assert_eq!(
            error(&["t=a.npy"], &[]),
            "`t` is declared `temp`: its values do not come from a file"
        );
        assert_eq!(
            error(&[], &["x=a.npy"]),
            "`x` is declared `in`: the program does not write it for a file"
        );
        assert_eq!(error(&[], &["z=a.npy", "z=b.npy"]), "`--out z=...` is given twice");
        assert_eq!(
            error(&[], &["y=a.npy", "z=./a.npy"]),
            "`--out y=...` and `--out z=...` name the same file, `./a.npy`"
        );
        assert_eq!(error(&["x=no/such.npy"], &[]), "array `x`");
        assert_eq!(error(&[], &["y=no/such.npy"]), "array `y`");
    }

    #[test]
    fn a_bound_array_keeps_the_shape_of_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("y.npy");
        let array = NpyArray {
            shape: vec![2, 3],
            bytes: vec![9; 12],
        };
        npy::write(&path, ElementType::I16, &array).unwrap();
        let binding = Binding {
            array: "y".into(),
            path: path.clone(),
        };
        let bound = bind(&program(), &[binding], &["z=z.npy".parse().unwrap()]).unwrap();
        assert_eq!(bound[0].origin, Origin::Pattern { index: 0 });
        assert_eq!(bound[1].origin, Origin::File { path, array });
        assert_eq!((bound[1].shape(), bound[2].shape()), (vec![2, 3], vec![6]));
        assert_eq!(
            (&bound[2].origin, bound[2].destination.clone()),
            (&Origin::Unwritten, Some("z.npy".into()))
        );
    }
}
