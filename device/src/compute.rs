//! Computes a chunk in the lanes.

use hawser_abi::program::OperandIndex;
use hawser_abi::queue::CompletionStatus;

use crate::fault::StepFault;
use crate::kernels::{self, Best, Extreme, ZeroDivisor};
use crate::lanes::Lanes;
use crate::number::{Number, Overflow, with_bits, with_float, with_integer, with_number, with_signed};
use crate::step::{CheckedStep, Operation};
use crate::transfer::Strip;

/// What a chunk leaves to the next one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carried {
    /// Bits of a total, or of the best element so far.
    bits: u64,
    /// Index of the best element so far.
    index: u64,
}

impl Carried {
    fn total<T: Number>(total: T) -> Self {
        Self {
            bits: total.bits(),
            index: 0,
        }
    }
}

const UNSUPPORTED: StepFault = StepFault::step(CompletionStatus::Unsupported);

/// Computes a chunk from the lanes of the sources into that of the destination; a reduction leaves its result so far as the first element.
pub(crate) fn compute(
    step: &CheckedStep,
    lanes: &mut Lanes,
    strip: Strip,
    carried: &mut Option<Carried>,
) -> Result<(), StepFault> {
    let count = strip.elements as usize;
    match step.operation {
        Operation::Move | Operation::Product(_) | Operation::Transpose(_) => Err(UNSUPPORTED),
        Operation::Sum | Operation::Dot | Operation::PrefixSum => {
            *carried = with_number!(step.element, T => total::<T>(step, lanes, count, *carried));
            carried.map(drop).ok_or(UNSUPPORTED)
        }
        Operation::Extreme(wanted) => {
            *carried = with_number!(step.element, T => extreme::<T>(wanted, lanes, strip, *carried));
            carried.map(drop).ok_or(UNSUPPORTED)
        }
        Operation::Convert(source) => {
            with_number!(source, S => convert::<S>(step, lanes, count));
            Ok(())
        }
        _ => element_wise(step, lanes, count).map_err(|fault| fault.at(step, strip)),
    }
}

/// Why elements cannot be computed.
enum Failure {
    Unsupported,
    Divisor(ZeroDivisor),
}

impl From<ZeroDivisor> for Failure {
    fn from(divisor: ZeroDivisor) -> Self {
        Self::Divisor(divisor)
    }
}

impl Failure {
    fn at(self, step: &CheckedStep, strip: Strip) -> StepFault {
        match self {
            Self::Unsupported => UNSUPPORTED,
            Self::Divisor(ZeroDivisor(index)) => {
                let offset = (strip.first + index as u64) * step.b.size;
                StepFault::operand(CompletionStatus::DivideByZero, OperandIndex::B, offset)
            }
        }
    }
}

fn element_wise(step: &CheckedStep, lanes: &mut Lanes, count: usize) -> Result<(), Failure> {
    let CheckedStep {
        operation,
        overflow,
        element,
        ..
    } = *step;
    let Lanes { dst, a, b, c } = lanes;
    match operation {
        Operation::Binary(binary) => with_number!(element, T => {
            let dst = dst.elements_mut::<T>(count);
            kernels::binary((binary, overflow), dst, a.elements(count), b.elements(count))?;
        }),
        Operation::Bitwise(bitwise) => with_integer!(element, T => {
            let dst = dst.elements_mut::<T>(count);
            kernels::bitwise(bitwise, dst, a.elements(count), b.elements(count));
        }, _ => return Err(Failure::Unsupported)),
        Operation::Sign(sign) => with_signed!(element, T => {
            kernels::sign((sign, overflow), dst.elements_mut::<T>(count), a.elements(count));
        }, _ => return Err(Failure::Unsupported)),
        Operation::Sqrt => with_float!(element, T => {
            kernels::sqrt(dst.elements_mut::<T>(count), a.elements(count));
        }, _ => return Err(Failure::Unsupported)),
        Operation::Not => with_integer!(element, T => {
            kernels::not(dst.elements_mut::<T>(count), a.elements(count));
        }, _ => return Err(Failure::Unsupported)),
        Operation::Fma => with_number!(element, T => {
            let sources = [a.elements(count), b.elements(count), c.elements(count)];
            kernels::fma(overflow, dst.elements_mut::<T>(count), sources);
        }),
        Operation::Compare(predicate) => with_number!(element, T => {
            let dst = dst.elements_mut(count);
            kernels::compare::<T>(predicate, dst, a.elements(count), b.elements(count));
        }),
        Operation::Select => with_bits!(element, T => {
            let dst = dst.elements_mut::<T>(count);
            kernels::select(dst, a.elements(count), b.elements(count), c.elements(count));
        }),
        _ => return Err(Failure::Unsupported),
    }
    Ok(())
}

fn convert<S: Number>(step: &CheckedStep, lanes: &mut Lanes, count: usize) {
    let Lanes { dst, a, .. } = lanes;
    with_number!(step.element, T => {
        kernels::convert::<S, T>(step.overflow, dst.elements_mut(count), a.elements(count));
    });
}

/// Adds a chunk up.
fn total<T: Number>(step: &CheckedStep, lanes: &mut Lanes, count: usize, carried: Option<Carried>) -> Option<Carried> {
    let overflow: Overflow = step.overflow;
    let before = carried.map(|carried| T::Total::from_immediate(carried.bits));
    let Lanes { dst, a, b, .. } = lanes;
    let a = a.elements::<T>(count);
    let total = match step.operation {
        Operation::PrefixSum => {
            let total = kernels::prefix_sum(overflow, before, dst.elements_mut(count), a)?;
            return Some(Carried::total(total));
        }
        Operation::Dot => {
            let before = before.unwrap_or(T::Total::from_immediate(0));
            kernels::dot(overflow, before, a, b.elements(count))
        }
        _ => kernels::sum(overflow, before, a)?,
    };
    *dst.elements_mut::<T>(1).first_mut()? = T::narrow(total);
    Some(Carried::total(total))
}

/// Looks for the best element up to the end of a chunk.
fn extreme<T: Number>(wanted: Extreme, lanes: &mut Lanes, strip: Strip, carried: Option<Carried>) -> Option<Carried> {
    let before = carried.map(|carried| Best {
        element: T::from_immediate(carried.bits),
        index: carried.index,
    });
    let a = lanes.a.elements::<T>(strip.elements as usize);
    let best = kernels::extreme(wanted, before, a, strip.first)?;
    *lanes.dst.elements_mut::<u64>(1).first_mut()? = best.index;
    Some(Carried {
        bits: best.element.bits(),
        index: best.index,
    })
}
