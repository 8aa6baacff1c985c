//! The content of the data buffer.

use hawser::transport::{Buffer, OutsideBuffer};

use crate::bindings::{BoundArray, Origin};
use crate::pattern;
use crate::progress::Phase;

/// Bytes that are moved between two looks at the progress bar.
const CHUNK: usize = 1 << 20;

/// The data buffer as it is before the run. Bytes between arrays are those of `out` arrays.
pub fn initial(arrays: &[BoundArray], size: usize) -> Vec<u8> {
    let mut image = vec![pattern::UNWRITTEN; size];
    for bound in arrays {
        let place = place_of(bound, &mut image);
        match &bound.origin {
            Origin::File { array, .. } => place.copy_from_slice(&array.bytes),
            Origin::Pattern { index } => pattern::fill(place, bound.array.element, *index),
            Origin::Unwritten => {}
        }
    }
    image
}

/// The bytes of an array within the data buffer.
pub fn place_of<'d>(bound: &BoundArray, data: &'d mut [u8]) -> &'d mut [u8] {
    let start = bound.array.offset as usize;
    &mut data[start..start + bound.array.length() as usize]
}

/// Copies `image` into the buffer.
pub fn store(image: &[u8], buffer: &mut impl Buffer, phase: &Phase) -> Result<(), OutsideBuffer> {
    for (chunk, offset) in image.chunks(CHUNK).zip((0..).step_by(CHUNK)) {
        buffer.write(offset, chunk)?;
        phase.advance(chunk.len() as u64);
    }
    Ok(())
}

/// Copies the buffer out.
pub fn load(buffer: &impl Buffer, phase: &Phase) -> Result<Vec<u8>, OutsideBuffer> {
    let mut image = vec![0; buffer.len()];
    for (chunk, offset) in image.chunks_mut(CHUNK).zip((0..).step_by(CHUNK)) {
        buffer.read(offset, chunk)?;
        phase.advance(chunk.len() as u64);
    }
    Ok(image)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::bind;
    use hawser::language::compile;

    #[test]
    fn arrays_lie_where_the_program_expects_them() {
        let program = compile(
            "t",
            "in x : u8[3]\nout z : u8[2]\ninout y : u16[2]\nz = fill(1)\ny = fill(1)\n",
        )
        .unwrap();
        let bound = bind(&program, &[], &[]).unwrap();
        let image = initial(&bound, program.program.data_size() as usize);
        assert_eq!(image.len(), 132);
        assert_eq!(image[..4], [4, 11, 18, 0xA5]);
        assert_eq!(image[63..67], [0xA5; 4]);
        assert_eq!(image[127..], [0xA5, 30, 0, 37, 0]);
    }
}
