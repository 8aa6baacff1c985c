//! Arrays of `u8` in PNG files: `[height, width]` is grey, `[height, width, 3]` colour, `[height, width, 4]` colour with opacity.

use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};

use hawser_abi::op::ElementType;
use png::{BitDepth, ColorType, Decoder, DecodingError, Encoder, EncodingError, Transformations};
use thiserror::Error;

use crate::npy::{NpyArray, Wanted};

/// Why a picture cannot be used.
#[derive(Debug, Error)]
pub enum PngError {
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
    /// It is no picture.
    #[error("`{}` is not a PNG file: {what}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Its samples do not fit into a byte, or it has one of them too many.
    #[error("`{}` has {found}, and a picture of {expected} is needed", path.display())]
    Samples {
        /// The file.
        path: PathBuf,
        /// What it has.
        found: &'static str,
        /// What it should have.
        expected: &'static str,
    },
    /// The array has elements of another type.
    #[error("`{}` is a picture, which has elements of u8, and those of the array are {element}", path.display())]
    WrongType {
        /// The file.
        path: PathBuf,
        /// The array's type.
        element: &'static str,
    },
    /// It has more or fewer samples.
    #[error("`{}` has {width} x {height} pixels of {channels} sample{}, which is {found} elements, and {expected} {} needed",
        path.display(), if *channels == 1 { "" } else { "s" }, if *expected == 1 { "is" } else { "are" })]
    WrongShape {
        /// The file.
        path: PathBuf,
        /// Pixels of a row.
        width: u64,
        /// Rows.
        height: u64,
        /// Samples of a pixel.
        channels: u64,
        /// Samples in all.
        found: u64,
        /// Elements of the array.
        expected: u64,
    },
    /// The array has no shape of a picture.
    #[error("`{}` would be a picture, and an array of shape {shape:?} is none: [height, width], with 3 or 4 behind it for colour, is needed",
        path.display())]
    NoPicture {
        /// The file.
        path: PathBuf,
        /// The shape.
        shape: Vec<u64>,
    },
}

impl PngError {
    /// A word for the error that stays the same when its message changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "array-unreadable",
            Self::Write { .. } => "array-unwritable",
            Self::Malformed { .. } => "not-png",
            Self::Samples { .. } => "wrong-samples",
            Self::WrongType { .. } => "wrong-type",
            Self::WrongShape { .. } => "wrong-shape",
            Self::NoPicture { .. } => "not-a-picture",
        }
    }
}

/// Whether the name of a file says that it is a picture.
pub fn is_png(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("png"))
}

/// Reads a picture. Palettes and samples of fewer bits are made bytes; nothing is made less exact.
pub fn read(path: &Path, wanted: Wanted) -> Result<NpyArray, PngError> {
    check_type(path, wanted.element)?;
    let file = File::open(path).map_err(|cause| PngError::Read {
        path: path.into(),
        cause,
    })?;
    let mut decoder = Decoder::new(BufReader::new(file));
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(|error| undecodable(path, error))?;
    let (color, depth) = reader.output_color_type();
    let channels = channels(path, color, depth)?;
    let (width, height) = (u64::from(reader.info().width), u64::from(reader.info().height));
    // The largest numbers of a file make less than 2^66: a picture that is too large is told, not made room for.
    let found = width.saturating_mul(height).saturating_mul(channels);
    if found != wanted.count {
        return Err(PngError::WrongShape {
            path: path.into(),
            width,
            height,
            channels,
            found,
            expected: wanted.count,
        });
    }
    let mut bytes = vec![0; found as usize];
    reader
        .next_frame(&mut bytes)
        .map_err(|error| undecodable(path, error))?;
    let shape = match channels {
        1 => vec![height, width],
        _ => vec![height, width, channels],
    };
    Ok(NpyArray { shape, bytes })
}

fn channels(path: &Path, color: ColorType, depth: BitDepth) -> Result<u64, PngError> {
    let refused = |found, expected| PngError::Samples {
        path: path.into(),
        found,
        expected,
    };
    if depth == BitDepth::Sixteen {
        return Err(refused("samples of 16 bits", "samples of 8 bits"));
    }
    match color {
        ColorType::Grayscale => Ok(1),
        ColorType::Rgb | ColorType::Indexed => Ok(3),
        ColorType::Rgba => Ok(4),
        ColorType::GrayscaleAlpha => Err(refused(
            "grey and opacity",
            "grey, or of colour with or without opacity",
        )),
    }
}

/// What a decoder says, without the word that it is an error of the format.
fn undecodable(path: &Path, error: DecodingError) -> PngError {
    match error {
        DecodingError::IoError(cause) if cause.kind() != io::ErrorKind::UnexpectedEof => PngError::Read {
            path: path.into(),
            cause,
        },
        error => PngError::Malformed {
            path: path.into(),
            what: error.to_string(),
        },
    }
}

fn check_type(path: &Path, element: ElementType) -> Result<(), PngError> {
    if element == ElementType::U8 {
        return Ok(());
    }
    Err(PngError::WrongType {
        path: path.into(),
        element: element.name(),
    })
}

/// Refuses, before anything runs, an array that cannot be written as a picture.
pub fn check(path: &Path, element: ElementType, shape: &[u64]) -> Result<(), PngError> {
    check_type(path, element)?;
    dimensions(path, shape).map(drop)
}

/// Width, height and kind of a picture of this shape.
fn dimensions(path: &Path, shape: &[u64]) -> Result<(u32, u32, ColorType), PngError> {
    let no_picture = || PngError::NoPicture {
        path: path.into(),
        shape: shape.to_vec(),
    };
    let (height, width, color) = match *shape {
        [height, width] => (height, width, ColorType::Grayscale),
        [height, width, 3] => (height, width, ColorType::Rgb),
        [height, width, 4] => (height, width, ColorType::Rgba),
        _ => return Err(no_picture()),
    };
    let [height, width] = [height, width].map(|length| u32::try_from(length).map_err(|_| no_picture()));
    Ok((width?, height?, color))
}

/// Writes a picture.
pub fn write(path: &Path, array: &NpyArray) -> Result<(), PngError> {
    let (width, height, color) = dimensions(path, &array.shape)?;
    let unwritable = |cause| PngError::Write {
        path: path.into(),
        cause,
    };
    let file = BufWriter::new(File::create(path).map_err(unwritable)?);
    let mut encoder = Encoder::new(file, width, height);
    encoder.set_color(color);
    encoder.set_depth(BitDepth::Eight);
    let encoded = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(&array.bytes)?;
        writer.finish()
    });
    encoded.map_err(|error| {
        unwritable(match error {
            EncodingError::IoError(cause) => cause,
            other => io::Error::other(other.to_string()),
        })
    })
}
