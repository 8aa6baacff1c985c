//! Arithmetic on constants, before a program runs: integers exactly, everything else in double precision.

use hawser_abi::op::Opcode;

use super::constant::{Constant, Sign};
use super::problem::Problem;

/// Whether constants are computed with this operation.
pub(super) fn is_folded(operation: Opcode) -> bool {
    matches!(
        operation,
        Opcode::Add | Opcode::Sub | Opcode::Mul | Opcode::Div | Opcode::Rem
    )
}

/// The result of an operation for which [`is_folded`] holds.
pub(super) fn folded(operation: Opcode, a: &Constant, b: &Constant) -> Result<Constant, Problem> {
    match (a.integer(), b.integer()) {
        (Some(a), Some(b)) => integer(operation, a, b).map(Constant::Integer),
        _ => float(operation, a, b).map(Constant::Float),
    }
}

/// The constant with the other sign.
pub(super) fn negated(constant: &Constant) -> Constant {
    match constant {
        Constant::Written { sign, number } => Constant::Written {
            sign: match sign {
                Sign::Plus => Sign::Minus,
                Sign::Minus => Sign::Plus,
            },
            number: number.clone(),
        },
        // The smallest integer of 128 bits is further from every type's range than the largest is.
        Constant::Integer(value) => Constant::Integer(value.saturating_neg()),
        Constant::Float(value) => Constant::Float(-value),
    }
}

fn integer(operation: Opcode, a: i128, b: i128) -> Result<i128, Problem> {
    if b == 0 && matches!(operation, Opcode::Div | Opcode::Rem) {
        return Err(Problem::DivisionByZero);
    }
    let result = match operation {
        Opcode::Add => a.checked_add(b),
        Opcode::Sub => a.checked_sub(b),
        Opcode::Mul => a.checked_mul(b),
        Opcode::Div => a.checked_div(b),
        _ => a.checked_rem(b),
    };
    result.ok_or(Problem::ConstantOverflow)
}

fn float(operation: Opcode, a: &Constant, b: &Constant) -> Result<f64, Problem> {
    let (Some(a), Some(b)) = (a.float(), b.float()) else {
        return Err(Problem::ConstantOverflow);
    };
    let result = match operation {
        Opcode::Add => a + b,
        Opcode::Sub => a - b,
        Opcode::Mul => a * b,
        Opcode::Div => a / b,
        _ => a % b,
    };
    // A result that is not finite comes out of what no type could hold, out of a division by zero, or out of `inf` and `nan`, which a
    // program may write but not compute with here.
    if result.is_finite() {
        Ok(result)
    } else {
        Err(Problem::ConstantOverflow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> Constant {
        Constant::written(text).unwrap()
    }

    #[test]
    fn integers_stay_integers() {
        let compute = |operation, a, b| folded(operation, &written(a), &written(b));
        assert_eq!(compute(Opcode::Add, "2", "0x10"), Ok(Constant::Integer(18)));
        assert_eq!(compute(Opcode::Div, "7", "2"), Ok(Constant::Integer(3)));
        assert_eq!(compute(Opcode::Div, "7", "2.0"), Ok(Constant::Float(3.5)));
        let minus_seven = negated(&written("7"));
        assert_eq!(
            folded(Opcode::Rem, &minus_seven, &written("2")),
            Ok(Constant::Integer(-1))
        );
        assert_eq!(negated(&minus_seven), written("7"));
        assert_eq!(negated(&Constant::Integer(i128::MIN)), Constant::Integer(i128::MAX));
    }

    #[test]
    fn what_has_no_result_is_told() {
        let compute = |operation, a, b| folded(operation, &written(a), &written(b)).unwrap_err();
        for operation in [Opcode::Div, Opcode::Rem] {
            assert_eq!(compute(operation, "1", "0"), Problem::DivisionByZero);
            assert_eq!(compute(operation, "1", "0.0"), Problem::ConstantOverflow);
        }
        let large = "99999999999999999999999999999999999999";
        assert_eq!(compute(Opcode::Mul, large, large), Problem::ConstantOverflow);
        assert_eq!(compute(Opcode::Mul, "1e200", "1e200"), Problem::ConstantOverflow);
        assert_eq!(compute(Opcode::Add, "inf", "1"), Problem::ConstantOverflow);
    }

    proptest! {
        #[test]
        fn results_are_those_of_the_numbers(a in any::<i32>(), b in 1..i32::MAX) {
            let constants = (Constant::Integer(a.into()), Constant::Integer(b.into()));
            let (wide_a, wide_b) = (i128::from(a), i128::from(b));
            for (operation, expected) in [
                (Opcode::Add, wide_a + wide_b),
                (Opcode::Sub, wide_a - wide_b),
                (Opcode::Mul, wide_a * wide_b),
                (Opcode::Div, wide_a / wide_b),
                (Opcode::Rem, wide_a % wide_b),
            ] {
                prop_assert_eq!(folded(operation, &constants.0, &constants.1), Ok(Constant::Integer(expected)));
            }
        }
    }
}
