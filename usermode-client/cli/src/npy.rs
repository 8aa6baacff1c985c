//! Arrays in NumPy's `.npy` files.
//!
//! Headers are read and written by `npyz`; the elements are the bytes that follow, in the order of C.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use hawser_abi::op::ElementType;
use npyz::{DType, Endianness, NpyHeader, Order, TypeChar, WriteOptions, WriterBuilder};
use thiserror::Error;

/// Why a file cannot be used.
#[derive(Debug, Error)]
pub enum NpyError {
    /// It cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// It is not what NumPy writes.
    #[error("`{}` is not a NumPy file: {what}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// It ends too early.
    #[error("`{}` is cut off: it {what}", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// What it still has.
        what: String,
    },
    /// Its elements are of another type.
    #[error("`{}` has elements of type {found}, and {expected} are needed ({})", path.display(), dtype(*expected_type))]
    WrongType {
        /// The file.
        path: PathBuf,
        /// The type in the file, as NumPy writes it.
        found: String,
        /// Name of the type that is needed.
        expected: &'static str,
        /// The type that is needed.
        expected_type: ElementType,
    },
    /// It has more or fewer elements.
    #[error("`{}` has shape ({}), which is {found} element{}, and {expected} {} needed", path.display(), join(shape),
        if *found == 1 { "" } else { "s" }, if *expected == 1 { "is" } else { "are" })]
    WrongShape {
        /// The file.
        path: PathBuf,
        /// Its shape.
        shape: Vec<u64>,
        /// Its elements.
        found: u128,
        /// Elements that are needed.
        expected: u64,
    },
    /// Its elements are in the order of Fortran.
    #[error("`{}` is in Fortran order; save `numpy.ascontiguousarray(...)` of it", path.display())]
    FortranOrder {
        /// The file.
        path: PathBuf,
    },
}

impl NpyError {
    /// A word for the error that stays the same when its message changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "array-unreadable",
            Self::Write { .. } => "array-unwritable",
            Self::Malformed { .. } => "not-npy",
            Self::Truncated { .. } => "npy-truncated",
            Self::WrongType { .. } => "wrong-type",
            Self::WrongShape { .. } => "wrong-shape",
            Self::FortranOrder { .. } => "fortran-order",
        }
    }
}

/// What a file has to hold.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    pub element: ElementType,
    pub count: u64,
}

/// An array of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NpyArray {
    pub shape: Vec<u64>,
    /// The elements, little-endian.
    pub bytes: Vec<u8>,
}

/// Reads an array.
pub fn read(path: &Path, wanted: Wanted) -> Result<NpyArray, NpyError> {
    let unreadable = |cause| NpyError::Read {
        path: path.into(),
        cause,
    };
    let truncated = |what: String| NpyError::Truncated {
        path: path.into(),
        what,
    };
    let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
    // The product of the shape that `npyz` computes may wrap around (see the profile of the package); `check_shape` does not use it.
    let head = NpyHeader::from_reader(&mut file).map_err(|cause| match cause.kind() {
        io::ErrorKind::InvalidData => NpyError::Malformed {
            path: path.into(),
            what: cause.to_string(),
        },
        io::ErrorKind::UnexpectedEof => truncated("ends within its header".into()),
        _ => unreadable(cause),
    })?;
    let endianness = check_type(path, &head, wanted.element)?;
    check_shape(path, &head, wanted.count)?;
    let length = wanted.count * wanted.element.size();
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 != length {
        return Err(truncated(format!("has {} of {length} bytes of elements", bytes.len())));
    }
    if endianness == Endianness::Big {
        bytes
            .chunks_exact_mut(wanted.element.size() as usize)
            .for_each(<[u8]>::reverse);
    }
    Ok(NpyArray {
        shape: head.shape().to_vec(),
        bytes,
    })
}

fn check_type(path: &Path, head: &NpyHeader, expected: ElementType) -> Result<Endianness, NpyError> {
    if let DType::Plain(found) = &head.dtype() {
        let (kind, size) = kind_of(expected);
        if found.type_char() == kind && found.size_field() == size {
            return Ok(found.endianness());
        }
    }
    Err(NpyError::WrongType {
        path: path.into(),
        found: head.dtype().descr(),
        expected: expected.name(),
        expected_type: expected,
    })
}

fn check_shape(path: &Path, head: &NpyHeader, expected: u64) -> Result<(), NpyError> {
    let found = head
        .shape()
        .iter()
        .fold(1_u128, |product, length| product.saturating_mul((*length).into()));
    if found != expected.into() {
        return Err(NpyError::WrongShape {
            path: path.into(),
            shape: head.shape().to_vec(),
            found,
            expected,
        });
    }
    let has_order = head.shape().iter().filter(|length| **length > 1).count() > 1;
    if has_order && head.order() == Order::Fortran {
        return Err(NpyError::FortranOrder { path: path.into() });
    }
    Ok(())
}

/// Where an array would be written, by a name that no other path has. Fails, before anything runs, where it could not be written: its
/// folder is missing, or its name is that of a folder.
pub fn destination(path: &Path) -> Result<PathBuf, NpyError> {
    let refused = |cause| NpyError::Write {
        path: path.into(),
        cause,
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let folder = folder.canonicalize().map_err(refused)?;
    match path.file_name().map(|name| folder.join(name)) {
        Some(place) if !place.is_dir() => Ok(place),
        _ => Err(refused(io::ErrorKind::IsADirectory.into())),
    }
}

/// Writes an array.
pub fn write(path: &Path, element: ElementType, array: &NpyArray) -> Result<(), NpyError> {
    try_write(path, element, array).map_err(|cause| NpyError::Write {
        path: path.into(),
        cause,
    })
}

fn try_write(path: &Path, element: ElementType, array: &NpyArray) -> io::Result<()> {
    let dtype = dtype(element).parse().map_err(io::Error::other)?;
    let mut file = BufWriter::new(File::create(path)?);
    WriteOptions::new_header_only()
        .dtype(DType::Plain(dtype))
        .shape(&array.shape)
        .writer(&mut file)
        .write_header_only()?;
    file.write_all(&array.bytes)?;
    file.flush()
}

/// How NumPy writes a type. It has none for `bf16`, whose bits are kept as `uint16`.
fn dtype(element: ElementType) -> &'static str {
    match element {
        ElementType::I8 => "|i1",
        ElementType::U8 => "|u1",
        ElementType::I16 => "<i2",
        ElementType::U16 | ElementType::BF16 => "<u2",
        ElementType::I32 => "<i4",
        ElementType::U32 => "<u4",
        ElementType::I64 => "<i8",
        ElementType::U64 => "<u8",
        ElementType::F16 => "<f2",
        ElementType::F32 => "<f4",
        ElementType::F64 => "<f8",
    }
}

fn kind_of(element: ElementType) -> (TypeChar, u64) {
    let kind = match element {
        ElementType::I8 | ElementType::I16 | ElementType::I32 | ElementType::I64 => TypeChar::Int,
        ElementType::F16 | ElementType::F32 | ElementType::F64 => TypeChar::Float,
        _ => TypeChar::Uint,
    };
    (kind, element.size())
}

fn join(shape: &[u64]) -> String {
    shape.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WANTED: Wanted = Wanted {
        element: ElementType::I16,
        count: 6,
    };

    /// A file of version 1.0 with this header text and these elements.
    fn file(header: &str, elements: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(elements);
        file.write_all(&bytes).unwrap();
        file
    }

    fn header(descr: &str, fortran: &str, shape: &str) -> String {
        format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n")
    }

    fn message(header: &str, elements: &[u8]) -> String {
        read(file(header, elements).path(), WANTED).unwrap_err().to_string()
    }

    #[test]
    fn both_byte_orders_are_read() {
        let little: Vec<u8> = (0..6).flat_map(|value: i16| value.to_le_bytes()).collect();
        let big: Vec<u8> = (0..6).flat_map(|value: i16| value.to_be_bytes()).collect();
        for (descr, elements) in [("<i2", &little), (">i2", &big)] {
            let file = file(&header(descr, "False", "(2, 3)"), elements);
            let array = read(file.path(), WANTED).unwrap();
            assert_eq!(
                array,
                NpyArray {
                    shape: vec![2, 3],
                    bytes: little.clone()
                }
            );
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_a_reason() {
        let type_message = message(&header("<f4", "False", "(6,)"), &[0; 24]);
        assert!(
            type_message.contains("has elements of type '<f4', and i16 are needed (<i2)"),
            "{type_message}"
        );
        let shape_message = message(&header("<i2", "False", "(2, 4)"), &[0; 16]);
        assert!(
            shape_message.contains("has shape (2, 4), which is 8 elements, and 6 are needed"),
            "{shape_message}"
        );
        assert!(message(&header("<i2", "True", "(2, 3)"), &[0; 12]).contains("Fortran order"));
        assert!(
            message(&header("<i2", "False", "(6,)"), &[0; 11])
                .contains("is cut off: it has 11 of 12 bytes of elements")
        );
        assert!(message("nonsense\n", &[0; 12]).contains("is not a NumPy file"));
        let huge = message(
            &header("<i2", "False", "(9223372036854775807, 9223372036854775807)"),
            &[],
        );
        assert!(
            huge.contains("which is 85070591730234615847396907784232501249 elements"),
            "{huge}"
        );
    }

    #[test]
    fn one_dimension_has_no_order() {
        let file = file(&header("<i2", "True", "(1, 6, 1)"), &[7; 12]);
        assert_eq!(read(file.path(), WANTED).unwrap().shape, [1, 6, 1]);
    }

    #[test]
    fn files_that_are_missing_or_not_of_this_kind_are_refused() {
        let missing = read(Path::new("no/such.npy"), WANTED).unwrap_err();
        assert!(matches!(missing, NpyError::Read { .. }));
        let mut text = tempfile::NamedTempFile::new().unwrap();
        text.write_all(b"x,y\n1,2\n").unwrap();
        assert!(matches!(
            read(text.path(), WANTED).unwrap_err(),
            NpyError::Malformed { .. }
        ));
        let empty = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(
            read(empty.path(), WANTED).unwrap_err(),
            NpyError::Malformed { .. }
        ));
        let unwritable = write(
            Path::new("no/such.npy"),
            ElementType::U8,
            &NpyArray {
                shape: vec![0],
                bytes: vec![],
            },
        );
        assert!(matches!(unwritable.unwrap_err(), NpyError::Write { .. }));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(which in 0..12_usize, rows in 1..9_u64, columns in 1..9_u64, fill in any::<u8>()) {
            let element = ElementType::ALL[which];
            let count = rows * columns;
            let bytes = (0..count * element.size()).map(|index| (index as u8).wrapping_mul(fill)).collect();
            let array = NpyArray { shape: vec![rows, columns], bytes };
            let file = tempfile::NamedTempFile::new().unwrap();
            write(file.path(), element, &array).unwrap();
            prop_assert_eq!(read(file.path(), Wanted { element, count }).unwrap(), array);
        }

        #[test]
        fn any_header_is_an_array_or_an_error(text in "[ -~]{0,80}", elements in prop::collection::vec(any::<u8>(), 0..20)) {
            let file = file(&text, &elements);
            let _ = read(file.path(), WANTED);
        }
    }
}
