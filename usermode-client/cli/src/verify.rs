//! Compares what the device computed with the reference interpreter, bit for bit.

use hawser::language::Compiled;
use hawser_device::reference::{self, ReferenceFault};

use crate::values::ElementValue;

/// How the results compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Every byte of the data buffer is the same.
    Verified,
    /// Nobody compared.
    Skipped,
    /// Something differs.
    Differs(Difference),
    /// The reference interpreter does not run the program.
    NoReference(ReferenceFault),
}

/// The first place that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Byte offset in the data buffer.
    pub offset: u64,
    /// Bytes that differ in all.
    pub bytes: u64,
    /// The element there; none between arrays.
    pub element: Option<DifferingElement>,
}

/// An element that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferingElement {
    pub array: String,
    pub index: u64,
    pub device: ElementValue,
    pub reference: ElementValue,
}

/// Runs the reference interpreter on `initial` and compares with what the device left in `result`.
pub fn verify(compiled: &Compiled, mut initial: Vec<u8>, result: &[u8]) -> Verification {
    if let Err(fault) = reference::run(compiled.program.bytes(), &mut initial) {
        return Verification::NoReference(fault);
    }
    match first_difference(compiled, &initial, result) {
        None => Verification::Verified,
        Some(difference) => Verification::Differs(difference),
    }
}

fn first_difference(compiled: &Compiled, reference: &[u8], result: &[u8]) -> Option<Difference> {
    if reference == result {
        return None;
    }
    let differing = || reference.iter().zip(result).enumerate().filter(|(_, (a, b))| a != b);
    let offset = differing()
        .next()
        .map_or(reference.len().min(result.len()), |(offset, _)| offset) as u64;
    let bytes = differing().count() as u64 + reference.len().abs_diff(result.len()) as u64;
    Some(Difference {
        offset,
        bytes,
        element: element_at(compiled, offset, reference, result),
    })
}

fn element_at(compiled: &Compiled, offset: u64, reference: &[u8], result: &[u8]) -> Option<DifferingElement> {
    let within = |start: u64, length: u64| offset >= start && offset - start < length;
    let array = compiled
        .data_arrays()
        .find(|array| within(array.offset, array.length()))?;
    let index = (offset - array.offset) / array.element.size();
    let start = (array.offset + index * array.element.size()) as usize;
    let value = |bytes: &[u8]| ElementValue::from_bytes(bytes.get(start..)?, array.element);
    Some(DifferingElement {
        array: array.name.clone(),
        index,
        device: value(result)?,
        reference: value(reference)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser::language::compile;
    use hawser_abi::op::ElementType;

    fn program() -> Compiled {
        compile("t", "in x : i32[3]\nout y : i32[3]\ny = x + 1\n").unwrap()
    }

    fn image(x: [i32; 3], y: [i32; 3]) -> Vec<u8> {
        let bytes = |values: [i32; 3]| values.into_iter().flat_map(i32::to_le_bytes).collect::<Vec<_>>();
        [bytes(x), vec![0; 52], bytes(y)].concat()
    }

    #[test]
    fn equal_results_are_verified() {
        let result = image([1, 2, 3], [2, 3, 4]);
        assert_eq!(
            verify(&program(), image([1, 2, 3], [0; 3]), &result),
            Verification::Verified
        );
    }

    #[test]
    fn the_first_differing_element_is_named() {
        let result = image([1, 2, 3], [2, 3, 0x0104]);
        let Verification::Differs(difference) = verify(&program(), image([1, 2, 3], [0; 3]), &result) else {
            panic!()
        };
        let value = |bits| ElementValue {
            bits,
            element: ElementType::I32,
        };
        let element = DifferingElement {
            array: "y".into(),
            index: 2,
            device: value(0x104),
            reference: value(4),
        };
        assert_eq!(
            difference,
            Difference {
                offset: 64 + 9,
                bytes: 1,
                element: Some(element)
            }
        );
    }

    #[test]
    fn bytes_that_the_program_does_not_write_are_compared_too() {
        let mut result = image([1, 2, 3], [2, 3, 4]);
        result[20] = 1;
        result[0] = 7;
        let Verification::Differs(difference) = verify(&program(), image([1, 2, 3], [0; 3]), &result) else {
            panic!()
        };
        assert_eq!((difference.offset, difference.bytes), (0, 2));
        assert_eq!(difference.element.map(|element| element.array), Some("x".into()));
        result[0] = 1;
        let Verification::Differs(difference) = verify(&program(), image([1, 2, 3], [0; 3]), &result) else {
            panic!()
        };
        assert_eq!((difference.offset, difference.element), (20, None));
    }

    #[test]
    fn a_program_that_faults_has_no_reference() {
        let program = compile("t", "in x : i32[3]\nout y : i32[3]\ny = x / x\n").unwrap();
        let verification = verify(&program, image([1, 0, 3], [0; 3]), &image([0; 3], [0; 3]));
        assert_eq!(
            verification,
            Verification::NoReference(ReferenceFault::DivideByZero { step: 0, element: 1 })
        );
    }
}
