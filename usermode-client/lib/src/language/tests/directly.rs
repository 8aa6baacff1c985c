//! Random programs of arrays, with functions, parts, rows that stand for many, products and overlaps: through the language and the
//! reference interpreter, and computed directly. They agree.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const DECLARATIONS: &str = "def ignore(v) = 5
def f(v, w) = v * w - (v + w)
def g(v) = f(v, v) + ignore(v * 2)
inout a : i32[3, 4]
inout t : i32[4, 3]
inout r : i32[4]
inout s : i32[1]
temp  u : i32[3, 4]
u = 7
a = a
t = t
r = r
s = s
";

/// Shapes of expressions: a matrix of 3 rows and 4 columns, one of 4 and 3, a row of 4, an element.
#[derive(Clone, Copy)]
enum Shape {
    Matrix,
    Turned,
    Row,
    One,
}

/// An expression, and its elements.
type Valued = (String, Vec<i32>);

/// Writes a program and runs it at the same time; numbers say what comes next.
struct Writer {
    choices: std::vec::IntoIter<u8>,
    arrays: BTreeMap<&'static str, Vec<i32>>,
}

impl Writer {
    /// A number below `count`; 0 where there are no more.
    fn choose(&mut self, count: usize) -> usize {
        usize::from(self.choices.next().unwrap_or_default()) % count
    }

    fn array(&self, name: &'static str) -> Valued {
        (name.into(), self.arrays[name].clone())
    }

    fn expression(&mut self, shape: Shape, depth: usize) -> Valued {
        if depth == 0 {
            let leaf = self.choose(2);
            return self.array(match shape {
                Shape::Matrix => ["a", "u"][leaf],
                Shape::Turned => "t",
                Shape::Row => "r",
                Shape::One => "s",
            });
        }
        match shape {
            Shape::Matrix => self.matrix(depth - 1),
            Shape::Turned => self.turned(depth - 1),
            Shape::Row => self.row(depth - 1),
            Shape::One => self.one(depth - 1),
        }
    }

    fn matrix(&mut self, depth: usize) -> Valued {
        match self.choose(9) {
            0 => self.expression(Shape::Matrix, 0),
            1 => self.pair([Shape::Matrix, Shape::Matrix], depth),
            2 => self.pair([Shape::Matrix, Shape::Row], depth),
            3 => self.pair([Shape::One, Shape::Matrix], depth),
            4 => self.called([Shape::Row, Shape::Matrix], depth),
            5 => self.called_alone(Shape::Matrix, depth),
            6 => {
                let (text, list) = self.expression(Shape::Turned, depth);
                (format!("(({text}) as [3, 4])"), list)
            }
            7 => {
                let (text, list) = self.expression(Shape::Matrix, depth);
                let mut sum = 0_i32;
                let sums = list.iter().map(|value| {
                    sum = sum.wrapping_add(*value);
                    sum
                });
                (format!("prefix_sum({text})"), sums.collect())
            }
            _ => {
                let [a, t] = [Shape::Matrix, Shape::Turned].map(|shape| self.expression(shape, depth));
                let square = product(&a.1, &t.1, [3, 4, 3]);
                let text = format!("matmul(matmul({}, {}), {})", a.0, t.0, a.0);
                (text, product(&square, &a.1, [3, 3, 4]))
            }
        }
    }

    fn turned(&mut self, depth: usize) -> Valued {
        match self.choose(3) {
            0 => self.expression(Shape::Turned, 0),
            1 => self.pair([Shape::Turned, Shape::Turned], depth),
            _ => {
                let (text, list) = self.expression(Shape::Matrix, depth);
                let turned = (0..12).map(|at| list[at % 3 * 4 + at / 3]).collect();
                (format!("transpose({text})"), turned)
            }
        }
    }

    fn row(&mut self, depth: usize) -> Valued {
        match self.choose(6) {
            0 => self.expression(Shape::Row, 0),
            1 => self.pair([Shape::Row, Shape::Row], depth),
            2 => self.pair([Shape::Row, Shape::One], depth),
            3 => self.called([Shape::Row, Shape::One], depth),
            4 => {
                let (index, (text, list)) = (self.choose(3), self.expression(Shape::Matrix, depth));
                (format!("({text})[{index}]"), list[index * 4..][..4].to_vec())
            }
            _ => {
                let [t, r] = [Shape::Turned, Shape::Row].map(|shape| self.expression(shape, depth));
                (
                    format!("matmul({}, ({})[1..])", t.0, r.0),
                    product(&t.1, &r.1[1..], [4, 3, 1]),
                )
            }
        }
    }

    fn one(&mut self, depth: usize) -> Valued {
        match self.choose(5) {
            0 => self.expression(Shape::One, 0),
            1 => self.pair([Shape::One, Shape::One], depth),
            2 => {
                let (text, list) = self.expression(Shape::Matrix, depth);
                (
                    format!("sum({text})"),
                    vec![list.iter().fold(0, |sum, value| sum.wrapping_add(*value))],
                )
            }
            3 => {
                let [a, b] = [Shape::Row, Shape::Row].map(|shape| self.expression(shape, depth));
                (format!("dot({}, {})", a.0, b.0), product(&a.1, &b.1, [1, 4, 1]))
            }
            _ => {
                let (index, (text, list)) = (self.choose(4), self.expression(Shape::Row, depth));
                (format!("({text})[{index}]"), vec![list[index]])
            }
        }
    }

    /// Two expressions with an operator between them; or one and a number.
    fn pair(&mut self, shapes: [Shape; 2], depth: usize) -> Valued {
        let (sign, compute) = [
            ("+", i32::wrapping_add as fn(i32, i32) -> i32),
            ("-", i32::wrapping_sub),
            ("*", i32::wrapping_mul),
        ][self.choose(3)];
        let [left, right] = shapes.map(|shape| self.expression(shape, depth));
        (
            format!("({} {sign} {})", left.0, right.0),
            combined(&left.1, &right.1, compute),
        )
    }

    fn called(&mut self, shapes: [Shape; 2], depth: usize) -> Valued {
        let [v, w] = shapes.map(|shape| self.expression(shape, depth));
        (format!("f({}, {})", v.0, w.0), combined(&v.1, &w.1, f))
    }

    fn called_alone(&mut self, shape: Shape, depth: usize) -> Valued {
        let (text, list) = self.expression(shape, depth);
        (
            format!("g({text})"),
            list.iter().map(|v| f(*v, *v).wrapping_add(5)).collect(),
        )
    }

    /// A statement; what it is assigned to may be in the expression.
    fn statement(&mut self) -> String {
        let (target, name, start, shape) = match self.choose(7) {
            0 => ("a".into(), "a", 0, Shape::Matrix),
            1 => ("u".into(), "u", 0, Shape::Matrix),
            2 => ("t".into(), "t", 0, Shape::Turned),
            3 => ("r".into(), "r", 0, Shape::Row),
            4 => ("s".into(), "s", 0, Shape::One),
            5 => {
                let row = self.choose(3);
                (format!("a[{row}]"), "a", row * 4, Shape::Row)
            }
            _ => {
                let at = self.choose(12);
                (format!("u[{}, {}]", at / 4, at % 4), "u", at, Shape::One)
            }
        };
        let (text, list) = self.expression(shape, 3);
        if let Some(array) = self.arrays.get_mut(name) {
            array[start..start + list.len()].copy_from_slice(&list);
        }
        format!("{target} = {text}\n")
    }

    /// Rows of a matrix from others of the same, which they overlap.
    fn overlap(&mut self) -> String {
        let [from, to] = [self.choose(2), self.choose(2)];
        let (text, r) = self.expression(Shape::Row, 1);
        if let Some(a) = self.arrays.get_mut("a") {
            let list = combined(&a[from * 4..][..8], &r, i32::wrapping_sub);
            a[to * 4..][..8].copy_from_slice(&list);
        }
        format!("a[{to}..{}] = a[{from}..{}] - {text}\n", to + 2, from + 2)
    }
}

fn f(v: i32, w: i32) -> i32 {
    v.wrapping_mul(w).wrapping_sub(v.wrapping_add(w))
}

/// Element by element; the shorter stands for more.
fn combined(a: &[i32], b: &[i32], compute: fn(i32, i32) -> i32) -> Vec<i32> {
    let count = a.len().max(b.len());
    (0..count).map(|at| compute(a[at % a.len()], b[at % b.len()])).collect()
}

/// The product of a matrix of so many rows and columns by one of as many rows and so many columns.
fn product(a: &[i32], b: &[i32], [rows, inner, columns]: [usize; 3]) -> Vec<i32> {
    let element = |at: usize| {
        let (row, column) = (at / columns, at % columns);
        (0..inner).fold(0_i32, |sum, k| {
            sum.wrapping_add(a[row * inner + k].wrapping_mul(b[k * columns + column]))
        })
    };
    (0..rows * columns).map(element).collect()
}

proptest! {
    #[test]
    fn random_programs_compute_what_is_computed_directly(
        choices in prop::collection::vec(any::<u8>(), 1..120),
        statements in 1..6_usize,
        seed in any::<i32>(),
    ) {
        let values = |from: i32, count: i32| (0..count).map(|at| seed.wrapping_mul(from + at)).collect::<Vec<_>>();
        let start = [("a", values(3, 12)), ("t", values(-7, 12)), ("r", values(1, 4)), ("s", values(11, 1))];
        let mut writer = Writer { choices: choices.into_iter(), arrays: start.clone().into_iter().collect() };
        writer.arrays.insert("u", vec![7; 12]);
        let mut text = DECLARATIONS.to_owned();
        for _ in 0..statements {
            text += &writer.statement();
            text += &writer.overlap();
        }
        // What lies in device-local memory is seen, too.
        text += "a = a + u\n";
        let expected = combined(&writer.arrays["a"], &writer.arrays["u"], i32::wrapping_add);
        writer.arrays.insert("a", expected);
        let bytes = |list: &[i32]| list.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let compiled = compiled(&text);
        let inputs = start.each_ref().map(|(name, list)| (*name, bytes(list)));
        let inputs = inputs.each_ref().map(|(name, list)| (*name, list.as_slice()));
        let data = run(&compiled, &inputs);
        for name in ["a", "t", "r", "s"] {
            prop_assert_eq!(bytes_of(&compiled, &data, name), bytes(&writer.arrays[name]), "{} of {}", name, text);
        }
    }
}
