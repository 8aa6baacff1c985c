//! Random assignments of parts of arrays to parts of arrays, overlapping as it happens: through the language and the reference
//! interpreter, and directly. They agree.

use std::ops::Range;

use proptest::prelude::*;

use super::*;

/// Rows and columns of the arrays.
const ROWS: usize = 5;
const COLUMNS: usize = 4;
/// The arrays; the last lies in device-local memory.
const NAMES: [&str; 3] = ["x", "y", "t"];

/// Neighbouring rows of an array, or neighbouring elements of a row.
#[derive(Clone, Debug)]
struct Part {
    array: usize,
    start: usize,
    is_row: bool,
}

/// A statement: how large its parts are, its target, and its sources.
#[derive(Clone, Debug)]
struct Statement {
    length: usize,
    target: Part,
    sources: [Part; 3],
    form: usize,
}

impl Part {
    /// Its elements within the array. Parts of one statement have as many.
    fn elements(&self, length: usize) -> Range<usize> {
        if self.is_row {
            let within = self.start % (COLUMNS - length.min(COLUMNS) + 1);
            let start = self.start % ROWS * COLUMNS + within;
            return start..start + length.min(COLUMNS);
        }
        let start = self.start % (ROWS - length + 1);
        start * COLUMNS..(start + length) * COLUMNS
    }

    fn text(&self, length: usize) -> String {
        let Range { start, end } = self.elements(length);
        let name = NAMES[self.array];
        if self.is_row {
            let row = start / COLUMNS;
            return format!("{name}[{row}, {}..{}]", start - row * COLUMNS, end - row * COLUMNS);
        }
        format!("{name}[{}..{}]", start / COLUMNS, end / COLUMNS)
    }
}

impl Statement {
    fn text(&self) -> String {
        let [a, b, c] = self.sources.each_ref().map(|source| source.text(self.length));
        let target = self.target.text(self.length);
        match self.form {
            0 => format!("{target} = {a}"),
            1 => format!("{target} = {a} - {b}"),
            2 => format!("{target} = prefix_sum({a})"),
            3 => format!("{target} = {a} + {b}[0] * {c}"),
            _ => format!("{target} = f({a} + {b}, {c})"),
        }
    }

    /// The same on the arrays.
    fn run(&self, arrays: &mut [Vec<i32>; 3]) {
        let [a, b, c] = self
            .sources
            .each_ref()
            .map(|part| arrays[part.array][part.elements(self.length)].to_vec());
        let row = if self.target.is_row { 1 } else { COLUMNS };
        let value = |at: usize| match self.form {
            0 => a[at],
            1 => a[at].wrapping_sub(b[at]),
            2 => a[..=at].iter().fold(0, |sum: i32, value| sum.wrapping_add(*value)),
            3 => a[at].wrapping_add(b[at % row].wrapping_mul(c[at])),
            _ => {
                let v = a[at].wrapping_add(b[at]);
                v.wrapping_mul(c[at]).wrapping_add(v.wrapping_neg())
            }
        };
        let values: Vec<_> = (0..a.len()).map(value).collect();
        arrays[self.target.array][self.target.elements(self.length)].copy_from_slice(&values);
    }
}

fn statements() -> impl Strategy<Value = Vec<Statement>> {
    let part = |is_row| (0..NAMES.len(), 0..64_usize).prop_map(move |(array, start)| Part { array, start, is_row });
    let statement = any::<bool>().prop_flat_map(move |is_row| {
        let sources = [part(is_row), part(is_row), part(is_row)];
        (1..=COLUMNS, part(is_row), sources, 0..5_usize).prop_map(|(length, target, sources, form)| Statement {
            length,
            target,
            sources,
            form,
        })
    });
    prop::collection::vec(statement, 1..12)
}

proptest! {
    #[test]
    fn parts_are_assigned_as_if_all_were_read_first(statements in statements(), seed in any::<i32>()) {
        let list: String = statements.iter().map(|statement| statement.text() + "\n").collect();
        let text = format!(
            "def f(v, k) = v * k + -v\ninout x : i32[5, 4]\ninout y : i32[5, 4]\ntemp t : i32[5, 4]\nt = x * 3\nx = x\ny = y\n{list}y = y + t\n"
        );
        let compiled = compiled(&text);
        let values = |from: i32| (0..20).map(|at| seed.wrapping_mul(from + at)).collect::<Vec<_>>();
        let bytes = |list: &[i32]| list.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let (x, y) = (values(7), values(-9));
        let data = run(&compiled, &[("x", &bytes(&x)), ("y", &bytes(&y))]);
        let t = x.iter().map(|value| value.wrapping_mul(3)).collect();
        let mut arrays = [x, y, t];
        statements.iter().for_each(|statement| statement.run(&mut arrays));
        let [x, mut y, t] = arrays;
        y.iter_mut().zip(&t).for_each(|(y, t)| *y = y.wrapping_add(*t));
        prop_assert_eq!(bytes_of(&compiled, &data, "x"), bytes(&x), "{}", text);
        prop_assert_eq!(bytes_of(&compiled, &data, "y"), bytes(&y), "{}", text);
    }
}
